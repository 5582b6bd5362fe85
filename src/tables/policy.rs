//! Decides which source each table is read from: text, netlink, or both.
//!
//! The text of `/proc/net` has every field. But with many sockets it costs more than netlink, and
//! it can lack sockets if it takes more than one read, because the table changes between two reads.
//! netlink does not give timers as `-o` shows them, and gives only the sockets of rnetstat's own
//! network namespace.

use std::io;
use std::path::Path;

use super::sockstat;
use crate::query::Query;
use crate::remark::Remark;
use crate::socket::Kind;

/// How often a table is read at most, if each single reading can miss sockets.
pub(super) const MOST_READINGS: usize = 5;

/// With at least this many sockets, netlink is read instead of the text.
///
/// netlink is never slower, but below this number it saves only a few milliseconds. Measured with
/// -tuan on two cores of Linux 6.18, netlink and text: 4 ms and 6 ms with 10 sockets, 5 ms and 11
/// ms with 1,000, 11 ms and 27 ms with 5,000, 0.2 s and 1.2 s with 120,000.
const MANY_SOCKETS: u64 = 1000;

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

/// The need for timers, which are read only from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timers {
    /// No timers are shown or sorted by.
    Unneeded,
    /// Timers are shown if they are known.
    Wanted,
    /// `-o` asks for timers.
    Required,
}

/// What decides which source the tables are read from.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// The value of `--source`.
    pub source: Source,
    /// The need for timers.
    pub timers: Timers,
    /// `--proc`: the tables are not those of this host.
    pub other_root: bool,
    /// `--netns`: the sockets of other network namespaces are listed.
    pub other_namespaces: bool,
}

/// The decision for all tables of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// Only text.
    Text,
    /// Text; netlink adds the sockets that the text lacks.
    TextFirst,
    /// Netlink for internet sockets if there are many, else as `TextFirst`.
    ByCount,
    /// Netlink; text for tables that netlink cannot give.
    Netlink,
}

impl Policy {
    /// Returns the decision. Fails if `--source netlink` cannot serve the request.
    pub(super) fn new(conditions: Conditions) -> Result<Self, Remark> {
        let Conditions { source, timers, other_root, other_namespaces } = conditions;
        let unfit = if other_root {
            Some(Remark::NetlinkWithProc)
        } else if timers == Timers::Required {
            Some(Remark::NetlinkWithTimers)
        } else if other_namespaces {
            Some(Remark::NetlinkWithNetns)
        } else {
            None
        };
        Ok(match (source, unfit) {
            (Source::Netlink, Some(unfit)) => return Err(unfit),
            (Source::Netlink, None) => Self::Netlink,
            (Source::Text, _) => Self::Text,
            (Source::Auto, _) if other_root => Self::Text,
            (Source::Auto, None) if timers == Timers::Unneeded => Self::ByCount,
            (Source::Auto, _) => Self::TextFirst,
        })
    }

    /// Returns the plan for reading the tables in `directory` now.
    pub(super) fn plan(self, directory: &Path, query: &Query) -> Plan {
        let has_many =
            || sockstat::count(directory, query).is_ok_and(|count| count >= MANY_SOCKETS);
        Plan { policy: self, prefers_netlink: self == Self::ByCount && has_many() }
    }
}

/// How one table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// As text. If `checked`, netlink then adds the sockets that the text lacks.
    Text { checked: bool },
    /// By netlink.
    Netlink,
}

/// The decision for each table in one reading of all tables.
pub(super) struct Plan {
    policy: Policy,
    /// There are many internet sockets, and netlink has not failed so far.
    prefers_netlink: bool,
}

impl Plan {
    pub(super) fn method(&self, kind: Kind) -> Method {
        let prefers_netlink = match kind {
            Kind::Internet(..) => self.prefers_netlink,
            Kind::Unix => false,
        };
        match self.policy {
            Policy::Netlink => Method::Netlink,
            Policy::ByCount if prefers_netlink => Method::Netlink,
            Policy::ByCount | Policy::TextFirst => Method::Text { checked: true },
            Policy::Text => Method::Text { checked: false },
        }
    }

