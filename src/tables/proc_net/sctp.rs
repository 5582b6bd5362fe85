//! Rows of `<root>/net/sctp/eps` and `<root>/net/sctp/assocs`.
//!
//! ```text
//!  ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS
//! ec233aab  6b7050f 2   10  53   5002      0 10549 127.0.0.1 10.8.8.1
//!  ASSOC     SOCK   STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT …
//! 54fef8bb b4a6fa30 2   1   3  0       6        0     6160       0 10561 5002  34031 …
//! ```
//!
//! After the ports of an association there are `LADDRS <-> RADDRS HBINT …`, such as `127.0.0.1
//! 10.8.8.1 <-> *10.8.8.2 7500 …`: all addresses of both ends, and the interval of heartbeats. The
//! primary address has a star.
//!
//! The kernel's `net/sctp/proc.c` prints them. All numbers but the pointers are decimal. SST is the
//! state of the socket, with the numbers of TCP. ST is that of the association, which netstat does
//! not show.

use std::net::IpAddr;

use super::Words;
use crate::number::{decimal, unsigned};
use crate::remark::Fault;
use crate::socket::{Association, Queues, SctpEnd, SctpSocket, SctpTable, State};

pub(super) fn is_heading(table: SctpTable, line: &[u8]) -> bool {
    let first: &[u8] = match table {
        SctpTable::Endpoints => b"ENDPT ",
        SctpTable::Associations => b"ASSOC ",
    };
    line.trim_ascii_start().starts_with(first)
}

/// Parses one row. Fails if a field that is read is missing or malformed.
pub(super) fn parse(table: SctpTable, line: &[u8]) -> Result<SctpSocket, Fault> {
    let mut words = Words(line);
    words.next("pointer", Some)?;
    words.next("pointer to the socket", Some)?;
    words.next("type", Some)?;
    let state = words.next("state", |text| State::from_kernel(decimal(text)?))?;
    match table {
        SctpTable::Endpoints => endpoint(words, state),
        SctpTable::Associations => association(words, state),
    }
}

fn endpoint(mut words: Words<'_>, state: State) -> Result<SctpSocket, Fault> {
    const ADDRESS: &str = "local address";
    words.next("bucket", Some)?;
    let port = words.next("local port", decimal)?;
    let uid = words.next("uid", unsigned)?;
    let inode = words.next("inode", decimal)?;
    let first = words.next(ADDRESS, address)?;
    let mut others = Vec::new();
    while !words.0.trim_ascii_start().is_empty() {
        others.push(words.next(ADDRESS, address)?);
    }
    let local = SctpEnd { address: first, others: others.into(), port };
    Ok(SctpSocket { local, association: None, state, uid, inode })
}

fn association(mut words: Words<'_>, state: State) -> Result<SctpSocket, Fault> {
    words.next("state of the association", Some)?;
    words.next("bucket", Some)?;
    words.next("identifier", Some)?;
    let send = words.next("send queue", decimal)?;
    let receive = words.next("receive queue", decimal)?;
    let uid = words.next("uid", unsigned)?;
    let inode = words.next("inode", decimal)?;
    let local_port = words.next("local port", decimal)?;
    let remote_port = words.next("remote port", decimal)?;
    let local = end(&mut words, "local address", local_port, |word| word == b"<->")?;
    // The interval of heartbeats and the number of streams. Without the latter, the former can be the
    // beginning of an address.
    let is_interval = |word: &[u8]| decimal::<u64>(word).is_some();
    let remote = end(&mut words, "remote address", remote_port, is_interval)?;
    let _streams: u64 = words.next("number of streams", decimal)?;
    let association = Association { remote, queues: Queues { receive, send } };
    Ok(SctpSocket { local, association: Some(Box::new(association)), state, uid, inode })
}

