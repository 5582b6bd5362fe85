#!/usr/bin/env bash
# Runs the fixture cases on programs for other machines, with qemu-user: ARM64, and s390x, which is
# big-endian.
#
#   tests/cross.sh              both
#   tests/cross.sh TARGET...    only these
#
# It takes 10 to 20 minutes, so .ci/run does not run it. tests/dist.sh builds the programs, and says what it
# needs. Needs also qemu-user.
set -euo pipefail
cd "$(dirname "$0")/.."

targets=("$@")
[ $# != 0 ] || targets=(aarch64-unknown-linux-musl s390x-unknown-linux-gnu)
tests/dist.sh "${targets[@]}"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
# Every user can run what is in this folder: some cases are run by nobody.
public=$(mktemp -d)
chmod 755 "$public"
trap 'rm -rf "$public"' EXIT

for target in "${targets[@]}"; do
    emulator="qemu-${target%%-*}"
    if [ ! -e "target/dist/rnetstat-$version-$target" ] || ! command -v "$emulator" >/dev/null; then
        echo "cross: $target is left out: no program, or no $emulator" >&2
        continue
    fi
    # Where Debian has the libraries of programs that are not static.
    libraries=/usr/${target%%-*}-linux-gnu
    cp "target/dist/rnetstat-$version-$target" "$public/$target"
    printf '#!/bin/sh\nexec %s -L %s %s "$@"\n' "$emulator" "$libraries" "$public/$target" > "$public/rnetstat"
    chmod 755 "$public/rnetstat"
    RNETSTAT_PROGRAM=$public/rnetstat cargo test --locked --quiet --test it fixtures:: </dev/null
    echo "cross: $target prints what every fixture case expects"
done
