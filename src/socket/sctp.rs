//! SCTP sockets. Each end can have several addresses, with one port.

use std::iter;
use std::net::IpAddr;

use super::{Endpoint, Queues, State};

/// A server of SCTP, or an association of one. A one-to-many socket can be both: then the kernel
/// lists it once as a server, and once for each of its associations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SctpSocket {
    /// The end on this host.
    pub local: SctpEnd,
    /// The association with another end; `None` for a server. It is boxed to keep [`Socket`] small.
    ///
    /// [`Socket`]: super::Socket
    pub association: Option<Box<Association>>,
    /// The state of the socket, and not of the association: that of a one-to-many socket is
    /// [`State::Listen`] or [`State::Close`] even if it has associations.
    pub state: State,
    /// The user who opened the socket, as the kernel prints it: 0 also if it is unknown.
    pub uid: u32,
    /// The inode, as in `/proc/<pid>/fd`; 0 if no process can own it.
    pub inode: u64,
}

/// The table of the kernel that lists a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SctpTable {
    /// `sctp/eps`: servers.
    Endpoints,
    /// `sctp/assocs`: associations.
    Associations,
}

/// What only an association has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// The other end.
    pub remote: SctpEnd,
    /// The bytes in the queues.
    pub queues: Queues,
}

/// One end of an SCTP socket: at least one address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SctpEnd {
    /// The address that the kernel lists first.
    pub address: IpAddr,
    /// The addresses after it.
    pub others: Box<[IpAddr]>,
    /// The port of all these addresses.
    pub port: u16,
}

impl SctpSocket {
    /// The table that lists the socket.
    pub fn table(&self) -> SctpTable {
        match self.association {
            None => SctpTable::Endpoints,
            Some(_) => SctpTable::Associations,
        }
    }

    /// The other end; `None` for a server.
    pub fn remote(&self) -> Option<&SctpEnd> {
        self.association.as_ref().map(|association| &association.remote)
    }

    /// The user who opened the socket; `None` if it is unknown, as for an association that its
    /// program has closed.
    pub fn user(&self) -> Option<u32> {
        (self.uid != 0 || self.inode != 0).then_some(self.uid)
    }
}

impl SctpEnd {
    /// All addresses, in the order of the kernel.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + Clone + '_ {
        iter::once(self.address).chain(self.others.iter().copied())
    }

    /// The first address, with the port.
    pub fn first(&self) -> Endpoint {
        Endpoint { address: self.address, port: self.port }
    }
}

#[cfg(test)]
impl SctpSocket {
    /// A socket at these ends, such as `10.0.0.1,10.0.0.2:5001`.
    pub(crate) fn at(local: &str, remote: Option<&str>) -> Self {
        let end = |text: &str| {
            let (addresses, port) = text.rsplit_once(':').unwrap();
            let mut addresses = addresses.split(',').map(|address| address.parse().unwrap());
            let address = addresses.next().unwrap();
            SctpEnd { address, others: addresses.collect(), port: port.parse().unwrap() }
        };
        let queues = Queues { receive: 0, send: 0 };
        Self {
            local: end(local),
            association: remote.map(|remote| Box::new(Association { remote: end(remote), queues })),
            state: if remote.is_some() { State::Established } else { State::Listen },
            uid: 0,
            inode: 1,
        }
    }
}
