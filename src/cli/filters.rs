//! The filters: options and bare words become conditions.

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
        values(&arguments.interface).map(Condition::Interfaces),
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

/// Parses a bare word: ports, addresses, an end with both, or text to find in the command line. `^`
/// before it, or before a part of a list, excludes.
pub fn word(word: &str) -> Result<AskedCondition, Remark> {
    let items = || {
        word.split(',').map(|part| match part.strip_prefix('^') {
            Some(text) => (true, text),
            None => (false, part),
        })
    };
    let is_number = |text: &str| {
        text.starts_with(|char: char| char.is_ascii_digit())
            && text.chars().all(|char| char.is_ascii_digit() || char == '-')
    };
    // IPv6 addresses can begin with two colons.
    let is_service = |text: &str| text.starts_with(':') && !text.starts_with("::");
    if items().next().is_some_and(|(_, text)| is_service(text))
        || items().all(|(_, text)| is_number(text))
    {
        let ports = |text: &str| values::ports(text.strip_prefix(':').unwrap_or(text));
        let ports = items()
            .map(|(is_excluded, text)| Ok::<_, Remark>(Item { is_excluded, value: ports(text)? }));
        let ports = values(&ports.collect::<Result<Vec<_>, _>>()?);
        return ports.map(|it| Condition::Ports(Side::Either, it)).ok_or(Remark::NotPorts);
    }
    let addresses =
        items().map(|(is_excluded, text)| Some(Item { is_excluded, value: address(text)? }));
    if let Some(networks) = addresses.collect::<Option<Vec<_>>>().as_ref().and_then(values) {
        return Ok(Condition::Addresses(Side::Either, networks));
    }
    let (is_excluded, text) = word.strip_prefix('^').map_or((false, word), |text| (true, text));
    if let Some((host, port)) = end(text) {
        let ports = values::ports(port)?;
        if host == "*" {
            return Ok(Condition::Ports(Side::Either, sorted(is_excluded, [ports])));
        }
        if let Some(device) = host.strip_prefix("*%") {
            let any = |address: &str| values::network(&format!("{address}%{device}/0"));
            let any = [(any("0.0.0.0")?, ports.clone()), (any("::")?, ports)];
            return Ok(Condition::Ends(sorted(is_excluded, any)));
        }
        let host = address(host).map_or_else(|| values::network(host), Ok)?;
        return Ok(Condition::Ends(sorted(is_excluded, [(host, ports)])));
    }
    if items().any(|(_, text)| is_number(text) && word.contains(',') || is_nearly_address(text)) {
        return Err(Remark::NotWord);
    }
    Ok(Condition::Programs(sorted(is_excluded, [values::program(text)?])))
}

/// Parses an address, also in brackets, or a network.
fn address(text: &str) -> Option<Asked<Network>> {
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    values::network(bare).ok().filter(|it| !matches!(it, Asked::Name(_)))
}

/// Splits an end as rnetstat prints it: `10.0.0.1:http`, `[::1]:80`, `localhost:5000` or `*:80`.
fn end(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_name = |text: &str| {
        let is_part = |char: char| char.is_ascii_alphanumeric() || "-._".contains(char);
        !text.is_empty() && text.chars().all(is_part)
    };
    let is_number = port.starts_with(|char: char| char.is_ascii_digit());
    let is_whole = host.starts_with('[') || !host.contains(':') || host.contains('%');
    let is_address = is_whole && address(host).is_some();
    // `foo:bar` can be text in a command line.
    let is_end = is_address && is_name(port)
        || (is_name(host) || host == "*" || host.starts_with("*%")) && is_number;
    (is_end && is_name(port)).then_some((host, port))
}

/// Returns true if text begins as an address does, such as `10.0.0.0/33` or `fe80::1%eth0`.
fn is_nearly_address(text: &str) -> bool {
    text.split(['/', '%']).next().is_some_and(|start| address(start).is_some())
}

fn sorted<T, const N: usize>(is_excluded: bool, values: [T; N]) -> Values<T> {
    let values = Vec::from(values);
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
                    Asked::Value(_) | Asked::OnDevice(..) => panic!("{ports:?}"),
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
            ("[::1]:http", "end "),
            ("127.0.0.1:http", "end "),
            ("localhost:5000", "end "),
            ("^localhost:5000", "end ^"),
            ("*:80", "port 80..=80"),
            ("^80,^443", "port ^80..=80 443..=443"),
            (":http,:80", "port http 80..=80"),
            ("127.0.0.1,::1", "address "),
            ("^127.0.0.1,^::1", "address ^"),
            ("foo:bar", "text foo:bar ^"),
            ("5000/tcp", "text 5000/tcp ^"),
            ("a,b", "text a,b ^"),
            ("80,http", "Err(NotWord)"),
            ("http,80", "Err(NotWord)"),
            ("fe80::1%eth0", "address "),
            ("fe80::%eth0/64", "address "),
            ("fe80::1%3", "address "),
            ("0.0.0.0%eth0:68", "end "),
            ("fe80::1%eth0:80", "end "),
            ("[fe80::1%eth0]:80", "end "),
            ("*%eth0:546", "end "),
            ("fe80::1%", "Err(NotWord)"),
            ("127.0.0.1/33", "Err(NotWord)"),
            ("127.0.0.1,x", "Err(NotWord)"),
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
