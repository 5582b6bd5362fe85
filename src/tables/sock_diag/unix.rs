//! UNIX sockets, as `linux/unix_diag.h` describes them: `struct unix_diag_msg`.
//!
//! It does not tell how many references a socket has. They are two of the socket's own (one of
//! its maker's, one of the table's) and one of each socket that is connected to it. Nor does it
//! list a connection that waits to be accepted: its listener tells whom it comes from, and it is
//! put behind that, wherever it is in the kernel's table. Of one that waits for room to wait in
//! it says nothing.

use std::collections::HashMap;

use nix::libc::AF_UNIX;

use super::wire::{Fields, attributes};
use crate::socket::{SocketType, State, UnixSocket, UnixState};
use crate::tables::Fault;

/// What is to be shown, and the attributes that show it.
const UDIAG_SHOW_NAME: u32 = 1;
const UDIAG_SHOW_PEER: u32 = 4;
const UDIAG_SHOW_ICONS: u32 = 8;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_PEER: u16 = 2;
const UNIX_DIAG_ICONS: u16 = 3;
/// References that every socket has.
const OWN_REFERENCES: u32 = 2;

/// `struct unix_diag_req`, for every socket.
pub(super) fn request() -> Vec<u8> {
    const ANY_STATE: u32 = u32::MAX;
    const ANY_INODE: u32 = 0;
    const ANY_COOKIE: [u8; 8] = [0; 8];
    let family = u8::try_from(AF_UNIX).unwrap_or_default();
    [
        &[family, 0, 0, 0][..],
        &ANY_STATE.to_ne_bytes(),
        &ANY_INODE.to_ne_bytes(),
        &(UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS).to_ne_bytes(),
        &ANY_COOKIE,
    ]
    .concat()
}

/// Reads all of them before it knows who is connected to whom.
#[derive(Default)]
pub(super) struct Reader {
    sockets: Vec<UnixSocket>,
    /// How many are connected to the socket with this inode.
    connected: HashMap<u64, u32>,
}

impl Reader {
    /// Parses one message.
    ///
    /// # Errors
    ///
    /// A [`Fault`] when it is cut off, or of a type or in a state that does not exist.
    pub(super) fn take(&mut self, message: &[u8]) -> Result<(), Fault> {
        let mut fields = Fields(message);
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
                    let inode = Fields(value).u32("peer")?;
                    self.is_connected_to(inode);
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
            self.is_connected_to(client);
            // Its client holds it as well, unless that has gone.
            let references = OWN_REFERENCES + u32::from(client != 0);
            let peer = Some(client.into());
            self.sockets.push(UnixSocket { references, peer, ..connection.clone() });
        }
        Ok(())
    }

    /// A socket is connected to the one with this inode, or with 0 to one that has none.
    fn is_connected_to(&mut self, inode: u32) {
        if inode != 0 {
            *self.connected.entry(inode.into()).or_default() += 1;
        }
    }

    /// The sockets, in the order in which they came.
    pub(super) fn finish(self) -> impl Iterator<Item = UnixSocket> {
        let Self { sockets, connected } = self;
        sockets.into_iter().map(move |mut socket| {
            let connected = connected.get(&socket.inode).copied().unwrap_or(0);
            socket.references = socket.references.saturating_add(connected);
            socket
        })
    }
}

/// A bound name as the text has it: `@` for each NUL of a name that is no file, and none of that
/// which ends a path.
fn path_of(name: &[u8]) -> Box<[u8]> {
    let name = match name {
        [path @ .., 0] if !name.starts_with(b"\0") => path,
        name => name,
    };
    name.iter().map(|&byte| if byte == 0 { b'@' } else { byte }).collect()
}
