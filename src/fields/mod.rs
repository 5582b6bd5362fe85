//! The fields: everything that rnetstat can show about a listed socket. Each is described once.
//!
//! The columns of the table and of csv, the keys of `--sort` with their completions and help, and
//! what has to be gathered for a listing all follow from these descriptions.

mod groups;
mod owner;
mod socket;
mod tcp;
mod timer;
mod value;

use std::cmp::Reverse;
use std::net::IpAddr;

use crate::listing::{Entry, Listing};
use crate::owners::Owner;
use crate::query::Scope;
use crate::socket::{End, Kind};
pub use groups::{Column, Gauge, Group, Grouping, Groups, Sums};
pub(crate) use groups::{Members, USUAL_SUMS};
pub(crate) use owner::*;
pub(crate) use socket::*;
pub(crate) use tcp::*;
pub use timer::ShownTimer;
pub use value::Value;

/// Every field, in the order of the columns of csv.
#[rustfmt::skip]
pub static ALL: [&Field; 47] = [
    &PROTO, &TYPE, &STATE, &RECV_Q, &SEND_Q, &LOCAL, &FOREIGN, &SRC, &SPORT, &DST, &DPORT,
    &USER, &INODE, &TIMER, &DROPS, &FLAGS, &REFERENCES, &PATH, &NETNS,
    &PID, &PROGRAM, &COMMAND, &PROCESS_USER, &FD, &UNIT, &CONTAINER, &CGROUP, &CWD, &INTERFACE, &BACKLOG, &IPV6_ONLY, &MPTCP,
    &RTT, &RTT_VAR, &MIN_RTT, &CWND, &RETRANS, &LOST, &MSS, &CC, &SENT, &RECEIVED, &LAST_RX, &LAST_TX,
    &RATE_IN, &RATE_OUT, &PEER,
];

/// The fields that csv has only if they are asked for: the parts of `local` and `foreign`, and how
/// connections are doing.
#[rustfmt::skip]
pub(crate) static ON_REQUEST: [&Field; 18] = [
    &SRC, &SPORT, &DST, &DPORT, &RTT, &RTT_VAR, &MIN_RTT, &CWND, &RETRANS, &LOST, &MSS, &CC, &SENT,
    &RECEIVED, &LAST_RX, &LAST_TX, &RATE_IN, &RATE_OUT,
];

/// A property of a listed socket, or of one of its owners.
#[derive(Debug)]
pub struct Field {
    /// The name on the command line.
    pub key: &'static str,
    /// The heading of the column.
    pub title: &'static str,
    /// The alignment of the values in the column.
    pub align: Align,
    /// The values are text that another process chose, of any length.
    pub is_text: bool,
    /// The order in which a narrow table hides columns: the highest number first, 0 never. A column
    /// with priority 1 is hidden only if shortened addresses do not make enough room.
    pub priority: u8,
    /// What must be gathered before the value is known.
    pub needs: Needs,
    /// Returns the value for a socket.
    pub value: for<'a> fn(&Subject<'a>) -> Value<'a>,
    /// The names of its columns in csv.
    pub csv: &'static [&'static str],
    /// The gauge with the sum of its values; `None` if they cannot be added up.
    pub gauge: Option<Gauge>,
}

impl Field {
    /// Returns true if only netlink tells the value.
    pub(crate) fn is_only_by_netlink(&self) -> bool {
        // The text has the local address, and the devices of packet sockets.
        self.needs.include(Needs::FACTS) && ![&LOCAL, &INTERFACE].contains(&self)
    }

    /// Returns true if the value is known only from the second listing on.
    pub(crate) fn needs_repeat(&self) -> bool {
        [&RATE_IN, &RATE_OUT].contains(&self)
    }
}

/// Each field has its own key.
impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Field {}

/// Returns a field that needs nothing, is never hidden, and has no columns of csv.
const fn field(
    key: &'static str,
    title: &'static str,
    value: for<'a> fn(&Subject<'a>) -> Value<'a>,
) -> Field {
    let (align, priority, needs) = (Align::Left, 0, Needs(0));
    Field { key, title, align, is_text: false, priority, needs, value, csv: &[], gauge: None }
}

/// The input of [`Field::value`]: a listed socket, and one of its owners.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The socket.
    pub entry: Entry<'a>,
    /// The owner; `None` if the socket has none, or none is known.
    pub owner: Option<Owner<'a>>,
}

