//! `pier.cargo`.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::io;
use std::path::Path;
use std::process::Command;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::{self, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, named};
use crate::{failed, taken};

/// A copy of a program's source, with what it needs installed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CargoSpec {
    /// Its name, unique on the pier.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// The folder to copy.
    pub source: String,
    /// A line for the shell that is run in the copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
    /// Hash of the folder; found out, so that changed files are a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub content: Option<String>,
}

/// What is known of cargo.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CargoOutputs {
    /// The copy.
    pub path: String,
    /// Hash of what was copied.
    pub hash: String,
}

/// `pier.cargo`: a copy of a program's source.
#[derive(Clone, Copy, Debug)]
pub struct Cargo;

const KIND: &str = "cargo";

fn outputs(pier: &Config, spec: &CargoSpec) -> CargoOutputs {
    CargoOutputs {
        path: pier.place(KIND, &spec.name).0.display().to_string(),
        hash: spec.content.clone().unwrap_or_default(),
    }
}

fn observe(pier: &Config, name: &str) -> Result<Option<Observed<CargoSpec, CargoOutputs>>> {
    let kept: Option<CargoSpec> = pier.load(KIND, name)?;
    Ok(kept.map(|spec| {
        let outputs = outputs(pier, &spec);
        Observed::new(spec, outputs)
    }))
}

/// Goes through a folder's files in order. Hidden ones are nobody's business.
fn walk(from: &Path, to: Option<&Path>, hash: &mut DefaultHasher) -> io::Result<()> {
    if let Some(to) = to {
        std::fs::create_dir_all(to)?;
    }
    let mut names: Vec<_> = std::fs::read_dir(from)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<_>>()?;
    names.sort();
    for name in names {
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let (here, there) = (from.join(&name), to.map(|to| to.join(&name)));
        hash.write(name.as_encoded_bytes());
        if here.is_dir() {
            walk(&here, there.as_deref(), hash)?;
        } else if here.is_file() {
            hash.write(&std::fs::read(&here)?);
            if let Some(there) = there {
                std::fs::copy(&here, there)?;
            }
        }
    }
    Ok(())
}

fn load(pier: &Config, spec: &CargoSpec) -> Result<CargoOutputs> {
    let (place, _) = pier.place(KIND, &spec.name);
    let new = place.with_extension("new");
    let mut hash = DefaultHasher::new();
    let copied = match std::fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => walk(&pier.project.join(&spec.source), Some(&new), &mut hash),
    };
    copied.map_err(|error| failed("copying the source", &error))?;
    if let Some(line) = &spec.install {
        let output = Command::new("/bin/sh")
            .args(["-c", line])
            .current_dir(&new)
            .output()
            .map_err(|error| failed("installing", &error))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let last = lines.len().saturating_sub(20);
            return Err(
                Error::new(ErrorKind::CheckFailed, format!("`{line}` failed: {}", output.status))
                    .effect(Effect::None)
                    .log_tail(lines.into_iter().skip(last))
                    .hint("run the line yourself in the project's folder"),
            );
        }
    }
    let spec = CargoSpec {
        content: Some(format!("{:016x}", hash.finish())),
        ..spec.clone()
    };
    let placed = match std::fs::remove_dir_all(&place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => std::fs::rename(&new, &place),
    };
    placed.map_err(|error| failed("placing the copy", &error))?;
    pier.store(KIND, &spec.name, &spec)?;
    Ok(outputs(pier, &spec))
}

impl Resource for Cargo {
    const TYPE: &'static str = "pier.cargo";
    type Client = Config;
    type Spec = CargoSpec;
    type Outputs = CargoOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            timeout: std::time::Duration::from_secs(900),
            volatile: vec![value::Path::key("hash")],
            ..named(info, "A copy of a program's source, with what it needs installed.")
        }
    }

    async fn create(
        &self,
        _: &Cx,
        pier: &Config,
        spec: &CargoSpec,
    ) -> Result<Created<CargoOutputs>> {
        if observe(pier, &spec.name)?.is_some() {
            return Err(taken("cargo", &spec.name));
        }
        Ok(Created::new(spec.name.clone(), load(pier, spec)?))
    }

    async fn read(
        &self,
        _: &Cx,
        pier: &Config,
        id: &str,
    ) -> Result<Option<Observed<CargoSpec, CargoOutputs>>> {
        observe(pier, id)
    }

    async fn update(
        &self,
        _: &Cx,
        pier: &Config,
        _: &str,
        change: &Change<'_, CargoSpec>,
    ) -> Result<CargoOutputs> {
        load(pier, change.spec)
    }

    async fn delete(&self, _: &Cx, pier: &Config, id: &str) -> Result<()> {
        let (place, _) = pier.place(KIND, id);
        match std::fs::remove_dir_all(place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("removing the copy", &error))
            }
            _ => pier.forget(KIND, id),
        }
    }

    /// What the folder holds is an input, so that a changed file is a change.
    async fn plan(&self, _: &Cx, pier: &Config, proposal: Proposal<'_>) -> Result<Planned> {
        let mut inputs = proposal.desired.clone();
        if let Some(source) = proposal.desired.get("source").and_then(Value::as_str) {
            let mut hash = DefaultHasher::new();
            walk(&pier.project.join(source), None, &mut hash)
                .map_err(|error| failed("reading the source", &error))?;
            let content = format!("{:016x}", hash.finish());
            inputs = inputs.with(&value::Path::key("content"), Value::from(content));
        }
        Ok(Planned {
            inputs,
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        _: &Cx,
        pier: &Config,
        _: OpId,
        spec: &CargoSpec,
    ) -> Result<Option<Found<CargoSpec, CargoOutputs>>> {
        Ok(observe(pier, &spec.name)?.map(|observed| Found {
            id: spec.name.clone(),
            observed,
            marked: false,
        }))
    }
}
