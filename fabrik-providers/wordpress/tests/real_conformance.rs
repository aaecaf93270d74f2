//! The conformance suite, against real WordPress on SQLite. There is no TCP between the engine and
//! the provider, so faults lie there.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "world/mod.rs"]
mod world;

use std::net::SocketAddr;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, OnceLock};

use fabrik_provider_wordpress::provider;
use fabrik_testkit::{Target, Wire};
use fabrik_wordpress_site::{Fixture, Site};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use world::{command, env, section};

/// Sites that no case uses at the moment: making one anew costs more than putting it back.
static IDLE: Mutex<Vec<(Site, TempDir)>> = Mutex::new(Vec::new());

/// What every case finds: a classic theme with a page template, look-alikes of plugins, an image, a
/// few pages.
const SEED: &str = r#"
file_put_contents(WP_CONTENT_DIR . '/themes/fabrik-classic/wide.php', "<?php\n/* Template Name: Wide */\n");
switch_theme('fabrik-classic');
update_option('active_plugins', array('contact-form-7/wp-contact-form-7.php', 'seo-by-rank-math/rank-math.php', 'wordpress-seo/wp-seo.php'));
wp_insert_post(array('import_id' => 900, 'post_type' => 'attachment', 'post_title' => 'Image', 'post_status' => 'inherit', 'post_mime_type' => 'image/png'));
foreach (range(910, 919) as $id) { wp_insert_post(array('import_id' => $id, 'post_type' => 'page', 'post_title' => "Seed $id", 'post_status' => 'publish')); }
"#;

struct WordPress {
    held: Option<(Site, TempDir)>,
    /// What there is of each type before.
    none: OnceLock<Json>,
}

impl WordPress {
    fn start() -> WordPress {
        let idle = IDLE.lock().unwrap().pop();
        let held = if let Some((site, dir)) = idle {
            site.reset();
            (site, dir)
        } else {
            let site = Site::builder()
                .with(Fixture::theme("fabrik-classic"))
                .with(Fixture::plugin("contact-form-7"))
                .with(Fixture::plugin("seo-by-rank-math"))
                .with(Fixture::plugin("wordpress-seo"))
                .build()
                .expect("WordPress is installed for tests");
            (site, tempfile::tempdir().unwrap())
        };
        let target = WordPress {
            held: Some(held),
            none: OnceLock::new(),
        };
        target.php(SEED);
        target.none.set(target.counts()).unwrap();
        target
    }

    fn held(&self) -> &(Site, TempDir) {
        self.held.as_ref().unwrap()
    }

    fn words(&self) -> Vec<String> {
        let (site, dir) = self.held();
        command(site, &dir.path().join("opcache"))
    }

