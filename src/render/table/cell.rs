//! The text of a value in the table.

use std::net::IpAddr;

use super::short::Shortened;
use crate::fields::{ShownTimer, Value};
use crate::harmless::harmless;
use crate::listing::SocketOwners;
use crate::names::{Names, Number};
use crate::render::netstat::cells::RowBuffer;
use crate::socket::{End, Endpoint, Family, InternetSocket, Protocol, SctpEnd, State};

/// The maximum number of characters of the program name in the column Peer.
const PEER: usize = 24;

/// How values are shown.
#[derive(Clone, Copy)]
pub(crate) struct Show<'a> {
    pub(crate) names: &'a Names,
    /// `-W`: show all addresses of an end, and whole ones.
    pub(crate) wide: bool,
    /// The hosts that are shown in a short form.
    pub(in crate::render) shortened: Option<&'a Shortened>,
}

impl Show<'_> {
    /// Returns the text of a value, harmless for a terminal.
    pub(in crate::render) fn text(&self, value: &Value<'_>) -> String {
        let mut text = RowBuffer::default();
        self.append(value, &mut text);
        String::from_utf8_lossy(text.bytes()).into_owned()
    }

    /// Appends the text of a value, harmless for a terminal.
    pub(super) fn append(&self, value: &Value<'_>, text: &mut RowBuffer) {
        match value {
            Value::Missing | Value::Address(End::Path(_)) => {}
            Value::Unknown => text.text("?"),
            Value::Kind(kind) => text.text(kind.name()),
            Value::Word(word) => text.text(word),
            Value::Words(words) => text.text(&words.join(" ")),
            Value::State(state) => text.text(State::name(*state)),
            Value::Number(number) => text.number(*number),
            Value::Flag(flag) => text.text(if *flag { "yes" } else { "no" }),
            Value::Microseconds(number) => text.text(&milliseconds(*number)),
            Value::Local(socket, device) => self.local(socket, *device, text),
            Value::Text(foreign) | Value::End(End::Path(foreign)) => text.foreign(foreign),
            Value::End(End::Internet(protocol, end)) => {
                self.host(end.address, None, text);
                self.port(*protocol, *end, text);
            }
            Value::End(End::Sctp(end)) => self.sctp_end(end, text),
            Value::Address(End::Internet(_, end)) => self.bare_host(end.address, text),
            Value::Address(End::Sctp(end)) => {
                for (number, address) in end.addresses().enumerate() {
                    text.text(if number > 0 { "," } else { "" });
                    self.bare_host(address, text);
                }
            }
            Value::User(uid) => match self.names.get(Number::User(*uid)) {
                Some(name) => text.foreign(name.as_bytes()),
                None => text.number(*uid),
            },
            Value::Timer(protocol, Some(timer)) => {
                text.format(format_args!("{}", ShownTimer(*protocol, *timer)));
            }
            Value::Timer(_, None) => text.text("-"),
            Value::Address(End::Other(end)) => text.text(&end.address),
            Value::End(End::Other(end)) => text.format(format_args!("{end}")),
            Value::Interface(index, name) => interface(*index, *name, text),
            Value::Namespace(namespace) => text.foreign(namespace.label().as_bytes()),
            Value::Pid(Some(owner), owners) => {
                text.number(owner.process.pid);
                others(owners.all().count(), text);
            }
            Value::Pid(None, owners) => text.text(no_owner(owners)),
            Value::Fds(owner) => {
                text.number(owner.fds().next().unwrap_or(0));
                others(owner.fds().len(), text);
            }
            Value::Program(command) => text.foreign(&command.short()),
            Value::Command(command) => text.foreign(&command.title()),
            Value::Peer(owners) => match owners.first() {
                Some(owner) => {
                    text.number(owner.process.pid);
                    text.text("/");
                    let name = harmless(owner.process.command.program()).take(PEER);
                    text.text(&name.collect::<String>());
                    others(owners.all().count(), text);
                }
                None => text.text(no_owner(owners)),
            },
        }
    }

    /// Appends the end of a socket on this host: `*:80` if it receives from IPv4 and IPv6, and with
    /// the network device that it is bound to, such as `0.0.0.0%eth0:68`.
    fn local(&self, socket: &InternetSocket, device: Option<Device<'_>>, text: &mut RowBuffer) {
        let is_dual = socket.family == Family::Ipv6
            && socket.facts.ipv6_only == Some(false)
            && socket.local.address.is_unspecified()
            && socket.remote.port == 0;
        if is_dual {
            text.text("*");
            at(device, text);
        } else {
            self.host(socket.local.address, device, text);
        }
        self.port(socket.protocol, socket.local, text);
    }

    /// Appends the first address and the number of the others, such as `10.0.0.1:5001 +1`; or with
    /// `-W` all addresses, such as `10.0.0.1,[fd00::1]:5001`.
    fn sctp_end(&self, end: &SctpEnd, text: &mut RowBuffer) {
        let shown = if self.wide { usize::MAX } else { 1 };
        for (number, address) in end.addresses().take(shown).enumerate() {
            text.text(if number > 0 { "," } else { "" });
            self.host(address, None, text);
        }
        match end.port {
            0 => text.text(":*"),
            port => text.format(format_args!(":{port}")),
        }
        others(if self.wide { 1 } else { 1 + end.others.len() }, text);
    }

    /// Appends a host to which a port can be added: an IPv6 address has brackets.
    fn host(&self, address: IpAddr, device: Option<Device<'_>>, text: &mut RowBuffer) {
        let has_brackets = address.is_ipv6() && self.names.get(Number::Host(address)).is_none();
        text.text(if has_brackets { "[" } else { "" });
        self.bare_host(address, text);
        at(device, text);
        text.text(if has_brackets { "]" } else { "" });
    }

    fn bare_host(&self, address: IpAddr, text: &mut RowBuffer) {
        match self.shortened.and_then(|shortened| shortened.form(address)) {
            Some(form) => text.text(form),
            None => whole_host(address, self.names, text),
        }
    }

    fn port(&self, protocol: Protocol, end: Endpoint, text: &mut RowBuffer) {
        text.text(":");
        match self.names.get(Number::port(protocol, end.port)) {
            Some(name) => text.foreign(name.as_bytes()),
            None if end.port == 0 => text.text("*"),
            None => text.number(end.port),
        }
    }
}

