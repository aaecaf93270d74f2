//! A WordPress that is there, served by PHP's own server.
//!
//! The folder is run as it is: its `wp-config.php` says which database it has. One with the SQLite
//! integration needs nothing else.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Resource;
use fabrik_core::role::Parts;
use fabrik_core::value::{Map, Path, Value};

use super::file::LocalFile;
use super::service::Service;

/// Sends requests to files, programs, or WordPress.
const ROUTER: &str = include_str!("../../php/router.php");
/// What starts PHP's server. Its workers outlive it when only it is told to end; the agent ends the
/// whole group.
const COMMAND: &str = "exec php -d memory_limit=512M -d opcache.enable_cli=1 -S \"127.0.0.1:$PORT\" -t . \"$FABRIK_ROUTER\"";
/// How many requests are answered at once: WordPress asks itself.
const WORKERS: &str = "6";
/// What an installed WordPress answers, whatever its theme does, and one that is not sends elsewhere.
const HEALTH: &str = "/wp-login.php";

/// What of an intent cannot be honoured because the folder is what it is.
const GIVEN: [(&str, &str); 2] = [("wordpress.version", "version"), ("wordpress.php", "PHP")];

/// The router and the service that runs it.
pub(super) fn service(
    name: &Value,
    intent: &Value,
    own: &Value,
    parts: &mut Parts,
) -> Result<Address> {
    let source = intent.get("source").and_then(|source| source.get("path"));
    let source = source.cloned().ok_or_else(|| {
        refused("source", "the local runtime runs a WordPress that is there: give the `path` of its folder")
            .hint("unpack WordPress into a folder and install it, or let another provider run it with `on`")
    })?;
    for (field, what) in GIVEN {
        if intent
            .at(&Path::parse(field))
            .is_some_and(|value| !value.is_null())
        {
            let message = format!("the local runtime takes the {what} that is there");
            return Err(refused(field, &message).hint("leave it out"));
        }
    }
    let engine = intent.at(&Path::parse("database.engine"));
    if let Some(engine) = engine.as_ref().and_then(Value::as_str)
        && engine != "sqlite"
    {
        let message = format!("the local runtime brings no {engine} along");
        return Err(refused("database.engine", &message)
            .hint("leave `database` out: the WordPress uses what its `wp-config.php` says"));
    }
    let app = name.as_str().unwrap_or("site");
    let file = Value::map([
        ("path", Value::from(format!(".fabrik/wordpress/{app}.php"))),
        ("content", Value::from(ROUTER)),
    ]);
    let router = parts.add("router", LocalFile::TYPE, file)?;
    let mut env = Map::from([
        ("PHP_CLI_SERVER_WORKERS".into(), Value::from(WORKERS)),
        (
            "FABRIK_ROUTER".into(),
            Parts::output(&router, "absolute_path"),
        ),
    ]);
    if let Some(given) = intent.get("env").and_then(Value::as_map) {
        env.extend(
            given
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    let health = intent.get("health").and_then(|health| health.get("path"));
    let health = health.cloned().unwrap_or_else(|| Value::from(HEALTH));
    let mut inputs = vec![
        ("name", name.clone()),
        (
            "command",
            own.get("command")
                .cloned()
                .unwrap_or_else(|| Value::from(COMMAND)),
        ),
        ("dir", source),
        ("env", Value::Map(Arc::new(env))),
        (
            "health",
            Value::map([
                ("path", health),
                ("status", Value::list([Value::from(200_i64)])),
            ]),
        ),
    ];
    for field in ["drain", "keep", "restart"] {
        inputs.extend(own.get(field).map(|value| (field, value.clone())));
    }
    parts.add("service", Service::TYPE, Value::map(inputs))
}

fn refused(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, message).field(Path::parse(field))
}
