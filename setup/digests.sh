#!/bin/sh
# Prints the images that are pulled, each with its digest: what a tag means today, to be pinned in a compose file of yours
# or by a build argument (BASE). Asks the registries and changes nothing.
#   setup/digests.sh [IMAGE…]    without a word: those of docker-compose.yml and of the Dockerfiles
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

pulled() {
    { sed -n 's/^ *image: *//p' docker-compose.yml; sed -n 's/^ARG BASE=//p' docker/*/Dockerfile; } |
        grep -v '^orthanc-fhir/' | sort -u
}

docker buildx version >/dev/null 2>&1 || stop "needs docker with its plugin buildx: setup/docker.sh gets both"
# shellcheck disable=SC2046 # a list of words
[ $# -gt 0 ] || set -- $(pulled)
for image; do
    digest=$(timeout 30 docker buildx imagetools inspect "$image" 2>/dev/null | sed -n 's/^Digest: *//p')
    [ -n "$digest" ] || stop "no registry answers for $image: ask from a machine that reaches it"
    echo "$image@$digest"
done
