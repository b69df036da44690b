//! TF-IDF as scikit-learn's `TfidfVectorizer` defines it, counted in parallel.
//!
//! For a term that occurs `tf` times in a document and in `df` of `n` documents the weight is `(1 + ln tf) *
//! (ln((1 + n) / (1 + df)) + 1)`, and each document's weights are scaled to unit length (L2). Here terms are
//! only counted; [`index`](super::index) weighs them, since `n` and `df` change with each product that comes
//! or goes, while counts do not.
//!
//! Two passes. The first finds the words of each part of the documents and numbers them for the whole. The
//! second turns documents into sorted keys (word, second word), which are numbered by groups of first words:
//! a group's table fits into the cache and no two threads share one. The result depends on the documents
//! alone, neither on the threads nor on what a hash table makes of them.

mod keys;

use hashbrown::HashMap;
use rayon::prelude::*;

use self::keys::{GROUPS, Groups, Keyed, Numbered};
use super::tokens;
use super::vocabulary::{Strings, Vocabulary};

/// How many documents are counted as one piece of work.
const CHUNK: usize = 16_384;
/// Ends a field among tokens: no pair of words reaches over it.
const BREAK: u32 = u32::MAX;

/// What [`fit`] counts, by the names of scikit-learn; `norm="l2"`, `smooth_idf=True` and the default
/// `token_pattern` are fixed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "they are those of scikit-learn")]
pub struct Options {
    /// `lowercase`.
    pub lowercase: bool,
    /// `stop_words="english"`, else `None`. They go before pairs are made, so "cup of tea" has "cup tea".
    pub stop_words: bool,
    /// `ngram_range=(1, 2)`, else `(1, 1)`.
    pub bigrams: bool,
    /// `sublinear_tf`.
    pub sublinear_tf: bool,
    /// `min_df`: the fewest documents that a term must be in.
    pub min_df: u32,
    /// `max_df`: the largest part of the documents that a term may be in, from 0 to 1.
    pub max_df: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { lowercase: true, stop_words: true, bigrams: true, sublinear_tf: true, min_df: 1, max_df: 1.0 }
    }
}

/// Terms and how often each document has them: sparse rows, their terms in order.
#[derive(Debug)]
pub struct Counts {
    /// Where rows begin; one more at the end.
    pub(crate) starts: Vec<u32>,
    pub(crate) terms: Vec<u32>,
    /// More than 65,535 count as so many.
    pub(crate) times: Vec<u16>,
}

impl Counts {
    fn with_capacity(rows: usize, entries: usize) -> Self {
        let mut starts = Vec::with_capacity(rows + 1);
        starts.push(0);
        Self { starts, terms: Vec::with_capacity(entries), times: Vec::with_capacity(entries) }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The terms of a row and how often it has each.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (u32, u16)> {
        let range = self.range(row);
        self.terms[range.clone()].iter().copied().zip(self.times[range].iter().copied())
    }

    pub(crate) fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.starts[row] as usize..self.starts[row + 1] as usize
    }

    fn end_row(&mut self) {
        self.starts.push(u32::try_from(self.terms.len()).expect("fewer than 2^32 counts"));
    }

    /// The same rows in another order.
    pub(crate) fn in_order(&self, order: &[u32]) -> Self {
        let mut sorted = Self::with_capacity(self.rows(), self.terms.len());
        for &row in order {
            let range = self.range(row as usize);
            sorted.terms.extend_from_slice(&self.terms[range.clone()]);
            sorted.times.extend_from_slice(&self.times[range]);
            sorted.end_row();
        }
        sorted
    }

    pub(crate) fn bytes(&self) -> usize {
        4 * (self.starts.capacity() + self.terms.capacity()) + 2 * self.times.capacity()
    }
}

