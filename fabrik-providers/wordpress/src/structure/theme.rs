//! Themes.

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{
    Change, Created, Found, Observed, ReadAnswer, Resource, decode, encode,
};
use fabrik_core::provider::{Cx, Keys, Object, Planned, Proposal, TypeInfo, Undo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::package::{self, Package};
use super::plugin::yes;
use super::probe::{Answer, probe};
use super::{First, Structure, all, asked, begin, begun, keys, one, repeatable, told, why};
use crate::channel::Cli;
use crate::content::ids;
use crate::site::Site;

/// A theme: installed, and the active one unless told otherwise.
///
/// After a switch the site is looked at, which also lets the theme do what it does on its first page.
/// If it no longer answers, the theme before is made active again and the step fails. When the theme
/// leaves the stack, the one from before comes back with its menus and widgets as they were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThemeSpec {
    /// Its name in WordPress's directory, which is the name of its folder: `twentytwentyfive`.
    #[schemars(length(min = 1, max = 100), extend("x-fabrik" = {"replace": true}))]
    pub slug: String,
    /// The zip file to install it from: a path relative to the spec's file, or an address that begins
    /// with `https://`. WordPress's directory unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The version to install. Whatever is installed, or else the newest, unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it is the active theme.
    #[serde(default = "yes")]
    pub active: bool,
    /// Hash of the zip file; found out from the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub content: Option<String>,
}

/// What WordPress tells of a theme.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ThemeOutputs {
    /// Its name for people.
    pub name: String,
    /// The version that is installed.
    pub installed: String,
    /// Whether it is made of blocks.
    pub block: bool,
}

/// The type `wordpress.theme`.
pub struct Theme;

impl Structure for Theme {
    const NAME: &'static str = "wordpress.theme";
    type Spec = ThemeSpec;
    type Outputs = ThemeOutputs;

    fn ask(id: &str, _: Option<&ThemeSpec>) -> Result<Json> {
        package::slug(id)?;
        Ok(json!({"kind": "theme", "do": "read", "id": id}))
    }

    fn seen(raw: &Json, prior: Option<&ThemeSpec>) -> Result<Observed<ThemeSpec, ThemeOutputs>> {
        let version = ids::text(raw, "version");
        let spec = ThemeSpec {
            slug: ids::of(raw),
            source: prior.and_then(|prior| prior.source.clone()),
            version: Some(version.clone()).filter(|text| !text.is_empty()),
            active: raw["active"] == true,
            content: prior.and_then(|prior| prior.content.clone()),
        };
        let outputs = ThemeOutputs {
            name: ids::text(raw, "name"),
            installed: version,
            block: raw["block"] == true,
        };
        Ok(Observed::new(spec, outputs).hidden(&["source", "content"]))
    }
}

async fn bring(
    cx: &Cx,
    site: &Site,
    spec: &ThemeSpec,
    prior: Option<&ThemeSpec>,
) -> Result<(ThemeOutputs, Json)> {
    package::slug(&spec.slug)?;
    package::version(spec.version.as_deref())?;
    let cli = site.cli()?;
    let package = Package::of(site, spec.source.as_deref())?;
    let started = begun(told(cx, site, begin("theme", &spec.slug, cx.op()?)).await?)?;
    let row = started.row.unwrap_or_default();
    let was = ids::text(&started.first, "active");
    let other = spec
        .version
        .as_deref()
        .is_some_and(|version| ids::text(&row, "version") != version);
    let another =
        prior.is_some_and(|prior| spec.content.is_some() && prior.content != spec.content);
    if row.is_null() || other || another {
        let output = package::install(
            cx,
            cli,
            "theme",
            &[(&package, &spec.slug)],
            package.pinned(spec.version.as_deref()),
        )
        .await?;
        if !output.is_success() {
            return Err(Error::new(ErrorKind::Refused, format!("`{}` cannot be installed: {}", spec.slug, why(&output)))
                .effect(Effect::None)
                .hint("is the name right, and does the server reach WordPress's directory? `source` takes a zip file instead"));
        }
    }
    if spec.active && row["active"] != true {
        if let Some(said) = switch(cx, site, cli, &spec.slug).await? {
            restore(cx, site, cli, &was, &started.first).await?;
            if row.is_null() {
                let _ = cli.run(cx, &cli.wp(["theme", "delete", &spec.slug])).await;
            }
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "`{}` cannot be the active theme, and `{was}` is again: {said}",
                    spec.slug
                ),
            )
            .effect(Effect::None)
            .hint("try another version of the theme"));
        }
    } else if !spec.active && row["active"] == true {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!(
                "`{}` is the active theme, and a site has to have one",
                spec.slug
            ),
        )
        .field(Path::key("active"))
        .effect(Effect::None)
        .hint("make another theme active instead"));
    }
    site.forget_facts().await;
    let raw = asked(cx, site, Theme::ask(&spec.slug, None)?).await?;
    if raw.is_null() {
        return Err(Error::new(
            ErrorKind::Refused,
            format!(
                "WordPress installed it under another name than `{}`",
                spec.slug
            ),
        )
        .effect(Effect::Partial)
        .hint("the slug is the name of the folder in the zip file"));
    }
    Ok((Theme::seen(&raw, Some(spec))?.outputs, started.first))
}

