use std::io::{self, Write};

use fabrik_cli::output::progress::{Reporter, ReporterOptions};
use fabrik_cli::output::prompt::{self, Answer};
use fabrik_cli::output::{Format, Output, OutputConfig, OutputError, Verbosity};
use fabrik_core::error::{Error, ErrorKind};
use serde_json::json;

use super::events;
use super::support::output;

/// A reader that went away.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn data_and_messages_go_their_ways() {
    let (mut out, stdout, stderr) = output(OutputConfig::default());
    out.data("data").unwrap();
    out.message("a message").unwrap();
    out.success("done").unwrap();
    out.warning("look out").unwrap();
    out.hint("try `this`").unwrap();
    assert_eq!(stdout.text(), "data\n");
    assert_eq!(
        stderr.text(),
        "a message\n✓ done\nwarning: look out\nhelp: try `this`\n"
    );
}

#[test]
fn quiet_keeps_errors_and_data() {
    let (mut out, stdout, stderr) = output(OutputConfig {
        verbosity: Verbosity::Quiet,
        ..OutputConfig::default()
    });
    out.message("hidden").unwrap();
    out.warning("hidden").unwrap();
    out.data("data").unwrap();
    out.error(&Error::new(ErrorKind::Io, "no space left"))
        .unwrap();
    assert_eq!(
        (stdout.text().as_str(), stderr.text().as_str()),
        ("data\n", "error: no space left\n")
    );
}

#[test]
fn structured_forms() {
    let value = json!({"a": [1, "x: y"], "b": null});
    for (format, text) in [
        (
            Format::Json,
            "{\n  \"a\": [\n    1,\n    \"x: y\"\n  ],\n  \"b\": null\n}\n",
        ),
        (Format::Yaml, "a:\n  - 1\n  - \"x: y\"\nb: ~\n"),
    ] {
        let (mut out, stdout, _) = output(OutputConfig {
            format,
            ..OutputConfig::default()
        });
        out.structured(&value).unwrap();
        assert_eq!(stdout.text(), text);
    }
}

#[test]
fn a_reader_that_goes_away_is_a_quiet_end() {
    let mut out = Output::new(Box::new(Gone), Box::new(Gone), OutputConfig::default());
    assert!(matches!(out.data("x"), Err(OutputError::Closed)));
    assert!(out.is_closed());
    // A run goes on all the same.
    for json_events in [false, true] {
        let config = OutputConfig {
            json_events,
            ..OutputConfig::default()
        };
        let mut out = Output::new(Box::new(Gone), Box::new(Gone), config);
        let reporter = Reporter::new(&mut out, ReporterOptions::default());
        reporter.replay(&events::all()[0].1).unwrap();
        assert!(out.is_closed());
    }
}

#[test]
fn questions() {
    let asking = OutputConfig {
        interactive_stdin: true,
        ..OutputConfig::default()
    };
    let answer = |typed: &str| {
        let (mut out, _, stderr) = output(asking);
        let answer = prompt::confirm(&mut out, &mut typed.as_bytes(), "Apply 2 changes?").unwrap();
        (answer, stderr.text())
    };
    assert_eq!(answer("y\n").0, Answer::Yes);
    assert_eq!(answer("\n").0, Answer::No);
    assert_eq!(answer("").0, Answer::No);
    assert_eq!(answer("what\nD\n").0, Answer::Details);
    assert_eq!(answer("a\nb\nc\ny\n").0, Answer::No, "only so many tries");
    assert_eq!(
        answer("n\n").1,
        "Apply 2 changes?  [y]es [n]o [d]etails [g]raph [u]ndo plan  "
    );

    let (mut out, _, stderr) = output(asking);
    let typed = |out: &mut Output, typed: &str| {
        prompt::type_name(
            out,
            &mut typed.as_bytes(),
            "deletes 9 objects.",
            "shop/production",
        )
        .unwrap()
    };
    assert!(typed(&mut out, "shop/production\n"));
    assert!(!typed(&mut out, "yes\n"));
    assert!(
        stderr
            .text()
            .starts_with("deletes 9 objects. Type shop/production to go on: ")
    );

    let choice = prompt::choose(
        &mut out,
        &mut "k\n".as_bytes(),
        "Failed.",
        &["rollback", "keep"],
    );
    assert_eq!(choice.unwrap(), Some("keep"));
    assert!(prompt::yes_no(&mut out, &mut "yes\n".as_bytes(), "Sure?").unwrap());
}

#[test]
fn nobody_to_ask() {
    let (mut out, _, stderr) = output(OutputConfig::default());
    let error = prompt::confirm(&mut out, &mut "y\n".as_bytes(), "Apply?").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    out.error(&error).unwrap();
    assert_eq!(
        stderr.text(),
        "error: this needs a confirmation, and nobody can be asked: the input is no\n       \
         terminal\nhelp: pass `--yes` to go on without being asked\n"
            .replace("\nhelp", "\n  help")
    );
}
