//! New products, many at once.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use serde_json::{Value, json};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::domain::CURRENCY;
use crate::domain::product::edit::Content;
use crate::error::Result;

/// A product that may be made.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it stands in what was sent.
    pub place: i32,
    /// The id that it will have.
    pub id: Uuid,
    /// What it says of itself.
    pub content: Content,
    /// Its opening stock.
    pub stock: i32,
}

/// What became of the candidates, by their places.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// New in the shop.
    pub created: HashSet<i32>,
    /// There already, as they are.
    pub unchanged: HashSet<i32>,
}

fn row(Candidate { place, id, content, stock }: &Candidate) -> Value {
    let Content { sku, name, description, category, tags, price_cents, image_url } = content;
    json!({
        "place": place, "id": id, "sku": sku, "name": name, "description": description, "category": category,
        "tags": tags, "price_cents": price_cents, "image_url": image_url, "stock": stock,
    })
}

fn places(rows: &[Row]) -> Result<HashSet<i32>> {
    Ok(rows.iter().map(|row| row.try_get("place")).collect::<Result<_, _>>()?)
}

/// Makes products of the candidates whose SKU is free. Of two with the same one, the first counts.
pub async fn insert(transaction: &Transaction<'_>, candidates: &[Candidate], admin: Uuid) -> Result<Outcome> {
    let rows: Value = candidates.iter().map(row).collect();
    let created =
        transaction.fetch_all(include_str!("import.sql"), &[&rows, &Some(admin), &CURRENCY]).await?;
    let created = places(&created)?;
    let left: Value =
        candidates.iter().filter(|candidate| !created.contains(&candidate.place)).map(row).collect();
    if left.as_array().is_none_or(Vec::is_empty) {
        return Ok(Outcome { created, ..Outcome::default() });
    }
    // A statement of its own, so that it sees what the first has made.
    let unchanged = transaction.fetch_all(include_str!("import_known.sql"), &[&left]).await?;
    Ok(Outcome { created, unchanged: places(&unchanged)? })
}
