//! The nearest documents to a question, exactly, without looking at all that share a word with it.
//!
//! Frequent terms have long postings and little weight. Be `q` the question and `d` a document, both of unit
//! length, and `H` the frequent terms: by Cauchy and Schwarz the part of their cosine that `H` makes is at most
//! `|q_H| |d_H|`, where `|d_H|` is known of every document. So the postings of the other terms are added up
//! first. When the best found so far, finished exactly, are better than what is added up plus that bound, no
//! other document can be among the best. Those that still can are finished exactly, one by one.
//!
//! Few documents have all of a question's frequent terms. So what comes near is held against a narrower bound before it
//! is finished: only terms count whose bits the document's signature has ([`super::signature`]), by Cauchy and Schwarz or by
//! what they are worth with the largest of the document's counts, whichever is less.
//!
//! Documents with no other term of the question are covered by the same bound. They are sorted by `|d_H|`, so
//! that few blocks of them, at the beginning, need a look.
//!
//! What is frequent is decided per question: there are sets of several sizes, and the next smaller one is taken
//! when finishing all that still can be among the best would cost more than the postings between the two sets. (Not more
//! than all that are left: when the next ones are added up, fewer documents still can.)
//!
//! Sums of 32 bits find candidates, with room for their rounding. Every score that is answered is the same sum
//! of 64 bits in the order of the terms, so that neither the way there nor the threads make a difference.

mod left;
mod reach;
mod sums;
mod top;

use std::cell::RefCell;
use std::hint::black_box;
use std::ops::{ControlFlow, Range};

use self::left::Left;
use self::reach::Reach;
use self::sums::{Added, FINISHED, Largest, Values};
use self::top::{Best, Top};
use super::{BLOCK, Index, LEVELS, factor, rounded};

/// What rounding may do to a sum of 32 bits.
const ROUNDING: f32 = 1e-4;
/// What finishing one document costs, in postings.
const FINISHING: usize = 32;
/// What a look at a block for documents that are not touched costs, in postings.
const UNTOUCHED: usize = 128;
/// How many documents are fetched from memory at once.
const FETCHED: usize = 32;

