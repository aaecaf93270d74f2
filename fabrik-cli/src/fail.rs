//! Why a command ended early.

use fabrik_core::error::{Error, ErrorKind};

use crate::exit::Exit;
use crate::output::OutputError;

/// What a command comes to.
pub(crate) type Done<T = Exit> = Result<T, Fail>;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Fail {
    /// Something failed; to be shown.
    Error(Box<Error>),
    /// The command line asks for something impossible; to be shown.
    Usage(Box<Error>),
    /// Everything was said already.
    Said(Exit),
    /// The reader of the output went away.
    Closed,
}

impl Fail {
    /// A mistake on the command line.
    pub(crate) fn usage(message: impl Into<String>) -> Fail {
        Fail::Usage(Box::new(Error::new(ErrorKind::Invalid, message)))
    }

    /// As [`Fail::usage`], with what to do.
    pub(crate) fn usage_hint(message: impl Into<String>, hint: impl Into<String>) -> Fail {
        Fail::Usage(Box::new(Error::new(ErrorKind::Invalid, message).hint(hint)))
    }

    /// Something that was not allowed to go on.
    pub(crate) fn refused(message: impl Into<String>, hint: impl Into<String>) -> Fail {
        Fail::from(Error::new(ErrorKind::Refused, message).hint(hint))
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Fail::Error(Box::new(error))
    }
}

impl From<OutputError> for Fail {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Closed => Fail::Closed,
            other => Fail::from(Error::from(other)),
        }
    }
}
