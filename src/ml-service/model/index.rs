//! Documents as weighted vectors, by document and by term.
//!
//! Kept are counts; a weight is made where it is needed, of a count, the term's idf and the document's length.
//! So a product that comes or goes changes no count of another one, and the index after it is the one that a
//! fit on the new catalogue would give, not an approximation with the idf of yesterday. (With `min_df` or `max_df`,
//! which the service leaves as they are, terms come and go at a fit alone.)
//!
//! Lengths follow cheaply too. With `idf = L + g`, where `L = 1 + ln(1 + n)` is the same for all terms and `g
//! = -ln(1 + df)` for all `n`, the squared length of a document with the factors `f` of its counts is `L² Σf² +
//! 2L Σf²g + Σf²g²`. The three sums are kept ([`Sums`]); a change touches those of the documents that share a
//! term with it.
//!
//! What came since the fit is a short list beside the postings ([`Fresh`]), scored one by one; what went has
//! length zero, so that it scores zero.

mod changes;
mod postings;
mod search;
mod signature;
mod weights;

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;
use uuid::Uuid;

use self::postings::Postings;
pub use self::search::{Found, Query};
use self::signature::Signature;
use self::weights::{Sums, factor, g, rounded, rounded_up};
use super::tfidf::{self, Counts, Document, Options, as_f64};
use super::vocabulary::Vocabulary;

/// How many sets of frequent terms there are: see [`search`].
const LEVELS: usize = 4;
/// A term is in the set of a level when more than one in so many documents have it.
const RARITY: [usize; LEVELS] = [512, 128, 32, 8];
/// The level by whose length documents are sorted.
const SORTED: usize = 1;
/// How many neighbouring documents share a bound.
const BLOCK: usize = 128;

/// The part that never changes: what was fitted.
#[derive(Debug)]
struct Base {
    options: Options,
    vocabulary: Vocabulary,
    /// Sorted by the length of their frequent terms, the longest first, so that the documents that have little
    /// but frequent terms are neighbours.
    counts: Counts,
    postings: Postings,
    /// Of each level and row the length of its frequent terms, by the weights of the fit, before scaling.
    lengths: [Vec<f32>; LEVELS],
    /// Of each row its frequent terms.
    signatures: Vec<Signature>,
    /// More documents than so many make a term frequent.
    cuts: [u32; LEVELS],
    /// The terms of the largest set.
    frequent: Vec<u32>,
    ids: Vec<Uuid>,
    /// The rows in the order of their ids.
    by_id: Vec<u32>,
}

impl Base {
    /// In how many of the sets of frequent terms a term is that so many documents have: in those of the lowest
    /// levels.
    fn levels(&self, df: u32) -> usize {
        self.cuts.iter().take_while(|&&cut| df > cut).count()
    }
}

/// A document that came after the fit.
#[derive(Clone, Debug)]
struct Fresh {
    id: Uuid,
    /// Sorted.
    terms: Vec<(u32, u16)>,
    /// What its vector is multiplied with to be of unit length; zero once it is gone.
    inverse: f64,
}

/// Documents and their vectors. Immutable: [`Index::changed`] makes another, which shares what did not change.
#[derive(Clone, Debug)]
pub struct Index {
    base: Arc<Base>,
    documents: usize,
    sums: Arc<Vec<Sums>>,
    /// What each row of the base is multiplied with to be of unit length; zero once it is gone, and where it
    /// has no terms.
    inverse: Arc<Vec<f32>>,
    /// The longest frequent part of the rows of each block, as it is now, in vectors of unit length.
    longest: Arc<Vec<[f32; LEVELS]>>,
    /// By how much the idf of a frequent term has grown since the fit, at most.
    growth: [f32; LEVELS],
    gone: Arc<HashSet<u32>>,
    fresh: Vec<Fresh>,
    fresh_rows: HashMap<Uuid, u32>,
    /// How many documents have a term, where it is another number than at the fit.
    frequencies: HashMap<u32, u32>,
    /// Terms that the fit did not see.
    terms: HashMap<String, u32>,
}

impl Index {
    /// Fits on documents with distinct ids. Runs in the current rayon pool.
    pub fn fit<D: Document>(ids: &[Uuid], documents: &[D], options: Options) -> Self {
        let (vocabulary, counts) = tfidf::fit(documents, &options);
        Self::of_counts(ids, vocabulary, &counts, options)
    }

