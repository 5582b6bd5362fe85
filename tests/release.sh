#!/usr/bin/env bash
# Holds to its word what is not code: dependencies, the oldest Rust, the version, what is packed.
#
# Needs cargo-deny. Builds the crate as it would be published, in target/package/.
set -euo pipefail
cd "$(dirname "$0")/.."

# Crates that a build takes, rnetstat aside: whoever needs more says why, here and in the README.
BUDGET=42

fail() { echo "release: $*" >&2; exit 1; }
metadata() { cargo metadata --locked --format-version 1 "$@" | python3 -c "$READ"; }

cargo deny --locked check bans licenses sources
if cargo deny --locked fetch db >/dev/null 2>&1; then
    cargo deny --locked check advisories
    echo "release: no advisory is about what it depends on"
else
    echo "release: the advisories cannot be had here, and were not looked at" >&2
fi

crates=$(cargo tree --locked --edges normal,build --prefix none --format '{p}' |
    sed 's/ (.*//' | grep -v '^rnetstat ' | sort -u)
count=$(wc -l <<<"$crates")
[ "$count" -le "$BUDGET" ] || fail "$count crates, and $BUDGET are in the budget:"$'\n'"$crates"
echo "release: $count crates of $BUDGET in the budget"

direct=$(READ='
import json, sys
metadata = json.load(sys.stdin)
print(*sorted({it["name"] for it in metadata["packages"][0]["dependencies"]}))' metadata --no-deps)
table=$(sed -n '/^## Dependencies/,/^## /p' README.md)
for crate in $direct; do
    grep -qE "^\|[^|]*\b$crate\b[^|]*\|" <<<"$table" || fail "the README has no reason for $crate"
done
echo "release: $(wc -w <<<"$direct") direct dependencies, each with its reason in the README"

oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
grep -q "$oldest or newer" README.md || fail "the README has another oldest Rust than $oldest"
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
if late: sys.exit(f"release: newer than Rust {oldest}: {late}")
print(f"release: none of {len(needed)} crates that say so needs a newer Rust than {oldest}")' metadata
if rustup toolchain list 2>/dev/null | grep -q "^$oldest"; then
    cargo "+$oldest" check --locked --target-dir target/oldest
    echo "release: Rust $oldest builds it"
else
    # clippy's incompatible_msrv has looked at what is used of the standard library.
    echo "release: there is no Rust $oldest here to build it with" >&2
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
grep -q "^## $version" CHANGELOG.md || fail "the CHANGELOG has nothing about $version"

cargo package --locked --allow-dirty --quiet
packed=$(cargo package --locked --allow-dirty --list)
expected=$(git ls-files src README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE Cargo.lock Cargo.toml fixtures/schema.json)
differing=$(diff <(sort <<<"$expected") <(grep -vx -e 'Cargo.toml.orig' -e '.cargo_vcs_info.json' <<<"$packed" | sort)) ||
    fail "what is packed is not what should be:"$'\n'"$differing"
echo "release: $(wc -l <<<"$packed") files are packed, and build as they are"
