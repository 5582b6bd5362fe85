//! Reads listings of sockets back, in every layout.

use std::collections::HashMap;

use serde_json::Value;

/// A row of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The name of the table, such as `tcp6`.
    pub table: String,
    /// The inode of the socket.
    pub inode: u64,
    /// The ports of its ends; `None` for a UNIX socket.
    pub ports: Option<(u16, u16)>,
    /// The PIDs of its owners.
    pub pids: Vec<u32>,
}

/// Reads a listing.
pub type Read = fn(&str) -> Vec<Row>;

/// Every layout: the flags that select it, with inodes and owners.
const LAYOUTS: [(&str, Read); 5] = [
    ("-ep", netstat),
    ("-e --format table", table),
    ("--format json", json),
    ("--format jsonl", jsonl),
    ("--format csv", csv),
];

/// Returns the flags for each of these sources with each layout, and the function that reads the
/// output.
pub fn layouts(sources: &[&str]) -> Vec<(String, Read)> {
    let flags = |source: &str, flags: &str| format!("-n --source {source} {flags}");
    let of_source = |&source| LAYOUTS.map(|(layout, read)| (flags(source, layout), read));
    sources.iter().flat_map(of_source).collect()
}

impl Row {
    /// The inode, or the ports of a socket without an inode.
    pub fn identity(&self) -> String {
        match (self.inode, self.ports) {
            (0, Some((local, remote))) => format!("{local}-{remote}"),
            (inode, _) => inode.to_string(),
        }
    }
}

/// Returns the ports of two ends such as `127.0.0.1:80` and `0.0.0.0:*`.
fn ports(local: &str, remote: &str) -> (u16, u16) {
    let port = |end: &str| end.rsplit_once(':').unwrap().1.parse().unwrap_or(0);
    (port(local), port(remote))
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
/// blank, and `unix 2 [ ACC ] STREAM LISTENING INODE PID/PROGRAM PATH`. The state of a raw socket
/// is a number.
fn netstat(listing: &str) -> Vec<Row> {
    let row = |line: &str| -> Option<Row> {
        let (table, rest) = line.split_once(' ')?;
        let (ports, words): (_, Vec<&str>) = match table {
            // The type follows the flags in brackets, which can be empty.
            "unix" => (None, rest.split_once(']')?.1.split_whitespace().skip(1).collect()),
            "tcp" | "tcp6" | "udp" | "udp6" | "raw" => {
                let words: Vec<_> = rest.split_whitespace().collect();
                (Some(ports(words[2], words[3])), words[4..].to_vec())
            }
            _ => return None,
        };
        let words = &words[usize::from(table == "raw" || is_state(words[0]))..];
        let words = if table == "unix" { words } else { &words[1..] };
        let (inode, pids) = (words[0].parse().unwrap(), owner(words[1]));
        Some(Row { table: table.to_owned(), inode, ports, pids })
    };
    listing.lines().filter_map(row).collect()
}

/// Reads rows such as `tcp 0 0 LOCAL FOREIGN STATE PID FD USER INODE PROGRAM`, where STATE can be
/// blank, and FD, USER and PROGRAM if there is no owner, and
/// `unix STREAM LISTENING INODE PID FD PATH PROGRAM`.
fn table(listing: &str) -> Vec<Row> {
    let row = |line: &str| -> Option<Row> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (&table, rest) = words.split_first()?;
        // `+2` in a row is the number of further owners or descriptors.
        let cells: Vec<&str> = rest.iter().copied().filter(|it| !it.starts_with('+')).collect();
        let (ports, inode, pid) = match table {
            "unix" => {
                let cells = &cells[1 + usize::from(is_state(cells[1]))..];
                (None, cells[0], cells[1])
            }
            "tcp" | "tcp6" | "udp" | "udp6" | "raw" => {
                let ports = Some(ports(cells[2], cells[3]));
                let cells = &cells[4 + usize::from(cells.get(4).is_some_and(|it| is_state(it)))..];
                let has_owner = cells[0].parse::<u32>().is_ok();
                (ports, if has_owner { cells[3] } else { cells.last()? }, cells[0])
            }
            _ => return None,
        };
        let (inode, pids) = (inode.parse().unwrap(), pid.parse().into_iter().collect());
        Some(Row { table: table.to_owned(), inode, ports, pids })
    };
    listing.lines().filter_map(row).collect()
}

/// Reads a JSON object.
fn record(record: &Value) -> Row {
    let six = if record["family"] == "ipv6" { "6" } else { "" };
    let table = format!("{}{six}", record["protocol"].as_str().unwrap());
    let port = |end: &str| record[end]["port"].as_u64().map(|port| port.try_into().unwrap());
    let owners = record["processes"].as_array().into_iter().flatten();
    let pids = owners.map(|owner| owner["pid"].as_u64().unwrap().try_into().unwrap()).collect();
    let ports = port("local").zip(port("remote"));
    Row { table, inode: record["inode"].as_u64().unwrap(), ports, pids }
}

/// Reads a JSON array.
fn json(listing: &str) -> Vec<Row> {
    let array: Value = serde_json::from_str(listing).unwrap();
    array.as_array().unwrap().iter().map(record).collect()
}

/// Reads lines with one JSON object each.
fn jsonl(listing: &str) -> Vec<Row> {
    listing.lines().map(|line| record(&serde_json::from_str(line).unwrap())).collect()
}

/// Reads csv. It has one line for each owner of a socket, or one line if there is none. The lines
/// of one socket follow each other.
fn csv(listing: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in csv::Reader::from_reader(listing.as_bytes()).deserialize() {
        let line: HashMap<String, String> = line.unwrap();
        let six = if line["family"] == "ipv6" { "6" } else { "" };
        let table = format!("{}{six}", line["protocol"]);
        let port = |end: &str| line[end].parse().ok();
        let ports = port("local_port").zip(port("remote_port"));
        let pids: Vec<u32> = line["pid"].parse().into_iter().collect();
        let row = Row { table, inode: line["inode"].parse().unwrap(), ports, pids };
        match rows.last_mut() {
            Some(last)
                if (&last.table, last.inode) == (&row.table, row.inode)
                    && !last.pids.is_empty()
                    && row.inode != 0 =>
            {
                last.pids.extend(row.pids);
            }
            _ => rows.push(row),
        }
    }
    rows
}
