//! Types whose objects are written one by one.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::plan::{Treat, compare};
use fabrik_core::provider::typed::{decode, encode};
use fabrik_core::provider::{Fields, Located, Object, Operation, Outcome, Verb};
use fabrik_core::stack::OnDrift;
use fabrik_core::value::{Path, Value, from_json, to_wire};
use schemars::schema_for;
use serde_json::{Value as Json, json};

use crate::cloud::url_of;
use crate::instance::MemoryInstance;
use crate::players::INGRESS;
use crate::protocol::{Query, Thing, What, Write};
use crate::specs::{
    AppSpec, BatchSpec, BlobSpec, ChildSpec, DnsSpec, FlushOutputs, FlushSpec, KeyedSpec,
    LatestOutputs, LatestSpec, NameSpec, NoteSpec, PageSpec, RecordSpec,
};
use crate::types;

/// Carries out one operation.
pub(crate) async fn apply(instance: &MemoryInstance, operation: &Operation) -> Result<Outcome> {
    let write = write_of(operation)?;
    let thing = instance.write_one(write).await?;
    Ok(match (operation.verb, thing) {
        (Verb::Delete, _) => Outcome::Gone,
        (Verb::Run, _) => {
            let spec: FlushSpec = decode(&operation.inputs)?;
            let outputs = FlushOutputs {
                flushed: spec.cache,
            };
            Outcome::Done(Object {
                id: operation.address.to_string(),
                inputs: operation.inputs.clone(),
                outputs: encode(&outputs, None)?,
                ..Object::default()
            })
        }
        (_, Some(thing)) => done(operation, &thing),
        (_, None) => {
            return Err(Error::new(
                ErrorKind::Misbehaved,
                "the cloud shows nothing of a change",
            ));
        }
    })
}

/// The outcome of an operation that left a thing.
pub(crate) fn done(operation: &Operation, thing: &Thing) -> Outcome {
    let object = object(thing);
    // What was sent and holds nothing unknown is kept as it was sent.
    let inputs = if operation.inputs.has_unknown() {
        object.inputs
    } else {
        operation.inputs.clone()
    };
    Outcome::Done(Object {
        inputs,
        hidden: Vec::new(),
        ..object
    })
}

/// What to ask for an operation whose inputs are known.
pub(crate) fn write_of(operation: &Operation) -> Result<Write> {
    let inputs = match operation.verb {
        Verb::Delete => Json::Null,
        _ => checked(&operation.type_name, &operation.inputs)?,
    };
    write_with(operation, inputs)
}

/// What to ask for an operation, with these inputs.
pub(crate) fn write_with(operation: &Operation, inputs: Json) -> Result<Write> {
    let what = match operation.verb {
        Verb::Create => What::Create,
        Verb::Update => What::Update,
        Verb::Delete => What::Delete,
        Verb::Run => What::Run,
    };
    let id = match what {
        What::Update | What::Delete => Some(operation.id()?.to_owned()),
        _ => None,
    };
    Ok(Write {
        op: operation.op.to_string(),
        kind: operation.type_name.to_string(),
        what,
        id,
        inputs,
        sameness: types::sameness(&operation.type_name),
    })
}

/// Inputs as the cloud takes them, refused when they do not fit the type.
fn checked(kind: &str, inputs: &Value) -> Result<Json> {
    fn fits<T: serde::de::DeserializeOwned + serde::Serialize>(inputs: &Value) -> Result<Json> {
        let spec: T = decode(inputs)?;
        serde_json::to_value(spec)
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))
    }
    match kind {
        "memory.note" => fits::<NoteSpec>(inputs),
        // The cloud keeps names in lower case.
        "memory.name" => {
            let mut inputs = fits::<NameSpec>(inputs)?;
            if let Some(name) = inputs
                .get("name")
                .and_then(Json::as_str)
                .map(str::to_lowercase)
            {
                inputs["name"] = Json::String(name);
            }
            Ok(inputs)
        }
        "memory.keyed" => fits::<KeyedSpec>(inputs),
        "memory.blob" => fits::<BlobSpec>(inputs),
        "memory.record" => fits::<RecordSpec>(inputs),
        "memory.page" => fits::<PageSpec>(inputs),
        "memory.batch" => fits::<BatchSpec>(inputs),
        "memory.child" => fits::<ChildSpec>(inputs),
        "memory.flush" => fits::<FlushSpec>(inputs),
        "memory.app" => fits::<AppSpec>(inputs),
        "memory.dns" => fits::<DnsSpec>(inputs),
        _ => to_wire(inputs),
    }
}

