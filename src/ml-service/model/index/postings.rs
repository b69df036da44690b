//! Which documents have a term.

use std::hint::black_box;

use rayon::prelude::*;

use crate::model::tfidf::Counts;

/// The documents of each term.
#[derive(Debug)]
pub(super) struct Postings {
    starts: Vec<u32>,
    rows: Vec<u32>,
    times: Vec<u16>,
}

impl Postings {
    /// Turns rows into columns. The columns are parted among threads, each of which looks into every row.
    pub(super) fn new(counts: &Counts, frequencies: &[u32]) -> Self {
        let mut starts = Vec::with_capacity(frequencies.len() + 1);
        starts.push(0_u32);
        for df in frequencies {
            starts.push(starts[starts.len() - 1] + df);
        }
        let entries = counts.terms.len();
        let (mut rows, mut times) = (vec![0; entries], vec![0; entries]);
        let threads = rayon::current_num_threads().clamp(1, 16);
        let (mut rows_left, mut times_left) = (rows.as_mut_slice(), times.as_mut_slice());
        let mut parts = Vec::with_capacity(threads);
        let mut first = 0;
        for part in 1..=threads {
            let wanted = u32::try_from(entries * part / threads).expect("fewer than 2^32 counts");
            let last = if part == threads {
                frequencies.len()
            } else {
                starts.partition_point(|&start| start < wanted)
            };
            let last = last.clamp(first, frequencies.len());
            let length = (starts[last] - starts[first]) as usize;
            let (rows_here, rows_after) = rows_left.split_at_mut(length);
            let (times_here, times_after) = times_left.split_at_mut(length);
            (rows_left, times_left) = (rows_after, times_after);
            parts.push((first, last, rows_here, times_here));
            first = last;
        }
        parts.into_par_iter().for_each(|(first, last, rows, times)| {
            let mut next: Vec<u32> = starts[first..last].iter().map(|start| start - starts[first]).collect();
            for row in 0..counts.rows() {
                let range = counts.range(row);
                let terms = &counts.terms[range.clone()];
                let from = terms.partition_point(|&term| (term as usize) < first);
                for (&term, &count) in terms[from..].iter().zip(&counts.times[range.start + from..]) {
                    let Some(next) = next.get_mut(term as usize - first) else { break };
                    rows[*next as usize] = u32::try_from(row).expect("fewer than 2^32 rows");
                    times[*next as usize] = count;
                    *next += 1;
                }
            }
        });
        Self { starts, rows, times }
    }

    /// How many documents have a term; none where the fit did not see it.
    pub(super) fn frequency(&self, term: u32) -> u32 {
        let term = term as usize;
        self.starts.get(term + 1).map_or(0, |end| end - self.starts[term])
    }

    pub(super) fn of(&self, term: u32) -> impl ExactSizeIterator<Item = (u32, u16)> {
        let range = self.starts[term as usize] as usize..self.starts[term as usize + 1] as usize;
        self.rows[range.clone()].iter().copied().zip(self.times[range].iter().copied())
    }

    /// Looks at the beginning of the lists of terms that have documents, so that they come from memory all at once.
    pub(super) fn fetch(&self, terms: impl Iterator<Item = u32>) {
        black_box(terms.fold(0, |seen, term| {
            let start = self.starts[term as usize] as usize;
            seen ^ self.rows[start] ^ u32::from(self.times[start])
        }));
    }

    pub(super) fn bytes(&self) -> usize {
        4 * (self.starts.capacity() + self.rows.capacity()) + 2 * self.times.capacity()
    }
}
