//! Projects, environments and servers.

use fabrik_testkit::serve::Reply;
use serde_json::{Map, Value as Json, json};

use super::check::{self, Answer, invalid, message, only, required};
use super::fields;
use super::world::{Kind, Row, World};

pub(super) fn add(world: &mut World, name: &str, description: Option<&Json>) -> String {
    let (uuid, id) = (world.uuid(), world.number());
    let row = json!({"id": id, "uuid": uuid, "name": name, "description": description});
    world.put(Row::new(Kind::Project, "", row));
    add_environment(world, &uuid, "production");
    uuid
}

fn add_environment(world: &mut World, project: &str, name: &str) -> String {
    let (uuid, id, now) = (world.uuid(), world.number(), world.now());
    let row = json!({"id": id, "uuid": uuid, "name": name, "description": null, "created_at": now, "updated_at": now});
    world.put(Row::new(Kind::Environment, project, row));
    uuid
}

fn check_name(body: &Map<String, Json>) -> Result<(), Reply> {
    let fine = |text: &str, more: &str| {
        text.chars()
            .all(|c| c.is_alphanumeric() || c.is_whitespace() || more.contains(c))
    };
    if let Some(name) = body.get("name").and_then(Json::as_str) {
        let length = name.chars().count();
        if !(3..=255).contains(&length) {
            return Err(invalid(
                "name",
                "The name must be between 3 and 255 characters.",
            ));
        }
        if !fine(name, "-_.@/&()#,:+") {
            return Err(invalid(
                "name",
                "The name may only contain letters, numbers, spaces and - _ . @ / & ( ) # , : +",
            ));
        }
    }
    if let Some(text) = body.get("description").and_then(Json::as_str)
        && !fine(text, "-_.@/&()#,+=*!?'\"")
    {
        return Err(invalid(
            "description",
            "The description may only contain letters, numbers, spaces and common punctuation.",
        ));
    }
    Ok(())
}

fn find<'a>(world: &'a World, uuid: &str) -> Result<&'a Row, Reply> {
    world
        .get(Kind::Project, uuid)
        .ok_or_else(|| message(404, "Project not found."))
}

/// The environment of a project by name or uuid.
pub(super) fn environment<'a>(
    world: &'a World,
    project: &str,
    name: &str,
) -> Result<&'a Row, Reply> {
    find(world, project)?;
    world
        .of(Kind::Environment, project)
        .into_iter()
        .find(|row| row.text("name") == name || row.text("uuid") == name)
        .ok_or_else(|| message(404, "Environment not found."))
}

fn resources<'a>(world: &'a World, environment: &str) -> Vec<&'a Row> {
    let kinds = [Kind::Application, Kind::Service, Kind::Database];
    world
        .all()
        .iter()
        .filter(|row| kinds.contains(&row.kind) && row.owner == environment)
        .collect()
}

pub(super) fn answer(
    world: &mut World,
    method: &str,
    path: &[&str],
    body: &Map<String, Json>,
    sensitive: bool,
) -> Answer {
    match (method, path) {
        ("GET", []) => Ok(Reply::json(
            200,
            &world
                .rows(Kind::Project)
                .map(|row| row.shown(&[], true))
                .collect(),
        )),
        ("POST", []) => {
            only(world, body, &[fields::PROJECT])?;
            required(body, &["name"])?;
            check_name(body)?;
            let name = body["name"].as_str().unwrap_or_default().to_owned();
            let uuid = add(world, &name, body.get("description"));
            Ok(Reply::json(201, &json!({"uuid": uuid})))
        }
        ("GET", [project]) => {
            let mut shown = find(world, project)?.shown(&[], true);
            let environments = world.of(Kind::Environment, project);
            shown["environments"] = environments
                .into_iter()
                .map(|row| row.shown(&[], true))
                .collect();
            Ok(Reply::json(200, &shown))
        }
        ("PATCH", [project]) => {
            find(world, project)?;
            only(world, body, &[fields::PROJECT])?;
            check_name(body)?;
            let row = world
                .get_mut(Kind::Project, project)
                .ok_or_else(|| message(404, "Project not found."))?;
            for (field, value) in body {
                row.set(field, value.clone());
            }
            Ok(Reply::json(
                201,
                &json!({"uuid": row.text("uuid"), "name": row.text("name"), "description": row.fields.get("description")}),
            ))
        }
        ("DELETE", [project]) => {
            find(world, project)?;
            let environments: Vec<String> = world
                .of(Kind::Environment, project)
                .iter()
                .map(|row| row.uuid())
                .collect();
            if environments
                .iter()
                .any(|uuid| !resources(world, uuid).is_empty())
            {
                return Err(message(
                    400,
                    "Project has resources, so it cannot be deleted.",
                ));
            }
            world.remove(Kind::Project, project);
            Ok(message(200, "Project deleted."))
        }
        ("GET", [project, "environments"]) => {
            find(world, project)?;
            let found = world.of(Kind::Environment, project);
            Ok(Reply::json(
                200,
                &found.into_iter().map(|row| row.shown(&[], true)).collect(),
            ))
        }
        ("POST", [project, "environments"]) => {
            find(world, project)?;
            only(world, body, &[fields::ENVIRONMENT])?;
            required(body, &["name"])?;
            let name = body["name"].as_str().unwrap_or_default().to_owned();
            if world
                .of(Kind::Environment, project)
                .iter()
                .any(|row| row.text("name") == name)
            {
                return Err(message(409, "Environment with this name already exists."));
            }
            let uuid = add_environment(world, project, &name);
            Ok(Reply::json(201, &json!({"uuid": uuid})))
        }
        ("PATCH", [project, "environments", name]) if world.is(4, 3, 0) => {
            let uuid = environment(world, project, name)?.uuid();
            only(world, body, &[fields::ENVIRONMENT_UPDATE])?;
            let row = world
                .get_mut(Kind::Environment, &uuid)
                .ok_or_else(|| message(404, "Environment not found."))?;
            for (field, value) in body {
                row.set(field, value.clone());
            }
            Ok(Reply::json(200, &row.shown(&[], true)))
        }
        ("DELETE", [project, "environments", name]) => {
            let uuid = environment(world, project, name)?.uuid();
            if !resources(world, &uuid).is_empty() {
                return Err(message(
                    400,
                    "Environment has resources, so it cannot be deleted.",
                ));
            }
            world.remove(Kind::Environment, &uuid);
            Ok(message(200, "Environment deleted."))
        }
        ("GET", [project, name]) => {
            let row = environment(world, project, name)?;
            let mut shown = row.shown(&[], true);
            let here = resources(world, &row.uuid());
            let of = |kind: Kind| here.iter().filter(move |row| row.kind == kind);
            shown["applications"] = of(Kind::Application)
                .map(|row| row.shown(super::app::HIDDEN, sensitive))
                .collect();
            shown["services"] = of(Kind::Service)
                .map(|row| row.shown(super::service::HIDDEN, sensitive))
                .collect();
            // KeyDB, Dragonfly and ClickHouse are missing from it.
            for engine in ["postgresql", "redis", "mongodb", "mysql", "mariadb"] {
                let key = format!("{engine}s");
                shown[key.as_str()] = of(Kind::Database)
                    .filter(|row| row.text("database_type").contains(engine))
                    .map(|row| row.shown(super::database::HIDDEN, sensitive))
                    .collect();
            }
            Ok(Reply::json(200, &shown))
        }
        _ => Err(super::route::nothing()),
    }
}

