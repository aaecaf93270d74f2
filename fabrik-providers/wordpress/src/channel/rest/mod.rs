//! The REST API of WordPress, for hosts without a shell.
//!
//! It does what the runner does for the kinds of content it can, request by request. WordPress keeps
//! nothing together here, so a write that fails takes back what went before it, in turn; deletes come
//! first into the bin, and out of it when all is done. What WordPress says it stored is compared with
//! what was sent, because unknown and refused fields are dropped without a word.
//!
//! Facts: the REST API handbook of WordPress (developer.wordpress.org/rest-api), tried on 6.1 and 7.1.

mod media;
mod menus;
mod plugins;
mod posts;
mod settings;
mod terms;
mod text;
mod wire;

use async_trait::async_trait;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Finding};
use fabrik_core::value::Path;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::Channel;
use crate::config::Rest as Config;
use crate::request::{Facts, Refusal, Reply, Request, Survey};
use wire::Wire;

/// Types that can be managed over REST; everything else needs WP-CLI.
const CAN: &[&str] = &[
    "wordpress.settings",
    "wordpress.page",
    "wordpress.post",
    "wordpress.category",
    "wordpress.menu",
    "wordpress.front_page",
    "wordpress.media",
];

/// The REST API of a site.
pub struct Rest {
    wire: Wire,
    user: String,
}

/// Why an operation was not carried out.
pub(super) enum Halt {
    /// WordPress, or a rule of ours, says no.
    Refused(Box<Refusal>),
    /// Something came between.
    Broke(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Halt::Broke(error)
    }
}

type Done<T = Json> = std::result::Result<T, Halt>;

fn refuse<T>(why: &str, message: impl Into<String>, field: Option<&str>) -> Done<T> {
    Err(Halt::Refused(Box::new(Refusal {
        why: why.to_owned(),
        message: message.into(),
        field: field.map(str::to_owned),
        state: "begun".to_owned(),
        ..Refusal::default()
    })))
}

/// How something that was done is taken back, or made final.
struct Step {
    path: String,
    /// `None` deletes for good.
    body: Option<Json>,
}

/// What a write did so far.
#[derive(Default)]
struct Track {
    back: Vec<Step>,
    finish: Vec<Step>,
}

impl Track {
    fn made(&mut self, path: String) {
        self.back.push(Step { path, body: None });
    }

    fn changed(&mut self, path: &str, before: Json) {
        self.back.push(Step {
            path: path.to_owned(),
            body: Some(before),
        });
    }

