//! Between a spec and Coolify's fields.

use fabrik_core::secrets::Secret;
use serde_json::{Map, Value as Json, json};

use super::spec::{
    ApplicationOutputs, ApplicationSpec, BasicAuth, Build, Git, Health, Hook, Limits, Method, Pack,
    Redirect, Settings,
};
use crate::body::{Body, decode, encode, flag, is_shown, number, text, unmarked, uuid};
use crate::client::Row;

/// Name and tag of an image, as Coolify keeps them: a digest is a tag of `NAME@sha256`.
pub(super) fn image_parts(image: &str) -> (String, String) {
    if let Some((name, digest)) = image.split_once("@sha256:") {
        let slash = name.rfind('/').map_or(0, |at| at + 1);
        let name = name[slash..]
            .find(':')
            .map_or(name, |at| &name[..slash + at]);
        return (format!("{name}@sha256"), digest.to_owned());
    }
    let slash = image.rfind('/').map_or(0, |at| at + 1);
    match image[slash..].find(':') {
        Some(at) => (
            image[..slash + at].to_owned(),
            image[slash + at + 1..].to_owned(),
        ),
        None => (image.to_owned(), "latest".to_owned()),
    }
}

/// An image in one text.
pub(super) fn image_text(name: &str, tag: Option<&str>) -> String {
    let tag = tag.unwrap_or("latest");
    format!("{name}:{tag}")
}

/// Repositories in one spelling: Coolify keeps those on GitHub as `owner/name`.
pub(super) fn repository(text: &str) -> String {
    let text = text.trim().trim_end_matches('/');
    let is_short = !text.contains("://") && !text.contains('@') && text.matches('/').count() == 1;
    if is_short {
        let text = text.strip_suffix(".git").unwrap_or(text);
        return format!("https://github.com/{text}");
    }
    match text.strip_prefix("https://github.com/") {
        Some(rest) => format!(
            "https://github.com/{}",
            rest.strip_suffix(".git").unwrap_or(rest)
        ),
        None => text.to_owned(),
    }
}

/// A URL with its host in lower case, without a lone slash at its end.
pub(crate) fn domain(text: &str) -> String {
    let text = text.trim();
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, ""), |(host, path)| (host, path));
    let path = if path.is_empty() {
        String::new()
    } else {
        format!("/{path}")
    };
    format!("{}://{}{path}", scheme.to_lowercase(), host.to_lowercase())
}

