//! `docs/sources.md`: which source lists which sockets, and which of their fields have a value.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rnetstat::fields::{self, Field, Needs};
use rnetstat::socket::{Kind, OtherKind};
use serde_json::json;

use crate::common::kinds::{Kinds, MODULES, load_modules};
use crate::common::say;

/// Fields that do not depend on the source: parts of other fields, what /proc tells about the owner, and
/// what is found out by comparing several sockets or listings.
const LEFT_OUT: [&str; 18] = [
    "proto",
    "src",
    "sport",
    "dst",
    "dport",
    "netns",
    "program",
    "command",
    "process-user",
    "fd",
    "unit",
    "container",
    "cgroup",
    "cwd",
    "inode",
    "rate-in",
    "rate-out",
    "peer",
];

/// The end of the name of a TCP connection that belongs to an MPTCP socket and has its inode.
const SUBFLOW: &str = " subflow";

/// A socket as one source lists it.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    socket: String,
    source: &'static str,
    protocol: String,
    /// The keys of the fields that have a value.
    fields: Vec<&'static str>,
}

/// Returns the fields that depend on the source, in the order of csv.
fn shown() -> Vec<&'static Field> {
    fields::ALL.into_iter().filter(|field| !LEFT_OUT.contains(&field.key)).collect()
}

/// Returns true for a field about a TCP connection.
fn is_tcp(field: &Field) -> bool {
    field.needs.include(Needs::TCP)
}

/// Returns the sockets as each source lists them.
fn measured(kinds: &Kinds) -> Vec<Row> {
    let columns: Vec<_> = shown().iter().map(|field| field.key).collect();
    let listing = |source, flags: &str| {
        let flags = format!("{flags} -an --csv --columns inode,proto,{}", columns.join(","));
        rows(source, kinds, &kinds.run(&flags).stdout)
    };
    let mut rows = listing("text", "--source text");
    let all = listing("descriptor", "-A all");
    // Now netlink cannot be replaced by the text.
    kinds.host.mount_proc_without_tables();
    rows.extend(listing("netlink", "--source netlink"));
    let is_listed = |socket: &str| rows.iter().any(|row| row.socket == socket);
    let unlisted: Vec<_> = all.into_iter().filter(|row| !is_listed(&row.socket)).collect();
    rows.extend(unlisted);
    rows
}

/// Parses a listing.
fn rows(source: &'static str, kinds: &Kinds, listing: &str) -> Vec<Row> {
    let names: BTreeMap<_, _> = kinds.sockets.iter().map(|(name, inode)| (*inode, name)).collect();
    let mut rows = Vec::<Row>::new();
    for record in csv::Reader::from_reader(listing.as_bytes()).deserialize() {
        let record: BTreeMap<String, String> = record.unwrap();
        let Some(name) = names.get(&record["inode"].parse().unwrap()) else { continue };
        let protocol = record["protocol"].clone();
        let is_subflow = name.starts_with("mptcp") && protocol == "tcp";
        let socket = format!("{name}{}", if is_subflow { SUBFLOW } else { "" });
        let has_value = |field: &&Field| field.csv.iter().any(|column| !record[*column].is_empty());
        let fields = shown().into_iter().filter(has_value).map(|field| field.key).collect();
        rows.push(Row { socket, source, protocol, fields });
    }
    rows
}

/// `tests/kernels/sources` makes `docs/sources.md` from what this prints.
#[test]
#[ignore = "makes the kernel load modules: tests/kernels/sources runs it"]
fn sources_of_every_kind() {
    let Some(missing) = load_modules() else { return say("this kernel cannot load modules") };
    let Some(kinds) = Kinds::of_every_family() else { return };
    assert_eq!(kinds.missing("-A all -an --json"), [""; 0]);
    let rows = measured(&kinds);
    let loaded: Vec<_> = MODULES.into_iter().filter(|module| !missing.contains(module)).collect();
    let sockets: Vec<_> = kinds.sockets.iter().map(|(name, _)| name).collect();
    let keys: Vec<_> = shown().iter().map(|field| field.key).collect();
    let tcp: Vec<_> = shown().iter().filter(|it| is_tcp(it)).map(|field| field.key).collect();
    let head = json!({
        "loaded": loaded, "missing": missing, "fields": keys, "tcp": tcp, "sockets": sockets,
        "rows": rows.len(),
    });
    say(&format!("sources: {head}"));
    for Row { socket, source, protocol, fields } in rows {
        say(&format!("sources: {}", json!([socket, source, protocol, fields])));
    }
}

/// The tables of `docs/sources.md`, as the cells of their rows.
struct Page {
    kernels: Vec<String>,
    listed: Vec<Vec<String>>,
    told: Vec<Vec<String>>,
}

impl Page {
    fn read() -> Self {
        let text = fs::read_to_string("docs/sources.md").unwrap();
        // The section before the two tables has none.
        let tables = text.split("\n## ").skip(2).map(|part| {
            let rows = part.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
            rows.map(|row| row.split(" | ").map(str::to_owned).collect()).collect()
        });
        let [mut listed, mut told] =
            tables.take(2).collect::<Vec<Vec<Vec<_>>>>().try_into().unwrap();
        let kernels = listed[0][2..].to_vec();
        // Below each heading is a line of dashes.
        listed.drain(..2);
        told.drain(..2);
        Self { kernels, listed, told }
    }

