//! The role `monitor`, played by noting in a book what is to be watched.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::expr::Expr;
use fabrik_core::provider::typed::Resource as _;
use fabrik_core::role::{MONITOR, Parts, Player};
use fabrik_core::value::{Path, Value};

use crate::{Book, Entry};

/// Notes what is to be watched, in a book named after it.
#[derive(Clone, Copy, Debug)]
pub struct Watcher;

impl Player for Watcher {
    fn role(&self) -> &'static str {
        MONITOR
    }

    /// Asking for one of these is an error that names this player and the field.
    fn cannot(&self) -> &[&'static str] {
        &["notify", "interval"]
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let name = field(intent, "name")?;
        // The URL may be known only once the runtime has made the app: then it is an expression,
        // and stays one.
        let text = Value::from(Expr::Concat(vec![
            Expr::Literal("watch ".into()),
            Expr::Literal(field(intent, "url")?),
            Expr::Literal("\n".into()),
        ]));
        let book = parts.add("book", Book::TYPE, Value::map([("name", name)]))?;
        let inputs = Value::map([
            // A reference, so that the entry comes after its book.
            ("book", Parts::output(&book, "id")),
            ("title", "url".into()),
            ("text", text),
        ]);
        let entry = parts.add("entry", Entry::TYPE, inputs)?;
        Ok(Value::map([("id", Parts::output(&entry, "id"))]))
    }
}

fn field(intent: &Value, name: &str) -> Result<Value> {
    intent.get(name).cloned().ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("`{name}` is missing")).field(Path::key(name))
    })
}
