//! A stack of files, built in Rust.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use fabrik_core::engine::{ApplyOptions, Engine, PlanOptions};
use fabrik_core::error::Result;
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::stack::{SecretDecl, Stack};
use fabrik_core::value::Value;
use fabrik_provider_local::{AgentLaunch, LocalFile, LocalFileInputs, LocalSettings, provider};

use crate::printer;
use crate::store::CountingStore;

/// Plans, applies, changes and destroys a stack of three files in `folder`.
///
/// # Errors
/// Whatever the engine reports.
pub async fn run(folder: &Path, out: &mut dyn Write) -> Result<()> {
    let store = CountingStore::new("files");
    // Files need no agent; services and sites would.
    let settings = LocalSettings::new(folder.join(".fabrik/local"), folder, |dir, _| {
        AgentLaunch::new("fabrik", dir)
    });
    let engine = Engine::builder()
        .provider(provider(settings))
        .store(store.clone())
        .build()?;

    printer::line(out, "-- first apply")?;
    apply(&engine, stack("Hello")?, out).await?;
    printer::line(out, "-- again, unchanged")?;
    apply(&engine, stack("Hello")?, out).await?;
    printer::line(out, "-- changed")?;
    apply(&engine, stack("Good evening")?, out).await?;
    let letter = std::fs::read_to_string(folder.join("letter.txt")).unwrap_or_default();
    printer::line(out, &format!("letter.txt: {letter}"))?;

    printer::line(out, "-- destroy")?;
    let everything_gone = PlanOptions {
        destroy: true,
        ..PlanOptions::default()
    };
    let plan = engine
        .plan(Arc::new(stack("Good evening")?), &everything_gone)
        .await?;
    let run = engine.apply(plan, ApplyOptions::default());
    let report = printer::follow(out, run, |_| ()).await?;
    printer::line(out, &format!("deleted: {}", report.end.deleted))?;
    let (groups, entries) = store.written();
    printer::line(
        out,
        &format!("the store took {entries} entries in {groups} commits"),
    )
}

async fn apply(engine: &Engine, stack: Stack, out: &mut dyn Write) -> Result<()> {
    let plan = engine
        .plan(Arc::new(stack), &PlanOptions::default())
        .await?;
    printer::plan(out, &plan)?;
    let run = engine.apply(plan, ApplyOptions::default());
    let report = printer::follow(out, run, |_| ()).await?;
    let greeting = report.output("greeting")?.as_str().unwrap_or_default();
    printer::line(out, &format!("output greeting: {greeting}"))
}

/// Two files and a third that is made of what is known of the first once it is there; the second
/// holds a password that is generated once, and kept encrypted.
fn stack(greeting: &str) -> Result<Stack> {
    let mut stack = Stack::new("files");
    stack.secrets.insert(
        "PASSWORD".into(),
        SecretDecl {
            name: "PASSWORD".into(),
            from: None,
            length: 32,
            required: false,
            span: None,
        },
    );
    let first = stack.add::<LocalFile>("greeting", &file("greeting.txt", greeting))?;
    stack.add_with::<LocalFile>(
        "password",
        &file("password.txt", ""),
        [(
            "content",
            Value::from(Expr::from(Reference::secret("PASSWORD"))),
        )],
    )?;
    let text = Expr::Concat(vec![
        Expr::Literal("The greeting has the digest ".into()),
        Expr::Literal(first.get("sha256")?),
        Expr::Literal(".".into()),
    ]);
    stack.add_with::<LocalFile>(
        "letter",
        &file("letter.txt", ""),
        [("content", Value::from(text))],
    )?;
    stack.output("greeting", first.get("content")?);
    Ok(stack)
}

fn file(path: &str, content: &str) -> LocalFileInputs {
    LocalFileInputs {
        path: path.to_owned(),
        content: content.to_owned(),
        mode: None,
    }
}
