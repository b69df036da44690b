//! What a customer likes: the weighted, time-decayed mean of the vectors of what they bought, put in the cart
//! and looked at.
//!
//! An event counts by its kind and halves after a time, both of the [`Settings`]. Age is measured back from the
//! customer's newest event, not from now: a profile depends on the events alone, so every replica computes
//! the same one, cached answers stay true, and orders imported from years ago work like those of today. How
//! many pieces were bought makes no difference to what somebody likes.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::blend::Settings;
use super::index::{Index, Query};

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
    /// The product.
    pub id: Uuid,
    /// The product's row.
    pub row: u32,
    /// Its part in the profile.
    pub weight: f64,
    /// The strongest thing that the customer did with it.
    pub kind: Kind,
}

/// A customer's place among the products.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The mean.
    pub query: Query,
    /// What it was made of, in the order of the products' ids.
    pub sources: Vec<Source>,
}

impl Profile {
    /// Nothing where no event that counts is about a product that has a row with terms.
    pub fn new(events: &[Event], index: &Index, settings: &Settings) -> Option<Self> {
        let newest = events.iter().map(|event| event.at).max()?;
        // In order before summing, so that every replica rounds alike.
        let mut parts: BTreeMap<Uuid, (f64, Kind)> = BTreeMap::new();
        for event in events {
            let (weight, kind) = parts.entry(event.product).or_insert((0.0, event.kind));
            *weight += settings.weight(event.kind) * decay(newest - event.at, settings.profile_half_life);
            *kind = event.kind.max(*kind);
        }
        let sources: Vec<Source> = parts
            .into_iter()
            // What counts for nothing is no part: a search takes a sum of nothing for a document that it has not seen.
            .filter(|(_, (weight, _))| *weight > 0.0)
            .filter_map(|(id, (weight, kind))| Some(Source { id, row: index.row_of(id)?, weight, kind }))
            .collect();
        // The mean's divisor, the sum of the weights, cancels out in a cosine.
        let query = index.query_of_sum(sources.iter().map(|source| (source.row, source.weight)))?;
        Some(Self { query, sources })
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
    use crate::model::tfidf::Options;

    const DAY: i64 = 24 * 3600;

    fn event(product: u128, kind: Kind, at: i64) -> Event {
        Event { product: Uuid::from_u128(product), kind, at }
    }

    /// The parts that the words red and blue have in a profile.
    fn profile(events: &[Event]) -> Option<(f64, f64)> {
        let ids = [0, 1, 2].map(Uuid::from_u128);
        let index = Index::fit(&ids, &["red", "blue", "the"], Options::default());
        let profile = Profile::new(events, &index, &Settings::default())?;
        let part =
            |id| f64::from(index.cosine(&profile.query, index.row_of(Uuid::from_u128(id)).expect("known")));
        Some((part(0), part(1)))
    }

    #[test]
    fn kinds_weigh_differently() {
        let (red, blue) =
            profile(&[event(0, Kind::Purchase, 0), event(1, Kind::View, 0)]).expect("a profile");
        assert!((blue / red - 0.2).abs() < 1e-6);
        assert!((red.hypot(blue) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn an_event_halves_in_90_days_before_the_newest() {
        let found = profile(&[event(0, Kind::Cart, 0), event(1, Kind::Cart, 90 * DAY)]).expect("a profile");
        assert!((found.0 / found.1 - 0.5).abs() < 1e-6);
        let shifted = profile(&[event(0, Kind::Cart, 9_000 * DAY), event(1, Kind::Cart, 9_090 * DAY)]);
        assert_eq!(shifted, Some(found));
    }

    #[test]
    fn events_of_one_product_add_up_and_the_strongest_kind_names_them() {
        let index = Index::fit(&[Uuid::from_u128(0)], &["red"], Options::default());
        let events = [event(0, Kind::View, 0), event(0, Kind::Cart, 0)];
        let found = Profile::new(&events, &index, &Settings::default()).expect("a profile");
        assert_eq!(found.sources, [Source { id: Uuid::from_u128(0), row: 0, weight: 0.7, kind: Kind::Cart }]);
    }

    #[test]
    fn what_counts_for_nothing_is_no_part_of_a_profile() {
        let index = Index::fit(&[0, 1].map(Uuid::from_u128), &["red", "blue"], Options::default());
        let settings = Settings { view: 0.0, ..Settings::default() };
        let events = [event(0, Kind::View, 0), event(1, Kind::Cart, 0)];
        let found = Profile::new(&events, &index, &settings).expect("a profile");
        assert_eq!(found.sources, [Source { id: Uuid::from_u128(1), row: 1, weight: 0.5, kind: Kind::Cart }]);
        assert!(Profile::new(&events[..1], &index, &settings).is_none());
    }

    #[test]
    fn without_known_products_with_terms_there_is_no_profile() {
        assert!(profile(&[]).is_none());
        assert!(profile(&[event(9, Kind::Purchase, 0)]).is_none());
        assert!(profile(&[event(2, Kind::Purchase, 0)]).is_none());
    }
}
