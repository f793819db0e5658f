//! The cryptography of TLS from pure Rust crates, with dice that belong to the run.
//!
//! One suite (`TLS_CHACHA20_POLY1305_SHA256`), one key exchange group (X25519), one signature scheme
//! (ed25519), so that nothing is negotiated and every byte follows from the seeds. No entropy or
//! clock of the machine: rustls asks for randomness through `'static` objects without context, so
//! the dice of the connection that is being driven lie on this thread while it is driven
//! ([`with_dice`]), and at no other time; without them every draw fails.

use std::cell::RefCell;
use std::sync::Arc;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use ed25519_dalek::VerifyingKey;
use hmac::{Hmac as HmacOf, Mac};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, MessageDecrypter, MessageEncrypter,
    Nonce, OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, Tls13AeadAlgorithm,
    UnsupportedOperationError, make_tls13_aad,
};
use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use rustls::crypto::hmac::{Hmac, Key, Tag};
use rustls::crypto::tls13::HkdfUsingHmac;
use rustls::crypto::{
    ActiveKeyExchange, CipherSuiteCommon, CryptoProvider, GetRandomFailed, KeyProvider,
    SecureRandom, SharedSecret, SupportedKxGroup, WebPkiSupportedAlgorithms,
};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm, alg_id,
};
use rustls::sign::SigningKey;
use rustls::{
    CipherSuite, ConnectionTrafficSecrets, ContentType, Error, NamedGroup, PeerMisbehaved,
    ProtocolVersion, SignatureScheme, SupportedCipherSuite, Tls13CipherSuite,
};
use sha2::{Digest as _, Sha256};

thread_local! {
    static DICE: RefCell<Option<ChaCha8Rng>> = const { RefCell::new(None) };
}

/// Runs `work` with `dice` as the only source of randomness, and takes them back.
pub(super) fn with_dice<T>(dice: &mut ChaCha8Rng, work: impl FnOnce() -> T) -> T {
    DICE.with_borrow_mut(|slot| *slot = Some(dice.clone()));
    let result = work();
    if let Some(used) = DICE.take() {
        *dice = used;
    }
    result
}

#[derive(Debug)]
struct Dice;

impl SecureRandom for Dice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        DICE.with_borrow_mut(|slot| {
            let dice = slot.as_mut().ok_or(GetRandomFailed)?;
            dice.fill_bytes(bytes);
            Ok(())
        })
    }
}

/// The provider of every connection of every run; it holds no state.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![SupportedCipherSuite::Tls13(&SUITE)],
        kx_groups: vec![&X25519],
        signature_verification_algorithms: ALGORITHMS,
        secure_random: &Dice,
        key_provider: &NoKeyFiles,
    })
}

static SUITE: Tls13CipherSuite = Tls13CipherSuite {
    common: CipherSuiteCommon {
        suite: CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        hash_provider: &Sha,
        confidentiality_limit: u64::MAX,
    },
    hkdf_provider: &HkdfUsingHmac(&HmacSha),
    aead_alg: &Aead,
    quic: None,
};

/// What signatures of certificates and handshakes are checked by.
pub(super) static ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[&Ed25519],
    mapping: &[(SignatureScheme::ED25519, &[&Ed25519])],
};

/// Keys are given as values; nobody reads them from files.
#[derive(Debug)]
struct NoKeyFiles;

impl KeyProvider for NoKeyFiles {
    fn load_private_key(&self, _key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("keys are not read from files".to_owned()))
    }
}

#[derive(Debug)]
struct Ed25519;

impl SignatureVerificationAlgorithm for Ed25519 {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = key.try_into().map_err(|_| InvalidSignature)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| InvalidSignature)?;
        let signature = signature.try_into().map_err(|_| InvalidSignature)?;
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        key.verify_strict(message, &signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ED25519
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ED25519
    }
}

#[derive(Debug)]
struct X25519;

