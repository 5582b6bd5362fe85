//! How a TCP connection is doing: what the kernel tells in `struct tcp_info` (`linux/tcp.h`).

use std::num::NonZeroU32;

/// What the kernel tells about a socket only by netlink. Everything is unknown if the text was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The index of the network device that the socket is bound to, or whose link-local address it
    /// has.
    pub interface: Option<NonZeroU32>,
    /// For a TCP server: the most connections that can wait to be accepted.
    pub backlog: Option<u32>,
    /// For an IPv6 socket: false if it also receives from IPv4. The kernel tells it only of sockets
    /// that are not connected.
    pub ipv6_only: Option<bool>,
    /// It is a subflow of an MPTCP connection.
    pub mptcp: Option<bool>,
    /// The place of the [`TcpInfo`], see [`TcpInfos`].
    pub tcp: Option<TcpPlace>,
}

/// A place in a list of [`TcpInfos`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpPlace(NonZeroU32);

/// What the kernel tells about the connections of a listing. It is kept apart from the sockets, because
/// it is large and rarely needed.
#[derive(Clone, Debug, Default)]
pub struct TcpInfos(Vec<TcpInfo>);

impl TcpInfos {
    /// Adds a connection. Returns its place, or `None` if there are too many.
    pub fn add(&mut self, info: TcpInfo) -> Option<TcpPlace> {
        self.0.push(info);
        u32::try_from(self.0.len()).ok().and_then(NonZeroU32::new).map(TcpPlace)
    }

    /// Returns the connection at this place.
    pub fn get(&self, TcpPlace(place): TcpPlace) -> Option<&TcpInfo> {
        self.0.get(place.get() as usize - 1)
    }

    /// Returns the connection at this place.
    pub fn get_mut(&mut self, TcpPlace(place): TcpPlace) -> Option<&mut TcpInfo> {
        self.0.get_mut(place.get() as usize - 1)
    }
}

impl TcpInfo {
    /// The name of the congestion control.
    pub fn congestion_control(&self) -> Option<&[u8]> {
        self.cc.as_ref()?.split(|&byte| byte == 0).next()
    }
}

/// What the kernel tells about a connection. Each value is `None` if this kernel does not tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    /// The smoothed round-trip time, in microseconds.
    pub rtt: Option<u32>,
    /// The variation of the round-trip time, in microseconds.
    pub rtt_var: Option<u32>,
    /// The shortest recent round-trip time, in microseconds.
    pub min_rtt: Option<u32>,
    /// The congestion window, in segments.
    pub cwnd: Option<u32>,
    /// Segments that were sent again, since the connection was opened.
    pub retrans: Option<u32>,
    /// Segments that the kernel considers lost now.
    pub lost: Option<u32>,
    /// The largest segment that is sent, in bytes.
    pub mss: Option<u32>,
    /// The name of the congestion control, such as `cubic`, filled up with NUL.
    pub cc: Option<[u8; 16]>,
    /// Bytes sent, also those that were sent again.
    pub sent: Option<u64>,
    /// Bytes received.
    pub received: Option<u64>,
    /// Milliseconds since data was received.
    pub last_rx: Option<u32>,
    /// Milliseconds since data was sent.
    pub last_tx: Option<u32>,
    /// Bytes received per second since the previous listing.
    pub rate_in: Option<u64>,
    /// Bytes sent per second since the previous listing.
    pub rate_out: Option<u64>,
}
