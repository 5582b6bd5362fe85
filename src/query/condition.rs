//! Conditions on a socket and on its owners.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::Network;
use crate::interfaces::Interfaces;
use crate::process::{Pid, Process, is_unit};
use crate::socket::{End, Kind, OtherKind, Protocol, Socket, State};

/// The values of a filter: a socket must have one of `wanted`, if there are any, and none of
/// `excluded`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values<T> {
    /// The values without `^`.
    pub wanted: Vec<T>,
    /// The values with `^`.
    pub excluded: Vec<T>,
}

impl<T> Values<T> {
    /// Returns true if a socket is accepted; `has` tells whether it has a value.
    fn accept(&self, has: impl Fn(&T) -> bool) -> bool {
        self.want(&has) && !self.exclude(has)
    }

    fn want(&self, has: impl Fn(&T) -> bool) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(has)
    }

    fn exclude(&self, has: impl Fn(&T) -> bool) -> bool {
        self.excluded.iter().any(has)
    }

    /// All values.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.wanted.iter().chain(&self.excluded)
    }

    /// Replaces each value with those that `find` returns. Fails with its first error.
    pub fn replace<U, E>(
        &self,
        mut find: impl FnMut(&T) -> Result<Vec<U>, E>,
    ) -> Result<Values<U>, E> {
        let mut replaced = |values: &[T]| {
            let found = values.iter().map(&mut find).collect::<Result<Vec<_>, E>>()?;
            Ok(found.into_iter().flatten().collect())
        };
        Ok(Values { wanted: replaced(&self.wanted)?, excluded: replaced(&self.excluded)? })
    }
}

/// A value, or a name whose values must be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Asked<T> {
    Value(T),
    Name(String),
    /// A value that counts only for sockets of the network device with this name.
    OnDevice(T, String),
}

/// A condition as the user gives it.
pub type AskedCondition = Condition<Asked<Ports>, Asked<Network>, String>;

impl<T> Asked<T> {
    fn is_name(&self) -> bool {
        matches!(self, Self::Name(_))
    }
}

impl AskedCondition {
    /// Returns true if the resolver is asked about a value: a name, or a user, whose number can be a
    /// name.
    pub fn has_names(&self) -> bool {
        match self {
            Self::Ports(_, ports) => ports.all().any(Asked::is_name),
            Self::Addresses(_, addresses) => addresses.all().any(Asked::is_name),
            Self::Ends(ends) => {
                ends.all().any(|(address, ports)| address.is_name() || ports.is_name())
            }
            Self::Users(_) => true,
            Self::States(_)
            | Self::Interfaces(_)
            | Self::Pids { .. }
            | Self::Programs(_)
            | Self::Units(_)
            | Self::Containers(_) => false,
        }
    }
}

/// The end of a socket that a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Any of the two ends.
    Either,
    /// The end on this host.
    Local,
    /// The other end.
    Remote,
}

/// A condition. `P`, `A` and `U` are its ports, addresses and users: as the user gives them, or as they
/// were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition<P = Ports, A = Network, U = u32> {
    /// `--port`, `--sport`, `--dport`.
    Ports(Side, Values<P>),
    /// `--address`, `--src`, `--dst`.
    Addresses(Side, Values<A>),
    /// An address and a port of the same end.
    Ends(Values<(A, P)>),
    /// `--state`.
    States(Values<State>),
    /// `--interface`: the network device that the socket is bound to.
    Interfaces(Values<String>),
    /// `--user`: the user who opened the socket, or the user of an owner.
    Users(Values<U>),
    /// `--pid`. If `with_children`, the descendants of these processes count as well.
    Pids {
        /// The processes.
        pids: Values<Pid>,
        /// `--children`.
        with_children: bool,
    },
    /// `--program`: text to find in the command line, ignoring case; here in lower case.
    Programs(Values<String>),
    /// `--unit`: the name of a unit; `.service` can be missing.
    Units(Values<String>),
    /// `--container`: the name of a container, or the beginning of its identifier.
    Containers(Values<String>),
}

