//! The ledger of stock, as admins read and adjust it.

use std::time::Duration;

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::domain::product::edit::Adjustment;
use crate::domain::product::{MAX_STOCK, Movement};
use crate::error::{Error, Result};

fn movement(row: &Row) -> Result<Movement, tokio_postgres::Error> {
    Ok(Movement {
        delta: row.try_get("delta")?,
        reason: row.try_get("reason")?,
        order_id: row.try_get("order_id")?,
        note: row.try_get("note")?,
        at: row.try_get("at")?,
    })
}

/// Changes a product's stock and writes the movement; returns it with the stock that there is now. An archived product
/// has stock as well: its units still lie in the store. Where returned units have brought it above [`MAX_STOCK`], it may fall.
pub async fn adjust(
    client: &impl GenericClient,
    id: Uuid,
    adjustment: &Adjustment,
) -> Result<(Movement, i32)> {
    let sql = "with changed as ( \
                   update products set stock = stock + $2::int, updated_at = now() \
                   where id = $1 and stock::bigint + $2::int between 0 and greatest($4::int, stock) returning id, stock), \
               moved as ( \
                   insert into stock_movements (product_id, delta, reason, note) \
                   select id, $2::int, 'adjustment', $3 from changed \
                   returning delta, reason, order_id, note, at) \
               select changed.stock, moved.* from changed, moved";
    let row = client.fetch_optional(sql, &[&id, &adjustment.delta, &adjustment.note, &MAX_STOCK]).await?;
    if let Some(row) = row {
        return Ok((movement(&row)?, row.try_get("stock")?));
    }
    Err(Error::StockOutOfRange { available: units(client, id).await? })
}

async fn units(client: &impl GenericClient, id: Uuid) -> Result<i32> {
    let row = client.fetch_optional("select stock from products where id = $1", &[&id]).await?;
    Ok(row.ok_or(Error::NotFound("product"))?.try_get("stock")?)
}

/// Notes under an admin's key that this adjustment is made in the transaction. Where it was made before, its movement and
/// the stock that there is now; where that is being done, it is waited for. [`Error::IdempotencyMismatch`] where the key
/// belongs to another adjustment.
pub async fn adjusted_before(
    transaction: &Transaction<'_>,
    admin: Uuid,
    key: &str,
    id: Uuid,
    adjustment: &Adjustment,
) -> Result<Option<(Movement, i32)>> {
    let Adjustment { delta, note } = adjustment;
    let sql = "insert into adjustment_keys (user_id, key, product_id, delta, note) values ($1, $2, $3, $4, $5) \
               on conflict do nothing";
    if transaction.run(sql, &[&admin, &key, &id, delta, note]).await? > 0 {
        return Ok(None);
    }
    let sql = "select delta, 'adjustment' as reason, null::uuid as order_id, note, at, \
                   product_id = $3 and delta = $4 and note = $5 as same \
               from adjustment_keys where user_id = $1 and key = $2";
    let row = transaction.fetch_one(sql, &[&admin, &key, &id, delta, note]).await?;
    if !row.try_get("same")? {
        return Err(Error::IdempotencyMismatch);
    }
    Ok(Some((movement(&row)?, units(transaction, id).await?)))
}

/// Forgets keys older than this, a bounded number at a time; returns how many went.
pub async fn delete_old_keys(client: &impl GenericClient, age: Duration) -> Result<u64> {
    let sql = "delete from adjustment_keys where (user_id, key) in \
               (select user_id, key from adjustment_keys where at < now() - make_interval(secs => $1) \
                order by at limit 1000)";
    Ok(client.run(sql, &[&age.as_secs_f64()]).await?)
}

/// What the product has, and the sum of all its movements, which must be the same.
pub async fn balance(client: &impl GenericClient, id: Uuid) -> Result<(i32, i64)> {
    let sql = "select stock, (select coalesce(sum(delta), 0) from stock_movements where product_id = $1) as sum \
               from products where id = $1";
    let row = client.fetch_optional(sql, &[&id]).await?;
    let row = row.ok_or(Error::NotFound("product"))?;
    Ok((row.try_get("stock")?, row.try_get("sum")?))
}

/// A page of a product's movements before a number, the last one first, each with its number.
pub async fn movements(
    client: &impl GenericClient,
    id: Uuid,
    before: i64,
    limit: i64,
) -> Result<Vec<(i64, Movement)>> {
    let sql = "select id, delta, reason, order_id, note, at from stock_movements \
               where product_id = $1 and id < $2 order by id desc limit $3";
    let rows = client.fetch_all(sql, &[&id, &before, &limit]).await?;
    let movements = rows.iter().map(|row| Ok((row.try_get("id")?, movement(row)?)));
    Ok(movements.collect::<Result<_, tokio_postgres::Error>>()?)
}

/// A part of the catalogue, compared with its ledger.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Products whose stock is not the sum of their movements.
    pub mismatches: Vec<Uuid>,
    /// The last product of the part; none where there was none left.
    pub last: Option<Uuid>,
}

/// Compares the products after this one, in the order of their ids.
pub async fn compare(client: &impl GenericClient, after: Uuid, limit: i64) -> Result<Comparison> {
    let sql = "with part as (select id, stock from products where id > $1 order by id limit $2) \
               select (array_agg(part.id order by part.id desc))[1] as last, \
               coalesce(array_agg(part.id) filter (where part.stock <> moved.units), '{}') as mismatches \
               from part cross join lateral \
                   (select coalesce(sum(delta), 0) as units from stock_movements where product_id = part.id) moved";
    let row = client.fetch_one(sql, &[&after, &limit]).await?;
    Ok(Comparison { mismatches: row.try_get("mismatches")?, last: row.try_get("last")? })
}
