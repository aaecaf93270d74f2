//! An OpenSSH server for tests.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use fabrik_exec::{SshConfig, SshTarget};
use tempfile::TempDir;

/// An OpenSSH server on loopback, run by the current user on a free port with keys of its own.
pub(crate) struct Server {
    folder: TempDir,
    child: Child,
    pub(crate) port: u16,
    pub(crate) user: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn tool(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.exists())
}

fn say(program: &str, args: &[&str]) -> String {
    let out = std::process::Command::new(program)
        .args(args)
        .output()
        .unwrap();
    assert!(out.status.success(), "{program}: {out:?}");
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

pub(crate) fn key(file: &Path) {
    say(
        "ssh-keygen",
        &[
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            "test",
            "-f",
            file.to_str().unwrap(),
        ],
    );
}

impl Server {
    /// `None`, with a reason printed, where no server is installed; in CI one must be.
    pub(crate) fn start() -> Option<Server> {
        Server::with("")
    }

    /// With further lines of `sshd_config`.
    pub(crate) fn with(settings: &str) -> Option<Server> {
        let Some(sshd) = tool("sshd") else {
            #[expect(clippy::disallowed_methods, reason = "CI says so by its environment")]
            let must = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!must, "no sshd: install openssh-server");
            eprintln!("skipped over SSH: no sshd (install openssh-server)");
            return None;
        };
        // Run by root, it insists on this folder, which its service would make.
        _ = std::fs::create_dir_all("/run/sshd");
        let folder = tempfile::Builder::new()
            .prefix("ssh 100% ")
            .tempdir()
            .unwrap();
        let path = folder.path();
        key(&path.join("host_key"));
        key(&path.join("id"));
        std::fs::copy(path.join("id.pub"), path.join("authorized_keys")).unwrap();
        let user = say("id", &["-un"]);
        // Free just now; should another take it, the server ends and the next port is tried.
        for _ in 0..10 {
            let port = std::net::TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let config = path.join("sshd_config");
            let text = format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey \"{0}/host_key\"\nPidFile none\nUsePAM no\nStrictModes no\n\
                 PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
                 AuthorizedKeysFile \"{1}/authorized_keys\"\nPrintMotd no\nMaxStartups 100\n{settings}\n",
                path.display(),
                path.display().to_string().replace('%', "%%"),
            );
            std::fs::write(&config, text).unwrap();
            let log = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(path.join("log"))
                .unwrap();
            let mut child = std::process::Command::new(&sshd)
                .args(["-D", "-e", "-f", config.to_str().unwrap()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            let listening = format!("Server listening on 127.0.0.1 port {port}.");
            let end = Instant::now() + Duration::from_secs(10);
            while Instant::now() < end && child.try_wait().unwrap().is_none() {
                // Its own word, since another server may have taken the port.
                if std::fs::read_to_string(path.join("log"))
                    .unwrap()
                    .contains(&listening)
                {
                    let host_key = std::fs::read_to_string(path.join("host_key.pub")).unwrap();
                    let line = format!("[127.0.0.1]:{port} {host_key}");
                    std::fs::write(path.join("known_hosts"), line).unwrap();
                    return Some(Server {
                        folder,
                        child,
                        port,
                        user,
                    });
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            _ = child.kill();
            _ = child.wait();
        }
        panic!(
            "sshd did not start: {}",
            std::fs::read_to_string(path.join("log")).unwrap()
        );
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn target(&self) -> SshTarget {
        SshTarget::new("127.0.0.1")
            .user(&self.user)
            .port(self.port)
            .identity(self.path("id"))
            .known_hosts(self.path("known_hosts"))
            .config(SshConfig::None)
    }
}
