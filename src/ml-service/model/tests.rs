use std::fs::File;
use std::io::BufReader;

use flate2::read::GzDecoder;

use super::*;
use crate::model::profile::Event;
use crate::model::tfidf::Document;
use crate::model::together::{Purchases, Together};

fn product(id: u128, name: &str, category: &str) -> Product {
    Product {
        id: Uuid::from_u128(id),
        name: name.to_owned(),
        description: String::new(),
        category: category.to_owned(),
        tags: Vec::new(),
    }
}

fn model() -> Model {
    Model::train(&Catalogue::new(vec![
        product(1, "Red cushion", "Home"),
        product(2, "Blue cushion", "Home"),
        product(3, "Green teapot", "Kitchen"),
        product(4, "Teapot stand", "Kitchen"),
        product(5, "Oak bench", "Garden"),
    ]))
}

fn history(events: &[(u128, Kind)]) -> History {
    let events: Vec<Event> = events
        .iter()
        .map(|&(product, kind)| Event { product: Uuid::from_u128(product), kind, at: 0 })
        .collect();
    let bought = events.iter().filter(|e| e.kind == Kind::Purchase).map(|e| e.product).collect();
    History { events, bought }
}

/// By content alone.
fn personal(history: &History) -> Vec<Suggestion> {
    let (together, sales) = (Together::default(), hashbrown::HashMap::new());
    let evidence = Evidence { together: &together, sales: &sales, most: 0.0 };
    model().personal(history, evidence, &Settings::default(), 10)
}

fn ids(suggestions: &[Suggestion]) -> Vec<u128> {
    suggestions.iter().map(|suggestion| suggestion.product_id.as_u128()).collect()
}

#[test]
fn similar_products_share_terms_and_leave_out_the_product_itself() {
    let found = model().similar(Uuid::from_u128(1), 10).expect("known");
    assert_eq!(ids(&found), [2]);
    assert_eq!(found[0].reason, "Similar to Red cushion");
    assert!(model().similar(Uuid::from_u128(99), 10).is_none());
}

#[test]
fn what_was_bought_is_the_reason_and_is_left_out() {
    let found = personal(&history(&[(1, Kind::Purchase), (3, Kind::View)]));
    assert_eq!(ids(&found), [2, 3, 4]);
    assert_eq!(found[0].reason, "Because you bought Red cushion");
    assert_eq!(found[1].reason, "You looked at it");
    assert_eq!(found[2].reason, "Because you looked at Green teapot");
}

#[test]
fn the_reason_is_the_bought_product_that_contributes_most() {
    let found = personal(&history(&[(1, Kind::Purchase), (3, Kind::Purchase), (2, Kind::Cart)]));
    let reason = |id| &found.iter().find(|s| s.product_id == Uuid::from_u128(id)).expect("found").reason;
    assert_eq!(reason(4), "Because you bought Green teapot");
    assert_eq!(reason(2), "Because you bought Red cushion");
}

#[test]
fn what_was_in_the_cart_is_a_reason_and_may_be_shown_itself() {
    let found = personal(&history(&[(1, Kind::Purchase), (3, Kind::View), (3, Kind::Cart)]));
    let reason = |id| &found.iter().find(|s| s.product_id == Uuid::from_u128(id)).expect("found").reason;
    assert_eq!(reason(2), "Because you bought Red cushion");
    assert_eq!(reason(3), "You had it in your cart");
    assert_eq!(reason(4), "Because you put Green teapot in your cart");
}

/// Of customers' baskets, all bought at the same time. The products' ids are their places.
fn bought_together(customers: &[&[usize]]) -> Together {
    let customers = customers.iter().map(|bought| bought.iter().map(|&id| (id, 0)).collect()).collect();
    let ids = (0..6).map(Uuid::from_u128).collect();
    Together::new(Purchases { ids, customers, now: 0 })
}

/// As the service answers, but for what sells now.
fn personal_beside(history: &History, together: &Together) -> Vec<Suggestion> {
    let sales = hashbrown::HashMap::new();
    let evidence = Evidence { together, sales: &sales, most: 0.0 };
    model().personal(history, evidence, &Settings { popularity: 0.0, ..Settings::default() }, 10)
}

