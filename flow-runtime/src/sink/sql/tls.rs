//! TLS for the client of a server: who answers must prove, by a certificate, that it is the host that was asked for.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::{Connect, TlsConnector, client};

use super::location::Location;
use crate::{Error, Failure, effect::disk};

const AUTHORITIES: &str = "sql.authorities";

/// What makes a connection safe.
#[derive(Clone, Debug)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Believes those in the file of the address and nobody else, as PostgreSQL's own clients do; without one, those whom the
    /// system believes.
    ///
    /// # Errors
    /// [`Error::Config`] when nobody is left to be believed, or the file cannot be read.
    pub(super) fn new(location: &Location) -> Result<Self, Error> {
        let refuse = |what: &str, cause: String| {
            let help = "name a file of certificates in PEM with sslrootcert=…";
            Error::Config(Failure::new(what).at(location.site.to_string()).cause(cause).help(help))
        };
        let mut roots = RootCertStore::empty();
        let mut cause = "this system has no certificates".to_owned();
        if let Some(path) = &location.tls.root {
            let unreadable = |cause: &dyn ToString| {
                let cause = format!("{}: {}", path.display(), cause.to_string());
                refuse("cannot read the certificates", cause)
            };
            let text = disk::read(AUTHORITIES, path).map_err(|error| unreadable(&error))?;
            for certificate in CertificateDer::pem_slice_iter(&text) {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
            cause = format!("{} has no certificates", path.display());
        } else {
            let found = disk::certificates(AUTHORITIES);
            let found = found.map_err(|error| refuse("cannot read the system's certificates", error.to_string()))?;
            roots.add_parsable_certificates(found.certs);
            // Some that cannot be read are no harm, while others can.
            found.errors.iter().for_each(|error| cause += &format!("; {error}"));
        }
        if roots.is_empty() {
            return Err(refuse("no authority is believed", cause));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| refuse("cannot speak TLS", error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Stream<S>;
    type TlsConnect = Connecting;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Connecting> {
        let host = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Connecting { tls: TlsConnector::from(Arc::clone(&self.0)), host })
    }
}

/// A connection to this host that is to be made safe.
pub(super) struct Connecting {
    tls: TlsConnector,
    host: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Connecting {
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Handshake<S>;

    fn connect(self, stream: S) -> Handshake<S> {
        Handshake(self.tls.connect(self.host, stream))
    }
}

/// The two ends getting to know each other.
pub(super) struct Handshake<S>(Connect<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Handshake<S> {
    type Output = io::Result<Stream<S>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_ok(Stream)
    }
}

/// A connection that is safe.
pub(super) struct Stream<S>(client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    // Redshift has no way of logging in that would be bound to it.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sink::redshift::REDSHIFT;

    #[test]
    fn whoever_names_authorities_believes_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("none.pem");
        fs::write(&file, "").unwrap();
        let address = format!("redshift://load@db/dev?sslrootcert={}", file.display());
        let location = Location::parse(&REDSHIFT, &address.parse().unwrap(), "counts", |_| None).unwrap();
        let said = Tls::new(&location).unwrap_err().to_string();
        assert!(
            said.starts_with("no authority is believed") && said.contains("none.pem has no certificates"),
            "{said}"
        );
    }
}
