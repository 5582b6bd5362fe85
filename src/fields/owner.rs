//! The fields of owners.

use super::{Field, Needs, Subject, Value, field};
use crate::owners::Owner;
use crate::process::Process;

/// The PID of the owner to show, and the number of all owners.
pub(crate) static PID: Field = Field {
    needs: Needs::OWNERS,
    csv: &["processes", "pid"],
    ..field("pid", "PID", |it| Value::Pid(it.owner, it.entry.owners))
};

/// The program of the owner: its name in records, also the script that it interprets in the table.
pub(crate) static PROGRAM: Field = Field {
    needs: Needs::OWNERS,
    is_text: true,
    csv: &["program"],
    ..field("program", "Program", |it| {
        of_owner(it, |owner| Some(Value::Program(&owner.process.command)))
    })
};

pub(crate) static COMMAND: Field = Field {
    needs: Needs::OWNERS,
    is_text: true,
    csv: &["command"],
    ..field("command", "Command", |it| {
        of_owner(it, |owner| Some(Value::Command(&owner.process.command)))
    })
};

/// The systemd unit of the owner.
pub(crate) static UNIT: Field = Field {
    needs: Needs::SERVICES,
    is_text: true,
    csv: &["unit"],
    ..field("unit", "Unit", |it| {
        of_owner(it, |owner| {
            let unit = it.entry.owners.unit(owner, it.entry.socket)?;
            Some(Value::Text(unit.as_bytes()))
        })
    })
};

/// The container of the owner: its name, else its short identifier.
pub(crate) static CONTAINER: Field = Field {
    needs: Needs::SERVICES,
    is_text: true,
    csv: &["container"],
    ..field("container", "Container", |it| {
        text(it, |process| Some(process.service.container.as_ref()?.label().as_bytes()))
    })
};

/// The path of the control group of the owner.
pub(crate) static CGROUP: Field = Field {
    needs: Needs::SERVICES,
    is_text: true,
    csv: &["cgroup"],
    ..field("cgroup", "Cgroup", |it| {
        text(it, |process| Some(process.service.cgroup.as_deref()?.as_bytes()))
    })
};

/// The working directory of the owner.
pub(crate) static CWD: Field = Field {
    needs: Needs::DIRECTORIES,
    is_text: true,
    csv: &["cwd"],
    ..field("cwd", "Directory", |it| text(it, |process| process.cwd.as_deref()))
};

/// Returns text that belongs to the owner.
fn text<'a>(it: &Subject<'a>, read: fn(&'a Process) -> Option<&'a [u8]>) -> Value<'a> {
    of_owner(it, |owner| read(owner.process).map(Value::Text))
}

/// Returns a value that belongs to the owner.
fn of_owner<'a>(it: &Subject<'a>, read: impl FnOnce(Owner<'a>) -> Option<Value<'a>>) -> Value<'a> {
    match it.owner {
        Some(owner) => read(owner).unwrap_or(Value::Missing),
        None if it.entry.owners.are_known() => Value::Missing,
        None => Value::Unknown,
    }
}

pub(crate) static PROCESS_USER: Field = Field {
    needs: Needs::PROCESS_USERS,
    csv: &["process_uid", "process_user"],
    ..field("process-user", "Process user", |it| {
        of_owner(it, |owner| owner.process.uid.map(Value::User))
    })
};

pub(crate) static FD: Field = Field {
    needs: Needs::OWNERS,
    priority: 4,
    csv: &["fds"],
    ..field("fd", "FD", |it| of_owner(it, |owner| Some(Value::Fds(owner))))
};

pub(crate) static PEER: Field = Field {
    needs: Needs::PEERS,
    csv: &["peer_inode", "peer_pids"],
    ..field("peer", "Peer", |it| it.entry.peer.map_or(Value::Missing, Value::Peer))
};