/// A list with commas between.
pub(crate) fn list(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What both creating and changing send.
pub(super) fn body(spec: &ApplicationSpec) -> Body {
    let mut body = Body::default();
    body.set("name", spec.name.trim());
    if let Some(image) = &spec.image {
        let (name, tag) = image_parts(image);
        body.set("docker_registry_image_name", name);
        body.set("docker_registry_image_tag", tag);
    }
    if let Some(git) = &spec.git {
        body.set("git_repository", repository(&git.repository));
        body.set("git_branch", git.branch.trim());
        body.some("git_commit_sha", git.commit.as_deref());
    }
    if let Some(build) = &spec.build {
        body.some("build_pack", build.pack);
        body.some("base_directory", build.base_directory.as_deref());
        body.some("publish_directory", build.publish_directory.as_deref());
        body.some("dockerfile_location", build.dockerfile.as_deref());
        body.some("dockerfile_target_build", build.target.as_deref());
        body.some("install_command", build.install.as_deref());
        body.some("build_command", build.command.as_deref());
        body.some("start_command", build.start.as_deref());
        body.some("watch_paths", build.watch.as_deref());
    }
    if let Some(ports) = &spec.ports {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        body.set("ports_exposes", ports.join(","));
    }
    if !spec.publish.is_empty() {
        body.set("ports_mappings", spec.publish.join(","));
    }
    if let Some(domains) = spec.domains.as_ref().filter(|domains| !domains.is_empty()) {
        let domains: Vec<String> = domains.iter().map(|text| domain(text)).collect();
        body.set("domains", domains.join(","));
    }
    body.some("redirect", spec.redirect);
    if let Some(health) = &spec.health {
        health_body(health, &mut body);
    }
    if let Some(limits) = &spec.limits {
        body.some("limits_memory", limits.memory.as_deref());
        body.some("limits_memory_swap", limits.memory_swap.as_deref());
        body.some(
            "limits_memory_reservation",
            limits.memory_reservation.as_deref(),
        );
        body.some("limits_cpus", limits.cpus.as_deref());
        body.some("limits_cpuset", limits.cpuset.as_deref());
        body.some("limits_cpu_shares", limits.cpu_shares);
    }
    if let Some(settings) = &spec.settings {
        for (field, value) in settings_body(settings) {
            body.some(field, value);
        }
    }
    if let Some(labels) = &spec.labels {
        body.set("custom_labels", encode(&labels.join("\n")));
    }
    body.some("custom_docker_run_options", spec.docker_options.as_deref());
    if !spec.network_aliases.is_empty() {
        body.set("custom_network_aliases", spec.network_aliases.join(","));
    }
    for (hook, field) in [
        (&spec.pre_deploy, "pre_deployment_command"),
        (&spec.post_deploy, "post_deployment_command"),
    ] {
        if let Some(hook) = hook {
            body.set(field, hook.command.trim());
            body.some(&format!("{field}_container"), hook.container.as_deref());
        }
    }
    if let Some(auth) = &spec.basic_auth {
        body.set("is_http_basic_auth_enabled", true);
        body.set("http_basic_auth_username", auth.username.trim());
        body.set("http_basic_auth_password", auth.password.expose());
    }
    body.some("max_restart_count", spec.max_restart_count);
    body
}

fn health_body(health: &Health, body: &mut Body) {
    body.set("health_check_enabled", true);
    body.set(
        "health_check_type",
        if health.command.is_some() {
            "cmd"
        } else {
            "http"
        },
    );
    body.some("health_check_command", health.command.as_deref());
    body.set("health_check_path", &health.path);
    body.some(
        "health_check_port",
        health.port.map(|port| port.to_string()),
    );
    body.set("health_check_host", &health.host);
    body.set("health_check_method", health.method);
    body.set("health_check_return_code", health.status);
    body.some("health_check_response_text", health.body.as_deref());
    body.set("health_check_interval", health.interval);
    body.set("health_check_timeout", health.timeout);
    body.set("health_check_retries", health.retries);
    body.set("health_check_start_period", health.start_period);
}

/// Request fields of the settings; the build server is stored under another name.
fn settings_body(settings: &Settings) -> Vec<(&'static str, Option<Json>)> {
    let flag = |value: Option<bool>| value.map(Json::Bool);
    let count = |value: Option<u32>| value.map(|value| json!(value));
    vec![
        ("is_auto_deploy_enabled", flag(settings.auto_deploy)),
        ("is_force_https_enabled", flag(settings.force_https)),
        ("is_static", flag(settings.static_site)),
        ("is_spa", flag(settings.spa)),
        ("use_build_server", flag(settings.build_server)),
        (
            "connect_to_docker_network",
            flag(settings.predefined_network),
        ),
        (
            "is_container_label_escape_enabled",
            flag(settings.escape_labels),
        ),
        (
            "disable_build_cache",
            flag(settings.build_cache.map(|on| !on)),
        ),
        ("use_build_secrets", flag(settings.build_secrets)),
        (
            "is_preview_deployments_enabled",
            flag(settings.preview_deployments),
        ),
        ("is_git_submodules_enabled", flag(settings.git_submodules)),
        ("is_git_lfs_enabled", flag(settings.git_lfs)),
        ("is_git_shallow_clone_enabled", flag(settings.git_shallow)),
        ("is_gzip_enabled", flag(settings.gzip)),
        ("is_stripprefix_enabled", flag(settings.strip_prefix)),
        ("docker_images_to_keep", count(settings.images_to_keep)),
        ("stop_grace_period", count(settings.stop_grace_period)),
        (
            "is_consistent_container_name_enabled",
            flag(settings.consistent_container_name),
        ),
    ]
}

fn settings_of(row: &Row) -> Settings {
    Settings {
        auto_deploy: flag(row, "is_auto_deploy_enabled"),
        force_https: flag(row, "is_force_https_enabled"),
        static_site: flag(row, "is_static"),
        spa: flag(row, "is_spa"),
        build_server: flag(row, "is_build_server_enabled"),
        predefined_network: flag(row, "connect_to_docker_network"),
        escape_labels: flag(row, "is_container_label_escape_enabled"),
        build_cache: flag(row, "disable_build_cache").map(|off| !off),
        build_secrets: flag(row, "use_build_secrets"),
        preview_deployments: flag(row, "is_preview_deployments_enabled"),
        git_submodules: flag(row, "is_git_submodules_enabled"),
        git_lfs: flag(row, "is_git_lfs_enabled"),
        git_shallow: flag(row, "is_git_shallow_clone_enabled"),
        gzip: flag(row, "is_gzip_enabled"),
        strip_prefix: flag(row, "is_stripprefix_enabled"),
        images_to_keep: number(row, "docker_images_to_keep"),
        stop_grace_period: number(row, "stop_grace_period"),
        consistent_container_name: flag(row, "is_consistent_container_name_enabled"),
    }
}

/// What Coolify has where a field was never set, so that unsetting goes back to it.
pub(super) fn reset(field: &str) -> Option<Json> {
    Some(match field {
        "base_directory" => json!("/"),
        "dockerfile_location" => json!("/Dockerfile"),
        "git_commit_sha" => json!("HEAD"),
        "health_check_enabled" | "is_http_basic_auth_enabled" => json!(false),
        "limits_memory" | "limits_memory_swap" | "limits_memory_reservation" | "limits_cpus" => {
            json!("0")
        }
        "limits_cpu_shares" => json!(1024),
        "health_check_command"
        | "health_check_port"
        | "health_check_response_text"
        | "ports_mappings"
        | "custom_docker_run_options"
        | "custom_network_aliases"
        | "publish_directory"
        | "dockerfile_target_build"
        | "install_command"
        | "build_command"
        | "start_command"
        | "watch_paths"
        | "limits_cpuset"
        | "pre_deployment_command"
        | "pre_deployment_command_container"
        | "post_deployment_command"
        | "post_deployment_command_container" => Json::Null,
        // Everything else stays as it is.
        _ => return None,
    })
}

/// An application as Coolify shows it, and the fields it does not show.
pub(super) fn observe(row: &Row) -> (ApplicationSpec, Vec<&'static str>) {
    let mut hidden = vec!["destination", "force_domains", "delete_volumes"];
    let pack = text(row, "build_pack").unwrap_or_default();
    let image = text(row, "docker_registry_image_name");
    let is_image = pack == "dockerimage";
    let dockerfile = text(row, "dockerfile");
    // Without the ability to read secrets a Dockerfile looks like a repository that builds with one.
    let shows_secrets = row.contains_key("dockerfile");
    let mut git = None;
    if !is_image && dockerfile.is_none() {
        if shows_secrets {
            git = Some(git_of(row));
            hidden.extend(["git.deploy_key", "git.github_app"]);
        } else {
            hidden.extend(["dockerfile", "git"]);
        }
    }
    let settings = row
        .get("settings")
        .and_then(Json::as_object)
        .map(settings_of);
    if settings.is_none() {
        hidden.push("settings");
    }
    let labels = text(row, "custom_labels").map(|text| decode(&text));
    if labels.is_none() {
        hidden.push("labels");
    }
    if !is_shown(row, "http_basic_auth_password") {
        hidden.push("basic_auth.password");
    }
    let spec = ApplicationSpec {
        name: text(row, "name").unwrap_or_default(),
        description: unmarked(row).0,
        image: image
            .filter(|_| is_image)
            .map(|name| image_text(&name, text(row, "docker_registry_image_tag").as_deref())),
        git,
        dockerfile,
        build: build_of(row, &pack),
        ports: text(row, "ports_exposes").map(|text| {
            list(Some(text))
                .iter()
                .filter_map(|port| port.parse().ok())
                .collect()
        }),
        publish: list(text(row, "ports_mappings")),
        domains: Some(urls(row)),
        redirect: text(row, "redirect")
            .and_then(|word| serde_json::from_value::<Redirect>(json!(word)).ok()),
        health: flag(row, "health_check_enabled")
            .unwrap_or_default()
            .then(|| health_of(row)),
        limits: limits_of(row),
        settings,
        labels: labels.map(|text| {
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect()
        }),
        docker_options: text(row, "custom_docker_run_options"),
        network_aliases: list(text(row, "custom_network_aliases")),
        pre_deploy: hook(row, "pre_deployment_command"),
        post_deploy: hook(row, "post_deployment_command"),
        basic_auth: flag(row, "is_http_basic_auth_enabled")
            .unwrap_or_default()
            .then(|| BasicAuth {
                username: text(row, "http_basic_auth_username").unwrap_or_default(),
                password: Secret::from(text(row, "http_basic_auth_password").unwrap_or_default()),
            }),
        max_restart_count: number(row, "max_restart_count"),
        ..ApplicationSpec::default()
    };
    (spec, hidden)
}

fn git_of(row: &Row) -> Git {
    Git {
        repository: repository(&text(row, "git_repository").unwrap_or_default()),
        branch: text(row, "git_branch").unwrap_or_default(),
        commit: text(row, "git_commit_sha").filter(|commit| commit != "HEAD"),
        ..Git::default()
    }
}

fn build_of(row: &Row, pack: &str) -> Option<Build> {
    let build = Build {
        pack: serde_json::from_value::<Pack>(json!(pack)).ok(),
        base_directory: text(row, "base_directory").filter(|path| path != "/"),
        publish_directory: text(row, "publish_directory"),
        dockerfile: text(row, "dockerfile_location").filter(|path| path != "/Dockerfile"),
        target: text(row, "dockerfile_target_build"),
        install: text(row, "install_command"),
        command: text(row, "build_command"),
        start: text(row, "start_command"),
        watch: text(row, "watch_paths"),
    };
    (build != Build::default()).then_some(build)
}

fn health_of(row: &Row) -> Health {
    let by_command = text(row, "health_check_type").as_deref() == Some("cmd");
    Health {
        command: text(row, "health_check_command").filter(|_| by_command),
        path: text(row, "health_check_path").unwrap_or_else(|| "/".to_owned()),
        port: number(row, "health_check_port"),
        host: text(row, "health_check_host").unwrap_or_else(|| "localhost".to_owned()),
        method: text(row, "health_check_method")
            .and_then(|word| serde_json::from_value::<Method>(json!(word)).ok())
            .unwrap_or_default(),
        status: number(row, "health_check_return_code").unwrap_or(200),
        body: text(row, "health_check_response_text"),
        interval: number(row, "health_check_interval").unwrap_or(5),
        timeout: number(row, "health_check_timeout").unwrap_or(5),
        retries: number(row, "health_check_retries").unwrap_or(10),
        start_period: number(row, "health_check_start_period").unwrap_or(5),
    }
}

pub(crate) fn limits_of(row: &Row) -> Option<Limits> {
    let set = |field: &str| text(row, field).filter(|text| text != "0");
    let limits = Limits {
        memory: set("limits_memory"),
        memory_swap: set("limits_memory_swap"),
        memory_reservation: set("limits_memory_reservation"),
        cpus: set("limits_cpus"),
        cpuset: set("limits_cpuset"),
        cpu_shares: number(row, "limits_cpu_shares").filter(|shares| *shares != 1024),
    };
    (limits != Limits::default()).then_some(limits)
}

fn hook(row: &Row, field: &str) -> Option<Hook> {
    Some(Hook {
        command: text(row, field)?,
        container: text(row, &format!("{field}_container")),
    })
}

fn urls(row: &Row) -> Vec<String> {
    list(text(row, "fqdn"))
        .iter()
        .map(|text| domain(text))
        .collect()
}

pub(super) fn outputs(row: &Row) -> ApplicationOutputs {
    let addresses = urls(row);
    ApplicationOutputs {
        uuid: uuid(row),
        url: addresses
            .first()
            .map(|url| url.trim_end_matches('/').to_owned()),
        addresses,
    }
}

/// What `there` would have been sent as, for finding out what differs.
pub(super) fn body_of(there: &Row) -> Body {
    let (mut spec, hidden) = observe(there);
    if hidden.contains(&"settings") {
        spec.settings = None;
    }
    let mut body = body(&spec);
    if hidden.contains(&"labels") {
        body.0.remove("custom_labels");
    }
    if hidden.contains(&"basic_auth.password") {
        body.0.remove("http_basic_auth_password");
    }
    if spec.git.is_none() {
        body.0.retain(|field, _| !field.starts_with("git_"));
    }
    // What is not on is off, and what is not limited is not.
    let mut full = Map::new();
    for field in ["health_check_enabled", "is_http_basic_auth_enabled"] {
        full.insert(field.to_owned(), json!(false));
    }
    for field in [
        "base_directory",
        "dockerfile_location",
        "git_commit_sha",
        "limits_memory",
        "limits_memory_swap",
        "limits_memory_reservation",
        "limits_cpus",
        "limits_cpu_shares",
    ] {
        full.insert(field.to_owned(), reset(field).unwrap_or_default());
    }
    full.extend(body.0);
    Body(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_told_apart_as_coolify_does() {
        for (text, name, tag) in [
            ("nginx", "nginx", "latest"),
            ("nginx:1.27", "nginx", "1.27"),
            ("localhost:5000/a/b", "localhost:5000/a/b", "latest"),
            ("localhost:5000/a/b:2", "localhost:5000/a/b", "2"),
            ("ghcr.io/a/b@sha256:00ff", "ghcr.io/a/b@sha256", "00ff"),
            ("ghcr.io/a/b:1@sha256:00ff", "ghcr.io/a/b@sha256", "00ff"),
        ] {
            assert_eq!(
                image_parts(text),
                (name.to_owned(), tag.to_owned()),
                "{text}"
            );
        }
        assert_eq!(image_text("nginx", None), "nginx:latest");
        assert_eq!(
            image_text("ghcr.io/a/b@sha256", Some("00ff")),
            "ghcr.io/a/b@sha256:00ff"
        );
    }

    #[test]
    fn repositories_and_domains_have_one_spelling() {
        for text in [
            "acme/api",
            "https://github.com/acme/api",
            "https://github.com/acme/api.git",
            "https://github.com/acme/api/",
        ] {
            assert_eq!(repository(text), "https://github.com/acme/api");
        }
        assert_eq!(
            repository("git@github.com:acme/api.git"),
            "git@github.com:acme/api.git"
        );
        assert_eq!(
            repository("https://git.acme.test/a/b.git"),
            "https://git.acme.test/a/b.git"
        );
        assert_eq!(
            domain("https://API.Example.com/"),
            "https://api.example.com"
        );
        assert_eq!(domain("http://a.test:8080/Path"), "http://a.test:8080/Path");
    }
}
