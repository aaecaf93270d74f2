//! The layers between a client and the wire, each a [`Transport`] around another.

mod attempt;
mod rate;
mod renew;
mod retry;
mod slots;

use std::sync::Arc;

use crate::clocks::Clocks;
use crate::config::HttpConfig;
use crate::transport::Transport;

pub(crate) use retry::retry_after;

/// All layers around a wire, in the order that the crate's documentation gives.
pub(crate) fn around(
    config: &HttpConfig,
    wire: Arc<dyn Transport>,
    clocks: Arc<Clocks>,
) -> Arc<dyn Transport> {
    let attempt = Arc::new(attempt::Attempt::new(config, wire, clocks));
    let slots = Arc::new(slots::Slots::new(config.max_in_flight, attempt));
    let rate = Arc::new(rate::Limit::new(config.rate, slots));
    let retry = Arc::new(retry::Retry::new(config, rate));
    Arc::new(renew::Renew(retry))
}
