#!/bin/sh
# Gets the images: pulls the official ones, or builds all of them where no registry answers. What was found is kept in
# .run/images ("pull" or "build"); remove that file to ask again.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

base=orthanc-fhir/debian:trixie
compose() {
    # no secret is needed to build; values only have to be there
    POSTGRES_PASSWORD=- ORTHANC_FHIR_TOKEN=- ORTHANC_FHIR_ORTHANC_USER=- ORTHANC_FHIR_ORTHANC_PASSWORD=- \
    ORTHANC_FHIR_NAMESPACE=- ORTHANC_FHIR_BASE=- ORTHANC_SITE_JSON=./demo/orthanc.demo.json \
        docker compose "$@"
}

registry_answers() { # a tiny image, through the engine's own proxy and mirrors
    there=$(docker images -q hello-world:latest)
    timeout 20 docker pull -q hello-world:latest >/dev/null 2>&1 || return 1
    [ -n "$there" ] || docker rmi hello-world:latest >/dev/null
}

build_base() {
    command -v mmdebstrap >/dev/null || need_packages mmdebstrap
    echo "building $base (about half a minute)"
    # the folders of manual pages must be there although the pages are not: Java's package links into them
    as_root mmdebstrap --quiet --variant=minbase --include=ca-certificates,python3,python3-venv \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --customize-hook='mkdir -p "$1"/usr/share/man/man1 "$1"/usr/share/man/man7' \
        trixie - "$(debian_mirror)" |
        docker import -c 'ENV LANG=C.UTF-8' -c 'CMD ["bash"]' - "$base" >/dev/null
}

mkdir -p .run
if [ ! -e .run/images ]; then
    if registry_answers; then echo pull >.run/images; else echo build >.run/images; fi
fi
case $(cat .run/images) in
    pull)
        echo "images: pulling what is missing, building the mapper"
        compose pull --quiet --ignore-buildable || stop "the images cannot be pulled; to build them here: echo build >.run/images"
        compose build --quiet mapper || stop "the mapper's image cannot be built: see the lines above"
        ;;
    build)
        [ -n "$(docker images -q $base)" ] || build_base
        setup/fhir.sh
        echo "images: building what changed"
        compose -f docker-compose.yml -f docker-compose.build.yml build --quiet || stop "the images cannot be built: see the lines above"
        ;;
    *) stop "'.run/images' must say pull or build: remove it" ;;
esac
# what the builds before this one left without a name
docker image prune --force --filter label=org.opencontainers.image.title=orthanc-fhir-mapper >/dev/null
echo "images: ready"
