//! What the user wants, ready to plan: resources with references, checks, outputs.
//!
//! A stack comes from a spec ([`crate::spec`]) or is built in code ([`Stack::new`], [`Stack::add`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::diagnostic::{SourceMap, Span};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Path, Value};

/// What to do when the service's object differs from what was last sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDrift {
    /// Put it back.
    #[default]
    Restore,
    /// Leave it and show it.
    Keep,
    /// Refuse to apply.
    Stop,
}

/// What to do when a run fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Take back what this run did.
    #[default]
    Rollback,
    /// Leave things as they are.
    Keep,
    /// Let the program decide when it happens (see [`crate::engine::ApplyOptions`]).
    Ask,
}

/// How one resource is to be treated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Deleting or replacing it is refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub protect: bool,
    /// When it leaves the spec it is forgotten, not deleted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retain: bool,
    /// An existing object of the same name is taken over instead of refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub adopt: bool,
    /// An existing object of this id is taken over (import).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<String>,
    /// Differences at or below these paths are not acted on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore_changes: Vec<Path>,
    /// What to do about drift; `None` leaves it to the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_drift: Option<OnDrift>,
    /// Replaced whenever one of these is replaced or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replace_with: Vec<Address>,
    /// Order of a replacement; `None` leaves it to the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_before_delete: Option<bool>,
    /// Budget of one operation; `None` leaves it to the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// For actions and triggers: run again when one of these changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub run_when_changed: Vec<Address>,
}

/// One declared resource, lookup or action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// Its name.
    pub address: Address,
    /// Full type name.
    #[serde(rename = "type")]
    pub type_name: Arc<str>,
    /// Which configured provider has it: the provider's name, or `name.alias`.
    pub instance: Arc<str>,
    /// Inputs with references.
    pub inputs: Value,
    /// Order besides references.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Address>,
    /// How to treat it.
    #[serde(default)]
    pub options: Arc<Options>,
    /// Where in the spec it stands.
    #[serde(skip)]
    pub origin: Option<Origin>,
}

/// Places in the spec, for messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The block that declares it.
    pub span: Span,
    /// Places of single inputs, where they are known.
    pub fields: Arc<Vec<(Path, Span)>>,
}

impl Origin {
    /// The place of a field: its own, or the nearest enclosing one.
    pub fn of(&self, path: &Path) -> Span {
        self.fields
            .iter()
            .filter(|(field, _)| path.starts_with(field))
            .max_by_key(|(field, _)| field.segments().len())
            .map_or(self.span, |(_, span)| *span)
    }
}

/// A provider configuration of the stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceDecl {
    /// Name by which resources refer to it: `cloudflare`, `cloudflare.eu`.
    pub name: Arc<str>,
    /// The provider.
    pub provider: Arc<str>,
    /// Its configuration, possibly with references to resources of this stack.
    pub config: Value,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecretDecl {
    /// Its name.
    pub name: Arc<str>,
    /// Another source, as a URI (`env://NAME`, `file://path`, `cmd:`…), when not the usual order.
    pub from: Option<SecretSource>,
    /// Characters to generate when it is found nowhere.
    pub length: usize,
    /// Never generated: it must be found.
    pub required: bool,
    /// Where it is declared.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// Somebody who is told about runs: a channel of `notify`. The engine tells nobody itself; see
/// [`Engine::notices`](crate::engine::Engine::notices).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Its name.
    pub name: Arc<str>,
    /// How it is reached.
    pub via: Via,
    /// Where: a URL, which is a secret, or a command. May be an expression.
    pub to: Value,
    /// Which runs it is told about; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<Told>,
    /// The apps it is told about; without any, every run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<Address>,
}

/// How a channel is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A URL that takes messages as Slack does.
    Slack,
    /// A URL that gets a JSON document.
    Webhook,
    /// A program that gets the same document on its standard input.
    Command,
}

/// Which runs somebody is told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Those that did all they were to do.
    Succeeded,
    /// All others.
    Failed,
}

/// A place to get a secret from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// `env://NAME`: a variable of the process.
    Env(String),
    /// `file://path`: a file's content without the final line break.
    File(String),
    /// `cmd:` with a list: a program's standard output without the final line break.
    Command(Vec<String>),
    /// Any other `scheme://rest`, for a source the program was given.
    Other(String),
}

/// A check of the running result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckDecl {
    /// Its name, unique in the stack: `apps.api.health`.
    pub name: Arc<str>,
    /// `http`, `tcp`, `dns`, `tls`, `container`, or a kind the program was given.
    pub kind: Arc<str>,
    /// What to check, possibly with references.
    pub spec: Value,
    /// Keep trying this long.
    pub within: Duration,
    /// Time between tries.
    pub interval: Duration,
    /// It must hold this long.
    pub stable_for: Duration,
    /// The resources it tells about; checked only when one of them (or all, when empty) exists.
    pub concerns: Vec<Address>,
    /// Where it is declared.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A renamed resource: its state moves along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The old address, or a prefix of addresses.
    pub from: String,
    /// The new one.
    pub to: String,
}

/// An app as `fabrik status` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppInfo {
    /// Its address: `apps.api`.
    pub address: Address,
    /// Its kind.
    pub kind: Arc<str>,
    /// What identifies the running version, such as an image tag; may hold references.
    pub version: Value,
    /// The URL it answers at; may hold references.
    pub url: Value,
    /// The part whose logs are the app's.
    pub logs: Option<Address>,
}

