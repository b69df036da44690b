//! Cache-aside over Redis: a key knows its value's type and how long it is fresh. A value is kept longer than it is
//! fresh, so that the catalogue can still be read while the database is away.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use platform::redis::Redis;
use redis::AsyncCommands;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::db::products::Category;
use crate::domain::product::Product;
use crate::error::{Error, Result};
use crate::routes::products::ProductPage;

/// How long a value serves while the database is away.
const STALE: Duration = Duration::from_hours(24);
/// How long a read may take before a stale value is better.
const LOAD_DEADLINE: Duration = Duration::from_secs(3);

/// A key, the type of its value, and how long the value is fresh.
pub trait Key {
    /// What is kept.
    type Value: Serialize + DeserializeOwned + Send + Sync;
    /// Labels the metric.
    const NAME: &'static str;
    /// For how long a value is used without a look at the database.
    const FRESH: Duration;
    /// The key in Redis, without the service's prefix.
    fn key(&self) -> String;
}

/// One product; made stale after each commit that changes it.
#[derive(Clone, Copy, Debug)]
pub struct ProductKey(pub Uuid);

impl Key for ProductKey {
    type Value = Product;
    const NAME: &'static str = "product";
    const FRESH: Duration = Duration::from_mins(1);
    fn key(&self) -> String {
        format!("product:{}", self.0)
    }
}

/// All categories.
#[derive(Clone, Copy, Debug)]
pub struct CategoriesKey;

impl Key for CategoriesKey {
    type Value = Vec<Category>;
    const NAME: &'static str = "categories";
    const FRESH: Duration = Duration::from_mins(1);
    fn key(&self) -> String {
        "categories".to_owned()
    }
}

/// A first page of the catalogue without a search, by its normalised question.
#[derive(Clone, Debug)]
pub struct PageKey(pub String);

impl Key for PageKey {
    type Value = ProductPage;
    const NAME: &'static str = "product_page";
    // Short, since stock and prices on it are not invalidated; the product's own page and the cart are exact.
    const FRESH: Duration = Duration::from_secs(5);
    fn key(&self) -> String {
        format!("products:{}", self.0)
    }
}

/// The cache. Clones share it.
#[derive(Clone, Debug)]
pub struct Cache {
    redis: Redis,
    requests: Counter<u64>,
}

impl Cache {
    /// A cache in this Redis.
    pub fn new(redis: Redis) -> Self {
        let requests = platform::telemetry::meter()
            .u64_counter("shop.cache.requests")
            .with_description("Reads through the cache by result: hit, miss, stale")
            .build();
        Self { redis, requests }
    }

    /// The fresh value of the key, else what `load` finds, which is then kept; while the database is away, the value
    /// that was kept last.
    pub async fn read_through<K: Key>(
        &self,
        key: &K,
        load: impl Future<Output = Result<K::Value>>,
    ) -> Result<K::Value> {
        let (kept, fresh) = self.get(key).await;
        if let Some(value) = kept {
            if fresh {
                self.count(K::NAME, "hit");
                return Ok(value);
            }
            return match within_deadline(load).await {
                Err(Error::DatabaseUnavailable(_)) => {
                    self.count(K::NAME, "stale");
                    Ok(value)
                }
                loaded => self.keep(key, loaded?).await,
            };
        }
        self.keep(key, within_deadline(load).await?).await
    }

    /// The value that was kept, and whether it is fresh: it is while a marker beside it lasts.
    async fn get<K: Key>(&self, key: &K) -> (Option<K::Value>, bool) {
        let keys = [self.redis.key(&key.key()), self.redis.key(&marker(&key.key()))];
        let found = self.redis.call("mget", async move |mut redis| redis.mget(&keys).await).await;
        let (value, marker): (Option<Vec<u8>>, Option<u8>) = found.unwrap_or_default();
        // One that does not parse was written by another version of the program: a miss.
        (value.and_then(|json| serde_json::from_slice(&json).ok()), marker.is_some())
    }

    async fn keep<K: Key>(&self, key: &K, value: K::Value) -> Result<K::Value> {
        self.count(K::NAME, "miss");
        let json = serde_json::to_vec(&value).map_err(|error| Error::Internal(error.to_string()))?;
        let (key, marker) = (self.redis.key(&key.key()), self.redis.key(&marker(&key.key())));
        let mut commands = redis::pipe();
        commands.set_ex(key, json, STALE.as_secs()).ignore().set_ex(marker, 1, K::FRESH.as_secs()).ignore();
        // Where Redis fails, the next reader loads again.
        let _ = self.redis.call("set", async move |mut redis| commands.exec_async(&mut redis).await).await;
        Ok(value)
    }

    /// Makes products stale, after the commit that changed them: the next reader loads them again, and only while the
    /// database is away are they shown as they were. Where Redis fails, they stay until they are no longer fresh.
    pub async fn forget_products(&self, ids: impl IntoIterator<Item = Uuid>) {
        let keys: Vec<String> = ids.into_iter().map(|id| marker(&ProductKey(id).key())).collect();
        if !keys.is_empty() {
            let _ = self.redis.delete(&keys).await;
        }
    }

    fn count(&self, cache: &'static str, result: &'static str) {
        self.requests.add(1, &[KeyValue::new("cache", cache), KeyValue::new("result", result)]);
    }
}

fn marker(key: &str) -> String {
    format!("{key}:fresh")
}

async fn within_deadline<T>(load: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(LOAD_DEADLINE, load).await {
        Ok(loaded) => loaded,
        Err(_) => Err(Error::DatabaseUnavailable("a read took too long".to_owned())),
    }
}
