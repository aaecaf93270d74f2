//! DNS records: what is stored, what is refused.

use fabrik_testkit::serve::{Reply, Request};
use serde_json::{Value as Json, json};

use super::envelope::Refusal;
use super::routes::paged;
use super::state::{Plan, State, Zone};
use super::{content, names};

const PROXIABLE: &[&str] = &["A", "AAAA", "CNAME"];

pub(super) fn missing() -> Refusal {
    Refusal::new(81044, "Record does not exist.").status(404)
}

/// A record without what only the service knows.
pub(super) fn bare(record: &Json) -> Json {
    let mut bare = record.clone();
    if let Some(map) = bare.as_object_mut() {
        for key in [
            "id",
            "created_on",
            "modified_on",
            "comment_modified_on",
            "tags_modified_on",
        ] {
            map.remove(key);
        }
    }
    bare
}

pub(super) fn list(state: &State, zone: &str, request: &Request) -> Result<Reply, Refusal> {
    let filters: [(&str, &[&str]); 3] = [
        ("name", &["name", "name.exact"]),
        ("type", &["type"]),
        ("content", &["content", "content.exact"]),
    ];
    let filter = |record: &&Json| {
        let equal = filters.iter().all(|(field, params)| {
            let wanted = params.iter().find_map(|name| request.param(name));
            let shown = record[*field].as_str().unwrap_or_default();
            wanted.is_none_or(|wanted| shown.eq_ignore_ascii_case(wanted))
        });
        let comment = record["comment"]
            .as_str()
            .unwrap_or_default()
            .to_lowercase();
        let contains = request.param("comment.contains");
        let starts = request.param("comment.startswith");
        equal
            && contains.is_none_or(|text| comment.contains(&text.to_lowercase()))
            && starts.is_none_or(|text| comment.starts_with(&text.to_lowercase()))
    };
    let found: Vec<Json> = state.zones[zone]
        .records
        .values()
        .filter(filter)
        .cloned()
        .collect();
    paged(&found, request, 100, state.page_cap, false)
}

/// Adds a record; a further value of a name that exists is just added.
pub(super) fn add(state: &mut State, zone: &str, body: &Json) -> Result<Json, Refusal> {
    let id = state.id();
    let now = state.now();
    let zone = state.zones.get_mut(zone).ok_or_else(missing)?;
    let mut record = checked(zone, body)?;
    let quota = zone.quota.unwrap_or_else(|| zone.plan.records());
    if zone.records.len() >= quota {
        return Err(Refusal::new(81045, "Record quota exceeded."));
    }
    collides(zone, &record, None)?;
    record["id"] = json!(id);
    record["created_on"] = json!(now);
    record["modified_on"] = json!(now);
    zone.records.insert(id, record.clone());
    Ok(record)
}

/// Changes a record: a part of it, or all of it with defaults for what is not given.
pub(super) fn change(
    state: &mut State,
    zone: &str,
    id: &str,
    body: &Json,
    whole: bool,
) -> Result<Json, Refusal> {
    let now = state.now();
    let zone = state.zones.get_mut(zone).ok_or_else(missing)?;
    let old = writable(zone, id)?.clone();
    let mut wanted = if whole { json!({}) } else { old.clone() };
    for (key, value) in body.as_object().into_iter().flatten() {
        wanted[key] = value.clone();
    }
    if !whole && content::is_structured(wanted["type"].as_str().unwrap_or_default()) {
        // `content` follows `data`.
        wanted["content"] = Json::Null;
    }
    if wanted["type"] != old["type"] {
        return Err(Refusal::validation(
            9207,
            "The type of a record cannot be changed.",
        ));
    }
    let mut record = checked(zone, &wanted)?;
    collides(zone, &record, Some(id))?;
    record["id"] = json!(id);
    record["created_on"] = old["created_on"].clone();
    record["modified_on"] = json!(now);
    record["meta"] = old["meta"].clone();
    zone.records.insert(id.to_owned(), record.clone());
    Ok(record)
}

pub(super) fn remove(state: &mut State, zone: &str, id: &str) -> Result<Json, Refusal> {
    let zone = state.zones.get_mut(zone).ok_or_else(missing)?;
    writable(zone, id)?;
    zone.records.remove(id);
    Ok(json!({"id": id}))
}

fn writable<'a>(zone: &'a Zone, id: &str) -> Result<&'a Json, Refusal> {
    let record = zone.records.get(id).ok_or_else(missing)?;
    if record["meta"]["read_only"] == true {
        return Err(Refusal::new(
            1043,
            "This record is managed by Cloudflare and is read only.",
        ));
    }
    Ok(record)
}