    /// Weighs and sorts what was counted.
    pub(crate) fn of_counts(ids: &[Uuid], vocabulary: Vocabulary, counts: &Counts, options: Options) -> Self {
        let documents = counts.rows();
        let frequencies = frequencies(counts, vocabulary.len());
        let level = 1.0 + as_f64(1 + documents).ln();
        let idf: Vec<f64> = frequencies.par_iter().map(|&df| level + g(df)).collect();
        let cuts = RARITY.map(|part| u32::try_from(documents / part).unwrap_or(u32::MAX));

        let measure = |row: usize| {
            let (mut sums, mut lengths, mut signature) =
                (Sums::default(), [0.0; LEVELS], Signature::default());
            for (term, times) in counts.row(row) {
                let df = frequencies[term as usize];
                let factor = factor(times, options.sublinear_tf);
                let square = factor.powi(2);
                sums.add(square, g(df));
                let weight = square * idf[term as usize].powi(2);
                for (length, _) in lengths.iter_mut().zip(cuts).filter(|&(_, cut)| df > cut) {
                    *length += weight;
                }
                if df > cuts[0] {
                    signature.add(term, factor);
                }
            }
            (sums, lengths.map(|square: f64| rounded_up(square.sqrt())), signature)
        };
        let measured: Vec<(Sums, [f32; LEVELS], Signature)> =
            (0..documents).into_par_iter().map(measure).collect();
        let mut order: Vec<(f32, u32)> = (0..)
            .zip(&measured)
            .map(|(row, (sums, lengths, _))| (rounded(sums.inverse(level)) * lengths[SORTED], row))
            .collect();
        order.par_sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let order: Vec<u32> = order.into_iter().map(|(_, row)| row).collect();

        let counts = counts.in_order(&order);
        let ids: Vec<Uuid> = order.iter().map(|&row| ids[row as usize]).collect();
        let mut by_id: Vec<u32> = (0..).take(documents).collect();
        by_id.par_sort_unstable_by_key(|&row| ids[row as usize]);
        let sums: Vec<Sums> = order.iter().map(|&row| measured[row as usize].0).collect();
        let lengths =
            std::array::from_fn(|level| order.iter().map(|&row| measured[row as usize].1[level]).collect());
        let signatures = order.iter().map(|&row| measured[row as usize].2).collect();
        drop(measured);
        let postings = Postings::new(&counts, &frequencies);
        let frequent =
            (0..).zip(&frequencies).filter(|&(_, &df)| df > cuts[0]).map(|(term, _)| term).collect();
        let base =
            Base { options, vocabulary, counts, postings, lengths, signatures, cuts, frequent, ids, by_id };
        Self::at(Arc::new(base), documents, Arc::new(sums))
    }

    fn at(base: Arc<Base>, documents: usize, sums: Arc<Vec<Sums>>) -> Self {
        let mut index = Self {
            base,
            documents,
            sums,
            inverse: Arc::default(),
            longest: Arc::default(),
            growth: [1.0; LEVELS],
            gone: Arc::default(),
            fresh: Vec::new(),
            fresh_rows: HashMap::new(),
            frequencies: HashMap::new(),
            terms: HashMap::new(),
        };
        index.measure();
        index
    }

    /// Measures every document by the sums and frequencies of now.
    fn measure(&mut self) {
        let level = self.level();
        let base = &self.base;
        let mut inverse: Vec<f32> = self.sums.par_iter().map(|sums| rounded(sums.inverse(level))).collect();
        for &row in self.gone.iter() {
            inverse[row as usize] = 0.0;
        }
        if !self.frequencies.is_empty() || self.documents != base.ids.len() {
            self.growth = self.growth();
        }
        let growth = self.growth;
        let longest = inverse.par_chunks(BLOCK).enumerate().map(|(block, inverse)| {
            let first = block * BLOCK;
            std::array::from_fn(|level| {
                let lengths = &base.lengths[level][first..][..inverse.len()];
                let products = inverse.iter().zip(lengths).map(|(inverse, length)| inverse * length);
                growth[level] * products.fold(0.0, f32::max)
            })
        });
        self.longest = Arc::new(longest.collect());
        self.inverse = Arc::new(inverse);
        for place in 0..self.fresh.len() {
            let mut sums = Sums::default();
            for &(term, times) in &self.fresh[place].terms {
                sums.add(factor(times, base.options.sublinear_tf).powi(2), g(self.frequency(term)));
            }
            self.fresh[place].inverse = sums.inverse(level);
        }
    }

    fn growth(&self) -> [f32; LEVELS] {
        let then = 1.0 + as_f64(1 + self.base.ids.len()).ln();
        let now = self.level();
        let mut growth = [1.0_f32; LEVELS];
        for &term in &self.base.frequent {
            let df = self.base.postings.frequency(term);
            let ratio = rounded_up((now + g(self.frequency(term))) / (then + g(df)));
            growth[..self.base.levels(df)].iter_mut().for_each(|growth| *growth = growth.max(ratio));
        }
        growth
    }

    fn level(&self) -> f64 {
        1.0 + as_f64(1 + self.documents).ln()
    }

