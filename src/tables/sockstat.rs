//! The number of sockets, from `<root>/net/sockstat` and `sockstat6` (`net/ipv4/proc.c`).
//!
//! ```text
//! TCP: inuse 27 orphan 0 tw 3 alloc 30 mem 3
//! UDP: inuse 4 mem 2
//! ```

use std::io;
use std::path::Path;

use crate::files;
use crate::number::decimal;
use crate::query::Query;
use crate::socket::Kind;

/// The maximum number of bytes read of a file. The files of the kernel have a few hundred.
const LONGEST: usize = 4096;

/// Counts the internet sockets in the tables that `query` includes, also those in `TIME_WAIT`.
/// Fails if `sockstat` cannot be read. `sockstat6` may be missing, as on a kernel without IPv6.
pub(super) fn count(directory: &Path, query: &Query) -> io::Result<u64> {
    let count = |file| -> io::Result<u64> {
        let mut buffer = [0; LONGEST];
        let text = files::read_start(&directory.join(file), &mut buffer)?;
        let lines = text.split(|&byte| byte == b'\n');
        Ok(lines.map(|line| sockets(line, query)).fold(0, u64::saturating_add))
    };
    Ok(count("sockstat")?.saturating_add(count("sockstat6").unwrap_or(0)))
}

/// Returns the number of sockets in a line, or 0 if `query` does not select them.
fn sockets(line: &[u8], query: &Query) -> u64 {
    let mut words = line.split(|&byte| byte == b' ');
    let Some(label) = words.next().and_then(|word| word.strip_suffix(b":")) else { return 0 };
    let mut wanted = Kind::all().filter(|&kind| query.includes(kind));
    if !wanted.any(|kind| kind.table().as_bytes().eq_ignore_ascii_case(label)) {
        return 0;
    }
    let mut sum = 0_u64;
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        if name == b"inuse" || name == b"tw" {
            sum = sum.saturating_add(decimal(value).unwrap_or(0));
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::socket::{Family, Protocol};

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
            count(directory.path(), &Query { kinds, ..Query::default() }).ok()
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
}
