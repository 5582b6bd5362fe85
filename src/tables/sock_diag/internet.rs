//! Internet sockets: `struct inet_diag_msg` of `linux/inet_diag.h`.
//!
//! Where netlink and the text of `/proc/net` differ, the parser follows the text.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use super::wire::{self, Payload, attributes};
use super::{Scope, Wants, tcp_info};
use crate::remark::{Fault, Reason};
use crate::socket::{
    Endpoint, Facts, Family, InternetSocket, Protocol, Queues, State, TcpInfo, TcpInfos, Timer,
    TimerKind,
};

/// The attribute of a request with the protocol.
const INET_DIAG_REQ_PROTOCOL: u16 = 3;
/// The attribute with `struct tcp_info`.
const INET_DIAG_INFO: u16 = 2;
/// The attribute with the name of the congestion control.
const INET_DIAG_CONG: u16 = 4;
/// The attribute that says whether an IPv6 socket is closed to IPv4. It comes without a request.
const INET_DIAG_SKV6ONLY: u16 = 11;
/// The attribute with what uses the connection of TCP, from Linux 5.4 on. The kernel tells it only to
/// administrators.
const INET_DIAG_ULP_INFO: u16 = 19;
/// The attribute in it with its name, `INET_ULP_INFO_NAME`.
const ULP_NAME: u16 = 1;
/// The attribute with what the kernel counts about the memory of a socket, an array of numbers.
const INET_DIAG_SKMEMINFO: u16 = 7;
/// The index of the dropped datagrams in that array, `SK_MEMINFO_DROPS` (`linux/sock_diag.h`).
const DROPS: usize = 8;

/// Parses the dump of one protocol and family.
pub(super) struct InternetDump<'a> {
    protocol: Protocol,
    family: Family,
    scope: Scope,
    wants: Wants,
    /// Where the information about connections is added.
    infos: &'a mut TcpInfos,
    /// The user of the listener on each port; `None` if listeners of several users share the port.
    listeners: HashMap<u16, Option<u32>>,
    /// What netlink does not give about some handshake, and its listener does not tell.
    unknown: Option<Reason>,
}

/// Returns true if MPTCP uses the connection.
fn is_of_mptcp(info: &[u8]) -> bool {
    attributes(info).any(|(kind, name)| kind == ULP_NAME && name.starts_with(b"mptcp\0"))
}

/// The attributes of a message that are used.
#[derive(Default)]
struct Attributes<'a> {
    info: Option<&'a [u8]>,
    cc: Option<[u8; 16]>,
    ipv6_only: Option<bool>,
    is_subflow: bool,
    drops: Option<u32>,
}

impl<'a> InternetDump<'a> {
    pub(super) fn new(
        (protocol, family): (Protocol, Family),
        scope: Scope,
        wants: Wants,
        infos: &'a mut TcpInfos,
    ) -> Self {
        let listeners = HashMap::new();
        Self { protocol, family, scope, wants, infos, listeners, unknown: None }
    }

    /// Returns the `struct inet_diag_req_v2` for the sockets of the scope.
    pub(super) fn request(&self) -> Vec<u8> {
        const ANY_ENDS: [u8; 48] = [0; 48];
        // AF_INET and AF_INET6 (linux/socket.h).
        let family = match self.family {
            Family::Ipv4 => 2,
            Family::Ipv6 => 10,
        };
        // IPPROTO_TCP and so on (linux/in.h). That of MPTCP is an attribute: it needs two bytes.
        let (protocol, attribute) = match self.protocol {
            Protocol::Tcp => (6, vec![]),
            Protocol::Udp => (17, vec![]),
            Protocol::UdpLite => (136, vec![]),
            Protocol::Raw => (255, vec![]),
            Protocol::Icmp => (1, vec![]),
            Protocol::Mptcp => (6, wire::attribute(INET_DIAG_REQ_PROTOCOL, &262_u32.to_ne_bytes())),
        };
        let head = [family, protocol, self.extensions(), 0];
        [&head[..], &self.scope.states().to_ne_bytes(), &ANY_ENDS, &attribute].concat()
    }

