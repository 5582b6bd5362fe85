//! Rows of `<root>/net/unix`.
//!
//! ```text
//! Num       RefCount Protocol Flags    Type St Inode Path
//! 0000000000000000: 00000002 00000000 00010000 0001 01 21577 /run/dbus/system_bus_socket
//! ```
//!
//! Written by `net/unix/af_unix.c`, described in `man 5 proc_pid_net`. Numbers are hex, but for
//! the inode. The path is the rest of the line behind one space, as the process gave it to
//! bind(2), with `@` for each NUL of an abstract name.

use super::fields::Fields;
use crate::number::{decimal, hex};
use crate::socket::{SocketType, UnixSocket, UnixState};
use crate::tables::Fault;

/// Whether this is the heading that the kernel prints above the rows.
pub(super) fn is_heading(line: &[u8]) -> bool {
    line.starts_with(b"Num ")
}

/// Parses one row.
///
/// # Errors
///
/// A [`Fault`] when a field is missing or out of its range.
pub(super) fn parse(line: &[u8]) -> Result<UnixSocket, Fault> {
    let mut fields = Fields(line);
    fields.next("pointer", |text| hex::<u64>(text.strip_suffix(b":")?))?;
    let references = fields.next("reference count", hex)?;
    fields.next("protocol", hex::<u32>)?;
    let flags = fields.next("flags", hex)?;
    let kind = fields.next("type", |text| SocketType::from_kernel(hex(text)?))?;
    let state = fields.next("state", |text| UnixState::from_kernel(hex(text)?))?;
    let inode = fields.next("inode", decimal)?;
    let path = fields.0.strip_prefix(b" ").map(Box::from);
    Ok(UnixSocket { references, flags, kind, state, inode, path, peer: None })
}
