//! The three-way comparison of desired, last sent and observed inputs.

use super::model::{AttributeDiff, DiffKind};
use crate::provider::{Fields, ListKind, Same};
use crate::stack::OnDrift;
use crate::value::{Number, Path, Segment, Value};

/// What the comparison of one object found.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// What has to be written.
    pub diff: Vec<AttributeDiff>,
    /// What changed outside Fabrik: `before` is what was last sent, `after` what is there.
    pub drift: Vec<AttributeDiff>,
    /// Drift that is left alone because of `on_drift: keep`.
    pub kept: bool,
    /// Attributes that stay.
    pub unchanged: usize,
    /// Some attribute was changed in the spec.
    pub spec_changed: bool,
    /// Some attribute was changed in the spec and outside.
    pub conflict: bool,
    /// Some diff waits for a value that is not known yet.
    pub unknown: bool,
    /// Writing the diff loses data.
    pub data_loss: bool,
    /// Desired inputs with kept, ignored and sticky paths set to what is there: what to send.
    /// `None` when that is simply the desired inputs.
    pub send: Option<Value>,
}

/// How to treat differences.
#[derive(Clone, Copy, Debug)]
pub struct Treat<'a> {
    /// Differences at or below these paths do not count.
    pub ignore: &'a [Path],
    /// What drift does.
    pub on_drift: OnDrift,
    /// Paths the service does not show.
    pub hidden: &'a [Path],
}

/// Compares what is wanted, what was last sent and what is there, on the paths the user sets or
/// Fabrik set before.
///
/// - Only observed moved: drift; `on_drift` decides.
/// - Only desired moved: a change.
/// - Both moved: a change, marked as conflict; equal again: nothing.
/// - Set before and absent now: unset, unless the field is sticky.
/// - What the service does not show counts as last sent.
pub fn compare(
    fields: &Fields,
    desired: &Value,
    last_sent: Option<&Value>,
    observed: Option<&Value>,
    treat: Treat<'_>,
) -> Comparison {
    run(fields, desired, last_sent, observed, treat, true)
}

/// As [`compare`], without listing what has to be written.
pub(crate) fn compare_summarily(
    fields: &Fields,
    desired: &Value,
    last_sent: Option<&Value>,
    observed: Option<&Value>,
    treat: Treat<'_>,
) -> Comparison {
    run(fields, desired, last_sent, observed, treat, false)
}

fn run(
    fields: &Fields,
    desired: &Value,
    last_sent: Option<&Value>,
    observed: Option<&Value>,
    treat: Treat<'_>,
    lists: bool,
) -> Comparison {
    let mut run = Run {
        out: Comparison::default(),
        treat,
        observed_known: observed.is_some(),
        lists,
    };
    let null = Value::Null;
    // Without state (adopt, import) only what the user sets is compared.
    let last = last_sent.unwrap_or(&null);
    run.node(
        fields,
        &mut Path::root(),
        desired,
        last,
        observed.unwrap_or(&null),
        desired,
        last_sent.is_some(),
    );
    run.out
}

struct Run<'a> {
    out: Comparison,
    treat: Treat<'a>,
    observed_known: bool,
    /// Whether what has to be written is listed.
    lists: bool,
}