#[test]
fn what_others_bought_beside_it_is_shown_though_nothing_is_like_it() {
    // A customer counts `w = 3^-0.75`. The cushion is as near the bench as `2 w / (2 w + 0.2)^0.7` to the stand's
    // `w / (w + 0.2)^0.7`: by 1 to 0.721.
    let together = bought_together(&[&[1, 5], &[1, 5], &[1, 4]]);
    let found = personal_beside(&history(&[(1, Kind::Purchase)]), &together);
    assert_eq!(ids(&found), [5, 4, 2]);
    let w = 3_f64.powf(-0.75);
    let nearness = 0.5 * ((2.0 * w + 0.2) / (w + 0.2)).powf(0.7);
    for (found, expected) in found.iter().zip([1.4 / 2.4, 1.4 * nearness / 2.4, 1.0 / 2.4]) {
        assert!((f64::from(found.score) - expected).abs() < 1e-6, "{found:?} is not {expected}");
        assert_eq!(found.reason, "Because you bought Red cushion");
    }
}

#[test]
fn what_was_bought_together_adds_to_likeness_and_never_brings_back_what_was_bought() {
    let together = bought_together(&[&[1, 2], &[1, 3]]);
    let found = personal_beside(&history(&[(1, Kind::Purchase), (3, Kind::Purchase)]), &together);
    assert_eq!(ids(&found), [2, 4]);
    assert!((found[0].score - 1.0).abs() < 1e-6, "the best by both signs: {found:?}");
    assert_eq!(found[0].reason, "Because you bought Red cushion");
    assert_eq!(found[1].reason, "Because you bought Green teapot");
}

#[test]
fn the_reason_beside_which_it_was_bought_is_the_nearest_however_often_that_was_bought() {
    // The bench is nearer to the teapot, whose only buyer has it, than to the cushion, of whose two buyers one has.
    let together = bought_together(&[&[1, 5], &[3, 5], &[1, 2]]);
    let often = [(1, Kind::Purchase); 10].into_iter().chain([(3, Kind::Purchase)]).collect::<Vec<_>>();
    let found = personal_beside(&history(&often), &together);
    let bench = found.iter().find(|found| found.product_id == Uuid::from_u128(5)).expect("found");
    assert_eq!(bench.reason, "Because you bought Green teapot");
}

#[test]
fn what_is_bought_beside_the_cart_or_what_was_looked_at_says_so() {
    let together = bought_together(&[&[3, 5]]);
    let reason = |kind| {
        let found = personal_beside(&history(&[(3, kind)]), &together);
        found.into_iter().find(|found| found.product_id == Uuid::from_u128(5)).expect("found").reason
    };
    assert_eq!(reason(Kind::Cart), "Because you put Green teapot in your cart");
    assert_eq!(reason(Kind::View), "Because you looked at Green teapot");
}

#[test]
fn without_weight_what_was_bought_together_brings_nothing() {
    let (together, sales) = (bought_together(&[&[1, 5]]), hashbrown::HashMap::new());
    let evidence = Evidence { together: &together, sales: &sales, most: 0.0 };
    let settings = Settings { together: 0.0, ..Settings::default() };
    let found = model().personal(&history(&[(1, Kind::Purchase)]), evidence, &settings, 10);
    assert_eq!(ids(&found), [2]);
}

#[test]
fn what_sells_now_comes_first_among_what_fits_alike() {
    let catalogue = ["Red cushion", "Blue cushion", "Pink cushion"].map(str::to_owned);
    let products = (1..).zip(&catalogue).map(|(id, name)| product(id, name, "Home"));
    let model = Model::train(&Catalogue::new(products.collect()));
    let together = Together::default();
    let sales = hashbrown::HashMap::from([(Uuid::from_u128(3), 7.5)]);
    let evidence = Evidence { together: &together, sales: &sales, most: 7.5 };
    let settings = Settings { together: 0.0, ..Settings::default() };
    let found = model.personal(&history(&[(1, Kind::Purchase)]), evidence, &settings, 10);
    assert_eq!(ids(&found), [3, 2]);
    // Half a buyer of eight, to the power of a quarter, is a half.
    assert!((found[0].score - 1.0).abs() < 1e-6 && (found[1].score - 0.5).abs() < 1e-6, "{found:?}");
}

#[test]
fn a_customer_of_products_that_are_gone_gets_nothing_personal() {
    assert!(personal(&history(&[(77, Kind::Purchase)])).is_empty());
    assert!(personal(&History::default()).is_empty());
}

