//! Names that parts of a file use of each other.

use std::collections::BTreeMap;

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::value::Path;

use super::{Findings, item, service_path};
use crate::interpolate::has_variables;
use crate::model::{File, Service};
use crate::pages;

/// Every use of a defined thing in a service: what kind, its name, where.
fn uses(name: &str, service: &Service) -> Vec<(&'static str, String, Path)> {
    let at = service_path(name);
    let mut found = Vec::new();
    for (index, mount) in service.volumes.iter().enumerate() {
        if let Some(source) = mount.source.as_ref().filter(|_| mount.kind == "volume") {
            let path = item(&at.join("volumes"), index);
            found.push(("volumes", source.clone(), path));
        }
    }
    for network in service.networks.keys().filter(|name| *name != "default") {
        found.push((
            "networks",
            network.clone(),
            at.join("networks").join(network.as_str()),
        ));
    }
    for (field, uses) in [("secrets", &service.secrets), ("configs", &service.configs)] {
        for (index, one) in uses.iter().enumerate() {
            found.push((field, one.source.clone(), item(&at.join(field), index)));
        }
    }
    for (index, one) in service
        .build
        .iter()
        .flat_map(|build| &build.secrets)
        .enumerate()
    {
        let path = item(&at.join("build").join("secrets"), index);
        found.push(("secrets", one.source.clone(), path));
    }
    for other in service.depends_on.keys() {
        found.push((
            "services",
            other.clone(),
            at.join("depends_on").join(other.as_str()),
        ));
    }
    found
}

fn defined<'a>(file: &'a File, kind: &str) -> Vec<&'a str> {
    fn keys<T>(map: &BTreeMap<String, T>) -> Vec<&str> {
        map.keys().map(String::as_str).collect()
    }
    match kind {
        "volumes" => keys(&file.volumes),
        "networks" => keys(&file.networks),
        "secrets" => keys(&file.secrets),
        "configs" => keys(&file.configs),
        _ => keys(&file.services),
    }
}

pub(super) fn check(file: &File, found: &mut Findings) {
    // What is included may define anything.
    let is_whole = !file.other.contains_key("include");
    for (name, service) in &file.services {
        for (kind, target, path) in uses(name, service) {
            let known = defined(file, kind);
            if known.contains(&target.as_str()) || has_variables(&target) || !is_whole {
                continue;
            }
            let one = kind.trim_end_matches('s');
            let hint = match did_you_mean(&target, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if kind == "services" => format!("services here: {}", known.join(", ")),
                None => format!("define it: `{kind}: {{{target}: {{}}}}`"),
            };
            let message = format!("there is no {one} `{target}`");
            found.error(pages::UNDEFINED, path, message, hint);
        }
        let builds = service.build.is_some() || service.other.contains_key("provider");
        if service.image.is_none() && !builds && !service.other.contains_key("extends") {
            let message = format!("the service `{name}` has neither `image` nor `build`");
            let hint = "add `image:` with a tag, or `build:` with a folder";
            found.error(pages::NOTHING_TO_RUN, service_path(name), message, hint);
        }
    }
    cycles(file, found);
    twice(file, found);
}

/// Each circle once, at its first service.
fn cycles(file: &File, found: &mut Findings) {
    let mut done: Vec<&str> = Vec::new();
    for name in file.services.keys() {
        let mut path: Vec<&str> = Vec::new();
        walk(file, name, &mut path, &mut done, found);
    }
}

fn walk<'a>(
    file: &'a File,
    name: &'a str,
    path: &mut Vec<&'a str>,
    done: &mut Vec<&'a str>,
    found: &mut Findings,
) {
    if let Some(start) = path.iter().position(|one| *one == name) {
        let circle = &path[start..];
        let shown: Vec<String> = circle
            .iter()
            .chain([&name])
            .map(|one| format!("`{one}`"))
            .collect();
        let at = service_path(circle[0]).join("depends_on");
        let message = format!("services wait for each other: {}", shown.join(" → "));
        found.error(
            pages::CYCLE,
            at,
            message,
            "take one of these dependencies away",
        );
        return;
    }
    if done.contains(&name) {
        return;
    }
    if let Some(service) = file.services.get(name) {
        path.push(name);
        for other in service.depends_on.keys() {
            walk(file, other, path, done, found);
        }
        path.pop();
        done.push(name);
    }
}

fn twice(file: &File, found: &mut Findings) {
    let mut ports: BTreeMap<(String, String), &str> = BTreeMap::new();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, service) in &file.services {
        for (index, port) in service.ports.iter().enumerate() {
            let Some(published) = port
                .published
                .as_deref()
                .filter(|text| !has_variables(text))
            else {
                continue;
            };
            let protocol = port.protocol.as_deref().unwrap_or("tcp");
            let address = port.host_ip.as_deref().unwrap_or("0.0.0.0");
            let key = (format!("{published}/{protocol}"), address.to_owned());
            if let Some(other) = ports.insert(key, name) {
                let at = item(&service_path(name).join("ports"), index);
                let message = format!("the host's port {published} is taken by `{other}` already");
                found.error(pages::TWICE, at, message, "give one of them another port");
            }
        }
        let container = service
            .other
            .get("container_name")
            .and_then(|name| name.as_str());
        if let Some(container) = container
            && let Some(other) = names.insert(container, name)
        {
            let at = service_path(name).join("container_name");
            let message = format!("`{other}` has the container name `{container}` already");
            found.error(
                pages::TWICE,
                at,
                message,
                "remove both: services have names of their own",
            );
        }
    }
}

pub(super) fn unused(file: &File, found: &mut Findings) {
    if file.other.contains_key("include") {
        return;
    }
    let used: Vec<(&str, String)> = file
        .services
        .iter()
        .flat_map(|(name, service)| uses(name, service))
        .map(|(kind, target, _)| (kind, target))
        .collect();
    if used.iter().any(|(_, target)| has_variables(target)) {
        return;
    }
    for kind in ["networks", "volumes", "secrets", "configs"] {
        for name in defined(file, kind) {
            if name != "default"
                && !used
                    .iter()
                    .any(|(of, target)| *of == kind && target == name)
            {
                let message = format!(
                    "no service uses the {} `{name}`",
                    kind.trim_end_matches('s')
                );
                let at = Path::key(kind).join(name);
                found.warn(pages::UNUSED, at, message, "remove it, or use it");
            }
        }
    }
}
