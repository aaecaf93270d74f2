//! From answers to files.

use std::collections::BTreeMap;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::value::Path;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value as Json};

use crate::template::Template;

/// The ending of files that are rendered.
const RENDERED: &str = ".j2";

/// A file of a new project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it goes, below the project's folder, with `/`.
    pub path: String,
    /// What is in it.
    pub content: String,
}

impl Template {
    /// The files of a project of this name: a lower-case letter, then letters, digits and `-`, as it
    /// becomes the names of an app, a package and a container.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] at the field `name` or at the answer that is wrong.
    pub fn render(&self, name: &str, answers: &Json) -> Result<Vec<File>> {
        check_name(name)?;
        let mut context: BTreeMap<String, minijinja::Value> = self
            .complete(answers)?
            .into_iter()
            .map(|(name, answer)| (name, value(&answer)))
            .collect();
        context.insert("name".to_owned(), name.into());
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_trim_blocks(false);
        environment.set_keep_trailing_newline(true);
        self.files
            .iter()
            .map(|(path, text)| match path.strip_suffix(RENDERED) {
                Some(path) => environment
                    .render_str(text, &context)
                    .map(|content| File {
                        path: path.to_owned(),
                        content,
                    })
                    .map_err(|error| {
                        Error::new(
                            ErrorKind::Unexpected,
                            format!("{path} of template `{}` does not render", self.name),
                        )
                        .cause(error)
                    }),
                None => Ok(File {
                    path: (*path).to_owned(),
                    content: (*text).to_owned(),
                }),
            })
            .collect()
    }

    /// Answers with defaults filled in; unset ones are null, so that templates may ask for them.
    fn complete(&self, answers: &Json) -> Result<Map<String, Json>> {
        let validator = jsonschema::draft202012::new(&self.questions).map_err(|error| {
            Error::new(ErrorKind::Unexpected, "the questions are no schema").cause(error)
        })?;
        if let Some(error) = validator.iter_errors(answers).next() {
            let at = error.instance_path().to_string();
            let field = at.trim_start_matches('/').replace('/', ".");
            let mut wrong = Error::new(ErrorKind::Invalid, format!("{error}"));
            if !field.is_empty() {
                wrong = wrong.field(Path::parse(&field));
            }
            let asked: Vec<&str> = self.names().collect();
            return Err(wrong.hint(format!(
                "template `{}` asks for {}",
                self.name,
                asked.join(", ")
            )));
        }
        let mut complete = Map::new();
        for name in self.names() {
            let given = answers.get(name).cloned();
            let default = self.questions["properties"][name].get("default").cloned();
            complete.insert(name.to_owned(), given.or(default).unwrap_or(Json::Null));
        }
        Ok(complete)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let properties = self.questions["properties"].as_object();
        properties
            .into_iter()
            .flat_map(|map| map.keys().map(String::as_str))
    }
}

/// An answer for the renderer.
fn value(answer: &Json) -> minijinja::Value {
    match answer {
        Json::Null => minijinja::Value::from(()),
        Json::Bool(flag) => (*flag).into(),
        Json::String(text) => text.as_str().into(),
        // Numbers as they were written: exact ones are kept as text by serde_json.
        other => other.to_string().into(),
    }
}

fn check_name(name: &str) -> Result<()> {
    let fine = name.len() <= 40
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fine {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!("`{name}` cannot be the name of a project"),
    )
    .field(Path::key("name"))
    .hint("use a lower-case letter, then letters, digits and `-`, at most 40: `my-api`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::{all, find};

    #[test]
    fn every_template_renders_with_and_without_answers() {
        assert!(all().len() >= 4, "{:?}", all());
        for template in all() {
            for answers in [json!({}), template.fixture.clone()] {
                let files = template.render("my-demo", &answers).unwrap();
                for wanted in [
                    "fabrik.yaml",
                    "README.md",
                    "AGENTS.md",
                    "Dockerfile",
                    "compose.yaml",
                    ".gitignore",
                ] {
                    assert!(
                        files.iter().any(|file| file.path == wanted),
                        "{}: {wanted}",
                        template.name
                    );
                }
                for file in &files {
                    assert!(
                        !file.content.contains("{{") && !file.content.contains("{%"),
                        "{}",
                        file.path
                    );
                    assert!(
                        file.content.is_empty() || file.content.ends_with('\n'),
                        "{}",
                        file.path
                    );
                    assert!(
                        std::path::Path::new(&file.path)
                            .extension()
                            .is_some_and(|end| end == "py")
                            || !file.content.contains("\n\n\n"),
                        "{} of {}",
                        file.path,
                        template.name
                    );
                }
            }
        }
    }

    #[test]
    fn wrong_answers_are_named() {
        let template = find("python-api").unwrap();
        let error = template
            .render("demo", &json!({"port": 99_999}))
            .unwrap_err();
        assert_eq!(error.field_path().unwrap().to_string(), "port");
        let error = template.render("demo", &json!({"prot": 1})).unwrap_err();
        assert!(error.message().contains("prot"), "{error}");
        assert!(
            error.hint_text().unwrap().contains("domain, port, repo"),
            "{error:?}"
        );
        for bad in ["", "Demo", "1x", "a_b", "a-", "../x"] {
            let error = template.render(bad, &json!({})).unwrap_err();
            assert_eq!(error.field_path().unwrap().to_string(), "name");
        }
    }

    #[test]
    fn an_unknown_template_is_not_guessed() {
        let error = find("pyhton-api").unwrap_err();
        assert_eq!(error.hint_text(), Some("did you mean `python-api`?"));
        let error = find("cobol").unwrap_err();
        assert!(error.hint_text().unwrap().contains("static-site"));
    }
}
