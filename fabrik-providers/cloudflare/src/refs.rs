//! Zones by name or id, and what is remembered of them during one run.

use std::collections::HashMap;
use std::sync::Arc;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use fabrik_core::value::{Path, Value};

use crate::api::{Envelope, ZoneObject};
use crate::client::Cloudflare;
use crate::names;

/// What has to be known of a zone to work in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneRef {
    pub(crate) id: String,
    /// In canonical form.
    pub(crate) name: String,
    /// `free`, `pro`, `business`, `enterprise`; empty when not told.
    pub(crate) plan: String,
    pub(crate) account: String,
}

impl ZoneRef {
    pub(crate) fn of(zone: &ZoneObject) -> ZoneRef {
        ZoneRef {
            id: zone.id.clone(),
            name: names::host(&zone.name).unwrap_or_else(|_| zone.name.clone()),
            plan: zone.plan.legacy_id.clone().unwrap_or_default(),
            account: zone.account.id.clone(),
        }
    }

    /// How many operations one batch may hold.
    pub(crate) fn batch(&self) -> usize {
        match self.plan.as_str() {
            "pro" | "business" | "enterprise" => 3_500,
            _ => 200,
        }
    }

    /// How many characters a comment may have.
    pub(crate) fn comment(&self) -> usize {
        match self.plan.as_str() {
            "pro" | "business" | "enterprise" => 500,
            _ => 100,
        }
    }
}

/// Zones known so far.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    by_name: HashMap<String, Arc<ZoneRef>>,
    by_id: HashMap<String, Arc<ZoneRef>>,
    /// All zones that the token sees are known.
    pub(crate) complete: bool,
}

impl Zones {
    pub(crate) fn insert(&mut self, zone: &ZoneObject) -> Arc<ZoneRef> {
        let found = Arc::new(ZoneRef::of(zone));
        self.by_name.insert(found.name.clone(), found.clone());
        self.by_id.insert(found.id.clone(), found.clone());
        found
    }

    pub(crate) fn remove(&mut self, id: &str) {
        if let Some(zone) = self.by_id.remove(id) {
            self.by_name.remove(&zone.name);
        }
    }

    /// A zone by id or canonical name.
    pub(crate) fn get(&self, text: &str) -> Option<Arc<ZoneRef>> {
        let found = self.by_name.get(text).or_else(|| self.by_id.get(text));
        found.cloned()
    }

    /// The zone that a name is in: the one with the longest name.
    pub(crate) fn holding(&self, name: &str) -> Option<Arc<ZoneRef>> {
        let mut rest = name;
        loop {
            if let Some(zone) = self.by_name.get(rest) {
                return Some(zone.clone());
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// The account of all zones, when it is one.
    pub(crate) fn account(&self) -> Option<String> {
        let mut accounts = self.by_id.values().map(|zone| &zone.account);
        let first = accounts.next().filter(|first| !first.is_empty())?;
        accounts
            .all(|account| account == first)
            .then(|| first.clone())
    }
}

impl Cloudflare {
    /// Zones of a name, as they are now.
    pub(crate) async fn zones_named(&self, cx: &Cx, name: &str) -> Result<Vec<ZoneObject>> {
        let mut request = self.http.get(cx, "/zones").query("name", name);
        if let Some(account) = &self.account {
            request = request.query("account.id", account);
        }
        let found: Envelope<Vec<ZoneObject>> = request.json().await?;
        let same = |zone: &ZoneObject| names::host(&zone.name).is_ok_and(|host| host == name);
        Ok(found.result.into_iter().filter(same).collect())
    }

    /// A zone by id, as it is now.
    pub(crate) async fn zone_by_id(&self, cx: &Cx, id: &str) -> Result<Option<ZoneObject>> {
        let request = self.http.get(cx, "/zones/{zone}").arg("zone", id);
        let found: Option<Envelope<ZoneObject>> = request.json_opt().await?;
        Ok(found.map(|found| found.result))
    }

    /// The zone of an id or name; `None` when the token sees none.
    pub(crate) async fn find_zone(&self, cx: &Cx, text: &str) -> Result<Option<Arc<ZoneRef>>> {
        let text = if names::is_id(text) {
            text.to_owned()
        } else {
            canonical(text)?
        };
        if let Some(known) = self.memo().get(&text) {
            return Ok(Some(known));
        }
        if names::is_id(&text) {
            let found = self.zone_by_id(cx, &text).await?;
            return Ok(found.map(|zone| self.memo().insert(&zone)));
        }
        let mut found = self.zones_named(cx, &text).await?;
        if found.len() > 1 {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("the token sees {} zones named `{text}`", found.len()),
            )
            .field(Path::key("zone"))
            .hint("set `account` of the provider, or write the zone's id"));
        }
        Ok(found.pop().map(|zone| self.memo().insert(&zone)))
    }

    /// The zone of an id or name.
    pub(crate) async fn zone(&self, cx: &Cx, text: &str) -> Result<Arc<ZoneRef>> {
        match self.find_zone(cx, text).await? {
            Some(zone) => Ok(zone),
            None => Err(missing(text)),
        }
    }

    /// The zone that a record's full name is in.
    pub(crate) async fn zone_of(&self, cx: &Cx, name: &str) -> Result<Option<Arc<ZoneRef>>> {
        let complete = {
            let memo = self.memo();
            // With all zones known, the longest name wins.
            if memo.complete {
                return Ok(memo.holding(name));
            }
            memo.complete
        };
        if !complete {
            let mut page = 2;
            loop {
                let (zones, last) = self.zone_page(cx, page).await?;
                let mut memo = self.memo();
                for zone in &zones {
                    memo.insert(zone);
                }
                if last {
                    memo.complete = true;
                    break;
                }
                page += 1;
            }
        }
        Ok(self.memo().holding(name))
    }

    /// A desired `zone` in the form that is kept: the zone's name. Unknown values stay as they are.
    pub(crate) async fn zone_name(&self, cx: &Cx, desired: &Value) -> Result<Value> {
        let Some(text) = desired.get("zone").and_then(Value::as_str) else {
            return Ok(desired.get("zone").cloned().unwrap_or_default());
        };
        if names::is_id(text) {
            let zone = self.zone(cx, text).await?;
            return Ok(Value::from(zone.name.as_str()));
        }
        Ok(Value::from(canonical(text)?.as_str()))
    }
}

/// A zone's name in canonical form.
pub(crate) fn canonical(text: &str) -> Result<String> {
    names::host(text).map_err(|why| {
        Error::new(ErrorKind::Invalid, why)
            .field(Path::key("zone"))
            .hint("write the zone's name, such as `example.com`, or its id")
    })
}

/// What to say of a zone that is not there, or not to be seen.
pub(crate) fn missing(text: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("the API token sees no zone `{text}`"),
    )
    .field(Path::key("zone"))
    .hint("add the zone to Cloudflare (`cloudflare.zone`), or give the token the permission `Zone:Read` for it")
}
