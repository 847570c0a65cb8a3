//! The client's side of a connection, in the clear or by TLS, whose certificate is made when the first warehouse starts.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::{Arc, OnceLock},
};

use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivatePkcs8KeyDer};

/// What a client speaks.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// What the stand-in proves itself by.
#[derive(Debug)]
pub(super) struct Identity {
    /// In PEM: the certificate is its own authority.
    pub(super) certificate: String,
    config: Arc<ServerConfig>,
}

/// The same for all warehouses of this process.
pub(super) fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        // Without `localhost`: a client that asks for that one has to notice.
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions that ring knows");
        let chain = vec![made.cert.der().clone()];
        let config = builder.with_no_client_auth().with_single_cert(chain, key.into()).expect("a key that fits");
        Identity { certificate: made.cert.pem(), config: Arc::new(config) }
    })
}

impl Stream {
    /// The same from now on by TLS.
    pub(super) fn secured(self) -> io::Result<Self> {
        let Self::Plain(tcp) = self else { return Err(io::ErrorKind::InvalidData.into()) };
        let server = ServerConnection::new(Arc::clone(&identity().config)).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(server, tcp))))
    }

    /// What is beneath.
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(into),
            Self::Tls(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
