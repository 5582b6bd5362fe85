//! UNIX sockets: `struct unix_diag_msg` of `linux/unix_diag.h`.
//!
//! The text shows three things that netlink does not give directly:
//!
//! - The reference count. It is computed here: two for each socket (its descriptor and the table
//!   refer to it), and one for each socket that is connected to it.
//! - Connections that wait to be accepted. In netlink, the listener has a list of their clients.
//!   Here they follow their listener; the text has another order.
//! - Connections that wait for room in the queue of a listener. They are missing here.

use std::collections::HashMap;

use super::wire::{Payload, attributes};
use crate::remark::Fault;
use crate::socket::{SocketType, State, UnixSocket, UnixState};

/// The bits of a request that ask for attributes.
const UDIAG_SHOW_NAME: u32 = 1;
const UDIAG_SHOW_PEER: u32 = 4;
const UDIAG_SHOW_ICONS: u32 = 8;
/// The types of these attributes.
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_PEER: u16 = 2;
const UNIX_DIAG_ICONS: u16 = 3;
/// The references that every socket has.
const OWN_REFERENCES: u32 = 2;

/// Returns the `struct unix_diag_req` for sockets in these states, one bit each.
pub(super) fn request(states: u32) -> Vec<u8> {
    const AF_UNIX: u8 = 1;
    let (any_inode, any_cookie) = (0_u32, [0; 8]);
    let show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS;
    let numbers = [states, any_inode, show].map(u32::to_ne_bytes);
    [&[AF_UNIX, 0, 0, 0], numbers.as_flattened(), &any_cookie].concat()
}

/// Parses a dump. Reference counts are known only after the last message.
#[derive(Default)]
pub(super) struct UnixDump {
    sockets: Vec<UnixSocket>,
    /// The number of sockets that are connected to each inode.
    connected: HashMap<u64, u32>,
}

impl UnixDump {
    /// Parses one message. Fails if it is cut off, or if its type or state does not exist.
    pub(super) fn add(&mut self, message: &[u8]) -> Result<(), Fault> {
        let mut fields = Payload(message);
        let _family = fields.u8("family")?;
        let kind = fields.known("type", |kind| SocketType::from_kernel(kind.into()))?;
        let state = fields.known("state", State::from_kernel)?;
        let _padding = fields.u8("padding")?;
        let inode = fields.u32("inode")?.into();
        let _cookie: [u8; 8] = fields.bytes("cookie")?;
        let (mut path, mut peer) = (None, None);
        let mut waiting: &[u8] = &[];
        for (kind, value) in attributes(fields.0) {
            match kind {
                UNIX_DIAG_NAME => path = Some(path_of(value)),
                UNIX_DIAG_PEER => {
                    let inode = Payload(value).u32("peer")?;
                    self.count_connection(inode);
                    peer = Some(inode.into());
                }
                UNIX_DIAG_ICONS => waiting = value,
                _ => {}
            }
        }
        let connected = state == State::Established;
        let socket = UnixSocket {
            references: OWN_REFERENCES,
            flags: if state == State::Listen { UnixSocket::ACCEPTS } else { 0 },
            kind,
            state: if connected { UnixState::Connected } else { UnixState::Unconnected },
            inode,
            path,
            peer,
        };
        let connection =
            UnixSocket { flags: 0, state: UnixState::Connecting, inode: 0, ..socket.clone() };
        self.sockets.push(socket);
        for &client in waiting.as_chunks().0 {
            let client = u32::from_ne_bytes(client);
            self.count_connection(client);
            // The client also refers to the connection, unless the client is gone.
            let references = OWN_REFERENCES + u32::from(client != 0);
            let peer = Some(client.into());
            self.sockets.push(UnixSocket { references, peer, ..connection.clone() });
        }
        Ok(())
    }

    /// Counts a connection to the socket with this inode, unless the inode is 0.
    fn count_connection(&mut self, inode: u32) {
        if inode != 0 {
            *self.connected.entry(inode.into()).or_default() += 1;
        }
    }

    /// Returns the sockets in the order of their messages.
    pub(super) fn finish(self) -> impl Iterator<Item = UnixSocket> {
        let Self { sockets, connected } = self;
        sockets.into_iter().map(move |mut socket| {
            let connected = connected.get(&socket.inode).copied().unwrap_or(0);
            socket.references = socket.references.saturating_add(connected);
            socket
        })
    }
}

/// Returns a bound name as the text shows it: with `@` for each NUL of an abstract name, and
/// without the NUL at the end of a path.
fn path_of(name: &[u8]) -> Box<[u8]> {
    let name = match name {
        [path @ .., 0] if !name.starts_with(b"\0") => path,
        name => name,
    };
    UnixSocket::printed(name)
}

#[cfg(test)]
mod tests {
    use super::super::wire::attribute;
    use super::*;

    #[test]
    fn socket_from_netlink_has_the_fields_of_the_text() {
        use {SocketType as Type, UnixState as Is};

        let row = |kind: u8, state: u8, inode: u32, attributes: &[Vec<u8>]| {
            let head = [1, kind, state, 0];
            [&head[..], &inode.to_ne_bytes(), &[0xcc; 8], &attributes.concat()].concat()
        };
        let name = |name: &[u8]| attribute(0, name);
        let peer = |inode: u32| attribute(2, &inode.to_ne_bytes());
        let waiting = |inodes: [u32; 2]| attribute(3, inodes.map(u32::to_ne_bytes).as_flattened());
        let mut dump = UnixDump::default();
        for message in [
            row(1, 10, 11, &[name(b"/x\0"), waiting([13, 0])]),
            row(2, 7, 12, &[name(b"\0a\0b")]),
            row(1, 1, 13, &[peer(0)]),
            row(5, 1, 14, &[peer(15)]),
            row(5, 1, 15, &[peer(14)]),
            row(2, 1, 16, &[peer(12)]),
        ] {
            dump.add(&message).unwrap();
        }
        let fields = |socket: UnixSocket| {
            let path = socket.path.map(|path| String::from_utf8(path.into()).unwrap());
            (socket.references, socket.kind, socket.state, socket.inode, path.unwrap_or_default())
        };
        let text = str::to_owned;
        let found: Vec<_> = dump.finish().map(|it| (it.is_listening(), fields(it))).collect();
        assert_eq!(
            found,
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
    fn error_names_the_truncated_field_or_the_unknown_value() {
        let mut dump = UnixDump::default();
        assert_eq!(dump.add(&[1, 9]), Err(Fault::malformed("type", b"9")));
        assert_eq!(dump.add(&[1, 1, 1, 0, 0]), Err(Fault::Missing("inode")));
    }
}
