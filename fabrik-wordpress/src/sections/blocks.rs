//! WordPress's own blocks, in the oldest form that all supported editors take.

use std::fmt::Write as _;

use fabrik_blocks::text::attribute;
use fabrik_blocks::{Block, Json};

use super::Image;
use super::dress::{Dress, leaf, wrap};

/// A heading of level 1 to 6; `html` is safe.
pub(super) fn heading(level: u8, html: &str, dress: &Dress) -> Block {
    let own = if level == 2 {
        Vec::new()
    } else {
        vec![("level", Json::from(u32::from(level)))]
    };
    let tag = format!("h{level}");
    let html = format!("<{tag}{}>{html}</{tag}>", dress.html("wp-block-heading"));
    leaf("heading", dress.attrs(own), &html)
}

/// A paragraph; `html` is safe.
pub(super) fn paragraph(html: &str, dress: &Dress) -> Block {
    let html = format!("<p{}>{html}</p>", dress.html(""));
    leaf("paragraph", dress.attrs(Vec::new()), &html)
}

/// A group in a tag.
pub(super) fn group(tag: &'static str, dress: &Dress, inner: Vec<Block>) -> Block {
    let own = if tag == "div" {
        Vec::new()
    } else {
        vec![("tagName", Json::from(tag))]
    };
    let open = format!("<{tag}{}>", dress.html("wp-block-group"));
    wrap(
        "group",
        dress.attrs(own),
        &open,
        inner,
        &format!("</{tag}>"),
    )
}

/// Columns that stand below each other on phones.
pub(super) fn columns(dress: &Dress, inner: Vec<Block>) -> Block {
    let open = format!("<div{}>", dress.html("wp-block-columns"));
    wrap("columns", dress.attrs(Vec::new()), &open, inner, "</div>")
}

/// Two columns whose content stands in the middle of their height.
pub(super) fn centered_pair(pair: [Vec<Block>; 2]) -> Block {
    let dress = Dress {
        align: Some("wide"),
        ..Dress::default()
    };
    let own = || vec![("verticalAlignment", Json::from("center"))];
    let inner = pair
        .into_iter()
        .map(|parts| {
            let open = "<div class=\"wp-block-column is-vertically-aligned-center\">";
            wrap(
                "column",
                Dress::default().attrs(own()),
                open,
                parts,
                "</div>",
            )
        })
        .collect();
    let open = "<div class=\"wp-block-columns alignwide are-vertically-aligned-center\">";
    wrap("columns", dress.attrs(own()), open, inner, "</div>")
}

/// A column.
pub(super) fn column(dress: &Dress, inner: Vec<Block>) -> Block {
    let open = format!("<div{}>", dress.html("wp-block-column"));
    wrap("column", dress.attrs(Vec::new()), &open, inner, "</div>")
}

/// A list; each item is safe HTML.
pub(super) fn list(ordered: bool, items: &[String], dress: &Dress) -> Block {
    let own = if ordered {
        vec![("ordered", Json::Bool(true))]
    } else {
        Vec::new()
    };
    let tag = if ordered { "ol" } else { "ul" };
    let items = items
        .iter()
        .map(|item| {
            leaf(
                "list-item",
                Json::Object(Vec::new()),
                &format!("<li>{item}</li>"),
            )
        })
        .collect();
    let open = format!("<{tag}{}>", dress.html(""));
    wrap("list", dress.attrs(own), &open, items, &format!("</{tag}>"))
}

/// A row of buttons.
pub(super) fn buttons(centered: bool, inner: Vec<Block>) -> Block {
    let mut layout = Json::object([("type", Json::from("flex"))]);
    if centered {
        layout.set("justifyContent", Json::from("center"));
    }
    let dress = Dress {
        margin: Some(["1.5rem", "0"]),
        layout: Some(layout),
        ..Dress::default()
    };
    let open = format!("<div{}>", dress.html("wp-block-buttons"));
    wrap("buttons", dress.attrs(Vec::new()), &open, inner, "</div>")
}

