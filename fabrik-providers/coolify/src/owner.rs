//! What variables, storages, tasks and deployments belong to.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Finding;
use fabrik_core::value::{Path, Value};

/// An application, service or database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Application,
    Service,
    Database,
}

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::Application, Kind::Service, Kind::Database];

    /// The field of a spec that names one, and the first part of ids.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Application => "application",
            Kind::Service => "service",
            Kind::Database => "database",
        }
    }

    /// One of these texts, for each kind in this order.
    pub(crate) fn pick(self, of: [&'static str; 3]) -> &'static str {
        of[self as usize]
    }

    /// The route of the thing itself.
    pub(crate) fn route(self) -> &'static str {
        self.pick([
            "/applications/{uuid}",
            "/services/{uuid}",
            "/databases/{uuid}",
        ])
    }
}

/// One of these, by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) kind: Kind,
    pub(crate) uuid: String,
}

impl Owner {
    /// The one that a spec names.
    ///
    /// # Errors
    /// Unless it names one.
    pub(crate) fn of(named: [Option<&String>; 3]) -> Result<Owner> {
        let mut found = Kind::ALL
            .into_iter()
            .zip(named)
            .filter_map(|(kind, uuid)| uuid.map(|uuid| (kind, uuid)));
        match (found.next(), found.next()) {
            (Some((kind, uuid)), None) => Ok(Owner {
                kind,
                uuid: uuid.clone(),
            }),
            _ => Err(Error::new(ErrorKind::Invalid, ONE_OWNER).field(Path::key("application"))),
        }
    }

    /// `application/UUID`.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.kind.word(), self.uuid)
    }

    /// Reads an id of `parts` parts after the owner's: `application/UUID/PART`.
    ///
    /// # Errors
    /// For an id of another form; `shape` says how it must be.
    pub(crate) fn parse<'a>(
        id: &'a str,
        more: usize,
        shape: &str,
    ) -> Result<(Owner, Vec<&'a str>)> {
        let parts: Vec<&str> = id.split('/').collect();
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| Some(&kind.word()) == parts.first());
        match (kind, parts.as_slice()) {
            (Some(kind), [_, uuid, rest @ ..])
                if rest.len() == more && parts.iter().all(|part| !part.is_empty()) =>
            {
                Ok((
                    Owner {
                        kind,
                        uuid: (*uuid).to_owned(),
                    },
                    rest.to_vec(),
                ))
            }
            _ => Err(Error::new(
                ErrorKind::Invalid,
                format!("`{id}` is not an id of this type"),
            )
            .hint(format!("write it as {shape}"))),
        }
    }
}

const ONE_OWNER: &str = "name one thing it belongs to: `application`, `service` or `database`";

/// Whether desired inputs name exactly one of the kinds a type knows.
pub(crate) fn check(desired: &Value, kinds: &[Kind]) -> Option<Finding> {
    let named = kinds
        .iter()
        .filter(|kind| {
            desired
                .get(kind.word())
                .is_some_and(|value| !value.is_null())
        })
        .count();
    let words: Vec<String> = kinds
        .iter()
        .map(|kind| format!("`{}`", kind.word()))
        .collect();
    (named != 1).then(|| Finding {
        blocking: true,
        message: format!("name one thing it belongs to: {}", words.join(" or ")),
        hint: None,
        field: Some(Path::key(
            kinds.first().map_or("application", |kind| kind.word()),
        )),
        adopt: None,
    })
}
