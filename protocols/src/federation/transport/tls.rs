//! The real thing: TLS 1.3 by rustls, in memory, bytes in and bytes out.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ed25519_dalek::{Signer as _, SigningKey};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::sign::{CertifiedKey, Signer, SigningKey as TlsKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Connection,
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, ServerConnection,
    SignatureAlgorithm, SignatureScheme,
};

use crate::federation::rules::{Rules, Strict};
use crate::identity::{Identity, PublicKey, SecretSeed};
use crate::time::LocalTime;

use super::certificate::{Certificate, unix_time};
use super::channel::{ChannelError, Mode};
use super::provider::{ALGORITHMS, provider, with_dice};

/// The clock of one peer, as its connections see it: set before they are driven.
#[derive(Debug, Default)]
struct Clock(AtomicI64);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let now = self.0.load(Ordering::Relaxed);
        Some(unix_time(LocalTime::from_nanos(now)))
    }
}

/// What one peer needs to open and accept connections.
pub struct TlsEndpoint<R: Rules = Strict> {
    clock: Arc<Clock>,
    client: ClientConfig,
    server: Arc<ServerConfig>,
    chain: Chain<R>,
}

impl<R: Rules> fmt::Debug for TlsEndpoint<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsEndpoint")
    }
}

impl<R: Rules> TlsEndpoint<R> {
    /// The endpoint of whoever holds `seed` and this certificate for its key, and who believes
    /// these roots.
    ///
    /// # Panics
    /// If a root is not a certificate.
    pub fn new(
        seed: &SecretSeed,
        certificate: &Certificate,
        roots: &[Certificate],
        mode: Mode,
    ) -> Self {
        let mut store = RootCertStore::empty();
        for root in roots {
            let added = store.add(root.0.clone());
            added.expect("BUG: a root that is no certificate");
        }
        let chain = Chain {
            roots: Arc::new(store),
            expected: None,
            asks_client: mode == Mode::Mutual,
            rules: PhantomData,
        };
        let (clock, provider) = (Arc::new(Clock::default()), provider());
        let certified = Arc::new(certified(seed, certificate));
        Self {
            client: client_config(&provider, &clock, &chain, certified.clone()),
            server: Arc::new(server_config(&provider, &clock, &chain, certified)),
            clock,
            chain,
        }
    }

    /// Begins a connection to whoever holds the key of `expected`, or to anybody.
    pub(super) fn connect(&self, dice: [u8; 32], expected: Option<Identity>) -> TlsChannel {
        let mut config = self.client.clone();
        let chain = Chain {
            expected,
            ..self.chain.clone()
        };
        config.dangerous().set_certificate_verifier(Arc::new(chain));
        let name = ServerName::try_from("peer.fedsim").expect("a name");
        let mut dice = ChaCha8Rng::from_seed(dice);
        let connection = with_dice(&mut dice, || {
            ClientConnection::new(Arc::new(config), name).expect("BUG: a configuration refused")
        });
        TlsChannel {
            connection: Connection::Client(connection),
            clock: self.clock.clone(),
            dice,
            opened: Vec::new(),
        }
    }

    /// Waits for a connection.
    pub(super) fn accept(&self, dice: [u8; 32]) -> TlsChannel {
        let mut dice = ChaCha8Rng::from_seed(dice);
        let connection = with_dice(&mut dice, || {
            ServerConnection::new(self.server.clone()).expect("BUG: a configuration refused")
        });
        TlsChannel {
            connection: Connection::Server(connection),
            clock: self.clock.clone(),
            dice,
            opened: Vec::new(),
        }
    }
}

fn client_config<R: Rules>(
    provider: &Arc<CryptoProvider>,
    clock: &Arc<Clock>,
    chain: &Chain<R>,
    certified: Arc<CertifiedKey>,
) -> ClientConfig {
    let builder = ClientConfig::builder_with_details(provider.clone(), clock.clone())
        .with_protocol_versions(&[&TLS13])
        .expect("BUG: the provider has no TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(chain.clone()));
    let mut config = match chain.asks_client {
        true => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified))),
        false => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    config
}

fn server_config<R: Rules>(
    provider: &Arc<CryptoProvider>,
    clock: &Arc<Clock>,
    chain: &Chain<R>,
    certified: Arc<CertifiedKey>,
) -> ServerConfig {
    let mut config = ServerConfig::builder_with_details(provider.clone(), clock.clone())
        .with_protocol_versions(&[&TLS13])
        .expect("BUG: the provider has no TLS 1.3")
        .with_client_cert_verifier(Arc::new(chain.clone()))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config
}

/// One connection.
pub(super) struct TlsChannel {
    connection: Connection,
    clock: Arc<Clock>,
    dice: ChaCha8Rng,
    opened: Vec<u8>,
}

