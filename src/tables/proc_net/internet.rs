//! Rows of `<root>/net/{tcp,udp,udplite,raw,icmp}` and the same with a 6.
//!
//! ```text
//!   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//!    0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 …
//! ```
//!
//! `tcp_ipv4.c`, `udp.c`, `raw.c` and `ping.c` in the kernel's `net/ipv4`, `tcp_ipv6.c` and `datagram.c` in
//! `net/ipv6`, print them; `man 5 proc` describes them. The slot and every number after the
//! retransmits are decimal, except the pointer; the others are hexadecimal. An address is printed
//! as words in host byte order: one word for IPv4, four for IPv6. After the inode there are the
//! reference count and a pointer, and except for TCP the number of dropped datagrams.
//!
//! Very old kernels end a row at its inode, and those before 2.6.27 print no drops. Some kernels print
//! users (`%5d`) and drops (`%d`) with a sign.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{ByteOrder, Words};
use crate::number::{decimal, hex, unsigned};
use crate::remark::Fault;
use crate::socket::{
    Endpoint, Facts, Family, InternetSocket, Protocol, Queues, State, Timer, TimerKind,
};

pub(super) fn is_heading(line: &[u8]) -> bool {
    let mut words = Words(line);
    words.word() == Some(b"sl") && words.word() == Some(b"local_address")
}

/// Parses one row. Fails if a field from the addresses to the inode is missing or malformed.
pub(super) fn parse(
    protocol: Protocol,
    family: Family,
    order: ByteOrder,
    line: &[u8],
) -> Result<InternetSocket, Fault> {
    let mut words = Words(line);
    words.next("slot", Some)?;
    let local = words.next("local address", |text| endpoint(family, order, text))?;
    let remote = words.next("remote address", |text| endpoint(family, order, text))?;
    let state = words.next("state", |text| State::from_kernel(hex(text)?))?;
    let (send, receive) = words.next("pair of queues", pair)?;
    let (kind, ticks) = words.next("timer", timer)?;
    let retransmits = words.next("number of retransmits", hex)?;
    let uid = words.next("uid", unsigned)?;
    let probes = words.next("number of probes", decimal)?;
    let inode = words.next("inode", decimal)?;
    if words.0.is_empty() {
        // Not even a newline: the file is cut off here, and perhaps the inode is.
        return Err(Fault::Missing("reference count"));
    }
    let drops = match protocol {
        Protocol::Tcp | Protocol::Mptcp => None,
        Protocol::Udp | Protocol::UdpLite | Protocol::Raw | Protocol::Icmp => drops(words),
    };
    Ok(InternetSocket {
        protocol,
        family,
        local,
        remote,
        state,
        queues: Queues { receive, send },
        timer: Some(Timer { kind, ticks, retransmits, probes }),
        uid,
        inode,
        drops,
        facts: Facts::default(),
    })
}

/// Parses the kind of a timer and its ticks. Old kernels print ticks also if no timer is pending: the
/// time since they began the row, as a negative number without its sign.
fn timer(text: &[u8]) -> Option<(TimerKind, u64)> {
    let (kind, ticks) = pair(text)?;
    let kind = TimerKind::from_kernel(kind);
    Some((kind, if kind == TimerKind::Off { 0 } else { ticks }))
}

/// Parses the number of drops, which follows the reference count and a pointer.
fn drops(mut words: Words<'_>) -> Option<u32> {
    words.word()?;
    words.word()?;
    unsigned(words.word()?)
}

