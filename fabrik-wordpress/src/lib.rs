//! WordPress sites as code: the app kind `wordpress`, which turns a site spec into resources of the
//! `wordpress` provider.
//!
//! [`Wordpress`] is a [`Component`](fabrik_core::role::Component) like the kinds of the core. A block goes through these steps:
//! short forms become long (`normalise`), a preset is laid under it, the installation is found
//! or asked for (role `runtime`), theme and plugins are declared, pages and posts are rendered to
//! block markup ([`sections`], `markdown`), and everything that belongs together refers to each
//! other: menus to pages, pages to images, SEO to both.
//!
//! Nothing here talks to a site, and nothing reads files but through
//! [`Files`](fabrik_core::role::Files).

#![expect(
    clippy::single_match_else,
    reason = "both outcomes weigh the same, and a match shows them side by side"
)]

mod brand;
mod expand;
mod image;
mod kind;
mod legal;
mod markdown;
mod normalise;
mod note;
pub mod preset;
mod render;
mod schema;
pub mod sections;
pub mod show;
mod token;

pub use kind::Wordpress;