/// Everything wanted of one stack in one environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stack {
    /// Its name.
    pub name: Arc<str>,
    /// Its environment; `default` unless chosen.
    pub env: Arc<str>,
    /// Resources by address.
    pub resources: BTreeMap<Address, Declared>,
    /// Provider configurations by name.
    pub instances: BTreeMap<Arc<str>, InstanceDecl>,
    /// Declared secrets by name.
    pub secrets: BTreeMap<Arc<str>, SecretDecl>,
    /// Outputs, possibly with references.
    pub outputs: BTreeMap<Arc<str>, Value>,
    /// Checks, in order.
    pub checks: Vec<CheckDecl>,
    /// Renames.
    pub moved: Vec<Moved>,
    /// Addresses whose objects are to be forgotten, not deleted, when they left the spec.
    pub forget: Vec<Address>,
    /// Policy for failures.
    pub on_failure: OnFailure,
    /// Apps.
    pub apps: Vec<AppInfo>,
    /// Choices made by default in expansion (which provider plays which role), to be kept in state:
    /// key such as `apps.api.runtime`, value the provider's instance.
    pub choices: BTreeMap<Arc<str>, Arc<str>>,
    /// Who is told about runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Channel>,
    /// Names of other stacks whose outputs are read.
    pub reads_stacks: Vec<Arc<str>>,
    /// The texts that spans point into.
    #[serde(skip)]
    pub sources: Arc<SourceMap>,
}

impl Stack {
    /// An empty stack in the environment `default`.
    pub fn new(name: impl Into<Arc<str>>) -> Stack {
        Stack {
            name: name.into(),
            env: "default".into(),
            resources: BTreeMap::new(),
            instances: BTreeMap::new(),
            secrets: BTreeMap::new(),
            outputs: BTreeMap::new(),
            checks: Vec::new(),
            moved: Vec::new(),
            forget: Vec::new(),
            on_failure: OnFailure::default(),
            apps: Vec::new(),
            choices: BTreeMap::new(),
            notify: Vec::new(),
            reads_stacks: Vec::new(),
            sources: Arc::default(),
        }
    }

    /// Sets the environment.
    #[must_use]
    pub fn env(mut self, env: impl Into<Arc<str>>) -> Stack {
        self.env = env.into();
        self
    }

    /// Declares a resource.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when the address is taken.
    pub fn declare(&mut self, mut declared: Declared) -> Result<()> {
        self.use_instance(&declared.instance);
        // One name in memory for all that share it.
        if let Some(instance) = self.instances.get(&declared.instance) {
            declared.instance = instance.name.clone();
        }
        match self.resources.insert(declared.address.clone(), declared) {
            None => Ok(()),
            Some(old) => Err(Error::new(
                ErrorKind::Conflict,
                format!("{} is declared twice", old.address),
            )),
        }
    }

    /// Makes sure an instance of that name exists; without configuration of its own it has an empty
    /// one. The provider is the part of the name before the first dot.
    pub fn use_instance(&mut self, name: &Arc<str>) {
        if !self.instances.contains_key(name) {
            let provider: Arc<str> = name.split('.').next().unwrap_or(name).into();
            let config = Value::map::<&str>([]);
            self.instances.insert(
                name.clone(),
                InstanceDecl {
                    name: name.clone(),
                    provider,
                    config,
                },
            );
        }
    }

    /// Configures a provider for this stack.
    #[must_use]
    pub fn configure(mut self, name: impl Into<Arc<str>>, config: Value) -> Stack {
        let name = name.into();
        self.use_instance(&name);
        if let Some(instance) = self.instances.get_mut(&name) {
            instance.config = config;
        }
        self
    }

    /// Sets an output.
    pub fn output(&mut self, name: impl Into<Arc<str>>, value: impl Into<Value>) {
        self.outputs.insert(name.into(), value.into());
    }

    /// The name shown: `shop/production`, or just `shop` in the default environment.
    pub fn display_name(&self) -> String {
        if &*self.env == "default" {
            self.name.to_string()
        } else {
            format!("{}/{}", self.name, self.env)
        }
    }
}

impl Declared {
    /// A resource with default options; the instance is the provider's own name.
    pub fn new(address: Address, type_name: impl Into<Arc<str>>, inputs: Value) -> Declared {
        let type_name = type_name.into();
        let instance = type_name.split('.').next().unwrap_or_default().into();
        Declared {
            address,
            type_name,
            instance,
            inputs,
            depends_on: Vec::new(),
            options: Arc::default(),
            origin: None,
        }
    }

    /// Addresses this one must come after: those it refers to, those it names, those it watches.
    pub fn dependencies(&self) -> Vec<Address> {
        let mut found = Vec::new();
        self.each_dependency(&mut |address| found.push(address.clone()));
        found.sort();
        found.dedup();
        found
    }

    /// Visits what [`Declared::dependencies`] lists, in no order, some perhaps repeatedly.
    pub(crate) fn each_dependency<'a>(&'a self, visit: &mut dyn FnMut(&'a Address)) {
        crate::expr::each_reference(&self.inputs, &mut |reference| {
            if let crate::expr::Target::Resource(address) = &reference.target {
                visit(address);
            }
        });
        let options = &self.options;
        let named = [
            &self.depends_on,
            &options.replace_with,
            &options.run_when_changed,
        ];
        named.into_iter().flatten().for_each(visit);
    }
}
