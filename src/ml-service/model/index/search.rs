//! The nearest documents to a question, exactly, without looking at all that share a word with it.
//!
//! Frequent terms have long postings and little weight. Be `q` the question and `d` a document, both of unit
//! length, and `H` the frequent terms: by Cauchy and Schwarz the part of their cosine that `H` makes is at most
//! `|q_H| |d_H|`, where `|d_H|` is known of every document. So the postings of the other terms are added up
//! first. When the best found so far, finished exactly, are better than what is added up plus that bound, no
//! other document can be among the best. Those that still can are finished exactly, one by one.
//!
//! Documents with no other term of the question are covered by the same bound. They are sorted by `|d_H|`, so
//! that few blocks of them, at the beginning, need a look.
//!
//! What is frequent is decided per question: there are sets of several sizes, and the next smaller one is taken
//! when finishing all that still can be among the best would cost more than the postings between the two sets.
//!
//! Sums of 32 bits find candidates, with room for their rounding. Every score that is answered is the same sum
//! of 64 bits in the order of the terms, so that neither the way there nor the threads make a difference.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use uuid::Uuid;

use super::{BLOCK, Index, LEVELS, factor, rounded};

/// What rounding may do to a sum of 32 bits.
const ROUNDING: f32 = 1e-4;
/// What finishing one document costs, in postings.
const FINISHING: usize = 16;

thread_local! {
    /// Sums by row, all zero between searches: to clear them all would cost more than most searches.
    static SUMS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// A vector to be compared with documents: terms in order, each with its idf and its weight before scaling.
#[derive(Clone, Debug, Default)]
pub struct Query {
    terms: Vec<Term>,
    inverse: f64,
}

#[derive(Clone, Copy, Debug)]
struct Term {
    number: u32,
    idf: f64,
    weight: f64,
}

/// A document and its cosine with the question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Its row.
    pub row: u32,
    /// The cosine.
    pub score: f32,
}

/// One of the best so far; the greatest is the first to go.
struct Best {
    score: f64,
    id: Uuid,
    row: u32,
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
struct Top {
    limit: usize,
    best: BinaryHeap<Best>,
}

impl Top {
    fn offer(&mut self, best: Best) {
        if best.score > 0.0 {
            self.best.push(best);
            if self.best.len() > self.limit {
                self.best.pop();
            }
        }
    }

    /// What a document must reach to be among them.
    fn threshold(&self) -> f32 {
        if self.best.len() < self.limit {
            0.0
        } else {
            self.best.peek().map_or(0.0, |worst| rounded(worst.score))
        }
    }
}

/// The terms of a question by number, open addressing: most look-ups find nothing, in one step.
struct Table<'a> {
    slots: Vec<Option<&'a Term>>,
    keys: Vec<u32>,
    mask: usize,
}

impl<'a> Table<'a> {
    fn new(terms: &'a [Term]) -> Self {
        let size = (4 * terms.len()).next_power_of_two().max(8);
        let mut table = Self { slots: vec![None; size], keys: vec![u32::MAX; size], mask: size - 1 };
        for term in terms {
            let mut place = table.place(term.number);
            while table.slots[place].is_some() {
                place = (place + 1) & table.mask;
            }
            table.slots[place] = Some(term);
            table.keys[place] = term.number;
        }
        table
    }

    fn place(&self, term: u32) -> usize {
        (term.wrapping_mul(0x9e37_79b1) >> 7) as usize & self.mask
    }

    fn get(&self, term: u32) -> Option<&'a Term> {
        let mut place = self.place(term);
        loop {
            if self.keys[place] == term {
                return self.slots[place];
            }
            self.slots[place]?;
            place = (place + 1) & self.mask;
        }
    }
}

impl Index {
    /// A document as a question.
    #[must_use]
    pub fn query_of(&self, row: u32) -> Query {
        let terms =
            self.raw(row).map(|(term, weight)| Term { number: term, idf: self.idf(term), weight }).collect();
        Query { terms, inverse: self.inverse_of(row) }
    }

