//! Markdown as blocks, with the text rules of [`fabrik_blocks`]: HTML in it is refused unless it
//! is allowed, and shortcodes are text.

use fabrik_blocks::text::{attribute, clean, link};
use fabrik_blocks::{Block, Json, Node, hash_block, section as marks};
use fabrik_core::error::Result;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use std::fmt::Write as _;

use crate::expand::Picture;
use crate::note::invalid;
use crate::render::Studio;

/// A path relative to a folder, with `.` and `..` taken out where that is possible.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// A text as one section: a group with our marker.
///
/// # Errors
/// HTML where none is allowed, images that are not there, addresses that are none.
pub(crate) fn section(
    text: &str,
    name: &str,
    id: &str,
    studio: &Studio<'_>,
    allow_unsafe: bool,
) -> Result<String> {
    let mut writer = Writer {
        studio,
        allow_unsafe,
        stack: vec![Frame::default()],
    };
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    for event in Parser::new_ext(text, options) {
        writer.event(event)?;
    }
    let blocks = writer.stack.pop().map(|frame| frame.blocks);
    let attrs = Json::object([(
        "layout",
        Json::object([("type", Json::from("constrained"))]),
    )]);
    let mut group = wrapped(
        "group",
        attrs,
        "<div class=\"wp-block-group\">",
        "</div>",
        blocks.unwrap_or_default(),
    );
    let hash = hash_block(&group);
    marks::mark(&mut group, name, id, &hash);
    Ok(group.write())
}

/// A block that is a tag around inner blocks.
fn wrapped(name: &str, attrs: Json, open: &str, close: &str, inner: Vec<Block>) -> Block {
    let mut content = vec![Node::Html(format!("\n{open}"))];
    for (index, block) in inner.into_iter().enumerate() {
        if index > 0 {
            content.push(Node::Html("\n\n".to_owned()));
        }
        content.push(Node::Block(block));
    }
    content.push(Node::Html(format!("{close}\n")));
    Block::new(name).with_attrs(attrs).with_content(content)
}

/// A block that is HTML alone.
fn leaf(name: &str, attrs: Json, html: String) -> Block {
    Block::new(name)
        .with_attrs(attrs)
        .with_content([Node::Html(format!("\n{html}\n"))])
}

fn none() -> Json {
    Json::Null
}

/// What is being read: its inline text so far, and its blocks.
#[derive(Default)]
struct Frame {
    text: String,
    blocks: Vec<Block>,
    rows: Vec<Vec<String>>,
    ordered: Option<u64>,
    image: Option<Picture>,
}

struct Writer<'s> {
    studio: &'s Studio<'s>,
    allow_unsafe: bool,
    stack: Vec<Frame>,
}

