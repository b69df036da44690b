//! Compares the stock of products with their ledger, the sum of their movements: they are written together, so that a
//! difference means a fault of the program, or a hand in the database.

use std::time::Duration;

use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::error::{Error, Result};

/// How long to rest after the last product.
const INTERVAL: Duration = Duration::from_mins(1);
/// How many products are compared at once: a fraction of a second.
const AT_ONCE: i64 = 2_000;
/// The rest between parts, so that the comparison is never more than a small load.
const PAUSE: Duration = Duration::from_millis(50);

/// Compares for ever, and shows as a metric how many products differed the last time.
pub async fn watch(state: AppState) {
    loop {
        match mismatches(&state).await {
            Ok(products) => state.shop_metrics.mismatches(products),
            Err(error) => tracing::warn!(%error, "the stock could not be compared with its ledger"),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// How many products' stock is not the sum of their movements.
pub async fn mismatches(state: &AppState) -> Result<i64> {
    let mut after = Uuid::nil();
    let mut mismatches = 0;
    let mut at_once = AT_ONCE;
    loop {
        let client = state.pool.get().await?;
        let part = match db::products::stock::compare(&client, after, at_once).await {
            // What sells often has many movements: fewer products are compared in time.
            Err(Error::DatabaseUnavailable(_)) if at_once >= 10 => {
                at_once /= 10;
                drop(client);
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            part => part?,
        };
        drop(client);
        at_once = (at_once * 2).min(AT_ONCE);
        for product_id in &part.mismatches {
            tracing::error!(%product_id, "the stock is not the sum of its movements");
        }
        mismatches += i64::try_from(part.mismatches.len()).unwrap_or(i64::MAX);
        let Some(last) = part.last else { return Ok(mismatches) };
        after = last;
        tokio::time::sleep(PAUSE).await;
    }
}
