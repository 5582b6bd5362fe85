#!/usr/bin/env bash
# Builds the Debian package, installs it below a folder of its own, and tries what is in it.
#
#   tests/package.sh           the package is left in target/debian/
#
# Needs cargo-deb, dpkg, man and bash. Nothing of this machine is changed.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "package: $*" >&2; exit 1; }

cargo build --locked --release
generated=target/generated
mkdir -p "$generated"
target/release/rnetstat --generate man > "$generated/rnetstat.8"
target/release/rnetstat --generate bash > "$generated/rnetstat.bash"
target/release/rnetstat --generate zsh > "$generated/_rnetstat"
target/release/rnetstat --generate fish > "$generated/rnetstat.fish"
target/release/rnetstat --generate elvish > "$generated/rnetstat.elv"
cargo deb --locked --no-build --quiet
package=$(ls -t target/debian/rnetstat_*.deb | head -1)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/var/lib/dpkg"/{info,updates} "$root/var/log"
touch "$root/var/lib/dpkg"/{status,available}
# The libraries that it depends on are this machine's.
dpkg --root="$root" --force-depends --force-script-chrootless -i "$package" >/dev/null 2>&1 ||
    fail "it cannot be installed"
dpkg-deb -f "$package" Depends | grep -q libc6 || fail "it does not depend on the C library"

[ "$("$root/usr/bin/rnetstat" -V)" = "$(target/release/rnetstat -V)" ] || fail "another version"
"$root/usr/bin/rnetstat" -tuanp --proc fixtures/01-lab/proc |
    diff - fixtures/01-lab/expected/-tuanp.txt || fail "it lists something else"
man -M "$root/usr/share/man" -w rnetstat >/dev/null || fail "man does not find its page"
page=$(man -M "$root/usr/share/man" --warnings=w rnetstat 2>&1 | col -b)
for chapter in NAME SYNOPSIS DESCRIPTION OPTIONS FILTERS EXAMPLES COLUMNS STATES "EXIT STATUS"; do
    grep -q "^$chapter" <<< "$page" || fail "no chapter $chapter in its page"
done
if grep -q "warning:" <<< "$page"; then fail "its page has faults: $page"; fi
# shellcheck disable=SC2016
bash -euc '
    source "$1/usr/share/bash-completion/completions/rnetstat"
    COMP_WORDS=(rnetstat --net) COMP_CWORD=1
    "$(complete -p rnetstat | sed "s/.*-F \([^ ]*\).*/\1/")" rnetstat --net rnetstat
    [ "${COMPREPLY[*]}" = --netns ]
' bash "$root" || fail "bash does not complete --net"
for file in zsh/vendor-completions/_rnetstat fish/vendor_completions.d/rnetstat.fish \
    elvish/lib/completions/rnetstat.elv doc/rnetstat/README.md; do
    [ -s "$root/usr/share/$file" ] || [ -s "$root/usr/share/$file.gz" ] || fail "no $file"
done
dpkg --root="$root" -r rnetstat >/dev/null 2>&1 || fail "it cannot be removed"
if find "$root/usr" -type f 2>/dev/null | grep -q .; then fail "it leaves files behind"; fi
echo "package: $(basename "$package") is installed, tried and removed"
