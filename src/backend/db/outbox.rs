//! Events of orders that wait to be published.

use std::time::Duration;

use deadpool_postgres::{GenericClient, Transaction};
use jiff::Timestamp;
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::error::Result;

/// The key of the advisory lock under which events are published.
const LOCK: i64 = 0x0073_686f_706f_7574;

/// An event as it is published.
#[derive(Clone, Debug)]
pub struct Event {
    /// Larger for a later event of the same order.
    pub id: i64,
    /// The order it tells of.
    pub order_id: Uuid,
    /// Such as `order.paid`.
    pub kind: String,
    /// What there is to know.
    pub payload: serde_json::Value,
    /// When it happened.
    pub at: Timestamp,
}

/// What waits.
#[derive(Clone, Copy, Debug)]
pub struct Backlog {
    /// How many events.
    pub events: i64,
    /// How long the oldest has waited.
    pub age_seconds: f64,
}

/// What waits to be published; beyond 10,000 events it is not counted further.
pub async fn backlog(client: &impl GenericClient) -> Result<Backlog> {
    let sql = "select count(*) as events, \
               coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as age_seconds \
               from (select created_at from outbox where published_at is null order by id limit 10000) waiting";
    let row = client.fetch_one(sql, &[]).await?;
    Ok(Backlog { events: row.try_get("events")?, age_seconds: row.try_get("age_seconds")? })
}

/// The oldest events that wait, up to so many, for this transaction's end; none while another one has some. Two relays that
/// shared them could change the order of an order's events.
pub async fn claim(transaction: &Transaction<'_>, most: i64) -> Result<Vec<Event>> {
    // By itself: what the next statement sees is of after it, and so has no events that the relay before has published.
    let turn = transaction.fetch_one("select pg_try_advisory_xact_lock($1) as ours", &[&LOCK]).await?;
    if !turn.try_get::<_, bool>("ours")? {
        return Ok(Vec::new());
    }
    let sql = "select id, order_id, kind, payload, created_at \
               from outbox where published_at is null order by id limit $1";
    let rows = transaction.fetch_all(sql, &[&most]).await?;
    let events = rows.iter().map(|row| {
        Ok(Event {
            id: row.try_get("id")?,
            order_id: row.try_get("order_id")?,
            kind: row.try_get("kind")?,
            payload: row.try_get("payload")?,
            at: row.try_get("created_at")?,
        })
    });
    events.collect()
}

/// These events are published.
pub async fn published(transaction: &Transaction<'_>, ids: &[i64]) -> Result<()> {
    let sql = "update outbox set published_at = now() where id = any($1)";
    transaction.run(sql, &[&ids]).await?;
    Ok(())
}

/// Forgets events that were published longer ago than this, a bounded number at a time; returns how many went.
pub async fn delete_published(client: &impl GenericClient, age: Duration) -> Result<u64> {
    let sql = "delete from outbox where id in \
               (select id from outbox where published_at < now() - make_interval(secs => $1) \
                order by published_at limit 1000)";
    Ok(client.run(sql, &[&age.as_secs_f64()]).await?)
}
