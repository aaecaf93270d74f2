//! What checkers are given.

use std::net::SocketAddr;

use fabrik_core::error::{Error, ErrorKind, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::network::{Detour, Network};

/// What checkers are given; see [`crate::checkers`].
#[derive(Clone, Debug)]
pub struct CheckerConfig {
    pub(crate) network: Network,
    pub(crate) roots: Vec<CertificateDer<'static>>,
    pub(crate) user_agent: String,
}

impl Default for CheckerConfig {
    fn default() -> Self {
        CheckerConfig {
            network: Network::default(),
            roots: Vec::new(),
            user_agent: concat!("fabrik-checks/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl CheckerConfig {
    /// The name servers that are asked: by `dns` checks that name none, and for the names that all
    /// other checks connect to. Without any, the system's resolver is asked, which knows addresses
    /// only.
    #[must_use]
    pub fn resolvers(mut self, resolvers: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.network.resolvers = resolvers.into_iter().collect();
        self
    }

    /// Adds a detour, `FROM=TO`: where a check would connect to one name or address, it connects to
    /// another, while all else (the name of the certificate, the `Host` header) stays. Both are
    /// `host`, `host:port`, an address or an address with a port; a port that is left out is any, or
    /// the same. It is for what cannot be reached by its public address from here: split DNS, a
    /// tunnel, a server whose record has not moved yet.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a text that is no detour.
    pub fn detour(mut self, text: &str) -> Result<Self> {
        self.network.detours.push(Detour::parse(text)?);
        Ok(self)
    }

    /// Trusts further root certificates, besides those of the web, given as PEM text.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the text holds no certificate, or a damaged one.
    pub fn with_roots_pem(mut self, pem: &[u8]) -> Result<Self> {
        let bad = |why: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Invalid, format!("root certificates: {why}"))
        };
        let mut store = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| bad(&error))?;
            store
                .add(certificate.clone())
                .map_err(|error| bad(&error))?;
            self.roots.push(certificate);
        }
        if store.is_empty() {
            return Err(bad(&"the text holds no certificate"));
        }
        Ok(self)
    }

    /// How `http` checks name themselves.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_roots_are_refused() {
        let error = CheckerConfig::default()
            .with_roots_pem(b"nothing")
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(CheckerConfig::default().with_roots_pem(pem).is_err());
    }
}
