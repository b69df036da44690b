//! Rate limits by GCRA (the generic cell rate algorithm, a leaky bucket in one number): each bucket is the moment at
//! which it will be empty again. In Redis it counts for all replicas, in a table of fixed size for this process.

use std::cmp::Reverse;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hashbrown::HashMap;
use redis::Script;

use crate::redis::{Redis, Unavailable};
use crate::zeros;

/// The buckets of a table: a power of two. Each takes eight bytes.
const BUCKETS: usize = 1 << 16;

/// How long it takes at most until Redis is told of what was taken without asking it.
const TELL_AFTER: Duration = Duration::from_millis(10);

/// Of so many buckets Redis is told sooner.
const MOST_UNTOLD: usize = 1000;

/// Takes out of each bucket as many requests as have been let through untold, then one out of every bucket where that is
/// wanted, or out of none where one of them has too little. It answers whether it took that one and, for each bucket, the
/// microseconds until it is whole again. The clock is Redis' own: those of replicas differ.
const TAKE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, capacity, taken = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ends = {}
for i, key in ipairs(KEYS) do
  local stored = tonumber(redis.call('GET', key)) or now
  -- Replicas together may have let through too many, which are owed. Bounded: the clock may have been set back, or the
  -- limit have been another.
  ends[i] = math.min(math.max(stored, now) + ARGV[i + 3] * interval, now + 2 * capacity)
  if ends[i] + interval > now + capacity then taken = 0 end
end
for i, key in ipairs(KEYS) do
  ends[i] = ends[i] + taken * interval
  if ends[i] > now then
    redis.call('SET', key, string.format('%.0f', ends[i]), 'PX', math.ceil((ends[i] - now) / 1000))
  end
  ends[i] = ends[i] - now
end
return {taken, unpack(ends)}
";

/// Whose bucket it is.
pub type Key = [u8; 16];

/// How many requests a minute, in the long run, and how many at once, as in `60 burst 20`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    per_minute: u32,
    burst: u32,
}

impl Quota {
    /// A quota of at least one request.
    ///
    /// # Panics
    /// Where one of the numbers is zero or more than a million.
    #[must_use]
    pub const fn new(per_minute: u32, burst: u32) -> Self {
        assert!(per_minute >= 1 && per_minute <= 1_000_000 && burst >= 1 && burst <= 1_000_000);
        Self { per_minute, burst }
    }

    /// Requests at once.
    #[must_use]
    pub const fn burst(self) -> u32 {
        self.burst
    }

    /// Microseconds in which one request comes back.
    const fn interval(self) -> u64 {
        60_000_000 / self.per_minute as u64
    }

    /// Microseconds in which all come back.
    const fn capacity(self) -> u64 {
        self.interval() * self.burst as u64
    }

    /// The time in which an empty bucket fills.
    #[must_use]
    pub const fn window(self) -> Duration {
        Duration::from_micros(self.capacity())
    }
}

impl FromStr for Quota {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            [per_minute, "burst", burst] => number(per_minute).zip(number(burst)),
            _ => None,
        }
        .map(|(per_minute, burst)| Self { per_minute, burst })
        .ok_or("must be like `60 burst 20`: requests a minute, and at once, each from 1 to 1000000")
    }
}

/// What became of a request, and of the fullest of its buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It may go on.
    pub allowed: bool,
    /// How many more may come at once.
    pub remaining: u32,
    /// When nothing of the quota will be used any more, unless others come.
    pub whole_after: Duration,
    /// When the next one may come; zero where it may now.
    pub retry_after: Duration,
}

impl Verdict {
    /// `used` is the microseconds until the fullest bucket is whole.
    fn new(quota: Quota, allowed: bool, used: u64) -> Self {
        let free = quota.capacity().saturating_sub(used);
        let remaining = u32::try_from(free / quota.interval()).unwrap_or(quota.burst);
        Self {
            allowed,
            remaining,
            whole_after: Duration::from_micros(used),
            retry_after: Duration::from_micros((used + quota.interval()).saturating_sub(quota.capacity())),
        }
    }
}

/// Buckets in memory. The table has a fixed size, so that no number of clients makes it grow: two keys that fall on the
/// same bucket share it. Nobody can aim for that, since the hash has a random key.
#[derive(Debug)]
pub struct Table {
    /// Microseconds after `started` at which each bucket is whole.
    ends: Box<[AtomicU64]>,
    started: Instant,
    hasher: RandomState,
}

