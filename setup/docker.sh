#!/bin/sh
# Makes a container engine and compose v2 answer: Debian's packages, started here where no systemd does it.
set -eu
cd "$(dirname "$0")/.."
. setup/apt.sh

log=/var/log/dockerd.log
state=/var/run/docker

# A killed engine leaves pid files; without an init its containerd may stay a zombie, which dockerd takes for alive.
forget_the_dead() { # pid file, program
    pid=$(cat "$1" 2>/dev/null) || return 0
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$2" ] || grep -q '^State:.*Z' "/proc/$pid/status"; then
        as_root rm -f "$1"
    fi
}

start_engine() {
    if [ -d /run/systemd/system ]; then
        as_root systemctl start docker
        return
    fi
    forget_the_dead $state.pid dockerd
    forget_the_dead $state/containerd/containerd.pid containerd
    [ -e $state/containerd/containerd.pid ] || as_root sh -c "rm -f $state/containerd/*.sock*"
    link=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)
    mtu=$(cat "/sys/class/net/${link:-none}/mtu" 2>/dev/null || echo 1500)
    # --ip: a port published without an address is for this machine only
    as_root sh -c "setsid nohup dockerd --ip 127.0.0.1 --mtu $mtu >$log 2>&1 </dev/null &"
}

engine_answers() { docker info >/dev/null 2>&1; }

# Debian 12 has compose v1 only: the plugins of the next release run there too. This machine's apt lists stay as they are.
plugins_from_next_release() {
    need_packages ca-certificates
    folder=$(mktemp -d)
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/out"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) trixie main" >"$folder/sources.list"
    apt_there() {
        apt-get -qq -o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$folder/lists" \
            -o Dir::Cache="$folder/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root "$@" >/dev/null
    }
    (cd "$folder" && apt_there update && apt_there download docker-compose docker-buildx) || stop "apt could not fetch compose v2"
    for package in "$folder"/*.deb; do dpkg-deb -x "$package" "$folder/out"; done
    as_root install -d /usr/local/lib/docker/cli-plugins
    find "$folder/out" -path '*cli-plugins/docker-*' -type f | while read -r plugin; do
        as_root install -m 755 "$plugin" /usr/local/lib/docker/cli-plugins/
    done
    rm -rf "$folder"
}

get_compose() {
    may_be_root || stop "compose v2 is missing and needs root once: install the package docker-compose (Debian 13) or docker-compose-v2 (Ubuntu)"
    for package in docker-compose-v2 docker-compose; do
        case $(apt-cache policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: //p') in
            2*) need_packages "$package" docker-buildx; return ;;
        esac
    done
    plugins_from_next_release
}

if ! engine_answers; then
    if command -v dockerd >/dev/null; then :; else
        need_packages docker.io iptables
        command -v docker >/dev/null || need_packages docker-cli
    fi
    may_be_root || stop "the engine does not answer you: start it, or join the group docker (by hand: usermod -aG docker $(id -un))"
    echo "starting the container engine"
    start_engine
    tries=0
    until engine_answers; do
        tries=$((tries + 1))
        [ "$tries" -lt 120 ] || stop "the engine does not answer after 60 s: see $log, or use STACK=native"
        sleep 0.5
    done
fi
docker compose version >/dev/null 2>&1 || { echo "installing compose v2"; get_compose; }
docker compose version >/dev/null 2>&1 || stop "compose v2 does not answer: see docker compose version"
echo "containers: engine $(docker info -f '{{.ServerVersion}}'), compose $(docker compose version --short)"
