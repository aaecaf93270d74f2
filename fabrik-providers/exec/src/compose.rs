//! From a place and a command to a program of this machine with its arguments.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};

use crate::command::Command;
use crate::marks::Nonce;
use crate::place::{Container, Place, SshConfig, SshTarget};
use crate::quote::push_word;

/// Longest text of a remote command: Linux takes arguments up to 128 KiB each, and `sshd` hands the
/// whole text to the shell as one.
const LONGEST: usize = 128 * 1024 - 64;
/// How long `ssh` may take to connect.
const CONNECT: Duration = Duration::from_secs(15);

/// A step on the way to where a command runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hop<'a> {
    Ssh(&'a SshTarget),
    Container(&'a Container),
}

/// The way to a place, outermost step first.
pub(crate) fn hops(place: &Place) -> Vec<Hop<'_>> {
    match place {
        Place::Here => Vec::new(),
        Place::Ssh(target) => vec![Hop::Ssh(target)],
        Place::Container(container) => {
            let mut way = hops(&container.on);
            way.push(Hop::Container(container));
            way
        }
    }
}

/// A program of this machine.
#[derive(Clone)]
pub(crate) struct Launch {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(String, OsString)>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) is_ssh: bool,
}

/// What runs `command` at the end of the way.
pub(crate) fn launch(
    way: &[Hop<'_>],
    command: &Command,
    nonce: &Nonce,
    has_input: bool,
    limit: Duration,
) -> Result<Launch> {
    let Some((last, outer)) = way.split_last() else {
        if command.dir.as_ref().is_some_and(|dir| !dir.is_absolute()) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "the working folder of `{}` is not an absolute path",
                    command.name()
                ),
            )
            .hint("on this machine, give the whole path"));
        }
        return Ok(Launch {
            program: command.program.clone(),
            args: command.args.clone(),
            env: command.env.clone(),
            dir: command.dir.clone(),
            is_ssh: false,
        });
    };
    let mut words = enter(*last, nonce.wrap(outer.len(), command), has_input, limit)?;
    for (level, hop) in outer.iter().enumerate().rev() {
        words = enter(*hop, nonce.wrap_words(level, words), has_input, limit)?;
    }
    Ok(of_words(words, way))
}

/// What runs plain words, without marks, at the end of the way.
pub(crate) fn bare(way: &[Hop<'_>], mut words: Vec<OsString>, limit: Duration) -> Result<Launch> {
    for hop in way.iter().rev() {
        words = enter(*hop, words, false, limit)?;
    }
    Ok(of_words(words, way))
}

fn of_words(mut words: Vec<OsString>, way: &[Hop<'_>]) -> Launch {
    let args = words.split_off(1.min(words.len()));
    Launch {
        program: words.pop().unwrap_or_default(),
        args,
        env: Vec::new(),
        dir: None,
        is_ssh: matches!(way.first(), Some(Hop::Ssh(_))),
    }
}

fn enter(
    hop: Hop<'_>,
    words: Vec<OsString>,
    has_input: bool,
    limit: Duration,
) -> Result<Vec<OsString>> {
    match hop {
        Hop::Ssh(target) => ssh(target, &words, limit),
        Hop::Container(container) => Ok(exec(container, words, has_input)),
    }
}

/// `ssh` with every option that matters set, so that nobody's settings weaken them.
fn ssh(target: &SshTarget, inner: &[OsString], limit: Duration) -> Result<Vec<OsString>> {
    let mut words: Vec<OsString> = vec!["ssh".into()];
    match &target.config {
        SshConfig::User => {}
        SshConfig::None => words.extend(["-F".into(), "none".into()]),
        SshConfig::File(file) => words.extend(["-F".into(), file.into()]),
    }
    // No terminal, no forwarding of agent or X11.
    words.extend(["-T", "-a", "-x"].map(OsString::from));
    let connect = CONNECT.min(limit).as_secs().max(1);
    let mut option = |text: String| words.extend(["-o".into(), OsString::from(text)]);
    for fixed in [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "UpdateHostKeys=no",
        "ClearAllForwardings=yes",
        "PermitLocalCommand=no",
        "RemoteCommand=none",
        "RequestTTY=no",
        "LogLevel=ERROR",
        // A master in the background would keep our streams open; one that runs already is used.
        "ControlMaster=no",
        "ControlPersist=no",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=3",
    ] {
        option(fixed.to_owned());
    }
    option(format!("ConnectTimeout={connect}"));
    if let Some(file) = &target.known_hosts {
        option(format!("UserKnownHostsFile={}", setting(file)));
        option("GlobalKnownHostsFile=/dev/null".to_owned());
    }
    if let Some(file) = &target.identity {
        option(format!("IdentityFile={}", setting(file)));
        option("IdentitiesOnly=yes".to_owned());
    }
    if let Some(port) = target.port {
        words.extend(["-p".into(), port.to_string().into()]);
    }
    if let Some(user) = &target.user {
        words.extend(["-l".into(), user.into()]);
    }
    words.extend(["--".into(), OsString::from(&target.host)]);

    // Takes the place of the account's shell, which then is the head of its process group.
    let mut text = b"exec".to_vec();
    for word in inner {
        text.push(b' ');
        push_word(&mut text, word);
    }
    if text.len() > LONGEST {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("the command for {target} is too long: {} bytes", text.len()),
        )
        .hint("pass long data on standard input, not as arguments"));
    }
    words.push(OsString::from_vec(text));
    Ok(words)
}

