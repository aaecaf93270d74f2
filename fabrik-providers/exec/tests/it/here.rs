//! On this machine, and what holds everywhere.

use std::time::Duration;

use fabrik_core::error::{Effect, ErrorKind};
use fabrik_core::provider::{Cx, Progress};
use fabrik_core::secrets::Secret;
use fabrik_exec::{BaseEnv, Command, Place, Runner, Stream};

use crate::support::{CANARY, Stage, runner, sh};

const HERE: Place = Place::Here;

#[tokio::test]
async fn output_exit_code_and_last_words_come_back() {
    let command = sh("echo out; echo err >&2; exit 3");
    let output = runner()
        .run(&Cx::detached(), &HERE, &command)
        .await
        .unwrap();
    assert_eq!((output.code, output.text().unwrap()), (3, "out"));
    assert_eq!(output.stderr_tail, ["err"]);
    let error = output.check().unwrap_err();
    assert_eq!(
        (error.kind(), error.effect_of(), error.is_temporary()),
        (ErrorKind::Unavailable, Effect::Unknown, false)
    );
    assert_eq!(error.message(), "`sh` failed with exit code 3");
    assert_eq!(error.log_lines(), ["err"]);

    // Where nothing is on standard error, the end of standard output tells why.
    let output = runner()
        .run(
            &Cx::detached(),
            &HERE,
            &sh("echo 'Error: no'; exit 1").reads(),
        )
        .await
        .unwrap();
    let error = output.check().unwrap_err();
    assert_eq!(
        (error.log_lines(), error.effect_of()),
        (&["Error: no".to_owned()][..], Effect::None)
    );

    let output = runner()
        .run(&Cx::detached(), &HERE, &sh("kill -s KILL $$"))
        .await
        .unwrap();
    assert_eq!(output.code, 137);
    assert!(output.failed().message().ends_with("was ended by signal 9"));
}

#[tokio::test]
async fn the_environment_is_what_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().canonicalize().unwrap();
    let env = BaseEnv::new("/usr/bin:/bin")
        .home("/h")
        .ssh_auth_sock("/agent")
        .variable("LANG", "C");
    let command = sh("env; pwd")
        .env("A", "x y")
        .env("LANG", "C.UTF-8")
        .dir(&dir);
    let output = Runner::new(env)
        .run(&Cx::detached(), &HERE, &command)
        .await
        .unwrap();
    let mut lines: Vec<&str> = output
        .text()
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("PWD=") && !line.starts_with("_="))
        .collect();
    assert_eq!(lines.pop().unwrap(), dir.to_str().unwrap());
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["A=x y", "HOME=/h", "LANG=C.UTF-8", "PATH=/usr/bin:/bin"]
    );
}

#[tokio::test]
async fn input_reaches_the_program_and_need_not_be_read() {
    let cx = Cx::detached();
    let long = "x".repeat(1_000_000);
    let output = runner()
        .run(
            &cx,
            &HERE,
            &Command::new("wc").arg("-c").input(long.as_str()),
        )
        .await
        .unwrap();
    assert_eq!(output.text().unwrap(), "1000000");
    // It ends without having read a byte.
    let output = runner()
        .run(&cx, &HERE, &sh("exit 0").input(long.as_str()))
        .await
        .unwrap();
    assert!(output.is_success());
    // Without input there is nothing to wait for.
    let output = runner()
        .run(
            &cx,
            &HERE,
            &Command::new("cat").timeout(Duration::from_secs(5)),
        )
        .await
        .unwrap();
    assert!(output.is_success() && output.stdout.is_empty());
}

#[tokio::test]
async fn secrets_are_removed_from_whatever_is_said() {
    let cx = Cx::detached();
    let script = "while read -r line; do echo \"got $line\" >&2; done; printf 'part-%s' 0123456789 >&2; exit 1";
    let command = sh(script)
        .input(Secret::from(format!(
            "user=me-and-you\npassword={CANARY}\n"
        )))
        .secret(&Secret::from("part-0123456789"));
    let output = runner().run(&cx, &HERE, &command).await.unwrap();
    assert_eq!(
        output.stderr_tail,
        ["got (secret)", "got (secret)", "(secret)"]
    );
    // What was read from standard output is the caller's, but not what is shown of it.
    let output = runner()
        .run(&cx, &HERE, &sh("cat; exit 1").input(Secret::from(CANARY)))
        .await
        .unwrap();
    assert_eq!(output.text().unwrap(), CANARY);
    assert!(!format!("{output:?}").contains(CANARY));
    let error = output.check().unwrap_err();
    assert!(!format!("{error:?} {:?}", error.report()).contains(CANARY));
}

#[tokio::test]
async fn lines_are_streamed_clean_and_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    // The program waits for what only its first line brings about.
    let script = format!(
        "echo one; while [ ! -e '{0}' ]; do sleep 0.05; done; printf '\\033[31mtwo\\r\\n' >&2; printf three",
        go.display()
    );
    let mut seen = Vec::new();
    let command = sh(&script).timeout(Duration::from_secs(10));
    let output = runner()
        .lines(&Cx::detached(), &HERE, &command, |stream, line| {
            if line == "one" {
                std::fs::write(&go, "").unwrap();
            }
            seen.push((stream, line.to_owned()));
        })
        .await
        .unwrap();
    let expected = [
        (Stream::Stdout, "one"),
        (Stream::Stderr, "\\u{1b}[31mtwo"),
        (Stream::Stdout, "three"),
    ];
    assert_eq!(
        seen,
        expected.map(|(stream, line)| (stream, line.to_owned()))
    );
    assert!(output.is_success() && output.stdout.is_empty());

    let stage = Stage::new();
    let output = runner()
        .logged(&stage.cx(), &HERE, &sh("echo a; exit 1"))
        .await
        .unwrap();
    assert_eq!(*stage.said.0.lock().unwrap(), [Progress::Log("a".into())]);
    assert_eq!(output.check().unwrap_err().log_lines(), ["a"]);
}

