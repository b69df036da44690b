//! The log of what accounts and admins did, written in the transaction of the act itself.

use std::fmt::{Display, Write as _};

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use utoipa::ToSchema;
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

/// Acts, newest first.
pub async fn list(client: &impl GenericClient, filter: &Filter, limit: i64) -> Result<Vec<Entry>> {
    // Joined from what is asked for, so that each question is answered from its index.
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&limit];
    let mut conditions = String::from("true");
    let mut add = |condition, parameter| {
        parameters.push(parameter);
        let _ = write!(conditions, " and {condition} ${}", parameters.len());
    };
    if let Some(actor) = &filter.actor {
        add("actor_id =", actor);
    }
    if let Some(action) = &filter.action {
        add("action =", action);
    }
    if let Some(subject) = &filter.subject {
        add("subject =", subject);
    }
    if let Some(before) = &filter.before {
        add("id <", before);
    }
    let sql = format!(
        "select id, at, actor_id, action, subject, detail from audit_log where {conditions} order by id desc limit $1"
    );
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
    client.query(&client.prepare_cached(&sql).await?, &parameters).await?.iter().map(entry).collect()
}
