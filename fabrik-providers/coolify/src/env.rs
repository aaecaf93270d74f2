//! `coolify.env`.

use std::collections::{BTreeMap, BTreeSet};

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Finding, Keys, Lost, Object, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::body::{flag, mark_of, text, uuid};
use crate::client::{Coolify, Row, rows};
use crate::owner::{self, Kind, Owner};

/// The environment variables of one application, service or database, written together.
///
/// Variables that Coolify makes itself (`SERVICE_…`) are left alone. A changed variable takes effect
/// at the next deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvSpec {
    /// The id of the application whose variables these are. One of `application`, `service` and
    /// `database` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub application: Option<String>,
    /// The id of the service whose variables these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub service: Option<String>,
    /// The id of the database whose variables these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub database: Option<String>,
    /// The variables. Coolify takes whitespace off both ends of a value.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// What happens to variables that are not listed.
    #[serde(default)]
    pub mode: EnvMode,
    /// Whether values are taken as they are. Without it Coolify fills in `$NAME` in them.
    #[serde(default = "yes")]
    #[schemars(extend("x-fabrik" = {"write_only": true}))]
    pub literal: bool,
    /// Names of variables that only the build gets. For applications.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(extend("x-fabrik" = {"write_only": true, "list": "set"}))]
    pub build_only: BTreeSet<String>,
    /// Names of variables that the build does not get. For applications.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(extend("x-fabrik" = {"write_only": true, "list": "set"}))]
    pub runtime_only: BTreeSet<String>,
    /// Names of variables whose values Coolify never shows again, to nobody.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(extend("x-fabrik" = {"write_only": true, "list": "set"}))]
    pub shown_once: BTreeSet<String>,
}

fn yes() -> bool {
    true
}

/// What happens to variables that are not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnvMode {
    /// They are left alone.
    #[default]
    Merge,
    /// They are removed.
    Exact,
}

/// What is known of a set of variables.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EnvOutputs {
    /// The id of what they belong to.
    pub owner: String,
}

/// `coolify.env`.
#[derive(Clone, Copy, Debug)]
pub struct Env;

/// How ids are written.
const SHAPE: &str = "application/UUID, service/UUID or database/UUID";

impl EnvSpec {
    fn owner(&self) -> Result<Owner> {
        Owner::of([
            self.application.as_ref(),
            self.service.as_ref(),
            self.database.as_ref(),
        ])
    }

    /// A variable in full: what a request leaves out, Coolify resets.
    fn item(&self, kind: Kind, key: &str, value: &str, mark: Option<&str>) -> Json {
        let mut item = json!({
            "key": key,
            "value": value,
            "is_literal": self.literal,
            "is_multiline": value.contains('\n'),
            "is_shown_once": self.shown_once.contains(key),
        });
        if kind == Kind::Application {
            item["is_preview"] = json!(false);
            item["is_runtime"] = json!(!self.build_only.contains(key));
            item["is_buildtime"] = json!(!self.runtime_only.contains(key));
        }
        if let Some(mark) = mark {
            item["comment"] = json!(format!("fabrik={mark}"));
        }
        item
    }
}

fn outputs(owner: &Owner) -> EnvOutputs {
    EnvOutputs {
        owner: owner.uuid.clone(),
    }
}

/// All variables there are, those for previews and Coolify's own too; `None` when the owner is gone.
async fn variables(cx: &Cx, coolify: &Coolify, owner: &Owner) -> Result<Option<Vec<Row>>> {
    let route = owner.kind.pick([
        "/applications/{uuid}/envs",
        "/services/{uuid}/envs",
        "/databases/{uuid}/envs",
    ]);
    let shown: Option<Json> = coolify
        .http
        .get(cx, route)
        .arg("uuid", &owner.uuid)
        .json_opt()
        .await?;
    Ok(shown.map(rows))
}

fn key(row: &Row) -> String {
    text(row, "key").unwrap_or_default()
}

/// A variable of the user's, not Coolify's, and not the twin for previews.
fn is_own(row: &Row) -> bool {
    flag(row, "is_preview") != Some(true) && !is_coolifys(row)
}

fn is_coolifys(row: &Row) -> bool {
    let key = key(row);
    let is_magic = [
        "SERVICE_FQDN_",
        "SERVICE_URL_",
        "SERVICE_PASSWORD_",
        "SERVICE_USER_",
        "SERVICE_BASE64_",
    ];
    flag(row, "is_coolify") == Some(true) || is_magic.iter().any(|magic| key.starts_with(magic))
}

