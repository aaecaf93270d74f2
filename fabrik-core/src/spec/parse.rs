//! From the parser's events to a [`Node`] tree, within bounds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as Marks, Tag};

use super::node::{Data, Entry, Node, Scalar, ScalarKind, plain_kind};
use super::offsets::Offsets;
use super::syntax::describe;
use crate::codes;
use crate::diagnostic::{Diagnostic, Span};

/// How deep maps and lists may be nested.
pub const MAX_DEPTH: usize = 128;
/// How many nodes all aliases of a text may stand for.
pub const ALIAS_BUDGET: usize = 100_000;

/// How many mistakes of one text are reported.
const MOST_MISTAKES: usize = 1_000;
/// How many nodes all anchors of a text may hold.
pub const KEPT_BUDGET: usize = 1_000_000;

/// Reads one text whose first byte has the global offset `base`. The mistakes found are added to
/// `found`; the tree is `None` when it could not be read to the end.
pub fn parse(text: &str, base: u32, found: &mut Vec<Diagnostic>) -> Option<Node> {
    if let Some(at) = text.find('\0') {
        let span = Span {
            start: base + u32::try_from(at).unwrap_or(u32::MAX / 2),
            end: base + u32::try_from(at + 1).unwrap_or(u32::MAX / 2),
        };
        found.push(
            Diagnostic::error(codes::ENCODING, "the file holds a NUL byte")
                .at(Some(span), "")
                .help("save the file as UTF-8 text"),
        );
        return None;
    }
    let mut builder = Builder {
        offsets: Offsets::new(text),
        text,
        base,
        stack: Vec::new(),
        root: None,
        anchors: HashMap::new(),
        keys: HashSet::new(),
        alias_nodes: 0,
        kept_nodes: 0,
        documents: 0,
        found,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, marks)) => {
                let span = builder.span(&marks);
                if !builder.event(event, span) {
                    return None;
                }
            }
            Err(error) => {
                let at = builder.offsets.byte(error.marker().index());
                let mistake = describe(text, at, error.info());
                let span = builder.global(mistake.at.start, mistake.at.end);
                builder.error(mistake.code, span, mistake.text);
                if let Some(help) = mistake.help {
                    builder.help(help);
                }
                return None;
            }
        }
    }
    match builder.root.take() {
        Some(root) if !root.is_null() => Some(root),
        _ => {
            let span = Span {
                start: base,
                end: base,
            };
            found.push(
                Diagnostic::error(codes::EMPTY, "the file is empty")
                    .at(Some(span), "")
                    .help("a spec begins with `fabrik: 1` and `id: NAME`"),
            );
            None
        }
    }
}

/// A list or map being read.
struct Frame {
    span: Span,
    anchor: usize,
    body: Body,
}

enum Body {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// The key read whose value comes next.
        key: Option<(Arc<str>, Span, bool)>,
        /// Keys by name, once the map is large.
        seen: HashMap<Arc<str>, Span>,
        /// What stands under `<<`; the map's own entries win.
        merged: Vec<Entry>,
    },
}

struct Builder<'a, 'f> {
    text: &'a str,
    offsets: Offsets<'a>,
    base: u32,
    stack: Vec<Frame>,
    root: Option<Node>,
    anchors: HashMap<usize, Option<Node>>,
    keys: HashSet<Arc<str>>,
    alias_nodes: usize,
    kept_nodes: usize,
    documents: usize,
    found: &'f mut Vec<Diagnostic>,
}

impl Builder<'_, '_> {
    fn span(&self, marks: &Marks) -> Span {
        let start = self.offsets.byte(marks.start.index());
        let end = self.offsets.byte(marks.end.index()).max(start);
        // The parser counts blanks after a quoted scalar or bracket in.
        let written = self
            .text
            .get(start..end)
            .map_or(0, |text| text.trim_end().len());
        self.global(start, start + written)
    }

