//! Cache-aside over Redis: a key knows its value's type and how long it is fresh. A value is kept longer than it is
//! fresh, so that the catalogue can still be read while the database is away.
//!
//! What may change belongs to a generation, which lies in Redis beside it and which every commit replaces with a new
//! one. A value is fresh while its marker names the present generation; the marker of a value that was loaded names the
//! generation that was there before the load. So a slow reader, on this replica or another, that read before a commit
//! and stores after it, stores what nobody takes for fresh.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use platform::redis::Redis;
use redis::{AsyncCommands, ExistenceCheck, SetExpiry, SetOptions};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::domain::product::{Category, Facets, Product, ProductPage, Suggestion};
use crate::error::{Error, Result};

/// How long a generation is remembered: much longer than any value that was loaded before it is fresh.
const GENERATION: Duration = Duration::from_hours(24);
/// How long a read may take before a stale value is better.
const LOAD_DEADLINE: Duration = Duration::from_secs(3);

/// What changes together, and is made stale together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One product: edits and sales.
    Product(Uuid),
    /// What is for sale: edits alone, since lists would otherwise never be kept in a busy shop.
    Catalogue,
}

impl Scope {
    fn key(self) -> String {
        match self {
            Self::Product(id) => format!("generation:product:{id}"),
            Self::Catalogue => "generation:catalogue".to_owned(),
        }
    }
}

/// A key, the type of its value, and how long the value is fresh and kept.
pub trait Key {
    /// What is kept.
    type Value: Serialize + DeserializeOwned + Send + Sync;
    /// Labels the metric.
    const NAME: &'static str;
    /// For how long a value is used without a look at the database.
    const FRESH: Duration;
    /// How long the value serves while the database is away.
    const KEPT: Duration = Duration::from_hours(24);
    /// The key in Redis, without the service's prefix.
    fn key(&self) -> String;
    /// What makes the value stale before its time.
    fn scope(&self) -> Scope;
    /// Whether the value is worth its place.
    fn keeps(_value: &Self::Value) -> bool {
        true
    }
}

/// One product.
#[derive(Clone, Copy, Debug)]
pub struct ProductKey(pub Uuid);

impl Key for ProductKey {
    type Value = Product;
    const NAME: &'static str = "product";
    const FRESH: Duration = Duration::from_mins(1);
    fn key(&self) -> String {
        format!("product:{}", self.0)
    }
    fn scope(&self) -> Scope {
        Scope::Product(self.0)
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
    fn scope(&self) -> Scope {
        Scope::Catalogue
    }
}

/// A first page of the catalogue without a search, by its normalised question.
#[derive(Clone, Debug)]
pub struct PageKey(pub String);

impl Key for PageKey {
    type Value = ProductPage;
    const NAME: &'static str = "product_page";
    // Short, since sales do not make it stale; the product's own page and the cart tell the stock exactly.
    const FRESH: Duration = Duration::from_secs(5);
    fn key(&self) -> String {
        format!("products:{}", self.0)
    }
    fn scope(&self) -> Scope {
        Scope::Catalogue
    }
    // Anybody can ask for categories that there are not, of which each would have an entry.
    fn keeps(page: &ProductPage) -> bool {
        !page.items.is_empty()
    }
}

/// The facets of a question.
#[derive(Clone, Debug)]
pub struct FacetsKey(pub String);

impl Key for FacetsKey {
    type Value = Facets;
    const NAME: &'static str = "facets";
    const FRESH: Duration = Duration::from_secs(30);
    // Anybody may ask anything: what was asked once is not kept for long.
    const KEPT: Duration = Duration::from_mins(10);
    fn key(&self) -> String {
        format!("facets:{}", self.0)
    }
    fn scope(&self) -> Scope {
        Scope::Catalogue
    }
}

/// Suggestions for a text that is being typed.
#[derive(Clone, Debug)]
pub struct SuggestionsKey(pub String);

impl Key for SuggestionsKey {
    type Value = Vec<Suggestion>;
    const NAME: &'static str = "suggestions";
    const FRESH: Duration = Duration::from_secs(30);
    const KEPT: Duration = Duration::from_mins(10);
    fn key(&self) -> String {
        format!("suggestions:{}", self.0)
    }
    fn scope(&self) -> Scope {
        Scope::Catalogue
    }
}

/// The cache. Clones share it.
#[derive(Clone, Debug)]
pub struct Cache {
    redis: Redis,
    loads: Loads,
    requests: Counter<u64>,
}

/// Keys whose values are being loaded on this replica. The semaphore of a load has no permits, and is closed when the
/// load is over.
#[derive(Clone, Debug, Default)]
struct Loads(Arc<Mutex<HashMap<String, Arc<Semaphore>>>>);

/// A load that is on its way. Dropped when it is over, or when nobody waits for it any more.
struct Loading {
    loads: Loads,
    key: String,
}

impl Loads {
    /// The load of this key as the caller's own, or that of another.
    fn begin(&self, key: String) -> Result<Loading, Arc<Semaphore>> {
        let mut loads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(theirs) = loads.get(&key) {
            return Err(theirs.clone());
        }
        loads.insert(key.clone(), Arc::new(Semaphore::new(0)));
        Ok(Loading { loads: self.clone(), key })
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        let over = self.loads.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        if let Some(over) = over {
            over.close();
        }
    }
}

impl Cache {
    /// A cache in this Redis.
    pub fn new(redis: Redis) -> Self {
        let requests = platform::telemetry::meter()
            .u64_counter("shop.cache.requests")
            .with_description("Reads through the cache by result: hit, miss, stale")
            .build();
        Self { redis, loads: Loads::default(), requests }
    }

