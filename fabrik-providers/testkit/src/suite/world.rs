//! What a case works with: a fresh target, the proxy before it, and an engine.

use std::sync::Arc;

use fabrik_core::clock::{SystemClock, VirtualClock};
use fabrik_core::error::{Error, Result};
use fabrik_core::provider::{
    Fields, Instance, Object, OpId, Operation, ReadRequest, TypeInfo, Verb,
};
use fabrik_core::stack::Stack;
use fabrik_core::state::Row;
use fabrik_core::value::{Segment, Value, from_json, to_wire};
use serde_json::{Map, Value as Json, json};

use super::samples::Samples;
use super::tapes::{self, Begun, Judged, Tapes};
use super::{Definition, Held, Mode};
use crate::cassette::{self, Scrub};
use crate::proxy::Proxy;
use crate::stack::{Stage, virtual_clock};
use crate::target::Wire;

/// Address of the resource a case is about.
pub(crate) const IT: &str = "resources.sample";

/// Why a case stopped.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// It does not hold.
    Fail(String),
    /// It turned out that it does not apply.
    Skip(String),
}

pub(crate) type Verdict<T = ()> = std::result::Result<T, Stop>;

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Fail(tell(&error))
    }
}

/// Everything an error says, without the texts it points into.
pub(crate) fn tell(error: &Error) -> String {
    let Some(diagnostics) = error.diagnostics() else {
        return format!("{error:?}");
    };
    let mistakes = diagnostics
        .items
        .iter()
        .filter(|one| one.severity == fabrik_core::diagnostic::Severity::Error);
    let told = mistakes.map(|one| {
        let path = one.path.as_ref().map(ToString::to_string);
        format!(
            "{} (at `{}`) {}",
            one.summary,
            path.unwrap_or_default(),
            one.help.join(" ")
        )
    });
    let told: Vec<String> = told.collect();
    format!("{:?}: {}", error.kind(), told.join("; "))
}

impl From<String> for Stop {
    fn from(text: String) -> Stop {
        Stop::Fail(text)
    }
}

/// The case fails with this text unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err($crate::suite::world::Stop::Fail(format!($($text)+)));
        }
    };
}
pub(crate) use ensure;

/// One declared resource of a case.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) id: String,
    pub(crate) type_name: String,
    pub(crate) inputs: Json,
    pub(crate) options: Json,
}

/// See the module.
pub(crate) struct World {
    pub(crate) def: Arc<Definition>,
    samples: Option<Arc<Samples>>,
    pub(crate) held: Held,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) clock: VirtualClock,
    pub(crate) stage: Arc<Stage>,
    pub(crate) config: Json,
    veiled: bool,
    tapes: Tapes,
    judged: Judged,
    prefix: String,
    number: usize,
}

/// The tapes of what is found out before any case runs.
pub(super) const PROBE: &str = "probe";

impl Drop for World {
    fn drop(&mut self) {
        if self.def.mode == Mode::Record {
            let scrub = Scrub::of(self);
            let head = cassette::header(self, &self.judged.all(), &scrub);
            let text = cassette::text(&self.proxy.recorded(), &scrub);
            self.tapes.keep(self.number, head + &text);
        }
    }
}

impl World {
    /// With a changed configuration, and secrets kept out of the spec.
    pub(crate) fn build(
        def: &Arc<Definition>,
        samples: Option<&Arc<Samples>>,
        seed: u64,
        tapes: &Tapes,
        change: impl FnOnce(Json) -> Json,
        veiled: bool,
    ) -> Result<World> {
        let Begun { held, tape, judged } = tapes::begin(def, tapes);
        let number = tapes.number();
        let clock = virtual_clock();
        let wire = held.target.wire();
        let proxy = Proxy::with_clock(held.target.address(), wire, Arc::new(clock.clone()));
        if let Some(reads) = def.reads.clone() {
            proxy.reads(move |exchange| reads(exchange));
        }
        let config = change(held.target.config(proxy.address()));
        let mut provider = (def.provider)();
        if wire == Wire::Direct {
            provider = proxy.wrap(provider);
        }
        let fields = Fields::of_schema(&provider.info().config);
        let name = provider.info().name.to_string();
        let parts = Stage::builder()
            .provider_arc(provider, config.clone())
            .seed(seed);
        let mut stage = match def.mode {
            // Others' time is not ours.
            Mode::Live => parts.clock(SystemClock).build()?,
            _ => parts.clock(clock.clone()).build()?,
        };
        if veiled {
            let shown = veil(&stage, &fields, &config, false);
            stage.show(&name, shown);
        }
        let world = World {
            def: def.clone(),
            samples: samples.cloned(),
            held,
            proxy: Arc::new(proxy),
            clock,
            stage: Arc::new(stage),
            config,
            veiled,
            tapes: tapes.clone(),
            judged,
            prefix: match def.mode {
                // Cases run beside each other there, and worlds of one case one after the other.
                Mode::Live => format!("{}-{:04x}-{number}", def.prefix, seed & 0xFFFF),
                _ => def.prefix.clone(),
            },
            number,
        };
        match (def.mode, tape) {
            (Mode::Record, _) => world.proxy.record(),
            (_, Some(mut tape)) => {
                Scrub::of(&world).put_back(&mut tape.exchanges);
                world.proxy.replay(tape.exchanges);
            }
            _ => {}
        }
        Ok(world)
    }

