//! Copies within the process, so that what everybody asks costs no call at all. A copy is used only while it cannot be
//! older than what Redis would say, but for the moment that Redis' message of a change takes:
//!
//! * Redis tells each replica of every change of a generation and of a session ([`platform::redis::watch`]), and a
//!   change that this replica makes counts here before it is made there.
//! * What was read before a change and is kept after it is of an epoch that is over. Epochs are counters in a table of
//!   fixed size: two scopes that share one lose their copies together, which costs a call and nothing else.
//! * Where Redis has not been heard for a second, no copy is used.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use platform::redis::watch::{Hearing, Listener};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use uuid::Uuid;

use super::Scope;

/// Epochs: a power of two, of four bytes each.
const EPOCHS: usize = 1 << 16;

/// What is heard of changes. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<State>);

#[derive(Debug)]
struct State {
    hearing: Hearing,
    /// Counts the times at which anything may have changed.
    era: AtomicU64,
    epochs: Box<[AtomicU32]>,
    hasher: RandomState,
}

impl Default for State {
    fn default() -> Self {
        Self {
            hearing: Hearing::default(),
            era: AtomicU64::default(),
            epochs: platform::zeros::table(EPOCHS),
            hasher: RandomState::new(),
        }
    }
}

/// The state of a scope before it was read.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    era: u64,
    slot: usize,
    epoch: u32,
}

impl State {
    fn slot(&self, scope: &Scope) -> usize {
        usize::try_from(self.hasher.hash_one(scope) % EPOCHS as u64).unwrap_or_default()
    }
}

impl Changes {
    /// To be called before a scope is read: what is found may then be kept.
    pub fn moment(&self, scope: &Scope) -> Moment {
        let slot = self.0.slot(scope);
        let epoch = self.0.epochs[slot].load(Ordering::SeqCst);
        Moment { era: self.0.era.load(Ordering::SeqCst), slot, epoch }
    }

    /// What was read of this scope until now is old.
    pub fn changed(&self, scope: &Scope) {
        self.0.epochs[self.0.slot(scope)].fetch_add(1, Ordering::SeqCst);
    }

    fn is_over(&self, moment: Moment) -> bool {
        self.0.epochs[moment.slot].load(Ordering::SeqCst) != moment.epoch
            || self.0.era.load(Ordering::SeqCst) != moment.era
    }

    /// Listens to Redis, for as long as the process lives.
    pub async fn listen(self, redis: platform::redis::Redis) {
        let hearing = self.0.hearing.clone();
        redis.listen(&["generation:", "session:"], hearing, self.0).await;
    }
}

impl Listener for State {
    fn changed(&self, key: &str) {
        match Scope::parse(key) {
            Some(scope) => {
                self.epochs[self.slot(&scope)].fetch_add(1, Ordering::SeqCst);
            }
            None => self.forget_all(),
        }
    }

    fn forget_all(&self) {
        self.era.fetch_add(1, Ordering::SeqCst);
    }
}

/// Something kept, with what says whether it still counts.
#[derive(Clone, Debug)]
struct Kept<V> {
    value: V,
    moment: Moment,
    until: Instant,
}

/// What has a size.
pub trait Weighed {
    /// Bytes that it takes, about; of a key, besides those that every key has.
    fn bytes(&self) -> usize;
}

/// What an entry takes besides its value and what its key refers to: the key itself, moment and place in the table.
const OVERHEAD: usize = 160;

#[derive(Clone, Debug)]
struct InBytes;

impl<K: Weighed, V: Weighed> Weighter<K, Kept<V>> for InBytes {
    fn weight(&self, key: &K, kept: &Kept<V>) -> u64 {
        (key.bytes() + kept.value.bytes() + OVERHEAD) as u64
    }
}

/// Copies of one kind, up to so many bytes: what is asked often stays. Clones share them.
#[derive(Debug)]
pub struct Near<K: Weighed, V: Weighed> {
    changes: Changes,
    entries: Arc<Cache<K, Kept<V>, InBytes>>,
}

impl<K: Weighed, V: Weighed> Clone for Near<K, V> {
    fn clone(&self) -> Self {
        Self { changes: self.changes.clone(), entries: Arc::clone(&self.entries) }
    }
}

impl<K: Weighed + Hash + Eq, V: Weighed + Clone> Near<K, V> {
    /// None yet; at most so many bytes, where each takes about so many.
    pub fn new(changes: Changes, bytes: usize, each: usize) -> Self {
        let entries = Cache::with_weighter(bytes / (each + OVERHEAD), bytes as u64, InBytes);
        Self { changes, entries: Arc::new(entries) }
    }

    /// The copy, where it counts now.
    pub fn get(&self, key: &K) -> Option<V> {
        let kept = self.entries.get(key)?;
        let now = Instant::now();
        let counts =
            now < kept.until && self.changes.0.hearing.is_good(now) && !self.changes.is_over(kept.moment);
        counts.then_some(kept.value)
    }

    /// Keeps what was read after this moment, for so long.
    pub fn keep(&self, key: K, value: V, moment: Moment, time: Duration) {
        if !self.changes.is_over(moment) {
            self.entries.insert(key, Kept { value, moment, until: Instant::now() + time });
        }
    }
}

impl Scope {
    /// The scope of a key in Redis.
    fn parse(key: &str) -> Option<Self> {
        let (kind, name) = key.split_once(':')?;
        match (kind, name.split_once(':')) {
            ("session", None) => super::session_hash(name).map(Self::Session),
            ("generation", None) => (name == "catalogue").then_some(Self::Catalogue),
            ("generation", Some(("product", id))) => id.parse().ok().map(Self::Product),
            ("generation", Some(("user", id))) => Uuid::parse_str(id).ok().map(Self::User),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weighed for String {
        fn bytes(&self) -> usize {
            self.len()
        }
    }

    #[test]
    fn keys_count_as_values_do() {
        const BYTES: usize = 100_000;
        let changes = Changes::default();
        let near: Near<String, String> = Near::new(changes.clone(), BYTES, 100);
        for number in 0..1_000 {
            let moment = changes.moment(&Scope::Catalogue);
            near.keep(format!("{number:02000}"), "[]".to_owned(), moment, Duration::from_mins(1));
        }
        let kept = near.entries.len();
        assert!(kept > 0 && kept * 2_000 <= BYTES, "{kept}");
    }
}
