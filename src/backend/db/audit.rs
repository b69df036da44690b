//! The log of what accounts and admins did, written in the transaction of the act itself.

use std::fmt::Display;

use deadpool_postgres::GenericClient;
use serde_json::Value;
use uuid::Uuid;

use crate::error::Result;

/// Notes an act such as `product.archived` on a subject, in most cases an id. `detail` must hold nothing personal and
/// no secret: the entry outlives the account.
pub async fn insert(
    client: &impl GenericClient,
    actor: Option<Uuid>,
    action: &str,
    subject: impl Display,
    detail: Value,
) -> Result<()> {
    let sql = "insert into audit_log (actor_id, action, subject, detail) values ($1, $2, $3, $4)";
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, &[&actor, &action, &subject.to_string(), &detail]).await?;
    Ok(())
}