    /// A human does something, in PHP.
    fn php(&self, code: &str) -> String {
        let words = self.words();
        let output = Command::new(&words[0])
            .args(&words[1..])
            .arg(format!("--path={}", self.held().0.path().display()))
            .args(["eval", code, "--user=admin"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{code}\n{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }

    fn counts(&self) -> Json {
        let said = self.php(
            r#"
            global $wpdb;
            $posts = function ($type) use ($wpdb) { return (int) $wpdb->get_var($wpdb->prepare("SELECT COUNT(*) FROM {$wpdb->posts} WHERE post_type = %s AND post_name LIKE 'fbt%%' AND post_status NOT IN ('trash', 'inherit')", $type)); };
            $terms = function ($taxonomy) use ($wpdb) { return (int) $wpdb->get_var($wpdb->prepare("SELECT COUNT(*) FROM {$wpdb->terms} t JOIN {$wpdb->term_taxonomy} x ON x.term_id = t.term_id WHERE x.taxonomy = %s AND t.slug LIKE 'fbt%%'", $taxonomy)); };
            $users = (int) $wpdb->get_var("SELECT COUNT(*) FROM {$wpdb->users} WHERE user_login LIKE 'fbt%'");
            $meta = function ($like) use ($wpdb) { return (int) $wpdb->get_var($wpdb->prepare("SELECT COUNT(DISTINCT post_id) FROM {$wpdb->postmeta} WHERE meta_key LIKE %s", $like)); };
            echo "\n" . json_encode(array(
                'wordpress.page' => $posts('page'), 'wordpress.post' => $posts('post'), 'wordpress.form' => $posts('wpcf7_contact_form'),
                'wordpress.category' => $terms('category'),
                'wordpress.menu' => $terms('nav_menu'),
                'wordpress.author' => $users, 'wordpress.user' => $users,
                'wordpress.option' => (int) $wpdb->get_var("SELECT COUNT(*) FROM {$wpdb->options} WHERE option_name LIKE 'fbt%'"),
                'wordpress.settings' => (int) (0 === strpos(get_option('blogname'), 'Fbt')),
                'wordpress.front_page' => (int) ('page' === get_option('show_on_front')),
                'wordpress.privacy_page' => (int) (3 !== (int) get_option('wp_page_for_privacy_policy')),
                'wordpress.seo_site' => (int) !empty(get_option('fabrik_seo')) + (int) ('%title% | %sitename%' === (get_option('rank-math-options-titles')['pt_page_title'] ?? '')) + (int) ('%%title%% %%sep%% %%sitename%%' === (get_option('wpseo_titles')['title-page'] ?? '')),
                'wordpress.seo_page' => $meta('\_fabrik\_seo\_title') + $meta('rank\_math\_title') + $meta('\_yoast\_wpseo\_title'),
            ));"#,
        );
        serde_json::from_str(said.lines().last().unwrap()).unwrap()
    }

    fn edit(&self, id: &str, fields: &str) {
        self.php(&format!(
            "wp_update_post(wp_slash(array('ID' => {id}, {fields})));"
        ));
    }

    fn post(&self, kind: &str, fields: &str) {
        self.php(&format!(
            "wp_insert_post(wp_slash(array('post_type' => '{kind}', 'post_status' => 'publish', {fields})));"
        ));
    }

    fn option(&self, name: &str, value: &str) {
        self.php(&format!("update_option('{name}', {value});"));
    }
}

/// What PHP serialised, so that values inside of an option are told apart; `None` for anything else.
fn unfold(text: &str) -> Option<Json> {
    fn value(rest: &mut &str) -> Option<Json> {
        let (kind, after) = rest.split_at_checked(2)?;
        let (head, tail) = match kind {
            "a:" | "s:" => after.split_once(':')?,
            "N;" => {
                *rest = after;
                return Some(Json::Null);
            }
            "i:" | "b:" | "d:" => after.split_once(';')?,
            _ => return None,
        };
        match kind {
            "s:" => {
                let length: usize = head.parse().ok()?;
                let text = tail.get(1..=length)?;
                *rest = tail.get(length + 1..)?.strip_prefix("\";")?;
                Some(json!(text))
            }
            "a:" => {
                let mut map = serde_json::Map::new();
                *rest = tail.strip_prefix('{')?;
                for _ in 0..head.parse::<usize>().ok()? {
                    let key = value(rest)?;
                    let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                    map.insert(key, value(rest)?);
                }
                *rest = rest.strip_prefix('}')?;
                Some(Json::Object(map))
            }
            _ => {
                *rest = tail;
                Some(json!(format!("{kind}{head}")))
            }
        }
    }
    let mut rest = text;
    let found = value(&mut rest)?;
    (rest.is_empty() && found.is_object()).then_some(found)
}

impl Drop for WordPress {
    fn drop(&mut self) {
        if let Some(held) = self.held.take()
            && !std::thread::panicking()
        {
            IDLE.lock().unwrap().push(held);
        }
    }
}

impl Target for WordPress {
    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 9))
    }

    fn config(&self, _: SocketAddr) -> Json {
        json!({"path": self.held().0.path(), "wp": self.words()})
    }

