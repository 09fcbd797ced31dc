#!/bin/sh
# Makes a browser available to the tests that look at pages, a font for Japanese names, and what Playwright's Node needs.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

command -v chromium >/dev/null || need_packages chromium
need_packages fonts-ipafont-gothic libatomic1
echo "browser: $(command -v chromium)"
