//! The text of `<root>/net/*`.

mod byte_order;
mod internet;
mod lines;
mod netlink;
mod packet;
mod sctp;
mod table_file;
mod unix;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::files;
use crate::remark::Fault;
use crate::socket::{Kind, OtherKind, OtherSocket, Socket};
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

    pub(super) fn order(&self) -> ByteOrder {
        self.order
    }

    /// `<root>/net`.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn file(&self, kind: Kind) -> PathBuf {
        self.directory.join(kind.table())
    }

    /// Calls `each` for every line of a table except headings and blank lines: with its number, from
    /// 1, and with its socket or fault. If a read fails, `each` has already been called for the lines
    /// before. `round` is the number of earlier readings: the pieces of each round end at other rows.
    pub(super) fn read(
        &mut self,
        kind: Kind,
        round: usize,
        each: impl FnMut(u64, Result<Socket, Fault>),
    ) -> io::Result<Coverage> {
        let has_long_rows = matches!(kind, Kind::Sctp(_));
        let mut file = TableFile::new(files::open(&self.file(kind))?, has_long_rows, round);
        let is_empty = for_each_socket(kind, self.order, &mut file, &mut self.buffer, each)?;
        Ok(Coverage { is_whole: file.is_whole(), is_empty })
    }
}

/// What a reading of a table covers.
pub(super) struct Coverage {
    /// These are certainly all sockets that existed during the whole reading.
    pub(super) is_whole: bool,
    /// There is no row and not even a heading, which the kernel always prints.
    pub(super) is_empty: bool,
}

/// Calls `each` for every line of `input` except headings and blank lines: with its number, from 1,
/// and with its socket or fault. Returns true if there are only blank lines, or none. If a read
/// fails, `each` has already been called for the lines before.
///
/// A saved table can be pasted text: with a byte order mark, prompts, blank lines, headings of
/// further tables, and lines that end in a carriage return and a newline.
pub(super) fn for_each_socket(
    kind: Kind,
    order: ByteOrder,
    input: impl Read,
    buffer: &mut [u8],
    mut each: impl FnMut(u64, Result<Socket, Fault>),
) -> io::Result<bool> {
    const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
    let limit = buffer.len();
    let mut is_empty = true;
    // A path can end in a carriage return as well. The first line of the kernel is a heading, and
    // tells them apart.
    let mut is_crlf = false;
    lines::for_each(input, buffer, |number, line| {
        let Line::Whole(mut line) = line else {
            is_empty = false;
            return each(number, Err(Fault::TooLong { limit }));
        };
        if number == 1 {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
            is_crlf = line.ends_with(b"\r\n");
        }
        let row = parse(kind, order, is_crlf, line);
        if row.is_err() && line.trim_ascii().is_empty() {
            return;
        }
        is_empty = false;
        if row.is_ok() || begins_as_row(kind, line) {
            each(number, row);
        } else if is_heading(kind, line) {
            is_crlf = line.ends_with(b"\r\n");
        } else {
            each(number, Err(Fault::not_a_row(line)));
        }
    })?;
    Ok(is_empty)
}

/// Returns true if this line is the heading that the kernel prints above the rows.
pub(super) fn is_heading(kind: Kind, line: &[u8]) -> bool {
    match kind {
        Kind::Internet(..) => internet::is_heading(line),
        Kind::Sctp(table) => sctp::is_heading(table, line),
        Kind::Unix => unix::is_heading(line),
        Kind::Other(OtherKind::Packet) => packet::is_heading(line),
        Kind::Other(OtherKind::Netlink) => netlink::is_heading(line),
        Kind::Other(OtherKind::Vsock | OtherKind::Generic) => false,
    }
}

/// Returns true if this line begins with a number or a pointer as rows do, such as `0:`.
fn begins_as_row(kind: Kind, line: &[u8]) -> bool {
    let is_first = |word: &[u8]| match kind {
        Kind::Internet(..) | Kind::Unix => word.ends_with(b":"),
        Kind::Sctp(_) | Kind::Other(_) => word.iter().all(u8::is_ascii_hexdigit),
    };
    Words(line).word().is_some_and(is_first)
}

fn parse(kind: Kind, order: ByteOrder, is_crlf: bool, line: &[u8]) -> Result<Socket, Fault> {
    let other = |socket: OtherSocket| Socket::Other(Box::new(socket));
    match kind {
        Kind::Internet(protocol, family) => {
            internet::parse(protocol, family, order, line).map(Socket::Internet)
        }
        Kind::Sctp(table) => sctp::parse(table, line).map(Socket::Sctp),
        Kind::Unix => unix::parse(line, is_crlf).map(Socket::Unix),
        Kind::Other(OtherKind::Packet) => packet::parse(line).map(other),
        Kind::Other(OtherKind::Netlink) => netlink::parse(line).map(other),
        // There is no such text.
        Kind::Other(OtherKind::Vsock | OtherKind::Generic) => Err(Fault::not_a_row(line)),
    }
}