#[test]
fn popular_products_come_first_then_the_range_by_turns() {
    let ranking = [(Uuid::from_u128(77), 9.0), (Uuid::from_u128(4), 8.0), (Uuid::from_u128(5), 2.0)];
    let excluded = HashSet::from([Uuid::from_u128(1)]);
    let found = model().popular(&ranking, &excluded, None, 10);
    assert_eq!(ids(&found), [4, 5, 2, 3]);
    assert_eq!(found.iter().map(|s| s.score).collect::<Vec<_>>(), [1.0, 0.25, 0.0, 0.0]);
    assert_eq!(found[0].reason, "Popular now");
    assert_eq!(found[2].reason, "From our range");
    assert_eq!(ids(&model().popular(&ranking, &excluded, None, 1)), [4]);
}

#[test]
fn a_model_that_follows_is_the_one_that_training_gives() {
    let products = |changed: &[(u128, &str)], gone: u128| {
        let mut all: Vec<Product> = (1..=200)
            .map(|n| {
                product(n, &format!("Mug {} of {}", n % 9, n % 31), if n % 2 == 0 { "Home" } else { "Bar" })
            })
            .collect();
        all.retain(|product| product.id != Uuid::from_u128(gone));
        for &(id, name) in changed {
            all.retain(|product| product.id != Uuid::from_u128(id));
            all.push(product(id, name, "New"));
        }
        Catalogue::new(all)
    };
    let first = Model::train(&products(&[], 0));
    let catalogue = products(&[(7, "Red cushion"), (300, "Blue cushion"), (301, "Mug 3 of 3")], 9);
    let followed = first.followed(&catalogue, 10).expect("four changes");
    let again = followed.followed(&catalogue, 10).expect("none");
    let trained = Model::train(&catalogue);
    for model in [&followed, &again] {
        assert_eq!((model.version(), model.products()), (trained.version(), 201));
        assert!(!model.knows(Uuid::from_u128(9)));
        for id in [1, 7, 50, 300, 301].map(Uuid::from_u128) {
            let scores = |model: &Model| -> Vec<f32> {
                model.similar(id, 10).expect("known").iter().map(|found| found.score).collect()
            };
            assert!(scores(model).iter().zip(scores(&trained)).all(|(a, b)| (a - b).abs() < 1e-6));
        }
        let range = model.popular(&[], &HashSet::new(), None, 3);
        assert_eq!(range[2].reason, "From our range");
        assert_eq!(ids(&range), ids(&trained.popular(&[], &HashSet::new(), None, 3)));
    }
    assert_eq!(
        followed.similar(Uuid::from_u128(300), 1).expect("known")[0].reason,
        "Similar to Blue cushion"
    );
    assert!(first.followed(&catalogue, 3).is_none(), "more changes than wanted");
    let emptied = first.followed(&products(&[(7, "the")], 0), 10).expect("one change");
    assert!(emptied.similar(Uuid::from_u128(7), 5).expect("known").len() <= 5);
}

#[test]
fn a_category_has_its_own_popular_products() {
    let ranking = [(Uuid::from_u128(4), 8.0), (Uuid::from_u128(2), 2.0)];
    let of = |category| ids(&model().popular(&ranking, &HashSet::new(), Some(category), 10));
    assert_eq!(of("Home"), [2, 1]);
    assert_eq!(of("Garden"), [5]);
    assert!(of("Elsewhere").is_empty());
}

#[test]
fn what_sold_so_long_ago_that_it_counts_nothing_has_a_score_of_nothing() {
    let ranking = [(Uuid::from_u128(5), 1.0), (Uuid::from_u128(4), 0.0), (Uuid::from_u128(3), 0.0)];
    let found = model().popular(&ranking, &HashSet::new(), Some("Kitchen"), 10);
    assert_eq!(ids(&found), [4, 3]);
    assert!(found.iter().all(|suggestion| suggestion.score.to_bits() == 0), "{found:?}");
}

#[test]
fn the_version_follows_the_content_and_not_the_order() {
    let (a, b) = (product(1, "Red cushion", "Home"), product(2, "Blue cushion", "Home"));
    let version = |products: &[&Product]| {
        Catalogue::new(products.iter().map(|&product| product.clone()).collect()).version().to_owned()
    };
    let changed = product(2, "Blue cushions", "Home");
    assert_eq!(version(&[&a, &b]), version(&[&b, &a, &b]));
    assert_ne!(version(&[&a, &b]), version(&[&a, &changed]));
    assert_eq!(version(&[]).len(), 12);
}

