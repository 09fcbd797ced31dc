#!/bin/sh
# Fetches axe-core, which looks for what keeps people out of pages; for tests alone.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh
. setup/npm.sh

npm_file axe-core 4.14.1 axe.min.js 29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c .run/axe/axe.min.js ||
    stop "the npm registry does not answer: set npm_config_registry to one that does"
echo "axe-core: .run/axe/axe.min.js"
