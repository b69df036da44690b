//! The recommender: a catalogue turned into vectors once, then only read.
//!
//! A product's document is its name (twice, since it says most), description, category and tags, each field
//! analysed by itself, so that no pair of words reaches from one field into the next. [`tokens`] and
//! [`tfidf`] make vectors of the documents, [`index`] scores them, [`profile`] makes a vector of a customer,
//! [`popular`] ranks what sells.

pub mod index;
pub mod popular;
pub mod profile;
pub mod tfidf;
pub mod tokens;

use std::collections::{BTreeMap, HashMap, HashSet};

use nalgebra_sparse::CsrMatrix;
use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::index::{Index, top};
use self::profile::{History, Kind, Profile};

/// Part of every model's version: to be changed whenever the same catalogue would give other answers than
/// before.
const ALGORITHM: &str = "tfidf 1";

/// A product as the backend's catalogue stream tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id in the shop.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its one category.
    pub category: String,
    /// Its tags.
    pub tags: Vec<String>,
}

impl Product {
    fn terms(&self) -> Vec<String> {
        [&self.name, &self.name, &self.description, &self.category]
            .into_iter()
            .chain(&self.tags)
            .flat_map(|field| tokens::terms(field))
            .collect()
    }
}

/// A whole catalogue, in the order of the ids, with the version that a model of it has.
#[derive(Debug)]
pub struct Catalogue {
    version: String,
    products: Vec<Product>,
}

impl Catalogue {
    /// The order in which products come makes no difference. Runs in the current rayon pool.
    #[must_use]
    pub fn new(mut products: Vec<Product>) -> Self {
        products.par_sort_by_key(|product| product.id);
        products.dedup_by_key(|product| product.id);
        let mut digest = Sha256::new_with_prefix(ALGORITHM);
        for product in &products {
            // A product is plain data, which JSON can always hold.
            digest.update(serde_json::to_vec(product).unwrap_or_default());
        }
        let head = digest.finalize()[..6].iter().fold(0_u64, |head, &byte| head << 8 | u64::from(byte));
        Self { version: format!("{head:012x}"), products }
    }

    /// The first twelve hexadecimal digits of a hash of the content: replicas that read the same catalogue
    /// agree on it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// How an answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// From what the customer did.
    Personal,
    /// From what everybody buys.
    Popular,
    /// From one product.
    Similar,
}

impl Strategy {
    /// The name in answers and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Popular => "popular",
            Self::Similar => "similar",
        }
    }
}

/// A product to show, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The product.
    pub product_id: Uuid,
    /// How well it fits, from 0 to 1, comparable within one answer.
    pub score: f32,
    /// Why, for a person.
    pub reason: String,
}

#[derive(Debug)]
struct Item {
    id: Uuid,
    name: String,
}

/// A trained model. Immutable: retraining makes another.
#[derive(Debug)]
pub struct Model {
    version: String,
    items: Vec<Item>,
    rows: HashMap<Uuid, usize>,
    weights: CsrMatrix<f32>,
    index: Index,
    /// Every row, the categories taking turns: what a shop shows that has sold nothing yet.
    range: Vec<usize>,
}

impl Model {
    /// Trains on a catalogue, in the current rayon pool.
    #[must_use]
    pub fn train(catalogue: Catalogue) -> Self {
        let Catalogue { version, products } = catalogue;
        let weights = tfidf::fit(&products, Product::terms).weights;
        Self {
            version,
            index: Index::new(&weights),
            weights,
            rows: products.iter().enumerate().map(|(row, product)| (product.id, row)).collect(),
            range: in_turns(&products),
            items: products.into_iter().map(|product| Item { id: product.id, name: product.name }).collect(),
        }
    }

    /// See [`Catalogue::version`].
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many products it knows.
    #[must_use]
    pub fn products(&self) -> usize {
        self.items.len()
    }

    /// How many terms its products have.
    #[must_use]
    pub fn terms(&self) -> usize {
        self.weights.ncols()
    }

    /// Whether it knows a product.
    #[must_use]
    pub fn knows(&self, product: Uuid) -> bool {
        self.rows.contains_key(&product)
    }

    /// The nearest products by cosine, the exact ones; nothing for an unknown product.
    #[must_use]
    pub fn similar(&self, product: Uuid, limit: usize) -> Option<Vec<Suggestion>> {
        let &asked = self.rows.get(&product)?;
        let row = self.weights.row(asked);
        let question = row.col_indices().iter().copied().zip(row.values().iter().copied());
        let scores = self.index.scores(question);
        let reason = format!("Similar to {}", self.items[asked].name);
        let found = top(&scores, limit, |row| row != asked);
        Some(found.into_iter().map(|(row, score)| self.suggestion(row, score, reason.clone())).collect())
    }

