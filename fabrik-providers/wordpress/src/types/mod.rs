//! The types, one file each.

mod author;
mod category;
mod form;
mod front_page;
mod language;
mod menu;
mod option;
mod page;
mod post;
mod post_row;
mod privacy_page;
mod seo;
mod seo_page;
mod seo_site;
mod settings;
mod theme_style;
mod translation;
mod user;
mod user_row;

pub use author::{Author, AuthorOutputs, AuthorSpec};
pub use category::{Category, CategoryOutputs, CategorySpec};
pub use form::{Field, FieldKind, Form, FormOutputs, FormPlugin, FormSpec, Mail};
pub use front_page::{FrontPage, FrontPageOutputs, FrontPageSpec};
pub use language::{Language, LanguageOutputs, LanguageSpec};
pub use menu::{Menu, MenuItem, MenuOutputs, MenuSpec};
pub use option::{OptionOutputs, OptionSpec, SiteOption};
pub use page::{Page, PageOutputs, PageSpec};
pub use post::{Post, PostOutputs, PostSpec};
pub use post_row::Status;
pub use privacy_page::{PrivacyPage, PrivacyPageOutputs, PrivacyPageSpec};
pub use seo::SeoPlugin;
pub use seo_page::{SeoPage, SeoPageOutputs, SeoPageSpec};
pub use seo_site::{
    Organisation, OrganisationKind, SeoSite, SeoSiteOutputs, SeoSiteSpec, Verification,
};
pub use settings::{Settings, SettingsOutputs, SettingsSpec};
pub use theme_style::{
    PaletteColor, StyleColors, StyleFonts, StyledTheme, ThemeStyle, ThemeStyleOutputs,
    ThemeStyleSpec,
};
pub use translation::{Translation, TranslationOutputs, TranslationSpec};
pub use user::{User, UserOutputs, UserSpec};

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
        message: format!(
            "the account `{}` lacks the right {}",
            facts.user,
            missing.join(", ")
        ),
        hint: Some("set `user` of the provider to the login of an administrator".into()),
        field: None,
        adopt: None,
    }]
}
