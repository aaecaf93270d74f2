//! From what app kinds ask a runtime and a database for to a Compose file.

mod database;
mod program;
mod site;
mod text;

use std::collections::BTreeMap;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::role::{DATABASE, RUNTIME};
use fabrik_core::value::{Path, Value};

use crate::model::{Attachment, Command, File, Given, Service};
use text::Writer;

/// The network of what answers requests.
const FRONT: &str = "front";
/// The network of databases: no way out of it.
const BACK: &str = "back";

/// One thing to render: an intent, as [`fabrik_core::kinds`] describes it.
#[derive(Clone, Debug)]
pub struct App {
    /// Its name in the file; others reach it by this name.
    pub name: String,
    /// The address that references to its outputs have.
    pub address: Option<Address>,
    /// `runtime` or `database`.
    pub role: String,
    /// What is asked for.
    pub intent: Value,
}

/// A Compose file, and what belongs to it.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The file.
    pub file: File,
    /// The variables that must be set where the file is used, and what each is.
    pub needs: BTreeMap<String, String>,
    /// What Compose cannot do and was left out, a sentence each.
    pub notes: Vec<String>,
}

/// Renders apps as one file. No secret gets into it: whatever is secret or not known yet stands as
/// `${NAME:?}`, and is named in [`Rendered::needs`].
///
/// # Errors
/// [`ErrorKind::Invalid`] or [`ErrorKind::Unsupported`] for what Compose cannot run at all, with the
/// intent's field.
pub fn render(name: Option<&str>, apps: &[App]) -> Result<Rendered> {
    let mut writer = Writer::new(apps);
    let mut rendered = Rendered {
        file: File {
            name: name.map(str::to_owned),
            ..File::default()
        },
        ..Rendered::default()
    };
    let has_databases = apps.iter().any(|app| app.role == DATABASE);
    for app in apps {
        let mut draft = Draft {
            app,
            service: Service::default(),
            rendered: &mut rendered,
            writer: &mut writer,
        };
        match app.role.as_str() {
            RUNTIME => draft.runtime(has_databases)?,
            DATABASE => draft.database()?,
            role => {
                let text = format!("Compose has nothing for the role `{role}`");
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
        }
        let service = draft.service;
        for network in service.networks.keys() {
            let made = rendered.file.networks.entry(network.clone()).or_default();
            made.internal = (network == BACK).then_some(Given::Is(true));
        }
        if rendered
            .file
            .services
            .insert(app.name.clone(), service)
            .is_some()
        {
            let text = format!("two apps are called `{}`", app.name);
            return Err(Error::new(ErrorKind::Conflict, text).hint("give one of them another key"));
        }
    }
    rendered.needs = writer.needs;
    Ok(rendered)
}

/// One service in the making.
struct Draft<'a, 'w> {
    app: &'a App,
    service: Service,
    rendered: &'a mut Rendered,
    writer: &'a mut Writer<'w>,
}

impl Draft<'_, '_> {
    fn at(&self, path: &str) -> Option<Value> {
        at(&self.app.intent, path)
    }

    /// A text of the intent that must be known.
    fn known(&self, path: &str) -> Result<Option<String>> {
        let Some(value) = self.at(path) else {
            return Ok(None);
        };
        match &value {
            Value::Str(text) => Ok(Some(text.to_string())),
            Value::Num(number) => Ok(Some(number.to_string())),
            Value::Bool(flag) => Ok(Some(flag.to_string())),
            _ => Err(invalid(
                path,
                format!("`{path}` must be known when the file is written"),
            )),
        }
    }

    /// A text that may have variables.
    fn text(&mut self, value: &Value, path: &str) -> Result<String> {
        self.writer.text(value, &self.app.name, path)
    }

    fn some(&mut self, path: &str) -> Result<Option<String>> {
        match self.at(path) {
            Some(value) => self.text(&value, path).map(Some),
            None => Ok(None),
        }
    }

    /// A command: a text is a line for the shell.
    fn command(&mut self, path: &str) -> Result<Option<Command>> {
        let Some(value) = self.at(path) else {
            return Ok(None);
        };
        if let Some(words) = value.as_list() {
            let words = words.iter().map(|word| self.text(word, path));
            return Ok(Some(Command::List(words.collect::<Result<_>>()?)));
        }
        let line = self.text(&value, path)?;
        Ok(Some(Command::list(["/bin/sh", "-c", line.as_str()])))
    }

    fn note(&mut self, text: impl Into<String>) {
        self.rendered.notes.push(text.into());
    }

    /// Says of fields that Compose has nothing for them.
    fn leave_out(&mut self, fields: &[(&str, &str)]) {
        for (field, instead) in fields {
            if self.at(field).is_some() {
                let name = &self.app.name;
                let text = format!("`{field}` of `{name}` is left out: {instead}");
                self.note(text);
            }
        }
    }

    fn join(&mut self, network: &str) {
        self.service
            .networks
            .insert(network.to_owned(), Attachment::default());
        self.rendered
            .file
            .networks
            .entry(network.to_owned())
            .or_default();
    }
}

fn at(value: &Value, path: &str) -> Option<Value> {
    value
        .at(&Path::parse(path))
        .filter(|value| !value.is_null())
}

fn invalid(field: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, message).field(Path::parse(field))
}

fn unsupported(field: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, message).field(Path::parse(field))
}

/// `512Mi` as Docker writes it: `512m`.
fn size(text: &str) -> String {
    let digits = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .count();
    let unit = text[digits..].trim().chars().next();
    let unit = unit.map_or('b', |unit| unit.to_ascii_lowercase());
    format!("{}{unit}", &text[..digits])
}
