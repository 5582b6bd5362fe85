//! The text that netstat prints for a timer.

use std::fmt;

use crate::socket::{Protocol, Timer, TimerKind};

/// A timer, printed like `on (0.20/1/0)`: kind, seconds, retransmissions and probes.
pub struct ShownTimer(pub Protocol, pub Timer);

impl ShownTimer {
    /// The name of the kind; `None` if netstat has none.
    pub fn kind(&self) -> Option<&'static str> {
        use Protocol::Tcp;
        use TimerKind::{Keepalive, Off, Other, Probe, Retransmit, TimeWait};
        Some(match (self.0, self.1.kind) {
            (_, Off) => "off",
            (Tcp, Retransmit) => "on",
            (Tcp, Keepalive) => "keepalive",
            (Tcp, TimeWait) => "timewait",
            (Tcp, Probe) => "probe",
            (_, Retransmit) => "on1",
            (_, Keepalive) => "on2",
            (_, TimeWait | Probe | Other(_)) => return None,
        })
    }

    /// The time until it expires, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "hundredths of a second, for people")]
    pub fn seconds(&self) -> f64 {
        self.1.ticks as f64 / procfs::ticks_per_second() as f64
    }

    /// Unanswered retransmissions; always 0 for UDP, as netstat prints it.
    pub fn retransmits(&self) -> u32 {
        match self.0 {
            Protocol::Udp | Protocol::UdpLite | Protocol::Icmp | Protocol::Mptcp => 0,
            Protocol::Tcp | Protocol::Raw => self.1.retransmits,
        }
    }
}

impl fmt::Display for ShownTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Some(kind) => f.write_str(kind)?,
            None => write!(f, "unkn-{}", self.1.kind.number())?,
        }
        write!(f, " ({:.2}/{}/{})", self.seconds(), self.retransmits(), self.1.probes)
    }
}
