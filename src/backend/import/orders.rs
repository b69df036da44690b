//! Merges staged order lines into the shop: products, customers, orders, and what the recommender learns from them.

use std::pin::pin;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::{Row, Transaction};

use crate::domain::CURRENCY;
use crate::domain::import_rules::{category, describe, name_tags};
use crate::import::ImportError;
use crate::import::reader::CopyText;
use crate::import::report::ImportReport;

/// Fills the staging table.
pub(super) const COPY: &str =
    "copy import_lines (row, invoice, sku, name, quantity, price_cents, customer, user_id, at) from stdin";

/// Products that are named in one go.
const PRODUCTS_AT_ONCE: i64 = 1000;

/// Adds what is new. Existing products are locked and changed last: checkouts wait for them until the end.
pub(super) async fn merge(
    transaction: &Transaction<'_>,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    transaction.batch_execute("analyze import_lines").await?;
    transaction.batch_execute(include_str!("orders_summarise.sql")).await?;
    let products = write_words(transaction).await?;
    transaction.batch_execute("analyze import_words").await?;
    let sql = include_str!("orders_insert_products.sql");
    report.products.new = transaction.execute(sql, &[&CURRENCY]).await?;
    report.customers_new = transaction.execute(include_str!("orders_insert_customers.sql"), &[]).await?;
    report.orders_new = transaction.execute(include_str!("orders_insert_orders.sql"), &[&CURRENCY]).await?;
    let sql = "select count(distinct invoice) as invoices from import_items";
    let invoices: i64 = transaction.query_one(sql, &[]).await?.try_get("invoices")?;
    report.orders_known = invoices.unsigned_abs() - report.orders_new;
    transaction.execute(include_str!("orders_insert_items.sql"), &[]).await?;
    transaction.execute(include_str!("orders_insert_interactions.sql"), &[]).await?;

    transaction.execute(include_str!("orders_lock.sql"), &[]).await?;
    report.products.changed = transaction.execute(include_str!("orders_update_products.sql"), &[]).await?;
    report.products.unchanged = products - report.products.new - report.products.changed;
    transaction.execute(include_str!("orders_update_popularity.sql"), &[]).await?;
    transaction.execute(include_str!("orders_movements.sql"), &[]).await?;
    Ok(())
}

/// Writes category, tags and description of every product of the file, some at a time; returns how many there are.
async fn write_words(transaction: &Transaction<'_>) -> Result<u64, ImportError> {
    let names = transaction.prepare(include_str!("orders_names.sql")).await?;
    let copy = "copy import_words (sku, category, tags, description, ours) from stdin";
    let mut after = String::new();
    let mut written = 0;
    loop {
        let rows = transaction.query(&names, &[&after, &PRODUCTS_AT_ONCE]).await?;
        let Some(last) = rows.last() else { return Ok(written) };
        after = last.try_get("sku")?;
        let mut text = CopyText::default();
        for row in &rows {
            push_words(&mut text, row)?;
        }
        let mut sink = pin!(transaction.copy_in::<_, Bytes>(copy).await?);
        sink.send(text.take()).await?;
        written += sink.finish().await?;
    }
}

fn push_words(text: &mut CopyText, row: &Row) -> Result<(), tokio_postgres::Error> {
    let (sku, name): (&str, &str) = (row.try_get("sku")?, row.try_get("name")?);
    let category = category(name);
    let tags = name_tags(name);
    let description = describe(name, category, &tags);
    let ours = if is_ours(row)? { "t" } else { "f" };
    text.line(&[Some(sku), Some(category), Some(&tags.join("|")), Some(&description), Some(ours)]);
    Ok(())
}

/// True where the shop has no such product, or one that an import described.
fn is_ours(row: &Row) -> Result<bool, tokio_postgres::Error> {
    let Some(description) = row.try_get::<_, Option<&str>>("shop_description")? else { return Ok(true) };
    let (name, category): (&str, &str) = (row.try_get("shop_name")?, row.try_get("shop_category")?);
    let tags: Vec<String> = row.try_get("shop_tags")?;
    Ok(describe(name, category, &tags) == description)
}
