//! Complete listings while thousands of sockets and processes come and go.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::host::Host;
use crate::common::run::RunCommand;
use crate::common::say;

/// The remark about sockets without a visible owner. [`Host`] runs in a PID namespace of its own,
/// so processes outside of that namespace could own them.
pub const OUTSIDERS: &str = "rnetstat: processes outside of this PID namespace cannot be seen; some of \
                         the sockets may be theirs";
/// The remark if netlink shows a connection being opened, and the user of its listener is unknown.
const HANDSHAKES: [&str; 2] = [
    "rnetstat: netlink tcp: the text of /proc/net is read instead: the user of a handshake is unknown",
    "rnetstat: netlink tcp6: the text of /proc/net is read instead: the user of a handshake is unknown",
];

/// A socket: its table, and its inode.
type Key = (String, u64);

/// The sockets of a listing and the PIDs of their owners, one entry for each row.
type Rows = Vec<(Key, Vec<u32>)>;

/// The flags that select a layout, and the function that parses its output.
type Layout = (&'static str, fn(&str) -> Rows);

#[test]
fn every_listing_is_complete_while_sockets_come_and_go() {
    const TIME: Duration = Duration::from_secs(15);
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut churn = host.python("churn.py", &[]);
    let mut steady = HashMap::new();
    loop {
        let line = churn.line();
        let Some((table, rest)) = line.split_once(' ') else { break };
        let (inode, pid) = rest.split_once(' ').unwrap();
        let key = (table.to_owned(), inode.parse().unwrap());
        assert_eq!(steady.insert(key, pid.parse().unwrap()), None);
    }
    assert!(steady.len() > 2000, "only {} sockets stay", steady.len());
    let sources = ["auto", "text", "netlink"];
    let layouts: [Layout; 5] = [
        ("-ep", netstat),
        ("-e --format table", table),
        ("--format json", json),
        ("--format jsonl", jsonl),
        ("--format csv", csv),
    ];
    let end = Instant::now() + TIME;
    let (mut listings, mut seen) = (0, 0);
    // Test every layout with every source at least once, even on a slow machine.
    let all = sources.len() * layouts.len();
    for number in (0..).take_while(|&number| number < all || Instant::now() < end) {
        let source = sources[number % sources.len()];
        let (flags, read) = layouts[number / sources.len() % layouts.len()];
        let flags = format!("-tuxan --source {source} {flags}");
        let name = format!("listing {number}, {flags}");
        let run = host.rnetstat(&flags).run();
        assert_eq!(run.status, Some(0), "{name}\n{}", run.stderr);
        // A socket whose owner has just ended looks like one whose owner is outside of the PID
        // namespace.
        let expected = |line| line == OUTSIDERS || HANDSHAKES.contains(&line);
        assert!(run.stderr.lines().all(expected), "{name}\n{}", run.stderr);
        let rows = read(&run.stdout);
        seen += rows.len();
        let mut owners = HashMap::new();
        for (key, pids) in rows.into_iter().filter(|((_, inode), _)| *inode != 0) {
            assert_eq!(owners.insert(key.clone(), pids), None, "{name}: {key:?} is there twice");
        }
        for (key, &pid) in &steady {
            assert_eq!(owners.get(key), Some(&vec![pid]), "{name}: the owners of {key:?}");
        }
        listings += 1;
    }
    let counts = churn.end();
    let (processes, sockets) = counts.trim().split_once(' ').unwrap();
    let [processes, sockets]: [u64; 2] = [processes, sockets].map(|count| count.parse().unwrap());
    assert!(sockets > 5000 && processes > 500, "{processes} processes and {sockets} sockets moved");
    say(&format!(
        "{listings} complete listings, {seen} rows, while {} sockets stayed, and {processes} \
         processes and {sockets} sockets came and went",
        steady.len()
    ));
}

/// Returns the PID in a cell `PID/program`, if there is one.
fn owner(cell: &str) -> Vec<u32> {
    cell.split_once('/').map(|(pid, _)| pid.parse().unwrap()).into_iter().collect()
}

/// Returns true if a word is a state. If the state is blank, the word is a number of the next
/// column.
fn is_state(word: &str) -> bool {
    word.starts_with(|char: char| char.is_ascii_uppercase())
}

/// Reads rows such as `tcp 0 0 LOCAL FOREIGN STATE UID INODE PID/PROGRAM`, where STATE can be
/// blank, and `unix 2 [ ACC ] STREAM LISTENING INODE PID/PROGRAM PATH`.
fn netstat(listing: &str) -> Rows {
    let row = |line: &str| -> Option<(Key, Vec<u32>)> {
        let (table, rest) = line.split_once(' ')?;
        let words: Vec<&str> = match table {
            // The type follows the flags in brackets, which can be empty.
            "unix" => rest.split_once(']')?.1.split_whitespace().skip(1).collect(),
            "tcp" | "tcp6" | "udp" | "udp6" => rest.split_whitespace().skip(4).collect(),
            _ => return None,
        };
        let words = &words[usize::from(is_state(words[0]))..];
        let words = if table == "unix" { words } else { &words[1..] };
        Some(((table.to_owned(), words[0].parse().unwrap()), owner(words[1])))
    };
    listing.lines().filter_map(row).collect()
}

/// Reads rows such as `tcp 0 0 LOCAL FOREIGN STATE PID FD USER INODE PROGRAM`, where STATE can be
/// blank, and FD, USER and PROGRAM if there is no owner, and `unix STREAM LISTENING INODE PID FD PATH PROGRAM`.
fn table(listing: &str) -> Rows {
    let row = |line: &str| -> Option<(Key, Vec<u32>)> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (&table, rest) = words.split_first()?;
        // `+2` in a row is the number of further owners or descriptors.
        let cells: Vec<&str> = rest.iter().copied().filter(|it| !it.starts_with('+')).collect();
        let (inode, pid) = match table {
            "unix" => {
                let cells = &cells[1 + usize::from(is_state(cells[1]))..];
                (cells[0], cells[1])
            }
            "tcp" | "tcp6" | "udp" | "udp6" => {
                let cells = &cells[4 + usize::from(cells.get(4).is_some_and(|it| is_state(it)))..];
                let has_owner = cells[0].parse::<u32>().is_ok();
                (if has_owner { cells[3] } else { cells.last()? }, cells[0])
            }
            _ => return None,
        };
        let key = (table.to_owned(), inode.parse().unwrap());
        Some((key, pid.parse().into_iter().collect()))
    };
    listing.lines().filter_map(row).collect()
}

/// Reads a JSON object.
fn record(record: &Value) -> (Key, Vec<u32>) {
    let six = if record["family"] == "ipv6" { "6" } else { "" };
    let table = format!("{}{six}", record["protocol"].as_str().unwrap());
    let owners = record["processes"].as_array().into_iter().flatten();
    let pids = owners.map(|owner| owner["pid"].as_u64().unwrap().try_into().unwrap());
    ((table, record["inode"].as_u64().unwrap()), pids.collect())
}

/// Reads a JSON array.
fn json(listing: &str) -> Rows {
    let array: Value = serde_json::from_str(listing).unwrap();
    array.as_array().unwrap().iter().map(record).collect()
}

/// Reads lines with one JSON object each.
fn jsonl(listing: &str) -> Rows {
    listing.lines().map(|line| record(&serde_json::from_str(line).unwrap())).collect()
}

/// Reads csv. It has one line for each owner of a socket, or one line if there is none. The lines
/// of one socket follow each other.
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