impl Run<'_> {
    #[expect(
        clippy::too_many_arguments,
        reason = "three trees walked in step, with their facts"
    )]
    fn node(
        &mut self,
        fields: &Fields,
        path: &mut Path,
        desired: &Value,
        last: &Value,
        observed: &Value,
        whole: &Value,
        has_last: bool,
    ) {
        let is_map = |value: &Value| matches!(value, Value::Map(_));
        let descend = (is_map(desired) && (is_map(last) || last.is_null()))
            || (desired.is_null()
                && is_map(last)
                && !path.is_root()
                && !fields.sticky
                && is_map(observed))
            || path.is_root();
        if !descend {
            self.leaf(fields, path, desired, last, observed, whole, has_last);
            return;
        }
        let empty = crate::value::Map::new();
        let desired_map = desired.as_map().unwrap_or(&empty);
        let last_map = last.as_map().unwrap_or(&empty);
        let observed_map = observed.as_map().unwrap_or(&empty);
        let null = Value::Null;
        let mut keys: Vec<&std::sync::Arc<str>> = desired_map.keys().collect();
        keys.extend(last_map.keys().filter(|key| !desired_map.contains_key(key)));
        for key in keys {
            let segment = Segment::Key(key.clone());
            let child = fields.child(&segment);
            path.push(segment);
            self.node(
                child,
                path,
                desired_map.get(key).unwrap_or(&null),
                last_map.get(key).unwrap_or(&null),
                observed_map.get(key).unwrap_or(&null),
                whole,
                has_last,
            );
            path.pop();
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "three leaves compared, with their facts"
    )]
    fn leaf(
        &mut self,
        fields: &Fields,
        path: &Path,
        desired: &Value,
        last: &Value,
        observed: &Value,
        whole: &Value,
        has_last: bool,
    ) {
        let hidden = !self.observed_known
            || fields.write_only
            || self
                .treat
                .hidden
                .iter()
                .any(|hidden| path.starts_with(hidden));
        let there = if hidden { last } else { observed };
        let default = fields.default.as_ref().unwrap_or(&Value::Null);
        let wanted = if desired.is_null() { default } else { desired };
        let ignored = self
            .treat
            .ignore
            .iter()
            .any(|ignored| path.starts_with(ignored));

        if ignored {
            if !same_value(fields, wanted, there) {
                self.keep(whole, path, there);
            }
            self.out.unchanged += 1;
            return;
        }
        if wanted.has_unknown() {
            self.out.unknown = true;
            self.out.spec_changed = true;
            self.push(fields, path, wanted, there, None);
            return;
        }
        let spec_moved = !has_last || !same_value(fields, wanted, last);
        let outside_moved = has_last && !same_value(fields, last, there);
        if outside_moved {
            self.out.drift.push(AttributeDiff {
                path: path.clone(),
                kind: kind_of(last, there),
                before: last.clone(),
                after: there.clone(),
                last_sent: None,
                forces_replacement: false,
                place: None,
            });
        }
        if same_value(fields, wanted, there) {
            self.out.unchanged += 1;
            self.out.spec_changed |= has_last && spec_moved;
            return;
        }
        if wanted.is_null() && (fields.sticky || fields.computed) {
            if fields.sticky {
                self.keep(whole, path, there);
            }
            self.out.unchanged += 1;
            return;
        }
        if !spec_moved && outside_moved && self.treat.on_drift == OnDrift::Keep {
            self.out.kept = true;
            self.out.unchanged += 1;
            self.keep(whole, path, there);
            return;
        }
        if spec_moved
            && outside_moved
            && self.treat.on_drift == OnDrift::Keep
            && let Some(merged) = keep_items(fields, wanted, last, there)
        {
            self.out.kept = true;
            self.keep(whole, path, &merged);
            if same_value(fields, &merged, there) {
                self.out.spec_changed = true;
                self.out.unchanged += 1;
                return;
            }
            self.out.spec_changed = true;
            self.push(fields, path, &merged, there, Some(last));
            return;
        }
        self.out.spec_changed |= spec_moved;
        self.out.conflict |= spec_moved && outside_moved;
        let last_sent = (outside_moved && !hidden).then_some(last);
        self.push(fields, path, wanted, there, last_sent);
    }

    fn push(
        &mut self,
        fields: &Fields,
        path: &Path,
        wanted: &Value,
        there: &Value,
        last_sent: Option<&Value>,
    ) {
        self.out.data_loss |= fields.data_loss;
        if !self.lists {
            return;
        }
        let mark = |value: &Value| {
            if fields.sensitive && !value.is_null() && !value.has_unknown() {
                value.clone().into_secret()
            } else {
                value.clone()
            }
        };
        self.out.diff.push(AttributeDiff {
            path: path.clone(),
            kind: kind_of(there, wanted),
            before: mark(there),
            after: mark(wanted),
            last_sent: last_sent.map(mark),
            forces_replacement: fields.replace,
            place: None,
        });
    }

    fn keep(&mut self, whole: &Value, path: &Path, there: &Value) {
        let send = self.out.send.take().unwrap_or_else(|| whole.clone());
        self.out.send = Some(if there.is_null() {
            send.without(path)
        } else {
            send.with(path, there.clone())
        });
    }
}

