//! Questions about a host, and the answers of other programs to the same questions.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

use crate::common::host::Host;
use crate::common::run::{Run, RunCommand, rnetstat};
use crate::common::schema::{assert_valid, schema};
use crate::common::{copy_tree, have, needs_root};

const TREE: &str = "fixtures/44-questions/proc";

/// Lists the tree of the questions.
fn list(flags: &str) -> String {
    rnetstat(flags).args(["--proc", TREE]).succeed().stdout
}

/// Runs a program with this standard input, and returns its output.
fn piped(mut command: Command, input: &str) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Run::end_of(child).stdout
}

#[test]
fn groups_by_state_are_those_that_jq_counts() {
    const COUNT: &str = "group_by(.state) | map({state: .[0].state, sockets: length, \
                         recv_q: map(.recv_q) | add, send_q: map(.send_q) | add}) \
                         | sort_by([-.sockets, .state]) | .[]";
    if !have(&["jq"]) {
        return;
    }
    let mut jq = Command::new("jq");
    jq.args(["-c", COUNT]);
    assert_eq!(list("-tuan --group state --jsonl"), piped(jq, &list("-tuan --json")));
}

#[test]
fn groups_have_the_same_sums_in_every_format() {
    let sums = |text: &str| -> BTreeMap<String, String> {
        text.lines()
            .map(|line| line.split_once(' ').unwrap())
            .map(|(a, b)| (a.into(), b.into()))
            .collect()
    };
    let spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let rows = |text: String, is_row: fn(&str) -> bool| {
        text.lines().filter(|line| is_row(line)).map(spaced).collect::<Vec<_>>().join("\n")
    };
    let table = rows(list("-tan --group state"), |line| {
        !line.starts_with("State") && !line.starts_with("total")
    });
    let csv =
        rows(list("-tan --group state --csv").replace(',', " "), |line| !line.starts_with("state"));
    assert_eq!(sums(&table), sums(&csv));
    let json: Value = serde_json::from_str(&list("-tan --group state --json")).unwrap();
    let json = json.as_array().unwrap().iter().map(|it| {
        let sums = ["sockets", "recv_q", "send_q"].map(|key| it[key].to_string());
        (it["state"].as_str().unwrap().to_owned(), sums.join(" "))
    });
    assert_eq!(sums(&table), json.collect());
    assert_eq!(list("-tan --group state,state --group state"), list("-tan --group state"));
}

#[test]
fn source_filter_selects_what_ss_selects() {
    let Some(host) = Host::new(&["python3", "ss"]) else { return };
    let _services = host.receiver_and_connection();
    for address in ["127.0.0.1", "127.0.0.0/8", "10.0.0.0/8", "::1"] {
        let ends = |text: &str, column: usize| {
            let ends =
                text.lines().map(|line| line.split_whitespace().nth(column).unwrap_or_default());
            let mut ends: Vec<_> =
                ends.filter(|end| end.contains(':')).map(str::to_owned).collect();
            ends.sort();
            ends
        };
        let ss = host.command("ss").args(["-tuanH", "src", address]).run().stdout;
        let found = host.rnetstat("-tuan --src").arg(address).run().stdout;
        assert_eq!(ends(&found, 3), ends(&ss, 4), "{address}\n{found}\n{ss}");
    }
}