    fn counts_drops(&self) -> bool {
        !self.protocol.has_states()
    }

    /// Returns the attributes to ask for, one bit each.
    fn extensions(&self) -> u8 {
        let is_tcp = self.protocol == Protocol::Tcp;
        [
            (INET_DIAG_SKMEMINFO, self.counts_drops()),
            (INET_DIAG_INFO, is_tcp && (self.wants.timers || self.wants.tcp)),
            (INET_DIAG_CONG, is_tcp && self.wants.tcp),
        ]
        .into_iter()
        .filter(|&(_, is_wanted)| is_wanted)
        .fold(0, |bits, (attribute, _)| bits | 1 << (attribute - 1))
    }

    /// Returns the attributes of a message, if any are wanted.
    fn attributes<'m>(&self, rest: &'m [u8]) -> Attributes<'m> {
        let mut found = Attributes::default();
        if self.extensions() == 0 && !self.wants.facts {
            return found;
        }
        for (kind, value) in attributes(rest) {
            match kind {
                INET_DIAG_INFO => found.info = Some(value),
                INET_DIAG_CONG => found.cc = tcp_info::congestion_control(value),
                INET_DIAG_SKV6ONLY => found.ipv6_only = value.first().map(|&it| it != 0),
                INET_DIAG_ULP_INFO => found.is_subflow = is_of_mptcp(value),
                INET_DIAG_SKMEMINFO if self.counts_drops() => {
                    found.drops = value.as_chunks().0.get(DROPS).copied().map(u32::from_ne_bytes);
                }
                _ => {}
            }
        }
        found
    }

    /// Parses one message. Fails if it is cut off, or if its state does not exist.
    pub(super) fn parse(&mut self, message: &[u8]) -> Result<InternetSocket, Fault> {
        let mut fields = Payload(message);
        let _family = fields.u8("family")?;
        let state = fields.known("state", State::from_kernel)?;
        let [timer, unanswered]: [u8; 2] = fields.bytes("timer")?;
        let local_port = u16::from_be_bytes(fields.bytes("local port")?);
        let remote_port = u16::from_be_bytes(fields.bytes("remote port")?);
        let local = Endpoint { address: self.address(&mut fields)?, port: local_port };
        let remote = Endpoint { address: self.address(&mut fields)?, port: remote_port };
        let device = fields.u32("device")?;
        let _cookie: [u8; 8] = fields.bytes("cookie")?;
        let milliseconds = fields.u32("expiry")?;
        let receive = fields.u32("receive queue")?;
        let send = fields.u32("send queue")?;
        let uid = fields.u32("uid")?;
        let inode = fields.u32("inode")?.into();
        let found = self.attributes(fields.0);
        let is_server = self.protocol.has_states() && state == State::Listen;
        let mut facts = Facts {
            interface: NonZeroU32::new(device),
            backlog: is_server.then_some(send),
            ipv6_only: found.ipv6_only,
            mptcp: found.is_subflow.then_some(true),
            ..Facts::default()
        };
        if let Some(info) = found.info.filter(|_| self.wants.tcp && !is_server) {
            facts.tcp = self.infos.add(TcpInfo { cc: found.cc, ..tcp_info::parse(info) });
        }
        let mut socket = InternetSocket {
            protocol: self.protocol,
            family: self.family,
            local,
            remote,
            state,
            queues: Queues { receive, send },
            timer: self.wants.timers.then(|| {
                let counts = found.info.and_then(tcp_info::timer_counts);
                timer_of(timer, milliseconds, counts.unwrap_or((unanswered.into(), 0)))
            }),
            uid,
            inode,
            drops: found.drops,
            facts,
        };
        self.follow_text(&mut socket);
        Ok(socket)
    }

    /// Changes fields that netlink gives differently from the text, so that they equal the text.
    fn follow_text(&mut self, socket: &mut InternetSocket) {
        let port = socket.local.port;
        if self.scope == Scope::Bound {
            socket.state = State::Bound;
        }
        match (self.protocol, socket.state) {
            // netlink gives the protocol as the remote port.
            (Protocol::Raw, _) => socket.remote.port = 0,
            (Protocol::Tcp | Protocol::Mptcp, State::Listen) => {
                // netlink gives the limit of the accept queue as the send queue.
                socket.queues.send = 0;
                let user = self.listeners.entry(port).or_insert(Some(socket.uid));
                *user = user.filter(|&other| other == socket.uid);
            }
            // netlink has no user for a handshake. The text shows that of its listener, given
            // before.
            (Protocol::Tcp, State::SynRecv) if socket.inode == 0 => {
                match self.listeners.get(&port).copied().flatten() {
                    Some(user) => socket.uid = user,
                    None => self.unknown = Some(Reason::HandshakeUser),
                }
                // netlink has the number of answers, the text that of timeouts. With facts, which the
                // text does not have, that must do.
                if self.wants.timers && !self.wants.facts {
                    self.unknown = Some(Reason::HandshakeTimer);
                }
            }
            _ => {}
        }
    }

    fn address(&self, fields: &mut Payload<'_>) -> Result<IpAddr, Fault> {
        let bytes: [u8; 16] = fields.bytes("address")?;
        Ok(match self.family {
            Family::Ipv4 => {
                let [a, b, c, d, ..] = bytes;
                Ipv4Addr::new(a, b, c, d).into()
            }
            Family::Ipv6 => Ipv6Addr::from(bytes).into(),
        })
    }

    /// Fails with `Unsupported` if the timer of a handshake is unknown, or its user: its listener is
    /// gone, or listeners of several users share its port.
    pub(super) fn ensure_certain(&self) -> io::Result<()> {
        self.unknown
            .map_or(Ok(()), |reason| Err(io::Error::new(io::ErrorKind::Unsupported, reason)))
    }
}

