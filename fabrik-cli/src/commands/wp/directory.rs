//! `fabrik wp plugins` and `fabrik wp themes`: the public directories, asked when they are needed.
//! Answers are kept for a day.
//!
//! The API is documented at <https://codex.wordpress.org/WordPress.org_API>.

use std::path::PathBuf;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::provider::{Cx, StopSignal};
use fabrik_http::{Client, HttpConfig};
use serde_json::{Value as Json, json};

use crate::args::WpDirectoryCommand;
use crate::env_vars;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::Tone;
use crate::output::table::Table;
use crate::session::Session;

/// Where the directories answer.
const API: &str = "https://api.wordpress.org";
/// How long an answer is good for.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Which directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Plugins.
    Plugins,
    /// Themes.
    Themes,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Plugins => "plugins",
            Kind::Themes => "themes",
        }
    }

    fn one(self) -> &'static str {
        match self {
            Kind::Plugins => "plugin",
            Kind::Themes => "theme",
        }
    }
}

/// Searches, or shows one.
pub(super) async fn run(session: &mut Session, kind: Kind, command: &WpDirectoryCommand) -> Done {
    match command {
        WpDirectoryCommand::Search(args) => {
            let words = args.words.join(" ");
            let query = [
                ("action", format!("query_{}", kind.name())),
                ("request[search]", words.clone()),
                ("request[per_page]", args.limit.to_string()),
            ];
            let answer = ask(session, kind, &query, args.fresh).await?;
            let found = answer.get(kind.name()).and_then(Json::as_array).cloned();
            let found: Vec<Json> = found.unwrap_or_default().iter().map(short).collect();
            if session.is_machine() {
                session.out.structured(&found)?;
            } else if found.is_empty() {
                session.out.message(&format!("nothing fits `{words}`"))?;
            } else {
                let mut table =
                    Table::new(["slug", "name", "version", "installs", "needs"]).keep(0);
                for one in &found {
                    let text = |field: &str| (Tone::Plain, text_of(one, field));
                    table.row([
                        text("slug"),
                        text("name"),
                        text("version"),
                        text("installs"),
                        (Tone::Plain, needs(one)),
                    ]);
                }
                let lines = table.render(session.out.data_style());
                session.out.data(lines.trim_end())?;
            }
        }
        WpDirectoryCommand::Show(args) => {
            let query = [
                ("action", format!("{}_information", kind.one())),
                ("request[slug]", args.slug.clone()),
            ];
            let answer = ask(session, kind, &query, args.fresh).await?;
            if answer.get("error").is_some() || answer.get("slug").is_none() {
                let text = format!(
                    "there is no {} `{}` in the directory",
                    kind.one(),
                    args.slug
                );
                return Err(Error::new(ErrorKind::NotFound, text)
                    .hint(format!(
                        "look for it: `fabrik wp {} search WORDS`",
                        kind.name()
                    ))
                    .into());
            }
            let one = short(&answer);
            if session.is_machine() {
                session.out.structured(&one)?;
            } else {
                let fields = [
                    "slug",
                    "name",
                    "version",
                    "installs",
                    "wordpress",
                    "php",
                    "updated",
                    "page",
                    "zip",
                ];
                for field in fields {
                    let text = text_of(&one, field);
                    if !text.is_empty() {
                        session.out.data(&format!("{field:<10} {text}"))?;
                    }
                }
            }
        }
    }
    Ok(Exit::DONE)
}

/// What a person wants to know; everything from outside is text.
fn short(answer: &Json) -> Json {
    let text = |field: &str| match answer.get(field) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    json!({
        "slug": text("slug"),
        "name": unescaped(&text("name")),
        "version": text("version"),
        "installs": text("active_installs"),
        "wordpress": text("requires"),
        "php": text("requires_php"),
        "updated": text("last_updated"),
        "page": text("homepage"),
        "zip": text("download_link"),
    })
}

/// Names hold character references.
fn unescaped(text: &str) -> String {
    [
        ("&amp;", "&"),
        ("&#8211;", "–"),
        ("&#8217;", "’"),
        ("&quot;", "\""),
        ("&#038;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn text_of(one: &Json, field: &str) -> String {
    one.get(field)
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn needs(one: &Json) -> String {
    let part = |field: &str, name: &str| {
        Some(text_of(one, field))
            .filter(|text| !text.is_empty())
            .map(|text| format!("{name} {text}"))
    };
    let parts: Vec<String> = [part("wordpress", "WP"), part("php", "PHP")]
        .into_iter()
        .flatten()
        .collect();
    parts.join(", ")
}

/// The directory's answer: that of today, else a new one.
async fn ask(
    session: &mut Session,
    kind: Kind,
    query: &[(&str, String)],
    fresh: bool,
) -> Done<Json> {
    let base = session
        .world
        .var(env_vars::FABRIK_WORDPRESS_API)
        .unwrap_or(API)
        .to_owned();
    let kept = kept_file(session, kind, query, &base);
    let now = session.world.clock.now();
    if let Some(path) = kept.as_ref().filter(|_| !fresh)
        && let Ok(bytes) = std::fs::read(path)
        && let Ok(json) = serde_json::from_slice::<Json>(&bytes)
        && let Some(at) = json.get("at").and_then(Json::as_i64)
        && let Some(answer) = json.get("answer")
        && (0..i64::try_from(KEPT.as_secs()).unwrap_or(0)).contains(&(now.as_second() - at))
    {
        return Ok(answer.clone());
    }
    let config = HttpConfig::new("wordpress.org", env!("CARGO_PKG_VERSION"), &base)?
        .timeout(Duration::from_secs(20));
    let client = Client::new(config)?;
    let cx = Cx::new(session.world.clock.clone(), StopSignal::never());
    let route = match kind {
        Kind::Plugins => "/plugins/info/1.2/",
        Kind::Themes => "/themes/info/1.2/",
    };
    let mut request = client.get(&cx, route).ok_if(404);
    for (name, value) in query {
        request = request.query(name, value);
    }
    let answer: Json = request.json().await?;
    if let Some(path) = kept {
        // Without a place to keep it, the answer is as good.
        let text = json!({"at": now.as_second(), "answer": answer}).to_string();
        let dir = path.parent().map(std::fs::create_dir_all);
        if matches!(dir, Some(Ok(()))) {
            _ = std::fs::write(&path, text);
        }
    }
    Ok(answer)
}

/// Where an answer is kept.
fn kept_file(
    session: &Session,
    kind: Kind,
    query: &[(&str, String)],
    base: &str,
) -> Option<PathBuf> {
    let words: Vec<&str> = query.iter().map(|(_, value)| value.as_str()).collect();
    let key = format!("{base} {}", words.join(" "));
    // Long words make long names; a hash does not.
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let dir = session.world.data_dir()?.join("wordpress-directory");
    Some(dir.join(format!("{}-{hash:016x}.json", kind.name())))
}
