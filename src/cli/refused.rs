//! The options of netstat that rnetstat does not support, and the tools that do.

use crate::remark::Remark;

/// Short option, long option, and the tool to use.
pub(super) const REFUSED: &[(Option<char>, &str, &str)] = &[
    (Some('r'), "route", "ip route"),
    (Some('F'), "fib", "ip route"),
    (Some('C'), "cache", "ip route show cache"),
    (Some('i'), "interfaces", "ip -s link"),
    (Some('g'), "groups", "ip maddress"),
    (Some('s'), "statistics", "nstat -az"),
    (Some('M'), "masquerade", "conntrack -L"),
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

/// The tool for address families that only net-tools lists.
pub(super) const NET_TOOLS: &str = "the netstat of net-tools";

/// Returns the error for an option that is not supported.
pub(super) fn refusal(option: String, tool: &'static str) -> Remark {
    Remark::Unsupported { option, tool }
}
