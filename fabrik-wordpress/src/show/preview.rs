//! A site as files of HTML, to look at before there is a WordPress.
//!
//! The theme is not there: a small style sheet stands for it, with the brand's colours, fonts and
//! corners. Addresses within the site lead from file to file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fabrik_blocks::text::{attribute, plain};
use fabrik_core::address::Address;
use fabrik_core::error::Result;
use fabrik_core::stack::Stack;
use fabrik_core::value::Value;
use serde_json::Value as Json;

use super::html::{Fill, html};
use super::{Part, Parts, items, text};

/// A file of the preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it goes, below the folder of the preview.
    pub path: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file of the preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// This text.
    Text(String),
    /// A copy of a file beside the spec.
    Copy(String),
}

/// Renders the pages and posts of a site; of the only one unless named.
///
/// # Errors
/// There is no such site.
pub fn preview(stack: &Stack, app: Option<&str>) -> Result<Vec<File>> {
    let stands_for = |address: &Address, kind: &str, output: &str| {
        Value::from(match (kind, output) {
            ("wordpress.media", "url") => format!("/{}", picture(address)),
            _ => name(address),
        })
    };
    let parts = Parts::of(stack, app, &stands_for)?;
    let site = Preview::new(&parts);
    let mut files = vec![File {
        path: "style.css".to_owned(),
        content: Content::Text(site.style()),
    }];
    for media in parts.all("media") {
        files.push(File {
            path: picture(&media.address),
            content: Content::Copy(text(&media.inputs, "source").to_owned()),
        });
    }
    for page in parts.all("page").chain(parts.all("post")) {
        files.push(site.page(page));
    }
    Ok(files)
}

/// The last part of an address.
fn name(address: &Address) -> String {
    let text = address.as_str();
    text.rsplit('.').next().unwrap_or(text).to_owned()
}

fn picture(address: &Address) -> String {
    let name = name(address);
    let name = name.trim_start_matches("media-");
    let (stem, ending) = name.rsplit_once('-').unwrap_or((name, "png"));
    format!("media/{stem}.{ending}")
}

struct Preview<'p> {
    parts: &'p Parts,
    /// Paths by names of parts.
    paths: BTreeMap<String, String>,
    front: String,
}

