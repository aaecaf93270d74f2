//! Plugins.

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{
    Change, Created, Found, Observed, ReadAnswer, Resource, decode, encode,
};
use fabrik_core::provider::{
    Cx, Keys, Object, Operation, Outcome, Planned, Proposal, TypeInfo, Undo, Verb, WriteGroup,
};
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::package::{self, Package};
use super::probe::{Answer, probe};
use super::{First, Structure, all, begin, begun, keys, object, one, repeatable, told, why};
use crate::content::ids;
use crate::request::Facts;
use crate::site::Site;

/// A plugin: installed, and active unless told otherwise.
///
/// After an activation the site is looked at. If it no longer answers, the plugin is taken out again
/// and the step fails with what PHP said. A plugin that was there before is used as it is, and is put
/// back as it was when it leaves the stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginSpec {
    /// Its name in WordPress's directory, which is the name of its folder: `contact-form-7`.
    #[schemars(length(min = 1, max = 100), extend("x-fabrik" = {"replace": true}))]
    pub slug: String,
    /// The zip file to install it from: a path relative to the spec's file, or an address that begins
    /// with `https://`. WordPress's directory unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The version to install. Whatever is installed, or else the newest, unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it is active.
    #[serde(default = "yes")]
    pub active: bool,
    /// Hash of the zip file; found out from the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub content: Option<String>,
}

pub(super) fn yes() -> bool {
    true
}

/// What WordPress tells of a plugin.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PluginOutputs {
    /// Its main file, below the folder of plugins: `contact-form-7/wp-contact-form-7.php`.
    pub file: String,
    /// Its name for people.
    pub name: String,
    /// The version that is installed.
    pub installed: String,
}

/// The type `wordpress.plugin`.
pub struct Plugin;

impl Structure for Plugin {
    const NAME: &'static str = "wordpress.plugin";
    type Spec = PluginSpec;
    type Outputs = PluginOutputs;

    fn ask(id: &str, _: Option<&PluginSpec>) -> Result<Json> {
        package::slug(id)?;
        Ok(json!({"kind": "plugin", "do": "read", "id": id}))
    }

    fn seen(raw: &Json, prior: Option<&PluginSpec>) -> Result<Observed<PluginSpec, PluginOutputs>> {
        let version = ids::text(raw, "version");
        let spec = PluginSpec {
            slug: ids::of(raw),
            source: prior.and_then(|prior| prior.source.clone()),
            version: Some(version.clone()).filter(|text| !text.is_empty()),
            active: raw["active"] == true,
            content: prior.and_then(|prior| prior.content.clone()),
        };
        let outputs = PluginOutputs {
            file: ids::text(raw, "file"),
            name: ids::text(raw, "name"),
            installed: version,
        };
        Ok(Observed::new(spec, outputs).hidden(&["source", "content"]))
    }
}

/// A plugin to be brought to what is wanted.
struct Job<'a> {
    operation: &'a Operation,
    spec: PluginSpec,
    package: Package,
    row: Option<Json>,
    first: Json,
    fresh: bool,
}

impl Job<'_> {
    fn is_active(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row["active"] == true)
    }

    /// Whether files have to be brought.
    fn is_stale(&self) -> bool {
        let Some(row) = &self.row else { return true };
        let other = self
            .spec
            .version
            .as_deref()
            .is_some_and(|version| ids::text(row, "version") != version);
        let prior: Option<PluginSpec> = self
            .operation
            .prior
            .as_ref()
            .and_then(|prior| decode(&prior.inputs).ok());
        let another = prior
            .is_some_and(|prior| prior.content != self.spec.content && self.spec.content.is_some());
        other || another
    }

    fn private(&self) -> Vec<u8> {
        match &self.operation.prior {
            Some(prior) => prior.private.clone(),
            None => First::bytes(&self.first),
        }
    }
}

