//! A site without WordPress: its resources with every reference filled in by something that stands
//! for it, for a look ([`preview`]) and for WordPress Playground ([`blueprint`]).

pub mod blueprint;
mod html;
pub mod preview;

use std::collections::BTreeMap;
use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::expr::{self, Reference, Target};
use fabrik_core::stack::Stack;
use fabrik_core::value::{Segment, Value, to_wire_masked};
use serde_json::Value as Json;

/// A part of the site, with its inputs as plain data.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its address.
    pub(crate) address: Address,
    /// Its type without the provider: `page`.
    pub(crate) kind: String,
    /// What is wanted of it.
    pub(crate) inputs: Json,
}

/// A site's parts by type, in the order of their addresses.
#[derive(Clone, Debug)]
pub(crate) struct Parts(Vec<Part>);

impl Parts {
    /// The parts of an app; of the only site when none is named. `stands_for` gives what a
    /// reference to a part's output stands for.
    ///
    /// # Errors
    /// There is no such site, or more than one and none is named.
    pub(crate) fn of(
        stack: &Stack,
        app: Option<&str>,
        stands_for: &dyn Fn(&Address, &str, &str) -> Value,
    ) -> Result<Parts> {
        let instance = instance(stack, app)?;
        let types: BTreeMap<&Address, &str> = stack
            .resources
            .values()
            .map(|part| (&part.address, &*part.type_name))
            .collect();
        let scope = |reference: &Reference| -> Result<Option<Value>> {
            Ok(Some(match &reference.target {
                Target::Resource(address) => {
                    let kind = types.get(address).copied().unwrap_or_default();
                    let output = match reference.path.segments().first() {
                        Some(Segment::Key(key)) => &**key,
                        _ => "id",
                    };
                    stands_for(address, kind, output)
                }
                _ => Value::from(""),
            }))
        };
        let parts = stack
            .resources
            .values()
            .filter(|part| part.instance == instance)
            .map(|part| {
                Ok(Part {
                    address: part.address.clone(),
                    kind: part
                        .type_name
                        .rsplit('.')
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                    inputs: to_wire_masked(&expr::resolve(&part.inputs, &scope)?),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Parts(parts))
    }

    /// Those of a type.
    pub(crate) fn all<'p>(&'p self, kind: &'p str) -> impl Iterator<Item = &'p Part> {
        self.0.iter().filter(move |part| part.kind == kind)
    }

    /// The only one of a type.
    pub(crate) fn one(&self, kind: &str) -> Option<&Part> {
        self.0.iter().find(|part| part.kind == kind)
    }
}

/// The provider's instance of a site.
fn instance(stack: &Stack, app: Option<&str>) -> Result<Arc<str>> {
    let sites: Vec<(&str, &Arc<str>)> = stack
        .apps
        .iter()
        .filter(|app| &*app.kind == "wordpress")
        .filter_map(|app| {
            let prefix = format!("{}.", app.address);
            let part = stack.resources.values().find(|part| {
                part.address.as_str().starts_with(&prefix)
                    && part.type_name.starts_with("wordpress.")
            })?;
            Some((
                app.address.as_str().trim_start_matches("apps."),
                &part.instance,
            ))
        })
        .collect();
    let listed = || {
        let names: Vec<&str> = sites.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    };
    match (app, sites.as_slice()) {
        (Some(app), _) => {
            let wanted = app.trim_start_matches("apps.");
            let found = sites.iter().find(|(name, _)| *name == wanted);
            found
                .map(|(_, instance)| (*instance).clone())
                .ok_or_else(|| {
                    let text = format!("there is no WordPress site `{wanted}` in this spec");
                    let error = Error::new(ErrorKind::NotFound, text);
                    if sites.is_empty() {
                        error
                    } else {
                        error.hint(format!("there is {}", listed()))
                    }
                })
        }
        (None, [(_, only)]) => Ok((*only).clone()),
        (None, []) => Err(Error::new(
            ErrorKind::NotFound,
            "this spec has no app of `kind: wordpress`",
        )),
        (None, _) => Err(
            Error::new(ErrorKind::Invalid, "this spec has several WordPress sites")
                .hint(format!("say which one with `--app`: {}", listed())),
        ),
    }
}

/// A text of a map.
pub(crate) fn text<'j>(json: &'j Json, field: &str) -> &'j str {
    json.get(field).and_then(Json::as_str).unwrap_or_default()
}

/// The items of a list.
pub(crate) fn items<'j>(json: &'j Json, field: &str) -> &'j [Json] {
    json.get(field)
        .and_then(Json::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}