/// Parses addresses, and the word after them, which `is_after` accepts.
fn end(
    words: &mut Words<'_>,
    field: &'static str,
    port: u16,
    is_after: impl Fn(&[u8]) -> bool,
) -> Result<SctpEnd, Fault> {
    let first = words.next(field, address)?;
    let mut others = Vec::new();
    let more = |word| if is_after(word) { Some(None) } else { address(word).map(Some) };
    while let Some(other) = words.next(field, more)? {
        others.push(other);
    }
    Ok(SctpEnd { address: first, others: others.into(), port })
}

fn address(word: &[u8]) -> Option<IpAddr> {
    str::from_utf8(word.strip_prefix(b"*").unwrap_or(word)).ok()?.parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::socket::{Kind, Socket};
    use crate::tables::proc_net::tests::read;

    /// Prints the addresses of an end as the kernel does: all groups of an IPv6 address.
    fn addresses(end: &SctpEnd) -> String {
        let text = |address| match address {
            IpAddr::V4(address) => format!("{address} "),
            IpAddr::V6(address) => {
                address.segments().map(|group| format!("{group:04x}")).join(":") + " "
            }
        };
        end.addresses().map(text).collect()
    }

    fn kernel_row(socket: &SctpSocket) -> String {
        let SctpSocket { local, association, state, uid, inode } = socket;
        let (state, port) = (*state as u8, local.port);
        let local = addresses(local);
        match association.as_deref() {
            None => format!(
                "{:8x} {:8x} {:<3} {state:<3} {:<4} {port:<5} {uid:5} {inode:5} {local}",
                1, 2, 2, 29
            ),
            Some(Association { remote, queues: Queues { receive, send } }) => format!(
                "{:8x} {:8x} {:<3} {state:<3} {:<2} {:<4} {:4} {send:8} {receive:8} {uid:7} \
                 {inode:5} {port:<5} {:5} {local}<-> *{}\t{:8} {:5} {:5} {:4} {:4} {:4} {:8} {:8} \
                 {:8} {:8} {:8}",
                1,
                2,
                2,
                3,
                29,
                5,
                remote.port,
                addresses(remote),
                30000,
                10,
                10,
                10,
                0,
                0,
                0,
                1,
                0,
                212_992,
                212_992
            ),
        }
    }

    fn ends() -> impl Strategy<Value = SctpEnd> {
        let address = prop_oneof![
            any::<[u8; 4]>().prop_map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
            any::<[u8; 16]>().prop_map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
        ];
        (vec(address, 1..9), any::<u16>()).prop_map(|(mut addresses, port)| {
            let address = addresses.remove(0);
            SctpEnd { address, others: addresses.into(), port }
        })
    }

    prop_compose! {
        fn sockets(table: SctpTable)(
            [local, remote] in [ends(), ends()],
            state in (1_u8..=12).prop_map(|number| State::from_kernel(number).unwrap()),
            (receive, send) in any::<(u32, u32)>(),
            (uid, inode) in any::<(u32, u64)>(),
        ) -> SctpSocket {
            let association = match table {
                SctpTable::Endpoints => None,
                SctpTable::Associations => {
                    let queues = Queues { receive, send };
                    Some(Box::new(Association { remote, queues }))
                }
            };
            SctpSocket { local, association, state, uid, inode }
        }
    }

    /// A row, and the socket that it describes.
    pub(in crate::tables::proc_net) fn rows(
        table: SctpTable,
    ) -> impl Strategy<Value = (Vec<u8>, Socket)> {
        sockets(table).prop_map(|socket| (kernel_row(&socket).into_bytes(), Socket::Sctp(socket)))
    }

    proptest! {
        #[test]
        fn truncated_association_gives_an_error_or_the_same_socket(
            socket in sockets(SctpTable::Associations),
        ) {
            let row = kernel_row(&socket);
            for end in 0..row.len() {
                if let Ok(found) = parse(SctpTable::Associations, &row.as_bytes()[..end]) {
                    prop_assert_eq!(&found, &socket);
                }
            }
        }
    }

    const ENDPOINTS: &str = " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n";
    const ENDPOINT: &str = " c233aab  6b7050f 2   10  53   5002   1000 10549 127.0.0.1 10.8.8.1 \n";
    const ASSOCIATIONS: &str = " ASSOC     SOCK   STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS HBINT INS OUTS MAXRT T1X T2X RTXC wmema wmemq sndbuf rcvbuf\n";
    const ASSOCIATION: &str = " 54fef8b b4a6fa30 2   1   3  0       6       11       22    1000 10561 5002  34031  127.0.0.1 10.8.8.1 <-> *127.0.0.2 fd00:0000:0000:0000:0000:0000:0000:0001 \t    7500    10    10   10    0    0        0        1        0   212992   212992\n";
    const REST: &str = "    10    10   10    0    0        0        1        0   212992   212992";

    #[test]
    fn fields_are_read_from_the_kernels_columns() {
        let endpoint = SctpSocket {
            uid: 1000,
            inode: 10549,
            ..SctpSocket::at("127.0.0.1,10.8.8.1:5002", None)
        };
        let mut association = SctpSocket {
            uid: 1000,
            inode: 10561,
            ..SctpSocket::at("127.0.0.1,10.8.8.1:5002", Some("127.0.0.2,fd00::1:34031"))
        };
        association.association.as_mut().unwrap().queues = Queues { send: 11, receive: 22 };
        for (table, text, socket) in [
            (SctpTable::Endpoints, [ENDPOINTS, ENDPOINT], endpoint),
            (SctpTable::Associations, [ASSOCIATIONS, ASSOCIATION], association),
        ] {
            let (sockets, faults) = read(Kind::Sctp(table), text.concat().as_bytes());
            assert_eq!(sockets, [Socket::Sctp(socket)]);
            assert!(faults.is_empty(), "{faults:?}");
        }
    }

    #[test]
    fn user_that_old_kernels_print_with_a_sign_has_none() {
        for (table, row) in
            [(SctpTable::Endpoints, ENDPOINT), (SctpTable::Associations, ASSOCIATION)]
        {
            let (sockets, faults) =
                read(Kind::Sctp(table), row.replace(" 1000 ", " -2 ").as_bytes());
            assert_eq!(faults, [""; 0]);
            let uids: Vec<_> = sockets.iter().map(Socket::user).collect();
            assert_eq!(uids, [Some(4_294_967_294)], "{table:?}");
        }
    }

    #[test]
    fn malformed_field_is_named_in_the_error_and_drops_only_its_line() {
        let (endpoints, associations) = (SctpTable::Endpoints, SctpTable::Associations);
        for (table, good, bad, fault) in [
            (endpoints, " 10 ", " 13 ", "its state is malformed: \"13\""),
            (endpoints, " 5002 ", " 65536 ", "its local port is malformed: \"65536\""),
            (endpoints, " 1000 ", " -x ", "its uid is malformed: \"-x\""),
            (endpoints, " 10.8.8.1 ", " 10.8.8 ", "its local address is malformed: \"10.8.8\""),
            (endpoints, "127.0.0.1 10.8.8.1", "", "it ends before its local address"),
            (associations, " <->", "", "its local address is malformed: \"7500\""),
            (associations, "127.0.0.1 10.8.8.1 ", "", "its local address is malformed: \"<->\""),
            (associations, " *127.0.0.2", " **::1", "its remote address is malformed: \"**::1\""),
            (associations, " 34031 ", " x ", "its remote port is malformed: \"x\""),
            (associations, " 22 ", " -1 ", "its receive queue is malformed: \"-1\""),
            (associations, REST, "", "it ends before its number of streams"),
        ] {
            let (heading, row) = match table {
                SctpTable::Endpoints => (ENDPOINTS, ENDPOINT),
                SctpTable::Associations => (ASSOCIATIONS, ASSOCIATION),
            };
            let line = row.replacen(good, bad, 1);
            assert_ne!(line, row, "{good}");
            let text = format!("{heading}{row}{line}{row}");
            let (sockets, faults) = read(Kind::Sctp(table), text.as_bytes());
            assert_eq!(sockets.len(), 2, "{line}");
            assert_eq!(faults, [format!("3: {fault}")]);
        }
    }
}
