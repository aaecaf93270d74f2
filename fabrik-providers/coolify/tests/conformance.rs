//! The conformance suite against the fake.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::LazyLock;

use fabrik_fakes::coolify::{Coolify, Kind, TOKEN};
use fabrik_provider_coolify::provider;
use fabrik_testkit::Target;
use serde_json::{Value as Json, json};

/// A fake as the suite wants it.
struct Site(Coolify);

impl Site {
    fn start() -> Site {
        Site(Coolify::start("4.3.10"))
    }

    /// The last part of an id is what the fake knows.
    fn part(id: &str) -> &str {
        id.rsplit('/').next().unwrap_or(id)
    }

    fn edit(&self, kind: Kind, id: &str, field: &str, value: Json) {
        self.0.edit(kind, Site::part(id), field, value);
    }

    fn remove(&self, kind: Kind, id: &str) {
        self.0.remove(kind, Site::part(id));
    }

    /// The application or database of a name.
    fn named(&self, kind: Kind, name: &str) -> String {
        self.0.find(kind, "name", name).unwrap_or_default()
    }
}

impl Target for Site {
    fn address(&self) -> SocketAddr {
        self.0.address()
    }

    fn config(&self, at: SocketAddr) -> Json {
        json!({"endpoint": format!("http://{at}"), "token": TOKEN, "requests_per_minute": 100_000})
    }

    fn dump(&self) -> Json {
        self.0.dump()
    }

    fn count(&self, type_name: &str) -> usize {
        let kind = match type_name {
            "coolify.project" => Kind::Project,
            "coolify.environment" => {
                let all = self.0.uuids(Kind::Environment);
                let is_made = |uuid: &&String| {
                    self.0.get(Kind::Environment, uuid, "name") != Some(json!("production"))
                };
                return all.iter().filter(is_made).count();
            }
            "coolify.application" => Kind::Application,
            "coolify.service" => Kind::Service,
            "coolify.database" => Kind::Database,
            "coolify.storage" => Kind::Storage,
            "coolify.scheduled_task" => Kind::Task,
            "coolify.database_backup" => Kind::Backup,
            "coolify.s3_storage" => Kind::S3,
            "coolify.private_key" => Kind::Key,
            "coolify.env" => {
                let kinds = [Kind::Application, Kind::Service, Kind::Database];
                let owners = kinds.into_iter().flat_map(|kind| self.0.uuids(kind));
                return owners
                    .filter(|owner| !self.0.variables(owner).is_empty())
                    .count();
            }
            _ => return 0,
        };
        self.0.count(kind)
    }
}

/// The id of the server that every fake begins with.
static SERVER: LazyLock<String> = LazyLock::new(|| Coolify::start("4.3.10").server_uuid());

const PROJECT: &str = "${resources.shop.id}";
const COMPOSE: &str = "services:\n  web:\n    image: nginx:1.27\n  cache:\n    image: redis:7\n";

fn application(more: Json) -> Json {
    let mut spec = json!({"project": PROJECT, "server": *SERVER, "name": "{fbt} api", "image": "nginx:1.27", "ports": [80]});
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        spec[key] = value;
    }
    spec
}

fn database(more: Json) -> Json {
    let mut spec =
        json!({"engine": "postgresql", "project": PROJECT, "server": *SERVER, "name": "{fbt} db"});
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        spec[key] = value;
    }
    spec
}

fn shop() -> Json {
    json!({"name": "{fbt} shop"})
}

const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nfabrik0conformance0one\n-----END OPENSSH PRIVATE KEY-----";
const OTHER_KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nfabrik0conformance0two\n-----END OPENSSH PRIVATE KEY-----";

/// Sources exclude each other.
const SOURCES: &str = "fields that cannot be set beside another are looked at by tests of their own (tests/it/replace.rs)";

/// Fields of which one is set.
const EXCLUDE: &str =
    "what it belongs to is one of several fields, and one cannot be set beside another";

/// Names in Coolify are not unique.
const NAMES: &str = "names are not unique in Coolify: two of one name are two";

