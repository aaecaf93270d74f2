//! The role `runtime`, played by writing down what is to run, for somebody who reads it.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::expr::Expr;
use fabrik_core::provider::typed::Resource as _;
use fabrik_core::role::{Parts, Player, RUNTIME};
use fabrik_core::value::{Path, Value};
use serde_json::{Value as Json, json};

use crate::{Book, Entry};

/// Writes an app down: a book, an entry of what runs, an entry of how its health is. A reader
/// (any web server that knows the shelf) does the rest.
#[derive(Clone, Copy, Debug)]
pub struct Scribe;

impl Player for Scribe {
    fn role(&self) -> &'static str {
        RUNTIME
    }

    /// What an app says below `logbook:`, checked like everything else in the spec.
    fn options(&self) -> Json {
        json!({
            "type": "object",
            "description": "Who reads the app's book.",
            "additionalProperties": false,
            "required": ["reader"],
            "properties": {
                "reader": {
                    "type": "string",
                    "pattern": "^https?://.*[^/]$",
                    "description": "The reader's URL, without a slash at its end.",
                },
                "pages": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "How many pages there are; one unless set.",
                },
            },
        })
    }

    fn runs(&self) -> &[&'static str] {
        &["service"]
    }

    /// Whatever would be lost in writing.
    fn cannot(&self) -> &[&'static str] {
        &[
            "files",
            "hooks",
            "image",
            "limits",
            "redirects",
            "replicas",
            "stop",
            "strategy",
            "volumes",
        ]
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let name = text(intent, "name")?;
        let reader = text(own, "reader")?;
        let book = Value::map([("name", Value::from(format!("{name}-app")))]);
        let book = parts.add("book", Book::TYPE, book)?;
        let entry = |title: &str, text: Value| {
            Value::map([
                ("book", Parts::output(&book, "id")),
                ("title", title.into()),
                ("text", text),
            ])
        };
        let program = entry("program", program(intent, own));
        let program = parts.add("program", Entry::TYPE, program)?;
        let health = intent.at(&Path::parse("health.path"));
        let health = health.unwrap_or_else(|| Value::from("/"));
        parts.add("health", Entry::TYPE, entry("health", health))?;
        Ok(Value::map([
            ("url", Value::from(format!("{reader}/{name}-app"))),
            ("host", Value::from(name)),
            ("logs", program.as_str().into()),
        ]))
    }
}

/// What runs. Its variables may not be known yet, so the text is an expression.
fn program(intent: &Value, own: &Value) -> Value {
    let literal = |text: &str| Expr::Literal(Value::from(text));
    let mut text = Vec::new();
    for field in ["source.repo", "source.path"] {
        if let Some(value) = intent.at(&Path::parse(field)) {
            text.extend([
                literal(&format!("{field}: ")),
                Expr::Literal(value),
                literal("\n"),
            ]);
        }
    }
    for (name, value) in intent
        .get("env")
        .and_then(Value::as_map)
        .into_iter()
        .flatten()
    {
        text.extend([
            literal(&format!("{name}=")),
            Expr::Literal(value.clone()),
            literal("\n"),
        ]);
    }
    let pages = own
        .get("pages")
        .cloned()
        .unwrap_or_else(|| Value::from(1_i64));
    text.extend([literal("pages: "), Expr::Literal(pages), literal("\n")]);
    Value::from(Expr::Concat(text))
}

fn text(block: &Value, name: &str) -> Result<String> {
    let found = block.get(name).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| {
        let message = format!("`{name}` must be known when the stack is planned");
        Error::new(ErrorKind::Invalid, message).field(Path::key(name.to_owned()))
    })
}
