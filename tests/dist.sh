#!/usr/bin/env bash
# Builds the programs that a release has: for each target one, with its SHA-256.
#
#   tests/dist.sh               static programs for x86-64 and ARM64
#   tests/dist.sh TARGET...     only these; also s390x-unknown-linux-gnu, which is big-endian
#
# Leaves target/dist/rnetstat-VERSION-TARGET and target/dist/SHA256SUMS. A target is left out, with the
# reason, if its standard library or its linker is missing. The program for x86-64 is built in two folders,
# and must have the same bytes.
#
# Needs rustup, which downloads the standard libraries, and for s390x Debian's gcc-s390x-linux-gnu and
# libc6-dev-s390x-cross.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "dist: $*" >&2; exit 1; }

native=x86_64-unknown-linux-musl
targets=("$@")
[ $# != 0 ] || targets=("$native" aarch64-unknown-linux-musl)

libraries=$(rustc --print sysroot)/lib/rustlib
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
dist=target/dist
mkdir -p "$dist"
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT

# Prints the linker for a target.
linker() {
    case $1 in
        "$native") echo cc ;;
        *-musl) echo rust-lld ;;
        *) echo "${1%%-*}-linux-gnu-gcc" ;;
    esac
}

# Prints why a target cannot be built here; nothing if it can.
obstacle() {
    if [ ! -d "$libraries/$1/lib" ] && ! timeout 300 rustup target add "$1" >/dev/null 2>&1; then
        echo "rustup cannot add the target"
    elif [ "$(linker "$1")" != rust-lld ] && ! command -v "$(linker "$1")" >/dev/null; then
        echo "no $(linker "$1")"
    fi
}

# Builds the sources in a folder: build FOLDER TARGET. The names of folders do not get into the program.
build() (
    cd "$1"
    declare -x "CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$2")_LINKER=$(linker "$2")"
    export RUSTFLAGS="--remap-path-prefix=$PWD=/rnetstat --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    cargo build --locked --quiet --release --target "$2" --target-dir target/cross
)

for target in "${targets[@]}"; do
    program=$dist/rnetstat-$version-$target
    rm -f "$program"
    reason=$(obstacle "$target")
    if [ -n "$reason" ]; then
        echo "dist: $target is left out: $reason" >&2
        continue
    fi
    second=
    if [ "$target" = "$native" ]; then
        git ls-files -z | xargs -0 cp --parents -dt "$elsewhere"
        build "$elsewhere" "$target" & second=$!
    fi
    build . "$target"
    built=target/cross/$target/release/rnetstat
    if [ -n "$second" ]; then
        wait "$second"
        cmp "$built" "$elsewhere/$built" || fail "two builds for $target differ"
        echo "dist: two builds for $target in two folders have the same bytes"
    fi
    if grep -qaF -e "$PWD" -e "$HOME/" "$built"; then fail "the program for $target has names of folders"; fi
    cp "$built" "$program"
done

cd "$dist"
sha256sum "rnetstat-$version-"* > SHA256SUMS
cat SHA256SUMS
