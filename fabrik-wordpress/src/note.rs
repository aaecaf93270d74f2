//! Mistakes in a block.

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::value::Path;

/// A mistake at a field of the block; at the block itself when the field is empty.
pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Error {
    let error = Error::new(ErrorKind::Invalid, message);
    if field.is_empty() {
        error
    } else {
        error.field(Path::parse(field))
    }
}

/// A name that is not known, with the nearest one or all there are.
pub(crate) fn unknown<'a>(
    field: &str,
    message: String,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Error {
    let known: Vec<&str> = known.into_iter().collect();
    let error = invalid(field, message);
    if let Some(near) = did_you_mean(name, known.iter().copied()) {
        return error.hint(format!("did you mean `{near}`?"));
    }
    if known.is_empty() || known.len() > 24 {
        return error;
    }
    error.hint(format!("there is {}", known.join(", ")))
}
