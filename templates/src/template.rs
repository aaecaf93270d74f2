//! What a template is, and where they are.

use std::sync::OnceLock;

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

/// A template as the build script embeds it.
struct Embedded {
    name: &'static str,
    about: &'static str,
    files: &'static [(&'static str, &'static str)],
}

static EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A template.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its name: `python-api`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub description: String,
    /// The kind of app it makes.
    pub kind: String,
    /// Programs that must be there to run it on this machine.
    pub needs: Vec<String>,
    /// JSON Schema of its answers.
    pub questions: Json,
    /// Answers that its tests use.
    pub fixture: Json,
    /// What shows that it works.
    pub check: Check,
    pub(crate) files: &'static [(&'static str, &'static str)],
}

/// What shows that a running app of a template works.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The path that answers with 200 while it works.
    pub health: String,
    /// Its main path.
    pub path: String,
    /// What the main path's body contains.
    pub contains: String,
}

/// `template.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    description: String,
    kind: String,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    questions: Map<String, Json>,
    #[serde(default)]
    fixture: Json,
    check: Check,
}

/// Every template, by name.
pub fn all() -> &'static [Template] {
    static ALL: OnceLock<Vec<Template>> = OnceLock::new();
    ALL.get_or_init(|| {
        EMBEDDED
            .iter()
            // A test reads every one, so none is left out.
            .filter_map(|embedded| read(embedded).ok())
            .collect()
    })
}

/// The template of a name.
///
/// # Errors
/// [`ErrorKind::NotFound`] with the names there are, and the one that was probably meant.
pub fn find(name: &str) -> Result<&'static Template> {
    if let Some(found) = all().iter().find(|template| template.name == name) {
        return Ok(found);
    }
    let names: Vec<&str> = all().iter().map(|template| template.name).collect();
    let error = Error::new(
        ErrorKind::NotFound,
        format!("there is no template `{name}`"),
    );
    let meant = did_you_mean(name, names.iter().copied());
    Err(match meant {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error.hint(format!("there are: {}", names.join(", "))),
    })
}

fn read(embedded: &Embedded) -> Result<Template> {
    let about: About = serde_json::from_str(embedded.about)
        .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
    Ok(Template {
        name: embedded.name,
        description: about.description,
        kind: about.kind,
        needs: about.needs,
        questions: questions(about.questions),
        fixture: about.fixture,
        check: about.check,
        files: embedded.files,
    })
}

/// What every template asks, and what this one does.
fn questions(own: Map<String, Json>) -> Json {
    let mut properties = json!({
        "domain": {
            "type": "string",
            "description": "The host name it answers at.",
            "pattern": "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
        },
        "repo": {
            "type": "string",
            "description": "The repository it is in, for platforms that fetch it: `owner/name`, or a URL.",
            "minLength": 1,
        },
    });
    if let Some(properties) = properties.as_object_mut() {
        properties.extend(own);
    }
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}