impl Default for Table {
    fn default() -> Self {
        // What no client falls on takes no memory.
        Self { ends: zeros::table(BUCKETS), started: Instant::now(), hasher: RandomState::new() }
    }
}

impl Table {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn bucket(&self, key: &[u8]) -> &AtomicU64 {
        let hash = usize::try_from(self.hasher.hash_one(key) % BUCKETS as u64).unwrap_or_default();
        &self.ends[hash]
    }

    /// Takes one request out of a bucket.
    pub fn take(&self, quota: Quota, key: &[u8]) -> Verdict {
        let now = self.now();
        let mut used = 0;
        let taken = self.bucket(key).try_update(Ordering::Relaxed, Ordering::Relaxed, |end| {
            let end = end.max(now);
            used = end - now;
            let end = end + quota.interval();
            (end <= now + quota.capacity()).then_some(end)
        });
        if taken.is_ok() {
            used += quota.interval();
        }
        Verdict::new(quota, taken.is_ok(), used)
    }

    /// Whether a bucket has room for one; takes nothing.
    fn look(&self, quota: Quota, key: &[u8]) -> Verdict {
        let used = self.bucket(key).load(Ordering::Relaxed).saturating_sub(self.now());
        Verdict::new(quota, used + quota.interval() <= quota.capacity(), used)
    }

    /// Notes that a bucket is whole no sooner than after this many microseconds.
    fn learn(&self, key: &[u8], used: u64) {
        self.bucket(key).fetch_max(self.now() + used, Ordering::Relaxed);
    }
}

/// When Redis is told of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Before it goes on: no replica lets one through too many.
    First,
    /// A moment later, as long as more than half of every bucket is left by what is known here. A replica that has not
    /// heard of the others yet lets through half a burst at most, and what is too much then is paid back.
    Soon,
}

/// Buckets in Redis. What they were last seen to hold is kept in a table: a client whose bucket is known to be empty is
/// refused without asking, and without Redis the table goes on alone, from the state that was last known.
#[derive(Debug)]
pub struct Shared {
    redis: Redis,
    prefix: &'static str,
    quota: Quota,
    told: Told,
    seen: Table,
    take: Script,
    /// How many requests were let through of which Redis knows nothing yet.
    untold: Mutex<HashMap<Key, u32>>,
}

impl Shared {
    /// Buckets of this quota, under a prefix.
    #[must_use]
    pub fn new(redis: Redis, prefix: &'static str, quota: Quota, told: Told) -> Arc<Self> {
        let (seen, take) = (Table::default(), Script::new(TAKE));
        Arc::new(Self { redis, prefix, quota, told, seen, take, untold: Mutex::default() })
    }

    /// The refusal of a request whose bucket is known to be empty.
    #[must_use]
    pub fn refused(&self, key: &Key) -> Option<Verdict> {
        Some(self.seen.look(self.quota, key)).filter(|verdict| !verdict.allowed)
    }

    /// Takes one request out of every bucket, or out of none; without Redis, out of those that are not empty.
    pub async fn take(self: &Arc<Self>, keys: &[Key]) -> Verdict {
        if let Some(refusal) = keys.iter().find_map(|key| self.refused(key)) {
            return refusal;
        }
        let enough = |key: &Key| self.seen.look(self.quota, key).remaining > self.quota.burst().div_ceil(2);
        if self.told == Told::Soon && keys.iter().all(enough) {
            self.tell_soon(keys);
            return self.take_here(keys);
        }
        // Boxed, since most requests do not wait for it.
        Box::pin(self.take_there(keys)).await
    }

    /// Takes one request out of every bucket in Redis, or out of none; without Redis, here.
    async fn take_there(&self, keys: &[Key]) -> Verdict {
        let untold: Vec<u32> = {
            let mut untold = self.untold();
            keys.iter().map(|key| untold.remove(key).unwrap_or_default()).collect()
        };
        match self.ask(keys, &untold, true).await {
            Ok((taken, used)) => Verdict::new(self.quota, taken, used.into_iter().max().unwrap_or_default()),
            Err(Unavailable) => self.take_here(keys),
        }
    }

    /// Takes one request out of those buckets here that are not empty.
    fn take_here(&self, keys: &[Key]) -> Verdict {
        let verdicts = keys.iter().map(|key| self.seen.take(self.quota, key));
        verdicts
            .min_by_key(|verdict| (verdict.allowed, verdict.remaining, Reverse(verdict.retry_after)))
            .unwrap_or_else(|| Verdict::new(self.quota, true, 0))
    }

