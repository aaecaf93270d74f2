//! Saved plans: telling them from specs, and finding the state they were made from.

use std::path::{Path, PathBuf};

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::plan::{Plan, file};
use fabrik_core::secrets::Cipher;
use serde_json::Value as Json;

use crate::fail::Done;
use crate::files;
use crate::key;
use crate::place::Place;
use crate::project;
use crate::session::Session;

/// What a plan file begins with.
const MAGIC: &[u8] = b"fabrik-plan\n";

/// The file, when it is a saved plan.
pub(crate) fn plan_file(dir: &Path, what: &str) -> Option<PathBuf> {
    use std::io::Read as _;
    let path = dir.join(what);
    let mut start = [0_u8; MAGIC.len()];
    let mut file = std::fs::File::open(&path).ok()?;
    file.read_exact(&mut start).ok()?;
    (start == MAGIC).then_some(path)
}

/// Opens a saved plan with the key of the state it was made from.
pub(crate) fn open(session: &Session, path: &Path) -> Done<(Place, Plan)> {
    let bytes = files::read(path)?;
    let (name, env) = header(&bytes).unwrap_or_default();
    let mut wrong = None;
    for place in candidates(session, path, &name, &env)? {
        let source = key::source(&session.world, &place.state);
        let Some(key) = key::read(&session.world, &source)? else {
            continue;
        };
        let cipher = Cipher::new(key, session.world.entropy.clone());
        match file::load(&bytes, &cipher) {
            Ok(plan) => return Ok((place, plan)),
            Err(error) if error.kind() == ErrorKind::Auth => wrong = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    let error = wrong.unwrap_or_else(|| {
        Error::new(
            ErrorKind::Auth,
            "the key this plan was saved with is not here",
        )
    });
    Err(error
        .context("plan", path.display())
        .context("stack", name)
        .hint("apply a saved plan where it was made, or name that place with `-C DIR` or `-f SPEC`")
        .into())
}

/// Stack and environment, which stand in clear in front of the sealed plan.
fn header(bytes: &[u8]) -> Option<(String, String)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let line = rest.split(|byte| *byte == b'\n').next()?;
    let header: Json = serde_json::from_slice(line).ok()?;
    let text = |key: &str| header.get(key)?.as_str().map(str::to_owned);
    Some((text("stack")?, text("env")?))
}

/// Places the plan may have been made in, likeliest first.
fn candidates(session: &Session, path: &Path, name: &str, env: &str) -> Done<Vec<Place>> {
    let dir = &session.settings.dir;
    let mut dirs: Vec<PathBuf> = Vec::new();
    if session.settings.file.is_some() {
        dirs.extend(session.find(None)?.parent().map(Path::to_path_buf));
    } else {
        let specs = [None, Some(name)];
        let found = specs
            .iter()
            .filter_map(|named| project::find_spec(dir, None, *named).ok());
        dirs.extend(found.filter_map(|spec| spec.parent().map(Path::to_path_buf)));
        dirs.push(dir.clone());
        dirs.extend(path.parent().map(Path::to_path_buf));
        dirs.push(dir.join("specs"));
    }
    Ok(dirs
        .into_iter()
        .map(|dir| Place {
            spec: None,
            name: name.to_owned(),
            env: env.to_owned(),
            state: session.settings.state_of(&dir),
            dir,
        })
        .collect())
}
