//! Steps of a reference: into values, to one of several objects, and what they may not reach.

use std::ops::Range;
use std::sync::Arc;

use super::expression::Step;
use super::lower::Wrong;
use super::world::{Instances, Place, Where};
use crate::address::Address;
use crate::codes;
use crate::expr::Expr;
use crate::value::{Segment, Value};

/// Where a reference stands in its text.
pub(super) type At<'s> = &'s Range<usize>;

/// The name of a step; a position is no name.
pub(super) fn name(step: &Step) -> Option<&Arc<str>> {
    match &step.segment {
        Segment::Key(name) => Some(name),
        Segment::Index(_) => None,
    }
}

/// Refuses what cannot be known when planning.
pub(super) fn early(at: At<'_>, place: &Place<'_>, what: &str) -> Result<(), Wrong> {
    if place.at == Where::Early {
        Err(not_known(at, what))
    } else {
        Ok(())
    }
}

pub(super) fn not_known(at: At<'_>, what: &str) -> Wrong {
    Wrong::new(
        codes::NOT_KNOWN,
        at.clone(),
        format!("{what} is not known here: `when` and `for_each` must be known when planning"),
        Some(
            "use variables; what depends on results of an apply belongs into a second stack"
                .to_owned(),
        ),
    )
}

pub(super) fn incomplete(at: At<'_>, form: &str) -> Wrong {
    Wrong::new(
        codes::EXPRESSION,
        at.clone(),
        "this reference is not complete",
        Some(format!("its form is `${{{form}}}`")),
    )
}

pub(super) fn each(rest: &[Step], at: At<'_>, place: &Place<'_>) -> Result<Value, Wrong> {
    let Some((key, value)) = place.each else {
        return Err(Wrong::new(
            codes::NOT_HERE,
            at.clone(),
            "`each` is known only beside `for_each`",
            None,
        ));
    };
    match rest
        .split_first()
        .and_then(|(step, rest)| Some((name(step)?, rest)))
    {
        Some((wanted, [])) if &**wanted == "key" => Ok(key.clone()),
        Some((wanted, rest)) if &**wanted == "value" => descend(value.clone(), rest),
        _ => Err(incomplete(at, "each.key} or ${each.value")),
    }
}

/// Which object of an id a reference means, and what is left of the reference; `None` when it
/// failed before.
#[expect(
    clippy::type_complexity,
    reason = "an address, what is known of it, and the rest"
)]
pub(super) fn instance<'t, 's, T>(
    state: &'t Instances<T>,
    address: &Address,
    rest: &'s [Step],
    at: At<'_>,
    what: &str,
    id: &str,
) -> Result<Option<(Address, &'t T, &'s [Step])>, Wrong> {
    match (state, rest) {
        (Instances::Failed, _) => Ok(None),
        (Instances::Later, _) => Err(not_known(at, &format!("the {what} `{id}`"))),
        (Instances::Off, _) => Err(Wrong::new(
            codes::SWITCHED_OFF,
            at.clone(),
            format!("the {what} `{id}` is switched off by its `when`"),
            Some("give what refers to it the same `when`".to_owned()),
        )),
        (Instances::One(_), [step, ..]) if step.quoted => Err(Wrong::new(
            codes::NEEDS_KEY,
            step.at.clone(),
            format!("the {what} `{id}` has no `for_each`, so there is no key to name"),
            None,
        )),
        (Instances::One(known), rest) => Ok(Some((address.clone(), known, rest))),
        (Instances::Many(known), [step, rest @ ..]) if step.quoted => {
            let key = name(step).cloned().unwrap_or_default();
            match (known.get(&key), address.with_key(&key)) {
                (Some(known), Ok(address)) => Ok(Some((address, known, rest))),
                _ => {
                    let keys: Vec<&str> = known.keys().map(AsRef::as_ref).collect();
                    Err(Wrong::new(
                        codes::UNKNOWN_NAME,
                        step.at.clone(),
                        format!("the {what} `{id}` has no `{key}`"),
                        Some(format!("its keys are {}", super::shape::list_some(&keys))),
                    ))
                }
            }
        }
        (Instances::Many(known), _) => {
            let first = known.keys().next().map_or("KEY", AsRef::as_ref);
            Err(Wrong::new(
                codes::NEEDS_KEY,
                at.clone(),
                format!("the {what} `{id}` has a `for_each`: say which one"),
                Some(format!("write `{id}[\"{first}\"]`")),
            ))
        }
    }
}

/// Goes down into a value; into what is not known yet the path is kept.
pub(super) fn descend(value: Value, rest: &[Step]) -> Result<Value, Wrong> {
    let mut here = value;
    for (position, step) in rest.iter().enumerate() {
        let next = match (here.reveal(), &step.segment) {
            (Value::Map(map), Segment::Key(key)) => map.get(key).cloned(),
            (Value::List(items), Segment::Index(index)) => items.get(*index).cloned(),
            (Value::Expr(expr), _) => match expr.as_ref() {
                Expr::Ref(reference) => {
                    let mut reference = reference.clone();
                    for step in &rest[position..] {
                        reference.path.push(step.segment.clone());
                    }
                    return Ok(Value::from(Expr::Ref(reference)));
                }
                _ => None,
            },
            _ => None,
        };
        let secret = here.is_secret();
        here = match next {
            Some(next) if secret => next.into_secret(),
            Some(next) => next,
            None => {
                let known: Vec<&str> = match here.reveal() {
                    Value::Map(map) => map.keys().map(AsRef::as_ref).collect(),
                    _ => Vec::new(),
                };
                let wanted = match &step.segment {
                    Segment::Key(key) => key.to_string(),
                    Segment::Index(index) => format!("[{index}]"),
                };
                let help = crate::diagnostic::did_you_mean(&wanted, known.iter().copied())
                    .map(|near| format!("did you mean `{near}`?"));
                let text = format!("there is no `{wanted}` in {}", here.kind_name());
                return Err(Wrong::new(
                    codes::UNKNOWN_OUTPUT,
                    step.at.clone(),
                    text,
                    help,
                ));
            }
        };
    }
    Ok(here)
}
