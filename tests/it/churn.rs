//! A host that moves: while sockets and processes come and go by the thousand, every listing is
//! whole.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::common::host::Host;
use crate::common::{RNETSTAT, say, text};
use serde_json::Value;

/// How long the host is looked at.
const TIME: Duration = Duration::from_secs(30);

/// What is said where sockets have no holder that can be seen: the host is in a PID namespace.
const OUTSIDERS: &str = "rnetstat: processes outside of this PID namespace cannot be seen; some of \
                         the sockets may be theirs";

/// A socket: its table, and its inode.
type Key = (String, u64);

/// The sockets of a listing, in lines of their own even where they are the same, and their
/// holders.
type Rows = Vec<(Key, Vec<u32>)>;

/// The flags of a layout, and what reads it.
type Layout = (&'static [&'static str], fn(&str) -> Rows);

#[test]
fn every_listing_of_a_host_that_moves_is_whole() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut churn = host.start("python3", &["tests/programs/churn.py"]);
    let mut steady = HashMap::new();
    loop {
        let line = churn.line();
        let Some((table, rest)) = line.split_once(' ') else { break };
        let (inode, pid) = rest.split_once(' ').unwrap();
        let key = (table.to_owned(), inode.parse().unwrap());
        assert_eq!(steady.insert(key, pid.parse().unwrap()), None);
    }
    assert!(steady.len() > 2000, "only {} sockets stay", steady.len());
    let sources = ["auto", "proc", "netlink"];
    let layouts: [Layout; 5] = [
        (&["-ep"], netstat),
        (&["-e", "--format", "table"], table),
        (&["--format", "json"], json),
        (&["--format", "jsonl"], jsonl),
        (&["--format", "csv"], csv),
    ];
    let end = Instant::now() + TIME;
    let (mut listings, mut seen) = (0, 0);
    // Every layout from every source, however long that takes, and on from the beginning.
    let all = sources.len() * layouts.len();
    for number in (0..).take_while(|&number| number < all || Instant::now() < end) {
        let source = sources[number % sources.len()];
        let (flags, read) = layouts[number / sources.len() % layouts.len()];
        let name = format!("listing {number}, --source {source} {}", flags.join(" "));
        let mut command = host.command(RNETSTAT);
        let output = command.args(["-tuxan", "--source", source]).args(flags).output().unwrap();
        let remarks = text(output.stderr);
        assert_eq!(output.status.code(), Some(0), "{name}\n{remarks}");
        // A socket whose holder has just gone could as well be an outsider's.
        assert!(remarks.lines().all(|line| line == OUTSIDERS), "{name}\n{remarks}");
        let rows = read(&text(output.stdout));
        seen += rows.len();
        let mut held = HashMap::new();
        for (key, pids) in rows.into_iter().filter(|((_, inode), _)| *inode != 0) {
            assert_eq!(held.insert(key.clone(), pids), None, "{name}: {key:?} is there twice");
        }
        for (key, &pid) in &steady {
            assert_eq!(held.get(key), Some(&vec![pid]), "{name}: {key:?}, and who holds it");
        }
        listings += 1;
    }
    let came_and_went = churn.end();
    let (processes, sockets) = came_and_went.trim().split_once(' ').unwrap();
    let [processes, sockets]: [u64; 2] = [processes, sockets].map(|count| count.parse().unwrap());
    assert!(sockets > 5000 && processes > 500, "{processes} processes and {sockets} sockets moved");
    say(&format!(
        "{listings} whole listings, {seen} rows, of a host where {} sockets stay, and {processes} \
         processes and {sockets} sockets came and went",
        steady.len()
    ));
}

/// The holder in a cell `PID/program`.
fn holder(cell: &str) -> Vec<u32> {
    cell.split_once('/').map(|(pid, _)| pid.parse().unwrap()).into_iter().collect()
}

/// Whether a word is a state; the user behind it is a number.
fn is_state(word: &str) -> bool {
    word.starts_with(|char: char| char.is_ascii_uppercase())
}

fn netstat(listing: &str) -> Rows {
    let row = |line: &str| -> Option<(Key, Vec<u32>)> {
        let (table, rest) = line.split_once(' ')?;
        let words: Vec<&str> = match table {
            // Behind the flags, which may be none, is the type.
            "unix" => rest.split_once(']')?.1.split_whitespace().skip(1).collect(),
            "tcp" | "tcp6" | "udp" | "udp6" => rest.split_whitespace().skip(4).collect(),
            _ => return None,
        };
        let words = &words[usize::from(is_state(words[0]))..];
        let words = if table == "unix" { words } else { &words[1..] };
        Some(((table.to_owned(), words[0].parse().unwrap()), holder(words[1])))
    };
    listing.lines().filter_map(row).collect()
}

fn table(listing: &str) -> Rows {
    let row = |line: &str| -> Option<(Key, Vec<u32>)> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (&table, rest) = words.split_first()?;
        // How many others hold it is said behind a number.
        let cells: Vec<&str> = rest.iter().copied().filter(|it| !it.starts_with('+')).collect();
        let (inode, pid) = match table {
            "unix" => {
                let cells = &cells[1 + usize::from(is_state(cells[1]))..];
                (cells[0], cells[1])
            }
            "tcp" | "tcp6" | "udp" | "udp6" => {
                let cells = &cells[4 + usize::from(cells.get(4).is_some_and(|it| is_state(it)))..];
                let fd = usize::from(cells[0].parse::<u32>().is_ok());
                (cells[fd + 2], cells[0])
            }
            _ => return None,
        };
        let key = (table.to_owned(), inode.parse().unwrap());
        Some((key, pid.parse().into_iter().collect()))
    };
    listing.lines().filter_map(row).collect()
}

fn record(record: &Value) -> (Key, Vec<u32>) {
    let six = if record["family"] == "ipv6" { "6" } else { "" };
    let table = format!("{}{six}", record["protocol"].as_str().unwrap());
    let holders = record["processes"].as_array().into_iter().flatten();
    let pids = holders.map(|holder| holder["pid"].as_u64().unwrap().try_into().unwrap());
    ((table, record["inode"].as_u64().unwrap()), pids.collect())
}

fn json(listing: &str) -> Rows {
    let array: Value = serde_json::from_str(listing).unwrap();
    array.as_array().unwrap().iter().map(record).collect()
}

fn jsonl(listing: &str) -> Rows {
    listing.lines().map(|line| record(&serde_json::from_str(line).unwrap())).collect()
}

/// A socket has a line for each of its holders, one behind the other.
fn csv(listing: &str) -> Rows {
    let mut rows = Rows::new();
    for line in csv::Reader::from_reader(listing.as_bytes()).deserialize() {
        let line: HashMap<String, String> = line.unwrap();
        let six = if line["family"] == "ipv6" { "6" } else { "" };
        let key = (format!("{}{six}", line["protocol"]), line["inode"].parse().unwrap());
        let pid: Option<u32> = line["pid"].parse().ok();
        match rows.last_mut() {
            Some((last, pids)) if *last == key && !pids.is_empty() && key.1 != 0 => {
                pids.extend(pid);
            }
            _ => rows.push((key, pid.into_iter().collect())),
        }
    }
    rows
}
