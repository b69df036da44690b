//! The index after documents came and went.

use std::sync::Arc;

use hashbrown::HashMap;
use uuid::Uuid;

use super::weights::{factor, g};
use super::{Fresh, Index};
use crate::model::tfidf::{self, Document};

impl Index {
    /// The index without the documents of these ids, and with those that come with one. Costs as much for many
    /// as for one, save for the documents that share a term with them. Runs in the current rayon pool.
    #[must_use]
    pub fn changed<D: Document>(&self, changes: &[(Uuid, Option<D>)]) -> Self {
        let mut index = self.clone();
        let mut before: HashMap<u32, u32> = HashMap::new();
        for (id, document) in changes {
            if let Some(row) = index.row_of(*id) {
                index.remove(row, &mut before);
            }
            if let Some(document) = document {
                index.add(*id, document, &mut before);
            }
        }
        index.move_sums(&before);
        index.measure();
        index
    }

    fn remove(&mut self, row: u32, before: &mut HashMap<u32, u32>) {
        for (term, _) in self.counts_of(row) {
            let df = self.frequency(term);
            before.entry(term).or_insert(df);
            self.frequencies.insert(term, df - 1);
        }
        self.documents -= 1;
        match self.fresh_place(row) {
            None => {
                Arc::make_mut(&mut self.gone).insert(row);
            }
            Some(place) => {
                let fresh = &mut self.fresh[place];
                self.fresh_rows.remove(&fresh.id);
                fresh.terms.clear();
            }
        }
    }

    fn add<D: Document>(&mut self, id: Uuid, document: &D, before: &mut HashMap<u32, u32>) {
        let mut times: HashMap<u32, u16> = HashMap::new();
        document.fields(|text, repeated| {
            let repeated = u16::try_from(repeated).unwrap_or(u16::MAX);
            for (first, second) in tfidf::terms(text, &self.base.options) {
                let known = self.base.vocabulary.term(&first, second.as_deref());
                let term = known.or_else(|| {
                    let text = second.map_or(first.clone(), |second| format!("{first} {second}"));
                    // Whether it would have passed the limits is not known before the next fit.
                    let all = self.base.options.min_df <= 1 && self.base.options.max_df >= 1.0;
                    let next = u32::try_from(self.base.vocabulary.len() + self.terms.len()).ok()?;
                    all.then(|| *self.terms.entry(text).or_insert(next))
                });
                if let Some(term) = term {
                    let times = times.entry(term).or_insert(0);
                    *times = times.saturating_add(repeated);
                }
            }
        });
        let mut terms: Vec<(u32, u16)> = times.into_iter().collect();
        terms.sort_unstable();
        for &(term, _) in &terms {
            let df = self.frequency(term);
            before.entry(term).or_insert(df);
            self.frequencies.insert(term, df + 1);
        }
        self.documents += 1;
        let row = u32::try_from(self.base.ids.len() + self.fresh.len()).expect("fewer than 2^32 rows");
        self.fresh_rows.insert(id, row);
        self.fresh.push(Fresh { id, terms, inverse: 0.0 });
    }

    /// Brings the sums of the documents that have a term up to its new frequency.
    fn move_sums(&mut self, before: &HashMap<u32, u32>) {
        let mut moved: Vec<(u32, f64, f64)> = before
            .iter()
            .map(|(&term, &df)| (term, g(df), g(self.frequency(term))))
            .filter(|&(term, old, new)| {
                old.to_bits() != new.to_bits() && (term as usize) < self.base.vocabulary.len()
            })
            .collect();
        // In order, so that every replica rounds alike.
        moved.sort_unstable_by_key(|&(term, ..)| term);
        let sums = Arc::make_mut(&mut self.sums);
        for (term, old, new) in moved {
            for (row, times) in self.base.postings.of(term) {
                let square = factor(times, self.base.options.sublinear_tf).powi(2);
                sums[row as usize].shift(square, old, new);
            }
        }
    }
}