thread_local! {
    /// Sums by row, all zero between searches: to clear them all would cost more than most searches.
    static SUMS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// A vector to be compared with documents: terms in order, each with its idf and its weight before scaling.
#[derive(Clone, Debug, Default)]
pub struct Query {
    terms: Vec<Term>,
    inverse: f64,
    /// The document that asks.
    own: Option<u32>,
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
        Query { terms, inverse: self.inverse_of(row), own: Some(row) }
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
        (length > 0.0).then(|| Query { terms, inverse: 1.0 / length, own: None })
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

    fn rows_of(&self, block: usize) -> Range<usize> {
        block * BLOCK..self.base.ids.len().min((block + 1) * BLOCK)
    }

    /// Looks at the beginning of documents, so that they come from memory all at once: each is elsewhere, and one after
    /// the other they would be waited for longer than they are computed with.
    fn fetch(&self, rows: &[u32]) {
        let counts = &self.base.counts;
        let ranges: Vec<_> =
            rows.iter().map(|&row| (counts.range(row as usize), self.sums[row as usize])).collect();
        let first =
            |(range, _): &(Range<usize>, _)| (counts.terms.get(range.start), counts.times.get(range.start));
        black_box(ranges.iter().map(first).fold(0, |seen, (term, times)| {
            seen ^ term.copied().unwrap_or(0) ^ u32::from(times.copied().unwrap_or(0))
        }));
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
        let mut top = Top::new(limit);
        if limit > 0 && !query.terms.is_empty() {
            let table = Table::new(&query.terms);
            let search = Search { index: self, query, table, wanted };
            search.fresh(&mut top);
            let mut sums = SUMS.take();
            if sums.len() < self.base.ids.len() {
                sums.resize(self.base.ids.len(), 0.0);
            }
            search.fitted(&mut top, &mut sums[..self.base.ids.len()]);
            // Not after a panic: then a new one is made.
            SUMS.set(sums);
        }
        top.found()
    }
}

fn number(row: usize) -> u32 {
    u32::try_from(row).expect("fewer than 2^32 rows")
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
            self.finish(number(row), top);
        }
    }

    /// Finishes documents of the fit.
    fn finish_all(&self, rows: &[u32], top: &mut Top) {
        self.index.fetch(rows);
        for &row in rows {
            self.finish(row, top);
        }
    }

    fn finish(&self, row: u32, top: &mut Top) {
        if (self.wanted)(row) {
            let score = self.index.exact(&self.table, self.query, row);
            if score > 0.0 && rounded(score) >= top.threshold() {
                top.offer(Best { score, id: self.index.id_of(row), row });
            }
        }
    }

    fn fitted(&self, top: &mut Top, sums: &mut [f32]) {
        let base = &self.index.base;
        let own = self.query.own.filter(|&own| (own as usize) < base.ids.len());
        let mut bands: [Vec<&Term>; LEVELS + 1] = Default::default();
        for term in &self.query.terms {
            let df = base.postings.frequency(term.number);
            // What one document has, and it asks, leads to no other.
            if df > u32::from(own.is_some()) {
                bands[base.levels(df)].push(term);
            }
        }
        let mut added = Added::new(sums);
        if let Some(own) = own {
            self.finish(own, top);
            added.add([(own, FINISHED)].into_iter());
        }
        for level in 0..=LEVELS {
            base.postings.fetch(bands[level].iter().map(|term| term.number));
            for term in &bands[level] {
                self.add(term, &mut added);
            }
            let rest = &bands[level + 1..];
            let next = rest.iter().find(|band| !band.is_empty());
            if level > 0 && bands[level].is_empty() && next.is_some() {
                continue;
            }
            let postings = |band: &Vec<&Term>| -> usize {
                band.iter().map(|term| base.postings.frequency(term.number) as usize).sum()
            };
            let [postings, next] = [rest.iter().map(postings).sum(), next.map_or(0, postings)];
            let left = Left::new(level, postings, next, self.query.inverse, rest.iter().flatten().copied());
            if self.conclude(top, &mut added, &left).is_break() {
                break;
            }
        }
        added.clear();
    }

    fn add(&self, term: &Term, added: &mut Added<'_>) {
        let sublinear = self.index.base.options.sublinear_tf;
        let weight = rounded(term.weight * term.idf * self.query.inverse);
        let once = weight * rounded(factor(1, sublinear));
        let twice = weight * rounded(factor(2, sublinear));
        added.add(self.index.base.postings.of(term.number).map(|(row, times)| {
            let part = match times {
                1 => once,
                2 => twice,
                times => weight * rounded(factor(times, sublinear)),
            };
            (row, part)
        }));
    }

    /// Finishes what can be among the best in spite of the terms that are not added up yet, unless that costs more than
    /// their postings.
    fn conclude(&self, top: &mut Top, added: &mut Added<'_>, left: &Left) -> ControlFlow<()> {
        let last = left.postings == 0;
        let too_many = |threshold: f32| {
            let blocks = self.index.longest.iter().filter(|longest| left.most_in(longest) >= threshold);
            blocks.count() * UNTOUCHED > left.postings
        };
        // What is below cannot be among the best, whatever rounding did.
        let enough = |top: &Top| top.threshold() * (1.0 - ROUNDING);
        if !last && (added.cost() > left.postings || top.threshold() > 0.0 && too_many(enough(top))) {
            return ControlFlow::Continue(());
        }
        let values = added.values(&self.index.inverse);
        let largest = self.largest(&values, added.sums, top.limit);
        self.finish_all(&largest, top);
        for row in largest {
            added.sums[row as usize] = FINISHED;
        }
        let threshold = enough(top);
        if !last && (threshold <= 0.0 || too_many(threshold)) {
            return ControlFlow::Continue(());
        }
        let reach = Reach::new(self.index, left, &values, added.sums, threshold);
        let Some(mut rows) = reach.rows() else {
            return ControlFlow::Continue(());
        };
        // The likeliest first, so that few of the others need to be finished.
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        for some in rows.chunks(FETCHED) {
            let some: Vec<u32> =
                some.iter().take_while(|&&(reach, _)| reach >= enough(top)).map(|&(_, row)| row).collect();
            if some.is_empty() {
                break;
            }
            self.finish_all(&some, top);
        }
        ControlFlow::Break(())
    }

    /// As many of the wanted rows as may be answered, those of the largest values.
    fn largest(&self, values: &Values, sums: &[f32], limit: usize) -> Vec<u32> {
        let mut best = Largest::new(limit, &self.wanted);
        match values {
            Values::Listed(listed) => {
                for &(value, row) in listed {
                    best.offer(value, row);
                }
            }
            Values::Blocks(largest) => {
                for (block, &largest) in largest.iter().enumerate() {
                    if largest > best.worst {
                        for row in self.index.rows_of(block) {
                            best.offer(sums[row] * self.index.inverse[row], number(row));
                        }
                    }
                }
            }
        }
        best.rows()
    }
}