/// Makes a theme the active one; says why if that did not go well.
async fn switch(cx: &Cx, site: &Site, cli: &Cli, slug: &str) -> Result<Option<String>> {
    let output = cli.run(cx, &cli.wp(["theme", "activate", slug])).await?;
    if !output.is_success() {
        return Ok(Some(why(&output)));
    }
    // Two looks: what WordPress does after a switch happens on the first.
    probe(cx, site).await;
    let boot = cli.run(cx, &cli.wp(["eval", ""])).await?;
    if !boot.is_success() {
        return Ok(Some(why(&boot)));
    }
    Ok(match probe(cx, site).await {
        Answer::Broken(how) => Some(how),
        _ => None,
    })
}

/// The theme from before, with its options as they were.
async fn restore(cx: &Cx, site: &Site, cli: &Cli, was: &str, first: &Json) -> Result<()> {
    package::slug(was)?;
    let output = cli
        .run(
            cx,
            &cli.wp(["--skip-plugins", "--skip-themes", "theme", "activate", was]),
        )
        .await?;
    if !output.is_success()
        && !output
            .last_lines()
            .iter()
            .any(|line| line.contains("already active"))
    {
        return Err(Error::new(
            ErrorKind::Unavailable,
            format!(
                "`{was}` cannot be made the active theme again: {}",
                why(&output)
            ),
        )
        .effect(Effect::Partial)
        .hint(format!(
            "run `wp --skip-plugins --skip-themes theme activate {was}` on the server"
        )));
    }
    told(
        cx,
        site,
        json!({"kind": "theme", "do": "restore", "id": was, "options": first["options"]}),
    )
    .await?;
    site.forget_facts().await;
    Ok(())
}

impl Resource for Theme {
    const TYPE: &'static str = <Theme as Structure>::NAME;
    type Client = Site;
    type Spec = ThemeSpec;
    type Outputs = ThemeOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            undo_delete: Undo::Partial,
            import_id: "SLUG".into(),
            volatile: ["installed", "name", "block"].map(Path::key).to_vec(),
            ..repeatable(info)
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        site: &Site,
        spec: &ThemeSpec,
    ) -> Result<Created<ThemeOutputs>> {
        let (outputs, first) = bring(cx, site, spec, None).await?;
        let mut created = Created::new(spec.slug.clone(), outputs);
        created.private = First::bytes(&first);
        Ok(created)
    }

    async fn read(&self, cx: &Cx, site: &Site, id: &str) -> ReadAnswer<ThemeSpec, ThemeOutputs> {
        one::<Theme>(cx, site, id, None).await
    }

    async fn update(
        &self,
        cx: &Cx,
        site: &Site,
        _: &str,
        change: &Change<'_, ThemeSpec>,
    ) -> Result<ThemeOutputs> {
        Ok(bring(cx, site, change.spec, change.prior.as_ref()).await?.0)
    }

    async fn delete(&self, cx: &Cx, site: &Site, id: &str) -> Result<()> {
        self.delete_object(
            cx,
            site,
            &Object {
                id: id.to_owned(),
                ..Object::default()
            },
        )
        .await
    }

    async fn delete_object(&self, cx: &Cx, site: &Site, object: &Object) -> Result<()> {
        let slug = object.id.as_str();
        let cli = site.cli()?;
        let row = asked(cx, site, Theme::ask(slug, None)?).await?;
        if row.is_null() {
            return Ok(());
        }
        let first = First::of(&object.private);
        let was = ids::text(&first, "active");
        if row["active"] == true {
            if was.is_empty() || was == slug {
                // It was there before Fabrik.
                return Ok(());
            }
            restore(cx, site, cli, &was, &first).await?;
        }
        if first["installed"].is_string() || first.is_null() {
            return Ok(());
        }
        let output = cli.run(cx, &cli.wp(["theme", "delete", slug])).await?;
        if output.is_success() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Refused,
            format!("`{slug}` cannot be removed: {}", why(&output)),
        )
        .effect(Effect::Partial))
    }

    fn keys(&self, _: &Site, _: &Value) -> Keys {
        keys(&["plugins", "theme"])
    }

    async fn plan(&self, cx: &Cx, site: &Site, proposal: Proposal<'_>) -> Result<Planned> {
        let mut planned = Planned {
            inputs: proposal.desired.clone(),
            ..Planned::default()
        };
        let Ok(mut spec) = decode::<ThemeSpec>(proposal.desired) else {
            return Ok(planned);
        };
        package::slug(&spec.slug)?;
        package::version(spec.version.as_deref())?;
        site.cli()?;
        let package = Package::of(site, spec.source.as_deref())?;
        spec.content = package.content().await?;
        planned.inputs = encode(&spec, None)?;
        let sent: Option<ThemeSpec> = proposal
            .last_sent
            .and_then(|prior| decode(&prior.inputs).ok());
        if sent.is_none_or(|sent| sent.content != spec.content) {
            planned.findings.extend(
                package
                    .inspect(
                        &*site.facts(cx).await?,
                        "theme",
                        &spec.slug,
                        spec.version.as_deref(),
                    )
                    .await?,
            );
        }
        let facts = site.facts(cx).await?;
        planned.findings.extend(crate::types::rights(
            &facts,
            &["install_plugins", "edit_theme_options"],
        ));
        Ok(planned)
    }

    async fn list(&self, cx: &Cx, site: &Site) -> Result<Vec<Found<ThemeSpec, ThemeOutputs>>> {
        all::<Theme>(cx, site, json!({"kind": "theme", "do": "list", "id": ""})).await
    }
}
