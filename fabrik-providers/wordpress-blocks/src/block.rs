//! The block tree: what it is made of, and how it is written.

use std::ops::Range;

use crate::Json;

/// Something in block markup: a block, or HTML between blocks.
///
/// At the top level of a page, HTML that is more than white space is what the editor calls a
/// classic block. Inside a block it is the block's own saved HTML around its inner blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// HTML, as it is.
    Html(String),
    /// A block.
    Block(Block),
}

impl Node {
    /// The block, if it is one.
    pub fn block(&self) -> Option<&Block> {
        match self {
            Node::Block(block) => Some(block),
            Node::Html(_) => None,
        }
    }
}

/// A block with its attributes and content.
#[derive(Clone, Debug)]
pub struct Block {
    name: String,
    attrs: Json,
    /// The attributes' text as it was read, while they are unchanged.
    raw: Option<String>,
    content: Vec<Node>,
    span: Range<usize>,
}

/// Blocks are equal by what they hold, not by where they stood or how their JSON was written.
impl PartialEq for Block {
    fn eq(&self, other: &Block) -> bool {
        self.name == other.name && self.attrs == other.attrs && self.content == other.content
    }
}

impl Eq for Block {}

impl Block {
    /// A block without content. The prefix `core/` may be left out.
    pub fn new(name: &str) -> Block {
        Block {
            name: full_name(name),
            attrs: Json::Object(Vec::new()),
            raw: None,
            content: Vec::new(),
            span: 0..0,
        }
    }

    pub(crate) fn read(
        name: String,
        attrs: Json,
        raw: Option<String>,
        content: Vec<Node>,
        span: Range<usize>,
    ) -> Block {
        Block {
            name,
            attrs,
            raw,
            content,
            span,
        }
    }

    /// With attributes; [`Json::Object`] or nothing.
    #[must_use]
    pub fn with_attrs(mut self, attrs: Json) -> Block {
        self.attrs = attrs;
        self.raw = None;
        self
    }

    /// With content: HTML and inner blocks, in order.
    #[must_use]
    pub fn with_content(mut self, content: impl IntoIterator<Item = Node>) -> Block {
        self.content = content.into_iter().collect();
        self
    }

    /// The full name, such as `core/paragraph`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The attributes in the delimiter: an object, or null where they could not be read.
    pub fn attrs(&self) -> &Json {
        &self.attrs
    }

    /// The attributes, to be changed.
    pub fn attrs_mut(&mut self) -> &mut Json {
        self.raw = None;
        &mut self.attrs
    }

    /// HTML and inner blocks, in order.
    pub fn content(&self) -> &[Node] {
        &self.content
    }

    /// The content, to be changed.
    pub fn content_mut(&mut self) -> &mut Vec<Node> {
        &mut self.content
    }

    /// Inner blocks.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.content.iter().filter_map(Node::block)
    }

    /// The block's own HTML, without that of inner blocks.
    pub fn html(&self) -> String {
        let own = |node: &Node| match node {
            Node::Html(html) => Some(html.clone()),
            Node::Block(_) => None,
        };
        self.content.iter().filter_map(own).collect()
    }

    /// Where the block stood in the text it was read from, in bytes; empty for one that was made.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Calls a function for this block and all within.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Block)) {
        visit(self);
        for block in self.blocks() {
            block.walk(visit);
        }
    }

    /// Writes the block as WordPress does.
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        let name = self.name.strip_prefix("core/").unwrap_or(&self.name);
        out.push_str("<!-- wp:");
        out.push_str(name);
        out.push(' ');
        match &self.raw {
            Some(raw) => {
                out.push_str(raw);
                out.push(' ');
            }
            None if self.attrs.is_empty() => {}
            None => {
                out.push_str(&self.attrs.write());
                out.push(' ');
            }
        }
        if self.content.is_empty() {
            out.push_str("/-->");
            return;
        }
        out.push_str("-->");
        for node in &self.content {
            node.write_to(out);
        }
        out.push_str("<!-- /wp:");
        out.push_str(name);
        out.push_str(" -->");
    }
}

impl Node {
    fn write_to(&self, out: &mut String) {
        match self {
            Node::Html(html) => out.push_str(html),
            Node::Block(block) => block.write_to(out),
        }
    }
}

impl From<Block> for Node {
    fn from(block: Block) -> Node {
        Node::Block(block)
    }
}

/// Writes a tree as WordPress does. What [`parse`](crate::parse) read from text that WordPress
/// wrote comes out with the same bytes.
pub fn write(nodes: &[Node]) -> String {
    let mut out = String::new();
    for node in nodes {
        node.write_to(&mut out);
    }
    out
}

pub(crate) fn full_name(name: &str) -> String {
    if name.contains('/') {
        name.to_owned()
    } else {
        format!("core/{name}")
    }
}
