//! Contact forms.

use std::collections::BTreeMap;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Finding, TypeInfo, Verb};
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::content::{Content, Write, ids, is_open};
use crate::request::{Facts, Survey};

/// A form that visitors fill in and that is sent by e-mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormSpec {
    /// The plugin that shows and sends it.
    #[serde(default)]
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub plugin: FormPlugin,
    /// Its name in WordPress, as text; no other form may have it.
    #[schemars(length(min = 1, max = 190))]
    pub title: String,
    /// What is asked, in this order.
    #[schemars(length(min = 1))]
    pub fields: Vec<Field>,
    /// What the button says, as text.
    #[schemars(length(min = 1))]
    pub submit: String,
    /// The e-mail that is sent.
    pub mail: Mail,
    /// What visitors are told, by the names of the plugin: `mail_sent_ok`, `validation_error`. Its own
    /// words unless set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<String, String>,
}

/// A plugin for forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FormPlugin {
    /// Contact Form 7.
    #[default]
    #[serde(rename = "contact-form-7")]
    ContactForm7,
}

/// One thing that is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in the e-mail: a letter, then letters, digits, `-` and `_`.
    #[schemars(length(min = 1, max = 60))]
    pub name: String,
    /// What the visitor reads, as text.
    #[schemars(length(min = 1))]
    pub label: String,
    /// What is asked for.
    #[serde(rename = "type", default)]
    pub kind: FieldKind,
    /// Whether it has to be filled in.
    #[serde(default)]
    pub required: bool,
    /// What can be chosen, for `select`, `checkbox` and `radio`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// What a field asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A line of text.
    #[default]
    Text,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Tel,
    /// An address of the web.
    Url,
    /// A number.
    Number,
    /// A date.
    Date,
    /// Several lines of text.
    Textarea,
    /// One of several, in a list.
    Select,
    /// Any of several.
    Checkbox,
    /// One of several.
    Radio,
    /// Consent: the form is sent only with it.
    Acceptance,
}

impl FieldKind {
    fn word(self) -> &'static str {
        match self {
            FieldKind::Text => "text",
            FieldKind::Email => "email",
            FieldKind::Tel => "tel",
            FieldKind::Url => "url",
            FieldKind::Number => "number",
            FieldKind::Date => "date",
            FieldKind::Textarea => "textarea",
            FieldKind::Select => "select",
            FieldKind::Checkbox => "checkbox",
            FieldKind::Radio => "radio",
            FieldKind::Acceptance => "acceptance",
        }
    }

    fn chooses(self) -> bool {
        matches!(
            self,
            FieldKind::Select | FieldKind::Checkbox | FieldKind::Radio
        )
    }
}

/// The e-mail that a form sends. It holds every field, and its answer goes to the first e-mail field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// To whom.
    pub to: String,
    /// Subject, as text; `[NAME]` is filled in with a field.
    #[schemars(length(min = 1))]
    pub subject: String,
    /// From whom; an address of the site's own domain. `wordpress@` the site's domain unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// What WordPress tells of a form.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FormOutputs {
    /// What shows the form in a page.
    pub shortcode: String,
}

/// The type `wordpress.form`.
pub struct Form;

const POST_TYPE: &str = "wpcf7_contact_form";
const FOLDER: &str = "contact-form-7";
const META: &[&str] = &["_form", "_mail", "_messages", "_fabrik_form"];

/// A text between tags of the plugin: neither HTML nor a tag.
fn plain(text: &str) -> String {
    let pairs = [
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("[", "&#91;"),
        ("]", "&#93;"),
    ];
    pairs.iter().fold(text.to_owned(), |text, (sign, entity)| {
        text.replace(sign, entity)
    })
}

/// The form in the plugin's own language.
fn template(spec: &FormSpec) -> String {
    let mut text = String::new();
    for field in &spec.fields {
        let star = if field.required && field.kind != FieldKind::Radio {
            "*"
        } else {
            ""
        };
        let (kind, name) = (field.kind.word(), &field.name);
        let options: Vec<String> = field
            .options
            .iter()
            .map(|option| format!(" \"{option}\""))
            .collect();
        let options = options.concat();
        let label = plain(&field.label);
        let part = match field.kind {
            FieldKind::Acceptance => {
                let optional = if field.required { "" } else { " optional" };
                format!("<p>[acceptance {name}{optional}] {label} [/acceptance]</p>")
            }
            FieldKind::Checkbox | FieldKind::Radio => format!(
                "<fieldset><legend>{label}</legend>\n[{kind}{star} {name} use_label_element{options}]</fieldset>"
            ),
            FieldKind::Select => {
                format!("<label>{label}\n[select{star} {name}{options}]</label>")
            }
            FieldKind::Text | FieldKind::Email | FieldKind::Tel
                if autocomplete(field).is_some() =>
            {
                let auto = autocomplete(field).unwrap_or_default();
                format!("<label>{label}\n[{kind}{star} {name} autocomplete:{auto}]</label>")
            }
            _ => format!("<label>{label}\n[{kind}{star} {name}]</label>"),
        };
        text.push_str(&part);
        text.push_str("\n\n");
    }
    text.push_str("[submit \"");
    text.push_str(&spec.submit);
    text.push_str("\"]");
    text
}