/// A path as a value in `ssh`'s settings, where `%` begins a token.
fn setting(file: &Path) -> String {
    format!("\"{}\"", file.to_string_lossy().replace('%', "%%"))
}

fn exec(container: &Container, inner: Vec<OsString>, has_input: bool) -> Vec<OsString> {
    let program = container.program.as_ref().map_or_else(
        || OsStr::new(container.engine.name()),
        |program| program.as_os_str(),
    );
    let mut words = vec![program.to_owned(), "exec".into()];
    if has_input {
        words.push("-i".into());
    }
    if let Some(user) = &container.user {
        words.extend(["-u".into(), OsString::from(user)]);
    }
    // A name cannot begin with `-`, and everything after it is the command.
    words.push(OsString::from(&container.name));
    words.extend(inner);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Engine;

    fn texts(launch: &Launch) -> Vec<String> {
        launch
            .args
            .iter()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn ssh_is_strict_and_the_host_comes_after_all_options() {
        let place = Place::from(
            SshTarget::new("h")
                .user("me")
                .port(7)
                .config(SshConfig::None),
        );
        let nonce = Nonce::random().unwrap();
        let launch = launch(
            &hops(&place),
            &Command::new("true"),
            &nonce,
            false,
            Duration::from_secs(4),
        )
        .unwrap();
        let args = texts(&launch);
        assert_eq!(launch.program, "ssh");
        assert!(launch.is_ssh);
        for wanted in [
            "StrictHostKeyChecking=yes",
            "BatchMode=yes",
            "ConnectTimeout=4",
        ] {
            assert!(args.iter().any(|arg| arg == wanted), "{args:?}");
        }
        let end = args.iter().position(|arg| arg == "--").unwrap();
        assert_eq!(args[end + 1], "h");
        assert!(args[end + 2].starts_with("exec sh -c '"));
        assert_eq!(args.len(), end + 3);
        assert_eq!(setting(Path::new("/a b/50%")), "\"/a b/50%%\"");
    }

    #[test]
    fn what_is_too_long_for_a_shell_is_refused_with_a_way_out() {
        let place = Place::from(SshTarget::new("h"));
        let command = Command::new("wp").arg("x".repeat(LONGEST));
        let nonce = Nonce::random().unwrap();
        let error = launch(
            &hops(&place),
            &command,
            &nonce,
            false,
            Duration::from_secs(1),
        )
        .err()
        .unwrap();
        assert!(error.message().contains("too long"), "{error}");
        assert!(error.hint_text().unwrap().contains("standard input"));
    }

    #[test]
    fn a_container_elsewhere_is_entered_on_its_host() {
        let container = Container::new(Engine::Podman, "web")
            .user("33")
            .on(SshTarget::new("h"));
        let place = Place::from(container);
        let nonce = Nonce::random().unwrap();
        let command = Command::new("wp");
        let launch = launch(
            &hops(&place),
            &command,
            &nonce,
            true,
            Duration::from_secs(1),
        )
        .unwrap();
        let text = texts(&launch).pop().unwrap();
        assert!(text.contains(" podman exec -i -u 33 web sh -c "), "{text}");
        let words = bare(&hops(&place), vec!["id".into()], Duration::from_secs(1)).unwrap();
        assert_eq!(
            texts(&words).pop().unwrap(),
            "exec podman exec -u 33 web id"
        );
    }
}
