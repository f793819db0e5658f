//! Certificates: an organisation's root key says, in X.509, that a key is of its members.
//!
//! Always of the same size, so that the modelled transport knows what a real one would weigh. Dates
//! count from [`EPOCH_SECS`], the moment at which every clock of a run reads zero.

use ed25519_dalek::{Signer as _, SigningKey};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyUsagePurpose, PKCS_ED25519, PublicKeyData, SerialNumber,
    SignatureAlgorithm, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, UnixTime};

use crate::federation::terms::Organisation;
use crate::identity::{PublicKey, SecretSeed};
use crate::time::LocalTime;

/// 2030-01-01 in seconds since 1970: what a clock that reads zero means to a certificate.
pub const EPOCH_SECS: u64 = 1_893_456_000;

/// From when until when a certificate is valid, in whole seconds by the reader's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Validity {
    /// First moment.
    pub from: LocalTime,
    /// Last moment.
    pub until: LocalTime,
}

impl Validity {
    /// Whether `now` is within.
    pub fn contains(&self, now: LocalTime) -> bool {
        (self.from..=self.until).contains(&now)
    }
}

/// An X.509 certificate in DER.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Certificate(pub(super) CertificateDer<'static>);

impl Certificate {
    /// Its bytes.
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}

/// The certificate of an organisation's root, signed by itself.
pub fn root_certificate(
    root: &SecretSeed,
    organisation: Organisation,
    validity: Validity,
) -> Certificate {
    let key = Pair::new(root);
    let params = root_params(&key, organisation, validity);
    let certificate = params
        .self_signed(&key)
        .expect("BUG: a root that cannot be signed");
    Certificate(certificate.der().clone())
}

/// The certificate of a member, signed by its organisation's root.
pub fn member_certificate(
    root: &SecretSeed,
    organisation: Organisation,
    member: PublicKey,
    validity: Validity,
) -> Certificate {
    let key = Pair::new(root);
    let issuer = Issuer::new(root_params(&key, organisation, validity), key);
    let member = Public(member.0);
    let mut params = params(&member.0, "fedsim member", validity);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let certificate = params.signed_by(&member, &issuer);
    let certificate = certificate.expect("BUG: a member that cannot be signed");
    Certificate(certificate.der().clone())
}

fn root_params(key: &Pair, organisation: Organisation, validity: Validity) -> CertificateParams {
    let name = format!("fedsim organisation {:05}", organisation.0);
    let mut params = params(&key.public, &name, validity);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn params(public: &[u8; 32], name: &str, validity: Validity) -> CertificateParams {
    let digest = blake3::hash(public);
    let mut serial = [0; 8];
    serial.copy_from_slice(&digest.as_bytes()[..8]);
    // A first byte from 0x40 to 0x7f is positive and needs no padding: one size for all.
    serial[0] = serial[0] & 0x3f | 0x40;
    let mut params = CertificateParams::default();
    let epoch = date_time_ymd(2030, 1, 1);
    let offset = |time| core::time::Duration::from_secs(seconds(time).max(0).unsigned_abs());
    let before = |time| core::time::Duration::from_secs(seconds(time).min(0).unsigned_abs());
    params.not_before = epoch + offset(validity.from) - before(validity.from);
    params.not_after = epoch + offset(validity.until) - before(validity.until);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_identifier_method = KeyIdMethod::PreSpecified(digest.as_bytes()[..20].to_vec());
    params
}

fn seconds(time: LocalTime) -> i64 {
    time.as_nanos().div_euclid(1_000_000_000)
}

/// What a clock's reading means to TLS.
pub(super) fn unix_time(now: LocalTime) -> UnixTime {
    let since = EPOCH_SECS.saturating_add_signed(seconds(now));
    UnixTime::since_unix_epoch(core::time::Duration::from_secs(since))
}

/// A signing key as rcgen wants it.
struct Pair {
    key: SigningKey,
    public: [u8; 32],
}

impl Pair {
    fn new(seed: &SecretSeed) -> Self {
        let key = SigningKey::from_bytes(&seed.0);
        let public = key.verifying_key().to_bytes();
        Self { key, public }
    }
}

impl PublicKeyData for Pair {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

impl rcgen::SigningKey for Pair {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.key.sign(message).to_bytes().to_vec())
    }
}

struct Public([u8; 32]);

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}