impl<P, A, U> Condition<P, A, U> {
    /// Returns true if a socket of this kind can meet the condition. Kinds without ports or addresses
    /// are not listed even if the filter only excludes some.
    pub fn can_match(&self, kind: Kind) -> bool {
        match (self, kind) {
            (Self::Ports(..) | Self::Ends(_), Kind::Internet(protocol, _)) => protocol.has_ports(),
            (Self::Ports(..), Kind::Other(OtherKind::Vsock))
            | (Self::Interfaces(_), Kind::Internet(..) | Kind::Other(OtherKind::Packet)) => true,
            (
                Self::Ports(..) | Self::Addresses(..) | Self::Ends(_),
                Kind::Unix | Kind::Other(_),
            )
            | (Self::Interfaces(_), _) => false,
            (_, Kind::Internet(..) | Kind::Sctp(_) | Kind::Unix | Kind::Other(_)) => true,
        }
    }

    /// Returns true if the condition is only about owners.
    pub fn is_about_owners(&self) -> bool {
        match self {
            Self::Ports(..)
            | Self::Addresses(..)
            | Self::Ends(_)
            | Self::States(_)
            | Self::Interfaces(_)
            | Self::Users(_) => false,
            Self::Pids { .. } | Self::Programs(_) | Self::Units(_) | Self::Containers(_) => true,
        }
    }

    /// Returns true if a socket without owners cannot meet the condition.
    pub(super) fn wants_owner(&self) -> bool {
        match self {
            Self::Pids { pids, .. } => !pids.wanted.is_empty(),
            Self::Programs(values) | Self::Units(values) | Self::Containers(values) => {
                !values.wanted.is_empty()
            }
            _ => false,
        }
    }
}

/// An owner that a condition is about.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The process.
    pub process: &'a Process,
    /// Its systemd unit, which can depend on the socket.
    pub unit: Option<&'a str>,
    /// It is an ancestor of rnetstat.
    pub is_ancestor: bool,
}

/// What a condition says about an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The owner has one of the wanted values, or none are wanted.
    pub(super) is_wanted: bool,
    /// The owner has one of the excluded values.
    pub(super) is_excluded: bool,
}

impl Condition {
    /// The names of the network devices that the condition is about.
    pub fn devices(&self) -> Vec<&str> {
        match self {
            Self::Interfaces(devices) => devices.all().map(String::as_str).collect(),
            Self::Addresses(_, networks) => networks.all().filter_map(Network::device).collect(),
            Self::Ends(ends) => ends.all().filter_map(|(network, _)| network.device()).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns false if this socket cannot meet the condition with any owners. `devices` has the
    /// network devices of its namespace, if they are known.
    pub(super) fn can_pass(&self, socket: &Socket, devices: Option<&Interfaces>) -> bool {
        if devices.is_none() && !self.devices().is_empty() {
            return true;
        }
        let is_called =
            |index, name: &str| devices.is_some_and(|devices| devices.is_called(index, name));
        let is_in = |network: &Network, address| network.has(address, socket.interface(), devices);
        match self {
            Self::Ports(side, ports) => {
                ports.accept(|wanted| ends(socket, *side).any(|end| wanted.contain(end)))
            }
            Self::Addresses(side, networks) => networks.accept(|wanted| {
                ends_with_address(socket, *side)
                    .flat_map(addresses)
                    .any(|address| is_in(wanted, address))
            }),
            Self::Ends(values) => values.accept(|(network, ports)| {
                ends_with_address(socket, Side::Either)
                    .any(|end| ports.contain(end) && addresses(end).any(|it| is_in(network, it)))
            }),
            Self::States(states) => {
                states.accept(|wanted| socket.state().is_some_and(|state| wanted.accepts(state)))
            }
            Self::Interfaces(names) => {
                names.accept(|name| socket.interface().is_some_and(|index| is_called(index, name)))
            }
            _ => true,
        }
    }

    /// Returns true if the condition is not about users, or is met by a socket that this user
    /// opened. `has_owner` tells whether an owner runs as a user.
    pub(super) fn passes_users(
        &self,
        opener: Option<u32>,
        has_owner: &dyn Fn(u32) -> bool,
    ) -> bool {
        match self {
            Self::Users(users) => users.accept(|&user| opener == Some(user) || has_owner(user)),
            _ => true,
        }
    }

    /// Returns what the condition says about this owner. The arguments of an ancestor of rnetstat
    /// are not searched: those of sudo or of a shell can have the very text of the question.
    pub(super) fn verdict(
        &self,
        Candidate { process, unit, is_ancestor }: Candidate<'_>,
    ) -> Verdict {
        fn verdict<T>(values: &Values<T>, has: impl Fn(&T) -> bool) -> Verdict {
            Verdict { is_wanted: values.want(&has), is_excluded: values.exclude(has) }
        }
        match self {
            Self::Pids { pids, with_children } => verdict(pids, |pid| {
                process.pid == *pid || *with_children && process.ancestors.contains(pid)
            }),
            Self::Programs(programs) => {
                let command = &process.command;
                let text =
                    if is_ancestor { command.program_and_script() } else { command.searched() };
                let text = String::from_utf8_lossy(&text).to_lowercase();
                verdict(programs, |program| text.contains(program))
            }
            Self::Units(units) => {
                verdict(units, |name| unit.is_some_and(|unit| is_unit(unit, name)))
            }
            Self::Containers(containers) => {
                verdict(containers, |container| process.service.is_container(container))
            }
            _ => Verdict { is_wanted: true, is_excluded: false },
        }
    }
}

/// Ports of one protocol or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The numbers.
    pub range: RangeInclusive<u16>,
    /// The protocol whose service has these numbers; `None` for numbers that the user gives.
    pub protocol: Option<Protocol>,
}

impl Ports {
    fn contain(&self, end: End<'_>) -> bool {
        let (protocol, port) = match end {
            End::Path(_) => return false,
            End::Other(end) => (None, end.port.and_then(|it| it.try_into().ok()).unwrap_or(0)),
            End::Internet(protocol, _) if !protocol.has_ports() => return false,
            // A connection of MPTCP uses ports of TCP.
            End::Internet(Protocol::Mptcp, end) => (Some(Protocol::Tcp), end.port),
            End::Internet(protocol, end) => (Some(protocol), end.port),
            End::Sctp(end) => (None, end.port),
        };
        let has_protocol = match self.protocol {
            None => true,
            // UDP-Lite has the services of UDP.
            Some(Protocol::Udp) => matches!(protocol, Some(Protocol::Udp | Protocol::UdpLite)),
            wanted => protocol == wanted,
        };
        has_protocol && self.range.contains(&port)
    }
}

/// Returns the ends of a socket on this side.
fn ends(socket: &Socket, side: Side) -> impl Iterator<Item = End<'_>> {
    let local = if side == Side::Remote { None } else { socket.local() };
    let remote = if side == Side::Local { None } else { socket.remote() };
    local.into_iter().chain(remote)
}

