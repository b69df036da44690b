//! How good the recommendations are, by what customers do: of some of them what they last bought for the first time is
//! hidden, and looked for among the ten products that they would have been recommended without it.
//!
//! Nothing of what is hidden is left in what is known of all customers: neither what is bought together nor new buyers
//! count it. `tests/bench/recommender` measures the same over weeks, beside other ways to recommend.

use hashbrown::HashMap;
use rayon::prelude::*;
use serde::Serialize;
use uuid::Uuid;

use super::Model;
use super::blend::{Evidence, Settings};
use super::profile::{History, decay};
use super::tfidf::as_f64;
use super::together::{Purchases, Together};

/// How many products are recommended.
const LIMIT: usize = 10;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// The part of the customers who would have been shown what they bought, from 0 to 1.
    pub hit_rate: f64,
    /// How many were asked for.
    pub customers: usize,
}

/// A customer without what is hidden.
#[derive(Clone, Debug)]
pub struct Hidden {
    /// The rest of what they did.
    pub history: History,
    /// What they bought last for the first time.
    pub product: Uuid,
    /// When, in seconds since 1970.
    pub at: i64,
}

/// What is known without what is hidden.
#[derive(Debug, Default)]
pub struct Sample {
    /// What all customers bought.
    pub purchases: Purchases,
    /// Of whom something is hidden.
    pub customers: Vec<Hidden>,
}

/// Asks for each customer; nothing where there is none of whose product the model knows. Runs in the current rayon pool.
#[must_use]
pub fn measure(
    model: &Model,
    sample: Sample,
    sales: &HashMap<Uuid, f64>,
    half_life: f64,
    settings: &Settings,
) -> Option<Quality> {
    let Sample { purchases, customers } = sample;
    let mut sales = sales.clone();
    for hidden in &customers {
        if let Some(sales) = sales.get_mut(&hidden.product) {
            let age = purchases.now.saturating_sub(hidden.at).max(0);
            *sales = (*sales - decay(age, half_life)).max(0.0);
        }
    }
    let most = sales.values().copied().fold(0.0, f64::max);
    let together = Together::new(purchases);
    let evidence = Evidence { together: &together, sales: &sales, most };
    let known: Vec<&Hidden> = customers.iter().filter(|hidden| model.knows(hidden.product)).collect();
    let found = |hidden: &&&Hidden| {
        let shown = model.personal(&hidden.history, evidence, settings, LIMIT);
        shown.iter().any(|suggestion| suggestion.product_id == hidden.product)
    };
    let hits = known.par_iter().filter(found).count();
    (!known.is_empty())
        .then(|| Quality { hit_rate: as_f64(hits) / as_f64(known.len()), customers: known.len() })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::interactions::{Interaction, Interactions};
    use crate::model::blend::DAY;
    use crate::model::profile::Kind;
    use crate::model::{Catalogue, Product};

    /// Twenty pairs of products, of which customers buy both, one after the other.
    fn shop(customers: u128) -> (Model, Interactions) {
        let product = |id: u128| Product {
            id: Uuid::from_u128(id),
            name: format!("Thing{id}"),
            description: String::new(),
            category: format!("Shelf{id}"),
            tags: Vec::new(),
        };
        let mut interactions = Interactions::new(1_000, 7.0 * DAY);
        for (number, customer) in (0..customers).enumerate() {
            for second in [0, 1] {
                interactions.apply(&Interaction {
                    cursor: format!("{number}-{second}"),
                    user_id: Uuid::from_u128(customer),
                    product_id: Uuid::from_u128(2 * (customer % 20) + second),
                    kind: Some(Kind::Purchase),
                    at: jiff::Timestamp::from_second(
                        1_000_000 + 7_200 * i64::try_from(second).expect("small"),
                    )
                    .expect("a time"),
                });
            }
        }
        interactions.caught_up();
        (Model::train(&Catalogue::new((0..40).map(product).collect())), interactions)
    }

    fn quality(customers: u128, most: usize) -> Option<Quality> {
        let (model, interactions) = shop(customers);
        let (sample, ranking) = (interactions.sample(most), interactions.ranking());
        measure(&model, sample, &ranking.sales, 7.0 * DAY, &Settings::default())
    }

    #[test]
    fn what_others_bought_together_is_foretold() {
        // Of each pair one customer is asked for; the others know.
        assert_eq!(quality(200, 20), Some(Quality { hit_rate: 1.0, customers: 20 }));
    }

    #[test]
    fn what_is_hidden_is_not_known() {
        // Each pair is bought by one customer alone.
        assert_eq!(quality(20, 20), Some(Quality { hit_rate: 0.0, customers: 20 }));
    }

    #[test]
    fn of_nobody_nothing_is_said() {
        assert_eq!(quality(0, 20), None);
    }

    #[test]
    fn what_was_hidden_is_not_among_what_was_bought() {
        let (_, interactions) = shop(3);
        let Sample { purchases, customers } = interactions.sample(2);
        assert_eq!(customers.len(), 2);
        let all: HashSet<Uuid> = customers.iter().map(|hidden| hidden.product).collect();
        assert_eq!(all.len(), 2);
        for Hidden { history, product, .. } in &customers {
            assert!(!history.bought.contains(product));
            assert!(history.events.iter().all(|event| event.product != *product));
            assert_eq!(history.events.len(), 1);
        }
        assert_eq!(purchases.customers.iter().map(Vec::len).sum::<usize>(), 4);
    }
}
