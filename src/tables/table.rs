//! Which tables there are.

use crate::query::Query;
use crate::socket::{Family, Protocol};

/// One of the kernel's tables of sockets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    /// Its name, which is that of its file below `<root>/net`.
    pub(super) name: &'static str,
    pub(super) holds: Holds,
}

/// The sockets that a table holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Holds {
    Internet(Protocol, Family),
    Unix,
}

/// Every table, in the order in which netstat lists them.
pub(super) const TABLES: [Table; 9] = [
    Table::new("tcp", Protocol::Tcp, Family::Ipv4),
    Table::new("tcp6", Protocol::Tcp, Family::Ipv6),
    Table::new("udp", Protocol::Udp, Family::Ipv4),
    Table::new("udp6", Protocol::Udp, Family::Ipv6),
    Table::new("udplite", Protocol::UdpLite, Family::Ipv4),
    Table::new("udplite6", Protocol::UdpLite, Family::Ipv6),
    Table::new("raw", Protocol::Raw, Family::Ipv4),
    Table::new("raw6", Protocol::Raw, Family::Ipv6),
    Table::UNIX,
];

impl Table {
    /// That of the UNIX sockets.
    pub(super) const UNIX: Self = Self { name: "unix", holds: Holds::Unix };

    const fn new(name: &'static str, protocol: Protocol, family: Family) -> Self {
        Self { name, holds: Holds::Internet(protocol, family) }
    }

    /// Whether `query` asks for sockets of this table.
    pub(super) fn is_wanted(&self, query: &Query) -> bool {
        match self.holds {
            Holds::Internet(protocol, family) => query.includes(protocol, family),
            Holds::Unix => query.unix,
        }
    }

    /// Whether a kernel may do without it, as without IPv6.
    pub(super) fn is_optional(&self) -> bool {
        matches!(
            self.holds,
            Holds::Internet(Protocol::UdpLite, _) | Holds::Internet(_, Family::Ipv6)
        )
    }
}
