//! What one plan or run works with: opened providers, and what every reference stands for.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::address::Address;
use crate::engine::Inner;
use crate::error::{Error, ErrorKind, Result};
use crate::expr::{Reference, Target};
use crate::plan::InstanceFacts;
use crate::provider::{Cx, Instance, Keys, Object, Provider, TypeInfo};
use crate::stack::InstanceDecl;
use crate::value::share::Quick;
use crate::value::{Path, Segment, Value};

/// An opened provider.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) instance: Arc<dyn Instance>,
    pub(crate) provider: Arc<dyn Provider>,
}

/// Values references stand for.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// What is known of each address now.
    pub(crate) objects: HashMap<Address, KnownObject, Quick>,
    /// Secrets; `None` for one still to be generated.
    pub(crate) secrets: BTreeMap<Arc<str>, Option<Value>>,
    /// Outputs of other stacks.
    pub(crate) stacks: BTreeMap<Arc<str>, Value>,
}

/// What references to an address find.
#[derive(Clone, Debug)]
pub(crate) enum KnownObject {
    /// Everything.
    Settled(Box<Object>),
    /// It will be made or replaced: only inputs that are known now.
    Later(Value),
    /// It will be updated: inputs as they will be, outputs as they are but for the volatile ones.
    Updated {
        object: Box<Object>,
        volatile: Vec<Path>,
    },
}

impl KnownObject {
    /// An object of which everything is known.
    pub(crate) fn settled(object: Object) -> KnownObject {
        KnownObject::Settled(Box::new(object))
    }
}

impl Known {
    /// Evaluates as far as known.
    pub(crate) fn resolve(&self, value: &Value) -> Result<Value> {
        crate::expr::resolve(value, &|reference: &Reference| self.lookup(reference))
    }

    fn lookup(&self, reference: &Reference) -> Result<Option<Value>> {
        match &reference.target {
            Target::Resource(address) => Ok(match self.objects.get(address) {
                None => None,
                Some(KnownObject::Settled(object)) => Some(output(object, &reference.path)),
                Some(KnownObject::Updated { object, volatile }) => {
                    let waits = volatile.iter().any(|path| reference.path.starts_with(path));
                    (!waits).then(|| output(object, &reference.path))
                }
                Some(KnownObject::Later(inputs)) => inputs
                    .at(&reference.path)
                    .filter(|value| !value.has_unknown() && !reference.path.is_root()),
            }),
            Target::Secret(name) => match self.secrets.get(name) {
                Some(value) => Ok(value.clone()),
                None => Err(Error::new(
                    ErrorKind::NotFound,
                    format!("there is no secret `{name}`"),
                )),
            },
            Target::Stack(name) => match self.stacks.get(name) {
                Some(outputs) => match outputs.at(&reference.path) {
                    Some(value) => Ok(Some(value)),
                    None => Err(Error::new(
                        ErrorKind::NotFound,
                        format!("stack `{name}` has no output `{}`", reference.path),
                    )),
                },
                None => Err(Error::new(
                    ErrorKind::NotFound,
                    format!("there is no state of a stack `{name}`"),
                )
                .hint("apply that stack first")),
            },
            Target::Root(name) => Err(Error::new(
                ErrorKind::NotFound,
                format!("`{name}` is not a resource of this stack"),
            )),
        }
    }
}

/// What a path finds in an object: its id, an output, or an input.
fn output(object: &Object, path: &Path) -> Value {
    if let [Segment::Key(key)] = path.segments()
        && &**key == "id"
        && object.outputs.get("id").is_none()
    {
        return Value::from(object.id.as_str());
    }
    object
        .outputs
        .at(path)
        .or_else(|| object.inputs.at(path))
        .unwrap_or_default()
}

/// Opened providers and the types they have.
pub(crate) struct Session {
    pub(crate) engine: Arc<Inner>,
    pub(crate) cx: Cx,
    pub(crate) opened: BTreeMap<Arc<str>, Opened>,
    pub(crate) configs: BTreeMap<Arc<str>, InstanceDecl>,
}

impl Session {
    pub(crate) fn new(
        engine: Arc<Inner>,
        cx: Cx,
        configs: BTreeMap<Arc<str>, InstanceDecl>,
    ) -> Session {
        Session {
            engine,
            cx,
            opened: BTreeMap::new(),
            configs,
        }
    }

    /// The type of a full name.
    pub(crate) fn type_info(&self, name: &str) -> Result<&Arc<TypeInfo>> {
        self.engine.registry.type_info(name)
    }