/// Parses an address of this family and a port, such as `0100007F:1388`.
pub(super) fn endpoint(family: Family, order: ByteOrder, text: &[u8]) -> Option<Endpoint> {
    let (address, port) = split(text)?;
    let address = match family {
        Family::Ipv4 => {
            let [bytes] = words(order, address)?;
            IpAddr::V4(Ipv4Addr::from(bytes))
        }
        Family::Ipv6 => {
            let words: [[u8; 4]; 4] = words(order, address)?;
            let mut bytes = [0; 16];
            bytes.copy_from_slice(words.as_flattened());
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
    };
    Some(Endpoint { address, port: hex(port)? })
}

/// Parses `N` words of eight hex digits. Returns the bytes of each in network byte order.
fn words<const N: usize>(order: ByteOrder, text: &[u8]) -> Option<[[u8; 4]; N]> {
    const DIGITS: usize = 8;
    if text.len() != N * DIGITS {
        return None;
    }
    let mut words = [[0; 4]; N];
    for (word, digits) in words.iter_mut().zip(text.chunks_exact(DIGITS)) {
        *word = order.bytes(hex(digits)?);
    }
    Some(words)
}

/// Parses two hexadecimal numbers, such as `00000000:0000002A`.
fn pair<A: TryFrom<u64>, B: TryFrom<u64>>(text: &[u8]) -> Option<(A, B)> {
    let (first, second) = split(text)?;
    Some((hex(first)?, hex(second)?))
}

fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = text.iter().position(|&byte| byte == b':')?;
    Some((text.get(..colon)?, text.get(colon + 1..)?))
}

