//! The number of sockets, from `<root>/net/sockstat` and `sockstat6`, and the number of connections
//! that were opened, from `<root>/net/snmp` (`net/ipv4/proc.c`).
//!
//! ```text
//! TCP: inuse 27 orphan 0 tw 3 alloc 30 mem 3
//! UDP: inuse 4 mem 2
//!
//! Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs …
//! Tcp: 1 200 120000 -1 67 4 0 38 0 15345 …
//! ```

use std::io;
use std::ops::Range;
use std::path::Path;

use crate::files;
use crate::number::decimal;
use crate::query::Query;
use crate::socket::{Family, Kind, Protocol};

/// The maximum number of bytes read of a file. The files of the kernel have a few hundred.
const LONGEST: usize = 4096;

/// How many internet sockets there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// The sockets in the selected tables, also those in `TIME_WAIT`.
    pub(super) selected: u64,
    /// The TCP sockets of IPv4 and of IPv6, without those in `TIME_WAIT`; `None` if unknown.
    tcp: [Option<u64>; 2],
    /// The TCP sockets in `TIME_WAIT` of both families; `None` if unknown.
    time_wait: Option<u64>,
}

impl Counts {
    /// Counts the sockets. Fails if `sockstat` cannot be read. `sockstat6` may be missing, as on a
    /// kernel without IPv6.
    pub(super) fn read(directory: &Path, query: &Query) -> io::Result<Self> {
        let mut counts = Self::default();
        let mut add = |file| -> io::Result<()> {
            let mut buffer = [0; LONGEST];
            let text = files::read_start(&directory.join(file), &mut buffer)?;
            text.split(|&byte| byte == b'\n').for_each(|line| counts.add(line, query));
            Ok(())
        };
        add("sockstat")?;
        let _ = add("sockstat6");
        Ok(counts)
    }

    fn add(&mut self, line: &[u8], query: &Query) {
        let mut words = line.split(|&byte| byte == b' ');
        let Some(label) = words.next().and_then(|word| word.strip_suffix(b":")) else { return };
        let (mut in_use, mut time_wait) = (None, None);
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            match name {
                b"inuse" => in_use = decimal(value),
                b"tw" => time_wait = decimal(value),
                _ => {}
            }
        }
        match label {
            b"TCP" => (self.tcp[0], self.time_wait) = (in_use, time_wait),
            b"TCP6" => self.tcp[1] = in_use,
            _ => {}
        }
        let mut wanted = Kind::all().filter(|&kind| query.includes(kind));
        if wanted.any(|kind| kind.table().as_bytes().eq_ignore_ascii_case(label)) {
            for number in [in_use, time_wait].into_iter().flatten() {
                self.selected = self.selected.saturating_add(number);
            }
        }
    }

    /// Returns true if this table is a table of TCP without sockets, but the other one has some: a
    /// system that only imitates the kernel can print 0 for both. Connections that are being opened
    /// are not counted, but their listeners are.
    pub(super) fn is_empty(&self, kind: Kind) -> bool {
        let [ipv4, ipv6] = self.tcp;
        let (own, other) = match kind {
            Kind::Internet(Protocol::Tcp, Family::Ipv4) => (ipv4, ipv6),
            Kind::Internet(Protocol::Tcp, Family::Ipv6) => (ipv6, ipv4),
            Kind::Internet(..) | Kind::Sctp(_) | Kind::Unix | Kind::Other(_) => return false,
        };
        own == Some(0) && self.time_wait == Some(0) && other.is_some_and(|it| it > 0)
    }

    /// Takes the numbers of TCP sockets for unknown.
    pub(super) fn forget_tcp(&mut self) {
        self.tcp = [None; 2];
    }

    /// Returns true if there are no TCP sockets at all, unless a system only imitates the kernel.
    pub(super) fn lack_tcp(&self) -> bool {
        self.tcp == [Some(0); 2] && self.time_wait == Some(0)
    }
}

