//! Filters: conditions on a socket and on its owners. One value of each filter must match.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::slice;

use crate::process::{Pid, Process};
use crate::socket::{Endpoint, InternetSocket, Kind, Protocol, SctpEnd, Socket, State};

/// Conditions on a socket. An empty list is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// `--port`: the port of either end.
    pub ports: Vec<RangeInclusive<u16>>,
    /// `--sport`: the port of the end on this host.
    pub local_ports: Vec<RangeInclusive<u16>>,
    /// `--dport`: the port of the other end.
    pub remote_ports: Vec<RangeInclusive<u16>>,
    /// `--address`: the address of either end.
    pub networks: Vec<Network>,
    /// `--user`: the user who opened it.
    pub users: Vec<u32>,
    /// `--state`.
    pub states: Vec<State>,
}

impl Filter {
    /// Returns true if a socket of this kind can match.
    pub fn can_match(&self, kind: Kind) -> bool {
        let Self { ports, local_ports, remote_ports, networks, users, states: _ } = self;
        let any_ports = [ports, local_ports, remote_ports].iter().any(|ports| !ports.is_empty());
        match kind {
            Kind::Internet(..) | Kind::Sctp(_) => true,
            Kind::Unix => !any_ports && networks.is_empty() && users.is_empty(),
        }
    }

    /// Returns true if this socket matches.
    pub fn passes(&self, socket: &Socket) -> bool {
        let has_state = |state: State| self.states.iter().any(|wanted| wanted.accepts(state));
        let has_user = |user| self.users.contains(&user);
        (self.states.is_empty() || socket.state().is_some_and(has_state))
            && (self.users.is_empty() || socket.user().is_some_and(has_user))
            && match socket {
                Socket::Internet(socket) => {
                    let InternetSocket { protocol, local, remote, .. } = *socket;
                    // The port of a raw socket is the number of its protocol.
                    let port = |end: Endpoint| (protocol != Protocol::Raw).then_some(end.port);
                    self.passes_ports([port(local), port(remote)])
                        && self.passes_addresses([local.address], [remote.address])
                }
                Socket::Sctp(socket) => {
                    let (local, remote) = (&socket.local, socket.remote());
                    let others = remote.into_iter().flat_map(SctpEnd::addresses);
                    self.passes_ports([Some(local.port), remote.map(|end| end.port)])
                        && self.passes_addresses(local.addresses(), others)
                }
                Socket::Unix(_) => self.can_match(Kind::Unix),
            }
    }

    /// Returns true if these ports match: that of the end on this host, and that of the other end.
    fn passes_ports(&self, ends: [Option<u16>; 2]) -> bool {
        let has = |wanted: &[RangeInclusive<u16>], ends: &[Option<u16>]| {
            let is_wanted = |port: &u16| wanted.iter().any(|ports| ports.contains(port));
            wanted.is_empty() || ends.iter().flatten().any(is_wanted)
        };
        let [local, remote] = &ends;
        has(&self.ports, &ends)
            && has(&self.local_ports, slice::from_ref(local))
            && has(&self.remote_ports, slice::from_ref(remote))
    }

    /// Returns true if one of these addresses matches. The unspecified address of an end that is not
    /// connected is no address.
    fn passes_addresses(
        &self,
        local: impl IntoIterator<Item = IpAddr>,
        remote: impl IntoIterator<Item = IpAddr>,
    ) -> bool {
        let remote = remote.into_iter().filter(|address| !address.to_canonical().is_unspecified());
        let is_wanted = |address| self.networks.iter().any(|network| network.contains(address));
        self.networks.is_empty() || local.into_iter().chain(remote).any(is_wanted)
    }
}

/// A network: the addresses that begin with the first bits of `address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// The number of first bits that count.
    prefix: u8,
}

impl Network {
    /// Returns the network of all addresses whose first `prefix` bits are those of `address`;
    /// `None` if `prefix` is out of range. An IPv4-mapped address counts as IPv4, and its `prefix`
    /// must be from 96 to 128.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let (canonical, bits) = match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(mapped)) => (mapped.into(), prefix.checked_sub(96)?),
            (_, address) => (address, prefix),
        };
        (bits <= width(canonical)).then_some(Self { address: canonical, prefix: bits })
    }

    /// Returns the network that consists of one address.
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, prefix: width(address) }
    }

    fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let differing = bits(self.address) ^ bits(address);
        self.address.is_ipv4() == address.is_ipv4()
            && differing.leading_zeros() >= self.prefix.into()
    }
}

/// The bits of an address, left-aligned.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The number of bits in an address.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Conditions on an owner. An empty list is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerFilter {
    /// `--pid`.
    pub pids: Vec<Pid>,
    /// `--program`: text to find in the command line, ignoring case; here in lower case.
    pub programs: Vec<String>,
}

impl OwnerFilter {
    /// Returns true if every process matches.
    pub fn is_empty(&self) -> bool {
        self.pids.is_empty() && self.programs.is_empty()
    }

    /// Returns true if this process matches. The arguments of an ancestor of rnetstat are not
    /// searched: those of sudo or of a shell can have the very text of the question.
    pub fn passes(&self, process: &Process, is_ancestor: bool) -> bool {
        (self.pids.is_empty() || self.pids.contains(&process.pid))
            && (self.programs.is_empty() || {
                let Process { command, .. } = process;
                let text =
                    if is_ancestor { command.program_and_script() } else { command.searched() };
                let command = String::from_utf8_lossy(&text).to_lowercase();
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
    fn network_contains_addresses_with_its_prefix() {
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
    fn address_of_an_unconnected_end_does_not_match() {
        let passes = |text, local: &str, remote: &str| {
            let end = |address: &str| Endpoint { address: address.parse().unwrap(), port: 80 };
            let (local, remote) = (end(local), end(remote));
            let filter = Filter { networks: vec![network(text).unwrap()], ..Filter::default() };
            filter.passes(&Socket::Internet(InternetSocket {
                local,
                remote,
                ..InternetSocket::example()
            }))
        };
        for (text, unset) in [("0.0.0.0", "0.0.0.0"), ("0.0.0.0/0", "::ffff:0.0.0.0"), ("::", "::")]
        {
            assert!(passes(text, unset, unset), "bound to {unset}");
            let other = if unset == "0.0.0.0" { "fe80::1" } else { "fe80::2" };
            assert!(!passes(text, other, unset), "the other end of {other} is {unset}");
        }
        assert!(passes("::/0", "fe80::1", "::"));
        assert!(passes("10.0.0.0/8", "0.0.0.0", "10.1.2.3"));
    }

    #[test]
    fn unknown_user_does_not_match() {
        for (uid, inode, state, matches) in [
            (0, 1, State::Listen, true),
            (0, 0, State::TimeWait, false),
            (0, 0, State::FinWait2, false),
            (0, 0, State::Established, false),
            (0, 0, State::SynRecv, true),
            (0, 0, State::NewSynRecv, true),
            (1000, 0, State::TimeWait, false),
        ] {
            let filter = Filter { users: vec![0], ..Filter::default() };
            let socket = InternetSocket { state, uid, inode, ..InternetSocket::example() };
            assert_eq!(filter.passes(&Socket::Internet(socket)), matches, "{socket:?}");
        }
    }

    #[test]
    fn prefix_longer_than_the_address_is_rejected() {
        for text in ["10.0.0.0/33", "::/129", "::ffff:10.0.0.0/95"] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}
