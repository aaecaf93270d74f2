//! Real WordPress sites for tests: made in seconds, served on loopback, taken away after.
//!
//! ```no_run
//! use fabrik_wordpress_site::{Database, Site, Version};
//!
//! let Some(site) = Site::builder().version(Version::New).database(Database::Sqlite).build() else {
//!     return; // the reason is printed
//! };
//! let before = site.dump();
//! site.wp_cli(&["option", "update", "blogname", "Changed"]);
//! assert!(site.get("/").body.contains("Changed"));
//! assert_ne!(site.dump(), before);
//! ```
//!
//! What it needs (PHP, MariaDB, WordPress itself) is installed by `.ci/wordpress`. Where that has
//! not been run, [`SiteBuilder::build`] prints a reason and gives nothing, so tests pass without
//! having tested; with `FABRIK_REQUIRE_WORDPRESS` in the environment they fail instead.
//!
//! How it is fast: a site is installed once per machine for each version and database (a
//! *template*, beside WordPress in the cache, made under a lock). A new site is hard links to the
//! files of WordPress, a copy of the template's database, and a server. **So tests change no file of
//! WordPress in place** (WordPress itself does not); files of `wp-content` they add are theirs.
//!
//! Nothing outlives the test: servers are process groups that end when the [`Site`] is dropped, and
//! also when the test process is killed.
//!
//! This crate is for tests only. It panics where a test should fail, and it reads the environment.

mod dump;
mod fixture;
mod group;
mod http;
mod installed;
mod mariadb;
mod site;
mod template;

pub use dump::Dump;
pub use fixture::Fixture;
pub use http::Page;
pub use installed::{Installed, REQUIRE};
pub use site::{Site, SiteBuilder};

/// Which WordPress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// The newest that can be had: 7.1.1.
    #[default]
    New,
    /// Debian's: 6.1.9, the oldest that is supported. Runs on MariaDB only.
    Old,
}

impl Version {
    /// The version's number.
    pub const fn number(self) -> &'static str {
        match self {
            Self::New => "7.1.1",
            Self::Old => "6.1.9",
        }
    }
}

/// What the site keeps its rows in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Database {
    /// A file in the site's folder, through the drop-in.
    #[default]
    Sqlite,
    /// A server of the test process's own, on a socket.
    MariaDb,
}
