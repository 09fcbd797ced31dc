#!/bin/sh
# Fetches htmx, by which the mapper's pages stay up to date without being loaded again; without it they work all the same.
# It is of one version with one SHA-256, from the npm registry (npm's own settings or npm_config_registry count).
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh
. setup/npm.sh

if npm_file htmx.org 2.0.11 dist/htmx.min.js \
    d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717 mapper/web/static/vendor/htmx.min.js; then
    echo "pages: htmx 2.0.11 is there"
else
    echo "pages: the npm registry does not answer, so they do without htmx: reload them by hand"
fi