impl<'a> Subject<'a> {
    /// A listed socket, with the owner to take where only one is shown or compared.
    pub fn new(entry: Entry<'a>) -> Self {
        Self { entry, owner: entry.owners.first() }
    }
}

/// The alignment of a value in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// For text.
    Left,
    /// For numbers.
    Right,
}

/// A set of things to gather besides the sockets themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs(u16);

impl Needs {
    /// The owners of the sockets, and their command lines as they are shown.
    pub const OWNERS: Self = Self(1);
    /// The owners, and their command lines as they are searched.
    pub const SEARCHED_COMMANDS: Self = Self::OWNERS.and(Self(2));
    /// The owners, and the users that they run as.
    pub const PROCESS_USERS: Self = Self::OWNERS.and(Self(4));
    /// The other ends of the connections, and their owners.
    pub const PEERS: Self = Self::OWNERS.and(Self(8));
    /// The timers of the sockets.
    pub const TIMERS: Self = Self(16);
    /// The namespaces of the sockets.
    pub const NAMESPACES: Self = Self(32);
    /// The owners, and what they belong to.
    pub const SERVICES: Self = Self::OWNERS.and(Self(64));
    /// The owners, and their working directories.
    pub const DIRECTORIES: Self = Self::OWNERS.and(Self(128));
    /// The owners, and their ancestors.
    pub const ANCESTORS: Self = Self::OWNERS.and(Self(256));

    /// What only netlink tells about sockets.
    pub const FACTS: Self = Self(512);
    /// How TCP connections are doing.
    pub const TCP: Self = Self::FACTS.and(Self(1024));

    /// Returns the needs of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns true if this set has all needs of `other`.
    pub const fn include(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The order of the sockets in each section of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the kernel lists them.
    #[default]
    Kernel,
    /// By protocol; servers before connections; by the port on this host, the address, and the other end.
    People,
    /// By these fields, the most significant first; `true` means in descending order.
    Fields(Vec<(&'static Field, bool)>),
}

impl Order {
    /// The fields that the order needs.
    pub fn fields(&self) -> &[(&'static Field, bool)] {
        match self {
            Self::Kernel | Self::People => &[],
            Self::Fields(fields) => fields,
        }
    }

    /// Sorts a listing. Sockets that are equal in this order keep theirs.
    pub fn sort(&self, listing: &mut Listing) {
        if let Self::People = self {
            listing.sort_by_key(for_people, false);
        }
        for &(field, is_descending) in self.fields().iter().rev() {
            let rank = |entry: &Entry<'_>| (field.value)(&Subject::new(*entry)).rank().into_owned();
            listing.sort_by_key(rank, is_descending);
        }
    }

    /// Sorts rows that each have a socket, all sections together. Rows that are equal in all fields
    /// keep their order.
    pub fn sort_rows<'a, T>(&self, rows: &mut [T], entry: impl Fn(&T) -> Entry<'a>) {
        if let Self::People = self {
            rows.sort_by_cached_key(|row| for_people(&entry(row)));
        }
        for &(field, is_descending) in self.fields().iter().rev() {
            let rank = |row: &T| (field.value)(&Subject::new(entry(row))).rank();
            if is_descending {
                rows.sort_by_cached_key(|row| Reverse(rank(row)));
            } else {
                rows.sort_by_cached_key(rank);
            }
        }
    }
}

/// The port and the address of an end.
type Place = (u32, Option<IpAddr>);

/// Returns the place of a socket in [`Order::People`].
fn for_people(entry: &Entry<'_>) -> (Option<usize>, bool, [Place; 2]) {
    let kind = Kind::all().position(|kind| kind == entry.socket.kind());
    let is_connection = !Scope::Listening.includes(entry.socket);
    let ends = [entry.socket.local(), entry.socket.remote()];
    (kind, is_connection, ends.map(place))
}

fn place(end: Option<End<'_>>) -> Place {
    match end {
        Some(End::Internet(_, end)) => (end.port.into(), Some(end.address)),
        Some(End::Sctp(end)) => (end.port.into(), Some(end.address)),
        Some(End::Other(end)) => (end.port.unwrap_or(0), None),
        Some(End::Path(_)) | None => (0, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_csv_columns_are_unique() {
        let mut keys: Vec<_> = ALL.iter().map(|field| field.key).collect();
        let mut columns: Vec<_> = ALL.iter().flat_map(|field| field.csv).copied().collect();
        for names in [&mut keys, &mut columns] {
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{names:?}");
        }
    }
}
