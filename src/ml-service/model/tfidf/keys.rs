//! The second pass: documents as sorted keys of words, which are numbered by groups of first words.

use hashbrown::HashMap;

use super::{BREAK, Counts, Options, Read};
use crate::model::vocabulary::{ALONE, Strings, Vocabulary};

/// How many groups of words are numbered independently.
pub(super) const GROUPS: usize = 64;
/// A term that too few or too many documents have.
const PRUNED: u32 = u32::MAX;

/// Which group each word is in: neighbours, so that groups are in order, and about as many tokens in each.
pub(super) struct Groups(Vec<u8>);

impl Groups {
    pub(super) fn new(read: &[Read], numbers: &[Vec<u32>]) -> Self {
        let words = numbers.iter().flatten().max().map_or(0, |&last| last as usize + 1);
        let mut frequencies = vec![0_usize; words];
        for (read, numbers) in read.iter().zip(numbers) {
            for &token in read.tokens.iter().filter(|&&token| token != BREAK) {
                frequencies[numbers[token as usize] as usize] += 1;
            }
        }
        let total = frequencies.iter().sum::<usize>().max(1);
        let mut before = 0;
        let group = |frequency: usize| {
            // The middle of the word's own tokens is always below the total.
            let group = (2 * before + frequency) * GROUPS / (2 * total);
            before += frequency;
            u8::try_from(group.min(GROUPS - 1)).expect("few groups")
        };
        Self(frequencies.into_iter().map(group).collect())
    }

    fn of(&self, key: u64) -> usize {
        usize::from(self.0[(key >> 32) as usize])
    }
}

/// A part of the documents as rows of keys: the first word above, [`ALONE`] or the second word and one below.
pub(super) struct Keyed {
    keys: Vec<u64>,
    times: Vec<u16>,
    ends: Vec<u32>,
    /// The keys again, by group, in their order.
    grouped: Vec<Vec<u64>>,
}

impl Keyed {
    pub(super) fn new(read: &Read, numbers: &[u32], groups: &Groups, options: &Options) -> Self {
        let mut keyed = Self {
            keys: Vec::with_capacity(read.tokens.len()),
            times: Vec::with_capacity(read.tokens.len()),
            ends: Vec::with_capacity(read.ends.len()),
            grouped: vec![Vec::new(); GROUPS],
        };
        let mut row = Vec::new();
        let mut start = 0;
        for &end in &read.ends {
            row.clear();
            let mut before = None;
            for &token in &read.tokens[start as usize..end as usize] {
                if token == BREAK {
                    before = None;
                    continue;
                }
                let word = numbers[token as usize];
                row.push(u64::from(word) << 32 | u64::from(ALONE));
                if let Some(first) = before.replace(word)
                    && options.bigrams
                {
                    row.push(u64::from(first) << 32 | u64::from(word + 1));
                }
            }
            start = end;
            row.sort_unstable();
            for same in row.chunk_by(|a, b| a == b) {
                keyed.keys.push(same[0]);
                keyed.times.push(u16::try_from(same.len()).unwrap_or(u16::MAX));
                keyed.grouped[groups.of(same[0])].push(same[0]);
            }
            keyed.ends.push(u32::try_from(keyed.keys.len()).expect("fewer than 2^32 keys in a part"));
        }
        keyed
    }

    pub(super) fn counts(self, chunk: usize, groups: &Groups, numbered: &[Numbered]) -> Counts {
        let mut counts = Counts::with_capacity(self.ends.len(), self.keys.len());
        let mut next: Vec<_> = numbered.iter().map(|group| group.found[chunk].iter()).collect();
        let mut entries = self.keys.iter().zip(&self.times);
        let mut start = 0;
        for end in self.ends {
            for (&key, &times) in entries.by_ref().take((end - start) as usize) {
                let group = groups.of(key);
                let found = next[group].next().expect("as many as keys");
                let term = numbered[group].terms[*found as usize];
                if term != PRUNED {
                    counts.terms.push(term);
                    counts.times.push(times);
                }
            }
            counts.end_row();
            start = end;
        }
        counts
    }
}

/// The keys of one group of words.
pub(super) struct Numbered {
    /// Those that stay, in order.
    kept: Vec<u64>,
    /// For each chunk its keys in their order, as numbers in the order of being found.
    found: Vec<Vec<u32>>,
    /// What term each of these numbers is.
    terms: Vec<u32>,
}

impl Numbered {
    pub(super) fn new(keyed: &[Keyed], group: usize, kept: impl Fn(u32) -> bool) -> Self {
        let mut table: HashMap<u64, u32> = HashMap::new();
        let mut seen: Vec<(u64, u32)> = Vec::new();
        let mut number = |&key: &u64| {
            let number = *table.entry(key).or_insert_with(|| {
                seen.push((key, 0));
                u32::try_from(seen.len() - 1).expect("fewer than 2^32 terms")
            });
            seen[number as usize].1 += 1;
            number
        };
        let found =
            keyed.iter().map(|keyed| keyed.grouped[group].iter().map(&mut number).collect()).collect();
        drop(table);

        let mut order: Vec<(u64, u32)> = (0..)
            .zip(&seen)
            .filter(|(_, (_, df))| kept(*df))
            .map(|(number, &(key, _))| (key, number))
            .collect();
        order.sort_unstable();
        let mut terms = vec![PRUNED; seen.len()];
        for (place, &(_, number)) in (0..).zip(&order) {
            terms[number as usize] = place;
        }
        Self { kept: order.into_iter().map(|(key, _)| key).collect(), found, terms }
    }
}

impl Vocabulary {
    /// Puts the groups one after another, and gives their terms the numbers that they have then.
    pub(super) fn assemble(words: Strings, groups: &mut [Numbered]) -> Self {
        let total = groups.iter().map(|group| group.kept.len()).sum();
        let mut seconds = Vec::with_capacity(total);
        let mut starts = Vec::with_capacity(words.len() + 1);
        for group in groups {
            let before = u32::try_from(seconds.len()).expect("fewer than 2^32 terms");
            for term in group.terms.iter_mut().filter(|term| **term != PRUNED) {
                *term += before;
            }
            for &key in &group.kept {
                let place = u32::try_from(seconds.len()).expect("fewer than 2^32 terms");
                let word = (key >> 32) as usize;
                starts.resize(starts.len().max(word + 1), place);
                seconds.push(u32::try_from(key & u64::from(u32::MAX)).expect("the lower half"));
            }
        }
        let end = u32::try_from(seconds.len()).expect("fewer than 2^32 terms");
        starts.resize(words.len() + 1, end);
        Self { words, starts, seconds }
    }
}
