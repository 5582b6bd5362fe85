//! Parsers for the values of options. Each error says which values are accepted.

use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use clap_complete::Shell;

use crate::fields::{self, Field};
use crate::number::decimal;
use crate::process::Pid;
use crate::query::{Asked, Network, Ports};
use crate::remark::Remark;
use crate::request::{Color, Format, SavedOrder};
use crate::socket::State;
use crate::tables::ByteOrder;
use crate::tables::policy::Source;

/// The accepted names, and their values.
type Choices<T, const N: usize> = [(&'static str, T); N];

pub(super) const SOURCES: Choices<Source, 3> =
    [("auto", Source::Auto), ("text", Source::Text), ("netlink", Source::Netlink)];

pub(super) const BYTE_ORDERS: Choices<SavedOrder, 3> = [
    ("auto", SavedOrder::Detected),
    ("little", SavedOrder::Given(ByteOrder::Little)),
    ("big", SavedOrder::Given(ByteOrder::Big)),
];

pub(super) const FORMATS: Choices<Format, 6> = [
    ("netstat", Format::Netstat),
    ("table", Format::Table),
    ("json", Format::Json),
    ("jsonl", Format::Jsonl),
    ("csv", Format::Csv),
    ("openmetrics", Format::Openmetrics),
];

pub(super) const COLORS: Choices<Color, 3> =
    [("auto", Color::Auto), ("always", Color::Always), ("never", Color::Never)];

/// A text that `--generate` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artefact {
    /// The completions for a shell.
    Completions(Shell),
    /// The manual page.
    Man,
    /// The JSON Schema of the records.
    Schema,
}

pub(super) const ARTEFACTS: Choices<Artefact, 6> = [
    ("bash", Artefact::Completions(Shell::Bash)),
    ("zsh", Artefact::Completions(Shell::Zsh)),
    ("fish", Artefact::Completions(Shell::Fish)),
    ("elvish", Artefact::Completions(Shell::Elvish)),
    ("man", Artefact::Man),
    ("schema", Artefact::Schema),
];

/// The families of sockets.
const FAMILIES: [&str; 7] = ["inet", "inet6", "unix", "packet", "netlink", "vsock", "all"];

/// A parser for families of sockets. It accepts any text, because the message for a family of netstat
/// that rnetstat does not list names another tool.
#[derive(Clone)]
pub(super) struct Families;

impl TypedValueParser for Families {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(FAMILIES.into_iter().map(PossibleValue::new)))
    }
}

/// Returns a parser that accepts one of these values.
pub(super) fn choice<T: Copy + Send + Sync, const N: usize>(
    choices: &'static Choices<T, N>,
) -> impl TypedValueParser<Value = T> {
    // In version 0.1, the value `text` was called `proc`.
    let names = choices.iter().map(|&(name, _)| match name {
        "text" => PossibleValue::new(name).alias("proc"),
        _ => PossibleValue::new(name),
    });
    named(names, |text| {
        let text = if text == "proc" { "text" } else { text };
        choices.iter().find(|(name, _)| *name == text).map(|&(_, value)| value)
    })
}

/// Returns a parser for the names of states, in upper or lower case.
pub(super) fn state() -> impl TypedValueParser<Value = Item<State>> {
    let names = State::all().map(|state| {
        let name = state.name().to_lowercase();
        let other = name.replace('_', "-");
        PossibleValue::new(&name).aliases([format!("^{name}"), format!("^{other}"), other])
    });
    named(names, |text| {
        let (is_excluded, name) = text.strip_prefix('^').map_or((false, text), |it| (true, it));
        let name = name.replace('-', "_");
        let value = State::all().find(|state| state.name().eq_ignore_ascii_case(&name))?;
        Some(Item { is_excluded, value })
    })
}

/// Returns a parser for a key to sort by, as a field and whether `-` is before the key.
pub(super) fn sort() -> impl TypedValueParser<Value = (&'static Field, bool)> {
    let keys =
        fields::ALL.map(|field| PossibleValue::new(field.key).alias(format!("-{}", field.key)));
    named(keys, |text| {
        let (key, is_descending) = text.strip_prefix('-').map_or((text, false), |key| (key, true));
        let field = fields::ALL.into_iter().find(|field| field.key.eq_ignore_ascii_case(key))?;
        Some((field, is_descending))
    })
}

/// Returns a parser for a key of groups. The queues are no keys: each group has their sums.
pub(super) fn key() -> impl TypedValueParser<Value = &'static Field> {
    let keys = || fields::ALL.into_iter().filter(|it| !["recv-q", "send-q"].contains(&it.key));
    named(keys().map(|field| PossibleValue::new(field.key)), move |text| {
        keys().find(|field| field.key.eq_ignore_ascii_case(text))
    })
}

/// Parses a number of groups.
pub(super) fn limit(text: &str) -> Result<usize, Remark> {
    match decimal(text.as_bytes()) {
        Some(limit @ 1..) => Ok(limit),
        _ => Err(Remark::NotLimit),
    }
}

/// Returns a parser for a field, and whether `+` is before its key.
pub(super) fn column() -> impl TypedValueParser<Value = (&'static Field, bool)> {
    let keys =
        fields::ALL.map(|field| PossibleValue::new(field.key).alias(format!("+{}", field.key)));
    named(keys, |text| {
        let (key, is_added) = text.strip_prefix('+').map_or((text, false), |key| (key, true));
        let field = fields::ALL.into_iter().find(|field| field.key.eq_ignore_ascii_case(key))?;
        Some((field, is_added))
    })
}

