//! Rows of `<root>/net/netlink`.
//!
//! ```text
//! sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
//! 0000000000000000 0   4711       00000011 0        0        0     2        0        21577
//! ```
//!
//! The kernel's `net/netlink/af_netlink.c` prints them. `Eth` is the protocol (`linux/netlink.h`),
//! and `Pid` the port. The groups are hexadecimal, the other numbers are decimal.

use std::borrow::Cow;

use super::Words;
use crate::number::{decimal, unsigned};
use crate::remark::Fault;
use crate::socket::{OtherEnd, OtherKind, OtherSocket};

/// The names of the protocols, in order of their numbers, as ss prints most of them.
const PROTOCOLS: [&str; 23] = [
    "route",
    "unused",
    "user",
    "firewall",
    "sock-diag",
    "nflog",
    "xfrm",
    "selinux",
    "iscsi",
    "audit",
    "fib-lookup",
    "connector",
    "netfilter",
    "ip6-fw",
    "dnrt",
    "uevent",
    "generic",
    "17",
    "scsi-transport",
    "ecryptfs",
    "rdma",
    "crypto",
    "smc",
];

pub(super) fn is_heading(line: &[u8]) -> bool {
    let mut words = Words(line);
    words.word() == Some(b"sk") && words.word() == Some(b"Eth")
}

/// Parses one row. Fails if a field is missing or malformed.
pub(super) fn parse(line: &[u8]) -> Result<OtherSocket, Fault> {
    let mut words = Words(line);
    words.next("pointer", Some)?;
    let protocol = words.next("protocol", decimal)?;
    let port = words.next("port", unsigned)?;
    words.next("groups", Some)?;
    let receive = words.next("receive queue", unsigned)?;
    let send = words.next("send queue", unsigned)?;
    words.next("dump flag", Some)?;
    words.next("reference count", Some)?;
    let drops = words.next("number of drops", unsigned)?;
    let inode = words.next("inode", decimal)?;
    Ok(OtherSocket {
        local: Some(OtherEnd { address: name(protocol), port: Some(port) }),
        receive: Some(receive),
        send: Some(send),
        drops: Some(drops),
        ..OtherSocket::new(OtherKind::Netlink, owned(port, inode))
    })
}

/// Returns the inode of a socket with this port. Those with port 0 are the kernel's own: no process
/// can own them.
fn owned(port: u32, inode: u64) -> u64 {
    if port == 0 { 0 } else { inode }
}

fn name(protocol: u16) -> Cow<'static, str> {
    match PROTOCOLS.get(usize::from(protocol)) {
        Some(&name) => name.into(),
        None => protocol.to_string().into(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::socket::Socket;

    prop_compose! {
        /// A row as the kernel prints it, and the socket that it describes.
        pub(in crate::tables::proc_net) fn rows()(
            (protocol, groups) in any::<(u16, u32)>(),
            (port, receive, send, drops) in any::<(u32, u32, u32, u32)>(),
            inode in any::<u64>(),
        ) -> (Vec<u8>, Socket) {
            let row = format!(
                "{:016x} {protocol:<3} {port:<10} {groups:08x} {receive:<8} {send:<8} {:<5} {:<8} {drops:<8} {inode:<8}\n",
                0, 0, 2,
            );
            let socket = OtherSocket {
                local: Some(OtherEnd { address: name(protocol), port: Some(port) }),
                receive: Some(receive),
                send: Some(send),
                drops: Some(drops),
                ..OtherSocket::new(OtherKind::Netlink, owned(port, inode))
            };
            (row.into_bytes(), Socket::Other(socket.into()))
        }
    }
}
