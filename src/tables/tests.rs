//! The tables as the kernel writes them, and as nobody should.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use tempfile::TempDir;

use super::repeats::drop_repeated;
use super::*;
use crate::socket::{
    Endpoint, Family, InternetSocket, Protocol, Queues, SocketType, State, Timer, UnixState,
};

/// A row as `net/ipv4/tcp_ipv4.c` and its kin print it; `padding` to the width of their rows.
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
    let InternetSocket { slot, state, queues, uid, inode, .. } = socket;
    let timer = socket.timer.unwrap();
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

fn unix_row(socket: &UnixSocket) -> Vec<u8> {
    let UnixSocket { references, flags, inode, .. } = socket;
    let (kind, state) = (socket.kind as u16, socket.state as u8);
    let row = format!(
        "{:016x}: {references:08X} {:08X} {flags:08X} {kind:04X} {state:02X} {inode:5}",
        0, 0
    );
    let path = socket.path.iter().flat_map(|path| [&b" "[..], path]);
    [row.as_bytes()].into_iter().chain(path).collect::<Vec<_>>().concat()
}

prop_compose! {
    fn unix_sockets()(
        (references, flags, inode) in any::<(u32, u32, u64)>(),
        kind in (0_u16..=5).prop_map(|number| SocketType::from_kernel(number).unwrap()),
        state in (0_u8..=4).prop_map(|number| UnixState::from_kernel(number).unwrap()),
        path in option::of(vec(any::<u8>().prop_filter("ends the line", |&byte| byte != b'\n'), 0..108)),
    ) -> UnixSocket {
        UnixSocket { references, flags, kind, state, inode, path: path.map(Vec::into_boxed_slice), peer: None }
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
    ) -> InternetSocket {
        InternetSocket {
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
            drops: (protocol != Protocol::Tcp).then_some(drops),
        }
    }
}

/// Any table's file, a row of it, and what that row says.
fn rows() -> impl Strategy<Value = (&'static str, Vec<u8>, Socket)> {
    select(&TABLES[..]).prop_flat_map(|table| match table.holds {
        Holds::Internet(protocol, family) => sockets(protocol, family)
            .prop_map(move |it| (table.name, kernel_row(&it).into_bytes(), Socket::Internet(it)))
            .boxed(),
        Holds::Unix => {
            unix_sockets().prop_map(move |it| (table.name, unix_row(&it), Socket::Unix(it))).boxed()
        }
    })
}

/// Reads `<root>/net/<file>` for each of these files.
fn read(files: &[(&str, &[u8])]) -> (Vec<Socket>, Vec<String>) {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("net")).unwrap();
    for (file, content) in files {
        fs::write(root.path().join("net").join(file), content).unwrap();
    }
    let mut text = Text::new(root.path());
    let (mut rows, mut warnings) = (Vec::new(), Vec::new());
    for table in TABLES {
        let result = text.read(table, |number, row| match row {
            Ok(row) => rows.push(row),
            Err(fault) => {
                let place = Place::File(table.name.into());
                warnings.push(Warning::Line { place, number, fault }.to_string());
            }
        });
        assert!(result.is_ok() || files.iter().all(|(file, _)| *file != table.name), "{result:?}");
    }
    (rows, warnings)
}

proptest! {
    #[test]
    fn a_row_in_the_kernels_format_parses_back_to_itself(rows in vec(rows(), 1..40)) {
        for (file, text, row) in rows {
            prop_assert_eq!(read(&[(file, &text)]), (vec![row], vec![]));
        }
    }

    #[test]
    fn no_bytes_cost_more_than_their_own_lines(
        noise in vec(vec(any::<u8>(), 0..200), 1..8),
        (file, row, socket) in rows(),
    ) {
        let (mut text, mut good) = (Vec::new(), 0);
        for part in &noise {
            text.extend([part, &b"\n"[..], &row, b"\n"].concat());
            good += 1;
        }
        let lines = text.split(|&byte| byte == b'\n').count() - 1;
        let (found, warnings) = read(&[(file, &text)]);
        prop_assert_eq!(found, vec![socket; good]);
        prop_assert_eq!(warnings.len(), lines - good);
    }

    #[test]
    fn a_row_that_is_cut_off_is_never_another_row(socket in sockets(Protocol::Tcp, Family::Ipv4)) {
        let row = kernel_row(&socket);
        for end in 0..row.len() {
            if let Ok(found) = proc_net::parse(TABLES[0], &row.as_bytes()[..end]) {
                prop_assert_eq!(found, Socket::Internet(socket));
            }
        }
    }
}

const HEADING: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const ROW: &str = "   0: 0100007F:1388 00000000:0000 0A 00000001:00000002 03:00000004 00000005  1000        6 4711 1 0000000000000000 100 0 0 10 0\n";

