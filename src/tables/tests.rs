//! The tables as the kernel writes them, and as nobody should.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::query::Scope;
use crate::socket::{Endpoint, Queues, State, Timer};

/// A row as `net/ipv4/tcp_ipv4.c` and its kin print it; `padding` to the width of their rows.
fn kernel_row(socket: &Socket) -> String {
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
    let Socket { slot, state, queues, timer, uid, inode, .. } = socket;
    let row = format!(
        "{slot:4}: {} {} {:02X} {:08X}:{:08X} {:02X}:{:08X} {:08X} {uid:5} {:8} {inode} 1 00000000",
        end(&socket.local),
        end(&socket.remote),
        *state as u8,
        queues.send,
        queues.receive,
        timer.kind,
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
        slot: u32,
        [local, remote] in endpoints(family),
        state in (1_u8..=12).prop_map(|number| State::from_kernel(number).unwrap()),
        (receive, send) in any::<(u32, u32)>(),
        (kind, ticks, retransmits, probes) in any::<(u8, u64, u32, u32)>(),
        (uid, inode, drops) in any::<(u32, u64, u32)>(),
    ) -> Socket {
        Socket {
            protocol,
            family,
            slot,
            local,
            remote,
            state,
            queues: Queues { receive, send },
            timer: Timer { kind, ticks, retransmits, probes },
            uid,
            inode,
            drops: (protocol == Protocol::Udp).then_some(drops),
        }
    }
}

/// Reads `<root>/net/<file>` for each of these files.
fn read(files: &[(&str, &[u8])]) -> (Vec<Socket>, Vec<String>) {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("net")).unwrap();
    for (file, content) in files {
        fs::write(root.path().join("net").join(file), content).unwrap();
    }
    let query = Query {
        protocols: vec![Protocol::Tcp, Protocol::Udp],
        families: vec![Family::Ipv4, Family::Ipv6],
        scope: Scope::All,
    };
    let (mut sockets, mut warnings) = (Vec::new(), Vec::new());
    Source::new(root.path())
        .read(&query, |row| match row {
            Ok(socket) => sockets.push(socket),
            Err(warning) => {
                let prefix = format!("{}/net/", root.path().display());
                warnings.push(warning.to_string().replace(&prefix, ""));
            }
        })
        .unwrap();
    (sockets, warnings)
}

proptest! {
    #[test]
    fn a_row_in_the_kernels_format_parses_back_to_itself(
        tcp in sockets(Protocol::Tcp, Family::Ipv4),
        tcp6 in sockets(Protocol::Tcp, Family::Ipv6),
        udp in sockets(Protocol::Udp, Family::Ipv4),
        udp6 in sockets(Protocol::Udp, Family::Ipv6),
    ) {
        for table in &TABLES {
            let socket = [tcp, tcp6, udp, udp6]
                .into_iter()
                .find(|socket| (socket.protocol, socket.family) == (table.protocol, table.family))
                .unwrap();
            prop_assert_eq!(proc_net::parse(table, kernel_row(&socket).as_bytes()), Ok(socket));
        }
    }

    #[test]
    fn no_bytes_cost_more_than_their_own_lines(
        noise in vec(vec(any::<u8>(), 0..200), 1..8),
        socket in sockets(Protocol::Udp, Family::Ipv6),
    ) {
        let row = kernel_row(&socket);
        let (mut text, mut good) = (Vec::new(), 0);
        for part in &noise {
            text.extend_from_slice(part);
            text.extend_from_slice(format!("\n{row}\n").as_bytes());
            good += 1;
        }
        let lines = text.split(|&byte| byte == b'\n').count() - 1;
        let (found, warnings) = read(&[("udp6", &text)]);
        prop_assert_eq!(found, vec![socket; good]);
        prop_assert_eq!(warnings.len(), lines - good);
    }

    #[test]
    fn a_row_that_is_cut_off_is_never_another_row(socket in sockets(Protocol::Tcp, Family::Ipv4)) {
        let row = kernel_row(&socket);
        for end in 0..row.len() {
            if let Ok(found) = proc_net::parse(&TABLES[0], &row.as_bytes()[..end]) {
                prop_assert_eq!(found, socket);
            }
        }
    }
}

