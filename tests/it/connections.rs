//! How connections are doing, as netlink tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::Value;

use crate::common::host::Host;
use crate::common::run::RunCommand;
use crate::common::say;

/// Returns what `ss -tin` prints about each connection: the words after its ends, keyed by its local
/// and remote port.
fn by_ss(host: &Host) -> BTreeMap<(u64, u64), Vec<String>> {
    let listing = host.command("ss").args(["-tinH"]).succeed().stdout;
    let mut found = BTreeMap::new();
    let lines: Vec<_> = listing.lines().collect();
    for pair in lines.chunks(2) {
        let ends: Vec<_> = pair[0].split_whitespace().collect();
        let port = |end: &str| end.rsplit_once(':').unwrap().1.parse().unwrap();
        let words = pair[1].split_whitespace().map(ToOwned::to_owned).collect();
        found.insert((port(ends[3]), port(ends[4])), words);
    }
    found
}

/// Returns the number after `name:`, or 0 without such a word: ss leaves out what is 0.
fn number(words: &[String], name: &str, part: usize) -> f64 {
    let word = words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix(':'));
    word.map_or(0.0, |word| word.split('/').nth(part).unwrap().parse().unwrap())
}

#[test]
fn values_of_connections_are_those_of_ss() {
    let Some(host) = Host::new(&["python3", "ss"]) else { return };
    let mut connections = host.python("transfer.py", &["100000"]);
    assert_eq!(connections.line(), "ready");
    let start = Instant::now();
    let before = by_ss(&host);
    let listing = host.rnetstat("-tn --state established --json").succeed().stdout;
    let between = start.elapsed().as_secs_f64() * 1000.0;
    let listing: Vec<Value> = serde_json::from_str(&listing).unwrap();
    assert!(listing.len() >= 4, "{listing:?}");
    for row in &listing {
        let port = |end: &str| row[end]["port"].as_u64().unwrap();
        let ends = (port("local"), port("remote"));
        let (words, tcp) = (&before[&ends], &row["tcp"]);
        for (key, name, part) in [
            ("rtt", "rtt", 0),
            ("rtt_var", "rtt", 1),
            ("min_rtt", "minrtt", 0),
            ("cwnd", "cwnd", 0),
            ("mss", "mss", 0),
            ("sent", "bytes_sent", 0),
            ("received", "bytes_received", 0),
            ("retrans", "retrans", 1),
            ("lost", "lost", 0),
        ] {
            let expected = number(words, name, part);
            // ss prints three digits of large numbers.
            let found = tcp[key].as_f64().unwrap();
            let is_same = (found - expected).abs() <= 0.005 * expected;
            assert!(is_same, "{key} of {ends:?} is {found}: {}", words.join(" "));
        }
        let cc = tcp["cc"].as_str().unwrap();
        assert!(words.iter().any(|word| word == cc), "{cc}: {}", words.join(" "));
        for (key, name) in [("last_tx", "lastsnd"), ("last_rx", "lastrcv")] {
            // ss counts from the start of the connection if no data was sent or received.
            let bytes = if key == "last_tx" { "sent" } else { "received" };
            if tcp[bytes] == 0 {
                assert_eq!(tcp[key], Value::Null, "{key} of {ends:?}");
                continue;
            }
            let (found, earlier) = (tcp[key].as_f64().unwrap(), number(words, name, 0));
            // The kernel counts in ticks.
            let later = earlier + between + 100.0;
            assert!((earlier..later).contains(&found), "{key}: {found} after {earlier}");
        }
    }
    say(&format!("{} connections compared with ss", listing.len()));
}

/// The bytes that a program sends in a second.
const SPEED: f64 = 1_000_000.0;

/// Lists until all rates are within 10 % of the speed: on a busy machine the program can be late.
#[track_caller]
fn assert_near_speed(list: impl Fn() -> (Vec<f64>, String)) {
    let mut listing = String::new();
    let is_near = |rates: &[f64]| rates.iter().all(|rate| (rate - SPEED).abs() < 0.1 * SPEED);
    for _ in 0..10 {
        let (rates, text) = list();
        if !rates.is_empty() && is_near(&rates) {
            return;
        }
        listing = text;
    }
    panic!("{listing}");
}

