//! netstat's modes that are not about sockets, and who has them.

use clap::error::ErrorKind;

/// netstat's modes that are not about these sockets: short option, long option, the tool to use.
pub(super) const REFUSED: &[(Option<char>, &str, &str)] = &[
    (Some('r'), "route", "ip route"),
    (Some('F'), "fib", "ip route"),
    (Some('C'), "cache", "ip route show cache"),
    (Some('i'), "interfaces", "ip -s link"),
    (Some('g'), "groups", "ip maddress"),
    (Some('s'), "statistics", "nstat -az"),
    (Some('M'), "masquerade", "conntrack -L"),
    (Some('S'), "sctp", "ss -S"),
    (Some('Z'), "context", "ss -Z"),
    (None, "ax25", NET_TOOLS),
    (None, "ipx", NET_TOOLS),
    (None, "ddp", NET_TOOLS),
    (None, "netrom", NET_TOOLS),
    (None, "rose", NET_TOOLS),
    (None, "x25", NET_TOOLS),
    (None, "econet", NET_TOOLS),
    (None, "ash", NET_TOOLS),
    (None, "bluetooth", NET_TOOLS),
    (Some('2'), "l2cap", NET_TOOLS),
    (Some('f'), "rfcomm", NET_TOOLS),
];

/// Who still knows the protocols that Linux has given up, or is about to.
pub(super) const NET_TOOLS: &str = "the netstat of net-tools";

pub(super) fn refusal(option: &str, tool: &str) -> clap::Error {
    let message = format!("{option} is not for rnetstat, which lists sockets: use {tool}\n");
    clap::Error::raw(ErrorKind::UnknownArgument, message)
}
