//! What the SEO plugins call things.
//!
//! Rank Math and Yoast: names of options and meta as their releases of 2024 use them.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Finding;
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::request::Facts;

/// Who prints titles, descriptions and the like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeoPlugin {
    /// A small plugin of Fabrik's own, which `wordpress.seo_site` puts into `mu-plugins`.
    #[default]
    Fabrik,
    /// Rank Math (`seo-by-rank-math`).
    RankMath,
    /// Yoast SEO (`wordpress-seo`).
    Yoast,
}

impl SeoPlugin {
    pub(crate) fn word(self) -> &'static str {
        match self {
            SeoPlugin::Fabrik => "fabrik",
            SeoPlugin::RankMath => "rank_math",
            SeoPlugin::Yoast => "yoast",
        }
    }

    pub(crate) fn read(word: &str) -> Result<SeoPlugin> {
        match word {
            "fabrik" => Ok(SeoPlugin::Fabrik),
            "rank_math" => Ok(SeoPlugin::RankMath),
            "yoast" => Ok(SeoPlugin::Yoast),
            other => Err(Error::new(
                ErrorKind::Invalid,
                format!("`{other}` is no id here: `fabrik`, `rank_math` or `yoast`"),
            )),
        }
    }

    /// The plugin's folder, for those that have to be installed.
    pub(crate) fn folder(self) -> Option<&'static str> {
        match self {
            SeoPlugin::Fabrik => None,
            SeoPlugin::RankMath => Some("seo-by-rank-math"),
            SeoPlugin::Yoast => Some("wordpress-seo"),
        }
    }

    /// A text with `%title%`, `%sep%`, `%sitename%`, `%tagline%` as the plugin writes them.
    pub(crate) fn variables(self, text: &str) -> String {
        NAMES
            .iter()
            .fold(text.to_owned(), |text, (name, rank_math)| {
                let own = format!("%{name}%");
                match self {
                    SeoPlugin::Fabrik => text,
                    SeoPlugin::RankMath => text.replace(&own, &format!("%{rank_math}%")),
                    SeoPlugin::Yoast => text.replace(&own, &format!("%%{rank_math}%%")),
                }
            })
    }

    /// The way back.
    pub(crate) fn plain(self, text: &str) -> String {
        NAMES
            .iter()
            .fold(text.to_owned(), |text, (name, rank_math)| {
                let own = format!("%{name}%");
                match self {
                    SeoPlugin::Fabrik => text,
                    SeoPlugin::RankMath => text.replace(&format!("%{rank_math}%"), &own),
                    SeoPlugin::Yoast => text.replace(&format!("%%{rank_math}%%"), &own),
                }
            })
    }

    /// A plugin that is not active yet.
    pub(crate) fn preflight(self, facts: &Facts) -> Vec<Finding> {
        missing(self.folder(), facts)
    }
}

const NAMES: &[(&str, &str)] = &[
    ("title", "title"),
    ("sep", "sep"),
    ("sitename", "sitename"),
    ("tagline", "sitedesc"),
];

/// A plugin that is not active: another part of the plan may bring it, so this does not block.
pub(crate) fn missing(folder: Option<&str>, facts: &Facts) -> Vec<Finding> {
    let missing = folder.filter(|folder| !facts.has_plugin(folder));
    let finding = missing.map(|folder| Finding {
        blocking: false,
        message: format!("the plugin `{folder}` is not active on the site yet"),
        hint: Some("add it to the stack with `wordpress.plugin`, or activate it by hand".into()),
        field: Some(Path::key("plugin")),
        adopt: None,
    });
    finding.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_those_of_the_plugin() {
        let text = "%title% %sep% %sitename%: %tagline%, 100%";
        let yoast = SeoPlugin::Yoast.variables(text);
        assert_eq!(yoast, "%%title%% %%sep%% %%sitename%%: %%sitedesc%%, 100%");
        for plugin in [SeoPlugin::Fabrik, SeoPlugin::RankMath, SeoPlugin::Yoast] {
            assert_eq!(plugin.plain(&plugin.variables(text)), text);
        }
    }
}
