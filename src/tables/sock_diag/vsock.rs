//! vsock sockets: `struct vsock_diag_msg` of `linux/vm_sockets_diag.h`.

use std::borrow::Cow;

use super::wire::Payload;
use crate::remark::Fault;
use crate::socket::{OtherEnd, OtherKind, OtherSocket, SocketType, State};

/// A context identifier or a port that stands for any.
const ANY: u32 = u32::MAX;

/// Returns the `struct vsock_diag_req` for sockets in these states, one bit each.
pub(super) fn request(states: u32) -> Vec<u8> {
    const AF_VSOCK: u8 = 40;
    let (any_inode, nothing_more, any_cookie) = (0_u32, 0_u32, [0; 8]);
    let numbers = [states, any_inode, nothing_more].map(u32::to_ne_bytes);
    [&[AF_VSOCK, 0, 0, 0], numbers.as_flattened(), &any_cookie].concat()
}

/// Parses one message. Fails if it is cut off, or if its type or state does not exist.
pub(super) fn parse(message: &[u8]) -> Result<OtherSocket, Fault> {
    let mut fields = Payload(message);
    let _family = fields.u8("family")?;
    let kind = fields.known("type", |kind| SocketType::from_kernel(kind.into()))?;
    let state = fields.known("state", State::from_kernel)?;
    let _shutdown = fields.u8("shutdown")?;
    let [local, remote] = [end(&mut fields)?, end(&mut fields)?];
    let inode = fields.u32("inode")?.into();
    let is_connected = !matches!(state, State::Listen | State::Close);
    Ok(OtherSocket {
        socket_type: Some(kind),
        state: (state != State::Close).then_some(state),
        local: Some(local),
        remote: is_connected.then_some(remote),
        ..OtherSocket::new(OtherKind::Vsock, inode)
    })
}

fn end(fields: &mut Payload<'_>) -> Result<OtherEnd, Fault> {
    let machine = fields.u32("context identifier")?;
    let port = fields.u32("port")?;
    let address = if machine == ANY { Cow::from("*") } else { machine.to_string().into() };
    Ok(OtherEnd { address, port: (port != ANY).then_some(port) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the message about a socket with these ends.
    fn message(kind: u8, state: u8, ends: [u32; 4]) -> Vec<u8> {
        let numbers = [&ends[..], &[4711, 0, 0]].concat();
        let numbers = numbers.into_iter().flat_map(u32::to_ne_bytes);
        [40, kind, state, 3].into_iter().chain(numbers).collect()
    }

    #[test]
    fn fields_are_read_from_vsock_diag_msg() {
        let end = |address: &'static str, port| OtherEnd { address: address.into(), port };
        let socket = |kind, state, local, remote| OtherSocket {
            socket_type: Some(kind),
            state,
            local: Some(local),
            remote,
            ..OtherSocket::new(OtherKind::Vsock, 4711)
        };
        for (message, expected) in [
            (
                message(1, 10, [ANY, 6050, ANY, ANY]),
                socket(SocketType::Stream, Some(State::Listen), end("*", Some(6050)), None),
            ),
            (
                message(5, 1, [3, 1024, 2, 6050]),
                socket(
                    SocketType::SequentialPacket,
                    Some(State::Established),
                    end("3", Some(1024)),
                    Some(end("2", Some(6050))),
                ),
            ),
            (
                message(2, 7, [ANY, ANY, ANY, ANY]),
                socket(SocketType::Datagram, None, end("*", None), None),
            ),
        ] {
            assert_eq!(parse(&message).unwrap(), expected);
        }
        let cut = message(1, 1, [1; 4]);
        assert_eq!(parse(&cut[..12]), Err(Fault::Missing("context identifier")));
    }
}
