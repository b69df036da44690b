//! Copies of sessions in Redis, so that most requests need not ask PostgreSQL who is there. A copy is only ever used
//! where it cannot be older than the end of its session, or a change of it:
//!
//! * PostgreSQL first: whatever ends or changes a session commits that, and a revocation beside it.
//! * Then a *bar* takes the place of the copy in Redis, and the revocation goes. The bar outlasts every copy that was
//!   read before it, since copies are written only where nothing stands, and are not trusted beyond [`TRUSTED`].
//! * Where Redis does not take the bar, the revocation stays, and a worker tries again each second.
//! * Redis tells every replica of the bar, so that copies in the process end with it ([`crate::cache::near`]).
//! * A replica that has seen Redis fail trusts no copy until Redis answers and PostgreSQL shows no revocation that is
//!   still to be told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use platform::redis::{Redis, Unavailable};
use serde::{Deserialize, Serialize};

use super::Session;
use crate::cache::near::{self, Changes, Near};
use crate::cache::{Scope, session_key as key};

/// How long a copy is used after PostgreSQL was read for it.
pub const TRUSTED: Duration = Duration::from_mins(5);
/// How long a bar stands, and a revocation matters: longer than any copy is trusted, by more than replicas' clocks differ.
pub const BARRED: Duration = Duration::from_mins(6);

/// What Redis holds of a session; a bar is `null`.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    session: Session,
    /// When PostgreSQL was asked.
    read_at: Timestamp,
}

/// The copies. Clones share what they know of Redis.
#[derive(Clone, Debug)]
pub struct Copies {
    redis: Redis,
    changes: Changes,
    /// Copies of the copies, in the process.
    near: Near<[u8; 32], Session>,
    /// The number of failures of Redis after which no revocation was left to be told.
    settled_after: Arc<AtomicU64>,
}

/// A look into PostgreSQL that has begun: what it finds may be kept.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    at: Timestamp,
    failures: u64,
}

/// The most that copies in the process take, in bytes: some ten thousand of them.
const NEAR: usize = 3 * 1024 * 1024;

impl near::Weighed for [u8; 32] {
    fn bytes(&self) -> usize {
        0
    }
}

impl near::Weighed for Session {
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Copies {
    /// Copies in this Redis, none of which is trusted yet: revocations of before may be on their way.
    pub fn new(redis: Redis, changes: Changes) -> Self {
        let near = Near::new(changes.clone(), NEAR, size_of::<Session>());
        Self { redis, changes, near, settled_after: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    fn trusted(&self) -> bool {
        self.settled_after.load(Ordering::SeqCst) == self.redis.failures()
    }

    /// The copy in the process of a session that has not expired; without one, [`Copies::get`] is to be asked.
    pub fn near(&self, token_hash: &[u8; 32]) -> Option<Session> {
        let session = if self.trusted() { self.near.get(token_hash)? } else { return None };
        (Timestamp::now() < session.expires_at).then_some(session)
    }

    /// The copy in Redis of a session that has not expired; without one, PostgreSQL is to be asked.
    pub async fn get(&self, token_hash: &[u8; 32]) -> Option<Session> {
        if !self.trusted() {
            return None;
        }
        let moment = self.changes.moment(&Scope::Session(*token_hash));
        let kept = self.redis.get::<Option<Kept>>(&key(token_hash)).await??;
        let now = Timestamp::now();
        let trusted = kept.read_at + TRUSTED;
        if now >= trusted || now >= kept.session.expires_at {
            return None;
        }
        let time = trusted.duration_since(now).try_into().unwrap_or_default();
        self.near.keep(*token_hash, kept.session, moment, time);
        Some(kept.session)
    }

    /// To be called before PostgreSQL is asked.
    pub fn reading(&self) -> Reading {
        Reading { at: Timestamp::now(), failures: self.redis.failures() }
    }

    /// Keeps what PostgreSQL said, unless a copy or a bar is there. `pending` is whether revocations were still to be
    /// told then: where none was, and Redis has not failed since, copies are trusted again.
    pub async fn keep(&self, reading: Reading, token_hash: &[u8], session: &Session, pending: bool) {
        let kept = Kept { session: *session, read_at: reading.at };
        let Ok(json) = serde_json::to_vec(&kept) else { return };
        let mut set = redis::cmd("SET");
        set.arg(self.redis.key(&key(token_hash))).arg(json).arg("NX").arg("PX").arg(milliseconds(TRUSTED));
        let answered = self
            .redis
            .call("set", async move |mut redis| set.query_async::<Option<String>>(&mut redis).await)
            .await;
        if answered.is_ok() && !pending && reading.failures == self.redis.failures() {
            self.settled_after.store(reading.failures, Ordering::SeqCst);
        }
    }

    /// Puts bars in the place of copies.
    pub async fn bar(&self, token_hashes: impl Iterator<Item = &[u8]>) -> Result<(), Unavailable> {
        let mut bars = redis::pipe();
        for token_hash in token_hashes {
            if let Ok(hash) = token_hash.try_into() {
                self.changes.changed(&Scope::Session(hash));
            }
            let key = self.redis.key(&key(token_hash));
            bars.cmd("SET").arg(key).arg("null").arg("PX").arg(milliseconds(BARRED)).ignore();
        }
        self.redis.call("set", async move |mut redis| bars.exec_async(&mut redis).await).await
    }
}
