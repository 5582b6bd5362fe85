//! Asks the resolver of this host (NSS). Each call can take very long.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind, getaddrinfo, getnameinfo};
use nix::errno::Errno;
use nix::libc::{NI_DGRAM, NI_NAMEREQD, NI_NUMERICHOST, NI_NUMERICSERV, SOCK_DGRAM, SOCK_STREAM};
use nix::unistd::{Uid, User};

use super::Number;
use crate::socket::Protocol;

/// What the resolver says: `Ok(None)` if there is no such name, and an error if it could not find
/// out, such as `EAI_AGAIN`.
pub(super) type Answer<T> = Result<Option<T>, String>;

/// Returns the name of a number.
pub(super) fn name(number: &Number) -> Answer<String> {
    match *number {
        Number::Host(address) => {
            let flags = NI_NAMEREQD | NI_NUMERICSERV;
            names(getnameinfo(&SocketAddr::new(address, 0), flags)).map(|it| it.map(|it| it.0))
        }
        Number::Port(protocol, port) => {
            let datagram = if protocol == Protocol::Udp { NI_DGRAM } else { 0 };
            let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
            let service = names(getnameinfo(&address, NI_NUMERICHOST | datagram))?.map(|it| it.1);
            // getnameinfo returns the number of a port that has no name.
            Ok(service.filter(|service| *service != port.to_string()))
        }
        Number::User(uid) => Ok(user(User::from_uid(Uid::from_raw(uid)))?.map(|user| user.name)),
    }
}

/// Returns the number of a user.
#[expect(clippy::ptr_arg, reason = "the questions of a pool are owned")]
pub(super) fn uid(name: &String) -> Answer<u32> {
    Ok(user(User::from_name(name))?.map(|user| user.uid.as_raw()))
}

/// Returns the addresses of a host.
#[expect(clippy::ptr_arg, reason = "the questions of a pool are owned")]
pub(super) fn addresses(host: &String) -> Answer<Vec<IpAddr>> {
    sockets(Some(host), None, SOCK_STREAM).map(|it| it.map(|all| all.map(|it| it.ip()).collect()))
}

/// Returns the ports of a service, each with its protocol.
#[expect(clippy::ptr_arg, reason = "the questions of a pool are owned")]
pub(super) fn ports(service: &String) -> Answer<Vec<(Protocol, u16)>> {
    let mut ports = Vec::new();
    for (protocol, kind) in [(Protocol::Tcp, SOCK_STREAM), (Protocol::Udp, SOCK_DGRAM)] {
        let mut found = sockets(None, Some(service), kind)?.into_iter().flatten();
        ports.extend(found.next().map(|socket| (protocol, socket.port())));
    }
    Ok((!ports.is_empty()).then_some(ports))
}

/// Returns what `getaddrinfo(3)` finds for sockets of this type.
fn sockets(
    host: Option<&str>,
    service: Option<&str>,
    kind: i32,
) -> Answer<impl Iterator<Item = SocketAddr> + use<>> {
    // Without flags, the addresses of families that this host does not use are found as well.
    let hints = AddrInfoHints { socktype: kind, ..AddrInfoHints::default() };
    let found = names(getaddrinfo(host, service, Some(hints)))?;
    Ok(found.map(|all| all.filter_map(Result::ok).map(|info| info.sockaddr)))
}

/// Returns what the resolver found.
fn names<T>(found: Result<T, LookupError>) -> Answer<T> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.kind() {
            LookupErrorKind::NoName | LookupErrorKind::NoData | LookupErrorKind::Service => {
                Ok(None)
            }
            // Not an error of getnameinfo: the name is not UTF-8.
            _ if error.error_num() == 0 => Ok(None),
            _ => {
                let text = error.to_string();
                // Without the words that dns-lookup puts before the message of the C library.
                let own = "failed to lookup address information: ";
                Err(text.strip_prefix(own).unwrap_or(&text).to_owned())
            }
        },
    }
}

/// Returns a user. `man 3 getpwnam_r` has the errors that mean that there is no such user.
fn user(found: Result<Option<User>, Errno>) -> Answer<User> {
    match found {
        Err(Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EPERM) => Ok(None),
        found => found.map_err(|error| error.desc().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use nix::libc::{EAI_AGAIN, EAI_FAIL, EAI_NODATA, EAI_NONAME, EAI_SYSTEM};

    use super::*;

    #[test]
    fn failures_are_told_apart_from_missing_names() {
        let answer = |error: LookupError| names::<()>(Err(error));
        for code in [EAI_NONAME, EAI_NODATA] {
            assert_eq!(answer(LookupError::new(code)), Ok(None), "{code}");
        }
        for code in [EAI_AGAIN, EAI_FAIL, EAI_SYSTEM] {
            assert!(answer(LookupError::new(code)).is_err(), "{code}");
        }
        let again = answer(LookupError::new(EAI_AGAIN)).unwrap_err();
        assert_eq!(again, "Temporary failure in name resolution");
        assert_eq!(answer(io::Error::other("not UTF-8").into()), Ok(None));
        for error in [Errno::ENOENT, Errno::ESRCH, Errno::EBADF, Errno::EPERM] {
            assert!(user(Err(error)).is_ok_and(|user| user.is_none()), "{error}");
        }
        assert_eq!(user(Err(Errno::EIO)).unwrap_err(), "I/O error");
    }
}
