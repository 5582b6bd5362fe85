//! The names of network devices.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use nix::net::if_::if_nameindex;

use crate::number::{decimal, hex};

/// The names of the devices of a network namespace, by their index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces(HashMap<u32, String>);

impl Interfaces {
    /// Returns the devices of rnetstat's own namespace; none if the kernel does not tell them.
    pub fn own() -> Self {
        let Ok(devices) = if_nameindex() else { return Self::default() };
        Self(devices.iter().map(|it| (it.index(), it.name().to_string_lossy().into())).collect())
    }

    /// Returns the devices that the tables in the directory `net` of a process name: those with an
    /// address, or with a multicast group.
    pub fn read(net: &Path) -> Self {
        // The columns of the index and of the name (`net/ipv4/igmp.c`, `net/ipv6/addrconf.c` and
        // `net/core/dev_addr_lists.c` in the kernel).
        let mut devices = HashMap::new();
        for (file, number, name) in [
            ("igmp", decimal as fn(&[u8]) -> Option<u32>, [0, 1]),
            ("dev_mcast", decimal, [0, 1]),
            ("if_inet6", hex, [1, 5]),
        ] {
            let text = fs::read(net.join(file)).unwrap_or_default();
            // The groups of a device are on lines of their own, which begin with a tab.
            for line in String::from_utf8_lossy(&text).lines().filter(|it| !it.starts_with('\t')) {
                let words: Vec<_> = line.split_ascii_whitespace().collect();
                let [index, name] = name.map(|column| words.get(column).copied().unwrap_or(""));
                if let Some(index) = number(index.as_bytes()).filter(|_| !name.is_empty()) {
                    devices.entry(index).or_insert_with(|| name.to_owned());
                }
            }
        }
        Self(devices)
    }

    /// Returns true if `name` is the name of the device with this index, or the index itself. A device
    /// without a known name is called `if3` after its index.
    pub fn is_called(&self, index: u32, name: &str) -> bool {
        self.name(index) == Some(name) || number_of(name) == Some(index)
    }

    /// Returns true if `name` can be one of these devices.
    pub fn include(&self, name: &str) -> bool {
        number_of(name).is_some() || self.0.values().any(|it| it == name)
    }

    /// Returns the name of the device with this index.
    pub fn name(&self, index: u32) -> Option<&str> {
        self.0.get(&index).map(String::as_str)
    }
}

fn number_of(name: &str) -> Option<u32> {
    decimal(name.strip_prefix("if").unwrap_or(name).as_bytes())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn devices_are_found_in_the_tables_of_their_addresses() {
        let net = TempDir::new().unwrap();
        let put = |file: &str, text: &str| fs::write(net.path().join(file), text).unwrap();
        put(
            "igmp",
            "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n",
        );
        put("dev_mcast", "2    eth0            1     0     01005e000001\n");
        put(
            "if_inet6",
            "00000000000000000000000000000001 01 80 10 80       lo\nfe800000000000000000000000000001 0a 40 20 80     wlan0\n",
        );
        let devices = Interfaces::read(net.path());
        let names = [1, 2, 10, 11].map(|index| devices.name(index));
        assert_eq!(names, [Some("lo"), Some("eth0"), Some("wlan0"), None]);
        assert_eq!(Interfaces::read(&net.path().join("none")), Interfaces::default());
        let called = ["eth0", "2", "if2", "lo", "3"].map(|name| devices.is_called(2, name));
        assert_eq!(called, [true, true, true, false, false]);
        let included = ["wlan0", "if99", "eth1", ""].map(|name| devices.include(name));
        assert_eq!(included, [true, true, false, false]);
    }
}
