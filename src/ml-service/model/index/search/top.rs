//! The best that a search has found so far.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use uuid::Uuid;

use super::Found;
use crate::model::index::rounded;

/// One of the best so far; the greatest is the first to go.
pub(super) struct Best {
    pub(super) score: f64,
    pub(super) id: Uuid,
    pub(super) row: u32,
}

impl Ord for Best {
    fn cmp(&self, other: &Self) -> Ordering {
        rounded(other.score).total_cmp(&rounded(self.score)).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Best {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Best {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Best {}

/// The best so many, by score and then by id.
pub(super) struct Top {
    pub(super) limit: usize,
    best: BinaryHeap<Best>,
}

impl Top {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, best: BinaryHeap::with_capacity(limit + 1) }
    }

    /// A score above zero.
    pub(super) fn offer(&mut self, best: Best) {
        self.best.push(best);
        if self.best.len() > self.limit {
            self.best.pop();
        }
    }

    /// What a document must reach to be among them.
    pub(super) fn threshold(&self) -> f32 {
        if self.best.len() < self.limit {
            0.0
        } else {
            self.best.peek().map_or(0.0, |worst| rounded(worst.score))
        }
    }

    /// The best first.
    pub(super) fn found(self) -> Vec<Found> {
        self.best
            .into_sorted_vec()
            .into_iter()
            .map(|best| Found { row: best.row, score: rounded(best.score).min(1.0) })
            .collect()
    }
}
