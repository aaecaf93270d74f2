//! A provider to test the program with: notes, kept as files in a folder.

use std::path::{Path, PathBuf};

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Observed, ProviderBuilder, Resource};
use fabrik_core::provider::{Cx, Provider, TypeInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where notes are kept.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The folder.
    folder: PathBuf,
    /// `bad` is refused; `far` cannot be reached.
    #[serde(default)]
    token: String,
}

/// A note.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoteSpec {
    /// Its name; another name is another note.
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    name: String,
    /// What it says.
    #[serde(default)]
    text: String,
    /// A password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sensitive": true}))]
    password: Option<String>,
    /// Makes the create end badly: `refused`, `panic`, `slow`; `keep` makes the delete fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

/// What the folder tells of a note.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct NoteOut {
    /// Its address.
    url: String,
}

struct Note;

impl Resource for Note {
    const TYPE: &'static str = "demo.note";
    type Client = PathBuf;
    type Spec = NoteSpec;
    type Outputs = NoteOut;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            description: "A note, kept as a file.".into(),
            import_id: "NAME".into(),
            ..info
        }
    }

    async fn create(&self, cx: &Cx, folder: &PathBuf, spec: &NoteSpec) -> Result<Created<NoteOut>> {
        match spec.trouble.as_deref() {
            Some("refused") => {
                let message = format!("the folder refuses `{}`", spec.name);
                return Err(Error::new(ErrorKind::Conflict, message).effect(Effect::None));
            }
            Some("panic") => panic!("the folder fell over"),
            Some("slow") => {
                for _ in 0..600 {
                    cx.note("writing slowly");
                    cx.sleep(std::time::Duration::from_millis(100)).await?;
                }
            }
            _ => {}
        }
        write(folder, spec)?;
        Ok(Created::new(spec.name.clone(), out(spec)))
    }

    async fn read(
        &self,
        _: &Cx,
        folder: &PathBuf,
        id: &str,
    ) -> Result<Option<Observed<NoteSpec, NoteOut>>> {
        let Ok(text) = std::fs::read_to_string(folder.join(id)) else {
            return Ok(None);
        };
        let spec: NoteSpec = serde_json::from_str(&text).expect("notes are JSON");
        let outputs = out(&spec);
        Ok(Some(Observed::new(spec, outputs)))
    }

    async fn update(
        &self,
        _: &Cx,
        folder: &PathBuf,
        _: &str,
        change: &Change<'_, NoteSpec>,
    ) -> Result<NoteOut> {
        write(folder, change.spec)?;
        Ok(out(change.spec))
    }

    async fn delete(&self, _: &Cx, folder: &PathBuf, id: &str) -> Result<()> {
        let path = folder.join(id);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if text.contains("\"keep\"") && !folder.join(".free").exists() {
            let message = format!("the folder keeps `{id}`");
            return Err(Error::new(ErrorKind::Conflict, message).effect(Effect::None));
        }
        _ = std::fs::remove_file(path);
        Ok(())
    }
}

fn out(spec: &NoteSpec) -> NoteOut {
    NoteOut {
        url: format!("https://notes.test/{}", spec.name),
    }
}

fn write(folder: &Path, spec: &NoteSpec) -> Result<()> {
    let text = serde_json::to_string(spec).expect("a note is JSON");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join(&spec.name), text))
        .map_err(|error| Error::new(ErrorKind::Io, "the note cannot be written").cause(error))
}

/// The provider `demo`.
pub(crate) fn demo() -> impl Provider {
    ProviderBuilder::new(
        "demo",
        "1.0.0",
        async |_: &Cx, config: Config| match config.token.as_str() {
            "bad" => Err(
                Error::new(ErrorKind::Auth, "the folder does not know this token")
                    .hint("set `DEMO_TOKEN`"),
            ),
            "far" => Err(
                Error::new(ErrorKind::Unavailable, "the folder cannot be reached").temporary(false),
            ),
            _ => Ok(config.folder),
        },
    )
    .resource(Note)
    .build()
}
