//! WP-CLI, here, over SSH or in a container.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use fabrik_core::value::Path;
use fabrik_exec::{BaseEnv, Command, Output, Place, Runner};

use super::Channel;
use crate::config::Config;
use crate::request::{Reply, Request};

/// The runner: a constant PHP program that takes one request.
const RUNNER: &[&str] = &[
    include_str!("../../php/main.php"),
    include_str!("../../php/options.php"),
    include_str!("../../php/posts.php"),
    include_str!("../../php/terms.php"),
    include_str!("../../php/users.php"),
    include_str!("../../php/menus.php"),
    include_str!("../../php/site.php"),
    include_str!("../../php/plugins.php"),
    include_str!("../../php/files.php"),
    include_str!("../../php/media.php"),
    include_str!("../../php/styles.php"),
    include_str!("../../php/languages.php"),
];

/// How long one command may take, unless the operation's deadline is nearer.
const LIMIT: Duration = Duration::from_secs(300);
/// Most bytes of a reply.
const MOST: usize = 128 * 1024 * 1024;

/// WP-CLI of a site.
#[derive(Debug)]
pub struct Cli {
    runner: Runner,
    place: Place,
    wp: Vec<String>,
    path: Option<String>,
}

impl Cli {
    pub(crate) fn new(env: BaseEnv, config: &Config) -> Cli {
        Cli {
            runner: Runner::new(env),
            place: config.place(),
            wp: config.wp.clone(),
            path: config.path.clone(),
        }
    }

    /// Where commands run.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What runs commands there.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// The site's folder, as configured.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// A command of WP-CLI: `wp --path=… ARGUMENTS`.
    pub fn wp<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut parts = self.wp.iter();
        let program = parts.next().map_or("wp", String::as_str);
        let mut command = Command::new(program).args(parts.cloned()).timeout(LIMIT);
        if let Some(path) = &self.path {
            command = command.arg(format!("--path={path}"));
        }
        command.arg("--no-color").args(arguments)
    }

    /// Runs a command of WP-CLI.
    ///
    /// # Errors
    /// As [`Runner::run`]; an exit code is no error.
    pub async fn run(&self, cx: &Cx, command: &Command) -> Result<Output> {
        self.runner.run(cx, &self.place, command).await
    }
}

#[async_trait]
impl Channel for Cli {
    async fn call(&self, cx: &Cx, request: &Request) -> Result<Reply> {
        let json = serde_json::to_vec(request).map_err(|error| {
            Error::new(ErrorKind::Unexpected, "a request does not serialise").cause(error)
        })?;
        let mut program = RUNNER.concat();
        program.push_str("\nFabrik::run( '");
        program.push_str(&BASE64.encode(json));
        program.push_str("' );\n");
        let mut command = self.wp(["eval-file", "-"]).input(program).max_output(MOST);
        for secret in &request.secrets {
            command = command.secret(secret);
        }
        if !request.write {
            command = command.reads();
        }
        let output = self.run(cx, &command).await.map_err(|error| {
            if error.kind() == ErrorKind::Unsupported && error.hint_text().is_none() {
                error.hint("install WP-CLI there, or say with `wp` how it is started")
            } else {
                error
            }
        })?;
        reply(request, &output)
    }

    fn name(&self) -> String {
        format!("WP-CLI on {}", self.place)
    }

    fn cli(&self) -> Option<&Cli> {
        Some(self)
    }
}

/// Finds the reply among whatever else was printed.
fn reply(request: &Request, output: &Output) -> Result<Reply> {
    let marker = request.marker.as_bytes();
    let line = output
        .stdout
        .split(|byte| *byte == b'\n')
        .rev()
        .find_map(|line| line.strip_prefix(marker));
    let effect = if request.write {
        Effect::Unknown
    } else {
        Effect::None
    };
    let Some(line) = line else {
        return Err(unanswered(output, effect));
    };
    let decoded = BASE64.decode(line).ok();
    decoded
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or_else(|| {
            Error::new(ErrorKind::Misbehaved, "the reply of WordPress is cut short").effect(effect)
        })
}

/// WP-CLI ended without the runner's reply: mostly it did not come to it.
fn unanswered(output: &Output, effect: Effect) -> Error {
    let lines = output.last_lines();
    let said = lines.join("\n");
    let says = |text: &str| said.contains(text);
    let before = |kind, message: &str, hint: &str| {
        Error::new(kind, message)
            .hint(hint)
            .effect(Effect::None)
            .log_tail(lines.clone())
    };
    if says("not seem to be a WordPress install") {
        return before(
            ErrorKind::Invalid,
            "there is no WordPress in that folder",
            "set `path` to the folder with `wp-config.php`",
        )
        .field(Path::key("path"));
    }
    if says("wp-config.php' not found") || says("wp-config.php not found") {
        return before(
            ErrorKind::Invalid,
            "WordPress has no `wp-config.php` yet",
            "make it with `wp config create`, then install the site",
        )
        .field(Path::key("path"));
    }
    if says("is not installed") || says("wp core install") {
        return before(
            ErrorKind::Invalid,
            "WordPress is there, but the site is not installed",
            "install it with `wp core install`",
        )
        .field(Path::key("path"));
    }
    if says("YIKES") || says("--allow-root") {
        return before(
            ErrorKind::Permission,
            "WP-CLI does not want to run as root",
            "log in as the owner of the site's files, or add `--allow-root` to `wp`",
        )
        .field(Path::key("wp"));
    }
    if says("Error establishing a database connection") || says("database connection") {
        return before(
            ErrorKind::Unavailable,
            "WordPress does not reach its database",
            "see whether the database runs and what `wp-config.php` says of it",
        );
    }
    if says("Could not open input file") {
        return before(
            ErrorKind::Unsupported,
            "WP-CLI is not there",
            "set `wp` to how WP-CLI is started there",
        )
        .field(Path::key("wp"));
    }
    let killed = output.code > 128;
    let fatal = says("Fatal error") || says("critical error");
    let kind = if killed {
        ErrorKind::Unavailable
    } else {
        ErrorKind::Misbehaved
    };
    let error = Error::new(
        kind,
        format!("WordPress gave no answer (exit code {})", output.code),
    )
    .effect(effect)
    .log_tail(lines);
    if fatal {
        error.hint("a plugin or theme breaks the site: `wp --skip-plugins --skip-themes plugin list` still works")
    } else {
        error
    }
}
