//! Removes what has had its time, a bounded number of rows at a time.

use std::time::Duration;

use crate::AppState;
use crate::db;
use crate::error::Result;
use crate::sessions::CART_LIFETIME;
use crate::workers::Pass;

/// How long a checkout or an adjustment of stock may be repeated with its Idempotency-Key.
const KEYS: Duration = Duration::from_hours(7 * 24);
/// How long published events stay, to be looked at.
const EVENTS: Duration = Duration::from_hours(7 * 24);
/// How long it is kept what customers looked at: what they like changes, and it is nobody's business for longer.
const VIEWS: Duration = Duration::from_hours(90 * 24);

/// One pass over everything.
pub async fn pass(state: &AppState) -> Result<Pass> {
    let client = state.pool.get().await?;
    let removed = [
        ("sessions", db::sessions::delete_expired(&client).await?),
        ("session_revocations", db::sessions::delete_outdated_revocations(&client).await?),
        ("login_attempts", db::logins::delete_forgotten(&client).await?),
        ("idempotency_keys", db::orders::delete_old_keys(&client, KEYS).await?),
        ("adjustment_keys", db::products::stock::delete_old_keys(&client, KEYS).await?),
        ("outbox", db::outbox::delete_published(&client, EVENTS).await?),
        ("interactions", db::views::delete_old(&client, VIEWS).await?),
        ("carts", db::carts::delete_old_guests(&client, CART_LIFETIME).await?),
    ];
    for (table, rows) in removed.into_iter().filter(|(_, rows)| *rows > 0) {
        tracing::info!(table, rows, "old rows removed");
    }
    Ok(if removed.iter().any(|(_, rows)| *rows > 0) { Pass::More } else { Pass::Idle })
}