fn kind_of(before: &Value, after: &Value) -> DiffKind {
    match (before.is_null(), after.is_null()) {
        (true, _) => DiffKind::Add,
        (_, true) => DiffKind::Remove,
        _ => DiffKind::Change,
    }
}

/// The wanted items of a list, but for those that only somebody else changed or took out, which are
/// as they are there. `None` unless items are told apart by a field, each once.
fn keep_items(fields: &Fields, wanted: &Value, last: &Value, there: &Value) -> Option<Value> {
    let ListKind::OrderedBy(key) = &fields.list else {
        return None;
    };
    let item = fields.child(&Segment::Index(0));
    let (wanted, last, there) = (wanted.as_list()?, last.as_list()?, there.as_list()?);
    let named = |items: &[Value], name: &Value| {
        let mut found = items.iter().filter(|item| item.get(key) == Some(name));
        let first = found.next().cloned();
        found.next().is_none().then_some(first)
    };
    let mut kept = Vec::with_capacity(wanted.len());
    for want in wanted {
        let name = want.get(key)?;
        named(wanted, name)?;
        let (sent, found) = (named(last, name)?, named(there, name)?);
        let spec_moved = sent.is_none_or(|sent| !same_value(item, want, &sent));
        match found {
            _ if spec_moved => kept.push(want.clone()),
            Some(found) => kept.push(found),
            None => {}
        }
    }
    Some(Value::list(kept))
}

/// Whether two known values count as the same for a field: secret marks and absent defaults are
/// looked through; scalars and lists compare as the field's facts say.
pub fn same_value(fields: &Fields, left: &Value, right: &Value) -> bool {
    let (left, right) = (left.reveal(), right.reveal());
    if left == right {
        return true;
    }
    match (left, right) {
        (Value::Null, other) | (other, Value::Null) => {
            fields
                .default
                .as_ref()
                .is_some_and(|default| default == other)
                || matches!(other, Value::Map(map) if map.iter().all(|(key, item)| {
                    same_value(fields.child(&Segment::Key(key.clone())), item, &Value::Null)
                }))
                || matches!(other, Value::List(items) if items.is_empty())
        }
        (Value::Map(left), Value::Map(right)) => left.keys().chain(right.keys()).all(|key| {
            let child = fields.child(&Segment::Key(key.clone()));
            let null = &Value::Null;
            let (a, b) = (
                left.get(key).unwrap_or(null),
                right.get(key).unwrap_or(null),
            );
            same_value(child, a, b) || (child.computed && (a.is_null() || b.is_null()))
        }),
        (Value::List(left), Value::List(right)) => same_list(fields, left, right),
        _ => same_scalar(fields.same, left, right),
    }
}

fn same_list(fields: &Fields, left: &[Value], right: &[Value]) -> bool {
    let item = fields.child(&Segment::Index(0));
    match &fields.list {
        ListKind::Ordered | ListKind::OrderedBy(_) => {
            left.len() == right.len() && left.iter().zip(right).all(|(a, b)| same_value(item, a, b))
        }
        ListKind::Set => {
            let covers = |a: &[Value], b: &[Value]| {
                a.iter().all(|x| b.iter().any(|y| same_value(item, x, y)))
            };
            covers(left, right) && covers(right, left)
        }
        ListKind::Keyed(key) => {
            left.len() == right.len()
                && left.iter().all(|x| {
                    right.iter().any(|y| {
                        same_value(
                            item.child(&Segment::Key(key.clone())),
                            x.get(key).unwrap_or(&Value::Null),
                            y.get(key).unwrap_or(&Value::Null),
                        ) && same_value(item, x, y)
                    })
                })
        }
    }
}