/// Brings plugins to what is wanted: all at once if that works, else one after another.
async fn bring(cx: &Cx, site: &Site, call: &[Operation]) -> Result<Vec<Outcome>> {
    let Ok(cli) = site.cli() else {
        return Ok(over_rest(cx, site, call).await);
    };
    let mut outcomes: Vec<Option<Outcome>> = call.iter().map(|_| None).collect();
    let mut jobs: Vec<(usize, Job<'_>)> = Vec::new();
    for (at, operation) in call.iter().enumerate() {
        if operation.verb == Verb::Delete {
            continue;
        }
        let spec: PluginSpec = decode(&operation.inputs)?;
        package::slug(&spec.slug)?;
        package::version(spec.version.as_deref())?;
        let package = Package::of(site, spec.source.as_deref())?;
        jobs.push((
            at,
            Job {
                operation,
                spec,
                package,
                row: None,
                first: Json::Null,
                fresh: false,
            },
        ));
    }
    let gone: Vec<(usize, &Operation)> = call
        .iter()
        .enumerate()
        .filter(|(_, operation)| operation.verb == Verb::Delete)
        .collect();
    if !gone.is_empty() {
        let all: Vec<&Operation> = gone.iter().map(|(_, operation)| *operation).collect();
        let removed = remove(cx, site, &all).await;
        for (at, _) in gone {
            outcomes[at] = Some(match &removed {
                Ok(()) => Outcome::Gone,
                Err(error) => Outcome::Failed(error.clone()),
            });
        }
    }
    if jobs.is_empty() {
        return Ok(outcomes.into_iter().flatten().collect());
    }
    let begins = jobs
        .iter()
        .map(|(_, job)| begin("plugin", &job.spec.slug, job.operation.op))
        .collect();
    for ((_, job), raw) in jobs.iter_mut().zip(site.read(cx, begins).await?) {
        let begun = begun(raw)?;
        job.row = begun.row;
        job.first = begun.first;
    }
    // Nothing of a plugin that cannot be installed goes further.
    let mut brought = Vec::new();
    let (stale, there): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|(_, job)| job.is_stale());
    brought.extend(there);
    // Those that need no choice of a version come in one process.
    let (pinned, free): (Vec<_>, Vec<_>) = stale
        .into_iter()
        .partition(|(_, job)| job.package.pinned(job.spec.version.as_deref()).is_some());
    let together: Vec<(&Package, &str)> = free
        .iter()
        .map(|(_, job)| (&job.package, job.spec.slug.as_str()))
        .collect();
    let at_once = together.is_empty()
        || package::install(cx, cli, "plugin", &together, None)
            .await?
            .is_success();
    let (ready, single) = if at_once {
        (free, pinned)
    } else {
        (Vec::new(), free.into_iter().chain(pinned).collect())
    };
    for (at, mut job) in ready {
        job.fresh = job.row.is_none();
        brought.push((at, job));
    }
    for (at, mut job) in single {
        job.fresh = job.row.is_none();
        let wanted = job.package.pinned(job.spec.version.as_deref());
        let output =
            package::install(cx, cli, "plugin", &[(&job.package, &job.spec.slug)], wanted).await?;
        if output.is_success() {
            brought.push((at, job));
        } else {
            outcomes[at] = Some(Outcome::Failed(not_installed(
                &job.spec.slug,
                &why(&output),
            )));
        }
    }
    brought.sort_by_key(|(at, _)| *at);
    site.forget_facts().await;
    for (at, job) in &brought {
        if !job.spec.active && job.is_active() {
            let output = cli
                .run(cx, &cli.wp(["plugin", "deactivate", &job.spec.slug]))
                .await?;
            if !output.is_success() {
                outcomes[*at] = Some(Outcome::Failed(not_active(
                    &job.spec.slug,
                    &why(&output),
                    "deactivated",
                )));
            }
        }
    }
    brought.retain(|(at, _)| outcomes[*at].is_none());
    let wanting: Vec<&str> = brought
        .iter()
        .filter(|(_, job)| job.spec.active && !job.is_active())
        .map(|(_, job)| job.spec.slug.as_str())
        .collect();
    let mut failed: Vec<(String, Error)> = Vec::new();
    if !wanting.is_empty() && !activate(cx, site, &wanting).await?.is_empty() {
        // One of them breaks the site or cannot be activated: take all out, then one at a time.
        take_out(cx, site, &wanting).await?;
        let was_well = probe(cx, site).await;
        for slug in &wanting {
            let why = activate(cx, site, &[slug]).await?;
            let broken = why.first().filter(|why| !matches!((&was_well, why), (Answer::Broken(was), Why::Broken(is)) if was == is));
            if let Some(broken) = broken {
                take_out(cx, site, &[slug]).await?;
                failed.push((
                    (*slug).to_owned(),
                    not_active(slug, &broken.text(), "activated"),
                ));
            }
        }
    }
    for (slug, error) in failed {
        let Some((at, job)) = brought.iter().find(|(_, job)| job.spec.slug == slug) else {
            continue;
        };
        if job.fresh && job.operation.verb == Verb::Create {
            let _ = cli
                .run(
                    cx,
                    &cli.wp(["--skip-plugins", "--skip-themes", "plugin", "delete", &slug]),
                )
                .await;
        }
        outcomes[*at] = Some(Outcome::Failed(error));
    }
    brought.retain(|(at, _)| outcomes[*at].is_none());
    let reads = brought
        .iter()
        .map(|(_, job)| Plugin::ask(&job.spec.slug, None))
        .collect::<Result<_>>()?;
    for ((at, job), raw) in brought.iter().zip(site.read(cx, reads).await?) {
        outcomes[*at] = Some(done(job, &raw).unwrap_or_else(Outcome::Failed));
    }
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or(Outcome::NotDone))
        .collect())
}

