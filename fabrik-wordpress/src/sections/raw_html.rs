//! `raw_html`: HTML as it is. The one section that is not safe by itself.

use fabrik_core::error::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::html;
use super::fields::Look;
use super::kit::Build;
use super::{Section, Shell};

/// HTML as it is, scripts included: whoever writes it can do anything on the site. Refused unless
/// `allow_unsafe` is set; accounts without the right to unfiltered HTML cannot use it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHtml {
    /// The HTML.
    html: String,
    /// Says that this was thought about.
    #[serde(default)]
    allow_unsafe: bool,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

impl Section for RawHtml {
    const KIND: &'static str = "raw_html";
    const NAME: &'static str = "HTML";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        if !self.allow_unsafe {
            return Err(Error::new(ErrorKind::Refused, "`allow_unsafe`: raw HTML can run scripts in the visitor's browser")
                .hint("use another section, or set allow_unsafe: true if you trust whoever writes this HTML")
                .field(fabrik_core::value::Path::key("allow_unsafe")));
        }
        // A delimiter in it would end the block, and what follows would be read as blocks.
        if self.html.contains("<!-- wp:")
            || self.html.contains("<!-- /wp:")
            || !fabrik_blocks::parse(&self.html)
                .iter()
                .all(|node| node.block().is_none())
        {
            return Err(b
                .wrong("html", "has block delimiters in it")
                .hint("give HTML only"));
        }
        if self.html.contains(['\u{e000}', '\u{e001}']) {
            return Err(b.wrong("html", "has private characters in it (U+E000, U+E001)"));
        }
        b.stand_on(&self.look);
        b.warnings
            .push("`html`: raw HTML is put into the page as it is".to_owned());
        Ok(Shell::Band(self.look.clone(), vec![html(&self.html)]))
    }
}
