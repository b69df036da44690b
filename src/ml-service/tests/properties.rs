//! What holds of any catalogue.

use proptest::collection::vec;
use proptest::prelude::*;
use shopmicro_ml_service::model::index::{Found, Index, Query};
use shopmicro_ml_service::model::tfidf::{self, Document, Options};
use shopmicro_ml_service::model::{Catalogue, Model, Product, bytes};
use uuid::Uuid;

/// A text of words of which some are in most texts and some in few, so that each set of frequent terms matters.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => (0..3_u32).prop_map(|n| format!("common{n}")),
        3 => (0..20_u32).prop_map(|n| format!("usual{n}")),
        2 => (0..400_u32).prop_map(|n| format!("rare{n}")),
        1 => Just("the".to_owned()),
    ];
    vec(word, 0..9).prop_map(|words| words.join(" "))
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![vec(text(), 0..12), vec(text(), 200..600)]
}

fn ids(count: usize) -> Vec<Uuid> {
    (0..).take(count).map(Uuid::from_u128).collect()
}

fn fit<D: Document>(texts: &[D]) -> Index {
    Index::fit(&ids(texts.len()), texts, Options::default())
}

/// The best by looking at each.
fn by_hand(index: &Index, query: &Query, limit: usize, wanted: impl Fn(u32) -> bool) -> Vec<Found> {
    let rows: Vec<u32> = index.rows().filter(|&row| wanted(row)).collect();
    let found = rows.iter().zip(index.cosines(query, &rows)).map(|(&row, score)| Found { row, score });
    let mut found: Vec<Found> = found.filter(|found| found.score > 0.0).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(index.id_of(a.row).cmp(&index.id_of(b.row))));
    found.truncate(limit);
    found
}

/// The dot product of two rows as they are told.
fn dot(index: &Index, one: u32, other: u32) -> f64 {
    let other: std::collections::BTreeMap<u32, f64> = index.weights(other).collect();
    index.weights(one).filter_map(|(term, weight)| Some(weight * other.get(&term)?)).sum()
}

