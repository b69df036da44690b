//! What customers did, as far as the service remembers it: bounded, in memory, read from the backend's stream,
//! and after a restart from disk and then on from there.

pub mod bytes;
mod user;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IntoDeserializer, value};
use uuid::Uuid;

pub use self::user::EVENTS_PER_USER;
use self::user::{Bought, Stored, User};
use crate::model::popular::Popularity;
use crate::model::profile::{Event, History, Kind};
use crate::model::quality::{Hidden, Sample};
use crate::model::together::Purchases;

/// Of how many products that a user bought it is counted what is bought together, which takes the square of
/// that in time.
const PURCHASES_PER_USER: usize = 1_000;

/// In seconds.
const HOUR: i64 = 3_600;

/// One line of the backend's stream.
#[derive(Clone, Debug, Deserialize)]
pub struct Interaction {
    /// The place in the stream, opaque.
    pub cursor: String,
    /// Who.
    pub user_id: Uuid,
    /// With which product.
    pub product_id: Uuid,
    /// What; nothing where a newer backend sends a kind that this version does not know.
    #[serde(deserialize_with = "known_kind")]
    pub kind: Option<Kind>,
    /// When.
    pub at: Timestamp,
}

fn known_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Kind>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let name: value::StrDeserializer<'_, value::Error> = name.as_str().into_deserializer();
    Ok(Kind::deserialize(name).ok())
}

/// Product ids as small numbers, since each occurs in many events.
#[derive(Debug, Default)]
struct Products {
    numbers: HashMap<Uuid, u32>,
    ids: Vec<Uuid>,
}

impl Products {
    fn number(&mut self, id: Uuid) -> u32 {
        *self.numbers.entry(id).or_insert_with(|| {
            self.ids.push(id);
            u32::try_from(self.ids.len() - 1).expect("fewer than 2^32 products")
        })
    }

    fn id(&self, number: u32) -> Uuid {
        self.ids[number as usize]
    }
}

/// What sells, with the cursor up to which it was counted.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    /// The cursor of the last sale in it.
    pub revision: Arc<str>,
    /// Products and their new buyers, decayed, the most first.
    pub products: Vec<(Uuid, f64)>,
    /// The same by product.
    pub sales: hashbrown::HashMap<Uuid, f64>,
}

impl Ranking {
    /// The most new buyers of one product.
    #[must_use]
    pub fn most(&self) -> f64 {
        self.products.first().map_or(0.0, |&(_, sales)| sales)
    }
}

/// Everything remembered. The state follows from the stream's lines up to the cursor, so replicas that have
/// read as far agree; that makes a cursor a sound part of a cache key.
#[derive(Debug)]
pub struct Interactions {
    users: HashMap<Uuid, User>,
    /// Who was seen when, the longest ago first.
    order: BTreeMap<u64, Uuid>,
    max_users: usize,
    products: Products,
    popularity: Popularity,
    /// The cursor of the last sale, counted in `popularity`, perhaps not yet in `ranking`.
    last_sale: Arc<str>,
    ranking: Arc<Ranking>,
    cursor: Option<Arc<str>>,
    count: u64,
    /// The stream was read to its end at least once.
    complete: bool,
}

impl Interactions {
    /// Nothing yet. Of more than `max_users` users, the one not seen for longest is forgotten.
    #[must_use]
    pub fn new(max_users: usize, popularity_half_life: f64) -> Self {
        Self {
            users: HashMap::new(),
            order: BTreeMap::new(),
            max_users,
            products: Products::default(),
            popularity: Popularity::new(popularity_half_life),
            last_sale: Arc::default(),
            ranking: Arc::default(),
            cursor: None,
            count: 0,
            complete: false,
        }
    }

    /// Takes in the next line of the stream.
    pub fn apply(&mut self, line: &Interaction) {
        let cursor: Arc<str> = line.cursor.as_str().into();
        self.cursor = Some(Arc::clone(&cursor));
        self.count += 1;
        // A kind that this version does not know says nothing to it.
        let Some(kind) = line.kind else { return };
        let at = line.at.as_second();
        let product = self.products.number(line.product_id);
        let user = self.users.entry(line.user_id).or_default();
        self.order.remove(&user.seen);
        user.seen = self.count;
        self.order.insert(self.count, line.user_id);
        user.revision = Arc::clone(&cursor);
        if user.remember(Stored { at, product, kind }) {
            self.popularity.bought(line.product_id, at);
            self.last_sale = cursor;
        }
        if self.users.len() > self.max_users
            && let Some((_, longest_ago)) = self.order.pop_first()
        {
            self.users.remove(&longest_ago);
        }
    }

