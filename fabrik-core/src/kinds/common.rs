//! What every kind asks of its block before anything is played.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::expr::{Expr, Reference};
use crate::value::{Map, Path, Value};

/// A mistake in the block.
pub(super) fn invalid(field: &str, message: impl Into<String>) -> Error {
    let error = Error::new(ErrorKind::Invalid, message);
    if field.is_empty() {
        error
    } else {
        error.field(Path::parse(field))
    }
}

/// Refuses expressions over outputs where the number and names of parts depend on the value.
pub(super) fn check_known(block: &Value) -> Result<()> {
    let known = |path: &str| match block.at(&Path::parse(path)) {
        Some(Value::Expr(expr)) => Err(invalid(
            path,
            format!("`{path}` must be known when the stack is planned: it waits for {expr}"),
        )),
        _ => Ok(()),
    };
    for path in [
        "backup",
        "backup.enabled",
        "build.secrets",
        "dns",
        "dns.enabled",
        "domains",
        "health.enabled",
        "health.path",
        "monitor.enabled",
        "monitor.path",
        "redirects",
        "secrets",
        "tls.enabled",
    ] {
        known(path)?;
    }
    let redirects = block.get("redirects").and_then(Value::as_list);
    for index in 0..redirects.unwrap_or_default().len() {
        known(&format!("redirects[{index}].from"))?;
    }
    Ok(())
}

/// Whether there is one thing to run.
pub(super) fn check_program(kind: &str, block: &Value) -> Result<()> {
    let (source, image) = (block.get("source"), block.get("image"));
    if source.is_some() && image.is_some() {
        return Err(invalid(
            "image",
            format!("a {kind} has either `image` or `source`, not both"),
        ));
    }
    if source.is_none() && image.is_none() && block.get("command").is_none() {
        return Err(invalid(
            "",
            format!("a {kind} needs something to run: `image`, `source` or `command`"),
        ));
    }
    check_source(block)
}

/// Whether the source says one thing.
pub(super) fn check_source(block: &Value) -> Result<()> {
    let Some(source) = block
        .get("source")
        .filter(|source| source.as_map().is_some())
    else {
        return Ok(());
    };
    let has = |field: &str| source.get(field).is_some();
    if !has("repo") {
        if !has("path") {
            return Err(invalid("source", "a source needs a `path` or `repo`"));
        }
        for field in ["branch", "tag", "commit", "auto_deploy"] {
            if has(field) {
                return Err(invalid(
                    &format!("source.{field}"),
                    format!("`{field}` needs a repository: there is only `path`"),
                ));
            }
        }
    }
    if has("tag") && (has("branch") || has("commit")) {
        return Err(invalid(
            "source.tag",
            "give one of `tag`, `branch` and `commit` (a commit may name its branch)",
        ));
    }
    Ok(())
}

/// `env` and `secrets` together.
pub(super) fn environment(block: &Value) -> Result<Option<Value>> {
    let mut env = match block.get("env") {
        None => Map::new(),
        Some(env) => env
            .as_map()
            .ok_or_else(|| invalid("env", "`env` must be known when the stack is planned"))?
            .clone(),
    };
    for (name, value) in references(block.get("secrets"), "secrets", &env)? {
        env.insert(name, value);
    }
    Ok((!env.is_empty()).then(|| Value::Map(Arc::new(env))))
}

/// `build` with its secrets as references.
pub(super) fn build(block: &Value) -> Result<Option<Value>> {
    let Some(build) = block.get("build") else {
        return Ok(None);
    };
    let secrets = references(build.get("secrets"), "build.secrets", &Map::new())?;
    if secrets.is_empty() {
        return Ok(Some(build.without(&Path::key("secrets"))));
    }
    Ok(Some(build.with(
        &Path::key("secrets"),
        Value::Map(Arc::new(secrets)),
    )))
}

/// The variables that a list of secrets makes.
fn references(secrets: Option<&Value>, field: &str, taken: &Map) -> Result<Map> {
    let mut found = Map::new();
    let listed = secrets.and_then(Value::as_list).unwrap_or_default();
    for (index, secret) in listed.iter().enumerate() {
        let at = format!("{field}[{index}]");
        let name = secret
            .get("name")
            .and_then(Value::as_str)
            .ok_or_else(|| invalid(&at, "the name of a secret must be plain text"))?;
        let variable = secret.get("as").and_then(Value::as_str).unwrap_or(name);
        if taken.contains_key(variable) || found.contains_key(variable) {
            return Err(invalid(
                &at,
                format!("the variable `{variable}` is set twice"),
            ));
        }
        found.insert(
            variable.into(),
            Value::from(Expr::from(Reference::secret(name))),
        );
    }
    Ok(found)
}
