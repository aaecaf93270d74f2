//! `text`: running text, such as a story or legal terms.

use fabrik_blocks::Block;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{column, columns, group};
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::{Build, Head};
use super::{Section, Shell, prose};

/// How text is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// In lines of a good length.
    #[default]
    Narrow,
    /// As wide as the page's content.
    Wide,
    /// In two columns.
    Columns,
}

/// Running text: a story, a description, legal terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    /// How it is laid out.
    #[serde(default)]
    variant: Variant,
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// The text. An empty line begins a new paragraph; `## ` and `### ` begin headings, `- ` and
    /// `1. ` items of lists, `> ` a quotation.
    text: String,
    /// How the heading stands.
    #[serde(default = "start")]
    align: Align,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

fn start() -> Align {
    Align::Start
}

impl Section for Text {
    const KIND: &'static str = "text";
    const NAME: &'static str = "Text";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut parts, level) = b.head(&head, self.align)?;
        let blocks = prose::blocks(b, "text", &self.text, level)?;
        let inner = match self.variant {
            Variant::Columns => {
                parts.push(halves(blocks));
                parts
            }
            Variant::Narrow | Variant::Wide => {
                parts.extend(blocks);
                let narrow = (self.variant == Variant::Narrow).then_some("720px");
                let dress = Dress {
                    layout: Some(b.constrained(narrow)),
                    ..Dress::default()
                };
                vec![group("div", &dress, parts)]
            }
        };
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

/// Two columns of about equal length; a heading stays with what follows it.
fn halves(mut blocks: Vec<Block>) -> Block {
    let total: usize = blocks.iter().map(|block| block.write().len()).sum();
    let mut sum = 0;
    let mut at = 0;
    for block in &blocks {
        if sum * 2 >= total {
            break;
        }
        sum += block.write().len();
        at += 1;
    }
    if at > 1 && blocks[at - 1].name() == "core/heading" {
        at -= 1;
    }
    let rest = blocks.split_off(at);
    let dress = Dress {
        align: Some("wide"),
        ..Dress::default()
    };
    columns(
        &dress,
        [blocks, rest]
            .map(|half| column(&Dress::default(), half))
            .into(),
    )
}
