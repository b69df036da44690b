//! Answers in Redis, under the version of the model and the settings that gave them and the revision of what
//! customers did until then. Nothing is ever invalidated: a new model or a new event asks under another key, and
//! the old one ends with its time. So each replica may have those in memory, too, that are asked often.
//!
//! Without Redis every answer is computed that is not in memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use platform::redis::Redis;
use quick_cache::Weighter;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::Result;
use crate::metrics::Instruments;
use crate::model::Suggestion;
use crate::model::blend::Settings;

/// The most that answers in memory take, in bytes: some eight hundred of them.
const NEAR: u64 = 4 * 1024 * 1024;
/// How long an answer stays in memory: so much older than Redis lets it become it may be.
const NEAR_LIFE: Duration = Duration::from_mins(1);
/// What an answer in memory takes besides its products: its key, and its place in the table.
const OVERHEAD: usize = 250;

/// Products to show. Many may be shown the same.
pub type Answer = Arc<[Suggestion]>;

/// Which answer, of one model.
#[derive(Clone, Debug)]
pub enum Key {
    /// What fits a user as they are at a revision.
    User(Uuid, Arc<str>),
    /// What sells at a revision.
    Popular(Arc<str>),
    /// What is like a product.
    Similar(Uuid),
}

impl Key {
    fn text(&self, version: &str, settings: u32) -> String {
        match self {
            Self::User(id, revision) => format!("{version}:user:{id}:{revision}:{settings:08x}"),
            Self::Popular(revision) => format!("{version}:popular:{revision}:{settings:08x}"),
            Self::Similar(id) => format!("{version}:similar:{id}"),
        }
    }

    /// Similar products change with the model alone; the others are soon followed by another revision.
    fn time_to_live(&self) -> Duration {
        match self {
            Self::User(..) | Self::Popular(_) => Duration::from_mins(10),
            Self::Similar(_) => Duration::from_hours(6),
        }
    }
}

/// An answer in memory.
#[derive(Clone, Debug)]
struct Kept {
    answer: Answer,
    until: Instant,
}

#[derive(Clone, Debug)]
struct InBytes;

impl Weighter<String, Kept> for InBytes {
    fn weight(&self, _: &String, kept: &Kept) -> u64 {
        let reasons: usize = kept.answer.iter().map(|suggestion| suggestion.reason.len()).sum();
        (size_of_val::<[Suggestion]>(&kept.answer) + reasons + OVERHEAD) as u64
    }
}

type Near = quick_cache::sync::Cache<String, Kept, InBytes>;

/// Memory for answers, with none yet.
fn near() -> Near {
    Near::with_weighter(1_000, NEAR, InBytes)
}

/// The cache. Clones share it.
#[derive(Clone, Debug)]
pub struct Cache {
    near: Arc<Near>,
    redis: Redis,
    /// A digest of what answers depend on besides.
    settings: u32,
    instruments: Instruments,
}

impl Cache {
    /// A cache in a Redis.
    #[must_use]
    pub fn new(
        redis: Redis,
        settings: &Settings,
        popularity_half_life: f64,
        instruments: Instruments,
    ) -> Self {
        let digest = Sha256::digest(format!("{settings:?} {popularity_half_life}"));
        let settings = digest.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        Self { near: Arc::new(near()), redis, settings, instruments }
    }

    /// The cached answer, or else the computed one, which is cached then.
    pub async fn answer(
        &self,
        version: &str,
        key: Key,
        compute: impl Future<Output = Result<Vec<Suggestion>>>,
    ) -> Result<Answer> {
        let text = key.text(version, self.settings);
        let near = self.near.get(&text).filter(|kept| Instant::now() < kept.until);
        let cached = match near {
            Some(kept) => Some(kept.answer),
            None => self.redis.get::<Vec<_>>(&text).await.map(|answer| self.keep(&text, answer.into())),
        };
        self.instruments.cached(cached.is_some());
        if let Some(answer) = cached {
            return Ok(answer);
        }
        let answer = self.keep(&text, compute.await?.into());
        self.redis.set(&text, &&*answer, key.time_to_live()).await;
        Ok(answer)
    }

    fn keep(&self, text: &str, answer: Answer) -> Answer {
        let kept = Kept { answer: Arc::clone(&answer), until: Instant::now() + NEAR_LIFE };
        self.near.insert(text.to_owned(), kept);
        answer
    }

    /// True when Redis answers.
    pub async fn alive(&self) -> bool {
        self.redis.ping().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_in_memory_have_a_bound() {
        let near = near();
        let suggestion = || Suggestion {
            product_id: Uuid::nil(),
            score: 0.5,
            reason: "because you bought a lamp".to_owned(),
        };
        for number in 0..5_000 {
            let answer = std::iter::repeat_with(suggestion).take(50).collect();
            near.insert(number.to_string(), Kept { answer, until: Instant::now() });
        }
        assert!(near.weight() <= NEAR, "{}", near.weight());
        assert!((500..1_500).contains(&near.len()), "{}", near.len());
    }
}