    /// The sum of documents, each times its part, as a question; nothing where they have no terms.
    pub fn query_of_sum(&self, parts: impl IntoIterator<Item = (u32, f64)>) -> Option<Query> {
        let mut weights: Vec<(u32, f64)> = Vec::new();
        for (row, part) in parts {
            weights.extend(self.weights(row).map(|(term, weight)| (term, part * weight)));
        }
        // Stable: the parts of a term are added in the order in which they came.
        weights.sort_by_key(|&(term, _)| term);
        let terms: Vec<Term> = weights
            .chunk_by(|a, b| a.0 == b.0)
            .map(|same| {
                let weight = same.iter().map(|&(_, weight)| weight).sum();
                Term { number: same[0].0, idf: self.idf(same[0].0), weight }
            })
            .collect();
        let length = terms.iter().map(|term| term.weight * term.weight).sum::<f64>().sqrt();
        (length > 0.0).then(|| Query { terms, inverse: 1.0 / length })
    }

    /// The cosine of a question and a document.
    #[must_use]
    pub fn cosine(&self, query: &Query, row: u32) -> f32 {
        rounded(self.exact(&Table::new(&query.terms), query, row)).min(1.0)
    }

    /// The cosines of a question and several documents.
    #[must_use]
    pub fn cosines(&self, query: &Query, rows: &[u32]) -> Vec<f32> {
        let table = Table::new(&query.terms);
        rows.iter().map(|&row| rounded(self.exact(&table, query, row)).min(1.0)).collect()
    }

    fn exact(&self, table: &Table<'_>, query: &Query, row: u32) -> f64 {
        let mut sum = 0.0;
        let mut add = |(term, times): (u32, u16)| {
            if let Some(term) = table.get(term) {
                // The weights are multiplied as wholes, so that a pair has one cosine whichever asks.
                sum += term.weight * (factor(times, self.base.options.sublinear_tf) * term.idf);
            }
        };
        match self.fresh_place(row) {
            None => self.base.counts.row(row as usize).for_each(&mut add),
            Some(place) => self.fresh[place].terms.iter().copied().for_each(&mut add),
        }
        sum * (query.inverse * self.inverse_of(row))
    }

    /// The `limit` documents of the largest cosine among the wanted ones that have one above zero, the best
    /// first; equal ones in the order of their ids.
    pub fn search(&self, query: &Query, limit: usize, wanted: impl Fn(u32) -> bool) -> Vec<Found> {
        let mut top = Top { limit, best: BinaryHeap::with_capacity(limit + 1) };
        if limit > 0 && !query.terms.is_empty() {
            let table = Table::new(&query.terms);
            let search = Search { index: self, query, table, wanted };
            search.fresh(&mut top);
            let mut sums = SUMS.take();
            if sums.len() < self.base.ids.len() {
                sums.resize(self.base.ids.len(), 0.0);
            }
            search.fitted(&mut top, &mut sums);
            // Not after a panic: then a new one is made.
            SUMS.set(sums);
        }
        top.best
            .into_sorted_vec()
            .into_iter()
            .map(|best| Found { row: best.row, score: rounded(best.score).min(1.0) })
            .collect()
    }
}

struct Search<'a, W> {
    index: &'a Index,
    query: &'a Query,
    table: Table<'a>,
    wanted: W,
}

