//! A site: files, database, server.

use std::{
    fmt, fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    Database, Dump, Fixture, Installed, Page, Version, dump, group::Group, http, mariadb, template,
};

/// Where the template thinks it is. As long as any other address with a port of five digits.
const NOWHERE: &str = "http://127.0.0.1:65535";

const ROUTER: &str = include_str!("../php/router.php");
const CONFIG: &str = include_str!("../php/wp-config.php");
const DROP_IN: &str = include_str!("../php/db.php");
const RELOCATE: &str = include_str!("../php/relocate.php");
pub(crate) const TABLES: &str = include_str!("../php/tables.php");

/// What the site should be. From [`Site::builder`].
#[derive(Clone, Debug, Default)]
pub struct SiteBuilder {
    version: Version,
    database: Database,
    fixtures: Vec<Fixture>,
}

impl SiteBuilder {
    /// Which WordPress; the newest unless told.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Which database; SQLite unless told.
    #[must_use]
    pub fn database(mut self, database: Database) -> Self {
        self.database = database;
        self
    }

    /// A plugin or theme whose folder lies there from the beginning, not active.
    #[must_use]
    pub fn with(mut self, fixture: Fixture) -> Self {
        self.fixtures.push(fixture);
        self
    }

    /// The installed site, answering. Nothing where WordPress itself is not installed (see the crate).
    ///
    /// # Panics
    ///
    /// When it cannot be made, and for the old WordPress on SQLite, which does not work.
    pub fn build(self) -> Option<Site> {
        let installed = Installed::find()?;
        assert!(
            (self.version, self.database) != (Version::Old, Database::Sqlite),
            "WordPress 6.1 does not run on the SQLite drop-in: take MariaDB"
        );
        Some(Site::make(installed, self))
    }
}

/// An installed WordPress site, with its server running, until it is dropped.
///
/// The account is `admin`; its password is `admin`, and it has an application password. Permalinks
/// are `/%postname%/`, the language English, the content that of every fresh installation.
pub struct Site {
    // Dropped in this order: servers first, then what they have open.
    _web: Group,
    store: Store,
    dir: TempDir,
    installed: Installed,
    wanted: SiteBuilder,
    url: String,
    password: String,
}

enum Store {
    Sqlite,
    MariaDb {
        server: Arc<mariadb::Server>,
        name: String,
    },
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("url", &self.url)
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

impl Site {
    /// The newest WordPress on SQLite, unless told otherwise.
    pub fn builder() -> SiteBuilder {
        SiteBuilder::default()
    }

    fn make(installed: Installed, wanted: SiteBuilder) -> Self {
        let template = template_of(&installed, wanted.version, wanted.database);
        let sites = installed.dir().join("sites");
        fs::create_dir_all(&sites).expect("the folder of sites");
        // Beside WordPress, because hard links stay on one file system.
        let dir = tempfile::Builder::new()
            .prefix("site-")
            .tempdir_in(&sites)
            .expect("a folder for the site");
        let store = Store::new(&installed, wanted.database);
        let password =
            fs::read_to_string(template.join("password")).expect("the template's password");
        let root = dir.path().join("site");
        fs::create_dir(&root).expect("the site's folder");
        let (web, port) = serve(&installed, &root, dir.path());
        let site = Self {
            _web: web,
            store,
            installed,
            wanted,
            url: format!("http://127.0.0.1:{port}"),
            password: password.trim().to_owned(),
            dir,
        };
        site.fill(&template);
        site
    }

    /// Files and rows as in the template.
    fn fill(&self, template: &Path) {
        lay_out(
            &self.installed,
            self.wanted.version,
            &self.store,
            &self.path(),
        );
        match &self.store {
            Store::Sqlite => {
                let file = self.sqlite_file();
                fs::copy(template.join("database"), &file).expect("the database is copied");
                php(
                    RELOCATE,
                    &[file.display().to_string(), NOWHERE.into(), self.url.clone()],
                );
            }
            Store::MariaDb { server, name } => {
                let rows =
                    fs::read_to_string(template.join("database")).expect("the template's rows");
                server.fill(name, &rows.replace(NOWHERE, &self.url));
            }
        }
        for fixture in &self.wanted.fixtures {
            fixture.install(&self.path());
        }
    }

    /// The folder of WordPress.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("site")
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The administrator's name.
    pub fn user(&self) -> &'static str {
        "admin"
    }

    /// An application password of the administrator, for REST.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The WordPress it is.
    pub fn version(&self) -> Version {
        self.wanted.version
    }

    /// What it keeps its rows in.
    pub fn database(&self) -> Database {
        self.wanted.database
    }

    /// What is installed for tests.
    pub fn installed(&self) -> &Installed {
        &self.installed
    }

    /// The words of a WP-CLI command, without `--path`.
    pub fn wp(&self) -> Vec<String> {
        wp(&self.installed)
    }

