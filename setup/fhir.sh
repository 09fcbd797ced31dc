#!/bin/sh
# Builds docker/fhir/target (the FHIR server's jars) when it is missing or older than its sources.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

java_release() { java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.specification.version = //p'; }

if ! command -v javac >/dev/null || ! command -v mvn >/dev/null; then need_packages default-jdk-headless maven; fi
release=$(java_release)
[ "${release%%.*}" -ge 17 ] || stop "Java 17 or newer is needed, this is $release: install default-jdk-headless"

target=docker/fhir/target
stamp=$target/.built
if [ -e "$stamp" ] && [ -z "$(find docker/fhir/pom.xml docker/fhir/src -newer "$stamp")" ]; then
    echo "FHIR server: $target is built"
else
    echo "FHIR server: building $target (about a minute the first time)"
    mkdir -p .run
    log=.run/fhir-build.log
    if ! mvn -q -B -f docker/fhir/pom.xml clean package >$log 2>&1; then
        tail -n 30 $log >&2
        stop "Maven could not build docker/fhir: see its lines above, all of them in $log"
    fi
    touch "$stamp"
fi