/// The index of a network device, and its name if it is known.
type Device<'a> = (u32, Option<&'a str>);

/// Appends the name of a host, or its address without brackets.
pub(super) fn whole_host(address: IpAddr, names: &Names, text: &mut RowBuffer) {
    match (names.get(Number::Host(address)), address) {
        (Some(name), _) => text.foreign(name.as_bytes()),
        (None, IpAddr::V4(address)) => text.ipv4(address.octets()),
        (None, IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            text.format(format_args!("{address}"));
        }
        (None, IpAddr::V6(address)) => text.ipv6(address.segments()),
    }
}

/// Appends the number of the others of `count` values, such as ` +1`.
fn others(count: usize, text: &mut RowBuffer) {
    if count > 1 {
        text.text(" +");
        text.number(count - 1);
    }
}

/// Returns `-` if a socket has no owner, `?` if it may have hidden owners.
fn no_owner(owners: &SocketOwners<'_>) -> &'static str {
    if owners.are_known() { "-" } else { "?" }
}

/// Appends the network device that an address is bound to.
fn at(device: Option<Device<'_>>, text: &mut RowBuffer) {
    if let Some((index, name)) = device {
        text.text("%");
        interface(index, name, text);
    }
}

/// Returns microseconds as milliseconds, with a decimal point.
pub(in crate::render) fn milliseconds(microseconds: u32) -> String {
    format!("{}.{:03}", microseconds / 1000, microseconds % 1000)
}

/// Appends the name of a network device, or `if7` for the device with the index 7.
fn interface(index: u32, name: Option<&str>, text: &mut RowBuffer) {
    match name {
        Some(name) => text.foreign(name.as_bytes()),
        None => text.format(format_args!("if{index}")),
    }
}
