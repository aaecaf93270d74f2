//! `uptime_kuma.status_page`.

mod convert;
mod spec;

use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Keys, Lost, Object, OpId, Planned, Proposal, TypeInfo, Undo};
use fabrik_core::value::{Path, Value};
use serde_json::{Map, Value as Json, json};

use crate::client::Kuma;

pub use spec::{Analytics, Group, GroupMonitor, StatusPageInputs, StatusPageOutputs, Theme};

/// How often making a page is tried whose answer was lost.
const ATTEMPTS: u32 = 4;

/// `uptime_kuma.status_page`: a public page.
///
/// It is made in two steps: an empty page with a title, then everything. The first title holds the
/// operation's id, so that a page whose making was broken off is known as ours. Slugs are unique,
/// so a second attempt never makes a second page.
#[derive(Clone, Copy, Debug)]
pub struct StatusPage;

type Seen = Observed<StatusPageInputs, StatusPageOutputs>;

impl StatusPage {
    async fn observed(cx: &Cx, kuma: &Kuma, slug: &str) -> Result<Option<Seen>> {
        let Some(config) = kuma.page(cx, slug).await? else {
            return Ok(None);
        };
        let groups = Self::groups(cx, kuma, slug).await?;
        let Some(spec) = convert::observed(&config, &groups) else {
            return Ok(None);
        };
        // An icon that was sent is a file of the server's from then on.
        let is_file = spec
            .icon
            .as_ref()
            .is_some_and(|icon| icon.starts_with("/upload/"));
        let seen = Observed::new(spec, outputs(kuma, slug));
        Ok(Some(if is_file {
            seen.hidden(&["icon"])
        } else {
            seen
        }))
    }

    /// Groups are shown in public only.
    async fn groups(cx: &Cx, kuma: &Kuma, slug: &str) -> Result<Vec<Json>> {
        let page = kuma.public_page(cx, slug).await?;
        let groups = page.map(|mut page| page["publicGroupList"].take());
        match groups {
            Some(Json::Array(groups)) => Ok(groups),
            _ => Ok(Vec::new()),
        }
    }

    /// The empty page, made once however often it is tried.
    async fn add(cx: &Cx, kuma: &Kuma, op: OpId, slug: &str) -> Result<()> {
        let args = [json!(first_title(op)), json!(slug)];
        let mut attempt = 1;
        loop {
            let error = match kuma.make(cx, "addStatusPage", &args).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(refusal)) => refusal.error(),
                Err(error)
                    if error.effect_of() == Effect::Unknown
                        && error.kind() != ErrorKind::Cancelled =>
                {
                    error
                }
                Err(error) => return Err(error),
            };
            match kuma.page(cx, slug).await {
                Ok(Some(page)) if page["title"] == first_title(op) => return Ok(()),
                Ok(Some(_)) => return Err(taken(slug)),
                Ok(None) if error.effect_of() == Effect::None && !error.is_temporary() => {
                    return Err(error);
                }
                _ if attempt >= ATTEMPTS => return Err(error),
                _ => {}
            }
            cx.sleep(Duration::from_millis(250 << attempt)).await?;
            attempt += 1;
        }
    }

    /// Everything at once: settings and groups replace what is there.
    async fn save(
        cx: &Cx,
        kuma: &Kuma,
        slug: &str,
        spec: &StatusPageInputs,
        prior: Option<&StatusPageInputs>,
    ) -> Result<()> {
        let Some(Json::Object(mut config)) = kuma.page(cx, slug).await? else {
            return Err(Error::new(ErrorKind::NotFound, "the status page is gone")
                .hint("plan again: it will be made anew"));
        };
        convert::set(spec, prior, kuma.version(), &mut config);
        let there = Self::groups(cx, kuma, slug).await?;
        let had = prior.is_some_and(|prior| prior.groups.is_some());
        let wanted = spec.groups.as_deref().or(had.then_some(&[]));
        let groups = kuma
            .known(cx, |lists| {
                let own_url = |id: u64| {
                    let monitor = lists.monitors.as_ref()?.get(&id)?;
                    Some(monitor["url"].as_str()?.to_owned())
                };
                convert::groups(wanted, &there, &own_url)
            })
            .await?;
        let icon = config.get("icon").cloned().filter(Json::is_string);
        let icon = icon.unwrap_or_else(|| json!(""));
        let args = [json!(slug), Json::Object(config), icon, groups];
        let answer = kuma.set(cx, "saveStatusPage", &args).await?;
        // Settings are written before groups: a bad monitor is found too late.
        answer.map(drop).map_err(|refusal| {
            let error = refusal.error().effect(Effect::Unknown);
            match spec.groups {
                Some(_) => error.field(Path::key("groups")),
                None => error,
            }
        })
    }
}

