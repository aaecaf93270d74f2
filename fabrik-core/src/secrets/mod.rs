//! Secrets: encryption at rest, keyed fingerprints, finding declared ones, removing known ones
//! from text.

mod cipher;
mod dotenv;
mod find;
mod redact;
mod secret;

pub use cipher::{Cipher, Key};
pub use dotenv::parse_dotenv;
pub use find::{
    DEFAULT_LENGTH, FoundSecret, ReadSource, RunCommand, SecretOrigin, SecretSources, find_secrets,
    generate_secret,
};
pub use redact::{Redactor, printable};
pub use secret::Secret;
