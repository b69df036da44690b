//! Statements that are put together from what is asked for, so that each question is answered from its own index.

use deadpool_postgres::Client;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::db::fetch::observe;
use crate::error::Result;

/// A statement with its parameters. All of its text is the program's own.
#[derive(Debug, Default)]
pub struct Statement {
    /// SQL.
    pub sql: String,
    /// Values and their types.
    pub(super) parameters: Vec<(Box<dyn ToSql + Send + Sync>, Type)>,
    /// Whether one plan serves any values, so that it is prepared once a connection.
    pub prepared: bool,
}

impl Statement {
    /// Adds a parameter; returns how the SQL names it.
    pub(super) fn bind(&mut self, value: impl ToSql + Send + Sync + 'static, kind: Type) -> String {
        self.parameters.push((Box::new(value), kind));
        format!("${}", self.parameters.len())
    }

    /// Sets the SQL of a page of what all these conditions are true of.
    pub(super) fn page(&mut self, select: &str, conditions: &[String], order: &str, limit: i64) {
        let conditions = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" and ") };
        let limit = self.bind(limit, Type::INT8);
        self.sql = format!("{select} where {conditions} order by {order} limit {limit}");
    }

    /// Values and their types, as the client takes them.
    pub fn parameters(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.parameters.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
    }

    /// Runs it, in one round trip; where it is prepared, the first time on a connection takes one more.
    pub async fn query(&self, client: &Client) -> Result<Vec<Row>> {
        let parameters = self.parameters();
        let rows = async {
            if self.prepared {
                let (values, types): (Vec<_>, Vec<Type>) = parameters.into_iter().unzip();
                client.query(&client.prepare_typed_cached(&self.sql, &types).await?, &values).await
            } else {
                client.query_typed(&self.sql, &parameters).await
            }
        };
        Ok(observe(&self.sql, Box::pin(rows)).await?)
    }
}
