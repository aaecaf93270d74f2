//! What checkers are given.

use std::net::SocketAddr;

use fabrik_core::error::{Error, ErrorKind, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// What checkers are given; see [`crate::checkers`].
#[derive(Clone, Debug)]
pub struct CheckerConfig {
    pub(crate) resolvers: Vec<SocketAddr>,
    pub(crate) roots: Vec<CertificateDer<'static>>,
    pub(crate) user_agent: String,
}

impl Default for CheckerConfig {
    fn default() -> Self {
        CheckerConfig {
            resolvers: Vec::new(),
            roots: Vec::new(),
            user_agent: concat!("fabrik-checks/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl CheckerConfig {
    /// The name servers that `dns` checks ask when they name none. Without any, the system's
    /// resolver is asked, which knows addresses only.
    #[must_use]
    pub fn resolvers(mut self, resolvers: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.resolvers = resolvers.into_iter().collect();
        self
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
