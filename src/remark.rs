//! Every message for stderr.
//!
//! A [`Remark`] that is returned as an error ends the run. Others go to a [`Sink`].

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use nix::unistd::Uid;
use thiserror::Error;

use crate::harmless::harmless;

/// Takes remarks that do not end the run.
pub type Sink<'a> = &'a mut dyn FnMut(Remark);

/// A message for stderr.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the message describes the variant")]
pub enum Remark {
    // The command line. `Usage` is clap's message.
    #[error("{0}")]
    Usage(String),
    #[error("{option} is not supported: use {tool}")]
    Unsupported { option: String, tool: &'static str },
    #[error("unknown address family '{0}': use inet, inet6, unix, packet, netlink, vsock or all")]
    UnknownFamily(String),
    #[error(
        "-6 selects no SCTP sockets, as in netstat: -S without -6 lists those of both families"
    )]
    SctpOfOneFamily,
    #[error("expected a number of seconds, such as 2 or 0.5")]
    NotSeconds,
    #[error("expected a number of seconds, at least {}", .0.as_secs_f64())]
    IntervalTooShort(Duration),
    #[error("expected a number of listings, at least 1")]
    NotCount,
    #[error("expected some text")]
    NoText,
    #[error(
        "a word is ports (80,443 or :http,80), addresses (10.0.0.0/8,::1), both (10.0.0.1:80), or text"
    )]
    NotWord,
    #[error("expected a port from 1 to 65535, a range such as 8000-8080, or a service such as ssh")]
    NotPorts,
    #[error(
        "expected an address, a network or a host, such as 10.1.2.3, 10.0.0.0/8, fe80::/10 or \
         localhost"
    )]
    NotNetwork,
    #[error("expected a PID, such as 4711")]
    NotPid,
    #[error(
        "{option}={number} waits at most {number} seconds, {option} :{number} is about port {number}: choose one"
    )]
    TimeOrPort { option: String, number: String },
    #[error("several containers begin with '{name}': {}: give more of the identifier", .ids.join(", "))]
    AmbiguousContainer { name: String, ids: Vec<String> },
    #[error("expected a number of groups, at least 1")]
    NotLimit,
    #[error(
        "--format openmetrics is one file, and -c would write several: run rnetstat again instead"
    )]
    MetricsRepeated,
    #[error("--limit needs --group: | head limits a listing")]
    LimitWithoutGroup,
    #[error(
        "{key} cannot be added up: with --group, --columns and --sort take {}, and --sort the keys of --group",
        .summable.join(", ")
    )]
    NoSum { key: &'static str, summable: Vec<&'static str> },
    #[error("{0} needs -c: it is known from the second listing on")]
    NeedsRepeat(&'static str),
    #[error("+ stands before the first key: --columns +KEY,KEY adds all of them")]
    LatePlus,
    #[error(
        "--format openmetrics prints counts: choose what to count with --group, such as --group state"
    )]
    MetricsWithoutGroup,
    #[error("netstat's format has no counts: use --group with --table, --json, --jsonl or --csv")]
    GroupWithNetstat,
    #[error("{key} has {count} values, too many for a label: --limit N keeps the N largest groups")]
    TooManyValues { key: &'static str, count: usize },
    #[error("--columns is for the table and csv: use --table or --csv")]
    ColumnsWithoutTable,
    #[error(
        "none of the chosen kinds of sockets has what the filters ask for, such as ports or \
         addresses: use --user, --pid, --program or --state"
    )]
    NoSuchKind,
    // The request.
    #[error("--source netlink reads only this host and not --proc DIR: use --source text")]
    NetlinkWithProc,
    #[error(
        "--source netlink needs CAP_SYS_ADMIN for other network namespaces: use sudo, or --source text"
    )]
    NetlinkWithNetns,
    #[error(
        "only netlink tells the interface of a socket, and only of this host: use no --proc or \
         --source text"
    )]
    DeviceUnknown,
    #[error("{0}: only netlink tells the interface of a socket, so these sockets do not match")]
    DevicesUntold(Origin),
    #[error(
        "--proc DIR is refused: rnetstat has privileges that its caller lacks, and would read \
         files that its caller may not read"
    )]
    ProcRefused,
    #[error("privileges that this run does not need could not be given up: {0}")]
    PrivilegesKept(io::Error),
    #[error("there is no user '{0}': --user takes a name that this host knows, or a number")]
    UnknownUser(String),
    #[error(
        "the number of user '{user}' was not found within {timeout:?}: give the number itself, or \
         wait longer with --resolve-timeout SECONDS"
    )]
    UserTooLate { user: String, timeout: Duration },
    #[error("the number of user '{user}' could not be found: {error}: give the number itself")]
    UserNotFound { user: String, error: String },
    #[error("there is no {} '{name}'{}", kind.name(), kind.hint())]
    UnknownName { kind: NameKind, name: String },
    #[error(
        "{} '{name}' was not found within {timeout:?}: give its number, or wait longer with \
         --resolve-timeout SECONDS", kind.name()
    )]
    NameTooLate { kind: NameKind, name: String, timeout: Duration },
    #[error("{} '{name}' could not be found: {error}: give its number", kind.name())]
    NameNotFound { kind: NameKind, name: String, error: String },
    #[error(
        "--user {}: taken as numbers, because the resolver did not say whether users have such names",
        .0.join(",")
    )]
    UsersUnchecked(Vec<String>),
    #[error("there is no user '{user}' in {}: --user takes a name in this file, or a number", path.display())]
    UserNotInFile { user: String, path: PathBuf },
    #[error(
        "the number of user '{0}' is unknown: there is no etc/passwd beside the directory proc; give \
         --user a number"
    )]
    UsersNotSaved(String),
    #[error(
        "{}: the addresses are read as those of a {order}-endian host; --byte-order {own} reads them \
         otherwise",
        root.display()
    )]
    ForeignByteOrder { root: PathBuf, order: &'static str, own: &'static str },
    #[error("{0}: users are shown as numbers: {1}")]
    UsersUnknown(PathBuf, io::Error),
    // The tables.
    #[error("{origin}:{number}: this {} is left out: {fault}", .origin.unit())]
    Line { origin: Origin, number: u64, fault: Fault },
    #[error("{0}: this table is empty, without its heading: it is no copy of the kernel's")]
    EmptyTable(Origin),
    #[error("{0}: there is no such table")]
    AbsentTable(Origin),
    #[error("{}: these sockets are not listed: use the netstat of net-tools", .0.display())]
    OmittedFamily(PathBuf),
    #[error("{0}: this table is not complete: {1}")]
    PartialTable(Origin, io::Error),
    #[error("{0}: the text of /proc/net could not be cross-checked: {1}")]
    Unchecked(Origin, io::Error),
    #[error("{origin}: the text of /proc/net is read instead: {error}")]
    TextInstead { origin: Origin, error: io::Error, netlink_was_asked_for: bool },
    #[error("{0}: other ends of UNIX sockets may be missing: {1}")]
    UnixPeersMissing(Origin, io::Error),
    #[error(
        "some other ends of UNIX sockets are not shown: only netlink has them, and only in \
         rnetstat's own network namespace"
    )]
    UnixPeersUnknown,
    #[error("no socket table can be read: {0}: {1}{hint}", hint = no_table_hint(.0, .1))]
    NoTable(Origin, io::Error),
    // The owners. The first two messages are netstat's.
    #[error(
        "(Not all processes could be identified, non-owned process info\n \
         will not be shown, you would have to be root to see it all.)"
    )]
    SomeProcessesHidden,
    #[error(
        "(No info could be read for \"-p\": geteuid()={} but you should be root.)",
        Uid::effective()
    )]
    AllProcessesHidden,
    #[error(
        "some processes do not show their sockets{}; sockets without an owner may be theirs",
        if *lacks_ptrace { " without CAP_SYS_PTRACE" } else { "" }
    )]
    DescriptorsHidden { lacks_ptrace: bool },
    #[error("{0}: no process has a directory fd here, so the owners of sockets are unknown")]
    OwnersNotSaved(PathBuf),
    #[error(
        "processes outside of this PID namespace cannot be seen; some of the sockets may be theirs"
    )]
    OutsideOwners,
    #[error("{0}: sockets may be shown without their owner: {1}")]
    OwnersUnknown(PathBuf, io::Error),
    #[error("{0}: this file of a process cannot be read: {1}")]
    DetailUnknown(PathBuf, io::Error),
    // The network namespaces.
    #[error("network namespaces may be missing: {0} of the processes hide their namespace")]
    NamespacesHidden(usize),
    #[error("network namespaces may be missing: the processes of other users are hidden")]
    NamespaceProcessesHidden,
    #[error(
        "network namespaces without a process: {} ({}); /proc does not show their sockets",
        .0.len(),
        .0.join(", ")
    )]
    EmptyNamespaces(Vec<String>),
    #[error("no network namespace can be found: {0}: {1}")]
    NoNamespaces(PathBuf, io::Error),
    #[error("no network namespace can be found: {0}: no process shows its namespace")]
    AllNamespacesHidden(PathBuf),
    #[error(
        "the network namespace {0} has no process, so /proc does not show its sockets: run ip \
         netns exec {0} rnetstat"
    )]
    EmptyNamespace(String),
    #[error("{0} is not a network namespace")]
    NoNetworkNamespace(PathBuf),
    #[error(
        "several network namespaces are called {name}: give --netns one of these instead: {}",
        .numbers.join(", ")
    )]
    AmbiguousNamespace { name: String, numbers: Vec<String> },
    #[error(
        "no network namespace {0} was found, but some hide their names without CAP_SYS_PTRACE: \
         --netns all shows those with a visible process as pid:PID"
    )]
    NamespaceMaybeHidden(String),
    #[error(
        "there is no network namespace {0}: give --netns a PID, a name of ip netns, the \
         identifier of a container or the number of a namespace; --netns all shows all of them"
    )]
    UnknownNamespace(String),
    // The listing.
    #[error(
        "names not found within {timeout:?}: {count}; numbers are shown instead (-n looks up no \
         names, --resolve-timeout SECONDS waits longer)"
    )]
    NamesTooLate { count: usize, timeout: Duration },
    #[error(
        "names that the resolver failed to find: {count} ({error}); numbers are shown instead (-n \
         looks up no names)"
    )]
    NamesFailed { count: usize, error: String },
    #[error("columns that do not fit: {}; use a wider terminal or a pipe", .titles.join(", "))]
    NoRoom { titles: Vec<&'static str> },
    #[error("no socket matches")]
    NoMatch,
    #[error("process {0} is in another network namespace: use --netns {0}")]
    InOtherNamespace(u32),
    #[error("only netlink tells {}, and it is not read with --proc or --source text", .0.join(", "))]
    OnlyNetlinkTells(Vec<&'static str>),
    #[error("network namespace {0}: it may not be entered, so only the text of /proc is read")]
    NotEntered(String),
    #[error("cannot write the output: {0}")]
    CannotWrite(#[from] io::Error),
}

impl Remark {
    /// Returns the lines to print, harmless for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let text = self.to_string();
        let line = |line: &str| harmless(line.as_bytes()).collect();
        match self {
            Self::Usage(_) | Self::SomeProcessesHidden | Self::AllProcessesHidden => {
                text.lines().map(line).collect()
            }
            _ => vec![line(&format!("rnetstat: {text}"))],
        }
    }

    /// Returns true if the namespace that `--netns` names is not there, or has no process.
    pub fn is_about_missing_namespace(&self) -> bool {
        matches!(
            self,
            Self::EmptyNamespace(_) | Self::NamespaceMaybeHidden(_) | Self::UnknownNamespace(_)
        )
    }

    /// Returns true if the remark is printed only with `-v`.
    pub fn is_detail(&self) -> bool {
        matches!(
            self,
            Self::AbsentTable(_)
                | Self::OmittedFamily(_)
                | Self::NotEntered(_)
                | Self::Unchecked(..)
                | Self::TextInstead { netlink_was_asked_for: false, .. }
        )
    }
}

fn no_table_hint(origin: &Origin, error: &io::Error) -> &'static str {
    let is_missing = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    match origin {
        Origin::Text(path) if is_missing && path.ends_with("sctp/eps") => {
            " (SCTP sockets exist only while the kernel's module sctp is loaded)"
        }
        Origin::Text(path)
            if is_missing && (path.ends_with("udplite") || path.ends_with("udplite6")) =>
        {
            " (Linux 7 and later have no UDP-Lite sockets)"
        }
        Origin::Text(_) if is_missing => {
            " (is /proc mounted? --proc DIR reads a copy of it, --source netlink works without it)"
        }
        Origin::Text(_) | Origin::Netlink("mptcp" | "mptcp6") => "",
        Origin::Netlink("vsock") => {
            " (these sockets are listed only by the kernel's module vsock_diag)"
        }
        Origin::Netlink(_) => " (--source text reads the text of /proc/net)",
    }
}