pub(super) fn servers(world: &World, method: &str, path: &[&str]) -> Answer {
    let find = |uuid: &str| {
        world
            .get(Kind::Server, uuid)
            .ok_or_else(|| message(404, "Server not found."))
    };
    match (method, path) {
        ("GET", []) => Ok(Reply::json(
            200,
            &world
                .rows(Kind::Server)
                .map(|row| row.shown(&[], true))
                .collect(),
        )),
        ("GET", [uuid]) => Ok(Reply::json(200, &find(uuid)?.shown(&[], true))),
        ("GET", [uuid, "resources"]) => {
            find(uuid)?;
            let kinds = [Kind::Application, Kind::Service, Kind::Database];
            let on = world
                .all()
                .iter()
                .filter(|row| kinds.contains(&row.kind) && world.server_of(row) == *uuid);
            let shown = on.map(|row| json!({"id": row.fields.get("id"), "uuid": row.uuid(), "name": row.text("name"), "type": format!("{:?}", row.kind).to_lowercase(), "status": row.text("status")}));
            Ok(Reply::json(200, &shown.collect()))
        }
        ("GET", [uuid, "domains"]) => {
            let ip = find(uuid)?.text("ip");
            let apps = world.rows(Kind::Application).map(|row| row.text("fqdn"));
            let domains: Vec<String> = apps
                .flat_map(|fqdn| fqdn.split(',').map(str::to_owned).collect::<Vec<_>>())
                .filter(|domain| !domain.is_empty())
                .collect();
            Ok(Reply::json(200, &json!([{"ip": ip, "domains": domains}])))
        }
        _ => Err(super::route::nothing()),
    }
}

/// Project, environment and server of something to be created. Gives environment and server.
pub(super) fn place(world: &World, body: &Map<String, Json>) -> Result<(String, String), Reply> {
    let text = |field: &str| body.get(field).and_then(Json::as_str);
    let Some(wanted) = text("environment_name").or_else(|| text("environment_uuid")) else {
        return Err(message(
            422,
            "You need to provide at least one of environment_name or environment_uuid.",
        ));
    };
    check::required(body, &["project_uuid", "server_uuid"])?;
    let project = text("project_uuid").unwrap_or_default();
    let environment = environment(world, project, wanted)?.uuid();
    let server = text("server_uuid").unwrap_or_default();
    let Some(row) = world.get(Kind::Server, server) else {
        return Err(message(404, "Server not found."));
    };
    let setting = |name: &str| {
        row.fields
            .get("settings")
            .and_then(|settings| settings.get(name))
            .and_then(Json::as_bool)
    };
    if setting("is_build_server") == Some(true) {
        return Err(message(
            422,
            "Server is a build server and cannot host resources.",
        ));
    }
    if row.fields.get("destinations").and_then(Json::as_u64) == Some(0) {
        return Err(message(400, "Server has no destinations."));
    }
    if row
        .fields
        .get("destinations")
        .and_then(Json::as_u64)
        .is_some_and(|count| count > 1)
        && text("destination_uuid").is_none()
    {
        return Err(message(
            400,
            "Server has multiple destinations and you do not set destination_uuid.",
        ));
    }
    Ok((environment, server.to_owned()))
}

/// What is created on a server that cannot be reached vanishes.
pub(super) fn vanishes(world: &World, server: &str) -> bool {
    world
        .get(Kind::Server, server)
        .is_some_and(|row| !row.flag("is_reachable"))
}
