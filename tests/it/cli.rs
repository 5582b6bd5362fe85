//! Options, error messages, exit status, help, completions and the manual page.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::common::pty::Pty;
use crate::common::run::{RNETSTAT, RunCommand, rnetstat};
use crate::common::words;

#[test]
fn control_characters_in_arguments_are_replaced() {
    for flags in [&["-t", "--proc", "no\x1b[31m\nwhere"][..], &["-t", "--no\x1b[31m"]] {
        let run = rnetstat("").args(flags).run();
        assert_eq!(run.status, Some(2));
        let message = run.stderr;
        assert!(message.contains("no.[31m") && !message.contains('\x1b'), "{message:?}");
    }
}

#[test]
fn error_for_an_unsupported_option_or_family_says_what_to_use() {
    for (flag, message) in [
        ("-r", "-r, --route is not supported: use ip route"),
        ("--route", "-r, --route is not supported: use ip route"),
        ("-nr", "-r, --route is not supported: use ip route"),
        ("-i", "-i, --interfaces is not supported: use ip -s link"),
        ("-g", "-g, --groups is not supported: use ip maddress"),
        ("-s", "-s, --statistics is not supported: use nstat -az"),
        ("-M", "-M, --masquerade is not supported: use conntrack -L"),
        ("-F", "-F, --fib is not supported: use ip route"),
        ("-C", "-C, --cache is not supported: use ip route show cache"),
        (
            "-6S",
            "-6 selects no SCTP sockets, as in netstat: -S without -6 lists those of both families",
        ),
        ("-Z", "-Z, --context is not supported: use ss -Z"),
        ("-2", "-2, --l2cap is not supported: use the netstat of net-tools"),
        ("-f", "-f, --rfcomm is not supported: use the netstat of net-tools"),
        ("--ax25", "--ax25 is not supported: use the netstat of net-tools"),
        ("-Aipx", "-A ipx is not supported: use the netstat of net-tools"),
        (
            "-Afoo",
            "unknown address family 'foo': use inet, inet6, unix, packet, netlink, vsock or all",
        ),
        ("-an --limit 2 --sort -sport", "--limit needs --group: | head limits a listing"),
        (
            "-an --columns pid,+sport",
            "+ stands before the first key: --columns +KEY,KEY adds all of them",
        ),
        (
            "-anc --group state --format openmetrics",
            "--format openmetrics is one file, and -c would write several: run rnetstat again instead",
        ),
    ] {
        assert_eq!(rnetstat(flag).error(), format!("rnetstat: {message}\n"), "{flag}");
    }
}

#[test]
fn error_for_an_unsupported_family_refers_to_net_tools() {
    for family in ["ax25", "ipx", "ddp", "netrom", "rose", "x25", "econet", "ash", "bluetooth"] {
        for (flags, option) in [
            (format!("--{family}"), format!("--{family}")),
            (format!("-A inet,{family}"), format!("-A {family}")),
        ] {
            let message = "is not supported: use the netstat of net-tools";
            assert_eq!(rnetstat(&flags).error(), format!("rnetstat: {option} {message}\n"));
        }
    }
}

#[test]
fn bad_durations_and_counts_are_refused() {
    for flags in [
        "-t --resolve-timeout=-1",
        "-t --resolve-timeout=soon",
        "-tc --interval=nan",
        "-tc --interval=1e300",
    ] {
        let run = rnetstat(flags).run();
        assert_eq!(run.status, Some(2), "{flags}");
        let wanted = "expected a number of seconds, such as 2 or 0.5";
        assert!(run.stderr.contains(wanted), "{flags}: {}", run.stderr);
    }
    for flags in ["-t --count=3", "-t --interval=3", "-tc --count=-3"] {
        assert_eq!(rnetstat(flags).run().status, Some(2), "{flags}");
    }
}

