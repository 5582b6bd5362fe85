//! UNIX sockets.

use super::State;

/// The type of a UNIX socket, with the kernel's numbers (`include/linux/net.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of socket(2)")]
pub enum SocketType {
    /// Not set yet: a connection that waits for room in the queue of its listener.
    Unset = 0,
    Stream = 1,
    Datagram = 2,
    Raw = 3,
    ReliableDatagram = 4,
    SequentialPacket = 5,
}

impl SocketType {
    /// Returns the type with the kernel's number, or `None` if there is none.
    pub fn from_kernel(number: u16) -> Option<Self> {
        use SocketType::{Datagram, Raw, ReliableDatagram, SequentialPacket, Stream, Unset};
        let types = [Unset, Stream, Datagram, Raw, ReliableDatagram, SequentialPacket];
        types.get(usize::from(number)).copied()
    }

    /// The name that netstat prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unset => "UNKNOWN",
            Self::Stream => "STREAM",
            Self::Datagram => "DGRAM",
            Self::Raw => "RAW",
            Self::ReliableDatagram => "RDM",
            Self::SequentialPacket => "SEQPACKET",
        }
    }
}

/// The state of a UNIX socket, with the kernel's numbers (`include/uapi/linux/net.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum UnixState {
    Free = 0,
    /// Also the state of a listening socket: see [`UnixSocket::is_listening`].
    Unconnected = 1,
    Connecting = 2,
    Connected = 3,
    Disconnecting = 4,
}

impl UnixState {
    /// Returns the state with the kernel's number, or `None` if there is none.
    pub fn from_kernel(number: u8) -> Option<Self> {
        use UnixState::{Connected, Connecting, Disconnecting, Free, Unconnected};
        let states = [Free, Unconnected, Connecting, Connected, Disconnecting];
        states.get(usize::from(number)).copied()
    }
}

/// A UNIX socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// The reference count in the kernel.
    pub references: u32,
    /// The kernel's flags, such as [`ACCEPTS`](Self::ACCEPTS).
    pub flags: u32,
    /// The socket type.
    pub kind: SocketType,
    /// The state.
    pub state: UnixState,
    /// The inode, as in the links of `/proc/<pid>/fd`; 0 for a connection that is not accepted yet.
    pub inode: u64,
    /// The bound name: a path, or an abstract name with `@` for each NUL. `None` for most sockets.
    pub path: Option<Box<[u8]>>,
    /// The inode of the socket at the other end; 0 if that socket has no inode yet. `None` if there
    /// is no other end, or if the source does not give it.
    pub peer: Option<u64>,
}

impl UnixSocket {
    /// The bit in [`flags`](Self::flags) that says that the socket accepts connections.
    pub const ACCEPTS: u32 = 1 << 16;
    /// The bit that says that the socket waits for data; only old kernels set it.
    pub const WAITS: u32 = 1 << 17;
    /// The bit that says that the socket has no space left; only old kernels set it.
    pub const NO_SPACE: u32 = 1 << 18;

    /// Returns a bound name with `@` for each NUL, as current kernels print an abstract name. Old
    /// kernels print only the first NUL as `@`, and the others as they are.
    pub(crate) fn printed(name: &[u8]) -> Box<[u8]> {
        name.iter().map(|&byte| if byte == 0 { b'@' } else { byte }).collect()
    }

    /// Returns true if the socket waits for connections.
    pub fn is_listening(&self) -> bool {
        self.state == UnixState::Unconnected && self.flags & Self::ACCEPTS != 0
    }

    /// The state as netstat shows it; `None` if the socket neither listens nor is connected.
    pub fn state(&self) -> Option<State> {
        match self.state {
            UnixState::Free => Some(State::Free),
            UnixState::Unconnected => self.is_listening().then_some(State::Listening),
            UnixState::Connecting => Some(State::Connecting),
            UnixState::Connected => Some(State::Connected),
            UnixState::Disconnecting => Some(State::Disconnecting),
        }
    }

    /// The names that netstat prints for the flags that are set.
    pub fn flag_names(&self) -> impl Iterator<Item = &'static str> {
        let names = [(Self::ACCEPTS, "ACC"), (Self::WAITS, "W"), (Self::NO_SPACE, "N")];
        names.into_iter().filter(|&(bit, _)| self.flags & bit != 0).map(|(_, name)| name)
    }
}

#[cfg(test)]
impl UnixSocket {
    /// A connected stream socket without a name.
    pub(crate) fn example() -> Self {
        Self {
            references: 2,
            flags: 0,
            kind: SocketType::Stream,
            state: UnixState::Connected,
            inode: 1,
            path: None,
            peer: None,
        }
    }
}
