//! Decides which source each table is read from: text, netlink, or both.
//!
//! The text of `/proc/net` has every field. But with many sockets it costs more than netlink, and
//! it can lack sockets if it takes more than one read, because the table changes between two reads.
//! netlink tells more about each socket, and gives only the sockets of rnetstat's own network
//! namespace.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::chains::{Chains, PORTS};
use super::sock_diag::{Scope, Wants};
use super::sockstat::{self, Counters, Counts};
use crate::query::Query;
use crate::remark::Remark;
use crate::socket::{Family, Kind, OtherKind, Protocol};

/// How often a table is read at most, if each single reading can miss sockets.
pub(super) const MOST_READINGS: usize = 5;
/// How often a text is read at most. Its pieces are small, so that each reading misses more: beside
/// busy programs 10 of 1,500 raw sockets.
pub(super) const MOST_READINGS_OF_TEXT: usize = 8;
/// How often a table with short hash chains is read at most. It is very unlikely that two readings
/// miss a socket.
const MOST_OF_SHORT_CHAINS: usize = 2;
/// A hash chain with this many sockets is long.
const LONG: u32 = 32;
/// The number of chains in the smallest table of UDP sockets (`UDP_HTABLE_SIZE_MIN`,
/// `include/net/udp.h`), and in that of raw sockets.
const FEWEST_CHAINS: usize = 256;
/// The number of chains of TCP listeners up to Linux 5.18 (`INET_LHTABLE_SIZE`,
/// `include/net/inet_hashtables.h`).
const LISTENER_CHAINS: usize = 32;

/// With at least this many sockets, netlink is read instead of the text.
///
/// netlink is never slower, but below this number it saves only a few milliseconds. Measured with
/// -tuan on two cores of Linux 6.18, netlink and text: 4 ms and 6 ms with 10 sockets, 5 ms and 11
/// ms with 1,000, 11 ms and 27 ms with 5,000, 0.2 s and 1.2 s with 120,000.
const MANY_SOCKETS: u64 = 1000;

/// With fewer sockets, one call returns each table. So no counters are needed, which cost 0.1 ms.
const SEVERAL_CALLS: u64 = 50;

/// The value of `--source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Whichever fits the request and the host.
    Auto,
    /// Only the text of `<root>/net/*`.
    Text,
    /// Netlink, and the text of tables that netlink cannot give.
    Netlink,
}

/// What decides which source the tables are read from.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// The value of `--source`.
    pub source: Source,
    /// What is wanted beside what every source has.
    pub wants: Wants,
    /// `--proc`: the tables are not those of this host.
    pub other_root: bool,
}

/// The decision for all tables of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// Only text.
    Text,
    /// Text, or for many internet sockets netlink. Netlink also adds the sockets that the text lacks,
    /// and is read alone if there is no text.
    ByCount,
    /// Netlink for internet sockets, else as `ByCount`.
    NetlinkFirst,
    /// Netlink; text for tables that netlink cannot give.
    Netlink,
}

impl Policy {
    /// Returns the decision. Fails if `--source netlink` cannot serve the request.
    pub(super) fn new(conditions: Conditions) -> Result<Self, Remark> {
        let Conditions { source, wants, other_root } = conditions;
        Ok(match source {
            Source::Netlink if other_root => return Err(Remark::NetlinkWithProc),
            Source::Netlink => Self::Netlink,
            Source::Text => Self::Text,
            Source::Auto if other_root => Self::Text,
            Source::Auto if wants.facts || wants.tcp => Self::NetlinkFirst,
            Source::Auto => Self::ByCount,
        })
    }

    /// Returns the plan for reading the tables in `directory` now.
    pub(super) fn plan(self, directory: &Path, query: &Query) -> Plan {
        let counts = match self {
            Self::Text => Counts::default(),
            Self::ByCount | Self::NetlinkFirst | Self::Netlink => {
                Counts::read(directory, query).unwrap_or_default()
            }
        };
        let has_many = counts.selected >= MANY_SOCKETS;
        let has_some = counts.selected >= SEVERAL_CALLS;
        let before = if has_some { Counters::read(directory).ok() } else { None };
        Plan {
            policy: self,
            prefers_netlink: self == Self::NetlinkFirst || self == Self::ByCount && has_many,
            // If /proc is mounted with `subset=pid`, there is no `/proc/net`.
            lacks_text: self != Self::Text && is_missing(directory),
            directory: directory.to_owned(),
            counts,
            wants_bound: query.bound,
            before,
        }
    }
}

fn is_missing(directory: &Path) -> bool {
    fs::metadata(directory).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// How one table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// As text. If `checked`, netlink then adds the sockets that the text lacks.
    Text { checked: bool },
    /// By netlink.
    Netlink,
    /// Not at all: only netlink has the table, and the text is asked for.
    Unavailable,
}

