//! The hosts: how many processes they have, and the descriptors of each.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::Result;

/// The descriptors of one process, besides its three standard descriptors.
#[derive(Clone, Copy)]
struct Descriptors {
    /// Descriptors that are not sockets.
    plain: u16,
    /// UDP sockets.
    udp: u16,
    /// TCP servers.
    listeners: u16,
    /// TCP connections of the process with itself: two sockets each.
    pairs: u16,
}

/// A host, with the number of processes of each kind.
pub(crate) struct Population {
    pub(crate) name: &'static str,
    kinds: &'static [(u16, Descriptors)],
}

const fn descriptors(plain: u16, udp: u16, listeners: u16, pairs: u16) -> Descriptors {
    Descriptors { plain, udp, listeners, pairs }
}

/// Every host, the smallest first.
pub(crate) const POPULATIONS: &[Population] = &[
    Population { name: "empty", kinds: &[] },
    Population {
        name: "desktop",
        kinds: &[
            (120, descriptors(27, 0, 0, 0)),
            (160, descriptors(26, 1, 0, 0)),
            (20, descriptors(22, 0, 1, 2)),
        ],
    },
    Population {
        name: "server",
        kinds: &[(500, descriptors(100, 1, 0, 0)), (20, descriptors(97, 0, 2, 249))],
    },
    Population {
        name: "fds",
        kinds: &[(1800, descriptors(100, 1, 0, 0)), (200, descriptors(100, 0, 1, 1))],
    },
    Population {
        name: "tenth",
        kinds: &[(500, descriptors(0, 0, 0, 0)), (20, descriptors(0, 100, 2, 249))],
    },
    Population {
        name: "crowd",
        kinds: &[(500, descriptors(0, 0, 0, 0)), (20, descriptors(0, 1000, 2, 2499))],
    },
];

impl Population {
    /// Returns a text such as `300 processes, 9000 fds, 260 sockets`.
    pub(crate) fn describe(&self) -> String {
        let sum = |of: fn(Descriptors) -> u32| -> u32 {
            self.kinds.iter().map(|&(count, descriptors)| u32::from(count) * of(descriptors)).sum()
        };
        format!(
            "{} processes, {} fds, {} sockets",
            sum(|_| 1),
            sum(Descriptors::fds),
            sum(|descriptors| descriptors.fds() - u32::from(descriptors.plain) - 3)
        )
    }

    /// Starts the processes in this namespace and waits until each has its descriptors.
    pub(crate) fn start(&self) -> Result<Running> {
        let (stay, end) = io::pipe()?;
        let (mut ready, tell) = io::pipe()?;
        let mut children = Vec::new();
        let kinds = self
            .kinds
            .iter()
            .flat_map(|&(count, descriptors)| (0..count).map(move |_| descriptors));
        for (descriptors, number) in kinds.zip(1_u16..) {
            let [high, low] = number.to_be_bytes();
            children.push(start_process(
                descriptors,
                Ipv4Addr::new(127, 1, high, low),
                &stay,
                &tell,
            )?);
        }
        drop(tell);
        let mut words = vec![0; children.len()];
        ready.read_exact(&mut words).map_err(|_| "a process could not open its descriptors")?;
        Ok(Running { children, end: Some(end) })
    }
}

impl Descriptors {
    fn fds(self) -> u32 {
        3 + [self.plain, self.udp, self.listeners, self.pairs, self.pairs]
            .map(u32::from)
            .iter()
            .sum::<u32>()
    }
}

/// The processes of a host. They end when this is dropped.
pub(crate) struct Running {
    children: Vec<Child>,
    end: Option<PipeWriter>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.end.take());
        for child in &mut self.children {
            let _ = child.wait();
        }
    }
}

fn start_process(
    descriptors: Descriptors,
    at: Ipv4Addr,
    stay: &PipeReader,
    tell: &PipeWriter,
) -> Result<Child> {
    let Descriptors { plain, udp, listeners, pairs } = descriptors;
    let counts = [plain, udp, listeners, pairs].map(|count| count.to_string());
    let child = Command::new(env::current_exe()?)
        .args(["process", &at.to_string()])
        .args(counts)
        .stdin(Stdio::from(stay.try_clone()?))
        .stdout(Stdio::from(tell.try_clone()?))
        .spawn()?;
    Ok(child)
}

/// Runs as one of the processes: opens its descriptors and keeps them until standard input ends.
pub(crate) fn run_process(arguments: &[String]) -> Result<()> {
    let [at, counts @ ..] = arguments else { return Err("process ADDRESS COUNTS".into()) };
    let at: SocketAddr = format!("{at}:0").parse()?;
    let counts: Vec<u16> = counts.iter().map(|count| count.parse()).collect::<Result<_, _>>()?;
    let [plain, udp, listeners, pairs] = counts[..] else { return Err("four counts".into()) };

    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let _plain: Vec<File> =
        (0..plain).map(|_| File::open("/dev/null")).collect::<Result<_, _>>()?;
    let _udp: Vec<UdpSocket> = (0..udp).map(|_| UdpSocket::bind(at)).collect::<Result<_, _>>()?;
    let listeners: Vec<TcpListener> =
        (0..listeners).map(|_| TcpListener::bind(at)).collect::<Result<_, _>>()?;
    let mut connections = Vec::new();
    for _ in 0..pairs {
        let Some(listener) = listeners.first() else { return Err("pairs need a listener".into()) };
        connections.push(TcpStream::connect(listener.local_addr()?)?);
        connections.push(listener.accept()?.0);
    }
    io::stdout().write_all(b"!")?;
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Starts the loopback device, and allows enough ports for the largest host.
pub(crate) fn prepare_namespace() -> Result<()> {
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status()?;
    if !up.success() {
        return Err("the loopback interface should go up".into());
    }
    fs::write("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535")?;
    Ok(())
}
