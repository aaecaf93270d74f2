//! `providers`: configurations, their names, and what the environment fills in.

use std::sync::Arc;

use serde_json::Value as Json;

use super::node::{Data, Entry, Node};
use super::shape::{Schema, check, coerce, types};
use super::world::{Place, Where, World, poison};
use crate::codes;
use crate::provider::{Fields, ProviderInfo};
use crate::stack::{InstanceDecl, Stack};
use crate::value::{Number, Path, Value};

/// A configuration as written: its name in the spec, its provider.
#[derive(Clone, Debug)]
pub(super) struct Configured {
    /// Name in the spec: `cloudflare`, `eu`.
    pub(super) key: Arc<str>,
    /// Name of the instance: `cloudflare`, `cloudflare.eu`.
    pub(super) instance: Arc<str>,
    /// The provider.
    pub(super) provider: Arc<str>,
}

impl World<'_> {
    /// Makes the configured names known.
    pub(super) fn declare_providers(&mut self, entries: &[Entry]) {
        for entry in entries {
            if entry.key.starts_with("x-") {
                continue;
            }
            let (provider, span) = match entry.value.get("provider") {
                Some(node) => (node.as_text().cloned().unwrap_or_default(), node.span),
                None => (entry.key.clone(), entry.key_span),
            };
            if self.request.registry.provider(&provider).is_none() {
                let registry = self.request.registry;
                let known = registry.providers().map(|provider| &*provider.info().name);
                let help = self.report.suggest(&provider, known);
                let text = format!("there is no provider `{provider}`");
                self.report.error(codes::PROVIDER, span, text, help);
                continue;
            }
            if !super::scalars::good_id(&entry.key, entry.key_span, "a provider", &mut self.report)
            {
                continue;
            }
            let instance = if entry.key == provider {
                provider.clone()
            } else {
                format!("{provider}.{}", entry.key).into()
            };
            self.configured.push(Configured {
                key: entry.key.clone(),
                instance,
                provider,
            });
        }
    }

    /// The instance and provider of a name in the spec: a configured name, or a provider's own.
    pub(super) fn find_instance(&self, name: &str) -> Option<(Arc<str>, Arc<str>)> {
        let configured = self
            .configured
            .iter()
            .find(|one| &*one.key == name || &*one.instance == name)
            .map(|one| (one.instance.clone(), one.provider.clone()));
        configured.or_else(|| {
            let provider = self.request.registry.provider(name)?;
            let name = provider.info().name.clone();
            Some((name.clone(), name))
        })
    }

    /// Every name a configuration can be named by.
    pub(super) fn instance_names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = self.configured.iter().map(|one| one.key.clone()).collect();
        names.extend(
            self.request
                .registry
                .providers()
                .map(|one| one.info().name.clone()),
        );
        names.sort();
        names.dedup();
        names
    }

    /// Reads the configurations into the stack.
    pub(super) fn read_providers(&mut self, entries: &[Entry], stack: &mut Stack) {
        for entry in entries {
            let Some(configured) = self
                .configured
                .iter()
                .find(|one| one.key == entry.key)
                .cloned()
            else {
                continue;
            };
            let Some(provider) = self
                .request
                .registry
                .provider(&configured.provider)
                .cloned()
            else {
                continue;
            };
            let config = self.config(&entry.value, entry, provider.info());
            stack.instances.insert(
                configured.instance.clone(),
                InstanceDecl {
                    name: configured.instance,
                    provider: configured.provider,
                    config,
                },
            );
        }
    }

    fn config(&mut self, node: &Node, entry: &Entry, info: &ProviderInfo) -> Value {
        let schema = Schema::read(&info.config);
        let fields = Fields::of_schema(&info.config);
        let mut node = node.clone();
        // `provider:` names the provider, unless the provider's own configuration has such a field.
        if schema.child(0, "provider", 0).is_none() {
            node.take("provider");
        }
        if !node.is_null() && !matches!(node.data, Data::Map(_)) {
            let text = format!(
                "the configuration of `{}` is a map, not {}",
                entry.key,
                node.kind_name()
            );
            self.report.error(codes::WRONG_TYPE, node.span, text, None);
            return poison();
        }
        let place = Place::new(Where::Providers);
        let mut value = self.lower(&node, Some((&schema, 0)), &place);
        if value.is_null() {
            value = Value::map::<&str>([]);
        }
        self.literal_secrets(&node, &value, &fields, &place);
        let value = self.fill(value, &schema, &fields);
        for problem in check(&schema, &coerce(&schema, Some(0), &value)) {
            // What the provider can still take from its own variables is its own to ask for.
            if problem.code == codes::MISSING_FIELD && is_from_env(&problem.summary, &fields) {
                continue;
            }
            let span = if problem.path.is_root() || node.is_null() {
                entry.key_span
            } else {
                node.locate(&problem.path, problem.key)
            };
            self.problem(problem, span, &place);
        }
        fields.mark(&value)
    }

    /// Fills in what the variables of the process say and the spec does not.
    fn fill(&self, config: Value, schema: &Schema, fields: &Fields) -> Value {
        let mut config = config;
        for (name, field) in &fields.properties {
            let path = Path::key(name.clone());
            let absent = config.get(name).is_none_or(Value::is_null);
            if let Some(variable) = &field.env
                && absent
                && let Some(text) = self
                    .request
                    .variables
                    .get(&**variable)
                    .filter(|text| !text.is_empty())
            {
                let allowed = schema
                    .child(0, name, 0)
                    .map_or(types::STR, |id| schema.types_of(id, 0));
                let value = typed(text, allowed);
                let value = if field.sensitive {
                    value.into_secret()
                } else {
                    value
                };
                config = config.with(&path, value);
            }
        }
        config
    }

    /// Fills in the configuration of providers that are used and not configured in the spec.
    pub(super) fn fill_implicit(&mut self, stack: &mut Stack) {
        for instance in stack.instances.values_mut() {
            if self
                .configured
                .iter()
                .any(|one| one.instance == instance.name)
            {
                continue;
            }
            if let Some(provider) = self.request.registry.provider(&instance.provider) {
                let schema = Schema::read(&provider.info().config);
                let fields = Fields::of_schema(&provider.info().config);
                let config = std::mem::take(&mut instance.config);
                instance.config = self.fill(config, &schema, &fields);
            }
        }
    }

    /// Whether the variables of the process configure a provider: every required field is there,
    /// and one of them at least comes from a variable.
    pub(super) fn is_configured_by_env(&self, info: &ProviderInfo) -> bool {
        let fields = Fields::of_schema(&info.config);
        let schema = Schema::read(&info.config);
        let filled = self.fill(Value::map::<&str>([]), &schema, &fields);
        let any = filled.as_map().is_some_and(|map| !map.is_empty());
        let required = info.config.get("required").and_then(Json::as_array);
        any && required
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .all(|name| filled.get(name).is_some())
    }
}

/// The text of a variable as the type its field takes.
fn typed(text: &str, allowed: u8) -> Value {
    if allowed & types::STR == 0 {
        if let Some(number) = Number::parse(text).filter(|_| allowed & types::INT != 0) {
            return Value::Num(number);
        }
        if let Ok(flag) = text.parse::<bool>()
            && allowed & types::BOOL != 0
        {
            return Value::Bool(flag);
        }
    }
    Value::from(text)
}

/// Whether the field a message names is conventionally taken from the environment.
fn is_from_env(summary: &str, fields: &Fields) -> bool {
    fields
        .properties
        .iter()
        .any(|(name, field)| field.env.is_some() && summary.starts_with(&format!("`{name}`")))
}
