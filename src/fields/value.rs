//! The typed values of fields, and their order.

use std::borrow::Cow;
use std::net::IpAddr;

use super::ShownTimer;
use crate::listing::SocketOwners;
use crate::namespaces::Namespace;
use crate::owners::Owner;
use crate::process::CommandLine;
use crate::socket::{End, InternetSocket, Kind, Protocol, State, Timer};

/// The value of a field for one socket. It is typed; a layout turns it into text.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "most types say it")]
pub enum Value<'a> {
    /// The socket has no such value, or the source does not tell it.
    Missing,
    /// It belongs to an owner that is hidden.
    Unknown,
    /// The kind of the socket.
    Kind(Kind),
    /// A fixed word, such as the type of a UNIX socket.
    Word(&'static str),
    /// Several fixed words, such as the flags of a UNIX socket.
    Words(Vec<&'static str>),
    State(State),
    Number(u64),
    /// Text that another process chose.
    Text(&'a [u8]),
    /// True or false.
    Flag(bool),
    /// Microseconds, shown as milliseconds.
    Microseconds(u32),
    /// One end of the socket.
    End(End<'a>),
    /// The end of an internet socket on this host, and the network device that it is bound to.
    Local(&'a InternetSocket, Option<(u32, Option<&'a str>)>),
    /// The addresses of one end.
    Address(End<'a>),
    User(u32),
    /// The pending timer; `None` if the source does not give it.
    Timer(Protocol, Option<Timer>),
    Namespace(&'a Namespace),
    /// The index of a network device, and its name if it is known.
    Interface(u32, Option<&'a str>),
    /// The owner to show, if there is one, and all owners of the socket.
    Pid(Option<Owner<'a>>, SocketOwners<'a>),
    Fds(Owner<'a>),
    Program(&'a CommandLine),
    Command(&'a CommandLine),
    /// The owners of the other end.
    Peer(SocketOwners<'a>),
}

/// The form of a value that is compared when sorting. Missing values come first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rank<'a> {
    Missing,
    Unknown,
    Number(u64),
    /// IPv4 comes before IPv6.
    End(IpAddr, u16),
    Text(Cow<'a, [u8]>),
}

impl Rank<'_> {
    pub(super) fn into_owned(self) -> Rank<'static> {
        match self {
            Self::Missing => Rank::Missing,
            Self::Unknown => Rank::Unknown,
            Self::Number(number) => Rank::Number(number),
            Self::End(address, port) => Rank::End(address, port),
            Self::Text(text) => Rank::Text(text.into_owned().into()),
        }
    }
}

impl<'a> Value<'a> {
    /// The form of a value that is compared when grouping: equal for values that look the same.
    pub(super) fn identity(&self) -> Rank<'a> {
        let joined = |values: Vec<String>| Rank::Text(values.join(" ").into_bytes().into());
        match self {
            Self::Program(command) => Rank::Text(command.short().into()),
            Self::Command(command) => Rank::Text(command.title().into()),
            Self::Namespace(Namespace { number: Some(number), .. }) => Rank::Number(*number),
            // Each of these can have several values, and its rank is that of the first one.
            Self::Address(End::Sctp(end)) => {
                joined(end.addresses().map(|address| address.to_string()).collect())
            }
            Self::End(End::Sctp(end)) => {
                let addresses = end.addresses().map(|address| address.to_string());
                joined(addresses.chain([end.port.to_string()]).collect())
            }
            Self::Timer(protocol, Some(timer)) => {
                joined(vec![ShownTimer(*protocol, *timer).to_string()])
            }
            Self::Fds(owner) => joined(owner.fds().map(|fd| fd.to_string()).collect()),
            Self::Peer(owners) | Self::Pid(None, owners) if !owners.are_known() => Rank::Unknown,
            Self::Peer(owners) => {
                joined(owners.all().map(|owner| owner.process.pid.to_string()).collect())
            }
            other => other.rank(),
        }
    }

    pub(super) fn rank(&self) -> Rank<'a> {
        let text = |text: &'static str| Rank::Text(text.as_bytes().into());
        let first_pid = |owner: Option<Owner<'_>>| {
            owner.map_or(Rank::Missing, |owner| Rank::Number(owner.process.pid.into()))
        };
        match self {
            Self::Missing | Self::Address(End::Path(_)) => Rank::Missing,
            Self::Unknown => Rank::Unknown,
            Self::Address(End::Other(end)) => Rank::Text(end.address.as_bytes().to_vec().into()),
            Self::End(End::Other(end)) => Rank::Text(end.to_string().into_bytes().into()),
            Self::Interface(_, Some(name)) => Rank::Text(name.as_bytes().into()),
            Self::Interface(index, None) => Rank::Number((*index).into()),
            Self::Kind(kind) => text(kind.name()),
            Self::Word(word) => text(word),
            Self::Words(words) => Rank::Text(words.join(" ").into_bytes().into()),
            Self::State(state) => text(state.name()),
            Self::Number(number) => Rank::Number(*number),
            Self::Flag(flag) => Rank::Number((*flag).into()),
            Self::Microseconds(number) => Rank::Number((*number).into()),
            Self::Local(socket, _) => Rank::End(socket.local.address, socket.local.port),
            Self::Address(End::Internet(_, end)) => Rank::End(end.address, 0),
            Self::Address(End::Sctp(end)) => Rank::End(end.address, 0),
            Self::Text(text) | Self::End(End::Path(text)) => Rank::Text((*text).into()),
            Self::End(End::Internet(_, end)) => Rank::End(end.address, end.port),
            Self::End(End::Sctp(end)) => Rank::End(end.address, end.port),
            Self::User(uid) => Rank::Number((*uid).into()),
            Self::Timer(_, timer) => timer.map_or(Rank::Missing, |timer| Rank::Number(timer.ticks)),
            Self::Namespace(namespace) => {
                Rank::Text(namespace.label().into_owned().into_bytes().into())
            }
            Self::Pid(owner, _) => first_pid(*owner),
            Self::Fds(owner) => {
                owner.fds().next().map_or(Rank::Missing, |fd| Rank::Number(fd.into()))
            }
            Self::Program(command) => lower_case(&command.short()),
            Self::Command(command) => lower_case(&command.title()),
            Self::Peer(owners) => first_pid(owners.first()),
        }
    }
}

/// Returns a command in lower case, cut to 256 characters: each socket of a process gets a copy.
fn lower_case(command: &[u8]) -> Rank<'static> {
    const CHARACTERS: usize = 256;
    let text = String::from_utf8_lossy(command).to_lowercase();
    Rank::Text(text.chars().take(CHARACTERS).collect::<String>().into_bytes().into())
}
