//! Any text becomes terms, whatever the options.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shopmicro_ml_service::model::tfidf::{self, Options};

fuzz_target!(|input: (bool, bool, bool, &str)| {
    let (lowercase, stop_words, bigrams, text) = input;
    let options = Options { lowercase, stop_words, bigrams, ..Options::default() };
    for (first, second) in tfidf::terms(text, &options) {
        assert!(first.chars().count() >= 2, "{first}");
        assert!(second.is_none_or(|second| bigrams && second.chars().count() >= 2));
    }
});
