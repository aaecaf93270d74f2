//! Storages, scheduled tasks, schedules of dumps, S3 storages and private keys.

use fabrik_testkit::serve::Reply;
use serde_json::{Map, Value as Json, json};

use super::check::{Answer, Shape, decode, invalid, message, only, required, shape};
use super::fields;
use super::route::nothing;
use super::world::{Kind, Row, World};

fn row_of<'a>(
    world: &'a World,
    kind: Kind,
    owner: &str,
    uuid: &str,
    what: &str,
) -> Result<&'a Row, Reply> {
    world
        .get(kind, uuid)
        .filter(|row| row.owner == owner)
        .ok_or_else(|| message(404, &format!("{what} not found.")))
}

fn make(
    world: &mut World,
    kind: Kind,
    owner: &str,
    fields: Json,
    body: &Map<String, Json>,
) -> String {
    let (uuid, id, now) = (world.uuid(), world.number(), world.now());
    let mut row = Row::new(kind, owner, fields);
    row.set("uuid", json!(uuid));
    row.set("id", json!(id));
    row.set("created_at", json!(now));
    row.set("updated_at", json!(now));
    for (field, value) in body {
        row.set(field, value.clone());
    }
    world.put(row);
    uuid
}

fn change(world: &mut World, kind: Kind, uuid: &str, body: &Map<String, Json>) -> Json {
    let now = world.now();
    match world.get_mut(kind, uuid) {
        Some(row) => {
            for (field, value) in body {
                row.set(field, value.clone());
            }
            row.set("updated_at", json!(now));
            row.shown(&[], true)
        }
        None => Json::Null,
    }
}

pub(super) fn storages(
    world: &mut World,
    kind: Kind,
    owner: &str,
    method: &str,
    path: &[&str],
    body: &Map<String, Json>,
    sensitive: bool,
) -> Answer {
    match (method, path) {
        ("GET", []) => {
            let of = world.of(Kind::Storage, owner);
            let pick = |file: bool| -> Json {
                of.iter()
                    .filter(|row| row.flag("is_file") == file)
                    .map(|row| row.shown(&["content", "is_file"], sensitive))
                    .collect()
            };
            Ok(Reply::json(
                200,
                &json!({"persistent_storages": pick(false), "file_storages": pick(true)}),
            ))
        }
        ("POST", []) => {
            only(world, body, &[fields::STORAGE])?;
            required(body, &["type", "mount_path"])?;
            shape(body, "type", Shape::OneOf(&["persistent", "file"]))?;
            shape(body, "mount_path", Shape::Path)?;
            if kind == Kind::Service {
                required(body, &["resource_uuid"])?;
            }
            let is_file = body["type"] == "file";
            let mut body = body.clone();
            body.remove("type");
            body.insert("is_file".to_owned(), json!(is_file));
            if is_file {
                let path = body.get("mount_path").cloned().unwrap_or_default();
                body.entry("fs_path".to_owned()).or_insert(path);
            } else {
                required(&body, &["name"])?;
                // The volume's name tells whose it is.
                let name = format!("{owner}-{}", body["name"].as_str().unwrap_or_default());
                body.insert("name".to_owned(), json!(name));
            }
            let taken = world
                .of(Kind::Storage, owner)
                .iter()
                .any(|row| row.fields.get("mount_path") == body.get("mount_path"));
            if taken {
                return Err(invalid("mount_path", "The mount path is already used."));
            }
            let uuid = make(
                world,
                Kind::Storage,
                owner,
                json!({"host_path": null}),
                &body,
            );
            let row = row_of(world, Kind::Storage, owner, &uuid, "Storage")?;
            Ok(Reply::json(201, &row.shown(&["content"], sensitive)))
        }
        ("PATCH", []) => {
            only(world, body, &[fields::STORAGE_UPDATE])?;
            let uuid = body
                .get("uuid")
                .and_then(Json::as_str)
                .unwrap_or_default()
                .to_owned();
            row_of(world, Kind::Storage, owner, &uuid, "Storage")?;
            let mut body = body.clone();
            for field in ["uuid", "type", "id"] {
                body.remove(field);
            }
            Ok(Reply::json(
                200,
                &change(world, Kind::Storage, &uuid, &body),
            ))
        }
        ("DELETE", [uuid]) => {
            row_of(world, Kind::Storage, owner, uuid, "Storage")?;
            world.remove(Kind::Storage, uuid);
            Ok(message(200, "Storage deleted."))
        }
        _ => Err(nothing()),
    }
}

const WORDS: &[&str] = &[
    "every_minute",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "yearly",
    "@hourly",
    "@daily",
    "@weekly",
    "@monthly",
    "@yearly",
];

