//! The life of one app: from a template to a verified URL, changed, interrupted, brought back.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fabrik_fakes::coolify::Pace;
use fabrik_fakes::kuma::Release;
use fabrik_fakes::namecheap::Namecheap;
use serde_json::{Value as Json, json};

use crate::world::{APP, DOMAIN, Stage};

/// Types of what a plan changes.
fn types(plan: &Json) -> BTreeSet<String> {
    let changes = plan["changes"].as_array().unwrap().iter();
    changes
        .map(|change| change["type"].as_str().unwrap().to_owned())
        .collect()
}

/// What runs at the app's address.
fn runs(stage: &Stage) -> Json {
    stage.host.dump()[format!("https://{DOMAIN}")].clone()
}

#[test]
fn from_a_template_to_a_verified_url() {
    let stage = Stage::new();
    stage.new_project();
    stage.edit_on("local");
    let here = types(&stage.plan());
    let local = |name: &String| name.starts_with("local.");
    assert!(
        here.contains("local.service") && here.contains("local.route"),
        "{here:?}"
    );
    // Nothing but where it goes is another.
    stage.edit("on: local", "on: coolify");
    let there = types(&stage.plan());
    assert!(!there.iter().any(local), "{there:?}");
    let ran = stage.apply().code(0);
    assert_eq!(ran.out.trim(), format!("https://{DOMAIN}"));
    for check in ["health", "tls", "dns"] {
        ran.says(&format!("✓ apps.{APP}.{check}"));
    }
    let serves = runs(&stage);
    assert_eq!(serves["version"], "example/demo@main");
    assert_eq!(serves["env"], json!({"LOG_LEVEL": "info"}));
    assert_eq!(
        stage.counts(),
        json!({"records": 2, "projects": 2, "applications": 2, "databases": 0, "backups": 0, "monitors": 2})
    );
}

/// The same program really runs here, and there; nothing but `on` is another.
#[test]
fn the_same_spec_here_and_there() {
    let mut stage = Stage::new();
    // Its processes are found by this.
    stage
        .env
        .insert("PATH".to_owned(), "/usr/bin:/bin".to_owned());
    stage.real_time();
    let dir = stage.dir();
    std::fs::create_dir_all(&dir).unwrap();
    let greeter = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/service/greeter/greeter.rs");
    let done = std::process::Command::new("rustc")
        .arg("-o")
        .arg(dir.join("greeter"))
        .arg(greeter)
        .status()
        .unwrap();
    assert!(done.success());
    let cloudflare = stage.proxies[0].address();
    stage.set_spec(&format!(
        "fabrik: 1\nid: {APP}\napps:\n  {APP}:\n    kind: service\n    on: local\n    \
         source: {{ path: ., repo: example/demo }}\n    port: 8000\n    domain: {DOMAIN}\n    \
         health: /healthz\n    env: {{ GREETING: Hello }}\n    secrets: [TOKEN]\n    \
         verify:\n      - {{ http: /, contains: Hello }}\n    \
         local: {{ command: exec ./greeter, port: auto }}\n\
         providers:\n  cloudflare: {{ endpoint: \"http://{cloudflare}/client/v4\" }}\n"
    ));
    stage.set_host(DOMAIN, "127.0.0.1");
    let ran = stage.apply().code(0);
    assert!(
        ran.out.starts_with(&format!("http://{DOMAIN}:")),
        "{}",
        ran.all()
    );
    ran.says(&format!("✓ apps.{APP}.health"));
    stage.run(&["destroy", APP, "--yes"]).code(0);
    stage.remove_host(DOMAIN);

    stage.edit("on: local", "on: coolify");
    let ran = stage.apply().code(0);
    assert_eq!(ran.out.trim(), format!("https://{DOMAIN}"));
    ran.says(&format!("✓ apps.{APP}.http"));
}

/// Another registrar's DNS, and an old Uptime Kuma: what plays a role is named, nothing else.
#[test]
fn with_namecheap_and_an_old_kuma() {
    let mut stage = Stage::of(Release::V1);
    let namecheap = Namecheap::config(stage.namecheap.address());
    for (name, field) in [
        ("NAMECHEAP_API_USER", "api_user"),
        ("NAMECHEAP_API_KEY", "api_key"),
        ("NAMECHEAP_CLIENT_IP", "client_ip"),
    ] {
        let value = namecheap[field].as_str().unwrap().to_owned();
        stage.env.insert(name.to_owned(), value);
    }
    stage.new_project();
    stage.edit_on("{ runtime: coolify, dns: namecheap }");
    stage.edit("domain: demo.example.com", "domain: demo.shop.test");
    let endpoint = &namecheap["endpoint"];
    stage.edit(
        "providers:\n",
        &format!("providers:\n  namecheap: {{ endpoint: {endpoint} }}\n"),
    );
    let before = stage.dump();
    stage.dark.store(true, Ordering::Relaxed);
    let ran = stage.apply().code(6);
    assert_eq!(stage.dump(), before, "{}", ran.all());

    stage.dark.store(false, Ordering::Relaxed);
    let ran = stage.apply().code(0);
    assert_eq!(ran.out.trim(), "https://demo.shop.test");
    let domain = stage.namecheap.domain("shop.test").unwrap();
    let own = domain.hosts.iter().filter(|host| host.name == "demo");
    let own: Vec<&str> = own.map(|host| host.address.as_str()).collect();
    assert_eq!(own, ["203.0.113.10"]);
    // Those that were there are there still.
    assert!(domain.hosts.len() > 1, "{:?}", domain.hosts);
    stage.apply().code(0).says("No changes");
}

