//! Accounts.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Finding, TypeInfo, Verb};
use fabrik_core::secrets::Secret;
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::user_row;
use crate::content::{Content, Write, ids, is_open};
use crate::request::{Facts, Survey};

/// An account: an editor, a shop manager. When it goes, what it wrote goes to the account that Fabrik
/// acts by. Nobody is told by e-mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSpec {
    /// Login; it cannot change, so another makes a new account.
    #[schemars(length(min = 1, max = 60), extend("x-fabrik" = {"replace": true, "same": "lower"}))]
    pub login: String,
    /// E-mail address; no other account may have it.
    #[schemars(extend("x-fabrik" = {"same": "lower"}))]
    pub email: String,
    /// `administrator`, `editor`, `author`, `contributor`, `subscriber`, or a role of a plugin.
    #[schemars(length(min = 1))]
    pub role: String,
    /// Password. One that nobody knows unless set; the account then sets its own by e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sensitive": true, "write_only": true, "sticky": true}))]
    pub password: Option<Secret>,
    /// Name that readers see, as text. The login unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub name: Option<String>,
}

/// What WordPress tells of an account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UserOutputs {
    /// Address of the list of its posts.
    pub archive: String,
}

/// The type `wordpress.user`.
pub struct User;

impl Content for User {
    const TYPE: &'static str = "wordpress.user";
    const LOOKS: bool = true;
    type Spec = UserSpec;
    type Outputs = UserOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "NUMBER".into(),
            exclusive: true,
            ..info
        }
    }

    fn check(spec: &UserSpec) -> Result<()> {
        user_row::login(&spec.login)?;
        ids::email("email", &spec.email)?;
        if let Some(name) = &spec.name {
            ids::title("name", name)?;
        }
        let role = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !is_open(&spec.role) && !spec.role.chars().all(role) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("`{}` cannot be a role", spec.role),
            )
            .field(Path::key("role"))
            .hint("write `editor`, `author`, `contributor`, `subscriber` or `administrator`"));
        }
        Ok(())
    }

    fn preflight(_: &UserSpec, facts: &Facts) -> Vec<Finding> {
        super::rights(facts, &["edit_users"])
    }

    fn named(spec: &UserSpec, survey: &Survey) -> Option<String> {
        user_row::named(&spec.login, &spec.email, survey)
    }

    fn read(id: &str, _: Option<&UserSpec>) -> Result<Json> {
        Ok(json!({"kind": "user", "do": "read", "id": ids::check(id)?}))
    }

    fn list() -> Option<Json> {
        Some(json!({"kind": "user", "do": "list"}))
    }

    fn hidden() -> &'static [&'static str] {
        &["password"]
    }

    fn seen(raw: &Json, _: Option<&UserSpec>) -> Result<(UserSpec, UserOutputs)> {
        let spec = UserSpec {
            login: ids::text(raw, "login"),
            email: ids::text(raw, "email"),
            role: user_row::role(raw),
            password: None,
            name: ids::some(raw, "name"),
        };
        let outputs = UserOutputs {
            archive: ids::text(raw, "url"),
        };
        Ok((spec, outputs))
    }

    fn write(write: &Write<'_, UserSpec>) -> Result<Json> {
        let mut set = Map::new();
        if let Some(spec) = write.spec {
            set.insert("login".into(), json!(spec.login));
            set.insert("email".into(), json!(spec.email));
            set.insert("role".into(), json!(spec.role));
            if let Some(name) = &spec.name {
                set.insert("name".into(), json!(name));
            }
            let sent = write.prior.and_then(|prior| prior.password.as_ref());
            if let Some(password) = &spec.password
                && (write.verb == Verb::Create || sent != Some(password))
            {
                set.insert("password".into(), json!(password.expose()));
            }
        }
        user_row::write(write, set)
    }

    fn secrets(spec: &UserSpec) -> Vec<Secret> {
        spec.password.iter().cloned().collect()
    }
}
