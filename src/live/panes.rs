//! The panes that take the place of the rows: the keys, the columns to choose, and everything about a
//! socket.

use ratatui_core::style::{Modifier, Style};
use ratatui_core::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::fields::{
    ALL, CGROUP, COMMAND, CONTAINER, CWD, DPORT, DST, FD, FOREIGN, Field, LOCAL, Needs, PATH, PEER,
    PID, PROCESS_USER, PROGRAM, PROTO, SPORT, SRC, STATE, Subject, TYPE, UNIT, Value,
};
use crate::harmless::harmless;
use crate::listing::{Change, Mark, SocketOwners};
use crate::names::Names;
use crate::owners::Owner;
use crate::render;
use crate::socket::State;

/// The keys and marks, and what they mean. The help and the manual page list them as well.
pub(crate) const KEYS: [(&str, &str); 23] = [
    ("Up Down, wheel", "move the cursor; it stays on its socket when others come and go"),
    ("PgUp PgDn", "move it by a screen"),
    ("Home End", "move it to the first or the last row"),
    ("Left Right", "scroll sideways, to columns that do not fit"),
    ("/", "filter while you type: words as on the command line, such as :443 nginx ^10.0.0.0/8"),
    ("", "Enter keeps the filter, Esc goes back to the one before"),
    ("s", "sort by the next column; after the last one, in the usual order"),
    ("S", "reverse the order"),
    ("g", "count the sockets by program, state, dst, user, unit, container; then list them again"),
    ("c", "choose the columns"),
    ("Enter", "show everything about the socket, or the sockets of a group"),
    ("m", "move new and closed rows to the top, or back"),
    ("w", "show whole addresses, or shorten those that do not fit"),
    ("n", "show names, or numbers"),
    ("Space", "pause, or go on"),
    ("?", "list the keys"),
    ("Ctrl-L", "draw the screen again"),
    ("Ctrl-Z", "suspend; fg goes on"),
    (
        "Esc",
        "one step back: close the pane or prompt, leave the group, remove the filter, end groups, quit",
    ),
    ("q Ctrl-C", "quit at once"),
    ("+ -", "before a row: the socket is new, or closed since the last listing"),
    ("~", "its state has changed"),
    ("!", "CLOSE_WAIT; or a full accept queue; or data that the program does not read (Recv-Q)"),
];

/// The fields in the first line about a socket.
static OF_SOCKET: [&Field; 5] = [&PROTO, &TYPE, &LOCAL, &FOREIGN, &STATE];
/// The parts of these fields.
static PARTS: [&Field; 5] = [&SRC, &SPORT, &DST, &DPORT, &PATH];
/// The fields of owners.
static OF_OWNERS: [&Field; 10] =
    [&PID, &PROGRAM, &COMMAND, &FD, &PROCESS_USER, &UNIT, &CONTAINER, &CGROUP, &CWD, &PEER];

/// What the details need besides what the rows do.
pub(super) const DETAIL_NEEDS: Needs = Needs::SERVICES
    .and(Needs::DIRECTORIES)
    .and(Needs::PROCESS_USERS)
    .and(Needs::PEERS)
    .and(Needs::TIMERS)
    .and(Needs::TCP);

/// A line of a pane: a label, and text that can need several lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) label: String,
    pub(super) text: String,
}

impl Entry {
    fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self { label: label.into(), text: text.into() }
    }
}

/// Returns the list of the keys.
pub(super) fn help() -> Vec<Entry> {
    KEYS.iter().map(|&(key, text)| Entry::new(key, text)).collect()
}

/// Returns all fields as check boxes.
pub(super) fn columns(chosen: &[&Field]) -> Vec<Entry> {
    let boxes = ALL.iter().map(|field| {
        let sign = if chosen.contains(field) { "[x]" } else { "[ ]" };
        Entry::new(format!("{sign} {}", field.key), field.title)
    });
    boxes.collect()
}