#[test]
fn unchanged_it_is_left_alone_and_changed_it_is_updated_in_place() {
    let stage = Stage::with_project("coolify");
    stage.widen();
    stage.apply().code(0);
    let counts = stage.counts();
    stage.writes();
    let ran = stage.apply().code(0);
    assert_eq!(stage.writes(), []);
    assert_eq!(ran.out.trim(), format!("https://{DOMAIN}"));

    stage.change();
    stage.apply().code(0).says("5 updated, 1 ran");
    assert_eq!(stage.counts(), counts);
    let serves = runs(&stage);
    assert_eq!(serves["version"], "example/demo@v2");
    assert_eq!(serves["env"]["LOG_LEVEL"], "debug");
    stage.writes();
    stage.apply().code(0);
    assert_eq!(stage.writes(), []);
}

#[test]
fn an_earlier_revision_is_brought_back() {
    let stage = Stage::with_project("coolify");
    stage.widen();
    stage.apply().code(0);
    let first = stage.dump();
    stage.change();
    stage.apply().code(0);
    assert_ne!(stage.dump(), first);
    let status = stage.run(&["status", APP]).code(0);
    for told in ["service", "running", "v2", DOMAIN, "3/3"] {
        assert!(status.out.contains(told), "no `{told}`\n{}", status.all());
    }
    let ran = stage.run(&[
        "rollback",
        "1",
        "-f",
        &format!("{APP}/fabrik.yaml"),
        "--yes",
    ]);
    let ran = ran.code(0);
    ran.says("Rolled back")
        .says(&format!("✓ apps.{APP}.health"));
    assert_eq!(stage.dump(), first, "{}", ran.all());
    assert_eq!(runs(&stage)["version"], "example/demo@main");
    let history = stage.run(&["history", APP]).code(0);
    assert!(
        history.out.contains("back to revision 1"),
        "{}",
        history.all()
    );
    // What runs, not what the spec asks for.
    let status = stage.run(&["status", APP]).code(0);
    assert!(
        status.out.contains("main") && !status.out.contains("v2"),
        "{}",
        status.all()
    );
}

#[test]
fn logs_and_pages() {
    let stage = Stage::with_project("coolify");
    let ran = stage.apply().code(0);
    let page = format!(
        "apps.{APP}.deployment: {}/project/deployment/",
        stage.env["COOLIFY_API_URL"]
    );
    ran.says(&page);
    let runtime = stage.run(&["logs", APP]).code(0);
    assert!(
        runtime
            .out
            .contains("Uvicorn running on http://0.0.0.0:8000"),
        "{}",
        runtime.all()
    );
    let build = stage.run(&["logs", APP, "--build"]).code(0);
    assert_eq!(
        build.out,
        "Starting deployment to main.\nBuilding docker image started.\nRolling update completed.\n"
    );
    let last = stage.run(&["logs", APP, "--build", "-n", "1"]).code(0);
    assert_eq!(last.out, "Rolling update completed.\n");
}

/// Killed while Coolify builds, the run goes on where it was: the deployment is joined.
#[test]
fn a_deployment_under_way_is_joined_after_a_kill() {
    let stage = Stage::with_project("coolify");
    stage.coolify.set_pace(Pace::Time {
        queued: Duration::from_millis(50),
        running: Duration::from_secs(4),
    });
    let mut child = stage.process(&["apply", APP, "--yes"]).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while !stage
        .coolify
        .deployments()
        .iter()
        .any(|(_, _, status)| status == "in_progress")
    {
        assert!(Instant::now() < until, "nothing is deployed");
        std::thread::sleep(Duration::from_millis(20));
    }
    // The deployment's id is durable a moment after Coolify has told it.
    std::thread::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    let status = stage.process(&["status", APP]).output().unwrap();
    let status = String::from_utf8_lossy(&status.stdout);
    assert!(status.contains("was interrupted"), "{status}");

    let again = stage.process(&["apply", APP, "--yes"]).output().unwrap();
    let told = String::from_utf8_lossy(&again.stderr);
    assert_eq!(again.status.code(), Some(0), "{told}");
    assert_eq!(stage.coolify.deployments().len(), 1, "{told}");
    assert_eq!(
        stage.counts(),
        json!({"records": 2, "projects": 2, "applications": 2, "databases": 0, "backups": 0, "monitors": 2})
    );
    assert_eq!(runs(&stage)["version"], "example/demo@main");
    // What was interrupted is verified like any other run.
    assert!(told.contains("3 checks passed"), "{told}");
    stage.writes();
    stage.apply().code(0);
    assert_eq!(stage.writes(), []);
}

/// What Fabrik itself takes for a whole deployment: waiting takes no time here, and the services
/// answer at once. The bar is 2 s; a figure, since a machine may be busy.
#[test]
fn what_a_deployment_takes() {
    let stage = Stage::with_project("coolify");
    stage.widen();
    let begun = Instant::now();
    stage.apply().code(0);
    let first = begun.elapsed();
    stage.change();
    let begun = Instant::now();
    stage.apply().code(0);
    let later = begun.elapsed();
    let begun = Instant::now();
    stage.apply().code(0);
    let nothing = begun.elapsed();
    println!(
        "Fabrik's own share of a deployment: first {first:?}, changed {later:?}, unchanged {nothing:?}"
    );
}
