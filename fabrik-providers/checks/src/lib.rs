//! Checks of a running result from the outside: what an app's users, and their browsers, would
//! see.
//!
//! | kind | holds when |
//! | --- | --- |
//! | `http` | a URL answers with the expected status, headers and body |
//! | `tcp` | something accepts connections |
//! | `tls` | the certificate's chain is valid for the name, for some days to come |
//! | `dns` | name servers give the declared records |
//!
//! ```
//! let checkers = fabrik_checks::checkers(fabrik_checks::CheckerConfig::default());
//! assert_eq!(checkers.kinds().collect::<Vec<_>>(), ["dns", "http", "tcp", "tls"]);
//! ```
//!
//! Names under `.localhost` are always 127.0.0.1, so that checks of a service that runs on this
//! machine need no name server. Nothing is read from the environment: name servers, detours and
//! further root certificates are passed in, and proxies of the environment are not used.

mod certificate;
mod config;
mod dns;
mod field;
mod http;
mod network;
mod target;
mod tcp;
mod tls;
mod trust;

use std::sync::Arc;

use fabrik_core::verify::Checkers;

pub use config::CheckerConfig;

/// The checkers `dns`, `http`, `tcp` and `tls`.
pub fn checkers(config: CheckerConfig) -> Checkers {
    let trust = Arc::new(trust::Trust::new(&config));
    let network = Arc::new(config.network);
    Checkers::new()
        .with(dns::Dns::new(network.clone()))
        .with(http::Http::new(
            trust.clone(),
            network.clone(),
            config.user_agent,
        ))
        .with(tcp::Tcp::new(network.clone()))
        .with(tls::Tls::new(trust, network))
}
