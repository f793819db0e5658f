//! Content with a signature: relayed unchanged, verified once, tampered with in vain.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::ops::Deref;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold::{Fold, Folder};
use crate::identity::{KeyScheme, PublicKey, Signature};

/// Content that can be signed: canonical bytes under a domain of its own.
///
/// What makes a signature useless elsewhere (view, sequence number, roster epoch, audience) is part
/// of the content; the domain separates protocols, versions and kinds.
pub trait Signable: BorshSerialize + Fold + fmt::Debug + Send + Sync + 'static {
    /// Protocol, version and kind: `"fedsim/swim/v1/alive"`. Unique per type.
    const DOMAIN: &'static str;

    /// The bytes under the signature: domain with its length, then the canonical content.
    fn signing_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        Self::DOMAIN
            .serialize(&mut bytes)
            .and_then(|()| self.serialize(&mut bytes))
            .expect("writing to memory does not fail");
        bytes
    }
}

struct Inner<T> {
    content: T,
    signer: PublicKey,
    signature: Signature,
    verdict: Verdict,
    /// What goes into a run digest for it, once somebody has asked: everyone who is sent it does.
    folded: OnceLock<u128>,
}

/// What is known of a signature. Whoever computes it comes to the same, so a race is harmless.
#[derive(Default)]
struct Verdict(AtomicU8);

impl Verdict {
    const GOOD: u8 = 1;
    const BAD: u8 = 2;

    fn known(&self) -> Option<bool> {
        match self.0.load(Ordering::Relaxed) {
            Self::GOOD => Some(true),
            Self::BAD => Some(false),
            _ => None,
        }
    }

    fn set(&self, good: bool) {
        let verdict = if good { Self::GOOD } else { Self::BAD };
        self.0.store(verdict, Ordering::Relaxed);
    }
}

/// `content` as signed by whoever holds the key of `signer`, if the signature is right.
///
/// Cloning shares one allocation and one verdict; a tampered copy is another value and is verified
/// anew. The verdict is asked for through [`Keys::verify`](crate::Keys::verify).
pub struct Signed<T>(Arc<Inner<T>>);

impl<T> Signed<T> {
    /// Puts a claimed signature on content; nothing is checked.
    pub fn from_parts(content: T, signer: PublicKey, signature: Signature) -> Self {
        Self(Arc::new(Inner {
            content,
            signer,
            signature,
            verdict: Verdict::default(),
            folded: OnceLock::new(),
        }))
    }

    /// Who is said to have signed.
    pub fn signer(&self) -> PublicKey {
        self.0.signer
    }

    /// The signature as claimed.
    pub fn signature(&self) -> Signature {
        self.0.signature
    }

    /// The content.
    pub fn content(&self) -> &T {
        &self.0.content
    }
}

impl<T: Signable> Signed<T> {
    /// Notes that the signature is right: whoever just made it knows.
    pub(crate) fn vouch(&self) {
        self.0.verdict.set(true);
    }

    pub(crate) fn verdict(&self, scheme: &KeyScheme) -> bool {
        let inner = &*self.0;
        if let Some(known) = inner.verdict.known()
            && scheme.shares_verdicts()
        {
            return known;
        }
        let bytes = inner.content.signing_bytes();
        let good = scheme.accepts(&inner.signer, &bytes, &inner.signature);
        inner.verdict.set(good);
        good
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Signed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.content
    }
}

impl<T: PartialEq> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.signer == other.0.signer
                && self.0.signature == other.0.signature
                && self.0.content == other.0.content)
    }
}

impl<T: Eq> Eq for Signed<T> {}

impl<T: Hash> Hash for Signed<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.content.hash(state);
        self.0.signer.hash(state);
    }
}

impl<T: fmt::Debug> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} by {:?}", self.0.content, self.0.signer)
    }
}

impl<T: Fold> Fold for Signed<T> {
    fn fold(&self, into: &mut Folder) {
        let folded = *self.0.folded.get_or_init(|| {
            let mut folder = Folder::new();
            self.0.content.fold(&mut folder);
            self.0.signer.fold(&mut folder);
            folder.finish()
        });
        into.pair(folded as u64, (folded >> 64) as u64);
    }
}

impl<T: BorshSerialize> BorshSerialize for Signed<T> {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.0.content.serialize(writer)?;
        self.0.signer.serialize(writer)?;
        self.0.signature.serialize(writer)
    }
}

impl<T: BorshDeserialize> BorshDeserialize for Signed<T> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Ok(Self::from_parts(
            T::deserialize_reader(reader)?,
            PublicKey::deserialize_reader(reader)?,
            Signature::deserialize_reader(reader)?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Keys, SecretSeed};

    #[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
    struct Ballot {
        view: u64,
    }
    crate::fold_struct!(Ballot { view });
    impl Signable for Ballot {
        const DOMAIN: &'static str = "fedsim/test/v1/ballot";
    }

    #[derive(Clone, Debug, BorshSerialize)]
    struct Other {
        view: u64,
    }
    crate::fold_struct!(Other { view });
    impl Signable for Other {
        const DOMAIN: &'static str = "fedsim/test/v1/other";
    }

    fn schemes() -> [KeyScheme; 2] {
        [KeyScheme::ed25519(), KeyScheme::ideal([9; 32])]
    }

    #[test]
    fn a_signature_serves_its_signer_its_content_and_its_domain_only() {
        // Each way to move a signature elsewhere must fail, in both schemes alike.
        for scheme in schemes() {
            let mut alice = Keys::new(scheme.clone(), SecretSeed([1; 32]));
            let mut bob = Keys::new(scheme, SecretSeed([2; 32]));
            let signed = alice.sign(Ballot { view: 3 });
            assert!(bob.verify(&signed));
            let moved = [
                Signed::from_parts(Ballot { view: 4 }, alice.public(), signed.signature()),
                Signed::from_parts(Ballot { view: 3 }, bob.public(), signed.signature()),
            ];
            assert!(moved.iter().all(|forged| !bob.verify(forged)));
            let elsewhere =
                Signed::from_parts(Other { view: 3 }, alice.public(), signed.signature());
            assert!(!bob.verify(&elsewhere));
        }
    }

    #[test]
    fn real_and_ideal_keys_give_the_same_identity_and_the_same_fold() {
        // A digest must not tell which scheme a run used.
        let [real, ideal] = schemes().map(|scheme| {
            let mut keys = Keys::new(scheme, SecretSeed([5; 32]));
            let signed = keys.sign(Ballot { view: 8 });
            (keys.identity(), Folder::of(&signed), signed.signature())
        });
        assert_eq!((real.0, real.1), (ideal.0, ideal.1));
        assert_ne!(real.2, ideal.2);
    }

    #[test]
    fn a_decoded_copy_is_verified_anew() {
        // The verdict must not travel with the bytes: flipping one bit turns it.
        let mut keys = Keys::new(KeyScheme::ed25519(), SecretSeed([1; 32]));
        let signed = keys.sign(Ballot { view: 3 });
        let mut bytes = borsh::to_vec(&signed).unwrap();
        let copy: Signed<Ballot> = borsh::from_slice(&bytes).unwrap();
        assert!(keys.verify(&copy));
        bytes[0] ^= 1;
        let tampered: Signed<Ballot> = borsh::from_slice(&bytes).unwrap();
        assert!(!keys.verify(&tampered));
        assert_eq!(keys.take_counts(), (1, 2));
    }
}
