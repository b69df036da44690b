//! Answers in Redis, under the version of the model that gave them and the revision of what customers did
//! until then. Nothing is ever invalidated: a new model or a new event asks under another key, and the old
//! one ends with its time.
//!
//! Without Redis every answer is computed.

use std::sync::Arc;
use std::time::Duration;

use platform::redis::Redis;
use uuid::Uuid;

use crate::error::Result;
use crate::metrics::Instruments;
use crate::model::Suggestion;

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
    fn text(&self, version: &str) -> String {
        match self {
            Self::User(id, revision) => format!("{version}:user:{id}:{revision}"),
            Self::Popular(revision) => format!("{version}:popular:{revision}"),
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

/// The cache.
#[derive(Clone, Debug)]
pub struct Cache {
    redis: Redis,
    instruments: Instruments,
}

impl Cache {
    /// A cache in a Redis.
    #[must_use]
    pub fn new(redis: Redis, instruments: Instruments) -> Self {
        Self { redis, instruments }
    }

    /// The cached answer, or else the computed one, which is cached then.
    pub async fn answer(
        &self,
        version: &str,
        key: Key,
        compute: impl Future<Output = Result<Vec<Suggestion>>>,
    ) -> Result<Vec<Suggestion>> {
        let text = key.text(version);
        let cached = self.redis.get(&text).await;
        self.instruments.cached(cached.is_some());
        if let Some(suggestions) = cached {
            return Ok(suggestions);
        }
        let suggestions = compute.await?;
        self.redis.set(&text, &suggestions, key.time_to_live()).await;
        Ok(suggestions)
    }

    /// True when Redis answers.
    pub async fn alive(&self) -> bool {
        self.redis.ping().await
    }
}
