//! What is remembered of one customer, in little room.

use std::sync::Arc;

use super::HOUR;
use crate::model::profile::Kind;

/// How many of a customer's newest events are kept. What they bought is kept in full beside it, since bought
/// products are never recommended.
pub const EVENTS_PER_USER: usize = 200;

/// An event in 16 bytes: the product is a number in [`Products`](super::Products).
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) at: i64,
    pub(super) product: u32,
    pub(super) kind: Kind,
}

/// A product that somebody bought, in 8 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bought {
    pub(super) product: u32,
    /// When first, in hours since 1970.
    pub(super) hour: i32,
}

#[derive(Debug, Default)]
pub(super) struct User {
    /// Oldest first.
    pub(super) events: Vec<Stored>,
    /// Sorted by product.
    pub(super) bought: Vec<Bought>,
    /// The cursor of their last event in the stream.
    pub(super) revision: Arc<str>,
    /// Their place in the order of being seen.
    pub(super) seen: u64,
}

impl User {
    /// True where this is the first purchase of a product that is told of.
    pub(super) fn remember(&mut self, event: Stored) -> bool {
        let mut first = false;
        if event.kind == Kind::Purchase {
            let hour = i32::try_from(event.at.div_euclid(HOUR)).unwrap_or(i32::MAX);
            match self.bought.binary_search_by_key(&event.product, |bought| bought.product) {
                // An import tells of old orders late.
                Ok(place) => self.bought[place].hour = self.bought[place].hour.min(hour),
                Err(place) => {
                    self.bought.insert(place, Bought { product: event.product, hour });
                    first = true;
                }
            }
        }
        // The stream is in the order of writing; an import writes old events late.
        let mut place = self.events.partition_point(|other| other.at <= event.at);
        if self.events.len() == EVENTS_PER_USER {
            let Some(earlier) = place.checked_sub(1) else { return first };
            self.events.remove(0);
            place = earlier;
        } else if self.events.len() == self.events.capacity() {
            // Twice the room, as a list takes by itself, but no more than it may ever need.
            let more = self.events.len().max(4).min(EVENTS_PER_USER - self.events.len());
            self.events.reserve_exact(more);
        }
        self.events.insert(place, event);
        first
    }
}
