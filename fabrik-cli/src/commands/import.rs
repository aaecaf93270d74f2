//! `fabrik import`.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::stack::{Declared, Stack};
use fabrik_core::value::Value;
use serde_json::json;

use crate::args::ImportArgs;
use crate::exit::Exit;
use crate::expand;
use crate::fail::{Done, Fail};
use crate::output::table::Table;
use crate::output::{Tone, text};
use crate::place::{Access, Project};
use crate::session::Session;

/// Takes over an object that exists already; without an id, lists what there is to take over.
pub(super) async fn import(session: &mut Session, args: &ImportArgs) -> Done {
    let project = session.load(None).await?;
    let registry = &session.registry;
    let is_type = |word: &str| registry.types().any(|info| &*info.name == word);
    let (address, id, stack, declared) = match args.what.as_slice() {
        [word] | [word, _] if is_type(word) => {
            let name = args.what.get(1).map_or("NAME", String::as_str);
            let address = Address::resource(name)?;
            let stack = with(&project.stack, &address, word)?;
            return list(
                session,
                &project,
                stack,
                &address,
                word,
                &format!("{word} {name}"),
            )
            .await;
        }
        [word] => {
            let address = parse(word, session, &project.stack)?;
            let stack = project.stack.clone();
            let type_name = declared_here(&stack, &address)?.to_string();
            let again = address.to_string();
            return list(session, &project, stack, &address, &type_name, &again).await;
        }
        [address, id] => {
            let address = parse(address, session, &project.stack)?;
            declared_here(&project.stack, &address)?;
            (address, id, project.stack.clone(), true)
        }
        [type_name, name, id] => {
            let address = Address::resource(name)?;
            crate::reference::type_info(&session.registry, type_name)?;
            let stack = with(&project.stack, &address, type_name)?;
            (address, id, stack, false)
        }
        _ => return Err(Fail::usage("`import` takes ADDRESS ID, or TYPE NAME ID")),
    };
    let engine = session.engine(&project.place, Access::Change).await?;
    let row = engine.import(stack, &address, id).await.map_err(|error| {
        if error.kind() == ErrorKind::NotFound && error.hint_text().is_none() {
            let words = &args.what[..args.what.len() - 1];
            return error.hint(format!(
                "`fabrik import {}` lists what there is",
                words.join(" ")
            ));
        }
        error
    })?;
    session.out.success(&format!(
        "{address} is {} `{}` now",
        row.type_name, row.object.id
    ))?;
    if session.is_machine() {
        session.out.structured(&json!({
            "v": 1,
            "address": row.address,
            "type": row.type_name,
            "id": row.object.id,
            "inputs": fabrik_core::value::to_wire_masked(&row.object.inputs),
        }))?;
    } else if !declared {
        // What was read is how it is to be written.
        let mut found = Stack::new(&*project.stack.name);
        found.declare(Declared {
            inputs: row.object.inputs.clone(),
            ..row.as_declared()
        })?;
        session.out.data(&expand::stack_text(&found))?;
    }
    session.out.hint(if declared {
        "`fabrik plan` shows where it differs from the spec"
    } else {
        "put this into the spec before the next apply: what is in state and not in the spec is deleted"
    })?;
    Ok(Exit::DONE)
}

/// An address as written: `resources.zone`, or just `zone`. A word with a point that no address has
/// is probably meant as a type.
fn parse(word: &str, session: &Session, stack: &Stack) -> Done<Address> {
    let address = Address::parse(word).or_else(|_| Address::resource(word));
    match address {
        Ok(address) if stack.resources.contains_key(&address) || !word.contains('.') => Ok(address),
        Ok(address) if word.starts_with("resources.") || word.starts_with("apps.") => Ok(address),
        _ => match crate::reference::type_info(&session.registry, word) {
            Err(error) => Err(error.into()),
            // It is no type (those were looked at before) but something else with a name.
            Ok(_) => Err(Fail::usage(format!(
                "`{word}` is neither an address nor a type"
            ))),
        },
    }
}

/// The stack with one more resource, whose fields will be read.
fn with(stack: &Stack, address: &Address, type_name: &str) -> Done<Arc<Stack>> {
    let mut stack = Stack::clone(stack);
    if stack.resources.contains_key(address) {
        return Err(Fail::usage_hint(
            format!("{address} is declared already"),
            format!("run `fabrik import {address} ID`"),
        ));
    }
    let empty = Value::map::<&str>([]);
    stack.declare(Declared::new(address.clone(), type_name, empty))?;
    Ok(Arc::new(stack))
}

/// Lists what can be taken over.
async fn list(
    session: &mut Session,
    project: &Project,
    stack: Arc<Stack>,
    address: &Address,
    type_name: &str,
    words: &str,
) -> Done {
    let shape = crate::reference::type_info(&session.registry, type_name)?
        .import_id
        .clone();
    let shape = if shape.is_empty() { "ID" } else { &*shape };
    let engine = session.engine(&project.place, Access::Look).await?;
    let found = match engine.importable(stack, address).await {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            return Err(Fail::usage_hint(
                format!("{error}, so its id has to be named"),
                format!("run `fabrik import {words} {shape}`"),
            ));
        }
        Err(error) => return Err(error.into()),
    };
    if session.is_machine() {
        let objects: Vec<_> = found
            .iter()
            .map(|object| {
                json!({"id": object.id, "inputs": fabrik_core::value::to_wire_masked(&object.inputs)})
            })
            .collect();
        session
            .out
            .structured(&json!({"v": 1, "type": type_name, "objects": objects}))?;
        return Ok(Exit::DONE);
    }
    if found.is_empty() {
        let text = format!("no {type_name} is there that this stack does not have");
        session.out.message(&text)?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(["ID", "WHAT"]).keep(0);
    for object in &found {
        table.row([
            (Tone::Strong, object.id.clone()),
            (Tone::Plain, summary(&object.inputs)),
        ]);
    }
    let text = table.render(session.out.data_style());
    session.out.data(&text)?;
    session
        .out
        .hint(&format!("`fabrik import {words} {shape}` takes one over"))?;
    Ok(Exit::DONE)
}

/// The short fields of an object in a line.
fn summary(inputs: &Value) -> String {
    let fields = inputs.as_map().into_iter().flat_map(|map| map.iter());
    let fields = fields.filter_map(|(name, value)| {
        let text = match fabrik_core::value::to_wire_masked(value) {
            serde_json::Value::String(text) => text,
            value @ (serde_json::Value::Bool(_) | serde_json::Value::Number(_)) => {
                value.to_string()
            }
            _ => return None,
        };
        let short = text.lines().next().unwrap_or_default();
        (!short.is_empty()).then(|| format!("{name} {}", text::shorten(short, 40)))
    });
    fields.collect::<Vec<_>>().join(", ")
}

/// The type of a declared resource.
fn declared_here<'a>(stack: &'a Stack, address: &Address) -> Done<&'a str> {
    if let Some(declared) = stack.resources.get(address) {
        return Ok(&declared.type_name);
    }
    let message = format!("the spec declares no {address}");
    let error = Error::new(ErrorKind::NotFound, message);
    let known = stack.resources.keys().map(Address::as_str);
    Err(
        match fabrik_core::diagnostic::did_you_mean(address.as_str(), known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("declare it first, or run `fabrik import TYPE NAME ID`"),
        }
        .into(),
    )
}