/// Two indexes give the same answers, up to rounding. Documents of equal score may change places.
fn assert_same_answers(one: &Index, other: &Index, asked: &[u32]) -> Result<(), TestCaseError> {
    prop_assert_eq!(one.len(), other.len());
    for &row in asked {
        let id = one.id_of(row);
        let there = other.row_of(id).expect("in both");
        let (here_query, there_query) = (one.query_of(row), other.query_of(there));
        let here = one.search(&here_query, 10, |found| found != row);
        let found = other.search(&there_query, 10, |found| found != there);
        prop_assert_eq!(here.len(), found.len());
        for (here, found) in here.iter().zip(&found) {
            prop_assert!((here.score - found.score).abs() < 1e-6, "{here:?} {found:?}");
            let again = other.row_of(one.id_of(here.row)).expect("in both");
            prop_assert!((other.cosine(&there_query, again) - here.score).abs() < 1e-6);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_search_finds_exactly_the_nearest(texts in texts(), limit in 1..30_usize, picked in any::<u64>()) {
        let index = fit(&texts);
        let rows: Vec<u32> = index.rows().collect();
        for &row in rows.iter().skip(usize::try_from(picked % 7).expect("small")).step_by(37) {
            let query = index.query_of(row);
            prop_assert_eq!(
                index.search(&query, limit, |other| other != row),
                by_hand(&index, &query, limit, |other| other != row)
            );
        }
        let parts = rows.iter().step_by(11).map(|&row| (row, 0.1 + f64::from(row % 5)));
        if let Some(query) = index.query_of_sum(parts) {
            let odd = |row: u32| !row.is_multiple_of(11);
            prop_assert_eq!(index.search(&query, limit, odd), by_hand(&index, &query, limit, odd));
        }
    }

    #[test]
    fn cosines_are_symmetric_and_from_zero_to_one(texts in vec(text(), 2..40)) {
        let index = fit(&texts);
        for one in index.rows() {
            let length: f64 = index.weights(one).map(|(_, weight)| weight * weight).sum();
            prop_assert!(length == 0.0 || (length - 1.0).abs() < 1e-9, "{length}");
            let query = index.query_of(one);
            for other in index.rows() {
                let cosine = index.cosine(&query, other);
                prop_assert!((0.0..=1.0).contains(&cosine));
                prop_assert_eq!(cosine.to_bits(), index.cosine(&index.query_of(other), one).to_bits());
                prop_assert!((f64::from(cosine) - dot(&index, one, other)).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn the_order_of_documents_changes_nothing(texts in texts(), turn in any::<prop::sample::Index>()) {
        let index = fit(&texts);
        let (mut turned, mut turned_ids) = (texts.clone(), ids(texts.len()));
        if !texts.is_empty() {
            turned.rotate_left(turn.index(texts.len()));
            turned_ids.rotate_left(turn.index(texts.len()));
        }
        let other = Index::fit(&turned_ids, &turned, Options::default());
        prop_assert_eq!(index.terms(), other.terms());
        for row in index.rows().step_by(5) {
            let there = other.row_of(index.id_of(row)).expect("in both");
            prop_assert_eq!(index.weights(row).collect::<Vec<_>>(), other.weights(there).collect::<Vec<_>>());
            let names = |index: &Index, row: u32| -> Vec<(Uuid, u32)> {
                let found = index.search(&index.query_of(row), 10, |_| true);
                found.iter().map(|found| (index.id_of(found.row), found.score.to_bits())).collect()
            };
            prop_assert_eq!(names(&index, row), names(&other, there));
        }
    }

    #[test]
    fn changes_one_by_one_give_what_a_fit_gives(
        texts in texts(),
        changes in vec((0..700_u128, proptest::option::of(text())), 1..25),
        together in any::<bool>(),
    ) {
        let mut index = fit(&texts);
        let mut wanted: std::collections::BTreeMap<Uuid, String> = ids(texts.len()).into_iter().zip(texts).collect();
        let changes: Vec<(Uuid, Option<String>)> =
            changes.into_iter().map(|(id, text)| (Uuid::from_u128(id), text)).collect();
        if together {
            index = index.changed(&changes);
        } else {
            for change in changes.chunks(1) {
                index = index.changed(change);
            }
        }
        for (id, text) in changes {
            match text {
                Some(text) => wanted.insert(id, text),
                None => wanted.remove(&id),
            };
        }
        let (ids, texts): (Vec<Uuid>, Vec<String>) = wanted.into_iter().unzip();
        let fitted = Index::fit(&ids, &texts, Options::default());
        let asked: Vec<u32> = index.rows().step_by(13).chain(index.rows().rev_last(3)).collect();
        assert_same_answers(&index, &fitted, &asked)?;
        for row in asked {
            let query = index.query_of(row);
            prop_assert_eq!(index.search(&query, 10, |_| true), by_hand(&index, &query, 10, |_| true));
        }
    }

    #[test]
    fn what_was_removed_was_never_there(texts in texts(), extra in text(), odd in any::<bool>()) {
        let index = fit(&texts);
        let id = Uuid::from_u128(if odd { 0 } else { u128::MAX });
        if odd {
            let mut more = texts.clone();
            more.insert(0, extra);
            let more_ids = ids(more.len());
            let without = Index::fit(&more_ids[1..], &texts, Options::default());
            let removed = Index::fit(&more_ids, &more, Options::default()).changed(&[(id, None::<String>)]);
            let asked: Vec<u32> = removed.rows().step_by(9).collect();
            assert_same_answers(&removed, &without, &asked)?;
            prop_assert!(removed.row_of(id).is_none());
        } else {
            let removed = index.changed(&[(id, Some(extra))]).changed(&[(id, None::<String>)]);
            let asked: Vec<u32> = removed.rows().step_by(9).collect();
            assert_same_answers(&removed, &index, &asked)?;
            prop_assert!(removed.row_of(id).is_none());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_is_written_becomes_terms(text in any::<String>(), other in "[ -~]{0,40}") {
        for text in [text, other] {
            let options = Options::default();
            let index = fit(&[&text]);
            let expected: std::collections::BTreeSet<_> = tfidf::terms(&text, &options).into_iter().collect();
            prop_assert_eq!(index.terms(), expected.len());
            for (first, second) in expected {
                prop_assert!(first.chars().count() >= 2 && !first.contains(' '), "{first}");
                prop_assert!(second.is_none_or(|second| second.chars().count() >= 2));
            }
        }
    }

    #[test]
    fn whatever_a_file_holds_is_refused_or_answers(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        noise in vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(bytes::read(&noise, Options::default()).is_err());
        prop_assert!(bytes::read_content(&noise, Options::default()).is_err());
        let products = (0..9).map(|number| Product {
            id: Uuid::from_u128(number),
            name: format!("Mug {} of {}", number % 2, number % 3),
            description: String::new(),
            category: "Küche".to_owned(),
            tags: Vec::new(),
        });
        let written = bytes::write(&Model::train(&Catalogue::new(products.collect())));
        // Behind header and checksum.
        let mut content = written[48..].to_vec();
        for (place, byte) in changes {
            let place = place.index(content.len());
            content[place] = byte;
        }
        if let Some(cut) = cut {
            content.truncate(cut.index(content.len()));
        }
        if let Ok(model) = bytes::read_content(&content, Options::default()) {
            for row in model.index().rows() {
                let found = model.similar(model.index().id_of(row), 5).expect("known");
                prop_assert!(found.iter().all(|found| (0.0..=1.0).contains(&found.score)));
            }
        }
    }
}

/// The last few of an iterator.
trait RevLast: Iterator<Item = u32> + Sized {
    fn rev_last(self, count: usize) -> impl Iterator<Item = u32> {
        let all: Vec<u32> = self.collect();
        let from = all.len().saturating_sub(count);
        all.into_iter().skip(from)
    }
}

impl<I: Iterator<Item = u32>> RevLast for I {}