    /// Returns the names of the sockets in the first table.
    fn sockets(&self) -> Vec<String> {
        self.listed.iter().flat_map(|row| names(row)).collect()
    }

    /// Returns the fields that a source tells about a socket on a kernel; `None` if it does not list it.
    fn fields(&self, kernel: &str, socket: &str, source: &str) -> Option<Vec<&'static str>> {
        let is_about = |row: &&Vec<String>| {
            let has = |cell: &str, word: &str| cell.split(", ").any(|it| it == word || it == "all");
            names(row).contains(socket) && has(&row[2], kernel) && has(&row[3], source)
        };
        Some(keys(&self.told.iter().find(is_about)?[4]))
    }
}

/// Returns the names of the sockets in a row: each protocol, without the kernel's names for it in brackets,
/// with each of its kinds of sockets.
fn names(row: &[String]) -> BTreeSet<String> {
    let protocols = row[0].split(", ").filter(|it| !it.starts_with('`'));
    let protocols = protocols.map(|it| it.split(" (").next().unwrap());
    let each = |protocol| row[1].split(", ").map(move |kind| format!("{protocol} {kind}"));
    protocols.flat_map(each).collect()
}

/// Returns the protocol in the name of a socket.
fn protocol(socket: &str) -> &str {
    socket.split(' ').next().unwrap()
}

/// Returns the keys that a cell names. Fails if one of them is not the key of a field.
fn keys(cell: &str) -> Vec<&'static str> {
    let words: Vec<_> = cell.split(' ').filter(|word| !word.is_empty()).collect();
    let mut names: Vec<_> = shown()
        .iter()
        .filter(|field| words.contains(&field.key) || words.contains(&"tcp") && is_tcp(field))
        .map(|field| field.key)
        .collect();
    let known = |word: &&str| *word == "tcp" || names.contains(word);
    assert!(words.iter().all(known), "not all fields are known: {cell}");
    names.sort_by_key(|key| fields::ALL.iter().position(|field| field.key == *key));
    names
}

/// The page names the kernels, kinds and fields that there are. If this fails, run
/// `tests/kernels/sources` again.
#[test]
fn documented_kernels_kinds_and_fields_are_all_there_are() {
    let page = Page::read();
    let list = fs::read_to_string("tests/kernels/list").unwrap();
    let kernels: Vec<_> = list.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(page.kernels, kernels);
    let sockets = page.sockets();
    for kind in Kind::all().filter(|kind| *kind != Kind::Other(OtherKind::Generic)) {
        let name = kind.protocol_name();
        let is_documented = |it: &String| protocol(it).trim_end_matches('6') == name;
        assert!(sockets.iter().any(is_documented), "{name} is not documented");
    }
    let all: Vec<_> = shown().iter().map(|field| field.key).collect();
    for row in &page.told {
        let mut both = [keys(&row[4]), keys(&row[5])].concat();
        both.sort_by_key(|key| all.iter().position(|it| it == key));
        assert_eq!(both, all, "{row:?}");
    }
}

#[test]
fn documented_sources_are_those_with_documented_fields() {
    let page = Page::read();
    for row in &page.listed {
        for (kernel, cell) in page.kernels.iter().zip(&row[2..]) {
            for socket in names(row) {
                let mut sources = vec!["text", "netlink"];
                sources.retain(|source| page.fields(kernel, &socket, source).is_some());
                let expected = if sources.is_empty() {
                    &["descriptor", "–"][..]
                } else {
                    &[&*sources.join(", ")]
                };
                assert!(expected.contains(&&**cell), "{socket} on {kernel}: {cell}");
            }
        }
    }
}

/// A source that this machine does not have, such as netlink for raw sockets, is not compared.
#[test]
fn documented_fields_are_those_that_this_kernel_tells() {
    let Some(kinds) = Kinds::new() else { return };
    let page = Page::read();
    let sockets = page.sockets();
    for (socket, _) in &kinds.sockets {
        assert!(sockets.contains(socket), "{socket} is not documented");
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let series = release.split('.').take(2).collect::<Vec<_>>().join(".");
    if !page.kernels.contains(&series) {
        return say(&format!("Linux {series} is not documented"));
    }
    let rows = measured(&kinds);
    let mut compared = 0;
    for (socket, source) in sockets.iter().flat_map(|it| [(it, "text"), (it, "netlink")]) {
        let is_answer =
            |row: &Row| protocol(&row.socket) == protocol(socket) && row.source == source;
        if kinds.has(socket.trim_end_matches(SUBFLOW)) && rows.iter().any(is_answer) {
            let row = rows.iter().find(|row| (&row.socket, row.source) == (socket, source));
            let fields = row.map(|row| row.fields.clone());
            assert_eq!(page.fields(&series, socket, source), fields, "{socket}, {source}");
            compared += 1;
        }
    }
    assert!(compared > 50, "only {compared} rows were compared");
}
