//! The whole program: the fixtures' cases, byte for byte, and how it ends.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{RNETSTAT, rnetstat, text};
use tempfile::TempDir;

/// A tree whose listing is far longer than a pipe holds.
fn long_tree() -> TempDir {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("net")).unwrap();
    let mut table = fs::read_to_string("fixtures/01-lab/proc/net/tcp").unwrap();
    let row = table.lines().last().unwrap().to_owned() + "\n";
    table += &row.repeat(20_000);
    fs::write(root.path().join("net/tcp"), table).unwrap();
    root
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let tree = long_tree();
    let mut child = Command::new(RNETSTAT)
        .args(["-tan", "--proc"])
        .arg(tree.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "Active Internet connections (servers and established)\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(output.stderr)), (Some(0), String::new()));
}

#[test]
fn a_full_disk_is_an_error() {
    let output = Command::new(RNETSTAT)
        .args(["-tan", "--proc", "fixtures/01-lab/proc"])
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    let message = "rnetstat: cannot write the listing: No space left on device (os error 28)\n";
    assert_eq!((output.status.code(), text(output.stderr).as_str()), (Some(2), message));
}

#[test]
fn what_cannot_be_written_is_an_error() {
    for (flags, stdout) in [
        (&["-h"][..], File::options().write(true).open("/dev/full")),
        (&["-V"], File::options().write(true).open("/dev/full")),
        (&["-tan", "--proc", "fixtures/01-lab/proc"], File::open("/dev/null")),
    ] {
        let output = Command::new(RNETSTAT).args(flags).stdout(stdout.unwrap()).output().unwrap();
        let message = text(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(message.starts_with("rnetstat: cannot write the listing: "), "{message}");
    }
}

#[test]
fn a_tree_that_is_no_kernels_never_makes_it_wait() {
    let root = TempDir::new().unwrap();
    crate::common::copy_tree(Path::new("fixtures/01-lab/proc"), root.path());
    let proc = root.path().join("proc");
    for file in ["net/udp6", "1057/cmdline"] {
        fs::remove_file(proc.join(file)).unwrap();
        nix::unistd::mkfifo(&proc.join(file), nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    fs::remove_file(proc.join("net/udp")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", proc.join("net/udp")).unwrap();
    for name in ["2147483648", "0001", "+2", "name"] {
        crate::common::copy_tree(&proc.join("9154"), &proc.join(name));
    }
    let output = Command::new("timeout")
        .args(["20", RNETSTAT, "-tuanp", "--proc"])
        .arg(&proc)
        .output()
        .unwrap();
    let remarks = text(output.stderr).replace(proc.to_str().unwrap(), "");
    let expected = "\
        rnetstat: /net/udp: this table is not complete: not a regular file\n\
        rnetstat: /net/udp6: this table is not complete: not a regular file\n\
        rnetstat: /1057/cmdline: its sockets may be shown as nobody's: not a regular file\n";
    assert_eq!((output.status.code(), remarks.as_str()), (Some(0), expected));
    let listing = text(output.stdout);
    assert_eq!(listing.matches("9154/firefox").count(), 5, "{listing}");
    assert_eq!(listing.matches("LISTEN      -").count(), 2, "{listing}");
}

#[test]
fn a_name_in_the_arguments_cannot_drive_the_terminal() {
    for flags in [&["-t", "--proc", "no\x1b[31m\nwhere"][..], &["-t", "--no\x1b[31m"]] {
        let output = rnetstat(flags);
        assert_eq!(output.status.code(), Some(2));
        let message = text(output.stderr);
        assert!(message.contains("no.[31m") && !message.contains('\x1b'), "{message:?}");
    }
}

#[test]
fn remarks_that_cannot_be_written_change_nothing() {
    let expected = fs::read_to_string("fixtures/12-corrupt-lines/expected/-tuanp.txt").unwrap();
    let output = Command::new(RNETSTAT)
        .args(["-tuanp", "--proc", "fixtures/12-corrupt-lines/proc"])
        .stderr(File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!((output.status.code(), text(output.stdout)), (Some(0), expected));
}

/// Nothing on stdout, this on stderr, and status 2.
fn assert_refused(root: &Path, flags: &str, message: &str) {
    let output = rnetstat(&[flags, "--proc", root.to_str().unwrap()]);
    let hint = if message.contains("No such file") {
        " (is /proc mounted? --proc DIR names another place, and --source netlink needs none)"
    } else {
        ""
    };
    let expected = format!("rnetstat: no socket table can be read: {message}{hint}\n");
    assert_eq!(text(output.stderr), expected);
    assert_eq!((output.status.code(), text(output.stdout)), (Some(2), String::new()));
}

#[test]
fn without_a_table_there_is_one_line_and_status_2() {
    let root = TempDir::new().unwrap();
    let net = root.path().join("net");
    let missing = "No such file or directory (os error 2)";
    let nowhere = root.path().join("nowhere");
    assert_refused(&nowhere, "-tuan", &format!("{}/net: {missing}", nowhere.display()));
    assert_refused(root.path(), "-6tuan", &format!("{}: {missing}", net.display()));
    fs::create_dir(&net).unwrap();
    assert_refused(root.path(), "-tuan", &format!("{}/tcp: {missing}", net.display()));
    assert_refused(root.path(), "-xan", &format!("{}/unix: {missing}", net.display()));
    // A kernel may do without IPv6 and without UDP-Lite.
    for flags in ["-6an", "-Uan"] {
        let output = rnetstat(&[flags, "--proc", root.path().to_str().unwrap()]);
        assert_eq!((output.status.code(), text(output.stderr)), (Some(0), String::new()));
        assert_eq!(text(output.stdout).lines().count(), 2, "{flags}");
    }
    fs::create_dir(net.join("udp6")).unwrap();
    assert_refused(root.path(), "-6tuan", &format!("{}/udp6: not a regular file", net.display()));
}

#[test]
fn a_table_that_cannot_be_read_costs_that_table() {
    let root = TempDir::new().unwrap();
    crate::common::copy_tree(Path::new("fixtures/01-lab/proc/net"), root.path());
    let tcp6 = root.path().join("net/tcp6");
    fs::remove_file(&tcp6).unwrap();
    fs::create_dir(&tcp6).unwrap();
    let output = rnetstat(&["-tuan", "--proc", root.path().to_str().unwrap()]);
    let message = "this table is not complete: not a regular file";
    assert_eq!(text(output.stderr), format!("rnetstat: {}: {message}\n", tcp6.display()));
    let whole = rnetstat(&["-tuan", "--proc", "fixtures/01-lab/proc"]);
    let mut expected = text(whole.stdout);
    expected = expected
        .lines()
        .filter(|line| !line.starts_with("tcp6"))
        .fold(String::new(), |rest, line| rest + line + "\n");
    assert_eq!((output.status.code(), text(output.stdout)), (Some(0), expected));
}

#[test]
fn it_lists_again_as_often_as_it_is_told() {
    let proc = ["--proc", "fixtures/01-lab/proc"];
    let once = text(rnetstat(&[&["-tuanp"], &proc[..]].concat()).stdout);
    let flags = ["-tuanpc", "--interval", "0.01", "--count", "3"];
    let output = rnetstat(&[&flags[..], &proc].concat());
    assert_eq!((output.status.code(), text(output.stderr)), (Some(0), String::new()));
    assert_eq!(text(output.stdout), once.repeat(3));
}

#[test]
fn each_listing_is_there_before_the_pause_and_a_closed_pipe_is_the_last() {
    let mut child = Command::new(RNETSTAT)
        .args(["-tanc", "--interval", "0.2", "--proc", "fixtures/01-lab/proc"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Vec<_> = lines.by_ref().take(14).map(Result::unwrap).collect();
    let second: Vec<_> = lines.by_ref().take(14).map(Result::unwrap).collect();
    assert_eq!(first, second);
    assert_eq!(first.iter().filter(|line| line.starts_with("Active")).count(), 1);
    drop(lines);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(output.stderr)), (Some(0), String::new()));
}

#[test]
fn what_is_not_about_sockets_names_the_tool_to_use() {
    for (flag, tool) in [
        ("-r", "-r, --route is not for rnetstat, which lists sockets: use ip route"),
        ("--route", "-r, --route is not for rnetstat, which lists sockets: use ip route"),
        ("-nr", "-r, --route is not for rnetstat, which lists sockets: use ip route"),
        ("-i", "-i, --interfaces is not for rnetstat, which lists sockets: use ip -s link"),
        ("-g", "-g, --groups is not for rnetstat, which lists sockets: use ip maddress"),
        ("-s", "-s, --statistics is not for rnetstat, which lists sockets: use nstat -az"),
        ("-M", "-M, --masquerade is not for rnetstat, which lists sockets: use conntrack -L"),
        ("-F", "-F, --fib is not for rnetstat, which lists sockets: use ip route"),
        ("-C", "-C, --cache is not for rnetstat, which lists sockets: use ip route show cache"),
        ("-S", "-S, --sctp is not for rnetstat, which lists sockets: use ss -S"),
        ("-Z", "-Z, --context is not for rnetstat, which lists sockets: use ss -Z"),
        (
            "-2",
            "-2, --l2cap is not for rnetstat, which lists sockets: use the netstat of net-tools",
        ),
        (
            "-f",
            "-f, --rfcomm is not for rnetstat, which lists sockets: use the netstat of net-tools",
        ),
        ("--ax25", "--ax25 is not for rnetstat, which lists sockets: use the netstat of net-tools"),
        ("-Aipx", "-A ipx is not for rnetstat, which lists sockets: use the netstat of net-tools"),
        ("-Afoo", "unknown address family 'foo': inet, inet6 and unix are known"),
    ] {
        let output = rnetstat(&[flag]);
        assert_eq!((output.status.code(), text(output.stdout)), (Some(2), String::new()));
        assert_eq!(text(output.stderr), format!("error: {tool}\n"), "{flag}");
    }
}

#[test]
fn what_net_tools_alone_knows_is_said_to_be_its_own() {
    for family in ["ax25", "ipx", "ddp", "netrom", "rose", "x25", "econet", "ash", "bluetooth"] {
        for (flags, said) in [
            (vec![format!("--{family}")], format!("--{family}")),
            (vec!["-A".to_owned(), format!("inet,{family}")], format!("-A {family}")),
        ] {
            let output = Command::new(RNETSTAT).args(flags).output().unwrap();
            assert_eq!((output.status.code(), text(output.stdout)), (Some(2), String::new()));
            let rest = "is not for rnetstat, which lists sockets: use the netstat of net-tools";
            assert_eq!(text(output.stderr), format!("error: {said} {rest}\n"));
        }
    }
}

#[test]
fn values_that_are_none_say_what_is_wanted() {
    for flags in [
        ["-t", "--resolve-timeout=-1"],
        ["-t", "--resolve-timeout=soon"],
        ["-tc", "--interval=nan"],
        ["-tc", "--interval=1e300"],
    ] {
        let output = rnetstat(&flags);
        let message = text(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        let wanted = "a number of seconds is wanted, such as 2 or 0.5";
        assert!(message.contains(wanted), "{flags:?}: {message}");
    }
    for flags in [["-t", "--count=3"], ["-t", "--interval=3"], ["-tc", "--count=-3"]] {
        assert_eq!(rnetstat(&flags).status.code(), Some(2), "{flags:?}");
    }
}

/// What is wrong with a value is said, and what is wanted in its place.
#[test]
fn bad_values_of_filters_say_what_is_accepted() {
    for (option, wanted) in [
        ("--port=0", "a port from 1 to 65535 is wanted, or a range of them such as 8000-8080"),
        ("--port=65536", "a port from 1 to 65535 is wanted"),
        ("--sport=9-5", "a port from 1 to 65535 is wanted"),
        ("--dport=http", "a port from 1 to 65535 is wanted"),
        ("--port=", "a port from 1 to 65535 is wanted"),
        ("--port=80,", "a port from 1 to 65535 is wanted"),
        ("--address=10.0.0.0/33", "an address is wanted, or a network, such as 10.1.2.3"),
        ("--address=example.org", "an address is wanted"),
        ("--address=1.2.3", "an address is wanted"),
        ("--state=listn", "a state is wanted, one of established, syn_sent, "),
        ("--pid=0", "a process's number is wanted, such as 4711"),
        ("--pid=-1", "a process's number is wanted"),
        ("--sort=size", "a column is wanted, one of proto, recv-q, "),
        ("--sort=", "a column is wanted"),
        ("--format=xml", "[possible values: netstat, table, json, jsonl, csv]"),
        ("--color=yes", "[possible values: auto, always, never]"),
        ("--generate=tcsh", "[possible values: bash, zsh, fish, elvish, man]"),
        ("--wait=soon", "a number of seconds is wanted, such as 2 or 0.5"),
        (
            "--user=no\x1bsuch",
            "there is no user 'no.such': --user takes a name that this host knows",
        ),
    ] {
        let output = rnetstat(&["-t", option]);
        let message = text(output.stderr);
        assert_eq!(
            (output.status.code(), text(output.stdout)),
            (Some(2), String::new()),
            "{option}"
        );
        assert!(message.contains(wanted), "{option}: {message}");
    }
}

#[test]
fn options_that_cannot_go_together_are_refused() {
    for (options, message) in [
        (&["-c", "--wait"][..], "cannot be used with"),
        (&["-x", "--port=80"], "UNIX sockets have no ports, no addresses and no users"),
        (&["-x", "--user=0"], "use --pid, --program or --state"),
        (&["--netns=all", "--source=netlink"], "asks for the sockets of one network namespace"),
        (&["--interval=3", "--wait"], "cannot be used with"),
    ] {
        let output = rnetstat(options);
        let found = text(output.stderr);
        assert_eq!((output.status.code(), text(output.stdout)), (Some(2), String::new()));
        assert!(found.contains(message), "{options:?}: {found}");
    }
}

/// Filters given twice are alternatives too, and users are known by name.
#[test]
fn filters_can_be_repeated_and_users_named() {
    let list = |flags: &str| {
        let proc = ["--proc", "fixtures/24-filters/proc", "-n"];
        let output = rnetstat(&[&flags.split(' ').collect::<Vec<_>>()[..], &proc].concat());
        assert!(output.status.success(), "{flags}: {}", text(output.stderr));
        text(output.stdout)
    };
    assert_eq!(list("--port 22 --port 53"), list("--port 22,53"));
    assert_eq!(list("--state listen --state syn_sent"), list("--state listen,syn_sent"));
    assert_eq!(list("--pid 100 --pid 400"), list("--pid 100,400"));
    assert_eq!(list("--address ::1 --address ::"), list("--address ::1,::"));
    assert_eq!(list("--user root"), list("--user 0"));
    assert_eq!(list("--user root --user 1000"), list("--user 0,1000"));
    assert_eq!(list("--sort state --sort -sport"), list("--sort state,-sport"));
}

/// Whoever starts it can give it a socket, and the program that is looked for is on its own
/// command line.
#[test]
fn it_does_not_find_itself_by_a_programs_name() {
    let list = |flags: &[&str]| {
        let (ours, its) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut command = Command::new(RNETSTAT);
        command.args(["-xan", "--wait=0.1"]).args(flags).stdin(std::os::fd::OwnedFd::from(its));
        let output = command.output().unwrap();
        drop(ours);
        (output.status.code(), text(output.stdout))
    };
    let nobody = "no-program-that-there-is";
    assert_eq!(list(&["--program", nobody]), (Some(1), String::new()));
    let (status, stdout) = list(&["--format", "jsonl"]);
    assert_eq!(status, Some(0));
    assert!(stdout.contains("\"program\":\"rnetstat\""), "{stdout}");
}

#[test]
fn colours_are_for_terminals_and_whoever_asks_for_them() {
    let list = |flags: &[&str], environment: (&str, &str)| {
        let mut command = Command::new(RNETSTAT);
        command.args(["-tan", "--format", "table", "--proc", "fixtures/01-lab/proc"]);
        let output = command.args(flags).env(environment.0, environment.1).output().unwrap();
        text(output.stdout).contains('\x1b')
    };
    let nothing = ("NO_COLOR", "");
    assert!(!list(&[], nothing));
    assert!(!list(&["--color", "auto"], nothing));
    assert!(!list(&["--color", "never"], nothing));
    assert!(list(&["--color", "always"], nothing));
    assert!(list(&["--color", "always"], ("NO_COLOR", "1")));
}

#[test]
fn records_are_listed_again_with_their_time_and_one_heading() {
    let flags = ["-tanc", "--interval", "0.01", "--count", "2", "--proc", "fixtures/01-lab/proc"];
    let list = |format| text(rnetstat(&[&flags[..], &["--format", format]].concat()).stdout);
    let once = rnetstat(&["-tan", "--proc", "fixtures/01-lab/proc", "--format", "jsonl"]);
    let sockets = text(once.stdout).lines().count();
    let (jsonl, csv, json) = (list("jsonl"), list("csv"), list("json"));
    assert_eq!(jsonl.lines().count(), 2 * sockets);
    assert!(jsonl.lines().all(|line| line.starts_with("{\"time\":")), "{jsonl}");
    let times: Vec<_> = jsonl.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(times.iter().collect::<std::collections::HashSet<_>>().len(), 2, "{times:?}");
    assert_eq!(csv.lines().filter(|line| line.starts_with("time,protocol,")).count(), 1);
    // One socket of the case has two holders.
    assert_eq!(csv.lines().count(), 1 + 2 * (sockets + 1));
    let arrays = serde_json::Deserializer::from_str(&json).into_iter::<Vec<serde_json::Value>>();
    let lengths: Vec<_> = arrays.map(|array| array.unwrap().len()).collect();
    assert_eq!(lengths, [sockets, sockets]);
}

#[test]
fn verbose_names_the_tables_that_are_not_there() {
    let flags = ["-tuan", "--proc", "fixtures/11-no-ipv6/proc"];
    let (brief, verbose) = (rnetstat(&flags), rnetstat(&[&flags[..], &["-v"]].concat()));
    assert_eq!((brief.stdout, text(brief.stderr).as_str()), (verbose.stdout, ""));
    let expected = "\
        rnetstat: fixtures/11-no-ipv6/proc/net/tcp6: there is no such table\n\
        rnetstat: fixtures/11-no-ipv6/proc/net/udp6: there is no such table\n";
    assert_eq!(text(verbose.stderr), expected);
}

#[test]
fn a_bad_option_ends_with_status_2_and_a_message() {
    for bad in ["-z", "-d", "--nosuch", "extra"] {
        let output = rnetstat(&["-t", bad]);
        assert_eq!((output.status.code(), text(output.stdout)), (Some(2), String::new()));
        let message = text(output.stderr);
        assert!(message.starts_with(&format!("error: unexpected argument '{bad}'")), "{message}");
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = rnetstat(&["-h"]);
    assert_eq!((help.status.code(), text(help.stderr)), (Some(0), String::new()));
    let help = text(help.stdout);
    for flag in [
        "-t",
        "-u",
        "-U",
        "-w",
        "-x",
        "-a",
        "-l",
        "-n",
        "-p",
        "-e",
        "-o",
        "-4",
        "-6",
        "-A",
        "-W",
        "-c",
        "-v",
        "-h",
        "-V",
        "--numeric-hosts",
        "--numeric-ports",
        "--numeric-users",
        "--resolve-timeout",
        "--interval",
        "--count",
        "--proc",
        "--port",
        "--sport",
        "--dport",
        "--pid",
        "--program",
        "--user",
        "--state",
        "--address",
        "--wait",
        "--format",
        "--sort",
        "--no-header",
        "--color",
        "--peers",
        "--netns",
        "--source",
        "--generate",
    ] {
        assert!(help.contains(&format!("  {flag}")), "{flag} is missing from\n{help}");
    }
    let version = rnetstat(&["-V"]);
    assert_eq!(text(version.stdout), concat!("rnetstat ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// Completions and the manual page have every option that the help has, and no other.
#[test]
fn what_is_generated_has_the_options_of_the_help() {
    let help = text(rnetstat(&["--help"]).stdout);
    let options: Vec<_> = help
        .lines()
        .filter(|line| line.trim_start().starts_with('-'))
        .filter_map(|line| line.split([' ', '<', '[']).find(|word| word.starts_with("--")))
        .collect();
    assert!(options.len() > 35, "{options:?}");
    for what in ["bash", "zsh", "fish", "elvish", "man"] {
        let output = rnetstat(&["--generate", what]);
        assert_eq!((output.status.code(), text(output.stderr)), (Some(0), String::new()), "{what}");
        let generated = text(output.stdout).replace("\\-", "-");
        for option in &options {
            let name = option.trim_start_matches('-');
            let option = if what == "fish" { format!("-l {name}") } else { (*option).to_owned() };
            assert!(generated.contains(&option), "{option} is missing for {what}");
        }
        assert!(!generated.contains("route"), "{what} has what is refused");
    }
}