    /// What fits what a customer did, without what they bought; nothing where that says nothing about the
    /// products of today.
    #[must_use]
    pub fn personal(&self, history: &History, limit: usize) -> Vec<Suggestion> {
        let Some(profile) = Profile::new(&history.events, &self.rows, &self.weights) else {
            return Vec::new();
        };
        let question = profile.vector.iter().copied().enumerate().filter(|&(_, weight)| weight > 0.0);
        let scores = self.index.scores(question);
        top(&scores, limit, |row| !history.bought.contains(&self.items[row].id))
            .into_iter()
            .map(|(row, score)| self.suggestion(row, score, self.reason(&profile, row)))
            .collect()
    }

    /// The best of a ranking that are in the catalogue and not excluded, then, where too few were sold,
    /// others from the whole range.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "scores are 32 bits")]
    pub fn popular(
        &self,
        ranking: &[(Uuid, f64)],
        excluded: &HashSet<Uuid>,
        limit: usize,
    ) -> Vec<Suggestion> {
        let sold: Vec<(usize, f64)> = ranking
            .iter()
            .filter(|(product, _)| !excluded.contains(product))
            .filter_map(|&(product, units)| Some((*self.rows.get(&product)?, units)))
            .take(limit)
            .collect();
        let most = sold.first().map_or(1.0, |&(_, units)| units);
        let taken: HashSet<usize> = sold.iter().map(|&(row, _)| row).collect();
        let others = self
            .range
            .iter()
            .filter(|&row| !taken.contains(row) && !excluded.contains(&self.items[*row].id))
            .map(|&row| self.suggestion(row, 0.0, "From our range".to_owned()));
        sold.iter()
            .map(|&(row, units)| self.suggestion(row, (units / most) as f32, "Popular now".to_owned()))
            .chain(others)
            .take(limit)
            .collect()
    }

    fn suggestion(&self, row: usize, score: f32, reason: String) -> Suggestion {
        // Rounding may take the cosine of equal vectors a little above one.
        Suggestion { product_id: self.items[row].id, score: score.min(1.0), reason }
    }

    /// Names what contributed most to a product's score: something bought, else something else that the
    /// customer dealt with.
    fn reason(&self, profile: &Profile, row: usize) -> String {
        let strongest = |bought: bool| {
            profile
                .sources
                .iter()
                .filter(|source| source.row != row && (source.kind == Kind::Purchase) == bought)
                .map(|source| (source, source.weight * self.cosine(source.row, row)))
                .filter(|&(_, contribution)| contribution > 0.0)
                .max_by(|a, b| a.1.total_cmp(&b.1))
        };
        if let Some((source, _)) = strongest(true).or_else(|| strongest(false)) {
            let name = &self.items[source.row].name;
            return match source.kind {
                Kind::Purchase => format!("Because you bought {name}"),
                Kind::Cart => format!("Because you put {name} in your cart"),
                Kind::View => format!("Because you looked at {name}"),
            };
        }
        let itself = profile.sources.iter().find(|source| source.row == row).map(|source| source.kind);
        match itself {
            Some(Kind::Cart) => "You had it in your cart".to_owned(),
            _ => "You looked at it".to_owned(),
        }
    }

    /// The product of two rows of unit length, whose columns are in order.
    fn cosine(&self, one: usize, other: usize) -> f32 {
        let (one, other) = (self.weights.row(one), self.weights.row(other));
        let (mut i, mut j, mut sum) = (0, 0, 0.0);
        while let (Some(a), Some(b)) = (one.col_indices().get(i), other.col_indices().get(j)) {
            if a == b {
                sum += one.values()[i] * other.values()[j];
            }
            i += usize::from(a <= b);
            j += usize::from(b <= a);
        }
        sum
    }
}

