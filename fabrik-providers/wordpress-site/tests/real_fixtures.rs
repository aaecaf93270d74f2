//! Fixtures behave as they say, in real WordPress.

use fabrik_wordpress_site::{Fixture, Site};

#[test]
fn plugins_behave_as_they_say() {
    let mut wanted = Site::builder();
    for name in [
        "fabrik-fatal-on-load",
        "fabrik-fatal-on-front",
        "fabrik-fatal-on-activation",
        "fabrik-future-php",
        "fabrik-table",
        "contact-form-7",
        "seo-by-rank-math",
        "wordpress-seo",
        "polylang",
    ] {
        wanted = wanted.with(Fixture::plugin(name));
    }
    let Some(site) = wanted.build() else { return };
    // The one that can be activated and then breaks everything; and the way out.
    site.wp_cli(&["plugin", "activate", "fabrik-fatal-on-load"]);
    assert_eq!(site.get("/").status, 500);
    assert!(!site.try_wp_cli(&["option", "get", "home"]).status.success());
    site.wp_cli(&[
        "--skip-plugins",
        "--skip-themes",
        "plugin",
        "deactivate",
        "fabrik-fatal-on-load",
    ]);
    assert_eq!(site.get("/").status, 200);
    // The one that only visitors notice.
    site.wp_cli(&["plugin", "activate", "fabrik-fatal-on-front"]);
    assert_eq!(site.get("/").status, 500);
    site.wp_cli(&["plugin", "deactivate", "fabrik-fatal-on-front"]);
    // Those that never become active.
    for name in ["fabrik-fatal-on-activation", "fabrik-future-php"] {
        assert!(
            !site
                .try_wp_cli(&["plugin", "activate", name])
                .status
                .success()
        );
        assert!(
            !site
                .wp_cli(&["option", "get", "active_plugins", "--format=json"])
                .contains(name)
        );
    }
    site.wp_cli(&[
        "plugin",
        "activate",
        "fabrik-table",
        "contact-form-7",
        "seo-by-rank-math",
    ]);
    assert!(site.dump().tables.contains_key("wp_fabrik_table"));
    let form = site.eval(
        "$f = wpcf7_save_contact_form(['title' => 'Ask', 'form' => '[text* who] [email* mail] [submit \"Go\"]', 'additional_settings' => 'demo_mode: on']);\
         update_post_meta(2, 'rank_math_title', 'A %sep% %sitename%'); update_post_meta(2, 'rank_math_robots', ['noindex']);\
         wp_update_post(['ID' => 2, 'post_content' => $f->shortcode()]); echo $f->id();",
    );
    let page = site.get("/sample-page/").body;
    assert!(
        page.contains("<title>A - A site for tests</title>"),
        "{page}"
    );
    assert!(page.contains("noindex"));
    assert!(page.contains(r#"name="who" aria-required="true""#));
    let feedback = |fields: &[(&str, &str)]| {
        let mut body = String::new();
        for (name, value) in fields {
            body.push_str("--b\r\nContent-Disposition: form-data; name=\"");
            body.push_str(name);
            body.push_str("\"\r\n\r\n");
            body.push_str(value);
            body.push_str("\r\n");
        }
        body.push_str("--b--\r\n");
        let path = format!("/wp-json/contact-form-7/v1/contact-forms/{form}/feedback");
        site.request(
            "POST",
            &path,
            &[("Content-Type", "multipart/form-data; boundary=b")],
            body.as_bytes(),
        )
        .body
    };
    let tag = ("_wpcf7_unit_tag", "wpcf7-f1-o1");
    assert!(feedback(&[tag, ("who", "x")]).contains("validation_failed"));
    assert!(feedback(&[tag, ("who", "x"), ("mail", "x@example.test")]).contains("mail_sent"));
    site.wp_cli(&["plugin", "deactivate", "seo-by-rank-math"]);
    site.wp_cli(&["plugin", "activate", "wordpress-seo", "polylang"]);
    let said = site.eval(
        "update_post_meta(2, '_yoast_wpseo_title', 'Y %%sep%% %%sitename%%');\
         update_option('wpseo_titles', ['separator' => 'sc-nonsense', 'unknown' => 1, 'company_name' => 'Co']);\
         $o = get_option('wpseo_titles'); echo $o['separator'], isset($o['unknown']) ? 'bad' : 'ok', $o['company_name'];\
         foreach ([['en_US', 'en'], ['it_IT', 'it']] as [$l, $s]) { $r = new WP_REST_Request('POST', '/pll/v1/languages'); $r->set_body_params(['locale' => $l, 'slug' => $s, 'name' => $s]); wp_set_current_user(1); echo rest_do_request($r)->get_status(); }\
         pll_set_post_language(2, 'en'); pll_set_post_language(1, 'it'); pll_save_post_translations(['en' => 2, 'it' => 1]);",
    );
    assert_eq!(said, "sc-dashokCo201201");
    let page = site.get("/sample-page/").body;
    assert!(
        page.contains("<title>Y - A site for tests</title>"),
        "{page}"
    );
    assert!(page.contains(r#"hreflang="it""#), "{page}");
}

#[test]
fn themes_behave_as_they_say() {
    let Some(site) = Site::builder()
        .with(Fixture::theme("fabrik-classic"))
        .with(Fixture::theme("generatepress"))
        .build()
    else {
        return;
    };
    site.wp_cli(&["theme", "activate", "fabrik-classic"]);
    assert!(site.get("/").body.contains("site-footer"));
    // A theme that comes as a zip.
    let zip = Fixture::theme("astra").zip(&site.path());
    site.wp_cli(&[
        "theme",
        "install",
        zip.to_str().expect("a path"),
        "--activate",
    ]);
    assert!(site.get("/").body.contains("--ast-global-color-0:#046bd2"));
    // The trap of GeneratePress: settings before its first load.
    site.wp_cli(&["theme", "activate", "generatepress"]);
    site.eval("update_option('generate_settings', ['container_width' => '1000']);");
    site.get("/");
    assert!(
        site.wp_cli(&["option", "get", "generate_settings", "--format=json"])
            .contains("floats")
    );
    // And its cached CSS.
    site.eval("update_option('generate_settings', ['container_width' => '900']);");
    assert!(site.get("/").body.contains("1000px"));
    site.eval("delete_option('generate_dynamic_css_output');");
    assert!(site.get("/").body.contains("900px"));
}
