//! TLS in the server itself, for those without a balancer. A new certificate is taken without a restart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::Signal;
use tokio_rustls::TlsAcceptor;

use crate::cli::Outcome;

/// How often it is looked whether the files have changed.
const LOOKED_EVERY: Duration = Duration::from_secs(10);

/// The files of a certificate, both PEM.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The certificate, and those between it and the root.
    pub(crate) certificate: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

impl Files {
    fn load(&self, provider: &CryptoProvider) -> Outcome<CertifiedKey> {
        let told = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let read = |path: &Path| std::fs::read(path).map_err(|error| told(path, &error));
        let chain = CertificateDer::pem_slice_iter(&read(&self.certificate)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| told(&self.certificate, &error))?;
        if chain.is_empty() {
            return Err(told(&self.certificate, &"no certificate in it"));
        }
        let key = zeroize::Zeroizing::new(read(&self.key)?);
        // What is wrong with a key is not said: it may quote a part of it.
        let key =
            PrivateKeyDer::from_pem_slice(&key).map_err(|_| told(&self.key, &"no private key in it"))?;
        let pair = CertifiedKey::from_der(chain, key, provider);
        pair.map_err(|error| format!("{} and {}: {error}", self.certificate.display(), self.key.display()))
    }

    /// What changes with them.
    fn state(&self) -> [Option<(SystemTime, u64)>; 2] {
        [&self.certificate, &self.key].map(|path| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.modified().ok()?, found.len()))
        })
    }
}

/// The certificate as it is now.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn set(&self, pair: CertifiedKey) {
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(pair);
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

/// Agrees upon TLS 1.2 or 1.3 with these files. From now on they are looked at again and again, and at once on SIGHUP; files that
/// cannot be used leave everything as it was.
pub(super) fn acceptor(files: Files, hang_up: Signal) -> Outcome<TlsAcceptor> {
    let provider = Arc::new(ring::default_provider());
    let state = files.state();
    let current = Arc::new(Current(RwLock::new(Arc::new(files.load(&provider)?))));
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?;
    let resolver = Arc::clone(&current);
    let mut config = config.with_no_client_auth().with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    tokio::spawn(watch(files, state, provider, current, hang_up));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn watch(
    files: Files,
    mut known: [Option<(SystemTime, u64)>; 2],
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    mut hang_up: Signal,
) {
    let mut is_current = true;
    loop {
        let is_asked = tokio::select! {
            _ = hang_up.recv() => true,
            () = tokio::time::sleep(LOOKED_EVERY) => false,
        };
        let state = files.state();
        let is_changed = state != known;
        // Files that could not be used may be made readable without being changed.
        if !is_changed && !is_asked && is_current {
            continue;
        }
        known = state;
        match files.load(&provider) {
            Ok(pair) => {
                current.set(pair);
                is_current = true;
                tracing::info!("the certificate was read again");
            }
            Err(error) => {
                if is_changed || is_asked {
                    tracing::error!(error, "the new certificate cannot be used; the former one stays");
                }
                is_current = false;
            }
        }
    }
}
