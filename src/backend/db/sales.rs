//! What was sold, as products and the recommender learn of it.

use deadpool_postgres::Transaction;

use crate::db::fetch::Fetch;
use crate::error::Result;

/// Counts up to `most` sales that wait for it, the oldest, each once, since its row goes with it; returns how many.
pub async fn count(transaction: &Transaction<'_>, most: i64) -> Result<u64> {
    // Products of the others stay locked while one product is waited for, which an import may hold for long.
    transaction.batch_execute("set local lock_timeout = 100").await?;
    let row = transaction.fetch_one(include_str!("sales/count.sql"), &[&most]).await?;
    Ok(row.try_get::<_, i64>("sales")?.unsigned_abs())
}