/// Switches plugins that are installed, without a shell: one after another, with a look after each.
async fn over_rest(cx: &Cx, site: &Site, call: &[Operation]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(call.len());
    for operation in call {
        let outcome = switched(cx, site, operation).await;
        outcomes.push(outcome.unwrap_or_else(Outcome::Failed));
    }
    site.forget_facts().await;
    outcomes
}

async fn switched(cx: &Cx, site: &Site, operation: &Operation) -> Result<Outcome> {
    let spec: Option<PluginSpec> = match operation.verb {
        Verb::Delete => None,
        _ => Some(decode(&operation.inputs)?),
    };
    let slug = match &spec {
        Some(spec) => spec.slug.clone(),
        None => operation.id()?.to_owned(),
    };
    let started = begun(told(cx, site, begin("plugin", &slug, operation.op)).await?)?;
    let row = started.row.unwrap_or_default();
    let prior = operation.prior.as_ref();
    let private = prior.map_or_else(
        || First::bytes(&started.first),
        |prior| prior.private.clone(),
    );
    let Some(spec) = spec else {
        let first = First::of(&private);
        if !row.is_null() && first.is_object() && row["active"] != first["active"] {
            told(cx, site, switch(&slug, first["active"] == true)).await?;
        }
        return Ok(Outcome::Gone);
    };
    if row.is_null() {
        return Err(not_there(&slug));
    }
    let mut raw = row.clone();
    if (row["active"] == true) != spec.active {
        raw = told(cx, site, switch(&slug, spec.active)).await?;
        if let Answer::Broken(how) = probe(cx, site).await {
            // It works only while the API itself still answers.
            let back = told(cx, site, switch(&slug, row["active"] == true)).await;
            let error = not_active(&slug, &how, "switched");
            return Err(match back {
                Ok(_) => error,
                Err(_) => error.effect(Effect::Partial).hint("the site does not answer: switch the plugin off on the server, where WP-CLI still can (`wp --skip-plugins plugin deactivate`)"),
            });
        }
    }
    let mut object = object::<Plugin>(&raw, Some(&spec), private)?;
    object.inputs = operation.inputs.clone();
    Ok(Outcome::Done(object))
}

fn switch(slug: &str, active: bool) -> Json {
    json!({"kind": "plugin", "do": "switch", "id": slug, "active": active})
}

fn not_there(slug: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("the plugin `{slug}` is not installed, and over REST it cannot be"),
    )
    .effect(Effect::None)
    .hint("install it in WordPress, or reach the site by WP-CLI (`path`, `ssh` or `container`)")
}

/// What is there after the work, compared with what is wanted.
fn done(job: &Job<'_>, raw: &Json) -> Result<Outcome> {
    let lost = |text: String| Error::new(ErrorKind::Refused, text).effect(Effect::Partial);
    if raw.is_null() {
        let slug = &job.spec.slug;
        return Err(lost(format!(
            "WordPress installed it under another name than `{slug}`"
        ))
        .hint("the slug is the name of the folder in the zip file"));
    }
    let found = ids::text(raw, "version");
    if let Some(wanted) = job
        .spec
        .version
        .as_deref()
        .filter(|wanted| *wanted != found)
    {
        return Err(lost(format!(
            "version {wanted} was wanted, and {} is installed",
            super::short(&found)
        )));
    }
    if (raw["active"] == true) != job.spec.active {
        return Err(lost(
            "another plugin changed at the same moment whether it is active".to_owned(),
        )
        .hint("apply again"));
    }
    let mut object = object::<Plugin>(raw, Some(&job.spec), job.private())?;
    object.inputs = job.operation.inputs.clone();
    Ok(Outcome::Done(object))
}

