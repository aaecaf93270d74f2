//! The sections of a document, in long form, with environment and overlays laid over.

use std::sync::Arc;

use super::LoadRequest;
use super::merge::{merge_entries, patch};
use super::node::{Data, Entry, Node};
use super::report::Report;
use super::scalars::{good_id, policy};
use super::top::{TOP, header, top_keys};
use super::vars;
use crate::codes;
use crate::diagnostic::Span;
use crate::stack::OnFailure;

/// A resource as written, with its key where it stands in a map.
pub(super) type Written = (Option<(Arc<str>, Span)>, Node);

/// What a document says, ready to be read section by section.
pub(super) struct Document {
    pub(super) id: Arc<str>,
    pub(super) environments: Vec<Arc<str>>,
    pub(super) on_failure: OnFailure,
    /// `on` blocks from near to far.
    pub(super) on: Vec<Node>,
    pub(super) vars: Vec<Entry>,
    pub(super) secrets: Option<Node>,
    pub(super) providers: Vec<Entry>,
    pub(super) apps: Vec<Entry>,
    /// Resources.
    pub(super) resources: Vec<Written>,
    pub(super) outputs: Vec<Entry>,
    pub(super) verify: Option<Node>,
    pub(super) notify: Option<Node>,
    pub(super) moved: Option<Node>,
}

/// Puts the document together: the base, its block for the environment, the overlay files.
pub(super) fn assemble(
    mut base: Node,
    overlays: Vec<Node>,
    request: &LoadRequest<'_>,
    report: &mut Report,
) -> Option<Document> {
    if base.entries().is_none() {
        let help = "a spec is a map: lines of the form `key: value`".to_owned();
        let text = format!("a spec is a map, not {}", base.kind_name());
        report.error(codes::WRONG_TYPE, base.span, text, Some(help));
        return None;
    }
    let id = header(&base, request, report);
    let flat = is_flat(&base, request).then(|| id.clone().unwrap_or_else(|| "app".into()));
    lengthen(&mut base, flat.as_ref());
    top_keys(&base, false, report);
    let named_envs = base.take("environments");
    let requires_env = base.take("requires_env");
    let (environments, chosen) = environment(named_envs, requires_env.as_ref(), request, report);
    for mut layer in chosen.into_iter().chain(overlays) {
        if layer.entries().is_none() {
            let text = format!("an environment is a map, not {}", layer.kind_name());
            report.error(codes::WRONG_TYPE, layer.span, text, None);
            continue;
        }
        drop_head(&mut layer, id.as_ref());
        lengthen(&mut layer, flat.as_ref());
        top_keys(&layer, true, report);
        base = lay_over(base, layer);
    }
    Some(sections(base, id?, environments, report))
}

/// An overlay may begin as its base does.
fn drop_head(layer: &mut Node, id: Option<&Arc<str>>) {
    if layer
        .get("fabrik")
        .and_then(Node::as_text)
        .is_some_and(|version| &**version == "1")
    {
        layer.take("fabrik");
    }
    if layer
        .get("id")
        .and_then(Node::as_text)
        .is_some_and(|own| Some(own) == id)
    {
        layer.take("id");
    }
}

/// Whether the document is one app: it has no `apps` or `resources`, and says what an app says.
fn is_flat(base: &Node, request: &LoadRequest<'_>) -> bool {
    let has = |name: &str| base.get(name).is_some();
    if has("apps") || has("resources") || has("modules") || has("include") {
        return false;
    }
    if has("kind") || has("template") {
        return true;
    }
    let schemas: Vec<serde_json::Value> = request
        .registry
        .component_kinds()
        .filter_map(|kind| request.registry.component(kind))
        .map(|component| component.schema())
        .collect();
    base.entries().into_iter().flatten().any(|entry| {
        let top = TOP.iter().any(|top| top.name == &*entry.key);
        !top && schemas.iter().any(|schema| {
            ["/properties", "/x-fabrik/shorthands"]
                .iter()
                .any(|fields| {
                    schema
                        .pointer(fields)
                        .is_some_and(|all| all.get(&*entry.key).is_some())
                })
        })
    })
}