impl Writer<'_> {
    fn top(&mut self) -> &mut Frame {
        if self.stack.is_empty() {
            self.stack.push(Frame::default());
        }
        let last = self.stack.len() - 1;
        &mut self.stack[last]
    }

    fn pop(&mut self) -> Frame {
        self.stack.pop().unwrap_or_default()
    }

    fn push(&mut self, block: Block) {
        self.top().blocks.push(block);
    }

    fn event(&mut self, event: Event<'_>) -> Result<()> {
        match event {
            Event::Start(tag) => self.start(tag)?,
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.top().text.push_str(&escape(&text)),
            Event::Code(text) => {
                let text = escape(&text);
                _ = write!(self.top().text, "<code>{text}</code>");
            }
            Event::SoftBreak => self.top().text.push(' '),
            Event::HardBreak => self.top().text.push_str("<br>"),
            Event::Rule => self.push(leaf(
                "separator",
                none(),
                "<hr class=\"wp-block-separator has-alpha-channel-opacity\"/>".to_owned(),
            )),
            Event::Html(html) => self.html(&html)?,
            Event::InlineHtml(html) => {
                if !self.allow_unsafe {
                    return Err(refused(&html));
                }
                self.top().text.push_str(&html);
            }
            Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
        Ok(())
    }

    fn html(&mut self, html: &str) -> Result<()> {
        // A comment alone does no harm and says nothing.
        let trimmed = html.trim();
        if trimmed.is_empty() || (trimmed.starts_with("<!--") && trimmed.ends_with("-->")) {
            return Ok(());
        }
        if !self.allow_unsafe {
            return Err(refused(html));
        }
        self.top().text.push_str(html);
        Ok(())
    }

    fn start(&mut self, tag: Tag<'_>) -> Result<()> {
        match tag {
            Tag::Emphasis => self.top().text.push_str("<em>"),
            Tag::Strong => self.top().text.push_str("<strong>"),
            Tag::Strikethrough => self.top().text.push_str("<s>"),
            Tag::Link { dest_url, .. } => {
                let target = self.studio.links.resolve(&dest_url)?;
                let href = attribute(&link(&target)?);
                _ = write!(self.top().text, "<a href=\"{href}\">");
            }
            Tag::Image { dest_url, .. } => {
                let picture = (self.studio.image)(&dest_url)?;
                self.stack.push(Frame {
                    image: Some(picture),
                    ..Frame::default()
                });
            }
            Tag::List(first) => self.stack.push(Frame {
                ordered: first,
                ..Frame::default()
            }),
            Tag::TableHead | Tag::TableRow => self.top().rows.push(Vec::new()),
            _ => self.stack.push(Frame::default()),
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis => self.top().text.push_str("</em>"),
            TagEnd::Strong => self.top().text.push_str("</strong>"),
            TagEnd::Strikethrough => self.top().text.push_str("</s>"),
            TagEnd::Link => self.top().text.push_str("</a>"),
            TagEnd::Image => self.image(),
            TagEnd::Paragraph => {
                let frame = self.pop();
                self.paragraph(frame);
            }
            TagEnd::Heading(level) => {
                let frame = self.pop();
                self.heading(level, &frame.text);
            }
            TagEnd::BlockQuote(_) => {
                let frame = self.pop();
                let block = wrapped(
                    "quote",
                    none(),
                    "<blockquote class=\"wp-block-quote\">",
                    "</blockquote>",
                    frame.blocks,
                );
                self.push(block);
            }
            TagEnd::CodeBlock => {
                let frame = self.pop();
                // A line that is an address alone would be turned into what it shows.
                let code = frame
                    .text
                    .trim_end_matches('\n')
                    .replace("://", ":&#47;&#47;");
                let html = format!("<pre class=\"wp-block-code\"><code>{code}</code></pre>");
                self.push(leaf("code", none(), html));
            }
            TagEnd::List(_) => {
                let frame = self.pop();
                self.list(frame);
            }
            TagEnd::Item => {
                let frame = self.pop();
                self.item(frame);
            }
            TagEnd::TableCell => {
                let frame = self.pop();
                if let Some(row) = self.top().rows.last_mut() {
                    row.push(frame.text);
                }
            }
            TagEnd::Table => {
                let frame = self.pop();
                let table = table(&frame.rows);
                self.push(leaf("table", none(), table));
            }
            TagEnd::HtmlBlock => {
                let frame = self.pop();
                if !frame.text.trim().is_empty() {
                    self.push(leaf("html", none(), frame.text.trim().to_owned()));
                }
            }
            TagEnd::TableHead | TagEnd::TableRow => {}
            _ => {
                let frame = self.pop();
                self.top().text.push_str(&frame.text);
                self.top().blocks.extend(frame.blocks);
            }
        }
    }

    fn paragraph(&mut self, frame: Frame) {
        if !frame.text.trim().is_empty() {
            self.push(leaf(
                "paragraph",
                none(),
                format!("<p>{}</p>", not_alone(&frame.text)),
            ));
        }
        for block in frame.blocks {
            self.push(block);
        }
    }

    /// The first level is the page's title: a heading of that level becomes one of the second.
    fn heading(&mut self, level: HeadingLevel, text: &str) {
        let level = (level as usize).max(2);
        let attrs = if level == 2 {
            none()
        } else {
            Json::object([("level", Json::Number(level.to_string()))])
        };
        let html = format!("<h{level} class=\"wp-block-heading\">{text}</h{level}>");
        self.push(leaf("heading", attrs, html));
    }

    fn image(&mut self) {
        let frame = self.pop();
        let Some(picture) = frame.image else {
            return;
        };
        let (id, url) = (picture.token("id"), picture.token("url"));
        // What is written here says more than what is written for the image.
        let alt = if frame.text.trim().is_empty() {
            attribute(&picture.alt)
        } else {
            frame.text.trim().replace('"', "&quot;")
        };
        let attrs = Json::object([
            ("id", Json::Number(id.clone())),
            ("sizeSlug", Json::from("large")),
            ("linkDestination", Json::from("none")),
        ]);
        let html = format!(
            "<figure class=\"wp-block-image size-large\"><img src=\"{url}\" alt=\"{alt}\" class=\"wp-image-{id}\"/></figure>"
        );
        self.push(leaf("image", attrs, html));
    }

    fn item(&mut self, frame: Frame) {
        let mut text = frame.text.trim().to_owned();
        let mut inner = Vec::new();
        for block in frame.blocks {
            if block.name() == "core/list" {
                inner.push(block);
                continue;
            }
            // Items hold text and lists only: paragraphs become lines.
            let html = block.html();
            let html = html.trim();
            let line = html
                .strip_prefix("<p>")
                .and_then(|rest| rest.strip_suffix("</p>"))
                .unwrap_or(html);
            if !text.is_empty() {
                text.push_str("<br>");
            }
            text.push_str(line);
        }
        self.push(wrapped(
            "list-item",
            none(),
            &format!("<li>{text}"),
            "</li>",
            inner,
        ));
    }

    fn list(&mut self, frame: Frame) {
        let block = match frame.ordered {
            Some(first) => {
                let mut attrs = vec![("ordered", Json::Bool(true))];
                let mut start = String::new();
                if first != 1 {
                    attrs.push(("start", Json::Number(first.to_string())));
                    start = format!(" start=\"{first}\"");
                }
                wrapped(
                    "list",
                    Json::object(attrs),
                    &format!("<ol{start}>"),
                    "</ol>",
                    frame.blocks,
                )
            }
            None => wrapped("list", none(), "<ul>", "</ul>", frame.blocks),
        };
        self.push(block);
    }
}