fn same_scalar(same: Same, left: &Value, right: &Value) -> bool {
    let text = |value: &Value| crate::expr::to_text(value).ok();
    let (Some(left), Some(right)) = (text(left), text(right)) else {
        return false;
    };
    match same {
        Same::Exact => false,
        Same::Lower => left.to_lowercase() == right.to_lowercase(),
        Same::TrimDot => {
            let trim = |text: &str| text.strip_suffix('.').unwrap_or(text).to_lowercase();
            trim(&left) == trim(&right)
        }
        Same::Url => left.trim_end_matches('/') == right.trim_end_matches('/'),
        Same::Text => left == right,
        Same::Json => {
            let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            parse(&left).is_some_and(|left| parse(&right).is_some_and(|right| left == right))
        }
        Same::Yaml => {
            let trim = |text: &str| -> Vec<String> {
                text.lines()
                    .map(|line| line.trim_end().to_owned())
                    .filter(|line| !line.is_empty())
                    .collect()
            };
            trim(&left) == trim(&right)
        }
        Same::Duration => {
            matches!((seconds(&left), seconds(&right)), (Some(left), Some(right)) if left == right)
        }
    }
}

/// A duration in words (`1m30s`, `60`, `2h`) in thousandths of a second.
fn seconds(text: &str) -> Option<i64> {
    if let Some(number) = Number::parse(text).and_then(|number| number.as_i64()) {
        return number.checked_mul(1000);
    }
    let mut total = 0_i64;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let factor = match &rest[..end] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = &rest[end..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::from_json;
    use serde_json::json;

    fn fields() -> Fields {
        Fields::of_schema(&json!({"properties": {
            "name": {"x-fabrik": {"replace": true}},
            "host": {"x-fabrik": {"same": "trim_dot"}},
            "tags": {"items": {}, "x-fabrik": {"list": "set"}},
            "password": {"x-fabrik": {"sensitive": true, "write_only": true}},
            "plan": {"x-fabrik": {"sticky": true}},
            "ttl": {"default": 60, "x-fabrik": {"same": "duration"}},
            "env": {"additionalProperties": {}},
            "parts": {"items": {}, "x-fabrik": {"list": "ordered:id"}},
        }}))
    }

    fn run(
        desired: serde_json::Value,
        last: serde_json::Value,
        observed: serde_json::Value,
    ) -> String {
        run_with(desired, last, observed, OnDrift::Restore)
    }

    fn run_with(
        desired: serde_json::Value,
        last: serde_json::Value,
        observed: serde_json::Value,
        on_drift: OnDrift,
    ) -> String {
        let value = |json: serde_json::Value| from_json(&json);
        let observed = value(observed);
        let result = compare(
            &fields(),
            &value(desired),
            Some(&value(last)),
            (!observed.is_null()).then_some(&observed),
            Treat {
                ignore: &[Path::key("ignored")],
                on_drift,
                hidden: &[],
            },
        );
        let texts = |diffs: &[AttributeDiff]| {
            diffs
                .iter()
                .map(|diff| format!("{}:{:?}>{:?}", diff.path, diff.before, diff.after))
                .collect::<Vec<_>>()
                .join(" ")
        };
        format!(
            "diff[{}] drift[{}]",
            texts(&result.diff),
            texts(&result.drift)
        )
    }

    #[test]
    fn three_ways() {
        let same = "diff[] drift[]";
        assert_eq!(run(json!({"a": 1}), json!({"a": 1}), json!({"a": 1})), same);
        assert_eq!(
            run(json!({"a": 1}), json!({"a": 1}), json!(null)),
            same,
            "not refreshed"
        );
        assert_eq!(
            run(json!({"a": 2}), json!({"a": 1}), json!({"a": 1})),
            "diff[a:1>2] drift[]"
        );
        assert_eq!(
            run(json!({"a": 1}), json!({"a": 1}), json!({"a": 9})),
            "diff[a:9>1] drift[a:1>9]"
        );
        assert_eq!(
            run(json!({"a": 2}), json!({"a": 1}), json!({"a": 9})),
            "diff[a:9>2] drift[a:1>9]"
        );
        assert_eq!(
            run(json!({"a": 2}), json!({"a": 1}), json!({"a": 2})),
            "diff[] drift[a:1>2]",
            "already there"
        );
        assert_eq!(
            run(json!({}), json!({"a": 1}), json!({"a": 1})),
            "diff[a:1>null] drift[]",
            "unset"
        );
        assert_eq!(
            run(json!({}), json!({}), json!({"a": 1})),
            same,
            "unmanaged"
        );
        assert_eq!(
            run(json!({"a": 1}), json!({"a": 1}), json!({"b": 1})),
            "diff[a:null>1] drift[a:1>null]"
        );
        assert_eq!(
            run(
                json!({"env": {"A": "1", "B": "2"}}),
                json!({"env": {"A": "1", "C": "3"}}),
                json!({"env": {"A": "1", "C": "3"}})
            ),
            "diff[env.B:null>\"2\" env.C:\"3\">null] drift[]"
        );
    }

    #[test]
    fn field_facts() {
        let same = "diff[] drift[]";
        assert_eq!(
            run(
                json!({"host": "a.org"}),
                json!({"host": "a.org"}),
                json!({"host": "A.ORG."})
            ),
            same
        );
        assert_eq!(
            run(
                json!({"tags": [1, 2]}),
                json!({"tags": [1, 2]}),
                json!({"tags": [2, 1]})
            ),
            same
        );
        assert_eq!(
            run(
                json!({"password": "x"}),
                json!({"password": "x"}),
                json!({})
            ),
            same,
            "hidden"
        );
        assert_eq!(
            run(
                json!({"password": "y"}),
                json!({"password": "x"}),
                json!({})
            ),
            "diff[password:(secret)>(secret)] drift[]"
        );
        assert_eq!(
            run(json!({}), json!({"plan": "a"}), json!({"plan": "a"})),
            same,
            "sticky"
        );
        assert_eq!(
            run(json!({}), json!({}), json!({"ttl": 60})),
            same,
            "default"
        );
        assert_eq!(
            run(
                json!({"ttl": "1m"}),
                json!({"ttl": "1m"}),
                json!({"ttl": 60})
            ),
            same
        );
        assert_eq!(
            run(
                json!({"ignored": 1}),
                json!({"ignored": 2}),
                json!({"ignored": 3})
            ),
            same
        );
    }

    #[test]
    fn kept_drift_is_sent_as_it_is() {
        let value = |json: serde_json::Value| from_json(&json);
        let result = compare(
            &fields(),
            &value(json!({"a": 1, "b": 2})),
            Some(&value(json!({"a": 1, "b": 1}))),
            Some(&value(json!({"a": 7, "b": 1}))),
            Treat {
                ignore: &[],
                on_drift: OnDrift::Keep,
                hidden: &[],
            },
        );
        assert_eq!(result.send, Some(value(json!({"a": 7, "b": 2}))));
        assert!(result.kept && result.diff.len() == 1);
    }

    #[test]
    fn items_that_are_told_apart_are_kept_one_by_one() {
        let parts = |texts: &[(&str, &str)]| {
            let items: Vec<_> = texts
                .iter()
                .map(|(id, text)| json!({"id": id, "text": text}))
                .collect();
            from_json(&json!({"parts": items}))
        };
        let run = |desired: &[(&str, &str)], there: &[(&str, &str)], on_drift| {
            let last = parts(&[("a", "1"), ("b", "1"), ("c", "1")]);
            compare(
                &fields(),
                &parts(desired),
                Some(&last),
                Some(&parts(there)),
                Treat {
                    ignore: &[],
                    on_drift,
                    hidden: &[],
                },
            )
        };
        let hand = [("a", "by hand"), ("b", "1")];
        let found = run(&[("b", "2"), ("a", "1"), ("c", "1")], &hand, OnDrift::Keep);
        assert_eq!(found.send, Some(parts(&[("b", "2"), ("a", "by hand")])));
        assert!(found.kept && !found.conflict && found.diff.len() == 1);
        let both = run(&[("a", "2"), ("b", "1"), ("c", "1")], &hand, OnDrift::Keep);
        assert_eq!(both.send, Some(parts(&[("a", "2"), ("b", "1")])));
        let restored = run(&[("b", "2"), ("a", "1")], &hand, OnDrift::Restore);
        assert!(restored.send.is_none() && restored.conflict);
    }

    #[test]
    fn durations() {
        assert_eq!(seconds("1m30s"), Some(90_000));
        assert_eq!(seconds("60"), Some(60_000));
        assert_eq!(seconds("abc"), None);
    }
}
