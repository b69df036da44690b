//! Cache-aside over Redis: a key knows its value's type and how long it is fresh. A value is kept longer than it is
//! fresh, so that the catalogue can still be read while the database is away.
//!
//! What may change belongs to a generation, which lies in Redis beside it and which every commit replaces with a new
//! one. A value is fresh while its marker names the present generation; the marker of a value that was loaded names the
//! generation that was there before the load. So a slow reader, on this replica or another, that read before a commit
//! and stores after it, stores what nobody takes for fresh. Nor does it where a generation ran out meanwhile: the next
//! one is as new as that of a commit, and none comes twice. So how long one is remembered is a matter of room alone:
//! long after a change, and for minutes where somebody merely asked, since anybody may ask for what there is not.
//!
//! Answers are also kept in the process, as the bytes that clients get ([`near`]).

mod answer;
mod keys;
mod loads;
pub mod near;

use std::pin::Pin;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, Counter};
use platform::redis::Redis;
use redis::{ExistenceCheck, SetExpiry, SetOptions};
use uuid::Uuid;

pub use self::answer::Answer;
pub use self::keys::{CategoriesKey, FacetsKey, Key, PageKey, ProductKey, Stored, SuggestionsKey};
use self::loads::Loads;
use self::near::{Changes, Near};
use crate::domain::product::{Category, Product, ProductPage};
use crate::error::{Error, Result};

/// How long the generation of a change is remembered.
const GENERATION: Duration = Duration::from_hours(24);
/// How long the generation is remembered that a reader made, where there was none: longer than any value is fresh.
const FIRST_GENERATION: Duration = Duration::from_mins(5);
/// How long a read may take before a stale value is better.
const LOAD_DEADLINE: Duration = Duration::from_secs(3);

/// What changes together, and is made stale together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One product: edits and sales.
    Product(Uuid),
    /// What is for sale: edits alone, since lists would otherwise never be kept in a busy shop.
    Catalogue,
    /// One account.
    User(Uuid),
    /// The copies of one session, by the hash of its token; they have bars in place of generations.
    Session([u8; 32]),
}

impl Scope {
    fn key(self) -> String {
        match self {
            Self::Product(id) => format!("generation:product:{id}"),
            Self::Catalogue => "generation:catalogue".to_owned(),
            Self::User(id) => format!("generation:user:{id}"),
            Self::Session(hash) => session_key(&hash),
        }
    }
}

/// The key of a session's copy.
pub(crate) fn session_key(token_hash: &[u8]) -> String {
    format!("session:{}", URL_SAFE_NO_PAD.encode(token_hash))
}

/// What the last part of that key says.
fn session_hash(name: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    (URL_SAFE_NO_PAD.decode_slice(name, &mut hash) == Ok(hash.len())).then_some(hash)
}

/// The most that answers in the process take, in bytes.
const ANSWERS: usize = 12 * 1024 * 1024;
/// About what one takes.
const ANSWER: usize = 900;
/// For how long of the time that it is fresh the answer about a product is used without a look into Redis either.
const PRODUCT: Duration = Duration::from_secs(30);
/// The same of all categories.
const CATEGORIES: Duration = Duration::from_secs(30);
/// The same of a list.
const PAGE: Duration = Duration::from_secs(2);
/// For how long an account is answered without a look at the database. What changes an account is told to every replica;
/// this is for where it cannot be.
const USER: Duration = Duration::from_secs(5);
/// And a search: as far behind on stock as lists are.
const SEARCH: Duration = PageKey::FRESH;

/// What is answered, by what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Question {
    Product(Uuid),
    /// A list, by its query string.
    Page(Box<str>),
    /// A search, by its query string.
    Search(Box<str>),
    Categories,
    User(Uuid),
}

impl near::Weighed for Question {
    fn bytes(&self) -> usize {
        match self {
            Self::Page(query) | Self::Search(query) => query.len(),
            Self::Product(_) | Self::Categories | Self::User(_) => 0,
        }
    }
}

/// The cache. Clones share it.
#[derive(Clone, Debug)]
pub struct Cache {
    redis: Redis,
    changes: Changes,
    answers: Near<Question, Answer>,
    loads: Loads,
    requests: Counter<u64>,
    near_hits: [BoundCounter<u64>; 5],
}

impl Cache {
    /// A cache in this Redis, and in the process as far as changes are heard.
    pub fn new(redis: Redis, changes: Changes) -> Self {
        let requests = platform::telemetry::meter()
            .u64_counter("shop.cache.requests")
            .with_description(
                "Reads through the cache by result: near (in the process), hit (in Redis), miss, stale",
            )
            .build();
        let near = |cache| requests.bind(&[KeyValue::new("cache", cache), KeyValue::new("result", "near")]);
        let near_hits = [ProductKey::NAME, PageKey::NAME, "search", CategoriesKey::NAME, "user"].map(near);
        let answers = Near::new(changes.clone(), ANSWERS, ANSWER);
        Self { redis, changes, answers, loads: Loads::default(), requests, near_hits }
    }

