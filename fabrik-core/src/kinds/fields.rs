//! The fields of app blocks, in long form. Block schemas and the runtime's intent are made from
//! the same ones.

use serde_json::{Value as Json, json};

use super::schema::{
    DURATION, ENV_NAME, choice, command, duration, flag, full_text, host, list_of, loose_text,
    map_of, object, pattern, short, size, text, whole,
};

pub(super) fn source() -> Json {
    short(
        object(
            "Where the program comes from: a local folder, or a git repository.",
            &[
                (
                    "path",
                    full_text(
                        "A local folder, relative to the spec's file; with `repo`, a folder in the repository.",
                    ),
                ),
                (
                    "repo",
                    full_text("A git repository: `owner/name` (on GitHub) or a URL."),
                ),
                (
                    "branch",
                    full_text("The branch; the repository's default unless set."),
                ),
                ("tag", full_text("The tag, instead of a branch.")),
                (
                    "commit",
                    pattern(
                        "The commit, instead of the tip of a branch.",
                        "^[0-9a-fA-F]{7,64}$",
                    ),
                ),
                (
                    "auto_deploy",
                    flag("Whether the platform deploys by itself when the branch moves."),
                ),
            ],
            &[],
        ),
        full_text("A local folder (`./api`, `api`), `owner/name`, or the URL of a repository."),
    )
}

pub(super) fn image() -> Json {
    full_text("The container image to run, with its tag: `ghcr.io/acme/api:1.4`.")
}

/// `secrets` is the schema of the field of that name: names in a block, references in an intent.
pub(super) fn build(secrets: Json) -> Json {
    short(
        object(
            "How the source becomes something to run.",
            &[
                (
                    "pack",
                    choice(
                        "Who builds it; found out from the source unless set.",
                        &[
                            "auto",
                            "dockerfile",
                            "nixpacks",
                            "railpack",
                            "buildpacks",
                            "compose",
                            "none",
                        ],
                    ),
                ),
                (
                    "dockerfile",
                    full_text("The Dockerfile, relative to `context`."),
                ),
                (
                    "context",
                    full_text("The folder to build in, relative to the source."),
                ),
                ("target", full_text("The stage of the Dockerfile to build.")),
                (
                    "args",
                    map_of(
                        "Build arguments.",
                        Some(ENV_NAME),
                        &loose_text("The value."),
                    ),
                ),
                ("secrets", secrets),
                ("install", command("Installs what the build needs.")),
                ("command", command("Builds.")),
                (
                    "output",
                    full_text("The folder the build leaves its result in."),
                ),
            ],
            &[],
        ),
        full_text("The command that builds."),
    )
}

pub(super) fn start() -> Json {
    command("What to start; the image's own command unless set.")
}

pub(super) fn port() -> Json {
    whole(
        "The port the program listens on; the runtime chooses one and tells it in `PORT` unless set.",
        1,
        Some(65_535),
    )
}

pub(super) fn domains() -> Json {
    let domain = object(
        "A host name the app answers at.",
        &[
            (
                "name",
                host("The host name; `*.example.com` for all names below."),
            ),
            ("path", pattern("Only paths below this one.", "^/")),
        ],
        &["name"],
    );
    let list = list_of(
        "Host names the app answers at, the main one first.",
        &short(
            domain,
            text("The host name, possibly with a path: `example.com/shop`."),
        ),
    );
    short(list, text("The host name."))
}

/// The short form beside `domains`.
pub(super) fn domain() -> Json {
    json!({
        "type": ["string", "array"],
        "items": {"type": "string"},
        "description": "The host name the app answers at (or several): short for `domains`.",
    })
}

pub(super) fn redirects() -> Json {
    let redirect = object(
        "One redirect.",
        &[
            ("from", full_text("A host name, or a path of the app.")),
            ("to", full_text("A host name, a path or a URL.")),
            (
                "status",
                json!({"type": "integer", "enum": [301, 302, 307, 308], "description": "The status to answer with; 301 unless set."}),
            ),
        ],
        &["from", "to"],
    );
    short(
        list_of("What is redirected.", &redirect),
        map_of("From what to where.", None, &text("Where to.")),
    )
}

pub(super) fn tls() -> Json {
    short(
        object(
            "TLS at the edge.",
            &[
                (
                    "enabled",
                    flag("Whether the app answers over TLS; left to the runtime unless set."),
                ),
                ("redirect_http", flag("Whether plain HTTP is redirected.")),
                (
                    "min_version",
                    short(
                        choice("The lowest version taken.", &["1.2", "1.3"]),
                        json!({"enum": [1.2, 1.3], "description": "Written as text."}),
                    ),
                ),
            ],
            &[],
        ),
        flag("Whether the app answers over TLS."),
    )
}

