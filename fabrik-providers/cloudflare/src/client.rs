//! The provider's client: the token's check, and what is remembered during one run.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use fabrik_core::value::{Path, Value};
use fabrik_http::{Auth, Client, HttpConfig, Rate};
use jiff::Timestamp;

use crate::api::{Envelope, RecordObject, TokenObject, ZoneObject};
use crate::config::CloudflareConfig;
use crate::errors::to_error;
use crate::refs::Zones;

/// How many records are asked for at once.
const RECORDS_PER_PAGE: u64 = 2_000;
/// The most zones the service lists at once.
pub(crate) const ZONES_PER_PAGE: u64 = 50;
/// How old a list of records may be for looking whether a name is free. Far below the settle time of
/// records, so that a look after that time sees what landed late.
const FRESH: Duration = Duration::from_secs(2);

/// A connection to Cloudflare with one token.
#[derive(Debug)]
pub struct Cloudflare {
    pub(crate) http: Client,
    pub(crate) account: Option<String>,
    pub(crate) marks: bool,
    pub(crate) zones: Mutex<Zones>,
    /// Settings as they were before this run changed them, by zone.
    pub(crate) previous: Mutex<HashMap<String, serde_json::Map<String, serde_json::Value>>>,
    lists: tokio::sync::Mutex<HashMap<String, (Timestamp, Vec<RecordObject>)>>,
    expires: Option<String>,
}

impl Cloudflare {
    /// Connects: checks the token, and looks which zones it sees.
    pub(crate) async fn open(cx: &Cx, config: CloudflareConfig) -> Result<Cloudflare> {
        if config.token.expose().trim().is_empty() {
            return Err(Error::new(ErrorKind::Auth, "the API token is empty")
                .field(Path::key("token"))
                .hint("set `token` of the provider, or CLOUDFLARE_API_TOKEN"));
        }
        let http = Client::new(
            HttpConfig::new("cloudflare", env!("CARGO_PKG_VERSION"), &config.endpoint)?
                .auth(Auth::bearer(&config.token))
                .max_in_flight(4)
                .rate(Rate::per(1_200, Duration::from_secs(300)))
                .errors(to_error),
        )?;
        let mut client = Cloudflare {
            http,
            account: config.account,
            marks: config.marks,
            zones: Mutex::default(),
            previous: Mutex::default(),
            lists: tokio::sync::Mutex::default(),
            expires: None,
        };
        client.verify(cx).await?;
        client.probe(cx).await?;
        Ok(client)
    }

    /// What a plan records of the connection.
    pub(crate) fn facts(&self) -> Value {
        match &self.expires {
            Some(expires) => Value::map([("token_expires", Value::from(expires.as_str()))]),
            None => Value::Null,
        }
    }

    /// When the token ends, where the service tells.
    pub(crate) fn expires(&self) -> Option<&str> {
        self.expires.as_deref()
    }

    /// Whether the token is one. What it may do is not told.
    async fn verify(&mut self, cx: &Cx) -> Result<()> {
        let user = self.http.get(cx, "/user/tokens/verify");
        let mut found = user.json::<Envelope<TokenObject>>().await;
        if let Err(error) = &found
            && is_unknown_token(error)
        {
            // One that an account owns is known there only.
            let Some(account) = &self.account else {
                return self.owned_by_account(cx, error.clone()).await;
            };
            let owned = self.http.get(cx, "/accounts/{account}/tokens/verify");
            found = owned.arg("account", account).json().await;
        }
        let token = found?.result;
        if token.status != "active" {
            return Err(Error::new(
                ErrorKind::Auth,
                format!("the API token is {}", token.status),
            )
            .field(Path::key("token"))
            .hint("make a new token, or turn this one on again, in the dashboard under \"API Tokens\""));
        }
        self.expires = token.expires_on;
        Ok(())
    }

    /// A token that is no user's may be an account's: then it can do something.
    async fn owned_by_account(&self, cx: &Cx, error: Error) -> Result<()> {
        let any = self.http.get(cx, "/zones").query("per_page", 5);
        match any.unit().await {
            Ok(()) => Ok(()),
            Err(_) => Err(error),
        }
    }

