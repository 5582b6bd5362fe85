//! The order of the sockets, where it is not the kernel's.

use std::cmp::Reverse;
use std::net::IpAddr;

use super::{Entry, Listing, Place};
use crate::socket::{InternetSocket, Queues, Socket};

/// Characters of a command that count, of which there are as many copies as it has sockets.
const COMMAND: usize = 256;

/// What sockets are put in order of. UNIX sockets stay where they are if it means nothing to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is a column")]
pub enum Key {
    Proto,
    RecvQ,
    SendQ,
    Local,
    Foreign,
    Sport,
    Dport,
    State,
    Pid,
    Fd,
    User,
    Program,
    Inode,
    Drops,
    Netns,
}

impl Key {
    /// Every key, by its name on the command line.
    pub const ALL: [(&'static str, Self); 15] = [
        ("proto", Self::Proto),
        ("recv-q", Self::RecvQ),
        ("send-q", Self::SendQ),
        ("local", Self::Local),
        ("foreign", Self::Foreign),
        ("sport", Self::Sport),
        ("dport", Self::Dport),
        ("state", Self::State),
        ("pid", Self::Pid),
        ("fd", Self::Fd),
        ("user", Self::User),
        ("program", Self::Program),
        ("inode", Self::Inode),
        ("drops", Self::Drops),
        ("netns", Self::Netns),
    ];
}

/// Keys, the first one first, each upwards or (`true`) downwards. Without any the order is the
/// kernel's, and so is that of sockets that are the same to all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order(pub Vec<(Key, bool)>);

impl Order {
    /// Whether it is one by who holds a socket.
    #[must_use]
    pub fn needs_owners(&self) -> bool {
        self.0.iter().any(|(key, _)| matches!(key, Key::Pid | Key::Fd | Key::Program))
    }

    /// Whether it is one by what the holders are called.
    #[must_use]
    pub fn needs_commands(&self) -> bool {
        self.0.iter().any(|&(key, _)| key == Key::Program)
    }
}

impl Listing {
    pub(super) fn sort(&mut self, order: &Order) {
        for &(key, downwards) in order.0.iter().rev() {
            let values: Vec<_> = self.entries().map(|entry| value(key, &entry)).collect();
            let internet = self.entries().take_while(|it| it.socket.internet().is_some()).count();
            let (values, unix_values) = values.split_at(internet);
            let (places, unix_places) = self.places.split_at_mut(internet);
            arrange(places, values, downwards);
            arrange(unix_places, unix_values, downwards);
        }
    }
}

/// Puts places in order of their values; the same ones stay as they are.
fn arrange(places: &mut [Place], values: &[Value], downwards: bool) {
    let mut pairs: Vec<_> = places.iter().copied().zip(values).collect();
    if downwards {
        pairs.sort_by_key(|&(_, value)| Reverse(value));
    } else {
        pairs.sort_by_key(|&(_, value)| value);
    }
    for (place, (sorted, _)) in places.iter_mut().zip(pairs) {
        *place = sorted;
    }
}

/// What a socket is put in order by. Those without a value come before those that have one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    None,
    Number(u64),
    /// IPv4 comes before IPv6.
    End(IpAddr, u16),
    Text(String),
}

fn value(key: Key, entry: &Entry<'_>) -> Value {
    let common = match key {
        Key::State => Some(Value::Text(entry.socket.state_name().to_owned())),
        Key::Inode => Some(Value::Number(entry.socket.inode())),
        Key::Pid => entry.held.process().map(|process| Value::Number(process.pid.into())),
        Key::Fd => entry
            .held
            .first()
            .and_then(|holding| holding.fds().next())
            .map(|fd| Value::Number(fd.into())),
        Key::Program => entry.held.process().map(|process| {
            let title = lossy(&process.title()).to_lowercase();
            Value::Text(title.chars().take(COMMAND).collect())
        }),
        Key::Netns => entry.namespace.map(|namespace| Value::Text(namespace.label().into_owned())),
        _ => match entry.socket {
            Socket::Internet(socket) => return internet(key, socket),
            Socket::Unix(socket) if key == Key::Local => {
                Some(Value::Text(lossy(socket.path.as_deref().unwrap_or_default())))
            }
            Socket::Unix(_) => None,
        },
    };
    common.unwrap_or(Value::None)
}

fn internet(key: Key, socket: &InternetSocket) -> Value {
    let InternetSocket { local, remote, queues: Queues { receive, send }, .. } = *socket;
    match key {
        Key::Proto => Value::Text(socket.table_name().to_owned()),
        Key::RecvQ => Value::Number(receive.into()),
        Key::SendQ => Value::Number(send.into()),
        Key::Local => Value::End(local.address, local.port),
        Key::Foreign => Value::End(remote.address, remote.port),
        Key::Sport => Value::Number(local.port.into()),
        Key::Dport => Value::Number(remote.port.into()),
        Key::User => Value::Number(socket.uid.into()),
        Key::Drops => socket.drops.map_or(Value::None, |drops| Value::Number(drops.into())),
        _ => Value::None,
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