/// The sources that have a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sources {
    Both,
    OnlyText,
    OnlyNetlink,
}

impl Sources {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Internet(Protocol::Icmp, _)
            | Kind::Sctp(_)
            | Kind::Other(OtherKind::Packet | OtherKind::Netlink) => Self::OnlyText,
            Kind::Internet(Protocol::Mptcp, _) | Kind::Other(_) => Self::OnlyNetlink,
            Kind::Internet(..) | Kind::Unix => Self::Both,
        }
    }
}

/// The decision for each table in one reading of all tables.
pub(super) struct Plan {
    policy: Policy,
    /// There are many internet sockets, and netlink has not failed so far.
    prefers_netlink: bool,
    /// There is no text at all, and netlink can be read instead.
    lacks_text: bool,
    /// `<root>/net`.
    directory: PathBuf,
    /// The numbers of internet sockets; 0 or unknown if they are not needed.
    counts: Counts,
    /// TCP sockets that are only bound are wanted.
    wants_bound: bool,
    /// The counters before the reading; `None` if they cannot be read, or are not needed.
    before: Option<Counters>,
}

/// A kind of further readings of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Again {
    /// The sockets that are read.
    pub(super) scope: Scope,
    /// How often they are read at most, with the first reading of the table.
    pub(super) most: usize,
}

impl Plan {
    pub(super) fn method(&self, kind: Kind) -> Method {
        let prefers_netlink = match kind {
            // netlink confirms that a table is empty in 0.1 ms. Its text takes 2 ms.
            Kind::Internet(Protocol::Tcp, _) => {
                self.prefers_netlink || self.policy == Policy::ByCount && self.counts.lack_tcp()
            }
            Kind::Internet(..) => self.prefers_netlink,
            Kind::Sctp(_) | Kind::Unix | Kind::Other(_) => false,
        };
        match (Sources::of(kind), self.policy) {
            (Sources::OnlyNetlink, Policy::Text) => return Method::Unavailable,
            (Sources::OnlyNetlink, _) => return Method::Netlink,
            (Sources::OnlyText | Sources::Both, _) => {}
        }
        match self.policy {
            Policy::Netlink => Method::Netlink,
            _ if self.lacks_text => Method::Netlink,
            Policy::Text => Method::Text { checked: false },
            _ if prefers_netlink && Sources::of(kind) == Sources::Both => Method::Netlink,
            Policy::ByCount | Policy::NetlinkFirst => Method::Text { checked: true },
        }
    }

    /// Returns true if a table has no sockets, so that it need not be read: to read an empty table
    /// of TCP takes 2 ms. The kernel adds numbers of several processors, which can change meanwhile,
    /// so that one sum alone can be wrong.
    pub(super) fn is_empty(&self, kind: Kind) -> bool {
        let is_empty = self.counts.is_empty(kind)
            && Counts::read(&self.directory, &Query::default()).is_ok_and(|it| it.is_empty(kind));
        is_empty || self.lacks_protocol(kind)
    }

    /// Returns true if the kernel certainly does not have the protocol of a table, so that it need not
    /// load a module to say so.
    pub(super) fn lacks_protocol(&self, kind: Kind) -> bool {
        let protocol = match kind {
            Kind::Internet(Protocol::Mptcp, Family::Ipv4) => "MPTCP",
            Kind::Internet(Protocol::Mptcp, Family::Ipv6) => "MPTCPv6",
            Kind::Other(OtherKind::Vsock) => "AF_VSOCK",
            _ => return false,
        };
        let protocols = fs::read_to_string(self.directory.join("protocols"));
        let has = |line: &str| line.split(' ').next() == Some(protocol);
        self.policy != Policy::Text && protocols.is_ok_and(|it| !it.lines().any(has))
    }

    /// Returns true if TCP sockets that are only bound are read after this table.
    pub(super) fn lists_bound(&self, kind: Kind) -> bool {
        let is_tcp = matches!(kind, Kind::Internet(Protocol::Tcp, _));
        is_tcp && self.wants_bound && self.policy != Policy::Text
    }

    /// Returns true if a malformed message is just skipped. Else it makes the text be read instead.
    pub(super) fn tolerates_faults(&self) -> bool {
        self.policy == Policy::Netlink
    }