/// The rows of the products, one of each category in turn.
fn in_turns(products: &[Product]) -> Vec<usize> {
    let mut categories: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows: Vec<(usize, &str, usize)> = products
        .iter()
        .enumerate()
        .map(|(row, product)| {
            let before = categories.entry(&product.category).or_insert(0);
            *before += 1;
            (*before, product.category.as_str(), row)
        })
        .collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, _, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::profile::Event;

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
        Model::train(Catalogue::new(vec![
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
        let found = model().personal(&history(&[(1, Kind::Purchase), (3, Kind::View)]), 10);
        assert_eq!(ids(&found), [2, 3, 4]);
        assert_eq!(found[0].reason, "Because you bought Red cushion");
        assert_eq!(found[1].reason, "You looked at it");
        assert_eq!(found[2].reason, "Because you looked at Green teapot");
    }

    #[test]
    fn the_reason_is_the_bought_product_that_contributes_most() {
        let found =
            model().personal(&history(&[(1, Kind::Purchase), (3, Kind::Purchase), (2, Kind::Cart)]), 10);
        let reason = |id| &found.iter().find(|s| s.product_id == Uuid::from_u128(id)).expect("found").reason;
        assert_eq!(reason(4), "Because you bought Green teapot");
        assert_eq!(reason(2), "Because you bought Red cushion");
    }

    #[test]
    fn a_customer_of_products_that_are_gone_gets_nothing_personal() {
        assert!(model().personal(&history(&[(77, Kind::Purchase)]), 10).is_empty());
        assert!(model().personal(&History::default(), 10).is_empty());
    }

    #[test]
    fn popular_products_come_first_then_the_range_by_turns() {
        let ranking = [(Uuid::from_u128(77), 9.0), (Uuid::from_u128(4), 8.0), (Uuid::from_u128(5), 2.0)];
        let excluded = HashSet::from([Uuid::from_u128(1)]);
        let found = model().popular(&ranking, &excluded, 10);
        assert_eq!(ids(&found), [4, 5, 3, 2]);
        assert_eq!(found.iter().map(|s| s.score).collect::<Vec<_>>(), [1.0, 0.25, 0.0, 0.0]);
        assert_eq!(found[0].reason, "Popular now");
        assert_eq!(found[2].reason, "From our range");
        assert_eq!(ids(&model().popular(&ranking, &excluded, 1)), [4]);
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
        let model = Model::train(Catalogue::new(Vec::new()));
        assert_eq!((model.products(), model.terms()), (0, 0));
        assert!(model.popular(&[(Uuid::from_u128(1), 1.0)], &HashSet::new(), 10).is_empty());
        assert!(model.personal(&history(&[(1, Kind::Purchase)]), 10).is_empty());
    }

    #[derive(Deserialize)]
    struct Golden {
        stop_words: Vec<String>,
        analysed: Vec<Analysed>,
        texts: Fit<String>,
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

    #[derive(Deserialize)]
    struct Fit<D> {
        documents: Vec<D>,
        vocabulary: Vec<String>,
        idf: Vec<f64>,
        rows: Vec<Vec<(usize, f64)>>,
        similarities: Vec<Vec<f32>>,
    }

    fn golden() -> Golden {
        serde_json::from_str(include_str!("tests/golden/tfidf.json")).expect("written by make.py")
    }

    fn golden_products(golden: Golden) -> Vec<Product> {
        let product = |(id, p): (u128, GoldenProduct)| Product {
            id: Uuid::from_u128(id),
            name: p.name,
            description: p.description,
            category: p.category,
            tags: p.tags,
        };
        (0..).zip(golden.products.documents).map(product).collect()
    }

    fn assert_same_fit<D>(fitted: &tfidf::Fitted, expected: &Fit<D>) {
        assert_eq!(fitted.vocabulary, expected.vocabulary);
        for (idf, expected) in fitted.idf.iter().zip(&expected.idf) {
            assert!((idf - expected).abs() < 1e-12, "{idf} is not {expected}");
        }
        assert_eq!(fitted.weights.nrows(), expected.rows.len());
        for (row, expected) in fitted.weights.row_iter().zip(&expected.rows) {
            assert_eq!(row.nnz(), expected.len());
            for ((&column, &value), &(expected_column, expected)) in
                row.col_indices().iter().zip(row.values()).zip(expected)
            {
                assert_eq!(column, expected_column);
                assert!((f64::from(value) - expected).abs() < 1e-7, "{value} is not {expected}");
            }
        }
    }

    #[test]
    fn terms_are_those_of_scikit_learn() {
        let golden = golden();
        assert_eq!(include_str!("model/stop_words.txt").lines().collect::<Vec<_>>(), golden.stop_words);
        for Analysed { text, terms } in golden.analysed {
            assert_eq!(tokens::terms(&text), terms, "{text}");
        }
    }

    #[test]
    fn weights_of_texts_are_those_of_scikit_learn() {
        let expected = golden().texts;
        assert_same_fit(&tfidf::fit(&expected.documents, |text| tokens::terms(text)), &expected);
    }

    #[test]
    fn weights_of_products_are_those_of_scikit_learn() {
        let products = golden_products(golden());
        assert_same_fit(&tfidf::fit(&products, Product::terms), &golden().products);
    }

    #[test]
    fn similar_products_are_the_exact_nearest_by_scikit_learn() {
        let similarities = golden().products.similarities;
        let model = Model::train(Catalogue::new(golden_products(golden())));
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
}
