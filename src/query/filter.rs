//! What sockets must be like to be listed, beyond their sort.
//!
//! Values of one filter are alternatives; different filters must all hold.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::process::{Pid, Process};
use crate::socket::{Endpoint, InternetSocket, Protocol, Socket, State};

/// What a socket itself must be like. An empty list asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// `--port`: the port of either end.
    pub ports: Vec<RangeInclusive<u16>>,
    /// `--sport`: the port of this host's end.
    pub local_ports: Vec<RangeInclusive<u16>>,
    /// `--dport`: the port of the other end.
    pub remote_ports: Vec<RangeInclusive<u16>>,
    /// `--address`: the address of either end.
    pub networks: Vec<Network>,
    /// `--user`: who opened it.
    pub users: Vec<u32>,
    /// `--state`: the [name of its state](InternetSocket::state_name).
    pub states: Vec<&'static str>,
}

/// The states' names that a filter can ask for.
pub const STATES: [&str; 16] = [
    State::Established.name(),
    State::SynSent.name(),
    State::SynRecv.name(),
    State::FinWait1.name(),
    State::FinWait2.name(),
    State::TimeWait.name(),
    State::Close.name(),
    State::CloseWait.name(),
    State::LastAck.name(),
    State::Listen.name(),
    State::Closing.name(),
    LISTENING,
    "FREE",
    "CONNECTING",
    "CONNECTED",
    "DISCONNECTING",
];

/// What LISTEN is called of UNIX sockets; whoever asks for one of them means the other as well.
const LISTENING: &str = "LISTENING";

impl Filter {
    /// Whether it asks for what only internet sockets have.
    #[must_use]
    pub fn is_about_internet(&self) -> bool {
        let Self { ports, local_ports, remote_ports, networks, users, states: _ } = self;
        let any_ports = [ports, local_ports, remote_ports].iter().any(|ports| !ports.is_empty());
        any_ports || !networks.is_empty() || !users.is_empty()
    }

    /// Whether this socket is like that. A UNIX socket has no ports, no addresses, and no user.
    #[must_use]
    pub fn passes(&self, socket: &Socket) -> bool {
        self.has_state(socket.state_name())
            && match socket {
                Socket::Internet(socket) => self.passes_internet(socket),
                Socket::Unix(_) => !self.is_about_internet(),
            }
    }

    fn passes_internet(&self, socket: &InternetSocket) -> bool {
        let InternetSocket { local, remote, .. } = socket;
        // A raw socket's port is the number of its protocol.
        let is_of = |ports: &[RangeInclusive<u16>], ends: &[&Endpoint]| {
            let has = |end: &&Endpoint| ports.iter().any(|ports| ports.contains(&end.port));
            ports.is_empty() || (socket.protocol != Protocol::Raw && ends.iter().any(has))
        };
        let is_in =
            |network: &Network| network.contains(local.address) || network.contains(remote.address);
        is_of(&self.ports, &[local, remote])
            && is_of(&self.local_ports, &[local])
            && is_of(&self.remote_ports, &[remote])
            && (self.networks.is_empty() || self.networks.iter().any(is_in))
            && (self.users.is_empty() || self.users.contains(&socket.uid))
    }

    fn has_state(&self, name: &'static str) -> bool {
        let same = |name| if name == LISTENING { State::Listen.name() } else { name };
        self.states.is_empty() || self.states.iter().any(|&state| same(state) == same(name))
    }
}

/// Addresses with a common beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// The bits that they have in common.
    prefix: u8,
}

impl Network {
    /// The addresses whose first `prefix` bits are those of `address`; none where that has fewer.
    /// An IPv4-mapped address is the IPv4 address.
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let (canonical, bits) = match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(mapped)) => (mapped.into(), prefix.checked_sub(96)?),
            (_, address) => (address, prefix),
        };
        (bits <= width(canonical)).then_some(Self { address: canonical, prefix: bits })
    }

    /// This address alone.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, prefix: width(address) }
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                let differ = mine.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= self.prefix.into()
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => {
                let differ = mine.to_bits() ^ other.to_bits();
                differ.leading_zeros() >= self.prefix.into()
            }
            _ => false,
        }
    }
}

/// The bits of an address of this family.
fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Who must hold a socket. An empty list asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldBy {
    /// `--pid`.
    pub pids: Vec<Pid>,
    /// `--program`: what is in the command line, in lower case.
    pub programs: Vec<String>,
}

impl HeldBy {
    /// Whether it asks for nobody in particular.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pids.is_empty() && self.programs.is_empty()
    }

    /// Whether this is such a process.
    #[must_use]
    pub fn passes(&self, process: &Process) -> bool {
        (self.pids.is_empty() || self.pids.contains(&process.pid))
            && (self.programs.is_empty() || {
                let words: Vec<&[u8]> = process.words().collect();
                let command = String::from_utf8_lossy(&words.join(&b' ')).to_lowercase();
                self.programs.iter().any(|program| command.contains(program))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Option<Network> {
        match text.split_once('/') {
            None => Some(Network::of(text.parse().unwrap())),
            Some((address, prefix)) => {
                Network::new(address.parse().unwrap(), prefix.parse().unwrap())
            }
        }
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        for (text, inside, outside) in [
            ("10.1.2.3", &["10.1.2.3", "::ffff:10.1.2.3"][..], &["10.1.2.4", "::"][..]),
            ("10.1.2.3/8", &["10.255.0.1", "10.0.0.0"], &["11.0.0.0", "9.255.255.255"]),
            ("10.1.2.3/32", &["10.1.2.3"], &["10.1.2.2"]),
            ("0.0.0.0/0", &["1.2.3.4", "::ffff:9.9.9.9"], &["::1", "::"]),
            ("::/0", &["::1", "fe80::1"], &["1.2.3.4", "::ffff:1.2.3.4"]),
            ("::ffff:10.0.0.0/104", &["10.9.9.9"], &["11.0.0.0"]),
            ("fe80::/10", &["fe80::1", "febf::1"], &["fec0::1"]),
            ("::1/128", &["::1"], &["::2", "0.0.0.1"]),
        ] {
            let network = network(text).unwrap();
            for address in inside {
                assert!(network.contains(address.parse().unwrap()), "{address} is in {text}");
            }
            for address in outside {
                assert!(!network.contains(address.parse().unwrap()), "{address} not in {text}");
            }
        }
    }

    #[test]
    fn a_prefix_is_no_longer_than_the_address() {
        for text in ["10.0.0.0/33", "::/129", "::ffff:10.0.0.0/95"] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}
