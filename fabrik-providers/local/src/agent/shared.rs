//! What every part of the agent needs.

use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use tokio::sync::watch;

use crate::agent::ports::Ports;
use crate::layout::Layout;
use crate::model::Env;

/// What every part of the agent needs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) layout: Layout,
    pub(crate) base_env: Env,
    /// Mark of this agent in the environment of its processes.
    pub(crate) mark: String,
    pub(crate) ports: Ports,
    pub(crate) clock: fn() -> SystemTime,
    /// Set when the state directory is not ours any more: nothing may be written then.
    pub(crate) orphaned: AtomicBool,
}

/// Waits until a flag is raised, or nobody can raise it any more.
pub(crate) async fn raised(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|raised| *raised).await;
}
