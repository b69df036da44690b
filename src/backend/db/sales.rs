//! What was sold, as products and the recommender learn of it.

use deadpool_postgres::GenericClient;

use crate::db::fetch::Fetch;
use crate::error::Result;

/// Counts sales that wait for it, a bounded number at a time, in one statement: each once, since its row goes with it.
/// Returns whether there were any.
pub async fn count(client: &impl GenericClient, limit: i64) -> Result<bool> {
    let row = client.fetch_one(include_str!("sales/count.sql"), &[&limit]).await?;
    Ok(row.try_get::<_, i64>("sales")? > 0)
}
