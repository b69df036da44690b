//! What Redis tells by itself: which keys were changed, by whomever, on a connection that is kept for that ([client-side
//! caching](https://redis.io/docs/latest/develop/reference/client-side-caching/) in broadcasting mode). A process that
//! keeps copies of its own throws them away by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ProtocolVersion, PushInfo, PushKind, RedisResult, Value};

use super::{DEADLINE, REST, Redis};

/// How often Redis is asked whether it still speaks.
const BEAT: Duration = Duration::from_millis(250);

/// For how long what was heard counts, from the last question that was answered: a copy that is looked at later may have
/// been changed unheard.
pub const HEARD: Duration = Duration::from_secs(1);

/// What keeps copies, and is told of changes.
pub trait Listener: Send + Sync + 'static {
    /// A key under one of the prefixes was changed; it is without the service's own prefix. Called on the way: it must
    /// not wait.
    fn changed(&self, key: &str);
    /// Any key may have been changed.
    fn forget_all(&self);
}

/// Whether changes are heard. Clones share it.
#[derive(Clone, Debug)]
pub struct Hearing {
    started: Instant,
    /// Microseconds after `started` until which it can be relied on.
    until: Arc<AtomicU64>,
}

impl Default for Hearing {
    fn default() -> Self {
        Self { started: Instant::now(), until: Arc::default() }
    }
}

impl Hearing {
    /// Whether every change until now, but for those of the last moment, was heard.
    #[must_use]
    pub fn is_good(&self, now: Instant) -> bool {
        micros(now.saturating_duration_since(self.started)) < self.until.load(Ordering::Acquire)
    }

    fn heard(&self, at: Instant) {
        self.until.store(micros(at + HEARD - self.started), Ordering::Release);
    }

    fn lost(&self) {
        self.until.store(0, Ordering::Release);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Redis {
    /// Listens for changes of keys under these prefixes, for as long as the process lives.
    pub async fn listen(self, prefixes: &[&str], hearing: Hearing, listener: Arc<dyn Listener>) {
        let prefixes: Vec<String> = prefixes.iter().map(|prefix| self.key(prefix)).collect();
        loop {
            if let Ok(connection) = self.track(&prefixes, Arc::clone(&listener)).await {
                // What was kept before was not watched.
                listener.forget_all();
                beat(connection, &hearing).await;
                hearing.lost();
                listener.forget_all();
            }
            tokio::time::sleep(REST).await;
        }
    }

    async fn track(
        &self,
        prefixes: &[String],
        listener: Arc<dyn Listener>,
    ) -> RedisResult<MultiplexedConnection> {
        let own = Arc::clone(&self.0.prefix);
        let push = move |push: PushInfo| {
            if push.kind == PushKind::Invalidate {
                tell(&push.data, &own, &*listener);
            }
            Ok::<_, ()>(())
        };
        let info = self.0.client.get_connection_info().clone();
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(DEADLINE))
            .set_response_timeout(Some(DEADLINE))
            .set_push_sender(push);
        let client = redis::Client::open(info.set_redis_settings(settings))?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut command = redis::cmd("CLIENT");
        command.arg("TRACKING").arg("ON").arg("BCAST");
        for prefix in prefixes {
            command.arg("PREFIX").arg(prefix);
        }
        command.exec_async(&mut connection).await?;
        Ok(connection)
    }
}

/// Asks again and again, until there is no answer. Changes are told before it on the same connection.
async fn beat(mut connection: MultiplexedConnection, hearing: &Hearing) {
    loop {
        let asked = Instant::now();
        let answered = redis::cmd("PING").exec_async(&mut connection).await;
        if answered.is_err() {
            return;
        }
        hearing.heard(asked);
        tokio::time::sleep(BEAT).await;
    }
}

/// The message is the keys, or nothing where all were removed.
fn tell(data: &[Value], prefix: &str, listener: &dyn Listener) {
    for keys in data {
        let Value::Array(keys) = keys else {
            listener.forget_all();
            continue;
        };
        for key in keys {
            let key = match key {
                Value::BulkString(key) => std::str::from_utf8(key).ok(),
                Value::SimpleString(key) => Some(key.as_str()),
                _ => None,
            };
            match key.and_then(|key| key.strip_prefix(prefix)) {
                Some(key) => listener.changed(key),
                None => listener.forget_all(),
            }
        }
    }
}
