//! The program as it is shipped: a static site on this machine, from nothing to nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::context::TestContext;

fn fabrik(context: &TestContext, words: &[&str]) -> std::process::Output {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_fabrik"))
        .args(words)
        .env_clear()
        .envs(&context.env)
        .current_dir(context.dir())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said}");
    output
}

/// What a URL on this machine answers.
pub(crate) fn get(url: &str) -> String {
    let authority = url.trim().strip_prefix("http://").unwrap();
    let port = authority
        .rsplit(':')
        .next()
        .unwrap()
        .parse::<u16>()
        .unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_site_goes_up_and_away() {
    let spec = "fabrik: 1\nid: hello\napps:\n  web: { kind: static, source: ./site }\n";
    let context = TestContext::with_spec(spec);
    context.write("site/index.html", "<h1>hello</h1>");
    let url = String::from_utf8(fabrik(&context, &["apply", "--yes"]).stdout).unwrap();
    assert_eq!(url.lines().count(), 1, "the URL alone: {url}");
    let answer = get(&url);
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("<h1>hello</h1>"),
        "{answer}"
    );
    fabrik(&context, &["plan", "--detailed-exitcode"]);
    let ejected = String::from_utf8(fabrik(&context, &["eject", "web"]).stdout).unwrap();
    assert!(ejected.contains("type: local.static_site"), "{ejected}");
    context.write("site/index.html", "<h1>bye</h1>");
    fabrik(&context, &["apply", "--yes"]);
    assert!(get(&url).contains("<h1>bye</h1>"));
    fabrik(&context, &["destroy", "--yes"]);
    let left = fabrik(&context, &["state", "list"]);
    assert_eq!(left.stdout, b"");
}
