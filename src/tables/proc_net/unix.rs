//! Rows of `<root>/net/unix`.
//!
//! ```text
//! Num       RefCount Protocol Flags    Type St Inode Path
//! 0000000000000000: 00000002 00000000 00010000 0001 01 21577 /run/dbus/system_bus_socket
//! ```
//!
//! The kernel's `net/unix/af_unix.c` prints them; `man 5 proc_pid_net` describes them. The inode is
//! decimal, the other numbers are hexadecimal. After one space, the rest of the line is the path
//! that the process gave to bind(2), with `@` for each NUL of an abstract name.

use super::Words;
use crate::number::{decimal, hex};
use crate::remark::Fault;
use crate::socket::{SocketType, UnixSocket, UnixState};

pub(super) fn is_heading(line: &[u8]) -> bool {
    line.starts_with(b"Num ")
}

/// Parses one row. Fails if a field is missing or malformed.
pub(super) fn parse(line: &[u8]) -> Result<UnixSocket, Fault> {
    let mut words = Words(line);
    words.next("pointer", |text| hex::<u64>(text.strip_suffix(b":")?))?;
    let references = words.next("reference count", hex)?;
    words.next("protocol", hex::<u32>)?;
    let flags = words.next("flags", hex)?;
    let kind = words.next("type", |text| SocketType::from_kernel(hex(text)?))?;
    let state = words.next("state", |text| UnixState::from_kernel(hex(text)?))?;
    let inode = words.next("inode", decimal)?;
    let path = words.0.strip_prefix(b" ").map(Box::from);
    Ok(UnixSocket { references, flags, kind, state, inode, path, peer: None })
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::socket::{Kind, Socket};
    use crate::tables::proc_net::tests::read;

    fn kernel_row(socket: &UnixSocket) -> Vec<u8> {
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
        fn sockets()(
            (references, flags, inode) in any::<(u32, u32, u64)>(),
            kind in (0_u16..=5).prop_map(|number| SocketType::from_kernel(number).unwrap()),
            state in (0_u8..=4).prop_map(|number| UnixState::from_kernel(number).unwrap()),
            path in option::of(
                vec(any::<u8>().prop_filter("ends the line", |&byte| byte != b'\n'), 0..108)
            ),
        ) -> UnixSocket {
            let path = path.map(Vec::into_boxed_slice);
            UnixSocket { references, flags, kind, state, inode, path, peer: None }
        }
    }

    /// A row, and the socket that it describes.
    pub(in crate::tables::proc_net) fn rows() -> impl Strategy<Value = (Vec<u8>, Socket)> {
        sockets().prop_map(|socket| (kernel_row(&socket), Socket::Unix(socket)))
    }

    const HEADING: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n";

    #[test]
    fn path_is_everything_after_one_space() {
        let row = "0000000000000000: 00000002 00000000 00010000 0001 01 21577";
        for (end, path) in
            [("", None), (" ", Some("")), (" /a b", Some("/a b")), ("  @", Some(" @"))]
        {
            let (rows, faults) = read(Kind::Unix, format!("{HEADING}{row}{end}\n").as_bytes());
            let expected = UnixSocket {
                flags: UnixSocket::ACCEPTS,
                state: UnixState::Unconnected,
                inode: 21577,
                path: path.map(|path| path.as_bytes().into()),
                ..UnixSocket::example()
            };
            assert!(expected.is_listening());
            assert_eq!((rows, faults), (vec![Socket::Unix(expected)], vec![]));
        }
    }

    #[test]
    fn malformed_field_is_named_in_the_error_and_drops_only_its_line() {
        let row = "0000000000000000: 00000002 00000000 00010000 0001 01 21577 /x";
        for (good, bad, fault) in [
            (" 0001 ", " 0009 ", "its type is malformed: \"0009\""),
            (" 01 ", " 07 ", "its state is malformed: \"07\""),
            ("0000:", "0000", "its pointer is malformed: \"0000000000000000\""),
            (" 21577 /x", "", "it ends before its inode"),
            (" 21577 ", " 2x577 ", "its inode is malformed: \"2x577\""),
        ] {
            let bad = row.replacen(good, bad, 1);
            let (rows, faults) = read(Kind::Unix, format!("{HEADING}{bad}\n{row}\n").as_bytes());
            assert_eq!(rows.len(), 1, "{bad}");
            assert_eq!(faults, [format!("2: {fault}")]);
        }
    }
}
