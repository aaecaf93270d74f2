//! What `.ci/wordpress` installed, and what happens when it has not.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::Version;

/// With this variable in the environment, tests fail where WordPress is missing.
pub const REQUIRE: &str = "FABRIK_REQUIRE_WORDPRESS";

/// The folder that `.ci/wordpress` fills.
#[derive(Clone, Debug)]
pub struct Installed {
    dir: PathBuf,
    stamp: String,
}

impl Installed {
    /// Finds it.
    ///
    /// Nothing, with a reason on standard error, where it is not there; a panic when
    /// [`REQUIRE`] is set.
    pub fn find() -> Option<Self> {
        match Self::look() {
            Ok(found) => Some(found),
            Err(reason) if env::var_os(REQUIRE).is_some_and(|v| !v.is_empty()) => {
                panic!("real WordPress is required ({REQUIRE} is set): {reason}")
            }
            Err(reason) => {
                skipped(&reason);
                None
            }
        }
    }

    fn look() -> Result<Self, String> {
        let dir = match env::var_os("FABRIK_WORDPRESS_DIR").filter(|v| !v.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => env::home_dir()
                .ok_or("there is no home folder; set FABRIK_WORDPRESS_DIR")?
                .join(".cache/fabrik/wordpress"),
        };
        let stamp = fs::read_to_string(dir.join("complete"))
            .map_err(|_| format!("{} is not complete; run .ci/wordpress", dir.display()))?;
        Ok(Self {
            dir,
            stamp: stamp.trim().to_owned(),
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Changes whenever what is installed does.
    pub(crate) fn stamp(&self) -> &str {
        &self.stamp
    }

    /// The unmodified files of WordPress. Not to be written to.
    pub fn wordpress(&self, version: Version) -> PathBuf {
        self.dir.join(version.number())
    }

    /// The official WP-CLI.
    pub fn wp_cli(&self) -> PathBuf {
        self.dir.join("wp-cli.phar")
    }

    /// The SQLite drop-in's folder.
    pub fn sqlite(&self) -> PathBuf {
        self.dir.join("sqlite-database-integration")
    }

    /// Translations of [`Version::New`], as they lie in `wp-content/languages`.
    pub fn languages(&self) -> PathBuf {
        self.dir.join("languages")
    }

    /// Packages of Node that the editor's validator needs: a value for `NODE_PATH`.
    pub fn node_modules(&self) -> PathBuf {
        self.dir.join("jsdom/node_modules")
    }

    /// Chromium, if there is one.
    pub fn chromium(&self) -> Option<PathBuf> {
        ["/usr/bin/chromium", "/usr/bin/chromium-browser"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the reader of a test's output is whom it is for"
)]
fn skipped(reason: &str) {
    eprintln!("skipped, without real WordPress: {reason}");
}
