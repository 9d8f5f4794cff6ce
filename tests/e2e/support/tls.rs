//! Creates certificates of the test's own authority,
//! and connects with trust in that authority only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::DEADLINE;

/// An authority that issues certificates for this machine's loopback address.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    /// Creates an authority that writes its files into this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.join("authority.pem"), issuer.pem()).unwrap();
        Self {
            issuer,
            folder: folder.to_owned(),
        }
    }

    /// Returns the file of the authority's own certificate.
    pub(crate) fn file(&self) -> String {
        self.path("authority.pem")
    }

    /// Issues a new certificate; returns its file and the file of its key.
    pub(crate) fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> [String; 2] {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = [self.path("cert.pem"), self.path("key.pem")];
        for (file, text) in files.iter().zip([certificate.pem(), key.serialize_pem()]) {
            std::fs::write(file, text).unwrap();
        }
        files
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

/// Opens a TLS connection to an address, for this name, with trust in this authority.
pub(crate) async fn connect(
    authority: &str,
    name: &str,
    trusted: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    connect_over(TcpStream::connect(authority).await?, name, trusted).await
}

/// Secures an open connection with TLS.
pub(crate) async fn connect_over(
    stream: TcpStream,
    name: &str,
    trusted: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let trusted = CertificateDer::from_pem_file(trusted).unwrap();
    roots.add(trusted).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    tokio::time::timeout(DEADLINE, connecting)
        .await
        .expect("no handshake")
}

/// Returns the certificate of the other side.
pub(crate) fn peer_certificate(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

/// Sends exact bytes, which must ask for `connection: close`, and returns the response.
pub(crate) async fn exchange(mut stream: TlsStream<TcpStream>, request: &[u8]) -> String {
    let exchange = async {
        stream.write_all(request).await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(DEADLINE, exchange)
        .await
        .expect("no answer")
}
