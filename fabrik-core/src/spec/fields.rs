//! The fields of the language that depend on no provider and no kind, for reference pages.

use super::{apps, checks, notify, options, resources, secrets, top};

/// A block of the language and its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name: `spec`, `app`, `resource`, `variable`, `secret`, `check`.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its fields, in the order to show them.
    pub fields: Vec<Field>,
}

/// A field of a [`Section`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Whether it is implemented; using one that is not is an error that says so.
    pub ready: bool,
}

/// Every section.
///
/// ```
/// let sections = fabrik_core::spec::fields();
/// let resource = sections.iter().find(|section| section.name == "resource").expect("a section");
/// assert!(resource.fields.iter().any(|field| field.name == "depends_on"));
/// ```
pub fn fields() -> Vec<Section> {
    vec![
        Section {
            name: "spec",
            about: "The top level of a spec. A document without `apps` and `resources` is one app: \
                    what the app takes stands beside `id`.",
            fields: top::TOP
                .iter()
                .map(|key| Field {
                    name: key.name,
                    about: key.about,
                    ready: key.ready,
                })
                .collect(),
        },
        Section {
            name: "app",
            about: "What every app takes, besides what its kind takes and the blocks named after \
                    providers.",
            fields: ready(apps::COMMON),
        },
        Section {
            name: "resource",
            about: "A resource below `resources`.",
            fields: ready(resources::KEYS)
                .into_iter()
                .chain(ready(options::KEYS))
                .collect(),
        },
        Section {
            name: "variable",
            about: "A variable below `vars`; a value alone is its default.",
            fields: ready(&[
                ("type", "`string`, `number`, `boolean`, `list` or `map`."),
                ("default", "Its value unless another is given."),
                ("required", "It must be given a value."),
                ("description", "What it is for, for people."),
            ]),
        },
        Section {
            name: "secret",
            about: "A secret below `secrets`: `~`, or where it comes from, never its value.",
            fields: ready(secrets::KEYS),
        },
        Section {
            name: "channel",
            about: "A channel below `notify`: `{ slack: URL }`, `{ webhook: URL }` or `{ command: … }`.",
            fields: ready(notify::KEYS),
        },
        Section {
            name: "check",
            about: "A check below `verify`: `{ http: /up }`, or `kind` and `spec`.",
            fields: checks::KINDS
                .iter()
                .map(|(name, _, about)| (*name, *about))
                .chain(checks::KEYS.iter().copied())
                .map(field)
                .collect(),
        },
    ]
}

fn ready(rows: &[(&'static str, &'static str)]) -> Vec<Field> {
    rows.iter().copied().map(field).collect()
}

fn field((name, about): (&'static str, &'static str)) -> Field {
    Field {
        name,
        about,
        ready: true,
    }
}
