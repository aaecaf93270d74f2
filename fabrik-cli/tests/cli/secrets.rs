//! Secrets: kept, shown only when asked for, found nowhere else.

use crate::context::TestContext;

const SPEC: &str =
    "  - { id: a, type: demo.note, spec: { name: a, password: \"${secrets.PW}\" } }\n";

fn context() -> TestContext {
    let context = TestContext::with_notes(SPEC);
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    context.write(
        "fabrik.yaml",
        &format!("{spec}secrets: {{ PW: {{ generate: 32 }} }}\n"),
    );
    context
}

#[test]
fn a_generated_secret_is_kept_and_revealed_only_when_asked_for() {
    let context = context();
    let ran = context.run(&["apply", "--yes"]).code(0);
    let note: serde_json::Value = serde_json::from_str(&context.note("a").unwrap()).unwrap();
    let value = note["password"].as_str().unwrap().to_owned();
    assert_eq!(value.len(), 32);
    assert!(!ran.all().contains(&value), "{}", ran.all());
    context.run(&["secrets", "reveal", "PW"]).code(1);
    let shown = context.run(&["secrets", "reveal", "PW", "--yes"]).code(0);
    assert_eq!(shown.out.trim(), value);
    for words in [
        &["plan"][..],
        &["status", "-v"],
        &["state", "show", "a"],
        &["secrets", "list"],
    ] {
        let ran = context.run(words).code(0);
        assert!(!ran.all().contains(&value), "{words:?}: {}", ran.all());
    }
    context.run(&["state", "export", "all.json"]).code(0);
    let exported = std::fs::read_to_string(context.dir().join("all.json")).unwrap();
    assert!(!exported.contains(&value));
}

#[test]
fn a_secret_is_set_from_input_and_rotated() {
    let context = context();
    context.run(&["apply", "--yes"]).code(0);
    context.run(&["secrets", "rotate", "PW"]).code(0);
    let first = context
        .run(&["secrets", "reveal", "PW", "--yes"])
        .code(0)
        .out;
    context.run(&["apply", "--yes"]).code(0);
    assert!(context.note("a").unwrap().contains(first.trim()));
    let context = TestContext {
        input: Some("typed-by-hand\n".to_owned()),
        ..context
    };
    let ran = context.run(&["secrets", "set", "PW"]).code(0);
    assert!(!ran.all().contains("typed-by-hand"), "{}", ran.all());
    let shown = context.run(&["secrets", "reveal", "PW", "--yes"]).code(0);
    assert_eq!(shown.out, "typed-by-hand\n");
    // Each is a run in history, under its own name.
    let history = context.run(&["history"]).code(0).out;
    let runs: Vec<&str> = history.lines().collect();
    let told = |line: &str, note: &str| line.contains("  ok  ") && line.ends_with(note);
    assert!(told(runs[1], "secrets set PW"), "{history}");
    assert!(told(runs[3], "secrets rotate PW"), "{history}");
}

/// Everything a whole life says and keeps holds no secret in clear: streams, logs, state, plans.
#[test]
fn canaries_stay_inside() {
    let note = |id: &str, rest: &str, secret: &str| {
        format!(
            "  - {{ id: {id}, type: demo.note{rest}, spec: {{ name: {id}, password: \"${{secrets.{secret}}}\" }} }}\n"
        )
    };
    let mut context = TestContext::with_notes(
        &[
            note("a", "", "FROM_ENV"),
            note("b", "", "FROM_FILE"),
            note("c", "", "MADE"),
            "  - { id: d, type: demo.note, depends_on: [a, b, c], spec: { name: d, trouble: panic } }\n"
                .to_owned(),
        ]
        .concat(),
    );
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    let secrets = "secrets: { FROM_ENV: {}, FROM_FILE: {}, MADE: { generate: 40 } }\n";
    context.write("fabrik.yaml", &format!("{spec}{secrets}"));
    context.write(".env", "FROM_FILE=canary-from-the-file\n");
    let env = "canary-from-the-environment".to_owned();
    context.env.insert("FROM_ENV".to_owned(), env);

    let mut said = String::new();
    let all: [&[&str]; 8] = [
        &["plan", "-o", "p.fplan", "-vvv", "--log-file", "log"],
        &[
            "apply",
            "--yes",
            "--on-failure",
            "keep",
            "--json",
            "-vvv",
            "--log-file",
            "log",
        ],
        &["status", "--refresh", "-v"],
        &["history", "show", "--replay", "--json"],
        &["state", "list", "--json"],
        &["state", "export", "state.json"],
        &["secrets", "list", "--json"],
        &["doctor", "--json"],
    ];
    for words in all {
        let output = context.process(words).output().unwrap();
        said.push_str(&String::from_utf8_lossy(&output.stdout));
        said.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    let made = context
        .process(&["secrets", "reveal", "MADE", "--yes"])
        .output()
        .unwrap();
    let made = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    assert_eq!(made.len(), 40);
    for name in [
        "log",
        "p.fplan",
        "state.json",
        ".fabrik/state.db",
        ".fabrik/state.db-wal",
    ] {
        if let Ok(bytes) = std::fs::read(context.dir().join(name)) {
            said.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    assert!(said.len() > 5000, "{said}");
    for canary in ["canary-from-the-file", "canary-from-the-environment", &made] {
        assert!(!said.contains(canary), "{canary} got out");
    }
}
