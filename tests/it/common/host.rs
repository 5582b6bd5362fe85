//! A host for one test: its own network, PID and mount namespaces.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::NamedTempFile;

use super::pty::Pty;
use super::run::{Run, RunCommand, program};
use super::{NOBODY, have, is_root, skipped, words};

/// Namespaces that end with the test, together with all programs in them.
pub struct Host {
    /// The process that keeps the namespaces. It ends when its standard input is closed.
    keeper: Child,
    /// The arguments of nsenter that enter the namespaces.
    enter: Vec<String>,
    /// The files that are mounted over files of this machine.
    files: Vec<NamedTempFile>,
}

impl Host {
    /// Makes a host with a working loopback device. Reports the test as skipped and returns `None`
    /// if a tool is missing or namespaces cannot be made.
    pub fn new(tools: &[&str]) -> Option<Self> {
        Self::with(tools, "-npmf")
    }

    /// Makes a host like [`Host::new`], but with the network of this machine.
    pub fn with_network_of_machine(tools: &[&str]) -> Option<Self> {
        Self::with(tools, "-pmf")
    }

    /// Makes a host in new namespaces, which these options of unshare name.
    fn with(tools: &[&str], namespaces: &str) -> Option<Self> {
        if !have(&["unshare", "nsenter", "ip", "sh"]) || !have(tools) {
            return None;
        }
        let user: &[&str] = if is_root() { &[] } else { &["-Ur"] };
        let mut keeper = Command::new("unshare")
            .args(user)
            .args([namespaces, "--mount-proc", "--kill-child", "sh", "-c"])
            .arg("ip link set lo up && echo ready && exec cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            let _ = keeper.wait();
            skipped("no namespaces");
            return None;
        }
        // unshare itself stays outside of the new PID namespace. Only its child is inside.
        let child = procfs::process::all_processes()
            .unwrap()
            .flatten()
            .filter_map(|process| process.stat().ok())
            .find(|stat| u32::try_from(stat.ppid) == Ok(keeper.id()))
            .expect("unshare should have a child");
        let user: &[&str] = if is_root() { &[] } else { &["--user", "--preserve-credentials"] };
        let target = format!("--target={}", child.pid);
        let here = format!("--wd={}", env::current_dir().unwrap().display());
        let enter = ["--net", "--pid", "--mount", &target, &here]
            .iter()
            .chain(user)
            .map(ToString::to_string)
            .collect();
        Some(Self { keeper, enter, files: Vec::new() })
    }

    /// Returns a command that runs on this host.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(&self.enter).arg("--").arg(program);
        command
    }

    /// Returns a command that runs on this host as another user. Needs root and `setpriv`.
    pub fn command_as(&self, uid: u32, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.command("setpriv");
        let user = [format!("--reuid={uid}"), format!("--regid={uid}")];
        command.args(user).arg("--clear-groups").arg(program);
        command
    }

    /// Returns the program under test, to run on this host. Flags are separated by spaces.
    pub fn rnetstat(&self, flags: &str) -> Command {
        let mut command = self.command(program());
        command.args(words(flags));
        command
    }

    /// Returns a command that runs `copy`, made by [`public_copy`](super::public_copy), on this
    /// host as nobody. Needs root and `setpriv`.
    pub fn rnetstat_as_nobody(&self, copy: &Path, flags: &str) -> Command {
        let mut command = self.command_as(NOBODY, copy);
        command.args(words(flags));
        command
    }

    /// Runs the program under test in strace. Returns also the trace of all its threads.
    pub fn strace(&self, options: &str, flags: &str) -> (Run, String) {
        self.strace_by(options, flags, RunCommand::run)
    }

    /// Runs the program under test in strace and a terminal.
    pub fn strace_in_terminal(&self, options: &str, flags: &str) -> (Run, String) {
        self.strace_by(options, flags, |command| {
            Pty::new(100).run_interactive(command.env("TERM", "xterm"))
        })
    }

    fn strace_by(
        &self,
        options: &str,
        flags: &str,
        run: impl FnOnce(&mut Command) -> Run,
    ) -> (Run, String) {
        let log = NamedTempFile::new().unwrap();
        let mut command = self.command("strace");
        command.arg("-f").args(words(options)).arg("-o").arg(log.path());
        let run = run(command.arg(program()).args(words(flags)));
        (run, fs::read_to_string(log.path()).unwrap())
    }

    /// Runs mount(8) on this host, with these arguments.
    pub fn mount(&self, arguments: &[&str]) {
        self.command("mount").args(arguments).succeed();
    }

    /// Mounts an empty file system over a directory.
    pub fn mount_tmpfs(&self, directory: &str) {
        self.mount(&["-t", "tmpfs", "none", directory]);
    }

    /// Mounts a /proc that has processes but no tables.
    pub fn mount_proc_without_tables(&self) {
        self.mount(&["-t", "proc", "-o", "subset=pid", "proc", "/proc"]);
    }

    /// Changes the option `hidepid` of this host's /proc.
    pub fn hide_processes(&self, hidepid: &str) {
        self.mount(&["-o", &format!("remount,hidepid={hidepid}"), "/proc"]);
    }

    /// Mounts a file with this content over an existing file. Needs `mount`.
    pub fn put(&mut self, path: &str, content: &[u8]) {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644)).unwrap();
        self.mount(&["--bind", file.path().to_str().unwrap(), path]);
        self.files.push(file);
    }

    /// Puts the lines `hosts` into /etc/hosts. Makes the resolver look up hosts there, and then
    /// with the NSS module `more`, unless `more` is empty.
    pub fn put_names(&mut self, hosts: &[u8], more: &str) {
        self.put(
            "/etc/nsswitch.conf",
            format!("passwd: files\nservices: files\nhosts: files {more}\n").as_bytes(),
        );
        self.put("/etc/hosts", &[b"127.0.0.1 localhost\n::1 ip6-localhost\n", hosts].concat());
    }

    /// Routes the addresses 10.99.0.0/16 to this host itself.
    pub fn route_peers(&self) {
        self.command("ip").args(words("route add local 10.99.0.0/16 dev lo")).succeed();
    }

    /// Ends a process of this host.
    pub fn kill(&self, pid: &str) {
        self.command("kill").arg(pid).succeed();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
