//! The text of `<root>/net/*`.

mod byte_order;
mod internet;
mod lines;
mod sctp;
mod table_file;
mod unix;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::files;
use crate::remark::Fault;
use crate::socket::{Kind, Socket};
pub use byte_order::ByteOrder;
use lines::Line;
use table_file::TableFile;

/// The maximum length of a line, in bytes. Lines from the kernel are shorter than 400, except for
/// those of SCTP sockets with many addresses.
const LONGEST_LINE: usize = 64 * 1024;

/// The tables below one /proc root, and the buffer to read them.
pub(super) struct Text {
    directory: PathBuf,
    order: ByteOrder,
    buffer: Vec<u8>,
}

impl Text {
    pub(super) fn new(root: &Path, order: ByteOrder) -> Self {
        Self { directory: root.join("net"), order, buffer: vec![0; LONGEST_LINE] }
    }

    /// `<root>/net`.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn file(&self, kind: Kind) -> PathBuf {
        self.directory.join(kind.table())
    }

    /// Calls `each` for every line of a table except the heading: with its number, from 1, and with
    /// its socket or fault. Returns true if these are certainly all sockets that existed during the
    /// whole reading. If a read fails, `each` has already been called for the lines before.
    pub(super) fn read(
        &mut self,
        kind: Kind,
        each: impl FnMut(u64, Result<Socket, Fault>),
    ) -> io::Result<bool> {
        let has_long_rows = matches!(kind, Kind::Sctp(_));
        let mut file = TableFile::new(files::open(&self.file(kind))?, has_long_rows);
        for_each_socket(kind, self.order, &mut file, &mut self.buffer, each)?;
        Ok(file.is_whole())
    }
}

/// Calls `each` for every line of `input` except the heading: with its number, from 1, and with its
/// socket or fault. If a read fails, `each` has already been called for the lines before.
pub(super) fn for_each_socket(
    kind: Kind,
    order: ByteOrder,
    input: impl Read,
    buffer: &mut [u8],
    mut each: impl FnMut(u64, Result<Socket, Fault>),
) -> io::Result<()> {
    let limit = buffer.len();
    lines::for_each(input, buffer, |number, line| match line {
        Line::Whole(text) if number == 1 && is_heading(kind, text) => {}
        Line::Whole(text) => each(number, parse(kind, order, text)),
        Line::TooLong => each(number, Err(Fault::TooLong { limit })),
    })
}

/// Returns true if this line is the heading that the kernel prints above the rows.
fn is_heading(kind: Kind, line: &[u8]) -> bool {
    match kind {
        Kind::Internet(..) => internet::is_heading(line),
        Kind::Sctp(table) => sctp::is_heading(table, line),
        Kind::Unix => unix::is_heading(line),
    }
}

fn parse(kind: Kind, order: ByteOrder, line: &[u8]) -> Result<Socket, Fault> {
    match kind {
        Kind::Internet(protocol, family) => {
            internet::parse(protocol, family, order, line).map(Socket::Internet)
        }
        Kind::Sctp(table) => sctp::parse(table, line).map(Socket::Sctp),
        Kind::Unix => unix::parse(line).map(Socket::Unix),
    }
}

/// The rest of a row, read word by word.
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// Returns the next word, parsed by `parse`. If it fails, the fault names `field`.
    fn next<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, Fault> {
        let rest = self.0.trim_ascii_start();
        if rest.is_empty() {
            return Err(Fault::Missing(field));
        }
        let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        let (text, rest) = rest.split_at(end);
        self.0 = rest;
        parse(text).ok_or_else(|| Fault::malformed(field, text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Returns the sockets in the text of a table, and the faults with their line numbers.
    pub(super) fn read(kind: Kind, text: &[u8]) -> (Vec<Socket>, Vec<String>) {
        let (mut sockets, mut faults) = (Vec::new(), Vec::new());
        let each = |number, socket: Result<_, Fault>| match socket {
            Ok(socket) => sockets.push(socket),
            Err(fault) => faults.push(format!("{number}: {fault}")),
        };
        for_each_socket(kind, ByteOrder::OWN, text, &mut vec![0; LONGEST_LINE], each).unwrap();
        (sockets, faults)
    }

    /// Any table, a row of it, and the socket that the row describes.
    fn rows() -> impl Strategy<Value = (Kind, Vec<u8>, Socket)> {
        proptest::sample::select(Kind::all().collect::<Vec<_>>()).prop_flat_map(|kind| {
            let rows = match kind {
                Kind::Internet(protocol, family) => internet::tests::rows(protocol, family).boxed(),
                Kind::Sctp(table) => sctp::tests::rows(table).boxed(),
                Kind::Unix => unix::tests::rows().boxed(),
            };
            rows.prop_map(move |(row, socket)| (kind, row, socket))
        })
    }

    proptest! {
        #[test]
        fn kernel_row_parses_to_the_socket_that_it_was_made_from(
            rows in vec(rows(), 1..40),
        ) {
            for (kind, row, socket) in rows {
                prop_assert_eq!(read(kind, &row), (vec![socket], vec![]));
            }
        }

        #[test]
        fn malformed_lines_do_not_affect_other_lines(
            noise in vec(vec(any::<u8>(), 0..200), 1..8),
            (kind, row, socket) in rows(),
        ) {
            let text: Vec<u8> =
                noise.iter().flat_map(|part| [part, &b"\n"[..], &row, b"\n"].concat()).collect();
            let lines = text.split(|&byte| byte == b'\n').count() - 1;
            let (found, faults) = read(kind, &text);
            prop_assert_eq!(found, vec![socket; noise.len()]);
            prop_assert_eq!(faults.len(), lines - noise.len());
        }
    }
}
