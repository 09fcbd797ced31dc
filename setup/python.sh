#!/bin/sh
# Makes .venv with everything the project and its tests import. Needs Python 3.11 or newer; downloads none.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

PATH=$PATH:$PWD/.run/bin
if ! command -v uv >/dev/null; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3 python3-venv
    echo "installing uv into .run/uv"
    python3 -m venv .run/uv
    .run/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
    mkdir -p .run/bin
    ln -sf ../uv/bin/uv .run/bin/uv
fi
uv python find --quiet '>=3.11' >/dev/null 2>&1 || stop "no Python 3.11 or newer here: install one (Debian 12: apt-get install python3)"
[ -d .venv ] || echo "Python: making .venv (a minute or two the first time)"
# compiled here and now: else the mapper does it at its first study, which takes it another 100 MB
uv sync --locked --quiet --compile-bytecode || stop "uv could not make .venv: see its lines above"
echo "Python: .venv is as uv.lock says"
