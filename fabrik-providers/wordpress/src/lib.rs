#![doc = include_str!("../README.md")]

mod channel;
mod config;
mod content;
mod doctor;
mod error;
mod request;
mod site;
mod structure;
mod types;

use std::path::PathBuf;

use fabrik_core::provider::Cx;
use fabrik_core::provider::typed::{ProviderBuilder, TypedProvider};
use fabrik_exec::BaseEnv;

pub use channel::{Channel, Cli, RestApi};
pub use config::{Config, InContainer, Rest, Ssh};
pub use content::sections::Section;
pub use request::{Facts, PostName, Refusal, Reply, Request, Survey, TermName, UserName};
pub use site::Site;
pub use structure::analytics::{Analytics, AnalyticsOutputs, AnalyticsSpec};
pub use structure::core::{Core, CoreOutputs, CoreSpec};
pub use structure::media::{Media, MediaOutputs, MediaSpec};
pub use structure::plugin::{Plugin, PluginOutputs, PluginSpec};
pub use structure::theme::{Theme, ThemeOutputs, ThemeSpec};
pub use types::*;

/// How many calls go to a site at once.
const IN_FLIGHT: usize = 2;

/// Adds types of content: each can be planned and listed alone, and is read and written together
/// with all others.
macro_rules! content {
    ($builder:expr, $($content:ident),*; $($structure:ident),* $(,)?) => {
        $builder
            $(.resource(content::Typed::<$content>::new()))*
            $(.resource($structure))*
            .groups(content::Together(vec![
                $(Box::new(content::Typed::<$content>::new()),)*
                $(Box::new(structure::Shown::<$structure>::new())),*
            ]))
    };
}

/// The provider `wordpress`. Programs that it starts on this machine (`wp`, `php`, `ssh`, `docker`)
/// find `env`.
pub fn provider(env: BaseEnv) -> TypedProvider<Config, Site> {
    provider_at(env, PathBuf::new())
}

/// The provider `wordpress`, with the folder that paths of images and zip files are relative to.
pub fn provider_at(env: BaseEnv, base: impl Into<PathBuf>) -> TypedProvider<Config, Site> {
    let base = base.into();
    let open = move |_: &Cx, config: Config| {
        let env = env.clone();
        let base = base.clone();
        async move { Ok(Site::open(env, &config)?.based_at(base)) }
    };
    let builder = ProviderBuilder::new("wordpress", env!("CARGO_PKG_VERSION"), open)
        .max_in_flight(IN_FLIGHT)
        .facts(Site::facts_so_far)
        .doctor(Site::examine);
    content!(
        builder,
        Author,
        Category,
        Form,
        FrontPage,
        Language,
        Menu,
        Page,
        Post,
        PrivacyPage,
        SeoPage,
        SeoSite,
        Settings,
        SiteOption,
        ThemeStyle,
        Translation,
        User;
        Core,
        Theme,
        Plugin,
        Media,
        Analytics,
    )
    .build()
}
