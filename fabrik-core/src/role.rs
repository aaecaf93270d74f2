//! Roles: how app kinds use providers without naming them.
//!
//! A *role* is a named pair of schemas, intent in and outputs out. A *player* (a provider that
//! plays the role) turns an intent and its own block (`coolify: {…}`) into resources and role
//! outputs, purely. A *component* (an app kind, a WordPress site, a third party's own kind)
//! expands a block of the spec by asking players.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::expr::{Expr, Reference};
use crate::stack::{CheckDecl, Declared, InstanceDecl, Moved, Options, Origin};
use crate::value::{Path, Value};

/// The role of making a host name point somewhere.
/// Intent: `name` (host name), `target` (address or host name, may be an expression), `kind`
/// (`address` or `host`). Outputs: `name`.
pub const DNS: &str = "dns";
/// The role of running a program or serving a site.
/// Intent: the app's block in long form (`kind`, `source`, `image`, `build`, `command`, `port`,
/// `domains`, `env`, `health`, …). Outputs: `url`, `ingress`, `exec`.
pub const RUNTIME: &str = "runtime";
/// The role of watching a URL. Intent: `name`, `url`, `interval`, `notify`. Outputs: `id`.
pub const MONITOR: &str = "monitor";
/// The role of storing objects. Intent: `name`, `public`. Outputs: `name`, `endpoint`.
pub const BUCKET: &str = "bucket";
/// The role of a database. Intent: `engine`, `version`, `name`, `limits`. Outputs: `url`, `host`,
/// `port`, `user`, `password`, `id`.
pub const DATABASE: &str = "database";
/// The role of backing something up. Intent: `what`, `schedule`, `keep`, `to`. Outputs: `id`.
pub const BACKUP: &str = "backup";

/// The roles the core knows; any crate may use further names.
pub const ROLES: &[&str] = &[DNS, RUNTIME, MONITOR, BUCKET, DATABASE, BACKUP];

/// What a player says of itself without being asked for anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlayerFacts {
    /// A runtime: its ingress needs a DNS record for the app's domains. (A runtime that makes its
    /// own names, such as `*.localhost`, does not.)
    pub wants_dns: bool,
    /// A runtime: it ends TLS for the app's domains, so URLs are `https`.
    pub ends_tls: bool,
}

/// A provider in a role. Everything here is pure.
pub trait Player: Send + Sync {
    /// Which role.
    fn role(&self) -> &str;

    /// Which version of the role's schemas it speaks.
    fn version(&self) -> u32 {
        1
    }

    /// JSON Schema of its own block.
    fn options(&self) -> Json {
        serde_json::json!({"type": "object", "additionalProperties": false})
    }

    /// Fields of the intent (dotted paths) it cannot honour; using one is an error that names
    /// player and field.
    fn cannot(&self) -> &[&'static str] {
        &[]
    }

    /// A runtime: the kinds of apps it can run (`kind` of the intent).
    fn runs(&self) -> &[&'static str] {
        &["service", "static"]
    }

    /// What it wants and brings.
    fn facts(&self) -> PlayerFacts {
        PlayerFacts::default()
    }

    /// Turns an intent into resources, and role outputs (usually references to them).
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], with [`Error::field`] set to the intent's field.
    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value>;
}

/// A kind of app: expands a block of the spec into parts.
pub trait Component: Send + Sync {
    /// The kind, as in `kind: service`.
    fn kind(&self) -> &str;

    /// JSON Schema of its block in long form.
    fn schema(&self) -> Json;

    /// Turns shorthands into the long form, before validation.
    fn normalise(&self, block: Value) -> Value {
        block
    }

    /// Expands a valid block.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], with [`Error::field`] set to the block's field.
    fn expand(&self, block: &Value, cx: &mut dyn ComponentCx) -> Result<ComponentOut>;
}

/// What a component is given.
pub trait ComponentCx {
    /// Where its parts go.
    fn parts(&mut self) -> &mut Parts;

    /// Lets whoever plays the role for this block turn the intent into parts; the prefix keeps part
    /// names of several uses of a role apart (`dns`, `dns-www`).
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when nobody or more than one candidate plays it, or the player cannot
    /// honour a field of the intent.
    fn play(&mut self, role: &str, prefix: &str, intent: Value) -> Result<Value>;

    /// The facts of whoever plays the role for this block.
    ///
    /// # Errors
    /// As [`ComponentCx::play`].
    fn facts(&mut self, role: &str) -> Result<PlayerFacts>;

    /// Whether anybody plays the role for this block.
    fn has(&mut self, role: &str) -> bool;