/// A reason for which rnetstat itself rejects a file or a table.
#[derive(Clone, Copy, Debug, Error)]
#[expect(missing_docs, reason = "the message describes the variant")]
pub enum Reason {
    #[error("not a regular file")]
    NotRegular,
    #[error("the user of a handshake is unknown")]
    HandshakeUser,
    #[error("the timer of a handshake is unknown")]
    HandshakeTimer,
    #[error("rnetstat reads these sockets only from the text")]
    OnlyText,
    #[error("only netlink has these sockets")]
    OnlyNetlink,
}

/// The kind of a name that the user gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum NameKind {
    Service,
    Host,
    User,
    Interface,
}

impl NameKind {
    fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Host => "host",
            Self::User => "user",
            Self::Interface => "interface",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Service => {
                ": a port is a number, a range such as 8000-8080, or a service of this host"
            }
            Self::Host => {
                ": an address is one such as 10.1.2.3, a network such as 10.0.0.0/8 or fe80::/10, or \
                 the name of a host"
            }
            Self::Interface => ": ip link lists them",
            Self::User => "",
        }
    }
}

/// The source of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file below the /proc root.
    Text(PathBuf),
    /// The table with this name, by netlink.
    Netlink(&'static str),
}

impl Origin {
    /// The name of one entry of the table.
    fn unit(&self) -> &'static str {
        match self {
            Self::Text(_) => "line",
            Self::Netlink(_) => "message",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(path) => path.display().fmt(f),
            Self::Netlink(table) => write!(f, "netlink {table}"),
        }
    }
}

/// The fault in a line or a message of a table.
#[derive(Debug, Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "the message describes the variant")]
pub enum Fault {
    #[error("it is not a row: \"{}\"", .0.escape_ascii())]
    NotARow(Vec<u8>),
    #[error("it ends before its {0}")]
    Missing(&'static str),
    #[error("its {field} is malformed: \"{}\"", .text.escape_ascii())]
    Malformed { field: &'static str, text: Vec<u8> },
    #[error("it has {limit} bytes or more")]
    TooLong { limit: usize },
}

impl Fault {
    /// Returns a fault that shows the beginning of `text`.
    pub(crate) fn malformed(field: &'static str, text: &[u8]) -> Self {
        Self::Malformed { field, text: beginning(text) }
    }

    /// Returns a fault that shows the beginning of `line`.
    pub(crate) fn not_a_row(line: &[u8]) -> Self {
        Self::NotARow(beginning(line.trim_ascii()))
    }
}

/// Returns the part of a foreign text that a fault shows.
fn beginning(text: &[u8]) -> Vec<u8> {
    const SHOWN: usize = 40;
    text.iter().copied().take(SHOWN).collect()
}
