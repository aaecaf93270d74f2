//! Telling the channels of `notify` about a run. Whoever cannot be told is a warning: the run is what
//! it is.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use fabrik_core::address::Address;
use fabrik_core::engine::{Engine, Notice, RunReport};
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use fabrik_core::secrets::Secret;
use fabrik_core::stack::{Stack, Via};
use fabrik_core::state::RunResult;
use fabrik_core::value::Value;
use fabrik_http::{Client, HttpConfig};
use serde_json::{Value as Json, json};

use crate::fail::Done;
use crate::output::text;
use crate::session::Session;

/// How long a channel may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Version of the document that channels get.
const VERSION: u32 = 1;

/// Tells the channels that are to be told about a run.
pub(crate) async fn tell(
    session: &mut Session,
    engine: &Engine,
    stack: &Stack,
    touched: &BTreeSet<Address>,
    report: &RunReport,
    url: Option<&str>,
) -> Done<()> {
    if stack.notify.is_empty() || report.run.is_none() {
        return Ok(());
    }
    let notices = match engine.notices(stack, touched, report.end.result).await {
        Ok(notices) => notices,
        Err(error) => {
            let text = format!("nobody was told about this run: {error}");
            session.out.warning(&text)?;
            return Ok(());
        }
    };
    let document = document(stack, touched, report, url);
    for notice in notices {
        let told = match notice {
            Ok(notice) => send(session, &notice, &document)
                .await
                .map_err(|error| (Some(notice.channel), error)),
            Err(error) => Err((None, error)),
        };
        if let Err((channel, error)) = told {
            let name = channel.map_or_else(|| "a channel".to_owned(), |name| format!("`{name}`"));
            let text = format!("{name} was not told about this run: {}", error.message());
            session.out.warning(&text)?;
            if let Some(hint) = error.hint_text() {
                session.out.hint(hint)?;
            }
        }
    }
    Ok(())
}

/// What channels get. Texts of errors have been cleaned of secrets by the engine.
fn document(
    stack: &Stack,
    touched: &BTreeSet<Address>,
    report: &RunReport,
    url: Option<&str>,
) -> Json {
    let end = &report.end;
    let mut apps: Vec<&str> = touched
        .iter()
        .filter_map(|address| address.as_str().strip_prefix("apps."))
        .map(|rest| rest.split(['.', '[']).next().unwrap_or(rest))
        .collect();
    apps.sort_unstable();
    apps.dedup();
    json!({
        "v": VERSION,
        "type": "run",
        "text": in_words(stack, report, url),
        "stack": &*stack.name,
        "environment": &*stack.env,
        "run": report.run,
        "result": end.result,
        "succeeded": end.result == RunResult::Succeeded,
        "apps": apps,
        "url": url,
        "revision": end.revision,
        "created": end.created,
        "updated": end.updated,
        "deleted": end.deleted,
        "millis": end.millis,
        "error": end.error.as_ref().map(|error| &error.message),
        "help": end.error.as_ref().and_then(|error| error.hint.as_ref()),
    })
}

/// One line, and what went wrong below it.
fn in_words(stack: &Stack, report: &RunReport, url: Option<&str>) -> String {
    let end = &report.end;
    let what = match end.result {
        RunResult::Succeeded => "done",
        RunResult::Failed => "failed; what was done stays",
        RunResult::CheckFailed => "a check failed; what was done stays",
        RunResult::RolledBack => "failed, and was taken back",
        RunResult::Stuck => "failed, and could not be taken back whole",
        RunResult::Interrupted => "stopped",
    };
    let counts: Vec<String> = [
        (end.created, "created"),
        (end.updated, "changed"),
        (end.deleted, "deleted"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    let mut line = format!(
        "{}: {what} in {}",
        stack.display_name(),
        text::duration(Duration::from_millis(end.millis))
    );
    if !counts.is_empty() {
        line = format!("{line}: {}", counts.join(", "));
    }
    if let Some(url) = url {
        line = format!("{line} \u{2013} {url}");
    }
    if let Some(error) = &end.error {
        line = format!("{line}\n{}", text::printable(&error.message));
        if let Some(hint) = &error.hint {
            line = format!("{line}\nhelp: {}", text::printable(hint));
        }
    }
    line
}

async fn send(session: &Session, notice: &Notice, document: &Json) -> Result<()> {
    match notice.via {
        Via::Slack => post(&notice.to, &json!({"text": document["text"]})).await,
        Via::Webhook => post(&notice.to, document).await,
        Via::Command => run(session, &notice.to, document).await,
    }
}

async fn post(to: &Value, body: &Json) -> Result<()> {
    let no_url = || {
        Error::new(
            ErrorKind::Invalid,
            "its URL is no `https://` or `http://` address",
        )
        .hint("look at the secret that the channel's URL comes from")
    };
    let text = to.reveal().as_str().unwrap_or_default().trim().to_owned();
    // Query and address go their own ways; neither may come to light.
    let (address, query) = match text.split_once('?') {
        Some((address, query)) => (address, query),
        None => (text.as_str(), ""),
    };
    let mut config = HttpConfig::new("notify", env!("CARGO_PKG_VERSION"), address)
        .map_err(|_| no_url())?
        .timeout(PATIENCE)
        .patience(PATIENCE)
        .attempts(2)
        .secret(&Secret::from(text.clone()))
        .secret(&Secret::from(address));
    let pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    for (_, value) in &pairs {
        config = config.secret(&Secret::from(*value));
    }
    let client = Client::new(config)?;
    let cx = Cx::detached();
    let mut request = client.post(&cx, "").body(body).once();
    for (name, value) in pairs {
        request = request.query(name, value);
    }
    request.unit().await.map_err(|error| {
        // Whatever it says, the address must not be in it.
        let message = error
            .message()
            .replace(&text, "***")
            .replace(address, "***");
        Error::new(error.kind(), message)
    })
}

/// Runs the channel's command with the document on its standard input, in the spec's folder.
async fn run(session: &Session, to: &Value, document: &Json) -> Result<()> {
    let mut command = match to.reveal() {
        Value::Str(line) => {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(&**line);
            shell
        }
        Value::List(words) => {
            let words: Vec<&str> = words
                .iter()
                .filter_map(|word| word.reveal().as_str())
                .collect();
            let Some((program, arguments)) = words.split_first() else {
                return Err(Error::new(ErrorKind::Invalid, "its command is empty"));
            };
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
        _ => {
            return Err(Error::new(
                ErrorKind::Invalid,
                "its command is no text and no list",
            ));
        }
    };
    command
        .env_clear()
        .envs(&session.host.env)
        .current_dir(&session.settings.dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let failed = |why: String| Error::new(ErrorKind::Unavailable, format!("its command {why}"));
    let mut child = command
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    if let Some(mut input) = child.stdin.take() {
        // One that does not read it need not.
        let _ = input.write_all(document.to_string().as_bytes());
    }
    let until = std::time::Instant::now() + PATIENCE;
    loop {
        match child
            .try_wait()
            .map_err(|error| failed(error.to_string()))?
        {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(failed(format!("ended with {status}"))),
            None if std::time::Instant::now() > until => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(format!("took longer than {} s", PATIENCE.as_secs())));
            }
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