/// Why an activation did not go well.
#[derive(Debug)]
enum Why {
    /// WP-CLI said this.
    Said(String),
    /// The site no longer answers.
    Broken(String),
}

impl Why {
    fn text(&self) -> String {
        match self {
            Why::Said(text) | Why::Broken(text) => text.clone(),
        }
    }
}

/// Activates plugins one after another in one process and looks whether all is well; empty if so.
async fn activate(cx: &Cx, site: &Site, slugs: &[&str]) -> Result<Vec<Why>> {
    let cli = site.cli()?;
    let mut words = vec!["plugin", "activate"];
    words.extend(slugs);
    let output = cli.run(cx, &cli.wp(words)).await?;
    let mut problems = Vec::new();
    if !output.is_success() {
        problems.push(Why::Said(why(&output)));
        return Ok(problems);
    }
    // The first is a new process of PHP that has all of them, the second what visitors get.
    let boot = cli.run(cx, &cli.wp(["eval", ""])).await?;
    if !boot.is_success() {
        problems.push(Why::Said(why(&boot)));
    } else if let Answer::Broken(how) = probe(cx, site).await {
        problems.push(Why::Broken(how));
    }
    Ok(problems)
}

/// Deactivates plugins without loading any: what works when one of them breaks the site.
async fn take_out(cx: &Cx, site: &Site, slugs: &[&str]) -> Result<()> {
    let cli = site.cli()?;
    let mut words = vec!["--skip-plugins", "--skip-themes", "plugin", "deactivate"];
    words.extend(slugs);
    let output = cli.run(cx, &cli.wp(words)).await?;
    if output.is_success() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        format!("plugins cannot be deactivated: {}", why(&output)),
    )
    .effect(Effect::Partial)
    .hint("run `wp --skip-plugins --skip-themes plugin deactivate NAME` on the server"))
}

fn not_installed(slug: &str, said: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("`{slug}` cannot be installed: {said}"))
        .effect(Effect::None)
        .hint("is the name right, and does the server reach WordPress's directory? `source` takes a zip file instead")
}

fn not_active(slug: &str, said: &str, verb: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("`{slug}` cannot be {verb}, and was left as it was: {said}"))
        .effect(Effect::None)
        .hint("the site was looked at afterwards and answers without it; try another version of the plugin")
}

/// Makes plugins what they were before Fabrik. Of one whose creation is undone nobody can have made
/// use, so what its activation made is removed by its own clean-up as well.
async fn remove(cx: &Cx, site: &Site, call: &[&Operation]) -> Result<()> {
    let cli = site.cli()?;
    let priors: Vec<(&Object, bool)> = call
        .iter()
        .filter_map(|operation| Some((operation.prior.as_ref()?, operation.undoes.is_some())))
        .collect();
    let reads = priors
        .iter()
        .map(|(prior, _)| Plugin::ask(&prior.id, None))
        .collect::<Result<_>>()?;
    let rows = site.read(cx, reads).await?;
    let (mut off, mut on, mut uninstall, mut delete) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((prior, undo), row) in priors.into_iter().zip(rows) {
        if row.is_null() {
            continue;
        }
        let first = First::of(&prior.private);
        let slug = prior.id.as_str();
        let was_active = first["active"] == true;
        if row["active"] == true && !was_active && !first.is_null() {
            off.push(slug);
        } else if row["active"] != true && was_active {
            on.push(slug);
        }
        // Without a note of what was before, it stays.
        if !first.is_null() && !first["installed"].is_string() {
            if undo {
                uninstall.push(slug);
            } else {
                delete.push(slug);
            }
        }
    }
    for (word, slugs) in [
        ("deactivate", off),
        ("activate", on),
        ("uninstall", uninstall),
        ("delete", delete),
    ] {
        if slugs.is_empty() {
            continue;
        }
        let output = cli
            .run(
                cx,
                &cli.wp(["plugin", word].into_iter().chain(slugs.iter().copied())),
            )
            .await?;
        if !output.is_success() {
            let text = format!(
                "`{}` cannot be removed: {}",
                slugs.join("`, `"),
                why(&output)
            );
            return Err(Error::new(ErrorKind::Refused, text).effect(Effect::Partial));
        }
    }
    site.forget_facts().await;
    Ok(())
}