    /// Returns true if this error of netlink means that the text of the table is read instead. If the
    /// error is about more than one table, netlink is not preferred for the following tables.
    pub(super) fn falls_back(&mut self, kind: Kind, error: &io::Error) -> bool {
        if Sources::of(kind) == Sources::OnlyNetlink {
            return false;
        }
        let is_of_one_table =
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported);
        self.prefers_netlink &= is_of_one_table;
        self.counts.forget_tcp();
        is_of_one_table || self.policy != Policy::Netlink
    }

    /// Returns how a table is read again by netlink after a reading that took several calls.
    ///
    /// Between two calls, the kernel remembers its place in a hash chain as a number of sockets. If
    /// some of them go away meanwhile, it skips others.
    pub(super) fn again(&self, kind: Kind, chains: &Chains) -> Vec<Again> {
        let all = Again { scope: Scope::All, most: MOST_READINGS };
        let twice = Again { most: MOST_OF_SHORT_CHAINS, ..all };
        let listeners = Again { scope: Scope::Listeners, ..all };
        let is_tcp = matches!(kind, Kind::Internet(Protocol::Tcp, _));
        let is_quiet = self.is_quiet();
        let has_long = chains.longest >= LONG;
        match (is_tcp, is_quiet) {
            (true, true) if has_long => vec![listeners],
            (true, false) if chains.are_long => vec![all],
            (true, false) if has_long => vec![twice, listeners],
            // No counter shows that one socket came while another went, except for connections.
            (false, _) if has_long || chains.are_long => vec![all],
            (_, true) => vec![],
            (_, false) => vec![twice],
        }
    }

    /// Returns true if the counters are known and the same as when the plan was made.
    fn is_quiet(&self) -> bool {
        let now = Counters::read(&self.directory).ok();
        let is_same = |(before, now): (&Counters, Counters)| before.internet == now.internet;
        self.before.as_ref().zip(now).is_some_and(is_same)
    }

    /// Returns the hash chains of a table, still without sockets.
    pub(super) fn chains(&self, kind: Kind) -> Chains {
        let root = self.directory.parent().unwrap_or(&self.directory);
        let entries = |table| sockstat::chains(root, table);
        match kind {
            Kind::Internet(Protocol::Tcp, _) => {
                let entries = entries("tcp_ehash_entries");
                let are_long = entries.as_ref().is_ok_and(|&chains| chains < self.counts.selected);
                // Kernels without this setting are also those with few chains of listeners.
                Chains::new(are_long, entries.map_or(LISTENER_CHAINS, |_| PORTS))
            }
            Kind::Internet(Protocol::Udp, _) => {
                let entries = entries("udp_hash_entries").ok();
                let chains = entries.and_then(|chains| usize::try_from(chains).ok());
                Chains::new(false, chains.unwrap_or(FEWEST_CHAINS))
            }
            Kind::Internet(Protocol::UdpLite | Protocol::Raw, _) => {
                Chains::new(false, FEWEST_CHAINS)
            }
            Kind::Internet(Protocol::Icmp, _) | Kind::Sctp(_) => Chains::new(false, 0),
            Kind::Internet(Protocol::Mptcp, _) | Kind::Unix | Kind::Other(_) => {
                Chains::new(true, 0)
            }
        }
    }
}

