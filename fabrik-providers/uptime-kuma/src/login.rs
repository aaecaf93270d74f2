//! Logging in on a fresh connection.

use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use fabrik_core::secrets::Secret;
use fabrik_core::value::Path;
use serde_json::{Value as Json, json};

use crate::address::Address;
use crate::config::KumaConfig;
use crate::connection::Connection;
use crate::lists::Lists;
use crate::refusal::Refusal;
use crate::totp;
use crate::version::Version;

/// How long the server may take to greet, and to send its lists after a login.
const TELLS: Duration = Duration::from_secs(15);
/// How much later than the greeting the server may say that it wants no login.
const LATER: Duration = Duration::from_millis(300);
/// How long a login may take; passwords are checked slowly on purpose.
const LOGIN: Duration = Duration::from_secs(20);
/// The server takes 20 logins a minute.
const LIMITED: Duration = Duration::from_secs(60);

/// Logs in. `known` is the login of an earlier connection. Gives the release and, after a login by
/// password, the token to go on with.
///
/// # Errors
/// [`ErrorKind::Auth`], [`ErrorKind::RateLimited`], [`ErrorKind::Unsupported`],
/// [`ErrorKind::Unavailable`].
pub(crate) async fn login(
    cx: &Cx,
    connection: &Connection,
    address: &Address,
    config: &KumaConfig,
    known: Option<&Secret>,
) -> Result<(Version, Option<Secret>)> {
    let mut token = None;
    if !greeted(connection, address).await? {
        match enter(cx, connection, config, known).await {
            Ok(new) => token = new,
            Err(error) => {
                // Perhaps no login is wanted, or none is possible: that may be said after the
                // greeting.
                connection
                    .told(LATER, |lists| lists.setup || lists.auto_login)
                    .await;
                let lists = connection.lists();
                if lists.setup {
                    return Err(never_set_up(address));
                }
                if !lists.auto_login {
                    return Err(error);
                }
            }
        }
    }
    if !connection.told(TELLS, Lists::complete).await {
        // Which release it is tells more than which list is missing.
        let version = connection.lists().version.clone();
        if let Some(version) = version {
            Version::parse(&version)?;
        }
        return Err(Error::new(
            ErrorKind::Unavailable,
            format!(
                "{} took the login but did not send its lists",
                address.base()
            ),
        ));
    }
    let version = connection.lists().version.clone().unwrap_or_default();
    Ok((Version::parse(&version)?, token))
}

/// Waits for the greeting; whether no login is wanted, as far as that was said.
async fn greeted(connection: &Connection, address: &Address) -> Result<bool> {
    let greeted = connection
        .told(TELLS, |lists| {
            lists.greeted || lists.setup || lists.login_required || lists.auto_login
        })
        .await;
    if !greeted {
        return Err(Error::new(
            ErrorKind::Unavailable,
            format!(
                "{} did not greet as Uptime Kuma does: the address may be wrong",
                address.base()
            ),
        ));
    }
    let lists = connection.lists();
    if lists.setup {
        return Err(never_set_up(address));
    }
    Ok(lists.auto_login)
}

fn never_set_up(address: &Address) -> Error {
    Error::new(
        ErrorKind::Auth,
        "the server has no user yet: it was never set up",
    )
    .hint(format!(
        "open {} in a browser and make the first user",
        address.base()
    ))
}

/// Logs in by the stored login, or else by password, which gives a new one to store.
async fn enter(
    cx: &Cx,
    connection: &Connection,
    config: &KumaConfig,
    known: Option<&Secret>,
) -> Result<Option<Secret>> {
    let mut refused = Refusal::none();
    if let Some(stored) = known.or(config.token.as_ref()) {
        match ask(connection, "loginByToken", json!(stored.expose())).await? {
            Ok(_) => return Ok(None),
            Err(refusal) => refused = refusal,
        }
    }
    match &config.password {
        Some(password) => by_password(cx, connection, config, password)
            .await
            .map(Some),
        None => Err(bad_token(&refused)),
    }
}

