//! Reading block markup, by the rules of WordPress's own parser
//! (`wp-includes/class-wp-block-parser.php`), which never fails: what is no block is HTML, blocks
//! that are not closed end with the text, and a closing delimiter without its block makes the
//! rest of the page HTML.

use crate::block::{Block, Node};
use crate::json::Json;

/// Nesting beyond this is read as HTML. No page has it, and it bounds recursion elsewhere.
const MAX_DEPTH: usize = 128;

/// A tree, and what was wrong with its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The page's blocks, and HTML between them.
    pub nodes: Vec<Node>,
    /// What WordPress puts up with in silence, and an editor would stumble over.
    pub damage: Vec<Damage>,
}

/// Something in the text that is no proper block markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A block has no end; the place is that of its opening delimiter, in bytes.
    Unclosed(usize),
    /// An end has no block; everything after this place is HTML.
    Stray(usize),
    /// A block is ended by the delimiter of another one.
    Crossed(usize),
    /// Attributes are no JSON object that PHP can read.
    Attributes(usize),
    /// Blocks are nested too deeply.
    Deep(usize),
}

/// Reads block markup.
pub fn parse(text: &str) -> Vec<Node> {
    parse_checked(text).nodes
}

/// Reads block markup and says what was wrong with it.
pub fn parse_checked(text: &str) -> Parsed {
    let mut reader = Reader {
        text,
        at: 0,
        out: Vec::new(),
        damage: Vec::new(),
        stack: Vec::new(),
        skipped: 0,
    };
    let mut from = 0;
    while let Some(token) = next_token(text, from) {
        from = token.end;
        if !reader.take(token) {
            break;
        }
    }
    reader.finish();
    Parsed {
        nodes: reader.out,
        damage: reader.damage,
    }
}

enum Kind {
    Opener,
    Closer,
    Void,
}

struct Token<'a> {
    kind: Kind,
    name: String,
    attrs: Option<&'a str>,
    start: usize,
    end: usize,
}

/// White space in the parser's regular expression.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn spaces(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().take_while(|b| is_space(**b)).count()
}

fn next_token(text: &str, from: usize) -> Option<Token<'_>> {
    let mut search = from;
    while let Some(found) = text[search..].find("<!--") {
        let start = search + found;
        if let Some(token) = token_at(text, start) {
            return Some(token);
        }
        search = start + 4;
    }
    None
}

fn token_at(text: &str, start: usize) -> Option<Token<'_>> {
    let bytes = text.as_bytes();
    let mut at = start + 4;
    let gap = spaces(bytes, at);
    if gap == 0 {
        return None;
    }
    at += gap;
    let closer = bytes.get(at) == Some(&b'/');
    if closer {
        at += 1;
    }
    at += text[at..].starts_with("wp:").then_some(3)?;
    let mut name_end = word_end(bytes, at)?;
    if bytes.get(name_end) == Some(&b'/')
        && let Some(end) = word_end(bytes, name_end + 1)
    {
        name_end = end;
    }
    let name = &text[at..name_end];
    at = name_end;
    let gap = spaces(bytes, at);
    if gap == 0 {
        return None;
    }
    at += gap;
    let mut attrs = None;
    if bytes.get(at) == Some(&b'{') {
        let (end, next) = attrs_end(bytes, at)?;
        attrs = Some(&text[at..end]);
        at = next;
    }
    let void = bytes.get(at) == Some(&b'/');
    if void {
        at += 1;
    }
    if !text[at..].starts_with("-->") {
        return None;
    }
    Some(Token {
        kind: match (void, closer) {
            (true, _) => Kind::Void,
            (_, true) => Kind::Closer,
            _ => Kind::Opener,
        },
        name: crate::block::full_name(name),
        attrs,
        start,
        end: at + 3,
    })
}

/// The end of `[a-z][a-z0-9_-]*`.
fn word_end(bytes: &[u8], from: usize) -> Option<usize> {
    if !bytes.get(from)?.is_ascii_lowercase() {
        return None;
    }
    let part = |b: &&u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
    Some(from + bytes[from..].iter().take_while(part).count())
}

/// The end of the attributes, and of the white space behind them: the first `}` after which only
/// white space comes before `-->` or `/-->`.
fn attrs_end(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        at += bytes[at..].iter().position(|b| *b == b'}')? + 1;
        let gap = spaces(bytes, at);
        let rest = &bytes[at + gap..];
        if gap > 0 && (rest.starts_with(b"-->") || rest.starts_with(b"/-->")) {
            return Some((at, at + gap));
        }
    }
}

