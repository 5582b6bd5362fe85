//! Ping sockets that are in the tables of both families.

use std::collections::HashMap;

use crate::socket::{Family, InternetSocket, Protocol, Socket};

/// Drops the second row of each ping socket. Both tables can have sockets of the other family, because
/// the kernel checks the family only of the first socket in a hash chain (`ping_get_next` in
/// `net/ipv4/ping.c`). In the wrong table, a socket has no addresses.
pub(super) fn drop_twins(sockets: &mut Vec<Socket>) {
    let mut families: HashMap<u64, Family> = HashMap::new();
    for ping in sockets.iter().filter_map(ping) {
        let family = families.entry(ping.inode).or_insert(ping.family);
        if !ping.local.address.is_unspecified() {
            *family = ping.family;
        }
    }
    sockets.retain(|socket| {
        ping(socket).is_none_or(|ping| families.get(&ping.inode) == Some(&ping.family))
    });
}

fn ping(socket: &Socket) -> Option<&InternetSocket> {
    match socket {
        Socket::Internet(it) if it.protocol == Protocol::Icmp && it.inode != 0 => Some(it),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::Endpoint;

    #[test]
    fn ping_socket_in_both_tables_is_listed_with_its_address() {
        let row = |family, address: &str, inode| {
            let local = Endpoint { address: address.parse().unwrap(), port: 7 };
            let protocol = Protocol::Icmp;
            let example = InternetSocket::example();
            Socket::Internet(InternetSocket { protocol, family, local, inode, ..example })
        };
        let mut sockets = vec![
            row(Family::Ipv4, "127.0.0.1", 1),
            row(Family::Ipv4, "0.0.0.0", 2),
            row(Family::Ipv4, "0.0.0.0", 3),
            row(Family::Ipv6, "::", 1),
            row(Family::Ipv6, "::1", 2),
            row(Family::Ipv6, "::", 4),
        ];
        let expected = [0, 2, 4, 5].map(|index: usize| sockets[index].clone());
        drop_twins(&mut sockets);
        assert_eq!(sockets, expected);
    }
}
