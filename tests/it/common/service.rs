//! Programs that open sockets on a [`Host`].

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::host::Host;
use super::is_root;

/// A program on a [`Host`]. If it does not end itself, it ends with the host.
pub struct Service {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Service {
    /// Waits for the next line on the program's stdout.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the program has ended");
        line.trim_end().to_owned()
    }

    /// Writes a line to the program's stdin.
    pub fn say(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Closes the program's stdin, waits for its end, and returns the rest of its output.
    pub fn end(mut self) -> String {
        drop(self.stdin.take());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

impl Host {
    /// Starts a program with pipes as its stdin and stdout.
    pub fn start(&self, program: &str, arguments: &[&str]) -> Service {
        let mut child = self
            .command(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Service { child, stdin, stdout }
    }

    /// Starts a program of `tests/programs/`.
    pub fn python(&self, script: &str, arguments: &[&str]) -> Service {
        self.start("python3", &[&[format!("tests/programs/{script}").as_str()], arguments].concat())
    }

    /// Starts a program of `tests/programs/` and waits until it has printed `ready`.
    pub fn python_ready(&self, script: &str, arguments: &[&str]) -> Service {
        let mut service = self.python(script, arguments);
        assert_eq!(service.line(), "ready", "{script}");
        service
    }

    /// Starts a UDP receiver on port 5000, and returns also its PID.
    pub fn receiver(&self) -> (Service, String) {
        let mut receiver = self.python("receiver.py", &[]);
        let line = receiver.line();
        let pid = line
            .strip_prefix("Server with PID ")
            .and_then(|rest| rest.strip_suffix(" is listening for data on port 5000..."))
            .unwrap();
        let pid = pid.to_owned();
        (receiver, pid)
    }

    /// Starts a receiver on UDP port 5000, and a server on TCP port 5001 with one client.
    pub fn receiver_and_connection(&self) -> [Service; 3] {
        let (receiver, _) = self.receiver();
        let mut server = self.python("server.py", &["5001"]);
        server.line();
        let mut client = self.python("client.py", &["5001"]);
        client.line();
        // Wait until the server has the descriptor of the accepted connection.
        server.line();
        [receiver, server, client]
    }

    /// Starts a program with this many UDP sockets.
    pub fn udp_sockets(&self, count: &str) -> Service {
        self.python_ready("many.py", &[count])
    }

    /// Starts this many processes without sockets.
    pub fn sleepers(&self, count: u32) -> Service {
        let script = format!("for i in $(seq {count}); do sleep 1000 & done; echo ready; exec cat");
        let mut sleepers = self.start("sh", &["-c", &script]);
        assert_eq!(sleepers.line(), "ready");
        sleepers
    }

    /// Opens sockets of every kind in every state. Needs `python3` and `mount`.
    pub fn sockets_of_every_kind(&self) -> Service {
        self.mount_tmpfs("/mnt");
        let users = if is_root() { "root" } else { "alone" };
        self.python_ready("parity_host.py", &["/mnt", users])
    }

    /// Connects a UDP socket to each of `count` hosts: 10.99.0.1, 10.99.0.2, and so on. A DNS
    /// server gives their names after `pause` seconds, or not at all if `pause` is "never".
    /// `options` are lines for resolv.conf. Needs `python3` and `mount`.
    pub fn named_peers(&mut self, count: u8, pause: &str, options: &str) -> [Service; 2] {
        self.put_names(b"", "dns");
        self.put("/etc/resolv.conf", format!("nameserver 127.0.0.1\n{options}").as_bytes());
        self.route_peers();
        let resolver = self.python_ready("slow_resolver.py", &[pause]);
        [resolver, self.python_ready("peers.py", &[&count.to_string()])]
    }
}
