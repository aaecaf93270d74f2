//! Changed specs: whatever the text, loading and planning end, soon, without a panic.
//!
//! `FABRIK_FUZZ_SECONDS=600 cargo test -p fabrik-tests --test project fuzz` goes on for ten minutes;
//! `FABRIK_FUZZ_SEED` begins where a failure said it was.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fabrik_core::engine::{Engine, PlanOptions};
use fabrik_core::provider::Registry;
use fabrik_core::spec::{LoadRequest, load};
use fabrik_core::state::MemoryStore;
use fabrik_provider_local::{AgentLaunch, LocalSettings};
use fabrik_tests::null::Null;

use crate::support::{files, read, variable};

/// Small, fast, and the same everywhere (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn of<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}

/// Pieces that mean something somewhere.
const PIECES: &[&str] = &[
    "\n",
    "  ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: ",
    "|\n",
    ">\n",
    "'",
    "\"",
    "\\",
    "${",
    "}",
    "$${",
    "${self.url}",
    "${each.key}",
    "${vars.a}",
    "${secrets.S}",
    "== ",
    "~",
    "!x ",
    "---\n",
    "\t",
    "#",
    "é",
    "😀",
    "\u{feff}",
    "\r\n",
    "012",
    "1e999",
    "-1",
    "null",
    "yes",
    "true",
    "apps:",
    "resources:",
    "for_each: [a, b]\n",
    "when: false\n",
    "when: ${vars.a}\n",
    "spec: ",
    "type: null.thing\n",
    "type: local.file\n",
    "type: local.route\n",
    "depends_on: [",
    "moved: ",
    "verify: ",
    "on: ",
    "protect: true\n",
    "on_drift: stop\n",
    "import: x\n",
    "adopt: true\n",
    "timeout: 1s\n",
    "replace_with: [",
    "retain: true\n",
    "providers: { null: ~ }\n",
];

/// Specs to begin with: the examples, the valid fixtures, and one of everything.
fn seeds() -> Vec<String> {
    let mut seeds: Vec<String> = files("examples")
        .into_iter()
        .chain(files("fabrik-core/tests/spec/valid"))
        .filter(|file| file.ends_with(".yaml"))
        .map(|file| read(&file))
        .collect();
    seeds.push(
        "fabrik: 1
id: t
vars: { a: true, n: 3, list: [x, y] }
secrets: [S]
resources:
  - { id: a, type: null.thing, spec: { input: 1, more: \"${vars.n}\" } }
  - { id: b, type: null.thing, for_each: [x, y], spec: { input: \"${a.output}-${each.key}\" } }
  - { id: c, type: null.thing, when: \"${vars.a}\", depends_on: [b], spec: { input: \"${secrets.S}\" } }
  - { id: d, type: null.thing, protect: true, spec: { input: { k: [1, \"${b[\\\"x\\\"].output}\"] } } }
outputs: { a: \"${a.output}\", s: \"${sha256(secrets.S)}\" }
moved: [{ from: resources.old, to: resources.a }]
"
        .to_owned(),
    );
    seeds
}

fn changed(seeds: &[String], chance: &mut Chance) -> String {
    let mut text = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(6) {
        let place = |chance: &mut Chance, text: &str| {
            let at = chance.below(text.len() + 1);
            (0..=at)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap()
        };
        let from = place(chance, &text);
        match chance.below(4) {
            // A piece in, or instead of something.
            0 | 1 => {
                let cut = chance.below(30);
                let to = (from + cut).min(text.len());
                let to = (to..=text.len())
                    .find(|at| text.is_char_boundary(*at))
                    .unwrap();
                text.replace_range(from..to, chance.of(PIECES));
            }
            // A line of another spec.
            2 => {
                let other = &seeds[chance.below(seeds.len())];
                let lines: Vec<&str> = other.lines().collect();
                let line = format!("\n{}\n", chance.of(&lines));
                text.insert_str(from, &line);
            }
            // A line gone, or twice.
            _ => {
                let mut lines: Vec<&str> = text.lines().collect();
                let at = chance.below(lines.len());
                if chance.below(2) == 0 && lines.len() > 1 {
                    lines.remove(at);
                } else if let Some(line) = lines.get(at).copied() {
                    lines.insert(at, line);
                }
                text = lines.join("\n");
            }
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_specs_load_and_plan() {
    let number = |name: &str| variable(name).and_then(|text| text.parse::<u64>().ok());
    let time = Duration::from_secs(number("FABRIK_FUZZ_SECONDS").unwrap_or(2));
    let first = number("FABRIK_FUZZ_SEED").unwrap_or_else(|| u64::from(std::process::id()));

    let folder = tempfile::tempdir().unwrap();
    let mut registry = Registry::new();
    registry.register(Null::default());
    registry.register(fabrik_provider_local::provider(LocalSettings::new(
        folder.path().join("agent"),
        folder.path(),
        |dir, _| AgentLaunch::new("fabrik", dir),
    )));
    for kind in fabrik_core::kinds::all() {
        registry.register_component(kind);
    }
    let engine = Engine::builder()
        .registry(registry.clone())
        .store(MemoryStore::new("t", "default"))
        .build()
        .unwrap();

    let seeds = seeds();
    let begun = Instant::now();
    let (mut texts, mut stacks, mut plans) = (0_u64, 0_u64, 0_u64);
    while begun.elapsed() < time {
        let seed = first.wrapping_add(texts);
        // Neighbouring seeds give unlike texts.
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let text = changed(&seeds, &mut chance);
        texts += 1;
        let started = Instant::now();
        let loaded = load(&LoadRequest::new(&registry, "fuzz.yaml", text.as_bytes()));
        let errors = loaded.diagnostics.has_errors();
        assert_eq!(loaded.stack.is_none(), errors, "seed {seed}\n{text}");
        if let Some(stack) = loaded.stack {
            stacks += 1;
            let engine = engine.clone();
            let planned =
                tokio::spawn(
                    async move { engine.plan(Arc::new(stack), &PlanOptions::default()).await },
                );
            let planned = planned.await.unwrap_or_else(|panic| {
                panic!("seed {seed}: planning panicked: {panic}\n{text}");
            });
            plans += u64::from(planned.is_ok());
        }
        let took = started.elapsed();
        assert!(
            took < Duration::from_secs(10),
            "seed {seed} took {took:?}\n{text}"
        );
    }
    println!("{texts} texts, {stacks} of them valid, {plans} planned");
    assert!(
        plans > 0,
        "nothing was ever planned: {texts} texts, {stacks} valid"
    );
}
