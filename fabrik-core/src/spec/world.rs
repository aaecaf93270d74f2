//! What is known while a document is read: everything a reference can name.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::LoadRequest;
use super::report::Report;
use super::shape::Schema;
use crate::address::Address;
use crate::diagnostic::{Diagnostic, SourceMap, Span};
use crate::expr::{Expr, Reference, Target};
use crate::provider::TypeInfo;
use crate::stack::SecretDecl;
use crate::value::{Path, Value};

/// The first names of references that are not resources.
pub(super) const ROOTS: &[&str] = &[
    "apps",
    "resources",
    "vars",
    "secrets",
    "outputs",
    "env",
    "each",
    "self",
    "fabrik",
    "stacks",
];

/// Everything known during a load.
pub(super) struct World<'a> {
    /// What was asked.
    pub(super) request: &'a LoadRequest<'a>,
    /// The texts.
    pub(super) sources: SourceMap,
    /// The mistakes.
    pub(super) report: Report,
    /// Variables.
    pub(super) vars: HashMap<Arc<str>, Known>,
    /// Outputs of this stack.
    pub(super) outputs: HashMap<Arc<str>, Known>,
    /// Resources by id.
    pub(super) resources: HashMap<Arc<str>, ResourceName>,
    /// Apps by key.
    pub(super) apps: HashMap<Arc<str>, AppName>,
    /// Declared secrets.
    pub(super) secrets: BTreeMap<Arc<str>, SecretDecl>,
    /// Configured providers, in the order written.
    pub(super) configured: Vec<super::providers::Configured>,
    /// Names of checks given so far.
    pub(super) check_names: HashSet<String>,
    /// Types met so far.
    pub(super) types: HashMap<Arc<str>, Arc<TypeFacts>>,
    /// Schemas of kinds met so far.
    pub(super) kinds: HashMap<Arc<str>, Arc<super::expand::KindFacts>>,
    /// How much named values stand for so far.
    pub(super) used: usize,
    /// Files read by `file(…)`.
    pub(super) files: HashMap<String, Value>,
    /// Other stacks that are read.
    pub(super) stacks: BTreeSet<Arc<str>>,
}

/// A named value.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// Not evaluated yet.
    Later,
    /// Its value with its size; [`poison`] when it is wrong and was reported.
    Value(Value, usize),
}

impl Known {
    /// A mistake that was reported.
    pub(super) fn failed() -> Known {
        Known::Value(poison(), 0)
    }
}

/// A resource as references see it.
#[derive(Debug)]
pub(super) struct ResourceName {
    /// `resources.ID`.
    pub(super) address: Address,
    /// Its type, when it is known.
    pub(super) facts: Option<Arc<TypeFacts>>,
    /// Which of it exist.
    pub(super) state: Instances<()>,
}

/// An app as references see it.
#[derive(Debug)]
pub(super) struct AppName {
    /// `apps.KEY`.
    pub(super) address: Address,
    /// Which of it exist, with what their expansion gave.
    pub(super) state: Instances<Option<Arc<AppOut>>>,
}

/// Which objects stand under one id.
#[derive(Debug)]
pub(super) enum Instances<T> {
    /// Not known yet.
    Later,
    /// It could not be found out; that was reported.
    Failed,
    /// `when` is false.
    Off,
    /// One.
    One(T),
    /// One for each key.
    Many(BTreeMap<Arc<str>, T>),
}

/// What the expansion of an app gave.
#[derive(Debug, Default)]
pub(super) struct AppOut {
    /// Its outputs.
    pub(super) outputs: BTreeMap<Arc<str>, Value>,
    /// Its parts and their types.
    pub(super) parts: BTreeMap<Arc<str>, (Address, Arc<str>)>,
    /// Where it answers.
    pub(super) url: Value,
    /// It could not be expanded; that was reported.
    pub(super) failed: bool,
}

/// A type, read for checking.
#[derive(Debug)]
pub(super) struct TypeFacts {
    /// The type.
    pub(super) info: Arc<TypeInfo>,
    /// Its provider.
    pub(super) provider: Arc<str>,
    /// Its inputs.
    pub(super) schema: Schema,
    /// What `${ID.NAME}` may name; `None` when the type does not say.
    pub(super) names: Option<HashSet<Arc<str>>>,
    /// Whether any input is sensitive.
    pub(super) sensitive: bool,
}

