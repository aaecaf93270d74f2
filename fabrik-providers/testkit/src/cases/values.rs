//! L13 to L17: values that are taken out, reordered, spelled otherwise, unusual, or taken.

use fabrik_core::error::ErrorKind;
use fabrik_core::plan::Action;
use fabrik_core::provider::{Fields, ListKind, Lost, Same};
use fabrik_core::value::{Path, Value};
use serde_json::{Map, Value as Json, json};

use super::life::differences;
use super::{Case, Ctx, always, case, unless, updatable};
use crate::stack::said;
use crate::suite::samples::Samples;
use crate::suite::world::{IT, Stop, Verdict, ensure, plain, with_field};
use crate::suite::{Facts, Need};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "L13" "unset_is_removed"
            "a field that is taken out is removed in the service, or declared to stay" l13_need, l13),
        case!(Resource "L14" "order_of_a_set_does_not_matter"
            "another order of a list that is a set is no difference" l14_need, l14),
        case!(Resource "L15" "other_spellings_are_the_same"
            "other spellings of a value are no difference" l15_need, l15),
        case!(Resource "L16" "unusual_text_survives"
            "unicode, quotes, `$` and the longest text survive" l16_need, l16),
        case!(Resource "L17" "a_taken_name_is_a_conflict"
            "a name that is taken is a conflict, and nothing is taken over silently" l17_need, l17),
    ]
}

/// Fields that L13 takes out.
fn optional(facts: &Facts<'_>) -> Vec<String> {
    let (Some(info), Some(samples)) = (facts.info(), facts.samples) else {
        return Vec::new();
    };
    if let Some(unset) = &samples.unset {
        return unset.clone();
    }
    let required: Vec<&str> = info
        .schema
        .get("required")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let (full, least) = (samples.fullest(), samples.least());
    let names = full.as_object().into_iter().flat_map(Map::keys);
    names
        .filter(|name| least.get(*name).is_none())
        .filter(|name| !required.contains(&name.as_str()))
        .filter(|name| !info.fields.at(&Path::key(name.as_str())).replace)
        .cloned()
        .collect()
}

fn l13_need(facts: &Facts<'_>) -> Need {
    if !updatable(facts) {
        return Need::skip("cannot be updated in place");
    }
    if optional(facts).is_empty() {
        return Need::skip("no field that can be left out");
    }
    always(facts)
}

async fn l13(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let info = world.info()?;
    let fields = {
        let provider = (ctx.def.provider)();
        let probe = crate::suite::Probe::default();
        optional(&Facts {
            def: &ctx.def,
            provider: &*provider,
            samples: ctx.samples.as_deref(),
            probe: &probe,
        })
    };
    let full = world.samples().fullest();
    let made = world.made(&full).await?;
    let before = made.object.inputs;
    let after = fields.iter().fold(full, |sample, field| {
        with_field(&sample, field, &Json::Null)
    });
    let row = world.changed(&after).await?;
    let Some(there) = world.read(&row.object).await? else {
        return Err(Stop::Fail("after an update it reads as gone".to_owned()));
    };
    for field in &fields {
        let path = Path::parse(field);
        let facts = info.fields.at(&path);
        let hidden = there.hidden.iter().any(|hidden| path.starts_with(hidden));
        if facts.sticky || facts.computed || hidden {
            continue;
        }
        let now = there.inputs.at(&path).unwrap_or_default();
        let default = facts.default.clone().unwrap_or_default();
        let empty = match now.reveal() {
            Value::Null => true,
            Value::List(items) => items.is_empty(),
            Value::Map(map) => map.is_empty(),
            Value::Str(text) => text.is_empty(),
            other => *other == default,
        };
        let was = before.at(&path).unwrap_or_default();
        ensure!(
            empty || plain(&now) == plain(&default),
            "`{field}` was {} and is taken out; the service still has {} (a field that stays is \
             `sticky`, one that the service fills in is `computed`)",
            fabrik_core::value::to_wire_masked(&was),
            fabrik_core::value::to_wire_masked(&now)
        );
    }
    let plan = world.stage.plan(&world.load(&after)?).await?;
    ensure!(
        plan.is_empty(),
        "after taking out {fields:?} the plan would {}",
        said(&plan)
    );
    Ok(())
}