/// A document: texts, each with how many times it counts.
pub trait Document: Sync {
    /// Hands on each field.
    fn fields<'a>(&'a self, each: impl FnMut(&'a str, usize));
}

impl Document for str {
    fn fields<'a>(&'a self, mut each: impl FnMut(&'a str, usize)) {
        each(self, 1);
    }
}

impl<D: Document + ?Sized> Document for &D {
    fn fields<'a>(&'a self, each: impl FnMut(&'a str, usize)) {
        (**self).fields(each);
    }
}

impl Document for String {
    fn fields<'a>(&'a self, mut each: impl FnMut(&'a str, usize)) {
        each(self, 1);
    }
}

/// Counts the terms of the documents. Runs in the current rayon pool.
pub fn fit<D: Document>(documents: &[D], options: &Options) -> (Vocabulary, Counts) {
    let read: Vec<Read> = documents.par_chunks(CHUNK).map(|chunk| Read::new(chunk, options)).collect();
    let (words, numbers) = number_words(&read);
    let groups = Groups::new(&read, &numbers);
    let keyed: Vec<Keyed> = read
        .into_par_iter()
        .zip(numbers)
        .map(|(read, numbers)| Keyed::new(&read, &numbers, &groups, options))
        .collect();

    let most = options.max_df * as_f64(documents.len());
    let kept = |df: u32| df >= options.min_df && f64::from(df) <= most;
    let mut numbered: Vec<Numbered> =
        (0..GROUPS).into_par_iter().map(|group| Numbered::new(&keyed, group, kept)).collect();
    let vocabulary = Vocabulary::assemble(words, &mut numbered);

    let parts: Vec<Counts> = keyed
        .into_par_iter()
        .enumerate()
        .map(|(chunk, keyed)| keyed.counts(chunk, &groups, &numbered))
        .collect();
    (vocabulary, concatenated(&parts))
}

/// The terms of one text with their repetitions: the words, and the pairs where they are wanted.
pub fn terms(text: &str, options: &Options) -> Vec<(String, Option<String>)> {
    let mut words = Vec::new();
    tokens::words(text, options.lowercase, |word: &str| {
        if !(options.stop_words && tokens::is_stop_word(word)) {
            words.push(word.to_owned());
        }
    });
    let pairs = words.windows(2).filter(|_| options.bigrams);
    let pairs: Vec<_> = pairs.map(|pair| (pair[0].clone(), Some(pair[1].clone()))).collect();
    words.into_iter().map(|word| (word, None)).chain(pairs).collect()
}

/// A part of the documents as numbers of words, which count for this part alone.
struct Read {
    words: Strings,
    /// The words of all fields, with [`BREAK`] after each.
    tokens: Vec<u32>,
    /// Where documents end among the tokens.
    ends: Vec<u32>,
}

impl Read {
    fn new<D: Document>(documents: &[D], options: &Options) -> Self {
        let mut table: HashMap<Box<str>, u32> = HashMap::new();
        let mut read =
            Self { words: Strings::default(), tokens: Vec::new(), ends: Vec::with_capacity(documents.len()) };
        for document in documents {
            document.fields(|text, times| {
                let start = read.tokens.len();
                tokens::words(text, options.lowercase, |word| {
                    let number = table.get(word).copied().unwrap_or_else(|| {
                        let mut number = BREAK;
                        if !(options.stop_words && tokens::is_stop_word(word)) {
                            read.words.push(word);
                            number = u32::try_from(read.words.len() - 1).expect("fewer than 2^32 words");
                        }
                        table.insert(word.into(), number);
                        number
                    });
                    if number != BREAK {
                        read.tokens.push(number);
                    }
                });
                read.tokens.push(BREAK);
                let end = read.tokens.len();
                (1..times).for_each(|_| read.tokens.extend_from_within(start..end));
            });
            read.ends.push(u32::try_from(read.tokens.len()).expect("fewer than 2^32 words in a part"));
        }
        read
    }
}

/// All words, sorted, and for each part the place there of each of its own.
fn number_words(read: &[Read]) -> (Strings, Vec<Vec<u32>>) {
    let mut places: HashMap<&str, u32> = HashMap::new();
    for word in read.iter().flat_map(|read| read.words.iter()) {
        places.entry(word).or_insert(0);
    }
    let mut words: Vec<&str> = places.keys().copied().collect();
    words.par_sort_unstable();
    for (place, word) in (0..).zip(&words) {
        places.insert(word, place);
    }
    let numbers = read.par_iter().map(|read| read.words.iter().map(|word| places[word]).collect()).collect();
    (words.into_iter().collect(), numbers)
}

fn concatenated(parts: &[Counts]) -> Counts {
    let rows = parts.iter().map(Counts::rows).sum();
    let entries = parts.iter().map(|part| part.terms.len()).sum();
    let mut whole = Counts::with_capacity(rows, entries);
    for part in parts {
        let before = u32::try_from(whole.terms.len()).expect("fewer than 2^32 counts");
        let end = |&end: &u32| end.checked_add(before).expect("fewer than 2^32 counts");
        whole.starts.extend(part.starts[1..].iter().map(end));
        whole.terms.extend_from_slice(&part.terms);
        whole.times.extend_from_slice(&part.times);
    }
    whole
}

/// Catalogues have far fewer than 2^52 products.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
pub(crate) fn as_f64(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(documents: &[&str], options: &Options) -> Vec<Vec<(String, u16)>> {
        let (vocabulary, counts) = fit(documents, options);
        let row = |row| counts.row(row).map(|(term, times)| (vocabulary.name(term), times)).collect();
        (0..counts.rows()).map(row).collect()
    }

    #[test]
    fn terms_are_counted_in_order() {
        let found = named(&["tea tea", "the Tea pot"], &Options::default());
        let own = |entries: &[(&str, u16)]| -> Vec<(String, u16)> {
            entries.iter().map(|&(term, times)| (term.to_owned(), times)).collect()
        };
        assert_eq!(found[0], own(&[("tea", 2), ("tea tea", 1)]));
        assert_eq!(found[1], own(&[("pot", 1), ("tea", 1), ("tea pot", 1)]));
    }

    #[test]
    fn no_pair_reaches_over_a_field_and_fields_may_count_twice() {
        struct Two;
        impl Document for Two {
            fn fields<'a>(&'a self, mut each: impl FnMut(&'a str, usize)) {
                each("red cushion", 2);
                each("sofa", 1);
            }
        }
        let (vocabulary, counts) = fit(&[Two], &Options::default());
        let terms: Vec<_> = counts.row(0).map(|(term, times)| (vocabulary.name(term), times)).collect();
        let expected = [("cushion", 2), ("red", 2), ("red cushion", 2), ("sofa", 1)];
        assert_eq!(terms, expected.map(|(term, times)| (term.to_owned(), times)));
    }

    #[test]
    fn rare_and_common_terms_go_where_asked() {
        let options = Options { min_df: 2, max_df: 0.7, ..Options::default() };
        let found = named(&["red tea", "red pot", "red tea cup", "blue pot"], &options);
        let terms: Vec<Vec<&str>> =
            found.iter().map(|row| row.iter().map(|(term, _)| term.as_str()).collect()).collect();
        assert_eq!(terms, [vec!["red tea", "tea"], vec!["pot"], vec!["red tea", "tea"], vec!["pot"]]);
    }

    #[test]
    fn every_term_is_found_by_its_name() {
        let documents = ["red velvet cushion", "velvet cushion red", "cushion", "zebra zebra", ""];
        let (vocabulary, _) = fit(&documents, &Options::default());
        assert_eq!(vocabulary.len(), 8);
        for term in 0..8 {
            let name = vocabulary.name(term);
            let (first, second) = name.split_once(' ').map_or((name.as_str(), None), |(a, b)| (a, Some(b)));
            assert_eq!(vocabulary.term(first, second), Some(term), "{name}");
        }
        assert_eq!(vocabulary.term("velvet", Some("velvet")), None);
        assert_eq!(vocabulary.term("teapot", None), None);
    }

    #[test]
    fn parts_and_threads_make_no_difference() {
        let documents: Vec<String> =
            (0..3 * CHUNK / 2).map(|n| format!("mug {} of {} red {}", n % 7, n % 101, n % 1_009)).collect();
        let (vocabulary, counts) = fit(&documents, &Options::default());
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        let (other, others) = alone.install(|| fit(&documents, &Options::default()));
        assert_eq!(vocabulary.seconds, other.seconds);
        assert_eq!((&counts.starts, &counts.terms), (&others.starts, &others.terms));
        let (_, late) = fit(&documents[CHUNK..], &Options::default());
        assert_eq!(late.row(5).count(), counts.row(CHUNK + 5).count());
    }

    #[test]
    fn nothing_to_fit_gives_nothing() {
        let (vocabulary, counts) = fit(&[] as &[&str], &Options::default());
        assert_eq!((vocabulary.len(), counts.rows()), (0, 0));
        let (vocabulary, counts) = fit(&["the of", ""], &Options::default());
        assert_eq!((vocabulary.len(), counts.rows()), (0, 2));
    }
}