/// Returns a parser that accepts only these names. Shell completions and `--help` list them.
fn named<T: Clone + Send + Sync + 'static>(
    names: impl IntoIterator<Item = PossibleValue>,
    find: impl Fn(&str) -> Option<T> + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = T> {
    let names = names.into_iter().collect::<Vec<_>>();
    PossibleValuesParser::new(names).try_map(move |text| find(&text).ok_or("unknown name"))
}

/// Parses a number of seconds, which can have a fraction.
pub(super) fn seconds(text: &str) -> Result<Duration, Remark> {
    let seconds: f64 = text.parse().map_err(|_| Remark::NotSeconds)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| Remark::NotSeconds)
}

/// The shortest pause between two listings. Shorter ones would only cost processor time.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// Parses the pause between two listings.
pub(super) fn interval(text: &str) -> Result<Duration, Remark> {
    let interval = seconds(text)?;
    if interval < SHORTEST_INTERVAL {
        return Err(Remark::IntervalTooShort(SHORTEST_INTERVAL));
    }
    Ok(interval)
}

/// Parses a number of listings.
pub(super) fn count(text: &str) -> Result<u64, Remark> {
    match decimal(text.as_bytes()) {
        Some(count @ 1..) => Ok(count),
        _ => Err(Remark::NotCount),
    }
}

/// A value of a filter. `^` before the value excludes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item<T> {
    pub(super) is_excluded: bool,
    pub(super) value: T,
}

/// Returns a parser for values that can be excluded.
pub(super) fn item<T: 'static>(
    parse: fn(&str) -> Result<T, Remark>,
) -> impl Fn(&str) -> Result<Item<T>, Remark> + Clone + Send + Sync {
    move |text| {
        let (is_excluded, text) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
        Ok(Item { is_excluded, value: parse(text)? })
    }
}

/// Stands for a value that is not given. No argument can contain this character.
pub(super) const NO_TEXT: &str = "\0";

/// Returns a parser for values that can be excluded, or not be given.
pub(super) fn optional<T: 'static>(
    parse: fn(&str) -> Result<T, Remark>,
) -> impl Fn(&str) -> Result<Option<Item<T>>, Remark> + Clone + Send + Sync {
    let parse = item(parse);
    move |text| if text == NO_TEXT { Ok(None) } else { parse(text).map(Some) }
}

/// Parses text that is not empty.
pub(super) fn text(text: &str) -> Result<String, Remark> {
    if text.is_empty() { Err(Remark::NoText) } else { Ok(text.to_owned()) }
}

/// Parses text to find in a command line, ignoring case.
pub(super) fn program(program: &str) -> Result<String, Remark> {
    text(&program.to_lowercase())
}

/// Parses a port, a range of ports, or the name of a service. 0 is not a port.
pub(super) fn ports(text: &str) -> Result<Asked<Ports>, Remark> {
    let is_number = |char: char| char.is_ascii_digit() || char == '-';
    if !text.is_empty() && !text.chars().all(is_number) {
        return Ok(Asked::Name(text.to_owned()));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (decimal(first.as_bytes()), decimal(last.as_bytes())) {
        (Some(first @ 1..), Some(last)) if first <= last => {
            Ok(Asked::Value(Ports { range: first..=last, protocol: None }))
        }
        _ => Err(Remark::NotPorts),
    }
}

/// Parses an address such as `::1` or `fe80::1%eth0`, a network such as `10.0.0.0/8`, or the name of a host. The
/// resolver would accept numbers such as `10.1` as the name of a host.
pub(super) fn network(text: &str) -> Result<Asked<Network>, Remark> {
    if let Some((address, rest)) = text.split_once('%') {
        let (device, prefix) =
            rest.split_once('/').map_or((rest, ""), |(it, _)| (it, &rest[it.len()..]));
        let network = literal_network(&format!("{address}{prefix}")).filter(|_| is_device(device));
        let network = network.ok_or(Remark::NotNetwork)?;
        return Ok(Asked::OnDevice(network, device.to_owned()));
    }
    let network = literal_network(text);
    let is_name = text.contains(|char: char| char.is_ascii_alphabetic() || !char.is_ascii())
        && !text.contains([':', '/']);
    match network {
        Some(network) => Ok(Asked::Value(network)),
        None if is_name => Ok(Asked::Name(text.to_owned())),
        None => Err(Remark::NotNetwork),
    }
}

/// Parses an address, or a network such as `10.0.0.0/8`.
fn literal_network(text: &str) -> Option<Network> {
    let Some((address, prefix)) = text.split_once('/') else {
        return text.parse().ok().map(Network::of);
    };
    Network::new(address.parse().ok()?, decimal(prefix.as_bytes())?)
}

/// Returns true if this can be the name of a network device (`dev_valid_name` in the kernel's
/// `net/core/dev.c`).
fn is_device(name: &str) -> bool {
    !name.is_empty() && !name.contains(|char: char| char == ':' || char.is_whitespace())
}

/// Parses a PID. 0 is not a PID.
pub(super) fn pid(text: &str) -> Result<Pid, Remark> {
    match decimal(text.as_bytes()) {
        Some(pid @ 1..) => Ok(pid),
        _ => Err(Remark::NotPid),
    }
}
