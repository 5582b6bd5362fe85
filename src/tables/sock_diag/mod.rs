//! Reads the tables by netlink instead of as text: the kernel's `sock_diag` (`man 7 sock_diag`).

mod internet;
mod tcp_info;
mod unix;
mod vsock;
mod wire;

use std::io;
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc::{NLMSG_DONE, NLMSG_ERROR};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recvfrom, sendto,
    socket,
};

use crate::entrance::Entrance;
use crate::remark::{Fault, Reason};
use crate::socket::{Kind, OtherKind, Protocol, Socket, State, TcpInfos};
use internet::InternetDump;
use unix::UnixDump;
use wire::Payload;

/// The size of the buffer for one datagram, in bytes. The kernel sends at most 32 KiB.
const DATAGRAM: usize = 64 * 1024;
/// The message type of requests and answers (`linux/sock_diag.h`).
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// The flags of a request for a dump, `NLM_F_REQUEST | NLM_F_DUMP` (`linux/netlink.h`).
const DUMP: u16 = 0x301;
/// The flag of a message if the table changed during the dump (`linux/netlink.h`).
const NLM_F_DUMP_INTR: u16 = 0x10;
/// A message that does nothing, `NLMSG_NOOP` (`linux/netlink.h`).
const NOOP: u16 = 1;
/// The flags of a request for an acknowledgement, `NLM_F_REQUEST | NLM_F_ACK` (`linux/netlink.h`).
const ACKNOWLEDGED: u16 = 5;
/// The sequence number of our request, and of the answers to it.
const SEQUENCE: u32 = 1;
/// By how much the pieces of each further reading are shifted, in bytes. The kernel's largest piece
/// has 32 KiB, so the pieces of five readings all end at different places.
const SHIFT: usize = 6 * 1024 + 512;
/// A datagram shorter than this, in bytes, had room for another socket. The kernel's smallest
/// buffer is nearly a page (`NLMSG_GOODSIZE`).
const NOT_FULL: usize = 2048;

/// The sockets that a dump has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Sockets in every state.
    All,
    /// Only listeners.
    Listeners,
    /// Only TCP sockets that are bound, but neither listen nor are connected. Before Linux 6.8 there
    /// are none.
    Bound,
}

impl Scope {
    /// The bits of the states, with the numbers of TCP.
    fn states(self) -> u32 {
        match self {
            // 1 to 12, as in the text.
            Self::All => 0x1ffe,
            Self::Listeners => 1 << State::Listen as u32,
            Self::Bound => 1 << State::Bound as u32,
        }
    }

    pub(super) fn includes(self, socket: &Socket) -> bool {
        match self {
            Self::All => true,
            Self::Listeners => socket.state() == Some(State::Listen),
            Self::Bound => socket.state() == Some(State::Bound),
        }
    }
}

/// What is wanted of internet sockets beside what every message has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Timers.
    pub timers: bool,
    /// Facts that the text does not have.
    pub facts: bool,
    /// How connections are doing.
    pub tcp: bool,
}

/// Reads the tables of a network namespace.
pub(super) struct Netlink {
    /// The buffer for a datagram.
    buffer: Vec<u8>,
    pub(super) wants: Wants,
    /// The way to another network namespace than rnetstat's own.
    entrance: Option<Entrance>,
    /// What the kernel has told about connections.
    pub(super) infos: TcpInfos,
}

impl Netlink {
    pub(super) fn new(wants: Wants, entrance: Option<Entrance>) -> Self {
        Self { buffer: vec![0; DATAGRAM], wants, entrance, infos: TcpInfos::default() }
    }

    /// Calls `each` for every socket in a table and for every malformed message: with its number,
    /// from 1, and with the socket or the fault. Returns true if these are certainly all sockets that
    /// existed during the whole reading: the kernel gave them in one piece. `round` is the number of
    /// earlier readings: the pieces of each round end at other sockets.
    ///
    /// Fails with `NotFound` if the kernel or rnetstat cannot list this table. Two errors come only after all
    /// sockets: `Interrupted` if the table changed during the dump, and `Unsupported` if the user
    /// of some handshake is unknown.
    pub(super) fn read(
        &mut self,
        kind: Kind,
        scope: Scope,
        round: usize,
        each: impl FnMut(u64, Result<Socket, Fault>),
    ) -> io::Result<bool> {
        let mut is_whole = false;
        let Self { buffer, wants, entrance, infos } = self;
        let dump = |request: &[u8], take: &mut dyn FnMut(&[u8])| {
            is_whole = Self::dump(buffer, entrance.as_ref(), round, request, take)?;
            Ok(())
        };
        for_each_socket(kind, scope, *wants, infos, dump, each)?;
        Ok(is_whole)
    }

