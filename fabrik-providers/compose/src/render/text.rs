//! Values as texts of a Compose file: what is secret or not known yet becomes a variable.

use std::collections::BTreeMap;

use fabrik_core::address::Address;
use fabrik_core::error::Result;
use fabrik_core::expr::{Expr, Reference, Target};
use fabrik_core::role::DATABASE;
use fabrik_core::value::Value;

use super::{App, database, invalid};
use crate::interpolate::escape;

/// Writes texts, and remembers which variables they need.
pub(super) struct Writer<'a> {
    apps: BTreeMap<&'a Address, &'a App>,
    pub(super) needs: BTreeMap<String, String>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(apps: &'a [App]) -> Writer<'a> {
        let apps = apps
            .iter()
            .filter_map(|app| Some((app.address.as_ref()?, app)));
        Writer {
            apps: apps.collect(),
            needs: BTreeMap::new(),
        }
    }

    /// A variable that must be set.
    pub(super) fn need(&mut self, name: &str, what: impl Into<String>) -> String {
        self.needs
            .entry(name.to_owned())
            .or_insert_with(|| what.into());
        format!("${{{name}:?}}")
    }

    /// A value as text; `app` and `field` name the variable where nothing else does.
    pub(super) fn text(&mut self, value: &Value, app: &str, field: &str) -> Result<String> {
        match value {
            Value::Null => Ok(String::new()),
            Value::Str(text) => Ok(escape(text)),
            Value::Num(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            Value::Expr(expr) => self.expr(expr, app, field),
            Value::Secret(_) | Value::Sealed(_) => Ok(self.need(
                &variable(&[app, field]),
                format!("`{field}` of `{app}`, a secret"),
            )),
            Value::List(_) | Value::Map(_) | Value::Asset(_) => {
                Err(invalid(field, format!("`{field}` must be a text")))
            }
        }
    }

    /// The name of the database at an address.
    pub(super) fn database_at(&self, address: &Address) -> Option<String> {
        let app = self.apps.get(address)?;
        (app.role == DATABASE).then(|| app.name.clone())
    }

    fn expr(&mut self, expr: &Expr, app: &str, field: &str) -> Result<String> {
        match expr {
            Expr::Literal(value) => self.text(value, app, field),
            Expr::Ref(reference) => self.reference(reference),
            Expr::Concat(parts) => {
                let parts = parts.iter().map(|part| self.expr(part, app, field));
                parts.collect()
            }
            Expr::Call(..) | Expr::Equal(..) | Expr::NotEqual(..) => {
                let what = format!("`{field}` of `{app}`, computed as {expr}");
                Ok(self.need(&variable(&[app, field]), what))
            }
        }
    }

    fn reference(&mut self, reference: &Reference) -> Result<String> {
        let path = reference.path.to_string();
        match &reference.target {
            Target::Secret(name) => Ok(self.need(&variable(&[name]), "a secret")),
            Target::Resource(address) => {
                if let Some(app) = self.apps.get(address).copied() {
                    if app.role == DATABASE {
                        return database::output(app, &path, self);
                    }
                    return Ok(program_output(app, &path));
                }
                let name = variable(&[address.as_str(), &path]);
                Ok(self.need(&name, format!("`{path}` of {address}")))
            }
            Target::Stack(stack) => {
                let name = variable(&[stack, &path]);
                Ok(self.need(&name, format!("the output `{path}` of the stack {stack}")))
            }
            Target::Root(root) => {
                let name = variable(&[root, &path]);
                Ok(self.need(&name, format!("`{root}.{path}`")))
            }
        }
    }
}

/// What others in the file reach a program by.
fn program_output(app: &App, path: &str) -> String {
    let port = super::program::port(&app.intent);
    match path {
        "port" => port,
        "host" => app.name.clone(),
        _ => format!("http://{}:{port}", app.name),
    }
}

/// The name of a variable: `api` and `env.KEY` give `API_KEY`.
pub(super) fn variable(parts: &[&str]) -> String {
    let mut name = String::new();
    for part in parts {
        let part = part
            .trim_start_matches("env.")
            .trim_start_matches("resources.");
        for c in part.chars() {
            let c = if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            };
            if !(c == '_' && (name.is_empty() || name.ends_with('_'))) {
                name.push(c);
            }
        }
        name.push('_');
    }
    let name = name.trim_matches('_').to_owned();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("_{name}");
    }
    name
}
