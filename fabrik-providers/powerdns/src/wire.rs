//! What goes over the wire.

use serde::{Deserialize, Serialize};

/// A server, as `GET /servers/{server}` shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Server {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) daemon_type: String,
    #[serde(default)]
    pub(crate) version: String,
}

/// A zone. Lists of zones have neither record sets nor `soa_edit_api`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) masters: Vec<String>,
    #[serde(default)]
    pub(crate) account: String,
    #[serde(default)]
    pub(crate) dnssec: bool,
    #[serde(default)]
    pub(crate) soa_edit_api: String,
    #[serde(default)]
    pub(crate) rrsets: Vec<RrSet>,
}

impl Zone {
    /// The record set of a name (with final dot) and type. Names are compared without regard to
    /// case. A set without records is none: PowerDNS shows such for comments that stand alone.
    pub(crate) fn set(&self, name: &str, kind: &str) -> Option<&RrSet> {
        self.rrsets
            .iter()
            .filter(|set| !set.records.is_empty())
            .find(|set| set.kind == kind && set.name.eq_ignore_ascii_case(name))
    }
}

/// A record set.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RrSet {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) ttl: u32,
    #[serde(default)]
    pub(crate) records: Vec<Record>,
    #[serde(default)]
    pub(crate) comments: Vec<Comment>,
}

/// A record of a set.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Record {
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) disabled: bool,
}

/// A comment on a record set. Comments survive changes of the records, and go with them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Comment {
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) account: String,
}

/// A change of a zone: all or nothing. Deletions must come first where the same name gets other
/// types.
#[derive(Debug, Serialize)]
pub(crate) struct Patch {
    pub(crate) rrsets: Vec<SetChange>,
}

/// A change of a record set.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SetChange {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) changetype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) records: Option<Vec<Record>>,
    /// Left out, the comments there stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comments: Option<Vec<Comment>>,
}

impl SetChange {
    pub(crate) fn delete(name: String, kind: String) -> SetChange {
        SetChange {
            name,
            kind,
            changetype: "DELETE",
            ttl: None,
            records: None,
            comments: None,
        }
    }

    pub(crate) fn replace(name: String, kind: String, ttl: u32, records: Vec<Record>) -> SetChange {
        SetChange {
            name,
            kind,
            changetype: "REPLACE",
            ttl: Some(ttl),
            records: Some(records),
            comments: None,
        }
    }
}

/// Metadata of a zone, of one kind.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Meta {
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) metadata: Vec<String>,
}

/// A DNSSEC key of a zone.
#[derive(Debug, Deserialize)]
pub(crate) struct CryptoKey {
    #[serde(default)]
    pub(crate) active: bool,
    #[serde(default)]
    pub(crate) ds: Vec<String>,
}
