//! A timer in netstat's words.

use std::fmt;

use crate::socket::{Protocol, Timer};

/// `on (0.20/1/0)`: which timer, its seconds, retransmits and probes.
pub(super) struct Shown<'a>(pub(super) Protocol, pub(super) &'a Timer);

impl Shown<'_> {
    /// Which timer; none of those that have no name.
    pub(super) fn kind(&self) -> Option<&'static str> {
        let kinds: &[&str] = match self.0 {
            Protocol::Tcp => &["off", "on", "keepalive", "timewait", "probe"],
            Protocol::Udp | Protocol::UdpLite | Protocol::Raw => &["off", "on1", "on2"],
        };
        kinds.get(usize::from(self.1.kind)).copied()
    }

    /// When it expires, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "hundredths of a second, for people")]
    pub(super) fn seconds(&self) -> f64 {
        self.1.ticks as f64 / procfs::ticks_per_second() as f64
    }

    /// Unanswered retransmissions; netstat shows none of udp's.
    pub(super) fn retransmits(&self) -> u32 {
        match self.0 {
            Protocol::Udp | Protocol::UdpLite => 0,
            Protocol::Tcp | Protocol::Raw => self.1.retransmits,
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Some(kind) => f.write_str(kind)?,
            None => write!(f, "unkn-{}", self.1.kind)?,
        }
        write!(f, " ({:.2}/{}/{})", self.seconds(), self.retransmits(), self.1.probes)
    }
}
