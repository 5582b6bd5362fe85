//! The names of services and protocols in the files of this host.
//!
//! The resolver reads all of `/etc/services` for each port. This module reads the file once, if the
//! resolver has no other source of services.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::number::decimal;
use crate::socket::Protocol;

pub(super) struct Local {
    names: HashMap<(Protocol, u16), String>,
    /// The names and aliases of services, each with a port.
    ports: Vec<(String, Protocol, u16)>,
    services: bool,
}

impl Local {
    /// Reads the files. A missing file has no names.
    pub(super) fn read() -> Self {
        let text = |file| fs::read(file).unwrap_or_default();
        // Without this file, the source `db` of nsswitch.conf has no names. Few hosts have it.
        let has_database = Path::new("/var/lib/misc/services.db").exists();
        let services = is_files_only(&text("/etc/nsswitch.conf"), has_database);
        let (mut names, mut ports) = (HashMap::new(), Vec::new());
        let protocols = text("/etc/protocols");
        for Entry { name, number, .. } in entries(&protocols) {
            add(&mut names, Protocol::Raw, number, name);
        }
        if services {
            for Entry { name, number, aliases } in entries(&text("/etc/services")) {
                let mut words = number.splitn(2, |&byte| byte == b'/');
                let (Some(number), Some(protocol)) = (words.next(), words.next()) else { continue };
                let protocol = match protocol {
                    b"tcp" => Protocol::Tcp,
                    b"udp" => Protocol::Udp,
                    _ => continue,
                };
                add(&mut names, protocol, number, name);
                if let Some(port) = decimal(number) {
                    let all = [name].into_iter().chain(aliases);
                    let all = all.map(|name| String::from_utf8_lossy(name).into_owned());
                    ports.extend(all.map(|name| (name, protocol, port)));
                }
            }
        }
        Self { names, ports, services }
    }

    /// Returns true if the files have all names for this protocol: the resolver is not asked.
    pub(super) fn is_complete(&self, protocol: Protocol) -> bool {
        self.services || !protocol.has_services()
    }

    /// Returns the ports of the service with this name or alias.
    pub(super) fn service(&self, name: &str) -> Vec<(Protocol, u16)> {
        let ports = self.ports.iter().filter(|(service, ..)| service == name);
        ports.map(|&(_, protocol, port)| (protocol, port)).collect()
    }

    /// Returns the name of a port, if the files have one.
    pub(super) fn port(&self, protocol: Protocol, port: u16) -> Option<&str> {
        self.names.get(&(protocol, port)).map(String::as_str)
    }
}

/// Adds a name. If a number has several names, netstat shows the last.
fn add(names: &mut HashMap<(Protocol, u16), String>, of: Protocol, number: &[u8], name: &[u8]) {
    if let Some(number) = decimal(number) {
        names.insert((of, number), String::from_utf8_lossy(name).into_owned());
    }
}

/// A line of a file of names (`man 5 services`, `man 5 protocols`).
#[derive(Debug, PartialEq, Eq)]
struct Entry<'a> {
    name: &'a [u8],
    number: &'a [u8],
    aliases: Vec<&'a [u8]>,
}

fn entries(text: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    lines(text).filter_map(|line| {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        Some(Entry { name: words.next()?, number: words.next()?, aliases: words.collect() })
    })
}

/// Returns the lines without comments.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').filter_map(|line| line.split(|&byte| byte == b'#').next())
}

/// Returns true if files are the only source of services (`man 5 nsswitch.conf`).
fn is_files_only(switch: &[u8], database: bool) -> bool {
    let sources = lines(switch).find_map(|line| line.trim_ascii().strip_prefix(b"services:"));
    let mut sources = sources.unwrap_or(b"files").split(u8::is_ascii_whitespace);
    sources.all(|source| match source {
        b"" | b"files" => true,
        b"db" => !database,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_a_name_and_a_number_give_an_entry() {
        let text =
            b"# a comment\nssh\t22/tcp # secure\n  http 80/tcp www\n\nalone\n#no 1/tcp\nend 9/udp";
        let found: Vec<_> = entries(text).collect();
        let entry = |name, number, aliases| Entry { name, number, aliases };
        let expected = [
            entry(&b"ssh"[..], &b"22/tcp"[..], vec![]),
            entry(b"http", b"80/tcp", vec![&b"www"[..]]),
            entry(b"end", b"9/udp", vec![]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn last_name_of_a_port_is_used() {
        let mut names = HashMap::new();
        for (number, name) in
            [(&b"80"[..], &b"www"[..]), (b"80", b"http"), (b"65536", b"no"), (b"x", b"no")]
        {
            add(&mut names, Protocol::Tcp, number, name);
        }
        assert_eq!(names, HashMap::from([((Protocol::Tcp, 80), "http".to_owned())]));
    }

    #[test]
    fn files_suffice_if_nsswitch_names_no_other_source() {
        for (switch, files) in [
            (&b""[..], true),
            (b"hosts: files dns\n", true),
            (b"services: files\n", true),
            (b"hosts: dns\n services:\tdb files # sss\n", true),
            (b"services: files sss", false),
            (b"services: nis [NOTFOUND=return] files", false),
            (b"#services: files\nservices: ldap", false),
        ] {
            assert_eq!(is_files_only(switch, false), files, "{}", switch.escape_ascii());
        }
        assert!(!is_files_only(b"services: db files", true));
        assert!(is_files_only(b"services: files", true));
    }
}
