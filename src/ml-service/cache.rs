//! Answers in Redis, under the version of the model and the settings that gave them and the revision of what
//! customers did until then. Nothing is ever invalidated: a new model or a new event asks under another key, and
//! the old one ends with its time.
//!
//! Without Redis every answer is computed.

use std::sync::Arc;
use std::time::Duration;

use platform::redis::Redis;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::Result;
use crate::metrics::Instruments;
use crate::model::Suggestion;
use crate::model::blend::Settings;

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

/// The cache.
#[derive(Clone, Debug)]
pub struct Cache {
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
        Self { redis, settings, instruments }
    }

    /// The cached answer, or else the computed one, which is cached then.
    pub async fn answer(
        &self,
        version: &str,
        key: Key,
        compute: impl Future<Output = Result<Vec<Suggestion>>>,
    ) -> Result<Vec<Suggestion>> {
        let text = key.text(version, self.settings);
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
