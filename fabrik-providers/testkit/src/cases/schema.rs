//! S1 to S8: the schemas of configuration and types.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fabrik_core::provider::{Fields, Proposal};
use fabrik_core::value::Path;
use serde_json::{Map, Value as Json, json};

use super::{Case, Ctx, always, case};
use crate::suite::world::{IT, Stop, Verdict, World, ensure, plain, value_of, with_field};
use crate::suite::{Facts, Need};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Type "S1" "schemas_are_valid"
            "schemas are valid draft 2020-12, with an object at the root" always, s1),
        case!(Type "S2" "every_field_has_a_description"
            "every field has a description" always, s2),
        case!(Type "S3" "examples_validate"
            "examples in the schema fit it" always, s3),
        case!(Type "S4" "unknown_fields_are_refused"
            "unknown fields are refused" always, s4),
        case!(Type "S5" "samples_come_back_unchanged"
            "samples fit the schema, set every field, and come back as they were written" always, s5),
        case!(Type "S6" "secrets_are_sensitive"
            "fields that sound like secrets are `sensitive`" always, s6),
        case!(Type "S7" "the_schema_is_recorded"
            "the schema is as recorded; what breaks stored state raises the type's version"
            always, s7),
        case!(Type "S8" "outputs_do_not_collide"
            "names of outputs do not collide with roots of references" always, s8),
        case!(Provider "S9" "the_configuration_too"
            "the configuration's schema keeps the rules of S1, S2, S3, S4 and S6" s9_need, s9),
        case!(Provider "S10" "every_type_has_samples"
            "every type of the provider is tested, or listed as untested" s9_need, s10),
    ]
}

fn s9_need(_: &Facts<'_>) -> Need {
    Need::Run
}

/// The type's schemas: of inputs, of outputs.
fn schemas(ctx: &Ctx) -> Verdict<(Json, Json, Fields)> {
    let world = ctx.world()?;
    let info = world.info()?;
    Ok((
        info.schema.clone(),
        info.outputs.clone(),
        info.fields.clone(),
    ))
}

fn valid(what: &str, schema: &Json) -> Verdict {
    if let Err(error) = jsonschema::draft202012::meta::validate(schema) {
        return Err(Stop::Fail(format!(
            "the schema of {what} is not valid draft 2020-12 at `{}`: {error}",
            error.instance_path()
        )));
    }
    ensure!(
        schema.get("type") == Some(&json!("object")),
        "the schema of {what} is not of an object: `type` is {:?}",
        schema.get("type")
    );
    Ok(())
}

async fn s1(ctx: Ctx) -> Verdict {
    let (inputs, outputs, _) = schemas(&ctx)?;
    valid("inputs", &inputs)?;
    valid("outputs", &outputs)
}

/// Calls `found` with each property below a schema, its path, and its schema.
fn properties(schema: &Json, at: &str, found: &mut dyn FnMut(&str, &Json)) {
    let Json::Object(map) = schema else { return };
    for (key, below) in map {
        match key.as_str() {
            "properties" => {
                for (name, property) in below.as_object().into_iter().flatten() {
                    let path = if at.is_empty() {
                        name.clone()
                    } else {
                        format!("{at}.{name}")
                    };
                    found(&path, property);
                    properties(property, &path, found);
                }
            }
            "$defs" => {
                for (name, def) in below.as_object().into_iter().flatten() {
                    properties(def, name, found);
                }
            }
            "items" | "additionalProperties" => properties(below, at, found),
            "anyOf" | "oneOf" | "allOf" => {
                for part in below.as_array().into_iter().flatten() {
                    properties(part, at, found);
                }
            }
            _ => {}
        }
    }
}

fn described(schema: &Json) -> Vec<String> {
    let mut bare = Vec::new();
    properties(schema, "", &mut |path, property| {
        let target = property
            .get("$ref")
            .and_then(Json::as_str)
            .and_then(|text| schema.pointer(text.strip_prefix('#')?));
        let has = |schema: &Json| {
            schema
                .get("description")
                .and_then(Json::as_str)
                .is_some_and(|text| !text.trim().is_empty())
        };
        // The value that tells variants apart is described by its variant.
        let tag = property.get("const").is_some();
        if !has(property) && !target.is_some_and(has) && !tag {
            bare.push(path.to_owned());
        }
    });
    bare
}

