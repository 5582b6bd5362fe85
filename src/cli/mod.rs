//! The command line: netstat's options and our own, parsed into a [`Request`]. Parsing does no
//! look-ups and no system calls. No other module uses clap.

mod arguments;
mod filters;
mod generate;
mod groups;
mod help;
mod kinds;
mod legend;
mod refused;
mod values;

use std::ffi::OsString;
use std::time::Duration;

use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::fields::{Field, Grouping, Order};
use crate::names::Naming;
use crate::namespaces::Selection;
use crate::query::{AskedCondition, Condition, Query};
use crate::remark::Remark;
use crate::request::{Columns, Format, Look, Repeat, Request, Rounds};

use arguments::{Arguments, command};
pub use filters::word;
pub use help::Help;
use refused::{REFUSED, refusal};
pub use values::Artefact;

/// The default of `--resolve-timeout`.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// What to do.
#[derive(Clone, Debug)]
pub enum Task {
    /// List sockets.
    List(Box<Request>),
    /// Print the completions for a shell, the manual page, or the JSON Schema.
    Generate(Artefact),
    /// Print the help.
    Help(Help),
    /// Print the version.
    Print(String),
}

/// Parses the command line, which begins with the name of the program.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, Remark> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    if let Some(remark) = time_after_space(&arguments) {
        return Err(remark);
    }
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return Err(usage(error)),
        Err(help) if help.kind() == ErrorKind::DisplayHelp => {
            return Ok(Task::Help(Help::asked(&help.to_string())));
        }
        Err(version) => return Ok(Task::Print(version.to_string())),
    };
    for &(short, long, tool) in REFUSED {
        if matches.get_flag(long) {
            let short = short.map_or(String::new(), |short| format!("-{short}, "));
            return Err(refusal(format!("{short}--{long}"), tool));
        }
    }
    let arguments =
        Arguments::from_arg_matches(&matches).map_err(|error| Remark::Usage(error.to_string()))?;
    match arguments.generate {
        Some(artefact) => Ok(Task::Generate(artefact)),
        None => Request::try_from(arguments).map(|request| Task::List(Box::new(request))),
    }
}

/// Returns the error without a suggestion to use an option that is refused.
fn usage(mut error: clap::Error) -> Remark {
    let is_refused = |suggested: &ContextValue| match suggested {
        ContextValue::String(option) => {
            REFUSED.iter().any(|(_, long, _)| option.trim_start_matches('-') == *long)
        }
        _ => false,
    };
    if error.get(ContextKind::SuggestedArg).is_some_and(is_refused) {
        error.remove(ContextKind::SuggestedArg);
    }
    Remark::Usage(error.to_string())
}

/// Returns an error if a number follows `--wait` or `--wait-gone`: it could be a time or a port.
fn time_after_space(arguments: &[OsString]) -> Option<Remark> {
    let words: Vec<_> =
        arguments.iter().take_while(|it| *it != "--").filter_map(|it| it.to_str()).collect();
    words.windows(2).find_map(|pair| match pair {
        [option @ ("--wait" | "--wait-gone"), number] if values::seconds(number).is_ok() => {
            let (option, number) = ((*option).to_owned(), (*number).to_owned());
            Some(Remark::TimeOrPort { option, number })
        }
        _ => None,
    })
}

impl TryFrom<Arguments> for Request {
    type Error = Remark;

