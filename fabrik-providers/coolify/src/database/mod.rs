//! `coolify.database`.

mod spec;

use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Finding, Lost, Object, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::secrets::Secret;
use fabrik_core::value::{Path, Value};
use serde_json::{Value as Json, json};

use crate::application::limits_of;
use crate::body::{
    Body, Made, decode, encode, flag, is_shown, mark_of, marked, number, remarked, text, unmarked,
    uuid, with_mark,
};
use crate::client::{Coolify, Row};
use crate::deployment::runs;
use crate::owner::{Kind, Owner};
use crate::server::preflight;
use crate::version;

pub use spec::{DatabaseHealth, DatabaseOutputs, DatabaseSpec, Engine};

/// `coolify.database`.
#[derive(Clone, Copy, Debug)]
pub struct Database;

pub(crate) const ROUTE: &str = "/databases/{uuid}";

/// What the fields of an engine are called.
struct Names {
    user: &'static str,
    password: &'static str,
    root_password: &'static str,
    database: &'static str,
    conf: &'static str,
    port: u16,
    route: &'static str,
}

impl Engine {
    fn names(self) -> Names {
        let names = |user, password, root_password, database, conf, port, route| Names {
            user,
            password,
            root_password,
            database,
            conf,
            port,
            route,
        };
        match self {
            Engine::Postgresql => names(
                "postgres_user",
                "postgres_password",
                "",
                "postgres_db",
                "postgres_conf",
                5432,
                "/databases/postgresql",
            ),
            Engine::Mysql => names(
                "mysql_user",
                "mysql_password",
                "mysql_root_password",
                "mysql_database",
                "mysql_conf",
                3306,
                "/databases/mysql",
            ),
            Engine::Mariadb => names(
                "mariadb_user",
                "mariadb_password",
                "mariadb_root_password",
                "mariadb_database",
                "mariadb_conf",
                3306,
                "/databases/mariadb",
            ),
            Engine::Mongodb => names(
                "mongo_initdb_root_username",
                "mongo_initdb_root_password",
                "",
                "mongo_initdb_database",
                "mongo_conf",
                27017,
                "/databases/mongodb",
            ),
            Engine::Redis => names(
                "",
                "redis_password",
                "",
                "",
                "redis_conf",
                6379,
                "/databases/redis",
            ),
            Engine::Keydb => names(
                "",
                "keydb_password",
                "",
                "",
                "keydb_conf",
                6379,
                "/databases/keydb",
            ),
            Engine::Dragonfly => names(
                "",
                "dragonfly_password",
                "",
                "",
                "",
                6379,
                "/databases/dragonfly",
            ),
            Engine::Clickhouse => names(
                "clickhouse_admin_user",
                "clickhouse_admin_password",
                "",
                "",
                "",
                9000,
                "/databases/clickhouse",
            ),
        }
    }

    fn of(row: &Row) -> Option<Engine> {
        let kind = text(row, "database_type")?;
        serde_json::from_value(json!(kind.trim_start_matches("standalone-"))).ok()
    }