#[test]
fn an_empty_catalogue_makes_a_model_that_answers_nothing() {
    let model = Model::train(&Catalogue::new(Vec::new()));
    assert_eq!((model.products(), model.terms()), (0, 0));
    assert!(model.popular(&[(Uuid::from_u128(1), 1.0)], &HashSet::new(), None, 10).is_empty());
}

#[test]
fn a_catalogue_that_becomes_empty_is_not_followed_but_trained_on() {
    let nothing = Catalogue::new(Vec::new());
    let trained = Model::train(&Catalogue::new(vec![product(1, "Red cushion", "Home")]));
    let grown = Catalogue::new(vec![product(1, "Red cushion", "Home"), product(2, "Blue cushion", "Home")]);
    // A row that came since the training has no text to go back to.
    let followed = trained.followed(&grown, 10).expect("one change");
    for model in [&trained, &followed, &Model::train(&nothing)] {
        assert!(model.followed(&nothing, 10).is_none());
    }
    let again = Model::train(&nothing).followed(&grown, 10).expect("two changes");
    assert_eq!(ids(&again.similar(Uuid::from_u128(1), 10).expect("known")), [2]);
}

#[derive(Deserialize)]
struct Golden {
    stop_words: Vec<String>,
    analysed: Vec<Analysed>,
    texts: Fit<String>,
    options: Vec<Fit<String>>,
    products: Fit<GoldenProduct>,
}

#[derive(Deserialize)]
struct Analysed {
    text: String,
    terms: Vec<String>,
}

#[derive(Deserialize)]
struct GoldenProduct {
    name: String,
    description: String,
    category: String,
    tags: Vec<String>,
}

/// What differs from the default options.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Changed {
    stop_words: Option<String>,
    ngram_range: (u8, u8),
    sublinear_tf: bool,
    lowercase: bool,
    min_df: u32,
    max_df: f64,
}

impl Default for Changed {
    fn default() -> Self {
        Self {
            stop_words: Some("english".to_owned()),
            ngram_range: (1, 2),
            sublinear_tf: true,
            lowercase: true,
            min_df: 1,
            max_df: 1.0,
        }
    }
}

impl Changed {
    fn options(&self) -> Options {
        Options {
            stop_words: self.stop_words.is_some(),
            bigrams: self.ngram_range.1 == 2,
            sublinear_tf: self.sublinear_tf,
            lowercase: self.lowercase,
            min_df: self.min_df,
            max_df: self.max_df,
        }
    }
}

#[derive(Deserialize)]
struct Fit<D> {
    #[serde(default)]
    options: Changed,
    documents: Vec<D>,
    vocabulary: Vec<String>,
    idf: Vec<f64>,
    rows: Vec<Vec<(u32, f64)>>,
    similarities: Vec<Vec<f32>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../tests/golden/tfidf.json")).expect("written by make.py")
}

fn products(documents: Vec<GoldenProduct>) -> Vec<Product> {
    let product = |(id, p): (u128, GoldenProduct)| Product {
        id: Uuid::from_u128(id),
        name: p.name,
        description: p.description,
        category: p.category,
        tags: p.tags,
    };
    (0..).zip(documents).map(product).collect()
}

/// The documents' ids are their places.
fn assert_same_fit<D: Document>(expected: &Fit<D>) {
    let ids: Vec<Uuid> = (0..).take(expected.documents.len()).map(Uuid::from_u128).collect();
    let index = Index::fit(&ids, &expected.documents, expected.options.options());
    let (_, vocabulary, ..) = index.fitted();
    let terms = u32::try_from(vocabulary.len()).expect("few");
    assert_eq!((0..terms).map(|term| vocabulary.name(term)).collect::<Vec<_>>(), expected.vocabulary);
    for (term, expected) in (0..terms).zip(&expected.idf) {
        assert!((index.idf(term) - expected).abs() < 1e-12, "{} is not {expected}", index.idf(term));
    }
    for (id, expected) in (0..).zip(&expected.rows) {
        let row: Vec<_> = index.weights(index.row_of(Uuid::from_u128(id)).expect("known")).collect();
        assert_eq!(row.len(), expected.len());
        for ((term, weight), &(column, expected)) in row.into_iter().zip(expected) {
            assert_eq!(term, column);
            assert!((weight - expected).abs() < 1e-12, "{weight} is not {expected}");
        }
    }
}

