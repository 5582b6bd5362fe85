//! The columns of each section.

use crate::fields::{
    COMMAND, DROPS, FD, FOREIGN, Field, INODE, INTERFACE, LOCAL, MPTCP, NETNS, PATH, PEER, PID,
    PROTO, RECV_Q, SEND_Q, STATE, TIMER, TYPE, USER,
};
use crate::listing::Entry;
use crate::query::Scope;
use crate::request::{Columns, Look};
use crate::socket::{Section, Socket};

/// A field in the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) field: &'static Field,
    /// The order of hiding, see [`Field::priority`]. A column that the user asked for has 0, so it
    /// is never hidden.
    pub(crate) priority: u8,
}

impl Column {
    /// The column has whole ends of sockets, which can be shortened.
    pub(crate) fn has_ends(&self) -> bool {
        [&LOCAL, &FOREIGN].contains(&self.field)
    }
}

/// What the columns depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contents {
    /// Some socket dropped a datagram.
    has_drops: bool,
    /// Some connection is a subflow of MPTCP.
    has_subflows: bool,
    /// All sockets are servers, so they have no other end, and their state says nothing new.
    has_only_servers: bool,
}

impl Contents {
    /// With these, all columns are shown.
    pub(super) const ALL: Self =
        Self { has_drops: true, has_subflows: true, has_only_servers: false };

    /// Returns what the columns of these sockets depend on. All lines of changes have the same columns,
    /// as only the first ones have a heading.
    pub(super) fn of<'e>(entries: impl Iterator<Item = Entry<'e>>, look: &Look) -> Self {
        if look.changes {
            return Self { has_drops: false, has_subflows: false, has_only_servers: false };
        }
        let mut contents = Self { has_drops: false, has_subflows: false, has_only_servers: true };
        for Entry { socket, .. } in entries {
            contents.has_drops |= socket.drops().is_some_and(|drops| drops > 0);
            contents.has_subflows |= match socket {
                Socket::Internet(socket) => socket.facts.mptcp == Some(true),
                Socket::Sctp(_) | Socket::Unix(_) | Socket::Other(_) => false,
            };
            contents.has_only_servers &= Scope::Listening.includes(socket);
        }
        contents
    }
}

/// The priority of the other end and the state, if all sockets are servers.
const OF_SERVERS: u8 = 3;

/// Returns the columns of a section. The last of the usual ones has the command.
pub(super) fn of(section: Section, look: &Look, contents: Contents) -> Vec<Column> {
    let Contents { has_drops, has_subflows, has_only_servers } = contents;
    let usual = |field: &'static Field| {
        let says_nothing_new = has_only_servers && [&FOREIGN, &STATE].contains(&field);
        let priority = if says_nothing_new { OF_SERVERS } else { field.priority };
        Some(Column { field, priority })
    };
    let drops = has_drops.then_some(&DROPS).and_then(usual);
    let subflow = has_subflows.then_some(&MPTCP).and_then(usual);
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
            let inode = asked_for(look.extended, &INODE);
            let owner = [timer, usual(&PID), usual(&FD), usual(&USER)];
            [&first[..], &owner, &[inode, drops, subflow, peer, netns, usual(&COMMAND)]].concat()
        }
        Section::Other => {
            let first = [&PROTO, &TYPE, &RECV_Q, &SEND_Q, &LOCAL, &FOREIGN, &STATE].map(usual);
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