    fn untold(&self) -> MutexGuard<'_, HashMap<Key, u32>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what Redis is to be told in a moment or, where that is much, at once.
    fn tell_soon(self: &Arc<Self>, keys: &[Key]) {
        let mut untold = self.untold();
        let is_first = untold.is_empty();
        for key in keys {
            *untold.entry(*key).or_default() += 1;
        }
        let is_much = untold.len() >= MOST_UNTOLD;
        drop(untold);
        if is_first || is_much {
            let shared = Arc::clone(self);
            tokio::spawn(async move {
                if !is_much {
                    tokio::time::sleep(TELL_AFTER).await;
                }
                shared.tell().await;
            });
        }
    }

    /// Tells Redis what was let through untold. Where it cannot be told, that counts here alone.
    async fn tell(&self) {
        let (keys, counts): (Vec<Key>, Vec<u32>) = std::mem::take(&mut *self.untold()).into_iter().unzip();
        if !keys.is_empty() {
            let _ = self.ask(&keys, &counts, false).await;
        }
    }

    /// Tells Redis of requests that were let through and, where one more is wanted, asks for it. Returns whether that may
    /// go on, and how much is used of each bucket.
    async fn ask(&self, keys: &[Key], untold: &[u32], wanted: bool) -> Result<(bool, Vec<u64>), Unavailable> {
        let mut call = self.take.prepare_invoke();
        for key in keys {
            let mut name = self.redis.key(self.prefix);
            URL_SAFE_NO_PAD.encode_string(key, &mut name);
            call.key(name);
        }
        call.arg(self.quota.interval()).arg(self.quota.capacity()).arg(u8::from(wanted)).arg(untold);
        let mut answer: Vec<u64> =
            self.redis.call("rate limit", async |mut c| call.invoke_async(&mut c).await).await?;
        let used = answer.split_off(answer.len().min(1));
        for (key, used) in keys.iter().zip(&used) {
            self.seen.learn(key, *used);
        }
        Ok((answer.first() == Some(&1), used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_two_numbers_and_a_word() {
        assert_eq!("60 burst 20".parse(), Ok(Quota::new(60, 20)));
        for wrong in
            ["", "60", "60 burst", "0 burst 1", "1 burst 0", "60 20", "60 burst 20 x", "1 burst 1000001"]
        {
            assert!(wrong.parse::<Quota>().is_err(), "{wrong}");
        }
        assert_eq!(Quota::new(60, 20).window(), Duration::from_secs(20));
    }

    #[test]
    fn a_bucket_gives_its_burst_and_not_one_more() {
        let table = Table::default();
        // One an hour comes back, so that time plays no part.
        let quota = Quota::new(1, 3);
        for remaining in [2, 1, 0] {
            let verdict = table.take(quota, b"a");
            assert!(verdict.allowed);
            assert_eq!(
                (verdict.remaining, verdict.retry_after > Duration::ZERO),
                (remaining, remaining == 0)
            );
        }
        let refusal = table.take(quota, b"a");
        assert!(!refusal.allowed && refusal.remaining == 0);
        assert!(
            refusal.retry_after > Duration::from_secs(59) && refusal.retry_after <= Duration::from_mins(1)
        );
        assert!(refusal.whole_after > Duration::from_secs(179));
        assert!(!table.look(quota, b"a").allowed);
    }

    #[test]
    fn what_was_used_comes_back() {
        let table = Table::default();
        let quota = Quota::new(1_000_000, 1);
        assert!(table.take(quota, b"a").allowed);
        std::thread::sleep(Duration::from_millis(1));
        assert!(table.take(quota, b"a").allowed);
    }

    #[test]
    fn parallel_requests_get_the_burst_and_not_one_more() {
        let table = Table::default();
        let quota = Quota::new(1, 50);
        let allowed: usize = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..50).filter(|_| table.take(quota, b"a").allowed).count()))
                .collect();
            takers.into_iter().map(|taker| taker.join().expect("no panic")).sum()
        });
        assert_eq!(allowed, 50);
    }

    #[test]
    fn what_was_learnt_of_elsewhere_counts_here() {
        let table = Table::default();
        let quota = Quota::new(1, 2);
        table.learn(b"a", 2 * 60_000_000);
        assert!(!table.look(quota, b"a").allowed);
        assert!(!table.take(quota, b"a").allowed);
    }
}
