//! The relay: publishes the events of orders to a Redis stream, each at least once, those of one order in their order.

use std::time::Duration;

use crate::AppState;
use crate::db;
use crate::db::outbox::Event;
use crate::error::Result;
use crate::workers::Pass;

/// The stream, without the service's prefix. An entry has `id`, `order_id`, `kind`, `at` and `payload`; a consumer that
/// has seen an `id` before ignores it.
pub const STREAM: &str = "events:orders";

/// About how many entries the stream keeps.
const STREAM_LENGTH: u64 = 100_000;
/// Events of one pass.
const BATCH: u16 = 500;
/// How long Redis has for them. Nobody waits for it, and what it answers too late is published once more.
const DEADLINE: Duration = Duration::from_secs(2);

/// Publishes some events, the oldest. They are this relay's until Redis has taken them, and a crash before the commit
/// publishes them again. Fewer than a batch are not followed by the next one at once: each would have a commit of its own.
pub async fn pass(state: &AppState) -> Result<Pass> {
    let mut client = state.pool.get().await?;
    let backlog = db::outbox::backlog(&client).await?;
    state.shop_metrics.outbox(backlog.events, backlog.age_seconds);
    if backlog.events == 0 {
        return Ok(Pass::Idle);
    }
    let transaction = client.transaction().await?;
    let events = db::outbox::claim(&transaction, BATCH.into()).await?;
    if events.is_empty() || !publish(state, &events).await {
        return Ok(Pass::Idle);
    }
    let ids: Vec<i64> = events.iter().map(|event| event.id).collect();
    db::outbox::published(&transaction, &ids).await?;
    db::fetch::commit(transaction).await?;
    Ok(if events.len() < BATCH.into() { Pass::Idle } else { Pass::More })
}

/// True where Redis took them all.
async fn publish(state: &AppState, events: &[Event]) -> bool {
    let stream = state.redis.key(STREAM);
    let mut commands = redis::pipe();
    // All or none: of an order, Redis shall not refuse the first event and take the next.
    commands.atomic();
    for event in events {
        commands.cmd("XADD").arg(&stream).arg("MAXLEN").arg("~").arg(STREAM_LENGTH).arg("*");
        commands.arg("id").arg(event.id).arg("order_id").arg(event.order_id.to_string());
        commands.arg("kind").arg(&event.kind).arg("at").arg(event.at.to_string());
        commands.arg("payload").arg(event.payload.to_string()).ignore();
    }
    let add = async move |mut redis| commands.exec_async(&mut redis).await;
    state.redis.call_within(DEADLINE, "xadd", add).await.is_ok()
}
