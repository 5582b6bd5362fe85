//! Pipes, full disks, and /proc trees with missing or strange files.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use nix::sys::stat::Mode;
use tempfile::TempDir;

use crate::common::host::Host;
use crate::common::run::{RNETSTAT, Run, RunCommand, rnetstat};
use crate::common::{copy_tree, difference, full_disk, needs_root, proc_tree};

#[test]
fn closed_pipe_gives_status_0_and_no_message() {
    let mut table = fs::read_to_string("fixtures/01-lab/proc/net/tcp").unwrap();
    let row = table.lines().last().unwrap().to_owned() + "\n";
    // The listing must be much longer than the buffer of a pipe.
    table += &row.repeat(20_000);
    let tree = proc_tree(&[("net/tcp", &table)]);
    let mut child = rnetstat("-tan --proc").arg(tree.path()).start();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "Active Internet connections (servers and established)\n");
    assert_eq!(Run::end_of(child), Run::success(""));
}

/// The script in `docs/saved-trees.md` saves a host, and rnetstat lists the saved tree like the host.
#[test]
fn tree_saved_by_the_documented_script_is_listed_like_the_host() {
    if !needs_root() {
        return;
    }
    let Some(host) = Host::new(&["python3", "sh", "tar"]) else { return };
    let _services = host.receiver_and_connection();
    let document = fs::read_to_string("docs/saved-trees.md").unwrap();
    let (_, script) = document.split_once("```sh\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let directory = TempDir::new().unwrap();
    let script = format!("cd {}\n{script}", directory.path().display());
    host.command("sh").args(["-c", &script]).succeed();
    fs::remove_dir_all(directory.path().join("saved")).unwrap();
    let unpack = format!("cd {} && tar -xf saved.tar.gz", directory.path().display());
    host.command("sh").args(["-c", &unpack]).succeed();
    let saved = directory.path().join("saved");
    for flags in [
        "-tuxanp",
        "-tuaep --numeric-hosts --numeric-ports",
        "-tuan --format table",
        "-tuan --columns +cwd --netns all",
    ] {
        let [live, saved] = [
            host.rnetstat(flags).listing(),
            host.rnetstat(flags).arg("--proc").arg(&saved).listing(),
        ];
        assert!(live.contains("127.0.0.1"), "{live}");
        assert_eq!(difference(&live, &saved), None, "{flags}");
    }
}

#[test]
fn full_disk_is_an_error() {
    let child = rnetstat("-tan --proc fixtures/01-lab/proc").stdout(full_disk()).run();
    let message = "rnetstat: cannot write the output: No space left on device (os error 28)\n";
    assert_eq!(child, Run::failure(message, 2));
}

#[test]
fn unwritable_stdout_is_an_error() {
    for (flags, stdout) in [
        ("-h", full_disk()),
        ("-V", full_disk()),
        ("-tan --proc fixtures/01-lab/proc", File::open("/dev/null").unwrap()),
    ] {
        let message = rnetstat(flags).stdout(stdout).error();
        assert!(message.starts_with("rnetstat: cannot write the output: "), "{message}");
    }
}

#[test]
fn unwritable_stderr_changes_neither_listing_nor_status() {
    let expected = fs::read_to_string("fixtures/12-corrupt-lines/expected/-tuanp.txt").unwrap();
    let flags = "-tuanp --proc fixtures/12-corrupt-lines/proc";
    assert_eq!(rnetstat(flags).stderr(full_disk()).run(), Run::success(expected));
}

#[test]
fn fifos_devices_and_odd_process_names_in_a_tree_do_no_harm() {
    let root = TempDir::new().unwrap();
    copy_tree(Path::new("fixtures/01-lab/proc"), root.path());
    let proc = root.path().join("proc");
    for file in ["net/udp6", "1057/cmdline"] {
        fs::remove_file(proc.join(file)).unwrap();
        nix::unistd::mkfifo(&proc.join(file), Mode::S_IRWXU).unwrap();
    }
    fs::remove_file(proc.join("net/udp")).unwrap();
    symlink("/dev/zero", proc.join("net/udp")).unwrap();
    for name in ["2147483648", "0001", "+2", "name"] {
        copy_tree(&proc.join("9154"), &proc.join(name));
    }
    // timeout(1) ends a run that waits for a FIFO, or that reads a device forever.
    let flags = ["20", RNETSTAT, "-tuanp", "--proc"];
    let run = Command::new("timeout").args(flags).arg(&proc).run();
    let remarks = run.stderr.replace(proc.to_str().unwrap(), "");
    let expected = "\
        rnetstat: /net/udp: this table is not complete: not a regular file\n\
        rnetstat: /net/udp6: this table is not complete: not a regular file\n\
        rnetstat: /1057/cmdline: sockets may be shown without their owner: not a regular file\n";
    assert_eq!((run.status, remarks.as_str()), (Some(0), expected));
    assert_eq!(run.stdout.matches("9154/firefox").count(), 5, "{}", run.stdout);
    assert_eq!(run.stdout.matches("LISTEN      -").count(), 2, "{}", run.stdout);
}

/// Checks that a listing of this tree fails with this message and the hint that belongs to it.
fn assert_no_table(root: &Path, flags: &str, message: &str) {
    let hint = if message.contains("udplite") {
        " (Linux 7 and later have no UDP-Lite sockets)"
    } else if message.contains("No such file") {
        " (is /proc mounted? --proc DIR reads a copy of it, --source netlink works without it)"
    } else {
        ""
    };
    let expected = format!("rnetstat: no socket table can be read: {message}{hint}\n");
    assert_eq!(rnetstat(flags).arg("--proc").arg(root).error(), expected);
}

#[test]
fn one_message_and_status_2_if_no_required_table_can_be_read() {
    let root = TempDir::new().unwrap();
    let net = root.path().join("net");
    let missing = "No such file or directory (os error 2)";
    let nowhere = root.path().join("nowhere");
    assert_no_table(&nowhere, "-tuan", &format!("{}/net: {missing}", nowhere.display()));
    assert_no_table(root.path(), "-6tuan", &format!("{}: {missing}", net.display()));
    fs::create_dir(&net).unwrap();
    assert_no_table(root.path(), "-tuan", &format!("{}/tcp: {missing}", net.display()));
    assert_no_table(root.path(), "-xan", &format!("{}/unix: {missing}", net.display()));
    // A kernel can be built without IPv6. Linux 7 has no UDP-Lite.
    let listing = rnetstat("-6an --proc").arg(root.path()).listing();
    assert_eq!(listing.lines().count(), 2, "{listing}");
    for (flags, table) in [("-Uan", "udplite"), ("-6Uan", "udplite6")] {
        assert_no_table(root.path(), flags, &format!("{}/{table}: {missing}", net.display()));
    }
    fs::create_dir(net.join("udp6")).unwrap();
    assert_no_table(root.path(), "-6tuan", &format!("{}/udp6: not a regular file", net.display()));
}

#[test]
fn unreadable_table_is_reported_and_the_others_are_listed() {
    let root = TempDir::new().unwrap();
    copy_tree(Path::new("fixtures/01-lab/proc/net"), root.path());
    let tcp6 = root.path().join("net/tcp6");
    fs::remove_file(&tcp6).unwrap();
    fs::create_dir(&tcp6).unwrap();
    let run = rnetstat("-tuan --proc").arg(root.path()).run();
    let message = "this table is not complete: not a regular file";
    assert_eq!(run.stderr, format!("rnetstat: {}: {message}\n", tcp6.display()));
    let all = rnetstat("-tuan --proc fixtures/01-lab/proc").run().stdout;
    let rows = all.split_inclusive('\n').filter(|line| !line.starts_with("tcp6"));
    assert_eq!((run.status, run.stdout), (Some(0), rows.collect()));
}

#[test]
fn missing_tables_are_reported_with_verbose() {
    let flags = "-tuan --proc fixtures/11-no-ipv6/proc";
    let (brief, verbose) = (rnetstat(flags).run(), rnetstat(&format!("{flags} -v")).run());
    assert_eq!((brief.stdout, brief.stderr.as_str()), (verbose.stdout, ""));
    let expected = "\
        rnetstat: fixtures/11-no-ipv6/proc/net/tcp6: there is no such table\n\
        rnetstat: fixtures/11-no-ipv6/proc/net/udp6: there is no such table\n";
    assert_eq!(verbose.stderr, expected);
}

#[test]
fn missing_table_of_sctp_is_an_error_only_if_nothing_else_is_asked_for() {
    let flags = "--proc fixtures/01-lab/proc -an";
    let expected = "rnetstat: no socket table can be read: fixtures/01-lab/proc/net/sctp/eps: No such \
                    file or directory (os error 2) (SCTP sockets exist only while the kernel's \
                    module sctp is loaded)\n";
    assert_eq!(rnetstat(&format!("{flags} -S")).error(), expected);
    assert_eq!(
        rnetstat(&format!("{flags} -tuS")).listing(),
        rnetstat(&format!("{flags} -tu")).listing()
    );
}

#[test]
fn families_that_only_netstat_lists_are_reported_with_verbose() {
    let heading = "dest_addr  dest_call  src_addr  src_call  dev\n";
    let tcp = "  sl  local_address rem_address   st\n";
    let tree = proc_tree(&[
        ("net/tcp", tcp),
        ("net/unix", "Num       RefCount Protocol Flags    Type St Inode Path\n"),
        ("net/ax25", ""),
        ("net/rose", heading),
    ]);
    let remarks = |flags| rnetstat(flags).arg("--proc").arg(tree.path()).succeed().stderr;
    let verbose = remarks("-anv");
    for file in ["ax25", "rose"] {
        let file = tree.path().join("net").join(file);
        let remark = "these sockets are not listed: use the netstat of net-tools";
        assert!(
            verbose.contains(&format!("rnetstat: {}: {remark}\n", file.display())),
            "{verbose}"
        );
    }
    assert!(!verbose.contains("/net/nr:"), "{verbose}");
    assert_eq!(remarks("-an"), "");
    assert!(!remarks("-tanv").contains("net-tools"));
}

#[test]
fn count_limits_continuous_listings() {
    let once = rnetstat("-tuanp --proc fixtures/01-lab/proc").run().stdout;
    let flags = "-tuanpc --interval 0.01 --count 3 --proc fixtures/01-lab/proc";
    assert_eq!(rnetstat(flags).listing(), once.repeat(3));
}

#[test]
fn continuous_listings_are_flushed_and_stop_when_the_pipe_is_closed() {
    let mut child = rnetstat("-tanc --interval 0.2 --proc fixtures/01-lab/proc").start();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Vec<_> = lines.by_ref().take(14).map(Result::unwrap).collect();
    let second: Vec<_> = lines.by_ref().take(14).map(Result::unwrap).collect();
    assert_eq!(first, second);
    assert_eq!(first.iter().filter(|line| line.starts_with("Active")).count(), 1);
    drop(lines);
    assert_eq!(Run::end_of(child), Run::success(""));
}

/// Without sockets, nothing is written that would show that the pipe is closed.
#[test]
fn continuous_listings_without_sockets_stop_when_the_pipe_is_closed() {
    let flags = "-tanc --port 1 --format jsonl --interval 0.1 --proc fixtures/01-lab/proc";
    let mut child = rnetstat(flags).start();
    drop(child.stdout.take());
    assert_eq!(Run::end_of(child), Run::success(""));
}

#[test]
fn continuous_records_have_a_time_and_csv_has_only_one_heading() {
    let flags = "-tanc --interval 0.01 --count 2 --proc fixtures/01-lab/proc";
    let list = |format| rnetstat(&format!("{flags} --format {format}")).run().stdout;
    let once = rnetstat("-tan --proc fixtures/01-lab/proc --format jsonl").run().stdout;
    let sockets = once.lines().count();
    let (jsonl, csv, json) = (list("jsonl"), list("csv"), list("json"));
    assert_eq!(jsonl.lines().count(), 2 * sockets);
    assert!(jsonl.lines().all(|line| line.starts_with("{\"time\":")), "{jsonl}");
    let times: Vec<_> = jsonl.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(times.iter().collect::<std::collections::HashSet<_>>().len(), 2, "{times:?}");
    assert_eq!(csv.lines().filter(|line| line.starts_with("time,protocol,")).count(), 1);
    // One socket of this case has two owners, so csv has two lines for it.
    assert_eq!(csv.lines().count(), 1 + 2 * (sockets + 1));
    let arrays = serde_json::Deserializer::from_str(&json).into_iter::<Vec<serde_json::Value>>();
    let lengths: Vec<_> = arrays.map(|array| array.unwrap().len()).collect();
    assert_eq!(lengths, [sockets, sockets]);
}