async fn ask(
    connection: &Connection,
    event: &'static str,
    argument: Json,
) -> Result<std::result::Result<Json, Refusal>> {
    let mut waiting = connection.send(event, vec![argument]);
    match tokio::time::timeout(LOGIN, waiting.answer()).await {
        Ok(Ok(answer)) => Ok(Refusal::split(event, answer)),
        Ok(Err(_)) => Err(Error::new(
            ErrorKind::Unavailable,
            "the server ended the connection during the login",
        )),
        Err(_) => Err(Error::new(
            ErrorKind::Unavailable,
            format!("the login was not answered within {} s", LOGIN.as_secs()),
        )),
    }
}

async fn by_password(
    cx: &Cx,
    connection: &Connection,
    config: &KumaConfig,
    password: &Secret,
) -> Result<Secret> {
    let name = config.username.as_deref().unwrap_or_default();
    let attempt = async |code: &str| {
        let who = json!({"username": name, "password": password.expose(), "token": code});
        ask(connection, "login", who).await
    };
    let refused = match attempt("").await? {
        Ok(answer) => return Ok(token_of(&answer)),
        Err(refused) => refused,
    };
    if !refused.token_required {
        return Err(bad_password(&refused));
    }
    let Some(key) = config.totp.as_ref().filter(|key| !key.is_empty()) else {
        return Err(Error::new(
            ErrorKind::Auth,
            format!("the user `{name}` logs in with two factors, and `totp` is not set"),
        )
        .field(Path::key("totp"))
        .hint("set `totp` (variable UPTIME_KUMA_TOTP) to the key the authenticator app was given, or `token` to a stored login"));
    };
    let refused = match attempt(&code(cx, key)?).await? {
        Ok(answer) => return Ok(token_of(&answer)),
        Err(refused) => refused,
    };
    if refused.is_rate_limit() || !refused.is_wrong_code() || totp::is_code(key.expose()) {
        return Err(bad_code(&refused));
    }
    // A code works once: one that another login has used is refused until the next step.
    let seconds = u64::try_from(cx.clock().now().as_second()).unwrap_or_default();
    let wait = totp::STEP - seconds % totp::STEP;
    cx.note(format!("waiting {wait} s for a fresh one-time code"));
    cx.sleep(Duration::from_secs(wait)).await?;
    match attempt(&code(cx, key)?).await? {
        Ok(answer) => Ok(token_of(&answer)),
        Err(refused) => Err(bad_code(&refused)),
    }
}

fn token_of(answer: &Json) -> Secret {
    Secret::from(
        answer
            .get("token")
            .and_then(Json::as_str)
            .unwrap_or_default(),
    )
}

fn code(cx: &Cx, key: &Secret) -> Result<String> {
    if totp::is_code(key.expose()) {
        return Ok(key.expose().to_owned());
    }
    let seconds = u64::try_from(cx.clock().now().as_second()).unwrap_or_default();
    totp::code(key.expose(), seconds).ok_or_else(|| {
        Error::new(
            ErrorKind::Auth,
            "`totp` is neither a six-digit code nor a key in base32",
        )
        .field(Path::key("totp"))
        .hint("write the key that was shown beside the QR code when two-factor login was set up")
    })
}

fn limited() -> Error {
    Error::new(
        ErrorKind::RateLimited,
        "too many logins: the server takes 20 a minute, from everybody together",
    )
    .hint("wait a minute; a stored login in `token` avoids logging in at all")
    .retry_after(LIMITED)
}

fn bad_password(refused: &Refusal) -> Error {
    if refused.is_rate_limit() {
        return limited();
    }
    Error::new(ErrorKind::Auth, "wrong user name or password")
        .context("the server said", refused.text())
        .field(Path::key("password"))
        .hint("check `username` and `password` (variables UPTIME_KUMA_USERNAME and UPTIME_KUMA_PASSWORD)")
}

fn bad_code(refused: &Refusal) -> Error {
    if refused.is_rate_limit() {
        return limited();
    }
    Error::new(ErrorKind::Auth, "the one-time code was refused")
        .context("the server said", refused.text())
        .field(Path::key("totp"))
        .hint("a code works once and for 30 s: give the authenticator's key in `totp`, and check this machine's clock")
}

fn bad_token(refused: &Refusal) -> Error {
    if refused.is_rate_limit() {
        return limited();
    }
    Error::new(ErrorKind::Auth, "the stored login was refused")
        .context("the server said", refused.text())
        .field(Path::key("token"))
        .hint("a changed password ends stored logins: set `token` (variable UPTIME_KUMA_TOKEN) anew, or use `username` and `password`")
}
