//! Time limits, stops and dropped futures: nothing stays behind, wherever it ran.

use std::path::Path;
use std::time::{Duration, Instant};

use fabrik_core::error::{Effect, ErrorKind};
use fabrik_core::provider::Cx;
use fabrik_exec::Place;
use tokio::task::JoinSet;

use crate::server::Server;
use crate::support::{Docker, Stage, runner, runs, sh, two_sleepers, until};

/// Time enough to begin, also over SSH on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(4);

/// Checks every kind of place at once.
async fn everywhere<C: Future<Output = ()> + Send + 'static>(
    check: impl Fn(&'static str, Place) -> C,
) {
    let docker = Docker::new();
    let server = Server::start();
    let mut checks = JoinSet::new();
    checks.spawn(check("here", Place::Here));
    checks.spawn(check("container", docker.container("web").into()));
    if let Some(server) = &server {
        checks.spawn(check("ssh", server.target().into()));
        let inside = docker.container("web").on(server.target());
        checks.spawn(check("container over ssh", inside.into()));
    }
    checks.join_all().await;
}

fn all_gone(folder: &Path) -> bool {
    !runs(&folder.join("head")) && !runs(&folder.join("child"))
}

#[tokio::test]
async fn at_the_limit_the_whole_group_is_ended_in_its_place() {
    everywhere(async |name, place| {
        let folder = tempfile::tempdir().unwrap();
        let command = two_sleepers(folder.path(), "").timeout(LIMIT);
        let error = runner()
            .run(&Cx::detached(), &place, &command)
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
        let words = "did not end within 4 s and was ended";
        assert!(
            error.message().starts_with("`sh`") && error.message().ends_with(words),
            "{name}: {error}"
        );
        assert_eq!(error.log_lines(), ["waiting"], "{name}");
        until(name, || all_gone(folder.path())).await;
    })
    .await;
}

#[tokio::test]
async fn what_does_not_listen_is_killed() {
    everywhere(async |name, place| {
        let folder = tempfile::tempdir().unwrap();
        let command = two_sleepers(folder.path(), "trap '' TERM;").timeout(LIMIT);
        let error = runner()
            .run(&Cx::detached(), &place, &command)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{name}: {error:?}");
        assert!(folder.path().join("head").exists(), "{name}");
        until(name, || all_gone(folder.path())).await;
    })
    .await;
}

#[tokio::test]
async fn a_program_may_clean_up_when_asked_to_end() {
    everywhere(async |name, place| {
        let folder = tempfile::tempdir().unwrap();
        let bye = folder.path().join("bye");
        let script = format!(
            "trap 'echo bye >\"{}\"; exit 0' TERM; sleep 600 & wait",
            bye.display()
        );
        let command = sh(&script).timeout(LIMIT);
        runner()
            .run(&Cx::detached(), &place, &command)
            .await
            .unwrap_err();
        assert!(bye.exists(), "{name}");
    })
    .await;
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
    let cx = cx.with_deadline(deadline);
    let error = runner()
        .run(&cx, &Place::Here, &sh("sleep 600"))
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
    everywhere(async |name, place| {
        let folder = tempfile::tempdir().unwrap();
        let head = folder.path().join("head");
        let stage = Stage::new();
        let (cx, command, runner) = (stage.cx(), two_sleepers(folder.path(), ""), runner());
        let stop = async {
            until(name, || head.exists()).await;
            stage.stop.graceful();
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert!(runs(&head), "{name}");
            stage.stop.now();
        };
        let (result, ()) = tokio::join!(runner.run(&cx, &place, &command), stop);
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect_of()),
            (ErrorKind::Cancelled, Effect::Unknown),
            "{name}"
        );
        assert!(error.message().contains("`sh`"), "{error}");
        until(name, || all_gone(folder.path())).await;
        // And nothing new begins.
        let error = runner.run(&cx, &place, &command).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect_of()),
            (ErrorKind::Cancelled, Effect::None),
            "{name}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_dropped_future_leaves_nothing_behind() {
    everywhere(async |name, place| {
        let folder = tempfile::tempdir().unwrap();
        let (cx, command, runner) = (Cx::detached(), two_sleepers(folder.path(), ""), runner());
        tokio::select! {
            result = runner.run(&cx, &place, &command) => panic!("{name}: {result:?}"),
            () = async {
                until(name, || folder.path().join("head").exists()).await;
                // The mark is on its way.
                tokio::time::sleep(Duration::from_millis(300)).await;
            } => {}
        }
        until(name, || all_gone(folder.path())).await;
    })
    .await;
}
