//! Posts: Markdown files with front matter, and posts in the spec.

use std::collections::BTreeSet;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, Result};
use fabrik_core::kinds::app_name;
use fabrik_core::role::Parts;
use fabrik_core::spec::parse::parse;
use fabrik_core::value::{Map, Path, Value};

use super::library::Library;
use super::pages::{Studio, section_values, version};
use super::site::{Site, slug, text_of};
use crate::note::{invalid, unknown};
use crate::render::Links;

/// A post on its way.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) slug: String,
    title: String,
    /// Markdown.
    text: String,
    /// Front matter, or the block in the spec.
    pub(super) block: Value,
    /// The folder its images are looked for in.
    folder: String,
    /// Where it stands in the spec.
    pub(super) at: String,
    /// Its part, once declared.
    pub(super) address: Option<Address>,
}

/// Keys of front matter.
const KEYS: &[&str] = &[
    "title",
    "slug",
    "date",
    "status",
    "excerpt",
    "categories",
    "tags",
    "author",
    "image",
    "seo",
    "draft",
];

/// Every post; mistakes are noted.
pub(super) fn gather(site: &mut Site<'_>) -> Vec<Post> {
    let mut posts = Vec::new();
    if let Some(folder) = site.text("posts.folder") {
        let folder = folder.trim_end_matches('/').to_owned();
        match site.cx.files().list(&folder) {
            Err(error) => {
                let text = format!("the folder `{folder}` cannot be read");
                site.mistake(invalid("posts.folder", text).cause(error));
            }
            Ok(files) => {
                for file in files
                    .iter()
                    .filter(|file| file.to_lowercase().ends_with(".md"))
                {
                    match from_file(site, file) {
                        Ok(post) => posts.push(post),
                        Err(error) => site.mistake(error.field(Path::parse("posts.folder"))),
                    }
                }
            }
        }
    }
    for (index, item) in site.list("posts.items").iter().enumerate() {
        let at = format!("posts.items[{index}]");
        posts.extend(from_item(site, item, at));
    }
    let mut taken = BTreeSet::new();
    let mut twice = Vec::new();
    posts.retain(|post| {
        let new = taken.insert(post.slug.clone());
        if !new {
            let text = format!("there are two posts `{}`", post.slug);
            twice.push(invalid(&post.at, text));
        }
        new
    });
    for error in twice {
        site.mistake(error);
    }
    posts
}

