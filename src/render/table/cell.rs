//! The text of a value in the table.

use std::fmt;
use std::net::IpAddr;

use crate::fields::{ShownTimer, Value};
use crate::harmless::harmless;
use crate::listing::SocketOwners;
use crate::names::{Names, Number};
use crate::socket::{End, Endpoint, Family, InternetSocket, Protocol, SctpEnd, State};

/// The maximum number of characters of the program name in the column Peer.
const PEER: usize = 24;

/// Returns the text of a value, harmless for a terminal. Shows all addresses of an end if `wide`.
pub(in crate::render) fn text(value: &Value<'_>, names: &Names, wide: bool) -> String {
    match value {
        Value::Missing | Value::Address(End::Path(_)) => String::new(),
        Value::Unknown => "?".to_owned(),
        Value::Kind(kind) => kind.name().to_owned(),
        Value::Word(word) => (*word).to_owned(),
        Value::Words(words) => words.join(" "),
        Value::State(state) => State::name(*state).to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Microseconds(number) => milliseconds(*number),
        Value::Local(socket, device) => local(socket, *device, names),
        Value::Text(text) | Value::End(End::Path(text)) => safe(text),
        Value::End(End::Internet(protocol, end)) => endpoint(*protocol, *end, names),
        Value::End(End::Sctp(end)) => sctp_end(end, names, wide),
        Value::Address(End::Internet(_, end)) => bare_host(end.address, names),
        Value::Address(End::Sctp(end)) => {
            let hosts: Vec<_> = end.addresses().map(|it| bare_host(it, names)).collect();
            hosts.join(",")
        }
        Value::User(uid) => match names.get(Number::User(*uid)) {
            Some(name) => safe(name.as_bytes()),
            None => uid.to_string(),
        },
        Value::Timer(protocol, timer) => {
            timer.map_or("-".to_owned(), |timer| ShownTimer(*protocol, timer).to_string())
        }
        Value::Address(End::Other(end)) => end.address.clone().into_owned(),
        Value::End(End::Other(end)) => end.to_string(),
        Value::Interface(index, name) => interface(*index, *name),
        Value::Namespace(namespace) => safe(namespace.label().as_bytes()),
        Value::Pid(Some(owner), owners) => with_others(owner.process.pid, owners.all().count()),
        Value::Pid(None, owners) => no_owner(owners).to_owned(),
        Value::Fds(owner) => with_others(owner.fds().next().unwrap_or(0), owner.fds().len()),
        Value::Program(command) => safe(&command.short()),
        Value::Command(command) => safe(&command.title()),
        Value::Peer(owners) => match owners.first() {
            Some(owner) => {
                let name: String = harmless(owner.process.command.program()).take(PEER).collect();
                let first = format_args!("{}/{name}", owner.process.pid);
                with_others(first, owners.all().count())
            }
            None => no_owner(owners).to_owned(),
        },
    }
}

/// Returns the first of `count` values and the number of the others, such as `302 +1`.
fn with_others(first: impl fmt::Display, count: usize) -> String {
    match count.saturating_sub(1) {
        0 => first.to_string(),
        others => format!("{first} +{others}"),
    }
}

/// Returns `-` if a socket has no owner, `?` if it may have hidden owners.
fn no_owner(owners: &SocketOwners<'_>) -> &'static str {
    if owners.are_known() { "-" } else { "?" }
}

/// Returns the first address and the number of the others, such as `10.0.0.1:5001 +1`; or if `wide`
/// all addresses, such as `10.0.0.1,[fd00::1]:5001`.
fn sctp_end(end: &SctpEnd, names: &Names, wide: bool) -> String {
    let shown = if wide { usize::MAX } else { 1 };
    let hosts: Vec<_> = end.addresses().take(shown).map(|it| host(it, names)).collect();
    let port = if end.port == 0 { "*".to_owned() } else { end.port.to_string() };
    let count = if wide { 1 } else { 1 + end.others.len() };
    with_others(format_args!("{}:{port}", hosts.join(",")), count)
}

/// Returns a host to which a port can be added: an IPv6 address has brackets.
fn host(address: IpAddr, names: &Names) -> String {
    match (names.get(Number::Host(address)), address) {
        (None, IpAddr::V6(address)) => format!("[{address}]"),
        _ => bare_host(address, names),
    }
}

fn bare_host(address: IpAddr, names: &Names) -> String {
    names.get(Number::Host(address)).map_or_else(|| address.to_string(), |it| safe(it.as_bytes()))
}

fn endpoint(protocol: Protocol, end: Endpoint, names: &Names) -> String {
    let host = host(end.address, names);
    match names.get(Number::port(protocol, end.port)) {
        Some(name) => format!("{host}:{}", safe(name.as_bytes())),
        None if end.port == 0 => format!("{host}:*"),
        None => format!("{host}:{}", end.port),
    }
}

/// Returns the end of a socket on this host: `*:80` if it receives from IPv4 and IPv6, and with the
/// network device that it is bound to, such as `0.0.0.0%eth0:68`.
fn local(socket: &InternetSocket, device: Option<(u32, Option<&str>)>, names: &Names) -> String {
    let whole = endpoint(socket.protocol, socket.local, names);
    let (host, port) = whole.rsplit_once(':').unwrap_or((&whole, ""));
    let is_dual = socket.family == Family::Ipv6
        && socket.facts.ipv6_only == Some(false)
        && socket.local.address.is_unspecified()
        && socket.remote.port == 0;
    let host = if is_dual { "*" } else { host };
    match device {
        None => format!("{host}:{port}"),
        Some((index, name)) => {
            let device = interface(index, name);
            match host.strip_suffix(']') {
                Some(host) => format!("{host}%{device}]:{port}"),
                None => format!("{host}%{device}:{port}"),
            }
        }
    }
}

/// Returns microseconds as milliseconds, with a decimal point.
pub(in crate::render) fn milliseconds(microseconds: u32) -> String {
    format!("{}.{:03}", microseconds / 1000, microseconds % 1000)
}

/// Returns the name of a network device, or `if7` for the device with the index 7.
fn interface(index: u32, name: Option<&str>) -> String {
    name.map_or_else(|| format!("if{index}"), |name| safe(name.as_bytes()))
}

fn safe(text: &[u8]) -> String {
    harmless(text).collect()
}
