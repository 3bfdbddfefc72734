//! TLS of the server: the certificate in force, and how it is replaced while the server runs.
//!
//! Not the connections (`listener`) and not the look at the files (`rotation`).
//!
//! **Architecture invariant:** what cannot be used changes nothing: a new certificate that is damaged, of
//! another key or not valid today leaves the present one in force. A connection keeps the certificate that
//! it began with.

mod validity;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};

/// Where the certificate and its key are, both as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The certificate of the server, then those that signed it.
    pub(crate) certificate: PathBuf,
    /// The private key of the first one.
    pub(crate) key: PathBuf,
}

impl TlsFiles {
    /// Both of them.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        [self.certificate.as_path(), &self.key].into_iter()
    }
}

/// The certificate in force, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateState {
    /// The last second of it, since 1970.
    pub(crate) ends_s: i64,
    /// Why a newer one is not in force, or what is wrong with this one.
    pub(crate) fault: Option<String>,
}

/// TLS as the server speaks it now.
#[derive(Debug)]
pub(crate) struct ServerTls {
    files: TlsFiles,
    current: ArcSwap<LoadedCertificate>,
    fault: Mutex<Option<String>>,
}

#[derive(Debug)]
struct LoadedCertificate {
    config: Arc<ServerConfig>,
    starts_s: i64,
    ends_s: i64,
}

impl LoadedCertificate {
    fn read(files: &TlsFiles) -> Result<LoadedCertificate, String> {
        let chain = read_chain(&files.certificate)?;
        let first = chain.first().ok_or_else(|| no_certificate(&files.certificate))?;
        let (starts_s, ends_s) = validity::validity_of(first).ok_or_else(|| {
            format!("`{}`: the first certificate cannot be read", files.certificate.display())
        })?;
        let key = PrivateKeyDer::from_pem_file(&files.key)
            .map_err(|error| format!("`{}` has no usable key: {error}", files.key.display()))?;

        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]);
        let builder = builder.map_err(|error| format!("TLS cannot be used: {error}"))?;
        let config = builder.with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.map_err(|error| {
            let (certificate, key) = (files.certificate.display(), files.key.display());
            format!("`{certificate}` and `{key}` cannot be used together: {error}")
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(LoadedCertificate { config: Arc::new(config), starts_s, ends_s })
    }

    /// Why it is not valid at this time.
    fn fault_at(&self, now_s: i64) -> Option<String> {
        if now_s > self.ends_s {
            return Some("the certificate has ended; senders refuse it".to_owned());
        }
        let is_early = now_s < self.starts_s;
        is_early.then(|| "the certificate is not valid yet; senders refuse it".to_owned())
    }
}

impl ServerTls {
    /// Reads the certificate that the server begins with. One that has ended is taken: the server has more
    /// to do than to be reached.
    ///
    /// # Errors
    /// Which file cannot be used, and why.
    pub(crate) fn load(files: TlsFiles) -> Result<ServerTls, String> {
        let current = ArcSwap::from_pointee(LoadedCertificate::read(&files)?);
        Ok(ServerTls { files, current, fault: Mutex::default() })
    }

    /// Reads the files again and puts their certificate in force for new connections.
    ///
    /// # Errors
    /// Why the present one stays in force.
    pub(crate) fn reload(&self, now_s: i64) -> Result<(), String> {
        let read = LoadedCertificate::read(&self.files).and_then(|new| {
            let fault = new.fault_at(now_s);
            fault.map_or(Ok(new), Err)
        });
        let fault = match read {
            Ok(new) => {
                self.current.store(Arc::new(new));
                None
            }
            Err(error) => Some(error),
        };
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault.clone();
        fault.map_or(Ok(()), Err)
    }

    /// What a new connection speaks.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().config)
    }

    /// Where the certificate and its key are.
    pub(crate) fn files(&self) -> &TlsFiles {
        &self.files
    }

    /// The certificate in force at this time.
    pub(crate) fn state(&self, now_s: i64) -> CertificateState {
        let current = self.current.load();
        let not_taken = self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fault = current
            .fault_at(now_s)
            .or_else(|| not_taken.map(|why| format!("the new certificate is not in force: {why}")));
        CertificateState { ends_s: current.ends_s, fault }
    }
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let refused = |error| format!("`{}` has no usable certificate: {error}", file.display());
    let chain = CertificateDer::pem_file_iter(file).map_err(refused)?;
    chain.collect::<Result<_, _>>().map_err(refused)
}

fn no_certificate(file: &Path) -> String {
    format!("`{}` has no certificate; expected PEM", file.display())
}
