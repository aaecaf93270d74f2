//! Over a real OpenSSH server.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use fabrik_core::error::{Effect, ErrorKind};
use fabrik_core::provider::Cx;
use fabrik_core::secrets::Secret;
use fabrik_core::value;
use fabrik_exec::{BaseEnv, Command, Place, Runner, SshConfig, SshTarget};

use crate::server::{Server, key};
use crate::support::{CANARY, env, runner, sh, until};

#[tokio::test]
async fn a_command_runs_there_byte_for_byte() {
    let Some(server) = Server::start() else {
        return;
    };
    let place = Place::from(server.target());
    let weird: Vec<u8> = (1..=255).collect();
    let weird = <std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(weird);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().canonicalize().unwrap().join("-a 'b' $c");
    std::fs::create_dir(&dir).unwrap();
    let command = sh("printf '%s|' \"$@\"; printf %s \"$A\"; pwd; cat; printf err >&2; exit 255")
        .args(["", "-n", "'", "$(id)", "a\nb", "\\"])
        .arg(weird.clone())
        .env("A", "it's $A")
        .dir(&dir)
        .input(Secret::from(CANARY));
    let output = runner()
        .run(&Cx::detached(), &place, &command)
        .await
        .unwrap();
    let mut expected = b"|-n|'|$(id)|a\nb|\\|".to_vec();
    expected.extend_from_slice(weird.as_encoded_bytes());
    expected.extend_from_slice(format!("|it's $A{}\n{CANARY}", dir.display()).as_bytes());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&expected)
    );
    assert!(output.stdout == expected);
    // 255 is what PHP ends with after a fatal error, and no failure of ssh.
    assert_eq!(
        (output.code, output.stderr_tail),
        (255, vec!["err".to_owned()])
    );

    // What looks like ssh's own words is the command's all the same.
    let command = sh("echo 'me@h: Permission denied (publickey).' >&2; exit 255");
    assert_eq!(
        runner()
            .run(&Cx::detached(), &place, &command)
            .await
            .unwrap()
            .code,
        255
    );
    // Relative folders start at home.
    let output = runner()
        .run(&Cx::detached(), &place, &sh("pwd; cd; pwd").dir("."))
        .await
        .unwrap();
    let mut lines = output.text().unwrap().lines();
    assert_eq!(lines.next(), lines.next());
}

#[tokio::test]
async fn long_input_and_output_pass() {
    let Some(server) = Server::start() else {
        return;
    };
    let place = Place::from(server.target());
    let dump = vec![b'd'; 5_000_000];
    let mut reader = &dump[..];
    let mut writer = Vec::new();
    let cx = Cx::detached();
    runner()
        .copy(
            &cx,
            &place,
            &Command::new("cat"),
            Some(&mut reader),
            &mut writer,
        )
        .await
        .unwrap()
        .check()
        .unwrap();
    assert!(writer == dump);
}

#[tokio::test]
async fn what_is_missing_there_is_said() {
    let Some(server) = Server::start() else {
        return;
    };
    let place = Place::from(server.target());
    let run = async |command: Command| {
        runner()
            .run(&Cx::detached(), &place, &command)
            .await
            .unwrap_err()
    };
    for (error, words) in [
        (
            run(Command::new("no-such-program")).await,
            "`no-such-program` is not installed on ",
        ),
        (
            run(Command::new("/etc/passwd")).await,
            "is not an executable program",
        ),
        (
            run(sh("true").dir("/no/such")).await,
            "there is no folder `/no/such` on ",
        ),
    ] {
        assert_eq!(
            (error.kind(), error.effect_of()),
            (ErrorKind::Unsupported, Effect::None),
            "{error:?}"
        );
        assert!(error.message().contains(words), "{error}");
    }
    // Missing inside the command, it is the command that failed.
    assert_eq!(
        runner()
            .run(&Cx::detached(), &place, &sh("no-such-program"))
            .await
            .unwrap()
            .code,
        127
    );
}

