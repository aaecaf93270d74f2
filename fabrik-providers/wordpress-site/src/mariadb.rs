//! One MariaDB server per test process.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{group::Group, installed::Installed, template};

/// A running server, ended when its last user is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    // Dropped in this order: first the process, then its folder.
    _group: Group,
    dir: TempDir,
    databases: AtomicU32,
}

static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// Small and careless: what is in it is worth nothing after the test.
const SETTINGS: &[&str] = &[
    "--innodb-log-file-size=4M",
    "--innodb-data-file-path=ibdata1:4M:autoextend",
    "--innodb-buffer-pool-size=48M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-temp-data-file-path=ibtmp1:2M:autoextend",
    "--performance-schema=OFF",
    "--skip-networking",
    "--skip-log-bin",
    "--character-set-server=utf8mb4",
];

impl Server {
    /// The process's server, started when there is none.
    pub(crate) fn shared(installed: &Installed) -> Arc<Self> {
        let mut running = RUNNING
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(server) = running.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start(installed));
        *running = Arc::downgrade(&server);
        server
    }

    fn start(installed: &Installed) -> Self {
        let empty = template::made(installed, "mariadb", SETTINGS.join(" ").as_bytes(), |dir| {
            let mut install = Command::new("mariadb-install-db");
            install
                .args([
                    "--no-defaults",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ])
                .args(&SETTINGS[..2])
                .arg(format!("--datadir={}", dir.join("data").display()));
            install.args(as_root());
            template::run(&mut install);
        });
        // A socket's path has to be short.
        let dir = tempfile::Builder::new()
            .prefix("fabrik-mariadb-")
            .tempdir()
            .expect("a temporary folder");
        template::copy(&empty.join("data"), &dir.path().join("data"));
        let socket = dir.path().join("s");
        let mut command = Command::new(program());
        command
            .arg("--no-defaults")
            .args(SETTINGS)
            .arg(format!("--datadir={}", dir.path().join("data").display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--tmpdir={}", dir.path().display()))
            .args(as_root());
        let log = dir.path().join("log");
        let group = Group::start(&mut command, dir.path(), &log);
        let begun = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "MariaDB does not start: {}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(15));
        }
        Self {
            _group: group,
            dir,
            databases: AtomicU32::new(1),
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    /// A name that no database of this server has.
    pub(crate) fn new_database(&self) -> String {
        format!("site_{}", self.databases.fetch_add(1, Ordering::Relaxed))
    }

    /// Makes the database anew, from statements.
    pub(crate) fn fill(&self, database: &str, statements: &str) {
        use std::io::Write as _;

        let mut client = Command::new("mariadb")
            .args(["--no-defaults", "-u", "root", "--binary-mode"])
            .arg(format!("--socket={}", self.socket().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the client of MariaDB starts");
        let mut input = client.stdin.take().expect("its input");
        write!(
            input,
            "DROP DATABASE IF EXISTS {database};\n\
             CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;\n\
             USE {database};\n{statements}"
        )
        .expect("statements are taken");
        drop(input);
        assert!(
            client.wait().expect("the client ends").success(),
            "statements for {database} failed"
        );
    }

    /// All of a database as statements.
    pub(crate) fn statements(&self, database: &str) -> String {
        let mut dump = Command::new("mariadb-dump");
        dump.args([
            "--no-defaults",
            "-u",
            "root",
            "--skip-dump-date",
            "--skip-comments",
            "--hex-blob",
        ])
        .arg(format!("--socket={}", self.socket().display()))
        .arg(database);
        template::run(&mut dump)
    }
}

fn program() -> &'static str {
    if Path::new("/usr/sbin/mariadbd").exists() {
        "/usr/sbin/mariadbd"
    } else {
        "mariadbd"
    }
}

fn as_root() -> Option<&'static str> {
    rustix::process::geteuid()
        .is_root()
        .then_some("--user=root")
}