    /// The answer about a product.
    pub async fn product(
        &self,
        id: Uuid,
        load: impl AsyncFnOnce() -> Result<Product>,
        answer: impl FnOnce(&Product) -> Result<Answer>,
    ) -> Result<Answer> {
        let load = async move || answer(&load().await?);
        let as_kept = |answer: &Answer| Ok(answer.clone());
        self.answer(Question::Product(id), &ProductKey(id), PRODUCT, load, as_kept).await
    }

    /// The kept answer to a list's query string.
    pub fn page(&self, query: &str) -> Option<Answer> {
        self.near(&Question::Page(query.into()))
    }

    /// The answer to a list's query string, which is the usual one of this key.
    pub async fn list(
        &self,
        query: &str,
        key: &PageKey,
        load: impl AsyncFnOnce() -> Result<ProductPage>,
    ) -> Result<Answer> {
        self.answer(Question::Page(query.into()), key, PAGE, load, Answer::of).await
    }

    /// The answer about all categories.
    pub async fn categories(
        &self,
        load: impl AsyncFnOnce() -> Result<Vec<Category>>,
        answer: impl FnOnce(&Vec<Category>) -> Result<Answer>,
    ) -> Result<Answer> {
        self.answer(Question::Categories, &CategoriesKey, CATEGORIES, load, answer).await
    }

    /// The answer to a search, by its query string. Never in Redis: anybody may search for anything, and what is seldom
    /// asked would push out what is needed. Nor is it kept that there is nothing to be found.
    pub async fn search(
        &self,
        query: &str,
        load: impl AsyncFnOnce() -> Result<ProductPage>,
    ) -> Result<Answer> {
        let load = async move || {
            let page = load().await?;
            Ok((Answer::of(&page)?, PageKey::keeps(&page)))
        };
        self.near_or_load("search", Question::Search(query.into()), Scope::Catalogue, SEARCH, load).await
    }

    /// The answer about an account, which is personal and so never in Redis.
    pub async fn user(&self, id: Uuid, load: impl AsyncFnOnce() -> Result<Answer>) -> Result<Answer> {
        let load = async move || Ok((load().await?, true));
        self.near_or_load("user", Question::User(id), Scope::User(id), USER, load).await
    }

    /// The answer in the process, else what `load` finds and whether that is kept, for so long: what is never in Redis.
    async fn near_or_load(
        &self,
        cache: &'static str,
        question: Question,
        scope: Scope,
        time: Duration,
        load: impl AsyncFnOnce() -> Result<(Answer, bool)>,
    ) -> Result<Answer> {
        if let Some(answer) = self.near(&question) {
            return Ok(answer);
        }
        self.count(cache, "miss");
        let moment = self.changes.moment(&scope);
        let (answer, keeps) = Box::pin(load()).await?;
        if keeps {
            self.answers.keep(question, answer.clone(), moment, time);
        }
        Ok(answer)
    }

    fn near(&self, question: &Question) -> Option<Answer> {
        let answer = self.answers.get(question)?;
        let [product, page, search, categories, user] = &self.near_hits;
        match question {
            Question::Product(_) => product.add(1),
            Question::Page(_) => page.add(1),
            Question::Search(_) => search.add(1),
            Question::Categories => categories.add(1),
            Question::User(_) => user.add(1),
        }
        Some(answer)
    }

    async fn answer<K: Key>(
        &self,
        question: Question,
        key: &K,
        time: Duration,
        load: impl AsyncFnOnce() -> Result<K::Value>,
        answer: impl FnOnce(&K::Value) -> Result<Answer>,
    ) -> Result<Answer> {
        if let Some(answer) = self.near(&question) {
            return Ok(answer);
        }
        // Boxed, since most requests find what they ask for and have no use for its size.
        Box::pin(async move {
            let moment = self.changes.moment(&key.scope());
            let (value, fresh_for) = self.read(key, Box::pin(load())).await?;
            let answer = answer(&value)?;
            if K::keeps(&value) && !fresh_for.is_zero() {
                self.answers.keep(question, answer.clone(), moment, fresh_for.min(time));
            }
            Ok(answer)
        })
        .await
    }

    /// The fresh value of the key, else what `load` finds, which is then kept; while the database is away, the value
    /// that was kept last.
    pub async fn read_through<K: Key>(
        &self,
        key: &K,
        load: impl Future<Output = Result<K::Value>>,
    ) -> Result<K::Value> {
        self.read(key, Box::pin(load)).await.map(|(value, _)| value)
    }

