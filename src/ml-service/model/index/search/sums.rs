//! Sums by document while the terms of a question are added up: listed as long as they are few, else looked at in the
//! order of the documents, block by block.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::index::BLOCK;

/// What a look at a touched document costs, in postings.
const LISTING: usize = 2;
/// Of how many documents, looked at in their order, the sums cost as much as a posting.
const SCANNING: usize = 2;
/// Touched documents are listed until they are one in so many.
const SPARSE: usize = 4;
/// Stands for the sum of a document that was finished: nothing that is added makes it a candidate again.
pub(super) const FINISHED: f32 = f32::NEG_INFINITY;

/// What is added up so far, by row.
pub(super) struct Added<'a> {
    /// [`FINISHED`] for those that have been offered.
    pub(super) sums: &'a mut [f32],
    /// The rows with a sum, as long as they are few.
    touched: Option<Vec<u32>>,
}

impl<'a> Added<'a> {
    pub(super) fn new(sums: &'a mut [f32]) -> Self {
        Self { sums, touched: Some(Vec::new()) }
    }

    pub(super) fn add(&mut self, parts: impl ExactSizeIterator<Item = (u32, f32)>) {
        let most = self.sums.len() / SPARSE;
        if let Some(touched) = self.touched.as_mut().filter(|touched| touched.len() + parts.len() <= most) {
            // Each is written down and the place taken where it is new: half of them are, and nothing foretells which.
            let mut next = touched.len();
            touched.resize(next + parts.len(), 0);
            for (row, part) in parts {
                let sum = &mut self.sums[row as usize];
                touched[next] = row;
                next += usize::from(*sum == 0.0);
                *sum += part;
            }
            touched.truncate(next);
        } else {
            self.touched = None;
            for (row, part) in parts {
                self.sums[row as usize] += part;
            }
        }
    }

    /// What a look at all sums costs, in postings.
    pub(super) fn cost(&self) -> usize {
        self.touched.as_ref().map_or(self.sums.len() / SCANNING, |touched| LISTING * touched.len())
    }

    pub(super) fn values(&self, inverse: &[f32]) -> Values {
        let value = |&row: &u32| (self.sums[row as usize] * inverse[row as usize], row);
        if let Some(touched) = &self.touched {
            return Values::Listed(touched.iter().map(value).collect());
        }
        let blocks = self.sums.chunks(BLOCK).zip(inverse.chunks(BLOCK));
        Values::Blocks(blocks.map(|(sums, inverse)| largest(sums, inverse)).collect())
    }

    /// Leaves the sums as they were.
    pub(super) fn clear(self) {
        match self.touched {
            Some(touched) => touched.iter().for_each(|&row| self.sums[row as usize] = 0.0),
            None => self.sums.fill(0.0),
        }
    }
}

/// Where the sums times the inverse lengths are.
pub(super) enum Values {
    /// Each with its row: looked up once, since they are all over the memory.
    Listed(Vec<(f32, u32)>),
    /// The largest of each block.
    Blocks(Vec<f32>),
}

/// The wanted rows of the largest values above zero.
pub(super) struct Largest<'a, W> {
    limit: usize,
    wanted: &'a W,
    /// The smallest first. Of numbers above zero the order is that of their bits.
    best: BinaryHeap<Reverse<(u32, u32)>>,
    /// What a value must exceed to be among them.
    pub(super) worst: f32,
}

impl<'a, W: Fn(u32) -> bool> Largest<'a, W> {
    pub(super) fn new(limit: usize, wanted: &'a W) -> Self {
        Self { limit, wanted, best: BinaryHeap::with_capacity(limit + 1), worst: 0.0 }
    }

    pub(super) fn offer(&mut self, value: f32, row: u32) {
        if value > self.worst && (self.wanted)(row) {
            self.best.push(Reverse((value.to_bits(), row)));
            if self.best.len() > self.limit {
                self.best.pop();
            }
            if self.best.len() == self.limit {
                self.worst = self.best.peek().map_or(0.0, |worst| f32::from_bits(worst.0.0));
            }
        }
    }

    pub(super) fn rows(self) -> Vec<u32> {
        self.best.into_iter().map(|Reverse((_, row))| row).collect()
    }
}

/// The largest product of two numbers at the same place, zero at least: in lanes, of which compilers make vectors.
fn largest(sums: &[f32], inverse: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0_f32; LANES];
    for (sums, inverse) in sums.chunks(LANES).zip(inverse.chunks(LANES)) {
        for ((lane, sum), inverse) in lanes.iter_mut().zip(sums).zip(inverse) {
            let value = sum * inverse;
            *lane = if value > *lane { value } else { *lane };
        }
    }
    lanes.into_iter().fold(0.0, f32::max)
}
