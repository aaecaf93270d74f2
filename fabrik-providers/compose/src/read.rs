//! From a tree with places to the model: unknown keys and wrong kinds are said where they stand,
//! short forms become long ones.

use fabrik_core::codes;
use fabrik_core::diagnostic::{Diagnostic, Span, did_you_mean};
use fabrik_core::spec::node::{Data, Entry, Node, ScalarKind};
use serde_json::{Map, Value as Json};

use crate::interpolate::has_variables;
use crate::shape::{Block, Kind, MOUNT, PORT, ULIMIT};
use crate::short;

/// Reads a tree as what its kind says.
pub(crate) struct Reader<'a> {
    pub(crate) found: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn error(&mut self, code: &'static str, span: Span, text: String, help: Option<String>) {
        let mut diagnostic = Diagnostic::error(code, text).at(Some(span), "");
        diagnostic.help.extend(help);
        self.found.push(diagnostic);
    }

    fn wrong(&mut self, node: &Node, what: &str, wanted: &str) {
        let text = format!("{what} must be {wanted}, not {}", node.kind_name());
        self.error(codes::WRONG_TYPE, node.head(), text, None);
    }

    fn value(&mut self, span: Span, text: String, help: &str) {
        self.error(codes::NOT_ALLOWED, span, text, Some(help.to_owned()));
    }

    /// The keys of a block.
    pub(crate) fn block(&mut self, node: &Node, block: &'static Block, what: &str) -> Json {
        if node.is_null() {
            return Json::Object(Map::new());
        }
        let Some(entries) = node.entries() else {
            self.wrong(node, what, "a map");
            return Json::Null;
        };
        let (mut read, mut other) = (Map::new(), Map::new());
        for entry in entries {
            let key = &*entry.key;
            if key.starts_with("x-") {
                other.insert(key.to_owned(), plain(&entry.value));
                continue;
            }
            let Some(row) = block.row(key) else {
                self.unknown(entry, block);
                continue;
            };
            let value = self.read(&entry.value, &row.kind, &format!("`{key}`"));
            let target = if row.is_modelled {
                &mut read
            } else {
                &mut other
            };
            // A key without a value is one that is not there.
            if !value.is_null() {
                target.insert(key.to_owned(), value);
            }
        }
        if !other.is_empty() {
            read.insert("other".to_owned(), Json::Object(other));
        }
        Json::Object(read)
    }

    fn unknown(&mut self, entry: &Entry, block: &Block) {
        let key = &*entry.key;
        let names = block.rows.iter().map(|row| row.key);
        let help = match did_you_mean(key, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "keys of your own begin with `x-`".to_owned(),
        };
        let text = format!("unknown key `{key}` in {}", block.what);
        self.error(codes::UNKNOWN_FIELD, entry.key_span, text, Some(help));
    }

    fn read(&mut self, node: &Node, kind: &'static Kind, what: &str) -> Json {
        match kind {
            Kind::Any => plain(node),
            Kind::Block(block) => self.block(node, block, what),
            Kind::Map(of) => self.map(node, of, what),
            Kind::Short(key, block) => match node.as_text() {
                Some(text) => object([(*key, Json::from(&**text))]),
                None => self.block(node, block, what),
            },
            Kind::Some(of) if node.items().is_none() && !node.is_null() => {
                Json::Array(vec![self.read(node, of, what)])
            }
            Kind::Some(of) | Kind::List(of) => {
                self.list(node, what, |reader, item| Some(reader.read(item, of, what)))
            }
            Kind::Command => match &node.data {
                Data::List(_) => self.list(node, what, |reader, item| {
                    Some(reader.scalar(item, &Kind::Text, what))
                }),
                _ => self.scalar(node, &Kind::Text, what),
            },
            Kind::Pairs => self.pairs(node, what),
            Kind::Named(block) => self.named(node, block, what),
            Kind::Ports => self.list(node, what, Reader::port),
            Kind::Mounts => self.list(node, what, Reader::mount),
            Kind::Ulimit => match node.as_text() {
                Some(_) => {
                    let limit = self.scalar(node, &Kind::Whole, what);
                    object([("soft", limit.clone()), ("hard", limit)])
                }
                None => self.block(node, &ULIMIT, what),
            },
            Kind::Hosts => self.hosts(node, what),
            Kind::Text | Kind::Word(_) | Kind::Flag | Kind::Whole | Kind::Duration | Kind::Size => {
                self.scalar(node, kind, what)
            }
        }
    }

    fn list(
        &mut self,
        node: &Node,
        what: &str,
        mut one: impl FnMut(&mut Self, &Node) -> Option<Json>,
    ) -> Json {
        if node.is_null() {
            return Json::Null;
        }
        let Some(items) = node.items() else {
            self.wrong(node, what, "a list");
            return Json::Null;
        };
        let read = items.iter().filter_map(|item| one(self, item));
        Json::Array(read.collect())
    }

    fn map(&mut self, node: &Node, of: &'static Kind, what: &str) -> Json {
        if node.is_null() {
            return Json::Null;
        }
        let Some(entries) = node.entries() else {
            self.wrong(node, what, "a map");
            return Json::Null;
        };
        let mut read = Map::new();
        for entry in entries.iter().filter(|entry| !entry.key.starts_with("x-")) {
            let key = &entry.key;
            if !is_name(key) {
                let text = format!("`{key}` is no name");
                let help = "names have letters, digits, `.`, `_` and `-`";
                self.value(entry.key_span, text, help);
            }
            let value = self.read(&entry.value, of, &format!("`{key}`"));
            if !value.is_null() {
                read.insert(key.to_string(), value);
            }
        }
        Json::Object(read)
    }

    /// A map of texts or a list of `NAME=VALUE`.
    fn pairs(&mut self, node: &Node, what: &str) -> Json {
        let mut read = Map::new();
        match &node.data {
            Data::Map(entries) => {
                for entry in entries {
                    let value = match &entry.value.data {
                        Data::Scalar(scalar) if scalar.kind == ScalarKind::Null => Json::Null,
                        _ => self.scalar(&entry.value, &Kind::Text, &format!("`{}`", entry.key)),
                    };
                    read.insert(entry.key.to_string(), value);
                }
            }
            Data::List(items) => {
                for item in items {
                    let Some(text) = item.as_text() else {
                        self.wrong(item, &format!("an item of {what}"), "a text `NAME=VALUE`");
                        continue;
                    };
                    let (name, value) = match text.split_once('=') {
                        Some((name, value)) => (name, Json::from(value)),
                        None => (&**text, Json::Null),
                    };
                    read.insert(name.to_owned(), value);
                }
            }
            Data::Scalar(_) if node.is_null() => return Json::Null,
            Data::Scalar(_) => self.wrong(node, what, "a map or a list of `NAME=VALUE`"),
        }
        Json::Object(read)
    }

    /// A list of names or a map of blocks.
    fn named(&mut self, node: &Node, block: &'static Block, what: &str) -> Json {
        let mut read = Map::new();
        match &node.data {
            Data::Map(entries) => {
                for entry in entries.iter().filter(|entry| !entry.key.starts_with("x-")) {
                    let value = self.block(&entry.value, block, &format!("`{}`", entry.key));
                    read.insert(entry.key.to_string(), value);
                }
            }
            Data::List(items) => {
                for item in items {
                    match item.as_text() {
                        Some(name) => {
                            read.insert(name.to_string(), Json::Object(Map::new()));
                        }
                        None => self.wrong(item, &format!("an item of {what}"), "a name"),
                    }
                }
            }
            Data::Scalar(_) if node.is_null() => return Json::Null,
            Data::Scalar(_) => self.wrong(node, what, "a map or a list of names"),
        }
        Json::Object(read)
    }

    fn port(&mut self, node: &Node) -> Option<Json> {
        let read = match node.as_text() {
            Some(text) => match short::port(text) {
                Ok(port) => serde_json::to_value(port).ok()?,
                Err(why) => {
                    let help = "write `CONTAINER`, `HOST:CONTAINER` or `IP:HOST:CONTAINER`, possibly with `/udp`";
                    self.value(node.span, format!("`{text}` is no port: {why}"), help);
                    return None;
                }
            },
            None => self.block(node, &PORT, "a port"),
        };
        if read.get("target").is_none() {
            let text = "a port has a `target`".to_owned();
            self.error(codes::MISSING_FIELD, node.head(), text, None);
            return None;
        }
        Some(read)
    }

    fn mount(&mut self, node: &Node) -> Option<Json> {
        let Some(text) = node.as_text() else {
            let mut read = self.block(node, &MOUNT, "a mount");
            for key in ["type", "target"] {
                if read.get(key).is_none() {
                    let text = format!("a mount has a `{key}`");
                    self.error(codes::MISSING_FIELD, node.head(), text, None);
                    read[key] = Json::from("volume");
                }
            }
            return Some(read);
        };
        match short::mount(text) {
            Ok(mount) => serde_json::to_value(mount).ok(),
            Err(why) => {
                let help = "write `VOLUME:/PATH`, `./FOLDER:/PATH` or `VOLUME:/PATH:ro`";
                self.value(node.span, format!("`{text}` is no mount: {why}"), help);
                None
            }
        }
    }

    fn hosts(&mut self, node: &Node, what: &str) -> Json {
        let mut read = Vec::new();
        match &node.data {
            Data::Map(entries) => {
                for entry in entries {
                    let addresses = match entry.value.items() {
                        Some(items) => items.iter().collect(),
                        None => vec![&entry.value],
                    };
                    for address in addresses {
                        match address.as_text() {
                            Some(text) => read.push(Json::from(format!("{}={text}", entry.key))),
                            None => self.wrong(address, "an address", "a text"),
                        }
                    }
                }
            }
            Data::List(items) => {
                for item in items {
                    let pair = item
                        .as_text()
                        .and_then(|text| text.split_once('=').or_else(|| text.split_once(':')));
                    match pair {
                        Some((name, address)) => {
                            read.push(Json::from(format!("{name}={address}")));
                        }
                        None => self.wrong(item, &format!("an item of {what}"), "`NAME=ADDRESS`"),
                    }
                }
            }
            Data::Scalar(_) if node.is_null() => return Json::Null,
            Data::Scalar(_) => self.wrong(node, what, "a list of `NAME=ADDRESS`"),
        }
        Json::Array(read)
    }

    /// A scalar of a kind; a text with variables is any kind.
    fn scalar(&mut self, node: &Node, kind: &'static Kind, what: &str) -> Json {
        if node.is_null() {
            return Json::Null;
        }
        let Some(text) = node.as_text() else {
            let wanted = match kind {
                Kind::Flag => "`true` or `false`",
                Kind::Whole => "a whole number",
                _ => "a text",
            };
            self.wrong(node, what, wanted);
            return Json::Null;
        };
        if has_variables(text) {
            return Json::from(&**text);
        }
        match kind {
            Kind::Flag => match &**text {
                "true" | "True" | "yes" | "on" => Json::Bool(true),
                "false" | "False" | "no" | "off" => Json::Bool(false),
                _ => {
                    self.wrong(node, what, "`true` or `false`");
                    Json::Null
                }
            },
            Kind::Whole => {
                if let Ok(number) = text.replace('_', "").parse::<i64>() {
                    return Json::from(number);
                }
                self.wrong(node, what, "a whole number");
                Json::Null
            }
            Kind::Word(words) if !words.contains(&&**text) => {
                let help = match did_you_mean(text, words.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it is one of: {}", words.join(", ")),
                };
                self.value(node.span, format!("{what} cannot be `{text}`"), &help);
                Json::Null
            }
            Kind::Duration if !short::is_duration(text) => {
                let text = format!("{what} is no length of time: `{text}`");
                self.value(node.span, text, "write it like `30s` or `1m30s`");
                Json::Null
            }
            Kind::Size if !short::is_size(text) => {
                let text = format!("{what} is no amount of memory: `{text}`");
                self.value(node.span, text, "write it like `512m` or `1g`");
                Json::Null
            }
            _ => Json::from(&**text),
        }
    }
}

fn object<const N: usize>(pairs: [(&str, Json); N]) -> Json {
    Json::Object(
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

/// A tree as it stands.
fn plain(node: &Node) -> Json {
    match &node.data {
        Data::Scalar(scalar) => match scalar.kind {
            ScalarKind::Null => Json::Null,
            ScalarKind::Bool => Json::Bool(scalar.text.starts_with(['t', 'T'])),
            ScalarKind::Int | ScalarKind::Float => {
                serde_json::from_str(&scalar.text).unwrap_or_else(|_| Json::from(&*scalar.text))
            }
            ScalarKind::Plain | ScalarKind::Quoted => Json::from(&*scalar.text),
        },
        Data::List(items) => Json::Array(items.iter().map(plain).collect()),
        Data::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|entry| (entry.key.to_string(), plain(&entry.value)))
                .collect(),
        ),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}
