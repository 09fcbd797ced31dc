#!/bin/sh
# dicom2fhir, which bench/map.py measures beside us, in an environment of its own: its pins are not ours.
set -eu
cd "$(dirname "$0")/.."

PATH=$PATH:$PWD/.run/bin
HOME_OF_IT=.run/dicom2fhir
PINS="dicom2fhir==0.1.25 fhir.resources==8.1.0 fhir-core==1.1.4 annotated-types==0.7.0 pydantic==2.11.7 pydicom==3.0.1 pandas==2.3.1"

if [ "$(cat $HOME_OF_IT/pins 2>/dev/null)" != "$PINS" ]; then
    uv venv --quiet --clear --python '>=3.11' $HOME_OF_IT
    # shellcheck disable=SC2086  # a list of words
    uv pip install --quiet --compile-bytecode --python $HOME_OF_IT/bin/python $PINS
    echo "$PINS" >$HOME_OF_IT/pins
fi
echo "dicom2fhir: $HOME_OF_IT is as its pins say"
