//! `faq`: questions and answers.

use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{details, group};
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// How questions are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// Each opens to show its answer. WordPress before 6.3 shows headings instead.
    #[default]
    Details,
    /// A heading and a paragraph each.
    Headings,
}

/// Questions and answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Faq {
    /// How they are laid out.
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
    /// The questions.
    items: Vec<Question>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// As a visitor would ask it.
    question: String,
    /// The answer; an empty line begins a new paragraph.
    answer: String,
}

impl Section for Faq {
    const KIND: &'static str = "faq";
    const NAME: &'static str = "Questions";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("items", self.items.len())?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, level) = b.head(&head, Align::Center)?;
        let opens = self.variant == Variant::Details && b.cx.wordpress >= (6, 3);
        let mut parts = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let answer = b.paragraphs(
                &format!("items[{index}].answer"),
                &item.answer,
                Align::Start,
                None,
            )?;
            if opens {
                let question = b.plain(&format!("items[{index}].question"), &item.question)?;
                let dress = Dress {
                    padding: Some(["1rem", "0", "1rem", "0"]),
                    ..Dress::default()
                };
                let question = format!("<strong>{question}</strong>");
                parts.push(details(&question, &dress.class("fabrik-question"), answer));
            } else {
                let question = b.inline(&format!("items[{index}].question"), &item.question)?;
                parts.push(b.heading(level, &question, Align::Start));
                parts.extend(answer);
            }
        }
        let dress = Dress {
            layout: Some(b.constrained(Some("760px"))),
            ..Dress::default()
        };
        inner.push(group("div", &dress, parts));
        Ok(Shell::Band(self.look.clone(), inner))
    }
}
