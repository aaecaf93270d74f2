//! One change, and lists of them.

use fabrik_core::plan::{Action, AttributeDiff, Plan, PlannedChange, Reason};
use fabrik_core::provider::Undo;
use fabrik_core::value::Value;

use super::super::style::{Line, Tone};
use super::super::text;
use super::{Page, attribute, value};

/// Widest column of addresses and of types.
const ADDRESSES: usize = 40;
const TYPES: usize = 28;

/// The tone of an action.
pub(super) fn tone(action: &Action) -> Tone {
    match action {
        Action::Create => Tone::Good,
        Action::Update => Tone::Warn,
        Action::Replace { .. } | Action::Delete => Tone::Bad,
        Action::Adopt | Action::Import | Action::Run | Action::Read => Tone::Hint,
        Action::Move { .. } | Action::Forget | Action::Accept => Tone::Dim,
    }
}

/// The line above the parts of an app: what happens to it as a whole.
pub(super) fn app_line(plan: &Plan, app: &str, members: &[&PlannedChange], page: &mut Page) {
    let all = |action: &Action| members.iter().all(|change| change.action == *action);
    let action = match () {
        () if all(&Action::Create) => Action::Create,
        () if all(&Action::Delete) => Action::Delete,
        () => Action::Update,
    };
    let info = plan
        .stack
        .apps
        .iter()
        .find(|info| info.address.as_str() == app);
    let mut line = Line::default()
        .add(tone(&action), format!("{:>3} ", action.symbol()))
        .add(Tone::Strong, app);
    if let Some(info) = info {
        let kind = text::one_line(&info.kind);
        let column = page.columns().saturating_sub(text::width(&kind));
        line = line.spaces(2).pad_to(column.min(60)).add(Tone::Dim, kind);
    }
    page.line(&line);
}

/// Changes below each other, aligned.
pub(super) fn list(plan: &Plan, changes: &[&PlannedChange], indent: usize, page: &mut Page) {
    let widest = |most: usize, of: &dyn Fn(&PlannedChange) -> usize| {
        let widths = changes.iter().map(|change| of(change));
        widths.filter(|wide| *wide <= most).max().unwrap_or(0)
    };
    let addresses = widest(ADDRESSES, &|change| change.address.as_str().len());
    let types = widest(TYPES, &|change| text::width(&change.type_name));
    for change in changes {
        show(plan, change, indent, addresses, types, page);
    }
}

fn show(
    plan: &Plan,
    change: &PlannedChange,
    indent: usize,
    addresses: usize,
    types: usize,
    page: &mut Page,
) {
    let below = indent + 6;
    let symbol = format!("{:>3} ", change.action.symbol());
    let start = Line::indent(indent).add(tone(&change.action), symbol);
    let names = start.width() + addresses + 2;
    let line = start
        .plain(change.address.as_str())
        .spaces(1)
        .pad_to(names)
        .add(Tone::Dim, text::one_line(&change.type_name))
        .spaces(1)
        .pad_to(names + types + 2);
    let undo = undo_mark(change);
    let right = page.columns().saturating_sub(undo.width());
    let facts = facts(change, page);
    let inline = facts.as_ref().is_some_and(|facts| {
        line.width() + facts.width() + if undo.is_empty() { 0 } else { 2 } <= right
    });
    match facts {
        Some(facts) if inline => page.line(&end(line.join(facts), undo, right)),
        Some(facts) => {
            page.line(&end(line, undo, right));
            page.wrapped(below, Tone::Plain, &facts.render(super::Style::plain(0)));
        }
        None => page.line(&end(line, undo, right)),
    }
    reasons(change, below, page);
    marks(plan, change, below, page);
    if lists_attributes(change, page) {
        let names = attribute::name_column(&change.diff);
        for diff in &change.diff {
            attribute::show(diff, below, names, page);
        }
    }
    if change.unchanged > 0 && !change.diff.is_empty() && change.action != Action::Create {
        let note = format!("  {} unchanged hidden", text::thousands(change.unchanged));
        page.line(&Line::indent(below).add(Tone::Dim, note));
    }
}

fn end(line: Line, undo: Line, right: usize) -> Line {
    if undo.is_empty() {
        line
    } else {
        line.spaces(1).pad_to(right).join(undo)
    }
}