/// The value, where it is shown. Tokens without `read:sensitive` see none.
fn value(row: &Row, shows: bool) -> Option<String> {
    if !shows || flag(row, "is_shown_once") == Some(true) {
        return None;
    }
    match row.get("value")? {
        // An empty value is kept as null.
        Json::Null => Some(String::new()),
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Whether values are shown at all: at least one is.
fn shows_values(rows: &[Row]) -> bool {
    rows.iter()
        .any(|row| row.get("value").is_some_and(|value| !value.is_null()))
}

fn observe(owner: &Owner, all: &[Row], exact: bool) -> Observed<EnvSpec, EnvOutputs> {
    let shows = shows_values(all);
    let mut spec = EnvSpec {
        literal: true,
        mode: if exact {
            EnvMode::Exact
        } else {
            EnvMode::Merge
        },
        ..EnvSpec::default()
    };
    match owner.kind {
        Kind::Application => spec.application = Some(owner.uuid.clone()),
        Kind::Service => spec.service = Some(owner.uuid.clone()),
        Kind::Database => spec.database = Some(owner.uuid.clone()),
    }
    let mut hidden = vec![Path::key("mode")];
    for row in all.iter().filter(|row| is_own(row)) {
        match value(row, shows) {
            Some(value) => _ = spec.variables.insert(key(row), value),
            None => hidden.push(Path::key("variables").join(key(row))),
        }
    }
    let mut observed = Observed::new(spec, outputs(owner));
    observed.hidden = hidden;
    observed
}

/// Writes variables, all in one request.
async fn write(cx: &Cx, coolify: &Coolify, owner: &Owner, items: Vec<Json>) -> Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let route = owner.kind.pick([
        "/applications/{uuid}/envs/bulk",
        "/services/{uuid}/envs/bulk",
        "/databases/{uuid}/envs/bulk",
    ]);
    let request = coolify
        .http
        .patch(cx, route)
        .arg("uuid", &owner.uuid)
        .body(&json!({"data": items}));
    request.idempotent().unit().await
}

/// Removes variables and their twins.
async fn remove(
    cx: &Cx,
    coolify: &Coolify,
    owner: &Owner,
    all: &[Row],
    which: impl Fn(&str) -> bool,
) -> Result<()> {
    let route = owner.kind.pick([
        "/applications/{uuid}/envs/{env}",
        "/services/{uuid}/envs/{env}",
        "/databases/{uuid}/envs/{env}",
    ]);
    for row in all
        .iter()
        .filter(|row| !is_coolifys(row) && which(&key(row)))
    {
        let request = coolify
            .http
            .delete(cx, route)
            .arg("uuid", &owner.uuid)
            .arg("env", uuid(row));
        request.ok_if(404).unit().await?;
    }
    Ok(())
}

fn gone(owner: &Owner) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("Coolify has no {} `{}`", owner.kind.word(), owner.uuid),
    )
    .field(Path::key(owner.kind.word()))
}

