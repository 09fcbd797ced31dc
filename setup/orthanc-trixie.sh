#!/bin/sh
# Puts Debian 13's Orthanc (1.12.7) into the folder .run/orthanc-trixie, to be entered by chroot: for the tests only.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

folder=.run/orthanc-trixie
if [ -x $folder/usr/sbin/Orthanc ]; then
    echo "Orthanc of Debian 13: in $folder"
    exit 0
fi
[ "$(id -u)" = 0 ] || stop "only root can make and enter $folder"
command -v mmdebstrap >/dev/null || need_packages mmdebstrap
echo "Orthanc of Debian 13: filling $folder (about half a minute)"
mkdir -p .run
fresh=$folder.new
rm -rf "$fresh"
mmdebstrap --quiet --variant=minbase --include=orthanc,orthanc-python,orthanc-dicomweb \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    trixie "$fresh" "$(debian_mirror)"
mv "$fresh" $folder
echo "Orthanc of Debian 13: in $folder"
