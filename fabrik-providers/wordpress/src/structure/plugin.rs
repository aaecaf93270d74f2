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
use super::{First, Structure, all, asked, begin, begun, keys, object, one, repeatable, why};
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
    let cli = site.cli()?;
    let mut outcomes: Vec<Option<Outcome>> = call.iter().map(|_| None).collect();
    let mut jobs: Vec<(usize, Job<'_>)> = Vec::new();
    for (at, operation) in call.iter().enumerate() {
        if operation.verb == Verb::Delete {
            outcomes[at] = Some(
                match remove(
                    cx,
                    site,
                    operation.prior.as_ref(),
                    operation.undoes.is_some(),
                )
                .await
                {
                    Ok(()) => Outcome::Gone,
                    Err(error) => Outcome::Failed(error),
                },
            );
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
    for (at, mut job) in jobs {
        if job.is_stale() {
            job.fresh = job.row.is_none();
            let wanted = job.spec.version.as_deref();
            let output = job
                .package
                .install(cx, cli, "plugin", &job.spec.slug, wanted)
                .await?;
            if !output.is_success() {
                outcomes[at] = Some(Outcome::Failed(not_installed(
                    &job.spec.slug,
                    &why(&output),
                )));
                continue;
            }
        }
        brought.push((at, job));
    }
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

/// Makes a plugin what it was before Fabrik. `undo`: nobody can have used it meanwhile, so what its
/// activation made is removed by its own clean-up as well.
async fn remove(cx: &Cx, site: &Site, prior: Option<&Object>, undo: bool) -> Result<()> {
    let Some(prior) = prior else { return Ok(()) };
    let slug = prior.id.as_str();
    let cli = site.cli()?;
    let row = asked(cx, site, Plugin::ask(slug, None)?).await?;
    if row.is_null() {
        return Ok(());
    }
    let first = First::of(&prior.private);
    let was_installed = first["installed"].is_string();
    let was_active = first["active"] == true;
    let run = async |words: &[&str]| -> Result<()> {
        let output = cli.run(cx, &cli.wp(words.iter().copied())).await?;
        if output.is_success() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Refused,
            format!("`{slug}` cannot be removed: {}", why(&output)),
        )
        .effect(Effect::Partial))
    };
    if row["active"] == true && !was_active {
        run(&["plugin", "deactivate", slug]).await?;
    } else if row["active"] != true && was_active {
        run(&["plugin", "activate", slug]).await?;
    }
    if !was_installed {
        run(&["plugin", if undo { "uninstall" } else { "delete" }, slug]).await?;
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
        site.cli()?;
        let package = Package::of(site, spec.source.as_deref())?;
        spec.content = package.content().await?;
        planned.inputs = encode(&spec, None)?;
        let sent: Option<PluginSpec> = proposal
            .last_sent
            .and_then(|prior| decode(&prior.inputs).ok());
        if sent.is_none_or(|sent| sent.content != spec.content) {
            planned.findings.extend(
                package
                    .inspect(cx, site, "plugin", &spec.slug, spec.version.as_deref())
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
