//! Parses the text of the kernel's tables.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a bench that fails ends")]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rnetstat::query::Query;
use rnetstat::socket::{Family, Kind, Protocol};
use rnetstat::tables::policy::{Conditions, Source};
use rnetstat::tables::{ByteOrder, Tables, Wants};
use tempfile::TempDir;

const ROWS: u32 = 10_000;

fn tables(criterion: &mut Criterion) {
    let root = TempDir::new().unwrap();
    let net = root.path().join("net");
    fs::create_dir(&net).unwrap();
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(ROWS.into()));
    for (name, protocol, family, any) in [
        ("tcp", Protocol::Tcp, Family::Ipv4, "00000000"),
        ("tcp6", Protocol::Tcp, Family::Ipv6, "B80D0120000000000000000001000000"),
        ("udp", Protocol::Udp, Family::Ipv4, "0100007F"),
    ] {
        let mut text = String::from("  sl  local_address rem_address\n");
        for row in 0..ROWS {
            let (port, inode) = (row % 65536, 4_000_000 + row);
            writeln!(
                text,
                "{row:4}: {any}:{port:04X} {any}:01BB 01 00000000:00000000 00:00000000 00000000  \
                 1000        0 {inode} 1 0000000000000000 20 4 30 10 -1                    "
            )
            .unwrap();
        }
        fs::write(net.join(name), text).unwrap();
        let query = Query { kinds: vec![Kind::Internet(protocol, family)], ..Query::default() };
        let conditions =
            Conditions { source: Source::Text, wants: Wants::default(), other_root: true };
        let mut tables = Tables::new(root.path(), ByteOrder::OWN, conditions).unwrap();
        let mut read = || tables.read(&query, &mut |remark| panic!("{remark}")).unwrap();
        assert_eq!(read().len(), ROWS as usize);
        group.bench_function(name, |bencher| bencher.iter(|| black_box(read())));
    }
    group.finish();
}

criterion_group!(benches, tables);
criterion_main!(benches);
