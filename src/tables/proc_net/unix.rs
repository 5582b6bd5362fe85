//! Rows of `<root>/net/unix`.
//!
//! ```text
//! Num       RefCount Protocol Flags    Type St Inode Path
//! 0000000000000000: 00000002 00000000 00010000 0001 01 21577 /run/dbus/system_bus_socket
//! ```
//!
//! The kernel's `net/unix/af_unix.c` prints them; `man 5 proc_pid_net` describes them. The inode is
//! decimal, the other numbers are hexadecimal. After one space, the rest of the line is the path
//! that the process gave to bind(2), with `@` for each NUL of an abstract name; in old kernels only
//! for the first one. The pointer and the protocol are not used. They can be anything: kernels have
//! also printed the pointer as `(null)`, and gVisor as `0x0`.

use super::Words;
use crate::number::{decimal, hex};
use crate::remark::Fault;
use crate::socket::{SocketType, UnixSocket, UnixState};

pub(super) fn is_heading(line: &[u8]) -> bool {
    let mut words = Words(line);
    words.word() == Some(b"Num") && words.word() == Some(b"RefCount")
}

/// Parses one row, whose line ends in a carriage return and a newline if `is_crlf`. Fails if a field
/// that is used is missing or malformed.
pub(super) fn parse(line: &[u8], is_crlf: bool) -> Result<UnixSocket, Fault> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").filter(|_| is_crlf).unwrap_or(line);
    let mut words = Words(line);
    words.next("pointer", Some)?;
    let references = words.next("reference count", hex)?;
    words.next("protocol", Some)?;
    let flags = words.next("flags", hex)?;
    let kind = words.next("type", |text| SocketType::from_kernel(hex(text)?))?;
    let state = words.next("state", |text| UnixState::from_kernel(hex(text)?))?;
    let inode = words.next("inode", decimal)?;
    let path = words.0.strip_prefix(b" ").map(UnixSocket::printed);
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
                vec(any::<u8>().prop_filter("NUL or newline", |byte| !b"\0\n".contains(byte)), 0..108)
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
            (": 00000002 ", ": 2x ", "its reference count is malformed: \"2x\""),
            (" 21577 /x", "", "it ends before its inode"),
            (" 21577 ", " 2x577 ", "its inode is malformed: \"2x577\""),
        ] {
            let bad = row.replacen(good, bad, 1);
            let (rows, faults) = read(Kind::Unix, format!("{HEADING}{bad}\n{row}\n").as_bytes());
            assert_eq!(rows.len(), 1, "{bad}");
            assert_eq!(faults, [format!("2: {fault}")]);
        }
    }

    /// Reads one row that must be a socket.
    fn row(row: &[u8]) -> UnixSocket {
        let (sockets, faults) = read(Kind::Unix, &[HEADING.as_bytes(), row].concat());
        assert_eq!(faults, [""; 0], "{}", row.escape_ascii());
        let [Socket::Unix(socket)] = &sockets[..] else { panic!("{sockets:?}") };
        socket.clone()
    }

    #[test]
    fn fields_that_are_not_used_do_not_matter() {
        const ROW: &str = "c1234567: 00000002 00000000 00010000 0001 01 21577 /x\n";
        for (good, odd) in [
            ("c1234567:", "          (null):"),
            ("c1234567:", "0x0000000000000000:"),
            ("c1234567:", "pK-error:"),
            ("c1234567:", "c1234567"),
            (" 00000000 ", " -1 "),
            (" 00000000 ", " 100000000 "),
        ] {
            assert!(ROW.contains(good), "{good}");
            assert_eq!(row(ROW.replacen(good, odd, 1).as_bytes()), row(ROW.as_bytes()), "{odd}");
        }
    }

    #[test]
    fn nul_in_an_abstract_name_is_an_at_sign() {
        for (printed, path) in [
            (&b"@/tmp/x\0\0\0"[..], &b"@/tmp/x@@@"[..]),
            (b"\0name", b"@name"),
            (b"@a\0b c", b"@a@b c"),
            (b"@\0", b"@@"),
        ] {
            let start = b"c1234567: 00000002 00000000 00010000 0001 01 21577 ";
            let found = row(&[start, printed, b"\n"].concat());
            assert_eq!(found.path.as_deref(), Some(path), "{}", printed.escape_ascii());
        }
    }

    #[test]
    fn carriage_return_belongs_to_the_path_unless_the_heading_ends_in_one() {
        let rows = "0: 2 0 0 1 1 5 /a\r\n0: 2 0 0 1 1 6\r\n0: 2 0 0 1 1 7 /b\n0: 2 0 0 1 1 8 /c\r";
        let paths = |heading: &str| {
            let (sockets, faults) = read(Kind::Unix, format!("{heading}{rows}").as_bytes());
            assert_eq!(faults, [""; 0]);
            let path = |socket: &Socket| match socket {
                Socket::Unix(it) => it.path.as_deref().map(<[u8]>::to_vec),
                Socket::Internet(_) | Socket::Sctp(_) | Socket::Other(_) => panic!(),
            };
            sockets.iter().map(path).collect::<Vec<_>>()
        };
        let path = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(paths(HEADING), [path("/a\r"), None, path("/b"), path("/c\r")]);
        let crlf = [path("/a"), None, path("/b"), path("/c")];
        assert_eq!(paths(&HEADING.replace('\n', "\r\n")), crlf);
        assert_eq!(paths(""), crlf);
        // The second heading counts.
        assert_eq!(paths(&format!("\n{}", HEADING.replace('\n', "\r\n"))), crlf);
    }
}
