//! The grammar of the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, CommandFactory, Parser, ValueHint};

use super::filters::word;
use super::help::Help;
use super::refused::REFUSED;
use super::values::{
    self, ARTEFACTS, Artefact, BYTE_ORDERS, COLORS, FORMATS, Families, Item, SOURCES, choice,
    column, count, interval, item, key, limit, network, optional, pid, ports, program, seconds,
    sort, state, text,
};
use crate::fields::Field;
use crate::process::Pid;
use crate::query::{Asked, AskedCondition, Network, Ports};
use crate::request::{Color, Format, SavedOrder};
use crate::socket::State;
use crate::tables::policy::Source;

/// The headings of the help.
pub(super) const FILTERS: &str = "Filters";
pub(super) const OUTPUT: &str = "Output";
pub(super) const MORE: &str = "More";

/// Returns the grammar, with a hidden option for each netstat option that rnetstat refuses.
pub(super) fn command() -> clap::Command {
    REFUSED.iter().fold(Arguments::command(), |command, &(short, long, _)| {
        let arg = Arg::new(long).long(long).action(ArgAction::SetTrue).hide(true);
        command.arg(match short {
            Some(short) => arg.short(short),
            None => arg,
        })
    })
}

/// List the sockets of this host, and the processes that own them
#[derive(Parser)]
#[command(bin_name = "rnetstat", version, args_override_self = true)]
#[command(infer_long_args = true, disable_help_flag = true)]
#[command(help_template = "{before-help}", before_help = Help::MARKS[0], before_long_help = Help::MARKS[1])]
#[expect(clippy::struct_excessive_bools, reason = "netstat's flags are switches")]
pub(super) struct Arguments {
    /// TCP sockets. Without an option for a kind or a family, TCP, UDP, UDP-Lite, SCTP, raw and UNIX
    /// sockets are listed, as in netstat. A search, a filter, or a format other than netstat's also finds the
    /// other kinds, and -A all lists every kind
    #[arg(short, long)]
    pub(super) tcp: bool,

    /// SCTP sockets of IPv4 and IPv6. -6 hides them, as in netstat
    #[arg(short = 'S', long)]
    pub(super) sctp: bool,

    /// UDP sockets
    #[arg(short, long)]
    pub(super) udp: bool,

    /// UDP-Lite sockets
    #[arg(short = 'U', long)]
    pub(super) udplite: bool,

    /// Raw sockets
    #[arg(short = 'w', long)]
    pub(super) raw: bool,

    /// UNIX sockets
    #[arg(short = 'x', long)]
    pub(super) unix: bool,

    /// Sockets of pings (ICMP), IPv4 and IPv6
    #[arg(long)]
    pub(super) icmp: bool,

    /// Multipath TCP sockets
    #[arg(long)]
    pub(super) mptcp: bool,

    /// Servers and connections. Without -a or -l, only connections
    #[arg(short, long)]
    pub(super) all: bool,

    /// Only servers. UNIX sockets are servers if they listen. Other sockets are servers if they have no
    /// other end; a TCP socket that is only bound is not a server
    #[arg(short, long)]
    pub(super) listening: bool,

    /// Show numbers instead of names for hosts, ports and users. The table still shows users by name
    #[arg(short, long)]
    pub(super) numeric: bool,

    /// Show numbers for hosts
    #[arg(long)]
    pub(super) numeric_hosts: bool,

    /// Show numbers for ports
    #[arg(long)]
    pub(super) numeric_ports: bool,

    /// Show numbers for users
    #[arg(long)]
    pub(super) numeric_users: bool,

    /// The time limit for looking up all names. Default: 5. After that, numbers are shown. With --proc,
    /// hosts are looked up only if this option is given
    #[arg(long, value_name = "SECONDS", value_parser = seconds, value_hint = ValueHint::Other)]
    pub(super) resolve_timeout: Option<Duration>,

    /// Show the process that owns each socket, as PID/name
    #[arg(short, long)]
    pub(super) programs: bool,

    /// Show the user who opened each socket, and its inode
    #[arg(short, long)]
    pub(super) extend: bool,

    /// Show the timer of each socket: seconds, retransmissions and probes
    #[arg(short = 'o', long)]
    pub(super) timers: bool,

    /// IPv4 sockets. Without -4 and -6, both
    #[arg(short = '4', long, alias = "ip")]
    pub(super) inet: bool,

    /// IPv6 sockets
    #[arg(short = '6', long)]
    pub(super) inet6: bool,

    /// Sockets of these families. all lists every kind, also of other families, such as Bluetooth
    #[arg(short = 'A', long, value_name = "FAMILY", value_delimiter = ',', value_parser = Families)]
    pub(super) protocol: Vec<String>,

    /// Show whole addresses, even if a column or a line becomes wider. -T is the same
    #[arg(short = 'W', short_alias = 'T', long, alias = "notrim")]
    pub(super) wide: bool,

    /// List again every second until interrupted
    #[arg(short, long)]
    pub(super) continuous: bool,