    /// Returns true if a malformed message is just skipped. Else it makes the text be read instead.
    pub(super) fn tolerates_faults(&self) -> bool {
        self.policy == Policy::Netlink
    }

    /// Returns true if this error of netlink means that the text is read instead. If the error is
    /// about more than one table, netlink is not preferred for the following tables.
    pub(super) fn falls_back(&mut self, error: &io::Error) -> bool {
        let is_of_one_table =
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported);
        self.prefers_netlink &= is_of_one_table;
        is_of_one_table || self.policy != Policy::Netlink
    }
}

/// Returns true if netlink must cross-check the text of a table. `is_whole` if it was read at once.
pub(super) fn needs_check(kind: Kind, is_whole: bool) -> bool {
    match kind {
        Kind::Internet(..) => !is_whole,
        // A newline in the name of a socket can forge rows.
        Kind::Unix => true,
    }
}

/// Returns true if a table is read several times by netlink.
pub(super) fn repeats_dump(kind: Kind) -> bool {
    match kind {
        Kind::Internet(..) => false,
        // The kernel keeps UNIX sockets in a few long hash chains. Between two parts of a dump it
        // remembers its place in a chain as a number of sockets. If some go away, it skips others.
        Kind::Unix => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::{Family, Protocol};

    const CONDITIONS: Conditions = Conditions {
        source: Source::Auto,
        timers: Timers::Unneeded,
        other_root: false,
        other_namespaces: false,
    };

    #[test]
    fn source_depends_on_what_is_asked_for() {
        let with = |source, timers| Conditions { source, timers, ..CONDITIONS };
        let other_root = Conditions { other_root: true, ..CONDITIONS };
        let other_namespaces = Conditions { other_namespaces: true, ..CONDITIONS };
        for (conditions, expected) in [
            (CONDITIONS, Policy::ByCount),
            (with(Source::Auto, Timers::Wanted), Policy::TextFirst),
            (with(Source::Auto, Timers::Required), Policy::TextFirst),
            (with(Source::Text, Timers::Unneeded), Policy::Text),
            (with(Source::Netlink, Timers::Wanted), Policy::Netlink),
            (other_root, Policy::Text),
            (other_namespaces, Policy::TextFirst),
        ] {
            assert_eq!(Policy::new(conditions).unwrap(), expected, "{conditions:?}");
        }
    }

    #[test]
    fn netlink_is_refused_if_it_cannot_serve_the_request() {
        let netlink = Conditions { source: Source::Netlink, ..CONDITIONS };
        for (conditions, reason) in [
            (Conditions { other_root: true, ..netlink }, Remark::NetlinkWithProc),
            (Conditions { timers: Timers::Required, ..netlink }, Remark::NetlinkWithTimers),
            (Conditions { other_namespaces: true, ..netlink }, Remark::NetlinkWithNetns),
        ] {
            let refused = Policy::new(conditions).unwrap_err();
            assert_eq!(refused.to_string(), reason.to_string());
        }
    }

    #[test]
    fn failed_netlink_is_not_preferred_for_further_tables() {
        let tcp = Kind::Internet(Protocol::Tcp, Family::Ipv4);
        let refused = io::ErrorKind::PermissionDenied.into();
        let absent = io::ErrorKind::NotFound.into();
        let mut plan = Plan { policy: Policy::ByCount, prefers_netlink: true };
        assert!(plan.falls_back(&absent));
        assert_eq!(plan.method(tcp), Method::Netlink);
        assert!(plan.falls_back(&refused));
        assert_eq!(plan.method(tcp), Method::Text { checked: true });
        let mut plan = Plan { policy: Policy::Netlink, prefers_netlink: false };
        assert!(plan.falls_back(&absent) && !plan.falls_back(&refused));
        assert_eq!(plan.method(tcp), Method::Netlink);
    }
}
