//! Sections of a page that Fabrik owns: blocks with a marker in their attributes,
//! `"metadata":{"name":"Hero","fabrik":{"id":"home.hero","hash":"…"}}`. The editor shows `name`
//! and keeps the rest when it saves, since WordPress 6.5; before, the marker is lost on saving.

use std::ops::Range;

use fabrik_core::error::{Error, ErrorKind, Result};

use crate::block::{Block, Node};
use crate::json::Json;
use crate::parse::parse_checked;

/// The key of the marker in a block's `metadata`.
pub const KEY: &str = "fabrik";

/// A section of a page: an id that is unique in it, and the markup of exactly one block, which
/// has the marker with this id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its id, unique in the page.
    pub id: String,
    /// One block.
    pub markup: String,
}

impl Section {
    /// A section.
    pub fn new(id: impl Into<String>, markup: impl Into<String>) -> Section {
        Section {
            id: id.into(),
            markup: markup.into(),
        }
    }

    /// The section's block. Anything but one whole block with the section's marker is an error.
    pub fn block(&self) -> Result<Block> {
        let parsed = parse_checked(&self.markup);
        let wrong = |what: &str| {
            Error::new(ErrorKind::Invalid, format!("section {:?} {what}", self.id)).hint(
                "a section is the markup of one block whose attributes have metadata.fabrik.id",
            )
        };
        if !parsed.damage.is_empty() {
            return Err(wrong("is no proper block markup"));
        }
        let mut nodes = parsed.nodes.into_iter();
        match (nodes.next(), nodes.next()) {
            (Some(Node::Block(block)), None) if id(&block) == Some(&self.id) => Ok(block),
            (Some(Node::Block(_)), None) => Err(wrong("lacks its marker")),
            _ => Err(wrong("is not exactly one block")),
        }
    }
}

/// A section that was found in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The id in its marker.
    pub id: String,
    /// The hash in its marker, if there is one.
    pub hash: Option<String>,
    /// Its text, as it stands in the page.
    pub markup: String,
    /// Where it stands, in bytes.
    pub span: Range<usize>,
}

/// The id in a block's marker.
pub fn id(block: &Block) -> Option<&str> {
    marker(block)?.get("id")?.as_str()
}

/// The hash in a block's marker.
pub fn marked_hash(block: &Block) -> Option<&str> {
    marker(block)?.get("hash")?.as_str()
}

fn marker(block: &Block) -> Option<&Json> {
    block.attrs().get("metadata")?.get(KEY)
}

/// Writes a marker, and the name that the editor shows, into a block's attributes, as the last of
/// them.
pub fn mark(block: &mut Block, name: &str, id: &str, hash: &str) {
    let attrs = block.attrs_mut();
    attrs.remove("metadata");
    let marker = Json::object([("id", Json::from(id)), ("hash", Json::from(hash))]);
    let metadata = Json::object([("name", Json::from(name)), (KEY, marker)]);
    attrs.set("metadata", metadata);
}

/// The sections in a page, in its order. One within another belongs to the outer one.
pub fn owned(content: &str) -> Vec<Owned> {
    let nodes = parse_checked(content).nodes;
    let mut found = Vec::new();
    for block in nodes.iter().filter_map(Node::block) {
        gather(block, content, &mut found);
    }
    found
}

fn gather(block: &Block, content: &str, found: &mut Vec<Owned>) {
    if let Some(id) = id(block) {
        found.push(Owned {
            id: id.to_owned(),
            hash: marked_hash(block).map(str::to_owned),
            markup: content[block.span()].to_owned(),
            span: block.span(),
        });
        return;
    }
    for inner in block.blocks() {
        gather(inner, content, found);
    }
}
