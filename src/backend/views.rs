//! What customers look at. A look is worth little, and there are many: they wait in memory, and a worker writes them
//! together, so that no page waits for the database. What waits is lost with the process.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::metrics::Counter;
use uuid::Uuid;

/// How many wait at most: what a busy shop gathers while the database is away for a moment, and well below a megabyte.
const WAITING: usize = 4_096;

/// A customer has looked at a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// The customer.
    pub user_id: Uuid,
    /// The product.
    pub product_id: Uuid,
}

/// Views that wait to be written. Clones share them.
#[derive(Clone, Debug)]
pub struct Views {
    waiting: Arc<Mutex<HashSet<View>>>,
    lost: Counter<u64>,
}

impl Views {
    /// None yet.
    pub fn new() -> Self {
        let lost = platform::telemetry::meter()
            .u64_counter("shop.views.lost")
            .with_description(
                "Views of products for which there was no room, as the database was away for long",
            )
            .build();
        lost.add(0, &[]);
        Self { waiting: Arc::default(), lost }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<View>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a view wait, where there is room.
    pub fn note(&self, view: View) {
        let mut waiting = self.lock();
        if waiting.len() < WAITING {
            waiting.insert(view);
        } else if !waiting.contains(&view) {
            self.lost.add(1, &[]);
        }
    }

    /// All that wait. They go on waiting until they are [`written`](Self::written): a failure loses none.
    pub fn waiting(&self) -> Vec<View> {
        self.lock().iter().copied().collect()
    }

    /// These wait no longer. One that was noted again meanwhile was the same look.
    pub fn written(&self, views: &[View]) {
        let mut waiting = self.lock();
        for view in views {
            waiting.remove(view);
        }
    }
}

impl Default for Views {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(number: usize) -> View {
        View { user_id: Uuid::nil(), product_id: Uuid::from_u128(number as u128) }
    }

    #[test]
    fn so_many_wait_and_no_more_until_they_are_written() {
        let views = Views::new();
        for number in 0..=WAITING {
            views.note(view(number));
        }
        let waiting = views.waiting();
        assert_eq!(waiting.len(), WAITING);
        assert!(!waiting.contains(&view(WAITING)));

        views.written(&waiting[1..]);
        assert_eq!(views.waiting(), waiting[..1]);
        views.note(view(WAITING));
        views.note(view(WAITING));
        assert_eq!(views.waiting().len(), 2);
    }
}