/// The title until everything is written.
fn first_title(op: OpId) -> String {
    format!("Being made ({op})")
}

fn taken(slug: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("a status page `{slug}` exists already"),
    )
    .field(Path::key("slug"))
    .hint("choose another slug, or import the page by its slug")
}

fn check(slug: &str) -> Result<()> {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if slug.split('-').all(is_part) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!(
            "`{}` is no id of `{}`",
            slug.escape_default(),
            StatusPage::TYPE
        ),
    )
    .hint("an id is a slug, such as `my-status`: the last part of the page's address"))
}

impl Resource for StatusPage {
    const TYPE: &'static str = "uptime_kuma.status_page";
    type Client = Kuma;
    type Spec = StatusPageInputs;
    type Outputs = StatusPageOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            settle: Duration::from_secs(2),
            timeout: crate::TIMEOUT,
            exclusive: true,
            resumable: true,
            // Its incidents do not come back.
            undo_delete: Undo::Partial,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        spec: &StatusPageInputs,
    ) -> Result<Created<StatusPageOutputs>> {
        Self::add(cx, kuma, cx.op()?, &spec.slug).await?;
        cx.made(crate::checkpoint(&spec.slug, &spec.title)).await?;
        Self::save(cx, kuma, &spec.slug, spec, None)
            .await
            .map_err(|error| error.effect(Effect::Partial))?;
        Ok(Created::new(&spec.slug, outputs(kuma, &spec.slug)))
    }

    async fn resume(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        spec: &StatusPageInputs,
        checkpoint: &Object,
    ) -> Result<Created<StatusPageOutputs>> {
        if kuma.page(cx, &checkpoint.id).await?.is_none() {
            return self.create(cx, kuma, spec).await;
        }
        Self::save(cx, kuma, &checkpoint.id, spec, None)
            .await
            .map_err(|error| error.effect(Effect::Partial))?;
        Ok(Created::new(&spec.slug, outputs(kuma, &spec.slug)))
    }

    async fn read(&self, cx: &Cx, kuma: &Kuma, id: &str) -> Result<Option<Seen>> {
        check(id)?;
        Self::observed(cx, kuma, id).await
    }

    async fn update(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        id: &str,
        change: &Change<'_, StatusPageInputs>,
    ) -> Result<StatusPageOutputs> {
        Self::save(cx, kuma, id, change.spec, change.prior.as_ref()).await?;
        Ok(outputs(kuma, id))
    }

    async fn delete(&self, cx: &Cx, kuma: &Kuma, id: &str) -> Result<()> {
        check(id)?;
        let Err(refused) = kuma.set(cx, "deleteStatusPage", &[json!(id)]).await? else {
            return Ok(());
        };
        // What is not there is refused.
        match kuma.page(cx, id).await? {
            None => Ok(()),
            Some(_) => Err(refused.error()),
        }
    }

    fn keys(&self, _: &Kuma, inputs: &Value) -> Keys {
        Keys {
            read_group: None,
            ..crate::named(Self::TYPE, inputs, "slug")
        }
    }

    async fn plan(&self, _: &Cx, kuma: &Kuma, proposal: Proposal<'_>) -> Result<Planned> {
        Ok(Planned {
            inputs: proposal.desired.clone(),
            findings: convert::findings(proposal.desired, kuma.version()),
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        op: OpId,
        spec: &StatusPageInputs,
    ) -> Result<Option<Found<StatusPageInputs, StatusPageOutputs>>> {
        let seen = Self::observed(cx, kuma, &spec.slug).await?;
        Ok(seen.map(|observed| Found {
            marked: observed.spec.title == first_title(op),
            ..crate::unmarked(observed)
        }))
    }

    async fn list(
        &self,
        cx: &Cx,
        kuma: &Kuma,
    ) -> Result<Vec<Found<StatusPageInputs, StatusPageOutputs>>> {
        let slugs: Vec<String> = kuma
            .pages(cx, |lists| {
                let pages = lists
                    .pages
                    .iter()
                    .flat_map(std::collections::BTreeMap::values);
                pages.cloned().collect()
            })
            .await?;
        let mut found = Vec::new();
        for slug in slugs {
            found.extend(Self::observed(cx, kuma, &slug).await?.map(crate::unmarked));
        }
        Ok(found)
    }
}

fn outputs(kuma: &Kuma, slug: &str) -> StatusPageOutputs {
    StatusPageOutputs {
        id: slug.to_owned(),
        url: format!("{}/status/{slug}", kuma.base()),
    }
}

impl crate::HasId for StatusPageOutputs {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Settings of a page, with nothing that the server did not send.
pub(crate) fn config_of(mut answer: Json) -> Json {
    match answer["config"].take() {
        Json::Object(config) => Json::Object(config),
        _ => Json::Object(Map::new()),
    }
}