fn undo_mark(change: &PlannedChange) -> Line {
    if change.action.is_state_only() || change.action == Action::Read {
        return Line::default();
    }
    match change.undo {
        Undo::Full => Line::default().add(Tone::Dim, "undo full"),
        Undo::Partial => Line::default().add(Tone::Warn, "undo partial"),
        Undo::None => Line::default().add(Tone::Bad, "undo none"),
    }
}

/// Whether the attributes stand on lines of their own.
fn lists_attributes(change: &PlannedChange, page: &Page) -> bool {
    match change.action {
        Action::Create => page.style.full || !fits_one_line(change, page),
        Action::Delete => page.style.full,
        _ => true,
    }
}

/// Whether a new object is described well by one line.
fn fits_one_line(change: &PlannedChange, page: &Page) -> bool {
    let plain = |diff: &AttributeDiff| {
        !matches!(&diff.after, Value::Str(text) if text.contains('\n'))
            && !matches!(&diff.after, Value::Map(map) if !map.is_empty())
            && diff.last_sent.is_none()
    };
    !change.diff.is_empty()
        && change.diff.len() <= 6
        && change.diff.iter().all(plain)
        && one_line_facts(change).width() + 8 <= page.columns()
}

fn one_line_facts(change: &PlannedChange) -> Line {
    let mut line = Line::default();
    for (index, diff) in change.diff.iter().enumerate() {
        if index > 0 {
            line.push(Tone::Plain, ", ");
        }
        line.push(Tone::Dim, attribute::name(diff) + " ");
        line.push(value::tone(&diff.after), value::bare(&diff.after));
    }
    line
}

/// The main facts, behind the name.
fn facts(change: &PlannedChange, page: &Page) -> Option<Line> {
    let plain = |text: String| Some(Line::default().plain(text));
    let id = || {
        let id = change.id.as_ref().filter(|id| !id.is_empty())?;
        plain(format!("id {}", text::shorten(&text::one_line(id), 32)))
    };
    let count = || match change.diff.len() {
        0 => None,
        number => plain(text::count(number, "change")),
    };
    match &change.action {
        Action::Create if !page.style.full && fits_one_line(change, page) => {
            Some(one_line_facts(change))
        }
        Action::Create | Action::Run | Action::Read => None,
        Action::Update | Action::Replace { .. } | Action::Accept => count(),
        Action::Delete | Action::Forget => id(),
        Action::Adopt | Action::Import => id().or_else(count),
        Action::Move { from } => plain(format!("was {from}")),
    }
}

/// Why, where the symbol does not say it.
fn reasons(change: &PlannedChange, indent: usize, page: &mut Page) {
    let forced = |path: &_| {
        let here = |diff: &AttributeDiff| diff.forces_replacement && diff.path == *path;
        change.diff.iter().any(here)
    };
    let mut words: Vec<String> = Vec::new();
    for reason in &change.reasons {
        match reason {
            Reason::New | Reason::Changed | Reason::Destroyed | Reason::Renamed => {}
            Reason::Exists if matches!(change.action, Action::Adopt | Action::Import) => {}
            Reason::FieldForcesReplacement(path) if forced(path) => {}
            other => words.push(text::one_line(&other.text())),
        }
    }
    // A replacement that deletes first says so by its symbol.
    if change.pulled_forward && change.action == Action::Delete {
        words.push("deleted before the checks, because others wait for it".to_owned());
    }
    if !change.may_become.is_empty() {
        let may: Vec<&str> = change.may_become.iter().map(Action::word).collect();
        words.push(format!(
            "may become {} once everything is known",
            may.join(" or ")
        ));
    }
    if !words.is_empty() {
        page.wrapped(indent, Tone::Dim, &words.join(" · "));
    }
}

/// What must not be overlooked.
fn marks(plan: &Plan, change: &PlannedChange, indent: usize, page: &mut Page) {
    if !change.data_loss {
        return;
    }
    let allowed = plan
        .allow_data_loss
        .iter()
        .any(|glob| change.address.matches(glob));
    let word = match change.action {
        Action::Delete | Action::Replace { .. } => "deletes data",
        _ => "loses data",
    };
    let note = if allowed { ", as allowed" } else { "" };
    let line = Line::indent(indent).add(
        if allowed { Tone::Warn } else { Tone::Bad },
        format!("! {word} that Fabrik cannot bring back{note}"),
    );
    page.line(&line);
}