#[tokio::test]
async fn dumps_of_any_length_pass_through() {
    let cx = Cx::detached();
    let dump = vec![b'd'; 40_000_000];
    let mut reader = &dump[..];
    let mut writer = Vec::new();
    let output = runner()
        .copy(
            &cx,
            &HERE,
            &Command::new("cat"),
            Some(&mut reader),
            &mut writer,
        )
        .await
        .unwrap();
    assert!(output.check().is_ok());
    assert!(writer == dump);

    // A full disk ends the command.
    let (mut full, _) = tokio::io::duplex(1);
    tokio::io::AsyncWriteExt::shutdown(&mut full).await.unwrap();
    let error = runner()
        .copy(&cx, &HERE, &sh("yes"), None, &mut full)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(
        error.message().contains("cannot be written and was ended"),
        "{error}"
    );
}

#[tokio::test]
async fn too_much_output_is_an_error_and_stderr_keeps_its_end() {
    let error = runner()
        .run(
            &Cx::detached(),
            &HERE,
            &sh("echo last >&2; yes").max_output(1000),
        )
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert_eq!(
        error.message(),
        "`sh` wrote more than 1000 bytes and was ended"
    );
    assert_eq!(error.log_lines(), ["last"]);
    let script = "i=0; while [ $i -lt 5000 ]; do echo line $i >&2; i=$((i+1)); done";
    let output = runner()
        .run(&Cx::detached(), &HERE, &sh(script))
        .await
        .unwrap();
    assert_eq!(
        (output.stderr_tail.len(), output.stderr_tail[39].as_str()),
        (40, "line 4999")
    );
}

#[tokio::test]
async fn what_cannot_run_says_why_and_had_no_effect() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes");
    std::fs::write(&file, "").unwrap();
    let cx = Cx::detached();
    for (command, kind, words, hint) in [
        (
            Command::new("no-such-program"),
            ErrorKind::Unsupported,
            "`no-such-program` is not installed on this machine",
            "install it",
        ),
        (
            Command::new("/no/such/program"),
            ErrorKind::Unsupported,
            "is not installed on this machine",
            "absolute path",
        ),
        (
            Command::new(&file),
            ErrorKind::Unsupported,
            "is not an executable program",
            "chmod +x",
        ),
        (
            sh("true").dir("/no/such/folder"),
            ErrorKind::Unsupported,
            "there is no folder `/no/such/folder` on this machine",
            "check the path",
        ),
        (
            sh("true").dir("relative"),
            ErrorKind::Invalid,
            "not an absolute path",
            "whole path",
        ),
        (
            sh("true").arg("x".repeat(3_000_000)),
            ErrorKind::Invalid,
            "the arguments of `sh` are too long",
            "standard input",
        ),
        (
            sh("true").timeout(Duration::ZERO),
            ErrorKind::Timeout,
            "no time left",
            "timeout",
        ),
    ] {
        let error = runner().run(&cx, &HERE, &command).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect_of()),
            (kind, Effect::None),
            "{error:?}"
        );
        assert!(error.message().contains(words), "{error}");
        assert!(error.hint_text().unwrap().contains(hint), "{error:?}");
    }
}

#[tokio::test]
async fn no_more_run_at_once_than_allowed() {
    let runner = runner().max_at_once(1);
    let clone = runner.clone();
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "mkdir '{0}/lock' || exit 1; sleep 0.3; rmdir '{0}/lock'",
        folder.path().display()
    );
    let command = sh(&script);
    let cx = Cx::detached();
    let (a, b) = tokio::join!(
        runner.run(&cx, &HERE, &command),
        clone.run(&cx, &HERE, &command)
    );
    assert!(a.unwrap().is_success() && b.unwrap().is_success());
}

#[tokio::test]
async fn what_is_left_running_on_purpose_does_not_hold_the_caller() {
    let begun = std::time::Instant::now();
    let output = runner()
        .run(&Cx::detached(), &HERE, &sh("sleep 8 & echo started"))
        .await
        .unwrap();
    assert_eq!(output.text().unwrap(), "started");
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_slow_writer_gets_everything() {
    // The program is long gone when its last bytes are taken from the pipe.
    let (mut near, mut far) = tokio::io::duplex(1);
    let take = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut all = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut far, &mut all)
            .await
            .unwrap();
        all
    };
    let give = async {
        let command = sh("printf %50000s x");
        let result = runner()
            .copy(&Cx::detached(), &HERE, &command, None, &mut near)
            .await;
        drop(near);
        result
    };
    let (result, all) = tokio::join!(give, take);
    assert!(result.unwrap().is_success());
    assert_eq!(all.len(), 50_000);
}

#[tokio::test]
async fn what_is_left_behind_cannot_write_for_ever() {
    let command = sh("yes & echo $! >&2").timeout(Duration::from_secs(2));
    let mut sink = tokio::io::sink();
    let error = runner()
        .copy(&Cx::detached(), &HERE, &command, None, &mut sink)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let pid = &error.log_lines()[0];
    crate::support::until("yes", || {
        !std::path::Path::new("/proc").join(pid).join("exe").exists()
    })
    .await;
}
