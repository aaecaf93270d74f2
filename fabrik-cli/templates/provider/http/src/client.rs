//! The client: how Acme is reached, what its errors mean, how it is examined.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Health};
use fabrik_core::value::Path;
use fabrik_http::{Auth, Client, HttpConfig, Reply};
use serde::Deserialize;

use crate::config::Config;

/// What the token needs.
const SCOPES: [&str; 2] = ["notes:read", "notes:write"];

/// A client of Acme.
#[derive(Clone, Debug)]
pub struct AcmeClient {
    pub(crate) http: Client,
}

/// Who the token belongs to: `GET /me`.
#[derive(Debug, Deserialize)]
struct Me {
    name: String,
    scopes: Vec<String>,
}

/// An error as Acme writes it.
#[derive(Debug, Deserialize)]
struct Refusal {
    error: Refused,
}

#[derive(Debug, Deserialize)]
struct Refused {
    code: String,
    message: String,
    field: Option<String>,
    scope: Option<String>,
}

impl AcmeClient {
    /// A client; nothing is sent yet.
    pub(crate) fn new(config: &Config) -> Result<AcmeClient> {
        if config.token.is_empty() {
            return Err(Error::new(ErrorKind::Auth, "the token of acme is missing")
                .field(Path::key("token"))
                .hint("set `token`, or the variable ACME_TOKEN"));
        }
        // Retry, rate limit, time limits, user agent, tracing and the removal of the token from
        // every message come with this.
        let http = HttpConfig::new("acme", env!("CARGO_PKG_VERSION"), &config.endpoint)?
            .auth(Auth::bearer(&config.token))
            .errors(refused);
        Ok(AcmeClient {
            http: Client::new(http)?,
        })
    }

    /// How Acme is: what `fabrik doctor` shows.
    pub(crate) async fn examine(cx: &Cx, client: &AcmeClient) -> Vec<Health> {
        let me: Me = match client.http.get(cx, "/me").json().await {
            Ok(me) => me,
            Err(error) => return vec![Health::error("service", &error)],
        };
        let missing: Vec<&str> = SCOPES
            .into_iter()
            .filter(|scope| !me.scopes.iter().any(|has| has == scope))
            .collect();
        let mut found = vec![
            Health::ok("service", format!("answers as {}", me.name)),
            Health::permissions(&SCOPES, &missing),
        ];
        found.extend(client.http.clock_health());
        found
    }
}

/// The one place that knows Acme's errors. `None` leaves a reply to its status.
fn refused(reply: &Reply) -> Option<Error> {
    if reply.status() < 400 {
        return None;
    }
    let Refused {
        code,
        message,
        field,
        scope,
    } = reply.json::<Refusal>().ok()?.error;
    // The service's words are not ours: cleaned, they may stand in a message.
    let words = reply.clean(&message);
    Some(match code.as_str() {
        "unauthorized" => reply
            .error(
                ErrorKind::Auth,
                format!("acme does not accept the token: {words}"),
            )
            .field(Path::key("token"))
            .hint("make a new token in Acme, and set ACME_TOKEN"),
        "missing_scope" => {
            let scope = reply.clean(&scope.unwrap_or_default());
            reply
                .error(
                    ErrorKind::Permission,
                    format!("the token lacks the scope `{scope}`"),
                )
                .hint(format!("make a token in Acme that has `{scope}`"))
        }
        "title_taken" => reply
            .error(ErrorKind::Conflict, words)
            .hint("take it over with `fabrik import`, or choose another title"),
        "invalid" => {
            let error = reply.error(ErrorKind::Invalid, words);
            match field {
                Some(field) => error.field(Path::parse(&field)),
                None => error,
            }
        }
        _ => return None,
    })
}
