//! Who follows the orders' events, as a consumer would: from the stream in Redis, from where it was.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisResult;
use uuid::Uuid;

/// The stream, with the backend's prefix.
const STREAM: &str = "shop:events:orders";
/// How long to wait until Redis is asked again, where it did not answer.
const PAUSE: Duration = Duration::from_millis(100);

/// The events that were seen, of each order in the order of their first delivery.
pub type Seen = HashMap<Uuid, Vec<i64>>;

/// An entry's place in the stream, and its fields.
type Entry = (String, HashMap<String, String>);

/// A consumer. Clones share what they saw.
#[derive(Clone, Debug, Default)]
pub struct Consumer(Arc<Mutex<Seen>>);

impl Consumer {
    /// What was seen.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the stream of this Redis for as long as the process lives.
    pub async fn follow(self, url: String) {
        let mut last = "0".to_owned();
        loop {
            // It fails when Redis is away; what was seen stays.
            let _ = self.read(&url, &mut last).await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn read(&self, url: &str, last: &mut String) -> RedisResult<()> {
        let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        loop {
            let mut command = redis::cmd("XREAD");
            command.arg("COUNT").arg(1_000).arg("STREAMS").arg(STREAM).arg(last.as_str());
            let streams: Option<Vec<(String, Vec<Entry>)>> = command.query_async(&mut connection).await?;
            let mut any = false;
            for (id, fields) in streams.into_iter().flatten().flat_map(|(_, entries)| entries) {
                any = true;
                *last = id;
                let field = |name| fields.get(name).map(String::as_str);
                let event = field("id").and_then(|id| id.parse().ok());
                let order = field("order_id").and_then(|id| id.parse().ok());
                let Some((event, order)) = event.zip(order) else { continue };
                let mut seen = self.seen();
                let events = seen.entry(order).or_default();
                // One that comes again is ignored.
                if !events.contains(&event) {
                    events.push(event);
                }
            }
            if !any {
                tokio::time::sleep(PAUSE / 10).await;
            }
        }
    }
}
