//! The facts of each type.

use std::sync::Arc;
use std::time::Duration;

use fabrik_core::address::Address;
use fabrik_core::provider::{Keys, Lost, Mode, TypeInfo, Undo, WriteGroup};
use fabrik_core::value::{Path, Value};
use schemars::{JsonSchema, schema_for};

use crate::protocol::Sameness;
use crate::specs::{
    AppOutputs, AppSpec, BatchSpec, BlobOutputs, BlobSpec, ChildSpec, DnsOutputs, DnsSpec,
    FlushOutputs, FlushSpec, KeyedSpec, LatestOutputs, LatestSpec, NameSpec, NoteSpec, NullOutputs,
    NullSpec, PageSpec, RecordSpec, ThingOutputs,
};

/// Most members of a batch.
pub(crate) const BATCH: usize = 50;

/// How long things take, as the engine is told.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Budget of one operation.
    pub timeout: Duration,
    /// After the budget, how long the cloud may take to show what it did.
    pub settle: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            timeout: Duration::from_secs(30),
            settle: Duration::from_secs(5),
        }
    }
}

fn info<S: JsonSchema, O: JsonSchema>(name: &str, tuning: Tuning) -> TypeInfo {
    let schema = schema_for!(S).to_value();
    let description = schema.get("description").and_then(|text| text.as_str());
    TypeInfo {
        description: description.unwrap_or_default().to_owned(),
        timeout: tuning.timeout,
        settle: tuning.settle,
        volatile: vec![Path::key("rev")],
        ..TypeInfo::new(name, schema.clone(), schema_for!(O).to_value())
    }
}

/// Every type.
pub(crate) fn all(tuning: Tuning) -> Vec<Arc<TypeInfo>> {
    let marked = |info: TypeInfo| TypeInfo {
        lost: Lost::Mark,
        ..info
    };
    let named = |info: TypeInfo| TypeInfo {
        lost: Lost::Name,
        exclusive: true,
        ..info
    };
    let keyed = |info: TypeInfo| TypeInfo {
        lost: Lost::Key,
        ..info
    };
    let types = [
        marked(info::<NoteSpec, ThingOutputs>("memory.note", tuning)),
        named(info::<NameSpec, ThingOutputs>("memory.name", tuning)),
        keyed(info::<KeyedSpec, ThingOutputs>("memory.keyed", tuning)),
        TypeInfo {
            resumable: true,
            holds_data: true,
            undo_delete: Undo::None,
            volatile: Vec::new(),
            ..marked(info::<BlobSpec, BlobOutputs>("memory.blob", tuning))
        },
        marked(info::<RecordSpec, ThingOutputs>("memory.record", tuning)),
        marked(info::<PageSpec, ThingOutputs>("memory.page", tuning)),
        marked(info::<BatchSpec, ThingOutputs>("memory.batch", tuning)),
        marked(info::<ChildSpec, ThingOutputs>("memory.child", tuning)),
        TypeInfo {
            mode: Mode::Action,
            ..info::<FlushSpec, FlushOutputs>("memory.flush", tuning)
        },
        TypeInfo {
            mode: Mode::Lookup,
            ..info::<LatestSpec, LatestOutputs>("memory.latest", tuning)
        },
        TypeInfo {
            settle: Duration::ZERO,
            volatile: Vec::new(),
            ..keyed(info::<NullSpec, NullOutputs>("memory.null", tuning))
        },
        TypeInfo {
            volatile: Vec::new(),
            ..named(info::<AppSpec, AppOutputs>("memory.app", tuning))
        },
        TypeInfo {
            volatile: Vec::new(),
            ..named(info::<DnsSpec, DnsOutputs>("memory.dns", tuning))
        },
    ];
    types.into_iter().map(Arc::new).collect()
}

/// Whether things of a type have a name that no other has.
pub(crate) fn is_named(kind: &str) -> bool {
    matches!(kind, "memory.name" | "memory.app" | "memory.dns")
}

/// How the cloud tells creates of a type apart.
pub(crate) fn sameness(kind: &str) -> Sameness {
    match kind {
        _ if is_named(kind) => Sameness::Name,
        "memory.keyed" => Sameness::Key,
        _ => Sameness::None,
    }
}

/// The input that members of a whole group share.
pub(crate) fn group_field(kind: &str) -> Option<&'static str> {
    match kind {
        "memory.record" => Some("zone"),
        "memory.page" => Some("site"),
        _ => None,
    }
}

/// How steps of a type go together.
pub(crate) fn keys(kind: &str, inputs: &Value) -> Keys {
    let field = |field: &str| inputs.get(field).and_then(Value::as_str);
    if let Some(shared) = group_field(kind) {
        let Some(value) = field(shared) else {
            return Keys::default();
        };
        let key: Arc<str> = format!("{shared} {value}").into();
        return Keys {
            locks: vec![key.clone()],
            read_group: Some(key.clone()),
            write_group: Some(WriteGroup {
                key,
                whole: true,
                linked: kind == "memory.page",
                atomic: true,
                max: 0,
            }),
            ..Keys::default()
        };
    }
    match kind {
        "memory.name" | "memory.app" | "memory.dns" => Keys {
            locks: field("name")
                .map(|name| format!("{kind}/{}", name.to_lowercase()).into())
                .into_iter()
                .collect(),
            ..Keys::default()
        },
        "memory.batch" => Keys {
            write_group: Some(WriteGroup {
                key: "batch".into(),
                whole: false,
                linked: false,
                atomic: false,
                max: BATCH,
            }),
            ..Keys::default()
        },
        "memory.child" => Keys {
            deleted_with: field("within").and_then(|within| Address::parse(within).ok()),
            ..Keys::default()
        },
        "memory.null" => Keys {
            read_group: Some("null".into()),
            ..Keys::default()
        },
        _ => Keys::default(),
    }
}
