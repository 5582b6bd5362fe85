//! The same rows from the kernel's binary interface: netlink's `sock_diag` (`man 7 sock_diag`).

mod internet;
mod unix;
mod wire;

use std::io;
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc::{NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recvfrom, sendto,
    socket,
};

use super::Fault;
use super::table::{Holds, Table};
use crate::socket::Socket;
use wire::Fields;

/// Bytes of a datagram; the kernel's have 32 KiB at most.
const DATAGRAM: usize = 64 * 1024;
/// The type of a request, and of what answers it (`linux/sock_diag.h`).
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// The flag of a message in whose dump the kernel has noticed a change (`linux/netlink.h`).
const NLM_F_DUMP_INTR: u16 = 0x10;
/// What marks our request, and the answers to it.
const SEQUENCE: u32 = 1;

/// The tables of this network namespace, and the one buffer that they are read through.
pub(super) struct SockDiag(Vec<u8>);

impl Default for SockDiag {
    fn default() -> Self {
        Self(vec![0; DATAGRAM])
    }
}

impl SockDiag {
    /// Gives `each` what every message about a socket in a table is, with its number, from 1.
    ///
    /// # Errors
    ///
    /// Those of the sockets and the kernel's own: `ENOENT` when it cannot list this table so;
    /// `Interrupted` when the table has changed under the reader, and `Unsupported` when it has rows
    /// of which not all is told, both after all of its rows.
    pub(super) fn read(
        &mut self,
        table: Table,
        each: impl FnMut(u64, Result<Socket, Fault>),
    ) -> io::Result<()> {
        let dump = |request: &[u8], take: &mut dyn FnMut(&[u8])| self.dump(request, take);
        for_each_row(table, dump, each)
    }

    /// Asks for a dump and gives `each` its messages.
    fn dump(&mut self, request: &[u8], mut each: impl FnMut(&[u8])) -> io::Result<()> {
        // Whatever a dump that failed has left behind goes with its socket. The kernel answers
        // while it is asked, so that there is never anything to wait for.
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::NetlinkSockDiag,
        )?;
        let flags = u16::try_from(NLM_F_REQUEST | NLM_F_DUMP).unwrap_or_default();
        let request = wire::request(SOCK_DIAG_BY_FAMILY, flags, SEQUENCE, request);
        sendto(socket.as_raw_fd(), &request, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
        let mut changed = false;
        loop {
            let (got, from) = match recvfrom::<NetlinkAddr>(socket.as_raw_fd(), &mut self.0) {
                Err(Errno::EINTR) => continue,
                received => received?,
            };
            // Who has CAP_NET_ADMIN can send to this socket as well.
            if from.ok_or(io::ErrorKind::InvalidData)?.pid() != 0 {
                continue;
            }
            let datagram = self.0.get(..got).unwrap_or_default();
            if take(datagram, &mut changed, &mut each)?.is_break() {
                return if changed { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) };
            }
        }
    }
}

/// Gives `each` what every message is that `dump` gives when it is asked for a table.
///
/// # Errors
///
/// Those of [`SockDiag::read`].
fn for_each_row(
    table: Table,
    dump: impl FnOnce(&[u8], &mut dyn FnMut(&[u8])) -> io::Result<()>,
    mut each: impl FnMut(u64, Result<Socket, Fault>),
) -> io::Result<()> {
    let mut number = 0;
    match table.holds {
        Holds::Internet(protocol, family) => {
            let mut reader = internet::Reader::new(protocol, family);
            dump(&reader.request(), &mut |message| {
                number += 1;
                each(number, reader.parse(message).map(Socket::Internet));
            })?;
            reader.ensure_certain()
        }
        Holds::Unix => {
            let mut reader = unix::Reader::default();
            let result = dump(&unix::request(), &mut |message| {
                number += 1;
                if let Err(fault) = reader.take(message) {
                    each(number, Err(fault));
                }
            });
            for (number, socket) in (1..).zip(reader.finish()) {
                each(number, Ok(Socket::Unix(socket)));
            }
            result
        }
    }
}

/// Gives `each` what every message of a datagram is, in an answer about a table.
///
/// # Errors
///
/// Those of [`SockDiag::read`].
#[cfg(any(test, fuzzing))]
pub(super) fn for_each_message(
    table: Table,
    datagram: &[u8],
    each: impl FnMut(u64, Result<Socket, Fault>),
) -> io::Result<()> {
    let dump = |_: &[u8], mut each: &mut dyn FnMut(&[u8])| {
        take(datagram, &mut false, &mut each).map(|_| ())
    };
    for_each_row(table, dump, each)
}

/// Gives `each` the messages of a datagram up to the end of the dump, which breaks, and marks
/// whether the table has changed meanwhile.
///
/// # Errors
///
/// The kernel's, or `InvalidData` for what is no message.
fn take(
    datagram: &[u8],
    changed: &mut bool,
    each: &mut impl FnMut(&[u8]),
) -> io::Result<ControlFlow<()>> {
    for message in wire::messages(datagram) {
        let message = message.ok_or(io::ErrorKind::InvalidData)?;
        if message.sequence != SEQUENCE {
            continue;
        }
        *changed |= message.flags & NLM_F_DUMP_INTR != 0;
        match i32::from(message.kind) {
            NLMSG_DONE | NLMSG_ERROR => {
                ensure_success(message.payload)?;
                return Ok(ControlFlow::Break(()));
            }
            _ if message.kind == SOCK_DIAG_BY_FAMILY => each(message.payload),
            _ => {}
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// # Errors
///
/// The one that the last message of a dump tells; it has none when all went well.
fn ensure_success(payload: &[u8]) -> io::Result<()> {
    match Fields(payload).bytes("error").map(i32::from_ne_bytes) {
        Ok(0) | Err(_) => Ok(()),
        Ok(error) => Err(io::Error::from_raw_os_error(error.wrapping_neg())),
    }
}

#[cfg(test)]
mod tests;