#[test]
fn terms_are_those_of_scikit_learn() {
    let golden = golden();
    assert_eq!(include_str!("stop_words.txt").lines().collect::<Vec<_>>(), golden.stop_words);
    for Analysed { text, terms } in golden.analysed {
        let found = tfidf::terms(&text, &Options::default());
        let found = found.into_iter().map(|(first, second)| {
            second.map_or_else(|| first.clone(), |second| format!("{first} {second}"))
        });
        assert_eq!(found.collect::<Vec<_>>(), terms, "{text}");
    }
}

#[test]
fn weights_of_texts_are_those_of_scikit_learn() {
    assert_same_fit(&golden().texts);
}

#[test]
fn every_option_does_what_it_does_in_scikit_learn() {
    let options = golden().options;
    assert_eq!(options.len(), 7);
    options.iter().for_each(assert_same_fit);
}

#[test]
fn weights_of_products_are_those_of_scikit_learn() {
    let Fit { options, vocabulary, idf, rows, similarities, .. } = golden().products;
    let documents = products(golden().products.documents);
    assert_same_fit(&Fit { options, documents, vocabulary, idf, rows, similarities });
}

/// A whole catalogue, with the nearest ten of each product, and others that are as near as the tenth.
#[derive(Deserialize)]
struct GoldenCatalogue {
    documents: Vec<GoldenProduct>,
    vocabulary: Vec<String>,
    idf: Vec<f64>,
    rows: Vec<Vec<(u32, f64)>>,
    nearest: Vec<Vec<(u128, f32)>>,
}

fn assert_same_catalogue(compressed: impl std::io::Read) {
    let GoldenCatalogue { documents, vocabulary, idf, rows, nearest } =
        serde_json::from_reader(BufReader::new(GzDecoder::new(compressed))).expect("written by make.py");
    let documents = products(documents);
    assert!(documents.len() > 200);
    let model = Model::train(&Catalogue::new(documents.clone()));
    let options = Changed::default();
    assert_same_fit(&Fit { options, documents, vocabulary, idf, rows, similarities: Vec::new() });
    for (asked, expected) in (0..).zip(&nearest) {
        let found = model.similar(Uuid::from_u128(asked), 10).expect("known");
        assert_eq!(found.len(), expected.len().min(10), "{asked}");
        let distinct: HashSet<Uuid> = found.iter().map(|suggestion| suggestion.product_id).collect();
        assert_eq!(distinct.len(), found.len(), "{asked}");
        for (suggestion, &(_, score)) in found.iter().zip(expected) {
            assert!((suggestion.score - score).abs() < 1e-5, "{asked}: {suggestion:?} is not {score}");
            // Equal ones may change places by what rounding did to them.
            let same = |&&(other, _): &&(u128, f32)| suggestion.product_id == Uuid::from_u128(other);
            let (_, near) = expected.iter().find(same).unwrap_or_else(|| panic!("{asked}: {suggestion:?}"));
            assert!((suggestion.score - near).abs() < 1e-6, "{asked}: {suggestion:?} is not {near}");
        }
    }
}

#[test]
fn weights_and_nearest_of_the_demo_catalogue_are_those_of_scikit_learn() {
    assert_same_catalogue(include_bytes!("../tests/golden/demo.json.gz").as_slice());
}

#[test]
#[ignore = "needs target/golden/retail.json.gz, which tests/bench/check makes of the retail data and runs this with"]
fn weights_and_nearest_of_the_retail_catalogue_are_those_of_scikit_learn() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/golden/retail.json.gz");
    assert_same_catalogue(File::open(path).expect("made by tests/bench/check"));
}

#[test]
fn similar_products_are_the_exact_nearest_by_scikit_learn() {
    let similarities = golden().products.similarities;
    let model = Model::train(&Catalogue::new(products(golden().products.documents)));
    for (asked, cosines) in (0..).zip(similarities) {
        let mut expected: Vec<(u128, f32)> =
            (0..).zip(cosines).filter(|&(other, cosine)| other != asked && cosine > 0.0).collect();
        expected.sort_by(|a, b| b.1.total_cmp(&a.1));
        let found = model.similar(Uuid::from_u128(asked), 10).expect("known");
        assert_eq!(ids(&found), expected.iter().map(|&(id, _)| id).collect::<Vec<_>>());
        for (suggestion, (_, cosine)) in found.iter().zip(expected) {
            assert!((suggestion.score - cosine).abs() < 1e-6);
        }
    }
}
