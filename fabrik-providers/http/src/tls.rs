//! TLS: rustls with ring, the web's roots, and those that were given.

use std::sync::Arc;

use fabrik_core::error::{Error, ErrorKind, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// A configuration that trusts the web's roots and these.
pub(crate) fn config(roots: &[Vec<u8>]) -> Result<ClientConfig> {
    let mut trusted = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for pem in roots {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let added = certificate
                .map_err(|error| error.to_string())
                .and_then(|found| trusted.add(found).map_err(|error| error.to_string()));
            added.map_err(|error| {
                Error::new(
                    ErrorKind::Invalid,
                    "the certificate of the authority is not a PEM certificate",
                )
                .cause(error)
            })?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Unexpected, "TLS cannot be set up").cause(error))?
        .with_root_certificates(trusted)
        .with_no_client_auth())
}
