//! The command line: netstat's flags and more, turned into a [`Request`] of domain values. clap
//! stops here.

mod arguments;
mod generate;
mod refused;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use nix::unistd::{Gid, Uid};
use rustix::thread::{CapabilitySet, capabilities};

use crate::listing::Order;
use crate::names::{self, Naming, UserError};
use crate::namespaces::Wanted;
use crate::query::{Filter, HeldBy, Query, Scope};
use crate::render::{Format, Look};
use crate::socket::{Family, Protocol};
use crate::tables::Interface;
use arguments::{Arguments, command};
pub use generate::Artefact;
use refused::{NET_TOOLS, REFUSED, refusal};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// To list sockets.
    List(Box<Request>),
    /// To write what is made of the grammar.
    Generate(Artefact),
}

/// Which sockets are asked for, and how they are to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which sockets.
    pub query: Query,
    /// In which order.
    pub order: Order,
    /// How they look.
    pub look: Look,
    /// When there are colours.
    pub color: Color,
    /// In which namespaces; none is this process's own.
    pub netns: Option<Wanted>,
    /// How long all names together may take to be looked up.
    pub resolve_timeout: Duration,
    /// How often they are listed.
    pub repeat: Repeat,
    /// `-v`: say what else may be worth to know.
    pub verbose: bool,
    /// The /proc root.
    pub proc: PathBuf,
    /// How its tables are read.
    pub interface: Interface,
    /// Whether the kernel may be asked by netlink for what its tables do not have.
    pub netlink: bool,
}

/// How often sockets are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Once.
    Once,
    /// Again and again.
    Watch(Watch),
    /// Once, as soon as there are any, or this time is over.
    Wait(Option<Duration>),
}

/// How often to list, and how many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The pause between two listings.
    pub interval: Duration,
    /// How many listings there are; none is no end.
    pub count: Option<u64>,
}

/// When there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    /// Whatever it is written to.
    Always,
    /// Not at all.
    Never,
}

/// Reads the command line, the program's name first.
///
/// # Errors
///
/// What clap has to say instead, which is its own way to ask for: help, the version, or what is
/// wrong with the arguments.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    for &(short, long, tool) in REFUSED {
        if matches.get_flag(long) {
            let short = short.map_or(String::new(), |short| format!("-{short}, "));
            return Err(refusal(&format!("{short}--{long}"), tool));
        }
    }
    let arguments = Arguments::from_arg_matches(&matches)?;
    match arguments.generate {
        Some(artefact) => Ok(Task::Generate(artefact)),
        None => Request::try_from(arguments).map(|request| Task::List(Box::new(request))),
    }
}

/// Whether the program file gives this process rights that its caller does not have: capabilities,
/// or another user or group.
fn may_more_than_its_caller() -> bool {
    let is_other = Uid::current() != Uid::effective() || Gid::current() != Gid::effective();
    let has_any =
        || capabilities(None).map_or(true, |sets| sets.effective != CapabilitySet::empty());
    is_other || !Uid::current().is_root() && has_any()
}

/// How the tables are read: netlink knows this process's own namespace alone, and timers otherwise
/// than the text.
fn interface(arguments: &Arguments) -> Result<Interface, clap::Error> {
    let unfit = if arguments.proc.is_some() {
        "asks the kernel of this host, and --proc DIR reads the tables of another"
    } else if arguments.timers {
        "does not tell timers as -o shows them"
    } else if arguments.netns.is_some() {
        "asks for the sockets of one network namespace, and --netns for those of others"
    } else {
        return Ok(match arguments.source {
            // Records have timers as well.
            Interface::Auto if arguments.format.is_for_programs() => Interface::ProcFirst,
            source => source,
        });
    };
    if arguments.source == Interface::Netlink {
        let message = format!("--source netlink {unfit}: use --source proc\n");
        return Err(clap::Error::raw(ErrorKind::ArgumentConflict, message));
    }
    let is_elsewhere = arguments.proc.is_some() || arguments.source == Interface::Proc;
    Ok(if is_elsewhere { Interface::Proc } else { Interface::ProcFirst })
}

impl TryFrom<Arguments> for Request {
    type Error = clap::Error;

