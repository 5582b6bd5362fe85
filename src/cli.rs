//! The command line: netstat's flags, turned into a [`Request`] of domain values. clap stops here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

use crate::query::{Query, Scope};
use crate::render::netstat::Layout;
use crate::socket::{Family, Protocol};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which sockets.
    pub query: Query,
    /// How they look.
    pub layout: Layout,
    /// The /proc root.
    pub proc: PathBuf,
}

/// Reads the command line, the program's name first.
///
/// # Errors
///
/// What clap has to say instead, which is its own way to ask for: help, the version, or what is
/// wrong with the arguments.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, clap::Error> {
    Arguments::try_parse_from(arguments).map(Request::from)
}

/// List the sockets of this host, and with -p the processes that hold them, as netstat does.
#[derive(Parser)]
#[command(version, args_override_self = true, infer_long_args = true, max_term_width = 100)]
#[expect(clippy::struct_excessive_bools, reason = "netstat's flags are switches")]
struct Arguments {
    /// TCP sockets; without -t or -u, both
    #[arg(short, long)]
    tcp: bool,

    /// UDP sockets
    #[arg(short, long)]
    udp: bool,

    /// Sockets in every state: those of servers, and those with a peer
    #[arg(short, long)]
    all: bool,

    /// Sockets of servers: those without a peer
    #[arg(short, long)]
    listening: bool,

    /// Numbers for hosts and ports, not names
    #[arg(short, long)]
    numeric: bool,

    /// The process that holds each socket, as PID/name
    #[arg(short, long)]
    programs: bool,

    /// IPv4 sockets; without -4 or -6, both
    #[arg(short = '4', long)]
    inet: bool,

    /// IPv6 sockets
    #[arg(short = '6', long)]
    inet6: bool,

    /// Whole addresses, however long
    #[arg(short = 'W', visible_short_alias = 'T', long, alias = "notrim")]
    wide: bool,

    /// Where the kernel's /proc is, or a copy of it
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    proc: PathBuf,
}

impl From<Arguments> for Request {
    fn from(arguments: Arguments) -> Self {
        let scope = match (arguments.all, arguments.listening) {
            (true, _) => Scope::All,
            (false, true) => Scope::Listening,
            (false, false) => Scope::Connected,
        };
        let protocols = chosen([(arguments.tcp, Protocol::Tcp), (arguments.udp, Protocol::Udp)]);
        let families = chosen([(arguments.inet, Family::Ipv4), (arguments.inet6, Family::Ipv6)]);
        Self {
            query: Query { protocols, families, scope },
            layout: Layout { scope, wide: arguments.wide, programs: arguments.programs },
            proc: arguments.proc,
        }
    }
}

/// The values whose flags are given; all of them when none is.
fn chosen<T: Copy, const N: usize>(flags: [(bool, T); N]) -> Vec<T> {
    let none = flags.iter().all(|&(given, _)| !given);
    flags.into_iter().filter(|&(given, _)| given || none).map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn request(line: &str) -> Request {
        parse(line.split(' ').map(OsString::from)).unwrap()
    }

    #[test]
    fn the_grammar_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn flags_bundle_in_any_order_and_have_long_forms() {
        let expected = request("rnetstat -t -u -a -n -p");
        for line in [
            "rnetstat -tuanp",
            "rnetstat -panut",
            "rnetstat -ttuuaannpp",
            "rnetstat --tcp --udp --all --numeric --programs",
            "rnetstat --prog --num -tu --all",
            "rnetstat -anp",
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
