//! The log of what accounts and admins did, written in the transaction of the act itself where that is one of the shop's
//! database.

use std::fmt::Display;

use deadpool_postgres::{Client, GenericClient};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::db::statement::Statement;
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
    client.run(sql, &[&actor, &action, &subject.to_string(), &detail]).await?;
    Ok(())
}

/// An act.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// When it was done (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The account that did it; null where nobody was logged in.
    pub actor_id: Option<Uuid>,
    /// What was done, such as `role.changed`.
    pub action: String,
    /// What it was done to, in most cases an id.
    pub subject: String,
    /// What else there is to know, by action.
    #[schema(value_type = Object)]
    pub detail: Value,
}

/// Which acts are asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this account's.
    pub actor: Option<Uuid>,
    /// Only of this kind.
    pub action: Option<String>,
    /// Only to this.
    pub subject: Option<String>,
    /// Only those before this number.
    pub before: Option<i64>,
}

/// The statement for acts, newest first; not prepared, as of accounts.
pub fn listing(filter: &Filter, limit: i64) -> Statement {
    let mut statement = Statement::default();
    let mut conditions = Vec::new();
    if let Some(actor) = filter.actor {
        conditions.push(format!("actor_id = {}", statement.bind(actor, Type::UUID)));
    }
    if let Some(action) = &filter.action {
        conditions.push(format!("action = {}", statement.bind(action.clone(), Type::TEXT)));
    }
    if let Some(subject) = &filter.subject {
        conditions.push(format!("subject = {}", statement.bind(subject.clone(), Type::TEXT)));
    }
    if let Some(before) = filter.before {
        conditions.push(format!("id < {}", statement.bind(before, Type::INT8)));
    }
    let select = "select id, at, actor_id, action, subject, detail from audit_log";
    statement.page(select, &conditions, "id desc", limit);
    statement
}

/// Acts, newest first.
pub async fn list(client: &Client, filter: &Filter, limit: i64) -> Result<Vec<Entry>> {
    let entry = |row: &Row| {
        Ok(Entry {
            id: row.try_get("id")?,
            at: row.try_get("at")?,
            actor_id: row.try_get("actor_id")?,
            action: row.try_get("action")?,
            subject: row.try_get("subject")?,
            detail: row.try_get("detail")?,
        })
    };
    listing(filter, limit).query(client).await?.iter().map(entry).collect()
}
