//! Secrets: encryption at rest, keyed fingerprints, finding declared ones, removing known ones
//! from text.

mod cipher;
mod redact;

pub use cipher::{Cipher, Key};
pub use redact::{Redactor, printable};
