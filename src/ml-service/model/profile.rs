//! What a customer likes: the weighted, time-decayed mean of the vectors of what they bought, put in the cart
//! and looked at.
//!
//! An event counts by its kind ([`Kind::weight`]) and halves every 90 days. Age is measured back from the
//! customer's newest event, not from now: a profile depends on the events alone, so every replica computes
//! the same one, cached answers stay true, and orders imported from years ago work like those of today. How
//! many pieces were bought makes no difference to what somebody likes.

use std::collections::{HashMap, HashSet};

use nalgebra::DVector;
use nalgebra_sparse::CsrMatrix;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Seconds until an event counts half.
const HALF_LIFE: f64 = 90.0 * 24.0 * 3600.0;

/// What a customer did with a product, the weakest sign of liking it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Looked at its page.
    View,
    /// Put it in the cart.
    Cart,
    /// Bought it.
    Purchase,
}

impl Kind {
    /// How much an event of this kind says about what the customer likes.
    #[must_use]
    pub fn weight(self) -> f64 {
        match self {
            Self::View => 0.2,
            Self::Cart => 0.5,
            Self::Purchase => 1.0,
        }
    }
}

/// Something a customer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// With which product.
    pub product: Uuid,
    /// What.
    pub kind: Kind,
    /// When, in seconds since 1970.
    pub at: i64,
}

/// What is remembered of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The newest events.
    pub events: Vec<Event>,
    /// Everything they ever bought, older than the events too.
    pub bought: HashSet<Uuid>,
}

/// A product in a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Source {
    /// The product's row.
    pub row: usize,
    /// Its part in the profile.
    pub weight: f32,
    /// The strongest thing that the customer did with it.
    pub kind: Kind,
}

/// A customer's place among the products.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The mean, of unit length, so that its product with a row is their cosine.
    pub vector: DVector<f32>,
    /// What it was made of, in the order of the rows.
    pub sources: Vec<Source>,
}

impl Profile {
    /// Nothing where no event is about a product that has a row with terms.
    #[expect(clippy::cast_possible_truncation, reason = "vectors are kept in 32 bits")]
    pub fn new(events: &[Event], rows: &HashMap<Uuid, usize>, weights: &CsrMatrix<f32>) -> Option<Self> {
        let newest = events.iter().map(|event| event.at).max()?;
        let mut parts: HashMap<usize, (f64, Kind)> = HashMap::new();
        for event in events {
            let Some(&row) = rows.get(&event.product) else { continue };
            let (weight, kind) = parts.entry(row).or_insert((0.0, event.kind));
            *weight += event.kind.weight() * decay(newest - event.at, HALF_LIFE);
            *kind = event.kind.max(*kind);
        }
        let mut sources: Vec<Source> = parts
            .into_iter()
            .map(|(row, (weight, kind))| Source { row, weight: weight as f32, kind })
            .collect();
        // In order before summing, so that every replica rounds alike.
        sources.sort_unstable_by_key(|source| source.row);

        let mut vector = DVector::<f32>::zeros(weights.ncols());
        for source in &sources {
            let row = weights.row(source.row);
            for (&term, &value) in row.col_indices().iter().zip(row.values()) {
                vector[term] += source.weight * value;
            }
        }
        // The mean's divisor, the sum of the weights, cancels out here.
        let length = vector.norm();
        if length <= 0.0 {
            return None;
        }
        for source in &mut sources {
            source.weight /= length;
        }
        Some(Self { vector: vector / length, sources })
    }
}

/// What is left of one after `age` seconds.
#[expect(clippy::cast_precision_loss, reason = "2^52 seconds are 142 million years")]
pub(crate) fn decay(age: i64, half_life: f64) -> f64 {
    (-(age as f64) / half_life).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{tfidf::fit, tokens::terms};

    const DAY: i64 = 24 * 3600;

    fn event(product: u128, kind: Kind, at: i64) -> Event {
        Event { product: Uuid::from_u128(product), kind, at }
    }

    fn profile(events: &[Event]) -> Option<Profile> {
        let weights = fit(&["red", "blue", "the"], |text| terms(text)).weights;
        let rows = (0..3).map(|row| (Uuid::from_u128(row as u128), row)).collect();
        Profile::new(events, &rows, &weights)
    }

    #[test]
    fn kinds_weigh_differently() {
        let found = profile(&[event(0, Kind::Purchase, 0), event(1, Kind::View, 0)]).expect("a profile");
        // The columns are blue, red.
        assert!((found.vector[0] / found.vector[1] - 0.2).abs() < 1e-6);
        assert!((found.vector.norm() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn an_event_halves_in_90_days_before_the_newest() {
        let found = profile(&[event(0, Kind::Cart, 0), event(1, Kind::Cart, 90 * DAY)]).expect("a profile");
        assert!((found.vector[1] / found.vector[0] - 0.5).abs() < 1e-6);
        let shifted = profile(&[event(0, Kind::Cart, 9_000 * DAY), event(1, Kind::Cart, 9_090 * DAY)]);
        assert_eq!(shifted.expect("a profile").vector, found.vector);
    }

    #[test]
    fn events_of_one_product_add_up_and_the_strongest_kind_names_them() {
        let found = profile(&[event(0, Kind::View, 0), event(0, Kind::Cart, 0)]).expect("a profile");
        assert_eq!(found.sources.len(), 1);
        assert_eq!(found.sources[0].kind, Kind::Cart);
        assert!((found.sources[0].weight - 1.0).abs() < 1e-6);
    }

    #[test]
    fn without_known_products_with_terms_there_is_no_profile() {
        assert!(profile(&[]).is_none());
        assert!(profile(&[event(9, Kind::Purchase, 0)]).is_none());
        assert!(profile(&[event(2, Kind::Purchase, 0)]).is_none());
    }
}
