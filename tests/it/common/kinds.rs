//! A host with sockets of many kinds.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::host::Host;
use super::needs_root;
use super::run::{Run, RunCommand};
use super::service::Service;

/// The modules that sockets or netlink need, and that the kernel's Debian package has.
pub const MODULES: [&str; 14] = [
    "sctp",
    "sctp_diag",
    "mptcp_diag",
    "vsock_loopback",
    "vsock_diag",
    "af_packet_diag",
    "netlink_diag",
    "raw_diag",
    "tcp_diag",
    "udp_diag",
    "unix_diag",
    "tipc",
    "can",
    "can_raw",
];

/// Modules that the kernel does not load by itself when a program asks for their sockets, as Debian
/// builds it. Newer kernels lack some of them. None of them opens sockets itself, as `rds_tcp` would.
const RARE_MODULES: [&str; 10] = [
    "ax25",
    "netrom",
    "rose",
    "rds",
    "ieee802154_socket",
    "dccp_ipv4",
    "dccp_ipv6",
    "smc",
    "tipc_diag",
    "x25",
];

/// A host with sockets of many kinds, which one program owns.
pub struct Kinds {
    pub host: Host,
    _program: Service,
    /// The PID of their owner.
    pub pid: String,
    /// Their names and inodes.
    pub sockets: Vec<(String, u64)>,
}

impl Kinds {
    /// Opens the sockets that kernels have without modules.
    pub fn new() -> Option<Self> {
        // A plain user may open no packet sockets.
        if !needs_root() {
            return None;
        }
        Some(Self::on(Host::new(&["python3", "netstat"])?, &[]))
    }

    /// Opens sockets of every family that this kernel has. Many families are only in the first network
    /// namespace.
    pub fn of_every_family() -> Option<Self> {
        if !needs_root() {
            return None;
        }
        Some(Self::on(Host::with_network_of_machine(&["python3"])?, &["all"]))
    }

    fn on(host: Host, arguments: &[&str]) -> Self {
        let mut program = host.python("every_kind.py", arguments);
        let line = program.line();
        let (pid, sockets) = line.split_once(' ').unwrap();
        let sockets = serde_json::from_str(sockets).unwrap();
        Self { host, _program: program, pid: pid.to_owned(), sockets }
    }

    /// Returns the protocols of the rows of each socket.
    pub fn rows(&self, flags: &str) -> BTreeMap<u64, Vec<String>> {
        let run = self.host.rnetstat(flags).run();
        let rows: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
        let mut found = BTreeMap::<u64, Vec<String>>::new();
        for row in rows {
            let protocol = row["protocol"].as_str().unwrap().to_owned();
            found.entry(row["inode"].as_u64().unwrap()).or_default().push(protocol);
        }
        found
    }

    /// Returns true if there is a socket with this name.
    pub fn has(&self, socket: &str) -> bool {
        self.sockets.iter().any(|(name, _)| name == socket)
    }

    pub fn run(&self, flags: &str) -> Run {
        self.host.rnetstat(flags).run()
    }

    /// Returns the names of the sockets that have no row.
    pub fn missing(&self, flags: &str) -> Vec<&str> {
        let rows = self.rows(flags);
        let missing = self.sockets.iter().filter(|(_, inode)| !rows.contains_key(inode));
        missing.map(|(name, _)| name.as_str()).collect()
    }
}

/// Loads [`MODULES`] and others, as the kernel itself would do it. Returns those of [`MODULES`] that the
/// package of the kernel lacks; `None` if this kernel cannot load modules.
pub fn load_modules() -> Option<Vec<&'static str>> {
    let helper = fs::read_to_string("/proc/sys/kernel/modprobe").unwrap();
    if helper.trim() == "/bin/false" {
        return None;
    }
    let load = |modules: &[&str]| Command::new(helper.trim()).arg("-a").args(modules).run().stderr;
    load(&RARE_MODULES);
    let remarks = load(&MODULES);
    let lacks = |module: &&str| remarks.contains(&format!("Module {module} not found"));
    let missing: Vec<_> = MODULES.into_iter().filter(lacks).collect();
    assert_eq!(remarks.lines().count(), missing.len(), "a module cannot be loaded: {remarks}");
    Some(missing)
}
