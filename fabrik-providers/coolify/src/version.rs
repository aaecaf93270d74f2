//! Versions of Coolify, and which fields and types need which.

use std::fmt;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Finding;
use fabrik_core::value::{Path, Value};

/// A version of Coolify: `4.3.10`, or `4.0.0-beta.460`, which comes before `4.0.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
    /// The number of a beta; the release itself comes after all of its betas.
    beta: u32,
}

/// The oldest version that this provider works with.
pub const FLOOR: Version = Version::new(4, 0, 0);

impl Version {
    /// A release.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Version {
        Version {
            major,
            minor,
            patch,
            beta: u32::MAX,
        }
    }

    /// Reads the plain text that `GET /version` answers.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim().trim_start_matches('v');
        let (core, beta) = match text.split_once('-') {
            Some((core, pre)) => {
                let digits: String = pre.chars().filter(char::is_ascii_digit).collect();
                (core, digits.parse().unwrap_or(0))
            }
            None => (text, u32::MAX),
        };
        let mut parts = core.splitn(3, '.').map(str::parse);
        Some(Version {
            major: parts.next()?.ok()?,
            minor: parts.next()?.ok()?,
            patch: parts.next()?.ok()?,
            beta,
        })
    }

    /// The version a server tells, unless it is too old.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] below [`FLOOR`], [`ErrorKind::Unavailable`] for what is no version.
    pub(crate) fn supported(text: &str) -> Result<Version> {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
        let version = Version::parse(text).ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                format!(
                    "Coolify told `{shown}` as its version, which is none: the address may be wrong"
                ),
            )
            .temporary(false)
            .hint("set `endpoint` to the address of Coolify's dashboard")
        })?;
        if version < FLOOR {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("Coolify {version} is not supported: this provider needs {FLOOR} or newer"),
            )
            .hint("update Coolify (Settings, Update)"));
        }
        Ok(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if self.beta == u32::MAX {
            Ok(())
        } else {
            write!(f, "-beta.{}", self.beta)
        }
    }
}

/// A field that older versions refuse.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// The type.
    pub type_name: &'static str,
    /// The field as in a spec; empty for the whole type.
    pub field: &'static str,
    /// The value that is gated; any value where empty.
    pub value: &'static str,
    /// The version that has it.
    pub since: Version,
}

const fn gate(type_name: &'static str, field: &'static str, since: Version) -> Gate {
    Gate {
        type_name,
        field,
        value: "",
        since,
    }
}

const V4_1_0: Version = Version::new(4, 1, 0);
const V4_1_2: Version = Version::new(4, 1, 2);
const V4_2_0: Version = Version::new(4, 2, 0);
const V4_3_0: Version = Version::new(4, 3, 0);

/// Everything that [`FLOOR`] does not have, from the allow-lists of Coolify's controllers.
pub const GATES: &[Gate] = &[
    Gate {
        type_name: "coolify.application",
        field: "build.pack",
        value: "railpack",
        since: V4_1_0,
    },
    gate("coolify.application", "settings.build_cache", V4_2_0),
    gate("coolify.application", "settings.build_secrets", V4_2_0),
    gate("coolify.application", "settings.git_lfs", V4_2_0),
    gate("coolify.application", "settings.git_shallow", V4_2_0),
    gate("coolify.application", "settings.git_submodules", V4_2_0),
    gate("coolify.application", "settings.gzip", V4_2_0),
    gate("coolify.application", "settings.images_to_keep", V4_2_0),
    gate(
        "coolify.application",
        "settings.preview_deployments",
        V4_2_0,
    ),
    gate("coolify.application", "settings.stop_grace_period", V4_2_0),
    gate("coolify.application", "settings.strip_prefix", V4_2_0),
    gate(
        "coolify.application",
        "settings.consistent_container_name",
        V4_3_0,
    ),
    gate("coolify.application", "max_restart_count", V4_3_0),
    gate("coolify.database", "health", V4_1_2),
    gate("coolify.s3_storage", "", V4_3_0),
];

/// A finding for each set field that the server's version does not have.
pub(crate) fn findings(type_name: &str, desired: &Value, server: Version) -> Vec<Finding> {
    let mut found = Vec::new();
    for gate in GATES
        .iter()
        .filter(|gate| gate.type_name == type_name && server < gate.since)
    {
        let path = Path::parse(gate.field);
        let message = if gate.field.is_empty() {
            format!(
                "`{type_name}` needs Coolify {}; the server runs {server}",
                gate.since
            )
        } else {
            let Some(value) = desired.at(&path).filter(|value| !value.is_null()) else {
                continue;
            };
            if gate.value.is_empty() {
                format!(
                    "`{}` needs Coolify {}; the server runs {server}",
                    gate.field, gate.since
                )
            } else if value.as_str() == Some(gate.value) {
                format!(
                    "`{}: {}` needs Coolify {}; the server runs {server}",
                    gate.field, gate.value, gate.since
                )
            } else {
                continue;
            }
        };
        found.push(Finding {
            blocking: true,
            message,
            hint: Some("update Coolify, or take it out of the spec".to_owned()),
            field: (!gate.field.is_empty()).then_some(path),
            adopt: None,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn betas_come_before_their_release() {
        let order = [
            "4.0.0-beta.399",
            "4.0.0-beta.460",
            "4.0.0",
            "4.1.2",
            "4.2.0",
            "4.3.10",
        ];
        let parsed: Vec<Version> = order
            .iter()
            .map(|text| Version::parse(text).unwrap())
            .collect();
        assert!(parsed.is_sorted());
        assert_eq!(
            parsed.iter().map(ToString::to_string).collect::<Vec<_>>(),
            order
        );
        assert_eq!(Version::parse(" v4.3.10\n").unwrap().to_string(), "4.3.10");
        assert!(Version::parse("<html>").is_none());
    }

    #[test]
    fn too_old_and_no_version_are_told_apart() {
        let old = Version::supported("4.0.0-beta.460").unwrap_err();
        assert_eq!(old.kind(), ErrorKind::Unsupported);
        assert_eq!(
            old.message(),
            "Coolify 4.0.0-beta.460 is not supported: this provider needs 4.0.0 or newer"
        );
        let none = Version::supported("Hello").unwrap_err();
        assert_eq!(none.kind(), ErrorKind::Unavailable);
        assert!(!none.is_temporary());
    }

    #[test]
    fn a_gate_names_field_and_version() {
        let desired = fabrik_core::value::from_json(
            &serde_json::json!({"settings": {"gzip": true}, "build": {"pack": "railpack"}}),
        );
        let found = findings("coolify.application", &desired, FLOOR);
        let told: Vec<&str> = found
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(
            told,
            [
                "`build.pack: railpack` needs Coolify 4.1.0; the server runs 4.0.0",
                "`settings.gzip` needs Coolify 4.2.0; the server runs 4.0.0",
            ]
        );
        assert!(findings("coolify.application", &desired, V4_2_0).is_empty());
    }
}