#[test]
fn error_for_a_bad_value_says_what_is_accepted() {
    for (option, wanted) in [
        (
            "--port=0",
            "expected a port from 1 to 65535, a range such as 8000-8080, or a service such as ssh",
        ),
        ("--port=65536", "expected a port from 1 to 65535"),
        ("--sport=9-5", "expected a port from 1 to 65535"),
        ("--dport=no-such", "there is no service 'no-such': a port is a number, a range"),
        ("--dst=no-such.invalid", "there is no host 'no-such.invalid': an address is one such as"),
        ("70000", "expected a port from 1 to 65535"),
        ("^", "expected some text"),
        ("--unit=", "expected some text"),
        ("--program=", "expected some text"),
        ("--port=", "expected a port from 1 to 65535"),
        ("--port=80,", "expected a port from 1 to 65535"),
        ("--address=10.0.0.0/33", "expected an address, a network or a host, such as 10.1.2.3"),
        ("--src=10.0.0.1000", "expected an address"),
        ("--address=1.2.3", "expected an address"),
        ("--state=listn", "[possible values: established, syn_sent, "),
        ("--pid=0", "expected a PID, such as 4711"),
        ("--pid=-1", "expected a PID"),
        ("--sort=size", "[possible values: proto, type, state, recv-q, "),
        ("--sort=", "[possible values: proto, "),
        ("--format=xml", "[possible values: netstat, table, json, jsonl, csv, openmetrics]"),
        ("--color=yes", "[possible values: auto, always, never]"),
        ("--generate=tcsh", "[possible values: bash, zsh, fish, elvish, man, schema]"),
        ("--wait=soon", "expected a number of seconds, such as 2 or 0.5"),
        ("-c --interval=0", "expected a number of seconds, at least 0.01"),
        ("-c --interval=0.0099", "expected a number of seconds, at least 0.01"),
        ("-c --count=0", "expected a number of listings, at least 1"),
        ("-c --count=1.5", "expected a number of listings, at least 1"),
        (
            "--user=no\x1bsuch",
            "there is no user 'no.such': --user takes a name that this host knows",
        ),
    ] {
        let message = rnetstat("-t").args(option.split(' ')).error();
        assert!(message.contains(wanted), "{option}: {message}");
    }
}

#[test]
fn unknown_options_never_suggest_an_option_that_is_refused() {
    for (option, suggested) in [
        ("--rout2", None),
        ("--interfases", None),
        ("--statistix", None),
        ("--ipxx", None),
        ("--lisstening", Some("--listening")),
    ] {
        let message = rnetstat(option).error();
        let tip = message.split_once("similar argument exists: '").map(|(_, rest)| rest);
        let tip = tip.and_then(|rest| rest.split_once('\'')).map(|(tip, _)| tip);
        assert_eq!(tip, suggested, "{message}");
    }
}

#[test]
fn time_after_a_space_is_refused_because_it_could_be_a_port() {
    for option in ["--wait", "--wait-gone"] {
        let message = rnetstat("-tan").args([option, "10"]).error();
        assert!(message.contains(&format!("{option}=10 ")), "{message}");
        assert!(message.contains(&format!("{option} :10 ")), "{message}");
    }
}

#[test]
fn conflicting_options_are_refused() {
    for (flags, message) in [
        ("-c --wait", "cannot be used with"),
        ("-x --port=80", "none of the chosen kinds of sockets has what the filters ask for"),
        ("-A packet --address 1.2.3.4", "such as ports or addresses: use --user, --pid"),
        ("-x --src=^::1", "use --user, --pid, --program or --state"),
        ("--children", "--pid <PID>"),
        ("--changes", "--continuous"),
        ("--columns pid --json", "--columns is for the table and csv"),
        ("--group state -e", "cannot be used with"),
        ("--group state -o", "cannot be used with"),
        ("--group state -W", "cannot be used with"),
        ("--group state --sort pid", "rnetstat: pid cannot be added up: with --group, --columns"),
        (
            "--group state --columns +rtt",
            "--sort take recv-q, send-q, drops, retrans, lost, sent, received, rate-in, rate-out, and --sort the keys of --group\n",
        ),
        ("--group state --format netstat", "netstat's format has no counts"),
        ("--format openmetrics", "choose what to count with --group"),
        ("--group size", "[possible values: proto, "),
        ("--columns size", "[possible values: proto, "),
        ("--limit 3", "rnetstat: --limit needs --group: | head limits a listing\n"),
        (
            "--columns +rate-in",
            "rnetstat: rate-in needs -c: it is known from the second listing on\n",
        ),
        ("--group dst --sort -rate-out", "rnetstat: rate-out needs -c: it is known from"),
        ("--group state --limit 0", "expected a number of groups, at least 1"),
        ("-c --changes --group state", "cannot be used with"),
        ("--wait --wait-gone", "cannot be used with"),
        ("--json --table", "cannot be used with"),
        ("--format csv --table", "cannot be used with"),
        ("--interval=3 --wait", "cannot be used with"),
        ("--byte-order big", "--proc <DIR>"),
    ] {
        let found = rnetstat(flags).error();
        assert!(found.contains(message), "{flags}: {found}");
    }
}

#[test]
fn repeating_a_filter_is_like_a_list_and_a_user_name_is_like_its_uid() {
    let list = |flags: &str| {
        rnetstat(flags).args(["--proc", "fixtures/24-filters/proc", "-n"]).succeed().stdout
    };
    assert_eq!(list("--port 22 --port 53"), list("--port 22,53"));
    assert_eq!(list("--state listen --state syn_sent"), list("--state listen,syn_sent"));
    assert_eq!(list("--pid 100 --pid 400"), list("--pid 100,400"));
    assert_eq!(list("--address ::1 --address ::"), list("--address ::1,::"));
    assert_eq!(list("--user root"), list("--user 0"));
    assert_eq!(list("--user root --user 1000"), list("--user 0,1000"));
    assert_eq!(list("--sort state --sort -sport"), list("--sort state,-sport"));
}