struct Frame {
    name: String,
    attrs: Json,
    raw: Option<String>,
    content: Vec<Node>,
    start: usize,
    /// Up to where the text is in `content`.
    done: usize,
    /// Where HTML before this block begins, at the top level.
    leading: usize,
}

struct Reader<'a> {
    text: &'a str,
    /// Up to where the text is in `out`.
    at: usize,
    out: Vec<Node>,
    damage: Vec<Damage>,
    stack: Vec<Frame>,
    /// Openers that were read as HTML because they are nested too deeply.
    skipped: usize,
}

impl Reader<'_> {
    /// Takes a token in; false ends the reading.
    fn take(&mut self, token: Token<'_>) -> bool {
        match token.kind {
            Kind::Void => self.void(token),
            Kind::Opener => self.open(token),
            Kind::Closer => return self.close(&token),
        }
        true
    }

    fn attrs(&mut self, token: &Token<'_>) -> (Json, Option<String>) {
        let Some(text) = token.attrs else {
            return (Json::Object(Vec::new()), None);
        };
        let json = Json::parse(text).unwrap_or(Json::Null);
        if json == Json::Null {
            self.damage.push(Damage::Attributes(token.start));
        }
        (json, Some(text.to_owned()))
    }

    fn void(&mut self, token: Token<'_>) {
        let (attrs, raw) = self.attrs(&token);
        let block = Block::read(token.name, attrs, raw, Vec::new(), token.start..token.end);
        if let Some(frame) = self.stack.last_mut() {
            push_html(&mut frame.content, &self.text[frame.done..token.start]);
            frame.content.push(Node::Block(block));
            frame.done = token.end;
        } else {
            push_html(&mut self.out, &self.text[self.at..token.start]);
            self.out.push(Node::Block(block));
            self.at = token.end;
        }
    }

    fn open(&mut self, token: Token<'_>) {
        if self.stack.len() >= MAX_DEPTH {
            self.damage.push(Damage::Deep(token.start));
            self.skipped += 1;
            return;
        }
        let (attrs, raw) = self.attrs(&token);
        self.stack.push(Frame {
            name: token.name,
            attrs,
            raw,
            content: Vec::new(),
            start: token.start,
            done: token.end,
            leading: self.at,
        });
    }

    fn close(&mut self, token: &Token<'_>) -> bool {
        if self.skipped > 0 {
            self.skipped -= 1;
            return true;
        }
        let Some(frame) = self.stack.pop() else {
            self.damage.push(Damage::Stray(token.start));
            return false;
        };
        if frame.name != token.name {
            self.damage.push(Damage::Crossed(token.start));
        }
        let (start, leading) = (frame.start, frame.leading);
        let block = self.end(frame, token.start, token.end);
        if let Some(outer) = self.stack.last_mut() {
            push_html(&mut outer.content, &self.text[outer.done..start]);
            outer.content.push(Node::Block(block));
            outer.done = token.end;
        } else {
            push_html(&mut self.out, &self.text[leading..start]);
            self.out.push(Node::Block(block));
            self.at = token.end;
        }
        true
    }

    fn end(&self, mut frame: Frame, html_end: usize, end: usize) -> Block {
        push_html(&mut frame.content, &self.text[frame.done..html_end]);
        Block::read(
            frame.name,
            frame.attrs,
            frame.raw,
            frame.content,
            frame.start..end,
        )
    }

    fn finish(&mut self) {
        let unclosed = !self.stack.is_empty();
        // The innermost takes the rest of the text; each outer one ends where its inner one began.
        let mut end = self.text.len();
        let mut blocks = Vec::new();
        while let Some(frame) = self.stack.pop() {
            self.damage.push(Damage::Unclosed(frame.start));
            let start = frame.start;
            if self.stack.is_empty() {
                push_html(&mut self.out, &self.text[frame.leading..start]);
            }
            blocks.push(self.end(frame, end, end));
            end = start;
        }
        if unclosed {
            self.out.extend(blocks.into_iter().rev().map(Node::Block));
        } else {
            push_html(&mut self.out, &self.text[self.at..]);
        }
    }
}

fn push_html(into: &mut Vec<Node>, html: &str) {
    if !html.is_empty() {
        into.push(Node::Html(html.to_owned()));
    }
}