impl Resource for Env {
    const TYPE: &'static str = "coolify.env";
    type Client = Coolify;
    type Spec = EnvSpec;
    type Outputs = EnvOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            exclusive: true,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &EnvSpec,
    ) -> Result<Created<EnvOutputs>> {
        let owner = spec.owner()?;
        let mark = mark_of(cx.op()?);
        let items = spec
            .variables
            .iter()
            .map(|(key, value)| spec.item(owner.kind, key, value.trim(), Some(&mark)));
        write(cx, coolify, &owner, items.collect()).await?;
        Ok(Created::new(owner.id(), outputs(&owner)))
    }

    async fn read(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
    ) -> Result<Option<Observed<EnvSpec, EnvOutputs>>> {
        let (owner, _) = Owner::parse(id, 0, SHAPE)?;
        let Some(all) = variables(cx, coolify, &owner).await? else {
            return Ok(None);
        };
        // Without any variable there is no set.
        Ok(all.iter().any(is_own).then(|| observe(&owner, &all, false)))
    }

    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, EnvSpec>,
    ) -> Result<EnvOutputs> {
        let (owner, _) = Owner::parse(id, 0, SHAPE)?;
        let all = variables(cx, coolify, &owner)
            .await?
            .ok_or_else(|| gone(&owner))?;
        let spec = change.spec;
        let shows = shows_values(&all);
        let flags_changed = ["literal", "build_only", "runtime_only", "shown_once"]
            .iter()
            .any(|field| change.is_changed(field));
        let mut items = Vec::new();
        for (name, wanted) in &spec.variables {
            let wanted = wanted.trim();
            let row = all.iter().find(|row| is_own(row) && key(row) == *name);
            let is_same = match row.and_then(|row| value(row, shows)) {
                Some(there) => there == wanted,
                // Not shown: what was sent last counts.
                None => {
                    row.is_some()
                        && change.prior.as_ref().is_some_and(|prior| {
                            prior
                                .variables
                                .get(name)
                                .is_some_and(|sent| sent.trim() == wanted)
                        })
                }
            };
            if !is_same || flags_changed {
                let mark = row
                    .and_then(|row| text(row, "comment"))
                    .and_then(|comment| comment.strip_prefix("fabrik=").map(str::to_owned));
                items.push(spec.item(owner.kind, name, wanted, mark.as_deref()));
            }
        }
        write(cx, coolify, &owner, items).await?;
        let before: BTreeSet<&String> = change
            .prior
            .iter()
            .flat_map(|prior| prior.variables.keys())
            .collect();
        let exact = spec.mode == EnvMode::Exact;
        let unwanted = |key: &str| {
            !spec.variables.contains_key(key) && (exact || before.contains(&key.to_owned()))
        };
        remove(cx, coolify, &owner, &all, unwanted).await?;
        Ok(outputs(&owner))
    }

    async fn delete(&self, _: &Cx, _: &Coolify, _: &str) -> Result<()> {
        Ok(())
    }

    /// Removes the variables of the set, and no others.
    async fn delete_object(&self, cx: &Cx, coolify: &Coolify, object: &Object) -> Result<()> {
        let (owner, _) = Owner::parse(&object.id, 0, SHAPE)?;
        let Some(all) = variables(cx, coolify, &owner).await? else {
            return Ok(());
        };
        let ours = object
            .inputs
            .get("variables")
            .and_then(Value::as_map)
            .cloned()
            .unwrap_or_default();
        remove(cx, coolify, &owner, &all, |key| ours.contains_key(key)).await
    }

    fn keys(&self, _: &Coolify, inputs: &Value) -> Keys {
        let named = Kind::ALL.into_iter().find_map(|kind| {
            Some(format!(
                "{}/{}",
                kind.word(),
                inputs.get(kind.word())?.as_str()?
            ))
        });
        Keys {
            locks: named
                .map(|id| format!("coolify.env/{id}").into())
                .into_iter()
                .collect(),
            ..Keys::default()
        }
    }

    async fn plan(&self, _: &Cx, _: &Coolify, proposal: Proposal<'_>) -> Result<Planned> {
        let mut findings: Vec<Finding> = owner::check(proposal.desired, &Kind::ALL)
            .into_iter()
            .collect();
        let mut inputs = proposal.desired.clone();
        for (name, value) in proposal
            .desired
            .get("variables")
            .and_then(Value::as_map)
            .into_iter()
            .flatten()
        {
            let path = Path::key("variables").join(name.clone());
            findings.extend(check_name(name, &path));
            if let Some(text) = value.reveal().as_str()
                && text != text.trim()
            {
                let trimmed = Value::from(text.trim());
                inputs = inputs.with(
                    &path,
                    if value.is_secret() {
                        trimmed.into_secret()
                    } else {
                        trimmed
                    },
                );
                findings.push(Finding {
                    blocking: false,
                    message: format!("the value of `{name}` begins or ends with whitespace, which Coolify takes off"),
                    hint: Some("encode it, such as in base64, if the whitespace matters".to_owned()),
                    field: Some(path),
                    adopt: None,
                });
            }
        }
        let exact = proposal.desired.get("mode").and_then(Value::as_str) == Some("exact");
        let there = proposal
            .observed
            .and_then(|observed| observed.inputs.get("variables"))
            .and_then(Value::as_map);
        for name in there
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .filter(|_| exact)
        {
            let path = Path::key("variables").join(name.clone());
            // Null here is a wish: that it be gone.
            if inputs.at(&path).is_none() {
                inputs = inputs.with(&path, Value::Null);
            }
        }
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }

    /// The set is there when one of its variables is, or with `mode: exact` when any is.
    async fn locate(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        op: OpId,
        spec: &EnvSpec,
    ) -> Result<Option<Found<EnvSpec, EnvOutputs>>> {
        let owner = spec.owner()?;
        let Some(all) = variables(cx, coolify, &owner).await? else {
            return Ok(None);
        };
        let exact = spec.mode == EnvMode::Exact;
        let counts = |row: &&Row| is_own(row) && (exact || spec.variables.contains_key(&key(row)));
        let mark = format!("fabrik={}", mark_of(op));
        let there: Vec<&Row> = all.iter().filter(counts).collect();
        if there.is_empty() {
            return Ok(None);
        }
        let marked = there
            .iter()
            .all(|row| text(row, "comment").as_deref() == Some(mark.as_str()));
        Ok(Some(Found {
            id: owner.id(),
            observed: observe(&owner, &all, exact),
            marked,
        }))
    }
}

fn check_name(name: &str, path: &Path) -> Option<Finding> {
    let first = name.chars().next().unwrap_or('0');
    let fine = (first.is_ascii_alphabetic() || first == '_')
        && name.len() <= 255
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    (!fine).then(|| Finding {
        blocking: true,
        message: format!("`{name}` cannot be the name of a variable"),
        hint: Some("a name has letters, digits, `_` and `.`, does not begin with a digit, and is no longer than 255".to_owned()),
        field: Some(path.clone()),
        adopt: None,
    })
}
