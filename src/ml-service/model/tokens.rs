//! From text to terms, as scikit-learn's `TfidfVectorizer` does it with `stop_words="english"` and
//! `ngram_range=(1, 2)`.
//!
//! Lowercase; words by `(?u)\b\w\w+\b`; stop words out; then the words that are left and each two neighbours
//! among them. Stop words go before the pairs are made, so "cup of tea" gives the pair "cup tea".
//!
//! `stop_words.txt` is scikit-learn's `ENGLISH_STOP_WORDS` to the letter, with its known oddities ("bill",
//! "fire" and "system" are in it): parity is worth more here than a better list, since a name whose every
//! word is a stop word still has its category and tags.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

static STOP_WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("stop_words.txt").lines().collect());

/// Python's `\w` is letters, numbers and the underscore; the `\w` of this crate takes combining marks too, so
/// the classes are spelt out. A greedy run of at least two is what `\b\w\w+\b` finds.
static WORD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{L}\p{N}_]{2,}").expect("the pattern is a constant"));

/// The terms of one text with their repetitions: first the words, then the pairs.
#[must_use]
pub fn terms(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let words: Vec<&str> =
        WORD.find_iter(&text).map(|found| found.as_str()).filter(|word| !STOP_WORDS.contains(word)).collect();
    let pairs = words.windows(2).map(|pair| pair.join(" "));
    words.iter().map(|&word| word.to_owned()).chain(pairs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_before_pairs() {
        assert_eq!(terms("Red Velvet cushion"), ["red", "velvet", "cushion", "red velvet", "velvet cushion"]);
    }

    #[test]
    fn stop_words_and_single_letters_leave_no_gap_in_pairs() {
        assert_eq!(terms("A cup of T tea"), ["cup", "tea", "cup tea"]);
    }

    #[test]
    fn text_without_words_has_no_terms() {
        assert_eq!(terms(" - & ! a "), Vec::<String>::new());
    }
}
