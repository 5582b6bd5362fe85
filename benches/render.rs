//! Renders the same sockets in each layout.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a bench that fails ends")]

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::symlink;
use std::time::UNIX_EPOCH;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rnetstat::listing::{Extent, Listing, Part};
use rnetstat::names::{Names, Naming};
use rnetstat::owners::Sweep;
use rnetstat::process::Detail;
use rnetstat::query::{Query, Scope};
use rnetstat::render::Renderer;
use rnetstat::render::table::Screen;
use rnetstat::request::{Columns, Format, Look};
use rnetstat::socket::{
    Endpoint, Facts, Family, InternetSocket, Protocol, Queues, Section, Socket, State,
};
use tempfile::TempDir;

const ROWS: u16 = 10_000;

fn socket(family: Family, address: IpAddr, row: u16) -> InternetSocket {
    InternetSocket {
        protocol: Protocol::Tcp,
        family,
        local: Endpoint { address, port: row },
        remote: Endpoint { address, port: 443 },
        state: State::Established,
        queues: Queues { receive: 0, send: row.into() },
        timer: None,
        uid: 1000,
        inode: 4_000_000 + u64::from(row),
        drops: None,
        facts: Facts::default(),
    }
}

/// Returns a listing of sockets that one process owns.
fn listing(root: &TempDir, family: Family, address: IpAddr) -> Listing {
    let sockets = (0..ROWS).map(|row| Socket::Internet(socket(family, address, row)));
    let sockets: Vec<_> = sockets.collect();
    let (sweep, ()) = Sweep::run(root.path(), || ());
    let detail = Detail { user: true, ..Detail::default() };
    let owners = sweep.owners(&sockets, detail, &mut |remark| panic!("{remark}"));
    let parts = vec![Part { sockets, ..Part::default() }];
    Listing::new(parts, Some(owners.into()), &Query::default(), Extent::Selected, UNIX_EPOCH)
}

fn layouts(criterion: &mut Criterion) {
    let root = TempDir::new().unwrap();
    let process = root.path().join("4711");
    fs::create_dir_all(process.join("fd")).unwrap();
    fs::write(process.join("cmdline"), "/usr/sbin/nginx: worker process\0").unwrap();
    for row in 0..ROWS {
        let link = format!("socket:[{}]", 4_000_000 + u64::from(row));
        symlink(link, process.join("fd").join(row.to_string())).unwrap();
    }
    let look = |format| Look {
        format,
        scope: Scope::All,
        sections: vec![Section::Internet],
        header: true,
        empty_sections: true,
        wide: false,
        extended: true,
        changes: false,
        grouping: None,
        columns: Columns::UsualAnd(Vec::new()),
        programs: true,
        timers: false,
        peers: false,
        namespaces: false,
        is_continuous: false,
        naming: Naming { hosts: false, sctp_hosts: false, ports: false, users: false },
    };
    let names = Names::default();
    let mut group = criterion.benchmark_group("render");
    group.throughput(Throughput::Elements(ROWS.into()));
    let ipv4 = listing(&root, Family::Ipv4, Ipv4Addr::new(192, 168, 1, 77).into());
    let ipv6 = "2001:db8::1:77".parse::<Ipv6Addr>().unwrap();
    let ipv6 = listing(&root, Family::Ipv6, ipv6.into());
    for (name, format, listing) in [
        ("netstat/ipv4", Format::Netstat, &ipv4),
        ("netstat/ipv6", Format::Netstat, &ipv6),
        ("table", Format::Table, &ipv4),
        ("jsonl", Format::Jsonl, &ipv4),
        ("csv", Format::Csv, &ipv4),
    ] {
        let screen = Screen { width: Some(120), color: true };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let out = io::BufWriter::new(io::sink());
                Renderer::new(look(format), screen).write(listing, &names, out).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, layouts);
criterion_main!(benches);