/// A button; the label is safe HTML, the address was checked. An outline has no background.
pub(super) fn button(label: &str, address: &str, outline: bool, dress: &Dress) -> Block {
    let outer = if outline { " is-style-outline" } else { "" };
    let mut attrs = dress.clone();
    attrs.classes = if outline {
        vec!["is-style-outline".to_owned()]
    } else {
        Vec::new()
    };
    let style = dress.css();
    let style = if style.is_empty() {
        style
    } else {
        format!(" style=\"{style}\"")
    };
    let html = format!(
        "<div class=\"wp-block-button{outer}\"><a class=\"{} wp-element-button\" href=\"{}\"{style}>{label}</a></div>",
        dress.class_list("wp-block-button__link"),
        attribute_of_address(address),
    );
    leaf("button", attrs.attrs(Vec::new()), &html)
}

/// A checked address as the value of an attribute. Ampersands are all that is left to escape.
pub(super) fn attribute_of_address(address: &str) -> String {
    address.replace('&', "&amp;")
}

/// How large a picture is shown.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Size {
    /// As large as there is room.
    #[default]
    Full,
    /// So many pixels wide.
    Width(u32),
    /// A square of so many pixels, with the picture's edges cut off. Before WordPress 6.5 only its
    /// width is set.
    Square(u32),
}

/// A picture, with a safe caption.
pub(super) fn image(
    image: &Image,
    caption: Option<&str>,
    link: Option<&str>,
    dress: &Dress,
) -> Block {
    sized_image(image, caption, link, Size::Full, true, dress)
}

/// A picture of a size; `styled` where the editor writes sizes as style (6.5 and newer).
pub(super) fn sized_image(
    image: &Image,
    caption: Option<&str>,
    link: Option<&str>,
    size: Size,
    styled: bool,
    dress: &Dress,
) -> Block {
    let mut own = vec![("id", Json::Number(image.id.clone()))];
    let mut class = "wp-block-image size-large".to_owned();
    let (mut css, mut width) = (Vec::new(), String::new());
    if let Some(radius) = &dress.radius {
        class.push_str(" has-custom-border");
        css.push(format!("border-radius:{radius}"));
    }
    if let Size::Width(pixels) | Size::Square(pixels) = size {
        class.push_str(" is-resized");
        if styled {
            own.push(("width", Json::from(format!("{pixels}px"))));
            if matches!(size, Size::Square(_)) {
                own.push(("aspectRatio", Json::from("1")));
                own.push(("scale", Json::from("cover")));
                css.push("aspect-ratio:1;object-fit:cover".to_owned());
            }
            css.push(format!("width:{pixels}px"));
        } else {
            own.push(("width", Json::from(pixels)));
            width = format!(" width=\"{pixels}\"");
        }
    }
    own.push(("sizeSlug", Json::from("large")));
    own.push((
        "linkDestination",
        Json::from(if link.is_some() { "custom" } else { "none" }),
    ));
    let style = if css.is_empty() {
        String::new()
    } else {
        format!(" style=\"{}\"", css.join(";"))
    };
    let mut img = format!(
        "<img src=\"{}\" alt=\"{}\" class=\"wp-image-{}\"{style}{width}/>",
        attribute_of_address(&image.url),
        attribute(&image.alt),
        image.id
    );
    if let Some(link) = link {
        img = format!("<a href=\"{}\">{img}</a>", attribute_of_address(link));
    }
    let caption = caption.map_or_else(String::new, |caption| {
        format!("<figcaption class=\"wp-element-caption\">{caption}</figcaption>")
    });
    let figure = Dress {
        radius: None,
        ..dress.clone()
    };
    let html = format!("<figure{}>{img}{caption}</figure>", figure.html(&class));
    leaf("image", dress.attrs(own), &html)
}

