#!/bin/sh
# Makes other readers of DICOM available to the tests: DCMTK's dsr2xml, and dciodvfy, which checks objects by the standard.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

need_packages dcmtk dicom3tools
echo "DICOM tools: dsr2xml and dciodvfy are here"
