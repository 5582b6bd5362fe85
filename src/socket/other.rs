//! Sockets of the families packet, netlink and vsock, and sockets that no table has.

use std::borrow::Cow;
use std::fmt;

use super::{SocketType, State};

/// A table of sockets that are neither internet sockets nor UNIX sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OtherKind {
    /// `AF_PACKET`: whole packets of a device, as sniffers and DHCP clients read them (`man 7 packet`).
    Packet,
    /// `AF_NETLINK`: messages from and to the kernel (`man 7 netlink`).
    Netlink,
    /// `AF_VSOCK`: connections between a virtual machine and its host (`man 7 vsock`).
    Vsock,
    /// No table: sockets that are not bound, and those of all other families. Only the descriptor of
    /// an owner tells that they exist.
    Generic,
}

/// A socket in one of these tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherSocket {
    /// The table.
    pub kind: OtherKind,
    /// The kernel's name of the protocol, for a generic socket; else `None`.
    pub protocol: Option<Box<str>>,
    /// The socket type; `None` if the kernel does not tell it.
    pub socket_type: Option<SocketType>,
    /// The state; `None` if there is none.
    pub state: Option<State>,
    /// The end on this host.
    pub local: Option<OtherEnd>,
    /// The other end.
    pub remote: Option<OtherEnd>,
    /// The bytes that wait to be read.
    pub receive: Option<u32>,
    /// The bytes that wait to be sent.
    pub send: Option<u32>,
    /// The user who opened the socket.
    pub uid: Option<u32>,
    /// The inode, as in the links of `/proc/<pid>/fd`; 0 for a socket of the kernel.
    pub inode: u64,
    /// Received datagrams that were dropped.
    pub drops: Option<u32>,
    /// The index of the network device that the socket is bound to.
    pub interface: Option<u32>,
}

/// An end of such a socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OtherEnd {
    /// What the socket receives: a protocol of Ethernet or of netlink; or the context identifier of
    /// a virtual machine.
    pub address: Cow<'static, str>,
    /// The port of netlink or vsock.
    pub port: Option<u32>,
}

/// Prints the address and the port, such as `route:4711`, or `all` for packets.
impl fmt::Display for OtherEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.address)?;
        self.port.map_or(Ok(()), |port| write!(out, ":{port}"))
    }
}

impl OtherSocket {
    /// Returns a socket without anything else.
    pub fn new(kind: OtherKind, inode: u64) -> Self {
        Self {
            kind,
            protocol: None,
            socket_type: None,
            state: None,
            local: None,
            remote: None,
            receive: None,
            send: None,
            uid: None,
            inode,
            drops: None,
            interface: None,
        }
    }
}