/// The sample with every set in the opposite order, and how many there were.
fn reversed(fields: &Fields, sample: &Json, count: &mut usize) -> Json {
    match sample {
        Json::Object(map) => map
            .iter()
            .map(|(key, item)| {
                let below = fields.at(&Path::key(key.as_str()));
                (key.clone(), reversed(below, item, count))
            })
            .collect::<Map<_, _>>()
            .into(),
        Json::Array(items) => {
            let below = fields.items.as_deref();
            let mut items: Vec<Json> = items
                .iter()
                .map(|item| {
                    below.map_or_else(|| item.clone(), |below| reversed(below, item, count))
                })
                .collect();
            if !is_ordered(&fields.list) && items.len() > 1 {
                items.reverse();
                *count += 1;
            }
            items.into()
        }
        other => other.clone(),
    }
}

fn is_ordered(list: &ListKind) -> bool {
    matches!(list, ListKind::Ordered | ListKind::OrderedBy(_))
}

fn l14_need(facts: &Facts<'_>) -> Need {
    let (Some(info), Some(samples)) = (facts.info(), facts.samples) else {
        return Need::skip("no type");
    };
    if !info.fields.any(&|field| !is_ordered(&field.list)) {
        return Need::skip("no list is a set");
    }
    let mut count = 0;
    for (_, sample) in samples.every() {
        reversed(&info.fields, sample, &mut count);
    }
    unless(count > 0, "L14", ".maximal with two items in a set")
}

async fn l14(ctx: Ctx) -> Verdict {
    let samples: Vec<Json> = {
        let world = ctx.world()?;
        let every = world.samples().every();
        every
            .into_iter()
            .map(|(_, sample)| sample.clone())
            .collect()
    };
    for sample in samples {
        let world = ctx.world()?;
        let mut count = 0;
        let other = reversed(&world.info()?.fields, &sample, &mut count);
        if count == 0 {
            continue;
        }
        world.made(&sample).await?;
        let plan = world.stage.plan(&world.load(&other)?).await?;
        ensure!(
            plan.is_empty(),
            "the items of a set in another order, and the plan would {}",
            said(&plan)
        );
    }
    Ok(())
}

