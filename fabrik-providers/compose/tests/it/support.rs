//! What tests share.

use fabrik_compose::{Document, parse};
use fabrik_core::diagnostic::{Diagnostic, SourceMap};

/// A file that must be readable.
pub(crate) fn read(text: &str) -> Document {
    let mut found = Vec::new();
    let document = parse(text, 0, &mut found);
    assert!(found.is_empty(), "{found:#?}");
    document.expect("it is a document")
}

/// What is said of a file, each with line and column.
pub(crate) fn said(text: &str, found: &[Diagnostic]) -> Vec<String> {
    let mut map = SourceMap::default();
    map.add("compose.yaml", text);
    found
        .iter()
        .map(|one| {
            let place = map.position(one.labels[0].span).expect("a place");
            let help = one.help.join("; ");
            format!(
                "{}:{} {} {} ({help})",
                place.line, place.column, one.code, one.summary
            )
        })
        .collect()
}

/// A stack as an agency has it: short and long forms, variables, anchors.
pub(crate) const STACK: &str = r#"
name: shop
x-usual: &usual
  restart: unless-stopped
  logging: {driver: json-file, options: {max-size: 10m, max-file: 3}}
services:
  web:
    <<: *usual
    image: ghcr.io/acme/web:${TAG:-1.5}
    command: ["serve", "--port", "8000"]
    environment:
      - LEVEL=info
      - DATABASE_URL=postgres://app:${DB_PASSWORD:?set it}@db:5432/app
      - HOSTNAME
    expose: [8000]
    depends_on:
      db: {condition: service_healthy}
    networks:
      front:
      back: {aliases: [api]}
    healthcheck:
      test: [CMD-SHELL, "wget -q -O /dev/null http://localhost:8000/health"]
      interval: 10s
      retries: ${RETRIES:-5}
    deploy:
      replicas: 2
      resources: {limits: {cpus: 0.5, memory: 256m, pids: 100}}
    ulimits: {nofile: {soft: 1024, hard: 4096}, nproc: 65535}
    configs: [{source: conf, target: /etc/web.conf, mode: "0440"}]
    stop_grace_period: 1m30s
    read_only: true
    tmpfs: /tmp
    extra_hosts: ["host.docker.internal:host-gateway"]
  db:
    <<: *usual
    image: postgres:17.5
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: "${DB_PASSWORD}"}
    volumes:
      - data:/var/lib/postgresql/data
      - {type: tmpfs, target: /run, tmpfs: {size: 1048576}}
    networks: [back]
    secrets: [backup_key]
    healthcheck: {test: pg_isready -U app, start_period: 30s}
    deploy: {resources: {limits: {memory: 512m}}}
networks: {front: {}, back: {internal: true}}
volumes: {data: {}}
configs: {conf: {content: "port = $$PORT\nlevel = info\n"}}
secrets: {backup_key: {environment: BACKUP_KEY}}
"#;
