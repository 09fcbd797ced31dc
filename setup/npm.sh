# One file of a package of the npm registry, for the other scripts here: `. "$(dirname "$0")/npm.sh"`. Needs Python;
# npm itself only where its own settings say how the registry is reached.

# npm_file PACKAGE VERSION MEMBER SHA256 TARGET: makes sure that TARGET is this file of the package, or ends with 1.
npm_file() {
    [ "$(_sha256 "$5")" = "$4" ] && return 0
    folder=$(mktemp -d)
    if command -v npm >/dev/null; then
        (cd "$folder" && timeout 120 npm pack "$1@$2" --silent >/dev/null 2>&1) || :
    else
        registry=${npm_config_registry:-https://registry.npmjs.org}
        timeout 120 python3 - "${registry%/}/$1/-/$1-$2.tgz" "$folder/package.tgz" <<'END' 2>/dev/null || :
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=60) as answer, open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(answer, file)
END
    fi
    got=
    if tar -xzf "$folder"/*.tgz -C "$folder" "package/$3" 2>/dev/null; then
        [ "$(_sha256 "$folder/package/$3")" = "$4" ] || stop "$1 $2 is not what it was: its $3 has another SHA-256"
        mkdir -p "$(dirname "$5")"
        install -m 644 "$folder/package/$3" "$5"
        got=yes
    fi
    rm -rf "$folder"
    [ -n "$got" ]
}

_sha256() { [ ! -f "$1" ] || python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"; }