fn autocomplete(field: &Field) -> Option<&'static str> {
    match field.kind {
        FieldKind::Email => Some("email"),
        FieldKind::Tel => Some("tel"),
        FieldKind::Text if field.name == "name" || field.name.ends_with("-name") => Some("name"),
        _ => None,
    }
}

fn mail(spec: &FormSpec) -> Json {
    let body: Vec<String> = spec
        .fields
        .iter()
        .filter(|field| field.kind != FieldKind::Acceptance)
        .map(|field| format!("{}: [{}]", field.label, field.name))
        .collect();
    let answers = spec
        .fields
        .iter()
        .find(|field| field.kind == FieldKind::Email);
    let headers = answers.map(|field| format!("Reply-To: [{}]", field.name));
    let from = spec
        .mail
        .from
        .as_deref()
        .unwrap_or("[_site_title] <wordpress@[_site_domain]>");
    json!({
        "active": true,
        "subject": spec.mail.subject,
        "sender": from,
        "recipient": spec.mail.to,
        "body": body.join("\n"),
        "additional_headers": headers.unwrap_or_default(),
        "attachments": "",
        "use_html": false,
        "exclude_blank": false,
    })
}

impl Content for Form {
    const TYPE: &'static str = "wordpress.form";
    const LOOKS: bool = true;
    type Spec = FormSpec;
    type Outputs = FormOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "NUMBER".into(),
            ..info
        }
    }

    fn check(spec: &FormSpec) -> Result<()> {
        let wrong = |field: String, text: String, hint: &str| {
            Err(Error::new(ErrorKind::Invalid, text)
                .field(Path::parse(&field))
                .hint(hint.to_owned()))
        };
        let quoted =
            |text: &str| !text.contains(['"', '[', ']']) && !text.chars().any(char::is_control);
        ids::title("title", &spec.title)?;
        if !quoted(&spec.submit) {
            return wrong(
                "submit".into(),
                "the button's text holds quotes or brackets".into(),
                "leave them out",
            );
        }
        for (at, field) in spec.fields.iter().enumerate() {
            let begins = field.name.starts_with(|c: char| c.is_ascii_alphabetic());
            let rest = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if !begins || !field.name.chars().all(rest) {
                return wrong(
                    format!("fields[{at}].name"),
                    format!("`{}` cannot be the name of a field", field.name),
                    "begin with a letter and go on with letters, digits, `-` and `_`",
                );
            }
            if spec.fields[..at]
                .iter()
                .any(|other| other.name == field.name)
            {
                return wrong(
                    format!("fields[{at}].name"),
                    format!("two fields are called `{}`", field.name),
                    "give each a name of its own",
                );
            }
            ids::title(&format!("fields[{at}].label"), &field.label)?;
            if field.kind.chooses() == field.options.is_empty() {
                return wrong(
                    format!("fields[{at}].options"),
                    format!("`{}` does not fit its options", field.kind.word()),
                    "`select`, `checkbox` and `radio` need options, and only they have them",
                );
            }
            if let Some(option) = field.options.iter().find(|option| !quoted(option)) {
                return wrong(
                    format!("fields[{at}].options"),
                    format!("`{option}` holds quotes or brackets"),
                    "leave them out",
                );
            }
        }
        let lines = |text: &str| text.contains(['\n', '\r']);
        if !is_open(&spec.mail.to) && !spec.mail.to.starts_with('[') {
            ids::email("mail.to", &spec.mail.to)?;
        }
        if lines(&spec.mail.subject) || spec.mail.from.as_deref().is_some_and(lines) {
            return wrong(
                "mail".into(),
                "the e-mail's head has several lines".into(),
                "write one line",
            );
        }
        Ok(())
    }

    fn preflight(_: &FormSpec, facts: &Facts) -> Vec<Finding> {
        super::seo::missing(Some(FOLDER), facts)
    }

    fn named(spec: &FormSpec, survey: &Survey) -> Option<String> {
        let mut forms = survey.posts.iter().filter(|post| post.kind == POST_TYPE);
        forms
            .find(|form| form.title == spec.title)
            .map(|form| form.id.clone())
    }

    fn read(id: &str, _: Option<&FormSpec>) -> Result<Json> {
        Ok(
            json!({"kind": "post", "type": POST_TYPE, "do": "read", "id": ids::check(id)?, "meta": META}),
        )
    }

    fn list() -> Option<Json> {
        Some(json!({"kind": "post", "type": POST_TYPE, "do": "list", "meta": META}))
    }

    fn seen(raw: &Json, prior: Option<&FormSpec>) -> Result<(FormSpec, FormOutputs)> {
        let meta = &raw["meta"];
        // Fields cannot be told from a form that somebody wrote: those that were sent are, as long as
        // the form is what they make.
        let kept = meta["_fabrik_form"].as_str();
        let kept: Option<FormSpec> = kept.and_then(|text| serde_json::from_str(text).ok());
        let sent = prior.cloned().or(kept);
        let form = meta["_form"].as_str().unwrap_or_default();
        let button = form
            .rsplit_once("[submit \"")
            .and_then(|(_, rest)| rest.split_once('"'));
        let submit = button.map(|(text, _)| text.to_owned()).unwrap_or_default();
        // The button can be told apart: a change of it is none of the fields.
        let as_sent = sent.as_ref().filter(|sent| {
            let shown = FormSpec {
                submit: submit.clone(),
                ..(*sent).clone()
            };
            template(&shown) == form.replace("\r\n", "\n")
        });
        let words = meta["_messages"].as_object();
        let messages = sent
            .as_ref()
            .map(|sent| sent.messages.clone())
            .unwrap_or_default();
        let there = |name: &String| words.and_then(|words| words.get(name)?.as_str());
        let from = ids::some(&meta["_mail"], "sender");
        let own = |from: &String| !from.ends_with("<wordpress@[_site_domain]>");
        let spec = FormSpec {
            plugin: FormPlugin::ContactForm7,
            title: ids::text(raw, "title"),
            fields: as_sent.map(|sent| sent.fields.clone()).unwrap_or_default(),
            submit,
            mail: Mail {
                to: ids::text(&meta["_mail"], "recipient"),
                subject: ids::text(&meta["_mail"], "subject"),
                from: from.filter(own),
            },
            messages: messages
                .keys()
                .filter_map(|name| Some((name.clone(), there(name)?.to_owned())))
                .collect(),
        };
        let outputs = FormOutputs {
            shortcode: ids::text(raw, "shortcode"),
        };
        Ok((spec, outputs))
    }

    fn write(write: &Write<'_, FormSpec>) -> Result<Json> {
        let mut op = json!({
            "kind": "post", "type": POST_TYPE, "do": write.word(), "meta": META, "needs": FOLDER,
        });
        if write.verb != Verb::Create {
            op["id"] = json!(ids::check(write.id)?);
        }
        if write.verb == Verb::Delete {
            return Ok(op);
        }
        let spec = write.wanted()?;
        if let Some(raw) = write.raw {
            op["expect"] = raw["hash"].clone();
        }
        if write.undoes
            && let Some(before) = write.kept.untouched(write.raw)
        {
            op["set"] = json!({
                "title": before["title"], "content": before["content"], "meta": before["meta"],
            });
            op["modified"] = before["modified"].clone();
            op["modified_here"] = before["modified_here"].clone();
            return Ok(op);
        }
        let fields = serde_json::to_string(spec).map_err(|error| {
            Error::new(ErrorKind::Unexpected, "a form does not serialise").cause(error)
        })?;
        let form = template(spec);
        let mut meta = json!({"_form": form, "_mail": mail(spec), "_fabrik_form": fields});
        let had = write.prior.is_some_and(|prior| !prior.messages.is_empty());
        if had || !spec.messages.is_empty() || write.verb == Verb::Create {
            meta["_messages"] = json!(spec.messages);
        }
        op["set"] =
            json!({"title": spec.title, "status": "publish", "content": form, "meta": meta});
        Ok(op)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_written_in_the_plugins_language() {
        let field = |name: &str, kind, required, options: &[&str]| Field {
            name: name.into(),
            label: "A [b] <c> & d".into(),
            kind,
            required,
            options: options.iter().map(ToString::to_string).collect(),
        };
        let spec = FormSpec {
            plugin: FormPlugin::ContactForm7,
            title: "Contact".into(),
            fields: vec![
                field("your-name", FieldKind::Text, true, &[]),
                field("email", FieldKind::Email, true, &[]),
                field("topic", FieldKind::Select, false, &["A b", "C"]),
                field("ok", FieldKind::Acceptance, true, &[]),
            ],
            submit: "Send".into(),
            mail: Mail {
                to: "me@example.com".into(),
                subject: "[topic]".into(),
                from: None,
            },
            messages: BTreeMap::new(),
        };
        Form::check(&spec).unwrap();
        let text = template(&spec);
        assert!(text.starts_with("<label>A &#91;b&#93; &lt;c&gt; &amp; d\n[text* your-name autocomplete:name]</label>\n\n"), "{text}");
        assert!(text.contains("[select topic \"A b\" \"C\"]"), "{text}");
        assert!(text.contains("[acceptance ok] "), "{text}");
        assert!(text.ends_with("[submit \"Send\"]"), "{text}");
        assert_eq!(mail(&spec)["additional_headers"], "Reply-To: [email]");
        let raw = json!({
            "title": "Contact", "shortcode": "[contact-form-7 id=\"abc\"]",
            "meta": {"_form": text, "_mail": mail(&spec), "_messages": {}, "_fabrik_form": serde_json::to_string(&spec).unwrap()},
        });
        assert_eq!(Form::seen(&raw, None).unwrap().0, spec);
        let mut wrong = spec.clone();
        wrong.fields[2].options[0] = "\"]".into();
        assert!(Form::check(&wrong).is_err());
    }
}
