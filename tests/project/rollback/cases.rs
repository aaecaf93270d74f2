//! The examples, and what is changed in each, so that things are made, changed in place, made anew,
//! deleted and moved.

use std::path::Path;

/// An example.
pub(super) struct Case {
    /// Its folder in `examples`.
    pub(super) folder: &'static str,
    /// Its spec.
    pub(super) file: &'static str,
    /// The environment.
    pub(super) env: Option<&'static str>,
    /// Changes that have nothing to do with what is tested, such as what would take long.
    pub(super) prepare: &'static [Edit],
    /// What makes its second version of the first one.
    pub(super) second: &'static [Edit],
    /// What somebody changes by hand before each run, in the project's folder.
    pub(super) by_hand: Option<fn(&Path)>,
}

/// In a file, one text instead of another, which is there. `@PROJECT@` stands for the folder.
pub(super) struct Edit {
    pub(super) file: &'static str,
    pub(super) old: &'static str,
    pub(super) new: &'static str,
}

const fn edit(file: &'static str, old: &'static str, new: &'static str) -> Edit {
    Edit { file, old, new }
}

/// In the order of their files.
pub(super) const ALL: [&Case; 6] = [&STAGING, &PRODUCTION, &FILES, &HELLO, &SERVICE, &VERIFY];

const SHOP: &[Edit] = &[
    // Another path is another file.
    edit("shop.yaml", "banner.txt", "welcome.txt"),
    edit(
        "shop.yaml",
        "host: shop.localhost",
        "host: bazaar.localhost",
    ),
    edit("shop.yaml", "Disallow: /", "Disallow: /cart"),
];

pub(super) const STAGING: Case = Case {
    folder: "environments",
    file: "shop.yaml",
    env: Some("staging"),
    prepare: &[],
    second: SHOP,
    by_hand: None,
};

pub(super) const PRODUCTION: Case = Case {
    env: Some("production"),
    ..STAGING
};

pub(super) const FILES: Case = Case {
    folder: "files",
    file: "fabrik.yaml",
    env: None,
    prepare: &[],
    second: &[
        edit("fabrik.yaml", "Plans are honest.", "Plans are kept."),
        edit("fabrik.yaml", "readme: true", "readme: false"),
        edit("fabrik.yaml", "one: The beginning", "zero: The beginning"),
        edit("fabrik.yaml", "two: The end", "two: The ending"),
        edit("fabrik.yaml", "${chapter[\"one\"].sha256}", "(none)"),
        edit("fabrik.yaml", "${chapter[\\\"one\\\"].sha256}", "(none)"),
        edit("fabrik.yaml", "session_key =", "key ="),
        // The motto's file is another one at another address.
        edit("fabrik.yaml", "- id: motto", "- id: slogan"),
        edit("fabrik.yaml", "out/motto.txt", "out/slogan.txt"),
        edit("fabrik.yaml", "digest: ${motto.", "digest: ${slogan."),
        edit("fabrik.yaml", "motto: ${motto.", "motto: ${slogan."),
        // And one file moves from one address to another as it is.
        edit(
            "fabrik.yaml",
            "outputs:",
            "moved: [{ from: 'resources.motto', to: 'resources.slogan' }]\noutputs:",
        ),
    ],
    by_hand: Some(|project| {
        let chapter = project.join("out/chapter-two.txt");
        std::fs::write(chapter, "TO BE CONTINUED\n").unwrap();
    }),
};

pub(super) const HELLO: Case = Case {
    folder: "hello",
    file: "hello.yaml",
    env: None,
    prepare: &[],
    second: &[
        edit("site/index.html", "<h1>Hello", "<h1>Good evening"),
        edit(
            "hello.yaml",
            "source: ./site",
            "source: ./site\ndomain: evening.localhost\nheaders: { X-Mood: calm }\nmonitor: true",
        ),
    ],
    by_hand: None,
};

pub(super) const SERVICE: Case = Case {
    folder: "service",
    file: "fabrik.yaml",
    env: None,
    prepare: &[
        // It is compiled once, not once for each process of each version.
        edit(
            "fabrik.yaml",
            "mkdir -p .build && rustc -O -o \".build/greeter-$PORT\" greeter.rs && exec \".build/greeter-$PORT\"",
            "exec @PROJECT@/greeter-program",
        ),
    ],
    second: &[
        edit("fabrik.yaml", "Good morning", "Good evening"),
        edit(
            "fabrik.yaml",
            "replicas: 2",
            "replicas: 1\n    domain: evening.localhost",
        ),
        edit(
            "greeter/greeter.rs",
            "there is only one page",
            "this is the only page",
        ),
    ],
    by_hand: None,
};

pub(super) const VERIFY: Case = Case {
    folder: "verify",
    file: "fabrik.yaml",
    env: None,
    prepare: &[edit("fabrik.yaml", "stable_for: 500ms", "stable_for: 10ms")],
    second: &[
        edit("fabrik.yaml", "mood: open", "mood: closed"),
        edit("fabrik.yaml", "X-Mood: open }", "X-Mood: closed }"),
        edit(
            "fabrik.yaml",
            "host: verified.localhost",
            "host: closed.localhost",
        ),
        edit("site/index.html", "<h1>", "<h1>Closed: "),
    ],
    by_hand: None,
};