    /// Requests a dump and calls `each` with its messages. Returns true if they came in one piece.
    fn dump(
        buffer: &mut [u8],
        entrance: Option<&Entrance>,
        round: usize,
        request: &[u8],
        each: impl FnMut(&[u8]),
    ) -> io::Result<bool> {
        // Each dump has its own socket: an old one could still hold messages of a dump that failed.
        // The kernel answers within the calls that send and receive, so reading never has to wait.
        let open = || {
            socket(
                AddressFamily::Netlink,
                SockType::Raw,
                SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
                SockProtocol::NetlinkSockDiag,
            )
        };
        let socket = entrance.map_or_else(|| Ok(open()), |entrance| entrance.inside(open))??;
        let kernel = NetlinkAddr::new(0, 0);
        let send = |message: &[u8]| sendto(socket.as_raw_fd(), message, &kernel, MsgFlags::empty());
        if let Some(first) = buffer.get_mut(..SHIFT * round).filter(|it| !it.is_empty()) {
            // The first piece of a dump is as large as the largest buffer before. If this fails, the
            // pieces are those of the first reading.
            let noop = wire::request(NOOP, ACKNOWLEDGED, SEQUENCE + 1, &[]);
            let _ = send(&noop).and_then(|_| recvfrom::<NetlinkAddr>(socket.as_raw_fd(), first));
        }
        send(&wire::request(SOCK_DIAG_BY_FAMILY, DUMP, SEQUENCE, request))?;
        receive(buffer, |buffer| recvfrom::<NetlinkAddr>(socket.as_raw_fd(), buffer), each)
    }
}

/// Calls `each` with the messages of a dump, in the datagrams that `next` receives, with their
/// senders. Returns true if they came in one piece.
fn receive(
    buffer: &mut [u8],
    mut next: impl FnMut(&mut [u8]) -> nix::Result<(usize, Option<NetlinkAddr>)>,
    mut each: impl FnMut(&[u8]),
) -> io::Result<bool> {
    let mut changed = false;
    let (mut pieces, mut is_full) = (0, false);
    loop {
        let (got, from) = match next(buffer) {
            Err(Errno::EINTR) => continue,
            received => received?,
        };
        // Ignore other senders: a process with CAP_NET_ADMIN can send to this socket.
        if from.ok_or(io::ErrorKind::InvalidData)?.pid() != 0 {
            continue;
        }
        let datagram = buffer.get(..got).unwrap_or_default();
        let mut any = false;
        let flow = take(datagram, &mut changed, &mut |message| {
            any = true;
            each(message);
        })?;
        pieces += usize::from(any);
        is_full |= got >= NOT_FULL;
        if flow.is_break() {
            let is_whole = pieces <= 1 && !is_full;
            return if changed { Err(io::ErrorKind::Interrupted.into()) } else { Ok(is_whole) };
        }
    }
}

/// Like [`Netlink::read`], with the messages of `dump`.
pub(super) fn for_each_socket(
    kind: Kind,
    scope: Scope,
    wants: Wants,
    infos: &mut TcpInfos,
    dump: impl FnOnce(&[u8], &mut dyn FnMut(&[u8])) -> io::Result<()>,
    mut each: impl FnMut(u64, Result<Socket, Fault>),
) -> io::Result<()> {
    let mut number = 0;
    match kind {
        // The kernel could list some of these, but the text has them all.
        Kind::Internet(Protocol::Icmp, _)
        | Kind::Sctp(_)
        | Kind::Other(OtherKind::Packet | OtherKind::Netlink | OtherKind::Generic) => {
            Err(io::Error::new(io::ErrorKind::NotFound, Reason::OnlyText))
        }
        Kind::Internet(protocol, family) => {
            let mut parser = InternetDump::new((protocol, family), scope, wants, infos);
            dump(&parser.request(), &mut |message| {
                number += 1;
                each(number, parser.parse(message).map(Socket::Internet));
            })?;
            parser.ensure_certain()
        }
        Kind::Other(OtherKind::Vsock) => dump(&vsock::request(scope.states()), &mut |message| {
            number += 1;
            let socket = vsock::parse(message);
            each(number, socket.map(|socket| Socket::Other(Box::new(socket))));
        }),
        Kind::Unix => {
            let mut parser = UnixDump::default();
            let result = dump(&unix::request(scope.states()), &mut |message| {
                number += 1;
                if let Err(fault) = parser.add(message) {
                    each(number, Err(fault));
                }
            });
            for (number, socket) in (1..).zip(parser.finish()) {
                each(number, Ok(Socket::Unix(socket)));
            }
            result
        }
    }
}