#[cfg(test)]
pub(super) mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::socket::{Kind, Socket};
    use crate::tables::proc_net::tests::read;

    /// Prints a row as the kernel does, padded to the width of its rows.
    fn kernel_row(socket: &InternetSocket) -> String {
        let end = |end: &Endpoint| {
            let bytes = match end.address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            let mut text = String::new();
            for word in bytes.chunks_exact(4) {
                write!(text, "{:08X}", u32::from_ne_bytes(word.try_into().unwrap())).unwrap();
            }
            write!(text, ":{:04X}", end.port).unwrap();
            text
        };
        let InternetSocket { state, queues, uid, inode, .. } = socket;
        let timer = socket.timer.unwrap();
        let row = format!(
            "   0: {} {} {:02X} {:08X}:{:08X} {:02X}:{:08X} {:08X} {uid:5} {:8} {inode} 1 \
             00000000",
            end(&socket.local),
            end(&socket.remote),
            *state as u8,
            queues.send,
            queues.receive,
            timer.kind.number(),
            timer.ticks,
            timer.retransmits,
            timer.probes,
        );
        match socket.drops {
            Some(drops) => format!("{:<127}", format!("{row} {drops}")),
            None => format!("{:<149}", format!("{row}4052a0c0 20 4 30 10 -1")),
        }
    }

    prop_compose! {
        fn endpoints(family: Family)
            (bytes in any::<[[u8; 16]; 2]>(), ports in any::<[u16; 2]>()) -> [Endpoint; 2]
        {
            [0, 1].map(|end| Endpoint {
                address: match family {
                    Family::Ipv4 => Ipv4Addr::from(*bytes[end].first_chunk().unwrap()).into(),
                    Family::Ipv6 => Ipv6Addr::from(bytes[end]).into(),
                },
                port: ports[end],
            })
        }
    }

    prop_compose! {
        fn sockets(protocol: Protocol, family: Family)(
            [local, remote] in endpoints(family),
            state in (0_u8..=12).prop_map(|number| State::from_kernel(number).unwrap()),
            (receive, send) in any::<(u32, u32)>(),
            kind in any::<u8>().prop_map(TimerKind::from_kernel),
            (ticks, retransmits, probes) in any::<(u64, u32, u32)>(),
            (uid, inode, drops) in any::<(u32, u64, u32)>(),
        ) -> InternetSocket {
            let ticks = if kind == TimerKind::Off { 0 } else { ticks };
            InternetSocket {
                protocol,
                family,
                local,
                remote,
                state,
                queues: Queues { receive, send },
                timer: Some(Timer { kind, ticks, retransmits, probes }),
                uid,
                inode,
                drops: (!protocol.has_states()).then_some(drops),
                facts: Facts::default(),
            }
        }
    }

    /// A row, and the socket that it describes.
    pub(in crate::tables::proc_net) fn rows(
        protocol: Protocol,
        family: Family,
    ) -> impl Strategy<Value = (Vec<u8>, Socket)> {
        sockets(protocol, family)
            .prop_map(|socket| (kernel_row(&socket).into_bytes(), Socket::Internet(socket)))
    }

    proptest! {
        #[test]
        fn truncated_tcp_row_gives_an_error_or_the_same_socket(
            socket in sockets(Protocol::Tcp, Family::Ipv4),
        ) {
            let row = kernel_row(&socket);
            for end in 0..row.len() {
                if let Ok(found) = parse(Protocol::Tcp, Family::Ipv4, ByteOrder::OWN, &row.as_bytes()[..end]) {
                    prop_assert_eq!(found, socket);
                }
            }
        }
    }

    const TCP: Kind = Kind::Internet(Protocol::Tcp, Family::Ipv4);
    const HEADING: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    const ROW: &str = "   0: 0100007F:1388 00000000:0000 0A 00000001:00000002 03:00000004 00000005  1000        6 4711 1 0000000000000000 100 0 0 10 0\n";

    #[test]
    fn fields_are_read_from_the_kernels_columns() {
        let (sockets, faults) = read(TCP, format!("{HEADING}{ROW}").as_bytes());
        let kind = TimerKind::TimeWait;
        let expected = InternetSocket {
            queues: Queues { send: 1, receive: 2 },
            timer: Some(Timer { kind, ticks: 4, retransmits: 5, probes: 6 }),
            uid: 1000,
            inode: 4711,
            ..InternetSocket::example()
        };
        assert_eq!(sockets, [Socket::Internet(expected)]);
        assert!(faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn malformed_field_is_named_in_the_error_and_drops_only_its_line() {
        for (good, bad, fault) in [
            (":1388", ":FFFFF", "its local address is malformed: \"0100007F:FFFFF\""),
            ("0100007F", "0100007", "its local address is malformed: \"0100007:1388\""),
            ("00000000:0000 ", "00000000 ", "its remote address is malformed: \"00000000\""),
            (" 0A ", " FF ", "its state is malformed: \"FF\""),
            (" 0A ", " 0D ", "its state is malformed: \"0D\""),
            ("00000001:", "100000000:", "its pair of queues is malformed: \"100000000:00000002\""),
            (" 1000 ", " -2147483649 ", "its uid is malformed: \"-2147483649\""),
            (
                " 4711 ",
                " 18446744073709551616 ",
                "its inode is malformed: \"18446744073709551616\"",
            ),
            (" 0A ", " \x1b[2J ", "its state is malformed: \"\\x1b[2J\""),
            (&ROW[5..], "\n", "it ends before its local address"),
            (" 4711 1 0000000000000000 100 0 0 10 0", "", "it ends before its inode"),
        ] {
            assert_eq!(ROW.matches(good).count().min(1), 1, "{good}");
            let line = ROW.replacen(good, bad, 1);
            let (sockets, faults) = read(TCP, format!("{HEADING}{ROW}{line}{ROW}").as_bytes());
            assert_eq!(sockets.len(), 2, "{line}");
            assert_eq!(faults, [format!("3: {fault}")]);
        }
    }

    #[test]
    fn line_of_a_mebibyte_does_not_affect_other_lines() {
        let line = format!("{}\n", "1".repeat(1 << 20));
        let (sockets, faults) = read(TCP, format!("{HEADING}{ROW}{line}{ROW}").as_bytes());
        assert_eq!(sockets.len(), 2);
        assert_eq!(faults, ["3: it has 65536 bytes or more"]);
    }

    /// Reads one row that must be a socket.
    fn row(protocol: Protocol, row: &str) -> InternetSocket {
        let (sockets, faults) = read(Kind::Internet(protocol, Family::Ipv4), row.as_bytes());
        assert_eq!(faults, [""; 0], "{row:?}");
        let [Socket::Internet(socket)] = sockets[..] else { panic!("{sockets:?}") };
        socket
    }

    #[test]
    fn fields_that_are_not_used_do_not_matter() {
        let expected = row(Protocol::Tcp, ROW);
        for (good, odd) in [
            ("   0:", "0:"),
            ("   0:", "\t4294967296:"),
            ("   0:", "  -1"),
            (" 1 0000000000000000 100 0 0 10 0", ""),
            (" 1 0000000000000000 100 0 0 10 0", "   \r"),
            (" 1 0000000000000000 100 0 0 10 0", " 1"),
            (" 1 0000000000000000 ", " -1 (null) "),
            (" 1 0000000000000000 ", " 0 0x0 "),
            (" 0000000000000000 ", " (____ptrval____) "),
            (" 0000000000000000 ", " pK-error "),
            (" 100 0 0 10 0", " 18446744073709551616 -1 x 4294967296 -2"),
        ] {
            assert!(ROW.contains(good), "{good}");
            let odd = ROW.replacen(good, odd, 1);
            assert_eq!(row(Protocol::Tcp, &odd), expected, "{odd:?}");
        }
    }

    #[test]
    fn timer_that_is_not_pending_has_no_ticks() {
        for (printed, kind, ticks) in [
            ("00:FFFFFFFF", TimerKind::Off, 0),
            ("00:1AD7F29ABCA", TimerKind::Off, 0),
            ("00:FFFFFFFFFFFFFFFF", TimerKind::Off, 0),
            ("01:0000000A", TimerKind::Retransmit, 10),
        ] {
            let timer = Timer { kind, ticks, retransmits: 5, probes: 6 };
            let socket = row(Protocol::Tcp, &ROW.replace("03:00000004", printed));
            assert_eq!(socket.timer, Some(timer), "{printed}");
        }
    }

    #[test]
    fn numbers_that_old_kernels_print_with_a_sign_have_none() {
        let start = "  17: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 ";
        for (end, uid, drops) in [
            ("   -2        0 4711 2 c1234567 7", 4_294_967_294, Some(7)),
            ("   -1        0 4711 2 c1234567 -1", u32::MAX, Some(u32::MAX)),
            ("    0        0 4711 2 c1234567 -2147483648", 0, Some(1 << 31)),
            ("    0        0 4711 2 c1234567 4294967295", 0, Some(u32::MAX)),
            ("    0        0 4711 2 c1234567 4294967296", 0, None),
            ("    0        0 4711 2 c1234567 ?", 0, None),
            // Before Linux 2.6.27, and very old kernels.
            ("    0        0 4711 2 c1234567", 0, None),
            ("    0        0 4711", 0, None),
        ] {
            for protocol in [Protocol::Udp, Protocol::UdpLite, Protocol::Raw] {
                let found = row(protocol, &format!("{start}{end}\n"));
                let expected = (uid, 4711, drops);
                assert_eq!((found.uid, found.inode, found.drops), expected, "{end}");
            }
        }
    }

    #[test]
    fn inode_at_the_end_of_the_file_can_be_cut_off() {
        let cut = ROW.split_once(" 1 0000").unwrap().0;
        let (sockets, faults) = read(TCP, cut.as_bytes());
        assert_eq!(
            (sockets, faults),
            (vec![], vec!["1: it ends before its reference count".into()])
        );
        assert_eq!(row(Protocol::Tcp, &format!("{cut} ")).inode, 4711);
    }

    #[test]
    fn rows_of_other_systems_are_read() {
        const GVISOR: &str = "   1: 0100007F:1F90 00000000:0000 00 00000000:00000000 00:00000000 00000000  1000        0        5 1 0x0000000000000000 0 0 0 0 -1\n";
        const LX_ZONE: &str = "   1: 0100007F:1F90 00000000:0000 00 00000000:00000000 00:00000000 00000000  1000        0 4711 0 0 0 0 0 0 0\n";
        for (text, inode) in [(GVISOR, 5), (LX_ZONE, 4711)] {
            let found = row(Protocol::Tcp, text);
            assert_eq!((found.state, found.uid, found.inode), (State::Unset, 1000, inode));
        }
    }
}
