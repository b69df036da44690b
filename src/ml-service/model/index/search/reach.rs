//! Which documents may be among the best by what a question has left.

use super::left::Left;
use super::sums::Values;
use super::{FETCHED, FINISHING, number};
use crate::model::index::signature::Signature;
use crate::model::index::{BLOCK, Index, LEVELS};

/// What a look at the signature of a document costs, in postings.
const LOOKING: usize = 8;
/// Of how many documents is estimated what looking at all of them would cost.
const SAMPLE: usize = 128;

/// What documents reach with the sums that they have and, at most, what is left.
pub(super) struct Reach<'a> {
    index: &'a Index,
    left: &'a Left,
    values: &'a Values,
    sums: &'a [f32],
    threshold: f32,
    lengths: &'a [f32],
    growth: f32,
    /// What the documents may cost that are returned: as much as it would to narrow the bound, and anything where nothing
    /// is left.
    budget: usize,
}

impl<'a> Reach<'a> {
    pub(super) fn new(
        index: &'a Index,
        left: &'a Left,
        values: &'a Values,
        sums: &'a [f32],
        threshold: f32,
    ) -> Self {
        // Where nothing is left no length matters.
        let level = left.level.min(LEVELS - 1);
        let (lengths, growth) = (index.base.lengths[level].as_slice(), index.growth[level]);
        let budget = if left.postings == 0 { usize::MAX } else { left.next };
        Self { index, left, values, sums, threshold, lengths, growth, budget }
    }

    /// The rows that may reach the threshold, each behind what it reaches at most; nothing where to find and finish them
    /// is likely to cost more than to go on.
    pub(super) fn rows(&self) -> Option<Vec<(f32, u32)>> {
        let candidates = self.candidates()?;
        let mut rows: Vec<(f32, u32)> = Vec::new();
        for some in candidates.chunks(FETCHED) {
            // From memory all at once: one after the other they would be waited for.
            let mut signatures = [Signature::default(); FETCHED];
            for (signature, &row) in signatures.iter_mut().zip(some) {
                *signature = self.index.base.signatures[row as usize];
            }
            for (signature, &row) in signatures.iter().zip(some) {
                let most = self.by_signature(signature, row as usize);
                if most > 0.0 && most >= self.threshold {
                    rows.push((most, row));
                }
            }
        }
        (candidates.len() * LOOKING + rows.len() * FINISHING <= self.budget).then_some(rows)
    }

    /// The rows that may reach it by their lengths; nothing where they are too many.
    fn candidates(&self) -> Option<Vec<u32>> {
        let blocks = self.blocks();
        if self.estimate(&blocks) > self.budget {
            return None;
        }
        let mut candidates: Vec<u32> = Vec::new();
        if let Values::Listed(listed) = self.values {
            for &(value, row) in listed {
                // Mostly what its block has at most is too little, and its own length needs no look.
                let longest = &self.index.longest[row as usize / BLOCK];
                if value + self.left.most_in(longest) >= self.threshold && self.looks(row as usize) {
                    candidates.push(row);
                }
            }
        }
        let bound = self.left.bound * self.growth;
        for block in blocks {
            let range = self.index.rows_of(block);
            // In arrays, of which compilers make vectors.
            let mut reached = [0.0_f32; BLOCK];
            let documents = self.sums[range.clone()].iter().zip(&self.lengths[range.clone()]);
            let documents = documents.zip(&self.index.inverse[range.clone()]);
            for (reached, ((sum, length), inverse)) in reached.iter_mut().zip(documents) {
                *reached = most(*sum, bound, *length, *inverse);
            }
            let reaching = range.zip(reached).filter(|&(_, reached)| reached >= self.threshold);
            candidates.extend(reaching.map(|(row, _)| row).filter(|&row| self.unlisted(row)).map(number));
            if candidates.len() * LOOKING > self.budget {
                return None;
            }
        }
        Some(candidates)
    }

    /// The blocks in which any row may reach it that is not listed.
    fn blocks(&self) -> Vec<usize> {
        let largest = |block: usize| match self.values {
            Values::Listed(_) => 0.0,
            Values::Blocks(largest) => largest[block],
        };
        let most = |block: usize| largest(block) + self.left.most_in(&self.index.longest[block]);
        (0..self.index.longest.len())
            .filter(|&block| most(block) > 0.0 && most(block) >= self.threshold)
            .collect()
    }

    /// What looking at the rows of blocks and finishing some is likely to cost: most often it is plain from a few that it
    /// is too much.
    fn estimate(&self, blocks: &[usize]) -> usize {
        let step = (blocks.len() * BLOCK).div_ceil(SAMPLE).max(1);
        let sample = (0..blocks.len() * BLOCK).step_by(step);
        let rows = sample.map(|place| blocks[place / BLOCK] * BLOCK + place % BLOCK);
        let rows = rows.filter(|&row| row < self.sums.len() && self.unlisted(row) && self.looks(row));
        let costs = rows.map(|row| {
            let most = self.by_signature(&self.index.base.signatures[row], row);
            LOOKING + if most >= self.threshold { FINISHING } else { 0 }
        });
        step * costs.sum::<usize>()
    }

    /// Whether it may reach the threshold with something of all that is left.
    fn looks(&self, row: usize) -> bool {
        let bound = self.left.bound * self.growth;
        most(self.sums[row], bound, self.lengths[row], self.index.inverse[row]) >= self.threshold
    }

    /// What it reaches with something of all that its signature tells.
    fn by_signature(&self, signature: &Signature, row: usize) -> f32 {
        let most = self.left.most_of(signature, self.lengths[row] * self.growth);
        (self.sums[row] + most) * self.index.inverse[row]
    }

    fn unlisted(&self, row: usize) -> bool {
        match self.values {
            Values::Listed(_) => self.sums[row] == 0.0,
            Values::Blocks(_) => true,
        }
    }
}

/// What a document reaches at most that has this sum, and of what is left no more than so many times its length.
fn most(sum: f32, bound: f32, length: f32, inverse: f32) -> f32 {
    (sum + bound * length) * inverse
}
