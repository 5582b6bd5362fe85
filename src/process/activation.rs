//! The sockets on which systemd listens for services that it starts on demand (`man 5
//! systemd.socket`). Only files are read: the units that are active, and what they listen on.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;

use crate::files;
use crate::socket::{End, Protocol};

/// The directory with a link `invocation:NAME` for each active unit.
const ACTIVE: &str = "run/systemd/units";
/// The directories with units, the first ones with precedence (`man 5 systemd.unit`).
const UNITS: [&str; 7] = [
    "run/systemd/transient",
    "run/systemd/generator.early",
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "usr/lib/systemd/system",
    "run/systemd/generator.late",
];
/// The most bytes that are read of a file.
const MOST: u64 = 64 * 1024;

/// What the active units listen on.
#[derive(Debug, Default)]
pub struct Activation(Vec<(Listen, String)>);

/// What a unit listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Listen {
    /// A port of all addresses.
    Port(Protocol, u16),
    Address(Protocol, SocketAddr),
    /// A path, or an abstract name after `@`.
    Path(Vec<u8>),
}

impl Activation {
    /// Reads the units of the host with this root directory. Files that cannot be read have none.
    pub fn read(host: &Path) -> Self {
        let active: BTreeSet<_> = names(&host.join(ACTIVE))
            .filter_map(|name| Some(name.strip_prefix("invocation:")?.to_owned()))
            .collect();
        let mut listens = Vec::new();
        let mut seen = BTreeSet::new();
        for directory in UNITS {
            for name in names(&host.join(directory)).filter(|name| name.ends_with(".socket")) {
                // Units below /run were made for this boot. Others count only if they are active.
                let is_wanted = directory.starts_with("run/") || active.contains(&name);
                if is_wanted && seen.insert(name.clone()) {
                    let mut of_unit = Vec::new();
                    add(&host.join(directory).join(&name), &mut of_unit);
                    for directory in UNITS {
                        let more = host.join(directory).join(format!("{name}.d"));
                        names(&more).for_each(|file| add(&more.join(file), &mut of_unit));
                    }
                    listens.extend(of_unit.into_iter().map(|listen| (listen, name.clone())));
                }
            }
        }
        Self(listens)
    }

    /// Returns the unit that listens at this end.
    pub fn unit(&self, end: End<'_>) -> Option<&str> {
        let is_there = |listen: &Listen| match (listen, end) {
            (Listen::Port(of, port), End::Internet(protocol, end)) => {
                *of == protocol && *port == end.port && end.address.is_unspecified()
            }
            (Listen::Address(of, address), End::Internet(protocol, end)) => {
                *of == protocol && *address == SocketAddr::new(end.address, end.port)
            }
            (Listen::Path(path), End::Path(bound)) => path == bound,
            _ => false,
        };
        self.0.iter().find(|(listen, _)| is_there(listen)).map(|(_, unit)| unit.as_str())
    }
}

/// Returns the names of the files in a directory, in order.
fn names(directory: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names: BTreeSet<_> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.into_iter()
}

/// Adds the values in the file of a unit. An empty value removes the values before it.
fn add(path: &Path, listens: &mut Vec<Listen>) {
    let mut text = Vec::new();
    let read = files::open(path).and_then(|file| file.take(MOST).read_to_end(&mut text));
    if read.is_err() {
        return;
    }
    let text = String::from_utf8_lossy(&text);
    let mut section = "";
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| section == "[Socket]") else {
            continue;
        };
        let protocol = match key.trim_end() {
            "ListenStream" | "ListenSequentialPacket" => Protocol::Tcp,
            "ListenDatagram" => Protocol::Udp,
            _ => continue,
        };
        match value.trim_start() {
            "" => listens.clear(),
            value => listens.extend(listen(protocol, &value.replace("%t", "/run"))),
        }
    }
}

fn listen(protocol: Protocol, value: &str) -> Option<Listen> {
    if value.starts_with(['/', '@']) {
        return Some(Listen::Path(value.as_bytes().to_vec()));
    }
    let port = value.parse().ok().map(|port| Listen::Port(protocol, port));
    port.or_else(|| Some(Listen::Address(protocol, value.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::socket::Endpoint;

    #[test]
    fn unit_is_found_by_what_it_listens_on() {
        let host = TempDir::new().unwrap();
        let put = |path: &str, text: &str| {
            let path = host.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("run/systemd/units/invocation:ssh.socket", "");
        put(
            "usr/lib/systemd/system/ssh.socket",
            "[Unit]\nListenStream=1\n[Socket]\nListenStream=22\n",
        );
        put(
            "etc/systemd/system/ssh.socket.d/port.conf",
            "[Socket]\nListenStream=\nListenStream = 2222\n",
        );
        put("usr/lib/systemd/system/idle.socket", "[Socket]\nListenStream=23\n");
        put(
            "run/systemd/generator/made.socket",
            "[Socket]\nListenStream=127.0.0.1:631\nListenDatagram=[::1]:53\nListenStream=%t/made.sock\n\
             ListenDatagram=@made\nListenNetlink=route\n",
        );
        let activation = Activation::read(host.path());
        let end = |protocol, address: &str| {
            let end: SocketAddr = address.parse().unwrap();
            End::Internet(protocol, Endpoint { address: end.ip(), port: end.port() })
        };
        let (tcp, udp) = (Protocol::Tcp, Protocol::Udp);
        for (end, unit) in [
            (end(tcp, "0.0.0.0:2222"), Some("ssh.socket")),
            (end(tcp, "[::]:2222"), Some("ssh.socket")),
            (end(tcp, "127.0.0.1:2222"), None),
            (end(udp, "[::]:2222"), None),
            (end(tcp, "[::]:22"), None),
            (end(tcp, "[::]:23"), None),
            (end(tcp, "127.0.0.1:631"), Some("made.socket")),
            (end(udp, "[::1]:53"), Some("made.socket")),
            (End::Path(b"/run/made.sock"), Some("made.socket")),
            (End::Path(b"@made"), Some("made.socket")),
            (End::Path(b"/run/other"), None),
        ] {
            assert_eq!(activation.unit(end), unit, "{end:?}");
        }
    }
}
