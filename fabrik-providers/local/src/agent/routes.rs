//! Which request goes to whom: a table that is replaced as a whole.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use crate::agent::book::blocking;
use crate::error::Error;
use crate::model::{RouteSpec, Target};
use crate::names;
use crate::records::{self, FORMAT, RoutesRecord};

/// The routes, as they are stored and as they are looked up.
#[derive(Debug)]
pub(crate) struct Routes {
    path: PathBuf,
    record: tokio::sync::Mutex<RoutesRecord>,
    table: RwLock<Arc<Table>>,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) target: Target,
    /// What is taken off the front of the path.
    pub(crate) strip: Option<String>,
}

/// Routes by host; those of one host with the longest prefix first.
#[derive(Debug, Default)]
struct Table(HashMap<String, Vec<Entry>>);

#[derive(Debug)]
struct Entry {
    prefix: Option<String>,
    hit: Hit,
}

impl Routes {
    /// Reads the stored routes. Blocks on files.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        let record: RoutesRecord = records::read(&path)?.unwrap_or_default();
        let table = RwLock::new(Arc::new(Table::new(&record)));
        Ok(Self {
            path,
            record: tokio::sync::Mutex::new(record),
            table,
        })
    }

    /// All routes by name.
    pub(crate) async fn all(&self) -> BTreeMap<String, RouteSpec> {
        self.record.lock().await.routes.clone()
    }

    /// Sets a route. Another one for the same requests is refused.
    pub(crate) async fn put(&self, name: &str, spec: &RouteSpec) -> Result<RouteSpec, Error> {
        names::check("route", name)?;
        let spec = names::normalize_route(spec)?;
        let mut record = self.record.lock().await;
        let clash = record.routes.iter().find(|(other, theirs)| {
            *other != name
                && theirs.path_prefix == spec.path_prefix
                && theirs.hosts.iter().any(|host| spec.hosts.contains(host))
        });
        if let Some((other, _)) = clash {
            return Err(Error::invalid(
                "hosts",
                format!("route `{other}` has these already"),
            ));
        }
        if record.routes.get(name) != Some(&spec) {
            let mut changed = record.clone();
            changed.routes.insert(name.to_owned(), spec.clone());
            self.store(&mut record, changed).await?;
        }
        Ok(spec)
    }

    /// Removes a route.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Error> {
        let mut record = self.record.lock().await;
        if record.routes.contains_key(name) {
            let mut changed = record.clone();
            changed.routes.remove(name);
            self.store(&mut record, changed).await?;
        }
        Ok(())
    }

    async fn store(&self, record: &mut RoutesRecord, new: RoutesRecord) -> Result<(), Error> {
        let new = RoutesRecord {
            format: FORMAT,
            ..new
        };
        let (path, copy) = (self.path.clone(), new.clone());
        blocking(move || {
            if copy.routes.is_empty() {
                records::remove(&path)
            } else {
                records::write(&path, &copy)
            }
        })
        .await?;
        let table = Arc::new(Table::new(&new));
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = table;
        *record = new;
        Ok(())
    }

    /// Finds who answers a request. The host may carry a port.
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<Hit> {
        let table = Arc::clone(&*self.table.read().unwrap_or_else(PoisonError::into_inner));
        table.find(host, path)
    }
}

impl Table {
    fn new(record: &RoutesRecord) -> Self {
        let mut table: HashMap<String, Vec<Entry>> = HashMap::new();
        for spec in record.routes.values() {
            let prefix = spec.path_prefix.clone();
            let strip = prefix.clone().filter(|_| spec.strip_prefix);
            for host in &spec.hosts {
                let hit = Hit {
                    target: spec.target.clone(),
                    strip: strip.clone(),
                };
                let entry = Entry {
                    prefix: prefix.clone(),
                    hit,
                };
                table.entry(host.clone()).or_default().push(entry);
            }
        }
        for entries in table.values_mut() {
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.prefix.as_ref().map(String::len)));
        }
        Self(table)
    }

    /// The exact name first, then `*.` with ever shorter rests.
    fn find(&self, host: &str, path: &str) -> Option<Hit> {
        let host = name_of(host).to_ascii_lowercase();
        if let Some(hit) = self.below(&host, path) {
            return Some(hit);
        }
        let mut rest = host.as_str();
        while let Some((_, shorter)) = rest.split_once('.') {
            if let Some(hit) = self.below(&format!("*.{shorter}"), path) {
                return Some(hit);
            }
            rest = shorter;
        }
        None
    }

    fn below(&self, host: &str, path: &str) -> Option<Hit> {
        let entries = self.0.get(host)?;
        let found = entries.iter().find(|entry| match &entry.prefix {
            None => true,
            Some(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        })?;
        Some(found.hit.clone())
    }
}

/// A host without its port and without a closing dot.
fn name_of(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::Table;
    use crate::model::{RouteSpec, Target};
    use crate::records::RoutesRecord;

    fn table(routes: &[(&str, Option<&str>, &str)]) -> Table {
        let mut record = RoutesRecord::default();
        for (host, prefix, target) in routes {
            let mut spec = RouteSpec::host(*host, Target::Service((*target).to_owned()));
            spec.path_prefix = prefix.map(str::to_owned);
            record.routes.insert((*target).to_owned(), spec);
        }
        Table::new(&record)
    }

    fn find(table: &Table, host: &str, path: &str) -> Option<String> {
        table.find(host, path).map(|hit| match hit.target {
            Target::Service(name) | Target::Site(name) => name,
        })
    }

    #[test]
    fn exact_hosts_win_and_long_prefixes_too() {
        let table = table(&[
            ("shop.localhost", None, "shop"),
            ("shop.localhost", Some("/api"), "api"),
            ("shop.localhost", Some("/api/v2"), "api2"),
            ("*.shop.localhost", None, "any"),
        ]);
        let cases = [
            ("shop.localhost:8080", "/", Some("shop")),
            ("SHOP.localhost", "/api", Some("api")),
            ("shop.localhost.", "/api/v2/x", Some("api2")),
            ("shop.localhost", "/apix", Some("shop")),
            ("a.b.shop.localhost", "/", Some("any")),
            ("other.localhost", "/", None),
            ("localhost", "/", None),
        ];
        for (host, path, expected) in cases {
            assert_eq!(
                find(&table, host, path).as_deref(),
                expected,
                "{host}{path}"
            );
        }
    }
}
