#!/bin/sh
# Makes a browser available to the tests that look at pages, a font for Japanese names, what Playwright's Node needs, and axe-core.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

command -v chromium >/dev/null || need_packages chromium
need_packages fonts-ipafont-gothic libatomic1
echo "browser: $(command -v chromium)"
setup/axe.sh