/// Returns everything about a socket: the socket itself, its owners, its other fields, and the owners of
/// the other end.
pub(super) fn details(row: &Change<'_>, names: &Names) -> Vec<Entry> {
    let text = |field: &Field, owner| match (field.value)(&Subject { entry: row.entry, owner }) {
        Value::Missing => String::new(),
        value => render::text(&value, names, true),
    };
    let mut entries = Vec::new();
    if row.mark == Mark::Closed {
        add_closed(&mut entries);
    }
    let itself = OF_SOCKET.iter().map(|field| text(field, None)).filter(|it| !it.is_empty());
    let former = row.former_state().map(|it| format!("(was {})", State::name(it)));
    let itself: Vec<_> = itself.chain(former).collect();
    entries.push(Entry::new("Socket", itself.join(" ")));
    entries.extend(owners("owner", row.entry.owners, |owner, field| text(field, Some(owner))));
    entries.push(Entry::default());
    let is_shown_above =
        |field: &&Field| [&OF_SOCKET[..], &PARTS, &OF_OWNERS].concat().contains(field);
    for field in ALL.iter().filter(|field| !is_shown_above(field)) {
        let text = text(field, None);
        if !text.is_empty() {
            entries.push(Entry::new(field.title, text));
        }
    }
    if let Some(peer) = row.entry.peer {
        entries.extend(owners("other end", peer, |owner, field| text(field, Some(owner))));
    }
    entries
}

/// Adds that the socket is gone, once.
pub(super) fn add_closed(entries: &mut Vec<Entry>) {
    let closed = Entry::new("Closed", "the socket is gone");
    if entries.first() != Some(&closed) {
        entries.insert(0, closed);
    }
}

/// Returns the owners of a socket or of its other end, a blank line before each.
fn owners<'a>(
    title: &str,
    owners: SocketOwners<'a>,
    text: impl Fn(Owner<'a>, &'static Field) -> String,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for owner in owners.all() {
        let process = owner.process;
        entries.push(Entry::default());
        entries.push(Entry::new(title, process.pid.to_string()));
        let command: String = harmless(&process.command.joined()).collect();
        entries.push(Entry::new(COMMAND.title, command));
        for field in [&PROCESS_USER, &UNIT, &CONTAINER, &CWD] {
            let text = text(owner, field);
            if !text.is_empty() {
                entries.push(Entry::new(field.title, text));
            }
        }
        let fds: Vec<_> = owner.fds().map(|fd| fd.to_string()).collect();
        entries.push(Entry::new("Descriptors", fds.join(", ")));
    }
    if entries.is_empty() {
        let none = if owners.are_known() { "none" } else { "hidden: sudo shows more" };
        entries.extend([Entry::default(), Entry::new(title, none)]);
    }
    entries
}

/// Returns the lines of a pane of this width.
pub(super) fn lines(entries: &[Entry], width: u16) -> Vec<Line<'static>> {
    const GAP: usize = 2;
    let width = usize::from(width);
    let longest = entries.iter().map(|entry| entry.label.chars().count()).max().unwrap_or(0);
    let margin = if longest + GAP < width { longest + GAP } else { 0 };
    let bold = Style::default().add_modifier(Modifier::BOLD);
    let mut lines = Vec::new();
    for Entry { label, text } in entries {
        let mut label = Span::styled(format!("{label:margin$}"), bold);
        let parts = wrapped(text, (width - margin).max(1));
        for part in parts {
            lines.push(Line::from(vec![label, Span::raw(part)]));
            label = Span::raw(" ".repeat(margin));
        }
    }
    lines
}

/// Splits text into lines of this width, at spaces where possible; at least one.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for char in text.chars() {
        if line.width() + char.width().unwrap_or(0) > width {
            let rest = match line.rfind(' ') {
                Some(space) if space > 0 && char != ' ' => line.split_off(space + 1),
                _ => String::new(),
            };
            lines.push(std::mem::replace(&mut line, rest));
        }
        // A line does not begin with the space at which the text is split.
        if char != ' ' || !line.is_empty() || lines.is_empty() {
            line.push(char);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_continues_below_itself() {
        let entries = [Entry::new("ab", "12345"), Entry::new("", "日本")];
        let shown = |width| -> Vec<String> {
            lines(&entries, width).iter().map(ToString::to_string).collect()
        };
        assert_eq!(shown(20), ["ab  12345", "    日本"]);
        assert_eq!(shown(7), ["ab  123", "    45", "    日", "    本"]);
        assert_eq!(wrapped("python3 receiver.py -v", 12), ["python3 ", "receiver.py ", "-v"]);
        assert_eq!(wrapped("python3 receiver.py", 7), ["python3", "receive", "r.py"]);
        assert_eq!(shown(1).len(), 8);
        assert_eq!(shown(0).len(), 8);
    }
}
