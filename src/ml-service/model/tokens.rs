//! From text to words, as scikit-learn's `TfidfVectorizer` finds them: lowercase, then `(?u)\b\w\w+\b`.
//!
//! `stop_words.txt` is scikit-learn's `ENGLISH_STOP_WORDS` to the letter, with its known oddities ("bill",
//! "fire" and "system" are in it): parity is worth more here than a better list, since a name whose every
//! word is a stop word still has its category and tags.

use std::sync::LazyLock;

use hashbrown::HashSet;
use regex::Regex;

static STOP_WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("stop_words.txt").lines().collect());

/// Python's `\w` is letters, numbers and the underscore; the `\w` of this crate takes combining marks too, so
/// the classes are spelt out. A greedy run of at least two is what `\b\w\w+\b` finds.
static WORD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{L}\p{N}_]{2,}").expect("the pattern is a constant"));

/// Hands on the words of a text in their order, stop words among them.
pub fn words(text: &str, lowercase: bool, mut each: impl FnMut(&str)) {
    if !text.is_ascii() {
        let lowered = if lowercase { &text.to_lowercase() } else { text };
        return WORD.find_iter(lowered).for_each(|found| each(found.as_str()));
    }
    // The same without tables of Unicode, which most text needs not.
    let lowered = if lowercase { &text.to_ascii_lowercase() } else { text };
    let mut rest = lowered;
    while let Some(start) = rest.bytes().position(in_word) {
        rest = &rest[start..];
        let end = rest.bytes().position(|byte| !in_word(byte)).unwrap_or(rest.len());
        if end >= 2 {
            each(&rest[..end]);
        }
        rest = &rest[end..];
    }
}

/// Whether a word is in scikit-learn's English list.
#[must_use]
pub fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(word)
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        words(text, true, |word| found.push(word.to_owned()));
        found
    }

    #[test]
    fn words_are_lowercase_and_of_two_letters_or_more() {
        assert_eq!(found("A cup_of T-Tea, 3D x9!"), ["cup_of", "tea", "3d", "x9"]);
        assert_eq!(found("Café Ünder a é"), ["café", "ünder"]);
        assert!(found(" - & ! a ").is_empty());
    }

    #[test]
    fn case_is_kept_where_asked() {
        let mut kept = Vec::new();
        words("Red ÉCLAIR", false, |word| kept.push(word.to_owned()));
        words("Red", false, |word| kept.push(word.to_owned()));
        assert_eq!(kept, ["Red", "ÉCLAIR", "Red"]);
    }
}
