//! What a domain has to look like after a change: everything of others as it is, ours as wanted.

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::value::Path;

use super::write::Todo;
use super::{Set, id_of};
use crate::client::HostField;
use crate::content;
use crate::name::SetId;
use crate::xml::{Host, Hosts};

/// All host records of a domain, and how it routes mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) email_type: String,
    pub(super) hosts: Vec<HostField>,
}

impl Content {
    /// What is there.
    pub(super) fn of(hosts: &Hosts, domain: &str) -> Content {
        Content {
            email_type: email_type(hosts),
            hosts: hosts.hosts.iter().map(|host| field(host, domain)).collect(),
        }
    }

    /// The same content, whatever the order and spelling.
    pub(super) fn is_same(&self, other: &Content) -> bool {
        let all = |content: &Content| {
            let mut all: Vec<(String, String, String, u32)> =
                content.hosts.iter().map(one_form).collect();
            all.sort();
            all
        };
        self.email_type == other.email_type && all(self) == all(other)
    }

    /// Whether it has every change, whatever else it has.
    pub(super) fn has(&self, todos: &[&Todo]) -> bool {
        todos.iter().all(|todo| {
            let mut there: Vec<_> = self
                .hosts
                .iter()
                .filter(|host| is_of(host, todo.id()))
                .map(one_form)
                .collect();
            there.sort();
            match todo {
                Todo::Create(set) | Todo::Update(set) => {
                    let mut wanted: Vec<_> = fields(set).iter().map(one_form).collect();
                    wanted.sort();
                    there == wanted
                }
                Todo::Delete(id) => there.is_empty() || is_replaced(id, todos),
            }
        })
    }
}

/// Whether another member of the call takes the place of what this one deletes.
fn is_replaced(id: &SetId, todos: &[&Todo]) -> bool {
    todos
        .iter()
        .any(|other| !other.is_delete() && other.id() == id)
}

fn one_form(host: &HostField) -> (String, String, String, u32) {
    let value = content::from_wire(&host.kind, &host.address, host.mx_pref);
    (
        host.name.clone(),
        host.kind.clone(),
        value,
        content::ttl(host.ttl),
    )
}

fn is_of(host: &HostField, id: &SetId) -> bool {
    host.name == id.name && host.kind == id.kind
}

fn email_type(hosts: &Hosts) -> String {
    match hosts.email_type.trim() {
        "" => "NONE".to_owned(),
        given => given.to_ascii_uppercase(),
    }
}

/// A host record as it is, to be written back.
fn field(host: &Host, domain: &str) -> HostField {
    let id = id_of(host, domain);
    HostField {
        name: id.name,
        kind: id.kind,
        address: host.address.clone(),
        mx_pref: host.mx_pref.parse().unwrap_or(10),
        ttl: content::ttl(host.ttl.parse().unwrap_or_default()),
    }
}

/// The host records of a set.
fn fields(set: &Set) -> Vec<HostField> {
    let records = set.values.iter().map(|value| {
        let (address, mx_pref) = content::to_wire(&set.id.kind, value);
        HostField {
            name: set.id.name.clone(),
            kind: set.id.kind.clone(),
            address,
            mx_pref,
            ttl: set.ttl,
        }
    });
    records.collect()
}

/// Refuses a domain that cannot be written back whole.
pub(super) fn check_writable(hosts: &Hosts, domain: &str, drop: bool) -> Result<()> {
    let email = email_type(hosts);
    let mut lost: Vec<String> = hosts
        .hosts
        .iter()
        .filter(|host| !is_writable(host))
        .map(|host| {
            let id = id_of(host, domain);
            if host.dynamic.eq_ignore_ascii_case("true") {
                format!("{} {} (dynamic DNS)", id.name, id.kind)
            } else {
                format!("{} {}", id.name, id.kind)
            }
        })
        .collect();
    if brings_mail(&email) {
        lost.push(format!("the MX records of e-mail type {email}"));
    }
    lost.sort();
    lost.dedup();
    if lost.is_empty() || drop {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "`{domain}` cannot be written: Namecheap's API replaces all of its records, and cannot write back {}",
            lost.join(", ")
        ),
    )
    .field(Path::key("domain"))
    .hint("change it in Namecheap's panel, or set `drop_unwritable: true` in the provider's configuration to lose these")
    .effect(Effect::None))
}

fn is_writable(host: &Host) -> bool {
    let kind = host.kind.to_ascii_uppercase();
    content::WRITABLE.contains(&kind.as_str()) && !host.dynamic.eq_ignore_ascii_case("true")
}

/// Ways of routing mail that bring MX records of their own.
fn brings_mail(email_type: &str) -> bool {
    matches!(email_type, "OX" | "GMAIL")
}

/// The content after all changes.
///
/// # Errors
/// [`ErrorKind::Conflict`] when the changes and the domain's way of routing mail exclude each other.
pub(super) fn merge(hosts: &Hosts, domain: &str, todos: &[&Todo]) -> Result<Content> {
    let email = email_type(hosts);
    let brings = brings_mail(&email);
    let kept = hosts.hosts.iter().filter(|host| {
        let id = id_of(host, domain);
        is_writable(host)
            && !(brings && matches!(id.kind.as_str(), "MX" | "MXE"))
            && !todos.iter().any(|todo| *todo.id() == id)
    });
    let mut all: Vec<HostField> = kept.map(|host| field(host, domain)).collect();
    for todo in todos {
        if let Todo::Create(set) | Todo::Update(set) = todo {
            all.extend(fields(set));
        }
    }
    let email_type = mail(&email, &all, todos)?;
    Ok(Content {
        email_type,
        hosts: all,
    })
}

/// The way of routing mail: kept, but that the first MX record needs `MX`, and the last one that
/// goes leaves it; the same with `MXE`.
fn mail(email: &str, all: &[HostField], todos: &[&Todo]) -> Result<String> {
    let count = |kind: &str| all.iter().filter(|host| host.kind == kind).count();
    let (mx, mxe) = (count("MX"), count("MXE"));
    let conflict = |message: String, hint: &str| {
        Err(Error::new(ErrorKind::Conflict, message)
            .field(Path::key("type"))
            .hint(hint)
            .effect(Effect::None))
    };
    if mx > 0 && mxe > 0 {
        return conflict(
            "a domain has MX records or an MXE record, not both".to_owned(),
            "remove one of them",
        );
    }
    if mxe > 1 {
        return conflict(
            "a domain has one MXE record".to_owned(),
            "remove the others, or use MX records",
        );
    }
    let sets_mail = todos
        .iter()
        .any(|todo| !todo.is_delete() && matches!(todo.id().kind.as_str(), "MX" | "MXE"));
    match email {
        "FWD" | "OX" | "GMAIL" if sets_mail => conflict(
            format!(
                "the domain's mail is routed by e-mail type {email}, so MX records do not count"
            ),
            "change Mail Settings of the domain in Namecheap's panel first",
        ),
        "NONE" | "MX" | "MXE" if mx > 0 => Ok("MX".to_owned()),
        "NONE" | "MX" | "MXE" if mxe > 0 => Ok("MXE".to_owned()),
        "MX" | "MXE" => Ok("NONE".to_owned()),
        other => Ok(other.to_owned()),
    }
}
