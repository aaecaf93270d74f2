//! Where a site runs: an existing installation, or one that the runtime makes.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::Result;
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::kinds;
use fabrik_core::role::{ComponentCx, ComponentOut};
use fabrik_core::stack::InstanceDecl;
use fabrik_core::value::{Map, Path, Value};

use crate::note::invalid;

/// Where a site is, and how it is reached.
pub(super) struct Placed {
    /// The provider's instance for this site.
    pub(super) instance: Arc<str>,
    /// Where it answers.
    pub(super) url: Value,
    /// What the component gives so far.
    pub(super) out: ComponentOut,
    /// Parts of the runtime, which content comes after.
    pub(super) parts: Vec<Address>,
    /// Whether only the REST API is there.
    pub(super) rest: bool,
}

/// WordPress runs on few databases.
pub(super) fn check_database(block: &Value) -> Result<()> {
    let Some(engine) = block
        .get("database")
        .and_then(|database| database.get("engine"))
        .and_then(Value::as_str)
    else {
        return Ok(());
    };
    if matches!(engine, "mariadb" | "mysql" | "sqlite") {
        return Ok(());
    }
    if engine.starts_with("postgres") || engine == "pg" {
        return Err(invalid(
            "database.engine",
            "WordPress does not run on PostgreSQL: its queries, and those of its plugins, are written for MySQL",
        )
        .hint("write `database: mariadb` (or `mysql`, or `sqlite` for a small site); other apps of the stack may keep PostgreSQL"));
    }
    Err(invalid(
        "database.engine",
        format!("WordPress does not run on `{engine}`"),
    )
    .hint("write `mariadb`, `mysql` or `sqlite`"))
}

/// Finds or makes the installation.
pub(super) fn place(block: &Value, cx: &mut dyn ComponentCx) -> Result<Placed> {
    let name = kinds::app_name(cx.parts().base());
    let instance: Arc<str> = format!("wordpress.{name}").into();
    let placed = match block.get("site") {
        Some(site) => existing(block, site, instance, cx)?,
        None => made(block, &name, instance, cx)?,
    };
    Ok(placed)
}

fn declare(cx: &mut dyn ComponentCx, instance: &Arc<str>, config: Value) {
    cx.parts().instances.push(InstanceDecl {
        name: instance.clone(),
        provider: "wordpress".into(),
        config,
    });
}

/// Where the domains of the block lead.
fn domain_url(block: &Value) -> Option<Value> {
    let first = block.get("domains")?.as_list()?.first()?;
    let tls = block
        .at(&Path::parse("tls.enabled"))
        .and_then(|on| on.as_bool())
        != Some(false);
    let scheme = if tls { "https" } else { "http" };
    let path = first.get("path").and_then(Value::as_str).unwrap_or("");
    let name = first.get("name")?;
    Some(match name {
        Value::Str(name) => Value::from(format!("{scheme}://{name}{}", path.trim_end_matches('/'))),
        Value::Expr(name) => Value::from(Expr::Concat(vec![
            Expr::Literal(Value::from(format!("{scheme}://"))),
            name.as_ref().clone(),
            Expr::Literal(Value::from(path.trim_end_matches('/'))),
        ])),
        _ => return None,
    })
}

fn existing(
    block: &Value,
    site: &Value,
    instance: Arc<str>,
    cx: &mut dyn ComponentCx,
) -> Result<Placed> {
    let has = |field: &str| site.get(field).is_some();
    if has("rest") && (has("path") || has("ssh") || has("container") || has("wp")) {
        return Err(invalid(
            "site.rest",
            "a site is reached over its REST API or by WP-CLI, not both",
        ));
    }
    if !has("rest") && !has("path") && !has("ssh") && !has("container") {
        return Err(invalid("site", "this does not say where WordPress is")
            .hint("give its `path`, with `ssh` or `container` when it is elsewhere; or `rest`"));
    }
    if has("ssh") && !has("path") {
        return Err(invalid(
            "site.ssh",
            "the folder of WordPress on that machine is missing",
        )
        .hint("add `path:` beside `ssh`"));
    }
    let rest_url = site.at(&Path::parse("rest.url"));
    let url = site
        .get("url")
        .cloned()
        .or(rest_url)
        .or_else(|| domain_url(block))
        .ok_or_else(|| {
            invalid("site", "where the site answers is not known")
                .hint("give a `domain`, or `url` in `site`")
        })?;
    let url = match &url {
        Value::Str(text) => Value::from(text.trim_end_matches('/')),
        _ => url,
    };
    let tls = url.as_str().is_none_or(|url| url.starts_with("https://"));
    let config = site.with(&Path::key("url"), url.clone());
    declare(cx, &instance, config);
    let out = kinds::watch_web("wordpress", block, &url, tls, cx)?;
    Ok(Placed {
        instance,
        url,
        out,
        parts: Vec::new(),
        rest: has("rest"),
    })
}

fn made(block: &Value, name: &str, instance: Arc<str>, cx: &mut dyn ComponentCx) -> Result<Placed> {
    let secret: String = format!("{name}_wp_admin_password")
        .replace('-', "_")
        .to_uppercase();
    let email = block
        .at(&Path::parse("settings.admin_email"))
        .or_else(|| block.at(&Path::parse("contact.email")))
        .ok_or_else(|| {
            invalid(
                "contact",
                "a new installation needs a mail address for its first account",
            )
            .hint("set `contact: { email: … }`, or `site:` when WordPress is already there")
        })?;
    let admin = Value::map([
        ("login", Value::from("fabrik")),
        ("email", email),
        (
            "password",
            Value::from(Expr::from(Reference::secret(secret.as_str()))),
        ),
    ]);
    let mut first = Map::from([("admin".into(), admin)]);
    for field in ["title", "language", "version", "php"] {
        if let Some(value) = block.get(field) {
            first.insert(field.into(), value.clone());
        }
    }
    let mut intent = Map::from([("wordpress".into(), Value::Map(Arc::new(first)))]);
    if let Some(database) = block.get("database") {
        intent.insert("database".into(), database.clone());
    }
    let backup = Map::from([
        ("kind".into(), Value::from("wordpress")),
        ("app".into(), Value::from(name)),
    ]);
    let before = cx.parts().resources.len();
    let (out, runtime) = kinds::play_web("wordpress", block, intent, backup, cx)?;
    let parts = cx.parts().resources[before..]
        .iter()
        .map(|part| part.address.clone())
        .collect();
    let exec = runtime
        .get("exec")
        .filter(|exec| !exec.is_null())
        .cloned()
        .ok_or_else(|| {
            invalid(
                "on",
                "the runtime does not say how WP-CLI is run in what it makes",
            )
            .hint("make the installation first and give it as `site:`")
        })?;
    let url = match &out.url {
        Value::Null => domain_url(block).unwrap_or_default(),
        url => url.clone(),
    };
    // What is not known yet is asked for when it is.
    let config = match &exec {
        Value::Map(_) => exec.with(&Path::key("url"), url.clone()),
        _ => exec,
    };
    declare(cx, &instance, config);
    Ok(Placed {
        instance,
        url,
        out,
        parts,
        rest: false,
    })
}
