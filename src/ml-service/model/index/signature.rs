//! Which frequent terms a document has, in a few bits.

use super::rounded_up;

/// How many words of 32 bits there are for each document.
pub(super) const WORDS: usize = 3;

/// Which frequent terms a document has, by superimposed coding: each sets one of a few bits, so that one which it has
/// not may seem to be there, but none that it has is missed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signature {
    pub(super) bits: [u32; WORDS],
    /// The largest factor of their counts.
    pub(super) most: f32,
}

impl Signature {
    /// The word and the bit in it that stand for a term.
    pub(super) fn place(term: u32) -> (usize, u32) {
        let hash = u64::from(term.wrapping_mul(0x9e37_79b1));
        let place = (hash * (32 * WORDS as u64)) >> 32;
        ((place / 32) as usize, (place % 32) as u32)
    }

    pub(super) fn add(&mut self, term: u32, factor: f64) {
        let (word, bit) = Self::place(term);
        self.bits[word] |= 1 << bit;
        self.most = self.most.max(rounded_up(factor));
    }
}