    fn word(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|word| word.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

fn body(spec: &DatabaseSpec) -> Body {
    let names = spec.engine.names();
    let mut body = Body::default();
    body.set("name", spec.name.trim());
    body.some("image", spec.image.as_deref());
    for (field, value) in [
        (names.user, spec.user.as_deref()),
        (names.password, spec.password.as_ref().map(Secret::expose)),
        (
            names.root_password,
            spec.root_password.as_ref().map(Secret::expose),
        ),
        (names.database, spec.database.as_deref()),
    ] {
        if !field.is_empty() {
            body.some(field, value);
        }
    }
    if !names.conf.is_empty() {
        body.some(
            names.conf,
            spec.conf.as_deref().map(|text| encode(text.trim())),
        );
    }
    if spec.engine == Engine::Postgresql {
        body.some("postgres_initdb_args", spec.initdb_args.as_deref());
        body.some(
            "postgres_host_auth_method",
            spec.host_auth_method.as_deref(),
        );
    }
    if let Some(port) = spec.public_port {
        // Public without a port is silently turned off, so both go together.
        body.set("is_public", true);
        body.set("public_port", port);
    }
    if let Some(limits) = &spec.limits {
        body.some("limits_memory", limits.memory.as_deref());
        body.some("limits_memory_swap", limits.memory_swap.as_deref());
        body.some(
            "limits_memory_reservation",
            limits.memory_reservation.as_deref(),
        );
        body.some("limits_cpus", limits.cpus.as_deref());
        body.some("limits_cpuset", limits.cpuset.as_deref());
        body.some("limits_cpu_shares", limits.cpu_shares);
    }
    body
}

/// Fields that creating does not take.
fn later(spec: &DatabaseSpec) -> Body {
    let mut body = Body::default();
    if let Some(health) = &spec.health {
        body.set("health_check_enabled", health.enabled);
        body.set("health_check_interval", health.interval);
        body.set("health_check_timeout", health.timeout);
        body.set("health_check_retries", health.retries);
        body.set("health_check_start_period", health.start_period);
    }
    body
}

fn whole_body(spec: &DatabaseSpec) -> Body {
    let mut whole = body(spec);
    whole.0.extend(later(spec).0);
    whole
}

fn reset(field: &str) -> Option<Json> {
    Some(match field {
        "is_public" => json!(false),
        "limits_memory" | "limits_memory_swap" | "limits_memory_reservation" | "limits_cpus" => {
            json!("0")
        }
        "limits_cpu_shares" => json!(1024),
        "limits_cpuset" => Json::Null,
        conf if conf.ends_with("_conf") => Json::Null,
        _ => return None,
    })
}

fn health_of(row: &Row) -> Option<DatabaseHealth> {
    Some(DatabaseHealth {
        enabled: flag(row, "health_check_enabled")?,
        interval: number(row, "health_check_interval")?,
        timeout: number(row, "health_check_timeout")?,
        retries: number(row, "health_check_retries")?,
        start_period: number(row, "health_check_start_period")?,
    })
}

fn observe(row: &Row) -> Observed<DatabaseSpec, DatabaseOutputs> {
    let engine = Engine::of(row).unwrap_or(Engine::Postgresql);
    let names = engine.names();
    let mut hidden = vec!["destination", "start", "delete_volumes"];
    let named = |field: &str| {
        if field.is_empty() {
            None
        } else {
            text(row, field)
        }
    };
    for (field, path) in [
        (names.password, "password"),
        (names.root_password, "root_password"),
    ] {
        if !is_shown(row, field) {
            hidden.push(path);
        }
    }
    let health = health_of(row);
    if health.is_none() {
        hidden.push("health");
    }
    let spec = DatabaseSpec {
        engine,
        project: String::new(),
        environment: String::new(),
        server: String::new(),
        destination: None,
        name: text(row, "name").unwrap_or_default(),
        description: unmarked(row).0,
        image: text(row, "image"),
        user: named(names.user),
        password: named(names.password).map(Secret::from),
        root_password: named(names.root_password).map(Secret::from),
        database: named(names.database),
        conf: named(names.conf).map(|text| decode(&text).trim().to_owned()),
        initdb_args: text(row, "postgres_initdb_args"),
        host_auth_method: text(row, "postgres_host_auth_method"),
        public_port: number(row, "public_port").filter(|_| flag(row, "is_public") == Some(true)),
        limits: limits_of(row),
        health,
        start: true,
        delete_volumes: false,
    };
    Observed::new(spec, outputs(row)).hidden(&hidden)
}

/// User and password of a URL: `scheme://user:password@host`, with signs written as `%40`.
fn credentials(url: &str) -> Option<(String, String)> {
    let (_, rest) = url.split_once("://")?;
    let (user, password) = rest.rsplit_once('@')?.0.split_once(':')?;
    Some((plain(user), plain(password)))
}

/// A part of a URL without escapes.
fn plain(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let code = text
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn outputs(row: &Row) -> DatabaseOutputs {
    let url = text(row, "internal_db_url");
    let (user, password) = url.as_deref().and_then(credentials).unzip();
    DatabaseOutputs {
        uuid: uuid(row),
        host: uuid(row),
        port: Engine::of(row).unwrap_or(Engine::Postgresql).names().port,
        url: url.map(Secret::from),
        user: user.filter(|user| !user.is_empty()),
        password: password.map(Secret::from),
        public_url: text(row, "external_db_url").map(Secret::from),
    }
}

/// What is shown, and where it is.
async fn placed(
    cx: &Cx,
    coolify: &Coolify,
    row: &Row,
) -> Result<Observed<DatabaseSpec, DatabaseOutputs>> {
    let mut observed = observe(row);
    let place = coolify.place(cx, row).await?;
    observed
        .hidden
        .extend(place.hidden().into_iter().map(Path::key));
    observed.spec.project = place.project.unwrap_or_default();
    observed.spec.environment = place.environment.unwrap_or_default();
    observed.spec.server = place.server.unwrap_or_default();
    Ok(observed)
}

async fn found(
    cx: &Cx,
    coolify: &Coolify,
    row: &Row,
    marked: bool,
) -> Result<Found<DatabaseSpec, DatabaseOutputs>> {
    Ok(Found {
        id: uuid(row),
        observed: placed(cx, coolify, row).await?,
        marked,
    })
}

fn owner(id: &str) -> Owner {
    Owner {
        kind: Kind::Database,
        uuid: id.to_owned(),
    }
}

async fn patch(cx: &Cx, coolify: &Coolify, id: &str, body: &Body) -> Result<()> {
    coolify
        .http
        .patch(cx, ROUTE)
        .arg("uuid", id)
        .body(&body.0)
        .idempotent()
        .unit()
        .await
}

async fn finish(
    cx: &Cx,
    coolify: &Coolify,
    id: &str,
    spec: &DatabaseSpec,
) -> Result<Created<DatabaseOutputs>> {
    let object = Object {
        id: id.to_owned(),
        ..Object::default()
    };
    cx.made(object).await?;
    let partial = |error: Error| error.effect(Effect::Partial);
    let second = later(spec);
    if !second.is_empty() {
        patch(cx, coolify, id, &second).await.map_err(partial)?;
    }
    let mut row = coolify.made(cx, ROUTE, id, "database").await?;
    if spec.start {
        runs(cx, coolify, &owner(id)).await.map_err(partial)?;
        row = coolify
            .one(cx, ROUTE, id)
            .await
            .map_err(partial)?
            .unwrap_or(row);
    }
    Ok(Created::new(id, outputs(&row)))
}

impl Resource for Database {
    const TYPE: &'static str = "coolify.database";
    type Client = Coolify;
    type Spec = DatabaseSpec;
    type Outputs = DatabaseOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            // The image may have to be fetched.
            timeout: Duration::from_secs(600),
            resumable: true,
            holds_data: true,
            undo_delete: fabrik_core::provider::Undo::Partial,
            volatile: ["url", "public_url"].map(Path::key).to_vec(),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &DatabaseSpec,
    ) -> Result<Created<DatabaseOutputs>> {
        let mut body = body(spec);
        body.set("project_uuid", &spec.project);
        body.set("environment_name", &spec.environment);
        body.set("server_uuid", &spec.server);
        body.some("destination_uuid", spec.destination.as_deref());
        body.set(
            "description",
            marked(spec.description.as_deref(), &mark_of(cx.op()?)),
        );
        if spec.start {
            body.set("instant_deploy", true);
        }
        // The answer holds the password, so it is not kept.
        let made: Made = coolify
            .http
            .post(cx, spec.engine.names().route)
            .body(&body.0)
            .json()
            .await?;
        finish(cx, coolify, &made.uuid()?, spec).await
    }

    async fn resume(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &DatabaseSpec,
        checkpoint: &Object,
    ) -> Result<Created<DatabaseOutputs>> {
        if coolify.one(cx, ROUTE, &checkpoint.id).await?.is_none() {
            return self.create(cx, coolify, spec).await;
        }
        finish(cx, coolify, &checkpoint.id, spec).await
    }

    async fn read(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
    ) -> Result<Option<Observed<DatabaseSpec, DatabaseOutputs>>> {
        match coolify.one(cx, ROUTE, id).await? {
            Some(row) => placed(cx, coolify, &row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, DatabaseSpec>,
    ) -> Result<DatabaseOutputs> {
        let there = coolify.one(cx, ROUTE, id).await?;
        let there = there.ok_or_else(|| Error::new(ErrorKind::NotFound, "the database is gone"))?;
        let before = change.prior.as_ref().map(whole_body);
        let mut shown = whole_body(&observe(&there).spec);
        if !shown.0.contains_key("is_public") {
            shown.set("is_public", false);
        }
        let mut changes = whole_body(change.spec).changes(&shown, before.as_ref(), reset);
        let matters = changes.0.keys().any(|field| field != "name");
        let description = remarked(change.spec.description.as_deref(), &there);
        if there.get("description") != Some(&description) {
            changes.set("description", description);
        }
        if !changes.is_empty() {
            patch(cx, coolify, id, &changes).await?;
        }
        if matters && change.spec.start {
            let partial = |error: Error| error.effect(Effect::Partial);
            let request = coolify
                .http
                .post(cx, "/databases/{uuid}/restart")
                .arg("uuid", id)
                .idempotent();
            request.unit().await.map_err(partial)?;
            runs(cx, coolify, &owner(id)).await.map_err(partial)?;
        }
        let row = coolify.one(cx, ROUTE, id).await?.unwrap_or(there);
        Ok(outputs(&row))
    }

    async fn delete(&self, cx: &Cx, coolify: &Coolify, id: &str) -> Result<()> {
        coolify.remove(cx, ROUTE, id, false, "database").await
    }

    /// Data stays unless the spec said otherwise.
    async fn delete_object(&self, cx: &Cx, coolify: &Coolify, object: &Object) -> Result<()> {
        let volumes = object.inputs.get("delete_volumes").and_then(Value::as_bool) == Some(true);
        coolify
            .remove(cx, ROUTE, &object.id, volumes, "database")
            .await
    }

    async fn plan(&self, cx: &Cx, coolify: &Coolify, proposal: Proposal<'_>) -> Result<Planned> {
        let desired = proposal.desired;
        let mut findings = version::findings(Self::TYPE, desired, coolify.version);
        findings.extend(check(desired, proposal.last_sent));
        if proposal.last_sent.is_none()
            && let Some(server) = desired.get("server").and_then(Value::as_str)
        {
            findings.extend(preflight(cx, coolify, server).await?);
        }
        let mut inputs = desired.clone();
        let conf = Path::key("conf");
        if let Some(text) = desired.get("conf").and_then(Value::as_str)
            && text != text.trim()
        {
            inputs = inputs.with(&conf, Value::from(text.trim()));
        }
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        op: OpId,
        spec: &DatabaseSpec,
    ) -> Result<Option<Found<DatabaseSpec, DatabaseOutputs>>> {
        let rows = coolify.list(cx, "/databases").await?;
        let Some(mut row) = with_mark(rows, op) else {
            return Ok(None);
        };
        // The create whose reply was lost may have had a second step to go.
        let second = later(spec);
        if !second.is_empty() {
            let id = uuid(&row);
            patch(cx, coolify, &id, &second).await?;
            row = coolify.one(cx, ROUTE, &id).await?.unwrap_or(row);
        }
        found(cx, coolify, &row, true).await.map(Some)
    }

    async fn list(
        &self,
        cx: &Cx,
        coolify: &Coolify,
    ) -> Result<Vec<Found<DatabaseSpec, DatabaseOutputs>>> {
        let rows = coolify.list(cx, "/databases").await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(found(cx, coolify, row, false).await?);
        }
        Ok(all)
    }
}

/// What would be refused or surprise.
fn check(desired: &Value, last: Option<&Object>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let finding = |blocking: bool, field: &str, message: String, hint: &str| Finding {
        blocking,
        message,
        hint: Some(hint.to_owned()),
        field: Some(Path::key(field)),
        adopt: None,
    };
    let engine = desired.get("engine").and_then(Value::as_str);
    let engine: Option<Engine> = engine.and_then(|word| serde_json::from_value(json!(word)).ok());
    let has = |field: &str| desired.get(field).is_some_and(|value| !value.is_null());
    if let Some(engine) = engine {
        let names = engine.names();
        let is_postgres = engine == Engine::Postgresql;
        for (field, has_it) in [
            ("user", !names.user.is_empty()),
            ("root_password", !names.root_password.is_empty()),
            ("database", !names.database.is_empty()),
            ("conf", !names.conf.is_empty()),
            ("initdb_args", is_postgres),
            ("host_auth_method", is_postgres),
        ] {
            if has(field) && !has_it {
                findings.push(finding(
                    true,
                    field,
                    format!("`{field}` is not for {}", engine.word()),
                    "take it out",
                ));
            }
        }
    }
    for field in ["password", "root_password"] {
        let Some(value) = desired.get(field) else {
            continue;
        };
        let is_odd = |c: char| !c.is_ascii_alphanumeric() && !"!@#%^*()_+-=[]{}:,.?/~".contains(c);
        if value
            .reveal()
            .as_str()
            .is_some_and(|text| text.contains(is_odd))
        {
            findings.push(finding(
                true,
                field,
                format!("`{field}` has characters that Coolify refuses"),
                "use letters, digits and `!@#%^*()_+-=[]{}:,.?/~`",
            ));
        }
        let before = last.and_then(|last| last.inputs.get(field));
        if before.is_some_and(|before| before.reveal() != value.reveal() && !value.has_unknown()) {
            findings.push(finding(false, field, format!("Coolify keeps the new `{field}`, but a database that has data goes on with the old one"), "change it inside the database too"));
        }
    }
    findings
}