/// The rest of a row, read word by word.
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// Returns the next word; `None` if there is none.
    fn word(&mut self) -> Option<&'a [u8]> {
        // Nearly every byte is a digit: the first comparison is the only one for it.
        let ends = |byte: &u8| *byte <= b' ' && byte.is_ascii_whitespace();
        let start = self.0.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let rest = self.0.get(start..)?;
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.0 = rest;
        Some(word)
    }

    /// Returns the next word, parsed by `parse`. If it fails, the fault names `field`.
    fn next<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, Fault> {
        let text = self.word().ok_or(Fault::Missing(field))?;
        parse(text).ok_or_else(|| Fault::malformed(field, text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::socket::{Family, Protocol};

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
        let has_text =
            |kind: &Kind| !matches!(kind, Kind::Other(OtherKind::Vsock | OtherKind::Generic));
        let kinds: Vec<_> = Kind::all().filter(has_text).collect();
        proptest::sample::select(kinds).prop_flat_map(|kind| {
            let rows = match kind {
                Kind::Internet(protocol, family) => internet::tests::rows(protocol, family).boxed(),
                Kind::Sctp(table) => sctp::tests::rows(table).boxed(),
                Kind::Unix => unix::tests::rows().boxed(),
                Kind::Other(OtherKind::Packet) => packet::tests::rows().boxed(),
                Kind::Other(_) => netlink::tests::rows().boxed(),
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
            // A carriage return at the end of the first line would belong to each path.
            noise in vec(vec(any::<u8>().prop_filter("ends a line", |&it| it != b'\r'), 0..200), 1..8),
            (kind, row, socket) in rows(),
        ) {
            let text: Vec<u8> =
                noise.iter().flat_map(|part| [part, &b"\n"[..], &row, b"\n"].concat()).collect();
            let lines = text.split(|&byte| byte == b'\n');
            let lines = lines.filter(|line| !line.trim_ascii().is_empty()).count();
            let (found, faults) = read(kind, &text);
            prop_assert_eq!(found, vec![socket; noise.len()]);
            prop_assert_eq!(faults.len(), lines - noise.len());
        }
    }

    const TCP_HEADING: &str = "  sl  local_address rem_address   st\n";
    const TCP_ROW: &str = "   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n";
    const UNIX_HEADING: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n";
    const UNIX_ROW: &str = "c1234567: 00000002 00000000 00000000 0001 01  4711 /x\n";

    #[test]
    fn pasted_text_loses_no_row_and_only_text_is_reported() {
        let tcp = Kind::Internet(Protocol::Tcp, Family::Ipv4);
        for (kind, heading, row) in
            [(tcp, TCP_HEADING, TCP_ROW), (Kind::Unix, UNIX_HEADING, UNIX_ROW)]
        {
            let bare = row.trim_start();
            let short = heading.trim();
            for (text, rows, faults) in [
                (format!("{row}{row}"), 2, &[][..]),
                (format!("\n \t \n{heading}\n{row}\n\n"), 1, &[]),
                (format!("\u{feff}{heading}{row}{heading}{row}"), 2, &[]),
                (format!("\u{feff}{bare}{short}\n{bare}{short}"), 2, &[]),
                (
                    format!("$ cat table\n{heading}{row}root@host:~# "),
                    1,
                    &[
                        "1: it is not a row: \"$ cat table\"",
                        "4: it is not a row: \"root@host:~#\"",
                    ],
                ),
                (
                    format!("==> table <==\n{row}Num\nsl 0: no heading\n"),
                    1,
                    &[
                        "1: it is not a row: \"==> table <==\"",
                        "3: it is not a row: \"Num\"",
                        "4: it is not a row: \"sl 0: no heading\"",
                    ],
                ),
            ] {
                for text in [text.clone(), text.replace('\n', "\r\n")] {
                    let (sockets, found) = read(kind, text.as_bytes());
                    assert_eq!(sockets.len(), rows, "{text:?}");
                    assert_eq!(found, faults, "{text:?}");
                    assert!(sockets.iter().all(|socket| *socket == sockets[0]), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn text_without_a_heading_or_a_row_is_empty() {
        for kind in Kind::all() {
            let is_empty = |text: &[u8]| {
                for_each_socket(kind, ByteOrder::OWN, text, &mut [0; 128], |_, _| ()).unwrap()
            };
            let heading = if kind == Kind::Unix { UNIX_HEADING } else { TCP_HEADING };
            assert!(is_empty(b"") && is_empty(b"\n \r\n"), "{kind:?}");
            assert!(!is_empty(heading.as_bytes()) && !is_empty(b"$ cat\n"), "{kind:?}");
            assert!(!is_empty(&[b'1'; 200]), "{kind:?}");
        }
    }
}