const HEADING: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const ROW: &str = "   0: 0100007F:1388 00000000:0000 0A 00000001:00000002 03:00000004 00000005  1000        6 4711 1 0000000000000000 100 0 0 10 0\n";

#[test]
fn each_field_is_where_the_kernel_puts_it() {
    let (sockets, warnings) = read(&[("tcp", format!("{HEADING}{ROW}").as_bytes())]);
    let expected = Socket {
        protocol: Protocol::Tcp,
        family: Family::Ipv4,
        slot: 0,
        local: Endpoint { address: Ipv4Addr::LOCALHOST.into(), port: 5000 },
        remote: Endpoint { address: Ipv4Addr::UNSPECIFIED.into(), port: 0 },
        state: State::Listen,
        queues: Queues { send: 1, receive: 2 },
        timer: Timer { kind: 3, ticks: 4, retransmits: 5, probes: 6 },
        uid: 1000,
        inode: 4711,
        drops: None,
    };
    assert_eq!(sockets, [expected]);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn an_absurd_value_costs_its_line_and_is_named() {
    for (good, bad, fault) in [
        (":1388", ":FFFFF", "its local address is malformed: \"0100007F:FFFFF\""),
        ("0100007F", "0100007", "its local address is malformed: \"0100007:1388\""),
        ("00000000:0000 ", "00000000 ", "its remote address is malformed: \"00000000\""),
        (" 0A ", " FF ", "its state is malformed: \"FF\""),
        (" 0A ", " 00 ", "its state is malformed: \"00\""),
        ("00000001:", "100000000:", "its pair of queues is malformed: \"100000000:00000002\""),
        (" 1000 ", " -1 ", "its uid is malformed: \"-1\""),
        (" 4711 ", " 18446744073709551616 ", "its inode is malformed: \"18446744073709551616\""),
        (" 0A ", " \x1b[2J ", "its state is malformed: \"\\x1b[2J\""),
        ("   0:", "   0", "its slot is malformed: \"0\""),
        (" 1 0000000000000000 100 0 0 10 0", "", "it ends before its reference count"),
        (ROW.trim_end(), "", "it ends before its slot"),
    ] {
        assert_eq!(ROW.matches(good).count().min(1), 1, "{good}");
        let line = ROW.replacen(good, bad, 1);
        let (sockets, warnings) = read(&[("tcp", format!("{HEADING}{ROW}{line}{ROW}").as_bytes())]);
        assert_eq!(sockets.len(), 2, "{line}");
        assert_eq!(warnings, [format!("tcp:3: this line is left out: {fault}")]);
    }
}

#[test]
fn a_line_of_a_mebibyte_costs_that_line() {
    let line = format!("{}\n", "1".repeat(1 << 20));
    let (sockets, warnings) = read(&[("tcp", format!("{HEADING}{ROW}{line}{ROW}").as_bytes())]);
    assert_eq!(sockets.len(), 2);
    assert_eq!(warnings, ["tcp:3: this line is left out: it has 65536 bytes or more"]);
}

#[test]
fn a_table_without_its_heading_loses_nothing() {
    let (sockets, warnings) = read(&[("tcp", format!("{ROW}{HEADING}").as_bytes())]);
    assert_eq!(sockets.len(), 1);
    assert_eq!(warnings, ["tcp:2: this line is left out: its slot is malformed: \"sl\""]);
    let (_, warnings) = read(&[("tcp", b"sl 0: no heading\n")]);
    assert_eq!(warnings, ["tcp:1: this line is left out: its slot is malformed: \"sl\""]);
}
