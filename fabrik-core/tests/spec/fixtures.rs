//! Every file in `valid/` loads into the stack its snapshot shows; every file in `invalid/` gives
//! the mistakes its snapshot shows.
//!
//! A first line `# test: env=staging var=tag=2 set=DEMO_TOKEN=x kept=apps.a.dns=demo` sets what the
//! program would be given besides the file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fabrik_core::diagnostic::{Diagnostics, Severity};
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::provider::Registry;
use fabrik_core::spec::{LoadRequest, Loaded, Source, load};
use fabrik_core::stack::Stack;

use crate::doubles;

pub(crate) fn folder(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/spec")
        .join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml"))
        .filter(|path| !path.to_string_lossy().contains(".overlay."))
        .collect();
    files.sort();
    files
}

/// Loads a fixture as its first line says.
pub(crate) fn load_file(path: &Path, registry: &Registry) -> Loaded {
    let bytes = std::fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let overlay_path = path.with_extension("overlay.yaml");
    let overlay = std::fs::read(&overlay_path).ok();
    let overlay_name = name.replace(".yaml", ".overlay.yaml");
    let first = String::from_utf8_lossy(&bytes)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    let read_file = |path: &str| match path {
        "hello.txt" => Ok("hello from a file\n".to_owned()),
        _ => Err(Error::new(ErrorKind::NotFound, "no such file")),
    };
    let mut request = LoadRequest::new(registry, &name, &bytes);
    request.read_file = &read_file;
    request.project = Some("acme");
    request.templates = [("rust-api", "service"), ("file-worker", "worker")]
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .into();
    if let Some(bytes) = &overlay {
        request.overlays.push(Source {
            name: &overlay_name,
            bytes,
        });
    }
    for setting in first
        .strip_prefix("# test: ")
        .unwrap_or_default()
        .split(' ')
    {
        let (key, value) = setting.split_once('=').unwrap_or_default();
        let pair = || value.split_once('=').unwrap_or_default();
        match key {
            "env" => request.env = Some(value),
            "var" => request.vars.push((pair().0.into(), pair().1.into())),
            "set" => drop(request.variables.insert(pair().0.into(), pair().1.into())),
            "kept" => drop(request.choices.insert(pair().0.into(), pair().1.into())),
            _ => {}
        }
    }
    load(&request)
}

/// The mistakes, a block each.
pub(crate) fn render(diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    for item in &diagnostics.items {
        let word = match item.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(out, "{word}[{}]: {}", item.code, item.summary).unwrap();
        for label in &item.labels {
            let place = diagnostics.sources.position(label.span).unwrap();
            let (file, range) = diagnostics.sources.file_of(label.span).unwrap();
            let shown = file.text[range].lines().next().unwrap_or_default();
            let dots = if shown.chars().count() > 50 {
                "…"
            } else {
                ""
            };
            let shown: String = shown.chars().take(50).collect();
            write!(
                out,
                "  at {}:{}:{} «{shown}{dots}»",
                place.file, place.line, place.column
            )
            .unwrap();
            writeln!(
                out,
                "{}{}",
                if label.text.is_empty() { "" } else { " " },
                label.text
            )
            .unwrap();
        }
        if let Some(address) = &item.address {
            writeln!(out, "  of {address}").unwrap();
        }
        for cause in &item.causes {
            writeln!(out, "  cause: {cause}").unwrap();
        }
        for help in &item.help {
            writeln!(out, "  help: {help}").unwrap();
        }
    }
    out
}

/// The stack as text.
fn describe(stack: &Stack) -> String {
    let mut out = format!("stack {} {:?}\n", stack.display_name(), stack.on_failure);
    for (name, instance) in &stack.instances {
        writeln!(
            out,
            "provider {name} ({}) {:?}",
            instance.provider, instance.config
        )
        .unwrap();
    }
    for (name, secret) in &stack.secrets {
        let how = if secret.required {
            "required"
        } else {
            "or generated"
        };
        writeln!(
            out,
            "secret {name} from {:?}, {how}, {}",
            secret.from, secret.length
        )
        .unwrap();
    }
    for app in &stack.apps {
        writeln!(
            out,
            "app {} {} {:?} at {:?}",
            app.address, app.kind, app.version, app.url
        )
        .unwrap();
    }
    for (address, declared) in &stack.resources {
        writeln!(
            out,
            "{address}: {} on {}",
            declared.type_name, declared.instance
        )
        .unwrap();
        writeln!(out, "    {:?}", declared.inputs).unwrap();
        if !declared.depends_on.is_empty() {
            writeln!(out, "    after {:?}", declared.depends_on).unwrap();
        }
        if *declared.options != fabrik_core::stack::Options::default() {
            writeln!(
                out,
                "    {}",
                serde_json::to_string(&*declared.options).unwrap()
            )
            .unwrap();
        }
    }
    for check in &stack.checks {
        writeln!(
            out,
            "check {} {} {:?} within {:?} every {:?} for {:?} of {:?}",
            check.name,
            check.kind,
            check.spec,
            check.within,
            check.interval,
            check.stable_for,
            check.concerns,
        )
        .unwrap();
    }
    for channel in &stack.notify {
        writeln!(
            out,
            "channel {} by {:?} to {:?} on {:?} about {:?}",
            channel.name, channel.via, channel.to, channel.on, channel.apps
        )
        .unwrap();
    }
    for moved in &stack.moved {
        writeln!(out, "moved {} to {}", moved.from, moved.to).unwrap();
    }
    for (name, value) in &stack.outputs {
        writeln!(out, "output {name} = {value:?}").unwrap();
    }
    for (key, value) in &stack.choices {
        writeln!(out, "chosen {key} = {value}").unwrap();
    }
    if !stack.reads_stacks.is_empty() {
        writeln!(out, "reads {:?}", stack.reads_stacks).unwrap();
    }
    out
}

fn snapshot(path: &Path, folder: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!(
            path.file_stem().unwrap().to_string_lossy().into_owned(),
            text
        );
    });
}

#[test]
fn invalid_specs_say_what_is_wrong() {
    let registry = doubles::registry();
    let files = folder("invalid");
    assert!(files.len() >= 60, "{} invalid fixtures", files.len());
    for path in files {
        let loaded = load_file(&path, &registry);
        assert!(loaded.stack.is_none(), "{} loads", path.display());
        for item in &loaded.diagnostics.items {
            assert!(
                fabrik_core::codes::explain(item.code).is_some(),
                "no page for {}",
                item.code
            );
        }
        snapshot(&path, "invalid", &render(&loaded.diagnostics));
    }
}

#[test]
fn valid_specs_become_stacks() {
    let registry = doubles::registry();
    let files = folder("valid");
    assert!(files.len() >= 15, "{} valid fixtures", files.len());
    for path in files {
        let loaded = load_file(&path, &registry);
        let said = render(&loaded.diagnostics);
        let stack = loaded
            .stack
            .unwrap_or_else(|| panic!("{}:\n{said}", path.display()));
        snapshot(&path, "valid", &format!("{said}{}", describe(&stack)));
    }
}
