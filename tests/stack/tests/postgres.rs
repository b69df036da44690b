//! PostgreSQL with the shop's configuration.

use stack::{Component, Stack};
use tokio_postgres::error::SqlState;

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_is_not_quoted_in_the_log() {
    let stack = Stack::builder().only([Component::Postgres]).start().await.expect("PostgreSQL starts");
    let url = stack.postgres_admin_url().expect("url");
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connect");
    tokio::spawn(connection);
    client.batch_execute("create table users (email text primary key)").await.expect("a table");
    let insert = "insert into users (email) values ($1)";
    client.execute(insert, &[&"ada@example.com"]).await.expect("a row");
    let refused = client.execute(insert, &[&"ada@example.com"]).await.expect_err("there is one already");
    assert_eq!(refused.code(), Some(&SqlState::UNIQUE_VIOLATION));
    // The log has the error before the client has it.
    let log = std::fs::read_to_string(stack.log(Component::Postgres)).expect("the log");
    assert!(log.contains("duplicate key value violates unique constraint \"users_pkey\""), "{log}");
    assert!(!log.contains("ada@example.com"), "{log}");
}