async fn s2(ctx: Ctx) -> Verdict {
    let (inputs, outputs, _) = schemas(&ctx)?;
    for (what, schema) in [("inputs", inputs), ("outputs", outputs)] {
        let bare = described(&schema);
        ensure!(
            bare.is_empty(),
            "{what} without a description: {}",
            bare.join(", ")
        );
    }
    Ok(())
}

fn examples(schema: &Json) -> Verdict {
    let defs = schema.get("$defs").cloned().unwrap_or_else(|| json!({}));
    let mut all = vec![(String::new(), schema.clone())];
    properties(schema, "", &mut |path, property| {
        all.push((path.to_owned(), property.clone()));
    });
    for (path, part) in all {
        let Some(list) = part.get("examples").and_then(Json::as_array) else {
            continue;
        };
        let alone = json!({"$defs": defs, "allOf": [part]});
        let validator = jsonschema::validator_for(&alone)
            .map_err(|error| Stop::Fail(format!("the schema of `{path}`: {error}")))?;
        for example in list {
            if let Err(error) = validator.validate(example) {
                return Err(Stop::Fail(format!(
                    "the example {example} of `{path}` does not fit: {error}"
                )));
            }
        }
    }
    Ok(())
}

async fn s3(ctx: Ctx) -> Verdict {
    let (inputs, outputs, _) = schemas(&ctx)?;
    examples(&inputs)?;
    examples(&outputs)
}

async fn s4(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = with_field(&world.samples().fullest(), "fbt_unknown", &json!("x"));
    let Err(error) = world.load(&sample) else {
        return Err(Stop::Fail(
            "a field `fbt_unknown` was accepted: `deny_unknown_fields` is missing".to_owned(),
        ));
    };
    let text = crate::suite::world::tell(&error);
    ensure!(
        text.contains("fbt_unknown"),
        "an unknown field was refused without being named: {text}"
    );
    Ok(())
}

async fn s5(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let info = world.info()?;
    let samples = world.samples();
    let validator = jsonschema::validator_for(&info.schema)
        .map_err(|error| Stop::Fail(format!("the schema: {error}")))?;
    let instance = world.open().await?;
    let address = fabrik_core::address::Address::parse(IT)?;
    for (name, sample) in samples.every() {
        let sample = world.filled(sample);
        let refers = sample.to_string().contains("${");
        if !refers && let Err(error) = validator.validate(&sample) {
            return Err(Stop::Fail(format!(
                "{name}: does not fit the schema at `{}`: {error}",
                error.instance_path()
            )));
        }
        let stack = world.load(&sample)?;
        let declared = stack.resources.get(&address);
        let inputs = declared.map(|declared| declared.inputs.clone());
        let inputs = inputs.unwrap_or_default();
        if !refers {
            ensure!(
                plain(&inputs) == sample,
                "{name}: written as {sample} and read as {}",
                fabrik_core::value::to_wire_masked(&inputs)
            );
        }
        // What planning makes of inputs, it leaves alone when it gets it again.
        let cx = world.stage.cx();
        let once = async |desired: &fabrik_core::value::Value| {
            let proposal = Proposal {
                address: &address,
                type_name: world.type_name(),
                last_sent: None,
                observed: None,
                desired,
            };
            instance.plan(&cx, proposal).await
        };
        let first = once(&inputs).await?.inputs;
        let second = once(&first).await?.inputs;
        ensure!(
            first == second,
            "{name}: planning normalises what it has normalised before"
        );
    }
    instance.close().await;
    let declared = samples.every();
    let names = info.fields.properties.iter();
    let left_out = names.filter(|(name, _)| {
        let deprecated = info
            .schema
            .pointer(&format!("/properties/{name}/x-fabrik/deprecated"))
            .is_some();
        !deprecated
            && !declared
                .iter()
                .any(|(_, sample)| sample.get(&***name).is_some())
    });
    let left_out: Vec<&str> = left_out.map(|(name, _)| &**name).collect();
    ensure!(
        left_out.is_empty(),
        "no sample sets {} (.maximal sets every field; what excludes each other goes into .variant)",
        left_out.join(", ")
    );
    Ok(())
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(['_', '-']).collect();
    if words.contains(&"public") || name.ends_with("_id") || name.ends_with("_name") {
        return false;
    }
    words.iter().any(|word| {
        matches!(
            *word,
            "token"
                | "secret"
                | "secrets"
                | "password"
                | "passwd"
                | "passphrase"
                | "credential"
                | "credentials"
                | "key"
                | "apikey"
                | "privatekey"
        )
    })
}

