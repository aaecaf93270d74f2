//! Exit codes: the one table.

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::state::RunResult;

/// How the program ended. The numbers are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exit(pub u8);

impl Exit {
    /// Done, or nothing to do.
    pub const DONE: Exit = Exit(0);
    /// Failed; state is saved. Also a declined prompt, a data-loss stop, a stale plan.
    pub const FAILED: Exit = Exit(1);
    /// Changes are present (`plan --detailed-exitcode`, `status --check`).
    pub const CHANGES: Exit = Exit(2);
    /// Applied, but a check failed and policy says keep.
    pub const CHECK_FAILED: Exit = Exit(3);
    /// Credentials are missing, wrong, or lack a permission.
    pub const CREDENTIALS: Exit = Exit(4);
    /// Another run holds the lock.
    pub const LOCKED: Exit = Exit(5);
    /// Failed, and everything was taken back.
    pub const ROLLED_BACK: Exit = Exit(6);
    /// Failed, and something could not be taken back.
    pub const STUCK: Exit = Exit(7);
    /// The command line is wrong.
    pub const USAGE: Exit = Exit(64);
    /// The spec is invalid.
    pub const INVALID: Exit = Exit(65);
    /// A service cannot be reached.
    pub const UNREACHABLE: Exit = Exit(69);
    /// A bug in Fabrik.
    pub const INTERNAL: Exit = Exit(70);
    /// Interrupted.
    pub const INTERRUPTED: Exit = Exit(130);

    /// Every code with what it means: the table shown in help and on the man page.
    pub const TABLE: &[(Exit, &str)] = &[
        (Exit::DONE, "done, or nothing to do"),
        (Exit::FAILED, "failed; state is saved"),
        (
            Exit::CHANGES,
            "changes present (`plan --detailed-exitcode`, `status --check`)",
        ),
        (
            Exit::CHECK_FAILED,
            "applied, but a check failed (`--on-failure keep`)",
        ),
        (
            Exit::CREDENTIALS,
            "credentials missing, wrong or insufficient",
        ),
        (Exit::LOCKED, "another run holds the lock"),
        (Exit::ROLLED_BACK, "failed, and rolled back"),
        (Exit::STUCK, "failed, and the rollback is incomplete"),
        (Exit::USAGE, "the command line is wrong"),
        (Exit::INVALID, "the spec is invalid"),
        (Exit::UNREACHABLE, "a service cannot be reached"),
        (Exit::INTERNAL, "an internal error"),
        (Exit::INTERRUPTED, "interrupted"),
    ];

    /// The code for an error that ended a command.
    pub fn of_error(error: &Error) -> Exit {
        match error.kind() {
            ErrorKind::Auth | ErrorKind::Permission => Exit::CREDENTIALS,
            ErrorKind::Locked => Exit::LOCKED,
            ErrorKind::Invalid => Exit::INVALID,
            ErrorKind::Unavailable => Exit::UNREACHABLE,
            ErrorKind::CheckFailed => Exit::CHECK_FAILED,
            ErrorKind::Cancelled => Exit::INTERRUPTED,
            ErrorKind::Unexpected => Exit::INTERNAL,
            _ => Exit::FAILED,
        }
    }

    /// The code for how a run ended. A failed run with nothing done speaks through its error.
    pub fn of_result(result: RunResult, error: Option<ErrorKind>) -> Exit {
        match result {
            RunResult::Succeeded => Exit::DONE,
            RunResult::CheckFailed => Exit::CHECK_FAILED,
            RunResult::RolledBack => Exit::ROLLED_BACK,
            RunResult::Stuck => Exit::STUCK,
            RunResult::Interrupted => Exit::INTERRUPTED,
            RunResult::Failed => match error {
                Some(ErrorKind::Auth | ErrorKind::Permission) => Exit::CREDENTIALS,
                Some(ErrorKind::Unavailable) => Exit::UNREACHABLE,
                _ => Exit::FAILED,
            },
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_codes_of_the_table() {
        for (kind, code) in [
            (ErrorKind::Auth, 4),
            (ErrorKind::Permission, 4),
            (ErrorKind::Locked, 5),
            (ErrorKind::Invalid, 65),
            (ErrorKind::Unavailable, 69),
            (ErrorKind::Unexpected, 70),
            (ErrorKind::Cancelled, 130),
            (ErrorKind::Stale, 1),
            (ErrorKind::Refused, 1),
        ] {
            assert_eq!(
                Exit::of_error(&Error::new(kind, "x")),
                Exit(code),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn results_have_the_codes_of_the_table() {
        for (result, code) in [
            (RunResult::Succeeded, 0),
            (RunResult::Failed, 1),
            (RunResult::CheckFailed, 3),
            (RunResult::RolledBack, 6),
            (RunResult::Stuck, 7),
            (RunResult::Interrupted, 130),
        ] {
            assert_eq!(Exit::of_result(result, None), Exit(code), "{result:?}");
        }
        assert_eq!(
            Exit::of_result(RunResult::Failed, Some(ErrorKind::Auth)),
            Exit(4)
        );
    }

    #[test]
    fn codes_are_listed_once() {
        let mut codes: Vec<u8> = Exit::TABLE.iter().map(|(exit, _)| exit.0).collect();
        codes.dedup();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 64, 65, 69, 70, 130]);
    }
}
