//! netstat's layout, from sockets to bytes.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot go on ends")]

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rnetstat::names::{Names, Naming};
use rnetstat::process::Process;
use rnetstat::query::Scope;
use rnetstat::render::netstat::{Layout, Table};
use rnetstat::socket::{Endpoint, Family, Protocol, Queues, Socket, State};
use tempfile::TempDir;

const ROWS: u16 = 10_000;

fn socket(family: Family, address: IpAddr, row: u16) -> Socket {
    Socket {
        protocol: Protocol::Tcp,
        family,
        slot: row.into(),
        local: Endpoint { address, port: row },
        remote: Endpoint { address, port: 443 },
        state: State::Established,
        queues: Queues { receive: 0, send: row.into() },
        timer: None,
        uid: 1000,
        inode: 4_000_000 + u64::from(row),
        drops: None,
    }
}

fn rows(criterion: &mut Criterion) {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("4711")).unwrap();
    fs::write(root.path().join("4711/cmdline"), "/usr/sbin/nginx: worker process\0").unwrap();
    let process = Process::read(root.path(), 4711).unwrap();
    let naming = Naming { hosts: false, ports: false, users: false };
    let layout = Layout {
        scope: Scope::All,
        wide: false,
        extended: true,
        programs: true,
        timers: false,
        naming,
    };
    let names = Names::default();
    let mut group = criterion.benchmark_group("render");
    group.throughput(Throughput::Elements(ROWS.into()));
    for (name, family, address) in [
        ("ipv4", Family::Ipv4, Ipv4Addr::new(192, 168, 1, 77).into()),
        ("ipv6", Family::Ipv6, "2001:db8::1:77".parse::<Ipv6Addr>().unwrap().into()),
    ] {
        let sockets: Vec<_> = (0..ROWS).map(|row| socket(family, address, row)).collect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut table = Table::new(layout, &names, io::BufWriter::new(io::sink()));
                for socket in &sockets {
                    table.internet(socket, Some(&process)).unwrap();
                }
                table.finish().unwrap();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, rows);
criterion_main!(benches);
