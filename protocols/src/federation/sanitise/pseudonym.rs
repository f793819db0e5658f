//! Pseudonyms: names for values that say nothing about them.
//!
//! One value has one pseudonym between two organisations, so that the receiver can count and join;
//! another pair has another one, so that receivers cannot join with each other; and without the
//! sender's key a pseudonym is noise, so that nobody can try values out.

use crate::federation::kind::Kind;

/// The letters of pseudonyms: consonants, which spell no word, no number and no secret.
const LETTERS: &[u8; 16] = b"bcdfghjklmnprstv";

/// Letters of a pseudonym: 80 bits, so that no two of fewer than about 2^40 values meet by chance.
const LENGTH: usize = 20;

/// The key of the pseudonyms that one organisation uses towards another one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PairKey([u8; 32]);

impl std::fmt::Debug for PairKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PairKey")
    }
}

impl PairKey {
    /// The key that `from`, who alone knows `secret`, uses towards `to`: an organisation, or a
    /// roster that decides together. Both are named by whatever bytes name them for good.
    pub fn new(secret: &[u8; 32], from: &[u8], to: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(secret);
        hasher.update(b"fedsim/pseudonym/v1");
        for party in [from, to] {
            hasher.update(&(party.len() as u64).to_le_bytes());
            hasher.update(party);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// The pseudonym of a value: of how it is usually written, not of how it happens to be.
    pub fn pseudonym(&self, kind: Kind, value: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(kind.name().as_bytes());
        hasher.update(&[0]);
        let mut utf8 = [0; 4];
        value
            .chars()
            .filter(|c| is_of_value(kind, *c))
            .for_each(|c| {
                for lower in c.to_lowercase() {
                    hasher.update(lower.encode_utf8(&mut utf8).as_bytes());
                }
            });
        let hash = hasher.finalize();
        let nibbles = hash
            .as_bytes()
            .iter()
            .flat_map(|byte| [byte & 15, byte >> 4]);
        let letters = nibbles.take(LENGTH);
        letters
            .map(|nibble| char::from(LETTERS[usize::from(nibble)]))
            .collect()
    }
}

/// Whether a character belongs to a value, or only to how it was written.
fn is_of_value(kind: Kind, character: char) -> bool {
    match kind {
        Kind::CreditCard | Kind::Ssn | Kind::Phone => character.is_ascii_digit(),
        Kind::Name | Kind::PostalAddress => character.is_alphanumeric(),
        _ => !character.is_whitespace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_stable_within_a_pair_and_differ_between_pairs_kinds_and_values() {
        // Stable: the receiver can join. Distinct: no two values collapse into one token, which
        // is the defect of a truncated prefix. Between pairs: two receivers cannot join.
        let to_globex = PairKey::new(&[1; 32], b"acme", b"globex");
        let pairs = [
            to_globex,
            PairKey::new(&[1; 32], b"acme", b"initech"),
            PairKey::new(&[1; 32], b"acm", b"eglobex"),
            PairKey::new(&[2; 32], b"acme", b"globex"),
        ];
        let mut all: Vec<String> = pairs
            .iter()
            .map(|pair| pair.pseudonym(Kind::Email, "alice@example.com"))
            .collect();
        all.push(to_globex.pseudonym(Kind::Name, "alice@example.com"));
        all.extend((0..10_000).map(|n| to_globex.pseudonym(Kind::Email, &format!("a{n}@b.org"))));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        let again = PairKey::new(&[1; 32], b"acme", b"globex");
        assert_eq!(
            again.pseudonym(Kind::Phone, "(555) 867-5309"),
            to_globex.pseudonym(Kind::Phone, "555.867.5309"),
        );
        assert_eq!(
            again.pseudonym(Kind::Email, "Alice@Example.com"),
            to_globex.pseudonym(Kind::Email, "alice@example.com"),
        );
    }
}
