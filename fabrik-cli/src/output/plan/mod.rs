//! A plan as a person reads it, and as a program does.

mod attribute;
mod block;
mod change;
mod json;
mod sections;
mod value;

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::plan::{Plan, PlannedChange};
use fabrik_core::state::RunKind;

use super::style::{Line, Style, Tone};
use super::text;

pub use json::plan_json;

/// A plan in a few words.
pub fn in_words(plan: &Plan) -> String {
    if plan.is_empty() {
        "no changes".to_owned()
    } else {
        format!("plan: {}", sections::sum(plan))
    }
}
pub(crate) use value::inline as value_text;

/// How to show a plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlanStyle {
    /// Colour and width.
    pub style: Style,
    /// Nothing shortened, every attribute of what is created.
    pub full: bool,
    /// List also the resources that stay as they are.
    pub show_unchanged: bool,
    /// How long planning took.
    pub took: Option<Duration>,
}

impl PlanStyle {
    /// The usual form.
    pub fn new(style: Style) -> PlanStyle {
        PlanStyle {
            style,
            ..PlanStyle::default()
        }
    }
}

/// The whole plan: what changes, what changed outside, what was found, what follows, and the line
/// that sums it up. Linear in the number of changes.
pub fn render(plan: &Plan, style: &PlanStyle) -> String {
    let mut page = Page {
        out: String::new(),
        style: *style,
    };
    header(plan, &mut page);
    changes(plan, &mut page);
    sections::drift(plan, &mut page);
    sections::groups(plan, &mut page);
    sections::outputs(plan, &mut page);
    sections::secrets(plan, &mut page);
    sections::findings(plan, &mut page);
    sections::closing(plan, &mut page);
    page.out
}

/// The last lines alone: the sum, and what stops the plan.
pub fn render_summary(plan: &Plan, style: &PlanStyle) -> String {
    let mut page = Page {
        out: String::new(),
        style: *style,
    };
    sections::summary(plan, &mut page);
    page.out
}

/// The text so far.
struct Page {
    out: String,
    style: PlanStyle,
}

impl Page {
    fn line(&mut self, line: &Line) {
        self.out.push_str(&line.render(self.style.style));
        self.out.push('\n');
    }

    /// An empty line, unless there is one.
    fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn heading(&mut self, text: &str) {
        self.gap();
        self.line(&Line::default().add(Tone::Strong, text));
    }

    /// Text in several lines below an indent.
    fn wrapped(&mut self, indent: usize, tone: Tone, body: &str) {
        for part in text::wrap(body, self.columns().saturating_sub(indent).max(20)) {
            self.line(&Line::indent(indent).add(tone, part));
        }
    }

    fn columns(&self) -> usize {
        self.style.style.columns()
    }
}

fn header(plan: &Plan, page: &mut Page) {
    let mut line = Line::default().add(Tone::Strong, text::one_line(&plan.stack.name));
    let mut fact = |text: String| line.push(Tone::Plain, format!(" · {text}"));
    if &*plan.stack.env != "default" {
        fact(text::one_line(&plan.stack.env));
    }
    match plan.kind {
        RunKind::Destroy => fact("destroy".to_owned()),
        RunKind::Rollback => fact("roll back".to_owned()),
        RunKind::State => fact("state only".to_owned()),
        RunKind::Apply => {}
    }
    match plan.revision {
        0 => fact("nothing applied yet".to_owned()),
        revision => fact(format!("state rev {revision}")),
    }
    let took = match page.style.took {
        Some(took) => format!(" in {}", text::duration(took)),
        None => String::new(),
    };
    if plan.read > 0 || !took.is_empty() {
        fact(format!("read {}{took}", text::count(plan.read, "object")));
    }
    if plan.skipped > 0 {
        fact(format!(
            "{} left out",
            text::count(plan.skipped, "resource")
        ));
    }
    if let Some(note) = &plan.note {
        fact(text::one_line(note));
    }
    page.line(&line);
}

/// Changes by app, then the rest.
fn changes(plan: &Plan, page: &mut Page) {
    let mut apps: BTreeMap<&str, Vec<&PlannedChange>> = BTreeMap::new();
    let mut raw: Vec<&PlannedChange> = Vec::new();
    for change in &plan.changes {
        match group_of(change.address.as_str()) {
            Some(app) => apps.entry(app).or_default().push(change),
            None => raw.push(change),
        }
    }
    for (app, members) in &apps {
        page.gap();
        change::app_line(plan, app, members, page);
        change::list(plan, members, 2, page);
    }
    if !raw.is_empty() {
        page.gap();
        change::list(plan, &raw, 0, page);
    }
    if page.style.show_unchanged {
        sections::unchanged(plan, page);
    }
}

/// The app an address belongs to: `apps.KEY`, or `modules.NAME.apps.KEY`.
fn group_of(address: &str) -> Option<&str> {
    let mut at = 0;
    loop {
        let rest = &address[at..];
        if let Some(inner) = rest.strip_prefix("apps.") {
            return Some(&address[..at + "apps.".len() + segment_end(inner)]);
        }
        let inner = rest.strip_prefix("modules.")?;
        at += "modules.".len() + segment_end(inner) + 1;
        if at >= address.len() {
            return None;
        }
    }
}

/// Where the first segment of an address ends; keys in brackets belong to it.
fn segment_end(text: &str) -> usize {
    match text.find(['.', '[']) {
        Some(at) if text[at..].starts_with("[\"") => match text[at..].find("\"]") {
            Some(end) => at + end + 2,
            None => text.len(),
        },
        Some(at) => at,
        None => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apps_of_addresses() {
        for (address, group) in [
            ("apps.api.dns", Some("apps.api")),
            ("apps.api", Some("apps.api")),
            ("apps.api[\"a.b\"].dns", Some("apps.api[\"a.b\"]")),
            ("modules.eu.apps.api.dns", Some("modules.eu.apps.api")),
            ("modules.eu.resources.x", None),
            ("resources.apps", None),
        ] {
            assert_eq!(group_of(address), group, "{address}");
        }
    }
}
