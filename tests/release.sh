#!/usr/bin/env bash
# Checks what is not code: dependencies, the oldest Rust, the version, the files of the package. Builds the
# static programs of the release, and runs the fixture cases on that for x86-64.
#
# Needs cargo-deny, and what tests/dist.sh needs. Builds the crate as it would be published, in
# target/package/.
set -euo pipefail
cd "$(dirname "$0")/.."

# The number of crates in a build, without rnetstat. Say why if it rises, here and in CONTRIBUTING.md.
# 26 of them came with the live view: ratatui-core and crossterm. One is seccompiler, for the filter of
# system calls.
BUDGET=70

fail() { echo "release: $*" >&2; exit 1; }
metadata() { cargo metadata --locked --format-version 1 "$@" | python3 -c "$READ"; }

cargo deny --locked check bans licenses sources
if cargo deny --locked fetch db >/dev/null 2>&1; then
    cargo deny --locked check advisories
    echo "release: no advisory concerns the dependencies"
else
    echo "release: the advisories cannot be downloaded and were not checked" >&2
fi

crates=$(cargo tree --locked --edges normal,build --prefix none --format '{p}' |
    sed 's/ (.*//' | grep -v '^rnetstat ' | sort -u)
count=$(wc -l <<<"$crates")
[ "$count" -le "$BUDGET" ] || fail "$count crates, but the budget is $BUDGET:"$'\n'"$crates"
echo "release: $count crates, and the budget is $BUDGET"

direct=$(READ='
import json, sys
metadata = json.load(sys.stdin)
print(*sorted({it["name"] for it in metadata["packages"][0]["dependencies"]}))' metadata --no-deps)
table=$(sed -n '/^## Dependencies/,/^## /p' CONTRIBUTING.md)
for crate in $direct; do
    grep -qE "^\|[^|]*\b$crate\b[^|]*\|" <<<"$table" || fail "CONTRIBUTING.md gives no reason for $crate"
done
echo "release: $(wc -w <<<"$direct") direct dependencies, each with a reason in CONTRIBUTING.md"

oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
grep -q "$oldest or newer" README.md || fail "the README does not name $oldest as the oldest Rust"
OLDEST=$oldest READ='
import json, os, sys
def number(version): return [int(part) for part in version.split(".")][:2]
oldest = os.environ["OLDEST"]
needed = {}
metadata = json.load(sys.stdin)
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
todo, seen = [metadata["resolve"]["root"]], set()
while todo:
    node = todo.pop()
    if node not in seen:
        seen.add(node)
        todo += [dep["pkg"] for dep in nodes[node]["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])]
for package in metadata["packages"]:
    if package["id"] in seen and package["rust_version"]:
        needed[package["name"]] = package["rust_version"]
late = {name: version for name, version in needed.items() if number(version) > number(oldest)}
if late: sys.exit(f"release: crates that need a newer Rust than {oldest}: {late}")
print(f"release: {len(needed)} crates name their oldest Rust, and none needs one newer than {oldest}")' metadata
if rustup toolchain list 2>/dev/null | grep -q "^$oldest"; then
    cargo "+$oldest" check --locked --target-dir target/oldest
    echo "release: Rust $oldest builds it"
else
    # Clippy's incompatible_msrv has checked which parts of the standard library are used.
    echo "release: Rust $oldest is not installed, so it was not tried" >&2
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
date=$(sed -n "s/^## $version (\(.*\))\$/\1/p" CHANGELOG.md)
[ -n "$date" ] || fail "the CHANGELOG has no section '## $version (YEAR-MONTH-DAY)'"
grep -q "\"$date\"" src/cli/generate.rs || fail "the manual page is not from $date"
for file in Cargo.lock fuzz/Cargo.lock; do
    grep -A1 '^name = "rnetstat"' $file | grep -q "\"$version\"" || fail "$file has another version"
done

# Without --dry-run this would publish it. Tests and benchmarks are not in the package.
log=$(cargo publish --dry-run --locked --allow-dirty 2>&1) || fail "it cannot be published: $log"
warnings=$(grep '^warning' <<<"$log" | grep -v -e 'warning: ignoring ' -e 'aborting upload due to dry run') &&
    fail "warnings about the package:"$'\n'"$warnings"
packed=$(cargo package --locked --allow-dirty --list)
expected=$(git ls-files src docs README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE Cargo.lock Cargo.toml fixtures/schema.json)
differing=$(diff <(sort <<<"$expected") <(grep -vx -e 'Cargo.toml.orig' -e '.cargo_vcs_info.json' <<<"$packed" | sort)) ||
    fail "the files of the package are not the expected ones:"$'\n'"$differing"
echo "release: $(wc -l <<<"$packed") files are in the package, and it builds from them"

tests/dist.sh
static=$PWD/target/dist/rnetstat-$version-x86_64-unknown-linux-musl
if [ -e "$static" ]; then
    RNETSTAT_PROGRAM=$static cargo test --locked --quiet --test it -- fixtures:: privilege::
    echo "release: the static program prints what every fixture case expects, and makes only the allowed calls"
fi