/// Returns the timer with the kernel's number of its kind, the time until it expires, and the unanswered
/// retransmissions and probes.
fn timer_of(kind: u8, milliseconds: u32, (retransmits, probes): (u32, u32)) -> Timer {
    let kind = TimerKind::from_kernel(kind);
    // A timer that is late: some kernels give a negative number.
    let is_late = kind == TimerKind::Off || i32::try_from(milliseconds).is_err();
    let milliseconds = if is_late { 0 } else { milliseconds };
    let ticks = u64::from(milliseconds) * procfs::ticks_per_second() / 1000;
    Timer { kind, ticks, retransmits, probes }
}

#[cfg(test)]
mod tests {
    use super::super::wire::attribute;
    use super::*;

    /// Returns the message about a socket.
    fn inet_diag_msg(socket: &InternetSocket) -> Vec<u8> {
        let octets = |address: IpAddr| match address {
            IpAddr::V4(ipv4) => [&ipv4.octets()[..], &[0; 12]].concat(),
            IpAddr::V6(ipv6) => ipv6.octets().to_vec(),
        };
        let memory: Vec<u8> = (0..8).chain(socket.drops).flat_map(u32::to_ne_bytes).collect();
        let (device, cookie, expires) = (0_u32, [0xcc; 8], 77_u32);
        [
            &[if socket.family == Family::Ipv4 { 2 } else { 10 }, socket.state as u8, 1, 2][..],
            &socket.local.port.to_be_bytes(),
            &socket.remote.port.to_be_bytes(),
            &octets(socket.local.address),
            &octets(socket.remote.address),
            &device.to_ne_bytes(),
            &cookie,
            &expires.to_ne_bytes(),
            &socket.queues.receive.to_ne_bytes(),
            &socket.queues.send.to_ne_bytes(),
            &socket.uid.to_ne_bytes(),
            &u32::try_from(socket.inode).unwrap().to_ne_bytes(),
            &attribute(8, &[3]),
            &attribute(7, &memory),
        ]
        .concat()
    }