    fn global(&self, start: usize, end: usize) -> Span {
        let at = |offset: usize| self.base + u32::try_from(offset).unwrap_or(u32::MAX / 2);
        Span {
            start: at(start),
            end: at(end),
        }
    }

    fn error(&mut self, code: &'static str, span: Span, text: impl Into<String>) {
        self.found
            .push(Diagnostic::error(code, text).at(Some(span), ""));
    }

    fn help(&mut self, help: &str) {
        if let Some(last) = self.found.last_mut() {
            last.help.push(help.to_owned());
        }
    }

    /// Takes one event; `false` ends the reading.
    fn event(&mut self, event: Event<'_>, span: Span) -> bool {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.error(codes::DOCUMENTS, span, "a second document begins here");
                    self.help("one file holds one spec: remove the `---` or split the file");
                }
                self.documents == 1
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => {
                let kind = self.scalar_kind(&text, style, tag.as_deref(), span);
                let empty = span.start == span.end && style == ScalarStyle::Plain;
                let text: Arc<str> = if empty {
                    "".into()
                } else {
                    Arc::from(text.as_ref())
                };
                let node = Node {
                    span,
                    data: Data::Scalar(Scalar { text, kind }),
                };
                self.add(node, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag(tag.as_deref(), span);
                self.open(span, anchor, Body::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.tag(tag.as_deref(), span);
                let body = Body::Map {
                    entries: Vec::new(),
                    key: None,
                    seen: HashMap::new(),
                    merged: Vec::new(),
                };
                self.open(span, anchor, body)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
        }
    }

    fn open(&mut self, span: Span, anchor: usize, body: Body) -> bool {
        if self.stack.len() >= MAX_DEPTH {
            self.error(
                codes::TOO_DEEP,
                span,
                format!("nested deeper than {MAX_DEPTH} levels"),
            );
            return false;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        self.stack.push(Frame { span, anchor, body });
        true
    }

    fn close(&mut self, span: Span) -> bool {
        let Some(frame) = self.stack.pop() else {
            return true;
        };
        let (data, last) = match frame.body {
            Body::List(items) => {
                let last = items.last().map(|item| item.span.end);
                (Data::List(items), last)
            }
            Body::Map {
                mut entries,
                merged,
                ..
            } => {
                if !merged.is_empty() {
                    let mut known: HashSet<Arc<str>> =
                        entries.iter().map(|entry| entry.key.clone()).collect();
                    entries.extend(
                        merged
                            .into_iter()
                            .filter(|entry| known.insert(entry.key.clone())),
                    );
                }
                let last = entries
                    .last()
                    .map(|entry| entry.value.span.end.max(entry.key_span.end));
                (Data::Map(entries), last)
            }
        };
        // Of a flow collection the end is the bracket; of a block the last thing in it.
        let bracket = span.end > span.start;
        let end = if bracket {
            span.end
        } else {
            last.unwrap_or(span.start)
        };
        let node = Node {
            span: Span {
                start: frame.span.start,
                end: end.max(frame.span.start),
            },
            data,
        };
        self.add(node, frame.anchor)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> bool {
        match self.anchors.get(&anchor) {
            Some(Some(node)) => {
                self.alias_nodes += node.count();
                if self.alias_nodes > ALIAS_BUDGET {
                    self.error(
                        codes::ALIAS,
                        span,
                        "the aliases of this file stand for too much",
                    );
                    self.help("anchors that hold aliases multiply: write the values out");
                    return false;
                }
                let node = node.clone();
                self.add(node, 0)
            }
            Some(None) => {
                self.error(codes::ALIAS, span, "this alias stands inside what it names");
                false
            }
            None => {
                self.error(codes::ALIAS, span, "this alias names no anchor before it");
                false
            }
        }
    }

    fn add(&mut self, node: Node, anchor: usize) -> bool {
        if anchor != 0 {
            self.anchors.insert(anchor, Some(node.clone()));
            self.kept_nodes += node.count();
            if self.kept_nodes > KEPT_BUDGET {
                self.error(
                    codes::ALIAS,
                    node.span,
                    "the anchors of this file hold too much",
                );
                self.help("an anchor around most of a file, or anchors within anchors: write the values out");
                return false;
            }
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return true;
        };
        let (entries, key, seen) = match &mut frame.body {
            Body::List(items) => {
                items.push(node);
                return true;
            }
            Body::Map {
                entries, key, seen, ..
            } => (entries, key, seen),
        };
        if let Some((name, key_span, merge)) = key.take() {
            if merge {
                return self.merge(node);
            }
            entries.push(Entry {
                key: name,
                key_span,
                value: node,
            });
            return true;
        }
        let span = node.span;
        let (text, merge) = match node.data {
            Data::Scalar(scalar) => {
                let merge = scalar.kind == ScalarKind::Plain && &*scalar.text == "<<";
                (scalar.text, merge)
            }
            _ => {
                self.error(codes::KEY, span, "a key must be text");
                self.help("a list or map cannot be a key; put text with `{` or `[` in quotes");
                return false;
            }
        };
        let name = match self.keys.get(&*text) {
            Some(known) => known.clone(),
            None => {
                self.keys.insert(text.clone());
                text
            }
        };
        let before = if merge {
            None
        } else if entries.len() < 16 {
            entries
                .iter()
                .find(|entry| entry.key == name)
                .map(|entry| entry.key_span)
        } else {
            if seen.is_empty() {
                seen.extend(
                    entries
                        .iter()
                        .map(|entry| (entry.key.clone(), entry.key_span)),
                );
            }
            seen.insert(name.clone(), span)
        };
        *key = Some((name.clone(), span, merge));
        if let Some(before) = before
            && self.found.len() < MOST_MISTAKES
        {
            self.found.push(
                Diagnostic::error(
                    codes::DUPLICATE_KEY,
                    format!("the key `{name}` is here twice"),
                )
                .at(Some(span), "again here")
                .at(Some(before), "first here"),
            );
        }
        true
    }

    /// Merges what stands under `<<` into the map being read; what the map says itself wins.
    fn merge(&mut self, node: Node) -> bool {
        let span = node.span;
        let sources = match node.data {
            Data::Map(_) => vec![node],
            Data::List(items) if items.iter().all(|item| item.entries().is_some()) => items,
            _ => {
                self.error(codes::KEY, span, "`<<` takes a map or a list of maps");
                self.help("write `<<: *name`, where `&name` is set on a map");
                return true;
            }
        };
        if let Some(Frame {
            body: Body::Map { merged, .. },
            ..
        }) = self.stack.last_mut()
        {
            for source in sources {
                if let Data::Map(entries) = source.data {
                    merged.extend(entries);
                }
            }
        }
        true
    }

    fn scalar_kind(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> ScalarKind {
        self.tag(tag, span);
        if tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str") {
            return ScalarKind::Quoted;
        }
        if style == ScalarStyle::Plain {
            plain_kind(text)
        } else {
            ScalarKind::Quoted
        }
    }

    fn tag(&mut self, tag: Option<&Tag>, span: Span) {
        const KNOWN: &[&str] = &["str", "int", "float", "bool", "null", "map", "seq"];
        let Some(tag) = tag else { return };
        if (tag.is_yaml_core_schema() && KNOWN.contains(&tag.suffix.as_str()))
            || (tag.handle == "!" && tag.suffix.is_empty())
        {
            return;
        }
        let name = format!("{}{}", tag.handle, tag.suffix);
        self.error(
            codes::TAG,
            span,
            format!("the tag `{name}` means nothing here"),
        );
        self.help(
            "a spec has no tags: secrets are written `${secrets.NAME}`, files `${file(\"PATH\")}`",
        );
    }
}
