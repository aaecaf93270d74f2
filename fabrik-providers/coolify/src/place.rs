//! Where applications, services and databases are: Coolify shows numbers and leaves the rest to
//! lists.

use std::collections::HashMap;

use fabrik_core::error::Result;
use fabrik_core::provider::Cx;

use crate::body::{text, uuid, whole};
use crate::client::{Coolify, Row, rows};

/// Project, environment and server of something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) project: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) server: Option<String>,
}

impl Place {
    /// The fields of a spec that cannot be told.
    pub(crate) fn hidden(&self) -> Vec<&'static str> {
        let mut hidden = Vec::new();
        for (field, value) in [
            ("project", &self.project),
            ("environment", &self.environment),
            ("server", &self.server),
        ] {
            if value.is_none() {
                hidden.push(field);
            }
        }
        hidden
    }
}

/// What was found out so far: kept for a run, asked again for what is not in it.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Project and name of environments, by their numbers.
    environments: HashMap<i64, (String, String)>,
    /// Servers, by what is on them.
    servers: HashMap<String, String>,
    /// The only server, where there is but one.
    only: Option<String>,
}

impl Coolify {
    /// Where an object is. A few requests for the first of a run, none for the others.
    pub(crate) async fn place(&self, cx: &Cx, row: &Row) -> Result<Place> {
        let mut places = self.places.lock().await;
        let mut place = Place::default();
        if let Some(number) = whole(row, "environment_id") {
            if !places.environments.contains_key(&number) {
                self.find_environment(cx, &mut places, number).await?;
            }
            if let Some((project, name)) = places.environments.get(&number) {
                place.project = Some(project.clone());
                place.environment = Some(name.clone());
            }
        }
        let uuid = uuid(row);
        if places.only.is_none() && !places.servers.contains_key(&uuid) {
            self.find_servers(cx, &mut places).await?;
        }
        place.server = places.servers.get(&uuid).or(places.only.as_ref()).cloned();
        Ok(place)
    }

    async fn find_environment(&self, cx: &Cx, places: &mut Places, number: i64) -> Result<()> {
        for project in self.list(cx, "/projects").await? {
            let id = uuid(&project);
            let shown = self
                .one(cx, "/projects/{uuid}", &id)
                .await?
                .unwrap_or_default();
            for environment in rows(shown.get("environments").cloned().unwrap_or_default()) {
                if let (Some(number), Some(name)) =
                    (whole(&environment, "id"), text(&environment, "name"))
                {
                    places.environments.insert(number, (id.clone(), name));
                }
            }
            if places.environments.contains_key(&number) {
                break;
            }
        }
        Ok(())
    }

    async fn find_servers(&self, cx: &Cx, places: &mut Places) -> Result<()> {
        let servers = self.list(cx, "/servers").await?;
        if let [server] = servers.as_slice() {
            places.only = Some(uuid(server));
            return Ok(());
        }
        for server in servers {
            let id = uuid(&server);
            let there = self
                .http
                .get(cx, "/servers/{uuid}/resources")
                .arg("uuid", &id)
                .json()
                .await?;
            for resource in rows(there) {
                places.servers.insert(uuid(&resource), id.clone());
            }
        }
        Ok(())
    }
}
