//! Messages as the kernel makes them, and as nobody should.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::socket::{
    Endpoint, Family, InternetSocket, Protocol, Queues, SocketType, State, UnixSocket, UnixState,
};

/// A message with its header.
fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut message = wire::request(kind, flags, sequence, payload);
    message.resize(message.len().next_multiple_of(4), 0);
    message
}

/// An attribute, padded.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap();
    let mut text = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
    text.resize(text.len().next_multiple_of(4), 0);
    text
}

/// A `struct inet_diag_msg` about this socket, bound to this device.
fn inet_diag_msg(socket: &InternetSocket, device: u32) -> Vec<u8> {
    let octets = |address: IpAddr| match address {
        IpAddr::V4(ipv4) => [&ipv4.octets()[..], &[0; 12]].concat(),
        IpAddr::V6(ipv6) => ipv6.octets().to_vec(),
    };
    let memory: Vec<u8> = (0..8).chain(socket.drops).flat_map(u32::to_ne_bytes).collect();
    [
        &[if socket.family == Family::Ipv4 { 2 } else { 10 }, socket.state as u8, 1, 2][..],
        &socket.local.port.to_be_bytes(),
        &socket.remote.port.to_be_bytes(),
        &octets(socket.local.address),
        &octets(socket.remote.address),
        &device.to_ne_bytes(),
        &[0xcc; 8],
        &77_u32.to_ne_bytes(),
        &socket.queues.receive.to_ne_bytes(),
        &socket.queues.send.to_ne_bytes(),
        &socket.uid.to_ne_bytes(),
        &u32::try_from(socket.inode).unwrap().to_ne_bytes(),
        &attribute(8, &[3]),
        &attribute(7, &memory),
    ]
    .concat()
}

fn socket(protocol: Protocol, state: State) -> InternetSocket {
    let end = |last, port| Endpoint { address: Ipv4Addr::new(10, 0, 0, last).into(), port };
    InternetSocket {
        protocol,
        family: Family::Ipv4,
        slot: 0,
        local: end(1, 5000),
        remote: end(2, 443),
        state,
        queues: Queues { receive: 3, send: 4 },
        timer: None,
        uid: 1000,
        inode: 4711,
        drops: (protocol != Protocol::Tcp).then_some(9),
    }
}

#[test]
fn each_field_is_where_the_kernel_puts_it() {
    let ipv6 = |text: &str| text.parse::<Ipv6Addr>().unwrap().into();
    let tcp = socket(Protocol::Tcp, State::CloseWait);
    let tcp6 = InternetSocket {
        family: Family::Ipv6,
        local: Endpoint { address: ipv6("2001:db8::1"), port: 1 },
        remote: Endpoint { address: ipv6("::ffff:127.0.0.1"), port: 65535 },
        inode: u32::MAX.into(),
        ..tcp
    };
    for expected in [tcp, tcp6, socket(Protocol::Udp, State::Close)] {
        let mut reader = internet::Reader::new(expected.protocol, expected.family);
        assert_eq!(reader.parse(&inet_diag_msg(&expected, 0)), Ok(expected));
    }
}

/// Where the interface says something else than the text, it is made to say the same.
#[test]
fn what_the_text_says_otherwise_is_said_its_way() {
    let raw = socket(Protocol::Raw, State::Established);
    let mut reader = internet::Reader::new(Protocol::Raw, Family::Ipv4);
    let parsed = reader.parse(&inet_diag_msg(&raw, 0)).unwrap();
    assert_eq!((parsed.local.port, parsed.remote.port), (5000, 0));

    let listener = socket(Protocol::Tcp, State::Listen);
    let mut reader = internet::Reader::new(Protocol::Tcp, Family::Ipv4);
    let mut parse = |port, socket: InternetSocket| {
        let socket = InternetSocket { local: Endpoint { port, ..socket.local }, ..socket };
        let parsed = reader.parse(&inet_diag_msg(&socket, 0)).unwrap();
        (parsed.queues.send, parsed.uid, reader.ensure_certain().is_ok())
    };
    assert_eq!(parse(80, listener), (0, 1000, true));
    parse(80, listener);
    for uid in [1, 2, 1] {
        parse(443, InternetSocket { uid, ..listener });
    }
    let handshake = InternetSocket { uid: 0, inode: 0, ..socket(Protocol::Tcp, State::SynRecv) };
    assert_eq!(parse(80, handshake), (4, 1000, true), "its listener's");
    assert_eq!(
        parse(443, InternetSocket { uid: 5, inode: 6, ..handshake }),
        (4, 5, true),
        "its own"
    );
    assert_eq!(parse(443, handshake), (4, 0, false), "one of several users'");
    let mut reader = internet::Reader::new(Protocol::Tcp, Family::Ipv4);
    reader.parse(&inet_diag_msg(&handshake, 0)).unwrap();
    assert!(reader.ensure_certain().is_err(), "of a listener that has gone");
}

