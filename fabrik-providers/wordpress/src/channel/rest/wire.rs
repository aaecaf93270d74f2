//! Requests to the API.

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use fabrik_core::secrets::printable;
use fabrik_core::value::Path;
use fabrik_http::{Auth, Client, HttpConfig, Method};
use serde_json::Value as Json;
use tokio::sync::OnceCell;

use super::{Done, Halt};
use crate::config::Rest as Config;
use crate::request::Refusal;

/// Statuses with which WordPress explains itself.
const SAYS: [u16; 9] = [400, 401, 403, 404, 409, 410, 412, 500, 501];

/// How the API is reached.
pub(super) struct Wire {
    client: Client,
    /// Whether routes are a parameter, because the site's addresses are plain.
    plain: OnceCell<bool>,
}

/// An answer of the API.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Json,
    pages: u64,
}

impl Answer {
    /// The body of what was done; otherwise why not.
    pub(super) fn ok(self) -> Done {
        if self.status < 300 {
            return Ok(self.body);
        }
        let code = self.body["code"].as_str().unwrap_or("no code");
        // What it says is in the site's language and may hold HTML: only the code is reliable.
        let said = printable(self.body["message"].as_str().unwrap_or_default());
        let said = format!("{code}: {said}");
        if self.status == 401 || self.status == 403 {
            return Err(Error::new(
                ErrorKind::Permission,
                format!("WordPress does not allow it ({said})"),
            )
            .hint("the account of the application password has to be an administrator")
            .effect(Effect::None)
            .into());
        }
        if self.status == 500 && code == "internal_server_error" {
            return Err(Error::new(
                ErrorKind::Misbehaved,
                "WordPress broke off with an error of PHP",
            )
            .hint("mostly a plugin or the theme is at fault; the server's log names it")
            .effect(Effect::Unknown)
            .into());
        }
        Err(Halt::Refused(Box::new(Refusal {
            why: if self.status == 404 {
                "gone"
            } else {
                "refused"
            }
            .to_owned(),
            message: said,
            state: "begun".to_owned(),
            ..Refusal::default()
        })))
    }

    /// The body; null for what is not there.
    pub(super) fn some(self) -> Done {
        if self.status == 404 {
            return Ok(Json::Null);
        }
        self.ok()
    }
}

