//! Builds a row in one buffer, which is reused for the next row.

use std::fmt;
use std::io::{self, Write as _};
use std::net::IpAddr;

use super::ENDPOINT;
use crate::harmless::harmless;

/// The maximum length of a port in bytes, if its endpoint must be cut to fit the column.
const PORT: usize = 18;
/// The row so far, in UTF-8.
#[derive(Default)]
pub(in crate::render) struct RowBuffer(Vec<u8>);

impl From<Vec<u8>> for RowBuffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<RowBuffer> for Vec<u8> {
    fn from(row: RowBuffer) -> Self {
        row.0
    }
}

impl RowBuffer {
    /// Writes the row and a newline, and begins the next row.
    pub(super) fn end(&mut self, out: &mut impl io::Write) -> io::Result<()> {
        self.0.push(b'\n');
        let written = out.write_all(&self.0);
        self.0.clear();
        written
    }

    /// The row so far.
    pub(in crate::render) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Moves the last bytes to the left: those from `start` on of this length go to the end.
    pub(in crate::render) fn rotate(&mut self, start: usize, length: usize) {
        if let Some(bytes) = self.0.get_mut(start..)
            && length < bytes.len()
        {
            bytes.rotate_left(length);
        }
    }

    /// Shortens the row to this length. Between characters, it stays UTF-8.
    pub(in crate::render) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Appends the first `length` of these `N` bytes. It is faster to copy all `N`, then cut.
    fn start_of<const N: usize>(&mut self, bytes: &[u8; N], length: usize) {
        let end = self.0.len() + length;
        self.0.extend_from_slice(bytes);
        self.0.truncate(end);
    }

    /// The number of bytes in the row so far.
    pub(in crate::render) fn len(&self) -> usize {
        self.0.len()
    }

    pub(in crate::render) fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(in crate::render) fn number(&mut self, number: impl itoa::Integer) {
        self.text(itoa::Buffer::new().format(number));
    }

    /// Appends formatted text. This is slower than `text` and `number`.
    pub(in crate::render) fn format(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a vector cannot fail.
        let _ = self.0.write_fmt(text);
    }

    /// Appends foreign text, harmless for a terminal.
    pub(in crate::render) fn foreign(&mut self, text: &[u8]) {
        self.foreign_within(text, usize::MAX);
    }

    /// Appends foreign text, harmless for a terminal. Cuts it to `most` bytes, between characters.
    pub(in crate::render) fn foreign_within(&mut self, text: &[u8], most: usize) {
        let shown = text.get(..most).unwrap_or(text);
        if shown.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            return self.0.extend_from_slice(shown);
        }
        let end = self.0.len().saturating_add(most);
        for char in harmless(text) {
            if self.0.len() + char.len_utf8() > end {
                break;
            }
            self.text(char.encode_utf8(&mut [0; 4]));
        }
    }

    /// Appends a number, aligned to the right of a column of this width.
    pub(super) fn right(&mut self, width: usize, number: impl itoa::Integer) {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number);
        self.spaces(width.saturating_sub(digits.len()));
        self.text(digits);
    }

    /// Appends a column of at least this width. As in C, the width counts bytes.
    pub(super) fn cell(&mut self, width: usize, content: impl FnOnce(&mut Self)) {
        let end = self.0.len() + width;
        content(self);
        self.spaces(end.saturating_sub(self.0.len()));
    }

    /// Appends an address as glibc's `inet_ntop` prints it, but an IPv4-mapped one as IPv4.
    pub(super) fn address(&mut self, address: IpAddr) {
        let ipv6 = match address {
            IpAddr::V4(ipv4) => return self.ipv4(ipv4.octets()),
            IpAddr::V6(ipv6) => ipv6,
        };
        match (ipv6.to_ipv4_mapped(), ipv6.segments()) {
            (Some(mapped), _) => self.ipv4(mapped.octets()),
            // An IPv4-compatible address. The standard library would print it in hex.
            (None, [0, 0, 0, 0, 0, 0, high, low]) if high != 0 => {
                let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                self.text("::");
                self.ipv4([a, b, c, d]);
            }
            (None, groups) => self.ipv6(groups),
        }
    }

    pub(in crate::render) fn ipv4(&mut self, octets: [u8; 4]) {
        for octet in octets {
            let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|digit| b'0' + digit);
            let [hundreds, tens, ones] = digits;
            match octet {
                100.. => self.start_of(&[hundreds, tens, ones, b'.'], 4),
                10.. => self.start_of(&[tens, ones, b'.', 0], 3),
                _ => self.start_of(&[ones, b'.', 0, 0], 2),
            }
        }
        // Remove the point after the last octet.
        self.0.pop();
    }

    /// Appends an IPv6 address. `::` replaces the first of the longest runs of two or more zeros.
    pub(in crate::render) fn ipv6(&mut self, groups: [u16; 8]) {
        let (mut left_out, mut run) = (0..0, 0..0);
        for (place, &group) in groups.iter().enumerate() {
            run = if group == 0 { run.start..place + 1 } else { place + 1..place + 1 };
            if run.len() > left_out.len().max(1) {
                left_out = run.clone();
            }
        }
        for (place, &group) in groups.iter().enumerate() {
            if left_out.contains(&place) {
                self.text(if place == left_out.start { "::" } else { "" });
                continue;
            }
            if place > 0 && place != left_out.end {
                self.text(":");
            }
            self.hex(group);
        }
    }

    fn hex(&mut self, number: u16) {
        let [high, low] = number.to_be_bytes();
        let digits = [high >> 4, high & 15, low >> 4, low & 15];
        let text = digits.map(|digit| digit + if digit < 10 { b'0' } else { b'a' - 10 });
        let zeros = (number.leading_zeros() / 4).min(3);
        let text = u32::from_be_bytes(text) << (8 * zeros);
        self.start_of(&text.to_be_bytes(), 4 - zeros as usize);
    }

    /// Appends `host:port`. Unless `wide`, it is cut if it is too long for its column: the port to
    /// [`PORT`] bytes, then the host to the bytes that are left.
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
        row.drain(kept..colon);
    }

    pub(in crate::render) fn spaces(&mut self, count: usize) {
        self.0.resize(self.0.len() + count, b' ');
    }
}

/// Returns the last boundary between two characters at or before `index`.
fn boundary(text: &[u8], index: usize) -> usize {
    let is_within = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    (0..=index).rev().find(|&index| !text.get(index).is_some_and(is_within)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ipv6_groups_are_printed_as_by_the_standard_library(
            groups: [u16; 8],
            zero in prop::array::uniform8(any::<bool>()),
            short in 0..17_u32,
        ) {
            let mut groups = groups.map(|group| group.checked_shr(short).unwrap_or(0));
            for (group, zero) in groups.iter_mut().zip(zero) {
                *group = if zero { 0 } else { *group };
            }
            let mut row = RowBuffer::default();
            row.ipv6(groups);
            let text = String::from_utf8(row.0).unwrap();
            let address = Ipv6Addr::from(groups);
            let expected = match address.to_ipv4_mapped() {
                None => address.to_string(),
                Some(_) => return Ok(()),
            };
            prop_assert_eq!(text, expected);
        }
    }

    #[test]
    fn ipv4_is_printed_as_by_the_standard_library() {
        for octet in 0..=u8::MAX {
            let address = Ipv4Addr::new(octet, 0, octet, 7);
            let mut row = RowBuffer::default();
            row.address(address.into());
            assert_eq!(String::from_utf8(row.0).unwrap(), address.to_string());
        }
    }
}
