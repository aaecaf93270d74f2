//! Saved plans: sealed, versioned, applied exactly or refused.

use serde::{Deserialize, Serialize};

use super::Plan;
use crate::error::{Error, ErrorKind, Result};
use crate::secrets::Cipher;

const MAGIC: &[u8] = b"fabrik-plan\n";

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    fabrik: String,
    stack: String,
    env: String,
}

/// The plan as the bytes of a plan file: a readable header line, then the encrypted plan.
///
/// # Errors
/// Of the random source.
pub fn save(plan: &Plan, cipher: &Cipher) -> Result<Vec<u8>> {
    let header = Header {
        format: Plan::FORMAT,
        fabrik: plan.fabrik.clone(),
        stack: plan.stack.name.to_string(),
        env: plan.stack.env.to_string(),
    };
    let unexpected =
        |error: serde_json::Error| Error::new(ErrorKind::Unexpected, error.to_string());
    let body = serde_json::to_vec(&SealedPlan::of(plan, cipher)?).map_err(unexpected)?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend(serde_json::to_vec(&header).map_err(unexpected)?);
    bytes.push(b'\n');
    bytes.extend(cipher.encrypt(&body)?);
    Ok(bytes)
}

/// Reads a plan file.
///
/// # Errors
/// [`ErrorKind::Invalid`] for something else, [`ErrorKind::Newer`] for a newer form,
/// [`ErrorKind::Auth`] with another key.
pub fn load(bytes: &[u8], cipher: &Cipher) -> Result<Plan> {
    let not_a_plan = || {
        Error::new(ErrorKind::Invalid, "this is not a saved plan")
            .hint("make one with `fabrik plan -o FILE`")
    };
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(not_a_plan)?;
    let end = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(not_a_plan)?;
    let header: Header = serde_json::from_slice(&rest[..end]).map_err(|_| not_a_plan())?;
    if header.format != Plan::FORMAT {
        return Err(Error::new(
            ErrorKind::Newer,
            format!(
                "this plan was saved by Fabrik {} in form {}, and this program reads form {}",
                header.fabrik,
                header.format,
                Plan::FORMAT
            ),
        )
        .hint("plan again"));
    }
    let body = cipher.decrypt(&rest[end + 1..])?;
    let damaged =
        |_| Error::new(ErrorKind::Corrupt, "this plan file is damaged").hint("plan again");
    let sealed: SealedPlan = serde_json::from_slice(&body).map_err(damaged)?;
    sealed.open(cipher)
}

/// Whether bytes are a plan file.
pub fn is_plan(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// A plan whose secrets are sealed singly, so that it can be serialised at all.
#[derive(Serialize, Deserialize)]
struct SealedPlan(Plan);

impl SealedPlan {
    fn of(plan: &Plan, cipher: &Cipher) -> Result<SealedPlan> {
        let mut plan = plan.clone();
        map_values(&mut plan, &mut |value| cipher.seal_in_place(value))?;
        Ok(SealedPlan(plan))
    }

    fn open(mut self, cipher: &Cipher) -> Result<Plan> {
        map_values(&mut self.0, &mut |value| cipher.open_in_place(value))?;
        Ok(self.0)
    }
}

fn map_values(
    plan: &mut Plan,
    change: &mut dyn FnMut(&mut crate::value::Value) -> Result<()>,
) -> Result<()> {
    let mut stack = plan.stack.as_ref().clone();
    for declared in stack.resources.values_mut() {
        change(&mut declared.inputs)?;
    }
    for instance in stack.instances.values_mut() {
        change(&mut instance.config)?;
    }
    for value in stack.outputs.values_mut() {
        change(value)?;
    }
    for check in &mut stack.checks {
        change(&mut check.spec)?;
    }
    for app in &mut stack.apps {
        change(&mut app.url)?;
        change(&mut app.version)?;
    }
    plan.stack = std::sync::Arc::new(stack);
    let diffs = plan
        .changes
        .iter_mut()
        .flat_map(|planned| &mut planned.diff)
        .chain(plan.drift.iter_mut().flat_map(|drift| &mut drift.diff));
    for diff in diffs {
        change(&mut diff.before)?;
        change(&mut diff.after)?;
        if let Some(last) = &mut diff.last_sent {
            change(last)?;
        }
    }
    for object in plan
        .changes
        .iter_mut()
        .filter_map(|planned| planned.observed.as_mut())
    {
        change(&mut object.inputs)?;
        change(&mut object.outputs)?;
    }
    for output in &mut plan.outputs {
        for value in [&mut output.before, &mut output.after]
            .into_iter()
            .flatten()
        {
            change(value)?;
        }
    }
    for spec in plan.checks.values_mut() {
        change(spec)?;
    }
    for facts in plan.instances.values_mut() {
        change(&mut facts.facts)?;
    }
    Ok(())
}