    fn try_from(arguments: Arguments) -> Result<Self, Remark> {
        let conditions = filters::conditions(&arguments);
        let query = kinds::query(&arguments, &conditions, format(&arguments))?;
        let grouping = groups::grouping(&arguments)?;
        let look = look(&arguments, grouping, &query, &conditions);
        if look.format == Format::Openmetrics && look.grouping.is_none() {
            return Err(Remark::MetricsWithoutGroup);
        }
        if look.format == Format::Netstat && look.grouping.is_some() {
            return Err(Remark::GroupWithNetstat);
        }
        if look.format == Format::Openmetrics && look.is_continuous {
            return Err(Remark::MetricsRepeated);
        }
        let mut chosen = arguments.columns.iter().chain(&arguments.sort).map(|&(field, _)| field);
        if let Some(field) = chosen.find(|field| field.needs_repeat())
            && !look.is_continuous
        {
            return Err(Remark::NeedsRepeat(field.key));
        }
        if arguments.columns.iter().skip(1).any(|&(_, is_added)| is_added)
            && arguments.columns.first().is_some_and(|&(_, is_added)| !is_added)
        {
            return Err(Remark::LatePlus);
        }
        let has_columns = matches!(look.format, Format::Table | Format::Csv);
        if !arguments.columns.is_empty() && !has_columns && look.grouping.is_none() {
            return Err(Remark::ColumnsWithoutTable);
        }
        let order = match look.format {
            _ if look.grouping.is_some() => Order::Kernel,
            _ if !arguments.sort.is_empty() => Order::Fields(arguments.sort),
            Format::Table => Order::People,
            _ => Order::Kernel,
        };
        let count = if arguments.continuous { arguments.count } else { Some(1) };
        let rounds = Rounds { interval: arguments.interval, count };
        Ok(Self {
            query,
            conditions,
            order,
            look,
            color: arguments.color,
            pager: !arguments.no_pager,
            netns: arguments.netns.map(|wanted| match wanted.as_str() {
                "all" => Selection::All,
                _ => Selection::One(wanted),
            }),
            resolve_timeout: arguments.resolve_timeout.unwrap_or(RESOLVE_TIMEOUT),
            repeat: match (arguments.wait, arguments.wait_gone) {
                (Some(limit), _) => Repeat::Wait(limit),
                (None, Some(limit)) => Repeat::WaitGone(limit),
                (None, None) => Repeat::Rounds(rounds),
            },
            verbose: arguments.verbose,
            proc: arguments.proc,
            source: arguments.source,
            saved_order: arguments.byte_order,
            sandbox: !arguments.no_sandbox,
        })
    }
}

/// Returns the format: the requested one, the table for a search, else netstat's.
fn format(arguments: &Arguments) -> Format {
    let Arguments { table, json, jsonl, csv, extend, timers, wide, .. } = *arguments;
    let is_netstats = extend || timers || wide;
    let is_search = !arguments.words.is_empty();
    let needs_table = !arguments.columns.is_empty() || !arguments.group.is_empty();
    let shortcuts = [
        (table, Format::Table),
        (json, Format::Json),
        (jsonl, Format::Jsonl),
        (csv, Format::Csv),
        (needs_table || is_search && !is_netstats, Format::Table),
    ];
    let short = shortcuts.into_iter().find_map(|(is_given, format)| is_given.then_some(format));
    arguments.format.or(short).unwrap_or(Format::Netstat)
}

