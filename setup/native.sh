#!/bin/sh
# Makes the four servers runnable as plain processes: Orthanc, PostgreSQL and Java from Debian, HAPI from Maven Central.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

command -v curl >/dev/null || need_packages curl # the README's first study
need_packages orthanc orthanc-python orthanc-dicomweb postgresql
setup/fhir.sh
echo "native servers: Orthanc, PostgreSQL and the FHIR server are here"
