#!/usr/bin/env bash
# Runs the real netstat on the /proc trees of the fixtures.
#
#   tests/referee.sh write [CASE...]   writes the output of netstat to every expected/<flags>.txt
#   tests/referee.sh check [CASE...]   compares them with the output; status 1 if one differs
#
# CASE is a folder of fixtures; without CASE all are used. The file `differs` of a case lists flags
# whose output differs from that of netstat: `write` leaves them as they are, and `check` makes sure
# that they differ. Status 3: namespaces cannot be made on this machine.
# Needs netstat and unshare; a case with a file `modes` also needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

# Runs netstat with the tree of a case as /proc, in a new mount namespace: netstat_on CASE FLAGS...
netstat_on() {
    local case=$1 user=()
    shift
    if [ -e "$case/modes" ]; then
        user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    fi
    # netstat shows the first owner that it finds, and the kernel lists processes by number. A tmpfs
    # lists entries in the order of their creation, or in reverse. So try both until they are listed
    # by number.
    # shellcheck disable=SC2016
    unshare "${map[@]}" -m bash -euc '
        case=$1 users=$2
        shift 2
        mount -t tmpfs tmpfs /mnt
        for order in -v -rv; do
            rm -rf /mnt/*
            for entry in $(ls $order "$case/proc"); do cp -dR "$case/proc/$entry" /mnt/; done
            if ls -U /mnt | grep -E "^[0-9]+$" | sort -nc 2>/dev/null; then break; fi
        done
        chmod 755 /mnt
        if [ -e "$case/modes" ]; then
            while read -r mode path; do chmod "$mode" "/mnt/$path"; done < "$case/modes"
        fi
        mount --bind /mnt /proc
        exec "${@:2:$users}" netstat "${@:2+$users}" 2>/dev/null
    ' bash "$case" "${#user[@]}" -- "${user[@]}" "$@"
}

shopt -s nullglob
mode=${1:-}
map=()
[ "$(id -u)" = 0 ] || map=(-Ur)
if ! unshare "${map[@]}" -m true 2>/dev/null; then
    echo "skipped: no namespaces"
    exit 3
fi
case $mode in write | check) shift ;; *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac
[ $# -gt 0 ] || set -- fixtures/[0-9]*/

status=0 compared=0
for case in "$@"; do
    case=${case%/}
    if [ -e "$case/modes" ] && [ "$(id -u)" != 0 ]; then
        echo "skipped: $case needs root"
        continue
    fi
    for expected in "$case"/expected/*.txt; do
        flags=$(basename "$expected" .txt)
        # shellcheck disable=SC2086 # the file's name is a command line
        found=$(netstat_on "$case" $flags && echo .) || { echo "$case $flags: netstat failed" >&2; exit 2; }
        differs=no
        grep -q -- "^$flags: " "$case/differs" 2>/dev/null && differs=yes
        if [ "$mode" = write ]; then
            [ $differs = yes ] || printf '%s' "${found%.}" > "$expected"
            continue
        fi
        compared=$((compared + 1))
        if [ "$found" = "$(cat "$expected" && echo .)" ]; then
            [ $differs = no ] || { echo "$case $flags: listed in differs, and does not differ" >&2; status=1; }
        elif [ $differs = no ]; then
            echo "$case $flags: netstat (-) and the expectation (+) differ" >&2
            diff -u <(printf '%s' "${found%.}") "$expected" >&2 || true
            status=1
        fi
    done
done
[ "$mode" = write ] || echo "$compared expectations compared with netstat"
exit $status
