//! Bytes per second of each TCP connection, from what the kernel counted in two listings.

use std::collections::HashMap;
use std::time::Instant;

use crate::listing::Part;
use crate::socket::{Endpoint, Socket, TcpInfo};

/// A connection: the number of its namespace, if it is known, and its ends.
type Connection = (Option<u64>, Endpoint, Endpoint);

/// What was counted for the previous listing.
#[derive(Default)]
pub(super) struct Rates {
    time: Option<Instant>,
    counts: HashMap<Connection, TcpInfo>,
}

impl Rates {
    /// Sets the rates of all connections that were there in the previous listing as well. `time` is when
    /// the tables were read.
    pub(super) fn set(&mut self, parts: &mut [Part], time: Instant) {
        let seconds = self.time.map(|before| time.duration_since(before).as_secs_f64());
        let mut counts = HashMap::new();
        for Part { namespace, sockets, infos, .. } in parts {
            let number = namespace.as_ref().and_then(|it| it.number);
            for socket in sockets {
                let Socket::Internet(socket) = socket else { continue };
                let Some(info) = socket.facts.tcp.and_then(|place| infos.get_mut(place)) else {
                    continue;
                };
                let connection = (number, socket.local, socket.remote);
                if let (Some(before), Some(seconds)) = (self.counts.get(&connection), seconds) {
                    info.rate_in = rate(before.received, info.received, seconds);
                    info.rate_out = rate(before.sent, info.sent, seconds);
                }
                counts.insert(connection, *info);
            }
        }
        *self = Self { time: Some(time), counts };
    }
}

/// Returns the bytes per second; `None` if the count is unknown, or smaller than before: then it is
/// another connection with the same ends.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes per second, for people"
)]
fn rate(before: Option<u64>, now: Option<u64>, seconds: f64) -> Option<u64> {
    let bytes = now?.checked_sub(before?)?;
    (seconds > 0.0).then(|| (bytes as f64 / seconds).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_unknown_for_a_new_connection_with_old_ends() {
        assert_eq!(rate(Some(1000), Some(3000), 2.0), Some(1000));
        assert_eq!(rate(Some(3000), Some(1000), 2.0), None);
        assert_eq!(rate(None, Some(1000), 2.0), None);
        assert_eq!(rate(Some(1000), Some(3000), 0.0), None);
    }
}