#[tokio::test]
async fn who_the_server_is_must_be_known() {
    let Some(server) = Server::start() else {
        return;
    };
    let run = async |target: SshTarget| {
        runner()
            .run(&Cx::detached(), &target.into(), &sh("true"))
            .await
            .unwrap_err()
    };

    std::fs::write(server.path("nobody"), "").unwrap();
    let error = run(server.target().known_hosts(server.path("nobody"))).await;
    assert_eq!(
        (error.kind(), error.effect_of(), error.is_temporary()),
        (ErrorKind::Unavailable, Effect::None, false)
    );
    assert!(
        error.message().contains("is not known or not accepted"),
        "{error:?}"
    );
    assert!(error.hint_text().unwrap().contains("fingerprint"));
    assert_eq!(
        std::fs::read_to_string(server.path("nobody")).unwrap(),
        "",
        "nothing may be learned"
    );

    key(&server.path("other"));
    let other = std::fs::read_to_string(server.path("other.pub")).unwrap();
    std::fs::write(
        server.path("changed"),
        format!("[127.0.0.1]:{} {other}", server.port),
    )
    .unwrap();
    let error = run(server.target().known_hosts(server.path("changed"))).await;
    assert!(
        error.message().contains("is not the one that is known"),
        "{error:?}"
    );
    assert!(error.hint_text().unwrap().contains("in between"));

    // Not even settings that ask for it make it lax.
    std::fs::write(
        server.path("lax"),
        "Host *\n  StrictHostKeyChecking no\n  BatchMode no\n",
    )
    .unwrap();
    let lax = server
        .target()
        .known_hosts(server.path("nobody"))
        .config(SshConfig::File(server.path("lax")));
    assert!(
        run(lax)
            .await
            .message()
            .contains("is not known or not accepted")
    );
}