impl Wire {
    pub(super) fn new(config: &Config) -> Result<Wire> {
        let host = config
            .url
            .split_once("://")
            .map_or("", |(_, rest)| rest)
            .split(['/', ':'])
            .next()
            .unwrap_or_default();
        let is_here =
            ["localhost", "127.0.0.1", "[::1]"].contains(&host) || host.ends_with(".localhost");
        if !config.url.starts_with("https://") && !is_here {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the password would be readable on the way",
            )
            .field(Path::parse("rest.url"))
            .hint("use an address that begins with `https://`"));
        }
        let http = HttpConfig::new(
            "WordPress",
            env!("CARGO_PKG_VERSION"),
            config.url.trim_end_matches('/'),
        )
        .map_err(|error| error.field(Path::parse("rest.url")))?
        .auth(Auth::basic(&config.user, &config.password));
        Ok(Wire {
            client: Client::new(http)?,
            plain: OnceCell::new(),
        })
    }

    async fn is_plain(&self, cx: &Cx) -> Result<bool> {
        self.plain
            .get_or_try_init(async || {
                let pretty = self.client.get(cx, "/wp-json/").query("_fields", "home").ok_if(404).ok_if(401).ok_if(403).reply().await?;
                if pretty.status() != 404 && !pretty.is_html() {
                    return Ok(false);
                }
                let plain = self.client.get(cx, "/").query("rest_route", "/").query("_fields", "home").ok_if(404).reply().await?;
                if plain.status() == 200 && !plain.is_html() {
                    return Ok(true);
                }
                Err(Error::new(ErrorKind::Unsupported, "this site has no REST API, or it is switched off")
                    .field(Path::parse("rest.url"))
                    .hint("is the address that of a WordPress site? Some security plugins switch the API off")
                    .effect(Effect::None))
            })
            .await
            .copied()
    }

    async fn send(
        &self,
        cx: &Cx,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Json>,
    ) -> Result<Answer> {
        let plain = self.is_plain(cx).await?;
        let route = if plain {
            "/".to_owned()
        } else {
            format!("/wp-json{path}")
        };
        let mut request = self.client.request(cx, method, &route);
        if plain {
            request = request.query("rest_route", path);
        }
        for (name, value) in query {
            request = request.query(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        Self::answered(request).await
    }

    async fn answered(mut request: fabrik_http::Request<'_>) -> Result<Answer> {
        for status in SAYS {
            request = request.ok_if(status);
        }
        let reply = request.reply().await?;
        let body = if reply.bytes().is_empty() {
            Ok(Json::Null)
        } else {
            reply.json()
        };
        let status = reply.status();
        Ok(Answer {
            status,
            pages: reply
                .header("x-wp-totalpages")
                .and_then(|pages| pages.parse().ok())
                .unwrap_or(1),
            body: match body {
                Ok(body) => body,
                // A firewall, a maintenance page: not WordPress.
                Err(error) if status < 300 => return Err(error),
                Err(_) => {
                    return Err(reply
                        .error(
                            ErrorKind::Unavailable,
                            format!("something before WordPress answers {status}"),
                        )
                        .hint(
                            "a firewall or a security plugin may keep the REST API from being used",
                        ));
                }
            },
        })
    }

    pub(super) async fn get(&self, cx: &Cx, path: &str, query: &[(&str, &str)]) -> Result<Answer> {
        self.send(cx, Method::GET, path, query, None).await
    }

    pub(super) async fn post(&self, cx: &Cx, path: &str, body: &Json) -> Result<Answer> {
        self.send(cx, Method::POST, path, &[("context", "edit")], Some(body))
            .await
    }

    /// Into the bin, or for good.
    pub(super) async fn delete(&self, cx: &Cx, path: &str, force: bool) -> Result<Answer> {
        let query: &[(&str, &str)] = if force { &[("force", "true")] } else { &[] };
        self.send(cx, Method::DELETE, path, query, None).await
    }

    /// All pages of a list.
    pub(super) async fn all(&self, cx: &Cx, path: &str, query: &[(&str, &str)]) -> Done<Vec<Json>> {
        let mut items = Vec::new();
        let mut page = 1_u64;
        loop {
            let number = page.to_string();
            let mut asked = vec![("per_page", "100"), ("page", number.as_str())];
            asked.extend_from_slice(query);
            let answer = self.get(cx, path, &asked).await?;
            let pages = answer.pages;
            let Json::Array(more) = answer.ok()? else {
                return Err(Error::new(ErrorKind::Misbehaved, "WordPress gave no list")
                    .effect(Effect::None)
                    .into());
            };
            items.extend(more);
            page += 1;
            if page > pages || page > 200 {
                return Ok(items);
            }
        }
    }

    /// Uploads a file; `query` sets its fields.
    pub(super) async fn upload(
        &self,
        cx: &Cx,
        query: &[(&str, &str)],
        name: &str,
        mime: &str,
        bytes: Vec<u8>,
    ) -> Result<Answer> {
        let plain = self.is_plain(cx).await?;
        let route = if plain { "/" } else { "/wp-json/wp/v2/media" };
        let mut request = self.client.post(cx, route);
        if plain {
            request = request.query("rest_route", "/wp/v2/media");
        }
        for (field, value) in query {
            request = request.query(field, value);
        }
        let request = request
            .header(
                "content-disposition",
                &format!("attachment; filename=\"{name}\""),
            )
            .raw(mime, bytes);
        Self::answered(request).await
    }

    /// The version of WordPress as its pages tell; empty where they do not.
    pub(super) async fn version(&self, cx: &Cx) -> String {
        let page = self
            .client
            .get(cx, "/")
            .ok_if(404)
            .text()
            .await
            .unwrap_or_default();
        let found = page
            .split("content=\"WordPress ")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        found
            .filter(|text| text.len() < 20)
            .unwrap_or_default()
            .to_owned()
    }
}