    /// Runs WP-CLI on the site; its standard output without the last line end.
    ///
    /// # Panics
    ///
    /// When the command fails.
    pub fn wp_cli(&self, arguments: &[&str]) -> String {
        let output = self.try_wp_cli(arguments);
        assert!(
            output.status.success(),
            "wp {} failed ({}):\n{}{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Runs WP-CLI on the site, whatever it says.
    pub fn try_wp_cli(&self, arguments: &[&str]) -> Output {
        let words = self.wp();
        Command::new(&words[0])
            .args(&words[1..])
            .arg(format!("--path={}", self.path().display()))
            .args(arguments)
            .stdin(std::process::Stdio::null())
            .output()
            .expect("WP-CLI starts")
    }

    /// What a piece of PHP prints, run with the site loaded.
    pub fn eval(&self, code: &str) -> String {
        self.wp_cli(&["eval", code])
    }

    /// The page at this path, as a visitor gets it. Redirects are not followed.
    pub fn get(&self, path: &str) -> Page {
        self.request("GET", path, &[], b"")
    }

    /// Any request. `headers` come after the usual ones.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Page {
        http::request(
            self.authority(),
            self.authority(),
            method,
            path,
            headers,
            body,
        )
    }

    fn authority(&self) -> &str {
        self.url
            .strip_prefix("http://")
            .expect("an address of ours")
    }

    /// Rows and files, normalised, to be compared with others.
    pub fn dump(&self) -> Dump {
        let arguments = match &self.store {
            Store::Sqlite => vec!["sqlite".into(), self.sqlite_file().display().to_string()],
            Store::MariaDb { server, name } => {
                vec![
                    "mysql".into(),
                    server.socket().display().to_string(),
                    name.clone(),
                ]
            }
        };
        dump::dump(
            &php(TABLES, &arguments),
            &self.path(),
            &self.installed.wordpress(self.wanted.version),
        )
    }

    /// Makes it again what it was after [`SiteBuilder::build`]. The server goes on.
    pub fn reset(&self) {
        for entry in fs::read_dir(self.path())
            .expect("the site's folder")
            .flatten()
        {
            let path = entry.path();
            let gone = if entry.file_type().is_ok_and(|t| t.is_dir()) {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            gone.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
        self.fill(&template_of(
            &self.installed,
            self.wanted.version,
            self.wanted.database,
        ));
    }

    /// Makes a fixture's folder in the site; it is not active.
    pub fn install(&self, fixture: &Fixture) {
        fixture.install(&self.path());
    }

    /// Puts the translations of these locales (`it_IT`) where WordPress looks for them. Only for
    /// [`Version::New`].
    pub fn install_languages(&self, locales: &[&str]) {
        let to = self.path().join("wp-content/languages");
        fs::create_dir_all(&to).expect("the folder of languages");
        for entry in fs::read_dir(self.installed.languages())
            .expect("installed languages")
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is = |locale: &&&str| name.split(['.', '-']).any(|part| part == **locale);
            if entry.file_type().is_ok_and(|t| t.is_file()) && locales.iter().any(|l| is(&l)) {
                fs::copy(entry.path(), to.join(&name)).expect("a translation is copied");
            }
        }
    }

    fn sqlite_file(&self) -> PathBuf {
        sqlite_file(&self.path())
    }
}

impl Store {
    fn new(installed: &Installed, database: Database) -> Self {
        match database {
            Database::Sqlite => Self::Sqlite,
            Database::MariaDb => {
                let server = mariadb::Server::shared(installed);
                let name = server.new_database();
                Self::MariaDb { server, name }
            }
        }
    }
}

fn sqlite_file(root: &Path) -> PathBuf {
    root.join("wp-content/database/.ht.sqlite")
}

/// What PHP has compiled is kept on disk: WordPress starts several times as fast. (Its files are the
/// same for all sites, see [`lay_out`].)
fn compiled(installed: &Installed) -> [String; 3] {
    let kept = installed.dir().join("compiled");
    fs::create_dir_all(&kept).expect("a folder for what is compiled");
    [
        "opcache.enable=1".to_owned(),
        "opcache.enable_cli=1".to_owned(),
        format!("opcache.file_cache={}", kept.display()),
    ]
}

fn wp(installed: &Installed) -> Vec<String> {
    let mut words: Vec<String> = vec!["php".into()];
    let settings = [
        "memory_limit=512M".to_owned(),
        "opcache.file_cache_only=1".to_owned(),
    ];
    for setting in settings.into_iter().chain(compiled(installed)) {
        words.extend(["-d".to_owned(), setting]);
    }
    words.push(installed.wp_cli().display().to_string());
    if rustix::process::geteuid().is_root() {
        words.push("--allow-root".into());
    }
    words
}

/// Runs a piece of PHP of ours with arguments; its standard output.
fn php(code: &str, arguments: &[String]) -> String {
    let code = code.strip_prefix("<?php").expect("a PHP file");
    template::run(
        Command::new("php")
            .args(["-d", "memory_limit=512M", "-r", code, "--"])
            .args(arguments),
    )
}

/// The files of a site that is not installed yet, or about to get its rows.
fn lay_out(installed: &Installed, version: Version, store: &Store, root: &Path) {
    let shipped = installed.wordpress(version);
    template::link(&shipped, root, &["wp-includes"]);
    // One folder for all sites, so that what PHP compiled of it serves all of them.
    std::os::unix::fs::symlink(shipped.join("wp-includes"), root.join("wp-includes"))
        .expect("a link to wp-includes");
    let content = root.join("wp-content");
    let (database, host) = match store {
        Store::Sqlite => {
            fs::create_dir_all(content.join("mu-plugins")).expect("mu-plugins");
            fs::create_dir_all(content.join("database")).expect("the database's folder");
            std::os::unix::fs::symlink(
                installed.sqlite(),
                content.join("mu-plugins/sqlite-database-integration"),
            )
            .expect("a link to the drop-in");
            fs::write(content.join("db.php"), DROP_IN).expect("db.php is written");
            ("wordpress".to_owned(), "localhost".to_owned())
        }
        Store::MariaDb { server, name } => (
            name.clone(),
            format!("localhost:{}", server.socket().display()),
        ),
    };
    let config = CONFIG
        .replace("{{database}}", &database)
        .replace("{{host}}", &host);
    fs::write(root.join("wp-config.php"), config).expect("wp-config.php is written");
}

/// Installs WordPress once: `database` (a file or statements) and `password`.
fn template_of(installed: &Installed, version: Version, database: Database) -> PathBuf {
    let name = match database {
        Database::Sqlite => format!("{}-sqlite", version.number()),
        Database::MariaDb => format!("{}-mariadb", version.number()),
    };
    let from = [include_str!("site.rs"), CONFIG, DROP_IN, ROUTER].join("\0");
    template::made(installed, &name, from.as_bytes(), |dir| {
        let root = dir.join("site");
        let store = Store::new(installed, database);
        if let Store::MariaDb { server, name } = &store {
            server.fill(name, "");
        }
        lay_out(installed, version, &store, &root);
        let path = format!("--path={}", root.display());
        let words = wp(installed);
        let wp = |arguments: &[&str]| {
            template::run(
                Command::new(&words[0])
                    .args(&words[1..])
                    .arg(&path)
                    .args(arguments),
            )
        };
        wp(&[
            "core",
            "install",
            &format!("--url={NOWHERE}"),
            // Else WordPress guesses one from its folder.
            &format!("--exec=define('WP_SITEURL', '{NOWHERE}');"),
            "--title=A site for tests",
            "--admin_user=admin",
            "--admin_password=admin",
            "--admin_email=admin@example.test",
            "--skip-email",
        ]);
        // What the first requests would do: permalinks, and tasks that are done once.
        wp(&["rewrite", "structure", "/%postname%/"]);
        let password = wp(&[
            "user",
            "application-password",
            "create",
            "admin",
            "fabrik",
            "--porcelain",
        ]);
        fs::write(dir.join("password"), password).expect("the password is written");
        // And what the first visitors cause: the fallback menu of a block theme, theme mods.
        let (web, port) = serve(installed, &root, dir);
        let host = NOWHERE.strip_prefix("http://").expect("an address of ours");
        for path in ["/", "/sample-page/", "/wp-json/", "/no-such-page/"] {
            let page = http::request(&format!("127.0.0.1:{port}"), host, "GET", path, &[], b"");
            let wanted = if path == "/no-such-page/" { 404 } else { 200 };
            assert_eq!(page.status, wanted, "{path}: {}", page.body);
        }
        drop(web);
        match &store {
            Store::Sqlite => {
                fs::rename(sqlite_file(&root), dir.join("database"))
                    .expect("the database is moved");
            }
            Store::MariaDb { server, name } => {
                fs::write(dir.join("database"), server.statements(name)).expect("rows are written");
            }
        }
        fs::remove_dir_all(&root).expect("the folder goes");
    })
}

/// PHP's own server on a port of five digits. Its router is in `dir`.
fn serve(installed: &Installed, root: &Path, dir: &Path) -> (Group, u16) {
    let log = dir.join("php.log");
    fs::write(dir.join("router.php"), ROUTER).expect("router.php is written");
    for _ in 0..20 {
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        if port < 10_000 {
            continue;
        }
        let mut command = Command::new("php");
        command
            .env("PHP_CLI_SERVER_WORKERS", "4")
            .args(["-d", "memory_limit=512M", "-d", "opcache.revalidate_freq=0"])
            .args(
                compiled(installed)
                    .iter()
                    .flat_map(|setting| ["-d", setting]),
            )
            .args([
                "-d",
                "display_errors=0",
                "-d",
                "log_errors=1",
                "-d",
                "error_log=/dev/stderr",
            ])
            .args(["-S", &format!("127.0.0.1:{port}"), "-t"])
            .arg(root)
            .arg(dir.join("router.php"));
        let group = Group::start(&mut command, dir, &log);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (group, port);
            }
            // Somebody was faster.
            if fs::read_to_string(&log).is_ok_and(|text| text.contains("Failed to listen")) {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
    panic!(
        "PHP's server does not start: {}",
        fs::read_to_string(&log).unwrap_or_default()
    )
}
