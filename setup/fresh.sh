#!/bin/sh
# Tries what the README promises on a machine that has nothing: `make demo` and `make test` from a copy of this checkout,
# in a container of bare Debian 12 with git, make and ca-certificates. Of this machine it gets a copy of the site's own
# certificates and of the package managers' configuration, nothing else. What it printed is kept in .run/fresh/.
#   setup/fresh.sh [user] [demo] [test]    some of the three; all without a word
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

base=orthanc-fhir/bare:bookworm
name=orthanc-fhir-fresh-$$
logs=.run/fresh
[ $# -gt 0 ] || set -- user demo test
for part; do case $part in user | demo | test) ;; *) stop "knows user, demo and test, not '$part'" ;; esac; done

setup/docker.sh
mkdir -p $logs

if [ -z "$(docker images -q $base)" ]; then
    command -v mmdebstrap >/dev/null || need_packages mmdebstrap
    echo "building $base (about half a minute)"
    as_root mmdebstrap --quiet --variant=minbase --include=git,make,ca-certificates --dpkgopt=force-unsafe-io \
        bookworm - "$(debian_mirror)" | docker import -c 'ENV LANG=C.UTF-8' - $base >/dev/null
fi

# what any machine of this site has: its own certificates, and how package managers reach their registries
site_files() {
    for path in /usr/local/share/ca-certificates/* /etc/apt/apt.conf.d/* /etc/apt/auth.conf.d/* /etc/pip.conf /etc/uv /etc/npmrc; do
        if [ -e "$path" ] && ! dpkg-query -S "$path" >/dev/null 2>&1; then printf '%s\0' "$path"; fi
    done
}
site_variables() {
    env | sed -n 's/^\(\(PIP\|UV\|MAVEN\|SSL_CERT\|HTTPS\?_PROXY\|NO_PROXY\|https\?_proxy\|no_proxy\)[A-Za-z_]*\)=.*/--env \1/p' |
        tr '\n' ' '
}

stop_container() { docker rm --force $name >/dev/null 2>&1 || true; }
trap stop_container EXIT
trap 'exit 130' INT TERM

# SYS_ADMIN and no seccomp: a test enters a folder with a newer Orthanc, which mmdebstrap fills with mounts of its own
# shellcheck disable=SC2046 # a list of words
docker run --detach --name $name --hostname fresh --init --shm-size 1g --cap-add SYS_ADMIN \
    --security-opt seccomp=unconfined --security-opt apparmor=unconfined $(site_variables) $base sleep infinity >/dev/null
inside() { docker exec --interactive $name "$@"; }

site_files | tar --create --null --files-from - --absolute-names | inside tar --extract --directory / --absolute-names
inside sh -c 'update-ca-certificates >/dev/null 2>&1 && useradd --create-home somebody'
copy_for() { # user, folder: the files that git knows or would take, as they lie here
    git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' _ |
        tar --create --null --files-from - | inside sh -c "mkdir -p $2 && tar --extract --no-same-owner --directory $2 && chown -R $1: $2"
}

bad=0
try() { # name, user, folder, command, what must be seen: prints the end, keeps everything
    echo
    echo "== as $2: $4"
    begun=$(date +%s)
    if inside su "$2" -s /bin/sh -c "cd $3 && $4" >"$logs/$1.log" 2>&1 </dev/null; then code=0; else code=$?; fi
    tail -n "$5" "$logs/$1.log" | sed 's/^/   /'
    echo "== exit code $code after $(($(date +%s) - begun)) s; all of it: $logs/$1.log"
}
must() { if [ "$code" = "$1" ]; then echo "== good: $2"; else echo "== BAD: $2, but the exit code is not $1"; bad=1; fi; }

for part; do
    case $part in
        user)
            copy_for somebody /home/somebody/orthanc-fhir
            try user somebody /home/somebody/orthanc-fhir 'make demo' 3
            must 2 'a user without root is told in one line what is missing'
            if ! grep -q 'needs root once' $logs/user.log; then echo "== BAD: that line is not there"; bad=1; fi
            ;;
        demo)
            copy_for root /srv/orthanc-fhir
            try demo root /srv/orthanc-fhir 'make demo' 28
            must 0 'every sample study is in FHIR'
            try demo-again root /srv/orthanc-fhir 'make demo' 1
            must 0 'once more, quickly'
            try demo-clean root /srv/orthanc-fhir 'make clean' 1
            must 0 'stopped and removed'
            ;;
        test)
            copy_for root /srv/orthanc-fhir
            try test root /srv/orthanc-fhir 'make test' 25
            must 0 'every test passes'
            ;;
    esac
done
[ $bad = 0 ] && echo "fresh: all good" || { echo "fresh: see BAD above"; exit 1; }
