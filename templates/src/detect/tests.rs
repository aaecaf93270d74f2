use super::detect;
use super::spec::scalar;

fn folder(name: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    for (file, text) in files {
        let file = path.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    (dir, path)
}

#[test]
fn a_fastapi_project() {
    let (_dir, path) = folder(
        "My_Api",
        &[
            ("requirements.txt", "fastapi\nuvicorn\n"),
            (
                "src/shop/main.py",
                "from fastapi import FastAPI\napi = FastAPI(title='x')\n@api.get(\"/health\")\n",
            ),
            ("Dockerfile", "FROM python\nEXPOSE 8000/tcp\n"),
            (
                ".env.example",
                "# what it reads\nLOG_LEVEL=info\nexport STRIPE_KEY=\nPORT=1\nDATABASE_URL=postgres://x\n",
            ),
            (
                ".git/config",
                "[core]\n[remote \"origin\"]\n\turl = https://user:ghp_token@github.com/acme/shop.git\n",
            ),
        ],
    );
    let found = detect(&path).unwrap();
    assert_eq!(
        (&*found.name, &*found.what, found.kind),
        ("my-api", "Python (FastAPI)", "service")
    );
    assert_eq!(found.port.as_ref().unwrap().value, 8000);
    assert_eq!(found.health.as_ref().unwrap().value, "/health");
    let secrets: Vec<&str> = found.secrets.iter().map(|secret| &*secret.value).collect();
    assert_eq!(secrets, ["STRIPE_KEY", "DATABASE_URL"]);
    let spec = found.spec();
    assert!(spec.contains("command: \"exec .venv/bin/uvicorn shop.main:api --host 127.0.0.1 --port \\\"$PORT\\\"\" # the app in src/shop/main.py")
        || spec.contains("command: exec .venv/bin/uvicorn shop.main:api --host 127.0.0.1 --port \"$PORT\" # the app in src/shop/main.py"), "{spec}");
    assert!(
        spec.contains("repo: \"https://github.com/acme/shop.git\"")
            || spec.contains("repo: https://github.com/acme/shop.git"),
        "{spec}"
    );
    assert!(
        !spec.contains("ghp_token") && !spec.contains("postgres://"),
        "{spec}"
    );
}

#[test]
fn other_projects() {
    let table: [(&[(&str, &str)], &str, &str, &str); 6] = [
        (
            &[
                (
                    "package.json",
                    r#"{"scripts":{"start":"node a.js"},"dependencies":{"express":"5"}}"#,
                ),
                ("package-lock.json", "{}"),
            ],
            "Node.js (Express)",
            "service",
            "install: npm ci",
        ),
        (
            &[(
                "package.json",
                r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"8"}}"#,
            )],
            "Node.js (Vite)",
            "static",
            "build: npm install && npm run build",
        ),
        (
            &[(
                "Cargo.toml",
                "[package]\nname = \"shop\"\n[dependencies]\naxum = \"0.8\"\n",
            )],
            "Rust (axum)",
            "service",
            "command: exec target/release/shop",
        ),
        (
            &[("public/index.html", "<h1>")],
            "a static site",
            "static",
            "source: public",
        ),
        (
            &[("Dockerfile", "FROM x\nEXPOSE 80 443\n")],
            "a Dockerfile",
            "service",
            "port: 80",
        ),
        (
            &[(
                "compose.yaml",
                "services:\n  a:\n    ports:\n      - \"8080:3000\"\n",
            )],
            "a compose file (compose.yaml)",
            "service",
            "port: 3000",
        ),
    ];
    for (files, what, kind, line) in table {
        let (_dir, path) = folder("x", files);
        let found = detect(&path).unwrap();
        assert_eq!((&*found.what, found.kind), (what, kind));
        assert!(found.spec().contains(line), "{line}\n{}", found.spec());
    }
    let (_dir, path) = folder("x", &[("notes.txt", "")]);
    assert_eq!(
        detect(&path).unwrap_err().kind(),
        fabrik_core::error::ErrorKind::NotFound
    );
}

#[test]
fn scalars_are_quoted_where_they_must_be() {
    for plain in ["a", "/x", "npm run build", "a:b", "exec x --port \"$PORT\""] {
        assert_eq!(scalar(plain), plain);
    }
    for odd in [
        "", "1.10", "yes", "a: b", "a # b", "*x", "[a]", "x, y", "a\nb",
    ] {
        assert!(scalar(odd).starts_with('"'), "{odd}");
    }
}
