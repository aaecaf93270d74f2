//! App kinds of the spec language: [`Service`], [`Worker`], [`Cron`], [`Static`] and [`Database`]
//! (`kind: service` and so on).
//!
//! A kind turns its block into parts by asking players of roles; it names no provider. What it
//! asks of them is a contract for provider authors, given below and, as JSON Schema, by
//! [`intent`] and [`outputs`].
//!
//! # The `runtime` intent, version 1
//!
//! A map. `kind` and `name` are always there; of all other fields only those that the spec sets,
//! so that a player can refuse what it cannot honour ([`Player::cannot`](crate::role::Player)):
//! an absent field means "as you see fit". Values may be expressions wherever a scalar stands.
//!
//! | field | form | meaning |
//! | --- | --- | --- |
//! | `kind` | `service`, `worker`, `cron`, `static`, `wordpress` | what to run: a program that answers, one that does not, one that runs at times and ends, files to serve, or a WordPress with its database; a player says which it can ([`Player::runs`](crate::role::Player::runs)) |
//! | `name` | letters, digits, `-` | the app's name, usable as host label and container name |
//! | `source` | `{path}` or `{repo, branch, tag, commit, path, auto_deploy}` | a local folder (relative to the spec's file), or a git repository and a folder in it |
//! | `image` | text | a container image to run; never together with `source` |
//! | `build` | `{pack, dockerfile, context, target, args, secrets, install, command, output}` | how the source becomes something to run; `secrets` maps names to references, `install` and `command` are commands |
//! | `command` | list, or text | what to start: a program and its arguments, or a line for `/bin/sh -c` |
//! | `port` | 1–65535 | the port the program listens on; without it the runtime chooses and tells in `PORT` |
//! | `domains` | list of `{name, path}` | host names it answers at, the main one first; `path` limits it to paths below |
//! | `redirects` | list of `{from, to, status}` | `from` a host name or path, `to` a host name, path or URL |
//! | `tls` | `{enabled, redirect_http, min_version}` | TLS at the edge |
//! | `env` | map of texts | environment of the program; secrets are references to `secrets.NAME` |
//! | `health` | `{enabled, path, port, method, status, body, command, interval, timeout, retries, start_period}` | when it counts as working; `status` is a list of numbers |
//! | `limits` | `{cpu, memory, disk}` | most it may use: cores, and bytes as `512Mi` |
//! | `replicas` | number | how many of it; 0 stops it |
//! | `volumes` | list of `{name or source, path, size, read_only}` | what outlives a deployment, or a folder of the host |
//! | `files` | list of `{path, content, mode}` | files put where the program runs |
//! | `hooks` | `{pre_build, pre_deploy, post_deploy, failed}` | commands run at that moment |
//! | `strategy` | `{type}`: `rolling`, `recreate`, `blue_green` | how a new version takes over |
//! | `stop` | `{grace, drain, signal}` | how the old one is ended |
//! | `schedule` | five cron fields | cron: when it runs |
//! | `timezone` | `Europe/Berlin` | cron: the time zone of the schedule |
//! | `spa` | truth value | static: paths without a file give `index.html` |
//! | `not_found` | text | static: the page for paths without a file |
//! | `headers` | map of path patterns to maps of headers | static: headers to send, `/*` for all paths |
//! | `wordpress` | `{title, language, version, php, admin: {login, email, password}}` | wordpress: what the installation begins with; the password is a secret |
//! | `database` | `{engine, version}` | wordpress: `mariadb`, `mysql` or `sqlite`, which the runtime brings along |
//!
//! Durations are texts such as `30s`; commands are lists or texts as `command` is.
//!
//! # The `runtime` outputs, version 1
//!
//! | output | meaning |
//! | --- | --- |
//! | `url` | where the app answers, without a `/` at the end; absent for what does not answer |
//! | `host`, `port` | where it answers, singly, where that is known |
//! | `ingress` | what DNS records of the domains must point at: an address or a host name |
//! | `ingress_kind` | `address` or `host`: needed where `ingress` is an expression and no address |
//! | `exec` | how to run a command inside: left to the two that agree on it; for `kind: wordpress` the configuration of the `wordpress` provider that reaches it (`path`, `wp`, `container`, `ssh`) |
//! | `logs` | the address of the part whose logs are the app's |
//! | `version` | what identifies the version that runs, usually a reference into a part; the spec's `image`, `commit`, `tag` or `branch` unless given |
//!
//! # What is backed up
//!
//! The `what` of a `backup` intent is a map with `kind`. For `kind: database` it has `engine`,
//! `name`, and as far as the database's player gives them, `id` and `url`. For `kind: volumes` it has
//! `app` (the app's name) and `volumes` (a list as in the runtime's intent), and `id` as the
//! runtime's player gives it. For `kind: wordpress` it has `app`, and `id` likewise: files and
//! database together.
//!
//! Other roles are described by [`intent`] and [`outputs`].

mod backup;
mod common;
mod cron;
mod database;
mod editor;
mod fields;
mod intent;
mod normalise;
mod schedule;
mod schema;
mod service;
mod shared;
mod site;
mod web;
mod worker;

#[cfg(test)]
mod testing;

use std::sync::Arc;

use crate::role::Component;

pub use cron::Cron;
pub use database::Database;
pub use editor::editor_schema;
pub use intent::{intent, outputs};
pub use service::Service;
pub use shared::{app_name, normalise_web, play_web, watch_web, web_fields, web_shorthands};
pub use site::Static;
pub use web::url_at;
pub use worker::Worker;

/// The kinds of the core.
pub fn all() -> Vec<Arc<dyn Component>> {
    vec![
        Arc::new(Service),
        Arc::new(Worker),
        Arc::new(Cron),
        Arc::new(Static),
        Arc::new(Database),
    ]
}