/// Turns the flat form into the long one: what belongs to the app goes to `apps.ID`.
fn lengthen(node: &mut Node, flat: Option<&Arc<str>>) {
    let Some(id) = flat else { return };
    let Data::Map(entries) = &mut node.data else {
        return;
    };
    let mut app = Vec::new();
    let mut rest = Vec::new();
    for mut entry in std::mem::take(entries) {
        let outer = entry.key.starts_with("x-")
            || TOP.iter().any(|top| top.name == &*entry.key && top.outer);
        let list_of_secrets = &*entry.key == "secrets" && entry.value.items().is_some();
        if &*entry.key == "environments" {
            if let Data::Map(environments) = &mut entry.value.data {
                for environment in environments {
                    lengthen(&mut environment.value, flat);
                }
            }
            rest.push(entry);
        } else if outer && !list_of_secrets {
            rest.push(entry);
        } else {
            app.push(entry);
        }
    }
    if let Some(first) = app.first() {
        let span = first.key_span;
        let block = Node::map(node.span, app);
        rest.push(Entry {
            key: "apps".into(),
            key_span: span,
            value: Node::map(
                node.span,
                vec![Entry {
                    key: id.clone(),
                    key_span: span,
                    value: block,
                }],
            ),
        });
    }
    *entries = rest;
}

