//! Short forms become long ones; mistakes are said where they stand.

use fabrik_compose::{Command, Given, parse, parse_with};

use crate::support::{STACK, read, said};

#[test]
fn a_whole_stack_is_understood() {
    let document = read(STACK);
    let file = &document.file;
    assert_eq!(file.name.as_deref(), Some("shop"));
    let web = &file.services["web"];
    assert_eq!(web.restart.as_deref(), Some("unless-stopped"));
    assert_eq!(
        web.command,
        Some(Command::list(["serve", "--port", "8000"]))
    );
    assert_eq!(web.environment["LEVEL"].as_deref(), Some("info"));
    assert_eq!(web.environment["HOSTNAME"], None);
    assert_eq!(web.expose, ["8000"]);
    assert_eq!(web.networks["back"].aliases, ["api"]);
    assert_eq!(web.tmpfs, ["/tmp"]);
    assert_eq!(web.extra_hosts, ["host.docker.internal=host-gateway"]);
    let health = web.healthcheck.as_ref().unwrap();
    assert_eq!(
        health.retries,
        Some(Given::Text("${RETRIES:-5}".to_owned()))
    );
    let limits = web.limits().unwrap();
    assert_eq!(limits.cpus.as_deref(), Some("0.5"));
    assert_eq!(limits.pids, Some(Given::Is(100)));
    assert_eq!(web.ulimits["nofile"].hard, Some(Given::Is(4096)));
    assert_eq!(web.ulimits["nproc"].soft, Some(Given::Is(65535)));
    let logging = web.logging.as_ref().unwrap();
    assert_eq!(logging.options["max-file"].as_deref(), Some("3"));
    let db = &file.services["db"];
    assert_eq!(db.volumes[0].source.as_deref(), Some("data"));
    assert_eq!(db.volumes[1].kind, "tmpfs");
    assert!(db.networks.contains_key("back"));
    assert_eq!(db.secrets[0].source, "backup_key");
    assert_eq!(file.networks["back"].internal, Some(Given::Is(true)));
}

#[test]
fn variables_are_named_and_filled_in() {
    let wanted = read(STACK).variables();
    let names: Vec<&str> = wanted.keys().map(String::as_str).collect();
    assert_eq!(names, ["DB_PASSWORD", "RETRIES", "TAG"]);
    assert!(wanted["DB_PASSWORD"].is_required);
    assert!(!wanted["TAG"].is_needed);

    let variables = |name: &str| match name {
        "DB_PASSWORD" => Some("p$w".to_owned()),
        "RETRIES" => Some("7".to_owned()),
        _ => None,
    };
    let mut found = Vec::new();
    let filled = parse_with(STACK, 0, &variables, &mut found).unwrap();
    assert!(found.is_empty(), "{found:?}");
    let web = &filled.file.services["web"];
    assert_eq!(web.image.as_deref(), Some("ghcr.io/acme/web:1.5"));
    let url = web.environment["DATABASE_URL"].as_deref();
    assert_eq!(url, Some("postgres://app:p$w@db:5432/app"));
    let retries = web.healthcheck.as_ref().unwrap().retries.clone();
    assert_eq!(retries, Some(Given::Is(7)));
    let content = filled.file.configs["conf"].content.as_deref();
    assert_eq!(content, Some("port = $PORT\nlevel = info\n"));

    let mut found = Vec::new();
    assert!(parse_with(STACK, 0, &|_| None, &mut found).is_none());
    assert_eq!(
        said(STACK, &found),
        [
            "13:9 CMP101 the variable `DB_PASSWORD` must be set: set it (set `DB_PASSWORD`, or put it in `.env`)"
        ]
    );
}

#[test]
fn mistakes_are_said_where_they_stand() {
    let text = "\
services:
  web:
    imge: nginx:1
    ports: [\"80:x\"]
    healthcheck: {interval: 10}
    depends_on: {db: {condition: service_healty}}
    deploy: {resources: {limits: {memory: lots}}}
    volumes: [data]
    command: echo $5
    init: maybe
    networks: 3
  \"a b\": {image: \"x:1\"}
volume: {}
";
    let mut found = Vec::new();
    assert!(parse(text, 0, &mut found).is_none());
    assert_eq!(
        said(text, &found),
        [
            "9:14 CMP101 a `$` begins no variable here (write `${NAME}`, `${NAME:-default}` or `${NAME:?error}`, and `$$` for a dollar sign)",
            "3:5 FAB1003 unknown key `imge` in a service (did you mean `image`?)",
            "4:13 FAB1006 `80:x` is no port: `x` is no number between 1 and 65535 (write `CONTAINER`, `HOST:CONTAINER` or `IP:HOST:CONTAINER`, possibly with `/udp`)",
            "5:29 FAB1006 `interval` is no length of time: `10` (write it like `30s` or `1m30s`)",
            "6:34 FAB1006 `condition` cannot be `service_healty` (did you mean `service_healthy`?)",
            "7:43 FAB1006 `memory` is no amount of memory: `lots` (write it like `512m` or `1g`)",
            "8:15 FAB1006 `data` is no mount: the path inside, `data`, does not begin with `/` (write `VOLUME:/PATH`, `./FOLDER:/PATH` or `VOLUME:/PATH:ro`)",
            "10:11 FAB1004 `init` must be `true` or `false`, not text ()",
            "11:15 FAB1004 `networks` must be a map or a list of names, not a number ()",
            "12:3 FAB1006 `a b` is no name (names have letters, digits, `.`, `_` and `-`)",
            "13:1 FAB1003 unknown key `volume` in the file (did you mean `volumes`?)",
        ]
    );
}

#[test]
fn what_is_no_compose_file_is_said() {
    for (text, want) in [
        ("", "the file is empty"),
        ("name: x", "`services` is missing"),
        ("- a", "a Compose file must be a map, not a list"),
        ("services: [a]", "`services` must be a map, not a list"),
        ("services: {web: text}", "`web` must be a map, not text"),
        ("services: {", ""),
    ] {
        let mut found = Vec::new();
        assert!(parse(text, 0, &mut found).is_none(), "{text}");
        assert!(found[0].summary.contains(want), "{text}: {found:?}");
        let of_specs = found
            .iter()
            .any(|one| one.help.iter().any(|help| help.contains("spec")));
        assert!(!of_specs, "{found:?}");
    }
}