fn is_cron(text: &str) -> bool {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let minute = fields.first().and_then(|field| field.parse::<u32>().ok());
    fields.len() == 5 && minute.is_none_or(|minute| minute < 60)
}

fn frequency(body: &Map<String, Json>) -> Result<(), Reply> {
    match body.get("frequency").and_then(Json::as_str) {
        Some(text) if !WORDS.contains(&text) && !is_cron(text) => Err(invalid(
            "frequency",
            "Invalid cron expression or frequency format.",
        )),
        _ => Ok(()),
    }
}

pub(super) fn tasks(
    world: &mut World,
    owner: &str,
    method: &str,
    path: &[&str],
    body: &Map<String, Json>,
) -> Answer {
    match (method, path) {
        ("GET", []) => Ok(Reply::json(
            200,
            &world
                .of(Kind::Task, owner)
                .iter()
                .map(|row| row.shown(&[], true))
                .collect(),
        )),
        ("POST", []) => {
            only(world, body, &[fields::TASK])?;
            required(body, &["name", "command", "frequency"])?;
            frequency(body)?;
            let uuid = make(
                world,
                Kind::Task,
                owner,
                json!({"enabled": true, "container": null, "timeout": 300}),
                body,
            );
            Ok(Reply::json(
                201,
                &row_of(world, Kind::Task, owner, &uuid, "Scheduled task")?.shown(&[], true),
            ))
        }
        ("PATCH", [uuid]) => {
            only(world, body, &[fields::TASK])?;
            frequency(body)?;
            row_of(world, Kind::Task, owner, uuid, "Scheduled task")?;
            Ok(Reply::json(200, &change(world, Kind::Task, uuid, body)))
        }
        ("DELETE", [uuid]) => {
            row_of(world, Kind::Task, owner, uuid, "Scheduled task")?;
            world.remove(Kind::Task, uuid);
            Ok(message(200, "Scheduled task deleted."))
        }
        _ => Err(nothing()),
    }
}

pub(super) fn backups(
    world: &mut World,
    owner: &str,
    method: &str,
    path: &[&str],
    body: &Map<String, Json>,
) -> Answer {
    let s3 = |world: &World| -> Result<(), Reply> {
        let wanted = body.get("s3_storage_uuid").and_then(Json::as_str);
        // Before 4.3.0 storages are made in the dashboard, so any id may be right.
        match wanted {
            Some(uuid) if world.is(4, 3, 0) && world.get(Kind::S3, uuid).is_none() => Err(invalid(
                "s3_storage_uuid",
                "The selected S3 storage is invalid for this team.",
            )),
            None if body.get("save_s3").and_then(Json::as_bool) == Some(true) => Err(invalid(
                "s3_storage_uuid",
                "The s3_storage_uuid field is required when save_s3 is true.",
            )),
            _ => Ok(()),
        }
    };
    match (method, path) {
        ("GET", []) => Ok(Reply::json(
            200,
            &world
                .of(Kind::Backup, owner)
                .iter()
                .map(|row| row.shown(&[], true))
                .collect(),
        )),
        ("POST", []) => {
            only(world, body, &[fields::BACKUP])?;
            required(body, &["frequency"])?;
            frequency(body)?;
            s3(world)?;
            let mut body = body.clone();
            body.remove("backup_now");
            let uuid = make(
                world,
                Kind::Backup,
                owner,
                json!({"enabled": true, "save_s3": false, "timeout": 3600, "dump_all": false,
                "s3_storage_uuid": null, "databases_to_backup": null, "database_backup_retention_amount_locally": 0,
                "database_backup_retention_days_locally": 0, "database_backup_retention_amount_s3": 0, "database_backup_retention_days_s3": 0}),
                &body,
            );
            Ok(Reply::json(
                201,
                &json!({"uuid": uuid, "message": "Backup configuration created successfully."}),
            ))
        }
        ("PATCH", [uuid]) => {
            only(world, body, &[fields::BACKUP])?;
            frequency(body)?;
            row_of(world, Kind::Backup, owner, uuid, "Backup config")?;
            change(world, Kind::Backup, uuid, body);
            Ok(message(200, "Database backup configuration updated"))
        }
        ("DELETE", [uuid]) => {
            row_of(world, Kind::Backup, owner, uuid, "Backup configuration")?;
            world.remove(Kind::Backup, uuid);
            Ok(message(
                200,
                "Backup configuration and all executions deleted.",
            ))
        }
        ("GET", [uuid, "executions"]) => {
            row_of(world, Kind::Backup, owner, uuid, "Backup configuration")?;
            Ok(Reply::json(200, &json!({"executions": []})))
        }
        _ => Err(nothing()),
    }
}

