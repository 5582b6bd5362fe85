//! Parsers for the values of options. Each error says which values are accepted.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap_complete::Shell;

use crate::fields::{self, Field};
use crate::number::decimal;
use crate::process::Pid;
use crate::query::Network;
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

pub(super) const FORMATS: Choices<Format, 5> = [
    ("netstat", Format::Netstat),
    ("table", Format::Table),
    ("json", Format::Json),
    ("jsonl", Format::Jsonl),
    ("csv", Format::Csv),
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
}

pub(super) const ARTEFACTS: Choices<Artefact, 5> = [
    ("bash", Artefact::Completions(Shell::Bash)),
    ("zsh", Artefact::Completions(Shell::Zsh)),
    ("fish", Artefact::Completions(Shell::Fish)),
    ("elvish", Artefact::Completions(Shell::Elvish)),
    ("man", Artefact::Man),
];

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
pub(super) fn state() -> impl TypedValueParser<Value = State> {
    let names = State::all().map(|state| {
        let name = state.name().to_lowercase();
        PossibleValue::new(&name).alias(name.replace('_', "-"))
    });
    named(names, |text| {
        let name = text.replace('-', "_");
        State::all().find(|state| state.name().eq_ignore_ascii_case(&name))
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

/// Parses a port, or a range of ports. 0 is not a port.
pub(super) fn ports(text: &str) -> Result<RangeInclusive<u16>, Remark> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (decimal(first.as_bytes()), decimal(last.as_bytes())) {
        (Some(first @ 1..), Some(last)) if first <= last => Ok(first..=last),
        _ => Err(Remark::NotPorts),
    }
}

/// Parses an address such as `::1`, or a network such as `10.0.0.0/8`.
pub(super) fn network(text: &str) -> Result<Network, Remark> {
    let network = match text.split_once('/') {
        None => text.parse().ok().map(Network::of),
        Some((address, prefix)) => address
            .parse::<IpAddr>()
            .ok()
            .zip(decimal(prefix.as_bytes()))
            .and_then(|(address, prefix)| Network::new(address, prefix)),
    };
    network.ok_or(Remark::NotNetwork)
}

/// Parses a PID. 0 is not a PID.
pub(super) fn pid(text: &str) -> Result<Pid, Remark> {
    match decimal(text.as_bytes()) {
        Some(pid @ 1..) => Ok(pid),
        _ => Err(Remark::NotPid),
    }
}
