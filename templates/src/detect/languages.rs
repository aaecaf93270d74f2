//! What each language's own files say.

use serde_json::Value as Json;

use super::look::Look;
use super::{Detected, Origin};

/// The first language whose files are there.
pub(super) fn detect(look: &Look) -> Option<Detected> {
    python(look)
        .or_else(|| node(look))
        .or_else(|| rust(look))
        .or_else(|| site(look))
        .or_else(|| container(look))
}

fn service(what: impl Into<String>) -> Detected {
    Detected {
        what: what.into(),
        kind: "service",
        ..Detected::default()
    }
}

fn python(look: &Look) -> Option<Detected> {
    let (file, text) = ["requirements.txt", "pyproject.toml"]
        .iter()
        .find_map(|file| Some((*file, look.read(file)?)))?;
    let depends = |name: &str| text.to_lowercase().contains(name);
    let install = match file {
        "requirements.txt" => {
            "python3 -m venv .venv && .venv/bin/pip install --quiet -r requirements.txt"
        }
        _ => "python3 -m venv .venv && .venv/bin/pip install --quiet .",
    };
    let app = |class: &str| {
        look.ending(&[".py"]).find_map(|file| {
            let text = look.read(file)?;
            let line = text
                .lines()
                .find(|line| line.contains(&format!("{class}(")) && line.contains('='))?;
            let variable = line.split(['=', ':']).next()?.trim().to_owned();
            let module = file.strip_suffix(".py")?.replace('/', ".");
            let module = module.trim_start_matches("src.").to_owned();
            Some((format!("{module}:{variable}"), file.to_owned()))
        })
    };
    let mut found = if depends("fastapi") || depends("starlette") {
        let mut found = service("Python (FastAPI)");
        found.command = app("FastAPI")
            .or_else(|| app("Starlette"))
            .map(|(app, file)| {
                Origin::new(
                    format!("exec .venv/bin/uvicorn {app} --host 127.0.0.1 --port \"$PORT\""),
                    format!("the app in {file}"),
                )
            });
        found
    } else if depends("flask") {
        let mut found = service("Python (Flask)");
        found.command = app("Flask").map(|(app, file)| {
            let (program, from) = if depends("gunicorn") {
                (
                    format!("exec .venv/bin/gunicorn {app} --bind 127.0.0.1:\"$PORT\""),
                    file,
                )
            } else {
                (
                    format!("exec .venv/bin/flask --app {app} run --port \"$PORT\""),
                    file,
                )
            };
            Origin::new(program, format!("the app in {from}"))
        });
        found
    } else if depends("django") {
        let mut found = service("Python (Django)");
        found.command = look.has("manage.py").then(|| {
            Origin::new(
                "exec .venv/bin/python manage.py runserver \"127.0.0.1:$PORT\"".to_owned(),
                "manage.py",
            )
        });
        found
    } else {
        let mut found = service("Python");
        found.command = ["main.py", "app.py", "server.py"]
            .iter()
            .find(|file| look.has(file))
            .map(|file| Origin::new(format!("exec .venv/bin/python {file}"), *file));
        found
    };
    found.install = Some(Origin::new(install.to_owned(), file));
    Some(found)
}

