//! Schemas of where a site runs, and how it is set up.

use serde_json::Value as Json;

use super::build::{
    choice, email, flag, full_text, list_of, object, pattern, short, text, url, whole,
};

/// `site`: an existing installation.
pub(super) fn site() -> Json {
    let ssh = object(
        "The machine it is on.",
        &[
            (
                "host",
                full_text("Its name or address, or a name of the SSH configuration."),
            ),
            ("user", full_text("The user.")),
            ("port", whole("The port.", 1, Some(65_535))),
            ("key_file", full_text("The private key.")),
            ("config_file", full_text("Another configuration of SSH.")),
            ("known_hosts", full_text("Another list of known hosts.")),
        ],
        &["host"],
    );
    let container = object(
        "The container it is in.",
        &[
            ("name", full_text("Its name.")),
            (
                "engine",
                choice("Whose container it is.", &["docker", "podman"]),
            ),
            ("user", full_text("The user in it, such as `www-data`.")),
        ],
        &["name"],
    );
    let rest = object(
        "Its REST API alone: content and a part of the settings.",
        &[
            ("url", url("The site's address.")),
            ("user", full_text("The login name.")),
            ("password", full_text("An application password: a secret.")),
        ],
        &["url", "user", "password"],
    );
    short(
        object(
            "An existing installation, instead of one that the runtime makes.",
            &[
                ("path", full_text("The folder of WordPress.")),
                (
                    "wp",
                    list_of(
                        "The command that runs WP-CLI, with arguments; `wp` unless set.",
                        &full_text("A word."),
                    ),
                ),
                (
                    "ssh",
                    short(ssh, full_text("`user@host`, `user@host:port`.")),
                ),
                ("container", short(container, full_text("Its name."))),
                ("rest", rest),
                (
                    "user",
                    full_text(
                        "The account whose rights count and who becomes the author of pages; the first administrator unless set.",
                    ),
                ),
                ("url", url("Where it answers, when the site does not know.")),
            ],
            &[],
        ),
        full_text("The folder of WordPress on this machine."),
    )
}

/// `database`.
pub(super) fn database() -> Json {
    short(
        object(
            "The database that the runtime brings along.",
            &[
                ("engine", text("`mariadb`, `mysql` or `sqlite`.")),
                ("version", full_text("The version.")),
            ],
            &["engine"],
        ),
        text("The engine."),
    )
}

/// `version`.
pub(super) fn version() -> Json {
    pattern(
        "The version of WordPress: the one a new installation gets, and the least an existing one must have.",
        "^[0-9]+(\\.[0-9]+){0,2}$",
    )
}

/// `editor`.
pub(super) fn editor() -> Json {
    object(
        "An account for whoever edits the site.",
        &[
            (
                "login",
                pattern("The login name.", "^[a-z0-9][a-z0-9._@-]*$"),
            ),
            ("email", email("The mail address.")),
            ("name", full_text("The name shown.")),
            (
                "role",
                choice(
                    "What it may do.",
                    &["editor", "author", "administrator", "contributor"],
                ),
            ),
            (
                "password",
                full_text("The password: a secret; generated unless set."),
            ),
        ],
        &["login", "email"],
    )
}

/// `settings`.
pub(super) fn settings() -> Json {
    object(
        "Settings of WordPress.",
        &[
            ("timezone", full_text("The time zone: `Europe/Berlin`.")),
            (
                "date_format",
                full_text("How days are written, in PHP's letters: `j F Y`."),
            ),
            (
                "time_format",
                full_text("How times are written, in PHP's letters: `H:i`."),
            ),
            (
                "start_of_week",
                whole("The first day of a week: 0 is Sunday.", 0, Some(6)),
            ),
            ("posts_per_page", whole("Posts on one page.", 1, Some(100))),
            (
                "permalinks",
                pattern("The form of addresses: `/%postname%/`.", "^/[^\\s]*$"),
            ),
            ("search_engines", flag("Whether search engines may come.")),
            ("admin_email", email("The address for notices.")),
            ("comments", flag("Whether posts can be commented on.")),
        ],
        &[],
    )
}
