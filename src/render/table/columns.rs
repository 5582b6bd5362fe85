//! The columns of each section.

use crate::fields::{
    COMMAND, DROPS, FD, FOREIGN, Field, INODE, INTERFACE, LOCAL, NETNS, PATH, PEER, PID, PROTO,
    RECV_Q, SEND_Q, STATE, TIMER, TYPE, USER,
};
use crate::listing::{Entry, Mark};
use crate::request::{Columns, Look};
use crate::socket::Section;

/// A field in the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) field: &'static Field,
    /// The order of hiding, see [`Field::priority`]. A column that the user asked for has 0, so it
    /// is never hidden.
    pub(super) priority: u8,
}

/// Returns the columns of a section. The last of the usual ones has the command.
pub(super) fn of(section: Section, look: &Look, with_drops: bool) -> Vec<Column> {
    let usual = |field: &'static Field| Some(Column { field, priority: field.priority });
    // A column that the user asked for is never hidden.
    let asked_for = |is_shown: bool, field| is_shown.then_some(Column { field, priority: 0 });
    let peer = asked_for(look.peers, &PEER);
    let netns = asked_for(look.namespaces, &NETNS);
    let added = match &look.columns {
        Columns::Only(fields) => {
            return fields.iter().map(|&field| Column { field, priority: 0 }).collect();
        }
        Columns::UsualAnd(fields) => fields.iter().map(|&field| asked_for(true, field)),
    };
    let columns: Vec<_> = match section {
        Section::Internet => {
            let first = [&PROTO, &RECV_Q, &SEND_Q, &LOCAL, &FOREIGN, &STATE].map(usual);
            let timer = asked_for(look.timers, &TIMER);
            let [inode, drops] = [(look.extended, &INODE), (with_drops, &DROPS)]
                .map(|(is_shown, field)| asked_for(is_shown, field));
            let owner = [timer, usual(&PID), usual(&FD), usual(&USER)];
            [&first[..], &owner, &[inode, drops, peer, netns, usual(&COMMAND)]].concat()
        }
        Section::Other => {
            let first = [&PROTO, &TYPE, &RECV_Q, &SEND_Q, &LOCAL, &FOREIGN, &STATE].map(usual);
            let drops = asked_for(with_drops, &DROPS);
            let owner = [&INTERFACE, &PID, &FD, &USER, &INODE].map(usual);
            [&first[..], &owner, &[drops, peer, netns, usual(&COMMAND)]].concat()
        }
        Section::Unix => {
            let first = [&PROTO, &TYPE, &STATE, &INODE, &PID, &FD].map(usual);
            [&first[..], &[peer, netns, usual(&PATH), usual(&COMMAND)]].concat()
        }
    };
    let mut columns: Vec<Column> = columns.into_iter().flatten().collect();
    let last = columns.pop();
    for column in added.flatten() {
        match columns.iter_mut().find(|it| it.field == column.field) {
            Some(usual) => usual.priority = 0,
            None => columns.push(column),
        }
    }
    columns.extend(last);
    columns
}

/// Returns true if some socket dropped a datagram.
pub(super) fn any_drops(entries: &[(Entry<'_>, Mark)]) -> bool {
    entries.iter().any(|(entry, _)| entry.socket.drops().is_some_and(|drops| drops > 0))
}
