//! Forms, categories and authors.

use std::collections::BTreeSet;

use fabrik_core::error::Result;
use fabrik_core::role::Parts;
use fabrik_core::value::{Map, Path, Value, from_json};
use serde_json::json;

use super::site::{Site, take, text_of};
use crate::note::{invalid, unknown};

/// The fields of a form that names none, by language.
fn usual_fields(language: &str) -> Value {
    let [name, email, message] = match language {
        "de" => ["Name", "E-Mail-Adresse", "Nachricht"],
        "it" => ["Nome", "Indirizzo e-mail", "Messaggio"],
        "fr" => ["Nom", "Adresse e-mail", "Message"],
        "es" => ["Nombre", "Correo electrónico", "Mensaje"],
        _ => ["Name", "Email address", "Message"],
    };
    from_json(&json!([
        {"name": "your-name", "label": name, "type": "text", "required": true},
        {"name": "your-email", "label": email, "type": "email", "required": true},
        {"name": "your-message", "label": message, "type": "textarea", "required": true},
    ]))
}

fn usual_submit(language: &str) -> &'static str {
    match language {
        "de" => "Absenden",
        "it" => "Invia",
        "fr" => "Envoyer",
        "es" => "Enviar",
        _ => "Send",
    }
}

/// The name a field has in words: `your-name` becomes "Your name".
fn label(name: &str) -> String {
    let text = name.replace(['-', '_'], " ");
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// Forms: known by their titles, which is how pages name them.
pub(super) fn forms(site: &mut Site<'_>) -> Result<()> {
    let forms = site.at("forms").and_then(|forms| forms.as_map().cloned());
    let language = site.language();
    let mut titles = BTreeSet::new();
    for (key, form) in forms.unwrap_or_default() {
        let at = format!("forms.{key}");
        let title = text_of(&form, "title").unwrap_or_else(|| label(&key));
        if !titles.insert(title.clone()) {
            let text = format!("two forms are called `{title}`");
            site.mistake(invalid(&format!("{at}.title"), text));
            continue;
        }
        let fields = match form.get("fields").and_then(Value::as_list) {
            None => usual_fields(&language),
            Some(fields) => Value::list(fields.iter().map(|field| {
                let name = text_of(field, "name").unwrap_or_default();
                let mut map = field.as_map().cloned().unwrap_or_default();
                map.get_or_insert_with("label".into(), || Value::from(label(&name)));
                map.get_or_insert_with("type".into(), || Value::from("text"));
                map.get_or_insert_with("required".into(), || Value::Bool(false));
                Value::map(map)
            })),
        };
        let to = form
            .get("to")
            .cloned()
            .or_else(|| site.at("contact.email"))
            .or_else(|| site.at("settings.admin_email"));
        let Some(to) = to else {
            let text = format!("nobody gets the messages of the form `{key}`");
            site.mistake(invalid(&at, text).hint("set `to`, or `contact: { email: … }`"));
            continue;
        };
        let subject = form.get("subject").cloned().unwrap_or_else(|| {
            Value::from(format!(
                "{}: {title}",
                site.text("title").unwrap_or_default()
            ))
        });
        let mut mail = Map::from([("to".into(), to), ("subject".into(), subject)]);
        if let Some(from) = form.get("from") {
            mail.insert("from".into(), from.clone());
        }
        let submit = form
            .get("submit")
            .cloned()
            .unwrap_or_else(|| Value::from(usual_submit(&language)));
        let mut inputs = Map::from([
            ("plugin".into(), Value::from("contact-form-7")),
            ("title".into(), Value::from(title.as_str())),
            ("fields".into(), fields),
            ("submit".into(), submit),
            ("mail".into(), Value::map(mail)),
        ]);
        if let Some(messages) = form.get("messages") {
            inputs.insert("messages".into(), messages.clone());
        }
        site.add_content(&format!("form-{key}"), "wordpress.form", inputs)?;
        site.forms.insert(key.to_string(), title);
    }
    Ok(())
}

/// Categories and authors of posts.
pub(super) fn people(site: &mut Site<'_>) -> Result<()> {
    let mut waiting: Vec<(usize, Value)> =
        site.list("categories").into_iter().enumerate().collect();
    let known: Vec<String> = waiting
        .iter()
        .filter_map(|(_, category)| text_of(category, "slug"))
        .collect();
    // Those above come first.
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut later = Vec::new();
        for (index, category) in waiting {
            let slug = text_of(&category, "slug").unwrap_or_default();
            let parent = text_of(&category, "parent");
            let above = parent
                .as_ref()
                .map(|parent| site.categories.get(parent).cloned());
            if let Some(None) = above {
                later.push((index, category));
                continue;
            }
            let mut inputs = take(
                &category,
                &[("name", "name"), ("description", "description")],
            );
            inputs.get_or_insert_with("name".into(), || Value::from(label(&slug)));
            inputs.insert("slug".into(), Value::from(slug.as_str()));
            if let Some(Some(above)) = above {
                inputs.insert("parent".into(), Parts::output(&above, "id"));
            }
            let part = format!("category-{slug}");
            if site.categories.contains_key(&slug) {
                let at = format!("categories[{index}]");
                site.mistake(invalid(
                    &at,
                    format!("the category `{slug}` is listed twice"),
                ));
                continue;
            }
            let address = site.add_content(&part, "wordpress.category", inputs)?;
            site.categories.insert(slug, address);
        }
        if later.len() == before {
            for (index, category) in &later {
                let parent = text_of(category, "parent").unwrap_or_default();
                let at = format!("categories[{index}].parent");
                let text = format!("there is no category `{parent}` to be below");
                let error = unknown(&at, text, &parent, known.iter().map(String::as_str));
                site.mistake(error);
            }
            break;
        }
        waiting = later;
    }
    for (index, author) in site.list("authors").iter().enumerate() {
        let login = text_of(author, "login").unwrap_or_default();
        let names = ["login", "name", "email", "bio", "url"];
        let inputs = take(author, &names.map(|name| (name, name)));
        if site.authors.contains_key(&login) {
            let at = Path::parse(&format!("authors[{index}]"));
            let text = format!("the author `{login}` is listed twice");
            site.mistake(invalid("", text).field(at));
            continue;
        }
        let part = format!("author-{}", super::site::slug(&login));
        let address = site.add_content(&part, "wordpress.author", inputs)?;
        site.authors.insert(login, address);
    }
    Ok(())
}