impl<'p> Preview<'p> {
    fn new(parts: &'p Parts) -> Preview<'p> {
        let front = parts
            .one("front_page")
            .map(|front| text(&front.inputs, "page").to_owned())
            .unwrap_or_default();
        let mut site = Preview {
            parts,
            paths: BTreeMap::new(),
            front,
        };
        let pages: BTreeMap<String, &Json> = parts
            .all("page")
            .map(|page| (name(&page.address), &page.inputs))
            .collect();
        for key in pages.keys() {
            let mut path = String::new();
            let mut here = Some(key.clone());
            while let Some(inputs) = here.as_ref().and_then(|key| pages.get(key)) {
                path = format!("{}/{path}", text(inputs, "slug"));
                here = Some(text(inputs, "parent").to_owned()).filter(|key| !key.is_empty());
                if path.len() > 2_000 {
                    break;
                }
            }
            if *key == site.front {
                path = String::new();
            }
            site.paths.insert(key.clone(), path);
        }
        site.by_language();
        for post in parts.all("post") {
            let path = format!("{}/", text(&post.inputs, "slug"));
            site.paths.insert(name(&post.address), path);
        }
        site
    }

    /// Pages in other languages than the default lie below its code, as Polylang has it.
    fn by_language(&mut self) {
        let default = self
            .parts
            .all("language")
            .find(|language| language.inputs["default"] == Json::Bool(true))
            .map(|language| text(&language.inputs, "code"));
        for group in self.parts.all("translation") {
            let members = group.inputs.get("pages").and_then(Json::as_object);
            let of_front = members
                .into_iter()
                .flat_map(serde_json::Map::values)
                .any(|page| page.as_str() == Some(&self.front));
            for (code, page) in members.into_iter().flatten() {
                let page = page.as_str().unwrap_or_default();
                if default == Some(code) {
                    continue;
                }
                if let Some(path) = self.paths.get_mut(page) {
                    *path = if of_front {
                        format!("{code}/")
                    } else {
                        format!("{code}/{path}")
                    };
                }
            }
        }
    }

    fn page(&self, page: &Part) -> File {
        let path = self
            .paths
            .get(&name(&page.address))
            .cloned()
            .unwrap_or_default();
        let fill = Fill {
            form: &|title| self.form(title),
            posts: &|| self.posts(),
        };
        let mut body = String::new();
        let title = text(&page.inputs, "title");
        let sections = items(&page.inputs, "sections");
        let whole: String = sections
            .iter()
            .map(|section| html(text(section, "markup"), &fill))
            .collect();
        if !whole.contains("<h1") {
            _ = write!(body, "<h1 class=\"preview-title\">{}</h1>", plain(title));
        }
        body.push_str(&whole);
        if self
            .parts
            .one("front_page")
            .is_some_and(|front| text(&front.inputs, "posts_page") == name(&page.address))
        {
            body.push_str(&self.posts());
        }
        let site = self.parts.one("settings");
        let site_title = site
            .map(|site| text(&site.inputs, "title"))
            .unwrap_or_default();
        let language = site
            .map(|site| text(&site.inputs, "language"))
            .unwrap_or_default();
        let language = language
            .split('_')
            .next()
            .filter(|code| !code.is_empty())
            .unwrap_or("en");
        let html = format!(
            "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{} – {}</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<header class=\"preview-bar\"><a class=\"preview-name\" href=\"/\">{}{}</a>{}</header>\n<main>\n{body}\n</main>\n<footer class=\"preview-bar\"><span>{}</span>{}</footer>\n</body>\n</html>\n",
            plain(title),
            plain(site_title),
            self.logo(),
            plain(site_title),
            self.menu(0),
            plain(site_title),
            self.menu(1),
        );
        let depth = path.matches('/').count();
        File {
            content: Content::Text(relative(&html, depth)),
            path: format!("{path}index.html"),
        }
    }

    fn logo(&self) -> String {
        let logo = self
            .parts
            .one("settings")
            .map(|site| text(&site.inputs, "site_logo"));
        let media = self
            .parts
            .all("media")
            .find(|media| logo == Some(name(&media.address).as_str()));
        media
            .map(|media| {
                format!(
                    "<img src=\"/{}\" alt=\"\" height=\"36\">",
                    picture(&media.address)
                )
            })
            .unwrap_or_default()
    }

    /// The menu at the usual place: the first is the main one.
    fn menu(&self, which: usize) -> String {
        let place = ["primary", "footer"]
            .get(which)
            .copied()
            .unwrap_or_default();
        let is_there = |menu: &&Part| {
            let named = |at: &str| at.starts_with(place);
            let locations = items(&menu.inputs, "locations");
            named(text(&menu.inputs, "slug"))
                || locations.iter().filter_map(Json::as_str).any(named)
        };
        let menu = self.parts.all("menu").find(is_there);
        menu.map(|menu| format!("<nav>{}</nav>", self.entries(items(&menu.inputs, "items"))))
            .unwrap_or_default()
    }

    fn entries(&self, entries: &[Json]) -> String {
        let all: Vec<String> = entries
            .iter()
            .map(|entry| {
                let page = text(entry, "page");
                let href = match self.paths.get(page) {
                    Some(path) => format!("/{path}"),
                    None if !text(entry, "url").is_empty() => text(entry, "url").to_owned(),
                    None => "#".to_owned(),
                };
                let below = items(entry, "children");
                let below = if below.is_empty() {
                    String::new()
                } else {
                    self.entries(below)
                };
                format!(
                    "<li><a href=\"{}\">{}</a>{below}</li>",
                    attribute(&href),
                    plain(text(entry, "title"))
                )
            })
            .collect();
        format!("<ul>{}</ul>", all.concat())
    }

    fn form(&self, title: &str) -> String {
        let forms: Vec<&Part> = self.parts.all("form").collect();
        let Some(form) = forms.iter().find(|form| {
            plain(text(&form.inputs, "title")) == title || text(&form.inputs, "title") == title
        }) else {
            return String::new();
        };
        let fields: String = items(&form.inputs, "fields")
            .iter()
            .map(|field| {
                let label = plain(text(field, "label"));
                match text(field, "type") {
                    "textarea" => format!("<label>{label}<textarea rows=\"5\"></textarea></label>"),
                    "acceptance" | "checkbox" => {
                        format!("<label class=\"preview-check\"><input type=\"checkbox\"> {label}</label>")
                    }
                    "select" | "radio" => format!("<label>{label}<select></select></label>"),
                    kind => format!("<label>{label}<input type=\"{}\"></label>", attribute(kind)),
                }
            })
            .collect();
        let submit = plain(text(&form.inputs, "submit"));
        format!(
            "<form class=\"preview-form\">{fields}<button type=\"button\">{submit}</button></form>"
        )
    }

    fn posts(&self) -> String {
        let mut posts: Vec<&Part> = self.parts.all("post").collect();
        posts.sort_by_key(|post| std::cmp::Reverse(text(&post.inputs, "date").to_owned()));
        let cards: Vec<String> = posts
            .iter()
            .map(|post| {
                let path = self
                    .paths
                    .get(&name(&post.address))
                    .cloned()
                    .unwrap_or_default();
                let image = text(&post.inputs, "featured_media");
                let image = self
                    .parts
                    .all("media")
                    .find(|media| !image.is_empty() && name(&media.address) == image)
                    .map(|media| format!("<img src=\"/{}\" alt=\"\">", picture(&media.address)))
                    .unwrap_or_default();
                format!(
                    "<article>{image}<h3><a href=\"/{path}\">{}</a></h3><p>{}</p></article>",
                    plain(text(&post.inputs, "title")),
                    plain(text(&post.inputs, "excerpt"))
                )
            })
            .collect();
        format!("<div class=\"preview-posts\">{}</div>", cards.concat())
    }

    /// The style sheet: the brand, and what themes have in common.
    fn style(&self) -> String {
        let mut out = String::from(":root {\n");
        let style = self
            .parts
            .one("theme_style")
            .map(|style| style.inputs.clone());
        let style = style.unwrap_or_default();
        let mut classes = String::new();
        for color in items(&style, "palette") {
            let (slug, value) = (text(color, "slug"), text(color, "color"));
            _ = write!(
                out,
                "  --{slug}: {value};\n  --wp--preset--color--{slug}: {value};\n"
            );
            _ = write!(
                classes,
                ".has-{slug}-color {{ color: {value}; }}\n.has-{slug}-background-color {{ background-color: {value}; }}\n"
            );
        }
        let radius = Some(text(&style, "radius")).filter(|radius| !radius.is_empty());
        _ = writeln!(out, "  --radius: {};", radius.unwrap_or("8px"));
        let font = style
            .get("fonts")
            .map(|fonts| text(fonts, "body"))
            .unwrap_or_default();
        let heading = style
            .get("fonts")
            .map(|fonts| text(fonts, "heading"))
            .unwrap_or_default();
        let or = |font: &str| {
            if font.is_empty() {
                "system-ui, sans-serif".to_owned()
            } else {
                font.to_owned()
            }
        };
        _ = write!(
            out,
            "  --font: {};\n  --font-heading: {};\n}}\n",
            or(font),
            or(heading)
        );
        out.push_str(include_str!("preview.css"));
        out.push_str(&classes);
        out.push_str(text(&style, "css"));
        out
    }
}

/// Addresses from the root of the site, as seen from a folder this deep.
fn relative(html: &str, depth: usize) -> String {
    let up = if depth == 0 {
        "./".to_owned()
    } else {
        "../".repeat(depth)
    };
    let mut out = String::new();
    let mut rest = html;
    loop {
        let next = ["href=\"/", "src=\"/"]
            .iter()
            .filter_map(|mark| Some((rest.find(mark)?, mark.len())))
            .min();
        let Some((at, len)) = next else {
            out.push_str(rest);
            return out;
        };
        let (before, after) = rest.split_at(at + len);
        out.push_str(&before[..before.len() - 1]);
        let (target, tail) = after.split_once('"').unwrap_or((after, ""));
        let (path, part) = match target.split_once('#') {
            Some((path, part)) => (path, format!("#{part}")),
            None => (target, String::new()),
        };
        // A folder is the file in it.
        let file = if path.is_empty() || path.ends_with('/') {
            "index.html"
        } else {
            ""
        };
        _ = write!(out, "{up}{path}{file}{part}\"");
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_from_file_to_file() {
        let html = r##"<a href="/about/#x"><img src="/media/a.png"><a href="/"><a href="https://x/"><a href="#y">"##;
        assert_eq!(
            relative(html, 1),
            r##"<a href="../about/index.html#x"><img src="../media/a.png"><a href="../index.html"><a href="https://x/"><a href="#y">"##
        );
        assert_eq!(relative(r#"<a href="/x">"#, 0), r#"<a href="./x">"#);
    }
}
