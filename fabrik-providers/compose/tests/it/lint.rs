//! Each rule, where it applies and where it does not.

use fabrik_compose::{diagnose, explain, lint, pages};
use fabrik_core::diagnostic::Severity;

use crate::support::{STACK, read, said};

/// Codes and places of what is found.
fn found(text: &str) -> Vec<String> {
    lint(&read(text).file)
        .iter()
        .map(|one| format!("{} {}", one.code, one.path))
        .collect()
}

/// A service that nothing is to be said of, and more.
fn with(more: &str) -> String {
    format!(
        "services:
  web:
    image: acme/web:1
    restart: always
    healthcheck: {{test: [CMD, ok]}}
    deploy: {{resources: {{limits: {{memory: 64m}}}}}}
{more}"
    )
}

#[test]
fn a_good_stack_has_nothing_to_mend() {
    assert_eq!(found(STACK), Vec::<String>::new());
    assert_eq!(found(&with("")), Vec::<String>::new());
}

#[test]
fn each_rule_has_a_page_and_a_case() {
    let cases: Vec<(&str, String, &str)> = vec![
        (
            pages::UNDEFINED,
            with("    volumes: [\"data:/data\"]"),
            "services.web.volumes[0]",
        ),
        (
            pages::UNDEFINED,
            with("    networks: [back]"),
            "services.web.networks.back",
        ),
        (
            pages::UNDEFINED,
            with("    secrets: [key]"),
            "services.web.secrets[0]",
        ),
        (
            pages::UNDEFINED,
            with("    depends_on: [db]"),
            "services.web.depends_on.db",
        ),
        (
            pages::NOTHING_TO_RUN,
            with("").replace("image: acme/web:1", "user: me"),
            "services.web",
        ),
        (
            pages::HEALTH,
            with("").replace("[CMD, ok]", "[NONE]"),
            "services.web",
        ),
        (
            pages::LIMITS,
            with("").replace("memory: 64m", "cpus: 1"),
            "services.web",
        ),
        (
            pages::HOST_PORT,
            with("    ports: [\"8080:80\"]"),
            "services.web.ports[0]",
        ),
        (
            pages::RESTART,
            with("").replace("restart: always", "user: me"),
            "services.web",
        ),
        (
            pages::NETWORK,
            with("    network_mode: host"),
            "services.web.network_mode",
        ),
        (
            pages::LATEST,
            with("").replace("web:1", "web"),
            "services.web.image",
        ),
        (
            pages::LATEST,
            with("").replace("web:1", "web:latest"),
            "services.web.image",
        ),
        (
            pages::SECRET,
            with("    environment: {DB_PASSWORD: hunter2}"),
            "services.web.environment.DB_PASSWORD",
        ),
        (
            pages::SECRET,
            with("    environment: {API_KEY: \"${API_KEY:-abc}\"}"),
            "services.web.environment.API_KEY",
        ),
        (
            pages::SECRET,
            with("    environment: {DSN: \"postgres://a:b@db/x\"}"),
            "services.web.environment.DSN",
        ),
        (
            pages::OBSOLETE,
            format!("version: \"3\"\n{}", with("")),
            "version",
        ),
        (
            pages::CONTAINER_NAME,
            with("    container_name: web"),
            "services.web.container_name",
        ),
        (
            pages::PRIVILEGED,
            with("    privileged: true"),
            "services.web.privileged",
        ),
        (
            pages::PRIVILEGED,
            with("    cap_add: [SYS_ADMIN]"),
            "services.web.cap_add[0]",
        ),
        (
            pages::PRIVILEGED,
            with("    volumes: [\"/var/run/docker.sock:/s\"]"),
            "services.web.volumes[0]",
        ),
        (
            pages::RELATIVE,
            with("    volumes: [\"./x:/x\"]"),
            "services.web.volumes[0]",
        ),
        (
            pages::ENV_FILE,
            with("    env_file: .env"),
            "services.web.env_file[0]",
        ),
        (
            pages::ODD_PATH,
            with("    volumes: [\"/a;b:/x\"]"),
            "services.web.volumes[0]",
        ),
        (
            pages::UNUSED,
            format!("{}\nvolumes: {{old: {{}}}}", with("")),
            "volumes.old",
        ),
        (
            pages::HEALTH_PROGRAM,
            with("")
                .replace("web:1", "web:1-alpine")
                .replace("[CMD, ok]", "[CMD, curl, x]"),
            "services.web.healthcheck",
        ),
        (
            pages::MAGIC,
            with("    environment: [SERVICE_FQND_WEB]"),
            "services.web.environment.SERVICE_FQND_WEB",
        ),
    ];
    for (code, text, path) in &cases {
        assert_eq!(found(text), [format!("{code} {path}")], "{text}");
        assert!(explain(code).is_some(), "{code}");
    }
    // The rest have tests of their own.
    let others = [
        pages::VARIABLE,
        pages::CYCLE,
        pages::TWICE,
        pages::NOT_READY,
    ];
    for page in pages::PAGES {
        let has_case = cases.iter().any(|(code, ..)| *code == page.code);
        assert!(
            has_case || others.contains(&page.code),
            "{} has no case",
            page.code
        );
    }
}