#[tokio::test]
async fn who_we_are_must_be_accepted() {
    let Some(server) = Server::start() else {
        return;
    };
    let run = async |target: SshTarget| {
        runner()
            .run(&Cx::detached(), &target.into(), &sh("true"))
            .await
            .unwrap_err()
    };
    key(&server.path("stranger"));
    let error = run(server.target().identity(server.path("stranger"))).await;
    assert_eq!(
        (error.kind(), error.effect_of()),
        (ErrorKind::Auth, Effect::None),
        "{error:?}"
    );
    assert!(
        error.message().contains("does not accept the login"),
        "{error}"
    );
    assert!(error.hint_text().unwrap().contains("authorized_keys"));

    std::fs::set_permissions(server.path("id"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = run(server.target()).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(
        error.hint_text().unwrap().contains("chmod 600"),
        "{error:?}"
    );

    let error = run(server.target().identity("/no/such/key")).await;
    assert_eq!(
        (error.kind(), error.field_path()),
        (ErrorKind::Invalid, Some(&value::Path::key("identity")))
    );
}

#[tokio::test]
async fn an_agent_is_asked_when_it_was_passed_in() {
    let Some(server) = Server::start() else {
        return;
    };
    let socket = server.path("agent");
    let mut agent = std::process::Command::new("ssh-agent")
        .args(["-D", "-a", socket.to_str().unwrap()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("agent", || socket.exists()).await;
    let added = std::process::Command::new("ssh-add")
        .args(["-q", server.path("id").to_str().unwrap()])
        .env("SSH_AUTH_SOCK", &socket)
        .status()
        .unwrap();
    assert!(added.success());
    // No key file of our own; the test's user may have some, but none that this server knows.
    let target = SshTarget::new("127.0.0.1")
        .user(&server.user)
        .port(server.port)
        .known_hosts(server.path("known_hosts"))
        .config(SshConfig::None);
    let with: BaseEnv = env().ssh_auth_sock(&socket);
    let output = Runner::new(with)
        .run(
            &Cx::detached(),
            &target.clone().into(),
            &sh("echo \"[$SSH_AUTH_SOCK]\""),
        )
        .await;
    let without = runner()
        .run(&Cx::detached(), &target.into(), &sh("true"))
        .await;
    _ = agent.kill();
    _ = agent.wait();
    // And it is not forwarded.
    assert_eq!(output.unwrap().text().unwrap(), "[]");
    assert_eq!(without.unwrap_err().kind(), ErrorKind::Auth);
}

#[tokio::test]
async fn settings_of_a_file_are_followed() {
    let Some(server) = Server::start() else {
        return;
    };
    let text = format!(
        "Host shop\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile \"{}\"\n  UserKnownHostsFile \"{}\"\n",
        server.port,
        server.user,
        server.path("id").display().to_string().replace('%', "%%"),
        server
            .path("known_hosts")
            .display()
            .to_string()
            .replace('%', "%%"),
    );
    std::fs::write(server.path("config"), text).unwrap();
    let place = Place::from(SshTarget::new("shop").config(SshConfig::File(server.path("config"))));
    let output = runner()
        .run(&Cx::detached(), &place, &sh("echo hi"))
        .await
        .unwrap();
    assert_eq!(output.text().unwrap(), "hi");
    std::fs::write(server.path("config"), "Host *\n  NoSuchOption yes\n").unwrap();
    let error = runner()
        .run(&Cx::detached(), &place, &sh("true"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.effect_of()),
        (ErrorKind::Invalid, Effect::None),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_from_one_that_hangs() {
    let Some(server) = Server::start() else {
        return;
    };
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = runner()
        .run(
            &Cx::detached(),
            &server.target().port(closed).into(),
            &sh("true"),
        )
        .await
        .unwrap_err();
    assert_eq!(
        (error.effect_of(), error.is_temporary()),
        (Effect::None, true)
    );
    assert!(error.message().contains("refuses connections"), "{error}");

    let target = SshTarget::new("no-such-host.invalid").config(SshConfig::None);
    let error = runner()
        .run(&Cx::detached(), &target.into(), &sh("true"))
        .await
        .unwrap_err();
    assert!(error.message().contains("cannot be resolved"), "{error}");
    assert_eq!(error.effect_of(), Effect::None);

    // Takes connections, says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = server.target().port(silent.local_addr().unwrap().port());
    let command = sh("true").timeout(Duration::from_millis(1500));
    let begun = Instant::now();
    let error = runner()
        .run(&Cx::detached(), &target.into(), &command)
        .await
        .unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(
        matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unavailable),
        "{error:?}"
    );

    // Speaks something else.
    let web = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = web.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in web.incoming().take(1).flatten() {
            drop(stream);
        }
    });
    let error = runner()
        .run(
            &Cx::detached(),
            &server.target().port(port).into(),
            &sh("true"),
        )
        .await
        .unwrap_err();
    assert!(error.message().contains("before the login"), "{error:?}");
    assert_eq!(error.effect_of(), Effect::None);
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_outcome_open() {
    let Some(server) = Server::start() else {
        return;
    };
    let place = Place::from(server.target());
    // Kills the server's end of this very connection, then goes on to do its work: after its mark has
    // arrived, or at once, when the mark may not have.
    for (wait, words) in [
        ("1", "the connection broke while `sh` on"),
        ("0", "the connection"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "trap '' PIPE HUP; sleep {wait}; kill -s KILL $(sed -n 's/^PPid:[[:space:]]*//p' /proc/$PPID/status); \
             sleep 0.5; touch '{}/done'",
            folder.path().display()
        );
        let error = runner()
            .run(&Cx::detached(), &place, &sh(&script))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.effect_of()),
            (ErrorKind::Unavailable, Effect::Unknown),
            "{error:?}"
        );
        assert!(error.message().starts_with(words), "{error}");
        until("the work", || folder.path().join("done").exists()).await;
    }
}

#[tokio::test]
async fn an_account_that_runs_something_else_is_said_to() {
    let Some(server) = Server::with("ForceCommand echo welcome; exit 0") else {
        return;
    };
    let error = runner()
        .run(&Cx::detached(), &server.target().into(), &sh("true"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.effect_of()),
        (ErrorKind::Unsupported, Effect::Unknown),
        "{error:?}"
    );
    assert!(
        error
            .message()
            .contains("did not run the command (exit code 0)"),
        "{error}"
    );
    assert!(error.hint_text().unwrap().contains("POSIX shell"));
}
