//! UNIX sockets, as `linux/unix_diag.h` describes them: `struct unix_diag_msg`.
//!
//! It does not tell how many references a socket has. They are two of the socket's own (one of
//! its maker's, one of the table's) and one of each socket that is connected to it.

use std::collections::HashMap;

use nix::libc::AF_UNIX;

use super::wire::{Fields, attributes};
use crate::socket::{SocketType, State, UnixSocket, UnixState};
use crate::tables::Fault;

/// What is to be shown, and the attributes that show it.
const UDIAG_SHOW_NAME: u32 = 1;
const UDIAG_SHOW_PEER: u32 = 4;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_PEER: u16 = 2;
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
        &(UDIAG_SHOW_NAME | UDIAG_SHOW_PEER).to_ne_bytes(),
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
        for (kind, value) in attributes(fields.0) {
            match kind {
                UNIX_DIAG_NAME => path = Some(path_of(value)),
                UNIX_DIAG_PEER => peer = Fields(value).u32("peer").ok().filter(|&peer| peer != 0),
                _ => {}
            }
        }
        let mut references = OWN_REFERENCES;
        if let Some(peer) = peer {
            *self.connected.entry(peer.into()).or_default() += 1;
            // Nobody has accepted it yet, so that its peer cannot tell it by its inode.
            references += u32::from(inode == 0);
        }
        self.sockets.push(UnixSocket {
            references,
            flags: if state == State::Listen { UnixSocket::ACCEPTS } else { 0 },
            kind,
            state: match (state == State::Established, inode == 0) {
                (true, false) => UnixState::Connected,
                (false, false) => UnixState::Unconnected,
                (true, true) => UnixState::Connecting,
                (false, true) => UnixState::Disconnecting,
            },
            inode,
            path,
        });
        Ok(())
    }

    /// The sockets, in the order in which they came.
    pub(super) fn finish(self) -> impl Iterator<Item = UnixSocket> {
        let Self { sockets, connected } = self;
        sockets.into_iter().map(move |mut socket| {
            let connected = connected.get(&socket.inode).filter(|_| socket.inode != 0);
            socket.references = socket.references.saturating_add(connected.copied().unwrap_or(0));
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