/// The server is bound by root, and then runs as nobody.
#[test]
fn users_and_directories_are_those_of_lsof() {
    const SERVER: &str = "\
        import os, socket, sys\n\
        os.chdir('/usr')\n\
        server = socket.create_server(('127.0.0.1', 80))\n\
        os.setgid(65534)\n\
        os.setuid(65534)\n\
        print(os.getpid(), flush=True)\n\
        sys.stdin.read()";
    if !needs_root() {
        return;
    }
    let Some(host) = Host::new(&["python3", "lsof"]) else { return };
    let mut server = host.start("python3", &["-c", SERVER]);
    let pid = server.line();
    let lsof = |arguments: &str| {
        let run = host.command("lsof").args(arguments.split(' ')).run();
        run.stdout
            .lines()
            .filter_map(|line| line.strip_prefix('n'))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(lsof("-nP -a -u nobody -i -Fn"), ["127.0.0.1:80"]);
    for user in ["nobody", "root"] {
        let found = host.rnetstat(&format!("-tln --user {user}")).succeed().stdout;
        assert!(found.contains(" 127.0.0.1:80 "), "{user}\n{found}");
    }
    assert_eq!(host.rnetstat("-tln --user ^nobody").run().status, Some(1));
    let found = host.rnetstat("-tl --columns cwd --no-header").succeed().stdout;
    assert_eq!(
        found.lines().map(str::to_owned).collect::<Vec<_>>(),
        lsof(&format!("-a -d cwd -p {pid} -Fn"))
    );
}

#[test]
fn sockets_of_children_are_found() {
    let Some(host) = Host::new(&["python3", "sh"]) else { return };
    let script = "python3 tests/programs/server.py 8000 & echo $$; wait";
    let mut shell = host.start("sh", &["-c", script]);
    let pids = [shell.line(), shell.line()];
    let pid = pids.iter().find(|line| !line.contains(' ')).unwrap();
    assert_eq!(host.rnetstat(&format!("-tln --pid {pid}")).run().status, Some(1));
    let found = host.rnetstat(&format!("-tln --pid {pid} --children")).succeed().stdout;
    assert!(found.contains(" 127.0.0.1:8000 "), "{found}");
}

#[test]
fn hosts_are_found_by_name() {
    let Some(mut host) = Host::new(&["python3", "mount"]) else { return };
    host.put_names(b"127.0.0.1 localhost\n127.78.0.1 web\n::1 localhost\n", "");
    let _services = host.receiver_and_connection();
    for (address, count) in [("localhost", 1), ("web", 0), ("^web", 1)] {
        let found = host.rnetstat("-uan --address").arg(address).run().stdout;
        assert_eq!(found.matches("127.0.0.1:5000").count(), count, "{address}\n{found}");
    }
    let message = host.rnetstat("-uan --address nowhere").run().stderr;
    assert!(message.starts_with("rnetstat: there is no host 'nowhere'"), "{message}");
}

#[test]
fn end_of_a_socket_can_be_waited_for() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let (_receiver, pid) = host.receiver();
    let gone = host.rnetstat("-uan --port 9 --wait-gone --json").succeed();
    assert_eq!(gone.stdout, "[]\n");
    let still = host.rnetstat("-uan --port 5000 --wait-gone=0.1").run();
    assert_eq!((still.status, still.stderr.as_str()), (Some(1), ""));
    assert!(still.stdout.contains(" 127.0.0.1:5000 "), "{}", still.stdout);
    let waiting = host.rnetstat("-uan --port 5000 --wait-gone").start();
    host.kill(&pid);
    assert_eq!(Run::end_of(waiting), Run::success(""));
}

#[test]
fn changes_are_listed_in_every_format() {
    const SERVER: &str = "\
        import os, socket, sys\n\
        receiver = socket.socket(type=socket.SOCK_DGRAM)\n\
        receiver.bind(('127.0.0.1', 6000))\n\
        print(os.getpid(), flush=True)\n\
        sys.stdin.read()";
    let Some(host) = Host::new(&["python3"]) else { return };
    let (_before, _) = host.receiver();
    for (format, columns, signs) in [
        ("netstat", "udp", ["", "+", "-"]),
        ("table", "udp", ["", "+", "-"]),
        ("jsonl", "\"protocol\":\"udp\"", ["", "\"event\":\"open\"", "\"event\":\"close\""]),
        ("json", "\"protocol\":\"udp\"", ["", "\"event\":\"open\"", "\"event\":\"close\""]),
        ("csv", "udp,ipv4", [",,udp", ",open,", ",close,"]),
    ] {
        let flags = format!("-uan -c --changes --interval 0.05 --format {format}");
        let mut child = host.rnetstat(&flags).start();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut next = || lines.find(|line| line.contains(columns)).unwrap();
        let first = next();
        assert!(first.contains("5000") && !first.contains("event"), "{format}: {first}");
        let mut more = host.start("python3", &["-c", SERVER]);
        let pid = more.line();
        let new = next();
        host.kill(&pid);
        let closed = next();
        for (line, sign) in [&first, &new, &closed].into_iter().zip(signs) {
            let is_sign =
                if sign.len() == 1 { line.starts_with(sign) } else { line.contains(sign) };
            assert!(is_sign, "{format}: {line}");
        }
        assert!(new.contains("6000") && closed.contains("6000"), "{format}: {new} {closed}");
        if format == "jsonl" {
            let records = serde_json::from_str(&format!("[{first},{new},{closed}]")).unwrap();
            assert_valid(&schema(), "--changes", &records);
        }
        drop(lines);
        let Run { status, stderr, .. } = Run::end_of(child);
        // The process was killed between the reading of the tables and the search for owners.
        let is_other = |line: &&str| !line.contains("outside of this PID namespace");
        assert_eq!((status, stderr.lines().find(is_other)), (Some(0), None), "{format}");
    }
}

