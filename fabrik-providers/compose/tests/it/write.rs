//! Writing: always the same, and the same when it is read again.

use fabrik_compose::{Attachment, Dependency, File, Service, parse, write};

use crate::support::{STACK, read};

#[test]
fn what_is_written_means_the_same_and_is_written_again_alike() {
    let file = read(STACK).file;
    let text = write(&file);
    let again = read(&text).file;
    assert_eq!(again, file, "{text}");
    assert_eq!(write(&again), text);
    // Conventional order, short forms.
    let order: Vec<usize> = [
        "name: shop",
        "services:",
        "networks:\n  back:",
        "volumes:\n  data: {}",
    ]
    .iter()
    .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")))
    .collect();
    assert!(order.is_sorted(), "{text}");
    for part in [
        "      - data:/var/lib/postgresql/data\n",
        "      nproc: 65535\n",
        "    networks:\n      - back\n",
        "      - backup_key\n",
        "    tmpfs:\n      - /tmp\n",
    ] {
        let quoted = part.replace(
            "data:/var/lib/postgresql/data",
            "\"data:/var/lib/postgresql/data\"",
        );
        assert!(
            text.contains(part) || text.contains(&quoted),
            "{part}\n{text}"
        );
    }
}

#[test]
fn texts_that_look_like_something_else_stay_texts() {
    let odd = [
        "yes",
        "no",
        "on",
        "12:30",
        "0x10",
        "1e3",
        "~",
        "null",
        "- a",
        "a: b",
        "#x",
        "*x",
        "&x",
        "!x",
        " lead",
        "trail ",
        "ünï",
        "a\nb\n",
        "tab\there",
        "'",
        "\"",
        "{",
        "[",
        "%",
        "@x",
        "`",
        "",
        "|",
        ">",
        "?",
        "=",
        "<<",
        "1.10",
        ".5",
        "+1",
    ];
    let mut service = Service::of_image("x:1");
    for (index, text) in odd.iter().enumerate() {
        service
            .environment
            .insert(format!("V{index}"), Some((*text).to_owned()));
    }
    let file = File {
        services: [("a".to_owned(), service)].into(),
        ..File::default()
    };
    let text = write(&file);
    assert_eq!(read(&text).file, file, "{text}");
}

#[test]
fn dependencies_that_say_more_are_blocks() {
    let mut web = Service::of_image("x:1");
    let healthy = Dependency {
        condition: Some("service_healthy".to_owned()),
        ..Dependency::default()
    };
    web.depends_on.insert("db".to_owned(), healthy);
    web.depends_on
        .insert("mq".to_owned(), Dependency::default());
    web.networks
        .insert("back".to_owned(), Attachment::default());
    let file = File {
        services: [("web".to_owned(), web)].into(),
        ..File::default()
    };
    assert_eq!(
        write(&file),
        "services:\n  web:\n    image: \"x:1\"\n    depends_on:\n      db:\n        condition: service_healthy\n      mq:\n        condition: service_started\n    networks:\n      - back\n"
    );
}

#[test]
fn keys_of_ones_own_are_kept() {
    let text = "x-top: {a: [1, true]}\nservices:\n  web:\n    image: x\n    x-own: {b: 1.5}\n    privileged: true\n    mem_limit: 1g\n";
    let file = read(text).file;
    assert_eq!(read(&write(&file)).file, file);
    let mut found = Vec::new();
    let written = write(&file);
    parse(&written, 0, &mut found);
    assert!(
        written.contains("x-own:") && written.contains("mem_limit: \"1g\""),
        "{written}"
    );
}
