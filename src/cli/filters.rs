//! The filters: options and bare words become conditions.

use std::net::SocketAddr;

use super::arguments::Arguments;
use super::values::{self, Item};
use crate::query::{Asked, AskedCondition, Condition, Network, Side, Values};
use crate::remark::Remark;

/// Returns the conditions of all filters.
pub(super) fn conditions(arguments: &Arguments) -> Vec<AskedCondition> {
    let programs = arguments.program.iter().flatten();
    let with_children = arguments.children;
    let options = [
        values(&arguments.port).map(|ports| Condition::Ports(Side::Either, ports)),
        values(&arguments.sport).map(|ports| Condition::Ports(Side::Local, ports)),
        values(&arguments.dport).map(|ports| Condition::Ports(Side::Remote, ports)),
        values(&arguments.address).map(|it| Condition::Addresses(Side::Either, it)),
        values(&arguments.src).map(|it| Condition::Addresses(Side::Local, it)),
        values(&arguments.dst).map(|it| Condition::Addresses(Side::Remote, it)),
        values(&arguments.state).map(Condition::States),
        values(&arguments.user).map(Condition::Users),
        values(&arguments.pid).map(|pids| Condition::Pids { pids, with_children }),
        values(programs).map(Condition::Programs),
        values(&arguments.unit).map(Condition::Units),
        values(&arguments.container).map(Condition::Containers),
    ];
    options.into_iter().flatten().chain(arguments.words.iter().cloned()).collect()
}

/// Returns the values of one filter; `None` if there are none.
fn values<'a, T: Clone + 'a>(items: impl IntoIterator<Item = &'a Item<T>>) -> Option<Values<T>> {
    let mut values = Values { wanted: Vec::new(), excluded: Vec::new() };
    for Item { is_excluded, value } in items {
        if *is_excluded { &mut values.excluded } else { &mut values.wanted }.push(value.clone());
    }
    values.all().next()?;
    Some(values)
}

/// Parses a bare word: a port, an address, both, or text to find in the command line. `^` before it
/// excludes.
pub(super) fn word(word: &str) -> Result<AskedCondition, Remark> {
    let (is_excluded, text) = word.strip_prefix('^').map_or((false, word), |text| (true, text));
    let is_number = |char: char| char.is_ascii_digit() || "-,".contains(char);
    let ports = match text.strip_prefix(':') {
        // IPv6 addresses can begin with two colons.
        Some(ports) if !ports.starts_with(':') => Some(ports),
        _ if text.starts_with(|char: char| char.is_ascii_digit())
            && text.chars().all(is_number) =>
        {
            Some(text)
        }
        _ => None,
    };
    if let Some(ports) = ports {
        let ports = ports.split(',').map(values::ports).collect::<Result<_, _>>()?;
        return Ok(Condition::Ports(Side::Either, sorted(is_excluded, ports)));
    }
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    if let Ok(Asked::Value(network)) = values::network(bare) {
        let networks = vec![Asked::Value(network)];
        return Ok(Condition::Addresses(Side::Either, sorted(is_excluded, networks)));
    }
    if let Ok(end) = text.parse::<SocketAddr>() {
        let address = Asked::Value(Network::of(end.ip()));
        let ports = values::ports(&end.port().to_string())?;
        return Ok(Condition::Ends(sorted(is_excluded, vec![(address, ports)])));
    }
    Ok(Condition::Programs(sorted(is_excluded, vec![values::program(text)?])))
}

fn sorted<T>(is_excluded: bool, values: Vec<T>) -> Values<T> {
    let (wanted, excluded) = if is_excluded { (vec![], values) } else { (values, vec![]) };
    Values { wanted, excluded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Ports;

    #[test]
    fn words_are_ports_addresses_or_text() {
        let shown = |word: &str| match super::word(word) {
            Ok(Condition::Ports(Side::Either, it)) => {
                let ports = it.all().map(|ports| match ports {
                    Asked::Value(Ports { range, protocol: None }) => format!("{range:?}"),
                    Asked::Name(name) => name.clone(),
                    Asked::Value(other) => panic!("{other:?}"),
                });
                let ports = ports.collect::<Vec<_>>().join(" ");
                format!("port {}{ports}", if it.excluded.is_empty() { "" } else { "^" })
            }
            Ok(Condition::Addresses(Side::Either, it)) => {
                format!("address {}", if it.excluded.is_empty() { "" } else { "^" })
            }
            Ok(Condition::Ends(it)) => {
                format!("end {}", if it.excluded.is_empty() { "" } else { "^" })
            }
            Ok(Condition::Programs(it)) => {
                format!("text {} ^{}", it.wanted.concat(), it.excluded.concat())
            }
            other => format!("{other:?}"),
        };
        for (word, expected) in [
            ("5000", "port 5000..=5000"),
            ("8000-8080,443", "port 8000..=8080 443..=443"),
            (":443", "port 443..=443"),
            (":http,8000-8080", "port http 8000..=8080"),
            ("^22", "port ^22..=22"),
            ("10.0.0.0/8", "address "),
            ("^::1", "address ^"),
            ("::", "address "),
            ("[fe80::1]", "address "),
            ("127.0.0.1:5000", "end "),
            ("[::1]:80", "end "),
            ("Receiver.py", "text receiver.py ^"),
            ("^sshd", "text  ^sshd"),
            ("localhost", "text localhost ^"),
            ("10.0.0.300", "text 10.0.0.300 ^"),
            ("3proxy", "text 3proxy ^"),
            ("70000", "Err(NotPorts)"),
            ("0", "Err(NotPorts)"),
            (":", "Err(NotPorts)"),
            ("127.0.0.1:0", "Err(NotPorts)"),
            ("", "Err(NoText)"),
            ("^", "Err(NoText)"),
        ] {
            assert_eq!(shown(word), expected, "{word}");
        }
    }
}
