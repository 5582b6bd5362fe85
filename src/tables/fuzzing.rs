//! Checks that hold for every table, whatever bytes it has.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a check that fails panics"
)]

use std::io::Read;

use super::sock_diag::{Scope, Wants};
use super::{proc_net, sock_diag};
use crate::remark::Fault;
use crate::socket::{Kind, Protocol, Socket, TcpInfos};

/// The maximum length of a line, in bytes. It is small, so that small inputs can have longer lines.
const LONGEST_LINE: usize = 300;

/// Checks a text. The input is the number of the table, the bytes per read, and the text.
pub fn text(input: &[u8]) {
    let [which, step, text @ ..] = input else { return };
    let kind = kind(*which);
    let rows = |input: &mut dyn Read| {
        let mut rows = Vec::new();
        proc_net::for_each_socket(
            kind,
            proc_net::ByteOrder::OWN,
            input,
            &mut [0; LONGEST_LINE],
            |number, row| {
                rows.push((number, row));
            },
        )
        .expect("bytes in memory can be read");
        rows
    };
    let at_once = rows(&mut &*text);
    let mut in_steps = Steps { rest: text, step: usize::from(*step).max(1) };
    assert_eq!(at_once, rows(&mut in_steps), "the text does not depend on the size of reads");
    let is_reported = |(index, line): &(usize, &[u8])| {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = match index {
            0 => content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content),
            _ => content,
        };
        let is_silent = content.trim_ascii().is_empty() || proc_net::is_heading(kind, content);
        !is_silent || line.len() > LONGEST_LINE
    };
    let lines = text.split_inclusive(|&byte| byte == b'\n').enumerate().filter(is_reported);
    assert_eq!(at_once.len(), lines.count(), "each other line is a socket or a fault");
    for (_, row) in at_once {
        check(kind, row);
    }
}

/// Checks a datagram of netlink. The input is the number of the table, and the datagram.
pub fn netlink(input: &[u8]) {
    let [which, datagram @ ..] = input else { return };
    let kind = kind(*which);
    let mut rows = 0;
    let dump = |_: &[u8], mut each: &mut dyn FnMut(&[u8])| {
        sock_diag::take(datagram, &mut false, &mut each).map(|_| ())
    };
    let wants = Wants { timers: true, facts: true, tcp: true };
    let mut infos = TcpInfos::default();
    let _ = sock_diag::for_each_socket(kind, Scope::All, wants, &mut infos, dump, |_, row| {
        rows += 1;
        check(kind, row);
    });
    assert!(rows <= datagram.len() / 4, "each socket takes some bytes");
}

fn kind(number: u8) -> Kind {
    Kind::all().cycle().nth(number.into()).expect("there are kinds")
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