impl TypeFacts {
    fn new(info: &Arc<TypeInfo>) -> TypeFacts {
        let outputs = Schema::read(&info.outputs);
        let schema = Schema::read(&info.schema);
        let mut names = Vec::new();
        outputs.keys(0, 0, &mut names);
        let names = (!names.is_empty()).then(|| {
            schema.keys(0, 0, &mut names);
            names.push("id");
            names.into_iter().map(Arc::from).collect()
        });
        TypeFacts {
            info: info.clone(),
            provider: info.name.split('.').next().unwrap_or_default().into(),
            names,
            sensitive: info.fields.any(&|field| field.sensitive),
            schema,
        }
    }
}

/// A value that stands for a mistake already reported: taken as right everywhere.
pub(super) fn poison() -> Value {
    Value::from(Expr::Ref(Reference {
        target: Target::Root("?".into()),
        path: Path::root(),
    }))
}

/// Whether a value holds a [`poison`].
pub(super) fn is_poison(value: &Value) -> bool {
    value.has_unknown()
        && crate::expr::references(value)
            .iter()
            .any(|reference| matches!(&reference.target, Target::Root(name) if &**name == "?"))
}

/// Where an expression stands, which decides what it may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// `when` and `for_each`: must be known when planning.
    Early,
    /// A variable.
    Vars,
    /// A provider's configuration.
    Providers,
    /// A secret's source.
    Secrets,
    /// An app's block or a resource.
    Body,
    /// An output.
    Outputs,
    /// A check.
    Verify,
}

/// The surroundings of an expression.
#[derive(Clone, Debug)]
pub(super) struct Place<'p> {
    /// Where it stands.
    pub(super) at: Where,
    /// `each.key` and `each.value`.
    pub(super) each: Option<&'p (Value, Value)>,
    /// What `self` is.
    pub(super) own: Own<'p>,
    /// The resource or app, for messages.
    pub(super) address: Option<&'p Address>,
}

/// What `self` is.
#[derive(Clone, Debug)]
pub(super) enum Own<'p> {
    /// Nothing.
    Nothing,
    /// An app's outputs and parts.
    App(&'p AppOut),
    /// A resource.
    Resource(&'p Address, Option<&'p TypeFacts>),
}

impl Place<'_> {
    /// A place without `each` and `self`.
    pub(super) fn new(at: Where) -> Place<'static> {
        Place {
            at,
            each: None,
            own: Own::Nothing,
            address: None,
        }
    }
}

impl<'a> World<'a> {
    pub(super) fn new(request: &'a LoadRequest<'a>) -> World<'a> {
        World {
            request,
            sources: SourceMap::default(),
            report: Report::new(),
            vars: HashMap::new(),
            outputs: HashMap::new(),
            resources: HashMap::new(),
            apps: HashMap::new(),
            secrets: BTreeMap::new(),
            configured: Vec::new(),
            check_names: HashSet::new(),
            types: HashMap::new(),
            kinds: HashMap::new(),
            used: 0,
            files: HashMap::new(),
            stacks: BTreeSet::new(),
        }
    }

    /// The type of a name, read once.
    pub(super) fn type_facts(&mut self, name: &str) -> Option<Arc<TypeFacts>> {
        if let Some(facts) = self.types.get(name) {
            return Some(facts.clone());
        }
        let info = self.request.registry.type_info(name).ok()?;
        let facts = Arc::new(TypeFacts::new(info));
        self.types.insert(info.name.clone(), facts.clone());
        Some(facts)
    }

    /// Reports an error at a place, with the address of whatever is being read.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        span: Span,
        place: &Place<'_>,
        text: impl Into<String>,
        help: Option<String>,
    ) {
        let mut diagnostic = Diagnostic::error(code, text).at(Some(span), "");
        diagnostic.help.extend(help);
        diagnostic.address = place.address.cloned();
        self.report.push(diagnostic);
    }
}
