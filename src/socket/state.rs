//! States of sockets.

/// The state of a socket. Up to `Bound`, these are the kernel's TCP states, with its numbers
/// (`include/net/tcp_states.h`). Then come netstat's states of UNIX sockets, and `Unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of RFC 9293, and of UNIX sockets")]
pub enum State {
    /// 0: no state. Linux never prints it, but gVisor and the lx zones of illumos do.
    Unset = 0,
    Established,
    SynSent,
    SynRecv,
    FinWait1,
    FinWait2,
    TimeWait,
    Close,
    CloseWait,
    LastAck,
    Listen,
    Closing,
    /// A handshake in progress that has no full socket yet.
    NewSynRecv,
    /// A TCP socket that has a port, but neither listens nor is connected. The kernel lists it by
    /// netlink alone, from Linux 6.8 on, as a socket in `Close`.
    Bound,
    Listening,
    Free,
    Connecting,
    Connected,
    Disconnecting,
    /// A state that the protocol does not have.
    Unknown,
}

use State::{
    Bound, Close, CloseWait, Closing, Connected, Connecting, Disconnecting, Established, FinWait1,
    FinWait2, Free, LastAck, Listen, Listening, NewSynRecv, SynRecv, SynSent, TimeWait, Unset,
};

impl State {
    /// The kernel's states of listed sockets, in order of their numbers from 0.
    const KERNEL: [Self; 13] = [
        Unset,
        Established,
        SynSent,
        SynRecv,
        FinWait1,
        FinWait2,
        TimeWait,
        Close,
        CloseWait,
        LastAck,
        Listen,
        Closing,
        NewSynRecv,
    ];

    /// The states of UNIX sockets.
    const UNIX: [Self; 5] = [Listening, Free, Connecting, Connected, Disconnecting];

    /// Returns the state with this number of the kernel, or `None` if there is none.
    pub fn from_kernel(number: u8) -> Option<Self> {
        Self::KERNEL.get(usize::from(number)).copied()
    }

    /// The states that `--state` accepts: all but `Unset`, `Unknown`, and `NewSynRecv` (named as
    /// `SynRecv`).
    pub fn all() -> impl Iterator<Item = Self> {
        let all = Self::KERNEL.into_iter().chain([Bound]).chain(Self::UNIX);
        all.filter(|state| !matches!(state, Unset | NewSynRecv))
    }

    /// The name that netstat prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unset => "",
            Self::Established => "ESTABLISHED",
            Self::SynSent => "SYN_SENT",
            Self::SynRecv | Self::NewSynRecv => "SYN_RECV",
            Self::FinWait1 => "FIN_WAIT1",
            Self::FinWait2 => "FIN_WAIT2",
            Self::TimeWait => "TIME_WAIT",
            Self::Close => "CLOSE",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::Listen => "LISTEN",
            Self::Closing => "CLOSING",
            Self::Bound => "BOUND",
            Self::Listening => "LISTENING",
            Self::Free => "FREE",
            Self::Connecting => "CONNECTING",
            Self::Connected => "CONNECTED",
            Self::Disconnecting => "DISCONNECTING",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Returns true if a filter for `self` accepts `other`: LISTEN and LISTENING mean the same, and
    /// a handshake has two states.
    pub fn accepts(self, other: Self) -> bool {
        let canonical = |state| match state {
            Listening => Listen,
            NewSynRecv => SynRecv,
            state => state,
        };
        canonical(self) == canonical(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_states_have_the_kernels_numbers() {
        for number in 0..=12 {
            assert_eq!(State::from_kernel(number).map(|state| state as u8), Some(number));
        }
        assert_eq!(State::from_kernel(13), None);
    }

    #[test]
    fn state_filter_accepts_states_with_the_same_meaning() {
        for (one, other, accepts) in [
            (Listen, Listening, true),
            (Listening, Listen, true),
            (SynRecv, NewSynRecv, true),
            (Close, CloseWait, false),
        ] {
            assert_eq!(one.accepts(other), accepts, "{one:?} {other:?}");
        }
    }
}
