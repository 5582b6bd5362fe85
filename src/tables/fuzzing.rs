//! What holds of the tables, whatever they have in them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "what does not hold is to be noticed"
)]

use std::io::Read;

use super::proc_net::for_each_row;
use super::sock_diag::for_each_message;
use super::table::TABLES;
use super::{Holds, Table};
use crate::socket::{Protocol, Socket};
use crate::tables::Fault;

/// Bytes of a line that are too many here, so that small inputs have such lines as well.
const LONGEST_LINE: usize = 300;

/// A table's text: the table, how many bytes come at once, and the text.
pub fn text(input: &[u8]) {
    let [which, step, text @ ..] = input else { return };
    let table = TABLES[usize::from(*which) % TABLES.len()];
    let rows = |input: &mut dyn Read| {
        let mut rows = Vec::new();
        for_each_row(table, input, &mut [0; LONGEST_LINE], |number, row| rows.push((number, row)))
            .expect("bytes in memory can be read");
        rows
    };
    let at_once = rows(&mut &*text);
    let mut in_steps = Steps { rest: text, step: usize::from(*step).max(1) };
    assert_eq!(at_once, rows(&mut in_steps), "a text is the same however it comes");
    let lines = text.split_inclusive(|&byte| byte == b'\n').count();
    let heading = usize::from(at_once.first().is_none_or(|&(number, _)| number == 2));
    assert_eq!(at_once.len(), lines.saturating_sub(heading), "each line is a row or a fault");
    for (_, row) in at_once {
        check(table, row);
    }
}

/// A datagram of an answer by netlink: the table, and the bytes.
pub fn netlink(input: &[u8]) {
    let [which, datagram @ ..] = input else { return };
    let table = TABLES[usize::from(*which) % TABLES.len()];
    let mut rows = 0;
    let _ = for_each_message(table, datagram, |_, row| {
        rows += 1;
        check(table, row);
    });
    assert!(rows <= datagram.len() / 4, "rows come from bytes");
}

fn check(table: Table, row: Result<Socket, Fault>) {
    match (row, table.holds) {
        (Ok(Socket::Internet(socket)), Holds::Internet(protocol, family)) => {
            assert_eq!((socket.protocol, socket.family), (protocol, family));
            assert!(socket.drops.is_none() || protocol != Protocol::Tcp);
        }
        (Ok(Socket::Unix(_)), Holds::Unix) => {}
        (Ok(row), _) => panic!("{row:?} is in table {}", table.name),
        (Err(fault), _) => {
            let said = fault.to_string();
            assert!(said.len() < 300 && said.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}

/// Bytes that come a few at a time.
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
