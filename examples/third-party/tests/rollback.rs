//! A provider's author can fail each step of a run, and see that the world is as it was before:
//! `fabrik_core::engine::Faults`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use fabrik_core::engine::{ApplyOptions, Engine, Fault, Faults, PlanOptions, RunReport};
use fabrik_core::error::ErrorKind;
use fabrik_core::provider::Registry;
use fabrik_core::spec::{LoadRequest, load};
use fabrik_core::stack::Stack;
use fabrik_core::state::{MemoryStore, RunResult};

fn spec(shelf: &Path, book: &str, days: &str) -> String {
    format!(
        "
fabrik: 1
id: notes
providers: {{ logbook: {{ shelf: {shelf:?} }} }}
resources:
  - {{ id: book, type: logbook.book, spec: {{ name: {book} }} }}
  - id: day
    type: logbook.entry
    for_each: {days}
    spec: {{ book: \"${{book.name}}\", title: \"${{each.key}}\", text: \"${{each.value}}\\n\" }}
"
    )
}

fn stack(text: &str) -> Arc<Stack> {
    let mut registry = Registry::new();
    registry.register(logbook::provider());
    let loaded = load(&LoadRequest::new(&registry, "notes.yaml", text.as_bytes()));
    Arc::new(loaded.into_stack().unwrap())
}

async fn run(engine: &Engine, stack: &Arc<Stack>, faults: Vec<Fault>) -> RunReport {
    let plan = engine.plan(stack.clone(), &PlanOptions::default()).await;
    let options = ApplyOptions {
        faults: Faults(faults),
        ..ApplyOptions::default()
    };
    let run = engine.apply(plan.unwrap(), options);
    run.finish().await.unwrap()
}

/// Every book and entry on the shelf.
fn look(shelf: &Path) -> BTreeMap<String, Option<String>> {
    let mut seen = BTreeMap::new();
    for book in std::fs::read_dir(shelf).unwrap() {
        let book = book.unwrap().path();
        seen.insert(book.display().to_string(), None);
        for entry in std::fs::read_dir(book).unwrap() {
            let entry = entry.unwrap().path();
            let text = std::fs::read_to_string(&entry).unwrap();
            seen.insert(entry.display().to_string(), Some(text));
        }
    }
    seen
}

#[tokio::test]
async fn each_failed_step_is_taken_back() {
    let place = tempfile::tempdir().unwrap();
    let shelf = place.path();
    let engine = Engine::builder()
        .provider(logbook::provider())
        .store(MemoryStore::new("notes", "default"))
        .build()
        .unwrap();
    let first = stack(&spec(shelf, "travels", "{ monday: sun, tuesday: rain }"));
    let report = run(&engine, &first, Vec::new()).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    let before = look(shelf);
    assert_eq!(before.len(), 3);

    // The book is another one, and so are its entries; one is new, one is gone.
    let second = stack(&spec(shelf, "journeys", "{ monday: snow, friday: fog }"));
    let plan = engine.plan(second.clone(), &PlanOptions::default()).await;
    let changes = plan.unwrap().changes;
    assert_eq!(changes.len(), 4);
    for change in changes {
        let fault = Fault::FailStep {
            address: change.address.clone(),
            verb: None,
            kind: ErrorKind::Unavailable,
        };
        let report = run(&engine, &second, vec![fault]).await;
        let what = format!("{}: {report:#?}", change.address);
        match report.end.result {
            RunResult::RolledBack => {}
            // A delete comes last, when there is no way back: the next apply goes on with it.
            RunResult::Failed => {
                assert_eq!(report.end.left.len(), 1, "{what}");
                let back = run(&engine, &first, Vec::new()).await;
                assert_eq!(back.end.result, RunResult::Succeeded, "{what}");
            }
            _ => panic!("{what}"),
        }
        assert_eq!(look(shelf), before, "{what}");
    }
}