fn node(look: &Look) -> Option<Detected> {
    let package: Json = serde_json::from_str(&look.read("package.json")?).ok()?;
    let script = |name: &str| package["scripts"][name].as_str().map(str::to_owned);
    let depends = |name: &str| {
        ["dependencies", "devDependencies"]
            .iter()
            .any(|kind| package[*kind].get(name).is_some())
    };
    let (manager, lock) = [
        ("pnpm", "pnpm-lock.yaml"),
        ("yarn", "yarn.lock"),
        ("npm", "package-lock.json"),
    ]
    .into_iter()
    .find(|(_, lock)| look.has(lock))
    .unwrap_or(("npm", "package.json"));
    let install = match (manager, lock) {
        ("npm", "package-lock.json") => "npm ci",
        ("npm", _) => "npm install",
        ("pnpm", _) => "pnpm install --frozen-lockfile",
        _ => "yarn install --frozen-lockfile",
    };
    let framework = [
        ("next", "Next.js"),
        ("express", "Express"),
        ("fastify", "Fastify"),
        ("@nestjs/core", "NestJS"),
        ("hono", "Hono"),
        ("koa", "Koa"),
        ("astro", "Astro"),
        ("vite", "Vite"),
    ]
    .into_iter()
    .find(|(name, _)| depends(name))
    .map_or("Node.js".to_owned(), |(_, name)| {
        format!("Node.js ({name})")
    });
    let build = script("build").map(|_| {
        Origin::new(
            format!("{manager} run build"),
            "the script `build` in package.json",
        )
    });
    let start = script("start");
    if start.is_none() && build.is_some() {
        // Built and never started: its result is served.
        return Some(Detected {
            what: framework,
            kind: "static",
            folder: Some(Origin::new(".".to_owned(), "package.json")),
            build: Some(Origin::new(
                format!("{install} && {manager} run build"),
                "the script `build` in package.json",
            )),
            ..Detected::default()
        });
    }
    let mut found = service(framework);
    found.install = Some(Origin::new(install.to_owned(), lock));
    found.build = build;
    found.command = start
        .map(|_| {
            Origin::new(
                format!("{manager} start"),
                "the script `start` in package.json",
            )
        })
        .or_else(|| {
            let main = package["main"].as_str()?;
            Some(Origin::new(
                format!("exec node {main}"),
                "`main` in package.json",
            ))
        });
    Some(found)
}

fn rust(look: &Look) -> Option<Detected> {
    let manifest = look.read("Cargo.toml")?;
    let name = manifest
        .lines()
        .skip_while(|line| line.trim() != "[package]")
        .find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "name").then(|| value.trim().trim_matches('"').to_owned())
        })?;
    let framework = ["axum", "actix-web", "rocket", "warp", "poem", "salvo"]
        .into_iter()
        .find(|name| {
            manifest
                .lines()
                .any(|line| line.trim_start().starts_with(name))
        });
    let mut found = service(framework.map_or("Rust".to_owned(), |name| format!("Rust ({name})")));
    found.build = Some(Origin::new(
        "cargo build --release".to_owned(),
        "Cargo.toml",
    ));
    found.command = Some(Origin::new(
        format!("exec target/release/{name}"),
        "the package's name in Cargo.toml",
    ));
    Some(found)
}

fn site(look: &Look) -> Option<Detected> {
    let folder = ["", "public/", "site/", "dist/", "docs/", "www/"]
        .into_iter()
        .find(|folder| look.has(&format!("{folder}index.html")))?;
    let path = match folder {
        "" => ".",
        folder => folder.trim_end_matches('/'),
    };
    Some(Detected {
        what: "a static site".to_owned(),
        kind: "static",
        folder: Some(Origin::new(path.to_owned(), format!("{folder}index.html"))),
        ..Detected::default()
    })
}

/// Only containers say what it is.
fn container(look: &Look) -> Option<Detected> {
    if look.has("Dockerfile") {
        return Some(service("a Dockerfile"));
    }
    let compose = [
        "compose.yaml",
        "compose.yml",
        "docker-compose.yaml",
        "docker-compose.yml",
    ];
    let file = compose.iter().find(|file| look.has(file))?;
    let text = look.read(file)?;
    let mut found = service(format!("a compose file ({file})"));
    // The published side of the first port: `- "8080:80"`.
    found.port = text
        .lines()
        .skip_while(|line| line.trim() != "ports:")
        .nth(1)
        .and_then(|line| {
            line.trim()
                .trim_start_matches(['-', ' ', '"', '\''])
                .trim_end_matches(['"', '\''])
                .rsplit(':')
                .next()?
                .parse()
                .ok()
        })
        .map(|port| Origin::new(port, format!("`ports` in {file}")));
    Some(found)
}