/// Returns true if netlink must cross-check the text of a table. `is_whole` if it was read at once.
pub(super) fn needs_check(kind: Kind, is_whole: bool) -> bool {
    match kind {
        _ if Sources::of(kind) != Sources::Both => false,
        // A newline in the name of a socket can forge rows.
        Kind::Unix => true,
        Kind::Internet(..) | Kind::Sctp(_) | Kind::Other(_) => !is_whole,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::socket::{Endpoint, InternetSocket, Socket, State};

    const CONDITIONS: Conditions = Conditions {
        source: Source::Auto,
        wants: Wants { timers: false, facts: false, tcp: false },
        other_root: false,
    };

    #[test]
    fn source_depends_on_what_is_asked_for() {
        let with = |source, wants| Conditions { source, wants, ..CONDITIONS };
        let timers = Wants { timers: true, ..Wants::default() };
        let facts = Wants { facts: true, ..Wants::default() };
        let other_root = Conditions { other_root: true, ..CONDITIONS };
        for (conditions, expected) in [
            (CONDITIONS, Policy::ByCount),
            (with(Source::Auto, timers), Policy::ByCount),
            (with(Source::Auto, facts), Policy::NetlinkFirst),
            (with(Source::Text, facts), Policy::Text),
            (with(Source::Netlink, facts), Policy::Netlink),
            (other_root, Policy::Text),
        ] {
            assert_eq!(Policy::new(conditions).unwrap(), expected, "{conditions:?}");
        }
    }

    #[test]
    fn netlink_is_refused_if_it_cannot_serve_the_request() {
        let netlink = Conditions { source: Source::Netlink, ..CONDITIONS };
        let refused = Policy::new(Conditions { other_root: true, ..netlink }).unwrap_err();
        assert_eq!(refused.to_string(), Remark::NetlinkWithProc.to_string());
    }

    fn plan(policy: Policy, prefers_netlink: bool, directory: &Path) -> Plan {
        let before = Counters::read(directory).ok();
        let directory = directory.to_owned();
        let mut counts = Counts::default();
        counts.selected = 1000;
        Plan {
            policy,
            prefers_netlink,
            lacks_text: false,
            directory,
            counts,
            wants_bound: false,
            before,
        }
    }

    #[test]
    fn failed_netlink_is_not_preferred_for_further_tables() {
        let tcp = Kind::Internet(Protocol::Tcp, Family::Ipv4);
        let refused = io::ErrorKind::PermissionDenied.into();
        let absent = io::ErrorKind::NotFound.into();
        let mut auto = plan(Policy::ByCount, true, Path::new("/nowhere"));
        assert!(auto.falls_back(tcp, &absent));
        assert_eq!(auto.method(tcp), Method::Netlink);
        assert!(auto.falls_back(tcp, &refused));
        assert_eq!(auto.method(tcp), Method::Text { checked: true });
        let mut netlink = plan(Policy::Netlink, false, Path::new("/nowhere"));
        assert!(netlink.falls_back(tcp, &absent) && !netlink.falls_back(tcp, &refused));
        let vsock = Kind::Other(OtherKind::Vsock);
        assert!(!auto.falls_back(vsock, &absent), "it has no text");
        assert_eq!(netlink.method(tcp), Method::Netlink);
    }

    #[test]
    fn tables_are_read_again_where_a_call_can_end_within_a_changing_chain() {
        type Port = fn(u16) -> u16;
        let root = TempDir::new().unwrap();
        let directory = root.path().join("net");
        let settings = root.path().join("sys/net/ipv4");
        fs::create_dir(&directory).unwrap();
        fs::create_dir_all(&settings).unwrap();
        let put = |opened| {
            fs::write(directory.join("sockstat"), "TCP: inuse 900 orphan 0 tw 0 alloc 1\n")
                .unwrap();
            fs::write(directory.join("snmp"), format!("Tcp: 1 2 3 4 {opened} 0 0 0 9\n")).unwrap();
        };
        put(10);
        let plan = plan(Policy::ByCount, true, &directory);
        let check = |protocol, port: Port, state, expected: &[(Scope, usize)]| {
            let kind = Kind::Internet(protocol, Family::Ipv4);
            let mut chains = plan.chains(kind);
            for number in 0..40 {
                let example = InternetSocket::example();
                let local = Endpoint { port: port(number), ..example.local };
                chains.add(&Socket::Internet(InternetSocket { protocol, local, state, ..example }));
            }
            let again = plan.again(kind, &chains);
            let again: Vec<_> = again.iter().map(|again| (again.scope, again.most)).collect();
            assert_eq!(again, expected, "{protocol:?} {state:?}");
        };
        let (one, each): (Port, Port) = (|_| 443, |number| number);
        let (udp, tcp, raw) = (Protocol::Udp, Protocol::Tcp, Protocol::Raw);
        let (all, twice) = ((Scope::All, 5), (Scope::All, 2));
        let listeners = (Scope::Listeners, 5);
        // A quiet host.
        check(udp, each, State::Close, &[]);
        check(udp, one, State::Close, &[all]);
        check(udp, |number| 256 * number, State::Close, &[all]);
        check(raw, one, State::Close, &[all]);
        check(tcp, one, State::Established, &[]);
        check(tcp, one, State::Listen, &[listeners]);
        check(tcp, each, State::Listen, &[]);
        check(tcp, |number| 32 * number, State::Listen, &[listeners]);
        put(11);
        check(udp, each, State::Close, &[twice]);
        check(udp, one, State::Close, &[all]);
        check(tcp, each, State::Established, &[twice]);
        check(tcp, one, State::Listen, &[twice, listeners]);
        // Since Linux 6.2, the sizes of the tables are known.
        fs::write(settings.join("udp_hash_entries"), "-16384\n").unwrap();
        fs::write(settings.join("tcp_ehash_entries"), "1000\n").unwrap();
        check(udp, |number| 256 * number, State::Close, &[twice]);
        check(tcp, each, State::Established, &[twice]);
        check(tcp, |number| 32 * number, State::Listen, &[twice]);
        fs::write(settings.join("tcp_ehash_entries"), "999\n").unwrap();
        check(tcp, each, State::Established, &[all]);
        put(10);
        check(tcp, each, State::Established, &[]);
        assert_eq!(plan.again(Kind::Unix, &plan.chains(Kind::Unix)).len(), 1);
    }
}
