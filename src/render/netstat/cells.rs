//! A row while it is made: texts, numbers and columns in one reused buffer.

use std::fmt::{self, Write as _};
use std::io;
use std::net::IpAddr;

use super::ENDPOINT;
use crate::render::harmless;

/// Of the bytes of an address and its port, the most that the port keeps.
const PORT: usize = 18;
/// What columns are filled up with.
const SPACES: &str = "                                ";

/// What there is of a row so far.
#[derive(Default)]
pub(super) struct Row(String);

impl Row {
    /// Writes the row and a newline, and begins the next one.
    pub(super) fn end(&mut self, out: &mut impl io::Write) -> io::Result<()> {
        self.0.push('\n');
        let written = out.write_all(self.0.as_bytes());
        self.0.clear();
        written
    }

    /// Bytes that it has so far.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub(super) fn number(&mut self, number: impl itoa::Integer) {
        self.0.push_str(itoa::Buffer::new().format(number));
    }

    /// For what is rare; numbers and texts have quicker ways.
    pub(super) fn format(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.0.write_fmt(text);
    }

    /// Text that another process chose.
    pub(super) fn foreign(&mut self, text: &[u8]) {
        self.foreign_within(text, usize::MAX);
    }

    /// As much of such a text as `most` bytes hold, cut between two characters.
    pub(super) fn foreign_within(&mut self, text: &[u8], most: usize) {
        let shown = text.get(..most).unwrap_or(text);
        match str::from_utf8(shown) {
            Ok(plain) if shown.iter().all(|byte| (b' '..=b'~').contains(byte)) => self.text(plain),
            _ => {
                let end = self.0.len().saturating_add(most);
                for char in harmless(text) {
                    if self.0.len() + char.len_utf8() > end {
                        break;
                    }
                    self.0.push(char);
                }
            }
        }
    }

    /// A number at the right of a column of this width.
    pub(super) fn right(&mut self, width: usize, number: impl itoa::Integer) {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number);
        self.spaces(width.saturating_sub(digits.len()));
        self.text(digits);
    }

    /// A column of at least this width, filled up as C does: by bytes, whatever they show.
    pub(super) fn cell(&mut self, width: usize, content: impl FnOnce(&mut Self)) {
        let end = self.0.len() + width;
        content(self);
        self.spaces(end.saturating_sub(self.0.len()));
    }

    /// An address as glibc's `inet_ntop` prints it, but an IPv4-mapped one as IPv4.
    pub(super) fn address(&mut self, address: IpAddr) {
        let ipv6 = match address {
            IpAddr::V4(ipv4) => return self.ipv4(ipv4.octets()),
            IpAddr::V6(ipv6) => ipv6,
        };
        match (ipv6.to_ipv4_mapped(), ipv6.segments()) {
            (Some(mapped), _) => self.ipv4(mapped.octets()),
            // IPv4-compatible; Rust prints these in hex.
            (None, [0, 0, 0, 0, 0, 0, high, low]) if high != 0 => {
                let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                self.text("::");
                self.ipv4([a, b, c, d]);
            }
            _ => self.format(format_args!("{ipv6}")),
        }
    }

    fn ipv4(&mut self, [a, b, c, d]: [u8; 4]) {
        self.number(a);
        for octet in [b, c, d] {
            self.text(".");
            self.number(octet);
        }
    }

    /// `host:port`, cut to the column unless it is wide: the host gives way to the port.
    pub(super) fn endpoint(
        &mut self,
        wide: bool,
        host: impl FnOnce(&mut Self),
        port: impl FnOnce(&mut Self),
    ) {
        let start = self.0.len();
        host(self);
        let colon = self.0.len();
        self.text(":");
        port(self);
        let both = self.0.len() - start - 1;
        if !wide && both > ENDPOINT {
            self.cut_endpoint(start, colon);
        }
    }

    fn cut_endpoint(&mut self, start: usize, colon: usize) {
        let row = &mut self.0;
        row.truncate(boundary(row, row.len().min(colon + 1 + PORT)));
        let port = row.len() - colon - 1;
        let kept = boundary(row, colon.min(start + ENDPOINT - port));
        row.replace_range(kept..colon, "");
    }

    fn spaces(&mut self, mut count: usize) {
        while count > 0 {
            let some = count.min(SPACES.len());
            self.0.push_str(SPACES.get(..some).unwrap_or_default());
            count -= some;
        }
    }
}

/// The last boundary between characters that is not behind `index`.
fn boundary(text: &str, index: usize) -> usize {
    (0..=index).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}
