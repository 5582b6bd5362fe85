//! Networks of IP addresses.

use std::net::IpAddr;

use crate::interfaces::Interfaces;

/// A network: the addresses that begin with the first bits of `address`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// The number of first bits that count.
    prefix: u8,
    /// The name of a network device, if only its sockets are meant.
    device: Option<String>,
}

impl Network {
    /// Returns the network of all addresses whose first `prefix` bits are those of `address`;
    /// `None` if `prefix` is out of range. An IPv4-mapped address counts as IPv4, and its `prefix`
    /// must be from 96 to 128.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let (canonical, bits) = match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(mapped)) => (mapped.into(), prefix.checked_sub(96)?),
            (_, address) => (address, prefix),
        };
        (bits <= width(canonical)).then_some(Self {
            address: canonical,
            prefix: bits,
            device: None,
        })
    }

    /// Returns the network that consists of one address.
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, prefix: width(address), device: None }
    }

    /// Returns the same addresses, but only of sockets of this network device.
    #[must_use]
    pub fn on(self, device: String) -> Self {
        Self { device: Some(device), ..self }
    }

    /// The name of the network device, if only its sockets are meant.
    pub fn device(&self) -> Option<&str> {
        self.device.as_deref()
    }

    /// Returns true if this address of a socket, which is bound to this network device, is in the
    /// network.
    pub(super) fn has(
        &self,
        address: IpAddr,
        interface: Option<u32>,
        devices: Option<&Interfaces>,
    ) -> bool {
        let is_there = |device: &str| {
            interface.zip(devices).is_some_and(|(it, all)| all.is_called(it, device))
        };
        self.device.as_deref().is_none_or(is_there) && self.contains(address)
    }

    /// Returns true if this address is in the network.
    fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let differing = bits(self.address) ^ bits(address);
        self.address.is_ipv4() == address.is_ipv4()
            && differing.leading_zeros() >= self.prefix.into()
    }
}

/// The bits of an address, left-aligned.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The number of bits in an address.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Option<Network> {
        match text.split_once('/') {
            None => Some(Network::of(text.parse().unwrap())),
            Some((address, prefix)) => {
                Network::new(address.parse().unwrap(), prefix.parse().unwrap())
            }
        }
    }

    #[test]
    fn network_contains_addresses_with_its_prefix() {
        for (text, inside, outside) in [
            ("10.1.2.3", &["10.1.2.3", "::ffff:10.1.2.3"][..], &["10.1.2.4", "::"][..]),
            ("10.1.2.3/8", &["10.255.0.1", "10.0.0.0"], &["11.0.0.0", "9.255.255.255"]),
            ("10.1.2.3/32", &["10.1.2.3"], &["10.1.2.2"]),
            ("0.0.0.0/0", &["1.2.3.4", "::ffff:9.9.9.9"], &["::1", "::"]),
            ("::/0", &["::1", "fe80::1"], &["1.2.3.4", "::ffff:1.2.3.4"]),
            ("::ffff:10.0.0.0/104", &["10.9.9.9"], &["11.0.0.0"]),
            ("fe80::/10", &["fe80::1", "febf::1"], &["fec0::1"]),
            ("::1/128", &["::1"], &["::2", "0.0.0.1"]),
        ] {
            let network = network(text).unwrap();
            for address in inside {
                assert!(network.contains(address.parse().unwrap()), "{address} is in {text}");
            }
            for address in outside {
                assert!(!network.contains(address.parse().unwrap()), "{address} not in {text}");
            }
        }
    }

    #[test]
    fn prefix_longer_than_the_address_is_rejected() {
        for text in ["10.0.0.0/33", "::/129", "::ffff:10.0.0.0/95"] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}
