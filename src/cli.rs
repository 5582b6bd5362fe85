//! The command line: netstat's flags, turned into a [`Request`] of domain values. clap stops here.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, CommandFactory, FromArgMatches, Parser};

use crate::names::Naming;
use crate::query::{Query, Scope};
use crate::render::netstat::Layout;
use crate::socket::{Family, Protocol};
use crate::tables::Interface;
use crate::watch::Watch;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which sockets.
    pub query: Query,
    /// How they look.
    pub layout: Layout,
    /// How long all names together may take to be looked up.
    pub resolve_timeout: Duration,
    /// How often they are listed; none is once.
    pub watch: Option<Watch>,
    /// `-v`: say what else may be worth to know.
    pub verbose: bool,
    /// The /proc root.
    pub proc: PathBuf,
    /// How its tables are read.
    pub interface: Interface,
}

/// Reads the command line, the program's name first.
///
/// # Errors
///
/// What clap has to say instead, which is its own way to ask for: help, the version, or what is
/// wrong with the arguments.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    for &(short, long, tool) in REFUSED {
        if matches.get_flag(long) {
            let short = short.map_or(String::new(), |short| format!("-{short}, "));
            return Err(refusal(&format!("{short}--{long}"), tool));
        }
    }
    Request::try_from(Arguments::from_arg_matches(&matches)?)
}

/// netstat's modes that are not about these sockets: short option, long option, the tool to use.
const REFUSED: &[(Option<char>, &str, &str)] = &[
    (Some('r'), "route", "ip route"),
    (Some('F'), "fib", "ip route"),
    (Some('C'), "cache", "ip route show cache"),
    (Some('i'), "interfaces", "ip -s link"),
    (Some('g'), "groups", "ip maddress"),
    (Some('s'), "statistics", "nstat -az"),
    (Some('M'), "masquerade", "conntrack -L"),
    (Some('S'), "sctp", "ss -S"),
    (Some('Z'), "context", "ss -Z"),
    (None, "ax25", NET_TOOLS),
    (None, "ipx", NET_TOOLS),
    (None, "ddp", NET_TOOLS),
    (None, "netrom", NET_TOOLS),
    (None, "rose", NET_TOOLS),
    (None, "x25", NET_TOOLS),
    (None, "econet", NET_TOOLS),
    (None, "ash", NET_TOOLS),
    (None, "bluetooth", NET_TOOLS),
    (Some('2'), "l2cap", NET_TOOLS),
    (Some('f'), "rfcomm", NET_TOOLS),
];

/// Who still knows the protocols that Linux has given up, or is about to.
const NET_TOOLS: &str = "the netstat of net-tools";

fn refusal(option: &str, tool: &str) -> clap::Error {
    let message = format!("{option} is not for rnetstat, which lists sockets: use {tool}\n");
    clap::Error::raw(ErrorKind::UnknownArgument, message)
}

