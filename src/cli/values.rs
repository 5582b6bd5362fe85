//! The values of options: from text to what they mean, or what is wanted in their place.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::Color;
use crate::listing::Key;
use crate::number::decimal;
use crate::process::Pid;
use crate::query::{Network, STATES};
use crate::render::Format;
use crate::tables::Interface;

/// Values by their names.
type Choices<T, const N: usize> = [(&'static str, T); N];

pub(super) const SOURCES: Choices<Interface, 3> =
    [("auto", Interface::Auto), ("proc", Interface::Proc), ("netlink", Interface::Netlink)];

pub(super) const FORMATS: Choices<Format, 5> = [
    ("netstat", Format::Netstat),
    ("table", Format::Table),
    ("json", Format::Json),
    ("jsonl", Format::Jsonl),
    ("csv", Format::Csv),
];

pub(super) const COLORS: Choices<Color, 3> =
    [("auto", Color::Auto), ("always", Color::Always), ("never", Color::Never)];

/// One of these.
pub(super) fn choice<T: Copy + Send + Sync, const N: usize>(
    choices: &'static Choices<T, N>,
) -> impl TypedValueParser<Value = T> {
    let names = choices.iter().map(|&(name, _)| name);
    PossibleValuesParser::new(names).try_map(|name| {
        let chosen = choices.iter().find(|&&(other, _)| other == name);
        chosen.map(|&(_, value)| value).ok_or("it is none of them")
    })
}

/// A number of seconds, perhaps with a fraction.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "a number of seconds is wanted, such as 2 or 0.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// A port, or a range of them. 0 is none.
pub(super) fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (decimal(first.as_bytes()), decimal(last.as_bytes())) {
        (Some(first @ 1..), Some(last)) if first <= last => Ok(first..=last),
        _ => {
            Err("a port from 1 to 65535 is wanted, or a range of them such as 8000-8080".to_owned())
        }
    }
}

/// An address, or a network.
pub(super) fn network(text: &str) -> Result<Network, String> {
    let network = match text.split_once('/') {
        None => text.parse().ok().map(Network::of),
        Some((address, prefix)) => address
            .parse::<IpAddr>()
            .ok()
            .zip(decimal(prefix.as_bytes()))
            .and_then(|(address, prefix)| Network::new(address, prefix)),
    };
    network.ok_or_else(|| {
        "an address is wanted, or a network, such as 10.1.2.3, 10.0.0.0/8, ::1 or fe80::/10"
            .to_owned()
    })
}

/// A state's name, in whichever case.
pub(super) fn state(text: &str) -> Result<&'static str, String> {
    let name = text.replace('-', "_");
    let found = STATES.iter().find(|state| state.eq_ignore_ascii_case(&name));
    found
        .copied()
        .ok_or_else(|| format!("a state is wanted, one of {}", STATES.join(", ").to_lowercase()))
}

/// A process's number.
pub(super) fn pid(text: &str) -> Result<Pid, String> {
    match decimal(text.as_bytes()) {
        Some(pid @ 1..) => Ok(pid),
        _ => Err("a process's number is wanted, such as 4711".to_owned()),
    }
}

/// A key to sort by, and whether downwards.
pub(super) fn key(text: &str) -> Result<(Key, bool), String> {
    let (name, downwards) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let found = Key::ALL.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|&(_, key)| (key, downwards)).ok_or_else(|| {
        let names = Key::ALL.map(|(name, _)| name).join(", ");
        format!("a column is wanted, one of {names}; with a - before it downwards")
    })
}