    /// Whether the stream was read to its end at least once, and what sells is ranked as it was sold since.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.complete && self.ranking.revision == self.last_sale
    }

    /// What sells, counted anew where something was sold since it was last.
    #[must_use]
    pub fn ranked(&self) -> Arc<Ranking> {
        if self.ranking.revision == self.last_sale {
            return self.ranking();
        }
        let products = self.popularity.ranking();
        let sales = products.iter().copied().collect();
        Arc::new(Ranking { revision: Arc::clone(&self.last_sale), products, sales })
    }

    /// The stream has no more lines for now: ranks what sells.
    pub fn caught_up(&mut self) {
        self.caught_up_with(self.ranked());
    }

    /// The same, where what sells is ranked already.
    pub fn caught_up_with(&mut self, ranking: Arc<Ranking>) {
        self.complete = true;
        self.ranking = ranking;
    }

    /// Whether the stream was read to its end at least once. Before that, answers would miss most of what
    /// customers did.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.complete
    }

    /// Where to go on in the stream.
    #[must_use]
    pub fn cursor(&self) -> Option<Arc<str>> {
        self.cursor.clone()
    }

    /// What is remembered of a user and the revision it has; nothing for an unknown one.
    #[must_use]
    pub fn user(&self, id: Uuid) -> Option<(Arc<str>, History)> {
        let user = self.users.get(&id)?;
        let event = |stored: &Stored| Event {
            product: self.products.id(stored.product),
            kind: stored.kind,
            at: stored.at,
        };
        let bought: HashSet<Uuid> =
            user.bought.iter().map(|bought| self.products.id(bought.product)).collect();
        Some((
            Arc::clone(&user.revision),
            History { events: user.events.iter().map(event).collect(), bought },
        ))
    }

    /// What each remembered user bought. Of those who bought the most, so many products as would say nothing are left
    /// out.
    #[must_use]
    pub fn purchases(&self) -> Purchases {
        self.purchases_but(&HashMap::new())
    }

    /// The same without one product of some users, by their numbers.
    fn purchases_but(&self, hidden: &HashMap<Uuid, u32>) -> Purchases {
        let mut order: Vec<usize> = (0..self.products.ids.len()).collect();
        order.sort_unstable_by_key(|&number| self.products.ids[number]);
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, &number)| places[number] = place);
        let ids = order.into_iter().map(|number| self.products.ids[number]).collect();
        let mut users: Vec<(&Uuid, &User)> = self.users.iter().collect();
        // In order before summing, so that every replica rounds alike.
        users.sort_unstable_by_key(|&(id, _)| id);
        let of = |(id, user): (&Uuid, &User)| -> Vec<(usize, i64)> {
            let hidden = hidden.get(id);
            let bought = user.bought.iter().filter(|bought| hidden != Some(&bought.product));
            let bought = bought.take(PURCHASES_PER_USER);
            bought.map(|bought| (places[bought.product as usize], i64::from(bought.hour) * HOUR)).collect()
        };
        let customers: Vec<Vec<(usize, i64)>> = users.into_iter().map(of).collect();
        let now = customers.iter().flatten().map(|&(_, at)| at).max().unwrap_or(0);
        Purchases { ids, customers, now }
    }

    /// Hides what each of so many customers last bought for the first time, of those who did so last and had bought
    /// something else before.
    #[must_use]
    pub fn sample(&self, most: usize) -> Sample {
        let last = |(id, user): (&Uuid, &User)| {
            let last = user.bought.iter().max_by_key(|bought| (bought.hour, bought.product)).copied()?;
            (user.bought.len() > 1).then_some((last.hour, *id, last.product))
        };
        let mut last: Vec<(i32, Uuid, u32)> = self.users.iter().filter_map(last).collect();
        last.sort_unstable_by(|a, b| b.cmp(a));
        last.truncate(most);
        let hidden = |&(hour, id, number): &(i32, Uuid, u32)| {
            let product = self.products.id(number);
            let (_, mut history) = self.user(id)?;
            history.events.retain(|event| event.product != product);
            history.bought.remove(&product);
            Some(Hidden { history, product, at: i64::from(hour) * HOUR })
        };
        let customers = last.iter().filter_map(hidden).collect();
        let numbers = last.iter().map(|&(_, id, number)| (id, number)).collect();
        Sample { purchases: self.purchases_but(&numbers), customers }
    }

    /// The revision of what is remembered of a user.
    #[must_use]
    pub fn revision(&self, id: Uuid) -> Option<Arc<str>> {
        self.users.get(&id).map(|user| Arc::clone(&user.revision))
    }

    /// What sells.
    #[must_use]
    pub fn ranking(&self) -> Arc<Ranking> {
        Arc::clone(&self.ranking)
    }

    /// How many lines were read.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many users are remembered.
    #[must_use]
    pub fn users(&self) -> usize {
        self.users.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::blend::DAY;

    fn line(number: u64, user: u128, product: u128, kind: Kind, second: i64) -> Interaction {
        Interaction {
            cursor: number.to_string(),
            user_id: Uuid::from_u128(user),
            product_id: Uuid::from_u128(product),
            kind: Some(kind),
            at: jiff::Timestamp::from_second(second).expect("a time"),
        }
    }

    fn history(interactions: &Interactions, user: u128) -> History {
        interactions.user(Uuid::from_u128(user)).expect("known").1
    }

    #[test]
    fn the_newest_events_are_kept_and_all_that_was_bought() {
        let mut interactions = Interactions::new(10, 14.0 * DAY);
        interactions.apply(&line(1, 7, 1_000, Kind::Purchase, 0));
        for number in 0..EVENTS_PER_USER as u64 {
            interactions.apply(&line(2 + number, 7, u128::from(number), Kind::View, 100));
        }
        interactions.apply(&line(900, 7, 2_000, Kind::View, 50));
        let history = history(&interactions, 7);
        assert_eq!(history.events.len(), EVENTS_PER_USER);
        assert!(
            history.events.iter().all(|event| event.at == 100),
            "an old event that came late is not kept"
        );
        let user = &interactions.users[&Uuid::from_u128(7)];
        assert_eq!(user.events.capacity(), EVENTS_PER_USER, "no room that is never needed");
        assert!(history.bought.contains(&Uuid::from_u128(1_000)));
    }

    #[test]
    fn the_user_not_seen_for_longest_is_forgotten() {
        let mut interactions = Interactions::new(2, 14.0 * DAY);
        for (number, user) in [(1, 1), (2, 2), (3, 1), (4, 3)] {
            interactions.apply(&line(number, user, 5, Kind::View, 0));
        }
        assert_eq!(interactions.users(), 2);
        assert!(interactions.user(Uuid::from_u128(2)).is_none());
        assert_eq!(history(&interactions, 1).events.len(), 2);
    }

    #[test]
    fn a_revision_changes_with_each_event_of_that_user_alone() {
        let mut interactions = Interactions::new(10, 14.0 * DAY);
        interactions.apply(&line(1, 1, 5, Kind::View, 0));
        interactions.apply(&line(2, 2, 5, Kind::View, 0));
        assert_eq!(interactions.revision(Uuid::from_u128(1)).as_deref(), Some("1"));
        interactions.apply(&line(3, 1, 5, Kind::View, 0));
        assert_eq!(interactions.revision(Uuid::from_u128(1)).as_deref(), Some("3"));
        assert_eq!(interactions.revision(Uuid::from_u128(2)).as_deref(), Some("2"));
    }

    #[test]
    fn a_customer_counts_once_for_a_product_since_they_first_bought_it() {
        let mut interactions = Interactions::new(10, 14.0 * DAY);
        for (number, user, product, hour) in [(1, 1, 5, 9), (2, 1, 5, 7), (3, 2, 5, 8), (4, 2, 6, 8)] {
            interactions.apply(&line(number, user, product, Kind::Purchase, hour * HOUR));
        }
        interactions.caught_up();
        let ranking = interactions.ranking();
        assert_eq!(&*ranking.revision, "4");
        assert!((ranking.sales[&Uuid::from_u128(5)] - 2.0).abs() < 0.01, "{ranking:?}");
        let purchases = interactions.purchases();
        assert_eq!(purchases.now, 8 * HOUR);
        assert_eq!(purchases.customers, [vec![(0, 7 * HOUR)], vec![(0, 8 * HOUR), (1, 8 * HOUR)]]);
    }

    #[test]
    fn only_sales_change_the_ranking() {
        let mut interactions = Interactions::new(10, 14.0 * DAY);
        interactions.apply(&line(1, 1, 5, Kind::Purchase, 0));
        interactions.apply(&line(2, 1, 6, Kind::View, 0));
        let unknown = r#"{"cursor":"3","user_id":"00000000-0000-0000-0000-000000000001","kind":"returned",
            "product_id":"00000000-0000-0000-0000-000000000005","quantity":1,"at":"2026-01-01T00:00:00Z"}"#;
        interactions.apply(&serde_json::from_str(unknown).expect("a line"));
        interactions.caught_up();
        let ranking = interactions.ranking();
        assert_eq!(&*ranking.revision, "1");
        assert_eq!(ranking.products, [(Uuid::from_u128(5), 1.0)]);
        assert_eq!(interactions.cursor().as_deref(), Some("3"));
    }
}