impl<W: Fn(u32) -> bool> Search<'_, W> {
    fn fresh(&self, top: &mut Top) {
        for row in (self.index.base.ids.len()..).take(self.index.fresh.len()) {
            self.finish(u32::try_from(row).expect("fewer than 2^32 rows"), top);
        }
    }

    fn finish(&self, row: u32, top: &mut Top) {
        if (self.wanted)(row) {
            let score = self.index.exact(&self.table, self.query, row);
            top.offer(Best { score, id: self.index.id_of(row), row });
        }
    }

    fn fitted(&self, top: &mut Top, sums: &mut [f32]) {
        let base = &self.index.base;
        let known = |term: &&Term| base.postings.frequency(term.number) > 0;
        let mut bands: [Vec<&Term>; LEVELS + 1] = Default::default();
        for term in self.query.terms.iter().filter(known) {
            bands[base.levels(base.postings.frequency(term.number))].push(term);
        }
        let mut touched = Vec::new();
        for level in 0..=LEVELS {
            for term in &bands[level] {
                self.add(term, sums, &mut touched);
            }
            let rest = bands[level + 1..].iter().flatten();
            let left = rest.clone().map(|term| base.postings.frequency(term.number) as usize).sum();
            let square: f64 = rest.map(|term| term.weight * term.weight).sum();
            let bound = rounded(square.sqrt() * self.query.inverse) * (1.0 + ROUNDING);
            if level > 0 && bands[level].is_empty() && left > 0 {
                continue;
            }
            if self.conclude(top, sums, &touched, level, bound, left).is_break() {
                break;
            }
        }
        for row in touched {
            sums[row as usize] = 0.0;
        }
    }

    fn add(&self, term: &Term, sums: &mut [f32], touched: &mut Vec<u32>) {
        let sublinear = self.index.base.options.sublinear_tf;
        let weight = rounded(term.weight * term.idf * self.query.inverse);
        let once = weight * rounded(factor(1, sublinear));
        let twice = weight * rounded(factor(2, sublinear));
        for (row, times) in self.index.base.postings.of(term.number) {
            let part = match times {
                1 => once,
                2 => twice,
                times => weight * rounded(factor(times, sublinear)),
            };
            let sum = &mut sums[row as usize];
            if *sum == 0.0 {
                touched.push(row);
            }
            *sum += part;
        }
    }

    /// Finishes what can be among the best when the terms that are not added up yet make at most `bound` times
    /// the length that a document has in them, unless that costs more than their `left` postings.
    fn conclude(
        &self,
        top: &mut Top,
        sums: &[f32],
        touched: &[u32],
        level: usize,
        bound: f32,
        left: usize,
    ) -> ControlFlow<()> {
        let index = self.index;
        let added = |row: u32| sums[row as usize] * index.inverse[row as usize];
        let mut best: Vec<(f32, u32)> = touched.iter().map(|&row| (added(row), row)).collect();
        let mut first = Top { limit: top.limit, best: BinaryHeap::new() };
        self.fresh(&mut first);
        self.finish_best(&mut best, &mut first);
        // What is below cannot be among the best, whatever rounding did.
        let enough = |threshold: f32| threshold * (1.0 - ROUNDING);
        let threshold = enough(first.threshold());
        if left == 0 {
            best.retain(|&(sum, _)| sum >= threshold);
            for (_, row) in best {
                self.finish(row, top);
            }
            return ControlFlow::Break(());
        }
        if threshold <= 0.0 {
            return ControlFlow::Continue(());
        }

        let growth = index.growth[level];
        let length =
            |row: u32| index.base.lengths[row as usize][level] * growth * index.inverse[row as usize];
        best.retain(|&(sum, row)| sum + bound * length(row) >= threshold);
        let budget = left / FINISHING;
        if best.len() > budget {
            return ControlFlow::Continue(());
        }
        let mut untouched = Vec::new();
        for (block, longest) in index.longest.iter().enumerate() {
            if bound * longest[level] < threshold {
                continue;
            }
            let first = block * BLOCK;
            let rows = first..(first + BLOCK).min(index.base.ids.len());
            let rows = rows.filter_map(|row| u32::try_from(row).ok());
            untouched
                .extend(rows.filter(|&row| sums[row as usize] == 0.0 && bound * length(row) >= threshold));
            if best.len() + untouched.len() > budget {
                return ControlFlow::Continue(());
            }
        }
        for (sum, row) in best {
            if sum + bound * length(row) >= enough(top.threshold()) {
                self.finish(row, top);
            }
        }
        for row in untouched {
            if bound * length(row) >= enough(top.threshold()) {
                self.finish(row, top);
            }
        }
        ControlFlow::Break(())
    }

    /// Finishes the wanted documents that have the largest sums so far.
    fn finish_best(&self, sums: &mut [(f32, u32)], top: &mut Top) {
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0);
        // Those that are not wanted may be in front.
        let mut taken = 0;
        let mut from = 0;
        while taken < top.limit && from < sums.len() {
            let part = (2 * top.limit).min(sums.len() - from);
            let rest = &mut sums[from..];
            if part < rest.len() {
                rest.select_nth_unstable_by(part, order);
            }
            for &(_, row) in &rest[..part] {
                if (self.wanted)(row) {
                    taken += 1;
                    self.finish(row, top);
                }
            }
            from += part;
        }
    }
}
