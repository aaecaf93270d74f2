//! Authors of posts.

use fabrik_core::error::Result;
use fabrik_core::provider::{Finding, TypeInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::user_row;
use crate::content::{Content, Write, ids};
use crate::request::{Facts, Survey};

/// Somebody whose name stands below posts: an account with the role `author` and a password that
/// nobody knows. When it goes, what it wrote goes to the account that Fabrik acts by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorSpec {
    /// Login; it cannot change, so another makes a new account.
    #[schemars(length(min = 1, max = 60), extend("x-fabrik" = {"replace": true, "same": "lower"}))]
    pub login: String,
    /// Name that readers see, as text.
    #[schemars(length(min = 1, max = 250))]
    pub name: String,
    /// E-mail address; no other account may have it.
    #[schemars(extend("x-fabrik" = {"same": "lower"}))]
    pub email: String,
    /// Some words about the author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    /// The author's own site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"same": "url"}))]
    pub url: Option<String>,
}

/// What WordPress tells of an author.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AuthorOutputs {
    /// Address of the list of the author's posts.
    pub archive: String,
}

/// The type `wordpress.author`.
pub struct Author;

impl Content for Author {
    const TYPE: &'static str = "wordpress.author";
    const LOOKS: bool = true;
    type Spec = AuthorSpec;
    type Outputs = AuthorOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "NUMBER".into(),
            exclusive: true,
            ..info
        }
    }

    fn check(spec: &AuthorSpec) -> Result<()> {
        user_row::login(&spec.login)?;
        ids::title("name", &spec.name)?;
        ids::email("email", &spec.email)
    }

    fn preflight(_: &AuthorSpec, facts: &Facts) -> Vec<Finding> {
        super::rights(facts, &["edit_users"])
    }

    fn named(spec: &AuthorSpec, survey: &Survey) -> Option<String> {
        user_row::named(&spec.login, &spec.email, survey)
    }

    fn read(id: &str, _: Option<&AuthorSpec>) -> Result<Json> {
        Ok(json!({"kind": "user", "do": "read", "id": ids::check(id)?}))
    }

    fn list() -> Option<Json> {
        Some(json!({"kind": "user", "do": "list"}))
    }

    fn seen(raw: &Json, _: Option<&AuthorSpec>) -> Result<(AuthorSpec, AuthorOutputs)> {
        let spec = AuthorSpec {
            login: ids::text(raw, "login"),
            name: ids::text(raw, "name"),
            email: ids::text(raw, "email"),
            bio: Some(ids::text(raw, "bio")).filter(|bio| !bio.is_empty()),
            url: Some(ids::text(raw, "site")).filter(|url| !url.is_empty()),
        };
        let outputs = AuthorOutputs {
            archive: ids::text(raw, "url"),
        };
        Ok((spec, outputs))
    }

    fn write(write: &Write<'_, AuthorSpec>) -> Result<Json> {
        let mut set = Map::new();
        if let Some(spec) = write.spec {
            set.insert("login".into(), json!(spec.login));
            set.insert("name".into(), json!(spec.name));
            set.insert("email".into(), json!(spec.email));
            set.insert("role".into(), json!("author"));
            let had = |is: fn(&AuthorSpec) -> bool| write.prior.is_some_and(is);
            if spec.bio.is_some() || had(|was| was.bio.is_some()) {
                set.insert("bio".into(), json!(spec.bio.as_deref().unwrap_or_default()));
            }
            if spec.url.is_some() || had(|was| was.url.is_some()) {
                set.insert(
                    "site".into(),
                    json!(spec.url.as_deref().unwrap_or_default()),
                );
            }
        }
        user_row::write(write, set)
    }
}
