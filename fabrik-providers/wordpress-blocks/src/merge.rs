//! Putting Fabrik's sections into a page that people edit as well.
//!
//! What is not ours is kept byte for byte, and so is a section of ours that need not change. A
//! section that somebody changed or took out is reported; whether theirs stays or ours is put
//! back is the caller's decision.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use fabrik_core::error::{Error, ErrorKind, Result};

use crate::block::{Block, Node};
use crate::parse::{Damage, parse_checked};
use crate::same::{hash_block, same, same_block};
use crate::section::{self, Owned, Section};

/// What becomes of sections that were edited by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edited {
    /// They stay as they are.
    #[default]
    Keep,
    /// They become what is wanted.
    Replace,
}

/// Something that a person did to a section of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hand {
    /// Its content differs from what was sent last.
    Changed,
    /// It is gone.
    Removed,
    /// It is there more than once; the first counts, the others are kept.
    Copied,
    /// It is there, but nothing is known of its being sent, and it is not what is wanted.
    Unknown,
}

/// A section that was edited by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The section's id.
    pub id: String,
    /// What was done.
    pub what: Hand,
    /// Whether what the person did stays in the merged content.
    pub kept: bool,
}

/// A page's new content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The content.
    pub content: String,
    /// What was edited by hand, in the order of the wanted sections, then of what is to be removed.
    pub conflicts: Vec<Conflict>,
}

impl Merged {
    /// Whether anything a person did stays although it is not what is wanted.
    pub fn kept_any(&self) -> bool {
        self.conflicts.iter().any(|conflict| conflict.kept)
    }
}

/// Merges, keeping what was edited by hand; see [`merge_with`].
pub fn merge(current: &str, previous: &[Section], wanted: &[Section]) -> Result<Merged> {
    merge_with(current, previous, wanted, Edited::Keep)
}

/// Merges wanted sections into a page's content.
///
/// `previous` are the sections as they were last sent. Sections are found by their markers, at
/// any depth; one that lost its marker (WordPress before 6.5 drops it) is found by what it holds.
/// New sections go after the one they follow in `wanted`; as few as possible are moved to get the
/// wanted order. A section of an id that is neither in `previous` nor in `wanted` is not ours.
///
/// Errors: `Invalid` when a wanted section is not one marked block or an id occurs twice,
/// `Conflict` when the page's own markup is so damaged that our sections would not be found in it
/// again.
pub fn merge_with(
    current: &str,
    previous: &[Section],
    wanted: &[Section],
    edited: Edited,
) -> Result<Merged> {
    let mut ids = BTreeSet::new();
    for section in wanted {
        section.block()?;
        if !ids.insert(section.id.as_str()) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("two sections have the id {:?}", section.id),
            ));
        }
    }
    let page = Page::read(current, previous, wanted);
    let merged = Merge::new(current, &page, previous, wanted, edited).run();
    check(&merged, &page.damage, wanted)?;
    Ok(merged)
}

/// Our sections must be found again in what was merged, else a damaged page swallowed them.
fn check(merged: &Merged, damage: &[Damage], wanted: &[Section]) -> Result<()> {
    let found = section::owned(&merged.content);
    let lost = wanted.iter().find(|section| {
        let kept = merged
            .conflicts
            .iter()
            .any(|c| c.kept && c.id == section.id);
        !kept
            && !found
                .iter()
                .any(|f| f.id == section.id && same(&f.markup, &section.markup))
    });
    let Some(lost) = lost else {
        return Ok(());
    };
    let place = match damage.first() {
        Some(
            Damage::Unclosed(at)
            | Damage::Stray(at)
            | Damage::Crossed(at)
            | Damage::Attributes(at)
            | Damage::Deep(at),
        ) => format!(" near byte {at}"),
        None => String::new(),
    };
    Err(Error::new(
        ErrorKind::Conflict,
        format!("the page's block markup is damaged{place}, so a section cannot be put into it"),
    )
    .context("section", &lost.id)
    .hint("open the page in the editor, repair or remove the broken block, and save"))
}

struct Page {
    /// The first section of each id.
    owned: Vec<Owned>,
    copies: BTreeSet<String>,
    /// Top-level spans: what is between them is HTML.
    top: Vec<Range<usize>>,
    damage: Vec<Damage>,
}

impl Page {
    fn read(current: &str, previous: &[Section], wanted: &[Section]) -> Page {
        let ours: BTreeSet<&str> = previous
            .iter()
            .chain(wanted)
            .map(|s| s.id.as_str())
            .collect();
        let parsed = parse_checked(current);
        let mut page = Page {
            owned: Vec::new(),
            copies: BTreeSet::new(),
            top: parsed
                .nodes
                .iter()
                .filter_map(|n| Some(n.block()?.span()))
                .collect(),
            damage: parsed.damage,
        };
        let mut seen = BTreeSet::new();
        for found in section::owned(current) {
            if !ours.contains(found.id.as_str()) {
                continue;
            }
            if seen.insert(found.id.clone()) {
                page.owned.push(found);
            } else {
                page.copies.insert(found.id);
            }
        }
        page.find_unmarked(&parsed.nodes, current, previous, &seen);
        page.owned.sort_by_key(|found| found.span.start);
        page
    }

