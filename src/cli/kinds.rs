//! The kinds of sockets that the options select.

use super::arguments::Arguments;
use super::refused::{NET_TOOLS, REFUSED, refusal};
use crate::query::{AskedCondition, Condition, Query, Scope};
use crate::remark::Remark;
use crate::request::Format;
use crate::socket::{Family, Kind, OtherKind, Protocol};

/// Returns the query, still without its conditions.
pub(super) fn query(
    arguments: &Arguments,
    conditions: &[AskedCondition],
    format: Format,
) -> Result<Query, Remark> {
    let is_search = !conditions.is_empty() || format != Format::Netstat;
    let asks_for_owners =
        conditions.iter().any(|it| it.is_about_owners() || matches!(it, Condition::Users(_)));
    let families = families(arguments)?;
    let mut kinds = kinds(arguments, &families, is_search, asks_for_owners)?;
    kinds.retain(|&kind| conditions.iter().all(|condition| condition.can_match(kind)));
    if kinds.is_empty() {
        return Err(Remark::NoSuchKind);
    }
    let scope = if arguments.all {
        Scope::All
    } else if arguments.listening {
        Scope::Listening
    } else if !conditions.is_empty() {
        Scope::All
    } else {
        Scope::Connected
    };
    let bound = is_search || families.all;
    let kernel = families.netlink || families.all;
    Ok(Query { kinds, scope, bound, kernel, conditions: Vec::new() })
}

/// The families that options select.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct Families {
    inet: bool,
    inet6: bool,
    unix: bool,
    packet: bool,
    netlink: bool,
    vsock: bool,
    all: bool,
}

fn families(arguments: &Arguments) -> Result<Families, Remark> {
    let Arguments { inet, inet6, unix, .. } = *arguments;
    let mut families = Families { inet, inet6, unix, ..Families::default() };
    for family in &arguments.protocol {
        match family.as_str() {
            "inet" | "ip" => families.inet = true,
            "inet6" => families.inet6 = true,
            "unix" => families.unix = true,
            "packet" => families.packet = true,
            "netlink" => families.netlink = true,
            "vsock" => families.vsock = true,
            "all" => families.all = true,
            other if REFUSED.iter().any(|&(_, long, tool)| long == other && tool == NET_TOOLS) => {
                return Err(refusal(format!("-A {other}"), NET_TOOLS));
            }
            other => return Err(Remark::UnknownFamily(other.to_owned())),
        }
    }
    Ok(families)
}

/// Returns the kinds of sockets that the options select, in the order of netstat. A search without an
/// option for a kind also selects the kinds that netstat does not list.
fn kinds(
    arguments: &Arguments,
    families: &Families,
    is_search: bool,
    asks_for_owners: bool,
) -> Result<Vec<Kind>, Remark> {
    let Arguments { tcp, sctp, udp, udplite, raw, icmp, mptcp, .. } = *arguments;
    let Families { inet, inet6, mut unix, packet, netlink, vsock, all } = *families;
    let has_protocol = tcp || sctp || udp || udplite || raw || icmp || mptcp;
    let has_family = inet || inet6;
    let has_other = unix || packet || netlink || vsock;
    // Without any flag, all kinds are listed. A family alone selects all its protocols.
    let all_protocols = !has_protocol && (!has_other || has_family);
    unix |= all_protocols && !has_family;
    let searches_all = is_search && all_protocols && !has_family;
    let is_selected = |kind: &Kind| match *kind {
        _ if all => true,
        Kind::Internet(protocol, family) => {
            let protocol = match protocol {
                Protocol::Tcp => tcp || all_protocols,
                Protocol::Udp => udp || all_protocols,
                Protocol::UdpLite => udplite || all_protocols,
                Protocol::Raw => raw || all_protocols,
                Protocol::Icmp => icmp || searches_all,
                Protocol::Mptcp => mptcp || searches_all,
            };
            let family = match family {
                Family::Ipv4 => inet,
                Family::Ipv6 => inet6,
            };
            protocol && (family || !has_family)
        }
        // To netstat, all of them are IPv4.
        Kind::Sctp(_) => (sctp || all_protocols) && (inet || !has_family),
        Kind::Unix => unix,
        Kind::Other(OtherKind::Packet) => packet || searches_all,
        Kind::Other(OtherKind::Netlink) => netlink || searches_all,
        Kind::Other(OtherKind::Vsock) => vsock || searches_all,
        Kind::Other(OtherKind::Generic) => searches_all && asks_for_owners,
    };
    let kinds: Vec<_> = Kind::all().filter(is_selected).collect();
    if kinds.is_empty() { Err(Remark::SctpOfOneFamily) } else { Ok(kinds) }
}