fn open_secrets(schema: &Json, fields: &Fields) -> Vec<String> {
    let mut open = Vec::new();
    properties(schema, "", &mut |path, property| {
        let name = path.rsplit('.').next().unwrap_or(path);
        let text = property.get("type").is_none_or(|kind| {
            kind == "string"
                || kind
                    .as_array()
                    .is_some_and(|all| all.contains(&json!("string")))
        });
        let marked = fields.at(&Path::parse(path)).sensitive
            || property.pointer("/x-fabrik/sensitive") == Some(&json!(true))
            || property
                .get("$ref")
                .and_then(Json::as_str)
                .and_then(|text| schema.pointer(text.strip_prefix('#')?))
                .and_then(|target| target.pointer("/x-fabrik/sensitive"))
                == Some(&json!(true));
        if text && sounds_secret(name) && !marked {
            open.push(path.to_owned());
        }
    });
    open
}

async fn s6(ctx: Ctx) -> Verdict {
    let (inputs, outputs, fields) = schemas(&ctx)?;
    let mut open = open_secrets(&inputs, &fields);
    open.extend(open_secrets(&outputs, &Fields::of_schema(&outputs)));
    ensure!(
        open.is_empty(),
        "fields that sound like secrets and are not `sensitive` (mark them, or waive S6): {}",
        open.join(", ")
    );
    Ok(())
}

/// What stored state relies on, that one schema has and the other has not.
fn broken(before: &Json, after: &Json, what: &str, out: &mut Vec<String>) {
    let names = |schema: &Json| -> BTreeMap<String, Json> {
        let mut all = BTreeMap::new();
        properties(schema, "", &mut |path, property| {
            all.insert(path.to_owned(), property.clone());
        });
        all
    };
    let (old, new) = (names(before), names(after));
    for (path, property) in &old {
        match new.get(path) {
            None => out.push(format!("{what} `{path}` is gone")),
            Some(now) if now.get("type") != property.get("type") => {
                out.push(format!("{what} `{path}` has another type"));
            }
            Some(_) => {}
        }
    }
    let required = |schema: &Json| -> Vec<String> {
        let list = schema.get("required").and_then(Json::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect()
    };
    let was = required(before);
    if what == "input" {
        for name in required(after) {
            if !was.contains(&name) {
                out.push(format!("{what} `{name}` is required now"));
            }
        }
    }
}

fn place(world: &World) -> Option<PathBuf> {
    let folder = world.def.folder.as_ref()?;
    let name = format!("{}.json", world.type_name());
    Some(folder.join("tests").join("schemas").join(name))
}

async fn s7(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let info = world.info()?;
    let Some(file) = place(&world) else {
        return Err(Stop::Skip("the crate's folder is not known".to_owned()));
    };
    let now = json!({
        "version": info.version, "inputs": info.schema, "outputs": info.outputs,
    });
    let text = format!(
        "{}\n",
        serde_json::to_string_pretty(&now).unwrap_or_default()
    );
    let kept = std::fs::read_to_string(&file).ok();
    let before: Option<Json> = kept.and_then(|text| serde_json::from_str(&text).ok());
    let mut wrong = Vec::new();
    if let Some(before) = &before {
        let null = Json::Null;
        let part = |json: &Json, key: &str| json.get(key).unwrap_or(&null).clone();
        broken(
            &part(before, "inputs"),
            &part(&now, "inputs"),
            "input",
            &mut wrong,
        );
        broken(
            &part(before, "outputs"),
            &part(&now, "outputs"),
            "output",
            &mut wrong,
        );
        let rose = before.get("version").and_then(Json::as_u64) < Some(u64::from(info.version));
        ensure!(
            wrong.is_empty() || rose,
            "stored state would not fit any more, and the type's version is still {}: {} (raise \
             the version, and write `upgrade`)",
            info.version,
            wrong.join("; ")
        );
    }
    if before.as_ref() == Some(&now) {
        return Ok(());
    }
    let shown = file.display();
    ensure!(
        world.def.update,
        "the schema is not as recorded in {shown}: look at the difference, and run with \
         FABRIK_UPDATE=1 to record it"
    );
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{shown}: {error}"))?;
    }
    std::fs::write(&file, text).map_err(|error| format!("{shown}: {error}"))?;
    Ok(())
}

