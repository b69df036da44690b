//! What holds of any catalogue.

use std::collections::HashSet;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use shopmicro_ml_service::interactions::{Interaction, Interactions};
use shopmicro_ml_service::model::blend::{DAY, Evidence, Settings};
use shopmicro_ml_service::model::index::{Found, Index, Query};
use shopmicro_ml_service::model::profile::{History, Kind};
use shopmicro_ml_service::model::tfidf::{self, Document, Options};
use shopmicro_ml_service::model::together::Together;
use shopmicro_ml_service::model::{Catalogue, Model, Product, Suggestion, bytes};
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

/// Documents with their ids.
type Documents = Vec<(Uuid, String)>;

/// Documents, and the same in another order.
fn shuffled_too(texts: Vec<String>) -> impl Strategy<Value = (Documents, Documents)> {
    let pairs: Documents = ids(texts.len()).into_iter().zip(texts).collect();
    (Just(pairs.clone()), Just(pairs).prop_shuffle())
}

/// Products, of which some have tags and some no word at all.
fn products() -> impl Strategy<Value = Vec<Product>> {
    let product = || (text(), text(), 0..4_u32, vec(text(), 0..3));
    let numbered = |(id, (name, description, category, tags)): (u128, (String, String, u32, Vec<String>))| {
        Product { id: Uuid::from_u128(id), name, description, category: format!("category{category}"), tags }
    };
    prop_oneof![vec(product(), 0..12), vec(product(), 50..150)]
        .prop_map(move |products| (0..).zip(products).map(numbered).collect())
}

/// What some customers did, each with products by their places; of the first of them it is asked.
type Done = Vec<Vec<(prop::sample::Index, Kind, i64)>>;

fn done() -> impl Strategy<Value = Done> {
    let kind = prop_oneof![Just(Kind::View), Just(Kind::Cart), Just(Kind::Purchase)];
    vec(vec((any::<prop::sample::Index>(), kind, 0..10_000_000_i64), 0..12), 1..12)
}

fn settings() -> impl Strategy<Value = Settings> {
    let some = |most: f64| prop_oneof![Just(0.0), 0.0..most];
    (some(3.0), some(1.0), some(1.0)).prop_map(|(together, popularity, diversity)| Settings {
        together,
        popularity,
        diversity,
        ..Settings::default()
    })
}

/// What a model answers to the first customer, as the service asks it.
fn personal(
    model: &Model,
    products: usize,
    done: &Done,
    settings: &Settings,
    limit: usize,
) -> (History, Vec<Suggestion>) {
    let mut interactions = Interactions::new(100, DAY);
    let all = (0_u128..).zip(done).flat_map(|(user, events)| events.iter().map(move |event| (user, event)));
    for (number, (user, (product, kind, at))) in all.enumerate().filter(|_| products > 0) {
        interactions.apply(&Interaction {
            cursor: number.to_string(),
            user_id: Uuid::from_u128(user),
            product_id: Uuid::from_u128(product.index(products) as u128),
            kind: Some(*kind),
            at: Timestamp::from_second(*at).expect("a time"),
        });
    }
    interactions.caught_up();
    let (together, ranking) = (Together::new(interactions.purchases()), interactions.ranking());
    let evidence = Evidence { together: &together, sales: &ranking.sales, most: ranking.most() };
    let (_, history) = interactions.user(Uuid::nil()).unwrap_or_default();
    let answer = model.personal(&history, evidence, settings, limit);
    (history, answer)
}

/// What a model answers to a customer and of each product.
fn answers(model: &Model, products: usize, done: &Done, settings: &Settings) -> Vec<Vec<Suggestion>> {
    let mut answers = vec![personal(model, products, done, settings, 20).1];
    answers.extend(ids(products).into_iter().map(|id| model.similar(id, 10).expect("known")));
    answers.push(model.popular(&[(Uuid::from_u128(3), 2.0)], &HashSet::new(), None, 20));
    answers.push(model.popular(&[], &HashSet::new(), Some("category1"), 20));
    answers
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
    fn the_order_of_documents_changes_nothing((pairs, shuffled) in texts().prop_flat_map(shuffled_too)) {
        let (own, texts): (Vec<Uuid>, Vec<String>) = pairs.into_iter().unzip();
        let index = Index::fit(&own, &texts, Options::default());
        let (turned_ids, turned): (Vec<Uuid>, Vec<String>) = shuffled.into_iter().unzip();
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
    fn a_model_that_was_written_and_read_gives_the_same_answers(
        products in products(),
        done in done(),
        settings in settings(),
    ) {
        let count = products.len();
        let model = Model::train(&Catalogue::new(products));
        let written = bytes::write(&model);
        let read = bytes::read(&written, Options::default()).expect("what was written");
        prop_assert_eq!(
            (read.version(), read.products(), read.terms()),
            (model.version(), model.products(), model.terms())
        );
        prop_assert_eq!(answers(&read, count, &done, &settings), answers(&model, count, &done, &settings));
        prop_assert!(bytes::write(&read) == written, "the same file again");
    }

    #[test]
    fn the_order_of_products_changes_no_answer(
        (products, shuffled) in products().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        done in done(),
        settings in settings(),
    ) {
        let count = products.len();
        let (model, other) = (Model::train(&Catalogue::new(products)), Model::train(&Catalogue::new(shuffled)));
        prop_assert_eq!(other.version(), model.version());
        prop_assert_eq!(answers(&other, count, &done, &settings), answers(&model, count, &done, &settings));
    }

    #[test]
    fn what_is_recommended_is_new_and_fits_by_something_from_zero_to_one(
        products in products(),
        done in done(),
        settings in settings(),
        limit in 1..30_usize,
    ) {
        let model = Model::train(&Catalogue::new(products.clone()));
        let (history, found) = personal(&model, products.len(), &done, &settings, limit);
        prop_assert!(found.len() <= limit);
        let distinct: HashSet<Uuid> = found.iter().map(|found| found.product_id).collect();
        prop_assert_eq!(distinct.len(), found.len());
        for found in &found {
            prop_assert!((0.0..=1.0).contains(&found.score), "{found:?}");
            prop_assert!(model.knows(found.product_id) && !history.bought.contains(&found.product_id));
            prop_assert!(found.reason.starts_with("Because you ") || found.reason.starts_with("You "));
        }
        if settings.diversity == 0.0 {
            prop_assert!(found.is_sorted_by(|a, b| a.score >= b.score), "{found:?}");
        }
        if settings.together == 0.0 && settings.popularity == 0.0 && !found.is_empty() {
            prop_assert!((found[0].score - 1.0).abs() < 1e-6, "the nearest is what others are measured by");
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