fn command() -> clap::Command {
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
#[expect(clippy::struct_excessive_bools, reason = "netstat's flags are switches")]
struct Arguments {
    /// TCP sockets; without -t -u -U -w -x, all of these
    #[arg(short, long)]
    tcp: bool,

    /// UDP sockets
    #[arg(short, long)]
    udp: bool,

    /// UDP-Lite sockets
    #[arg(short = 'U', long)]
    udplite: bool,

    /// Raw sockets
    #[arg(short = 'w', long)]
    raw: bool,

    /// UNIX sockets
    #[arg(short = 'x', long)]
    unix: bool,

    /// Sockets in every state: those of servers, and those with a peer
    #[arg(short, long)]
    all: bool,

    /// Sockets of servers: those without a peer
    #[arg(short, long)]
    listening: bool,

    /// Numbers for hosts, ports and users, not names
    #[arg(short, long)]
    numeric: bool,

    /// Numbers for hosts
    #[arg(long)]
    numeric_hosts: bool,

    /// Numbers for ports
    #[arg(long)]
    numeric_ports: bool,

    /// Numbers for users
    #[arg(long)]
    numeric_users: bool,

    /// How long all names together may take; then numbers are shown
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    resolve_timeout: Duration,

    /// The process that holds each socket, as PID/name
    #[arg(short, long)]
    programs: bool,

    /// The user who opened each socket, and its inode
    #[arg(short, long)]
    extend: bool,

    /// The timer of each socket: its seconds, retransmits and probes
    #[arg(short = 'o', long)]
    timers: bool,

    /// IPv4 sockets; without -4 or -6, both
    #[arg(short = '4', long, alias = "ip")]
    inet: bool,

    /// IPv6 sockets
    #[arg(short = '6', long)]
    inet6: bool,

    /// Sockets of these families: inet, inet6, unix
    #[arg(short = 'A', long, value_name = "FAMILY", value_delimiter = ',')]
    protocol: Vec<String>,

    /// Whole addresses, however long
    #[arg(short = 'W', visible_short_alias = 'T', long, alias = "notrim")]
    wide: bool,

    /// List again each second, until interrupted
    #[arg(short, long)]
    continuous: bool,

    /// With -c, the pause between two listings
    #[arg(long, value_name = "SECONDS", default_value = "1", requires = "continuous",
          value_parser = seconds)]
    interval: Duration,

    /// With -c, how many listings there are
    #[arg(long, value_name = "N", requires = "continuous")]
    count: Option<u64>,

    /// Say also which tables this kernel does not have
    #[arg(short, long)]
    verbose: bool,

    /// netstat's, for hardware addresses; there are none here
    #[arg(short = 'N', long, hide = true)]
    symbolic: bool,

    /// Where the kernel's /proc is, or a copy of it; /proc if not given
    #[arg(long, value_name = "DIR")]
    proc: Option<PathBuf>,

    /// How the tables are read: as text, by netlink, or by whichever pays
    #[arg(long, value_name = "SOURCE", default_value = "auto", value_parser = interfaces())]
    source: Interface,
}

/// The kernel's interfaces, by their names.
fn interfaces() -> impl TypedValueParser<Value = Interface> {
    PossibleValuesParser::new(["auto", "proc", "netlink"]).map(|name| match name.as_str() {
        "proc" => Interface::Proc,
        "netlink" => Interface::Netlink,
        _ => Interface::Auto,
    })
}

/// How the tables are read: netlink knows this host alone, and timers otherwise than the text.
fn interface(arguments: &Arguments) -> Result<Interface, clap::Error> {
    let unfit = if arguments.proc.is_some() {
        "asks the kernel of this host, and --proc DIR reads the tables of another"
    } else if arguments.timers {
        "does not tell timers as -o shows them"
    } else {
        return Ok(arguments.source);
    };
    if arguments.source == Interface::Netlink {
        let message = format!("--source netlink {unfit}: use --source proc\n");
        return Err(clap::Error::raw(ErrorKind::ArgumentConflict, message));
    }
    Ok(Interface::Proc)
}

/// A number of seconds, perhaps with a fraction.
fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "a number of seconds is wanted, such as 2 or 0.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

impl TryFrom<Arguments> for Request {
    type Error = clap::Error;