pub(super) fn env() -> Json {
    map_of(
        "The program's environment.",
        Some(ENV_NAME),
        &loose_text("The value; may be an expression."),
    )
}

pub(super) fn secrets() -> Json {
    list_of(
        "Secrets given to the program in its environment.",
        &short(
            object(
                "One secret.",
                &[
                    ("name", pattern("The secret's name.", ENV_NAME)),
                    (
                        "as",
                        pattern(
                            "The variable that gets it; the secret's name unless set.",
                            ENV_NAME,
                        ),
                    ),
                ],
                &["name"],
            ),
            pattern("The secret's name.", ENV_NAME),
        ),
    )
}

pub(super) fn health() -> Json {
    let statuses = json!({
        "type": "array",
        "items": {"type": "integer", "minimum": 100, "maximum": 599},
        "minItems": 1,
        "description": "The expected statuses; 200 unless set.",
    });
    let status = json!({"type": "integer", "minimum": 100, "maximum": 599, "description": "The expected status."});
    short(
        object(
            "When the app counts as working.",
            &[
                (
                    "enabled",
                    flag("Whether health is checked at all; it is unless set."),
                ),
                ("path", pattern("The path to ask for.", "^/")),
                (
                    "port",
                    whole("The port to ask at; the app's unless set.", 1, Some(65_535)),
                ),
                (
                    "method",
                    choice(
                        "The method; GET unless set.",
                        &["GET", "HEAD", "OPTIONS", "POST"],
                    ),
                ),
                ("status", short(statuses, status)),
                ("body", full_text("A text the body must contain.")),
                (
                    "command",
                    command("A command that must succeed inside, instead of a request."),
                ),
                ("interval", duration("Time between two tries.")),
                ("timeout", duration("How long one try may take.")),
                (
                    "retries",
                    whole("How many failed tries make it unhealthy.", 1, None),
                ),
                ("start_period", duration("How long it may take to start.")),
            ],
            &[],
        ),
        json!({"type": ["string", "boolean"], "pattern": "^/", "description": "The path to ask for; `false` for no health check."}),
    )
}

/// Health of what answers no requests.
pub(super) fn health_by_command() -> Json {
    short(
        object(
            "When the app counts as working.",
            &[
                ("enabled", flag("Whether health is checked at all.")),
                ("command", command("A command that must succeed inside.")),
                ("interval", duration("Time between two tries.")),
                ("timeout", duration("How long one try may take.")),
                (
                    "retries",
                    whole("How many failed tries make it unhealthy.", 1, None),
                ),
                ("start_period", duration("How long it may take to start.")),
            ],
            &[],
        ),
        json!({"type": ["string", "boolean"], "description": "The command that must succeed inside; `false` for no health check."}),
    )
}

pub(super) fn schedule() -> Json {
    short(
        full_text(
            "When it runs, as five cron fields: minute, hour, day of the month, month, day of the week.",
        ),
        choice(
            "A usual schedule.",
            &[
                "@hourly",
                "@daily",
                "@midnight",
                "@weekly",
                "@monthly",
                "@yearly",
            ],
        ),
    )
}

pub(super) fn timezone() -> Json {
    pattern(
        "The time zone of the schedule: `Europe/Berlin`; that of the platform unless set.",
        "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
    )
}

/// The engines that the core has names for, with what else they are called.
pub(super) const ENGINES: [(&str, &[&str]); 8] = [
    ("postgres", &["postgresql", "pg"]),
    ("mysql", &[]),
    ("mariadb", &["maria"]),
    ("redis", &[]),
    ("valkey", &[]),
    ("keydb", &[]),
    ("mongodb", &["mongo"]),
    ("clickhouse", &[]),
];

pub(super) fn engine() -> Json {
    let names: Vec<&str> = ENGINES.iter().map(|(name, _)| *name).collect();
    let others: Vec<&str> = ENGINES
        .iter()
        .flat_map(|(_, also)| also.iter().copied())
        .collect();
    short(
        choice("Which database it is.", &names),
        choice("Another name for it.", &others),
    )
}

pub(super) fn engine_version() -> Json {
    loose_text("The version: `16`; the newest that the platform has unless set.")
}

pub(super) fn database_name() -> Json {
    pattern(
        "The name of the database inside; made from the app's key unless set.",
        "^[A-Za-z_][A-Za-z0-9_]{0,62}$",
    )
}

pub(super) fn backup() -> Json {
    short(
        object(
            "Backups.",
            &[
                ("enabled", flag("Whether it is backed up.")),
                ("schedule", schedule()),
                ("keep", whole("How many backups are kept.", 1, None)),
                (
                    "to",
                    full_text(
                        "Where backups go, by the name the platform knows it by; a bucket, say.",
                    ),
                ),
            ],
            &[],
        ),
        json!({"type": ["string", "boolean"], "description": "When, as five cron fields; `true` for every night."}),
    )
}

