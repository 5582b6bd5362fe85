//! The columns of each section.

use super::Mark;
use crate::fields::{
    DROPS, FD, FOREIGN, Field, INODE, LOCAL, NETNS, PATH, PEER, PID, PROGRAM, PROTO, RECV_Q,
    SEND_Q, STATE, TIMER, TYPE, USER,
};
use crate::listing::Entry;
use crate::request::Look;
use crate::socket::{Section, Socket};

/// A field in the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) field: &'static Field,
    /// The order of hiding, see [`Field::priority`]. A column that the user asked for has 0, so it
    /// is never hidden.
    pub(super) priority: u8,
}

/// Returns the columns of a section. The last one has the command.
pub(super) fn of(section: Section, look: &Look, with_drops: bool) -> Vec<Column> {
    let usual = |field: &'static Field| Some(Column { field, priority: field.priority });
    // A column that the user asked for is never hidden.
    let asked_for = |is_shown: bool, field| is_shown.then_some(Column { field, priority: 0 });
    let peer = asked_for(look.peers, &PEER);
    let netns = asked_for(look.namespaces, &NETNS);
    let columns = match section {
        Section::Internet => {
            let first = [&PROTO, &RECV_Q, &SEND_Q, &LOCAL, &FOREIGN, &STATE].map(usual);
            let timer = asked_for(look.timers, &TIMER);
            let [inode, drops] = [(look.extended, &INODE), (with_drops, &DROPS)]
                .map(|(is_shown, field)| asked_for(is_shown, field));
            let owner = [timer, usual(&PID), usual(&FD), usual(&USER)];
            [&first[..], &owner, &[inode, drops, peer, netns, usual(&PROGRAM)]].concat()
        }
        Section::Unix => {
            let first = [&PROTO, &TYPE, &STATE, &INODE, &PID, &FD].map(usual);
            [&first[..], &[peer, netns, usual(&PATH), usual(&PROGRAM)]].concat()
        }
    };
    columns.into_iter().flatten().collect()
}

/// Returns true if some socket dropped a datagram.
pub(super) fn any_drops(entries: &[(Entry<'_>, Mark)]) -> bool {
    entries.iter().any(|(entry, _)| match entry.socket {
        Socket::Internet(socket) => socket.drops.is_some_and(|drops| drops > 0),
        Socket::Sctp(_) | Socket::Unix(_) => false,
    })
}