    /// Opens every instance in `names` whose configuration is known by now; the others wait.
    pub(crate) async fn open(
        &mut self,
        names: impl IntoIterator<Item = Arc<str>>,
        known: &Known,
    ) -> Result<()> {
        for name in names {
            if self.opened.contains_key(&name) {
                continue;
            }
            let (provider_name, config) = match self.configs.get(&name) {
                Some(decl) => (decl.provider.clone(), known.resolve(&decl.config)?),
                None => (
                    Arc::from(name.split('.').next().unwrap_or(&name)),
                    Value::map::<&str>([]),
                ),
            };
            if config.has_unknown() {
                continue;
            }
            let provider = self
                .engine
                .registry
                .provider(&provider_name)
                .cloned()
                .ok_or_else(|| {
                    let error = Error::new(
                        ErrorKind::NotFound,
                        format!("this program has no provider `{provider_name}`"),
                    );
                    let names = self
                        .engine
                        .registry
                        .providers()
                        .map(|provider| provider.info().name.to_string());
                    let names: Vec<String> = names.collect();
                    match crate::diagnostic::did_you_mean(
                        &provider_name,
                        names.iter().map(String::as_str),
                    ) {
                        Some(near) => error.hint(format!("did you mean `{near}`?")),
                        None => error.hint(format!("it has: {}", names.join(", "))),
                    }
                })?;
            let config = crate::provider::Fields::of_schema(&provider.info().config).mark(&config);
            self.engine.redactor.learn(&config);
            let instance = guard(provider.open(&self.cx, &config))
                .await
                .map_err(|error| self.clean(error).operation(format!("provider `{name}`")))?;
            self.opened.insert(name, Opened { instance, provider });
        }
        Ok(())
    }

    /// The opened instance of a name.
    pub(crate) fn instance(&self, name: &str) -> Result<&Opened> {
        self.opened.get(name).ok_or_else(|| {
            Error::new(
                ErrorKind::Unresolved,
                format!("provider `{name}` waits for a configuration value that is not known yet"),
            )
        })
    }

    /// How steps of an object go together; none while its provider is not open.
    pub(crate) fn keys(&self, instance: &str, type_name: &str, inputs: &Value) -> Keys {
        self.opened
            .get(instance)
            .map(|opened| opened.instance.keys(type_name, inputs))
            .unwrap_or_default()
    }

    /// An error from a provider, without secrets and control characters.
    pub(crate) fn clean(&self, error: Error) -> Error {
        let redactor = &self.engine.redactor;
        error.map_text(&|text| crate::secrets::printable(&redactor.clean(text)))
    }

    /// An object from a provider, with known secrets and sensitive fields marked.
    pub(crate) fn mark(&self, info: &TypeInfo, mut object: Object, sent: &Value) -> Object {
        let redactor = &self.engine.redactor;
        object.inputs = restore_marks(&info.fields.mark(&redactor.mark(&object.inputs)), sent);
        object.outputs = info.output_fields.mark(&redactor.mark(&object.outputs));
        redactor.learn(&object.inputs);
        redactor.learn(&object.outputs);
        object
    }

    /// Facts of every opened provider.
    pub(crate) fn facts(&self) -> BTreeMap<Arc<str>, InstanceFacts> {
        self.opened
            .iter()
            .map(|(name, opened)| {
                let version = opened.provider.info().version.to_string();
                (
                    name.clone(),
                    InstanceFacts {
                        version,
                        facts: opened.instance.facts(),
                    },
                )
            })
            .collect()
    }

    /// Closes every provider.
    pub(crate) async fn close(&mut self) {
        for (_, opened) in std::mem::take(&mut self.opened) {
            opened.instance.close().await;
        }
    }
}

/// Secret marks travel beside a call and are put back on the reply.
pub(crate) fn restore_marks(reply: &Value, sent: &Value) -> Value {
    if !sent.has_secret() {
        return reply.clone();
    }
    match (reply, sent) {
        (reply, Value::Secret(_)) if !reply.is_null() => reply.clone().into_secret(),
        (Value::Map(reply), Value::Map(sent)) => Value::map(reply.iter().map(|(key, item)| {
            let mark = sent.get(key).unwrap_or(&Value::Null);
            (key.clone(), restore_marks(item, mark))
        })),
        (Value::List(reply), Value::List(sent)) => Value::list(
            reply
                .iter()
                .enumerate()
                .map(|(at, item)| restore_marks(item, sent.get(at).unwrap_or(&Value::Null))),
        ),
        _ => reply.clone(),
    }
}

/// Turns a panic of a provider into an error.
pub(crate) async fn guard<T>(future: impl Future<Output = Result<T>> + Send) -> Result<T> {
    match catch(future).await {
        Some(result) => result,
        None => Err(panicked()),
    }
}

/// The error for a provider that panicked.
pub(crate) fn panicked() -> Error {
    Error::new(
        ErrorKind::Panicked,
        "the provider panicked: this is a bug in the provider",
    )
    .hint("report it to the provider's author; state is intact and the next apply goes on")
}

/// Runs a future, giving `None` when it panics.
pub(crate) async fn catch<T>(future: impl Future<Output = T> + Send) -> Option<T> {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::pin;
    use std::task::Poll;
    let mut future = pin!(future);
    std::future::poll_fn(move |cx| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