/// What references begin with.
const ROOTS: [&str; 13] = [
    "apps",
    "each",
    "env",
    "fabrik",
    "file",
    "inputs",
    "outputs",
    "providers",
    "resources",
    "secrets",
    "self",
    "stacks",
    "vars",
];

async fn s8(ctx: Ctx) -> Verdict {
    let (inputs, outputs, _) = schemas(&ctx)?;
    let empty = Map::new();
    let of = |schema: &Json| {
        let found = schema.get("properties").and_then(Json::as_object);
        found.unwrap_or(&empty).clone()
    };
    let (inputs, outputs) = (of(&inputs), of(&outputs));
    for (name, schema) in &outputs {
        ensure!(
            !ROOTS.contains(&name.as_str()),
            "the output `{name}` is called like a root of references"
        );
        // `${resources.x.name}` takes the output first.
        let kind = |schema: &Json| schema.get("type").cloned();
        let clash = inputs.get(name).filter(|input| {
            kind(input).is_some() && kind(schema).is_some() && kind(input) != kind(schema)
        });
        ensure!(
            clash.is_none(),
            "`{name}` is an input and an output, of different types: a reference to the input \
             would find the output"
        );
    }
    Ok(())
}

async fn s9(ctx: Ctx) -> Verdict {
    let provider = (ctx.def.provider)();
    let config = provider.info().config.clone();
    valid("the configuration", &config)?;
    let bare = described(&config);
    ensure!(
        bare.is_empty(),
        "fields of the configuration without a description: {}",
        bare.join(", ")
    );
    examples(&config)?;
    let open = open_secrets(&config, &Fields::of_schema(&config));
    ensure!(
        open.is_empty(),
        "fields of the configuration that sound like secrets and are not `sensitive`: {}",
        open.join(", ")
    );
    let unknown = ctx.configured(|config| with_field(&config, "fbt_unknown", &json!("x")))?;
    let mut refused = unknown.stage.load(&json!({})).is_err();
    if !refused {
        let given = value_of(&unknown.config);
        refused = provider.open(&unknown.stage.cx(), &given).await.is_err();
    }
    ensure!(
        refused,
        "an unknown field of the configuration was accepted: `deny_unknown_fields` is missing"
    );
    Ok(())
}

async fn s10(ctx: Ctx) -> Verdict {
    let provider = (ctx.def.provider)();
    let def = &ctx.def;
    let declared = def.resources.iter().chain(&def.lookups).chain(&def.actions);
    let declared: Vec<&str> = declared.map(|samples| samples.type_name.as_str()).collect();
    let types = provider
        .info()
        .types
        .iter()
        .map(|info| info.name.to_string());
    let bare: Vec<String> = types
        .filter(|name| !declared.contains(&name.as_str()) && !def.untested.contains_key(name))
        .collect();
    ensure!(
        bare.is_empty(),
        "types without samples (.resource, .lookup, .action, or .untested with a reason): {}",
        bare.join(", ")
    );
    Ok(())
}
