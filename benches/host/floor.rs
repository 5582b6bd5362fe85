//! The floor: the cost of the kernel's work that no program can avoid.
//!
//! Reads what every program has to read: the tables, and with one thread per core the link of every
//! descriptor. Does not parse, join, print or read the names of processes.

use std::fs::File;
use std::io::Read;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use rustix::fs::{CWD, Mode, OFlags, RawDir, openat, readlinkat_raw};

use crate::Result;

/// The source of the tables.
#[derive(Clone, Copy)]
pub(crate) enum Tables {
    Text,
    Netlink,
}

/// Reads the tables, and with `sweep` the link of every descriptor of every process.
pub(crate) fn run(tables: Tables, sweep: bool) -> Result<()> {
    let pids = if sweep { numbers(&open("/proc")?)? } else { Vec::new() };
    let next = AtomicUsize::new(0);
    let threads = if sweep { thread::available_parallelism()?.get() } else { 1 };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| links(&pids, &next));
        }
        let result = match tables {
            Tables::Text => read_texts(),
            Tables::Netlink => read_netlink(),
        };
        links(&pids, &next);
        result
    })
}

fn read_texts() -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let mut file = File::open(format!("/proc/net/{table}"))?;
        while file.read(&mut buffer)? > 0 {}
    }
    Ok(())
}

/// Dumps the TCP and UDP sockets of both families in every state (`linux/inet_diag.h`).
fn read_netlink() -> Result<()> {
    const DONE: u16 = 3;
    let netlink = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkSockDiag,
    )?;
    let kernel = NetlinkAddr::new(0, 0);
    let mut buffer = vec![0; 64 * 1024];
    for (family, protocol) in [(2, 6), (10, 6), (2, 17), (10, 17)] {
        let mut request = vec![72, 0, 0, 0, 20, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0];
        request.extend([family, protocol, 0, 0]);
        request.extend(0x0fff_u32.to_ne_bytes());
        request.resize(72, 0);
        sendto(netlink.as_raw_fd(), &request, &kernel, MsgFlags::empty())?;
        loop {
            let got = recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            let Some(text) = buffer.get(..got) else { break };
            // DONE ends the dump. It comes after the last sockets, in their datagram or in its own.
            if ends(text, DONE) {
                break;
            }
        }
    }
    Ok(())
}

fn ends(mut text: &[u8], done: u16) -> bool {
    while let [a, b, c, d, kind, of, ..] = *text {
        if u16::from_ne_bytes([kind, of]) == done {
            return true;
        }
        let length = u32::from_ne_bytes([a, b, c, d]) as usize;
        text = text.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    false
}

fn links(pids: &[u32], next: &AtomicUsize) {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    while let Some(pid) = pids.get(next.fetch_add(1, Relaxed)) {
        let Ok(directory) = open(&format!("/proc/{pid}/fd")) else { continue };
        for fd in numbers(&directory).unwrap_or_default() {
            let _ = readlinkat_raw(&directory, fd.to_string(), &mut buffer);
        }
    }
}

fn open(path: &str) -> Result<OwnedFd> {
    Ok(openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

fn numbers(directory: &OwnedFd) -> Result<Vec<u32>> {
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    let mut entries = RawDir::new(directory, &mut buffer);
    let mut numbers = Vec::new();
    while let Some(entry) = entries.next() {
        numbers.extend(entry?.file_name().to_str()?.parse::<u32>());
    }
    Ok(numbers)
}
