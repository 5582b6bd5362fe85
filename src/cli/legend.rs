//! What the help and the manual page both explain: examples, formats, states and the exit status.

use crate::request::Format;
use crate::socket::State;

use super::values::FORMATS;

/// A command, an option or a word, and its meaning.
pub(super) type Entry = (&'static str, &'static str);

/// Questions and commands, the most frequent first. The short help has the first three.
pub(super) const EXAMPLES: [Entry; 24] = [
    ("sudo rnetstat -tuanp", "TCP and UDP sockets with their processes"),
    ("sudo rnetstat 5000", "which process owns port 5000?"),
    ("sudo rnetstat -tuanc --table", "a live view; ? lists its keys"),
    (
        "rnetstat --program receiver.py",
        "the sockets of your script, although netstat's format shows only python3",
    ),
    (
        "rnetstat -n --port 5000 --table",
        "the sockets with port 5000, with descriptor (FD), user and command",
    ),
    ("sudo rnetstat nginx :443", "the sockets of nginx with port 443"),
    ("rnetstat -tuan --address ^127.0.0.0/8,^::1", "without local traffic"),
    ("sudo rnetstat -lp --src ^127.0.0.0/8,^::1", "what can other hosts reach?"),
    (
        "rnetstat -tn --sport 5000 --state established --peers --table",
        "who is connected to my server?",
    ),
    (
        "sudo rnetstat -tan --group program,state",
        "how many connections does each program have, and in which states?",
    ),
    (
        "sudo rnetstat -l --table --columns +unit,+container",
        "which service does each server belong to?",
    ),
    (
        "sudo rnetstat --unit nginx --columns +unit,+cwd",
        "the sockets of a service, with the directories of its processes",
    ),
    (
        "rnetstat -tnc --table --columns +rate-in,+rate-out --sort -rate-in",
        "which connections use the network now?",
    ),
    (
        "sudo rnetstat -tnc --group program --columns rate-in,rate-out --sort -rate-in",
        "which programs use the network now?",
    ),
    (
        "rnetstat -tln --columns +backlog,ipv6-only,interface",
        "how many connections can wait, and from where can they come?",
    ),
    ("rnetstat -tanc --changes", "what opens and closes?"),
    ("rnetstat -uln --port 5000 --wait=10", "wait at most ten seconds for a server on port 5000"),
    (
        "rnetstat -tl --port 5000 --wait-gone=10",
        "wait at most ten seconds until no server uses port 5000. Without -l, old connections in \
         TIME_WAIT match for a minute more",
    ),
    ("sudo rnetstat -A packet -ap", "which processes read all packets?"),
    ("sudo rnetstat -tlnp --netns all", "the TCP servers of this host and of all containers"),
    ("rnetstat --proc saved -tuan", "the sockets in a copy of another host's /proc"),
    (
        "rnetstat -tan --jsonl | jq -r 'select(.state == \"CLOSE_WAIT\") | .processes[]?.pid'",
        "the PIDs of programs with connections that only the other end has closed",
    ),
    (
        "rnetstat -tan --group state --format openmetrics",
        "the number of connections in each state, for Prometheus",
    ),
    ("rnetstat --generate bash", "the completions for bash"),
];

/// The exit status.
pub(super) const STATUS: [Entry; 4] = [
    (
        "0",
        "the sockets were listed, or the next program of the pipe stopped (| head); with --wait-gone, \
         no socket matches any more",
    ),
    (
        "1",
        "a filter or --wait was given, and no socket matches; with --wait-gone, the time is over and \
         some still match",
    ),
    (
        "2",
        "wrong options, filters that no socket can match (such as -x --port 80), no table of the kernel \
         could be read, or the output could not be written",
    ),
    (
        "128 and more",
        "a signal ended the live view: 128 and the number of the signal, such as 143 after SIGTERM. \
         SIGINT ends it as the key q does",
    ),
];

/// The values of `--format`.
pub(super) fn formats() -> impl Iterator<Item = Entry> {
    FORMATS.into_iter().map(|(name, format)| (name, meaning_of(format)))
}

fn meaning_of(format: Format) -> &'static str {
    match format {
        Format::Netstat => "netstat's own, byte for byte but for a few deliberate differences",
        Format::Table => "a table for people; with -c on a terminal, the live view",
        Format::Json => "an array of objects",
        Format::Jsonl => "an object on each line",
        Format::Csv => {
            "a line for each owner of a socket, below a line with the names of the columns"
        }
        Format::Openmetrics => "with --group: gauges for Prometheus",
    }
}

/// The states that `--state` accepts, as netstat prints them.
pub(super) fn states() -> impl Iterator<Item = Entry> {
    State::all().map(|state| (state.name(), meaning(state)))
}

fn meaning(state: State) -> &'static str {
    match state {
        State::Established => "the connection is open",
        State::SynSent => "this host is opening the connection",
        State::SynRecv | State::NewSynRecv => "the other end is opening the connection",
        State::FinWait1 => {
            "this end has closed the connection, and the other end has not acknowledged it yet"
        }
        State::FinWait2 => "this end has closed the connection, and waits for the other end",
        State::TimeWait => {
            "the connection is over. The kernel keeps its ports for a minute, so that late packets do \
             no harm"
        }
        State::Close => "the socket neither listens nor is connected",
        State::CloseWait => {
            "the other end has closed the connection, but the program on this host has not. Many such \
             sockets are a bug of the program"
        }
        State::LastAck => {
            "the other end has closed the connection first, then this end, and the other end has not \
             acknowledged it yet"
        }
        State::Listen => "a server waits for connections",
        State::Closing => "both ends have closed the connection at the same time",
        State::Bound => {
            "a TCP socket has a port, but neither listens nor is connected. From Linux 6.8 on"
        }
        State::Listening => "a UNIX server waits for connections",
        State::Free => "a UNIX socket is not set up yet",
        State::Connecting => "a UNIX connection is not accepted yet",
        State::Connected => "a UNIX connection is open",
        State::Disconnecting => "a UNIX connection is being closed",
        State::Unset | State::Unknown => "the protocol does not have this state",
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::super::parse;
    use super::*;

    #[test]
    fn examples_are_accepted() {
        for (command, _) in EXAMPLES {
            let rnetstat = command.split(" | ").next().unwrap_or_default();
            let line = rnetstat.trim_start_matches("sudo ");
            let parsed = parse(line.split(' ').map(OsString::from));
            assert!(parsed.is_ok(), "{command}: {parsed:?}");
        }
    }
}