/// A picture over the page's width with blocks on it; `dim` is how much of it is darkened.
pub(super) fn cover(
    image: &Image,
    dim: u8,
    min_height: u32,
    dress: &Dress,
    inner: Vec<Block>,
) -> Block {
    // The text stands in the delimiter too, where WordPress looks for `[embed]` before it reads
    // blocks: a joiner of no width keeps the bracket from the name.
    let alt = image.alt.replace('[', "[\u{2060}");
    let alt = fabrik_blocks::html::decode(&attribute(&alt));
    let mut own = vec![
        ("url", Json::from(image.url.as_str())),
        ("id", Json::Number(image.id.clone())),
        ("dimRatio", Json::from(u32::from(dim))),
        ("minHeight", Json::from(min_height)),
    ];
    // The background is rounded to tens in its class, and has no number at 50.
    let step = (u32::from(dim) + 5) / 10 * 10;
    let dim_class = if dim == 50 {
        String::new()
    } else {
        format!("has-background-dim-{step} ")
    };
    let tag = Dress {
        padding: dress.padding,
        margin: dress.margin,
        ..Dress::default()
    }
    .html("");
    let style = tag
        .strip_prefix(" style=\"")
        .and_then(|s| s.strip_suffix('"'))
        .unwrap_or_default();
    let separator = if style.is_empty() { "" } else { ";" };
    let classes = Dress {
        padding: None,
        margin: None,
        ..dress.clone()
    }
    .html("wp-block-cover");
    let open = format!(
        "<div{classes} style=\"{style}{separator}min-height:{min_height}px\"><span aria-hidden=\"true\" class=\"wp-block-cover__background {dim_class}has-background-dim\"></span><img class=\"wp-block-cover__image-background wp-image-{}\" alt=\"{}\" src=\"{}\" data-object-fit=\"cover\"/><div class=\"wp-block-cover__inner-container\">",
        image.id,
        attribute(&alt),
        attribute_of_address(&image.url),
    );
    if !alt.is_empty() {
        own.insert(2, ("alt", Json::from(alt.as_str())));
    }
    wrap("cover", dress.attrs(own), &open, inner, "</div></div>")
}

/// A picture beside blocks. Its alignment is always written: its default changed between versions.
pub(super) fn media_text(image: &Image, right: bool, dress: &Dress, inner: Vec<Block>) -> Block {
    let mut own = vec![("align", Json::from("wide"))];
    if right {
        own.push(("mediaPosition", Json::from("right")));
    }
    own.push(("mediaId", Json::Number(image.id.clone())));
    own.push(("mediaType", Json::from("image")));
    let class = if right {
        "wp-block-media-text alignwide has-media-on-the-right is-stacked-on-mobile"
    } else {
        "wp-block-media-text alignwide is-stacked-on-mobile"
    };
    let figure = format!(
        "<figure class=\"wp-block-media-text__media\"><img src=\"{}\" alt=\"{}\" class=\"wp-image-{} size-full\"/></figure>",
        attribute_of_address(&image.url),
        attribute(&image.alt),
        image.id
    );
    let tag = dress.html(class);
    let (open, close) = if right {
        (
            format!("<div{tag}><div class=\"wp-block-media-text__content\">"),
            format!("</div>{figure}</div>"),
        )
    } else {
        (
            format!("<div{tag}>{figure}<div class=\"wp-block-media-text__content\">"),
            "</div></div>".to_owned(),
        )
    };
    wrap("media-text", dress.attrs(own), &open, inner, &close)
}

/// Pictures in a grid, each with a safe caption.
pub(super) fn gallery(
    images: &[(Image, Option<String>)],
    columns: u8,
    crop: bool,
    dress: &Dress,
) -> Block {
    let mut own = vec![("columns", Json::from(u32::from(columns)))];
    if !crop {
        own.push(("imageCrop", Json::Bool(false)));
    }
    own.push(("linkTo", Json::from("none")));
    let class = format!(
        "wp-block-gallery has-nested-images columns-{columns}{}",
        if crop { " is-cropped" } else { "" }
    );
    let inner = images
        .iter()
        .map(|(picture, caption)| image(picture, caption.as_deref(), None, &Dress::default()))
        .collect();
    let open = format!("<figure{}>", dress.html(&class));
    wrap("gallery", dress.attrs(own), &open, inner, "</figure>")
}