/// Other spellings of a value that mean the same.
fn spellings(same: Same, value: &Json) -> Vec<Json> {
    let swapped = |text: &str| {
        let upper = text.to_uppercase();
        if upper == text {
            text.to_lowercase()
        } else {
            upper
        }
    };
    let toggled = |text: &str, end: char| match text.strip_suffix(end) {
        Some(rest) => rest.to_owned(),
        None => format!("{text}{end}"),
    };
    match (same, value) {
        (Same::Lower, Json::String(text)) => vec![json!(swapped(text))],
        (Same::TrimDot, Json::String(text)) => {
            vec![json!(swapped(text)), json!(toggled(text, '.'))]
        }
        (Same::Url, Json::String(text)) => vec![json!(toggled(text, '/'))],
        (Same::Json, Json::String(text)) => {
            let parsed: Option<Json> = serde_json::from_str(text).ok();
            let pretty = parsed.and_then(|json| serde_json::to_string_pretty(&json).ok());
            pretty.map(|pretty| json!(pretty)).into_iter().collect()
        }
        (Same::Duration | Same::Text, Json::Number(number)) => vec![json!(number.to_string())],
        (Same::Duration | Same::Text, Json::String(text)) => match text.parse::<i64>() {
            Ok(number) => vec![json!(number)],
            Err(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Every field of a sample that has other spellings, with each.
fn respelled(fields: &Fields, sample: &Json, at: &str, out: &mut Vec<(String, Json)>) {
    if let Json::Object(map) = sample {
        for (key, item) in map {
            let below = fields.at(&Path::key(key.as_str()));
            let path = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}.{key}")
            };
            respelled(below, item, &path, out);
        }
        return;
    }
    // What refers to something else is spelled by that.
    if sample.as_str().is_none_or(|text| !text.contains("${")) {
        let other = spellings(fields.same, sample);
        out.extend(other.into_iter().map(|value| (at.to_owned(), value)));
    }
}

fn l15_need(facts: &Facts<'_>) -> Need {
    let (Some(info), Some(samples)) = (facts.info(), facts.samples) else {
        return Need::skip("no type");
    };
    let has = info.fields.any(&|field| field.same != Same::Exact);
    if !has && samples.same.is_empty() {
        return Need::skip("no field has other spellings");
    }
    always(facts)
}

async fn l15(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.filled(&world.samples().fullest());
    let mut others = Vec::new();
    respelled(&world.info()?.fields, &sample, "", &mut others);
    let declared = world.samples().same.clone();
    world.made(&sample).await?;
    let derived = others.iter().map(|other| (other, false));
    for ((field, value), must) in derived.chain(declared.iter().map(|other| (other, true))) {
        let stack = match world.load(&with_field(&sample, field, value)) {
            Ok(stack) => stack,
            // The schema does not allow this spelling, so nobody writes it.
            Err(_) if !must => continue,
            Err(error) => return Err(error.into()),
        };
        let plan = world.stage.plan(&stack).await?;
        ensure!(
            plan.is_empty(),
            "`{field}` written as {value}, and the plan would {}",
            said(&plan)
        );
    }
    Ok(())
}

/// Fields that hold free text, with their longest length.
fn free_text(facts: &Facts<'_>) -> Vec<(String, Option<usize>)> {
    let (Some(info), Some(samples)) = (facts.info(), facts.samples) else {
        return Vec::new();
    };
    let length = |name: &str| {
        let field = info
            .schema
            .pointer(&format!("/properties/{name}/maxLength"))?;
        usize::try_from(field.as_u64()?).ok()
    };
    if let Some(fields) = &samples.text {
        return fields
            .iter()
            .map(|field| (field.clone(), length(field)))
            .collect();
    }
    let full = samples.fullest();
    let Some(properties) = info.schema.get("properties").and_then(Json::as_object) else {
        return Vec::new();
    };
    let is_free = |name: &String, schema: &Json| {
        let kind = schema.get("type");
        let text = kind.is_some_and(|kind| {
            kind == "string"
                || kind
                    .as_array()
                    .is_some_and(|kinds| kinds.contains(&json!("string")))
        });
        let bound = ["pattern", "enum", "const", "format"]
            .iter()
            .any(|key| schema.get(*key).is_some());
        let facts = info.fields.at(&Path::key(name.as_str()));
        let usual = !facts.replace && !facts.sensitive && facts.same == Same::Exact;
        let plain = full
            .get(name)
            .and_then(Json::as_str)
            .is_some_and(|text| !text.contains("${"));
        text && !bound && usual && plain
    };
    let free = properties
        .iter()
        .filter(|(name, schema)| is_free(name, schema));
    free.map(|(name, _)| (name.clone(), length(name))).collect()
}

fn l16_need(facts: &Facts<'_>) -> Need {
    if free_text(facts).is_empty() {
        return Need::skip("no field holds free text");
    }
    always(facts)
}

/// As written in a spec: `$${` stands for `${`.
const UNUSUAL: &str =
    "fbt ünïcode 漢字 🎉 $HOME $${not} \"double\" 'single' back\\slash %41 <b>&amp;";

async fn l16(ctx: Ctx) -> Verdict {
    let fields = {
        let provider = (ctx.def.provider)();
        let probe = crate::suite::Probe::default();
        free_text(&Facts {
            def: &ctx.def,
            provider: &*provider,
            samples: ctx.samples.as_deref(),
            probe: &probe,
        })
    };
    for (field, longest) in fields {
        let unusual: String = UNUSUAL
            .chars()
            .take(longest.unwrap_or(usize::MAX))
            .collect();
        let long = longest.map(|length| "x".repeat(length));
        for (what, text) in [("unusual", Some(unusual)), ("the longest", long)] {
            let Some(text) = text else { continue };
            let world = ctx.world()?;
            let sample = with_field(&world.samples().fullest(), &field, &json!(text));
            let refused = |error| {
                Stop::Fail(format!(
                    "{what} text in `{field}` is refused (declare .text([fields of free text])): \
                     {error:?}"
                ))
            };
            let row = world.made(&sample).await.map_err(refused)?;
            let Some(there) = world.read(&row.object).await? else {
                return Err(Stop::Fail(format!(
                    "{what} text in `{field}`: it reads as gone"
                )));
            };
            let wrong = differences(&*world.info()?, &row.object.inputs, &there);
            ensure!(wrong.is_empty(), "{what} text: {}", wrong.join("; "));
            let plan = world.stage.plan(&world.load(&sample)?).await?;
            ensure!(
                plan.is_empty(),
                "{what} text in `{field}`, and the plan would {}",
                said(&plan)
            );
        }
    }
    Ok(())
}

fn l17_need(facts: &Facts<'_>) -> Need {
    let declared = facts
        .samples
        .is_some_and(|samples| samples.foreign.is_some());
    let named = facts
        .info()
        .is_some_and(|info| info.lost == Lost::Name || info.exclusive);
    if !named && !declared {
        return Need::skip("names are not unique");
    }
    unless(declared, "L17", ".foreign")
}

fn points_at_import(text: &str) -> bool {
    text.contains("import") || text.contains("adopt")
}

async fn l17(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let samples: &Samples = world.samples();
    let sample = samples.fullest();
    let Some(foreign) = samples.foreign.clone() else {
        return Err(Stop::Skip("no .foreign".to_owned()));
    };
    world.base().await?;
    let none = world.count();
    world.deed(&foreign);
    let (before, theirs) = (world.count(), world.dump());
    ensure!(
        before > none,
        ".foreign adds nothing that the target counts"
    );
    let stack = world.load(&sample)?;
    let plan = world.stage.plan(&stack).await?;
    let lost = world.info()?.lost;
    let blocked = plan.blocking().next().cloned();
    if let Some(found) = blocked {
        let text = format!("{} {:?}", found.finding.message, found.finding.hint);
        ensure!(
            found.finding.adopt.is_some() || points_at_import(&text),
            "the name is taken, and the plan says nothing of importing or adopting: {text}"
        );
    } else {
        let report = world.stage.run(plan).await?;
        match &report.end.error {
            Some(error) => {
                ensure!(
                    error.kind == ErrorKind::Conflict,
                    "the name is taken, and the error is {:?}: {}",
                    error.kind,
                    error.message
                );
                let hint = error.hint.clone().unwrap_or_default();
                ensure!(
                    points_at_import(&hint),
                    "the name is taken, and the hint says nothing of importing: {hint:?}"
                );
            }
            None => ensure!(
                lost != Lost::Name && world.count() == before + 1,
                "the name is taken, and the object was taken over silently"
            ),
        }
    }
    if world.count() == before {
        ensure!(
            world.dump() == theirs,
            "the name is taken, and the foreign object was changed"
        );
    }
    if lost != Lost::Name {
        return Ok(());
    }
    let mut parts = world.also();
    parts.push(crate::suite::world::Part {
        options: json!({"adopt": true}),
        ..world.part(&sample)
    });
    let stack = world.load_parts(&parts)?;
    let plan = world.stage.plan(&stack).await?;
    let adopts = plan
        .changes
        .iter()
        .any(|change| change.address.as_str() == IT && change.action == Action::Adopt);
    ensure!(
        adopts,
        "with `adopt: true` the plan would {}, not adopt",
        said(&plan)
    );
    world.stage.settle(&stack).await?;
    ensure!(
        world.count() == before,
        "after adopting there are {} objects, not {before}",
        world.count()
    );
    Ok(())
}
