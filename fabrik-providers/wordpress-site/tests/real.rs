//! Real sites: each version and database once.

use fabrik_wordpress_site::{Database, Fixture, Site, Version};

fn leg(version: Version, database: Database) {
    let Some(site) = Site::builder()
        .version(version)
        .database(database)
        .with(Fixture::plugin("fabrik-harmless"))
        .build()
    else {
        return;
    };
    let fresh = site.dump();
    assert!(fresh.journal.is_none());
    let home = site.get("/");
    assert_eq!(home.status, 200);
    assert!(home.body.contains("Hello world!"), "{}", home.body);
    // It knows its address, not the template's.
    assert!(!home.body.contains("65535"));
    assert_eq!(site.get("/sample-page/").status, 200);
    assert_eq!(site.get("/no-such-page/").status, 404);
    assert_eq!(site.wp_cli(&["core", "version"]), version.number());
    assert_eq!(site.wp_cli(&["option", "get", "home"]), site.url());
    // The application password works.
    let me = site.request(
        "GET",
        "/wp-json/wp/v2/users/me?context=edit",
        &[("Authorization", &basic(site.user(), site.password()))],
        b"",
    );
    assert_eq!(me.status, 200, "{}", me.body);
    assert!(me.body.contains("manage_options"));
    // Looking changed nothing that counts.
    fresh.assert_same(&site.dump());
    // A change is seen, in rows and files.
    site.wp_cli(&["option", "update", "blogname", "Ünï \"quoted\""]);
    site.wp_cli(&["plugin", "activate", "fabrik-harmless"]);
    std::fs::write(site.path().join("wp-content/uploads.txt"), "x").expect("a file");
    let changed = site.dump();
    assert_ne!(fresh, changed);
    let difference = fresh.difference(&changed);
    for wanted in [
        "+ wp_options",
        "Ünï",
        "fabrik_harmless",
        "+ wp-content/uploads.txt",
    ] {
        assert!(difference.contains(wanted), "{difference}");
    }
    assert!(site.get("/").body.contains("fabrik-harmless"));
    site.reset();
    fresh.assert_same(&site.dump());
    assert!(site.get("/").body.contains("A site for tests"));
}

#[test]
fn new_on_sqlite() {
    leg(Version::New, Database::Sqlite);
}

#[test]
fn new_on_mariadb() {
    leg(Version::New, Database::MariaDb);
}

#[test]
fn old_on_mariadb() {
    leg(Version::Old, Database::MariaDb);
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"))
    )
}
