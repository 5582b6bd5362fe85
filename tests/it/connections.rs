//! How connections are doing, as netlink tells it.

use std::collections::BTreeMap;

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
    let before = by_ss(&host);
    let listing = host.rnetstat("-tn --state established --json").succeed().stdout;
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
            let (found, earlier) = (tcp[key].as_f64().unwrap(), number(words, name, 0));
            assert!((earlier..earlier + 5000.0).contains(&found), "{key}: {found} after {earlier}");
        }
    }
    say(&format!("{} connections compared with ss", listing.len()));
}

/// A program sends at a known speed.
#[test]
fn rate_of_a_transfer_is_shown() {
    const SPEED: f64 = 1_000_000.0;
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut transfer = host.python("transfer.py", &["0", &SPEED.to_string()]);
    assert_eq!(transfer.line(), "ready");
    let flags = "-tnc --interval 1 --count 3 --dport 7000 --state established --jsonl";
    let listing = host.rnetstat(flags).succeed().stdout;
    let rates: Vec<_> = listing
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["tcp"]["rate_out"].clone())
        .collect();
    assert_eq!(rates[0], Value::Null);
    let last = rates.last().unwrap().as_f64().unwrap();
    assert!((last - SPEED).abs() < 0.1 * SPEED, "{rates:?}");
    // The receiver is the other end.
    let flags = "-tnc --interval 1 --count 2 --sport 7000 --state established --columns rate-in,rate-out --no-header --sort -rate-in";
    let listing = host.rnetstat(flags).succeed().stdout;
    let words: Vec<_> = listing.split_whitespace().collect();
    let received: f64 = words[0].parse().unwrap();
    assert!((received - SPEED).abs() < 0.1 * SPEED && words[1] == "0", "{listing}");
    say(&format!("{last} bytes per second shown, {SPEED} sent"));
}

/// Without the seconds, which run on.
fn without_seconds(listing: &str) -> Vec<String> {
    let line = |line: &str| match line.rsplit_once('(') {
        Some((start, timer)) => {
            format!("{start}({}", timer.split_once('/').map_or(timer, |(_, counts)| counts))
        }
        None => line.to_owned(),
    };
    let mut lines: Vec<_> = listing.lines().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn timers_by_netlink_are_those_of_netstat() {
    let Some(host) = Host::new(&["python3", "netstat"]) else { return };
    let _sockets = host.sockets_of_every_kind();
    let mut timers = host.python("timers.py", &[]);
    assert_eq!(timers.line(), "ready");
    // A timer can expire between two listings.
    let (expected, found) = (0..20)
        .map(|_| {
            let expected = host.command("netstat").args(["-tuwano"]).succeed().stdout;
            let found = host.rnetstat("-tuwano --source netlink").succeed().stdout;
            (without_seconds(&expected), without_seconds(&found))
        })
        .reduce(|before, next| if before.0 == before.1 { before } else { next })
        .unwrap();
    assert_eq!(found, expected);
    for kind in [" off (", " on (", " timewait (", " keepalive (", " probe ("] {
        assert!(expected.iter().any(|line| line.contains(kind)), "{kind}\n{}", expected.join("\n"));
    }
}
