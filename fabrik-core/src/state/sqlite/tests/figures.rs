//! Figures, in release:
//! `cargo test -p fabrik-core --release figures -- --ignored --nocapture --test-threads 1`.

use std::path::Path;

use crate::address::Address;
use crate::state::{SqliteStore, StateStore};
use crate::testing::store_suite;
use crate::value::Value;

/// A row as large as a DNS record of a real provider, a third of them with references.
fn realistic_row(at: u128) -> crate::state::Row {
    use crate::expr::{Expr, Reference};
    use crate::value::Path;
    let mut row = store_suite::sample_row(at << 64 | 0xabcd, &format!("record-{at}"));
    row.type_name = "cloudflare.dns_record".into();
    row.instance = "cloudflare".into();
    let zone = Address::parse("resources.zone").unwrap();
    row.object.id = format!("{:032x}", at * 0x9E37_79B9_7F4A_7C15);
    row.object.inputs = Value::map([
        ("zone_id", Value::from("023e105f4ecef8ad9ca31a8372d0c353")),
        ("name", Value::from(format!("record-{at}.example.com"))),
        ("type", Value::from("A")),
        (
            "content",
            Value::from(format!(
                "10.{}.{}.{}",
                at >> 16 & 255,
                at >> 8 & 255,
                at & 255
            )),
        ),
        ("ttl", Value::from(300_i64)),
        ("proxied", Value::from(true)),
        (
            "tags",
            Value::list([Value::from("managed"), Value::from("web")]),
        ),
        ("settings", Value::map([("flatten", Value::from(false))])),
    ]);
    row.object.outputs = Value::map([
        ("created_on", Value::from("2026-01-01T05:20:00.12345Z")),
        (
            "modified_on",
            Value::from(format!("2026-01-01T05:20:00.{at:05}Z")),
        ),
        ("proxiable", Value::from(true)),
        ("zone_name", Value::from("example.com")),
    ]);
    if at.is_multiple_of(3) {
        let id = Expr::from(Reference::output(zone.clone(), Path::key("id")));
        row.declared = Some(
            row.object
                .inputs
                .with(&Path::key("zone_id"), Value::from(id)),
        );
    }
    row.deps = vec![zone];
    row
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
        / 1024
}

/// Figures, in release: `cargo test -p fabrik-core --release figures -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "prints figures"]
async fn figures() {
    use crate::state::{Change, EntryKind};
    let folder = tempfile::tempdir_in(".").unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, "s", "e").unwrap();
    let lease = store_suite::take(&store, "me").await.unwrap();
    let entry = |at| {
        let put = Change::Put(Box::new(realistic_row(at)));
        store_suite::sample_entry(1, EntryKind::Resumed).change(put)
    };
    let began = std::time::Instant::now();
    let mut head = 0;
    for chunk in 0..10 {
        let group: Vec<_> = (chunk * 10_000..(chunk + 1) * 10_000).map(entry).collect();
        head = store.append(&lease, head, &group).await.unwrap();
    }
    println!("append 100,000 rows in 10 groups: {:?}", began.elapsed());
    for size in [1, 10, 100] {
        let mut times = Vec::new();
        for round in 0..50 {
            let group: Vec<_> = (0..size).map(|at| entry(round * 1000 + at)).collect();
            let began = std::time::Instant::now();
            head = store.append(&lease, head, &group).await.unwrap();
            times.push(began.elapsed());
        }
        times.sort();
        println!(
            "append of {size}: median {:?}, 90 % {:?}",
            times[25], times[45]
        );
    }
    println!("file: {} MB", std::fs::metadata(&path).unwrap().len() >> 20);
    drop(store);
    std::fs::copy(&path, FIGURES).unwrap();
}

/// Where [`figures`] leaves its state for [`figures_of_load`], which runs in a process of its own.
const FIGURES: &str = "../target/figures.db";

#[tokio::test]
#[ignore = "prints figures; after `figures`, in a process of its own"]
async fn figures_of_load() {
    let store = SqliteStore::open(Path::new(FIGURES), "s", "e").unwrap();
    for _ in 0..3 {
        let before = resident();
        let began = std::time::Instant::now();
        let state = store.load().await.unwrap();
        let (took, rows) = (began.elapsed(), state.rows.len());
        println!(
            "load {rows} rows: {took:?}, resident {before} -> {} MB",
            resident()
        );
    }
}