/// A quotation; `cite` is safe HTML.
pub(super) fn quote(inner: Vec<Block>, cite: Option<&str>, dress: &Dress) -> Block {
    let open = format!("<blockquote{}>", dress.html("wp-block-quote"));
    let close = match cite {
        Some(cite) => format!("<cite>{cite}</cite></blockquote>"),
        None => "</blockquote>".to_owned(),
    };
    wrap("quote", dress.attrs(Vec::new()), &open, inner, &close)
}

/// A summary that opens to show more. WordPress 6.3 and newer.
pub(super) fn details(summary: &str, dress: &Dress, inner: Vec<Block>) -> Block {
    let open = format!(
        "<details{}><summary>{summary}</summary>",
        dress.html("wp-block-details")
    );
    wrap(
        "details",
        dress.attrs(Vec::new()),
        &open,
        inner,
        "</details>",
    )
}

/// A line across.
pub(super) fn separator() -> Block {
    let html = "<hr class=\"wp-block-separator has-alpha-channel-opacity\"/>";
    leaf("separator", Json::Object(Vec::new()), html)
}

/// A shortcode; its values were escaped.
pub(super) fn shortcode(text: &str) -> Block {
    leaf("shortcode", Json::Object(Vec::new()), text)
}

/// HTML as it is.
pub(super) fn html(text: &str) -> Block {
    leaf("html", Json::Object(Vec::new()), text)
}

/// A table with a head; cells are safe HTML, the first of a row names it.
pub(super) fn table(head: &[String], rows: &[Vec<String>], dress: &Dress) -> Block {
    let mut html = format!("<figure{}><table><thead><tr>", dress.html("wp-block-table"));
    for cell in head {
        let _ = write!(html, "<th>{cell}</th>");
    }
    html.push_str("</tr></thead><tbody>");
    for row in rows {
        html.push_str("<tr>");
        for cell in row {
            let _ = write!(html, "<td>{cell}</td>");
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></figure>");
    leaf("table", dress.attrs(Vec::new()), &html)
}

/// Links to profiles, as icons. Services are among those that WordPress knows.
pub(super) fn social_links(links: &[(&'static str, String)], centered: bool) -> Block {
    let inner = links
        .iter()
        .map(|(service, address)| {
            Block::new("social-link").with_attrs(Json::object([
                ("url", Json::from(address.as_str())),
                ("service", Json::from(*service)),
            ]))
        })
        .collect();
    let mut dress = Dress::default().class("is-style-logos-only");
    if centered {
        dress.layout = Some(Json::object([
            ("type", Json::from("flex")),
            ("justifyContent", Json::from("center")),
        ]));
    }
    let open = format!("<ul{}>", dress.html("wp-block-social-links"));
    wrap(
        "social-links",
        dress.attrs(Vec::new()),
        &open,
        inner,
        "</ul>",
    )
}

/// An embedded page of a service that WordPress knows.
pub(super) fn embed(
    address: &str,
    kind: &'static str,
    provider: &'static str,
    caption: Option<&str>,
) -> Block {
    let class = "wp-embed-aspect-16-9 wp-has-aspect-ratio";
    let attrs = Json::object([
        ("url", Json::from(address)),
        ("type", Json::from(kind)),
        ("providerNameSlug", Json::from(provider)),
        ("responsive", Json::Bool(true)),
        ("className", Json::from(class)),
    ]);
    let caption = caption.map_or_else(String::new, |caption| {
        format!("<figcaption class=\"wp-element-caption\">{caption}</figcaption>")
    });
    let html = format!(
        "<figure class=\"wp-block-embed is-type-{kind} is-provider-{provider} wp-block-embed-{provider} {class}\"><div class=\"wp-block-embed__wrapper\">\n{}\n</div>{caption}</figure>",
        attribute_of_address(address)
    );
    leaf("embed", attrs, &html)
}