/// rnetstat can inherit a socket, so it can be an owner. Its own command line always contains the
/// text that `--program` looks for.
#[test]
fn program_filter_does_not_match_rnetstat_itself() {
    let list = |flags: &str| {
        let (_ours, inherited) = UnixStream::pair().unwrap();
        let mut command = rnetstat("-xan --wait=0.1");
        let run = command.args(words(flags)).stdin(OwnedFd::from(inherited)).run();
        (run.status, run.stdout)
    };
    assert_eq!(list("--program no-program-that-there-is"), (Some(1), String::new()));
    let (status, stdout) = list("--format jsonl");
    assert_eq!(status, Some(0));
    assert!(stdout.contains("\"program\":\"rnetstat\""), "{stdout}");
}

#[test]
fn colours_go_to_a_pipe_only_if_forced() {
    for (flags, no_color, force, expected) in [
        ("", "", "", false),
        ("--color auto", "", "", false),
        ("--color never", "", "", false),
        ("--color always", "", "", true),
        ("--color always", "1", "", true),
        ("", "", "1", true),
        ("", "", "0", false),
        ("", "1", "1", false),
        ("--color never", "", "1", false),
    ] {
        let mut command = rnetstat("-tan --format table --proc fixtures/01-lab/proc");
        command.env("NO_COLOR", no_color).env("CLICOLOR_FORCE", force);
        let listing = command.args(words(flags)).run().stdout;
        assert_eq!(listing.contains('\x1b'), expected, "{flags} {no_color} {force}");
    }
}

#[test]
fn bad_option_gives_status_2_and_a_message() {
    for bad in ["-z", "-d", "--nosuch"] {
        let message = rnetstat("-t").arg(bad).error();
        assert!(message.starts_with(&format!("error: unexpected argument '{bad}'")), "{message}");
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = rnetstat("--help").listing();
    let flags = "-t -u -U -w -x -a -l -n -p -e -o -4 -6 -A -W -c -v -h -V \
        --numeric-hosts --numeric-ports --numeric-users --resolve-timeout --interval --count \
        --proc --port --sport --dport --pid --program --user --state --address --wait --format \
        --sort --no-header --no-pager --color --peers --netns --source --byte-order --generate";
    for flag in words(flags) {
        assert!(help.contains(&format!("  {flag}")), "{flag} is missing from\n{help}");
    }
    let version = rnetstat("-V").run().stdout;
    assert_eq!(version, concat!("rnetstat ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn help_is_wrapped_to_the_terminal() {
    for (columns, width) in [(60, 60), (200, 100)] {
        let help = Pty::new(columns).run(rnetstat("--help").arg("-t")).stdout;
        let longest = help.lines().map(|line| line.chars().count()).max().unwrap();
        assert!((width - 9..=width).contains(&longest), "{longest} of {columns}:\n{help}");
    }
    let piped = rnetstat("--help").listing();
    assert!(piped.lines().all(|line| line.chars().count() <= 80), "{piped}");
}

#[test]
fn help_does_not_depend_on_the_name_that_the_caller_chose() {
    for flag in ["-h", "--help", "-V", "--generate=man"] {
        let named = Command::new(RNETSTAT).arg0("\x1b[31mother").arg(flag).run();
        assert_eq!(named, rnetstat(flag).run(), "{flag}");
    }
}

#[test]
fn completions_and_man_page_have_every_option_of_the_help() {
    let help = rnetstat("--help").run().stdout;
    let options: Vec<_> = help
        .lines()
        .filter(|line| line.starts_with("  -") || line.starts_with("      --"))
        .filter_map(|line| line.split([' ', '<', '[']).find(|word| word.starts_with("--")))
        .collect();
    assert!(options.len() > 35, "{options:?}");
    for what in ["bash", "zsh", "fish", "elvish", "man"] {
        // The manual page has `\-` for a hyphen.
        let generated = rnetstat("--generate").arg(what).listing().replace("\\-", "-");
        for option in &options {
            let name = option.trim_start_matches('-');
            let option = if what == "fish" { format!("-l {name}") } else { (*option).to_owned() };
            assert!(generated.contains(&option), "{option} is missing for {what}");
        }
        // rnetstat knows `--route` only to refuse it and name another tool.
        assert!(!generated.contains("route"), "{what} has an option that is refused");
    }
}
