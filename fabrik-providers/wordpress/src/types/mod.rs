//! The types, one file each.

mod front_page;
mod menu;
mod page;
mod post_row;
mod settings;

pub use front_page::{FrontPage, FrontPageOutputs, FrontPageSpec};
pub use menu::{Menu, MenuItem, MenuOutputs, MenuSpec};
pub use page::{Page, PageOutputs, PageSpec};
pub use post_row::Status;
pub use settings::{Settings, SettingsOutputs, SettingsSpec};

use fabrik_core::provider::Finding;

use crate::request::Facts;

/// Rights that the account needs and lacks.
pub(crate) fn rights(facts: &Facts, needed: &[&str]) -> Vec<Finding> {
    let missing: Vec<&str> = needed
        .iter()
        .filter(|right| facts.lacks.iter().any(|lacked| lacked == *right))
        .copied()
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![Finding {
        blocking: true,
        message: format!("the account `{}` lacks the right {}", facts.user, missing.join(", ")),
        hint: Some("set `user` of the provider to the login of an administrator".into()),
        field: None,
        adopt: None,
    }]
}
