//! Databases of eight engines.

use fabrik_testkit::serve::{Reply, Request};
use serde_json::{Map, Value as Json, json};

use super::check::{Answer, Shape, decode, invalid, message, only, shape};
use super::world::{Kind, Row, World};
use super::{app, deploy, fields, project, route};

/// Only sensitive tokens see these.
pub(super) const HIDDEN: &[&str] = &[
    "internal_db_url",
    "external_db_url",
    "postgres_password",
    "clickhouse_admin_password",
    "dragonfly_password",
    "redis_password",
    "keydb_password",
    "mariadb_root_password",
    "mariadb_password",
    "mongo_initdb_root_password",
    "mysql_root_password",
    "mysql_password",
];

const ENGINES: &[(&str, u16, &str)] = &[
    ("postgresql", 5432, "postgres:17-alpine"),
    ("mysql", 3306, "mysql:8"),
    ("mariadb", 3306, "mariadb:11"),
    ("mongodb", 27017, "mongo:8"),
    ("redis", 6379, "redis:7.2"),
    ("keydb", 6379, "eqalpha/keydb:latest"),
    (
        "dragonfly",
        6379,
        "docker.dragonflydb.io/dragonflydb/dragonfly",
    ),
    ("clickhouse", 9000, "clickhouse/clickhouse-server:25.11"),
];

fn gone() -> Reply {
    message(404, "Database not found.")
}

pub(super) fn answer(
    world: &mut World,
    method: &str,
    path: &[&str],
    request: &Request,
    body: &Map<String, Json>,
    sensitive: bool,
) -> Answer {
    match (method, path) {
        ("GET", []) => {
            let found = world
                .rows(Kind::Database)
                .map(|row| row.shown(HIDDEN, sensitive));
            Ok(Reply::json(200, &found.collect()))
        }
        ("GET", [uuid]) => {
            let row = world.get(Kind::Database, uuid).ok_or_else(gone)?;
            Ok(Reply::json(200, &row.shown(HIDDEN, sensitive)))
        }
        ("POST", [engine]) if ENGINES.iter().any(|(name, ..)| name == engine) => {
            create(world, engine, body)
        }
        ("PATCH", [uuid]) => update(world, uuid, body),
        ("DELETE", [uuid]) => {
            world.get(Kind::Database, uuid).ok_or_else(gone)?;
            app::delete(world, Kind::Database, uuid, request);
            Ok(message(200, "Database deletion request queued."))
        }
        _ => Err(route::nothing()),
    }
}

fn user_fields(engine: &str) -> (&'static str, &'static str, &'static str) {
    match engine {
        "postgresql" => ("postgres_user", "postgres_password", "postgres_db"),
        "mysql" => ("mysql_user", "mysql_password", "mysql_database"),
        "mariadb" => ("mariadb_user", "mariadb_password", "mariadb_database"),
        "mongodb" => (
            "mongo_initdb_root_username",
            "mongo_initdb_root_password",
            "mongo_initdb_database",
        ),
        "clickhouse" => (
            "clickhouse_admin_user",
            "clickhouse_admin_password",
            "clickhouse_db",
        ),
        "redis" => ("redis_username", "redis_password", ""),
        "keydb" => ("", "keydb_password", ""),
        _ => ("", "dragonfly_password", ""),
    }
}