pub(super) fn limits() -> Json {
    object(
        "The most it may use.",
        &[
            (
                "cpu",
                json!({"type": "number", "exclusiveMinimum": 0, "description": "Processor cores: `0.5`."}),
            ),
            ("memory", size("Memory: `512Mi`.")),
            ("disk", size("Disk: `10Gi`.")),
        ],
        &[],
    )
}

pub(super) fn replicas() -> Json {
    whole("How many of it run; 0 stops it.", 0, None)
}

pub(super) fn volumes() -> Json {
    let volume = object(
        "What outlives a deployment.",
        &[
            (
                "name",
                pattern("The volume's name.", "^[A-Za-z0-9][A-Za-z0-9_.-]*$"),
            ),
            (
                "source",
                full_text("A folder of the host, instead of a volume."),
            ),
            ("path", pattern("Where the program finds it.", "^/")),
            ("size", size("How large it is.")),
            ("read_only", flag("Whether the program may only read it.")),
        ],
        &["path"],
    );
    list_of(
        "Volumes and folders of the host.",
        &short(
            volume,
            full_text(
                "`name:/path`, `./folder:/path`, or `/path`; `:ro` at the end for reading only.",
            ),
        ),
    )
}

pub(super) fn files() -> Json {
    let file = object(
        "One file.",
        &[
            ("path", pattern("Where the program finds it.", "^/")),
            ("content", text("What is in it; may be an expression.")),
            (
                "mode",
                short(
                    pattern("Who may read, write and run it: `0644`.", "^0?[0-7]{3}$"),
                    json!({"type": "integer", "description": "The digits."}),
                ),
            ),
        ],
        &["path", "content"],
    );
    short(
        list_of("Files put where the program runs.", &file),
        map_of("Content by path.", None, &text("What is in it.")),
    )
}

pub(super) fn hooks() -> Json {
    object(
        "Commands run at certain moments of a deployment.",
        &[
            ("pre_build", command("Before the build.")),
            (
                "pre_deploy",
                command("After the build, before the new version takes over: migrations, say."),
            ),
            (
                "post_deploy",
                command("Once the new version has taken over."),
            ),
            ("failed", command("When the deployment failed.")),
        ],
        &[],
    )
}

pub(super) fn strategy() -> Json {
    let kinds = ["rolling", "recreate", "blue_green"];
    short(
        object(
            "How a new version takes over.",
            &[(
                "type",
                choice(
                    "One after the other, stop first then start, or all at once beside the old ones.",
                    &kinds,
                ),
            )],
            &["type"],
        ),
        choice("How a new version takes over.", &kinds),
    )
}

pub(super) fn stop() -> Json {
    short(
        object(
            "How a running program is ended.",
            &[
                (
                    "grace",
                    duration("How long it may take to end before it is killed."),
                ),
                (
                    "drain",
                    duration("How long requests under way may take before it is asked to end."),
                ),
                (
                    "signal",
                    pattern(
                        "The signal that asks it to end: `SIGTERM`.",
                        "^SIG[A-Z0-9]+$",
                    ),
                ),
            ],
            &[],
        ),
        pattern("How long it may take to end.", DURATION),
    )
}

pub(super) fn monitor() -> Json {
    short(
        object(
            "Watching the app from outside; done wherever a monitor is configured, unless turned off.",
            &[
                ("enabled", flag("Whether it is watched.")),
                (
                    "path",
                    pattern("The path to watch; that of `health` unless set.", "^/"),
                ),
                ("interval", duration("Time between two looks.")),
                (
                    "notify",
                    list_of(
                        "Who is told, by the monitor's names.",
                        &full_text("A notification's name."),
                    ),
                ),
            ],
            &[],
        ),
        flag("Whether it is watched; with `true` it is an error when nobody can."),
    )
}

pub(super) fn dns() -> Json {
    short(
        object(
            "DNS records of the app's domains; made wherever the runtime needs them, unless turned off.",
            &[
                ("enabled", flag("Whether records are made.")),
                (
                    "ttl",
                    whole("How many seconds answers may be kept.", 1, Some(604_800)),
                ),
            ],
            &[],
        ),
        flag("Whether records are made."),
    )
}

pub(super) fn spa() -> Json {
    flag("Whether paths without a file give `index.html`.")
}

pub(super) fn not_found() -> Json {
    full_text("The page for paths without a file: `404.html`.")
}

pub(super) fn headers() -> Json {
    short(
        map_of(
            "Headers to send, by path pattern.",
            Some("^/"),
            &map_of("Headers of these paths.", None, &loose_text("The value.")),
        ),
        map_of("Headers of all paths.", None, &loose_text("The value.")),
    )
}
