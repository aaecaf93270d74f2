//! `fabrik doctor`.
use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::session::Session;
pub(super) async fn doctor(session: &mut Session, args: &DoctorArgs) -> Done {
    let _ = (session, args);
    Ok(Exit::DONE)
}
