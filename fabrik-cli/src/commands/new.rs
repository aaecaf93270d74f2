//! `fabrik new`.

use std::path::{Path, PathBuf};

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_templates::{File, Template};
use serde_json::{Map, Value as Json, json};

use crate::args::NewArgs;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::files::file_error;
use crate::session::Session;

/// The name a spec has where it is the only one.
const SPEC: &str = "fabrik.yaml";

/// Writes a project from a template, or a spec for a project that is there.
pub(super) fn new(session: &mut Session, args: &NewArgs) -> Done {
    match &args.from {
        Some(folder) => from(session, &session.settings.dir.join(folder)),
        None => from_template(session, args),
    }
}

fn from_template(session: &mut Session, args: &NewArgs) -> Done {
    let (template, name) = names(args)?;
    let template = fabrik_templates::find(template)?;
    let files = template.render(name, &answers(template, args)?)?;
    let folder = args.into.clone().unwrap_or_else(|| PathBuf::from(name));
    let path = session.settings.dir.join(&folder);
    let schema = fabrik_core::spec::schema(&session.registry).to_string();
    write(&path, &files, &schema)?;
    if session.is_machine() {
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        session.out.structured(&json!({
            "template": template.name, "name": name, "folder": folder, "files": paths,
        }))?;
        return Ok(Exit::DONE);
    }
    session.out.success(&format!(
        "{} files of template {} are in {}",
        files.len(),
        template.name,
        folder.display()
    ))?;
    for file in &files {
        session.out.message(&format!("    {}", file.path))?;
    }
    let shown = folder.display();
    session.out.message(&format!(
        "\nNext:\n    fabrik plan {shown}     what would happen\n    fabrik apply {shown}    make it so"
    ))?;
    Ok(Exit::DONE)
}

/// The template and the project's name: in this order, or the template by its option.
fn names(args: &NewArgs) -> Done<(&str, &str)> {
    let (first, second) = (args.first.as_deref(), args.second.as_deref());
    match (args.template.as_deref(), first, second) {
        (Some(template), Some(name), None) | (None, Some(template), Some(name)) => {
            Ok((template, name))
        }
        (Some(_), Some(_), Some(second)) => Err(Fail::usage_hint(
            format!("`{second}` is one name too many"),
            "with `--template`, only the project's name follows",
        )),
        (None, Some(template), None) => Err(Fail::usage_hint(
            "the project needs a name",
            format!("write `fabrik new {template} my-project`"),
        )),
        (_, None, _) => Err(Fail::usage_hint(
            "the project needs a name",
            "write `fabrik new TEMPLATE NAME`; `fabrik templates` lists the templates",
        )),
    }
}

/// Answers from options: numbers and truth values where the template asks for these.
fn answers(template: &Template, args: &NewArgs) -> Result<Json> {
    let mut answers = Map::new();
    for (name, value) in [("domain", &args.domain), ("repo", &args.repo)] {
        if let Some(value) = value {
            answers.insert(name.to_owned(), Json::from(value.as_str()));
        }
    }
    for pair in &args.answers {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("`--set {pair}` has no value"))
                .hint("write `--set NAME=VALUE`")
        })?;
        let text = template.questions["properties"][name]["type"] == "string";
        let read = if text {
            None
        } else {
            serde_json::from_str(value).ok()
        };
        answers.insert(name.to_owned(), read.unwrap_or_else(|| Json::from(value)));
    }
    Ok(Json::Object(answers))
}

/// Writes all files, or none: into a folder beside, which then takes its place.
fn write(folder: &Path, files: &[File], schema: &str) -> Result<()> {
    let is_used = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_used || folder.is_file() {
        return Err(Error::new(
            ErrorKind::Conflict,
            format!("`{}` is there already", folder.display()),
        )
        .hint("choose another name, or another folder with `--into`"));
    }
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(|error| file_error("make", parent, &error))?;
    let beside = tempfile::Builder::new()
        .prefix(".fabrik-new-")
        .tempdir_in(parent)
        .map_err(|error| file_error("write in", parent, &error))?;
    let schema = File {
        path: ".fabrik/schema.json".to_owned(),
        content: schema.to_owned(),
    };
    let root = beside.path().join("project");
    for file in files.iter().chain([&schema]) {
        let path = root.join(&file.path);
        let dir = path.parent().unwrap_or(&root);
        std::fs::create_dir_all(dir).map_err(|error| file_error("make", dir, &error))?;
        std::fs::write(&path, &file.content).map_err(|error| file_error("write", &path, &error))?;
    }
    std::fs::rename(&root, folder).map_err(|error| file_error("make", folder, &error))
}

fn from(session: &mut Session, folder: &Path) -> Done {
    let path = folder.join(SPEC);
    if path.exists() {
        return Err(Fail::from(
            Error::new(
                ErrorKind::Conflict,
                format!("`{}` is there already", path.display()),
            )
            .hint("`fabrik plan` shows what it would do"),
        ));
    }
    let found = fabrik_templates::detect(folder)?;
    let spec = found.spec();
    std::fs::write(&path, &spec).map_err(|error| file_error("write", &path, &error))?;
    let schema = fabrik_core::spec::schema(&session.registry).to_string();
    let hidden = folder.join(".fabrik");
    crate::files::private_dir(&hidden)?;
    crate::files::write_private(&hidden.join("schema.json"), schema.as_bytes())?;
    if session.is_machine() {
        session
            .out
            .structured(&json!({"name": found.name, "what": found.what, "spec": spec}))?;
        return Ok(Exit::DONE);
    }
    session.out.success(&format!(
        "{} holds {}; wrote {SPEC}",
        folder.display(),
        found.what
    ))?;
    session.out.data(&spec)?;
    session
        .out
        .hint("look through it, then `fabrik plan` shows what it would do")?;
    Ok(Exit::DONE)
}
