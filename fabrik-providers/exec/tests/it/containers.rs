//! In a container, here and on another machine.

use std::time::Duration;

use fabrik_core::error::{Effect, ErrorKind};
use fabrik_core::provider::Cx;
use fabrik_core::secrets::Secret;
use fabrik_exec::{Command, Container, Engine, Place, Runner};

use crate::server::Server;
use crate::support::{CANARY, Docker, runner, sh};

#[tokio::test]
async fn a_command_runs_inside_with_user_folder_variables_and_input() {
    let docker = Docker::new();
    let server = Server::start();
    let web = docker.container("web").user("www-data");
    let over_ssh = server
        .as_ref()
        .map(|server| web.clone().on(server.target()));
    for container in [Some(web), over_ssh].into_iter().flatten() {
        let place = Place::from(container);
        let script =
            "echo $IN_CONTAINER $AS_USER; pwd; echo \"$A|$1|$HOME\"; cat; echo err >&2; exit 255";
        let command = sh(script)
            .arg("it's \"$HOME\"\n\\ * ~")
            .env("A", "x 'y' $z")
            .dir("/usr/share")
            .input(Secret::from(CANARY));
        let output = runner()
            .run(&Cx::detached(), &place, &command)
            .await
            .unwrap();
        let expected =
            format!("web www-data\n/usr/share\nx 'y' $z|it's \"$HOME\"\n\\ * ~|\n{CANARY}");
        assert_eq!(
            (output.text().unwrap(), output.code),
            (expected.as_str(), 255),
            "{place}"
        );
        assert_eq!(output.stderr_tail, ["err"], "{place}");
        // In the folder the image starts in.
        let output = runner()
            .run(&Cx::detached(), &place, &sh("pwd; cat"))
            .await
            .unwrap();
        assert_eq!(output.text().unwrap(), "/", "{place}");
    }
    for call in docker.calls() {
        assert!(!call.iter().any(|arg| arg.contains(CANARY)), "{call:?}");
        assert_eq!(call[0], "exec");
    }
    // The flag that opens standard input is there only where there is some.
    let with_input: Vec<bool> = docker.calls().iter().map(|call| call[1] == "-i").collect();
    assert_eq!(
        with_input.iter().take(2).collect::<Vec<_>>(),
        [&true, &false]
    );
}

#[tokio::test]
async fn what_bars_the_way_is_said_and_nothing_ran() {
    let docker = Docker::new();
    let server = Server::start();
    docker.set("old", "exited");
    docker.set("still", "paused");
    docker.set("loop", "restarting");
    docker.set("bare", "running");
    docker.touch("bare.no-shell");
    docker.set("web", "running");
    let container = |name: &str| Container::new(Engine::Docker, name).program(docker.program());
    let cases = [
        (
            container("nope"),
            ErrorKind::Unavailable,
            "has no container `nope`",
            "docker ps --all",
        ),
        (
            container("old"),
            ErrorKind::Unavailable,
            "`old` on",
            "docker logs old",
        ),
        (
            container("still"),
            ErrorKind::Unavailable,
            "is paused",
            "docker unpause still",
        ),
        (
            container("loop"),
            ErrorKind::Unavailable,
            "is restarting",
            "docker logs loop",
        ),
        (
            container("bare"),
            ErrorKind::Unsupported,
            "has no `sh`",
            "image lacks",
        ),
        (
            container("web").user("shop"),
            ErrorKind::Unsupported,
            "no such user",
            "user of the image",
        ),
        (
            container("web").program("/nowhere/docker"),
            ErrorKind::Unsupported,
            "`/nowhere/docker` is not installed on",
            "install docker",
        ),
    ];
    for (container, kind, words, hint) in cases {
        let over_ssh = server
            .as_ref()
            .map(|server| container.clone().on(server.target()));
        for container in [Some(container.clone()), over_ssh].into_iter().flatten() {
            let place = Place::from(container);
            let error = runner()
                .run(&Cx::detached(), &place, &sh("true"))
                .await
                .unwrap_err();
            assert_eq!(
                (error.kind(), error.effect_of()),
                (kind, Effect::None),
                "{place}: {error:?}"
            );
            assert!(error.message().contains(words), "{place}: {error}");
            assert!(
                error.hint_text().unwrap().contains(hint),
                "{place}: {error:?}"
            );
        }
    }
    docker.touch("no-engine");
    let error = runner()
        .run(&Cx::detached(), &container("web").into(), &sh("true"))
        .await
        .unwrap_err();
    assert!(
        error
            .message()
            .contains("the docker engine on this machine does not answer"),
        "{error}"
    );
    let nowhere = Runner::new(fabrik_exec::BaseEnv::new("/nowhere"));
    let place = Place::from(Container::new(Engine::Podman, "web"));
    let error = nowhere
        .run(&Cx::detached(), &place, &sh("true"))
        .await
        .unwrap_err();
    assert_eq!(error.message(), "`podman` is not installed on this machine");
}

#[tokio::test]
async fn what_is_missing_inside_is_told_from_what_a_command_answers() {
    let docker = Docker::new();
    let place = Place::from(docker.container("web"));
    let run = async |command: Command| runner().run(&Cx::detached(), &place, &command).await;
    let error = run(Command::new("no-such-program")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect_of()),
        (ErrorKind::Unsupported, Effect::None)
    );
    assert_eq!(
        error.message(),
        "`no-such-program` is not installed on container web"
    );
    let error = run(Command::new("/etc/passwd")).await.unwrap_err();
    assert_eq!(
        error.message(),
        "`/etc/passwd` on container web is not an executable program"
    );
    let error = run(sh("true").dir("/no/such")).await.unwrap_err();
    assert_eq!(
        error.message(),
        "there is no folder `/no/such` on container web"
    );
    // The same codes, and the engine's words, out of the command's own mouth.
    for code in [1, 125, 126, 127] {
        let script =
            format!("echo 'Error response from daemon: No such container: web' >&2; exit {code}");
        assert_eq!(run(sh(&script)).await.unwrap().code, code);
    }
    // A builtin of the shell is no program.
    let error = run(Command::new("exit")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_container_that_dies_meanwhile_leaves_the_outcome_open() {
    let docker = Docker::new();
    let place = Place::from(docker.container("web"));
    // Kills its whole group, the marking shell too, as the end of a container does.
    let error = runner()
        .run(&Cx::detached(), &place, &sh("kill -s KILL 0"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.effect_of()),
        (ErrorKind::Unavailable, Effect::Unknown),
        "{error:?}"
    );
    assert!(
        error
            .message()
            .contains("the connection broke while `sh` on container web ran"),
        "{error}"
    );
    let error = runner()
        .run(&Cx::detached(), &place, &sh("kill -s KILL 0").reads())
        .await
        .unwrap_err();
    assert_eq!(error.effect_of(), Effect::None);
}

#[tokio::test]
async fn the_engine_is_found_on_the_path() {
    let docker = Docker::new();
    docker.set("web", "running");
    let env = fabrik_exec::BaseEnv::new(format!("{}:/usr/bin:/bin", docker.path().display()));
    let place = Place::from(Container::new(Engine::Docker, "web"));
    let output = Runner::new(env)
        .run(
            &Cx::detached(),
            &place,
            &sh("echo $IN_CONTAINER").timeout(Duration::from_secs(20)),
        )
        .await
        .unwrap();
    assert_eq!(output.text().unwrap(), "web");
}
