//! Apps of kind `wordpress`: WordPress, WP-CLI and MariaDB in one Compose text. The password of the
//! database is one that Coolify makes up and keeps.

use fabrik_compose::wordpress::{CLI, INSTALL, SERVICE, WordPress};
use fabrik_core::error::Result;
use fabrik_core::expr::Expr;
use fabrik_core::role::Parts;
use fabrik_core::value::Value;

use super::runtime::{docker_size, urls};
use super::stack::{self, known};
use super::{Inputs, at, invalid, required};

pub(super) fn expand(intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
    let name = required(intent, "name")?;
    let answers = urls(intent)?;
    let Some((url, host)) = answers.first().cloned() else {
        return Err(invalid(
            "domains",
            "WordPress keeps where it answers in its database, so Coolify must be told a domain",
        )
        .hint("give it a `domain`"));
    };
    for field in [
        "source",
        "image",
        "build",
        "command",
        "files",
        "health",
        "hooks",
        "limits.cpu",
        "replicas",
        "stop",
        "strategy",
        "tls.redirect_http",
        "volumes",
    ] {
        if at(intent, field).is_some() {
            let text = format!("`{field}` is nothing for a WordPress that Coolify runs");
            return Err(invalid(field, text).hint("leave it out"));
        }
    }
    let mut wordpress = WordPress {
        // Made up by Coolify, and the same wherever they stand in the text.
        user: "${SERVICE_USER_WORDPRESS}".to_owned(),
        password: "${SERVICE_PASSWORD_WORDPRESS}".to_owned(),
        php: known(intent, "wordpress.php")?,
        ..WordPress::default()
    };
    let engine = known(intent, "database.engine")?;
    if let Some(engine) = engine.filter(|engine| engine != "mariadb") {
        let text = format!("Coolify runs WordPress with MariaDB, not with {engine}");
        return Err(invalid("database.engine", text).hint("use `mariadb`, or leave it out"));
    }
    if let Some(version) = known(intent, "database.version")? {
        wordpress.database_version = version;
    }
    for field in ["version", "wordpress.version"] {
        if let Some(version) = known(intent, field)? {
            wordpress.version = version;
        }
    }
    if let Some(memory) = known(intent, "limits.memory")? {
        wordpress.memory = docker_size(&memory);
    }
    let mut variables = Inputs::default();
    let env = at(intent, "env");
    for (variable, value) in env.as_ref().and_then(Value::as_map).into_iter().flatten() {
        variables.some(variable, Some(value));
        let filled_in = format!("${{{variable}}}");
        wordpress
            .environment
            .push((variable.to_string(), filled_in));
    }
    if at(intent, "wordpress.admin").is_some() {
        wordpress.install = true;
        first(intent, &url, &mut variables)?;
    }
    let listed = Value::list(answers.into_iter().map(|(url, _)| url));
    let file = wordpress.file();
    let made = stack::declare(&name, own, &file, Some((SERVICE, listed)), variables, parts)?;

    let id = Parts::output(&made.service, "uuid");
    let address = Parts::output(&made.server, "ip");
    Ok(Value::map([
        ("url", url),
        ("host", host),
        ("ingress", address.clone()),
        ("ingress_kind", Value::from("address")),
        ("exec", exec(own, &id, address)),
        ("id", id),
        ("logs", Value::from(made.service.as_str())),
    ]))
}

/// What the installation begins with.
fn first(intent: &Value, url: &Value, variables: &mut Inputs) -> Result<()> {
    let asked = |field: &str| at(intent, &format!("wordpress.{field}"));
    let values = [
        Some(url.clone()),
        Some(asked("title").unwrap_or_else(|| Value::from("WordPress"))),
        asked("admin.login"),
        asked("admin.password"),
        asked("admin.email"),
        Some(asked("language").unwrap_or_else(|| Value::from("en_US"))),
    ];
    for (name, value) in INSTALL.into_iter().zip(values) {
        let value = value.ok_or_else(|| {
            invalid(
                "wordpress.admin",
                "the first account has `login`, `email` and `password`",
            )
        })?;
        variables.set(name, value);
    }
    Ok(())
}

/// How WP-CLI is reached: in its container, on the server.
fn exec(own: &Value, id: &Value, address: Value) -> Value {
    // Coolify names containers by their service and its id.
    let name = match id {
        Value::Expr(id) => Value::from(Expr::Concat(vec![
            Expr::Literal(Value::from(format!("{CLI}-"))),
            id.as_ref().clone(),
        ])),
        known => known.clone(),
    };
    let mut ssh = Inputs::default();
    ssh.set("host", address);
    ssh.set("user", "root");
    for field in ["user", "port", "key_file"] {
        ssh.some(field, own.get("ssh").and_then(|ssh| ssh.get(field)));
    }
    Value::map([
        ("container", Value::map([("name", name)])),
        ("ssh", ssh.value()),
    ])
}