#[test]
fn container_is_found_by_any_of_its_processes_and_its_label_is_not_that_of_pause() {
    let root = TempDir::new().unwrap();
    copy_tree(Path::new(TREE), root.path());
    let proc = root.path().join("proc");
    let ids = ["a", "b"].map(|digit| digit.repeat(64));
    for (pid, id) in [("1", &ids[0]), ("101", &ids[1])] {
        fs::write(proc.join(pid).join("cgroup"), format!("0::/kubepods/pod1/{id}\n")).unwrap();
        let namespace = proc.join(pid).join("ns");
        fs::create_dir(&namespace).unwrap();
        std::os::unix::fs::symlink("net:[4026531999]", namespace.join("net")).unwrap();
        copy_tree(&proc.join("net"), &proc.join(pid).join("net"));
    }
    let list = |wanted: &str| {
        let run = rnetstat(&format!("-tln --netns {wanted} --proc")).arg(&proc).run();
        assert_eq!(run.status, Some(0), "{wanted}: {}", run.stderr);
        run.stdout
    };
    let [pause, server] = ids.map(|id| id[..12].to_owned());
    // Process 1 has no sockets.
    for wanted in [&pause, &server] {
        assert!(list(wanted).contains(&server) && !list(wanted).contains(&pause), "{wanted}");
    }
    // If descriptors cannot be seen, the program tells.
    for pid in ["1", "101"] {
        fs::remove_dir_all(proc.join(pid).join("fd")).unwrap();
    }
    assert!(list(&server).contains(&pause), "{}", list(&server));
    fs::write(proc.join("1/cmdline"), "/pause").unwrap();
    assert!(!list(&server).contains(&pause), "{}", list(&server));
}

/// systemd has the socket until the service that it belongs to is started.
#[test]
fn unit_of_a_socket_that_systemd_has_is_told_by_files() {
    let root = TempDir::new().unwrap();
    copy_tree(Path::new(TREE), root.path());
    let proc = root.path().join("proc");
    std::os::unix::fs::symlink("socket:[1001]", proc.join("1/fd/9")).unwrap();
    let unit = || {
        let found = rnetstat("-tln --port 80 --pid 1 --json --proc").arg(&proc).succeed().stdout;
        let found: Value = serde_json::from_str(&found).unwrap();
        let first = &found[0]["processes"][0];
        assert_eq!(first["pid"], 1);
        first["unit"].clone()
    };
    assert_eq!(unit(), Value::Null);
    let units = root.path().join("run/systemd/generator");
    fs::create_dir_all(&units).unwrap();
    fs::write(units.join("web\u{1b}.socket"), "[Socket]\nListenStream=80\n").unwrap();
    assert_eq!(unit(), "web\u{1b}.socket");
    let list = |flags: &str| {
        let flags = format!("-tln {flags} --columns local,unit --no-header --proc");
        rnetstat(&flags).arg(&proc).run().stdout
    };
    assert_eq!(list("--pid 1"), "0.0.0.0:80  web..socket\n");
    fs::rename(units.join("web\u{1b}.socket"), units.join("web.socket")).unwrap();
    // The service nginx has the same socket.
    assert_eq!(list("--unit web.socket"), "0.0.0.0:80  web.socket\n");
    assert_eq!(list("--unit web.socket --pid 1"), "0.0.0.0:80  web.socket\n");
    assert_eq!(list("--unit web.socket --pid 100"), "");
    assert_eq!(list("--unit ^web.socket --port 80"), "");
    assert_eq!(list("--unit nginx"), "0.0.0.0:80  nginx.service\n");
}

