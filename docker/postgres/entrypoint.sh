#!/bin/sh
# Makes the cluster, its role and its database at the first start, by the official image's variables, then serves it.
set -eu
if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); fi
: "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}" "${POSTGRES_USER:=postgres}" "${POSTGRES_DB:=$POSTGRES_USER}"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    fresh=$PGDATA/.new # inside the volume, moved up when complete: a start cut short is begun again
    rm -rf "$fresh"
    mkdir -m 700 "$fresh"
    printf '%s\n' "$POSTGRES_PASSWORD" >"$fresh.password"
    initdb --pgdata="$fresh/data" --username="$POSTGRES_USER" --pwfile="$fresh.password" --encoding=UTF8 \
        --auth-local=peer --auth-host=scram-sha-256 >/dev/null
    rm "$fresh.password"
    [ "$POSTGRES_DB" = postgres ] ||
        printf 'CREATE DATABASE "%s";\n' "$POSTGRES_DB" | postgres --single -D "$fresh/data" postgres >/dev/null
    printf 'host all all all scram-sha-256\n' >>"$fresh/data/pg_hba.conf"
    version=$fresh/data/PG_VERSION
    mv "$version" "$fresh/PG_VERSION"
    mv "$fresh"/data/* "$PGDATA"
    mv "$fresh/PG_VERSION" "$PGDATA/PG_VERSION"
    rm -rf "$fresh"
fi
unset POSTGRES_PASSWORD
exec postgres -D "$PGDATA" -c 'listen_addresses=*' -c unix_socket_directories= "$@"
