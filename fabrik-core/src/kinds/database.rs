//! `kind: database`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::schema::object;
use super::web::{app_name, given};
use super::{backup, common, fields, normalise};
use crate::error::Result;
use crate::role::{Component, ComponentCx, ComponentOut, DATABASE};
use crate::value::{Map, Value};

/// `kind: database`: a database that other apps connect to, by `${apps.KEY.url}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Database;

/// What the player is told as it stands in the block.
const PASSED_ON: &[&str] = &["engine", "version", "limits"];

impl Component for Database {
    fn kind(&self) -> &'static str {
        "database"
    }

    fn schema(&self) -> Json {
        object(
            "A database that other apps connect to.",
            &[
                ("engine", fields::engine()),
                ("version", fields::engine_version()),
                ("name", fields::database_name()),
                ("limits", fields::limits()),
                ("backup", fields::backup()),
            ],
            &["engine"],
        )
    }

    fn normalise(&self, block: Value) -> Value {
        normalise::block(
            block,
            &[
                ("version", normalise::number_text),
                ("engine", normalise::engine),
                ("limits", normalise::limits),
                ("backup", backup::long),
            ],
        )
    }

    fn expand(&self, block: &Value, cx: &mut dyn ComponentCx) -> Result<ComponentOut> {
        common::check_known(block)?;
        let own = app_name(cx.parts().base());
        let name = block
            .get("name")
            .cloned()
            // Hyphens would have to be quoted in SQL.
            .unwrap_or_else(|| Value::from(own.replace('-', "_")));
        let mut intent = Map::from([("name".into(), name.clone())]);
        for field in PASSED_ON {
            if let Some(value) = block.get(field) {
                intent.insert((*field).into(), value.clone());
            }
        }
        let before = cx.parts().resources.len();
        let database = cx.play(DATABASE, "", Value::Map(Arc::new(intent)))?;
        let logs = cx.parts().resources.get(before);
        let logs = logs.map(|part| part.address.clone());
        let mut outputs: BTreeMap<Arc<str>, Value> = BTreeMap::from([("name".into(), name)]);
        for field in ["url", "host", "port", "user", "password"] {
            if let Some(value) = given(&database, field) {
                outputs.insert(field.into(), value);
            }
        }
        let mut what = Map::from([("kind".into(), Value::from("database"))]);
        for (field, value) in [
            ("engine", block.get("engine").cloned()),
            ("id", given(&database, "id")),
            ("url", given(&database, "url")),
            ("name", outputs.get("name").cloned()),
        ] {
            if let Some(value) = value {
                what.insert(field.into(), value);
            }
        }
        backup::play(block, what, cx)?;
        Ok(ComponentOut {
            outputs,
            url: Value::Null,
            version: block.get("version").cloned().unwrap_or_default(),
            logs,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{FakeCx, block, check_intent};
    use crate::role::{BACKUP, PlayerFacts};
    use crate::value::{from_json, to_wire_masked};

    #[test]
    fn a_database_gives_its_address_and_is_backed_up() {
        let mut cx = FakeCx::new("apps.main-db", PlayerFacts::default())
            .with(DATABASE)
            .with(BACKUP);
        cx.outputs.insert(
            DATABASE,
            from_json(
                &json!({"url": "postgres://u:p@db:5432/x", "host": "db", "port": 5432, "id": "d1"}),
            ),
        );
        let written = json!({"engine": "postgresql", "version": 16, "backup": "@daily"});
        let out = Database
            .expand(&block(&Database, &written), &mut cx)
            .unwrap();
        let played = cx.played();
        assert_eq!(
            played,
            json!([
                ["database", "", {"name": "main_db", "engine": "postgres", "version": "16"}],
                ["backup", "backup", {
                    "schedule": "0 0 * * *",
                    "what": {"kind": "database", "engine": "postgres", "id": "d1", "name": "main_db", "url": "postgres://u:p@db:5432/x"},
                }],
            ])
        );
        check_intent(DATABASE, &played[0][2]);
        check_intent(BACKUP, &played[1][2]);
        assert_eq!(
            to_wire_masked(&Value::map(out.outputs)),
            json!({"name": "main_db", "url": "postgres://u:p@db:5432/x", "host": "db", "port": 5432})
        );
        assert_eq!(out.version.as_str(), Some("16"));
    }

    #[test]
    fn no_backup_unless_asked_for() {
        for written in [
            json!({"engine": "redis"}),
            json!({"engine": "redis", "backup": false}),
        ] {
            let mut cx = FakeCx::new("apps.cache", PlayerFacts::default())
                .with(DATABASE)
                .with(BACKUP);
            Database
                .expand(&block(&Database, &written), &mut cx)
                .unwrap();
            assert_eq!(cx.plays.len(), 1);
        }
    }
}
