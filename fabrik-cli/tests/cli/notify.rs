//! Telling channels about a run, to a server on loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;

use crate::context::TestContext;

/// A request: its path with query, and its body.
type Got = (String, Json);

/// A server that keeps what it is told, and answers with a status.
fn server(status: &'static str) -> (String, Arc<Mutex<Vec<Got>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let got = Arc::new(Mutex::new(Vec::new()));
    let kept = got.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(&stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
            let lower = head.to_ascii_lowercase();
            let length = lower
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).unwrap();
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let body = serde_json::from_slice(&body).unwrap();
            kept.lock().unwrap().push((path, body));
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = (&stream).write_all(answer.as_bytes());
        }
    });
    (url, got)
}

/// A stack with a note and these channels; their URL is in the environment.
fn context(channels: &str, url: &str) -> TestContext {
    let mut context =
        TestContext::with_notes("  - { id: a, type: demo.note, spec: { name: a, text: hello } }\n");
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    context.write(
        "fabrik.yaml",
        &format!("{spec}secrets: {{ HOOK: ~ }}\nnotify:\n{channels}"),
    );
    context.env.insert("HOOK".to_owned(), url.to_owned());
    context
}

/// A text without the breaks of lines.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_run_is_told_as_slack_and_as_json() {
    let (url, got) = server("200 OK");
    let channels = "  ops: { slack: \"${secrets.HOOK}/services/T0/B0/very-secret\" }\n  \
                    ci: { webhook: \"${secrets.HOOK}/hook?token=very-secret\", on: [succeeded] }\n  \
                    pager: { webhook: \"${secrets.HOOK}/pager\", on: [failed] }\n";
    let context = context(channels, &url);
    let ran = context.run(&["apply", "--yes"]).code(0);
    assert!(!ran.all().contains("was not told"), "{}", ran.all());
    let told = std::mem::take(&mut *got.lock().unwrap());
    let [(slack, text), (webhook, document)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(slack, "/services/T0/B0/very-secret");
    let text = text["text"].as_str().unwrap();
    assert!(
        text.starts_with("shop: done in ") && text.ends_with(": 1 created"),
        "{text}"
    );
    assert_eq!(webhook, "/hook?token=very-secret");
    assert_eq!(document["v"], 1);
    assert_eq!(document["result"], "succeeded");
    assert_eq!(document["stack"], "shop");
    assert_eq!(document["environment"], "default");
    assert_eq!(document["created"], 1);
    assert_eq!(document["text"], text);
    assert_eq!(document["error"], Json::Null);
    // Nothing to do is nothing to tell.
    context.run(&["apply", "--yes"]).code(0);
    assert!(got.lock().unwrap().is_empty());
    context.run(&["destroy", "--yes"]).code(0);
    assert_eq!(got.lock().unwrap().len(), 2);
}

#[test]
fn a_failed_run_is_told_with_its_error() {
    let (url, got) = server("204 No Content");
    let channels = "  pager: { webhook: \"${secrets.HOOK}\", on: [failed] }\n";
    let context = context(channels, &url);
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    context.write(
        "fabrik.yaml",
        &spec.replace("name: a, text: hello", "name: a/b, text: hello"),
    );
    let ran = context.run(&["apply", "--yes"]);
    assert_ne!(ran.exit, 0, "{}", ran.all());
    let told = got.lock().unwrap();
    assert_eq!(told.len(), 1, "{}", ran.all());
    let document = &told[0].1;
    assert_eq!(document["succeeded"], false);
    assert!(document["error"].is_string() && document["text"].as_str().unwrap().contains('\n'));
}

#[test]
fn who_cannot_be_told_is_a_warning() {
    let (url, _) = server("500 Internal Server Error");
    for (url, says) in [
        (
            format!("{url}/very-secret"),
            "`ops` was not told about this run: ",
        ),
        (
            "no address".to_owned(),
            "its URL is no `https://` or `http://` address",
        ),
        (
            "http://127.0.0.1:9/very-secret".to_owned(),
            "`ops` was not told about this run: ",
        ),
    ] {
        let context = context("  ops: { slack: \"${secrets.HOOK}\" }\n", &url);
        let ran = context.run(&["apply", "--yes"]).code(0);
        assert!(ran.err.contains("warning"), "{}", ran.all());
        assert!(flat(&ran.err).contains(says), "{}", ran.all());
        assert!(!ran.all().contains("very-secret"), "{}", ran.all());
        assert!(context.note("a").is_some());
    }
}

#[test]
fn a_url_is_never_made_up() {
    let mut context = context("  ops: { slack: \"${secrets.HOOK}\" }\n", "");
    context.env.remove("HOOK");
    let ran = context.run(&["apply", "--yes"]);
    assert_ne!(ran.exit, 0);
    assert!(ran.err.contains("HOOK"), "{}", ran.all());
    assert!(context.note("a").is_none());
}

#[test]
fn a_command_gets_the_document() {
    let context = context(
        "  mail: { command: \"cat > told.json\" }\n  bad: { command: [\"false\"] }\n",
        "x",
    );
    let ran = context.run(&["apply", "--yes"]).code(0);
    let told = std::fs::read_to_string(context.dir().join("told.json")).unwrap();
    let told: Json = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["type"], &told["succeeded"]),
        (&"run".into(), &true.into())
    );
    let says = "`bad` was not told about this run: its command ended with exit status: 1";
    assert!(flat(&ran.err).contains(says), "{}", ran.all());
}
