//! Time limits, stops and dropped futures: nothing stays behind, wherever it ran.

use std::path::Path;
use std::time::{Duration, Instant};

use fabrik_core::error::{Effect, ErrorKind};
use fabrik_core::provider::Cx;
use fabrik_exec::Place;

use crate::server::Server;
use crate::support::{Docker, Stage, runner, runs, sh, two_sleepers, until};

/// Every kind of place, with a name; what must live as long as they do.
struct Places {
    list: Vec<(&'static str, Place)>,
    _docker: Docker,
    _server: Option<Server>,
}

fn places() -> Places {
    let docker = Docker::new();
    let server = Server::start();
    let mut list = vec![
        ("here", Place::Here),
        ("container", docker.container("web").into()),
    ];
    if let Some(server) = &server {
        list.push(("ssh", server.target().into()));
        list.push((
            "container over ssh",
            docker.container("web").on(server.target()).into(),
        ));
    }
    Places {
        list,
        _docker: docker,
        _server: server,
    }
}

fn all_gone(folder: &Path) -> bool {
    !runs(&folder.join("head")) && !runs(&folder.join("child"))
}

#[tokio::test]
async fn at_the_limit_the_whole_group_is_ended_in_its_place() {
    for (name, place) in &places().list {
        let folder = tempfile::tempdir().unwrap();
        let command = two_sleepers(folder.path(), "").timeout(Duration::from_secs(2));
        let error = runner()
            .run(&Cx::detached(), place, &command)
            .await
            .unwrap_err();
        assert!(
            folder.path().join("head").exists(),
            "{name}: it did not start: {error:?}"
        );
        assert_eq!(
            (error.kind(), error.effect_of()),
            (ErrorKind::Timeout, Effect::Unknown),
            "{name}"
        );
        assert!(
            error.message().contains("`sh`")
                && error
                    .message()
                    .ends_with("did not end within 2 s and was ended"),
            "{name}: {error}"
        );
        assert_eq!(error.log_lines(), ["waiting"], "{name}");
        assert!(all_gone(folder.path()), "{name}");
    }
}

#[tokio::test]
async fn what_does_not_listen_is_killed() {
    for (name, place) in &places().list {
        let folder = tempfile::tempdir().unwrap();
        let command = two_sleepers(folder.path(), "trap '' TERM;").timeout(Duration::from_secs(2));
        let error = runner()
            .run(&Cx::detached(), place, &command)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{name}: {error:?}");
        assert!(folder.path().join("head").exists(), "{name}");
        assert!(all_gone(folder.path()), "{name}");
    }
}

#[tokio::test]
async fn a_program_may_clean_up_when_asked_to_end() {
    for (name, place) in &places().list {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "trap 'echo bye >\"{0}/bye\"; exit 0' TERM; sleep 600 & wait",
            folder.path().display()
        );
        let command = sh(&script).timeout(Duration::from_secs(2));
        runner()
            .run(&Cx::detached(), place, &command)
            .await
            .unwrap_err();
        assert!(folder.path().join("bye").exists(), "{name}");
    }
}

#[tokio::test]
async fn the_deadline_shortens_the_limit() {
    let cx = Cx::detached();
    let deadline = cx
        .clock()
        .now()
        .checked_add(Duration::from_millis(700))
        .unwrap();
    let begun = Instant::now();
    let error = runner()
        .run(&cx.with_deadline(deadline), &Place::Here, &sh("sleep 600"))
        .await
        .unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        error
            .hint_text()
            .unwrap()
            .contains("`timeout` on the resource"),
        "{error:?}"
    );
}

#[tokio::test]
async fn only_a_hard_stop_ends_what_runs() {
    for (name, place) in &places().list {
        let folder = tempfile::tempdir().unwrap();
        let stage = Stage::new();
        let (cx, command) = (stage.cx(), two_sleepers(folder.path(), ""));
        let stop = async {
            until("start", || folder.path().join("head").exists()).await;
            stage.stop.graceful();
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(runs(&folder.path().join("head")), "{name}");
            stage.stop.now();
        };
        let runner = runner();
        let (result, ()) = tokio::join!(runner.run(&cx, place, &command), stop);
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect_of()),
            (ErrorKind::Cancelled, Effect::Unknown),
            "{name}"
        );
        assert!(error.message().contains("`sh`"), "{error}");
        assert!(all_gone(folder.path()), "{name}");
        // And nothing new begins.
        let error = runner.run(&cx, place, &command).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect_of()),
            (ErrorKind::Cancelled, Effect::None),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_dropped_future_leaves_nothing_behind() {
    for (name, place) in &places().list {
        let folder = tempfile::tempdir().unwrap();
        let (cx, command, runner) = (Cx::detached(), two_sleepers(folder.path(), ""), runner());
        tokio::select! {
            result = runner.run(&cx, place, &command) => panic!("{name}: {result:?}"),
            () = async {
                until(name, || folder.path().join("head").exists()).await;
                // The mark is on its way.
                tokio::time::sleep(Duration::from_millis(300)).await;
            } => {}
        }
        until(name, || all_gone(folder.path())).await;
    }
}
