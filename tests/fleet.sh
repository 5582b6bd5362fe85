#!/usr/bin/env bash
# Lets a node exporter and Prometheus, both on loopback, read counts of rnetstat, and runs one query.
#
#   tests/fleet.sh [PORT]     uses PORT (default 29100) and the next one
#
# Needs prometheus, prometheus-node-exporter and python3. Builds rnetstat if it is not built.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --locked --quiet
port=${1:-29100}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT

mkdir "$work/textfiles"
flags="-tan --group state --format openmetrics --proc fixtures/44-questions/proc"
# shellcheck disable=SC2086
target/debug/rnetstat $flags > "$work/textfiles/rnetstat.tmp"
mv "$work/textfiles/rnetstat.tmp" "$work/textfiles/rnetstat.prom"

cat > "$work/prometheus.yml" <<END
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: node
    static_configs: [{targets: ["127.0.0.1:$port"]}]
END
prometheus-node-exporter --web.listen-address="127.0.0.1:$port" --collector.disable-defaults \
    --collector.textfile --collector.textfile.directory="$work/textfiles" 2> "$work/exporter.log" &
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" \
    --web.listen-address="127.0.0.1:$((port + 1))" 2> "$work/prometheus.log" &

python3 - "$((port + 1))" <<'END'
import json, sys, time, urllib.parse, urllib.request
query = 'sum by (state) (rnetstat_sockets{state="CLOSE_WAIT"})'
url = f"http://127.0.0.1:{sys.argv[1]}/api/v1/query?" + urllib.parse.urlencode({"query": query})
for _ in range(120):
    try:
        result = json.load(urllib.request.urlopen(url))["data"]["result"]
    except OSError:
        result = []
    if result:
        break
    time.sleep(0.5)
found = [(it["metric"]["state"], it["value"][1]) for it in result]
assert found == [("CLOSE_WAIT", "2")], found
print(f"fleet: {query} is {found[0][1]}")
END
