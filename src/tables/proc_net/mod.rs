//! The text of `<root>/net/*`: which tables there are, and what their lines mean.

mod fields;
mod internet;
pub(super) mod lines;
mod unix;

pub use fields::Fault;

use super::Row;
use crate::query::Query;
use crate::socket::{Family, Protocol};

/// One of the kernel's tables of sockets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    /// Its file, below `<root>/net`.
    pub(super) file: &'static str,
    pub(super) holds: Holds,
}

/// The sockets that a table holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Holds {
    Internet(Protocol, Family),
    Unix,
}

impl Table {
    const fn new(file: &'static str, protocol: Protocol, family: Family) -> Self {
        Self { file, holds: Holds::Internet(protocol, family) }
    }
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
    Table { file: "unix", holds: Holds::Unix },
];

impl Table {
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

    /// Whether this line is the heading that the kernel prints above the rows.
    pub(super) fn is_heading(&self, line: &[u8]) -> bool {
        match self.holds {
            Holds::Internet(..) => internet::is_heading(line),
            Holds::Unix => unix::is_heading(line),
        }
    }

    /// Parses one row.
    ///
    /// # Errors
    ///
    /// A [`Fault`] when the line is no row.
    pub(super) fn parse(&self, line: &[u8]) -> Result<Row, Fault> {
        match self.holds {
            Holds::Internet(protocol, family) => {
                internet::parse(protocol, family, line).map(Row::Internet)
            }
            Holds::Unix => unix::parse(line).map(Row::Unix),
        }
    }
}