fn main() -> ExitCode {
    fabrik_testkit::suite("coolify", provider)
        .target(Site::start)
        .wrong_token(json!({"token": "9|wrong0token0of0some0length"}), "token")
        .lacking(|t| t.0.drop_ability("write"), "write")
        .unauthorized(401, "application/json", r#"{"message":"Unauthenticated."}"#)
        .refusal(422, "application/json", r#"{"message":"Validation failed.","errors":{"name":["refused"]}}"#)
        .resource("coolify.project", |r| {
            r.minimal(json!({"name": "{fbt} least"}))
                .maximal(json!({"name": "{fbt} project", "description": "What it is for"}))
                .update(json!({"name": "{fbt} renamed", "description": "Something else"}))
                .invalid("name", json!("ab"), "3")
                .refused("description", json!("100 % sure"), "may only contain")
                .drift("name", |t, id| t.edit(Kind::Project, id, "name", json!("by hand")))
                .gone(|t, id| t.remove(Kind::Project, id))
                .unmanaged(|t, id| t.edit(Kind::Project, id, "colour", json!("red")))
                .opaque_ids()
                .many(12, |n| json!({"name": format!("project {n}")}))
                .reads_at_most(2)
                .waive("L17", NAMES)
        })
        .resource("coolify.environment", |r| {
            r.also("shop", "coolify.project", shop())
                .also("other", "coolify.project", json!({"name": "{fbt} other"}))
                .minimal(json!({"project": PROJECT, "name": "staging"}))
                .maximal(json!({"project": PROJECT, "name": "staging"}))
                .replace("name", json!("preview"))
                .replace("project", json!("${resources.other.id}"))
                .invalid("name", json!(""), "empty")
                .drift("name", |t, id| t.edit(Kind::Environment, id, "name", json!("by-hand")))
                .gone(|t, id| t.remove(Kind::Environment, id))
                .foreign(|t| {
                    let project = t.named(Kind::Project, "fbt shop");
                    t.0.add(Kind::Environment, &project, json!({"name": "staging"}))
                })
                .unmanaged(|t, id| t.edit(Kind::Environment, id, "colour", json!("red")))
                .bad_id("production", "PROJECT_UUID/ENVIRONMENT_UUID")
                .many(12, |n| json!({"project": PROJECT, "name": format!("env{n}")}))
                .reads_at_most(2)
                .waive("R12", "of an environment Coolify checks nothing but whether its name is free")
        })
        .resource("coolify.application", |r| {
            r.also("shop", "coolify.project", shop())
                .also("other", "coolify.project", json!({"name": "{fbt} other"}))
                .also("staging", "coolify.environment", json!({"project": PROJECT, "name": "staging"}))
                .minimal(application(json!({})))
                .maximal(application(json!({
                    "environment": "production",
                    "description": "Answers",
                    "image": "ghcr.io/acme/api:1.5",
                    "ports": [8000, 9000],
                    "publish": ["8080:8000"],
                    "domains": ["https://api.example.com", "https://www.api.example.com/v1"],
                    "force_domains": true,
                    "redirect": "non-www",
                    "health": {"path": "/health", "port": 8000, "status": 204, "interval": 10, "body": "fine", "method": "HEAD"},
                    "limits": {"memory": "512m", "cpus": "0.5", "memory_swap": "1g", "memory_reservation": "128m", "cpuset": "0-1", "cpu_shares": 512},
                    "settings": {"force_https": true, "gzip": false, "auto_deploy": false, "build_cache": false, "images_to_keep": 5},
                    "labels": ["traefik.enable=true", "acme.team=web"],
                    "docker_options": "--cap-add=NET_ADMIN",
                    "network_aliases": ["api", "backend"],
                    "pre_deploy": {"command": "bin/migrate"},
                    "post_deploy": {"command": "bin/warm", "container": "api"},
                    "basic_auth": {"username": "admin", "password": "basic-secret-55e1"},
                    "max_restart_count": 3,
                    "delete_volumes": true,
                })))
                .variant("elsewhere", application(json!({"destination": "dest0dest0dest0dest0dest0"})))
                .variant("git", json!({
                    "project": PROJECT, "server": *SERVER, "name": "{fbt} site",
                    "git": {"repository": "https://github.com/acme/site", "branch": "main", "commit": "0123456789abcdef"},
                    "build": {"pack": "dockerfile", "base_directory": "/app", "dockerfile": "/Dockerfile.prod", "target": "run", "install": "npm ci", "command": "npm run build", "start": "npm start", "publish_directory": "/dist", "watch": "src/**"},
                    "ports": [3000],
                }))
                .variant("dockerfile", json!({
                    "project": PROJECT, "server": *SERVER, "name": "{fbt} tool",
                    "dockerfile": "FROM alpine\nEXPOSE 9000\n", "ports": [9000], "domains": [],
                }))
                .update(json!({
                    "name": "{fbt} renamed", "image": "ghcr.io/acme/api:1.6", "domains": ["https://api2.example.com"],
                    "limits": {"memory": "1g"}, "settings": {"gzip": true}, "health": {"path": "/up"},
                }))
                .replace("environment", json!("staging"))
                .replace("project", json!("${resources.other.id}"))
                .invalid("name", json!(""), "empty")
                .invalid("image", json!("Ghcr.io/Acme/Api:1"), "lower case")
                .refused("health.command", json!("curl localhost | grep fine"), "health check command")
                .replace("destination", json!("dest1dest1dest1dest1dest1"))
                .replace("server", json!("none0none0none0none0none"))
                .replace("dockerfile", json!("FROM scratch"))
                .text(&["name", "description"])
                .same("domains", json!(["https://WWW.API.example.com/v1", "https://API.Example.com/"]))
                .same("image", json!("ghcr.io/acme/api:1.5"))
                .drift("name", |t, id| t.edit(Kind::Application, id, "name", json!("by hand")))
                .drift("limits.memory", |t, id| t.edit(Kind::Application, id, "limits_memory", json!("64m")))
                .drift("settings.gzip", |t, id| t.edit(Kind::Application, id, "is_gzip_enabled", json!(true)))
                .gone(|t, id| t.remove(Kind::Application, id))
                .unmanaged(|t, id| t.edit(Kind::Application, id, "watch_paths", json!("docs/**")))
                .opaque_ids()
                .many(12, |n| application(json!({"name": format!("app {n}"), "domains": [format!("https://a{n}.example.com")]})))
                .waive("L17", NAMES)
                .waive("L7", SOURCES)
                .waive("S6", "a `deploy_key` is the id of a key, not a key")
        })
        .resource("coolify.service", |r| {
            r.also("shop", "coolify.project", shop())
                .also("other", "coolify.project", json!({"name": "{fbt} other"}))
                .also("staging", "coolify.environment", json!({"project": PROJECT, "name": "staging"}))
                .minimal(json!({"project": PROJECT, "server": *SERVER, "name": "{fbt} stack", "compose": COMPOSE}))
                .maximal(json!({
                    "project": PROJECT, "environment": "production", "server": *SERVER, "name": "{fbt} stack", "description": "Two containers",
                    "compose": COMPOSE, "urls": {"web": ["https://stack.example.com"]}, "force_domains": true,
                    "predefined_network": true, "escape_labels": false, "delete_volumes": true,
                }))
                .update(json!({"name": "{fbt} renamed", "compose": "services:\n  web:\n    image: nginx:1.28\n", "urls": {"web": ["https://stack2.example.com"]}}))
                .replace("environment", json!("staging"))
                .replace("project", json!("${resources.other.id}"))
                .invalid("name", json!(""), "empty")
                .invalid("compose", json!("version: '3'"), "services")
                .refused("urls", json!({"web": ["stack.example.com"]}), "Invalid domain")
                .replace("destination", json!("dest1dest1dest1dest1dest1"))
                .replace("server", json!("none0none0none0none0none"))
                .variant("catalogue", json!({"project": PROJECT, "server": *SERVER, "name": "{fbt} tea", "template": "gitea", "destination": "dest0dest0dest0dest0dest0"}))
                .same("compose", json!("# a comment\nservices:\n    web: {image: 'nginx:1.27'}\n    cache:\n        image: \"redis:7\"\n"))
                .drift("name", |t, id| t.edit(Kind::Service, id, "name", json!("by hand")))
                .drift("compose", |t, id| t.edit(Kind::Service, id, "docker_compose_raw", json!("services:\n  web:\n    image: nginx:1.0\n")))
                .gone(|t, id| t.remove(Kind::Service, id))
                .unmanaged(|t, id| t.edit(Kind::Service, id, "config_hash", json!("x")))
                .opaque_ids()
                .text(&["name", "description"])
                .many(12, |n| json!({"project": PROJECT, "server": *SERVER, "name": format!("stack {n}"), "compose": COMPOSE}))
                .waive("L17", NAMES)
                .waive("L7", SOURCES)
        })
        .resource("coolify.database", |r| {
            r.also("shop", "coolify.project", shop())
                .also("other", "coolify.project", json!({"name": "{fbt} other"}))
                .also("staging", "coolify.environment", json!({"project": PROJECT, "name": "staging"}))
                .minimal(database(json!({})))
                .maximal(database(json!({
                    "environment": "production", "description": "Orders", "image": "postgres:16", "user": "shop", "password": "pass-4bd0a6f2",
                    "database": "orders", "conf": "max_connections = 50", "initdb_args": "--data-checksums", "host_auth_method": "scram-sha-256",
                    "public_port": 54321, "limits": {"memory": "1g"}, "health": {"interval": 30}, "start": true, "delete_volumes": true,
                })))
                .variant("mysql", database(json!({"engine": "mysql", "user": "shop", "database": "orders", "root_password": "root-pass-77ac", "destination": "dest0dest0dest0dest0dest0"})))
                .variant("mariadb", database(json!({"engine": "mariadb", "user": "shop"})))
                .variant("mongodb", database(json!({"engine": "mongodb", "user": "shop", "database": "orders"})))
                .variant("redis", database(json!({"engine": "redis", "conf": "maxmemory 64mb"})))
                .variant("keydb", database(json!({"engine": "keydb", "conf": "maxmemory 64mb"})))
                .variant("dragonfly", database(json!({"engine": "dragonfly"})))
                .variant("clickhouse", database(json!({"engine": "clickhouse", "user": "shop"})))
                .update(json!({"name": "{fbt} renamed", "image": "postgres:17", "public_port": 54322, "limits": {"memory": "2g"}}))
                .replace("environment", json!("staging"))
                .replace("project", json!("${resources.other.id}"))
                .replace("user", json!("other"))
                .replace("database", json!("other"))
                .replace("initdb_args", json!("--no-sync"))
                .replace("host_auth_method", json!("md5"))
                .invalid("public_port", json!(80), "1024")
                .replace("destination", json!("dest1dest1dest1dest1dest1"))
                .replace("server", json!("none0none0none0none0none"))
                .replace("engine", json!("mysql"))
                .waive("R12", "what Coolify refuses by field is refused before anything is sent")
                .invalid("engine", json!("oracle"), "oracle")
                .drift("name", |t, id| t.edit(Kind::Database, id, "name", json!("by hand")))
                .drift("image", |t, id| t.edit(Kind::Database, id, "image", json!("postgres:12")))
                .gone(|t, id| t.remove(Kind::Database, id))
                .unmanaged(|t, id| t.edit(Kind::Database, id, "ssl_mode", json!("require")))
                .opaque_ids()
                .text(&["name", "description"])
                .many(12, |n| database(json!({"name": format!("db {n}"), "start": false})))
                .waive("L17", NAMES)
                .waive("L7", SOURCES)
        })
        .resource("coolify.env", |r| {
            r.also("shop", "coolify.project", shop())
                .also("api", "coolify.application", application(json!({})))
                .also("other", "coolify.application", application(json!({"name": "{fbt} other"})))
                .also("stack", "coolify.service", json!({"project": PROJECT, "server": *SERVER, "name": "{fbt} stack", "compose": COMPOSE}))
                .also("db", "coolify.database", database(json!({"start": false})))
                .minimal(json!({"application": "${resources.api.id}", "variables": {"LEVEL": "info"}}))
                .maximal(json!({
                    "application": "${resources.api.id}", "variables": {"LEVEL": "info", "PRICE": "5$", "TEXT": "one\ntwo"},
                    "mode": "exact", "literal": true, "build_only": ["LEVEL", "PRICE"], "runtime_only": ["TEXT"], "shown_once": ["TEXT"],
                }))
                .variant("service", json!({"service": "${resources.stack.id}", "variables": {"LEVEL": "info"}}))
                .variant("database", json!({"database": "${resources.db.id}", "variables": {"LEVEL": "info"}}))
                .update(json!({"variables": {"LEVEL": "debug", "MORE": "1"}}))
                .invalid("variables", json!({"1X": "a"}), "cannot be the name")
                .drift("variables.LEVEL", |t, id| t.0.set_variable(Site::part(id), "LEVEL", "by hand"))
                .gone(|t, id| {
                    for key in ["LEVEL", "PRICE", "TEXT"] {
                        t.0.remove_variable(Site::part(id), key);
                    }
                })
                .foreign(|t| t.0.set_variable(&t.named(Kind::Application, "fbt api"), "LEVEL", "theirs"))
                .unmanaged(|t, id| t.0.add_own_variable(Site::part(id), "SERVICE_FQDN_API", "made"))
                .bad_id("api", "application/UUID")
                .waive("L7", EXCLUDE)
                .waive("R11", "an application has one set of variables")
                .waive("R12", "what Coolify refuses by field is refused before anything is sent")
        })
        .resource("coolify.storage", |r| {
            r.also("shop", "coolify.project", shop())
                .also("api", "coolify.application", application(json!({})))
                .also("stack", "coolify.service", json!({"project": PROJECT, "server": *SERVER, "name": "{fbt} stack", "compose": COMPOSE}))
                .also("db", "coolify.database", database(json!({"start": false})))
                .minimal(json!({"application": "${resources.api.id}", "path": "/data", "name": "data"}))
                .maximal(json!({"application": "${resources.api.id}", "path": "/etc/app.conf", "content": "level = info"}))
                .variant("folder", json!({"database": "${resources.db.id}", "path": "/data", "name": "data", "host_path": "/srv/data"}))
                .variant("service", json!({"service": "${resources.stack.id}", "container": "cont0cont0cont0cont0cont0", "path": "/data", "name": "data"}))
                .update(json!({"content": "level = debug"}))
                .unset(&[])
                .invalid("path", json!("data"), "/")
                .drift("content", |t, id| t.edit(Kind::Storage, id, "content", json!("by hand")))
                .gone(|t, id| t.remove(Kind::Storage, id))
                .foreign(|t| {
                    let api = t.named(Kind::Application, "fbt api");
                    t.0.add(Kind::Storage, &api, json!({"is_file": true, "mount_path": "/etc/app.conf", "content": "theirs"}))
                })
                .unmanaged(|t, id| t.edit(Kind::Storage, id, "is_preview_suffix_enabled", json!(true)))
                .bad_id("data", "application/UUID/STORAGE_UUID")
                .text(&["content"])
                .many(12, |n| json!({"application": "${resources.api.id}", "path": format!("/data{n}"), "name": format!("data{n}")}))
                .waive("L7", EXCLUDE)
                .waive("R12", "what Coolify refuses by field is refused before anything is sent")
        })
        .resource("coolify.scheduled_task", |r| {
            r.also("shop", "coolify.project", shop())
                .also("api", "coolify.application", application(json!({})))
                .also("other", "coolify.application", application(json!({"name": "{fbt} other"})))
                .minimal(json!({"application": "${resources.api.id}", "name": "clean", "command": "bin/clean", "schedule": "daily"}))
                .maximal(json!({
                    "application": "${resources.api.id}", "name": "clean", "command": "bin/clean", "schedule": "0 3 * * *",
                    "container": "api", "timeout": 600, "enabled": false,
                }))
                .update(json!({"command": "bin/clean --all", "schedule": "hourly", "enabled": true}))
                .also("stack", "coolify.service", json!({"project": PROJECT, "server": *SERVER, "name": "{fbt} stack", "compose": COMPOSE}))
                .variant("service", json!({"service": "${resources.stack.id}", "name": "clean", "command": "bin/clean", "schedule": "daily"}))
                .refused("schedule", json!("99 3 * * *"), "cron")
                .text(&["name", "command"])
                .waive("L7", EXCLUDE)
                .foreign(|t| {
                    let api = t.named(Kind::Application, "fbt api");
                    t.0.add(Kind::Task, &api, json!({"name": "clean", "command": "theirs", "frequency": "daily", "timeout": 300, "enabled": true}))
                })
                .invalid("schedule", json!("at noon"), "no schedule")
                .drift("command", |t, id| t.edit(Kind::Task, id, "command", json!("by hand")))
                .gone(|t, id| t.remove(Kind::Task, id))
                .unmanaged(|t, id| t.edit(Kind::Task, id, "colour", json!("red")))
                .bad_id("clean", "application/UUID/TASK_UUID")
                .many(12, |n| json!({"application": "${resources.api.id}", "name": format!("task {n}"), "command": "true", "schedule": "daily"}))
        })
        .resource("coolify.database_backup", |r| {
            r.also("shop", "coolify.project", shop())
                .also("db", "coolify.database", database(json!({"start": false})))
                .also("other", "coolify.database", database(json!({"start": false, "name": "{fbt} other"})))
                .also("s3", "coolify.s3_storage", json!({"name": "{fbt} s3", "endpoint": "https://s3.example.com", "bucket": "b", "region": "eu", "key": "key-0f9e8d7c", "secret": "secret-1a2b3c4d"}))
                .minimal(json!({"database": "${resources.db.id}", "schedule": "daily"}))
                .maximal(json!({
                    "database": "${resources.db.id}", "schedule": "0 3 * * *", "enabled": false, "s3": "${resources.s3.id}", "databases": ["a", "b"],
                    "all": false, "keep": 7, "keep_days": 30, "s3_keep": 14, "s3_keep_days": 60, "timeout": 600,
                }))
                .update(json!({"schedule": "weekly", "enabled": true, "keep": 3}))
                .replace("database", json!("${resources.other.id}"))
                .invalid("timeout", json!(5), "60")
                .refused("schedule", json!("99 3 * * *"), "cron")
                .foreign(|t| {
                    let db = t.named(Kind::Database, "fbt db");
                    t.0.add(Kind::Backup, &db, json!({"frequency": "0 3 * * *", "enabled": true, "timeout": 3600}))
                })
                .drift("keep", |t, id| t.edit(Kind::Backup, id, "database_backup_retention_amount_locally", json!(99)))
                .gone(|t, id| t.remove(Kind::Backup, id))
                .unmanaged(|t, id| t.edit(Kind::Backup, id, "colour", json!("red")))
                .bad_id("db", "DATABASE_UUID/BACKUP_UUID")
                .text(&[])
                .many(12, |n| json!({"database": "${resources.db.id}", "schedule": format!("{n} 3 * * *")}))
        })
        .resource("coolify.s3_storage", |r| {
            r.minimal(json!({"name": "{fbt} s3", "endpoint": "https://s3.example.com", "bucket": "b", "region": "eu", "key": "key-0f9e8d7c", "secret": "secret-1a2b3c4d"}))
                .maximal(json!({
                    "name": "{fbt} s3", "description": "Backups", "endpoint": "https://s3.example.com", "bucket": "b", "region": "eu",
                    "key": "key-0f9e8d7c", "secret": "secret-1a2b3c4d", "validate": true,
                }))
                .update(json!({"name": "{fbt} renamed", "bucket": "c"}))
                .invalid("endpoint", json!("s3.example.com"), "https?")
                .waive("R12", "Coolify tries a storage out and checks no field of it")
                .drift("bucket", |t, id| t.edit(Kind::S3, id, "bucket", json!("by hand")))
                .gone(|t, id| t.remove(Kind::S3, id))
                .unmanaged(|t, id| t.edit(Kind::S3, id, "colour", json!("red")))
                .opaque_ids()
                .many(12, |n| json!({"name": format!("s3 {n}"), "endpoint": "https://s3.example.com", "bucket": "b", "region": "eu", "key": "key-0f9e8d7c", "secret": "secret-1a2b3c4d"}))
                .waive("L17", NAMES)
        })
        .resource("coolify.private_key", |r| {
            r.minimal(json!({"name": "{fbt} key", "private_key": KEY}))
                .maximal(json!({"name": "{fbt} key", "description": "Deploys", "private_key": KEY}))
                .update(json!({"name": "{fbt} renamed", "private_key": OTHER_KEY}))
                .invalid("name", json!(""), "empty")
                .refused("private_key", json!("not a key"), "no private key")
                .same("private_key", json!(format!("{KEY}\n")))
                .drift("name", |t, id| t.edit(Kind::Key, id, "name", json!("by hand")))
                .gone(|t, id| t.remove(Kind::Key, id))
                .unmanaged(|t, id| t.edit(Kind::Key, id, "colour", json!("red")))
                .opaque_ids()
                .text(&["name", "description"])
                .many(12, |n| json!({"name": format!("key {n}"), "private_key": format!("-----BEGIN OPENSSH PRIVATE KEY-----\nkey{n}\n-----END OPENSSH PRIVATE KEY-----")}))
                .waive("L17", NAMES)
        })
        .lookup("coolify.server", |l| l.inputs(json!({"server": "main"})).not_found(json!({"server": "nowhere"})))
        .action("coolify.deployment", |a| {
            a.also("shop", "coolify.project", shop())
                .also("api", "coolify.application", application(json!({})))
                .inputs(json!({"application": "${resources.api.id}", "force": true, "on": {"version": "1"}}))
                .waive("S5", EXCLUDE)
        })
        .run()
}