/// Returns the ends of a socket on this side that have an address: an end that is not connected has
/// the unspecified address, which is none.
fn ends_with_address(socket: &Socket, side: Side) -> impl Iterator<Item = End<'_>> {
    let local = ends(socket, Side::Local).filter(move |_| side != Side::Remote);
    let remote = ends(socket, Side::Remote).filter(move |_| side != Side::Local);
    let is_connected = |end: &End<'_>| match end {
        End::Internet(_, end) => !end.address.to_canonical().is_unspecified(),
        End::Sctp(_) | End::Path(_) | End::Other(_) => true,
    };
    local.chain(remote.filter(is_connected))
}

fn addresses(end: End<'_>) -> impl Iterator<Item = IpAddr> {
    let (first, others): (_, &[IpAddr]) = match end {
        End::Internet(_, end) => (Some(end.address), &[]),
        End::Sctp(end) => (Some(end.address), &end.others),
        End::Path(_) | End::Other(_) => (None, &[]),
    };
    first.into_iter().chain(others.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::{Endpoint, InternetSocket};

    fn values<T>(wanted: Vec<T>, excluded: Vec<T>) -> Values<T> {
        Values { wanted, excluded }
    }

    /// Returns a socket with these ends, each an address and a port.
    fn socket((local, local_port): (&str, u16), (remote, remote_port): (&str, u16)) -> Socket {
        let end = |address: &str, port| Endpoint { address: address.parse().unwrap(), port };
        let (local, remote) = (end(local, local_port), end(remote, remote_port));
        Socket::Internet(InternetSocket { local, remote, ..InternetSocket::example() })
    }

    fn network(text: &str) -> Network {
        let (address, prefix) = text.split_once('/').unwrap();
        Network::new(address.parse().unwrap(), prefix.parse().unwrap()).unwrap()
    }

    #[test]
    fn excluded_value_outweighs_a_wanted_one() {
        let numbers = values(vec![1, 2], vec![2, 3]);
        let accepted = |has: &[i32]| numbers.accept(|number| has.contains(number));
        assert!(accepted(&[1]) && accepted(&[1, 4]));
        assert!(!accepted(&[]) && !accepted(&[4]) && !accepted(&[2]) && !accepted(&[1, 3]));
        let excluded = values(vec![], vec![3]);
        assert!(excluded.accept(|_| false) && !excluded.accept(|&number| number == 3));
    }

    #[test]
    fn address_of_an_unconnected_end_does_not_match() {
        let passes = |text, local, remote| {
            let networks = values(vec![network(text)], vec![]);
            let condition: Condition = Condition::Addresses(Side::Either, networks);
            condition.can_pass(&socket((local, 80), (remote, 80)), None)
        };
        for (text, unset) in
            [("0.0.0.0/32", "0.0.0.0"), ("0.0.0.0/0", "::ffff:0.0.0.0"), ("::/128", "::")]
        {
            assert!(passes(text, unset, unset), "bound to {unset}");
            let other = if unset == "0.0.0.0" { "fe80::1" } else { "fe80::2" };
            assert!(!passes(text, other, unset), "the other end of {other} is {unset}");
        }
        assert!(passes("::/0", "fe80::1", "::"));
        assert!(passes("10.0.0.0/8", "0.0.0.0", "10.1.2.3"));
    }

    #[test]
    fn conditions_are_about_one_side_or_both() {
        let socket = socket(("10.0.0.1", 22), ("127.0.0.1", 5000));
        for (side, port, address) in [
            (Side::Local, [true, false], [true, false]),
            (Side::Remote, [false, true], [false, true]),
            (Side::Either, [true, true], [true, true]),
        ] {
            for index in [0, 1] {
                let range = [22..=22, 5000..=5000][index].clone();
                let ports = values(vec![Ports { range, protocol: None }], vec![]);
                let condition: Condition = Condition::Ports(side, ports);
                assert_eq!(condition.can_pass(&socket, None), port[index], "{condition:?}");
                let networks = vec![network(["10.0.0.0/8", "127.0.0.0/8"][index])];
                let condition: Condition = Condition::Addresses(side, values(networks, vec![]));
                assert_eq!(condition.can_pass(&socket, None), address[index], "{condition:?}");
            }
        }
        for (address, port, matches) in [("10.0.0.1/32", 22, true), ("10.0.0.1/32", 5000, false)] {
            let ports = Ports { range: port..=port, protocol: None };
            let ends = values(vec![(network(address), ports)], vec![]);
            assert_eq!(
                Condition::Ends::<Ports, Network, u32>(ends).can_pass(&socket, None),
                matches
            );
        }
    }

    #[test]
    fn service_is_a_port_of_its_protocol() {
        for (wanted, protocol, matches) in [
            (Some(Protocol::Udp), Protocol::Udp, true),
            (Some(Protocol::Udp), Protocol::UdpLite, true),
            (Some(Protocol::Udp), Protocol::Tcp, false),
            (Some(Protocol::Tcp), Protocol::Udp, false),
            (None, Protocol::UdpLite, true),
            (None, Protocol::Raw, false),
        ] {
            let local = Endpoint { port: 514, ..InternetSocket::example().local };
            let socket = InternetSocket { protocol, local, ..InternetSocket::example() };
            let ports = values(vec![Ports { range: 514..=514, protocol: wanted }], vec![]);
            let condition: Condition = Condition::Ports(Side::Local, ports);
            assert_eq!(condition.can_pass(&Socket::Internet(socket), None), matches, "{socket:?}");
        }
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
            let condition: Condition = Condition::Users(values(vec![0], vec![]));
            let socket = InternetSocket { state, uid, inode, ..InternetSocket::example() };
            assert_eq!(condition.passes_users(socket.user(), &|_| false), matches, "{socket:?}");
        }
    }

    #[test]
    fn user_is_that_of_the_socket_or_of_an_owner() {
        let users: Condition = Condition::Users(values(vec![1], vec![2]));
        let passes =
            |opener, owners: &[u32]| users.passes_users(opener, &|user| owners.contains(&user));
        assert!(passes(Some(1), &[]) && passes(None, &[1]) && passes(Some(0), &[0, 1]));
        assert!(!passes(None, &[]) && !passes(Some(1), &[2]) && !passes(Some(2), &[1]));
    }
}