    /// Finds sections that lost their marker, by what they hold.
    fn find_unmarked(
        &mut self,
        nodes: &[Node],
        current: &str,
        previous: &[Section],
        seen: &BTreeSet<String>,
    ) {
        let mut missing: BTreeMap<String, &str> = previous
            .iter()
            .filter(|section| !seen.contains(&section.id))
            .filter_map(|section| Some((hash_block(&section.block().ok()?), section.id.as_str())))
            .collect();
        for block in nodes.iter().filter_map(Node::block) {
            if missing.is_empty() {
                return;
            }
            if section::id(block).is_none()
                && let Some(id) = missing.remove(&hash_block(block))
            {
                self.owned.push(Owned {
                    id: id.to_owned(),
                    hash: None,
                    markup: current[block.span()].to_owned(),
                    span: block.span(),
                });
            }
        }
    }

    fn get(&self, id: &str) -> Option<&Owned> {
        self.owned.iter().find(|found| found.id == id)
    }

    /// The top-level block in which a place is.
    fn top_of(&self, place: &Range<usize>) -> Range<usize> {
        let holds = |top: &&Range<usize>| top.start <= place.start && place.end <= top.end;
        self.top.iter().find(holds).unwrap_or(place).clone()
    }
}

struct Merge<'a> {
    current: &'a str,
    page: &'a Page,
    previous: BTreeMap<&'a str, Block>,
    removed: Vec<&'a str>,
    wanted: &'a [Section],
    edited: Edited,
    conflicts: Vec<Conflict>,
    /// Bytes to be replaced; an empty range is an insertion. Several insertions at one place
    /// stay in the order they were noted.
    edits: Vec<(Range<usize>, String)>,
}

/// What becomes of a wanted section.
enum Fate<'a> {
    /// It is in the page, and stays in place with this text.
    There(&'a Owned, Option<&'a str>),
    /// It is put in.
    New(&'a str),
    /// A person took it out, and that is respected.
    Gone,
}

