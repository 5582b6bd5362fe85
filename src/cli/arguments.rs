//! The grammar of the command line.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, CommandFactory, Parser};

use super::Color;
use super::generate::{ARTEFACTS, Artefact};
use super::refused::REFUSED;
use super::values::{COLORS, FORMATS, SOURCES, choice, key, network, pid, ports, seconds, state};
use crate::listing::Key;
use crate::process::Pid;
use crate::query::Network;
use crate::render::Format;
use crate::tables::Interface;

/// The sections of the help.
const FILTERS: &str = "Filters";
const LOOK: &str = "Look";
const MORE: &str = "More";

/// The grammar, with what it refuses.
pub(super) fn command() -> clap::Command {
    REFUSED.iter().fold(Arguments::command(), |command, &(short, long, _)| {
        let arg = Arg::new(long).long(long).action(ArgAction::SetTrue).hide(true);
        command.arg(match short {
            Some(short) => arg.short(short),
            None => arg,
        })
    })
}

/// List the sockets of this host, and with -p the processes that hold them, as netstat does.
#[derive(Parser)]
#[command(version, args_override_self = true, infer_long_args = true, max_term_width = 100)]
#[command(after_help = "Filters must all hold; values of one filter are alternatives.")]
#[expect(clippy::struct_excessive_bools, reason = "netstat's flags are switches")]
pub(super) struct Arguments {
    /// TCP sockets; without -t -u -U -w -x, all of these
    #[arg(short, long)]
    pub(super) tcp: bool,

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

    /// Sockets in every state: those of servers, and those with a peer
    #[arg(short, long)]
    pub(super) all: bool,

    /// Sockets of servers: those without a peer
    #[arg(short, long)]
    pub(super) listening: bool,

    /// Numbers for hosts, ports and users, not names
    #[arg(short, long)]
    pub(super) numeric: bool,

    /// Numbers for hosts
    #[arg(long)]
    pub(super) numeric_hosts: bool,

    /// Numbers for ports
    #[arg(long)]
    pub(super) numeric_ports: bool,

    /// Numbers for users
    #[arg(long)]
    pub(super) numeric_users: bool,

    /// How long all names together may take; then numbers are shown
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(super) resolve_timeout: Duration,

    /// The process that holds each socket, as PID/name
    #[arg(short, long)]
    pub(super) programs: bool,

    /// The user who opened each socket, and its inode
    #[arg(short, long)]
    pub(super) extend: bool,

    /// The timer of each socket: its seconds, retransmits and probes
    #[arg(short = 'o', long)]
    pub(super) timers: bool,

    /// IPv4 sockets; without -4 or -6, both
    #[arg(short = '4', long, alias = "ip")]
    pub(super) inet: bool,

    /// IPv6 sockets
    #[arg(short = '6', long)]
    pub(super) inet6: bool,

    /// Sockets of these families: inet, inet6, unix
    #[arg(short = 'A', long, value_name = "FAMILY", value_delimiter = ',')]
    pub(super) protocol: Vec<String>,

    /// Whole addresses, however long
    #[arg(short = 'W', visible_short_alias = 'T', long, alias = "notrim")]
    pub(super) wide: bool,

    /// List again each second, until interrupted
    #[arg(short, long)]
    pub(super) continuous: bool,

    /// With -c, the pause between two listings
    #[arg(long, value_name = "SECONDS", default_value = "1", requires = "continuous",
          value_parser = seconds)]
    pub(super) interval: Duration,

    /// With -c, how many listings there are
    #[arg(long, value_name = "N", requires = "continuous")]
    pub(super) count: Option<u64>,

    /// Say also which tables this kernel does not have
    #[arg(short, long)]
    pub(super) verbose: bool,

    /// netstat's, for hardware addresses; there are none here
    #[arg(short = 'N', long, hide = true)]
    pub(super) symbolic: bool,

    /// Only with this port at either end: a port, or a range such as 8000-8080; or several, with
    /// commas between them
    #[arg(long, value_name = "PORTS", value_delimiter = ',', value_parser = ports, help_heading = FILTERS)]
    pub(super) port: Vec<RangeInclusive<u16>>,

    /// Only with this port at this host's end
    #[arg(long, value_name = "PORTS", value_delimiter = ',', value_parser = ports, help_heading = FILTERS)]
    pub(super) sport: Vec<RangeInclusive<u16>>,

    /// Only with this port at the other end
    #[arg(long, value_name = "PORTS", value_delimiter = ',', value_parser = ports, help_heading = FILTERS)]
    pub(super) dport: Vec<RangeInclusive<u16>>,

    /// Only with this address, or one of this network, at either end
    #[arg(long, value_name = "ADDRESS[/PREFIX]", value_delimiter = ',', value_parser = network, help_heading = FILTERS)]
    pub(super) address: Vec<Network>,

    /// Only in this state, such as listen or established
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state, help_heading = FILTERS)]
    pub(super) state: Vec<&'static str>,

    /// Only opened by this user, by name or number
    #[arg(long, value_name = "USER", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new(), help_heading = FILTERS)]
    pub(super) user: Vec<String>,

    /// Only held by this process
    #[arg(long, value_name = "PID", value_delimiter = ',', value_parser = pid, help_heading = FILTERS)]
    pub(super) pid: Vec<Pid>,

    /// Only held by a process in whose command line this is, such as receiver.py
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), help_heading = FILTERS)]
    pub(super) program: Vec<String>,

    /// Wait until there is such a socket, but no longer than this if it is given
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, value_parser = seconds,
          conflicts_with_all = ["continuous", "interval", "count"], help_heading = FILTERS)]
    #[expect(clippy::option_option, reason = "with or without a value")]
    pub(super) wait: Option<Option<Duration>>,

    /// How it looks: as netstat's, as a table for people, or for programs
    #[arg(long, default_value = "netstat", value_parser = choice(&FORMATS), help_heading = LOOK)]
    pub(super) format: Format,

    /// In the order of these columns, downwards with a - before them
    #[arg(long, value_name = "KEYS", value_delimiter = ',', allow_hyphen_values = true, value_parser = key,
          help_heading = LOOK)]
    pub(super) sort: Vec<(Key, bool)>,

    /// Without the lines above the sockets
    #[arg(long, help_heading = LOOK)]
    pub(super) no_header: bool,

    /// When the table for people has colours
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = choice(&COLORS),
          help_heading = LOOK)]
    pub(super) color: Color,

    /// Who holds the other end, for connections within this host
    #[arg(long, help_heading = MORE)]
    pub(super) peers: bool,

    /// Other network namespaces: all of them, or that of a process, a name or a container
    #[arg(long, value_name = "all|NAME|PID", value_parser = NonEmptyStringValueParser::new(), help_heading = MORE)]
    pub(super) netns: Option<String>,

    /// Where the kernel's /proc is, or a copy of it; /proc if not given
    #[arg(long, help_heading = MORE, value_name = "DIR")]
    pub(super) proc: Option<PathBuf>,

    /// How the tables are read: as text, by netlink, or by whichever pays
    #[arg(long, help_heading = MORE, value_name = "SOURCE", default_value = "auto", value_parser = choice(&SOURCES))]
    pub(super) source: Interface,

    /// Write shell completions or the manual page on stdout, and do nothing else
    #[arg(long, value_name = "WHAT", value_parser = choice(&ARTEFACTS), help_heading = MORE)]
    pub(super) generate: Option<Artefact>,
}
