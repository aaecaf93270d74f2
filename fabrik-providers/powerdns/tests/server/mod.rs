//! A real PowerDNS: `pdns_server` with an SQLite database of its own, on free ports.
//!
//! It ends with the test, however that ends: a shell between the two waits for the end of its
//! standard input, which the system closes when this process dies.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

/// The API key of every server here.
pub(crate) const KEY: &str = "key-of-the-test-server";

const INSTALL: &str = "the tests of the PowerDNS provider run against a real server: \
    `apt-get install --no-install-recommends pdns-server pdns-backend-sqlite3`";

/// Ends the server and removes its folder when standard input ends.
const WARDEN: &str = r#"
dir=$1
shift
"$@" >"$dir/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -9 "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$dir"
"#;

/// How a server is set up where it is not as usual.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) api: bool,
    pub(crate) dnssec: bool,
    pub(crate) allow_from: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            api: true,
            dnssec: true,
            allow_from: "127.0.0.1",
        }
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    warden: Child,
    dir: PathBuf,
    api: SocketAddr,
    dns: SocketAddr,
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Server {
        let mut said = String::new();
        // Another process may take a port between our look and the server's.
        for _ in 0..5 {
            match attempt(setup) {
                Ok(server) => return server,
                Err(log) => said = log,
            }
        }
        panic!("pdns_server does not start:\n{said}");
    }

    /// Where the API answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.api
    }

    /// Where it answers DNS queries, over UDP and TCP.
    #[allow(dead_code, reason = "the conformance suite does not ask by DNS")]
    pub(crate) fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// The configuration of a provider whose endpoint is there.
    pub(crate) fn config(at: SocketAddr) -> Json {
        json!({"endpoint": format!("http://{at}"), "api_key": KEY})
    }

    /// What a human does: a request of the API. Gives status and body.
    pub(crate) fn api(&self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        use std::io::{Read as _, Write as _};
        let mut stream = TcpStream::connect(self.api).unwrap();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let length = body.len();
        write!(
            stream,
            "{method} /api/v1/servers/localhost{path} HTTP/1.1\r\nHost: pdns\r\nX-API-Key: {KEY}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let status = reply.get(9..12).and_then(|text| text.parse().ok());
        let (_, body) = reply.split_once("\r\n\r\n").unwrap_or_default();
        assert!(
            !reply.starts_with("HTTP/1.1 5"),
            "the server failed: {}",
            fs::read_to_string(self.dir.join("log")).unwrap_or_default()
        );
        (
            status.unwrap_or_else(|| panic!("no reply: {reply:?}")),
            serde_json::from_str(body).unwrap_or_else(|_| Json::from(body)),
        )
    }

    /// Makes a zone by hand.
    pub(crate) fn make_zone(&self, zone: &str) {
        let body = json!({"name": format!("{zone}."), "kind": "Native", "nameservers": ["ns1.example.net."]});
        let (status, reply) = self.api("POST", "/zones", &body);
        assert_eq!(status, 201, "{reply}");
    }

    /// Sets a record set by hand.
    pub(crate) fn set(&self, zone: &str, name: &str, kind: &str, ttl: u32, contents: &[&str]) {
        let records: Vec<Json> = contents
            .iter()
            .map(|content| json!({"content": content, "disabled": false}))
            .collect();
        self.change(
            zone,
            &json!({
                "name": name, "type": kind, "ttl": ttl, "changetype": "REPLACE", "records": records,
            }),
        );
    }

    /// Deletes a record set by hand.
    pub(crate) fn unset(&self, zone: &str, name: &str, kind: &str) {
        self.change(
            zone,
            &json!({"name": name, "type": kind, "changetype": "DELETE"}),
        );
    }

    /// Changes a record set by hand.
    pub(crate) fn change(&self, zone: &str, change: &Json) {
        let path = format!("/zones/{zone}.");
        let (status, reply) = self.api("PATCH", &path, &json!({"rrsets": [change]}));
        assert_eq!(status, 204, "{reply}");
    }

    /// Every zone with its record sets, without what changes by itself.
    pub(crate) fn dump(&self) -> Json {
        let (_, zones) = self.api("GET", "/zones", &Json::Null);
        let mut names: Vec<String> = zones
            .as_array()
            .into_iter()
            .flatten()
            .map(|zone| zone["id"].as_str().unwrap_or_default().to_owned())
            .collect();
        names.sort();
        let zones = names.into_iter().map(|name| {
            let (_, zone) = self.api("GET", &format!("/zones/{name}"), &Json::Null);
            let (_, metadata) = self.api("GET", &format!("/zones/{name}/metadata"), &Json::Null);
            let mut sets = serde_json::Map::new();
            for set in zone["rrsets"].as_array().into_iter().flatten() {
                let mut set = set.clone();
                for comment in set["comments"].as_array_mut().into_iter().flatten() {
                    comment["modified_at"] = Json::Null;
                }
                let (name, kind) = (set["name"].as_str(), set["type"].as_str());
                let key = format!("{} {}", name.unwrap_or_default(), kind.unwrap_or_default());
                if kind != Some("SOA") {
                    sets.insert(key, set);
                }
            }
            let metadata: serde_json::Map<String, Json> = metadata
                .as_array()
                .into_iter()
                .flatten()
                .map(|meta| {
                    (
                        meta["kind"].as_str().unwrap_or_default().to_owned(),
                        meta["metadata"].clone(),
                    )
                })
                .collect();
            let fields = [
                "name",
                "kind",
                "masters",
                "dnssec",
                "account",
                "soa_edit_api",
            ];
            let mut shown: serde_json::Map<String, Json> = fields
                .iter()
                .map(|field| ((*field).to_owned(), zone[*field].clone()))
                .collect();
            shown.insert("rrsets".to_owned(), Json::Object(sets));
            shown.insert("metadata".to_owned(), Json::Object(metadata));
            (name, Json::Object(shown))
        });
        zones.collect::<serde_json::Map<String, Json>>().into()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.warden.stdin.take());
        let _ = self.warden.wait();
    }
}

