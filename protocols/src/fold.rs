//! The fast hash under the run digest, and what a value feeds into it.
//!
//! A [`Folder`] absorbs integers in an order fixed by hand-written [`Fold`] impls, so that the hash
//! is the same on every platform and compiler; `derive(Hash)` promises neither. Signatures are left
//! out everywhere: a run must have one digest whether they are real or ideal. It is not
//! cryptographic; the engine closes the folds of all peers with BLAKE3.

use std::sync::Arc;

const K0: u64 = 0x9e37_79b9_7f4a_7c15;
const K1: u64 = 0xd1b5_4a32_d192_ed03;
const K2: u64 = 0x8ebc_6af0_9c88_c6e3;

/// A 128-bit running hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Folder {
    low: u64,
    high: u64,
}

impl Default for Folder {
    fn default() -> Self {
        Self { low: K0, high: K1 }
    }
}

impl Folder {
    /// An empty hash.
    pub fn new() -> Self {
        Self::default()
    }

    /// The hash of one value alone.
    #[inline]
    pub fn of<T: Fold + ?Sized>(value: &T) -> u64 {
        let mut folder = Self::new();
        value.fold(&mut folder);
        let hash = folder.finish();
        (hash as u64) ^ ((hash >> 64) as u64)
    }

    /// Absorbs one integer.
    #[inline]
    pub fn u64(&mut self, value: u64) {
        self.pair(value, K2);
    }

    /// Absorbs two integers for the price of one.
    #[inline]
    pub fn pair(&mut self, first: u64, second: u64) {
        let wide = u128::from(self.low ^ first) * u128::from(self.high ^ second ^ K0);
        let mixed = (wide as u64) ^ ((wide >> 64) as u64);
        self.high = self.high.rotate_left(29).wrapping_add(mixed ^ first);
        self.low = mixed.wrapping_add(second).wrapping_mul(K2);
    }

    /// Absorbs a byte string with its length.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        let mut chunks = bytes.chunks_exact(16);
        for chunk in &mut chunks {
            self.pair(word(&chunk[..8]), word(&chunk[8..]));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut last = [0; 16];
            last[..rest.len()].copy_from_slice(rest);
            self.pair(word(&last[..8]), word(&last[8..]));
        }
    }

    /// The hash of all that was absorbed so far.
    #[inline]
    pub fn finish(&self) -> u128 {
        let mut end = *self;
        end.pair(K1, K0);
        (u128::from(end.high) << 64) | u128::from(end.low)
    }
}

#[inline]
fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

/// What a value feeds into the run digest: every field but signatures, in a fixed order.
///
/// Implementations take the value apart with an exhaustive pattern, so that a new field which is
/// not folded does not compile.
pub trait Fold {
    /// Feeds the value.
    fn fold(&self, into: &mut Folder);
}

macro_rules! fold_integers {
    ($($integer:ty),*) => {$(
        impl Fold for $integer {
            #[inline]
            fn fold(&self, into: &mut Folder) {
                into.u64(*self as u64);
            }
        }
    )*};
}
fold_integers!(u8, u16, u32, u64, usize, bool);

impl Fold for () {
    fn fold(&self, _into: &mut Folder) {}
}

impl Fold for u128 {
    fn fold(&self, into: &mut Folder) {
        into.pair(*self as u64, (*self >> 64) as u64);
    }
}

impl Fold for str {
    fn fold(&self, into: &mut Folder) {
        into.bytes(self.as_bytes());
    }
}

impl Fold for String {
    fn fold(&self, into: &mut Folder) {
        self.as_str().fold(into);
    }
}

impl<const N: usize> Fold for [u8; N] {
    #[inline]
    fn fold(&self, into: &mut Folder) {
        into.bytes(self);
    }
}

impl<T: Fold> Fold for [T] {
    fn fold(&self, into: &mut Folder) {
        into.u64(self.len() as u64);
        for item in self {
            item.fold(into);
        }
    }
}

impl<T: Fold> Fold for Vec<T> {
    fn fold(&self, into: &mut Folder) {
        self.as_slice().fold(into);
    }
}

impl<T: Fold + ?Sized> Fold for Arc<T> {
    fn fold(&self, into: &mut Folder) {
        (**self).fold(into);
    }
}

impl<T: Fold + ?Sized> Fold for Box<T> {
    fn fold(&self, into: &mut Folder) {
        (**self).fold(into);
    }
}

impl<T: Fold + ?Sized> Fold for &T {
    fn fold(&self, into: &mut Folder) {
        (**self).fold(into);
    }
}

impl<T: Fold> Fold for Option<T> {
    fn fold(&self, into: &mut Folder) {
        match self {
            None => into.u64(0),
            Some(value) => {
                into.u64(1);
                value.fold(into);
            }
        }
    }
}

impl<A: Fold, B: Fold> Fold for (A, B) {
    fn fold(&self, into: &mut Folder) {
        self.0.fold(into);
        self.1.fold(into);
    }
}

impl<K: Fold, V: Fold> Fold for std::collections::BTreeMap<K, V> {
    fn fold(&self, into: &mut Folder) {
        into.u64(self.len() as u64);
        for (key, value) in self {
            key.fold(into);
            value.fold(into);
        }
    }
}

/// Implements [`Fold`](crate::Fold) for a struct by folding the named fields in the order given.
///
/// The pattern is exhaustive: a field left out does not compile.
#[macro_export]
macro_rules! fold_struct {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::Fold for $name {
            fn fold(&self, into: &mut $crate::Folder) {
                let Self { $($field),* } = self;
                $($crate::Fold::fold($field, into);)*
            }
        }
    };
}

/// Implements [`Fold`](crate::Fold) for a tuple struct by folding its fields in order.
#[macro_export]
macro_rules! fold_tuple {
    ($name:ident($($field:ident),*)) => {
        impl $crate::Fold for $name {
            fn fold(&self, into: &mut $crate::Folder) {
                let Self($($field),*) = self;
                $($crate::Fold::fold($field, into);)*
            }
        }
    };
}

/// Implements [`Fold`](crate::Fold) for an enum: the given number of the variant, then its fields.
///
/// ```
/// use fedsim_protocols::fold_enum;
/// enum Shape { Dot, Line { length: u64 } }
/// fold_enum!(Shape { 0 = Dot {}, 1 = Line { length } });
/// ```
#[macro_export]
macro_rules! fold_enum {
    ($name:ident { $($number:literal = $variant:ident { $($field:ident),* }),* $(,)? }) => {
        impl $crate::Fold for $name {
            fn fold(&self, into: &mut $crate::Folder) {
                match self {
                    $(Self::$variant { $($field),* } => {
                        into.u64($number);
                        $($crate::Fold::fold($field, into);)*
                    })*
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fold_of_known_bytes_never_changes() {
        // A golden value: if it moves, every digest ever published moves with it.
        let mut folder = Folder::new();
        folder.u64(1);
        folder.bytes(b"the quick brown fox jumps");
        assert_eq!(
            folder.finish(),
            282_631_308_243_751_697_592_263_218_404_035_321_861
        );
    }

    #[test]
    fn order_and_boundaries_are_part_of_the_hash() {
        // Equal bytes in another order or cut elsewhere must not collide by construction.
        let hash = |parts: &[&str]| {
            let mut folder = Folder::new();
            parts.iter().for_each(|part| part.fold(&mut folder));
            folder.finish()
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["a", "b"]), hash(&["b", "a"]));
        assert_ne!(hash(&["a"]), hash(&["a", ""]));
    }
}
