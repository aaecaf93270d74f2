//! A provider `wordpress` that takes anything, and folders of specs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::diagnostic::Severity;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Instance, Provider, ProviderInfo, Registry, TypeInfo};
use fabrik_core::role::{Files, Parts, Player, PlayerFacts};
use fabrik_core::spec::{LoadRequest, Loaded, load};
use fabrik_core::stack::Stack;
use fabrik_core::value::{Value, to_wire_masked};
use serde_json::{Value as Json, json};

/// Every type of the plan for the provider.
const TYPES: &[&str] = &[
    "core",
    "theme",
    "plugin",
    "settings",
    "option",
    "theme_style",
    "media",
    "page",
    "post",
    "category",
    "author",
    "user",
    "menu",
    "seo_site",
    "seo_page",
    "form",
    "analytics",
    "language",
    "translation",
    "front_page",
    "privacy_page",
];

struct Any(ProviderInfo);

impl Any {
    fn new(name: &str, types: &[&str]) -> Any {
        let types = types.iter().map(|kind| {
            let open = json!({"type": "object"});
            Arc::new(TypeInfo::new(format!("{name}.{kind}"), open.clone(), open))
        });
        Any(ProviderInfo {
            name: name.into(),
            version: "1".into(),
            description: "Takes anything.".into(),
            config: json!({"type": "object"}),
            types: types.collect(),
            max_in_flight: 1,
        })
    }
}

#[async_trait]
impl Provider for Any {
    fn info(&self) -> &ProviderInfo {
        &self.0
    }
    async fn open(&self, _: &Cx, _: &Value) -> Result<Arc<dyn Instance>> {
        Err(Error::new(ErrorKind::Unsupported, "nothing is there"))
    }
    fn players(&self) -> Vec<Arc<dyn Player>> {
        if &*self.0.name == "host" {
            vec![Arc::new(Runtime), Arc::new(Dns), Arc::new(Monitor)]
        } else {
            Vec::new()
        }
    }
}

struct Runtime;

impl Player for Runtime {
    fn role(&self) -> &'static str {
        "runtime"
    }
    fn runs(&self) -> &[&'static str] {
        &["wordpress"]
    }
    fn facts(&self) -> PlayerFacts {
        PlayerFacts {
            wants_dns: true,
            ends_tls: true,
        }
    }
    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let wire = to_wire_masked(intent);
        let schema = fabrik_core::kinds::intent("runtime").unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&wire)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{wire:#}");
        let run = parts.add("run", "host.thing", intent.clone())?;
        Ok(Value::map([
            ("url", Value::from("https://acme.example")),
            ("ingress", Value::from("192.0.2.1")),
            (
                "exec",
                Value::map([(
                    "container",
                    Value::map([("name", Parts::output(&run, "name"))]),
                )]),
            ),
        ]))
    }
}

struct Dns;

impl Player for Dns {
    fn role(&self) -> &'static str {
        "dns"
    }
    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        parts.add("", "host.thing", intent.clone())?;
        Ok(intent.clone())
    }
}

struct Monitor;

impl Player for Monitor {
    fn role(&self) -> &'static str {
        "monitor"
    }
    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        parts.add("", "host.thing", intent.clone())?;
        Ok(Value::map([("id", Value::from("1"))]))
    }
}

/// Providers, and the kinds of apps.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register(Any::new("wordpress", TYPES));
    registry.register(Any::new("host", &["thing"]));
    registry.register_component(Arc::new(fabrik_wordpress::Wordpress));
    registry
}

/// The files of a folder.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    fn add(&self, folder: &str, found: &mut Vec<String>) -> Result<()> {
        let read = std::fs::read_dir(self.0.join(folder));
        let failed = |error: std::io::Error| Error::new(ErrorKind::NotFound, error.to_string());
        for entry in read.map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                self.add(&path, found)?;
            } else {
                found.push(path);
            }
        }
        Ok(())
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>> {
        std::fs::read(self.0.join(path))
            .map_err(|error| Error::new(ErrorKind::NotFound, error.to_string()))
    }
    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        self.add(folder, &mut found)?;
        found.sort();
        Ok(found)
    }
}

/// A PNG header of a size: enough for what looks at headers.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes
}

/// A folder with files.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    dir
}

/// Loads a spec with the files of a folder.
pub(crate) fn load_in(dir: &Path, text: &str) -> Loaded {
    let registry = registry();
    let files = Folder(dir.to_owned());
    let mut request = LoadRequest::new(&registry, "site.yaml", text.as_bytes());
    request.files = &files;
    load(&request)
}

/// The stack of a spec without mistakes.
pub(crate) fn stack_in(dir: &Path, text: &str) -> Stack {
    let loaded = load_in(dir, text);
    let told = told(&loaded);
    loaded
        .stack
        .unwrap_or_else(|| panic!("{}", told.join("\n")))
}

/// What is told: `error 12: text (help)`, with the line.
pub(crate) fn told(loaded: &Loaded) -> Vec<String> {
    let found = &loaded.diagnostics;
    found
        .items
        .iter()
        .map(|item| {
            let severity = match item.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let line = item
                .labels
                .first()
                .and_then(|label| found.sources.position(label.span))
                .map_or(0, |place| place.line);
            let help = item.help.join("; ");
            let causes = item.causes.join("; ");
            format!("{severity} {line}: {} | {help} | {causes}", item.summary)
        })
        .collect()
}

/// The inputs of a part.
pub(crate) fn inputs(stack: &Stack, part: &str) -> Json {
    let wanted = format!("apps.site.{part}");
    let found = stack
        .resources
        .values()
        .find(|resource| resource.address.as_str() == wanted);
    let found = found.unwrap_or_else(|| panic!("there is no {wanted}"));
    to_wire_masked(&found.inputs)
}