    /// With -c, the pause between two listings, at least 0.01
    #[arg(long, value_name = "SECONDS", default_value = "1", requires = "continuous",
          value_parser = interval, value_hint = ValueHint::Other)]
    pub(super) interval: Duration,

    /// With -c, the number of listings, at least 1
    #[arg(long, value_name = "N", requires = "continuous", value_parser = count, value_hint = ValueHint::Other)]
    pub(super) count: Option<u64>,

    /// With -c, list all sockets once, and then only the changes: + before a new socket, - before a
    /// closed one
    #[arg(long, requires = "continuous", conflicts_with = "group")]
    pub(super) changes: bool,

    /// Print more remarks, for example about tables that this kernel does not have
    #[arg(short, long)]
    pub(super) verbose: bool,

    /// Print the most used options. --help prints all of them, with the states, formats and keys
    #[arg(short = 'h', long, action = ArgAction::Help)]
    help: Option<bool>,

    /// Does nothing. Accepted because netstat has it, to show hardware addresses by name
    #[arg(short = 'N', long, hide = true)]
    pub(super) symbolic: bool,

    /// Only sockets that match this search. A number, :PORT or :SERVICE is a port. An address, a network
    /// or localhost:5000 is an address. Any other word, also localhost alone, is text in the command line;
    /// for the name of a host, use --address. A search implies -a and -p. It also
    /// implies --table, unless another format, -e, -o or -W is given
    #[arg(value_name = "WORD", value_parser = word, value_hint = ValueHint::Other, help_heading = FILTERS)]
    pub(super) words: Vec<AskedCondition>,

    /// Only sockets with this port at either end: ports, ranges such as 8000-8080, and services such
    /// as ssh, separated by commas
    #[arg(long, value_name = "PORTS", value_delimiter = ',', value_parser = item(ports), value_hint = ValueHint::Other, help_heading = FILTERS)]
    pub(super) port: Vec<Item<Asked<Ports>>>,

    /// Only sockets with this port on this host
    #[arg(long, value_name = "PORTS", value_delimiter = ',', value_parser = item(ports), value_hint = ValueHint::Other, help_heading = FILTERS)]
    pub(super) sport: Vec<Item<Asked<Ports>>>,

    /// Only sockets with this port at the other end
    #[arg(long, value_name = "PORTS", value_delimiter = ',', value_parser = item(ports), value_hint = ValueHint::Other, help_heading = FILTERS)]
    pub(super) dport: Vec<Item<Asked<Ports>>>,

    /// Only sockets with this address at either end: an address, a network, or the name of a host
    #[arg(long, value_name = "ADDRESS[/PREFIX]", value_delimiter = ',', value_parser = item(network), value_hint = ValueHint::Hostname, help_heading = FILTERS)]
    pub(super) address: Vec<Item<Asked<Network>>>,

    /// Only sockets with this address on this host
    #[arg(long, value_name = "ADDRESS[/PREFIX]", value_delimiter = ',', value_parser = item(network), value_hint = ValueHint::Other, help_heading = FILTERS)]
    pub(super) src: Vec<Item<Asked<Network>>>,

    /// Only sockets with this address at the other end
    #[arg(long, value_name = "ADDRESS[/PREFIX]", value_delimiter = ',', value_parser = item(network), value_hint = ValueHint::Hostname, help_heading = FILTERS)]
    pub(super) dst: Vec<Item<Asked<Network>>>,

    /// Only sockets that are bound to this interface, or have its link-local address
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = item(text), value_hint = ValueHint::Other, help_heading = FILTERS)]
    pub(super) interface: Vec<Item<String>>,

    /// Only sockets in this state
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state(), ignore_case = true, help_heading = FILTERS)]
    pub(super) state: Vec<Item<State>>,

    /// Only sockets that this user opened, or that a process of this user owns. USER is a name or a
    /// number
    #[arg(long, value_name = "USER", value_delimiter = ',', value_parser = item(text), value_hint = ValueHint::Username, help_heading = FILTERS)]
    pub(super) user: Vec<Item<String>>,

    /// Only sockets that this process owns
    #[arg(long, value_name = "PID", value_delimiter = ',', value_parser = item(pid), value_hint = ValueHint::Other, help_heading = FILTERS)]
    pub(super) pid: Vec<Item<Pid>>,

    /// With --pid, also the sockets of its descendants
    #[arg(long, requires = "pid", help_heading = FILTERS)]
    pub(super) children: bool,

    /// Only sockets of processes with this text in their command line, such as receiver.py. For
    /// several texts, give the option several times. Without TEXT, the same as -p
    #[arg(long, value_name = "TEXT", num_args = 0..=1, default_missing_value = values::NO_TEXT,
          value_parser = optional(program), value_hint = ValueHint::Other, help_heading = FILTERS)]
    pub(super) program: Vec<Option<Item<String>>>,

    /// Only sockets of this systemd unit; .service can be left out
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = item(text), value_hint = ValueHint::Other, help_heading = FILTERS)]
    pub(super) unit: Vec<Item<String>>,

    /// Only sockets of processes in this container. ID is the beginning of its identifier. Only root
    /// can use its name
    #[arg(long, value_name = "ID|NAME", value_delimiter = ',', value_parser = item(text), value_hint = ValueHint::Other, help_heading = FILTERS)]
    pub(super) container: Vec<Item<String>>,

    /// Wait until a socket matches, at most SECONDS. Without SECONDS, wait without a limit. SECONDS needs
    /// the =, as in --wait=10
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, value_parser = seconds,
          conflicts_with_all = ["continuous", "interval", "count"], help_heading = FILTERS, value_hint = ValueHint::Other)]
    #[expect(clippy::option_option, reason = "with or without a value")]
    pub(super) wait: Option<Option<Duration>>,

    /// Wait until no socket matches. After SECONDS, it lists the sockets that still match. Without SECONDS,
    /// wait without a limit
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, value_parser = seconds,
          conflicts_with_all = ["continuous", "interval", "count", "wait"], help_heading = FILTERS, value_hint = ValueHint::Other)]
    #[expect(clippy::option_option, reason = "with or without a value")]
    pub(super) wait_gone: Option<Option<Duration>>,

    /// The format: netstat's, a table for people, or records for programs
    #[arg(long, value_parser = choice(&FORMATS), group = "formats", help_heading = OUTPUT)]
    pub(super) format: Option<Format>,

    /// Short for --format table
    #[arg(long, group = "formats", help_heading = OUTPUT)]
    pub(super) table: bool,

    /// Short for --format json
    #[arg(long, group = "formats", help_heading = OUTPUT)]
    pub(super) json: bool,

    /// Short for --format jsonl
    #[arg(long, group = "formats", help_heading = OUTPUT)]
    pub(super) jsonl: bool,

    /// Short for --format csv
    #[arg(long, group = "formats", help_heading = OUTPUT)]
    pub(super) csv: bool,

    /// Sort by these fields. With - before a key, sort in descending order
    #[arg(long, value_name = "KEYS", value_delimiter = ',', allow_hyphen_values = true, value_parser = sort(), ignore_case = true,
          hide_possible_values = true, help_heading = OUTPUT)]
    pub(super) sort: Vec<(&'static Field, bool)>,

    /// Show these columns. This implies --table, unless --csv is given. With + before the first key, add
    /// them to the usual columns
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = column(), ignore_case = true,
          hide_possible_values = true, help_heading = OUTPUT)]
    pub(super) columns: Vec<(&'static Field, bool)>,

    /// Count the sockets that have the same values of these fields, in a table unless a format is given.
    /// The largest groups come first; in openmetrics, groups are sorted by name. --columns chooses what is
    /// added up in each group, such as +rate-in with -c
    #[arg(long, value_name = "KEYS", value_delimiter = ',', value_parser = key(), ignore_case = true,
          hide_possible_values = true, conflicts_with_all = ["extend", "timers", "wide", "peers"],
          help_heading = OUTPUT)]
    pub(super) group: Vec<&'static Field>,

    /// With --group, show the N largest groups, and the others as one group named other
    #[arg(long, value_name = "N", value_parser = limit, value_hint = ValueHint::Other,
          help_heading = OUTPUT)]
    pub(super) limit: Option<usize>,

    /// Print neither the heading nor the counts below a table
    #[arg(long, help_heading = OUTPUT)]
    pub(super) no_header: bool,

    /// Use no pager. Without this option, $PAGER (or less -FRX) shows a table that has more lines than
    /// the terminal
    #[arg(long, help_heading = OUTPUT)]
    pub(super) no_pager: bool,

    /// When to use colours in the table
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = choice(&COLORS),
          help_heading = OUTPUT)]
    pub(super) color: Color,

    /// Show the process at the other end, for connections within this host: one more column, also in
    /// netstat's format
    #[arg(long, help_heading = MORE)]
    pub(super) peers: bool,

    /// List the sockets of all network namespaces, or of one: by name, number, container or PID
    #[arg(long, value_name = "all|NAME|PID", value_parser = NonEmptyStringValueParser::new(), help_heading = MORE, value_hint = ValueHint::Other)]
    pub(super) netns: Option<String>,

    /// Read another /proc, such as a saved copy
    #[arg(long, help_heading = MORE, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) proc: Option<PathBuf>,

    /// How to read the sockets: from the text of /proc/net, by netlink, or as rnetstat chooses
    #[arg(long, help_heading = MORE, value_name = "SOURCE", default_value = "auto", value_parser = choice(&SOURCES))]
    pub(super) source: Source,

    /// With --proc, the byte order of the host where the tree was saved. auto recognises it by the
    /// addresses
    #[arg(long, help_heading = MORE, value_name = "ORDER", default_value = "auto", requires = "proc",
          value_parser = choice(&BYTE_ORDERS))]
    pub(super) byte_order: SavedOrder,

    /// Keep all privileges. Without this option, rnetstat gives up capabilities that it does not need, and
    /// if no name is needed also system calls
    #[arg(long, help_heading = MORE)]
    pub(super) no_sandbox: bool,

    /// Print shell completions, the manual page or the JSON Schema of the records, and do nothing else
    #[arg(long, value_name = "WHAT", value_parser = choice(&ARTEFACTS), help_heading = MORE)]
    pub(super) generate: Option<Artefact>,
}
