//! The lengths of the hash chains that the kernel keeps sockets in.

use crate::socket::{End, Kind, Protocol, Socket, State};

/// The number of ports, and the most chains that a table is taken to have.
pub(super) const PORTS: usize = 1 << 16;

/// The hash chains that the kernel keeps a table in.
pub(super) struct Chains {
    /// There are more TCP connections or UNIX sockets than chains, or about as many.
    pub(super) are_long: bool,
    /// The number of other sockets in each chain: the local port decides the chain, or the protocol
    /// of a raw socket.
    lengths: Vec<u32>,
    pub(super) longest: u32,
}

impl Chains {
    pub(super) fn new(are_long: bool, chains: usize) -> Self {
        Self { are_long, lengths: vec![0; chains.min(PORTS)], longest: 0 }
    }

    pub(super) fn add(&mut self, socket: &Socket) {
        let is_tcp = matches!(socket.kind(), Kind::Internet(Protocol::Tcp, _));
        if is_tcp && socket.state() != Some(State::Listen) {
            return;
        }
        let Some(End::Internet(_, end)) = socket.local() else { return };
        let chain = usize::from(end.port).checked_rem(self.lengths.len());
        if let Some(length) = chain.and_then(|chain| self.lengths.get_mut(chain)) {
            *length += 1;
            self.longest = self.longest.max(*length);
        }
    }
}
