//! Who a peer is: its ed25519 public key. Keys, signatures, and the two schemes that make them.
//!
//! A machine never holds a secret. It signs and verifies through the [`Keys`] that the driver lends
//! it, which sign for their owner alone and count what they did, for the CPU cost model. Nothing
//! here lets a caller sign for a key whose [`SecretSeed`] he was not given.

use std::fmt;
use std::sync::{Arc, OnceLock};

use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use crate::fold::{Fold, Folder};
use crate::signed::{Signable, Signed};

/// An ed25519 public key (RFC 8032).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct PublicKey(pub [u8; 32]);

/// What a peer *is*: the BLAKE3 hash of its public key. Nicknames are display only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Identity(pub [u8; 32]);

/// 64 bytes that only the key's holder can make for a given content.
#[derive(Clone, Copy, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Signature(pub [u8; 64]);

impl PublicKey {
    /// The identity that this key stands for.
    pub fn identity(&self) -> Identity {
        Identity(*blake3::hash(&self.0).as_bytes())
    }
}

fn short_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes[..4]
        .iter()
        .try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("key:")?;
        short_hex(&self.0, f)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("id:")?;
        short_hex(&self.0, f)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sig:")?;
        short_hex(&self.0, f)
    }
}

impl Fold for PublicKey {
    fn fold(&self, into: &mut Folder) {
        into.bytes(&self.0);
    }
}

impl Fold for Identity {
    fn fold(&self, into: &mut Folder) {
        into.bytes(&self.0);
    }
}

/// The 32 secret bytes of one key. Whoever holds it is the peer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretSeed(pub [u8; 32]);

impl fmt::Debug for SecretSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("secret")
    }
}

/// How signatures of a run are made and checked. Both kinds are 64 bytes and cover everything.
#[derive(Clone)]
pub struct KeyScheme(Scheme);

#[derive(Clone)]
enum Scheme {
    Ed25519,
    /// As ed25519, each receiver for itself.
    Ed25519PerReceiver,
    /// A keyed BLAKE3 tag; the oracle's secret derives every key's tag secret.
    Ideal {
        oracle: [u8; 32],
    },
}

impl fmt::Debug for KeyScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Scheme::Ed25519 => "ed25519",
            Scheme::Ed25519PerReceiver => "ed25519-per-receiver",
            Scheme::Ideal { .. } => "ideal",
        })
    }
}

impl KeyScheme {
    /// Real ed25519 signatures, accepted by `verify_strict` and nothing else.
    pub fn ed25519() -> Self {
        Self(Scheme::Ed25519)
    }

    /// As [`KeyScheme::ed25519`], but computed anew by every receiver: what sharing a verdict saves.
    pub fn ed25519_per_receiver() -> Self {
        Self(Scheme::Ed25519PerReceiver)
    }

    /// Whether receivers of one signed content may share its verdict.
    pub(crate) fn shares_verdicts(&self) -> bool {
        match self.0 {
            Scheme::Ed25519 | Scheme::Ideal { .. } => true,
            Scheme::Ed25519PerReceiver => false,
        }
    }

    /// Tags that are unforgeable within the run for whoever does not hold `oracle`.
    pub fn ideal(oracle: [u8; 32]) -> Self {
        Self(Scheme::Ideal { oracle })
    }

    /// The oracle's secret of ideal signatures, without which nobody can check one.
    pub fn oracle(&self) -> Option<[u8; 32]> {
        match self.0 {
            Scheme::Ed25519 | Scheme::Ed25519PerReceiver => None,
            Scheme::Ideal { oracle } => Some(oracle),
        }
    }

    /// What makes the ideal tags of a key; zeros where signatures are real.
    fn tag_secret(&self, public: &PublicKey) -> [u8; 32] {
        match &self.0 {
            Scheme::Ed25519 | Scheme::Ed25519PerReceiver => [0; 32],
            Scheme::Ideal { oracle } => *blake3::keyed_hash(oracle, &public.0).as_bytes(),
        }
    }

    /// Whether what was signed here and not touched since needs no look: the oracle made the tag.
    fn knows_its_own(&self) -> bool {
        match self.0 {
            Scheme::Ed25519 | Scheme::Ed25519PerReceiver => false,
            Scheme::Ideal { .. } => true,
        }
    }

