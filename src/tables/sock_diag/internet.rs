//! Internet sockets, as `linux/inet_diag.h` describes them: `struct inet_diag_msg`.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::libc::{AF_INET, AF_INET6, IPPROTO_RAW, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE};

use super::wire::{Fields, attributes};
use crate::socket::{Endpoint, Family, InternetSocket, Protocol, Queues, State};
use crate::tables::Fault;

/// The attribute with the memory of a socket, and the numbers in it up to the drops.
const INET_DIAG_SKMEMINFO: u16 = 7;
const DROPS: usize = 8;
/// Every state from 1 to 12.
const ALL_STATES: u32 = 0x1ffe;

/// Reads the sockets of one protocol and family.
pub(super) struct Reader {
    protocol: Protocol,
    family: Family,
    slot: u32,
    /// The users who take connections to a port, and with them those that are in their handshake;
    /// none where there are several.
    takers: HashMap<u16, Option<u32>>,
    /// Of every handshake so far there is one user whose it can be.
    is_certain: bool,
}

impl Reader {
    pub(super) fn new(protocol: Protocol, family: Family) -> Self {
        Self { protocol, family, slot: 0, takers: HashMap::new(), is_certain: true }
    }

    /// `struct inet_diag_req_v2`, for sockets in every state.
    pub(super) fn request(&self) -> Vec<u8> {
        const ANY_ENDS: [u8; 48] = [0; 48];
        let family = match self.family {
            Family::Ipv4 => AF_INET,
            Family::Ipv6 => AF_INET6,
        };
        let protocol = match self.protocol {
            Protocol::Tcp => IPPROTO_TCP,
            Protocol::Udp => IPPROTO_UDP,
            Protocol::UdpLite => IPPROTO_UDPLITE,
            Protocol::Raw => IPPROTO_RAW,
        };
        let extensions = if self.counts_drops() { 1 << (INET_DIAG_SKMEMINFO - 1) } else { 0 };
        let byte = |number: i32| u8::try_from(number).unwrap_or_default();
        let head = [byte(family), byte(protocol), extensions, 0];
        [&head[..], &ALL_STATES.to_ne_bytes(), &ANY_ENDS].concat()
    }

    fn counts_drops(&self) -> bool {
        self.protocol != Protocol::Tcp
    }

    /// Parses one message.
    ///
    /// # Errors
    ///
    /// A [`Fault`] when it is cut off, or in a state that does not exist.
    pub(super) fn parse(&mut self, message: &[u8]) -> Result<InternetSocket, Fault> {
        let mut fields = Fields(message);
        let _family = fields.u8("family")?;
        let state = fields.known("state", State::from_kernel)?;
        let _timer: [u8; 2] = fields.bytes("timer")?;
        let local_port = u16::from_be_bytes(fields.bytes("local port")?);
        let remote_port = u16::from_be_bytes(fields.bytes("remote port")?);
        let local = Endpoint { address: self.address(&mut fields)?, port: local_port };
        let remote = Endpoint { address: self.address(&mut fields)?, port: remote_port };
        let _device = fields.u32("device")?;
        let _cookie: [u8; 8] = fields.bytes("cookie")?;
        let _expires = fields.u32("expiry")?;
        let receive = fields.u32("receive queue")?;
        let send = fields.u32("send queue")?;
        let uid = fields.u32("uid")?;
        let inode = fields.u32("inode")?.into();
        let mut socket = InternetSocket {
            protocol: self.protocol,
            family: self.family,
            slot: self.slot,
            local,
            remote,
            state,
            queues: Queues { receive, send },
            timer: None,
            uid,
            inode,
            drops: if self.counts_drops() { drops(fields.0) } else { None },
        };
        self.slot = self.slot.wrapping_add(1);
        match (self.protocol, state) {
            // The text has no port there.
            (Protocol::Raw, _) => socket.remote.port = 0,
            (Protocol::Tcp, State::Listen) => {
                // What may wait at most to be accepted, of which the text says nothing.
                socket.queues.send = 0;
                let taker = self.takers.entry(local.port).or_insert(Some(uid));
                *taker = taker.filter(|&other| other == uid);
            }
            // The text has the listener's user. The kernel lists listeners before connections.
            (Protocol::Tcp, State::SynRecv) if inode == 0 => {
                match self.takers.get(&local.port).copied().flatten() {
                    Some(taker) => socket.uid = taker,
                    None => self.is_certain = false,
                }
            }
            _ => {}
        }
        Ok(socket)
    }

    fn address(&self, fields: &mut Fields<'_>) -> Result<IpAddr, Fault> {
        let bytes: [u8; 16] = fields.bytes("address")?;
        Ok(match self.family {
            Family::Ipv4 => {
                let [a, b, c, d, ..] = bytes;
                Ipv4Addr::new(a, b, c, d).into()
            }
            Family::Ipv6 => Ipv6Addr::from(bytes).into(),
        })
    }

    /// # Errors
    ///
    /// `Unsupported` when there is a handshake of which nobody knows whose it is: its listener
    /// has gone, or several users have one on its port.
    pub(super) fn ensure_certain(&self) -> io::Result<()> {
        if self.is_certain {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::Unsupported, "it does not tell whose a handshake is"))
    }
}

/// The datagrams that were dropped, from the attributes of a message.
fn drops(rest: &[u8]) -> Option<u32> {
    let (_, memory) = attributes(rest).find(|&(kind, _)| kind == INET_DIAG_SKMEMINFO)?;
    memory.as_chunks().0.get(DROPS).copied().map(u32::from_ne_bytes)
}
