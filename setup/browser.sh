#!/bin/sh
# Makes a browser available to the tests that look at pages, with a font for Japanese names.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

if command -v chromium >/dev/null; then need_packages fonts-ipafont-gothic; else need_packages chromium fonts-ipafont-gothic; fi
echo "browser: $(command -v chromium)"