/// What the kernel counts about sockets. If two readings are equal, no TCP connection was opened or
/// closed between them, and as many other sockets were opened as closed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    /// The numbers of internet sockets, and of TCP connections that were opened and closed.
    pub(super) internet: Vec<Vec<u8>>,
    /// The number of sockets of every kind, also those of rnetstat.
    used: Vec<u8>,
}

impl Counters {
    /// Reads the counters in `<root>/net`. Fails if `sockstat` or `snmp` cannot be read. Without
    /// IPv6 there is no `sockstat6`.
    pub(crate) fn read(directory: &Path) -> io::Result<Self> {
        let mut counters = Vec::new();
        let mut add = |file, words: fn(&[u8]) -> Range<usize>| -> io::Result<()> {
            let mut buffer = [0; LONGEST];
            let text = files::read_start(&directory.join(file), &mut buffer)?;
            for line in text.split(|&byte| byte == b'\n') {
                let words = words(line);
                let line = line.split(|&byte| byte == b' ');
                counters.extend(line.skip(words.start).take(words.len()).map(<[u8]>::to_vec));
            }
            Ok(())
        };
        // Not the memory.
        let sockets = |line: &[u8]| if line.starts_with(b"TCP: ") { 1..9 } else { 1..3 };
        add("sockstat", sockets)?;
        let _ = add("sockstat6", sockets);
        // From ActiveOpens to CurrEstab.
        add("snmp", |line| if line.starts_with(b"Tcp: ") { 5..10 } else { 0..0 })?;
        // The first line is `sockets: used 123`.
        let used: Vec<_> = counters.drain(..counters.len().min(2)).collect();
        Ok(Self { internet: counters, used: used.concat() })
    }
}

