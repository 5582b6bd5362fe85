//! The fields of owners.

use super::{Field, Needs, Value, field};

/// The PID of the owner to show, and the number of all owners.
pub(crate) static PID: Field = Field {
    needs: Needs::OWNERS,
    csv: &["processes", "pid"],
    ..field("pid", "PID", |it| Value::Pid(it.owner, it.entry.owners))
};

/// The program of the owner: its name in csv, its name and arguments in the table.
pub(crate) static PROGRAM: Field = Field {
    needs: Needs::OWNERS,
    csv: &["program"],
    ..field("program", "Program", |it| {
        it.owner.map_or(Value::Missing, |owner| Value::Program(&owner.process.command))
    })
};

pub(crate) static COMMAND: Field = Field {
    needs: Needs::OWNERS,
    csv: &["command"],
    ..field("command", "Command", |it| {
        it.owner.map_or(Value::Missing, |owner| Value::Command(&owner.process.command))
    })
};

pub(crate) static PROCESS_USER: Field = Field {
    needs: Needs::PROCESS_USERS,
    csv: &["process_uid", "process_user"],
    ..field("process-user", "Process user", |it| {
        it.owner.and_then(|owner| owner.process.uid).map_or(Value::Missing, Value::User)
    })
};

pub(crate) static FD: Field = Field {
    needs: Needs::OWNERS,
    priority: 1,
    csv: &["fds"],
    ..field("fd", "FD", |it| it.owner.map_or(Value::Missing, Value::Fds))
};

pub(crate) static PEER: Field = Field {
    needs: Needs::PEERS,
    csv: &["peer_inode", "peer_pids"],
    ..field("peer", "Peer", |it| it.entry.peer.map_or(Value::Missing, Value::Peer))
};