    /// How many documents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.documents
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents == 0
    }

    /// How many documents came since the fit, or how many went, whichever is more: one that changed did both.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.fresh.len().max(self.gone.len())
    }

    /// How many rows were added since the fit, those that went again among them.
    #[must_use]
    pub fn len_fresh(&self) -> usize {
        self.fresh.len()
    }

    /// How many terms the documents have.
    #[must_use]
    pub fn terms(&self) -> usize {
        self.base.vocabulary.len() + self.terms.len()
    }

    /// The row of a document.
    #[must_use]
    pub fn row_of(&self, id: Uuid) -> Option<u32> {
        if let Some(&row) = self.fresh_rows.get(&id) {
            return Some(row);
        }
        let place = self.base.by_id.binary_search_by_key(&id, |&row| self.base.ids[row as usize]).ok()?;
        let row = self.base.by_id[place];
        (!self.gone.contains(&row)).then_some(row)
    }

    /// The document of a row.
    #[must_use]
    pub fn id_of(&self, row: u32) -> Uuid {
        match self.fresh_place(row) {
            None => self.base.ids[row as usize],
            Some(place) => self.fresh[place].id,
        }
    }

    /// The rows of all documents.
    pub fn rows(&self) -> impl Iterator<Item = u32> {
        let fitted = (0..).take(self.base.ids.len()).filter(|row| !self.gone.contains(row));
        let fresh = self.fresh.iter().map(|fresh| fresh.id);
        let fresh = fresh.zip(self.base.ids.len()..).filter_map(|(id, row)| {
            let row = u32::try_from(row).ok()?;
            (self.fresh_rows.get(&id) == Some(&row)).then_some(row)
        });
        fitted.chain(fresh)
    }

    /// The inverse document frequency of a term.
    #[must_use]
    pub fn idf(&self, term: u32) -> f64 {
        self.level() + g(self.frequency(term))
    }

    /// The terms of a row, in order, and their weights.
    pub fn weights(&self, row: u32) -> impl Iterator<Item = (u32, f64)> {
        let inverse = self.inverse_of(row);
        self.raw(row).map(move |(term, weight)| (term, weight * inverse))
    }

    /// What the index takes in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let base = &self.base;
        let per_row = size_of::<[f32; LEVELS]>()
            + size_of::<Signature>()
            + size_of::<Uuid>()
            + 4
            + size_of::<Sums>()
            + 4;
        base.vocabulary.bytes()
            + base.counts.bytes()
            + base.postings.bytes()
            + per_row * base.ids.len()
            + size_of::<[f32; LEVELS]>() * self.longest.len()
    }

    /// What was fitted: the ids of the rows, their terms and counts.
    pub(crate) fn fitted(&self) -> (&[Uuid], &Vocabulary, &Counts, &Options) {
        (&self.base.ids, &self.base.vocabulary, &self.base.counts, &self.base.options)
    }

    fn counts_of(&self, row: u32) -> Vec<(u32, u16)> {
        match self.fresh_place(row) {
            None => self.base.counts.row(row as usize).collect(),
            Some(place) => self.fresh[place].terms.clone(),
        }
    }

    /// Weights before scaling.
    fn raw(&self, row: u32) -> impl Iterator<Item = (u32, f64)> {
        let (fitted, fresh) = match self.fresh_place(row) {
            None => (Some(self.base.counts.row(row as usize)), None),
            Some(place) => (None, Some(self.fresh[place].terms.iter().copied())),
        };
        let level = self.level();
        let weigh = move |(term, times)| {
            (term, factor(times, self.base.options.sublinear_tf) * (level + g(self.frequency(term))))
        };
        fitted.into_iter().flatten().chain(fresh.into_iter().flatten()).map(weigh)
    }

    fn inverse_of(&self, row: u32) -> f64 {
        match self.fresh_place(row) {
            // Not the rounded one, which only finds candidates.
            None if self.gone.contains(&row) => 0.0,
            None => self.sums[row as usize].inverse(self.level()),
            Some(place) => self.fresh[place].inverse,
        }
    }

    fn fresh_place(&self, row: u32) -> Option<usize> {
        (row as usize).checked_sub(self.base.ids.len())
    }

    fn frequency(&self, term: u32) -> u32 {
        let changed = if self.frequencies.is_empty() { None } else { self.frequencies.get(&term) };
        changed.copied().unwrap_or_else(|| self.base.postings.frequency(term))
    }
}

/// How many documents have each term.
fn frequencies(counts: &Counts, terms: usize) -> Vec<u32> {
    let mut frequencies = vec![0; terms];
    for &term in &counts.terms {
        frequencies[term as usize] += 1;
    }
    frequencies
}
