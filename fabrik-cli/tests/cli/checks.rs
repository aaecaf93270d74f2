//! What checks go by: settings from variables and the project's file.

use crate::context::TestContext;

const SPEC: &str =
    "fabrik: 1\nid: shop\nverify:\n  - { tcp: \"shop.example.com:5432\", within: 1s }\n";

#[test]
fn detours_lead_checks_elsewhere() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap();
    let mut context =
        TestContext::with_notes("  - { id: a, type: demo.note, spec: { name: a } }\n");
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    let checks = SPEC.split_once("verify").unwrap().1;
    context.write("fabrik.yaml", &format!("{spec}verify{checks}"));
    let detour = format!("shop.example.com={here}");
    context
        .env
        .insert("FABRIK_CONNECT".to_owned(), detour.clone());
    let ran = context.run(&["apply", "--yes"]).code(0);
    assert!(
        ran.err
            .contains("shop.example.com:5432 accepts connections"),
        "{}",
        ran.err
    );
    // The project's file says it as well.
    context.env.clear();
    let home = context.root.path().join("home").display().to_string();
    context.env.insert("HOME".to_owned(), home);
    context.write(".fabrik/settings.yaml", &format!("connect: \"{detour}\"\n"));
    context.run(&["apply", "--yes"]).code(0);
}

#[test]
fn mistakes_in_settings_of_checks() {
    for (name, value, told) in [
        (
            "FABRIK_RESOLVERS",
            "ns.example.com",
            "is no address of a name server",
        ),
        ("FABRIK_CONNECT", "shop.example.com", "write `FROM=TO`"),
    ] {
        let mut context = TestContext::with_spec(SPEC);
        context.env.insert(name.to_owned(), value.to_owned());
        let ran = context.run(&["plan"]);
        assert_ne!(ran.exit, 0);
        assert!(
            ran.err.contains(name) && ran.err.contains(told),
            "{}",
            ran.err
        );
    }
    let mut context =
        TestContext::with_notes("  - { id: a, type: demo.note, spec: { name: a } }\n");
    context
        .env
        .insert("FABRIK_CA_FILE".to_owned(), "roots.pem".to_owned());
    let ran = context.run(&["apply", "--yes"]);
    assert!(
        ran.exit != 0 && ran.err.contains("roots.pem"),
        "{}",
        ran.err
    );
    context.write("roots.pem", "nothing");
    let ran = context.run(&["apply", "--yes"]);
    let words: Vec<&str> = ran.err.split_whitespace().collect();
    let told = words.join(" ");
    assert!(told.contains("the text holds no certificate"), "{told}");
}
