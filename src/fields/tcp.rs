//! The fields that only netlink tells: facts about a socket, and how a TCP connection is doing.

use super::socket::number;
use super::{Align, Field, Gauge, Needs, Subject, Value, field};
use crate::socket::{Facts, Socket, TcpInfo};

/// The most connections that can wait to be accepted.
pub(crate) static BACKLOG: Field = Field {
    align: Align::Right,
    needs: Needs::FACTS,
    csv: &["backlog"],
    ..field("backlog", "Backlog", |it| number(facts(it).and_then(|it| it.backlog)))
};

/// Whether an IPv6 socket is closed to IPv4.
pub(crate) static IPV6_ONLY: Field = Field {
    needs: Needs::FACTS,
    csv: &["ipv6_only"],
    ..field("ipv6-only", "IPv6 only", |it| {
        facts(it).and_then(|it| it.ipv6_only).map_or(Value::Missing, Value::Flag)
    })
};

/// Whether a TCP socket is a subflow of an MPTCP socket.
pub(crate) static MPTCP: Field = Field {
    needs: Needs::FACTS,
    priority: 1,
    csv: &["mptcp"],
    ..field("mptcp", "MPTCP", |it| {
        facts(it).and_then(|it| it.mptcp).map_or(Value::Missing, Value::Flag)
    })
};

/// The network device that the socket is bound to.
pub(crate) static INTERFACE: Field = Field {
    needs: Needs::FACTS,
    csv: &["interface"],
    ..field("interface", "Interface", |it| match it.entry.socket.interface() {
        Some(index) => Value::Interface(index, it.entry.interfaces.name(index)),
        None => Value::Missing,
    })
};

/// Returns a field about a TCP connection.
const fn tcp(
    key: &'static str,
    title: &'static str,
    csv: &'static [&'static str],
    value: for<'a> fn(&Subject<'a>) -> Value<'a>,
) -> Field {
    Field { align: Align::Right, needs: Needs::TCP, csv, ..field(key, title, value) }
}

pub(crate) static RTT: Field = tcp("rtt", "RTT", &["rtt"], |it| micros(it, |tcp| tcp.rtt));
pub(crate) static RTT_VAR: Field =
    tcp("rtt-var", "RTT var", &["rtt_var"], |it| micros(it, |tcp| tcp.rtt_var));
pub(crate) static MIN_RTT: Field =
    tcp("min-rtt", "Min RTT", &["min_rtt"], |it| micros(it, |tcp| tcp.min_rtt));
pub(crate) static CWND: Field = tcp("cwnd", "Cwnd", &["cwnd"], |it| small(it, |tcp| tcp.cwnd));
pub(crate) static RETRANS: Field = Field {
    gauge: Some(Gauge {
        name: "retransmitted_segments",
        help: "Segments that open connections sent again.",
    }),
    ..tcp("retrans", "Retrans", &["retrans"], |it| small(it, |tcp| tcp.retrans))
};
pub(crate) static LOST: Field = Field {
    gauge: Some(Gauge { name: "lost_segments", help: "Segments that are considered lost now." }),
    ..tcp("lost", "Lost", &["lost"], |it| small(it, |tcp| tcp.lost))
};
pub(crate) static MSS: Field = tcp("mss", "MSS", &["mss"], |it| small(it, |tcp| tcp.mss));
pub(crate) static SENT: Field = Field {
    gauge: Some(Gauge { name: "sent_bytes", help: "Bytes that open connections sent." }),
    ..tcp("sent", "Sent", &["sent"], |it| large(it, |tcp| tcp.sent))
};
pub(crate) static RECEIVED: Field = Field {
    gauge: Some(Gauge { name: "received_bytes", help: "Bytes that open connections received." }),
    ..tcp("received", "Received", &["received"], |it| large(it, |tcp| tcp.received))
};
pub(crate) static LAST_RX: Field =
    tcp("last-rx", "Last rx", &["last_rx"], |it| small(it, |tcp| tcp.last_rx));
pub(crate) static LAST_TX: Field =
    tcp("last-tx", "Last tx", &["last_tx"], |it| small(it, |tcp| tcp.last_tx));
pub(crate) static RATE_IN: Field = Field {
    gauge: Some(Gauge { name: "received_bytes_per_second", help: "Bytes received per second." }),
    ..tcp("rate-in", "In B/s", &["rate_in"], |it| large(it, |tcp| tcp.rate_in))
};
pub(crate) static RATE_OUT: Field = Field {
    gauge: Some(Gauge { name: "sent_bytes_per_second", help: "Bytes sent per second." }),
    ..tcp("rate-out", "Out B/s", &["rate_out"], |it| large(it, |tcp| tcp.rate_out))
};

/// The name of the congestion control.
pub(crate) static CC: Field = Field {
    align: Align::Left,
    ..tcp("cc", "CC", &["cc"], |it| {
        let name = it.entry.tcp().and_then(TcpInfo::congestion_control);
        name.map_or(Value::Missing, Value::Text)
    })
};

fn facts<'a>(it: &Subject<'a>) -> Option<&'a Facts> {
    match it.entry.socket {
        Socket::Internet(socket) => Some(&socket.facts),
        Socket::Sctp(_) | Socket::Unix(_) | Socket::Other(_) => None,
    }
}

fn small<'a>(it: &Subject<'a>, read: fn(&TcpInfo) -> Option<u32>) -> Value<'a> {
    number(it.entry.tcp().and_then(read))
}

fn large<'a>(it: &Subject<'a>, read: fn(&TcpInfo) -> Option<u64>) -> Value<'a> {
    it.entry.tcp().and_then(read).map_or(Value::Missing, Value::Number)
}

fn micros<'a>(it: &Subject<'a>, read: fn(&TcpInfo) -> Option<u32>) -> Value<'a> {
    it.entry.tcp().and_then(read).map_or(Value::Missing, Value::Microseconds)
}
