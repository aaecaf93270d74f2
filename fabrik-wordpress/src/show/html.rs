//! Block markup as the HTML a theme would show, as far as a look needs it.

use fabrik_blocks::text::plain;
use fabrik_blocks::{Block, Json, Node, parse};
use std::fmt::Write as _;

/// What stands for blocks that only WordPress can fill.
pub(super) struct Fill<'f> {
    /// A form by its title, as HTML.
    pub(super) form: &'f dyn Fn(&str) -> String,
    /// The newest posts, as HTML.
    pub(super) posts: &'f dyn Fn() -> String,
}

/// The HTML of a text of blocks.
pub(super) fn html(markup: &str, fill: &Fill<'_>) -> String {
    let mut out = String::new();
    for node in parse(markup) {
        write(&node, fill, &mut out);
    }
    out
}

fn write(node: &Node, fill: &Fill<'_>, out: &mut String) {
    let block = match node {
        Node::Html(html) => {
            out.push_str(html);
            return;
        }
        Node::Block(block) => block,
    };
    match block.name() {
        "core/shortcode" => {
            let title = block.html();
            let title = title
                .split("title=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            out.push_str(&(fill.form)(title.unwrap_or_default()));
            return;
        }
        "core/latest-posts" | "core/query" => {
            out.push_str(&(fill.posts)());
            return;
        }
        "core/social-link" => {
            let text = |field: &str| block.attrs().get(field).and_then(Json::as_str);
            let (service, url) = (text("service"), text("url"));
            _ = write!(
                out,
                "<li><a href=\"{}\">{}</a></li>",
                plain(url.unwrap_or("#")),
                plain(service.unwrap_or("Profile"))
            );
            return;
        }
        "core/embed" => {
            let url = block.attrs().get("url").and_then(Json::as_str);
            let url = plain(url.unwrap_or_default());
            _ = write!(
                out,
                "<p class=\"preview-embed\"><a href=\"{url}\">{url}</a></p>"
            );
            return;
        }
        _ => {}
    }
    let mut classes = layout(block);
    for inner in block.content() {
        match (inner, classes.take()) {
            (Node::Html(html), Some(class)) => out.push_str(&with_class(html, class)),
            (Node::Block(_), kept) => {
                classes = kept;
                write(inner, fill, out);
            }
            (Node::Html(html), None) => out.push_str(html),
        }
    }
}

/// The class WordPress adds for a block's layout when it shows it.
fn layout(block: &Block) -> Option<&'static str> {
    let kind = block.attrs().get("layout")?.get("type")?.as_str()?;
    Some(match kind {
        "flex" => "is-layout-flex",
        "grid" => "is-layout-grid",
        "constrained" => "is-layout-constrained",
        _ => "is-layout-flow",
    })
}

fn with_class(html: &str, class: &str) -> String {
    html.replacen("class=\"", &format!("class=\"{class} "), 1)
}
