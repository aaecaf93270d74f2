//! The contracts of the roles, as JSON Schema.

use serde_json::{Value as Json, json};

use super::editor::long_only;
use super::fields;
use super::schema::{
    choice, duration, flag, full_text, host, list_of, loose_text, map_of, object, pattern, text,
    whole,
};
use crate::role::{BACKUP, BUCKET, DATABASE, DNS, MONITOR, RUNTIME};

/// The JSON Schema of a role's intent, version 1; `None` for roles the core does not know.
///
/// Expressions stand for any scalar: what is not known yet has no form to check.
pub fn intent(role: &str) -> Option<Json> {
    let schema = match role {
        RUNTIME => runtime(),
        DNS => object(
            "A host name that points somewhere.",
            &[
                (
                    "name",
                    host("The host name; `*.example.com` for all names below."),
                ),
                (
                    "target",
                    full_text("Where it points: an address or a host name; may be an expression."),
                ),
                ("kind", choice("What the target is.", &["address", "host"])),
                (
                    "ttl",
                    whole("How many seconds answers may be kept.", 1, Some(604_800)),
                ),
            ],
            &["name", "target", "kind"],
        ),
        MONITOR => object(
            "A URL that is watched.",
            &[
                ("name", full_text("What to call it.")),
                ("url", full_text("What to watch; may be an expression.")),
                ("interval", duration("Time between two looks.")),
                (
                    "notify",
                    list_of(
                        "Who is told, by the monitor's names.",
                        &full_text("A notification's name."),
                    ),
                ),
            ],
            &["name", "url"],
        ),
        BUCKET => object(
            "A place for objects.",
            &[
                ("name", full_text("The bucket's name.")),
                ("public", flag("Whether anybody may read it.")),
            ],
            &["name"],
        ),
        DATABASE => object(
            "A database.",
            &[
                ("engine", fields::engine()),
                (
                    "version",
                    loose_text("The version; the newest that the provider has unless set."),
                ),
                ("name", full_text("The database's name.")),
                ("limits", fields::limits()),
            ],
            &["engine", "name"],
        ),
        BACKUP => object(
            "Something that is backed up.",
            &[
                (
                    "what",
                    map_of(
                        "What: agreed between the one that asks and the player.",
                        None,
                        &json!({}),
                    ),
                ),
                ("schedule", full_text("When, as five cron fields.")),
                ("keep", whole("How many are kept.", 1, None)),
                (
                    "to",
                    full_text("Where they go, by the name the player knows it by."),
                ),
            ],
            &["what", "schedule"],
        ),
        _ => return None,
    };
    Some(long_only(&schema))
}

/// The JSON Schema of a role's outputs, version 1; `None` for roles the core does not know. Players
/// may give more.
pub fn outputs(role: &str) -> Option<Json> {
    let mut schema = match role {
        RUNTIME => object(
            "What a runtime gives.",
            &[
                (
                    "url",
                    pattern("Where the app answers, without a `/` at the end.", "[^/]$"),
                ),
                ("host", full_text("The host it answers at.")),
                ("port", whole("The port it answers at.", 1, Some(65_535))),
                (
                    "ingress",
                    full_text("What DNS records of the domains must point at."),
                ),
                (
                    "ingress_kind",
                    choice("What the ingress is.", &["address", "host"]),
                ),
                (
                    "exec",
                    map_of("How to run a command inside.", None, &json!({})),
                ),
                ("id", full_text("Its id, for whoever backs it up.")),
                (
                    "logs",
                    full_text("The address of the part whose logs are the app's."),
                ),
                (
                    "version",
                    full_text(
                        "What identifies the version that runs; usually a reference into a part.",
                    ),
                ),
            ],
            &[],
        ),
        DNS => object(
            "What a DNS provider gives.",
            &[
                ("name", full_text("The host name.")),
                (
                    "type",
                    choice(
                        "The type of record name servers answer with, where that is known.",
                        &["A", "AAAA", "CNAME"],
                    ),
                ),
                (
                    "values",
                    list_of(
                        "The values name servers answer with, where these are known: not behind a proxy.",
                        &text("A value."),
                    ),
                ),
            ],
            &["name"],
        ),
        MONITOR => object(
            "What a monitor gives.",
            &[("id", full_text("Its id."))],
            &["id"],
        ),
        BUCKET => object(
            "What a bucket gives.",
            &[
                ("name", full_text("The bucket's name.")),
                ("endpoint", full_text("The URL of the service.")),
            ],
            &["name", "endpoint"],
        ),
        DATABASE => object(
            "What a database gives.",
            &[
                (
                    "url",
                    full_text("How to connect, with credentials: a secret."),
                ),
                ("host", full_text("The host.")),
                ("port", whole("The port.", 1, Some(65_535))),
                ("user", full_text("The user.")),
                ("password", full_text("The user's password: a secret.")),
                ("id", full_text("Its id, for whoever backs it up.")),
            ],
            &["url"],
        ),
        BACKUP => object(
            "What a backup gives.",
            &[("id", full_text("Its id."))],
            &["id"],
        ),
        _ => return None,
    };
    schema["additionalProperties"] = json!(true);
    Some(long_only(&schema))
}

fn runtime() -> Json {
    let env = map_of(
        "The program's environment; secrets are references.",
        None,
        &text("The value."),
    );
    let build_secrets = map_of(
        "Secrets of the build, by name: references.",
        None,
        &text("The value."),
    );
    object(
        "An app to run.",
        &[
            (
                "kind",
                choice(
                    "What to run: a program that answers, one that does not, one that runs at times, files to serve, or a WordPress.",
                    &["service", "worker", "cron", "static", "wordpress"],
                ),
            ),
            (
                "name",
                pattern("The app's name.", "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"),
            ),
            ("source", fields::source()),
            ("image", fields::image()),
            ("build", fields::build(build_secrets)),
            ("command", fields::start()),
            ("port", fields::port()),
            ("domains", fields::domains()),
            ("redirects", fields::redirects()),
            ("tls", fields::tls()),
            ("env", env),
            ("health", fields::health()),
            ("limits", fields::limits()),
            ("replicas", fields::replicas()),
            ("volumes", fields::volumes()),
            ("files", fields::files()),
            ("hooks", fields::hooks()),
            ("strategy", fields::strategy()),
            ("stop", fields::stop()),
            ("schedule", fields::schedule()),
            ("timezone", fields::timezone()),
            ("spa", fields::spa()),
            ("not_found", fields::not_found()),
            ("headers", fields::headers()),
            ("wordpress", wordpress()),
            (
                "database",
                object(
                    "The database a WordPress brings along.",
                    &[
                        (
                            "engine",
                            choice("The engine.", &["mariadb", "mysql", "sqlite"]),
                        ),
                        ("version", full_text("The version.")),
                    ],
                    &["engine"],
                ),
            ),
        ],
        &["kind", "name"],
    )
}

fn wordpress() -> Json {
    object(
        "What an installation of WordPress begins with.",
        &[
            ("title", full_text("The site's title.")),
            ("language", full_text("The locale, such as `de_DE`.")),
            ("version", full_text("The version of WordPress.")),
            ("php", full_text("The version of PHP.")),
            (
                "admin",
                object(
                    "The first account.",
                    &[
                        ("login", full_text("The login name.")),
                        ("email", full_text("The address.")),
                        ("password", full_text("The password: a secret.")),
                    ],
                    &["login", "email", "password"],
                ),
            ),
        ],
        &["title", "admin"],
    )
}
