//! The byte order of the host that printed a table. The kernel prints an address as words in it.
//!
//! The tables do not name the byte order, but the same digits are plausible addresses in one order
//! only: `0100007F` is 127.0.0.1 from a little-endian host, and 1.0.0.127 from a big-endian one.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use super::internet::{endpoint, is_heading};
use super::lines::{self, Line};
use super::{LONGEST_LINE, Words};
use crate::files;
use crate::socket::{Family, Kind};

/// The byte order of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The byte order of this host.
    pub const OWN: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Little => "little",
            Self::Big => "big",
        }
    }

    /// Returns the bytes that a word had in the kernel's memory. The text has its value.
    pub(super) fn bytes(self, word: u32) -> [u8; 4] {
        match self {
            Self::Little => word.to_le_bytes(),
            Self::Big => word.to_be_bytes(),
        }
    }

    /// Returns the byte order of the host that printed the tables in a directory, judged by their
    /// addresses. Each address counts once: a server can have thousands of connections with its own.
    /// `None` if both orders are about as plausible. Files that cannot be read do not count.
    pub(in crate::tables) fn detect(directory: &Path) -> Option<Self> {
        let mut buffer = vec![0; LONGEST_LINE];
        let mut seen = HashSet::new();
        let mut lead = 0;
        for kind in Kind::all() {
            let Kind::Internet(_, family) = kind else { continue };
            let Ok(file) = files::open(&directory.join(kind.table())) else { continue };
            let _ = lines::for_each(file, &mut buffer, |_, line| match line {
                Line::Whole(text) if !is_heading(text) => {
                    lead += lead_of_big(family, text, &mut seen);
                }
                Line::Whole(_) | Line::TooLong => {}
            });
        }
        match lead {
            // Such as one public address that ends in 10, which is 10.0.0.0/8 in the other order.
            0 | 1 => None,
            2.. => Some(Self::Big),
            _ => Some(Self::Little),
        }
    }
}

/// Returns by how much the addresses of a row are more plausible if a big-endian host printed them.
/// Adds them to those that were `seen`, which count no more.
fn lead_of_big(family: Family, line: &[u8], seen: &mut HashSet<IpAddr>) -> i64 {
    let mut words = Words(line);
    let mut lead = 0;
    if words.next("slot", Some).is_ok() {
        for _ in 0..2 {
            let Ok(text) = words.next("address", Some) else { break };
            let address = |order| endpoint(family, order, text).map(|end| end.address);
            if let (Some(big), Some(little)) = (address(ByteOrder::Big), address(ByteOrder::Little))
                && seen.insert(little)
            {
                lead += plausibility(big) - plausibility(little);
            }
        }
    }
    lead
}

/// Returns how plausible an address is for a socket.
fn plausibility(address: IpAddr) -> i64 {
    match address {
        IpAddr::V4(address) if address == Ipv4Addr::LOCALHOST => 8,
        IpAddr::V4(address) if address.is_unspecified() || address.is_broadcast() => 0,
        IpAddr::V4(address) => match address.octets() {
            [192, 168, ..] | [127, 0, 0, _] => 3,
            // The first three are the networks for examples.
            [192, 0, 2, _]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [172, 16..32, ..]
            | [169, 254, ..]
            | [224, 0, 0, _] => 2,
            [10 | 127, ..] | [100, 64..128, ..] => 1,
            // No host has these addresses.
            [0 | 240.., ..] => -2,
            _ => 0,
        },
        IpAddr::V6(address) if address == Ipv6Addr::LOCALHOST => 8,
        IpAddr::V6(address) if address.is_unspecified() => 0,
        IpAddr::V6(address) => match address.segments() {
            [0, 0, 0, 0, 0, 0xffff, ..] | [0xfe80, 0, 0, 0, ..] => 8,
            // Global unicast, unique local, link-local and multicast addresses.
            [0x2000..0x4000 | 0xfc00..0xfe00 | 0xfe80..0xfec0 | 0xff00.., ..] => 1,
            _ => -1,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn byte_order_is_judged_by_the_addresses() {
        const UNSET: &str = "00000000000000000000000000000000";
        for (table, addresses, order) in [
            ("tcp", &["0100007F"][..], Some(ByteOrder::Little)),
            ("udp", &["7F000001"], Some(ByteOrder::Big)),
            ("tcp", &["00000000", "FFFFFFFF"], None),
            ("tcp", &["0A00000A", "08080808"], None),
            ("raw", &["C0A80105", "08080404"], Some(ByteOrder::Big)),
            ("tcp", &["0501A8C0", "04040808"], Some(ByteOrder::Little)),
            // 5.13.12.10 in the other order is 10.12.13.5.
            ("tcp", &["0A0C0D05", "0A0C0D05", "0A0C0D05"], None),
            ("tcp", &["0A0C0D05", "0A0C0D06"], Some(ByteOrder::Big)),
            ("tcp", &["0A0200C0", "140200C0"], Some(ByteOrder::Little)),
            // One address that misleads does not outweigh the others.
            ("tcp", &["7F000001", "C0A80101", "0A00A8C0"], Some(ByteOrder::Big)),
            ("udp6", &["00000000000000000000000000000001", UNSET], Some(ByteOrder::Big)),
            ("udp6", &["00000000000000000000000001000000"], Some(ByteOrder::Little)),
            ("tcp6", &["00000000000000000000FFFF05060708"], Some(ByteOrder::Big)),
            ("tcp6", &["0000000000000000FFFF000008070605"], Some(ByteOrder::Little)),
            ("udplite6", &["FE80000000000000020102FFFE030405"], Some(ByteOrder::Big)),
            ("raw6", &["000080FE00000000FF020102050403FE"], Some(ByteOrder::Little)),
            ("tcp6", &["20010DB8000000000000000000000001"], Some(ByteOrder::Big)),
            ("tcp6", &["B80D0120000000000000000001000000"], Some(ByteOrder::Little)),
            ("tcp6", &[UNSET], None),
            ("tcp", &["7F00001", "rubbish"], None),
        ] {
            let directory = TempDir::new().unwrap();
            let mut text = "  sl  local_address rem_address   st\n".to_owned();
            for address in addresses {
                let unset = "0".repeat(address.len());
                writeln!(text, "   0: {address}:0016 {unset}:0000 0A 0:0").unwrap();
            }
            fs::write(directory.path().join(table), text).unwrap();
            assert_eq!(ByteOrder::detect(directory.path()), order, "{table} {addresses:?}");
        }
        assert_eq!(ByteOrder::detect(Path::new("/nonexistent")), None);
    }
}
