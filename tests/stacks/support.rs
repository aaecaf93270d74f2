//! An example on the fakes.

use serde_json::Value as Json;

use crate::world::{APP, Ran, Stage};

/// A stage whose project is an example, with the secrets and addresses it needs.
pub(crate) fn stage(example: &str) -> Stage {
    let mut stage = Stage::new();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(example)
        .join("fabrik.yaml");
    std::fs::create_dir_all(stage.dir()).unwrap();
    stage.set_spec(&std::fs::read_to_string(path).unwrap());
    let server = stage.coolify.server_uuid();
    let at = |index: usize| format!("http://{}", stage.proxies[index].address());
    let vars = format!(
        "cloudflare: {}/client/v4\ncoolify: {}\nkuma: {}\nserver: {server}\n",
        at(0),
        at(1),
        at(2)
    );
    let vars = match example {
        "base-stack" => vars,
        _ => vars.replace(&format!("server: {server}\n"), ""),
    };
    std::fs::write(stage.dir().join("vars.yaml"), vars).unwrap();
    // What the spec says holds, not what variables say of a provider.
    for name in ["COOLIFY_API_URL", "UPTIME_KUMA_URL", "UPTIME_KUMA_USERNAME"] {
        stage.env.remove(name);
    }
    for name in ["BACKUP_S3_KEY", "BACKUP_S3_SECRET"] {
        let value = format!("canary-{}", name.to_lowercase());
        stage.env.insert(name.to_owned(), value);
    }
    stage
}

/// Runs the program on the example.
pub(crate) fn run(stage: &Stage, words: &[&str]) -> Ran {
    let vars = stage.dir().join("vars.yaml");
    let mut all = vec![words[0], APP];
    all.extend(&words[1..]);
    let vars = vars.display().to_string();
    all.extend(["--var-file", &vars]);
    stage.run(&all)
}

/// The plan as data.
pub(crate) fn plan(stage: &Stage, more: &[&str]) -> Json {
    let mut words = vec!["plan", "--json"];
    words.extend(more);
    let ran = run(stage, &words).code(0);
    serde_json::from_str(&ran.out).unwrap()
}

/// Applies, and gives the events in their order.
pub(crate) fn apply(stage: &Stage, more: &[&str]) -> (Ran, Vec<Json>) {
    let file = stage.root.path().join("events.ndjson");
    let mut words = vec!["apply", "--yes", "--json-into", file.to_str().unwrap()];
    words.extend(more);
    let ran = run(stage, &words).code(0);
    // Where there is nothing to do there is no run, and no record of one.
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    _ = std::fs::remove_file(&file);
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (ran, events.collect())
}

/// An unchanged spec asks for nothing, and its apply changes nothing.
pub(crate) fn nothing_is_left(stage: &Stage, more: &[&str]) {
    let mut words = vec!["plan", "--detailed-exitcode"];
    words.extend(more);
    run(stage, &words).code(0);
    stage.writes();
    apply(stage, more);
    assert_eq!(stage.writes(), []);
}

/// The variables of what runs at a host name.
pub(crate) fn env_of(stage: &Stage, host: &str) -> Json {
    stage.host.dump()[format!("https://{host}")]["env"].clone()
}

/// Nothing that is secret was printed.
pub(crate) fn no_secret(ran: &Ran) {
    assert!(!ran.all().contains("canary"), "{}", ran.all());
}