    fn later(&mut self, path: String) {
        self.finish.push(Step { path, body: None });
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rest")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Rest {
    /// The API of a site as configured.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for an address that is none, or over which the password would be readable.
    pub(crate) fn new(config: &Config) -> Result<Rest> {
        Ok(Rest {
            wire: Wire::new(config)?,
            user: config.user.clone(),
        })
    }

    async fn facts(&self, cx: &Cx) -> Done<Facts> {
        let me = self
            .wire
            .get(cx, "/wp/v2/users/me", &[("context", "edit")])
            .await?;
        if me.status == 401 || me.status == 403 {
            let closed = self.wire.get(cx, "/", &[]).await?.body["authentication"]
                .as_object()
                .is_none_or(serde_json::Map::is_empty);
            let hint = if closed {
                "the site takes no application passwords: it has to be reached over HTTPS, and nothing may switch them off"
            } else {
                "`password` is an application password of that account (Users → Profile), not the account's own; some servers drop the header `Authorization`"
            };
            return Err(Error::new(
                ErrorKind::Auth,
                format!(
                    "WordPress does not know the account `{}` by this password",
                    self.user
                ),
            )
            .field(Path::parse("rest.password"))
            .hint(hint)
            .effect(Effect::None)
            .into());
        }
        let me = me.ok()?;
        let needed = [
            "manage_options",
            "edit_theme_options",
            "install_plugins",
            "activate_plugins",
            "upload_files",
            "edit_pages",
            "publish_pages",
            "edit_users",
            "unfiltered_html",
        ];
        let rights = &me["capabilities"];
        let root = self
            .wire
            .get(cx, "/", &[("_fields", "home,url,namespaces")])
            .await?
            .ok()?;
        // With its links asked for, WordPress would make global styles for it.
        let themes = self
            .wire
            .get(
                cx,
                "/wp/v2/themes",
                &[
                    ("status", "active"),
                    ("_fields", "stylesheet,template,is_block_theme"),
                ],
            )
            .await?;
        let theme = themes.body[0].clone();
        let plugins = self
            .wire
            .get(
                cx,
                "/wp/v2/plugins",
                &[("status", "active"), ("_fields", "plugin")],
            )
            .await?;
        let plugins = plugins.body.as_array().into_iter().flatten();
        let locations = self.wire.get(cx, "/wp/v2/menu-locations", &[]).await?;
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let home = text(&root["home"]);
        Ok(Facts {
            wordpress: self.wire.version(cx).await,
            url: format!("{}/", home.trim_end_matches('/')),
            theme: text(&theme["stylesheet"]),
            template: text(&theme["template"]),
            block_theme: theme["is_block_theme"] == true,
            locations: locations
                .body
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect(),
            plugins: plugins
                .map(|plugin| format!("{}.php", text(&plugin["plugin"])))
                .collect(),
            user: text(&me["slug"]),
            lacks: needed
                .into_iter()
                .filter(|right| rights[*right] != true)
                .map(str::to_owned)
                .collect(),
            now: cx.clock().now().as_second(),
            limited: true,
            ..Facts::default()
        })
    }

    async fn survey(&self, cx: &Cx) -> Done<Survey> {
        Ok(Survey {
            posts: posts::names(&self.wire, cx).await?,
            terms: terms::names(&self.wire, cx).await?,
            ..Survey::default()
        })
    }

    async fn read(&self, cx: &Cx, op: &Json) -> Done {
        match op["kind"].as_str().unwrap_or_default() {
            "post" => posts::read(&self.wire, cx, op).await,
            "term" => terms::read(&self.wire, cx, op).await,
            "menu" => menus::read(&self.wire, cx, op).await,
            "options" => settings::read(&self.wire, cx, op).await,
            "media" => media::read(&self.wire, cx, op).await,
            "plugin" => plugins::read(&self.wire, cx, op).await,
            other => refuse("no_rest", other, None),
        }
    }

    async fn write(&self, cx: &Cx, op: &Json, track: &mut Track) -> Done {
        match op["kind"].as_str().unwrap_or_default() {
            "post" => posts::write(&self.wire, cx, op, track).await,
            "term" => terms::write(&self.wire, cx, op, track).await,
            "menu" => menus::write(&self.wire, cx, op, track).await,
            "options" => settings::write(&self.wire, cx, op, track).await,
            "media" => media::write(&self.wire, cx, op, track).await,
            other => refuse("no_rest", other, None),
        }
    }

    /// Takes back what was done, the last first. Whether that succeeded.
    async fn take_back(&self, cx: &Cx, track: Track) -> bool {
        let mut all = true;
        for step in track.back.into_iter().rev() {
            let done = match &step.body {
                Some(body) => self.wire.post(cx, &step.path, body).await,
                None => self.wire.delete(cx, &step.path, true).await,
            };
            all &= done.is_ok_and(|answer| answer.status < 300 || answer.status == 404);
        }
        all
    }

    async fn write_all(&self, cx: &Cx, request: &Request) -> Result<Reply> {
        let mut track = Track::default();
        let mut results: Vec<Json> = Vec::new();
        for (at, op) in request.ops.iter().enumerate() {
            let op = text::filled(op, &results, &request.nonce);
            match self.write(cx, &op, &mut track).await {
                Ok(result) => results.push(result),
                Err(halt) => {
                    let clean = self.take_back(cx, track).await;
                    return match halt {
                        Halt::Refused(refusal) => Ok(Reply {
                            error: Some(Refusal {
                                at: Some(at),
                                state: if clean { "rolled_back" } else { "committing" }.to_owned(),
                                ..*refusal
                            }),
                            ..Reply::default()
                        }),
                        Halt::Broke(error) if clean => Err(error),
                        Halt::Broke(error) => Err(error.effect(Effect::Unknown)),
                    };
                }
            }
        }
        // What lies in the bin is of no use to anybody; what stays there does no harm.
        for step in track.finish {
            let _ = self.wire.delete(cx, &step.path, true).await;
        }
        Ok(Reply {
            ok: true,
            results,
            ..Reply::default()
        })
    }
}

#[async_trait]
impl Channel for Rest {
    async fn call(&self, cx: &Cx, request: &Request) -> Result<Reply> {
        if request.void.is_some() {
            // Nobody keeps a journal there: names tell what landed.
            return Err(Error::new(
                ErrorKind::Unsupported,
                "over REST it cannot be found out by itself",
            )
            .effect(Effect::Unknown));
        }
        if request.write {
            return self.write_all(cx, request).await;
        }
        let mut reply = Reply {
            ok: true,
            ..Reply::default()
        };
        let read = async {
            for op in &request.ops {
                reply.results.push(self.read(cx, op).await?);
            }
            if request.facts {
                reply.facts = Some(self.facts(cx).await?);
            }
            if request.survey {
                reply.survey = Some(self.survey(cx).await?);
            }
            Ok(())
        };
        match read.await {
            Ok(()) => Ok(reply),
            Err(Halt::Broke(error)) => Err(error),
            Err(Halt::Refused(refusal)) => Ok(Reply {
                error: Some(*refusal),
                ..Reply::default()
            }),
        }
    }

