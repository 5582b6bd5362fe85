//! The fields of sockets.

use super::{Align, Field, Gauge, Needs, Value, field};
use crate::socket::{End, Socket};

/// The protocol, and the address family.
pub(crate) static PROTO: Field = Field {
    csv: &["protocol", "family"],
    ..field("proto", "Proto", |it| match it.entry.socket {
        Socket::Other(socket) => match &socket.protocol {
            Some(protocol) => Value::Text(protocol.as_bytes()),
            None => Value::Kind(it.entry.socket.kind()),
        },
        socket => Value::Kind(socket.kind()),
    })
};

pub(crate) static TYPE: Field = Field {
    priority: 2,
    csv: &["type"],
    ..field("type", "Type", |it| match it.entry.socket {
        Socket::Internet(_) | Socket::Sctp(_) => Value::Missing,
        Socket::Unix(socket) => Value::Word(socket.kind.name()),
        Socket::Other(it) => it.socket_type.map_or(Value::Missing, |it| Value::Word(it.name())),
    })
};

pub(crate) static STATE: Field = Field {
    csv: &["state"],
    ..field("state", "State", |it| it.entry.socket.state().map_or(Value::Missing, Value::State))
};

/// Data that waits for the program: bytes for TCP, the memory of datagrams for UDP.
pub(crate) static RECV_Q: Field = Field {
    align: Align::Right,
    priority: 1,
    csv: &["recv_q"],
    gauge: Some(Gauge {
        name: "receive_queue_bytes",
        help: "Data that waits for programs: bytes for TCP, memory of datagrams for UDP; for TCP servers, \
               connections not accepted yet.",
    }),
    ..field("recv-q", "Recv-Q", |it| number(it.entry.socket.receive_queue()))
};

/// Data that the kernel has not sent, or, for TCP, that the other end has not acknowledged.
pub(crate) static SEND_Q: Field = Field {
    align: Align::Right,
    priority: 1,
    csv: &["send_q"],
    gauge: Some(Gauge {
        name: "send_queue_bytes",
        help: "Data that the kernel has not sent, or, for TCP, that the other end has not \
               acknowledged.",
    }),
    ..field("send-q", "Send-Q", |it| number(it.entry.socket.send_queue()))
};

pub(crate) static LOCAL: Field = Field {
    needs: Needs::FACTS,
    csv: &["local_address", "local_port", "local_host", "local_service"],
    ..field("local", "Local", |it| match it.entry.socket {
        Socket::Internet(socket) => {
            let index = it.entry.socket.interface();
            Value::Local(socket, index.map(|index| (index, it.entry.interfaces.name(index))))
        }
        socket => socket.local().map_or(Value::Missing, Value::End),
    })
};

pub(crate) static FOREIGN: Field = Field {
    csv: &["remote_address", "remote_port", "remote_host", "remote_service"],
    ..field("foreign", "Foreign", |it| it.entry.socket.remote().map_or(Value::Missing, Value::End))
};

/// The address of the end on this host.
pub(crate) static SRC: Field = Field {
    csv: &["src"],
    ..field("src", "Src", |it| it.entry.socket.local().map_or(Value::Missing, Value::Address))
};

/// The address of the other end, if the socket is connected.
pub(crate) static DST: Field = Field {
    csv: &["dst"],
    ..field("dst", "Dst", |it| match it.entry.socket.remote() {
        Some(End::Internet(_, end)) if end.address.is_unspecified() => Value::Missing,
        end => end.map_or(Value::Missing, Value::Address),
    })
};

/// The port of the end on this host.
pub(crate) static SPORT: Field = Field {
    align: Align::Right,
    csv: &["sport"],
    ..field("sport", "Sport", |it| port(it.entry.socket.local()))
};

/// The port of the other end.
pub(crate) static DPORT: Field = Field {
    align: Align::Right,
    csv: &["dport"],
    ..field("dport", "Dport", |it| port(it.entry.socket.remote()))
};

pub(crate) static USER: Field = Field {
    priority: 5,
    csv: &["uid", "user"],
    ..field("user", "User", |it| it.entry.socket.user().map_or(Value::Missing, Value::User))
};

pub(crate) static INODE: Field = Field {
    align: Align::Right,
    priority: 6,
    csv: &["inode"],
    ..field("inode", "Inode", |it| Value::Number(it.entry.socket.inode()))
};

pub(crate) static TIMER: Field = Field {
    needs: Needs::TIMERS,
    csv: &["timer", "timer_seconds", "timer_retransmits", "timer_probes"],
    ..field("timer", "Timer", |it| match it.entry.socket {
        Socket::Internet(socket) => Value::Timer(socket.protocol, socket.timer),
        Socket::Sctp(_) | Socket::Unix(_) | Socket::Other(_) => Value::Missing,
    })
};

/// Received datagrams that were dropped.
pub(crate) static DROPS: Field = Field {
    align: Align::Right,
    priority: 1,
    csv: &["drops"],
    gauge: Some(Gauge {
        name: "dropped_datagrams",
        help: "Datagrams that sockets dropped, for example because the receive queue was full.",
    }),
    ..field("drops", "Drops", |it| number(it.entry.socket.drops()))
};

pub(crate) static FLAGS: Field = Field {
    csv: &["flags"],
    ..field("flags", "Flags", |it| match it.entry.socket {
        Socket::Internet(_) | Socket::Sctp(_) | Socket::Other(_) => Value::Missing,
        Socket::Unix(socket) => Value::Words(socket.flag_names().collect()),
    })
};

pub(crate) static REFERENCES: Field = Field {
    align: Align::Right,
    csv: &["references"],
    ..field("references", "RefCnt", |it| match it.entry.socket {
        Socket::Internet(_) | Socket::Sctp(_) | Socket::Other(_) => Value::Missing,
        Socket::Unix(socket) => number(Some(socket.references)),
    })
};

pub(crate) static PATH: Field = Field {
    is_text: true,
    csv: &["path"],
    ..field("path", "Path", |it| match it.entry.socket {
        Socket::Internet(_) | Socket::Sctp(_) | Socket::Other(_) => Value::Missing,
        Socket::Unix(socket) => socket.path.as_deref().map_or(Value::Missing, Value::Text),
    })
};

pub(crate) static NETNS: Field = Field {
    needs: Needs::NAMESPACES,
    csv: &["netns", "netns_name"],
    ..field("netns", "Netns", |it| it.entry.namespace.map_or(Value::Missing, Value::Namespace))
};

pub(super) fn number<'a>(number: Option<u32>) -> Value<'a> {
    number.map_or(Value::Missing, |number| Value::Number(number.into()))
}

fn port(end: Option<End<'_>>) -> Value<'_> {
    let port = match end {
        Some(End::Internet(protocol, end)) if protocol.has_ports() => end.port,
        Some(End::Sctp(end)) => end.port,
        Some(End::Other(end)) => return number(end.port),
        Some(End::Internet(..) | End::Path(_)) | None => 0,
    };
    if port == 0 { Value::Missing } else { Value::Number(port.into()) }
}
