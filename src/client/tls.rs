//! Whom a program of ours trusts when it speaks to another by TLS.

use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// What the machine trusts, and where it says nothing, what browsers do. It reads files.
pub fn trusted() -> TlsConfig {
    let found = rustls_native_certs::load_native_certs();
    for cause in &found.errors {
        log::warn!("a certificate of this machine cannot be read: {cause}");
    }
    let certificates = found.certs.iter();
    let certificates: Vec<_> = certificates
        .map(|der| Certificate::from_der(der).to_owned())
        .collect();
    let roots = match certificates.is_empty() {
        true => RootCerts::WebPki,
        false => RootCerts::from(certificates),
    };
    TlsConfig::builder().root_certs(roots).build()
}