/// A text with front matter between lines of `---`.
fn front_matter(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rest = text
        .strip_prefix("---\n")
        .or_else(|| text.strip_prefix("---\r\n"))?;
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((&rest[..at], &rest[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

/// The first heading of a Markdown text, when it begins with one of the first level.
fn heading(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_start();
    let line = rest.strip_prefix("# ")?;
    let (title, body) = line.split_once('\n').unwrap_or((line, ""));
    Some((title.trim(), body))
}

fn from_file(site: &mut Site<'_>, file: &str) -> Result<Post> {
    let wrong = |text: String| invalid("", text);
    let bytes = site.cx.files().read(file)?;
    let text =
        String::from_utf8(bytes).map_err(|_| wrong(format!("`{file}` is not UTF-8 text")))?;
    let (head, body) = front_matter(&text).unwrap_or(("", text.as_str()));
    let mut found = Vec::new();
    let head = parse(head, 0, &mut found).map(|node| node.plain_value());
    if let Some(first) = found.first() {
        return Err(wrong(format!(
            "the front matter of `{file}` is wrong: {}",
            first.summary
        )));
    }
    let head = head.unwrap_or_default();
    let mut map = head.as_map().cloned().unwrap_or_default();
    if let Some(key) = map
        .keys()
        .find(|key| !KEYS.contains(&&***key) && !key.starts_with("x-"))
    {
        let text = format!("the front matter of `{file}` has an unknown field `{key}`");
        return Err(unknown("", text, key, KEYS.iter().copied()));
    }
    if map.remove("draft").and_then(|draft| draft.as_bool()) == Some(true) {
        map.insert("status".into(), Value::from("draft"));
    }
    let block = Value::map(map);
    let (title, body) = match (text_of(&block, "title"), heading(body)) {
        (Some(title), _) => (title, body),
        (None, Some((title, rest))) => (title.to_owned(), rest),
        (None, None) => {
            return Err(wrong(format!("`{file}` has no title"))
                .hint("begin it with front matter: `---`, `title: …`, `---`"));
        }
    };
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let name = name.strip_suffix(".md").unwrap_or(name);
    // `2026-03-14-name.md` says when it appeared.
    let (date, name) = match (name.get(..10), name.get(10..)) {
        (Some(date), Some(rest)) if is_day(date) && rest.starts_with('-') => {
            (Some(date), &rest[1..])
        }
        _ => (None, name),
    };
    let mut block = block;
    if let (Some(date), None) = (date, block.get("date")) {
        block = block.with(&Path::key("date"), Value::from(date));
    }
    Ok(Post {
        slug: text_of(&block, "slug").unwrap_or_else(|| slug(name)),
        title,
        text: body.to_owned(),
        block,
        folder: folder.to_owned(),
        at: "posts.folder".to_owned(),
        address: None,
    })
}

fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn from_item(site: &mut Site<'_>, item: &Value, at: String) -> Option<Post> {
    let slug = text_of(item, "slug")?;
    let (text, folder) = match (text_of(item, "text"), text_of(item, "file")) {
        (Some(text), None) => (text, String::new()),
        (None, Some(file)) => {
            let text = super::pages::read_text(site, &file, &format!("{at}.file"))?;
            let body = front_matter(&text)
                .map_or(text.as_str(), |(_, body)| body)
                .to_owned();
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            (body, folder.to_owned())
        }
        _ => {
            site.mistake(invalid(
                &at,
                format!("the post `{slug}` needs either `text` or `file`"),
            ));
            return None;
        }
    };
    let title = text_of(item, "title").or_else(|| Some(heading(&text)?.0.to_owned()));
    let Some(title) = title else {
        site.mistake(invalid(&at, format!("the post `{slug}` has no `title`")));
        return None;
    };
    Some(Post {
        slug,
        title,
        text,
        block: item.clone(),
        folder,
        at,
        address: None,
    })
}

/// Renders every post and declares its part.
pub(super) fn declare(site: &mut Site<'_>, posts: &mut [Post], links: &Links) -> Result<()> {
    let name = app_name(site.cx.parts().base());
    let allow_unsafe = site.at("allow_unsafe").and_then(|on| on.as_bool()) == Some(true);
    let media = site.at("media");
    let mut failed: Vec<Error> = Vec::new();
    let mut warned: Vec<Error> = Vec::new();
    let library = Library::new(site.cx.files(), media.as_ref());
    let mut rendered = Vec::new();
    for post in posts.iter() {
        let mut studio = Studio {
            library: &library,
            links,
            forms: &site.forms,
            brand: &site.brand,
            site: &name,
            version: version(&site.block),
            allow_unsafe,
            files: site.cx.files(),
            failed: &mut failed,
            warned: &mut warned,
        };
        let id = format!("{}.text", post.slug);
        let markup = studio.markdown(&post.text, "Text", &id, &post.folder, &post.at);
        rendered.push(markup.map(|markup| (id, markup)));
    }
    let used = library.used();
    site.pictures.extend(used);
    for error in failed {
        site.cx.mistake(error);
    }
    for (post, section) in posts.iter_mut().zip(rendered) {
        let sections: Vec<(String, String)> = section.into_iter().collect();
        post.address = Some(declare_one(site, post, &sections)?);
    }
    Ok(())
}

fn declare_one(site: &mut Site<'_>, post: &Post, sections: &[(String, String)]) -> Result<Address> {
    let mut inputs = Map::from([
        ("slug".into(), Value::from(post.slug.as_str())),
        ("title".into(), Value::from(post.title.as_str())),
        ("sections".into(), section_values(site, sections)),
        (
            "status".into(),
            post.block
                .get("status")
                .cloned()
                .unwrap_or_else(|| Value::from("publish")),
        ),
    ]);
    if let Some(value) = post.block.get("excerpt") {
        inputs.insert("excerpt".into(), value.clone());
    }
    if let Some(date) = text_of(&post.block, "date") {
        match moment(&date) {
            Some(date) => {
                inputs.insert("date".into(), Value::from(date));
            }
            None => {
                let text = format!("`{date}`, the date of the post `{}`, is none", post.slug);
                site.mistake(
                    invalid(&post.at, text).hint("write `2026-03-14` or `2026-03-14 09:30`"),
                );
            }
        }
    }
    let listed = |field: &str| -> Vec<String> {
        match post.block.get(field) {
            Some(Value::List(items)) => items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
            Some(Value::Str(text)) => text.split(',').map(|word| word.trim().to_owned()).collect(),
            _ => Vec::new(),
        }
    };
    let mut categories = Vec::new();
    for wanted in listed("categories") {
        match site.categories.get(&wanted) {
            Some(address) => categories.push(Parts::output(address, "id")),
            None => {
                let known: Vec<&str> = site.categories.keys().map(String::as_str).collect();
                let text = format!(
                    "the post `{}` is in the category `{wanted}`, which is not there",
                    post.slug
                );
                let error = unknown(&post.at, text, &wanted, known)
                    .hint(format!("add it: `categories: [{wanted}]`"));
                site.mistake(error);
            }
        }
    }
    if !categories.is_empty() {
        inputs.insert("categories".into(), Value::list(categories));
    }
    let tags = listed("tags");
    if !tags.is_empty() {
        inputs.insert(
            "tags".into(),
            Value::list(tags.into_iter().map(Value::from)),
        );
    }
    if let Some(login) = text_of(&post.block, "author") {
        match site.authors.get(&login) {
            Some(address) => {
                inputs.insert("author".into(), Parts::output(address, "id"));
            }
            None => {
                let known: Vec<&str> = site.authors.keys().map(String::as_str).collect();
                let text = format!(
                    "the post `{}` is by `{login}`, who is not in `authors`",
                    post.slug
                );
                let error = unknown(&post.at, text, &login, known);
                site.mistake(error);
            }
        }
    }
    if let Some(key) = text_of(&post.block, "image") {
        let named = site
            .at("media")
            .is_some_and(|media| media.get(&key).is_some());
        let path = crate::markdown::join(&post.folder, &key);
        let key = if named || site.cx.files().read(&path).is_err() {
            key
        } else {
            path
        };
        if let Some(picture) = site.picture(&key, &post.at) {
            inputs.insert("featured_media".into(), site.picture_id(&picture)?);
        }
    }
    site.add_content(&format!("post-{}", post.slug), "wordpress.post", inputs)
}

/// A day, or a moment in universal time as RFC 3339.
fn moment(text: &str) -> Option<String> {
    let day = text.get(..10).filter(|day| is_day(day))?;
    let rest = text
        .get(10..)?
        .trim_start_matches([' ', 'T'])
        .trim_end_matches('Z');
    let fits = |rest: &str| {
        let mut parts = rest.split(':');
        parts.all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match rest.len() {
        0 => Some(day.to_owned()),
        5 if fits(rest) => Some(format!("{day}T{rest}:00Z")),
        8 if fits(rest) => Some(format!("{day}T{rest}Z")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_ends_at_its_line() {
        assert_eq!(
            front_matter("---\na: 1\n---\nb\n---\n"),
            Some(("a: 1\n", "b\n---\n"))
        );
        assert_eq!(front_matter("a\n---\n"), None);
        assert_eq!(front_matter("---\na"), None);
        assert_eq!(heading("\n# T \nrest"), Some(("T", "rest")));
        assert_eq!(moment("2026-03-14").as_deref(), Some("2026-03-14"));
        assert_eq!(
            moment("2026-03-14 09:30").as_deref(),
            Some("2026-03-14T09:30:00Z")
        );
        assert_eq!(
            moment("2026-03-14T09:30:00Z").as_deref(),
            Some("2026-03-14T09:30:00Z")
        );
        assert_eq!(moment("soon"), None);
        assert!(is_day("2026-03-14") && !is_day("2026-3-14x"));
    }
}