    /// The files of the spec's folder; none unless the program gives them.
    fn files(&self) -> &dyn Files {
        &NoFiles
    }

    /// Notes a further mistake (with [`Error::field`]) and goes on, so that every one is told at
    /// once. The block is refused, whatever the expansion gives.
    fn mistake(&mut self, error: Error);

    /// Notes what is worth knowing, and nothing that stops.
    fn warn(&mut self, warning: Error);
}

/// The files beside a spec, for components that read more than the spec itself. Paths are relative
/// to the spec's folder, with `/`; what leads out of it is refused.
pub trait Files {
    /// The bytes of a file.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none, [`ErrorKind::Invalid`] when it may not be read.
    fn read(&self, path: &str) -> Result<Vec<u8>>;

    /// The files in a folder and the folders below it, sorted, each with the folder's path in front.
    ///
    /// # Errors
    /// As [`Files::read`].
    fn list(&self, folder: &str) -> Result<Vec<String>>;
}

/// No files at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>> {
        Err(no_files(path))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        Err(no_files(folder))
    }
}

fn no_files(path: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("`{path}` cannot be read: there are no files here"),
    )
}

/// What a component gives besides its parts.
#[derive(Clone, Debug, Default)]
pub struct ComponentOut {
    /// What `${apps.KEY.…}` finds.
    pub outputs: BTreeMap<Arc<str>, Value>,
    /// Where the app answers.
    pub url: Value,
    /// What identifies the running version.
    pub version: Value,
    /// The part whose logs are the app's.
    pub logs: Option<Address>,
}

/// Collects the resources a component or player makes below one address.
#[derive(Clone, Debug)]
pub struct Parts {
    base: Address,
    instance: Arc<str>,
    prefix: String,
    options: Arc<Options>,
    origin: Option<Origin>,
    /// Resources made so far.
    pub resources: Vec<Declared>,
    /// Provider configurations made so far.
    pub instances: Vec<InstanceDecl>,
    /// Checks made so far.
    pub checks: Vec<CheckDecl>,
    /// Renames of parts.
    pub moved: Vec<Moved>,
}

impl Parts {
    /// Parts below `base`, on a provider instance, treated as `options` say.
    pub fn new(
        base: Address,
        instance: Arc<str>,
        options: Arc<Options>,
        origin: Option<Origin>,
    ) -> Parts {
        Parts {
            base,
            instance,
            prefix: String::new(),
            options,
            origin,
            resources: Vec::new(),
            instances: Vec::new(),
            checks: Vec::new(),
            moved: Vec::new(),
        }
    }

    /// The address parts are below.
    pub fn base(&self) -> &Address {
        &self.base
    }

    /// The provider instance parts are on.
    pub fn instance(&self) -> &Arc<str> {
        &self.instance
    }

    /// Runs `inner` with another instance and a prefix for part names.
    ///
    /// # Errors
    /// Those of `inner`.
    pub fn scoped<T>(
        &mut self,
        instance: Arc<str>,
        prefix: &str,
        inner: impl FnOnce(&mut Parts) -> Result<T>,
    ) -> Result<T> {
        let old_instance = std::mem::replace(&mut self.instance, instance);
        let old_prefix = std::mem::replace(&mut self.prefix, prefix.to_owned());
        let result = inner(self);
        self.instance = old_instance;
        self.prefix = old_prefix;
        result
    }

    /// Adds a part. Its address is `BASE.NAME`, or `BASE.PREFIX-NAME`; an empty name with a prefix
    /// gives `BASE.PREFIX`.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when a part of that name exists, [`ErrorKind::Invalid`] for a name
    /// that is no id.
    pub fn add(&mut self, name: &str, type_name: &str, inputs: Value) -> Result<Address> {
        let full = match (self.prefix.as_str(), name) {
            ("", name) => name.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, name) => format!("{prefix}-{name}"),
        };
        let address = self.base.part(&full)?;
        if self.resources.iter().any(|part| part.address == address) {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("{address} is made twice"),
            ));
        }
        self.resources.push(Declared {
            instance: self.instance.clone(),
            options: self.options.clone(),
            origin: self.origin.clone(),
            ..Declared::new(address.clone(), type_name, inputs)
        });
        Ok(address)
    }

    /// The part just added at an address, to set options or order.
    pub fn part_mut(&mut self, address: &Address) -> Option<&mut Declared> {
        self.resources
            .iter_mut()
            .find(|part| part.address == *address)
    }

    /// A reference to an output of a part.
    pub fn output(address: &Address, path: &str) -> Value {
        Value::from(Expr::from(Reference::output(
            address.clone(),
            Path::parse(path),
        )))
    }
}