    fn dump(&self) -> Json {
        let dump = self.held().0.dump();
        // Rows by what names them, so that a change of one column is told from that of another.
        let mut tables = serde_json::Map::new();
        for (table, rows) in dump.tables {
            let mut named = serde_json::Map::new();
            for (at, text) in rows.into_iter().enumerate() {
                // What WordPress notes for itself: whether it was ever used, and, whenever somebody
                // looks, which categories are below others.
                let own = ["fresh_site", "category_children"];
                if own
                    .iter()
                    .any(|name| text.contains(&format!("\"option_name\":\"{name}\"")))
                {
                    continue;
                }
                let mut row: Json = serde_json::from_str(&text).unwrap();
                if let Some(value) = row
                    .get("option_value")
                    .and_then(Json::as_str)
                    .and_then(unfold)
                {
                    row["option_value"] = value;
                }
                let name = ["ID", "option_name", "term_id", "id"]
                    .iter()
                    .find_map(|key| row[*key].as_str());
                let name = match name {
                    Some(name)
                        if table.ends_with("posts")
                            || table.ends_with("options")
                            || table.ends_with("users")
                            || table.ends_with("terms") =>
                    {
                        name.to_owned()
                    }
                    _ if table.ends_with("meta") => {
                        let (Some(map), mut key) = (row.as_object(), String::new()) else {
                            continue;
                        };
                        for (column, value) in map {
                            if column != "meta_value" {
                                key.push_str(&value.to_string());
                            }
                        }
                        key
                    }
                    _ => format!("{at}"),
                };
                named.insert(name, row);
            }
            tables.insert(table, Json::Object(named));
        }
        json!({"tables": tables, "files": dump.files})
    }

    fn count(&self, type_name: &str) -> usize {
        let there = self.counts()[type_name].as_u64().unwrap();
        let none = self.none.get().unwrap()[type_name].as_u64().unwrap();
        usize::try_from(there.saturating_sub(none)).unwrap()
    }

    fn wire(&self) -> Wire {
        Wire::Direct
    }
}

const SITE: &str = "a site always has this: there is nothing to be taken";
const STAYS: &str = "what a site always has cannot be deleted: it becomes what it was";
const NOBODY: &str =
    "WP-CLI has no credentials: it is whoever runs it, and what that account lacks is a finding";
const ONCE: &str = "a site has this once: there are not several to be read";
const UNSET: &str = "a value that is no longer set becomes what it was before";

fn main() -> ExitCode {
    if Site::builder().build().is_none() {
        return ExitCode::SUCCESS;
    }
    let code = suite();
    IDLE.lock().unwrap().clear();
    code
}

