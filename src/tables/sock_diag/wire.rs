//! The encoding of netlink: messages, attributes and numbers, in the byte order of the host.

use crate::remark::Fault;

/// The size of a message header, `struct nlmsghdr` (`linux/netlink.h`), in bytes.
const HEADER: usize = 16;
/// Messages and attributes begin at multiples of this number of bytes.
const ALIGNMENT: usize = 4;

pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    pub(super) payload: &'a [u8],
}

/// Returns the messages of a datagram. A malformed message is `None`, and ends the iteration.
pub(super) fn messages(datagram: &[u8]) -> impl Iterator<Item = Option<Message<'_>>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let message = message(&mut rest);
        if message.is_none() {
            rest = &[];
        }
        Some(message)
    })
}

fn message<'a>(rest: &mut &'a [u8]) -> Option<Message<'a>> {
    let mut fields = Payload(rest);
    let length = fields.u32("length").ok()?;
    let kind = fields.u16("type").ok()?;
    let flags = fields.u16("flags").ok()?;
    let sequence = fields.u32("sequence number").ok()?;
    let payload = cut(rest, length as usize)?.get(HEADER..)?;
    Some(Message { kind, flags, sequence, payload })
}

/// Removes the first `length` bytes and their padding from `rest`, and returns the bytes.
fn cut<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let whole = rest.get(..length)?;
    *rest = rest.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
    Some(whole)
}

/// Returns a request for a dump, with its header.
pub(super) fn request(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + payload.len()).unwrap_or(u32::MAX);
    let port = 0_u32;
    [
        &length.to_ne_bytes()[..],
        &kind.to_ne_bytes(),
        &flags.to_ne_bytes(),
        &sequence.to_ne_bytes(),
        &port.to_ne_bytes(),
        payload,
    ]
    .concat()
}

/// Returns an attribute.
pub(super) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    const HEADER: usize = 4;
    let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
    let padding = vec![0; value.len().next_multiple_of(ALIGNMENT) - value.len()];
    [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value, &padding].concat()
}

/// Returns the type and value of each attribute (`struct nlattr`) after the fixed part of a
/// message. Stops at an attribute that is cut off.
pub(super) fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    const HEADER: usize = 4;
    /// Without the flags of nested attributes and of the byte order.
    const NLA_TYPE_MASK: u16 = 0x3fff;
    std::iter::from_fn(move || {
        let mut fields = Payload(rest);
        let length = fields.u16("length").ok()?;
        let kind = fields.u16("type").ok()? & NLA_TYPE_MASK;
        Some((kind, cut(&mut rest, length.into())?.get(HEADER..)?))
    })
}

/// The rest of a message, read field by field.
pub(super) struct Payload<'a>(pub(super) &'a [u8]);

impl Payload<'_> {
    /// Returns the next `N` bytes.
    pub(super) fn bytes<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Fault> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(Fault::Missing(field))?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, Fault> {
        self.bytes(field).map(u8::from_ne_bytes)
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, Fault> {
        self.bytes(field).map(u16::from_ne_bytes)
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, Fault> {
        self.bytes(field).map(u32::from_ne_bytes)
    }

    /// Returns the next byte, converted by `from`. Fails if `from` returns `None`.
    pub(super) fn known<T>(
        &mut self,
        field: &'static str,
        from: impl FnOnce(u8) -> Option<T>,
    ) -> Result<T, Fault> {
        let number = self.u8(field)?;
        from(number).ok_or_else(|| Fault::malformed(field, number.to_string().as_bytes()))
    }
}
