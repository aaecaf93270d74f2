use fabrik_cli::output::{Style, diagnostic, error};
use fabrik_core::diagnostic::{Diagnostic, Diagnostics, Span};
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::value::Path;

use super::support::{address, visible};

#[expect(clippy::unnecessary_wraps, reason = "as `Diagnostic::at` takes it")]
fn span(base: u32, text: &str, part: &str) -> Option<Span> {
    let start = u32::try_from(text.find(part).unwrap()).unwrap();
    Some(Span {
        start: base + start,
        end: base + start + u32::try_from(part.len()).unwrap(),
    })
}

fn mistakes() -> Diagnostics {
    let mut all = Diagnostics::default();
    let first = "version: 1\nname: shop\napps:\n  api:\n    kind: service\n    image: x\n    prot: 8000\n\tdomain: api.example.com\n    domain: 日本.example.com\n".to_owned();
    let long = format!(
        "a: 1\nlong: \"{}wrong{}\"\nend: 2\n",
        "x".repeat(900),
        "y".repeat(900)
    );
    let a = all.sources.add("fabrik.yaml", first.as_str());
    let b = all.sources.add("shop.production.yaml", long.as_str());
    all.push(
        Diagnostic::warning("FAB1042", "this is never used").at(span(b, &long, "wrong"), "here"),
    );
    all.push(
        Diagnostic::error("FAB1020", "no provider plays the role `dns`")
            .address(address("apps.api"))
            .path(Path::parse("domain"))
            .help("configure one under `providers:`"),
    );
    all.push(
        Diagnostic::error("FAB1007", "`domain` is set twice")
            .at(
                span(a, &first, "domain: 日本.example.com"),
                "set again here",
            )
            .at(span(a, &first, "domain: api.example.com"), "first set here")
            .cause("a key stands once in a map"),
    );
    all.push(
        Diagnostic::error("FAB1003", "unknown field `prot`")
            .at(span(a, &first, "prot"), "in service `api`")
            .help("did you mean `port`?"),
    );
    all.push(Diagnostic::error("FAB1001", "the file ends too early").at(
        Some(Span {
            start: a + u32::try_from(first.len()).unwrap(),
            end: a + u32::try_from(first.len()).unwrap(),
        }),
        "",
    ));
    all
}

#[test]
fn mistakes_at_their_places() {
    let mut text = String::new();
    for width in [80, 200] {
        text += &format!(
            "══ {width} columns\n{}",
            diagnostic::render(&mistakes(), Style::plain(width))
        );
    }
    text += &format!(
        "══ colour\n{}",
        visible(&diagnostic::render(&mistakes(), Style::colored(80)))
    );
    insta::assert_snapshot!(text);
}

#[test]
fn spans_outside_the_text_do_no_harm() {
    let mut all = Diagnostics::default();
    all.sources.add("é.yaml", "é: ü\n");
    for (start, end) in [(0, 0), (1, 1), (1, 2), (0, 900), (6, 7), (900, 901)] {
        all.push(Diagnostic::error("FAB1", "odd").at(Some(Span { start, end }), "x"));
    }
    assert!(diagnostic::render(&all, Style::plain(80)).contains("6 errors"));
    let mut none = Diagnostics::default();
    none.push(Diagnostic::error("FAB1", "odd").at(Some(Span { start: 0, end: 1 }), "x"));
    assert!(diagnostic::render(&none, Style::plain(80)).contains("odd"));
}

#[test]
fn errors_with_everything() {
    let whole = Error::new(
        ErrorKind::Timeout,
        "container never became healthy, and this message goes on for long enough to be wrapped",
    )
    .operation("deploy apps.api.app")
    .context("request id", "8f14e45f")
    .cause("GET /healthz: 502 Bad Gateway")
    .cause("connection refused")
    .log_tail([
        "listening on \u{1b}[1m0.0.0.0:8080".to_owned(),
        "\tready".to_owned(),
    ])
    .hint("the app listens on 8080 but `port` is 8000")
    .field(Path::parse("port"))
    .code("FAB3012");
    let invalid = Error::from_diagnostics(mistakes());
    let text = error::render(&whole, Style::plain(80))
        + "══\n"
        + &visible(&error::render(&whole, Style::colored(80)))
        + "══\n"
        + &error::render(
            &Error::new(ErrorKind::Locked, "shop/production is locked"),
            Style::plain(80),
        );
    insta::assert_snapshot!(text);
    assert!(error::render(&invalid, Style::plain(80)).ends_with("4 errors, 1 warning\n"));
}
