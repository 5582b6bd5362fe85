//! Rows of `<root>/net/packet`.
//!
//! ```text
//! sk               RefCnt Type Proto  Iface R Rmem   User   Inode
//! 0000000000000000 3      3    0003   2     1 0      0      21577
//! ```
//!
//! The kernel's `net/packet/af_packet.c` prints them. The protocol, which is one of Ethernet
//! (`linux/if_ether.h`), is hexadecimal, the other numbers are decimal.

use std::borrow::Cow;

use super::Words;
use crate::number::{decimal, hex, unsigned};
use crate::remark::Fault;
use crate::socket::{OtherEnd, OtherKind, OtherSocket, SocketType};

pub(super) fn is_heading(line: &[u8]) -> bool {
    let mut words = Words(line);
    words.word() == Some(b"sk") && words.word() == Some(b"RefCnt")
}

/// Parses one row. Fails if a field is missing or malformed.
pub(super) fn parse(line: &[u8]) -> Result<OtherSocket, Fault> {
    let mut words = Words(line);
    words.next("pointer", Some)?;
    words.next("reference count", Some)?;
    let kind: u16 = words.next("type", decimal)?;
    let protocol: u16 = words.next("protocol", hex)?;
    let interface = words.next("interface", device)?;
    words.next("running flag", Some)?;
    let receive = words.next("receive queue", unsigned)?;
    let uid = words.next("uid", unsigned)?;
    let inode = words.next("inode", decimal)?;
    Ok(OtherSocket {
        // Not SOCK_PACKET, 10, which has been obsolete since Linux 2.0.
        socket_type: SocketType::from_kernel(kind),
        local: Some(OtherEnd { address: name(protocol), port: None }),
        receive: Some(receive),
        uid: Some(uid),
        interface: (interface != 0).then_some(interface),
        ..OtherSocket::new(OtherKind::Packet, inode)
    })
}

/// Parses the index of the network device; 0 stands for none. The kernel prints -1 if the device is
/// gone.
fn device(word: &[u8]) -> Option<u32> {
    decimal(if word == b"-1" { b"0" } else { word })
}

/// Returns the name of a protocol of Ethernet.
fn name(protocol: u16) -> Cow<'static, str> {
    match protocol {
        0 => "none".into(),
        0x0003 => "all".into(),
        0x0800 => "ip".into(),
        0x0806 => "arp".into(),
        0x8100 => "vlan".into(),
        0x86dd => "ipv6".into(),
        0x8863 => "pppoe-discovery".into(),
        0x8864 => "pppoe".into(),
        0x888e => "eapol".into(),
        0x88cc => "lldp".into(),
        other => format!("0x{other:04x}").into(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::socket::{Kind, Socket};
    use crate::tables::proc_net::tests::read;

    prop_compose! {
        /// A row as the kernel prints it, and the socket that it describes.
        pub(in crate::tables::proc_net) fn rows()(
            kind in proptest::sample::select(&[SocketType::Raw, SocketType::Datagram][..]),
            protocol in any::<u16>(),
            interface in any::<u32>(),
            (receive, uid, inode) in any::<(u32, u32, u64)>(),
        ) -> (Vec<u8>, Socket) {
            let row = format!(
                "{:016x} {:<6} {:<4} {protocol:04x}   {interface:<5} {} {receive:<6} {uid:<6} {inode:<6}\n",
                0, 3, kind as u16, 1,
            );
            let socket = OtherSocket {
                socket_type: Some(kind),
                local: Some(OtherEnd { address: name(protocol), port: None }),
                receive: Some(receive),
                uid: Some(uid),
                interface: (interface != 0).then_some(interface),
                ..OtherSocket::new(OtherKind::Packet, inode)
            };
            (row.into_bytes(), Socket::Other(socket.into()))
        }
    }

    #[test]
    fn protocol_of_a_packet_socket_has_a_name() {
        let text = b"sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n\
            0000000000000000 3      3    0003   0     1 0      0      21577 \n\
            0000000000000000 3      2    88b5   2     1 768    1000   21578 \n\
            0000000000000000 3      3    0003   -1    0 2304   0      21579 \n";
        let (sockets, faults) = read(Kind::Other(OtherKind::Packet), text);
        assert_eq!(faults, [""; 0]);
        let expected = [("all", None, 0), ("0x88b5", Some(2), 768), ("all", None, 2304)];
        for (socket, (protocol, interface, receive)) in sockets.iter().zip(expected) {
            let Socket::Other(socket) = socket else { panic!("{socket:?}") };
            let address = &socket.local.as_ref().unwrap().address;
            let found = (&address[..], socket.interface, socket.receive);
            assert_eq!(found, (protocol, interface, Some(receive)));
        }
        assert_eq!(sockets.len(), 3);
    }
}
