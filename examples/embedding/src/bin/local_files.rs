//! Plans, applies, changes and destroys a stack of files. Usage: `local_files [FOLDER]`.

use std::path::PathBuf;

use fabrik_core::error::{Error, ErrorKind, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let temporary = tempfile::tempdir()
        .map_err(|error| Error::new(ErrorKind::Io, "no temporary folder").cause(error))?;
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => temporary.path().to_owned(),
    };
    fabrik_embedding::local_files::run(&folder, &mut std::io::stdout()).await
}