fn checks(world: &World, own: Option<&str>, body: &Map<String, Json>) -> Result<(), Reply> {
    for (field, value) in body {
        let Some(text) = value.as_str() else { continue };
        if field.ends_with("_conf") {
            shape(body, field, Shape::Base64)?;
        }
        let is_name = field.ends_with("_user")
            || field.ends_with("_username")
            || field.ends_with("_db")
            || field.ends_with("_database");
        let first = text.chars().next().unwrap_or('0');
        if is_name
            && (text.len() > 63
                || !(first.is_ascii_alphabetic() || first == '_')
                || !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        {
            return Err(invalid(field, &format!("The {field} format is invalid.")));
        }
        if field.ends_with("_password")
            && !text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!@#%^*()_+-=[]{}:,.?/~".contains(c))
        {
            return Err(invalid(field, &format!("The {field} format is invalid.")));
        }
    }
    if let Some(port) = body.get("public_port").and_then(Json::as_u64) {
        if !(1024..=65535).contains(&port) {
            return Err(invalid(
                "public_port",
                "The public port must be between 1024 and 65535.",
            ));
        }
        let taken = world.rows(Kind::Database).any(|row| {
            Some(row.uuid().as_str()) != own
                && row.flag("is_public")
                && row.fields.get("public_port").and_then(Json::as_u64) == Some(port)
        });
        if taken {
            return Err(message(
                400,
                "Public port already used by another database.",
            ));
        }
    }
    Ok(())
}

/// The URLs follow from the rest. They hold the password.
fn connect(row: &mut Row, engine: &str, port: u16, ip: &str) {
    let (user, password, name) = user_fields(engine);
    let scheme = match engine {
        "postgresql" => "postgres",
        "mariadb" => "mysql",
        "keydb" | "dragonfly" => "redis",
        other => other,
    };
    let (user, password, name) = (row.text(user), row.text(password), row.text(name));
    let url = |host: &str, port: u64| format!("{scheme}://{user}:{password}@{host}:{port}/{name}");
    let internal = url(&row.uuid(), u64::from(port));
    row.set("internal_db_url", json!(internal));
    let public = row
        .fields
        .get("public_port")
        .and_then(Json::as_u64)
        .filter(|_| row.flag("is_public"));
    let external = public.map(|port| url(ip, port));
    row.set("external_db_url", json!(external));
}

fn store(row: &mut Row, body: &Map<String, Json>) {
    for (field, value) in body {
        if [
            "project_uuid",
            "server_uuid",
            "environment_name",
            "environment_uuid",
            "destination_uuid",
            "instant_deploy",
            "tags",
        ]
        .contains(&field.as_str())
        {
            continue;
        }
        if field.ends_with("_conf") {
            row.set(field, json!(value.as_str().and_then(decode)));
        } else {
            row.set(field, value.clone());
        }
    }
    // Public without a port is silently turned off.
    if row.flag("is_public") && row.fields.get("public_port").is_none_or(Json::is_null) {
        row.set("is_public", json!(false));
    }
}

fn create(world: &mut World, engine: &str, body: &Map<String, Json>) -> Answer {
    // Here unknown fields come as a list of names.
    if only(
        world,
        body,
        &[fields::DATABASE_CREATE, fields::of_engine(engine)],
    )
    .is_err()
    {
        let allowed = |name: &str| {
            fields::DATABASE_CREATE
                .iter()
                .chain(fields::of_engine(engine))
                .any(|(known, since)| *known == name && *since <= world.version)
        };
        let unknown: Vec<&String> = body.keys().filter(|key| !allowed(key)).collect();
        return Err(Reply::json(
            422,
            &json!({"message": "Validation failed.", "errors": unknown}),
        ));
    }
    let (environment, server) = project::place(world, body)?;
    checks(world, None, body)?;
    let (_, port, image) = ENGINES
        .iter()
        .find(|(name, ..)| *name == engine)
        .copied()
        .unwrap_or(("", 0, ""));
    let (uuid, id, now) = (world.uuid(), world.number(), world.now());
    let mut row = Row::new(
        Kind::Database,
        &environment,
        json!({
            "id": id, "uuid": uuid, "name": format!("{engine}-database-{uuid}"), "description": null,
            "database_type": format!("standalone-{engine}"), "image": image, "status": "exited", "is_public": false,
            "public_port": null, "public_port_timeout": 3600, "limits_memory": "0", "limits_memory_swap": "0",
            "limits_memory_swappiness": 60, "limits_memory_reservation": "0", "limits_cpus": "0",
            "limits_cpuset": null, "limits_cpu_shares": 1024, "created_at": now, "updated_at": now,
        }),
    );
    let (user, password, name) = user_fields(engine);
    for (field, value) in [
        (user, "coolify".to_owned()),
        (password, world.uuid()),
        (name, "default".to_owned()),
    ] {
        if !field.is_empty() {
            row.set(field, json!(value));
        }
    }
    store(&mut row, body);
    let ip = world
        .get(Kind::Server, &server)
        .map(|row| row.text("ip"))
        .unwrap_or_default();
    row.set("server_ip", json!(ip));
    connect(&mut row, engine, port, &ip);
    // The password is in it whatever the token may read.
    let reply = json!({"uuid": uuid, "internal_db_url": row.fields["internal_db_url"], "external_db_url": row.fields["external_db_url"]});
    world.on.insert(uuid.clone(), server.clone());
    world.put(row);
    if project::vanishes(world, &server) {
        world.remove(Kind::Database, &uuid);
    } else if body.get("instant_deploy").and_then(Json::as_bool) == Some(true) {
        deploy::start(world, Kind::Database, &uuid);
    }
    Ok(Reply::json(201, &reply))
}

fn update(world: &mut World, uuid: &str, body: &Map<String, Json>) -> Answer {
    let kind = world
        .get(Kind::Database, uuid)
        .ok_or_else(gone)?
        .text("database_type");
    let engine = kind.trim_start_matches("standalone-").to_owned();
    only(
        world,
        body,
        &[fields::DATABASE_UPDATE, fields::of_engine(&engine)],
    )?;
    checks(world, Some(uuid), body)?;
    let now = world.now();
    let port = ENGINES
        .iter()
        .find(|(name, ..)| *name == engine)
        .map_or(0, |(_, port, _)| *port);
    let row = world.get_mut(Kind::Database, uuid).ok_or_else(gone)?;
    store(row, body);
    row.set("updated_at", json!(now));
    let ip = row.text("server_ip");
    connect(row, &engine, port, &ip);
    Ok(message(200, "Database updated."))
}