pub(super) fn s3(
    world: &mut World,
    method: &str,
    path: &[&str],
    body: &Map<String, Json>,
) -> Answer {
    // Key and secret are never shown.
    let hidden: &[&str] = &["key", "secret"];
    match (method, path) {
        ("GET", []) => Ok(Reply::json(
            200,
            &world
                .rows(Kind::S3)
                .map(|row| row.shown(hidden, false))
                .collect(),
        )),
        ("GET", [uuid]) => Ok(Reply::json(
            200,
            &row_of(world, Kind::S3, "", uuid, "S3 storage")?.shown(hidden, false),
        )),
        ("POST", []) => {
            only(world, body, &[fields::S3])?;
            required(
                body,
                &["name", "endpoint", "bucket", "region", "key", "secret"],
            )?;
            let uuid = make(
                world,
                Kind::S3,
                "",
                json!({"is_usable": false, "description": null}),
                body,
            );
            Ok(Reply::json(201, &json!({"uuid": uuid})))
        }
        ("POST", [uuid, "validate"]) => {
            row_of(world, Kind::S3, "", uuid, "S3 storage")?;
            change(
                world,
                Kind::S3,
                uuid,
                &Map::from_iter([("is_usable".to_owned(), json!(true))]),
            );
            Ok(message(200, "S3 storage connection is valid."))
        }
        ("PATCH", [uuid]) => {
            only(world, body, &[fields::S3])?;
            row_of(world, Kind::S3, "", uuid, "S3 storage")?;
            change(world, Kind::S3, uuid, body);
            Ok(Reply::json(200, &json!({"uuid": uuid})))
        }
        ("DELETE", [uuid]) => {
            row_of(world, Kind::S3, "", uuid, "S3 storage")?;
            world.remove(Kind::S3, uuid);
            Ok(message(200, "S3 storage deleted."))
        }
        _ => Err(nothing()),
    }
}

/// A fingerprint that follows from the key alone.
fn fingerprint(key: &str) -> String {
    let mut state: u64 = 0xCBF2_9CE4_8422_2325;
    for byte in key.trim().bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    format!("SHA256:{state:016x}")
}

fn pem(body: &Map<String, Json>) -> Result<String, Reply> {
    let text = body
        .get("private_key")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let text = if text.starts_with("-----BEGIN") {
        text.to_owned()
    } else {
        decode(text).unwrap_or_default()
    };
    if text.trim_start().starts_with("-----BEGIN") {
        Ok(text.trim().to_owned())
    } else {
        Err(message(
            422,
            "The private key is invalid. It must be a valid private key.",
        ))
    }
}

pub(super) fn keys(
    world: &mut World,
    method: &str,
    path: &[&str],
    body: &Map<String, Json>,
    sensitive: bool,
) -> Answer {
    let hidden: &[&str] = &["private_key"];
    match (method, path) {
        ("GET", []) => Ok(Reply::json(
            200,
            &world
                .rows(Kind::Key)
                .map(|row| row.shown(hidden, sensitive))
                .collect(),
        )),
        ("GET", [uuid]) => Ok(Reply::json(
            200,
            &row_of(world, Kind::Key, "", uuid, "Private Key")?.shown(hidden, sensitive),
        )),
        ("POST", []) => {
            only(world, body, &[fields::KEY])?;
            required(body, &["private_key"])?;
            let key = pem(body)?;
            let print = fingerprint(&key);
            if world
                .rows(Kind::Key)
                .any(|row| row.text("fingerprint") == print)
            {
                return Err(message(422, "Private key already exists."));
            }
            let mut body = body.clone();
            body.insert("private_key".to_owned(), json!(key));
            let name = format!("key-{}", &print[7..13]);
            body.entry("name".to_owned()).or_insert(json!(name));
            let uuid = make(
                world,
                Kind::Key,
                "",
                json!({"fingerprint": print, "description": null, "is_git_related": false, "public_key": format!("ssh-ed25519 {}", &print[7..])}),
                &body,
            );
            Ok(Reply::json(201, &json!({"uuid": uuid})))
        }
        ("PATCH", [uuid]) => {
            only(world, body, &[fields::KEY])?;
            // Always, even where it stays.
            required(body, &["private_key"])?;
            let key = pem(body)?;
            row_of(world, Kind::Key, "", uuid, "Private Key")?;
            let mut body = body.clone();
            body.insert("fingerprint".to_owned(), json!(fingerprint(&key)));
            body.insert("private_key".to_owned(), json!(key));
            change(world, Kind::Key, uuid, &body);
            Ok(Reply::json(201, &json!({"uuid": uuid})))
        }
        ("DELETE", [uuid]) => {
            row_of(world, Kind::Key, "", uuid, "Private Key")?;
            world.remove(Kind::Key, uuid);
            Ok(message(200, "Private Key deleted."))
        }
        _ => Err(nothing()),
    }
}