#[test]
fn each_field_is_where_the_kernel_puts_it() {
    let (sockets, warnings) = read(&[("tcp", format!("{HEADING}{ROW}").as_bytes())]);
    let expected = InternetSocket {
        protocol: Protocol::Tcp,
        family: Family::Ipv4,
        slot: 0,
        local: Endpoint { address: Ipv4Addr::LOCALHOST.into(), port: 5000 },
        remote: Endpoint { address: Ipv4Addr::UNSPECIFIED.into(), port: 0 },
        state: State::Listen,
        queues: Queues { send: 1, receive: 2 },
        timer: Some(Timer { kind: 3, ticks: 4, retransmits: 5, probes: 6 }),
        uid: 1000,
        inode: 4711,
        drops: None,
    };
    assert_eq!(sockets, [Socket::Internet(expected)]);
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

const UNIX: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n";

#[test]
fn a_unix_row_has_what_follows_one_space_for_its_path() {
    let row = "0000000000000000: 00000002 00000000 00010000 0001 01 21577";
    for (end, path) in [("", None), (" ", Some("")), (" /a b", Some("/a b")), ("  @", Some(" @"))] {
        let (rows, warnings) = read(&[("unix", format!("{UNIX}{row}{end}\n").as_bytes())]);
        let expected = UnixSocket {
            references: 2,
            flags: UnixSocket::ACCEPTS,
            kind: SocketType::Stream,
            state: UnixState::Unconnected,
            inode: 21577,
            path: path.map(|path| path.as_bytes().into()),
            peer: None,
        };
        assert!(expected.is_listening());
        assert_eq!((rows, warnings), (vec![Socket::Unix(expected)], vec![]));
    }
}

#[test]
fn an_absurd_unix_row_costs_its_line() {
    let row = "0000000000000000: 00000002 00000000 00010000 0001 01 21577 /x";
    for (good, bad, fault) in [
        (" 0001 ", " 0009 ", "its type is malformed: \"0009\""),
        (" 01 ", " 07 ", "its state is malformed: \"07\""),
        ("0000:", "0000", "its pointer is malformed: \"0000000000000000\""),
        (" 21577 /x", "", "it ends before its inode"),
        (" 21577 ", " 2x577 ", "its inode is malformed: \"2x577\""),
    ] {
        let bad = row.replacen(good, bad, 1);
        let (rows, warnings) = read(&[("unix", format!("{UNIX}{bad}\n{row}\n").as_bytes())]);
        assert_eq!(rows.len(), 1, "{bad}");
        assert_eq!(warnings, [format!("unix:2: this line is left out: {fault}")]);
    }
}

#[test]
fn a_table_that_changed_under_its_reader_is_read_again() {
    let unix = |inode| {
        Socket::Unix(UnixSocket {
            references: 2,
            flags: 0,
            kind: SocketType::Stream,
            state: UnixState::Connected,
            inode,
            path: None,
            peer: None,
        })
    };
    let changed = || Err(io::ErrorKind::Interrupted.into());
    for (outcomes, expected, succeeds) in [
        ([Some(Ok(())), None], &[1, 10][..], true),
        ([Some(changed()), Some(Ok(()))], &[1, 20], true),
        ([Some(changed()), Some(changed())], &[1, 20], false),
        ([Some(Err(io::ErrorKind::PermissionDenied.into())), None], &[1, 10], false),
    ] {
        let mut sockets = vec![unix(1)];
        let (mut outcomes, mut inode) = (outcomes.into_iter(), 0);
        let result = at_most_twice(&mut sockets, |sockets| {
            inode += 10;
            sockets.push(unix(inode));
            outcomes.next().flatten().unwrap()
        });
        assert_eq!(result.is_ok(), succeeds);
        assert_eq!(sockets.iter().map(Socket::inode).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn each_socket_is_shown_once() {
    let socket = |port, inode| {
        let address = Ipv4Addr::LOCALHOST.into();
        InternetSocket {
            protocol: Protocol::Tcp,
            family: Family::Ipv4,
            slot: 0,
            local: Endpoint { address, port },
            remote: Endpoint { address, port: 80 },
            state: State::Established,
            queues: Queues { receive: 0, send: 0 },
            timer: None,
            uid: 0,
            inode,
            drops: None,
        }
    };
    let again = |sockets: Vec<InternetSocket>| {
        let mut sockets: Vec<_> = sockets.into_iter().map(Socket::Internet).collect();
        drop_repeated(&mut sockets);
        sockets.iter().filter_map(Socket::internet).copied().collect::<Vec<_>>()
    };
    let (first, other) = (socket(1, 11), socket(2, 12));
    let later = InternetSocket { slot: 9, state: State::CloseWait, ..first };
    assert_eq!(again(vec![first, other, later]), [first, other]);

    // Inode 0 says nothing.
    let waiting = socket(3, 0);
    assert_eq!(again(vec![waiting, waiting]), [waiting, waiting]);
    // A second subflow of an MPTCP socket has its inode, and ends of its own.
    let subflow = socket(4, 11);
    assert_eq!(again(vec![first, subflow, first]), [first, subflow]);
    // So may a socket of another table.
    let udp = InternetSocket { protocol: Protocol::Udp, ..first };
    let tcp6 = InternetSocket { family: Family::Ipv6, ..first };
    assert_eq!(again(vec![first, udp, tcp6]), [first, udp, tcp6]);
    // A udp socket may have been connected meanwhile.
    let connected = InternetSocket { local: socket(5, 0).local, ..udp };
    assert_eq!(again(vec![udp, connected]), [udp]);

    let unix = UnixSocket {
        references: 2,
        flags: 0,
        kind: SocketType::Stream,
        state: UnixState::Connected,
        inode: 7,
        path: None,
        peer: None,
    };
    let embryo = UnixSocket { inode: 0, ..unix.clone() };
    let forged = UnixSocket { path: Some(b"/forged"[..].into()), ..unix.clone() };
    let row = |socket: &UnixSocket| Socket::Unix(socket.clone());
    let mut sockets = [&forged, &unix, &embryo, &unix, &embryo].map(row).to_vec();
    drop_repeated(&mut sockets);
    assert_eq!(sockets, [&forged, &unix, &embryo, &embryo].map(row));
}
