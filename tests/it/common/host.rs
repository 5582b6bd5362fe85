//! A host of a test's own: private network, PID and mount namespaces that end with the test.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::NamedTempFile;

use super::{have, is_root, skipped};

/// The namespaces, held by a process in them that ends when its standard input does.
pub struct Host {
    holder: Child,
    enter: Vec<String>,
    /// What is mounted over files of this machine.
    files: Vec<NamedTempFile>,
}

impl Host {
    /// Makes a host whose loopback is up; none, with a word, where that is not possible.
    pub fn new(tools: &[&str]) -> Option<Self> {
        if !have(&["unshare", "nsenter", "ip", "sh"]) || !have(tools) {
            return None;
        }
        let user: &[&str] = if is_root() { &[] } else { &["-Ur"] };
        let mut holder = Command::new("unshare")
            .args(user)
            .args(["-npmf", "--mount-proc", "--kill-child", "sh", "-c"])
            .arg("ip link set lo up && echo ready && exec cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare should run");
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("the holder's word");
        if line != "ready\n" {
            let _ = holder.wait();
            skipped("no namespaces");
            return None;
        }
        let child = procfs::process::all_processes()
            .expect("/proc")
            .flatten()
            .filter_map(|process| process.stat().ok())
            .find(|stat| u32::try_from(stat.ppid) == Ok(holder.id()))
            .expect("the holder's child");
        let user: &[&str] = if is_root() { &[] } else { &["--user", "--preserve-credentials"] };
        let target = format!("--target={}", child.pid);
        let here = format!("--wd={}", env::current_dir().expect("a directory").display());
        let enter = ["--net", "--pid", "--mount", &target, &here]
            .iter()
            .chain(user)
            .map(ToString::to_string)
            .collect();
        Some(Self { holder, enter, files: Vec::new() })
    }

    /// Gives this host a file of its own in the place of one that the machine has.
    pub fn put(&mut self, path: &str, content: &[u8]) {
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(content).expect("a file that can be written");
        let mode = fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(mode).expect("chmod");
        let mut mount = self.command("mount");
        let mounted = mount.arg("--bind").arg(file.path()).arg(path).status().expect("mount");
        assert!(mounted.success(), "{path} should be there");
        self.files.push(file);
    }

    /// Gives this host these names, and no others: hosts by /etc/hosts, and then by `more`.
    pub fn put_names(&mut self, hosts: &[u8], more: &str) {
        self.put(
            "/etc/nsswitch.conf",
            format!("passwd: files\nservices: files\nhosts: files {more}\n").as_bytes(),
        );
        self.put("/etc/hosts", &[b"127.0.0.1 localhost\n::1 ip6-localhost\n", hosts].concat());
    }

    /// A command that runs on this host.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(&self.enter).arg("--").arg(program);
        command
    }

    /// Starts a program that stays, and talks through its standard input and output.
    pub fn start(&self, program: &str, arguments: &[&str]) -> Service {
        let mut child = self
            .command(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program should start");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Service { child, stdin: Some(stdin), stdout }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// A program that runs on a [`Host`], until the host ends.
pub struct Service {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Service {
    /// Waits for the next line that it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        assert!(line.ends_with('\n'), "the program has ended");
        line.trim_end().to_owned()
    }

    /// Writes a line to it.
    pub fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("a program that has not been ended");
        writeln!(stdin, "{line}").expect("a program that reads");
    }

    /// Ends its input and waits for it to end; its remaining output.
    pub fn end(mut self) -> String {
        drop(self.stdin.take());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("its output");
        assert!(self.child.wait().expect("its end").success());
        rest
    }
}
