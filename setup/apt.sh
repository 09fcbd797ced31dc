# Debian packages, for the other scripts here: `. "$(dirname "$0")/apt.sh"`. Installs only what is missing.

stop() { # say in one line what is wrong and what to do, and end
    echo "$(basename "$0"): $*" >&2
    exit 1
}

may_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

missing_of() {
    for package; do
        case $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) in
            installed) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

# need_packages PACKAGE…: makes sure they are installed, and that no service of theirs was started by it.
need_packages() {
    command -v dpkg-query >/dev/null || stop "needs Debian or Ubuntu; elsewhere install by hand what these packages hold: $*"
    wanted=$(missing_of "$@")
    [ -n "$wanted" ] || return 0
    may_be_root || stop "needs root once; run by hand: apt-get install --no-install-recommends $wanted"
    echo "installing $wanted"
    guard=/usr/sbin/policy-rc.d
    if [ -e "$guard" ]; then guard=; else as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$guard && chmod 755 $guard"; fi
    said=$(mktemp) # shown only when it goes wrong: packages talk a lot
    # shellcheck disable=SC2086 # a list of words
    { _install $wanted || { as_root apt-get -qq update && _install $wanted; }; } >"$said" 2>&1 && got=yes || got=
    [ -z "$guard" ] || as_root rm -f "$guard"
    [ -n "$got" ] || tail -n 20 "$said" >&2
    rm -f "$said"
    [ -n "$got" ] || stop "apt-get could not install: $wanted(its last lines are above)"
}

_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        install --no-install-recommends "$@"
}

# debian_mirror: prints the mirror this machine's apt uses.
debian_mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
        awk '$1 == "URIs:" { print $2; exit }
             $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }'
}