    fn sign(&self, pair: &Pair, bytes: &[u8]) -> Signature {
        match &self.0 {
            Scheme::Ed25519 | Scheme::Ed25519PerReceiver => {
                Signature(pair.key.sign(bytes).to_bytes())
            }
            Scheme::Ideal { .. } => tag(&pair.tag_secret, bytes),
        }
    }

    /// Whether `signature` was made over `bytes` by the holder of `signer`.
    pub fn accepts(&self, signer: &PublicKey, bytes: &[u8], signature: &Signature) -> bool {
        match &self.0 {
            Scheme::Ed25519 | Scheme::Ed25519PerReceiver => VerifyingKey::from_bytes(&signer.0)
                .is_ok_and(|key| {
                    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
                    key.verify_strict(bytes, &signature).is_ok()
                }),
            Scheme::Ideal { .. } => tag(&self.tag_secret(signer), bytes) == *signature,
        }
    }
}

fn tag(secret: &[u8; 32], bytes: &[u8]) -> Signature {
    let mut hasher = blake3::Hasher::new_keyed(secret);
    hasher.update(bytes);
    let mut signature = [0; 64];
    hasher.finalize_xof().fill(&mut signature);
    Signature(signature)
}

struct Pair {
    key: SigningKey,
    public: PublicKey,
    tag_secret: [u8; 32],
}

/// One owner's means to sign for itself and to verify anybody; made lazily, shared cheaply.
///
/// Making the key pair costs about 15 us, so it waits for the first use.
#[derive(Clone)]
pub struct Keys {
    scheme: KeyScheme,
    seed: SecretSeed,
    pair: Arc<OnceLock<Pair>>,
    /// The owner's other keys.
    others: Vec<Keys>,
    signed: u32,
    verified: u32,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({:?})", self.scheme)
    }
}

impl Keys {
    /// The keys of whoever holds `seed`.
    pub fn new(scheme: KeyScheme, seed: SecretSeed) -> Self {
        Self {
            scheme,
            seed,
            pair: Arc::default(),
            others: Vec::new(),
            signed: 0,
            verified: 0,
        }
    }

    fn pair(&self) -> &Pair {
        self.pair.get_or_init(|| {
            let key = SigningKey::from_bytes(&self.seed.0);
            let public = PublicKey(key.verifying_key().to_bytes());
            Pair {
                tag_secret: self.scheme.tag_secret(&public),
                key,
                public,
            }
        })
    }

    /// The same, for an owner who may take up one of `others` as well.
    pub fn with_others(self, others: Vec<Keys>) -> Self {
        Self { others, ..self }
    }

    /// Whether the owner has other keys.
    pub fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// Signs with the owner's key `public` from now on; not if that is none of the owner's.
    pub fn take_up(&mut self, public: PublicKey) {
        let wanted = self.others.iter_mut().find(|it| it.public() == public);
        if let Some(wanted) = wanted {
            std::mem::swap(&mut self.seed, &mut wanted.seed);
            std::mem::swap(&mut self.pair, &mut wanted.pair);
        }
    }

    /// The owner's public key.
    pub fn public(&self) -> PublicKey {
        self.pair().public
    }

    /// The owner's identity.
    pub fn identity(&self) -> Identity {
        self.public().identity()
    }

    /// Signs `content` as the owner.
    pub fn sign<T: Signable>(&mut self, content: T) -> Signed<T> {
        self.signed += 1;
        let pair = self.pair();
        let signature = self.scheme.sign(pair, &content.signing_bytes());
        let signed = Signed::from_parts(content, pair.public, signature);
        if self.scheme.knows_its_own() {
            signed.vouch();
        }
        signed
    }

    /// Whether the named signer really signed this content.
    ///
    /// Computed once per signed content and shared by all who hold it; counted at every call,
    /// since in virtual time each receiver pays for his own check.
    pub fn verify<T: Signable>(&mut self, signed: &Signed<T>) -> bool {
        self.verified += 1;
        signed.verdict(&self.scheme)
    }

    /// Signatures made and verifications asked for since the last call.
    pub fn take_counts(&mut self) -> (u32, u32) {
        (
            std::mem::take(&mut self.signed),
            std::mem::take(&mut self.verified),
        )
    }
}