#[test]
fn rate_of_a_transfer_is_shown() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut transfer = host.python("transfer.py", &["0", &SPEED.to_string()]);
    assert_eq!(transfer.line(), "ready");
    assert_near_speed(|| {
        let flags = "-tnc --interval 1 --count 2 --dport 7000 --state established --jsonl";
        let listing = host.rnetstat(flags).succeed().stdout;
        let rate = |line| serde_json::from_str::<Value>(line).unwrap()["tcp"]["rate_out"].clone();
        let rates: Vec<_> = listing.lines().map(rate).collect();
        assert!(rates[..2].iter().all(Value::is_null), "{listing}");
        // The other connection is idle.
        let last = rates[2..].iter().filter_map(Value::as_f64).fold(0.0, f64::max);
        (vec![last], listing)
    });
    // The receiver is the other end.
    assert_near_speed(|| {
        let flags = "-tnc --interval 1 --count 2 --sport 7000 --state established --columns rate-in,rate-out --no-header --sort -rate-in";
        let listing = host.rnetstat(flags).succeed().stdout;
        let words: Vec<_> = listing.split_whitespace().collect();
        assert_eq!(words[1], "0", "{listing}");
        (vec![words[0].parse().unwrap()], listing)
    });
}

#[test]
fn rates_are_added_up_for_each_group() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut transfer = host.python("transfer.py", &["0", &SPEED.to_string()]);
    assert_eq!(transfer.line(), "ready");
    // One program has both ends of the transfer, and idle connections.
    let flags = "-tnc --interval 1 --count 2 --group program --columns rate-in,+rate-out --jsonl";
    let message = host.rnetstat(flags).run().stderr;
    assert_eq!(
        message,
        "rnetstat: + stands before the first key: --columns +KEY,KEY adds all of them\n"
    );
    assert_near_speed(|| {
        let flags = "-tnc --interval 1 --count 2 --group sport --sort -rate-out --jsonl";
        let listing = host.rnetstat(flags).succeed().stdout;
        let groups: Vec<Value> =
            listing.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (before, after) = groups.split_at(groups.len() / 2);
        assert!(before.iter().all(|group| group["rate_out"].is_null()), "{before:?}");
        (vec![after[0]["rate_out"].as_f64().unwrap()], listing)
    });
    assert_near_speed(|| {
        let flags = "-tnc --interval 1 --count 2 --group program --columns rate-in,rate-out";
        let listing = host.rnetstat(flags).succeed().stdout;
        let total = listing.lines().last().unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!((total.len(), total[0]), (4, "total"), "{listing}");
        (total[2..].iter().map(|rate| rate.parse().unwrap()).collect(), listing)
    });
}

/// Returns the kind and the counts of the timers, keyed by protocol and ends. Those of handshakes are left
/// out, because netlink and the text count differently, and sockets that the text does not have.
fn timers(host: &Host, source: &str) -> BTreeMap<String, Value> {
    let listing = host.rnetstat(&format!("-tuwan --json --source {source}")).run().stdout;
    let rows: Vec<Value> = serde_json::from_str(&listing).unwrap();
    let timer = |row: &Value| {
        let timer = &row["timer"];
        let key =
            format!("{} {} {} {}", row["protocol"], row["local"], row["remote"], row["inode"]);
        (key, serde_json::json!([timer["kind"], timer["retransmits"], timer["probes"]]))
    };
    let is_compared = |row: &&Value| row["state"] != "SYN_RECV" && row["state"] != "BOUND";
    rows.iter().filter(is_compared).map(timer).collect()
}

#[test]
fn timers_by_netlink_are_those_of_the_text() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let _sockets = host.sockets_of_every_kind();
    let mut program = host.python("timers.py", &[]);
    assert_eq!(program.line(), "ready");
    // A timer can expire between two listings.
    let (mut text, mut netlink) = (BTreeMap::new(), BTreeMap::new());
    let mut kinds = BTreeSet::new();
    for _ in 0..20 {
        (text, netlink) = (timers(&host, "text"), timers(&host, "netlink"));
        kinds.extend(netlink.values().filter_map(|timer| timer[0].as_str().map(str::to_owned)));
        if text == netlink {
            break;
        }
    }
    let different: Vec<_> = text.iter().filter(|(key, it)| netlink.get(*key) != Some(it)).collect();
    assert!(different.is_empty() && text.len() == netlink.len(), "{different:?}");
    for kind in ["off", "on", "timewait", "keepalive", "probe"] {
        assert!(kinds.contains(kind), "{kind}");
    }
}
