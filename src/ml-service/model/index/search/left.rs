//! What a question has left when some of its terms are added up, and what documents can get of it.

use super::{ROUNDING, Term};
use crate::model::index::signature::{Signature, WORDS};
use crate::model::index::{LEVELS, rounded};

/// What is not added up yet.
pub(super) struct Left {
    /// That of the set of terms which it is.
    pub(super) level: usize,
    /// How many postings.
    pub(super) postings: usize,
    /// How many of them are those that would be added up next.
    pub(super) next: usize,
    /// No document gets more than so many times its length in these terms.
    pub(super) bound: f32,
    /// By the bits of signatures what their terms contribute: to the square of that, and for a count of one.
    parts: [[(f32, f32); 32]; WORDS],
    /// The bits that have any.
    bits: [u32; WORDS],
}

impl Left {
    pub(super) fn new<'a>(
        level: usize,
        postings: usize,
        next: usize,
        inverse: f64,
        terms: impl Iterator<Item = &'a Term>,
    ) -> Self {
        let (mut parts, mut bits, mut square) = ([[(0.0, 0.0); 32]; WORDS], [0; WORDS], 0.0);
        for term in terms {
            let (word, bit) = Signature::place(term.number);
            let weight = term.weight * inverse;
            let (squares, sum) = &mut parts[word][bit as usize];
            *squares += rounded(weight * weight);
            *sum += rounded(weight * term.idf);
            bits[word] |= 1 << bit;
            square += weight * weight;
        }
        Self { level, postings, next, bound: rounded(square.sqrt()) * (1.0 + ROUNDING), parts, bits }
    }

    /// No document of a block gets more, where these are the longest in it.
    pub(super) fn most_in(&self, longest: &[f32; LEVELS]) -> f32 {
        longest.get(self.level).map_or(0.0, |length| self.bound * length)
    }

    /// No document of that signature and length in these terms gets more, before scaling.
    pub(super) fn most_of(&self, signature: &Signature, length: f32) -> f32 {
        let (mut square, mut sum) = (0.0, 0.0);
        for ((parts, bits), those) in self.parts.iter().zip(self.bits).zip(signature.bits) {
            let mut shared = bits & those;
            while shared != 0 {
                let part = parts[shared.trailing_zeros() as usize];
                (square, sum) = (square + part.0, sum + part.1);
                shared &= shared - 1;
            }
        }
        (square.sqrt() * length).min(sum * signature.most) * (1.0 + ROUNDING)
    }
}