impl TlsChannel {
    /// Takes bytes from the other side.
    pub(super) fn on_bytes(
        &mut self,
        mut bytes: &[u8],
        now: LocalTime,
    ) -> Result<(), ChannelError> {
        self.clock.0.store(now.as_nanos(), Ordering::Relaxed);
        let (connection, opened) = (&mut self.connection, &mut self.opened);
        with_dice(&mut self.dice, || {
            while !bytes.is_empty() {
                let taken = connection.read_tls(&mut bytes);
                taken.map_err(|_| ChannelError::Malformed)?;
                let state = connection.process_new_packets().map_err(error)?;
                let mut plain = vec![0; state.plaintext_bytes_to_read()];
                let read = connection.reader().read_exact(&mut plain);
                read.expect("BUG: less to read than was counted");
                opened.extend(plain);
            }
            Ok(())
        })
    }

    /// Bytes for the other side, if there are any.
    pub(super) fn take_bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.connection.wants_write() {
            let written = self.connection.write_tls(&mut bytes);
            written.expect("writing to memory does not fail");
        }
        bytes
    }

    /// Seals bytes of ours.
    pub(super) fn write(&mut self, plain: &[u8]) {
        // Without a limit the buffer takes whatever it is given.
        self.connection.set_buffer_limit(None);
        let written = self.connection.writer().write_all(plain);
        written.expect("writing to memory does not fail");
    }

    /// Bytes of the other side, opened.
    pub(super) fn read(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.opened)
    }

    pub(super) fn is_established(&self) -> bool {
        !self.connection.is_handshaking()
    }

    /// The key that the other side proved to hold.
    pub(super) fn peer(&self) -> Option<PublicKey> {
        let certificate = self.connection.peer_certificates()?.first()?;
        key_of(certificate)
    }
}

fn key_of(certificate: &CertificateDer<'_>) -> Option<PublicKey> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let info = parsed.subject_public_key_info();
    let key = info.last_chunk::<32>()?;
    Some(PublicKey(*key))
}

/// What went wrong, in the words that both kinds of transport share.
fn error(error: Error) -> ChannelError {
    match error {
        Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                ChannelError::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ChannelError::NotYetValid
            }
            CertificateError::UnknownIssuer => ChannelError::UnknownIssuer,
            CertificateError::ApplicationVerificationFailure => ChannelError::Impostor,
            CertificateError::BadSignature => ChannelError::Unproven,
            _ => ChannelError::BadCertificate,
        },
        Error::NoCertificatesPresented => ChannelError::NoCertificate,
        Error::AlertReceived(AlertDescription::CloseNotify) => ChannelError::Closed,
        Error::AlertReceived(_) => ChannelError::Refused,
        _ => ChannelError::Malformed,
    }
}

/// The check of certificates on both sides: signed by a root that we believe, valid now, and of
/// the key that we look for.
#[derive(Clone, Debug)]
struct Chain<R: Rules> {
    roots: Arc<RootCertStore>,
    expected: Option<Identity>,
    asks_client: bool,
    rules: PhantomData<R>,
}

impl<R: Rules> Chain<R> {
    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let checked = verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            between,
            now,
            ALGORITHMS.all,
        )
        .map_err(unknown_if_badly_signed);
        if !R::certificate_holds(checked.is_ok()) {
            return checked;
        }
        let key = key_of(certificate).ok_or(CertificateError::BadEncoding)?;
        let is_expected = self
            .expected
            .is_none_or(|expected| key.identity() == expected);
        match R::is_expected_peer(is_expected) {
            true => Ok(()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }
}

/// A certificate that bears the name of our root and not its signature is of another root.
fn unknown_if_badly_signed(error: Error) -> Error {
    match error {
        Error::InvalidCertificate(CertificateError::BadSignature) => {
            CertificateError::UnknownIssuer.into()
        }
        error => error,
    }
}

impl<R: Rules> ServerCertVerifier for Chain<R> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(certificate, between, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &ALGORITHMS)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &ALGORITHMS)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

impl<R: Rules> ClientCertVerifier for Chain<R> {
    fn offer_client_auth(&self) -> bool {
        self.asks_client
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(certificate, between, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &ALGORITHMS)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &ALGORITHMS)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// A peer's certificate with the key that proves it.
fn certified(seed: &SecretSeed, certificate: &Certificate) -> CertifiedKey {
    let key = Arc::new(SecretKey(SigningKey::from_bytes(&seed.0)));
    CertifiedKey::new(vec![certificate.0.clone()], key)
}

#[derive(Clone)]
struct SecretKey(SigningKey);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("secret")
    }
}

impl TlsKey for SecretKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let is_offered = offered.contains(&SignatureScheme::ED25519);
        is_offered.then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for SecretKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}
