//! What `ssh` means by 255, told by its words: those of OpenSSH 7 to 10, which are not translated.

use fabrik_core::error::{Effect, Error, ErrorKind};

use super::Failed;
use crate::place::SshTarget;

/// Nothing began on the target: why.
pub(super) fn failure(failed: &Failed<'_>, target: &SshTarget, code: i32) -> Error {
    if code != 255 {
        // It logged in, and the account's shell or a forced command did something else.
        let error = failed
            .error(
                ErrorKind::Unsupported,
                format!("the account on {target} did not run the command (exit code {code})"),
            )
            .hint("its login shell must be a POSIX shell such as `sh` or `bash`, without a forced command");
        let refused = failed.line_with(&[
            "account is currently not available",
            "account is not available",
        ]);
        return error.effect(if refused.is_some() {
            Effect::None
        } else {
            Effect::Unknown
        });
    }
    let says = |kind: ErrorKind, words: String| {
        failed
            .error(kind, words)
            .temporary(false)
            .effect(Effect::None)
    };
    let find = |words: &[&str]| failed.line_with(words);

    if find(&[
        "remote host identification has changed",
        "has changed and you have requested strict checking",
    ])
    .is_some()
    {
        says(ErrorKind::Unavailable, format!("the host key of {target} is not the one that is known"))
            .hint("somebody may be in between; if the server was set up anew, compare its new key with its owner, then replace the old one (`ssh-keygen -R`)")
    } else if find(&[
        "host key is known for",
        "host key verification failed",
        "no matching host key",
    ])
    .is_some()
    {
        says(ErrorKind::Unavailable, format!("the host key of {target} is not known or not accepted"))
            .hint("compare the server's fingerprint (`ssh-keyscan HOST | ssh-keygen -lf -`) with what its owner says, then add the key to the file of known hosts")
    } else if let Some(line) = find(&["permission denied (", "too many authentication failures"]) {
        let mut error = says(ErrorKind::Auth, format!("{target} does not accept the login: {line}")).hint(
            "check user and key, that the public key is in the account's `authorized_keys`, and that the key has no passphrase or is in the agent",
        );
        if let Some(line) = find(&[
            "unprotected private key file",
            "bad permissions",
            "load key",
        ]) {
            error = error.cause(line).hint("ssh does not use the private key: check its format, and that only you may read it (`chmod 600`)");
        }
        error
    } else if let Some(line) = find(&["could not resolve hostname"]) {
        says(
            ErrorKind::Unavailable,
            format!("the host name of {target} cannot be resolved"),
        )
        .temporary(line.to_lowercase().contains("temporary failure"))
        .hint("check the host name and the machine's DNS")
    } else if find(&["connection refused"]).is_some() {
        says(
            ErrorKind::Unavailable,
            format!("{target} refuses connections"),
        )
        .temporary(true)
        .hint("check that the SSH server runs, its port, and the firewall")
    } else if let Some(line) = find(&[
        "connection timed out",
        "operation timed out",
        "no route to host",
        "network is unreachable",
        "host is down",
    ]) {
        says(
            ErrorKind::Unavailable,
            format!("{target} cannot be reached: {line}"),
        )
        .temporary(true)
        .hint("check the host, its port, the network and the firewall")
    } else if find(&[
        "bad configuration option",
        "bad owner or permissions",
        "terminating, ",
        "can't open user config file",
        "unsupported option",
    ])
    .is_some()
    {
        says(
            ErrorKind::Invalid,
            format!(
                "ssh does not accept its settings: {}",
                failed.last_line().unwrap_or_default()
            ),
        )
        .hint("correct the SSH settings, or set others")
    } else if let Some(line) = find(&[
        "unable to negotiate",
        "no matching key exchange",
        "no matching cipher",
    ]) {
        says(
            ErrorKind::Unsupported,
            format!("ssh and {target} have no method in common: {line}"),
        )
        .hint("update the older of the two")
    } else if let Some(line) = find(&[
        "kex_exchange_identification",
        "ssh_exchange_identification",
        "banner exchange",
        "connection closed by ",
    ]) {
        // All of these come before the session: afterwards it is "Connection to HOST closed".
        says(ErrorKind::Unavailable, format!("{target} ended the connection before the login: {line}"))
            .temporary(true)
            .hint("the server may limit logins at once (`MaxStartups`), bar this address, or not be an SSH server")
    } else {
        let words = failed.last_line().unwrap_or("ssh gave no reason");
        failed
            .error(
                ErrorKind::Unavailable,
                format!("the connection to {target} failed: {words}"),
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
    use crate::place::Place;

    fn error(code: i32, text: &str) -> Error {
        let place = Place::from(SshTarget::new("h").user("me"));
        let tail: Vec<String> = text.lines().map(str::to_owned).collect();
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
        use ErrorKind::{Auth, Invalid, Unavailable, Unsupported};
        // Kind, effect, temporary, words. Texts as OpenSSH 9.2 writes them.
        for (code, text, kind, effect, temporary, words) in [
            (
                255,
                "ssh: Could not resolve hostname h: Name or service not known",
                Unavailable,
                None,
                false,
                "cannot be resolved",
            ),
            (
                255,
                "ssh: Could not resolve hostname h: Temporary failure in name resolution",
                Unavailable,
                None,
                true,
                "cannot be resolved",
            ),
            (
                255,
                "ssh: connect to host h port 22: Connection refused",
                Unavailable,
                None,
                true,
                "refuses connections",
            ),
            (
                255,
                "ssh: connect to host h port 22: Connection timed out",
                Unavailable,
                None,
                true,
                "cannot be reached",
            ),
            (
                255,
                "ssh: connect to host h port 22: No route to host",
                Unavailable,
                None,
                true,
                "cannot be reached",
            ),
            (
                255,
                "me@h: Permission denied (publickey,password).",
                Auth,
                None,
                false,
                "does not accept the login",
            ),
            (
                255,
                "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures",
                Auth,
                None,
                false,
                "does not accept the login",
            ),
            (
                255,
                "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 10.0.0.1 port 22",
                Unavailable,
                None,
                true,
                "before the login",
            ),
            (
                255,
                "Unable to negotiate with 10.0.0.1 port 22: no matching key exchange method found. Their offer: x",
                Unsupported,
                None,
                false,
                "no method in common",
            ),
            (
                255,
                "/etc/x: line 3: Bad configuration option: foo\n/etc/x: terminating, 1 bad configuration options",
                Invalid,
                None,
                false,
                "its settings",
            ),
            (
                255,
                "client_loop: send disconnect: Broken pipe",
                Unavailable,
                Unknown,
                true,
                "the connection to me@h failed",
            ),
            (255, "", Unavailable, Unknown, true, "ssh gave no reason"),
            (
                1,
                "This account is currently not available.",
                Unsupported,
                None,
                false,
                "did not run the command",
            ),
            (
                0,
                "hello from a forced command",
                Unsupported,
                Unknown,
                false,
                "did not run the command",
            ),
        ] {
            let error = error(code, text);
            assert_eq!(
                (error.kind(), error.effect_of(), error.is_temporary()),
                (kind, effect, temporary),
                "{text}: {error:?}"
            );
            assert!(error.message().contains(words), "{error}");
        }
    }
}