#[test]
fn beginning_of_several_container_identifiers_is_an_error() {
    let root = TempDir::new().unwrap();
    copy_tree(Path::new(TREE), root.path());
    let proc = root.path().join("proc");
    let ids = ["1", "2"].map(|digit| "ab".to_owned() + &digit.repeat(62));
    for (pid, id) in ["101", "300"].into_iter().zip(&ids) {
        fs::write(proc.join(pid).join("cgroup"), format!("0::/docker/{id}\n")).unwrap();
    }
    let list =
        |wanted: &str| rnetstat(&format!("-an --container {wanted} --proc")).arg(&proc).run();
    let message = "rnetstat: several containers begin with 'ab': ab1111111111, ab2222222222: give \
                   more of the identifier\n";
    assert_eq!((list("ab").status, list("^ab").stderr.as_str()), (Some(2), message));
    assert!(list("ab2").stdout.contains(" 127.0.0.1:5000 "), "{:?}", list("ab2"));
    // The first 12 characters are not enough to tell them apart.
    let ids = ["c", "d"].map(|digit| "b".repeat(20) + &digit.repeat(44));
    for (pid, id) in ["101", "300"].into_iter().zip(&ids) {
        fs::write(proc.join(pid).join("cgroup"), format!("0::/docker/{id}\n")).unwrap();
    }
    let [first, second] = ids;
    let message = format!("several containers begin with 'b': {first}, {second}: give");
    assert!(list("b").stderr.contains(&message), "{}", list("b").stderr);
}

/// node exporter drops a whole file with one bad line, so hostile names must not make one.
#[test]
fn metrics_are_accepted_by_promtool() {
    if !have(&["promtool"]) {
        return;
    }
    let root = TempDir::new().unwrap();
    copy_tree(Path::new(TREE), root.path());
    let proc = root.path().join("proc");
    for (pid, name) in
        [("300", "a\"b\\c\nd{}\u{1b}"), ("301", "e\n"), ("400", "e\u{7}"), ("250", "other")]
    {
        fs::write(proc.join(pid).join("cmdline"), format!("{name}\0x\0")).unwrap();
    }
    for keys in
        ["state", "program,state", "command", "dst,dport", "unit,container,cgroup,cwd", "pid"]
    {
        let flags = format!("-an --group {keys} --limit 5 --format openmetrics --proc");
        let metrics = rnetstat(&flags).arg(&proc).succeed().stdout;
        assert!(
            metrics.ends_with("# EOF\n") && metrics.contains("\nrnetstat_sockets{"),
            "{metrics}"
        );
        let mut promtool = Command::new("promtool");
        promtool.args(["check", "metrics"]);
        promtool.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = promtool.spawn().unwrap();
        child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
        let run = Run::end_of(child);
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{keys}\n{metrics}");
        let series: Vec<_> = metrics.lines().filter_map(|line| line.rsplit_once(' ')).collect();
        let names: std::collections::HashSet<_> = series.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), series.len(), "{metrics}");
    }
}

#[test]
fn label_with_too_many_values_needs_a_limit() {
    let table = fs::read_to_string("fixtures/44-questions/proc/net/tcp").unwrap();
    let (heading, _) = table.split_once('\n').unwrap();
    let row = |port: u16| {
        let (ends, rest) = (format!("0100007F:{port:04X} 00000000:0000"), "00:00000000 00000000");
        format!("   0: {ends} 0A 00000000:00000000 {rest}     0        0 {port} 1\n")
    };
    let rows: String = (1..=1001).map(row).collect();
    let table = format!("{heading}\n{rows}");
    let tree = crate::common::proc_tree(&[("net/tcp", &table)]);
    let run = |flags: &str| {
        rnetstat(&format!("-tan --group sport --format openmetrics {flags} --proc"))
            .arg(tree.path())
            .run()
    };
    let refused = run("");
    let message = "rnetstat: sport has 1001 values, too many for a label: --limit N keeps the N largest groups\n";
    assert_eq!(
        (refused.status, refused.stdout.as_str(), refused.stderr.as_str()),
        (Some(2), "", message)
    );
    let limited = run("--limit 2").stdout;
    // A program can be named other, so the sum of the others has a label of its own.
    assert!(limited.contains("rnetstat_sockets{sport=\"\",other=\"true\"} 999\n"), "{limited}");
    let table = rnetstat("-tan --group sport --proc").arg(tree.path()).succeed().stdout;
    assert_eq!(table.lines().count(), 1003);
}

/// Files of docker can be read only by root, so the tree has them.
#[test]
fn rules_of_the_guide_for_fleets_are_valid() {
    if !have(&["promtool"]) {
        return;
    }
    let guide = fs::read_to_string("docs/fleet.md").unwrap();
    let (_, rules) = guide.split_once("```yaml\n").unwrap();
    let (rules, _) = rules.split_once("```").unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(rules.as_bytes()).unwrap();
    let checked = Command::new("promtool").args(["check", "rules"]).arg(file.path()).run();
    assert!(checked.stdout.contains("SUCCESS: 3 rules found"), "{checked:?}");
}