    /// The same, and for how long the value may be used from now on without another look: not at all where it is stale,
    /// or nothing would tell that it changed.
    async fn read<K: Key>(
        &self,
        key: &K,
        load: Pin<Box<impl Future<Output = Result<K::Value>>>>,
    ) -> Result<(K::Value, Duration)> {
        let mut found = self.get(key).await;
        // Of those on this replica who miss the same value at once, one loads it. Without Redis nobody could take it
        // over from the one who did.
        let mut loading = None;
        if found.fresh_for.is_zero() && found.generation.is_some() {
            match self.loads.begin(key.key()) {
                Ok(mine) => loading = Some(mine),
                Err(theirs) => {
                    let _ = tokio::time::timeout(LOAD_DEADLINE, theirs.acquire()).await;
                    found = self.get(key).await;
                }
            }
        }
        let value = self.value_or_load(key, found, load).await;
        drop(loading);
        value
    }

    async fn value_or_load<K: Key>(
        &self,
        key: &K,
        found: Found<K::Value>,
        load: impl Future<Output = Result<K::Value>>,
    ) -> Result<(K::Value, Duration)> {
        let loaded_for = if found.generation.is_some() { K::FRESH } else { Duration::ZERO };
        let Some(value) = found.value else {
            return Ok((self.keep(key, within_deadline(load).await?, found.generation).await?, loaded_for));
        };
        if !found.fresh_for.is_zero() {
            self.count(K::NAME, "hit");
            return Ok((value, found.fresh_for));
        }
        match within_deadline(load).await {
            Err(Error::DatabaseUnavailable(_)) => {
                self.count(K::NAME, "stale");
                Ok((value, Duration::ZERO))
            }
            loaded => Ok((self.keep(key, loaded?, found.generation).await?, loaded_for)),
        }
    }

    /// Value, marker and generation, as they are at one moment, and how long the marker lasts.
    async fn get<K: Key>(&self, key: &K) -> Found<K::Value> {
        let keys = [key.key(), marker(&key.key()), key.scope().key()].map(|key| self.redis.key(&key));
        let mut commands = redis::pipe();
        commands.mget(&keys).pttl(&keys[1]);
        let look = async move |mut redis| commands.query_async::<(Values, i64)>(&mut redis).await;
        let Ok(((value, marker, generation), lasts)) = self.redis.call("mget", look).await else {
            return Found { value: None, fresh_for: Duration::ZERO, generation: None };
        };
        let is_fresh = marker.is_some() && marker == generation;
        Found {
            // One that does not parse was written by another version of the program: a miss.
            value: value.and_then(|bytes| K::Value::from_bytes(&bytes)),
            fresh_for: Duration::from_millis(u64::try_from(lasts).ok().filter(|_| is_fresh).unwrap_or(0)),
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
            .with_expiration(SetExpiry::EX(FIRST_GENERATION.as_secs()));
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
        let bytes = value.to_bytes()?;
        let (key, marker) = (self.redis.key(&key.key()), self.redis.key(&marker(&key.key())));
        let mut commands = redis::pipe();
        commands.set_ex(key, bytes, K::KEPT.as_secs()).ignore();
        commands.set_ex(marker, generation, K::FRESH.as_secs()).ignore();
        // Where Redis fails, the next reader loads again.
        let _ = self.redis.call("set", async move |mut redis| commands.exec_async(&mut redis).await).await;
        Ok(value)
    }

    /// Makes what is in these scopes stale, after the commit that changed it: the next reader, on any replica, loads it
    /// again, and only while the database is away is it shown as it was. Where Redis fails, it stays until it is no
    /// longer fresh. Returns whether Redis was told.
    pub async fn forget(&self, scopes: &[Scope]) -> bool {
        let mut commands = redis::pipe();
        for scope in scopes {
            self.changes.changed(scope);
            let key = self.redis.key(&scope.key());
            commands.set_ex(key, new_generation(), GENERATION.as_secs()).ignore();
        }
        if commands.is_empty() {
            return false;
        }
        let forget = async move |mut redis| commands.exec_async(&mut redis).await;
        self.redis.call("forget", forget).await.is_ok()
    }

    /// [`Cache::forget`] of products alone: what a sale does.
    pub async fn forget_products(&self, ids: impl IntoIterator<Item = Uuid>) -> bool {
        let scopes: Vec<Scope> = ids.into_iter().map(Scope::Product).collect();
        self.forget(&scopes).await
    }

    fn count(&self, cache: &'static str, result: &'static str) {
        self.requests.add(1, &[KeyValue::new("cache", cache), KeyValue::new("result", result)]);
    }
}

/// Value, marker and generation.
type Values = (Option<Vec<u8>>, Option<String>, Option<String>);

/// What a look into Redis found; without Redis, nothing, not even the generation.
struct Found<V> {
    value: Option<V>,
    /// For how long it is still fresh.
    fresh_for: Duration,
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
