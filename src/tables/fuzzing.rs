//! Checks that hold for every table, whatever bytes it has.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a check that fails panics"
)]

use std::collections::HashSet;
use std::io::Read;

use super::sock_diag::{Scope, Wants};
use super::{proc_net, sock_diag};
use crate::remark::Fault;
use crate::socket::{Facts, Kind, Protocol, Socket, TcpInfos};

/// The maximum length of a line, in bytes. It is small, so that small inputs can have longer lines.
const LONGEST_LINE: usize = 300;

/// A row: the number of its line or message, and its socket or fault.
type Row = (u64, Result<Socket, Fault>);

/// Checks a text. The input is the table, the bytes per read, and the text.
pub fn text(input: &[u8]) {
    let Some((kind, [step, text @ ..])) = table(input) else { return };
    let at_once = rows_of_text(kind, text);
    let in_steps = Steps { rest: text, step: usize::from(*step).max(1) };
    let in_steps = rows_of_text(kind, in_steps);
    assert_eq!(at_once, in_steps, "the text does not depend on the size of reads");
    let sockets = at_once.iter().filter(|(_, row)| row.is_ok()).map(|&(number, _)| number);
    let sockets: HashSet<_> = sockets.collect();
    let is_reported = |(index, line): &(usize, &[u8])| {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = match index {
            0 => content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content),
            _ => content,
        };
        let is_silent = content.trim_ascii().is_empty() || proc_net::is_heading(kind, content);
        // A row can begin with the words of a heading.
        let is_socket = sockets.contains(&(*index as u64 + 1));
        !is_silent || is_socket || line.len() > LONGEST_LINE
    };
    let lines = text.split_inclusive(|&byte| byte == b'\n').enumerate().filter(is_reported);
    assert_eq!(at_once.len(), lines.count(), "each other line is a socket or a fault");
    for (_, row) in at_once {
        check(kind, row);
    }
}

fn rows_of_text(kind: Kind, text: impl Read) -> Vec<Row> {
    let (order, mut rows) = (proc_net::ByteOrder::OWN, Vec::new());
    let each = |number, row| rows.push((number, row));
    proc_net::for_each_socket(kind, order, text, &mut [0; LONGEST_LINE], each)
        .expect("bytes in memory can be read");
    rows
}

/// Checks a datagram of netlink. The input is the table, and the datagram.
pub fn netlink(input: &[u8]) {
    let Some((kind, datagram)) = table(input) else { return };
    let all = rows_of_netlink(kind, Wants { timers: true, facts: true, tcp: true }, datagram);
    let fewest = rows_of_netlink(kind, Wants::default(), datagram);
    assert!(all.len() <= datagram.len() / 4, "each socket takes some bytes");
    let (one, other) = (all.iter().map(without_attributes), fewest.iter().map(without_attributes));
    assert!(one.eq(other), "the other fields do not depend on attributes");
    for (_, row) in all {
        check(kind, row);
    }
}

fn rows_of_netlink(kind: Kind, wants: Wants, datagram: &[u8]) -> Vec<Row> {
    let dump = |_: &[u8], mut each: &mut dyn FnMut(&[u8])| {
        sock_diag::take(datagram, &mut false, &mut each).map(|_| ())
    };
    let (mut rows, mut infos) = (Vec::new(), TcpInfos::default());
    let each = |number, row| rows.push((number, row));
    // The sockets before an error count.
    let _ = sock_diag::for_each_socket(kind, Scope::All, wants, &mut infos, dump, each);
    rows
}

/// Returns a row without what only attributes tell, and only if they are wanted.
fn without_attributes((_, row): &Row) -> Result<Socket, &Fault> {
    let mut socket = row.as_ref()?.clone();
    if let Socket::Internet(socket) = &mut socket {
        let Facts { interface, backlog, .. } = socket.facts;
        socket.facts = Facts { interface, backlog, ..Facts::default() };
        socket.timer = None;
    }
    Ok(socket)
}

/// Returns the table that the first line of an input names, and the rest of the input.
fn table(input: &[u8]) -> Option<(Kind, &[u8])> {
    let end = input.iter().position(|&byte| byte == b'\n')?;
    let (name, rest) = input.split_at(end);
    let kind = Kind::all().find(|kind| kind.table().as_bytes() == name)?;
    Some((kind, &rest[1..]))
}

fn check(kind: Kind, socket: Result<Socket, Fault>) {
    match socket {
        Ok(socket) => {
            assert_eq!(socket.kind(), kind, "a socket in the table {}", kind.table());
            if let Socket::Internet(socket) = socket {
                assert!(socket.drops.is_none() || socket.protocol != Protocol::Tcp);
            }
        }
        Err(fault) => {
            let text = fault.to_string();
            assert!(text.len() < 300 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}

/// A reader that returns a few bytes per read.
struct Steps<'a> {
    rest: &'a [u8],
    step: usize,
}

impl Read for Steps<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let got = self.step.min(buffer.len()).min(self.rest.len());
        let (now, later) = self.rest.split_at(got);
        buffer[..got].copy_from_slice(now);
        self.rest = later;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::socket::OtherKind;

    /// Returns the tables that are covered by the corpus of a target: some inputs have sockets of the
    /// table, and some have faults.
    fn covered(target: &str, rows: impl Fn(Kind, &[u8]) -> Vec<Row>) -> HashSet<Kind> {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus").join(target);
        let (mut sockets, mut faults) = (HashSet::new(), HashSet::new());
        for input in fs::read_dir(corpus).unwrap() {
            let input = fs::read(input.unwrap().path()).unwrap();
            let Some((kind, input)) = table(&input) else { continue };
            for (_, row) in rows(kind, input) {
                if row.is_ok() {
                    sockets.insert(kind)
                } else {
                    faults.insert(kind)
                };
            }
        }
        sockets.intersection(&faults).copied().collect()
    }

    #[test]
    fn corpus_has_sockets_and_faults_of_every_table() {
        use Kind::{Internet, Other, Sctp, Unix};
        let lacks_text = |kind: &Kind| {
            matches!(
                kind,
                Internet(Protocol::Mptcp, _) | Other(OtherKind::Vsock | OtherKind::Generic)
            )
        };
        let has_netlink = |kind: &Kind| match kind {
            Internet(protocol, _) => *protocol != Protocol::Icmp,
            Unix => true,
            Sctp(_) => false,
            Other(kind) => *kind == OtherKind::Vsock,
        };
        let texts = covered("text", |kind, text| rows_of_text(kind, text.get(1..).unwrap_or(&[])));
        let dumps = covered("netlink", |kind, it| rows_of_netlink(kind, Wants::default(), it));
        for kind in Kind::all() {
            assert!(lacks_text(&kind) || texts.contains(&kind), "the text of {}", kind.table());
            assert!(!has_netlink(&kind) || dumps.contains(&kind), "netlink {}", kind.table());
        }
    }
}