    fn try_from(arguments: Arguments) -> Result<Self, Self::Error> {
        let interface = interface(&arguments)?;
        let Arguments { mut inet, mut inet6, mut unix, numeric, .. } = arguments;
        for family in &arguments.protocol {
            match family.as_str() {
                "inet" | "ip" => inet = true,
                "inet6" => inet6 = true,
                "unix" => unix = true,
                other
                    if REFUSED
                        .iter()
                        .any(|&(_, long, tool)| long == other && tool == NET_TOOLS) =>
                {
                    return Err(refusal(&format!("-A {other}"), NET_TOOLS));
                }
                other => {
                    let message = format!(
                        "unknown address family '{other}': inet, inet6 and unix are known\n"
                    );
                    return Err(clap::Error::raw(ErrorKind::InvalidValue, message));
                }
            }
        }
        let mut protocols = given([
            (arguments.tcp, Protocol::Tcp),
            (arguments.udp, Protocol::Udp),
            (arguments.udplite, Protocol::UdpLite),
            (arguments.raw, Protocol::Raw),
        ]);
        let mut families = given([(inet, Family::Ipv4), (inet6, Family::Ipv6)]);
        if protocols.is_empty() && (!unix || !families.is_empty()) {
            unix |= families.is_empty();
            protocols = vec![Protocol::Tcp, Protocol::Udp, Protocol::UdpLite, Protocol::Raw];
        }
        if families.is_empty() {
            families = vec![Family::Ipv4, Family::Ipv6];
        }
        let scope = match (arguments.all, arguments.listening) {
            (true, _) => Scope::All,
            (false, true) => Scope::Listening,
            (false, false) => Scope::Connected,
        };
        let layout = Layout {
            scope,
            wide: arguments.wide,
            extended: arguments.extend,
            programs: arguments.programs,
            timers: arguments.timers,
            naming: Naming {
                hosts: !(numeric || arguments.numeric_hosts),
                ports: !(numeric || arguments.numeric_ports),
                users: arguments.extend && !(numeric || arguments.numeric_users),
            },
        };
        let watch = Watch { interval: arguments.interval, count: arguments.count };
        Ok(Self {
            query: Query { protocols, families, unix, scope },
            layout,
            resolve_timeout: arguments.resolve_timeout,
            watch: arguments.continuous.then_some(watch),
            verbose: arguments.verbose,
            proc: arguments.proc.unwrap_or_else(|| PathBuf::from("/proc")),
            interface,
        })
    }
}

/// The values whose flags are given.
fn given<T: Copy, const N: usize>(flags: [(bool, T); N]) -> Vec<T> {
    flags.into_iter().filter_map(|(given, value)| given.then_some(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Request {
        parse(line.split(' ').map(OsString::from)).unwrap()
    }

    #[test]
    fn the_grammar_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn flags_bundle_in_any_order_and_have_long_forms() {
        let expected = request("rnetstat -t -u -a -n -p");
        for line in [
            "rnetstat -tuanp",
            "rnetstat -panut",
            "rnetstat -ttuuaannpp",
            "rnetstat --tcp --udp --all --numeric --programs",
            "rnetstat --program --numeric -tu --all",
        ] {
            assert_eq!(request(line), expected, "{line}");
        }
        assert_eq!(expected.query.protocols, [Protocol::Tcp, Protocol::Udp]);
        assert_eq!(expected.query.families, [Family::Ipv4, Family::Ipv6]);
        assert!(expected.layout.programs && !expected.layout.wide);
    }

    #[test]
    fn all_wins_over_listening() {
        for (line, scope) in [
            ("rnetstat -t", Scope::Connected),
            ("rnetstat -l", Scope::Listening),
            ("rnetstat -a", Scope::All),
            ("rnetstat -al", Scope::All),
            ("rnetstat -la", Scope::All),
        ] {
            assert_eq!(request(line).query.scope, scope, "{line}");
            assert_eq!(request(line).layout.scope, scope, "{line}");
        }
    }

    #[test]
    fn families_and_wide_addresses() {
        for (line, families) in [
            ("rnetstat -4", &[Family::Ipv4][..]),
            ("rnetstat --inet", &[Family::Ipv4]),
            ("rnetstat -6t", &[Family::Ipv6]),
            ("rnetstat --inet6", &[Family::Ipv6]),
            ("rnetstat -46", &[Family::Ipv4, Family::Ipv6]),
        ] {
            assert_eq!(request(line).query.families, families, "{line}");
        }
        for line in ["rnetstat -W", "rnetstat -T", "rnetstat --wide", "rnetstat --notrim"] {
            assert!(request(line).layout.wide, "{line}");
        }
    }

    #[test]
    fn a_bad_option_is_refused() {
        for line in ["rnetstat -z", "rnetstat --nosuch", "rnetstat -t extra", "rnetstat --proc"] {
            let error = parse(line.split(' ').map(OsString::from)).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
