use super::*;
use crate::clock::SeededEntropy;

fn decl(name: &str, from: Option<SecretSource>, required: bool) -> SecretDecl {
    SecretDecl {
        name: name.into(),
        from,
        length: 0,
        required,
        span: None,
    }
}

fn file(path: &str) -> SecretSource {
    SecretSource::File(path.to_owned())
}

fn read_file(path: &str) -> Result<String> {
    match path {
        "there" => Ok("from file\r\n".to_owned()),
        "blank" => Ok("\n".to_owned()),
        "lines" => Ok("a\nb\n\n".to_owned()),
        "closed" => Err(Error::new(ErrorKind::Permission, "permission denied")),
        _ => Err(Error::new(ErrorKind::NotFound, "no such file")),
    }
}

fn run_command(command: &[String]) -> Result<String> {
    match command[0].as_str() {
        "op" => Ok(format!("{}\n", command[1])),
        _ => Err(Error::new(ErrorKind::Unavailable, "it ended with status 1").hint("sign in")),
    }
}

fn vault(path: &str) -> Result<String> {
    match path {
        "" => Err(Error::new(ErrorKind::NotFound, "no such item")),
        path => Ok(format!("vault:{path}")),
    }
}

fn sources() -> SecretSources<'static> {
    SecretSources {
        env: BTreeMap::new(),
        dotenv: BTreeMap::new(),
        read_file: &read_file,
        run_command: &run_command,
        other: BTreeMap::from([("vault".to_owned(), &vault as ReadSource<'static>)]),
        kept: BTreeMap::new(),
    }
}

fn set(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// Value and origin of one secret.
fn one(decl: &SecretDecl, sources: &SecretSources<'_>) -> (Option<String>, String) {
    let found = find_secrets([decl], sources)
        .unwrap()
        .remove(&decl.name)
        .unwrap();
    assert!(found.value.as_ref().is_none_or(Value::is_secret));
    let text = found
        .value
        .and_then(|value| value.as_str().map(str::to_owned));
    (text, found.origin.to_string())
}

#[test]
fn the_order_of_places() {
    let mut all = sources();
    let named = decl("K", Some(file("there")), false);
    all.env = set(&[("K", "from env")]);
    all.dotenv = set(&[("K", "from dotenv")]);
    all.kept = BTreeMap::from([("K".into(), Value::from("from state"))]);
    let some = |text: &str, origin: &str| (Some(text.to_owned()), origin.to_owned());
    assert_eq!(
        one(&named, &all),
        some("from env", "environment variable K")
    );
    all.env = set(&[("K", "")]);
    assert_eq!(one(&named, &all), some("from dotenv", ".env (K)"));
    all.dotenv.clear();
    assert_eq!(one(&named, &all), some("from file", "file there"));
    for nowhere in ["blank", "absent"] {
        let named = decl("K", Some(file(nowhere)), false);
        assert_eq!(one(&named, &all), some("from state", "generated earlier"));
    }
    all.kept = BTreeMap::from([("K".into(), Value::from(""))]);
    let generated = (None, "to be generated (32 characters)".to_owned());
    assert_eq!(one(&decl("K", None, false), &all), generated);
}

#[test]
fn every_kind_of_source() {
    let mut all = sources();
    all.dotenv = set(&[("OTHER", "by another name")]);
    let get = |from| one(&decl("K", Some(from), true), &all);
    let (value, origin) = get(SecretSource::Env("OTHER".to_owned()));
    assert_eq!(
        (value.as_deref(), &*origin),
        (Some("by another name"), ".env (OTHER)")
    );
    let (value, origin) = get(SecretSource::Command(vec![
        "op".to_owned(),
        "item/x".to_owned(),
    ]));
    assert_eq!((value.as_deref(), &*origin), (Some("item/x"), "command op"));
    let (value, origin) = get(SecretSource::Other("vault://kv/x".to_owned()));
    assert_eq!((value.as_deref(), &*origin), (Some("vault:kv/x"), "vault"));
    let (value, _) = get(SecretSource::File("lines".to_owned()));
    assert_eq!(value.as_deref(), Some("a\nb\n"));
}

#[test]
fn all_problems_at_once() {
    let mut all = sources();
    all.kept = BTreeMap::from([("A".into(), Value::secret("generated-before"))]);
    all.env = set(&[("FINE", "canary-of-env")]);
    let decls = [
        decl("A", None, true),
        decl("FINE", None, true),
        decl("B", Some(file("absent")), true),
        decl(
            "C",
            Some(SecretSource::Command(vec![
                "bw".to_owned(),
                "arg".to_owned(),
            ])),
            false,
        ),
        decl(
            "D",
            Some(SecretSource::Other("vualt://x".to_owned())),
            false,
        ),
        decl("E", Some(file("closed")), false),
    ];
    let error = find_secrets(&decls, &all).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let summaries: Vec<_> = error
        .diagnostics()
        .unwrap()
        .items
        .iter()
        .map(|item| item.summary.as_str())
        .collect();
    assert_eq!(
        summaries,
        [
            "secret `A` is missing: looked in environment variable A, .env (A)",
            "secret `B` is missing: looked in environment variable B, .env (B), file absent",
            "secret `C` could not be read from command bw: it ended with status 1",
            "secret `D` could not be read from vualt://: there is no secret source `vualt`",
            "secret `E` could not be read from file closed: permission denied",
        ]
    );
    let shown = format!("{error:?}");
    assert!(
        shown.contains("- secret `E`") && shown.contains("did you mean `vault`?"),
        "{shown}"
    );
    assert!(
        !shown.contains("canary") && !shown.contains("generated-before"),
        "{shown}"
    );
    assert_eq!(format!("{all:?}"), "SecretSources { .. }");
}

#[test]
fn generated_secrets_are_unbiased_letters_and_digits() {
    let entropy = SeededEntropy::new(1);
    let mut counts = [0_u32; 62];
    for _ in 0..1000 {
        let secret = generate_secret(62, &entropy).unwrap();
        assert!(secret.is_secret());
        let text = secret.as_str().unwrap();
        assert_eq!(text.len(), 62);
        for byte in text.bytes() {
            counts[ALPHABET.iter().position(|known| *known == byte).unwrap()] += 1;
        }
    }
    // Each is expected 1,000 times; six standard deviations are 190.
    assert!(
        counts.iter().all(|count| (810..1190).contains(count)),
        "{counts:?}"
    );
    assert_eq!(generate_secret(0, &entropy).unwrap(), Value::secret(""));
}