    pub(crate) fn wire(&self) -> Wire {
        self.held.target.wire()
    }

    /// The samples of the type the case is about.
    pub(crate) fn samples(&self) -> &Samples {
        self.samples
            .as_deref()
            .expect("a case of a type has samples")
    }

    pub(crate) fn type_name(&self) -> &str {
        &self.samples().type_name
    }

    pub(crate) fn info(&self) -> Result<Arc<TypeInfo>> {
        self.stage.registry().type_info(self.type_name()).cloned()
    }

    pub(crate) fn provider_name(&self) -> String {
        let mut providers = self.stage.registry().providers();
        let first = providers
            .next()
            .map(|provider| provider.info().name.clone());
        first.map(|name| name.to_string()).unwrap_or_default()
    }

    /// Objects of the type that the service has.
    pub(crate) fn count(&self) -> usize {
        self.held.target.count(self.type_name())
    }

    pub(crate) fn dump(&self) -> Json {
        self.held.target.dump()
    }

    /// A sample with its prefix filled in.
    pub(crate) fn filled(&self, sample: &Json) -> Json {
        match sample {
            Json::String(text) => Json::String(text.replace("{fbt}", &self.prefix)),
            Json::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Json::Object(map) => map
                .iter()
                .map(|(key, item)| (key.clone(), self.filled(item)))
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    /// The resources the sample needs.
    pub(crate) fn also(&self) -> Vec<Part> {
        let parts = self.samples().also.iter().map(|also| Part {
            id: also.id.clone(),
            type_name: also.type_name.clone(),
            inputs: also.inputs.clone(),
            options: json!({}),
        });
        parts.collect()
    }

    /// The sample itself.
    pub(crate) fn part(&self, inputs: &Json) -> Part {
        Part {
            id: "sample".to_owned(),
            type_name: self.type_name().to_owned(),
            inputs: inputs.clone(),
            options: json!({}),
        }
    }

    pub(crate) fn load_parts(&self, parts: &[Part]) -> Result<Arc<Stack>> {
        let mut parts = parts.to_vec();
        if self.veiled {
            for part in &mut parts {
                let info = self.stage.registry().type_info(&part.type_name)?;
                let filled = self.filled(&part.inputs);
                part.inputs = veil(&self.stage, &info.fields, &filled, false);
            }
        }
        load_parts(&self.stage, &|json| self.filled(json), &parts)
    }

    /// A stack of what the sample needs, and nothing else.
    pub(crate) fn load_also(&self) -> Result<Arc<Stack>> {
        self.load_parts(&self.also())
    }

    /// A stack of the sample with these inputs, and what it needs.
    pub(crate) fn load(&self, inputs: &Json) -> Result<Arc<Stack>> {
        let mut parts = self.also();
        parts.push(self.part(inputs));
        self.load_parts(&parts)
    }

    /// As [`World::load`], with what was changed by hand put back.
    pub(crate) fn load_restoring(&self, inputs: &Json) -> Result<Arc<Stack>> {
        let mut part = self.part(inputs);
        part.options = json!({"on_drift": "restore"});
        let mut parts = self.also();
        parts.push(part);
        self.load_parts(&parts)
    }

    /// Applies what the sample needs.
    pub(crate) async fn base(&self) -> Result<()> {
        if !self.samples().also.is_empty() {
            self.stage.succeed(&self.load_also()?).await?;
        }
        Ok(())
    }

    /// Applies the sample with these inputs (what it needs first), and it succeeds.
    pub(crate) async fn made(&self, inputs: &Json) -> Result<Row> {
        self.base().await?;
        self.changed(inputs).await
    }

    /// Applies the sample with these inputs, and it succeeds.
    pub(crate) async fn changed(&self, inputs: &Json) -> Result<Row> {
        self.stage.succeed(&self.load(inputs)?).await?;
        self.stage.row(IT).await
    }

    /// The provider, connected.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Instance>> {
        self.stage.open(&self.provider_name()).await
    }

    /// Reads one object.
    pub(crate) async fn read(&self, object: &Object) -> Result<Option<Object>> {
        let instance = self.open().await?;
        let request = ReadRequest {
            address: fabrik_core::address::Address::parse(IT)?,
            type_name: self.type_name().into(),
            prior: object.clone(),
        };
        let cx = self.stage.cx();
        let mut answers = instance.read(&cx, std::slice::from_ref(&request)).await;
        instance.close().await;
        answers.pop().unwrap_or_else(|| {
            Err(Error::new(
                fabrik_core::error::ErrorKind::Misbehaved,
                "a read of one object got no answer",
            ))
        })
    }

    /// An operation on the sample.
    pub(crate) fn operation(&self, verb: Verb, op: u128, row: Option<&Row>) -> Result<Operation> {
        Ok(Operation {
            op: OpId(op),
            address: fabrik_core::address::Address::parse(IT)?,
            type_name: self.type_name().into(),
            verb,
            prior: row.map(|row| row.object.clone()),
            observed: None,
            inputs: match verb {
                Verb::Delete => Value::Null,
                _ => row.map(|row| row.object.inputs.clone()).unwrap_or_default(),
            },
            checkpoint: None,
            undoes: None,
        })
    }

    /// A human does something to the object.
    pub(crate) fn by_hand(&self, hand: &super::samples::Hand, id: &str) {
        // What a human did is in the recording.
        if self.def.mode != Mode::Replay {
            hand(self.held.any.as_ref(), id);
        }
    }

    /// A human does something in the service.
    pub(crate) fn deed(&self, deed: &super::samples::Deed) {
        if self.def.mode != Mode::Replay {
            deed(self.held.any.as_ref());
        }
    }
}

pub(crate) fn load_parts(
    stage: &Stage,
    fill: &dyn Fn(&Json) -> Json,
    parts: &[Part],
) -> Result<Arc<Stack>> {
    let mut resources = Map::new();
    for part in parts {
        let mut block = part.options.as_object().cloned().unwrap_or_default();
        block.insert("type".to_owned(), json!(part.type_name));
        block.insert("spec".to_owned(), fill(&part.inputs));
        resources.insert(part.id.clone(), Json::Object(block));
    }
    stage.load(&json!({ "resources": resources }))
}

/// The same with references to secrets where secrets stood.
fn veil(stage: &Stage, fields: &Fields, json: &Json, secret: bool) -> Json {
    let secret = secret || fields.sensitive;
    match json {
        Json::String(text) if secret && !text.contains("${") => Json::String(stage.secret(text)),
        Json::Array(items) => {
            let below = fields.items.as_deref().unwrap_or(fields);
            items
                .iter()
                .map(|item| veil(stage, below, item, secret))
                .collect()
        }
        Json::Object(map) => map
            .iter()
            .map(|(key, item)| {
                let below = fields.child(&Segment::Key(key.as_str().into()));
                (key.clone(), veil(stage, below, item, secret))
            })
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Lays changes over a sample; null takes a field out.
pub(crate) fn merged(base: &Json, changes: &Json) -> Json {
    let (Json::Object(base), Json::Object(changes)) = (base, changes) else {
        return changes.clone();
    };
    let mut out = base.clone();
    for (key, change) in changes {
        match change {
            Json::Null => {
                out.remove(key);
            }
            Json::Object(_) if out.get(key).is_some_and(Json::is_object) => {
                let below = merged(&out[key], change);
                out.insert(key.clone(), below);
            }
            other => {
                out.insert(key.clone(), other.clone());
            }
        }
    }
    Json::Object(out)
}

/// A sample with another value of a field; the name may be a path such as `limits.memory`.
pub(crate) fn with_field(sample: &Json, field: &str, value: &Json) -> Json {
    let mut change = value.clone();
    for key in field.rsplit('.') {
        change = json!({ key: change });
    }
    merged(sample, &change)
}

/// A value as plain JSON, secrets and all; what is unknown is null.
pub(crate) fn plain(value: &Value) -> Json {
    to_wire(value).unwrap_or(Json::Null)
}

/// Plain JSON as a value.
pub(crate) fn value_of(json: &Json) -> Value {
    from_json(json)
}