/// Returns the number of hash chains in a table of the kernel, `tcp_ehash_entries` or
/// `udp_hash_entries` (`Documentation/networking/ip-sysctl.rst`). A network namespace can have its
/// own table, which can be small. Fails before Linux 6.2.
pub(super) fn chains(root: &Path, table: &str) -> io::Result<u64> {
    let mut buffer = [0; 32];
    let file = root.join("sys/net/ipv4").join(table);
    let text = files::read_start(&file, &mut buffer)?.trim_ascii();
    // A minus sign means that this namespace shares the table of the first one.
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    decimal(digits).ok_or(io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn only_selected_sockets_are_counted() {
        let directory = TempDir::new().unwrap();
        let put = |file, text| fs::write(directory.path().join(file), text).unwrap();
        let kinds = |protocol, families: &[Family]| -> Vec<Kind> {
            families.iter().map(|&family| Kind::Internet(protocol, family)).collect()
        };
        let tcp = kinds(Protocol::Tcp, &[Family::Ipv4, Family::Ipv6]);
        let udp4 = kinds(Protocol::Udp, &[Family::Ipv4]);
        let both = [&tcp[..], &kinds(Protocol::Udp, &[Family::Ipv4, Family::Ipv6])].concat();
        let count = |kinds: &Vec<Kind>| {
            let kinds = [&kinds[..], &[Kind::Unix]].concat();
            let query = Query { kinds, ..Query::default() };
            Counts::read(directory.path(), &query).ok().map(|counts| counts.selected)
        };
        assert_eq!(count(&tcp), None);
        put(
            "sockstat",
            "sockets: used 500\nTCP: inuse 27 orphan 1000 tw 300 alloc 3000 mem 3\n\
             UDP: inuse 5 mem 2000\nUDPLITE: inuse 40\nRAW: inuse 60\nFRAG: inuse 0 memory 0\n",
        );
        assert_eq!([&tcp, &udp4, &both].map(count), [Some(327), Some(5), Some(332)]);
        put("sockstat6", "TCP6: inuse 7000\nUDP6: inuse 90000\nRAW6: inuse 1\n");
        assert_eq!([&tcp, &udp4, &both].map(count), [Some(7327), Some(5), Some(97332)]);
        put("sockstat", "TCP: inuse 18446744073709551615 tw 1\nTCP: inuse x tw\n\0:\n: :\n");
        assert_eq!([&tcp, &udp4].map(count), [Some(u64::MAX), Some(0)]);
    }

    #[test]
    fn table_of_tcp_is_empty_if_only_the_other_one_has_sockets() {
        let directory = TempDir::new().unwrap();
        for (ipv4, ipv6, empty) in [
            ("TCP: inuse 2 orphan 0 tw 0", "TCP6: inuse 0", Some(Family::Ipv6)),
            ("TCP: inuse 0 orphan 0 tw 0", "TCP6: inuse 2", Some(Family::Ipv4)),
            ("TCP: inuse 2 orphan 0 tw 1", "TCP6: inuse 0", None),
            ("TCP: inuse 2 orphan 0", "TCP6: inuse 0", None),
            ("TCP: inuse 2 orphan 0 tw 0", "TCP6: inuse", None),
            ("TCP: inuse 2 orphan 0 tw 0", "UDP6: inuse 0", None),
            ("TCP: inuse 0 orphan 0 tw 0", "TCP6: inuse 0", None),
            ("TCP: inuse 1 orphan 0 tw 0", "TCP6: inuse 2", None),
        ] {
            fs::write(directory.path().join("sockstat"), ipv4).unwrap();
            fs::write(directory.path().join("sockstat6"), ipv6).unwrap();
            let counts = Counts::read(directory.path(), &Query::default()).unwrap();
            for family in [Family::Ipv4, Family::Ipv6] {
                let is_empty = counts.is_empty(Kind::Internet(Protocol::Tcp, family));
                assert_eq!(is_empty, empty == Some(family), "{ipv4}; {ipv6}");
                assert!(!counts.is_empty(Kind::Internet(Protocol::Udp, family)));
            }
        }
    }

    #[test]
    fn counters_show_every_connection_that_was_opened_or_closed() {
        const SOCKETS: &str = "sockets: used 9\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 5\n\
                               UDP: inuse 6 mem 7\nFRAG: inuse 0 memory 0\n";
        const SNMP: &str = "Ip: 1 2 3 4 5 6 7 8\nTcp: 1 200 120000 -1 11 12 13 14 15 16 17\n";
        let directory = TempDir::new().unwrap();
        let counters = |file: &str, text: &str| {
            fs::write(directory.path().join("sockstat"), SOCKETS).unwrap();
            fs::write(directory.path().join("snmp"), SNMP).unwrap();
            fs::write(directory.path().join(file), text).unwrap();
            Counters::read(directory.path()).unwrap()
        };
        let before = counters("snmp", SNMP);
        let used = counters("sockstat", &SOCKETS.replace("used 9", "used 8"));
        assert!(used != before && used.internet == before.internet);
        for (from, to) in [("mem 5", "mem 50"), ("mem 7", "mem 8")] {
            assert_eq!(counters("sockstat", &SOCKETS.replace(from, to)), before, "{to}");
        }
        for (from, to) in [(" 16 ", " 99 "), (" 17", " 99")] {
            assert_eq!(counters("snmp", &SNMP.replace(from, to)), before, "{to}");
        }
        for number in ["inuse 1", "orphan 2", "tw 3", "alloc 4", "inuse 6"] {
            let changed = counters("sockstat", &SOCKETS.replace(number, &format!("{number}0")));
            assert_ne!(changed, before, "{number}");
        }
        for number in [" 11 ", " 12 ", " 13 ", " 14 ", " 15 "] {
            let changed = counters("snmp", &SNMP.replace(number, " 99 "));
            assert_ne!(changed, before, "{number}");
        }
        assert_ne!(counters("sockstat6", "TCP6: inuse 1\n"), before);
        fs::remove_file(directory.path().join("snmp")).unwrap();
        assert!(Counters::read(directory.path()).is_err());
    }
}