/// Names of all environments, and the block of the chosen one.
fn environment(
    section: Option<Entry>,
    requires_env: Option<&Entry>,
    request: &LoadRequest<'_>,
    report: &mut Report,
) -> (Vec<Arc<str>>, Option<Node>) {
    let mut names = Vec::new();
    let mut chosen = None;
    let mut place = None;
    if let Some(section) = section {
        place = Some(section.key_span);
        match section.value.data {
            Data::Map(entries) => {
                for entry in entries {
                    good_id(&entry.key, entry.key_span, "an environment", report);
                    names.push(entry.key.clone());
                    if Some(&*entry.key) == request.env {
                        chosen = Some(entry.value).filter(|value| !value.is_null());
                    } else {
                        top_keys(&entry.value, true, report);
                    }
                }
            }
            _ if section.value.is_null() => {}
            _ => {
                let text = format!(
                    "`environments` takes a map, not {}",
                    section.value.kind_name()
                );
                report.error(codes::WRONG_TYPE, section.value.span, text, None);
            }
        }
    }
    let must = requires_env.is_some_and(|entry| match entry.value.as_text().map(AsRef::as_ref) {
        Some("true") => true,
        Some("false") => false,
        _ => {
            let help = "write `true` or `false`".to_owned();
            let text = "`requires_env` takes `true` or `false`";
            report.error(codes::WRONG_TYPE, entry.value.span, text, Some(help));
            false
        }
    });
    let list = names
        .iter()
        .map(|name| format!("`-e {name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match (request.env, requires_env) {
        (None, Some(entry)) if must => {
            let help = (!names.is_empty()).then(|| format!("choose one: {list}"));
            let text = "this spec works only with an environment, and none is chosen";
            report.error(codes::ENVIRONMENT, entry.key_span, text, help);
        }
        (Some(env), _)
            if env != "default"
                && !names.is_empty()
                && request.overlays.is_empty()
                && !names.iter().any(|name| &**name == env) =>
        {
            let help = report.suggest(env, names.iter().map(AsRef::as_ref));
            let span = place.unwrap_or(Span { start: 0, end: 0 });
            let text = format!("there is no environment `{env}` in this spec");
            report.error(codes::ENVIRONMENT, span, text, help);
        }
        _ => {}
    }
    (names, chosen)
}

/// Lays a layer over the document; `vars` and `resources` have their own rules.
fn lay_over(mut base: Node, mut layer: Node) -> Node {
    let vars = layer.take("vars");
    let resources = layer.take("resources");
    let mut base_vars = base.take("vars");
    let mut base_resources = base.take("resources");
    if let Some(changes) = vars {
        base_vars = Some(match (base_vars, changes.value.data) {
            (Some(mut old), Data::Map(entries)) => {
                if let Data::Map(known) = &mut old.value.data {
                    merge_entries(known, entries, &mut vars::lay_over);
                }
                old
            }
            (_, data) => Entry {
                value: Node {
                    span: changes.value.span,
                    data,
                },
                ..changes
            },
        });
    }
    if let Some(changes) = resources {
        base_resources = Some(match base_resources {
            Some(old) => Entry {
                value: patch(
                    keyed(old.value, changes.value.entries().is_some()),
                    changes.value,
                ),
                ..old
            },
            None => changes,
        });
    }
    let mut merged = patch(base, layer);
    if let Data::Map(entries) = &mut merged.data {
        entries.extend(base_vars);
        entries.extend(base_resources);
    }
    merged
}

/// A list of resources as a map by id, so that a map can be laid over it.
fn keyed(node: Node, wanted: bool) -> Node {
    match node.data {
        Data::List(items) if wanted => {
            let entries = items
                .into_iter()
                .filter_map(|item| {
                    let id = item.get("id")?;
                    Some(Entry {
                        key: id.as_text()?.clone(),
                        key_span: id.span,
                        value: item,
                    })
                })
                .collect();
            Node::map(node.span, entries)
        }
        data => Node {
            span: node.span,
            data,
        },
    }
}

/// Takes the sections out of the merged document.
fn sections(
    mut base: Node,
    id: Arc<str>,
    environments: Vec<Arc<str>>,
    report: &mut Report,
) -> Document {
    let mut take = |name: &str| base.take(name).filter(|entry| !entry.value.is_null());
    let on = take("on");
    let defaults = take("defaults");
    let on_failure = take("on_failure").map(|entry| entry.value);
    let mut map = |name: &str| match take(name) {
        None => Vec::new(),
        Some(entry) => match entry.value.data {
            Data::Map(entries) => entries,
            _ => {
                let text = format!("`{name}` takes a map, not {}", entry.value.kind_name());
                report.error(codes::WRONG_TYPE, entry.value.span, text, None);
                Vec::new()
            }
        },
    };
    let (vars, providers, apps, outputs) =
        (map("vars"), map("providers"), map("apps"), map("outputs"));
    let resources = match take("resources").map(|entry| entry.value) {
        None => Vec::new(),
        Some(node) => match node.data {
            Data::List(items) => items.into_iter().map(|item| (None, item)).collect(),
            Data::Map(entries) => entries
                .into_iter()
                .map(|entry| (Some((entry.key, entry.key_span)), entry.value))
                .collect(),
            Data::Scalar(_) => {
                let help = "write `- id: NAME`, `type: PROVIDER.TYPE` and `spec:` for each";
                report.error(
                    codes::WRONG_TYPE,
                    node.span,
                    format!("`resources` takes a list, not {}", node.kind_name()),
                    Some(help.to_owned()),
                );
                Vec::new()
            }
        },
    };
    Document {
        id,
        environments,
        on_failure: on_failure.map_or(OnFailure::default(), |node| policy(&node, report)),
        on: on
            .map(|entry| entry.value)
            .into_iter()
            .chain(defaults.and_then(|entry| default_on(entry.value, report)))
            .collect(),
        vars,
        secrets: take("secrets").map(|entry| entry.value),
        providers,
        apps,
        resources,
        outputs,
        verify: take("verify").map(|entry| entry.value),
        notify: take("notify").map(|entry| entry.value),
        moved: take("moved").map(|entry| entry.value),
    }
}

fn default_on(mut node: Node, report: &mut Report) -> Option<Node> {
    for entry in node.entries().into_iter().flatten() {
        if &*entry.key != "on" && !entry.key.starts_with("x-") {
            let help = report.suggest(&entry.key, ["on"]);
            let text = format!("unknown field `{}` in `defaults`", entry.key);
            report.error(codes::UNKNOWN_FIELD, entry.key_span, text, help);
        }
    }
    if node.entries().is_none() {
        let text = format!("`defaults` takes a map, not {}", node.kind_name());
        report.error(codes::WRONG_TYPE, node.span, text, None);
    }
    node.take("on").map(|entry| entry.value)
}
