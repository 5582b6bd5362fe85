#!/usr/bin/env bash
# Builds the Debian package, installs it below a temporary folder, and tries its files.
#
#   tests/package.sh           leaves the package in target/debian/
#
# Needs cargo-deb, dpkg-dev, man-db, bsdextrautils and bash; lintian checks the package if it is installed. Does
# not change the system.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "package: $*" >&2; exit 1; }

for tool in cargo-deb dpkg-shlibdeps man col; do
    command -v "$tool" >/dev/null || fail "there is no $tool: apt install dpkg-dev man-db bsdextrautils, cargo install cargo-deb"
done
cargo build --locked --release
generated=target/generated
mkdir -p "$generated"
target/release/rnetstat --generate man > "$generated/rnetstat.8"
target/release/rnetstat --generate bash > "$generated/rnetstat.bash"
target/release/rnetstat --generate zsh > "$generated/_rnetstat"
target/release/rnetstat --generate fish > "$generated/rnetstat.fish"
target/release/rnetstat --generate elvish > "$generated/rnetstat.elv"
target/release/rnetstat --generate schema > "$generated/schema.json"
field() { sed -n "s/^$1 = \"\(.*\)\"\$/\1/p" Cargo.toml | head -1; }
version=$(field version)
gzip -9nc CHANGELOG.md > "$generated/changelog.gz"
cat > "$generated/changelog.Debian" <<END
rnetstat ($version-1) unstable; urgency=medium

  * Version $version. changelog.gz says what is new.

 -- $(field maintainer)  $(date -uRd "$(sed -n "s/^## $version (\(.*\))\$/\1/p" CHANGELOG.md)")
END
cat > "$generated/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: rnetstat
Source: $(field repository)

Files: *
$(grep '^Copyright' LICENSE-MIT | sed 's/^Copyright (c)/Copyright:/')
License: $(field license | sed 's/MIT OR Apache-2.0/Expat or Apache-2.0/')

License: Expat
$(sed '1,/^Copyright/d; /./!s/^$/./; s/^/ /' LICENSE-MIT | sed '1{/^ \.$/d}')

License: Apache-2.0
 On Debian systems, the text is in /usr/share/common-licenses/Apache-2.0.
END
cargo deb --locked --no-build --quiet
package=$(ls -t target/debian/rnetstat_*.deb | head -1)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/var/lib/dpkg"/{info,updates} "$root/var/log"
touch "$root/var/lib/dpkg"/{status,available}
# The libraries that the package depends on are not in this folder, but in the system.
dpkg --root="$root" --force-depends --force-script-chrootless -i "$package" >/dev/null 2>&1 ||
    fail "the package cannot be installed"
dpkg-deb -f "$package" Depends | grep -q libc6 || fail "the package does not depend on the C library"

[ "$("$root/usr/bin/rnetstat" -V)" = "$(target/release/rnetstat -V)" ] || fail "the installed program has another version"
"$root/usr/bin/rnetstat" -tuanp --proc fixtures/01-lab/proc |
    diff - fixtures/01-lab/expected/-tuanp.txt || fail "the installed program prints another listing"
cmp -s fixtures/schema.json "$root/usr/share/rnetstat/schema.json" || fail "the package has no schema"
man -M "$root/usr/share/man" -w rnetstat >/dev/null || fail "man does not find the manual page"
page=$(man -M "$root/usr/share/man" --warnings=w rnetstat 2>&1 | col -b)
for chapter in NAME SYNOPSIS DESCRIPTION OPTIONS FILTERS EXAMPLES "READING A ROW" COLUMNS FORMATS STATES "EXIT STATUS"; do
    grep -q "^$chapter" <<< "$page" || fail "no chapter $chapter in the manual page"
done
if grep -q "warning:" <<< "$page"; then fail "man warns about the manual page: $page"; fi
# shellcheck disable=SC2016
bash -euc '
    source "$1/usr/share/bash-completion/completions/rnetstat"
    COMP_WORDS=(rnetstat --net) COMP_CWORD=1
    "$(complete -p rnetstat | sed "s/.*-F \([^ ]*\).*/\1/")" rnetstat --net rnetstat
    [ "${COMPREPLY[*]}" = --netns ]
' bash "$root" || fail "bash does not complete --net"
for file in zsh/vendor-completions/_rnetstat fish/vendor_completions.d/rnetstat.fish \
    elvish/lib/completions/rnetstat.elv doc/rnetstat/{README.md,SECURITY.md,copyright} \
    doc/rnetstat/docs/{options,csv}.md doc/rnetstat/changelog{,.Debian}; do
    [ -s "$root/usr/share/$file" ] || [ -s "$root/usr/share/$file.gz" ] || fail "no $file"
done
if command -v lintian >/dev/null; then
    # That tag is for uploads to Debian.
    lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$package" ||
        fail "lintian finds faults in the package"
fi
dpkg --root="$root" -r rnetstat >/dev/null 2>&1 || fail "the package cannot be removed"
if find "$root/usr" -type f 2>/dev/null | grep -q .; then fail "files are left after the removal"; fi
echo "package: $(basename "$package") can be installed, used and removed"