    /// The fresh value of the key, else what `load` finds, which is then kept; while the database is away, the value
    /// that was kept last.
    pub async fn read_through<K: Key>(
        &self,
        key: &K,
        load: impl Future<Output = Result<K::Value>>,
    ) -> Result<K::Value> {
        let mut found = self.get(key).await;
        // Of those on this replica who miss the same value at once, one loads it. Without Redis nobody could take it
        // over from the one who did.
        let mut loading = None;
        if !found.fresh && found.generation.is_some() {
            match self.loads.begin(key.key()) {
                Ok(mine) => loading = Some(mine),
                Err(theirs) => {
                    let _ = tokio::time::timeout(LOAD_DEADLINE, theirs.acquire()).await;
                    found = self.get(key).await;
                }
            }
        }
        let value = self.value_or_load(key, found, Box::pin(load)).await;
        drop(loading);
        value
    }

    async fn value_or_load<K: Key>(
        &self,
        key: &K,
        found: Found<K::Value>,
        load: impl Future<Output = Result<K::Value>>,
    ) -> Result<K::Value> {
        let Some(value) = found.value else {
            return self.keep(key, within_deadline(load).await?, found.generation).await;
        };
        if found.fresh {
            self.count(K::NAME, "hit");
            return Ok(value);
        }
        match within_deadline(load).await {
            Err(Error::DatabaseUnavailable(_)) => {
                self.count(K::NAME, "stale");
                Ok(value)
            }
            loaded => self.keep(key, loaded?, found.generation).await,
        }
    }

    /// Value, marker and generation, as they are at one moment.
    async fn get<K: Key>(&self, key: &K) -> Found<K::Value> {
        let keys = [key.key(), marker(&key.key()), key.scope().key()].map(|key| self.redis.key(&key));
        let found = self.redis.call("mget", async move |mut redis| redis.mget(&keys).await).await;
        let Ok(found) = found else { return Found { value: None, fresh: false, generation: None } };
        let (value, marker, generation): (Option<Vec<u8>>, Option<String>, Option<String>) = found;
        Found {
            // One that does not parse was written by another version of the program: a miss.
            value: value.and_then(|json| serde_json::from_slice(&json).ok()),
            fresh: marker.is_some() && marker == generation,
            generation: match generation {
                Some(generation) => Some(generation),
                None => self.first_generation(key.scope()).await,
            },
        }
    }

    /// Makes a generation where there is none yet, or where Redis forgot it: what was kept under the forgotten one is
    /// stale, since a change may have been forgotten with it.
    async fn first_generation(&self, scope: Scope) -> Option<String> {
        let key = self.redis.key(&scope.key());
        let options = SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::EX(GENERATION.as_secs()));
        let mut commands = redis::pipe();
        commands.set_options(&key, new_generation(), options).ignore().get(&key);
        let begin = async move |mut redis| commands.query_async::<(Option<String>,)>(&mut redis).await;
        self.redis.call("generation", begin).await.ok()?.0
    }

    /// Keeps what was loaded, as of the generation that was seen before the load. Where that is not known, nothing is
    /// kept.
    async fn keep<K: Key>(&self, key: &K, value: K::Value, generation: Option<String>) -> Result<K::Value> {
        self.count(K::NAME, "miss");
        let Some(generation) = generation.filter(|_| K::keeps(&value)) else { return Ok(value) };
        let json = serde_json::to_vec(&value).map_err(|error| Error::Internal(error.to_string()))?;
        let (key, marker) = (self.redis.key(&key.key()), self.redis.key(&marker(&key.key())));
        let mut commands = redis::pipe();
        commands.set_ex(key, json, K::KEPT.as_secs()).ignore();
        commands.set_ex(marker, generation, K::FRESH.as_secs()).ignore();
        // Where Redis fails, the next reader loads again.
        let _ = self.redis.call("set", async move |mut redis| commands.exec_async(&mut redis).await).await;
        Ok(value)
    }

    /// Makes what is in these scopes stale, after the commit that changed it: the next reader, on any replica, loads it
    /// again, and only while the database is away is it shown as it was. Where Redis fails, it stays until it is no
    /// longer fresh.
    pub async fn forget(&self, scopes: &[Scope]) {
        let mut commands = redis::pipe();
        for scope in scopes {
            let key = self.redis.key(&scope.key());
            commands.set_ex(key, new_generation(), GENERATION.as_secs()).ignore();
        }
        if !commands.is_empty() {
            let forget = async move |mut redis| commands.exec_async(&mut redis).await;
            let _ = self.redis.call("forget", forget).await;
        }
    }

    /// [`Cache::forget`] of products alone: what a sale does.
    pub async fn forget_products(&self, ids: impl IntoIterator<Item = Uuid>) {
        let scopes: Vec<Scope> = ids.into_iter().map(Scope::Product).collect();
        self.forget(&scopes).await;
    }

    fn count(&self, cache: &'static str, result: &'static str) {
        self.requests.add(1, &[KeyValue::new("cache", cache), KeyValue::new("result", result)]);
    }
}

/// What a look into Redis found; without Redis, nothing, not even the generation.
struct Found<V> {
    value: Option<V>,
    fresh: bool,
    generation: Option<String>,
}

/// Random, so that no generation comes again after one was forgotten, as a counter would.
fn new_generation() -> String {
    Uuid::new_v4().to_string()
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