    fn socket(protocol: Protocol, state: State) -> InternetSocket {
        let end = |last, port| Endpoint { address: Ipv4Addr::new(10, 0, 0, last).into(), port };
        InternetSocket {
            protocol,
            local: end(1, 5000),
            remote: end(2, 443),
            state,
            queues: Queues { receive: 3, send: 4 },
            uid: 1000,
            inode: 4711,
            drops: (protocol != Protocol::Tcp).then_some(9),
            ..InternetSocket::example()
        }
    }

    /// Returns a parser of all sockets of this kind that reads only what every message has.
    fn dump(kind: (Protocol, Family), infos: &mut TcpInfos) -> InternetDump<'_> {
        InternetDump::new(kind, Scope::All, Wants::default(), infos)
    }

    #[test]
    fn fields_are_read_from_inet_diag_msg() {
        let ipv6 = |text: &str| text.parse::<Ipv6Addr>().unwrap().into();
        let tcp = socket(Protocol::Tcp, State::CloseWait);
        let tcp6 = InternetSocket {
            family: Family::Ipv6,
            local: Endpoint { address: ipv6("2001:db8::1"), port: 1 },
            remote: Endpoint { address: ipv6("::ffff:127.0.0.1"), port: 65535 },
            inode: u32::MAX.into(),
            ..tcp
        };
        for expected in [tcp, tcp6, socket(Protocol::Udp, State::Close)] {
            let mut infos = TcpInfos::default();
            let mut dump = dump((expected.protocol, expected.family), &mut infos);
            assert_eq!(dump.parse(&inet_diag_msg(&expected)), Ok(expected));
        }
    }

    #[test]
    fn raw_remote_port_and_send_queue_of_a_listener_are_0_as_in_the_text() {
        let raw = socket(Protocol::Raw, State::Established);
        let parsed = dump((Protocol::Raw, Family::Ipv4), &mut TcpInfos::default())
            .parse(&inet_diag_msg(&raw));
        let parsed = parsed.unwrap();
        assert_eq!((parsed.local.port, parsed.remote.port), (5000, 0));
        let listener = socket(Protocol::Tcp, State::Listen);
        let parsed = dump((Protocol::Tcp, Family::Ipv4), &mut TcpInfos::default())
            .parse(&inet_diag_msg(&listener));
        assert_eq!(parsed.unwrap().queues.send, 0);
    }

    #[test]
    fn handshake_gets_the_user_of_its_listener() {
        let mut infos = TcpInfos::default();
        let mut dump = dump((Protocol::Tcp, Family::Ipv4), &mut infos);
        let mut parse = |port, socket: InternetSocket| {
            let local = Endpoint { port, ..socket.local };
            let parsed = dump.parse(&inet_diag_msg(&InternetSocket { local, ..socket })).unwrap();
            (parsed.uid, dump.ensure_certain().is_ok())
        };
        let listener = socket(Protocol::Tcp, State::Listen);
        for _ in 0..2 {
            parse(80, listener);
        }
        for uid in [1, 2, 1] {
            parse(443, InternetSocket { uid, ..listener });
        }
        let handshake =
            InternetSocket { uid: 0, inode: 0, ..socket(Protocol::Tcp, State::SynRecv) };
        let with_inode = InternetSocket { uid: 5, inode: 6, ..handshake };
        assert_eq!(parse(80, handshake), (1000, true));
        assert_eq!(parse(443, with_inode), (5, true), "it has a user of its own");
        assert_eq!(parse(443, handshake), (0, false), "listeners of several users");
        assert_eq!(parse(81, handshake), (0, false), "no listener");
    }

    #[test]
    fn error_names_the_truncated_field_or_the_unknown_value() {
        let whole = inet_diag_msg(&socket(Protocol::Tcp, State::Listen));
        let mut infos = TcpInfos::default();
        let mut dump = dump((Protocol::Tcp, Family::Ipv4), &mut infos);
        for (length, field) in [(0, "family"), (5, "local port"), (71, "inode")] {
            assert_eq!(dump.parse(&whole[..length]), Err(Fault::Missing(field)));
        }
        let strange = [&[2, 13][..], &whole[2..]].concat();
        assert_eq!(dump.parse(&strange), Err(Fault::malformed("state", b"13")));
    }
}
