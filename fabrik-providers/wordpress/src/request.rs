//! What goes to a site and comes back, whatever the channel.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::secrets::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One request: reads, or writes that are carried out wholly or not at all.
///
/// An operation is an object with `kind` (`post`, `term`, `user`, `menu`, `options`, `meta`), `do`
/// (`read`, `list`, `create`, `update`, `delete`) and what the kind needs; see the handlers in
/// `php/`. Texts of an operation may hold references to what earlier ones gave.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Names this attempt in the site's journal.
    pub call: String,
    /// Begins references of this request.
    pub nonce: String,
    /// Begins the line with the reply.
    pub marker: String,
    /// Login of the account that acts; the first administrator unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether the operations write.
    pub write: bool,
    /// The operations.
    pub ops: Vec<Json>,
    /// Ask for [`Facts`] as well.
    pub facts: bool,
    /// Ask for [`Survey`] as well.
    pub survey: bool,
    /// A call whose reply was lost: it is found to have been carried out, or never will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void: Option<String>,
    /// Secrets among the operations, to be kept out of errors.
    #[serde(skip)]
    pub secrets: Vec<Secret>,
}

impl Request {
    /// A request that reads.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn read(ops: Vec<Json>) -> Result<Request> {
        Ok(Request {
            call: random()?,
            nonce: random()?,
            marker: format!("fabrik-{}:", random()?),
            user: None,
            write: false,
            ops,
            facts: false,
            survey: false,
            void: None,
            secrets: Vec::new(),
        })
    }

    /// A request that writes.
    ///
    /// # Errors
    /// As [`Request::read`].
    pub fn write(ops: Vec<Json>) -> Result<Request> {
        Ok(Request {
            write: true,
            ..Request::read(ops)?
        })
    }
}

/// A random number in hexadecimal.
pub(crate) fn random() -> Result<String> {
    let mut bytes = [0_u8; 12];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "the system gives no random numbers").cause(error)
    })?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    }))
}

/// The reply to a [`Request`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reply {
    /// Whether it was done.
    pub ok: bool,
    /// One for each operation; `null` for a read of what is not there.
    pub results: Vec<Json>,
    /// What the site is, if asked for.
    pub facts: Option<Facts>,
    /// What is on the site, if asked for.
    pub survey: Option<Survey>,
    /// Whether the call to be voided had been carried out.
    pub landed: bool,
    /// Why it was not done.
    pub error: Option<Refusal>,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// The reason, one of a few words.
    pub why: String,
    /// What the site says; untrusted.
    pub message: String,
    /// The operation at fault.
    pub at: Option<usize>,
    /// How far the transaction was: `begun`, `open`, `rolled_back`, `committing`, `committed`.
    pub state: String,
    /// The field at fault.
    pub field: Option<String>,
    /// What could have stood there.
    pub known: Vec<String>,
}

/// What a site is and what the account may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Version of WordPress: `6.8.1`.
    pub wordpress: String,
    /// Version of PHP.
    pub php: String,
    /// `mysql`, `mariadb` or `sqlite`.
    pub database: String,
    /// Whether its tables know transactions.
    pub atomic: bool,
    /// The storage engine of its tables.
    pub engine: String,
    /// The site's address, with a slash at its end.
    pub url: String,
    /// Whether it is one of a network.
    pub multisite: bool,
    /// The active theme.
    pub theme: String,
    /// The theme it is a child of, or itself.
    pub template: String,
    /// Whether the theme is made of blocks.
    pub block_theme: bool,
    /// The theme's menu locations.
    pub locations: Vec<String>,
    /// Active plugins: `contact-form-7/wp-contact-form-7.php`.
    pub plugins: Vec<String>,
    /// The account that acts; empty when there is no administrator.
    pub user: String,
    /// Rights the account should have and lacks.
    pub lacks: Vec<String>,
    /// The site's clock, in seconds of Unix time.
    pub now: i64,
    /// The way to the site can do only a part: the REST API.
    pub limited: bool,
}

impl Facts {
    /// Whether a plugin is active, by its folder.
    pub fn has_plugin(&self, folder: &str) -> bool {
        self.plugins
            .iter()
            .any(|file| file.split('/').next() == Some(folder))
    }

    /// The first two numbers of the version of WordPress.
    pub fn version(&self) -> (u32, u32) {
        let mut parts = self.wordpress.split(['.', '-']);
        let mut part = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        (part(), part())
    }
}

/// Names that are taken on a site, and what calls made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Survey {
    /// Pages, posts, forms, menus of block themes: the newest 5000.
    pub posts: Vec<PostName>,
    /// Categories and menus.
    pub terms: Vec<TermName>,
    /// Accounts.
    pub users: Vec<UserName>,
    /// Operations that were carried out, with the id of what they made.
    pub ops: BTreeMap<String, String>,
}

/// The name of a post.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "columns of WordPress")]
pub struct PostName {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub slug: String,
    pub parent: String,
    pub title: String,
}

/// The name of a term.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "columns of WordPress")]
pub struct TermName {
    pub id: String,
    pub taxonomy: String,
    pub slug: String,
    pub name: String,
}

/// The name of an account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "columns of WordPress")]
pub struct UserName {
    pub id: String,
    pub login: String,
    pub email: String,
}