/// The record as it would be stored, but for its id and times.
fn checked(zone: &Zone, body: &Json) -> Result<Json, Refusal> {
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    let kind =
        text("type").ok_or_else(|| Refusal::validation(9009, "DNS record type is required."))?;
    let name = text("name").ok_or_else(|| Refusal::validation(9000, "DNS name is required."))?;
    let name = names::in_zone(&name, &zone.name);
    if name.len() > 253
        || name
            .split('.')
            .any(|label| label.is_empty() || label.len() > 63)
    {
        return Err(Refusal::validation(9000, "DNS name is invalid."));
    }
    let proxiable = PROXIABLE.contains(&kind.as_str());
    let proxied = body["proxied"].as_bool().unwrap_or(false);
    if proxied && !proxiable {
        return Err(Refusal::new(
            9004,
            format!("The '{kind}' record type cannot be proxied."),
        ));
    }
    let ttl = match &body["ttl"] {
        Json::Null => 1,
        ttl => {
            let whole = |ttl: f64| format!("{ttl:.0}").parse::<i64>().ok();
            ttl.as_f64().and_then(whole).unwrap_or(-1)
        }
    };
    let least = if zone.plan == Plan::Enterprise {
        30
    } else {
        60
    };
    if ttl != 1 && !(least..=86_400).contains(&ttl) {
        let text =
            format!("Invalid TTL. Must be between {least} and 86400 seconds, or 1 for Automatic.");
        return Err(Refusal::validation(9021, text));
    }
    let comment = text("comment").filter(|comment| !comment.is_empty());
    if let Some(comment) = &comment {
        let most = zone.plan.comment();
        if comment.chars().count() > most {
            let text = format!(
                "comment is {} characters long, exceeding the limit of {most}.",
                comment.chars().count()
            );
            return Err(Refusal::validation(9301, text));
        }
        if comment.contains(['\r', '\n']) {
            return Err(Refusal::validation(
                9302,
                "comment contains invalid characters.",
            ));
        }
    }
    let tags = body["tags"].as_array().cloned().unwrap_or_default();
    let most = zone.plan.tags();
    if tags.len() > most {
        let text = format!(
            "record has {} tags, exceeding the quota of {most}.",
            tags.len()
        );
        return Err(Refusal::validation(9300, text));
    }
    let stored = content::stored(&kind, &zone.name, body)?;
    let mut record = json!({
        "name": name,
        "type": kind,
        "content": stored.content,
        "proxiable": proxiable,
        "proxied": proxied,
        "ttl": if proxied { 1 } else { ttl },
        "settings": body["settings"].as_object().cloned().unwrap_or_default(),
        "meta": {},
        "comment": comment,
        "tags": tags,
    });
    if let Some(data) = stored.data {
        record["data"] = data;
    }
    if let Some(priority) = stored.priority {
        record["priority"] = json!(priority);
    }
    Ok(record)
}

/// Refuses what cannot stand beside what is there.
fn collides(zone: &Zone, record: &Json, but: Option<&str>) -> Result<(), Refusal> {
    let kind = record["type"].as_str().unwrap_or_default();
    let apex = record["name"] == names::host(&zone.name);
    let others = zone
        .records
        .iter()
        .filter(|(id, other)| Some(id.as_str()) != but && other["name"] == record["name"]);
    let mut has_ns = false;
    for (_, other) in others {
        let there = other["type"].as_str().unwrap_or_default();
        has_ns |= there == "NS";
        let same = there == kind
            && other["content"] == record["content"]
            && other["priority"] == record["priority"];
        if same {
            return Err(Refusal::new(81058, "An identical record already exists."));
        }
        if kind == "CNAME" && there == "CNAME" || proxied_pair(kind, there) {
            let text = "An A, AAAA, or CNAME record with that host already exists.";
            return Err(Refusal::new(81053, text));
        }
        if !apex && (kind == "NS") != (there == "NS") && kind != "DS" && there != "DS" {
            let text = "NS records with that host already exist, or would stand beside others.";
            return Err(Refusal::new(81056, text));
        }
    }
    if kind == "DS" && !has_ns {
        let text = "DS records need NS records at the same name.";
        return Err(Refusal::validation(9204, text));
    }
    Ok(())
}

/// CNAME beside A or AAAA.
fn proxied_pair(kind: &str, there: &str) -> bool {
    let address = |kind: &str| kind == "A" || kind == "AAAA";
    (kind == "CNAME" && address(there)) || (address(kind) && there == "CNAME")
}
