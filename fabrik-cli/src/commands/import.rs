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
use crate::place::Access;
use crate::session::Session;

/// Takes over an object that exists already.
pub(super) async fn import(session: &mut Session, args: &ImportArgs) -> Done {
    let project = session.load(None).await?;
    let (address, id, stack, declared) = match args.what.as_slice() {
        [address, id] => {
            let address = Address::parse(address).or_else(|_| Address::resource(address))?;
            declared_here(&project.stack, &address)?;
            (address, id, project.stack.clone(), true)
        }
        [type_name, name, id] => {
            let address = Address::resource(name)?;
            crate::reference::type_info(&session.registry, type_name)?;
            let mut stack = Stack::clone(&project.stack);
            if stack.resources.contains_key(&address) {
                return Err(Fail::usage_hint(
                    format!("{address} is declared already"),
                    format!("run `fabrik import {address} ID`"),
                ));
            }
            let empty = Value::map::<&str>([]);
            stack.declare(Declared::new(address.clone(), type_name.as_str(), empty))?;
            (address, id, Arc::new(stack), false)
        }
        _ => return Err(Fail::usage("`import` takes ADDRESS ID, or TYPE NAME ID")),
    };
    let engine = session.engine(&project.place, Access::Change).await?;
    let row = engine.import(stack, &address, id).await?;
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

fn declared_here(stack: &Stack, address: &Address) -> Done<()> {
    if stack.resources.contains_key(address) {
        return Ok(());
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