/// A thing as the engine knows it.
pub(crate) fn object(thing: &Thing) -> Object {
    let mut inputs = from_json(&thing.inputs);
    let mut hidden = Vec::new();
    if thing.kind == "memory.note" {
        let secret = Path::key("secret");
        inputs = inputs.without(&secret);
        hidden.push(secret);
    }
    let url = url_of(thing);
    let name = thing
        .inputs
        .get("name")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let outputs = match thing.kind.as_str() {
        "memory.blob" => json!({"url": url, "sealed": thing.sealed}),
        "memory.app" => {
            let hosts = thing.inputs.get("hosts").and_then(Json::as_array);
            let host = hosts.and_then(|hosts| hosts.first()).and_then(Json::as_str);
            let host = host.map_or_else(|| format!("{name}.memory.test"), str::to_owned);
            json!({"url": format!("http://{host}"), "ingress": INGRESS})
        }
        "memory.dns" => json!({"fqdn": format!("{}.", name.trim_end_matches('.'))}),
        _ => json!({"url": url, "rev": thing.rev}),
    };
    Object {
        id: thing.id.clone(),
        inputs,
        outputs: from_json(&outputs),
        hidden,
        private: Vec::new(),
    }
}

/// Finds what an operation made, or what has its name.
pub(crate) async fn locate(instance: &MemoryInstance, operation: &Operation) -> Result<Located> {
    let kind = &*operation.type_name;
    if !types::is_named(kind) {
        let found = instance.find(Query::Mark(operation.op.to_string())).await?;
        let mut found = found.into_iter().flatten();
        return Ok(match (found.next(), found.next()) {
            (None, _) => Located::Absent,
            (Some(thing), None) => Located::Ours(object(&thing)),
            (Some(_), Some(_)) => Located::unknown("two things carry this operation's mark"),
        });
    }
    let Some(name) = operation.inputs.get("name").and_then(Value::as_str) else {
        return Ok(Located::Absent);
    };
    let name = match kind {
        "memory.name" => name.to_lowercase(),
        _ => name.to_owned(),
    };
    let field = Some(("name".to_owned(), name));
    let kind = kind.to_owned();
    let found = instance.find(Query::Of { kind, field }).await?;
    let Some(thing) = found.into_iter().flatten().next() else {
        return Ok(Located::Absent);
    };
    let object = object(&thing);
    let treat = Treat {
        ignore: &[],
        on_drift: OnDrift::Restore,
        hidden: &object.hidden,
    };
    let fields = fields(&thing.kind);
    let equal = compare(
        &fields,
        &operation.inputs,
        None,
        Some(&object.inputs),
        treat,
    )
    .diff
    .is_empty();
    // A name is no ownership: whether nothing was there before, the engine knows.
    Ok(if equal {
        Located::Ours(object)
    } else {
        Located::differs(object.id)
    })
}

fn fields(kind: &str) -> Fields {
    let schema = match kind {
        "memory.app" => schema_for!(AppSpec),
        "memory.dns" => schema_for!(DnsSpec),
        _ => schema_for!(NameSpec),
    };
    Fields::of_schema(&schema.to_value())
}

/// Evaluates `memory.latest`.
pub(crate) async fn lookup(
    instance: &MemoryInstance,
    kind: &str,
    inputs: &Value,
) -> Result<Object> {
    if kind != "memory.latest" {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{kind}` is not a lookup"),
        ));
    }
    let spec: LatestSpec = decode(inputs)?;
    let query = Query::Of {
        kind: "memory.note".to_owned(),
        field: Some(("folder".to_owned(), spec.folder.clone())),
    };
    let number = |thing: &Thing| {
        let digits = thing.id.rsplit('-').next().unwrap_or_default();
        digits.parse::<u64>().unwrap_or_default()
    };
    let found = instance
        .find(query)
        .await?
        .into_iter()
        .flatten()
        .max_by_key(number);
    let thing = found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("the folder `{}` holds no note", spec.folder),
        )
    })?;
    let title = thing
        .inputs
        .get("title")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let outputs = LatestOutputs {
        id: thing.id.clone(),
        title: title.to_owned(),
    };
    Ok(Object {
        id: thing.id,
        inputs: inputs.clone(),
        outputs: encode(&outputs, None)?,
        ..Object::default()
    })
}
