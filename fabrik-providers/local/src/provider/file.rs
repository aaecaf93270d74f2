//! `local.file`.

use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Finding, Keys, Lost, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::link::{Local, blocking, clean};
use super::place::{Content, Place};
use super::values::secrecy;
use crate::hash::sha256_hex;

/// Budget of one operation. A write that does not return has died with its program, so that little
/// has to be waited for after a crash.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Who may read a file unless said.
const OPEN: &str = "0644";
/// Who may read a file with a secret in it unless said.
const PRIVATE: &str = "0600";

/// A text file on this machine.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalFileInputs {
    /// Where it is, relative to the spec's file. Missing folders are made.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub path: String,
    /// What is in it.
    pub content: String,
    /// Who may read, write and run it: `0644`, or `0600` when a secret is in it, unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^0?[0-7]{3}$"), extend("x-fabrik" = {"computed": true}))]
    pub mode: Option<String>,
}

/// What is known of a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LocalFileOutputs {
    /// Its absolute path. (`path` is what the spec says, relative to the spec's file.)
    pub absolute_path: String,
    /// SHA-256 of what is in it.
    pub sha256: String,
}

/// `local.file`: a text file.
#[derive(Clone, Copy, Debug)]
pub struct LocalFile;

impl LocalFile {
    fn place(local: &Local, id: &str) -> Result<Place> {
        Place::new(local.base_dir(), local.state_dir(), id)
    }

    fn outputs(place: &Place, text: &str) -> LocalFileOutputs {
        LocalFileOutputs {
            absolute_path: place.path().display().to_string(),
            sha256: sha256_hex(text.as_bytes()),
        }
    }
}

impl Resource for LocalFile {
    const TYPE: &'static str = "local.file";
    type Client = Local;
    type Spec = LocalFileInputs;
    type Outputs = LocalFileOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            settle: Duration::ZERO,
            timeout: TIMEOUT,
            exclusive: true,
            volatile: vec![Path::key("sha256")],
            ..info
        }
    }

    async fn create(
        &self,
        _: &Cx,
        local: &Local,
        spec: &LocalFileInputs,
    ) -> Result<Created<LocalFileOutputs>> {
        let id = id_of(&spec.path);
        let place = Self::place(local, &id)?;
        let outputs = Self::outputs(&place, &spec.content);
        let text = &spec.content;
        let mode = parse_mode(spec.mode.as_deref().unwrap_or(PRIVATE))?;
        // Here and not on another thread, where it would go on although nobody waits for it any more:
        // what was given up must not land later.
        match place.read()? {
            // An earlier attempt of this very operation.
            Some(there) if there.text == *text && there.mode == mode => {}
            Some(_) => return Err(place.taken()),
            None => place.write(text, mode, false)?,
        }
        Ok(Created::new(id, outputs))
    }

    async fn read(
        &self,
        _: &Cx,
        local: &Local,
        id: &str,
    ) -> Result<Option<Observed<LocalFileInputs, LocalFileOutputs>>> {
        let place = Self::place(local, id)?;
        let (place, there) = blocking(move || {
            let there = place.read()?;
            Ok((place, there))
        })
        .await?;
        Ok(there.map(|there| describe(id, &place, there)))
    }

    async fn update(
        &self,
        _: &Cx,
        local: &Local,
        id: &str,
        change: &Change<'_, LocalFileInputs>,
    ) -> Result<LocalFileOutputs> {
        let place = Self::place(local, id)?;
        let outputs = Self::outputs(&place, &change.spec.content);
        let wanted = change.spec.mode.as_deref().map(parse_mode).transpose()?;
        let mode = match (wanted, place.read()?) {
            (Some(mode), _) => mode,
            (None, Some(there)) => there.mode,
            (None, None) => parse_mode(PRIVATE)?,
        };
        place.write(&change.spec.content, mode, true)?;
        Ok(outputs)
    }

    async fn delete(&self, _: &Cx, local: &Local, id: &str) -> Result<()> {
        let place = Self::place(local, id)?;
        place.remove()
    }

    fn keys(&self, _: &Local, inputs: &Value) -> Keys {
        let path = inputs.get("path").and_then(Value::as_str);
        Keys {
            locks: path
                .map(|path| format!("{}/{}", Self::TYPE, id_of(path)).into())
                .into_iter()
                .collect(),
            ..Keys::default()
        }
    }

    async fn plan(&self, _: &Cx, local: &Local, proposal: Proposal<'_>) -> Result<Planned> {
        let mut planned = Planned {
            inputs: proposal.desired.clone(),
            ..Planned::default()
        };
        let mut blame = |field: &str, error: Error| {
            planned.findings.push(Finding {
                blocking: true,
                message: error.message().to_owned(),
                hint: error.hint_text().map(str::to_owned),
                field: Some(Path::key(field)),
                adopt: None,
            });
        };
        if let Some(path) = proposal.desired.get("path").and_then(Value::as_str)
            && let Err(error) = Self::place(local, &id_of(path))
        {
            blame("path", error);
        }
        let mode = match proposal.desired.get("mode") {
            None | Some(Value::Null) => {
                mode_for(proposal.desired.get("content")).map(str::to_owned)
            }
            Some(mode) => match mode.as_str().map(parse_mode) {
                Some(Ok(mode)) => Some(mode_text(mode)),
                Some(Err(error)) => {
                    blame("mode", error);
                    None
                }
                None => None,
            },
        };
        if let Some(mode) = mode {
            planned.inputs = planned.inputs.with(&Path::key("mode"), Value::from(mode));
        }
        Ok(planned)
    }

    async fn locate(
        &self,
        cx: &Cx,
        local: &Local,
        _: OpId,
        spec: &LocalFileInputs,
    ) -> Result<Option<Found<LocalFileInputs, LocalFileOutputs>>> {
        let id = id_of(&spec.path);
        if Self::place(local, &id).is_err() {
            // A path that cannot be: the plan says so, with its place.
            return Ok(None);
        }
        let found = self.read(cx, local, &id).await?;
        Ok(found.map(|observed| Found {
            id,
            observed,
            marked: false,
        }))
    }
}

/// The id of a file: its path without detours.
fn id_of(path: &str) -> String {
    let cleaned = clean(std::path::Path::new(path)).display().to_string();
    if path.ends_with('/') {
        format!("{cleaned}/")
    } else {
        cleaned
    }
}

fn describe(
    id: &str,
    place: &Place,
    there: Content,
) -> Observed<LocalFileInputs, LocalFileOutputs> {
    let outputs = LocalFile::outputs(place, &there.text);
    let spec = LocalFileInputs {
        path: id.to_owned(),
        content: there.text,
        mode: Some(mode_text(there.mode)),
    };
    Observed::new(spec, outputs)
}

/// The mode of a file unless said; `None` while it is not known whether a secret is in it.
fn mode_for(content: Option<&Value>) -> Option<&'static str> {
    let secret = secrecy(content?)?;
    Some(if secret { PRIVATE } else { OPEN })
}

fn parse_mode(text: &str) -> Result<u32> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        _ => Err(Error::new(
            ErrorKind::Invalid,
            format!("`{text}` is no mode of a file, such as `0644`"),
        )
        .field(Path::key("mode"))),
    }
}

fn mode_text(mode: u32) -> String {
    format!("{mode:04o}")
}
