#!/usr/bin/env bash
# Builds rnetstat for other kinds of machines, and runs the fixture cases on each build.
#
#   tests/cross.sh              all targets in the table below
#   tests/cross.sh TARGET...    only these
#
# Leaves target/dist/rnetstat-VERSION-TARGET for each target, and target/dist/SHA256SUMS. A target is left
# out, with the reason, if its standard library, its linker or its emulator is missing.
#
# Needs rustup, which downloads the standard libraries, and from Debian qemu-user, gcc-s390x-linux-gnu
# and libc6-dev-s390x-cross.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "cross: $*" >&2; exit 1; }

# Target, linker, and emulator with its options. Only s390x is big-endian. Those with musl are static.
TARGETS='
x86_64-unknown-linux-musl   cc
aarch64-unknown-linux-musl  rust-lld               qemu-aarch64
s390x-unknown-linux-gnu     s390x-linux-gnu-gcc    qemu-s390x -L /usr/s390x-linux-gnu
'

libraries=$(rustc --print sysroot)/lib/rustlib
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
dist=target/dist
# Every user can run what is in this folder: some cases are run by nobody.
public=$(mktemp -d)
chmod 755 "$public"
trap 'rm -rf "$public"' EXIT

# Prints why a target cannot be built or run here; nothing if it can.
obstacle() {
    local target=$1 linker=$2 emulator=${3:-}
    if [ ! -d "$libraries/$target/lib" ] && ! timeout 300 rustup target add "$target" >/dev/null 2>&1; then
        echo "rustup cannot add the target"
    elif [ "$linker" != rust-lld ] && ! command -v "$linker" >/dev/null; then
        echo "no $linker"
    elif [ -n "$emulator" ] && ! command -v "$emulator" >/dev/null; then
        echo "no $emulator"
    fi
}

# Builds the sources in a folder. The names of folders do not get into the program.
build() {
    local folder=$1 target=$2 linker=$3 variable
    variable=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$target")_LINKER
    (
        cd "$folder"
        export "$variable=$linker"
        export RUSTFLAGS="--remap-path-prefix=$PWD=/rnetstat --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
        cargo build --locked --quiet --release --target "$target" --target-dir target/cross
    )
}

rm -rf "$dist"
mkdir -p "$dist"
compared=
while read -r target linker emulator; do
    [ -n "$target" ] || continue
    [ $# = 0 ] || [[ " $* " == *" $target "* ]] || continue
    # shellcheck disable=SC2086
    reason=$(obstacle "$target" "$linker" $emulator)
    if [ -n "$reason" ]; then
        echo "cross: $target is left out: $reason" >&2
        continue
    fi
    build . "$target" "$linker"
    program=$dist/rnetstat-$version-$target
    cp "target/cross/$target/release/rnetstat" "$program"
    if grep -qa -e "$PWD" -e "$HOME/" "$program"; then fail "the program for $target has names of folders"; fi
    if [ -z "$compared" ]; then
        compared=$target
        mkdir "$public/other-folder"
        git ls-files -z | xargs -0 cp --parents -dt "$public/other-folder"
        build "$public/other-folder" "$target" "$linker"
        cmp "$program" "$public/other-folder/target/cross/$target/release/rnetstat" ||
            fail "two builds for $target differ"
        rm -rf "$public/other-folder"
    fi
    cp "$program" "$public/$target"
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$emulator" "$public/$target" > "$public/rnetstat"
    chmod 755 "$public/rnetstat"
    RNETSTAT_PROGRAM=$public/rnetstat cargo test --locked --quiet --test it fixtures:: </dev/null
    echo "cross: $target prints what every fixture case expects"
done <<<"$TARGETS"

(cd "$dist" && sha256sum rnetstat-* > SHA256SUMS)
[ -n "$compared" ] && echo "cross: two builds for $compared in two folders have the same bytes"
cat "$dist/SHA256SUMS"
