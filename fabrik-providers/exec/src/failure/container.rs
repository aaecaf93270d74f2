//! What a container engine means when a command did not begin, told by its words: those of Docker 19
//! to 28 and Podman 3 to 5, which are not translated.

use fabrik_core::error::{Effect, Error, ErrorKind};

use super::Failed;
use crate::place::Container;

/// Nothing began in the container: why.
pub(super) fn failure(failed: &Failed<'_>, container: &Container, code: i32) -> Error {
    let engine = container.engine.name();
    let name = &container.name;
    let on = &container.on;
    let says = |kind: ErrorKind, words: String| {
        failed
            .error(kind, words)
            .temporary(false)
            .effect(Effect::None)
    };
    let find = |words: &[&str]| failed.line_with(words);

    // Never "not found": what lacks is the way to the object, not the object.
    if find(&["no such container", "no container with name or id"]).is_some() {
        says(
            ErrorKind::Unavailable,
            format!("{engine} on {on} has no container `{name}`"),
        )
        .hint(format!("check the name with `{engine} ps --all`"))
    } else if find(&["is restarting"]).is_some() {
        says(
            ErrorKind::Unavailable,
            format!("the container `{name}` on {on} is restarting"),
        )
        .temporary(true)
        .hint(format!(
            "see in `{engine} logs {name}` why it does not stay up"
        ))
    } else if find(&["is paused"]).is_some() {
        says(
            ErrorKind::Unavailable,
            format!("the container `{name}` on {on} is paused"),
        )
        .hint(format!("let it go on with `{engine} unpause {name}`"))
    } else if find(&[
        "is not running",
        "container state improper",
        "on running containers",
        "is stopped",
    ])
    .is_some()
    {
        says(
            ErrorKind::Unavailable,
            format!("the container `{name}` on {on} is not running"),
        )
        .temporary(true)
        .hint(format!(
            "start it, and see in `{engine} logs {name}` why it stopped"
        ))
    } else if find(&[
        "permission denied while trying to connect",
        "connect: permission denied",
    ])
    .is_some()
    {
        says(
            ErrorKind::Permission,
            format!("{engine} on {on} refuses this user"),
        )
        .hint("add the user to the group `docker`, or use one that may talk to the engine")
    } else if find(&[
        "cannot connect to the docker daemon",
        "failed to connect to the docker api",
        "error during connect",
        "cannot connect to podman",
        "unable to connect to podman",
    ])
    .is_some()
    {
        says(
            ErrorKind::Unavailable,
            format!("the {engine} engine on {on} does not answer"),
        )
        .temporary(true)
        .hint("check that the engine runs, and `DOCKER_HOST` if it is somewhere else")
    } else if let Some(line) = find(&[
        "unable to find user",
        "no matching entries in passwd",
        "no matching entries in group",
        "unable to find group",
    ]) {
        says(
            ErrorKind::Unsupported,
            format!("the container `{name}` has no such user: {line}"),
        )
        .hint("use a user of the image, or a number")
    } else if find(&["executable file not found", "no such file or directory"]).is_some()
        && matches!(code, 126..=128 | 255)
    {
        says(
            ErrorKind::Unsupported,
            format!("the container `{name}` has no `sh`"),
        )
        .hint("commands are run through `sh` and `env`, which this image lacks")
    } else {
        let words = failed.last_line().unwrap_or("no reason was given");
        failed
            .error(
                ErrorKind::Unavailable,
                format!("{engine} on {on} could not run the command in `{name}`: {words}"),
            )
            .effect(Effect::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::compose::hops;
    use crate::marks::Level;
    use crate::place::{Engine, Place};

    fn error(code: i32, text: &str) -> Error {
        let place = Place::from(Container::new(Engine::Docker, "web"));
        let tail = [text.to_owned()];
        let failed = Failed {
            place: &place,
            way: &hops(&place),
            command: &Command::new("wp"),
            levels: &[Level::default()],
            tail: &tail,
        };
        failed.exit(code).unwrap_err()
    }

    #[test]
    fn each_reason_has_its_error() {
        use Effect::{None, Unknown};
        use ErrorKind::{Permission, Unavailable, Unsupported};
        for (code, text, kind, effect, words) in [
            (
                1,
                "Error response from daemon: No such container: web",
                Unavailable,
                None,
                "no container `web`",
            ),
            (
                1,
                "Error: No such container: web",
                Unavailable,
                None,
                "no container `web`",
            ),
            (
                125,
                "Error: no container with name or ID \"web\" found: no such container",
                Unavailable,
                None,
                "no container `web`",
            ),
            (
                1,
                "Error response from daemon: container 3f is not running",
                Unavailable,
                None,
                "is not running",
            ),
            (
                255,
                "Error: can only create exec sessions on running containers: container state improper",
                Unavailable,
                None,
                "is not running",
            ),
            (
                1,
                "Error response from daemon: Container 3f is restarting, wait until the container is running",
                Unavailable,
                None,
                "is restarting",
            ),
            (
                1,
                "Error response from daemon: Container 3f is paused, unpause the container before exec",
                Unavailable,
                None,
                "is paused",
            ),
            (
                1,
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
                Unavailable,
                None,
                "does not answer",
            ),
            (
                1,
                "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
                Permission,
                None,
                "refuses this user",
            ),
            (
                126,
                "unable to find user shop: no matching entries in passwd file",
                Unsupported,
                None,
                "no such user",
            ),
            (
                127,
                "OCI runtime exec failed: exec failed: unable to start container process: exec: \"sh\": executable file not found in $PATH: unknown",
                Unsupported,
                None,
                "has no `sh`",
            ),
            (
                1,
                "Error response from daemon: something new",
                Unavailable,
                Unknown,
                "something new",
            ),
        ] {
            let error = error(code, text);
            assert_eq!(
                (error.kind(), error.effect_of()),
                (kind, effect),
                "{text}: {error:?}"
            );
            assert!(error.message().contains(words), "{error}");
        }
    }
}
