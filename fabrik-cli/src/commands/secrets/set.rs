//! `fabrik secrets set`.

use fabrik_core::value::Value;

use crate::args::SecretSetArgs;
use crate::ask;
use crate::exit::Exit;
use crate::fail::Done;
use crate::place::Access;
use crate::session::Session;

/// Keeps a value in the encrypted state.
pub(super) async fn set(session: &mut Session, args: &SecretSetArgs) -> Done {
    let place = session.locate(None)?;
    super::check_name(&args.name)?;
    let value = ask::secret(session, &args.name)?;
    let engine = session.engine(&place, Access::Change).await?;
    engine
        .set_secret(&args.name, Value::secret(value.as_str()))
        .await?;
    session.out.success(&format!(
        "{} is kept, encrypted, in the state of {}",
        args.name,
        place.display_name()
    ))?;
    session
        .out
        .hint("the environment and `.env` still win over it; `fabrik apply` brings it to whatever uses it")?;
    Ok(Exit::DONE)
}