    /// The first page of zones: shows that the token may look at all, and spares looking them up.
    async fn probe(&self, cx: &Cx) -> Result<()> {
        let (zones, complete) = self.zone_page(cx, 1).await?;
        let mut memo = self.memo();
        for zone in &zones {
            memo.insert(zone);
        }
        memo.complete = complete;
        Ok(())
    }

    pub(crate) fn memo(&self) -> std::sync::MutexGuard<'_, Zones> {
        self.zones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One page of all zones the token sees, and whether it is the last.
    pub(crate) async fn zone_page(&self, cx: &Cx, page: u64) -> Result<(Vec<ZoneObject>, bool)> {
        let mut request = self
            .http
            .get(cx, "/zones")
            .query("per_page", ZONES_PER_PAGE)
            .query("page", page);
        if let Some(account) = &self.account {
            request = request.query("account.id", account);
        }
        let found: Envelope<Vec<ZoneObject>> = request.json().await?;
        let last = found
            .result_info
            .as_ref()
            .and_then(|info| info.total_pages)
            .map_or((found.result.len() as u64) < ZONES_PER_PAGE, |pages| {
                page >= pages
            });
        Ok((found.result, last))
    }

    /// All records of a zone, as they are now.
    pub(crate) async fn records(&self, cx: &Cx, zone: &str) -> Result<Vec<RecordObject>> {
        let request = self
            .http
            .get(cx, "/zones/{zone}/dns_records")
            .arg("zone", zone)
            .query("per_page", RECORDS_PER_PAGE)
            .query("page", 1);
        let found = request
            .pages(|reply| {
                let page: Envelope<Vec<RecordObject>> = reply.json()?;
                Ok((page.result, next(page.result_info.as_ref())))
            })
            .await?;
        Ok(found)
    }

    /// The records with one name and type.
    pub(crate) async fn record_set(
        &self,
        cx: &Cx,
        zone: &str,
        name: &str,
        kind: &str,
    ) -> Result<Vec<RecordObject>> {
        let request = self
            .http
            .get(cx, "/zones/{zone}/dns_records")
            .arg("zone", zone)
            .query("name.exact", name)
            .query("type", kind)
            .query("per_page", RECORDS_PER_PAGE)
            .query("page", 1);
        let mut found = request
            .pages(|reply| {
                let page: Envelope<Vec<RecordObject>> = reply.json()?;
                Ok((page.result, next(page.result_info.as_ref())))
            })
            .await?;
        // A filter that the service did not know would let everything through.
        found.retain(|record| record.name.eq_ignore_ascii_case(name) && record.kind == kind);
        Ok(found)
    }

    /// What `pick` makes of the records of a zone, as they were a moment ago. Many looks for free
    /// names, one after the other, share a list.
    pub(crate) async fn glance<T>(
        &self,
        cx: &Cx,
        zone: &str,
        pick: impl FnOnce(&[RecordObject]) -> T,
    ) -> Result<T> {
        let mut lists = self.lists.lock().await;
        let now = cx.clock().now();
        let fresh = lists.get(zone).filter(|(at, _)| {
            let age = Duration::try_from(now.duration_since(*at));
            age.is_ok_and(|age| age < FRESH)
        });
        if let Some((_, records)) = fresh {
            return Ok(pick(records));
        }
        let records = self.records(cx, zone).await?;
        let picked = pick(&records);
        lists.insert(zone.to_owned(), (now, records));
        Ok(picked)
    }

    /// Records of a zone were changed: what is remembered of them is no longer so.
    pub(crate) async fn changed(&self, zone: &str) {
        self.lists.lock().await.remove(zone);
    }
}

/// The page after one.
fn next(info: Option<&crate::api::PageInfo>) -> fabrik_http::Next {
    let Some(info) = info else {
        return fabrik_http::Next::End;
    };
    let more = match info.total_pages {
        Some(pages) => info.page < pages,
        None => info.per_page > 0 && info.count >= info.per_page,
    };
    if more {
        fabrik_http::Next::with("page", info.page + 1)
    } else {
        fabrik_http::Next::End
    }
}

/// Whether the token is none of a user.
fn is_unknown_token(error: &Error) -> bool {
    error.kind() == ErrorKind::Auth
        && error
            .context_pairs()
            .any(|(key, codes)| key == "code" && codes.split(", ").any(|code| code == "1000"))
}