    fn name(&self) -> String {
        "the REST API".to_owned()
    }
}

/// What cannot be done of a resource over REST, by its type and its fields.
pub(crate) fn limits(type_name: &str, desired: &fabrik_core::value::Value) -> Vec<Finding> {
    let finding = |message: String, field: Option<Path>| {
        Finding {
        blocking: true,
        message,
        hint: Some("reach the site by WP-CLI (`path`, `ssh` or `container` of the provider), or leave this out".to_owned()),
        field,
        adopt: None,
    }
    };
    if !CAN.contains(&type_name) {
        return vec![finding(
            format!("`{type_name}` cannot be managed over the REST API of WordPress"),
            None,
        )];
    }
    let mut findings = Vec::new();
    if type_name == "wordpress.settings" {
        for field in ["permalinks", "search_engines"] {
            if desired.get(field).is_some_and(|value| !value.is_null()) {
                findings.push(finding(
                    format!(
                        "the setting `{field}` cannot be reached over the REST API of WordPress"
                    ),
                    Some(Path::key(field)),
                ));
            }
        }
    }
    findings
}

/// The hash of a row: as the runner's, of everything that a write could change.
fn hashed(mut raw: Json) -> Json {
    let mut plain = raw.clone();
    if let Some(map) = plain.as_object_mut() {
        for key in ["hash", "url", "path", "modified", "mark", "there"] {
            map.remove(key);
        }
    }
    let hash = fabrik_core::hex::encode(&Sha256::digest(plain.to_string()));
    raw["hash"] = json!(hash);
    raw
}

/// Refuses to write over what is no longer as it was read.
fn expect(op: &Json, raw: &Json) -> Done<()> {
    match op.get("expect") {
        Some(hash) if *hash != raw["hash"] => refuse("changed", "it was changed meanwhile", None),
        _ => Ok(()),
    }
}

/// What was sent is there as it was sent.
fn same(field: &str, sent: &Json, found: &Json) -> Done<()> {
    let text = |json: &Json| match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text(sent) == text(found) {
        return Ok(());
    }
    refuse("altered", field, Some(field))
}

fn gone(op: &Json) -> Json {
    json!({"id": op["id"], "gone": true})
}
