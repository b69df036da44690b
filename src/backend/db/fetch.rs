//! Statements as they are asked: prepared once a connection, and seen in traces and metrics.

use std::pin::Pin;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use deadpool_postgres::{GenericClient, Transaction};
use hashbrown::HashMap;
use platform::spans::Operation;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Asks through a connection or within a transaction.
pub trait Fetch: GenericClient {
    /// Every row.
    fn fetch_all(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        observe(sql, Box::pin(async move { self.query(&self.prepare_cached(sql).await?, parameters).await }))
    }

    /// The only row; another number of rows is an error.
    fn fetch_one(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> impl Future<Output = Result<Row, Error>> + Send {
        observe(
            sql,
            Box::pin(async move { self.query_one(&self.prepare_cached(sql).await?, parameters).await }),
        )
    }

    /// The only row where there is one; more are an error.
    fn fetch_optional(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send {
        observe(
            sql,
            Box::pin(async move { self.query_opt(&self.prepare_cached(sql).await?, parameters).await }),
        )
    }

    /// How many rows were changed.
    fn run(&self, sql: &str, parameters: Parameters<'_>) -> impl Future<Output = Result<u64, Error>> + Send {
        observe(
            sql,
            Box::pin(async move { self.execute(&self.prepare_cached(sql).await?, parameters).await }),
        )
    }
}

impl<T: GenericClient> Fetch for T {}

/// Commits; the time that the disk takes is the commit's.
pub async fn commit(transaction: Transaction<'_>) -> Result<(), Error> {
    let operation = Operation { system: "postgresql", name: "COMMIT", summary: "COMMIT", text: None };
    operation.observe(Box::pin(transaction.commit())).await
}

/// Observes a statement. Its text holds no values: they are sent beside it.
pub async fn observe<T>(
    sql: &str,
    work: Pin<Box<impl Future<Output = Result<T, Error>> + Send>>,
) -> Result<T, Error> {
    let told = told(sql);
    let (name, summary) = &*told;
    Operation { system: "postgresql", name, summary, text: Some(sql) }.observe(work).await
}

/// The most statements whose summaries are kept: there are about a hundred, and searches put together some more.
const KEPT: usize = 1000;

/// Statements with their names and summaries.
type Summaries = HashMap<String, Arc<(String, String)>>;

/// What [`summary`] tells of a statement, found once.
fn told(sql: &str) -> Arc<(String, String)> {
    static TOLD: LazyLock<RwLock<Summaries>> = LazyLock::new(RwLock::default);
    if let Some(told) = TOLD.read().unwrap_or_else(PoisonError::into_inner).get(sql) {
        return Arc::clone(told);
    }
    let told = Arc::new(summary(sql));
    let mut all = TOLD.write().unwrap_or_else(PoisonError::into_inner);
    if all.len() < KEPT {
        all.insert(sql.to_owned(), Arc::clone(&told));
    }
    told
}

/// The statement's first word, and with it the function or the table that comes first in the text.
fn summary(sql: &str) -> (String, String) {
    let mut words = sql
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .flat_map(|line| line.split(|c: char| c.is_whitespace() || c == ','))
        .filter(|word| !word.is_empty());
    let name = words.next().unwrap_or_default().to_uppercase();
    let mut target = if name == "UPDATE" { words.next() } else { None };
    while target.is_none_or(|target| target.starts_with('('))
        && let Some(word) = words.next()
    {
        if let Some((function, _)) = word.split_once('(')
            && matches!(function, "place_order" | "put_into_cart" | "settle_payment" | "return_stock")
        {
            target = Some(function);
        } else if matches!(word, "from" | "into" | "update") {
            // In brackets stands a query of its own, whose table it is.
            target = words.next();
        }
    }
    let target = target.map(|word| word.trim_matches(['(', ')', ';']).split('(').next().unwrap_or_default());
    let summary = target.map_or_else(|| name.clone(), |target| format!("{name} {target}"));
    (name, summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_summed_up_by_what_it_does_and_to_what() {
        for (sql, expected) in [
            ("select 1", "SELECT"),
            ("-- Why it is so, from experience.\nselect a\n  -- and\n  from b", "SELECT b"),
            ("select a, b\n  from products p where id = $1", "SELECT products"),
            ("insert into orders (id) values ($1)", "INSERT orders"),
            ("update carts set a = (select b from c)", "UPDATE carts"),
            ("delete from sessions where a in (select b from c)", "DELETE sessions"),
            ("with new as (insert into users (a) values ($1) returning a) select * from new", "WITH users"),
            ("select * from place_order($1, $2)", "SELECT place_order"),
            ("select answer from (select answer from idempotency_keys) k", "SELECT idempotency_keys"),
        ] {
            assert_eq!(summary(sql).1, expected, "{sql}");
        }
    }
}
