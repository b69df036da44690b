//! Any texts become terms, whatever the options, and a fit counts each of them.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use shopmicro_ml_service::model::tfidf::{self, Options};

fuzz_target!(|input: (bool, bool, bool, Vec<&str>)| {
    let (lowercase, stop_words, bigrams, texts) = input;
    let options = Options { lowercase, stop_words, bigrams, ..Options::default() };
    let (vocabulary, counts) = tfidf::fit(&texts, &options);
    assert_eq!(counts.rows(), texts.len());
    let mut all = BTreeSet::new();
    for (row, text) in texts.iter().enumerate() {
        let mut expected: BTreeMap<u32, usize> = BTreeMap::new();
        for (first, second) in tfidf::terms(text, &options) {
            assert!(first.chars().count() >= 2, "{first}");
            assert!(second.as_ref().is_none_or(|second| bigrams && second.chars().count() >= 2));
            let term = vocabulary.term(&first, second.as_deref()).expect("a term of the vocabulary");
            let name = second.map_or_else(|| first.clone(), |second| format!("{first} {second}"));
            assert_eq!(vocabulary.name(term), name);
            *expected.entry(term).or_default() += 1;
            all.insert(term);
        }
        let counted = counts.row(row).map(|(term, times)| (term, usize::from(times)));
        assert!(
            counted.eq(expected.into_iter().map(|(term, times)| (term, times.min(usize::from(u16::MAX)))))
        );
    }
    assert_eq!(vocabulary.len(), all.len(), "terms that nothing has");
});
