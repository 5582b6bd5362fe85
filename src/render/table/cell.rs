//! The text of a value in the table.

use std::fmt;
use std::net::IpAddr;

use crate::fields::{ShownTimer, Value};
use crate::harmless::harmless;
use crate::listing::SocketOwners;
use crate::names::{Names, Number};
use crate::socket::{End, Endpoint, Protocol, State};

/// The maximum number of characters of the program name in the column Peer.
const PEER: usize = 24;

/// Returns the text of a value, harmless for a terminal.
pub(super) fn text(value: &Value<'_>, names: &Names) -> String {
    match value {
        Value::Missing => String::new(),
        Value::Kind(kind) => kind.name().to_owned(),
        Value::Word(word) => (*word).to_owned(),
        Value::Words(words) => words.join(" "),
        Value::State(state) => State::name(*state).to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) | Value::End(End::Path(text)) => safe(text),
        Value::End(End::Internet(protocol, end)) => endpoint(*protocol, *end, names),
        Value::User(uid) => match names.get(Number::User(*uid)) {
            Some(name) => safe(name.as_bytes()),
            None => uid.to_string(),
        },
        Value::Timer(protocol, timer) => {
            timer.map_or("-".to_owned(), |timer| ShownTimer(*protocol, timer).to_string())
        }
        Value::Namespace(namespace) => safe(namespace.label().as_bytes()),
        Value::Pid(Some(owner), owners) => with_others(owner.process.pid, owners.all().count()),
        Value::Pid(None, owners) => no_owner(owners).to_owned(),
        Value::Fds(owner) => with_others(owner.fds().next().unwrap_or(0), owner.fds().len()),
        Value::Program(command) => safe(&command.title()),
        Value::Command(command) => safe(&command.joined()),
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

fn endpoint(protocol: Protocol, end: Endpoint, names: &Names) -> String {
    let host = match (names.get(Number::Host(end.address)), end.address) {
        (Some(name), _) => safe(name.as_bytes()),
        (None, IpAddr::V4(address)) => address.to_string(),
        (None, IpAddr::V6(address)) => format!("[{address}]"),
    };
    match names.get(Number::port(protocol, end.port)) {
        Some(name) => format!("{host}:{}", safe(name.as_bytes())),
        None if end.port == 0 => format!("{host}:*"),
        None => format!("{host}:{}", end.port),
    }
}

fn safe(text: &[u8]) -> String {
    harmless(text).collect()
}