fn attempt(setup: Setup) -> Result<Server, String> {
    let dir = tempfile::tempdir().unwrap().keep();
    let database = dir.join("zones.db");
    make_database(&database);
    let (api, dns) = (free_port(), free_port());
    let yes_no = |flag: bool| if flag { "yes" } else { "no" };
    let show = |path: &Path| path.display().to_string();
    let settings = [
        ("config-dir", show(&dir)),
        ("socket-dir", show(&dir)),
        ("daemon", "no".to_owned()),
        ("guardian", "no".to_owned()),
        ("write-pid", "no".to_owned()),
        ("security-poll-suffix", String::new()),
        ("launch", "gsqlite3".to_owned()),
        ("gsqlite3-database", show(&database)),
        ("gsqlite3-pragma-synchronous", "0".to_owned()),
        ("gsqlite3-dnssec", yes_no(setup.dnssec).to_owned()),
        ("local-address", "127.0.0.1".to_owned()),
        ("local-port", dns.port().to_string()),
        ("webserver", "yes".to_owned()),
        ("webserver-address", "127.0.0.1".to_owned()),
        ("webserver-port", api.port().to_string()),
        ("webserver-allow-from", setup.allow_from.to_owned()),
        ("api", yes_no(setup.api).to_owned()),
        ("api-key", KEY.to_owned()),
        // A name that was just made must not stay unknown.
        ("cache-ttl", "0".to_owned()),
        ("query-cache-ttl", "0".to_owned()),
        ("negquery-cache-ttl", "0".to_owned()),
        ("zone-cache-refresh-interval", "0".to_owned()),
        (
            "default-soa-content",
            "ns1.@ hostmaster.@ 0 10800 3600 604800 60".to_owned(),
        ),
    ];
    let settings = settings.map(|(name, value)| format!("--{name}={value}"));
    let mut warden = Command::new("sh")
        .args(["-c", WARDEN, "warden", &show(&dir), &program()])
        .args(settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let log = || fs::read_to_string(dir.join("log")).unwrap_or_default();
    while begun.elapsed() < Duration::from_secs(20) {
        if TcpStream::connect(api).is_ok() && log().contains("ready to distribute questions") {
            return Ok(Server {
                warden,
                dir,
                api,
                dns,
            });
        }
        let said = log();
        if said.contains("Fatal error")
            || said.contains("Unable to bind")
            || said.contains("Exiting")
        {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let said = log();
    drop(warden.stdin.take());
    let _ = warden.wait();
    Err(said)
}

/// The server, where Debian and others put it.
fn program() -> String {
    let known = ["/usr/sbin/pdns_server", "/usr/local/sbin/pdns_server"];
    let found = known.into_iter().find(|path| Path::new(path).exists());
    found.unwrap_or_else(|| panic!("{INSTALL}")).to_owned()
}

fn make_database(path: &Path) {
    let known = [
        "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql",
        "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql",
        "/usr/share/doc/pdns/schema.sqlite3.sql",
    ];
    let schema = known
        .into_iter()
        .find_map(|path| fs::read_to_string(path).ok());
    let schema = schema.unwrap_or_else(|| panic!("{INSTALL}"));
    let database = rusqlite::Connection::open(path).unwrap();
    database.pragma_update(None, "synchronous", 0).unwrap();
    // Its threads have connections of their own, which must not lock each other out.
    let mode: String = database
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    database.execute_batch(&schema).unwrap();
}

/// A port that is free for TCP and UDP.
fn free_port() -> SocketAddr {
    loop {
        let tcp = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = tcp.local_addr().unwrap();
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}

impl Server {
    /// The folder it keeps everything in.
    #[allow(dead_code, reason = "not for the conformance suite")]
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
}