impl Resource for Plugin {
    const TYPE: &'static str = <Plugin as Structure>::NAME;
    type Client = Site;
    type Spec = PluginSpec;
    type Outputs = PluginOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            undo_delete: Undo::Partial,
            import_id: "SLUG".into(),
            volatile: vec![
                fabrik_core::value::Path::key("installed"),
                fabrik_core::value::Path::key("name"),
                fabrik_core::value::Path::key("file"),
            ],
            ..repeatable(info)
        }
    }

    async fn create(&self, _: &Cx, _: &Site, _: &PluginSpec) -> Result<Created<PluginOutputs>> {
        Err(super::apart())
    }

    async fn read(&self, cx: &Cx, site: &Site, id: &str) -> ReadAnswer<PluginSpec, PluginOutputs> {
        one::<Plugin>(cx, site, id, None).await
    }

    async fn update(
        &self,
        _: &Cx,
        _: &Site,
        _: &str,
        _: &Change<'_, PluginSpec>,
    ) -> Result<PluginOutputs> {
        Err(super::apart())
    }

    async fn delete(&self, _: &Cx, _: &Site, _: &str) -> Result<()> {
        Err(super::apart())
    }

    async fn apply_group(&self, cx: &Cx, site: &Site, call: &[Operation]) -> Option<Vec<Outcome>> {
        Some(match bring(cx, site, call).await {
            Ok(outcomes) => outcomes,
            Err(error) => call
                .iter()
                .map(|_| Outcome::Failed(error.clone()))
                .collect(),
        })
    }

    fn keys(&self, _: &Site, _: &Value) -> Keys {
        Keys {
            write_group: Some(WriteGroup {
                key: "plugins".into(),
                whole: false,
                linked: false,
                atomic: false,
                max: 20,
            }),
            // All active plugins are one option; a theme is switched by the same processes.
            ..keys(&["plugins"])
        }
    }

    async fn plan(&self, cx: &Cx, site: &Site, proposal: Proposal<'_>) -> Result<Planned> {
        let mut planned = Planned {
            inputs: proposal.desired.clone(),
            ..Planned::default()
        };
        let Ok(mut spec) = decode::<PluginSpec>(proposal.desired) else {
            return Ok(planned);
        };
        package::slug(&spec.slug)?;
        package::version(spec.version.as_deref())?;
        if site.cli().is_err() {
            let there = one::<Plugin>(cx, site, &spec.slug, None).await?;
            if there.is_none() || spec.source.is_some() || spec.version.is_some() {
                let problem = not_there(&spec.slug);
                let hint = problem.hint_text().unwrap_or_default();
                planned.findings.push(super::finding(
                    true,
                    "slug",
                    problem.message().to_owned(),
                    hint,
                ));
            }
            planned.findings.extend(rights(&*site.facts(cx).await?));
            return Ok(planned);
        }
        let package = Package::of(site, spec.source.as_deref())?;
        spec.content = package.content().await?;
        planned.inputs = encode(&spec, None)?;
        let sent: Option<PluginSpec> = proposal
            .last_sent
            .and_then(|prior| decode(&prior.inputs).ok());
        if sent.is_none_or(|sent| sent.content != spec.content) {
            planned.findings.extend(
                package
                    .inspect(
                        &*site.facts(cx).await?,
                        "plugin",
                        &spec.slug,
                        spec.version.as_deref(),
                    )
                    .await?,
            );
        }
        let facts = site.facts(cx).await?;
        planned.findings.extend(rights(&facts));
        Ok(planned)
    }

    async fn list(&self, cx: &Cx, site: &Site) -> Result<Vec<Found<PluginSpec, PluginOutputs>>> {
        all::<Plugin>(cx, site, json!({"kind": "plugin", "do": "list", "id": ""})).await
    }
}

pub(super) fn rights(facts: &Facts) -> Vec<fabrik_core::provider::Finding> {
    crate::types::rights(facts, &["install_plugins", "activate_plugins"])
}