impl SupportedKxGroup for X25519 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut secret = [0; 32];
        Dice.fill(&mut secret)?;
        let public = x25519_dalek::x25519(secret, x25519_dalek::X25519_BASEPOINT_BYTES);
        Ok(Box::new(Exchange { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

struct Exchange {
    secret: [u8; 32],
    public: [u8; 32],
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let invalid = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);
        let peer: [u8; 32] = peer.try_into().map_err(|_| invalid.clone())?;
        let shared = x25519_dalek::x25519(self.secret, peer);
        // A point of small order would make the secret known to all (RFC 7748, section 6.1).
        match shared == [0; 32] {
            true => Err(invalid),
            false => Ok(SharedSecret::from(&shared[..])),
        }
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

struct Sha;

impl Hash for Sha {
    fn start(&self) -> Box<dyn Context> {
        Box::new(Running(Sha256::new()))
    }

    fn hash(&self, data: &[u8]) -> Output {
        Output::new(&Sha256::digest(data))
    }

    fn output_len(&self) -> usize {
        32
    }

    fn algorithm(&self) -> HashAlgorithm {
        HashAlgorithm::SHA256
    }
}

struct Running(Sha256);

impl Context for Running {
    fn fork_finish(&self) -> Output {
        Output::new(&self.0.clone().finalize())
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self(self.0.clone()))
    }

    fn finish(self: Box<Self>) -> Output {
        Output::new(&self.0.finalize())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
}

struct HmacSha;

impl Hmac for HmacSha {
    fn with_key(&self, key: &[u8]) -> Box<dyn Key> {
        let keyed = <HmacOf<Sha256> as hmac::KeyInit>::new_from_slice(key);
        Box::new(Keyed(keyed.expect("HMAC takes keys of any length")))
    }

    fn hash_output_len(&self) -> usize {
        32
    }
}

struct Keyed(HmacOf<Sha256>);

impl Key for Keyed {
    fn sign_concat(&self, first: &[u8], middle: &[&[u8]], last: &[u8]) -> Tag {
        let mut running = self.0.clone();
        running.update(first);
        middle.iter().for_each(|part| running.update(part));
        running.update(last);
        Tag::new(&running.finalize().into_bytes())
    }

    fn tag_len(&self) -> usize {
        32
    }
}

/// Bytes that Poly1305 adds.
const TAG: usize = 16;

struct Aead;

impl Tls13AeadAlgorithm for Aead {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(Sealer::new(&key, iv))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        Box::new(Sealer::new(&key, iv))
    }

    fn key_len(&self) -> usize {
        32
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Ok(ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv })
    }
}

struct Sealer {
    cipher: ChaCha20Poly1305,
    iv: Iv,
}

impl Sealer {
    fn new(key: &AeadKey, iv: Iv) -> Self {
        let cipher = ChaCha20Poly1305::new_from_slice(key.as_ref());
        Self {
            cipher: cipher.expect("BUG: a key of another length than asked for"),
            iv,
        }
    }

    fn nonce(&self, seq: u64) -> chacha20poly1305::Nonce {
        chacha20poly1305::Nonce::from(Nonce::new(&self.iv, seq).0)
    }
}

impl MessageEncrypter for Sealer {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let length = self.encrypted_payload_len(message.payload.len());
        let mut payload = PrefixedPayload::with_capacity(length);
        payload.extend_from_chunks(&message.payload);
        payload.extend_from_slice(&[u8::from(message.typ)]);
        let (nonce, aad) = (self.nonce(seq), make_tls13_aad(length));
        let tag = self
            .cipher
            .encrypt_inout_detached(&nonce, &aad, payload.as_mut().into());
        let tag = tag.map_err(|_| Error::EncryptError)?;
        payload.extend_from_slice(&tag);
        Ok(OutboundOpaqueMessage::new(
            ContentType::ApplicationData,
            ProtocolVersion::TLSv1_2,
            payload,
        ))
    }

    fn encrypted_payload_len(&self, payload: usize) -> usize {
        payload + 1 + TAG
    }
}

impl MessageDecrypter for Sealer {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        seq: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let payload = &mut message.payload;
        let plain = payload.len().checked_sub(TAG).ok_or(Error::DecryptError)?;
        let (nonce, aad) = (self.nonce(seq), make_tls13_aad(payload.len()));
        let (text, tag) = payload.split_at_mut(plain);
        let tag = chacha20poly1305::Tag::try_from(&*tag).map_err(|_| Error::DecryptError)?;
        self.cipher
            .decrypt_inout_detached(&nonce, &aad, text.into(), &tag)
            .map_err(|_| Error::DecryptError)?;
        payload.truncate(plain);
        message.into_tls13_unpadded_message()
    }
}