/// Calls `each` with the messages of a datagram. Breaks after the last message of the dump. Sets
/// `changed` if the table changed during the dump. Fails with the kernel's error, or with
/// `InvalidData` if the datagram is malformed.
pub(super) fn take(
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

/// Fails if the last message of a dump has an error.
fn ensure_success(payload: &[u8]) -> io::Result<()> {
    match Payload(payload).bytes("error").map(i32::from_ne_bytes) {
        Ok(0) | Err(_) => Ok(()),
        Ok(error) => Err(io::Error::from_raw_os_error(error.wrapping_neg())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::socket::{Family, Protocol};

    /// Returns a message with its header.
    fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut message = wire::request(kind, flags, sequence, payload);
        message.resize(message.len().next_multiple_of(4), 0);
        message
    }

    /// Returns the first byte of each message about a socket, whether the table changed, and
    /// `Ok(true)` after the last message of the dump, or the number of the error (`None` if
    /// malformed).
    fn taken(messages: &[Vec<u8>]) -> (Vec<u8>, bool, Result<bool, Option<i32>>) {
        let (mut rows, mut changed) = (Vec::new(), false);
        let result = take(&messages.concat(), &mut changed, &mut |row| rows.push(row[0]));
        let result = result.map(|flow| flow.is_break()).map_err(|error| error.raw_os_error());
        (rows, changed, result)
    }

    const DONE: u16 = 3;
    const ERROR: u16 = 2;

    #[test]
    fn only_datagrams_of_the_kernel_are_taken() {
        let row = |number| message(SOCK_DIAG_BY_FAMILY, 2, SEQUENCE, &[number]);
        let done = message(DONE, 2, SEQUENCE, &0_i32.to_ne_bytes());
        let received = |datagrams: &[(Option<u32>, Vec<u8>)]| {
            let (mut datagrams, mut rows) = (datagrams.iter(), Vec::new());
            let next = |buffer: &mut [u8]| {
                let Some((sender, datagram)) = datagrams.next() else { return Err(Errno::EAGAIN) };
                buffer[..datagram.len()].copy_from_slice(datagram);
                Ok((datagram.len(), sender.map(|pid| NetlinkAddr::new(pid, 0))))
            };
            let result = receive(&mut [0; 512], next, |row| rows.push(row[0]));
            (rows, result.map_err(|error| error.kind()))
        };
        let (kernel, other) = (Some(0), Some(4711));
        let datagrams = [
            (other, row(1)),
            (kernel, row(2)),
            (other, done.clone()),
            (kernel, row(3)),
            (kernel, done.clone()),
        ];
        assert_eq!(received(&datagrams), (vec![2, 3], Ok(false)));
        assert_eq!(received(&[(kernel, [row(4), done.clone()].concat())]), (vec![4], Ok(true)));
        assert_eq!(received(&[(None, done)]), (vec![], Err(io::ErrorKind::InvalidData)));
        assert_eq!(received(&[(kernel, row(5))]), (vec![5], Err(io::ErrorKind::WouldBlock)));
    }

    #[test]
    fn dump_ends_with_its_last_message_or_an_error() {
        let row = |number| message(SOCK_DIAG_BY_FAMILY, 2, SEQUENCE, &[number]);
        let end = |kind, error: i32| message(kind, 2, SEQUENCE, &error.to_ne_bytes());
        let stale = message(DONE, 2, SEQUENCE + 1, &[]);
        let noop = message(1, 0, SEQUENCE, &[7]);
        let marked = message(SOCK_DIAG_BY_FAMILY, 2 | NLM_F_DUMP_INTR, SEQUENCE, &[3]);
        assert_eq!(taken(&[row(1), noop, row(2)]), (vec![1, 2], false, Ok(false)));
        assert_eq!(taken(&[stale, row(1), end(DONE, 0), row(2)]), (vec![1], false, Ok(true)));
        assert_eq!(taken(&[row(1), marked, end(DONE, 0)]), (vec![1, 3], true, Ok(true)));
        assert_eq!(taken(&[end(ERROR, -2)]), (vec![], false, Err(Some(2))));
        assert_eq!(taken(&[row(1), end(DONE, -12)]), (vec![1], false, Err(Some(12))));
        let cut_off = row(2)[..16].to_vec();
        assert_eq!(taken(&[row(1), cut_off]), (vec![1], false, Err(None)));
        assert_eq!(taken(&[vec![0; 16]]), (vec![], false, Err(None)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..200)) {
            let mut infos = TcpInfos::default();
            let wants = Wants { timers: true, facts: true, tcp: true };
            let kind = (Protocol::Tcp, Family::Ipv6);
            let mut internet = InternetDump::new(kind, Scope::All, wants, &mut infos);
            let mut unix = UnixDump::default();
            let mut read = |message: &[u8]| {
                let _ = (internet.parse(message), unix.add(message));
            };
            read(&bytes);
            let _ = take(&bytes, &mut false, &mut read);
            let _ = take(&message(SOCK_DIAG_BY_FAMILY, 0, SEQUENCE, &bytes), &mut false, &mut read);
            prop_assert!(unix.finish().all(|socket| socket.references >= 2));
        }
    }
}