impl<'a> Merge<'a> {
    fn new(
        current: &'a str,
        page: &'a Page,
        previous: &'a [Section],
        wanted: &'a [Section],
        edited: Edited,
    ) -> Merge<'a> {
        let is_wanted = |id: &str| wanted.iter().any(|section| section.id == id);
        Merge {
            current,
            page,
            previous: previous
                .iter()
                .filter_map(|section| Some((section.id.as_str(), section.block().ok()?)))
                .collect(),
            removed: previous
                .iter()
                .map(|section| section.id.as_str())
                .filter(|id| !is_wanted(id))
                .collect(),
            wanted,
            edited,
            conflicts: Vec::new(),
            edits: Vec::new(),
        }
    }

    fn run(mut self) -> Merged {
        let fates: Vec<Fate<'a>> = self
            .wanted
            .iter()
            .map(|section| self.fate(section))
            .collect();
        for id in self.removed.clone() {
            self.remove(id);
        }
        self.place(&fates);
        Merged {
            content: self.apply(),
            conflicts: self.conflicts,
        }
    }

    /// Notes an edit by hand; whether it stays.
    fn conflict(&mut self, id: &str, what: Hand) -> bool {
        let kept = self.edited == Edited::Keep || what == Hand::Copied;
        self.conflicts.push(Conflict {
            id: id.to_owned(),
            what,
            kept,
        });
        kept
    }

    fn fate(&mut self, section: &'a Section) -> Fate<'a> {
        if self.page.copies.contains(&section.id) {
            self.conflict(&section.id, Hand::Copied);
        }
        let known = self.previous.contains_key(section.id.as_str());
        let Some(found) = self.page.get(&section.id) else {
            // The spec may have changed meanwhile; what a person took out stays out all the same.
            return if known && self.conflict(&section.id, Hand::Removed) {
                Fate::Gone
            } else {
                Fate::New(&section.markup)
            };
        };
        if same(&found.markup, &section.markup) {
            let marked = found.hash.as_deref() == marked_hash(section).as_deref();
            return Fate::There(found, (!marked).then_some(&section.markup));
        }
        let hand = match self.previous.get(section.id.as_str()) {
            Some(previous) if is_block(&found.markup, previous) => None,
            Some(_) => Some(Hand::Changed),
            None => Some(Hand::Unknown),
        };
        match hand {
            Some(hand) if self.conflict(&section.id, hand) => Fate::There(found, None),
            _ => Fate::There(found, Some(&section.markup)),
        }
    }

    fn remove(&mut self, id: &str) {
        let Some(found) = self.page.get(id) else {
            return;
        };
        let untouched = self
            .previous
            .get(id)
            .is_none_or(|p| is_block(&found.markup, p));
        if !untouched && self.conflict(id, Hand::Changed) {
            return;
        }
        let gap = self.with_gap(&found.span);
        self.edits.push((gap, String::new()));
    }

    /// A span with the white space that set it off, so that taking it out leaves no hole.
    fn with_gap(&self, span: &Range<usize>) -> Range<usize> {
        let blank = |c: char| c.is_ascii_whitespace();
        let before = self.current[..span.start].trim_end_matches(blank);
        let after = self.current[span.end..].trim_start_matches(blank);
        let after_at = self.current.len() - after.len();
        if before.is_empty() || before.ends_with('>') && !before.ends_with("-->") {
            // The first of the page, or of a wrapper.
            span.start..after_at
        } else {
            before.len()..span.end
        }
    }

    /// Replaces what stays in place, and puts in what is new or moved.
    fn place(&mut self, fates: &[Fate<'a>]) {
        let there: Vec<usize> = fates
            .iter()
            .filter_map(|fate| match fate {
                Fate::There(found, _) => Some(found.span.start),
                _ => None,
            })
            .collect();
        let fixed = longest_rising(&there);
        // What is put in before the first fixed one goes in front of it, not to the end.
        let mut anchor = Anchor::Start;
        if let Some(first) = fates.iter().find_map(|fate| match fate {
            Fate::There(found, _) if fixed.contains(&found.span.start) => Some(found),
            _ => None,
        }) {
            anchor = Anchor::Before(self.page.top_of(&first.span).start);
        }
        for fate in fates {
            match fate {
                Fate::There(found, text) if fixed.contains(&found.span.start) => {
                    if let Some(text) = text {
                        self.edits.push((found.span.clone(), (*text).to_owned()));
                    }
                    anchor = Anchor::After(self.page.top_of(&found.span).end);
                }
                Fate::There(found, text) => {
                    let text = text.unwrap_or(&found.markup).to_owned();
                    let gap = self.with_gap(&found.span);
                    self.edits.push((gap, String::new()));
                    self.insert(&anchor, &text);
                }
                Fate::New(text) => self.insert(&anchor, text),
                Fate::Gone => {}
            }
        }
    }

    fn insert(&mut self, anchor: &Anchor, text: &str) {
        let (at, text) = match anchor {
            Anchor::Before(at) => (*at, format!("{text}\n\n")),
            Anchor::After(at) => (*at, format!("\n\n{text}")),
            // No section of ours is there to go by: after what there is.
            Anchor::Start => {
                let end = self
                    .current
                    .trim_end_matches(|c: char| c.is_ascii_whitespace())
                    .len();
                let first = end == 0 && self.edits.iter().all(|(_, text)| text.is_empty());
                (
                    end,
                    if first {
                        text.to_owned()
                    } else {
                        format!("\n\n{text}")
                    },
                )
            }
        };
        self.edits.push((at..at, text));
    }

    fn apply(&mut self) -> String {
        // Stable: insertions at one place keep their order. Of a removal that ends where something
        // is put in, the removal comes first; one that begins there comes after.
        self.edits
            .sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(self.current.len() + 1024);
        let mut at = 0;
        for (range, text) in &self.edits {
            if range.start > at {
                out.push_str(&self.current[at..range.start]);
            }
            out.push_str(text);
            at = at.max(range.end);
        }
        out.push_str(&self.current[at..]);
        out
    }
}

enum Anchor {
    Start,
    Before(usize),
    After(usize),
}

fn marked_hash(section: &Section) -> Option<String> {
    let block = section.block().ok()?;
    section::marked_hash(&block).map(str::to_owned)
}

fn is_block(markup: &str, block: &Block) -> bool {
    let nodes = parse_checked(markup).nodes;
    matches!(nodes.as_slice(), [Node::Block(found)] if same_block(found, block))
}

/// The members of a longest rising part of a list of different numbers.
fn longest_rising(numbers: &[usize]) -> BTreeSet<usize> {
    let mut lengths: Vec<(usize, Option<usize>)> = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        let best = (0..index)
            .filter(|before| numbers[*before] < *number)
            .max_by_key(|before| lengths[*before].0);
        lengths.push((best.map_or(1, |before| lengths[before].0 + 1), best));
    }
    let mut at = (0..numbers.len()).max_by_key(|index| lengths[*index].0);
    let mut members = BTreeSet::new();
    while let Some(index) = at {
        members.insert(numbers[index]);
        at = lengths[index].1;
    }
    members
}