fn refused(html: &str) -> fabrik_core::error::Error {
    let start: String = html.trim().chars().take(40).collect();
    invalid("", format!("HTML is not taken here: `{start}`"))
        .hint("write Markdown, or set `allow_unsafe: true` if you trust whoever writes it")
}

/// Text in an element: no tag, no shortcode.
fn escape(text: &str) -> String {
    clean(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('[', "&#91;")
        .replace(']', "&#93;")
}

/// A paragraph that is an address alone would be turned into what it shows.
fn not_alone(text: &str) -> String {
    let text = text.trim();
    if text.starts_with("http") && !text.contains([' ', '<']) {
        text.replacen("://", ":&#47;&#47;", 1)
    } else {
        text.to_owned()
    }
}

fn table(rows: &[Vec<String>]) -> String {
    let row = |cells: &[String], tag: &str| {
        let cells = cells.iter().map(|cell| format!("<{tag}>{cell}</{tag}>"));
        let cells = cells.collect::<Vec<_>>().concat();
        format!("<tr>{cells}</tr>")
    };
    let (head, body) = rows
        .split_first()
        .map_or((String::new(), &[][..]), |(head, body)| {
            (format!("<thead>{}</thead>", row(head, "th")), body)
        });
    let body: String = body.iter().map(|cells| row(cells, "td")).collect();
    format!("<figure class=\"wp-block-table\"><table>{head}<tbody>{body}</tbody></table></figure>")
}