#[test]
fn what_only_looks_wrong_is_left_alone() {
    for more in [
        "    environment: {DB_PASSWORD: \"${DB_PASSWORD:?}\", PASSWORD_FILE: /run/x, TOKEN_TTL: 5m, ALLOW_EMPTY_PASSWORD: \"yes\"}",
        "    environment: {URL: \"postgres://app:${P}@db/x\", SITE: \"https://example.com:8080/a@b\"}",
        "    ports: [\"127.0.0.1:8080:80\"]",
        "    volumes: [\"/srv/data:/data\"]",
        "    environment: [SERVICE_FQDN_WEB, SERVICE_PASSWORD_64_DB]",
    ] {
        assert_eq!(found(&with(more)), Vec::<String>::new(), "{more}");
    }
    let digest = with("").replace("acme/web:1", "acme/web@sha256:0123");
    assert_eq!(found(&digest), Vec::<String>::new());
    let by_variable = with("").replace("acme/web:1", "${IMAGE}");
    assert_eq!(found(&by_variable), Vec::<String>::new());
    // What runs once needs neither a health check nor to be started again.
    let job = with("")
        .replace("restart: always", "restart: \"no\"")
        .replace("[CMD, ok]", "[NONE]");
    assert_eq!(found(&job), Vec::<String>::new());
}

#[test]
fn services_among_each_other() {
    let two = |first: &str, second: &str| {
        let service = |name: &str, more: &str| {
            format!(
                "  {name}:\n    image: x:1\n    restart: always\n    networks: [n]\n    healthcheck: {{test: [CMD, ok]}}\n    mem_limit: 64m\n{more}"
            )
        };
        format!(
            "services:\n{}{}networks: {{n: {{}}}}\n",
            service("a", first),
            service("b", second)
        )
    };
    assert_eq!(found(&two("", "")), Vec::<String>::new());
    let circle = two(
        "    depends_on: {b: {condition: service_healthy}}\n",
        "    depends_on: {a: {condition: service_healthy}}\n",
    );
    assert_eq!(found(&circle), ["CMP104 services.a.depends_on"]);
    let said = lint(&read(&circle).file)[0].message.clone();
    assert_eq!(said, "services wait for each other: `a` → `b` → `a`");
    let ports = two(
        "    ports: [\"127.0.0.1:80:1\"]\n",
        "    ports: [\"127.0.0.1:80:2\"]\n",
    );
    assert_eq!(found(&ports), ["CMP105 services.b.ports[0]"]);
    let early = two("", "    depends_on: [a]\n");
    assert_eq!(found(&early), ["CMP213 services.b.depends_on.a"]);
    let default = two("", "")
        .replace("    networks: [n]\n", "")
        .replace("networks: {n: {}}\n", "");
    assert_eq!(found(&default), ["CMP205 services.a", "CMP205 services.b"]);
}

#[test]
fn findings_have_places_and_repeat_no_secret() {
    let text = with(
        "    environment:\n      LEVEL: info\n      API_TOKEN: s3cr3t-value\n    volumes: [\"dta:/data\"]\nvolumes: {data: {}}\n",
    );
    let document = read(&text);
    let found = diagnose(&document);
    assert_eq!(found[0].severity, Severity::Error);
    let said = said(&text, &found);
    assert_eq!(
        said[0],
        "10:15 CMP102 there is no volume `dta` (did you mean `data`?)"
    );
    assert!(
        said[1].starts_with("9:7 CMP207 the value of `API_TOKEN`"),
        "{said:?}"
    );
    assert!(said[2].starts_with("11:11 CMP215"), "{said:?}");
    assert!(!format!("{found:?}").contains("s3cr3t"));
}
