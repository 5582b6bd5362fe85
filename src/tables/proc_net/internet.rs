//! Rows of `<root>/net/{tcp,udp,udplite,raw}` and the same with a 6.
//!
//! ```text
//!   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//!    0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 …
//! ```
//!
//! Written by `net/ipv4/tcp_ipv4.c` and its kin, described in `man 5 proc`. Numbers are hex, but
//! for the slot and what follows the retransmits. An address is printed as words in host byte
//! order, one for IPv4 and four for IPv6. Behind the inode come the reference count, a pointer
//! and, but for tcp, the datagrams dropped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fields::Fields;
use crate::number::{decimal, hex};
use crate::socket::{Endpoint, Family, InternetSocket, Protocol, Queues, State, Timer};
use crate::tables::Fault;

/// Whether this is the heading that the kernel prints above the rows.
pub(super) fn is_heading(line: &[u8]) -> bool {
    let titles = line.trim_ascii_start().strip_prefix(b"sl ");
    titles.is_some_and(|titles| titles.trim_ascii_start().starts_with(b"local_address "))
}

/// Parses one row.
///
/// # Errors
///
/// A [`Fault`] when a field up to the reference count is missing or out of its range. That count
/// is of no use itself, but without it the inode may have been cut off in its middle.
pub(super) fn parse(
    protocol: Protocol,
    family: Family,
    line: &[u8],
) -> Result<InternetSocket, Fault> {
    let mut fields = Fields(line);
    let slot = fields.next("slot", |text| decimal(text.strip_suffix(b":")?))?;
    let local = fields.next("local address", |text| endpoint(family, text))?;
    let remote = fields.next("remote address", |text| endpoint(family, text))?;
    let state = fields.next("state", |text| State::from_kernel(hex(text)?))?;
    let (send, receive) = fields.next("pair of queues", pair)?;
    let (kind, ticks) = fields.next("timer", pair)?;
    let retransmits = fields.next("number of retransmits", hex)?;
    let uid = fields.next("uid", decimal)?;
    let probes = fields.next("number of probes", decimal)?;
    let inode = fields.next("inode", decimal)?;
    let _references: u32 = fields.next("reference count", decimal)?;
    let drops = match protocol {
        Protocol::Tcp => None,
        Protocol::Udp | Protocol::UdpLite | Protocol::Raw => {
            fields.next("pointer", Some)?;
            Some(fields.next("number of drops", decimal)?)
        }
    };
    Ok(InternetSocket {
        protocol,
        family,
        slot,
        local,
        remote,
        state,
        queues: Queues { receive, send },
        timer: Some(Timer { kind, ticks, retransmits, probes }),
        uid,
        inode,
        drops,
    })
}

/// `0100007F:1388`: an address of the family's length, and a port.
fn endpoint(family: Family, text: &[u8]) -> Option<Endpoint> {
    let (address, port) = split(text)?;
    let address = match family {
        Family::Ipv4 => {
            let [bytes] = words(address)?;
            IpAddr::V4(Ipv4Addr::from(bytes))
        }
        Family::Ipv6 => {
            let words: [[u8; 4]; 4] = words(address)?;
            let mut bytes = [0; 16];
            bytes.copy_from_slice(words.as_flattened());
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
    };
    Some(Endpoint { address, port: hex(port)? })
}

/// `N` words of eight hex digits, each back in the byte order in which the network has it.
fn words<const N: usize>(text: &[u8]) -> Option<[[u8; 4]; N]> {
    const DIGITS: usize = 8;
    if text.len() != N * DIGITS {
        return None;
    }
    let mut words = [[0; 4]; N];
    for (word, digits) in words.iter_mut().zip(text.chunks_exact(DIGITS)) {
        *word = hex::<u32>(digits)?.to_ne_bytes();
    }
    Some(words)
}

/// `00000000:0000002A`: two hex numbers.
fn pair<A: TryFrom<u64>, B: TryFrom<u64>>(text: &[u8]) -> Option<(A, B)> {
    let (first, second) = split(text)?;
    Some((hex(first)?, hex(second)?))
}

fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = text.iter().position(|&byte| byte == b':')?;
    Some((text.get(..colon)?, text.get(colon + 1..)?))
}
