//! Redis as something the shop can do without: every call has a deadline, a failure is an absence and a metric, and
//! after a failure Redis is left alone for a moment, so that a stalled server costs one deadline and not one a call.

pub mod watch;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, RedisResult};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::{Env, Secret, ServiceConfig};
use crate::spans::Operation;

/// The longest a call may take, where it does not say how long.
const DEADLINE: Duration = Duration::from_millis(250);
/// How long Redis is left alone after a failed call.
const REST: Duration = Duration::from_millis(500);

/// Redis did not answer in time, or not as expected. The cause was counted and logged.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("Redis is not available")]
pub struct Unavailable;

/// A shared connection that is made anew by itself. Clones share it.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    client: redis::Client,
    connection: RwLock<ConnectionManager>,
    started: Instant,
    /// Milliseconds after `started` until which no call is made.
    rest_until: AtomicU64,
    failures: AtomicU64,
    prefix: Arc<str>,
    errors: Counter<u64>,
}

/// Connects when it is first used, and again where the connection breaks.
fn connect(client: &redis::Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(DEADLINE))
        // Each call has a deadline of its own.
        .set_response_timeout(None)
        .set_number_of_retries(0);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

/// `REDIS_URL`, or its default.
pub fn url(env: &mut Env, service: &ServiceConfig) -> Secret {
    let url = env.secret("REDIS_URL").unwrap_or_else(|| Secret::new("redis://redis:6379"));
    match redis::Client::open(url.reveal()) {
        Ok(client) => {
            let password = client.get_connection_info().redis_settings().password();
            env.refuse_known_password("REDIS_URL", password.map(str::as_bytes), service);
        }
        Err(error) => env.mistake(format!("REDIS_URL: {error}")),
    }
    url
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.0.prefix).finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects at the first call, so that a service starts without Redis. `prefix` goes before every key.
    pub fn new(url: &str, prefix: &str) -> RedisResult<Self> {
        let client = redis::Client::open(url)?;
        let connection = RwLock::new(connect(&client)?);
        Ok(Self(Arc::new(Inner {
            client,
            connection,
            started: Instant::now(),
            rest_until: AtomicU64::default(),
            failures: AtomicU64::default(),
            prefix: prefix.into(),
            errors: crate::telemetry::meter()
                .u64_counter("redis.client.errors")
                .with_description("Calls to Redis that failed or came too late")
                .build(),
        })))
    }

    fn connection(&self) -> ConnectionManager {
        self.0.connection.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Leaves a connection that does not answer: one that the network has forgotten breaks never, and so the manager
    /// would keep it for good.
    fn reconnect(&self) {
        if let Ok(fresh) = connect(&self.0.client) {
            *self.0.connection.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }

    /// A key with this instance's prefix.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        format!("{}{key}", self.0.prefix)
    }

    /// How many calls have failed so far: the same number twice means that none failed between.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.0.failures.load(Ordering::SeqCst)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Makes a call with the deadline. `operation` labels the metric.
    pub fn call<T>(
        &self,
        operation: &'static str,
        call: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>,
    ) -> impl Future<Output = Result<T, Unavailable>> {
        self.call_within(DEADLINE, operation, call)
    }

    /// As [`Redis::call`], with a deadline of its own.
    pub async fn call_within<T>(
        &self,
        deadline: Duration,
        operation: &'static str,
        call: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>,
    ) -> Result<T, Unavailable> {
        if self.now() < self.0.rest_until.load(Ordering::Relaxed) {
            return Err(Unavailable);
        }
        let observed = Operation { system: "redis", name: operation, summary: operation, text: None };
        let answer = async {
            match tokio::time::timeout(deadline, call(self.connection())).await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(error)) => {
                    if error.is_timeout() {
                        self.reconnect();
                    }
                    Err(error.to_string())
                }
                Err(_) => {
                    self.reconnect();
                    Err("deadline exceeded".to_owned())
                }
            }
        };
        let cause = match observed.observe(Box::pin(answer)).await {
            Ok(value) => return Ok(value),
            Err(cause) => cause,
        };
        self.0.failures.fetch_add(1, Ordering::SeqCst);
        let rest = u64::try_from(REST.as_millis()).unwrap_or(u64::MAX);
        self.0.rest_until.store(self.now().saturating_add(rest), Ordering::Relaxed);
        self.0.errors.add(1, &[KeyValue::new("operation", operation)]);
        tracing::warn!(operation, cause, "Redis failed");
        Err(Unavailable)
    }

    /// True when Redis answers a PING. Asks even while Redis is left alone, since health must tell the present state.
    pub async fn ping(&self) -> bool {
        let mut connection = self.connection();
        let ping = async move { redis::cmd("PING").query_async::<String>(&mut connection).await };
        matches!(tokio::time::timeout(DEADLINE, ping).await, Ok(Ok(answer)) if answer == "PONG")
    }

    /// A cached value; a value that does not parse (written by another version) is a miss.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let key = self.key(key);
        let bytes: Option<Vec<u8>> =
            self.call("get", async move |mut c| c.get(key).await).await.ok().flatten();
        serde_json::from_slice(&bytes?).ok()
    }

    /// Caches a value for a time. Whether it worked makes no difference to the caller.
    pub async fn set<T: Serialize + Sync>(&self, key: &str, value: &T, ttl: Duration) {
        let Ok(bytes) = serde_json::to_vec(value) else { return };
        let key = self.key(key);
        let milliseconds = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let _ =
            self.call("set", async move |mut c| c.pset_ex::<_, _, ()>(key, bytes, milliseconds).await).await;
    }
}
