//! The columns of each section.

use crate::fields::{
    COMMAND, DROPS, FD, FOREIGN, Field, INODE, INTERFACE, LOCAL, MPTCP, NETNS, PATH, PEER, PID,
    PROTO, RECV_Q, SEND_Q, STATE, TIMER, TYPE, USER,
};
use crate::listing::{Entry, Mark};
use crate::request::{Columns, Look};
use crate::socket::{Section, Socket};

/// A field in the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) field: &'static Field,
    /// The order of hiding, see [`Field::priority`]. A column that the user asked for has 0, so it
    /// is never hidden.
    pub(super) priority: u8,
}

/// The columns that are shown if some socket has such a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnDemand {
    /// Dropped datagrams.
    pub(super) drops: bool,
    /// Subflows of MPTCP.
    pub(super) subflows: bool,
}

impl OnDemand {
    pub(super) const ALL: Self = Self { drops: true, subflows: true };
    const NONE: Self = Self { drops: false, subflows: false };

    /// Returns the columns that these sockets need. All lines of changes have the same columns, as only
    /// the first ones have a heading.
    pub(super) fn of(entries: &[(Entry<'_>, Mark)], look: &Look) -> Self {
        if look.changes {
            return Self::NONE;
        }
        let any = |has: fn(&Socket) -> bool| entries.iter().any(|(entry, _)| has(entry.socket));
        Self {
            drops: any(|socket| socket.drops().is_some_and(|drops| drops > 0)),
            subflows: any(|socket| match socket {
                Socket::Internet(socket) => socket.facts.mptcp == Some(true),
                Socket::Sctp(_) | Socket::Unix(_) | Socket::Other(_) => false,
            }),
        }
    }
}

/// Returns the columns of a section. The last of the usual ones has the command.
pub(super) fn of(section: Section, look: &Look, on_demand: OnDemand) -> Vec<Column> {
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
            let [inode, drops, subflow] =
                [(look.extended, &INODE), (on_demand.drops, &DROPS), (on_demand.subflows, &MPTCP)]
                    .map(|(is_shown, field)| asked_for(is_shown, field));
            let owner = [timer, usual(&PID), usual(&FD), usual(&USER)];
            [&first[..], &owner, &[inode, drops, subflow, peer, netns, usual(&COMMAND)]].concat()
        }
        Section::Other => {
            let first = [&PROTO, &TYPE, &RECV_Q, &SEND_Q, &LOCAL, &FOREIGN, &STATE].map(usual);
            let drops = asked_for(on_demand.drops, &DROPS);
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