#[test]
fn unix_sockets_are_told_as_the_text_tells_them() {
    use {SocketType as Type, UnixState as Is};

    let row = |kind: u8, state: u8, inode: u32, attributes: &[Vec<u8>]| {
        [&[1, kind, state, 0][..], &inode.to_ne_bytes(), &[0xcc; 8], &attributes.concat()].concat()
    };
    let name = |name: &[u8]| attribute(0, name);
    let peer = |inode: u32| attribute(2, &inode.to_ne_bytes());
    let waiting = |inodes: [u32; 2]| attribute(3, inodes.map(u32::to_ne_bytes).as_flattened());
    let mut reader = unix::Reader::default();
    for message in [
        row(1, 10, 11, &[name(b"/x\0"), waiting([13, 0])]),
        row(2, 7, 12, &[name(b"\0a\0b")]),
        row(1, 1, 13, &[peer(0)]),
        row(5, 1, 14, &[peer(15)]),
        row(5, 1, 15, &[peer(14)]),
        row(2, 1, 16, &[peer(12)]),
    ] {
        reader.take(&message).unwrap();
    }
    let told = |socket: UnixSocket| {
        let path = socket.path.map(|path| String::from_utf8(path.into()).unwrap());
        (socket.references, socket.kind, socket.state, socket.inode, path.unwrap_or_default())
    };
    let text = str::to_owned;
    let listeners: Vec<_> = reader.finish().map(|it| (it.is_listening(), told(it))).collect();
    assert_eq!(
        listeners,
        [
            (true, (2, Type::Stream, Is::Unconnected, 11, text("/x"))),
            (false, (3, Type::Stream, Is::Connecting, 0, text("/x"))),
            (false, (2, Type::Stream, Is::Connecting, 0, text("/x"))),
            (false, (3, Type::Datagram, Is::Unconnected, 12, text("@a@b"))),
            (false, (3, Type::Stream, Is::Connected, 13, text(""))),
            (false, (3, Type::SequentialPacket, Is::Connected, 14, text(""))),
            (false, (3, Type::SequentialPacket, Is::Connected, 15, text(""))),
            (false, (2, Type::Datagram, Is::Connected, 16, text(""))),
        ]
    );
}

#[test]
fn what_is_cut_off_or_unknown_is_named() {
    let whole = inet_diag_msg(&socket(Protocol::Tcp, State::Listen), 0);
    let mut reader = internet::Reader::new(Protocol::Tcp, Family::Ipv4);
    for (length, field) in [(0, "family"), (5, "local port"), (71, "inode")] {
        assert_eq!(reader.parse(&whole[..length]), Err(Fault::Missing(field)));
    }
    let strange = [&[2, 13][..], &whole[2..]].concat();
    assert_eq!(reader.parse(&strange), Err(Fault::malformed("state", b"13")));
    let mut reader = unix::Reader::default();
    assert_eq!(reader.take(&[1, 9]), Err(Fault::malformed("type", b"9")));
    assert_eq!(reader.take(&[1, 1, 1, 0, 0]), Err(Fault::Missing("inode")));
}

/// What is taken from these messages, and how it ends.
fn taken(messages: &[Vec<u8>]) -> (Vec<u8>, bool, Result<bool, Option<i32>>) {
    let (mut rows, mut changed) = (Vec::new(), false);
    let result = take(&messages.concat(), &mut changed, &mut |row| rows.push(row[0]));
    let result = result.map(|flow| flow.is_break()).map_err(|error| error.raw_os_error());
    (rows, changed, result)
}

#[test]
fn a_dump_ends_with_its_last_message() {
    const DONE: u16 = 3;
    const ERROR: u16 = 2;
    let row = |number| message(SOCK_DIAG_BY_FAMILY, 2, SEQUENCE, &[number]);
    let end = |kind, error: i32| message(kind, 2, SEQUENCE, &error.to_ne_bytes());
    let stale = message(DONE, 2, SEQUENCE + 1, &[]);
    let noop = message(1, 0, SEQUENCE, &[7]);
    let marked = message(SOCK_DIAG_BY_FAMILY, 2 | NLM_F_DUMP_INTR, SEQUENCE, &[3]);
    assert_eq!(taken(&[row(1), noop, row(2)]), (vec![1, 2], false, Ok(false)));
    assert_eq!(taken(&[stale, row(1), end(DONE, 0), row(2)]), (vec![1], false, Ok(true)));
    assert_eq!(taken(&[row(1), marked, end(DONE, 0)]), (vec![1, 3], true, Ok(true)));
    assert_eq!(taken(&[end(ERROR, -2)]), (vec![], false, Err(Some(2))));
    assert_eq!(taken(&[row(1), end(DONE, -12)]), (vec![1], false, Err(Some(12))));
    let cut = row(2)[..16].to_vec();
    assert_eq!(taken(&[row(1), cut]), (vec![1], false, Err(None)));
    assert_eq!(taken(&[vec![0; 16]]), (vec![], false, Err(None)));
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(bytes in vec(any::<u8>(), 0..200)) {
        let mut reader = internet::Reader::new(Protocol::Udp, Family::Ipv6);
        let mut unix = unix::Reader::default();
        let mut read = |message: &[u8]| {
            let _ = (reader.parse(message), unix.take(message));
        };
        read(&bytes);
        let _ = take(&bytes, &mut false, &mut read);
        let _ = take(&message(SOCK_DIAG_BY_FAMILY, 0, SEQUENCE, &bytes), &mut false, &mut read);
        prop_assert!(unix.finish().all(|socket| socket.references >= 2));
    }
}