fn suite() -> ExitCode {
    fabrik_testkit::suite("wordpress", || provider(env()))
        .target(WordPress::start)
        .waive("S9", "`ssh.key_file` is the path of a file, not a secret")
        .waive("C2", NOBODY)
        .waive("C3", NOBODY)
        .waive("C4", NOBODY)
        .untested("wordpress.core", "versions and languages come from wordpress.org, which tests do not ask; tests/real_structure.rs checks what needs no network")
        .untested("wordpress.theme", "installing is slow and changes files that the sites of cases share; tests/real_structure.rs has its cases")
        .untested("wordpress.plugin", "installing is slow and changes files that the sites of cases share; tests/real_structure.rs has its cases")
        .untested("wordpress.theme_style", "each theme keeps it elsewhere; tests/real_style.rs has its cases, by theme")
        .untested("wordpress.media", "its source is a file beside the spec; tests/real_structure.rs has its cases")
        .untested("wordpress.analytics", "it is a file that the site prints; tests/real_structure.rs has its cases")
        .untested("wordpress.language", "it needs Polylang, which changes the rest of the site; tests/real_style.rs has its cases")
        .untested("wordpress.translation", "it needs Polylang, which changes the rest of the site; tests/real_style.rs has its cases")
        .resource("wordpress.page", |r| {
            r.also("top", "wordpress.page", json!({"slug": "top", "title": "Top"}))
                .minimal(json!({"slug": "fbt", "title": "Fbt"}))
                .maximal(json!({
                    "slug": "fbt-page", "title": "Fbt", "parent": "${resources.top.id}", "status": "private",
                    "template": "wide.php", "excerpt": "Some words", "featured_media": "900", "menu_order": 7,
                    "sections": [section("a", "One"), section("b", "Two")],
                }))
                .update(json!({"title": "Other", "status": "publish", "sections": [section("b", "Three"), section("c", "New")], "menu_order": 8}))
                .invalid("slug", json!("Über uns"), "cannot be a slug")
                .invalid("parent", json!("top"), "is not an id")
                .invalid("sections", json!([{"id": "a", "markup": "text"}]), "is not one block")
                .refused("template", json!("none.php"), "no template")
                .refused("featured_media", json!("777"), "no image 777")
                .text(&["title", "excerpt"])
                .drift("title", |t: &WordPress, id| t.edit(id, "'post_title' => 'By hand'"))
                .drift("sections", |t: &WordPress, id| {
                    t.php(&format!("$p = get_post({id}); wp_update_post(wp_slash(array('ID' => {id}, 'post_content' => str_replace('Two', 'By hand', $p->post_content))));"));
                })
                .gone(|t: &WordPress, id| t.php(&format!("wp_delete_post({id}, true);")))
                .foreign(|t: &WordPress| {
                    t.post("page", "'post_name' => 'top', 'post_title' => 'Theirs'");
                    t.php("$top = get_page_by_path('top'); wp_insert_post(array('post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'fbt-page', 'post_title' => 'Theirs', 'post_parent' => $top->ID)); wp_update_post(array('ID' => $top->ID, 'post_name' => 'gone'));")
                })
                .unmanaged(|t: &WordPress, id| {
                    t.php(&format!("global $wpdb; $wpdb->update($wpdb->posts, array('comment_status' => 'open'), array('ID' => {id}));"))
                })
                .bad_id("fbt", "NUMBER")
                .many(12, |at| json!({"slug": format!("fbt-{at}"), "title": "Fbt"}))
                .reads_at_most(1)
        })
        .resource("wordpress.post", |r| {
            r.also("news", "wordpress.category", json!({"slug": "news", "name": "News"}))
                .also("jane", "wordpress.author", json!({"login": "jane", "name": "Jane", "email": "jane@example.com"}))
                .minimal(json!({"slug": "fbt", "title": "Fbt"}))
                .maximal(json!({
                    "slug": "fbt-post", "title": "Fbt", "status": "draft", "date": "2026-01-02T03:04:05Z",
                    "sections": [section("a", "One")], "excerpt": "Some words", "categories": ["${resources.news.id}"],
                    "tags": ["one", "Two & more"], "author": "${resources.jane.id}", "featured_media": "900",
                }))
                .update(json!({"title": "Other", "status": "publish", "date": "2026-01-03", "tags": ["one"], "sections": [section("a", "Two")]}))
                .invalid("date", json!("yesterday"), "is not a date")
                .invalid("slug", json!(""), "is empty")
                .refused("categories", json!(["777"]), "no category 777")
                .same("date", json!("2026-01-02T05:04:05+02:00"))
                .unset(&["excerpt", "tags", "featured_media"])
                .text(&["title", "excerpt"])
                .drift("title", |t: &WordPress, id| t.edit(id, "'post_title' => 'By hand'"))
                .drift("tags", |t: &WordPress, id| t.php(&format!("wp_set_object_terms({id}, array('three'), 'post_tag');")))
                .gone(|t: &WordPress, id| t.php(&format!("wp_delete_post({id}, true);")))
                .foreign(|t: &WordPress| t.post("post", "'post_name' => 'fbt-post', 'post_title' => 'Theirs'"))
                .unmanaged(|t: &WordPress, id| t.php(&format!("global $wpdb; $wpdb->update($wpdb->posts, array('ping_status' => 'closed'), array('ID' => {id}));")))
                .bad_id("fbt", "NUMBER")
                .many(12, |at| json!({"slug": format!("fbt-{at}"), "title": "Fbt"}))
                .reads_at_most(1)
        })
        .resource("wordpress.category", |r| {
            r.also("top", "wordpress.category", json!({"slug": "top", "name": "Top"}))
                .minimal(json!({"slug": "fbt", "name": "Fbt"}))
                .maximal(json!({"slug": "fbt-cat", "name": "Fbt & <more>", "description": "Some words", "parent": "${resources.top.id}"}))
                .update(json!({"slug": "fbt-two", "name": "Other", "description": "Others"}))
                .invalid("slug", json!("a b"), "cannot be a slug")
                .invalid("parent", json!("top"), "is not an id")
                .waive("R12", "what WordPress refuses of a category is refused before")
                .text(&["name"])
                .drift("name", |t: &WordPress, id| t.php(&format!("wp_update_term({id}, 'category', array('name' => 'By hand'));")))
                .gone(|t: &WordPress, id| t.php(&format!("wp_delete_term({id}, 'category');")))
                .foreign(|t: &WordPress| t.php("wp_insert_term('Theirs', 'category', array('slug' => 'fbt-cat'));"))
                .unmanaged(|t: &WordPress, id| t.php(&format!("update_term_meta({id}, 'by_hand', '1');")))
                .bad_id("fbt", "NUMBER")
                .many(12, |at| json!({"slug": format!("fbt-{at}"), "name": format!("Fbt {at}")}))
                .reads_at_most(1)
        })
        .resource("wordpress.author", |r| {
            r.minimal(json!({"login": "fbt", "name": "Fbt", "email": "fbt@example.com"}))
                .maximal(json!({"login": "fbt-author", "name": "Fbt Ö'Hara", "email": "author@example.com", "bio": "Some words", "url": "https://example.com/me"}))
                .update(json!({"name": "Other", "email": "other@example.com", "bio": "Others"}))
                .replace("login", json!("fbt-other"))
                .invalid("login", json!("a/b"), "cannot be a login")
                .invalid("email", json!("nobody"), "is not an e-mail address")
                .waive("R12", "what WordPress refuses of an author is refused before; an address that is taken is a conflict (L17)")
                .text(&["name"])
                .drift("name", |t: &WordPress, id| t.php(&format!("wp_update_user(array('ID' => {id}, 'display_name' => 'By hand'));")))
                .gone(|t: &WordPress, id| t.php(&format!("require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user({id}, 1);")))
                .foreign(|t: &WordPress| t.php("wp_insert_user(array('user_login' => 'fbt-author', 'user_pass' => 'x', 'user_email' => 'theirs@example.com'));"))
                .unmanaged(|t: &WordPress, id| t.php(&format!("update_user_meta({id}, 'by_hand', '1');")))
                .bad_id("fbt", "NUMBER")
                .many(12, |at| json!({"login": format!("fbt-{at}"), "name": "Fbt", "email": format!("fbt-{at}@example.com")}))
                .reads_at_most(1)
        })
        .resource("wordpress.user", |r| {
            r.minimal(json!({"login": "fbt", "email": "fbt@example.com", "role": "subscriber"}))
                .maximal(json!({"login": "fbt-user", "email": "user@example.com", "role": "editor", "password": "long-and-secret-5512", "name": "Fbt Ö'Hara"}))
                .update(json!({"email": "other@example.com", "role": "author", "password": "other-and-secret-7713", "name": "Other"}))
                .replace("login", json!("fbt-other"))
                .invalid("login", json!("a/b"), "cannot be a login")
                .invalid("role", json!("a b"), "cannot be a role")
                .refused("role", json!("king"), "no role king")
                .text(&["name"])
                .drift("role", |t: &WordPress, id| t.php(&format!("$u = new WP_User({id}); $u->set_role('contributor');")))
                .gone(|t: &WordPress, id| t.php(&format!("require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user({id}, 1);")))
                .foreign(|t: &WordPress| t.php("wp_insert_user(array('user_login' => 'fbt-user', 'user_pass' => 'x', 'user_email' => 'theirs@example.com'));"))
                .unmanaged(|t: &WordPress, id| t.php(&format!("update_user_meta({id}, 'by_hand', '1');")))
                .bad_id("fbt", "NUMBER")
                .many(12, |at| json!({"login": format!("fbt-{at}"), "role": "subscriber", "email": format!("fbt-{at}@example.com")}))
                .reads_at_most(1)
        })
        .resource("wordpress.menu", |r| {
            r.also("home", "wordpress.page", json!({"slug": "home", "title": "Home"}))
                .also("news", "wordpress.category", json!({"slug": "news", "name": "News"}))
                .minimal(json!({"slug": "fbt", "name": "Fbt"}))
                .maximal(json!({"slug": "fbt-menu", "name": "Fbt & <more>", "locations": ["primary", "footer"], "items": [
                    {"title": "Home", "page": "${resources.home.id}", "children": [
                        {"title": "News", "category": "${resources.news.id}"},
                        {"title": "Far \\ away's", "url": "https://example.com/?a=b&c=d#e", "target": "_blank"},
                    ]},
                    {"title": "Write", "url": "mailto:me@example.com"},
                ]}))
                .update(json!({"name": "Other", "locations": ["footer"], "items": [{"title": "Only", "url": "/only/"}]}))
                .replace("slug", json!("fbt-other"))
                .invalid("items", json!([{"title": "Nowhere"}]), "leads nowhere")
                .invalid("items", json!([{"title": "x", "url": "javascript:alert(1)"}]), "is no address")
                .refused("locations", json!(["sidebar"]), "no menu location `sidebar`")
                .text(&["name"])
                .drift("items", |t: &WordPress, id| {
                    t.php(&format!("wp_update_nav_menu_item({id}, 0, array('menu-item-title' => 'By hand', 'menu-item-url' => 'https://example.net/', 'menu-item-status' => 'publish'));"))
                })
                .drift("locations", |t: &WordPress, _| t.php("set_theme_mod('nav_menu_locations', array());"))
                .gone(|t: &WordPress, id| t.php(&format!("wp_delete_nav_menu({id});")))
                .foreign(|t: &WordPress| t.php("wp_insert_term('Theirs', 'nav_menu', array('slug' => 'fbt-menu'));"))
                .unmanaged(|t: &WordPress, id| t.php(&format!("update_term_meta({id}, 'by_hand', '1');")))
                .bad_id("fbt", "NUMBER")
                .many(12, |at| json!({"slug": format!("fbt-{at}"), "name": format!("Fbt {at}")}))
                .reads_at_most(1)
        })
        .resource("wordpress.form", |r| {
            r.minimal(json!({
                "title": "Fbt", "fields": [{"name": "email", "label": "E-mail"}], "submit": "Send",
                "mail": {"to": "me@example.com", "subject": "Hello"},
            }))
            .maximal(json!({
                "plugin": "contact-form-7", "title": "Fbt & form",
                "fields": [
                    {"name": "your-name", "label": "Name", "type": "text", "required": true},
                    {"name": "email", "label": "E-mail [x] <y>", "type": "email", "required": true},
                    {"name": "topic", "label": "Topic", "type": "select", "required": false, "options": ["One", "Two & three"]},
                    {"name": "text", "label": "Text", "type": "textarea", "required": false},
                    {"name": "consent", "label": "I agree", "type": "acceptance", "required": true},
                ],
                "submit": "Send it", "mail": {"to": "me@example.com", "subject": "From [your-name]", "from": "Me <site@example.com>"},
                "messages": {"mail_sent_ok": "Thank you"},
            }))
            .update(json!({"submit": "Go", "fields": [{"name": "email", "label": "E-mail", "type": "email", "required": true, "options": []}], "messages": {"mail_sent_ok": "Thanks"}}))
            .invalid("fields", json!([{"name": "1", "label": "x"}]), "cannot be the name")
            .invalid("submit", json!("a\"]"), "quotes or brackets")
            .waive("L7", "there is one plugin for forms, so there is no other value")
            .waive("R12", "WordPress takes whatever a form is")
            .text(&["title"])
            .drift("submit", |t: &WordPress, id| t.php(&format!("update_post_meta({id}, '_form', str_replace('Send it', 'By hand', get_post_meta({id}, '_form', true)));")))
            .gone(|t: &WordPress, id| t.php(&format!("wp_delete_post({id}, true);")))
            .foreign(|t: &WordPress| t.post("wpcf7_contact_form", "'post_title' => 'Fbt & form'"))
            .unmanaged(|t: &WordPress, id| t.php(&format!("update_post_meta({id}, '_additional_settings', 'demo_mode: on');")))
            .bad_id("fbt", "NUMBER")
            .many(12, |at| json!({
                "title": format!("Fbt {at}"), "fields": [{"name": "email", "label": "E-mail"}], "submit": "Send",
                "mail": {"to": "me@example.com", "subject": "Hello"},
            }))
            .reads_at_most(1)
        })
        .resource("wordpress.settings", |r| {
            r.minimal(json!({"title": "Fbt"}))
                .maximal(json!({
                    "title": "Fbt & <Söhne>", "tagline": "Since \"1950\"", "timezone": "Europe/Rome", "date_format": "j F Y",
                    "time_format": "H:i", "start_of_week": 0, "posts_per_page": 7, "permalinks": "/%postname%/",
                    "search_engines": false, "admin_email": "me@example.com", "comments": false, "site_icon": "900",
                    "site_logo": "900", "language": "en_US",
                }))
                .update(json!({"title": "Fbt other", "posts_per_page": 8, "search_engines": true, "permalinks": "/%year%/%postname%/"}))
                .invalid("timezone", json!("UTC+2"), "is an offset")
                .invalid("admin_email", json!("nobody"), "is not an e-mail address")
                .refused("timezone", json!("Moon/Base"), "did not keep")
                .text(&["title", "tagline"])
                .drift("title", |t: &WordPress, _| t.option("blogname", "'By hand'"))
                .drift("posts_per_page", |t: &WordPress, _| t.option("posts_per_page", "3"))
                .unmanaged(|t: &WordPress, _| t.option("use_smilies", "''"))
                .bad_id("no id", "site")
                .waive("L9", STAYS)
                .waive("L11", STAYS)
                .waive("D3", STAYS)
                .waive("L13", UNSET)
                .waive("G1", ONCE)
                .waive("R10", ONCE)
                .waive("R11", ONCE)
                .waive("L17", SITE)
        })
        .resource("wordpress.option", |r| {
            r.minimal(json!({"name": "fbt", "value": "text"}))
                .maximal(json!({"name": "fbt", "value": {"a": [1, 2], "b": {"c": "say \"hi\" \\ $HOME grün"}, "d": true, "e": ""}}))
                .variant("inside", json!({"name": "fbt_other", "merge": {"a": {"b": "1", "c": ["x"]}, "d": "2"}}))
                .update(json!({"value": {"a": [1], "f": "new"}}))
                .replace("name", json!("fbt_other"))
                .invalid("name", json!("active_plugins"), "not to be set as an option")
                .waive("R12", "WordPress takes any value")
                .drift("value", |t: &WordPress, _| t.option("fbt", "'by hand'"))
                .gone(|t: &WordPress, _| t.php("delete_option('fbt');"))
                .unmanaged(|t: &WordPress, _| t.option("use_smilies", "''"))
                .bad_id("not an option", "NAME")
                .many(12, |at| json!({"name": format!("fbt_{at}"), "value": "text"}))
                .reads_at_most(1)
                .waive("L17", "an option that is there is set, and becomes what it was: nothing is lost by it")
        })
        .resource("wordpress.front_page", |r| {
            r.also("home", "wordpress.page", json!({"slug": "home", "title": "Home"}))
                .also("blog", "wordpress.page", json!({"slug": "blog", "title": "Blog"}))
                .minimal(json!({"page": "${resources.home.id}"}))
                .maximal(json!({"page": "${resources.home.id}", "posts_page": "${resources.blog.id}"}))
                .update(json!({"page": "2"}))
                .invalid("page", json!("home"), "is not an id")
                .refused("page", json!("777"), "no page or image 777")
                .text(&[])
                .drift("posts_page", |t: &WordPress, _| t.option("page_for_posts", "2"))
                .unmanaged(|t: &WordPress, _| t.option("posts_per_page", "3"))
                .bad_id("no id", "site")
                .waive("L9", STAYS)
                .waive("L11", STAYS)
                .waive("D3", STAYS)
                .waive("L13", UNSET)
                .waive("G1", ONCE)
                .waive("R10", ONCE)
                .waive("R11", ONCE)
                .waive("L17", SITE)
        })
        .resource("wordpress.privacy_page", |r| {
            r.also("home", "wordpress.page", json!({"slug": "home", "title": "Home"}))
                .minimal(json!({"page": "${resources.home.id}"}))
                .maximal(json!({"page": "${resources.home.id}"}))
                .update(json!({"page": "2"}))
                .invalid("page", json!("home"), "is not an id")
                .refused("page", json!("777"), "no page or image 777")
                .text(&[])
                .drift("page", |t: &WordPress, _| t.option("wp_page_for_privacy_policy", "2"))
                .unmanaged(|t: &WordPress, _| t.option("posts_per_page", "3"))
                .bad_id("no id", "site")
                .waive("L9", STAYS)
                .waive("L11", STAYS)
                .waive("D3", STAYS)
                .waive("G1", ONCE)
                .waive("R10", ONCE)
                .waive("R11", ONCE)
                .waive("L17", SITE)
        })
        .resource("wordpress.seo_site", |r| {
            r.minimal(json!({"title_template": "%title% | %sitename%"}))
                .maximal(json!({
                    "plugin": "fabrik", "title_template": "%title% %sep% %sitename%", "separator": "·", "home_title": "Fbt \"at\" home",
                    "home_description": "Some words", "organisation": {"name": "Fbt & Co", "logo": "https://example.com/logo.png", "type": "company"},
                    "social": {"facebook": "https://facebook.com/fbt", "mastodon": "https://example.social/@fbt"},
                    "sitemap": true, "verification": {"google": "abc-1", "bing": "DEF2", "yandex": "a1", "baidu": "b2"},
                }))
                .variant("rank_math", json!({
                    "plugin": "rank_math", "title_template": "%title% | %sitename%", "separator": "–", "home_title": "Home",
                    "home_description": "Some words", "organisation": {"name": "Fbt", "type": "person"}, "sitemap": true,
                    "social": {"facebook": "https://facebook.com/fbt", "twitter": "fbt"}, "verification": {"google": "abc-1"},
                }))
                .variant("yoast", json!({
                    "plugin": "yoast", "title_template": "%title% %sep% %sitename%", "separator": "|", "home_title": "Home",
                    "organisation": {"name": "Fbt", "type": "company"}, "social": {"facebook": "https://facebook.com/fbt"},
                }))
                .update(json!({"title_template": "%title%", "sitemap": false, "organisation": {"name": "Other", "logo": "https://example.com/logo.png", "type": "person"}}))
                .replace("plugin", json!("rank_math"))
                .invalid("verification", json!({"google": "<meta>"}), "no verification code")
                .waive("R12", "what the plugins would refuse is refused before")
                .text(&["home_title", "home_description"])
                .drift("separator", |t: &WordPress, _| t.php("$o = get_option('fabrik_seo'); $o['separator'] = '#'; update_option('fabrik_seo', $o);"))
                .unmanaged(|t: &WordPress, _| t.php("$o = get_option('fabrik_seo'); $o['more'] = 'by hand'; update_option('fabrik_seo', $o);"))
                .bad_id("no id", "fabrik")
                .waive("L7", "nothing but the plugin cannot change, and another plugin has other fields")
                .waive("L9", STAYS)
                .waive("L11", STAYS)
                .waive("D3", STAYS)
                .waive("L13", UNSET)
                .waive("G1", ONCE)
                .waive("R10", ONCE)
                .waive("R11", ONCE)
                .waive("L17", SITE)
        })
        .resource("wordpress.seo_page", |r| {
            r.also("home", "wordpress.page", json!({"slug": "home", "title": "Home"}))
                .minimal(json!({"page": "${resources.home.id}", "title": "Fbt"}))
                .maximal(json!({
                    "plugin": "fabrik", "page": "${resources.home.id}", "title": "Fbt %sep% %sitename%", "description": "Some \"words\" \\ more",
                    "focus_keyword": "fbt", "canonical": "https://example.com/fbt/", "noindex": true,
                    "og_image": "https://example.com/fbt.png", "schema_type": "AboutPage",
                }))
                .variant("rank_math", json!({"plugin": "rank_math", "page": "${resources.home.id}", "title": "%title% | %tagline%", "description": "Words", "noindex": true}))
                .variant("yoast", json!({"plugin": "yoast", "page": "${resources.home.id}", "title": "%title% | %tagline%", "noindex": false}))
                .update(json!({"title": "Other", "noindex": false}))
                .replace("plugin", json!("yoast"))
                .replace("page", json!("2"))
                .invalid("canonical", json!("fbt"), "is not an address")
                .refused("page", json!("777"), "no page 777")
                .text(&["title", "description"])
                .drift("title", |t: &WordPress, id| {
                    let page = id.split('/').nth(1).unwrap();
                    t.php(&format!("update_post_meta({page}, '_fabrik_seo_title', 'By hand');"))
                })
                .unmanaged(|t: &WordPress, id| {
                    let page = id.split('/').nth(1).unwrap();
                    t.php(&format!("update_post_meta({page}, 'by_hand', '1');"))
                })
                .bad_id("fbt", "PLUGIN/NUMBER")
                .many(12, |at| json!({
                    "plugin": (["fabrik", "rank_math", "yoast"][at % 3]), "page": (910 + at / 3).to_string(), "title": "Fbt",
                }))
                .reads_at_most(1)
                .waive("L7", "another plugin takes other fields")
                .waive("L9", STAYS)
                .waive("L11", STAYS)
                .waive("D3", STAYS)
                .waive("L17", SITE)
        })
        .run()
}