/// Returns these fields, each once: records cannot have one twice.
fn once(fields: impl Iterator<Item = &'static Field>) -> Vec<&'static Field> {
    let mut all: Vec<&'static Field> = Vec::new();
    for field in fields {
        if !all.contains(&field) {
            all.push(field);
        }
    }
    all
}

fn columns(arguments: &Arguments) -> Columns {
    let fields = once(arguments.columns.iter().map(|&(field, _)| field));
    match arguments.columns.first() {
        None | Some((_, true)) => Columns::UsualAnd(fields),
        Some((_, false)) => Columns::Only(fields),
    }
}

fn look(
    arguments: &Arguments,
    grouping: Option<Grouping>,
    query: &Query,
    conditions: &[AskedCondition],
) -> Look {
    let Arguments { numeric, numeric_hosts, numeric_ports, numeric_users, .. } = *arguments;
    let format = format(arguments);
    let shows_users = arguments.extend || format != Format::Netstat;
    let lists_for_people = format == Format::Table && arguments.group.is_empty();
    let shows_programs = arguments.programs
        || arguments.program.iter().any(Option::is_none)
        || !arguments.words.is_empty()
        || conditions.iter().any(Condition::is_about_owners);
    // The resolver of this host may know nothing about the hosts of another one.
    let hosts = !(numeric || numeric_hosts)
        && (arguments.proc.is_none() || arguments.resolve_timeout.is_some());
    Look {
        format,
        scope: query.scope,
        sections: query.sections(),
        header: !arguments.no_header,
        empty_sections: conditions.is_empty(),
        wide: arguments.wide,
        extended: arguments.extend,
        programs: shows_programs,
        timers: arguments.timers,
        peers: arguments.peers,
        namespaces: arguments.netns.is_some(),
        is_continuous: arguments.continuous,
        changes: arguments.changes,
        columns: columns(arguments),
        naming: Naming {
            hosts: hosts && (grouping.is_none() || format == Format::Table),
            // With any of these options, netstat shows the hosts of SCTP as numbers.
            sctp_hosts: hosts && !(format == Format::Netstat && (numeric_ports || numeric_users)),
            ports: !(numeric || numeric_ports),
            // In a table for people, numbers of users only hide who it is.
            users: shows_users && !(numeric && !lists_for_people || numeric_users),
        },
        grouping,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Scope;

    fn request(line: &str) -> Request {
        match parse(line.split(' ').map(OsString::from)).unwrap() {
            Task::List(request) => *request,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the names of the selected kinds.
    fn names(request: &Request) -> String {
        request.query.kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn grammar_passes_claps_checks() {
        command().debug_assert();
    }

    #[test]
    fn flags_can_be_bundled_reordered_and_written_out() {
        let expected = request("rnetstat -t -u -a -n -p");
        for line in [
            "rnetstat -tuanp",
            "rnetstat -panut",
            "rnetstat -ttuuaannpp",
            "rnetstat --tcp --udp --all --numeric --programs",
            "rnetstat --tc --udp --al --numeric --programs",
        ] {
            assert_eq!(format!("{:?}", request(line)), format!("{expected:?}"), "{line}");
        }
        assert_eq!(names(&expected), "tcp tcp6 udp udp6");
        assert!(expected.look.programs && !expected.look.wide);
    }

    #[test]
    fn option_all_overrides_option_listening() {
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
    fn flags_select_kinds() {
        const INET: &str = "tcp tcp6 sctp sctp udp udp6 udpl udpl6 raw raw6";
        const WITH_PORTS: &str =
            "tcp tcp6 mptcp mptcp6 sctp sctp udp udp6 udpl udpl6 icmp icmp6 vsock";
        const SEARCH: &str = "tcp tcp6 mptcp mptcp6 sctp sctp udp udp6 udpl udpl6 raw raw6 icmp icmp6 \
                              unix packet netlink vsock";
        for (line, expected) in [
            ("rnetstat", &format!("{INET} unix")[..]),
            ("rnetstat -t", "tcp tcp6"),
            ("rnetstat -Uw", "udpl udpl6 raw raw6"),
            ("rnetstat -x", "unix"),
            ("rnetstat -tx", "tcp tcp6 unix"),
            ("rnetstat -S", "sctp sctp"),
            ("rnetstat -4S", "sctp sctp"),
            ("rnetstat -6xS", "unix"),
            ("rnetstat -4", "tcp sctp sctp udp udpl raw"),
            ("rnetstat --inet", "tcp sctp sctp udp udpl raw"),
            ("rnetstat -6t", "tcp6"),
            ("rnetstat --inet6", "tcp6 udp6 udpl6 raw6"),
            ("rnetstat -46", INET),
            ("rnetstat -4x", "tcp sctp sctp udp udpl raw unix"),
            ("rnetstat -A inet6,unix", "tcp6 udp6 udpl6 raw6 unix"),
            ("rnetstat --icmp", "icmp icmp6"),
            ("rnetstat --mptcp -4", "mptcp"),
            ("rnetstat -A packet,netlink", "packet netlink"),
            ("rnetstat -tA vsock", "tcp tcp6 vsock"),
            ("rnetstat -A all", &format!("{SEARCH} other")),
            // A search finds what netstat does not list; a family or a protocol limits it.
            ("rnetstat --json", SEARCH),
            ("rnetstat --state listen", SEARCH),
            ("rnetstat --port 80", WITH_PORTS),
            ("rnetstat --port ^80", WITH_PORTS),
            ("rnetstat 5000", WITH_PORTS),
            (
                "rnetstat --address ::1",
                &WITH_PORTS.replace("icmp icmp6 vsock", "raw raw6 icmp icmp6"),
            ),
            ("rnetstat --user root", &format!("{SEARCH} other")),
            ("rnetstat receiver.py", &format!("{SEARCH} other")),
            ("rnetstat --pid 1 --table", &format!("{SEARCH} other")),
            ("rnetstat -tx --address ::1", "tcp tcp6"),
            ("rnetstat -46 --json", INET),
            ("rnetstat -u receiver.py", "udp udp6"),
        ] {
            assert_eq!(names(&request(line)), expected, "{line}");
        }
    }

    #[test]
    fn source_text_is_also_called_proc() {
        for line in ["rnetstat --source text", "rnetstat --source proc"] {
            assert_eq!(request(line).source, crate::tables::policy::Source::Text, "{line}");
        }
    }

    #[test]
    fn wide_has_four_names() {
        for line in ["rnetstat -W", "rnetstat -T", "rnetstat --wide", "rnetstat --notrim"] {
            assert!(request(line).look.wide, "{line}");
        }
    }

    #[test]
    fn unknown_options_and_arguments_are_rejected() {
        for line in [
            "rnetstat -z",
            "rnetstat --nosuch",
            "rnetstat -t 70000",
            "rnetstat --children",
            "rnetstat --json --csv",
            "rnetstat --proc",
        ] {
            let parsed = parse(line.split(' ').map(OsString::from));
            assert!(matches!(parsed, Err(Remark::Usage(_))), "{line}: {parsed:?}");
        }
    }
}