    fn try_from(arguments: Arguments) -> Result<Self, Self::Error> {
        if arguments.proc.is_some() && may_more_than_its_caller() {
            let message = "--proc DIR is not for a program that has capabilities of its own: it would \
                           read what its caller may not\n";
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, message));
        }
        let interface = interface(&arguments)?;
        let (protocols, families, mut unix) = sorts(&arguments)?;
        let numeric = arguments.numeric;
        let filter = Filter {
            users: users(&arguments.user, arguments.resolve_timeout)?,
            ports: arguments.port,
            local_ports: arguments.sport,
            remote_ports: arguments.dport,
            networks: arguments.address,
            states: arguments.state,
        };
        if filter.is_about_internet() {
            if protocols.is_empty() {
                let message = "UNIX sockets have no ports, no addresses and no users to look for: use \
                               --pid, --program or --state\n";
                return Err(clap::Error::raw(ErrorKind::ArgumentConflict, message));
            }
            unix = false;
        }
        let programs = arguments.program.iter().map(|text| text.to_lowercase()).collect();
        let held_by = HeldBy { pids: arguments.pid, programs };
        let mut query = Query { protocols, families, unix, scope: Scope::All, filter, held_by };
        query.scope = if arguments.all {
            Scope::All
        } else if arguments.listening {
            Scope::Listening
        } else if query.has_filters() {
            Scope::All
        } else {
            Scope::Connected
        };
        let look = Look {
            format: arguments.format,
            scope: query.scope,
            internet: !query.protocols.is_empty(),
            unix: query.unix,
            header: !arguments.no_header,
            empty_sections: !query.has_filters(),
            wide: arguments.wide,
            extended: arguments.extend,
            programs: arguments.programs || !query.held_by.is_empty(),
            timers: arguments.timers,
            peers: arguments.peers,
            namespaces: arguments.netns.is_some(),
            time: arguments.continuous,
            naming: Naming {
                hosts: !(numeric || arguments.numeric_hosts),
                ports: !(numeric || arguments.numeric_ports),
                users: (arguments.extend || arguments.format != Format::Netstat)
                    && !(numeric || arguments.numeric_users),
            },
        };
        let watch = Watch { interval: arguments.interval, count: arguments.count };
        Ok(Self {
            query,
            order: Order(arguments.sort),
            look,
            color: arguments.color,
            netns: arguments.netns.map(|wanted| match wanted.as_str() {
                "all" => Wanted::All,
                _ => Wanted::One(wanted),
            }),
            resolve_timeout: arguments.resolve_timeout,
            repeat: match arguments.wait {
                Some(limit) => Repeat::Wait(limit),
                None if arguments.continuous => Repeat::Watch(watch),
                None => Repeat::Once,
            },
            verbose: arguments.verbose,
            netlink: arguments.proc.is_none() && arguments.source != Interface::Proc,
            proc: arguments.proc.unwrap_or_else(|| PathBuf::from("/proc")),
            interface,
        })
    }
}

/// The numbers of users that are named, or numbered.
fn users(wanted: &[String], deadline: Duration) -> Result<Vec<u32>, clap::Error> {
    let number = |user: &String| {
        names::user(user, deadline).map_err(|error| {
            let message = match error {
                UserError::Unknown => format!(
                    "there is no user '{user}': --user takes a name that this host knows, or a number\n"
                ),
                UserError::Late => format!(
                    "the number of user '{user}' is not known after {deadline:?}: --user takes numbers, \
                     and --resolve-timeout SECONDS waits longer\n"
                ),
            };
            clap::Error::raw(ErrorKind::InvalidValue, message)
        })
    };
    wanted.iter().map(number).collect()
}

/// The protocols and families of internet sockets that are asked for, and whether UNIX sockets are.
fn sorts(arguments: &Arguments) -> Result<(Vec<Protocol>, Vec<Family>, bool), clap::Error> {
    let Arguments { mut inet, mut inet6, mut unix, .. } = *arguments;
    for family in &arguments.protocol {
        match family.as_str() {
            "inet" | "ip" => inet = true,
            "inet6" => inet6 = true,
            "unix" => unix = true,
            other if REFUSED.iter().any(|&(_, long, tool)| long == other && tool == NET_TOOLS) => {
                return Err(refusal(&format!("-A {other}"), NET_TOOLS));
            }
            other => {
                let message =
                    format!("unknown address family '{other}': inet, inet6 and unix are known\n");
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
    Ok((protocols, families, unix))
}

/// The values whose flags are given.
fn given<T: Copy, const N: usize>(flags: [(bool, T); N]) -> Vec<T> {
    flags.into_iter().filter_map(|(given, value)| given.then_some(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Request {
        match parse(line.split(' ').map(OsString::from)).unwrap() {
            Task::List(request) => *request,
            Task::Generate(artefact) => panic!("{artefact:?}"),
        }
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
            "rnetstat --tc --udp --al --numeric --programs",
        ] {
            assert_eq!(request(line), expected, "{line}");
        }
        assert_eq!(expected.query.protocols, [Protocol::Tcp, Protocol::Udp]);
        assert_eq!(expected.query.families, [Family::Ipv4, Family::Ipv6]);
        assert!(expected.look.programs && !expected.look.wide);
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
            assert_eq!(request(line).look.scope, scope, "{line}");
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
            assert!(request(line).look.wide, "{line}");
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
