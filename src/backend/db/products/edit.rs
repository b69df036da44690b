//! Products: what admins write.

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{COLUMNS, product};
use crate::db::fetch::Fetch;
use crate::domain::CURRENCY;
use crate::domain::page::TimeKey;
use crate::domain::product::edit::{Content, Expected};
use crate::domain::product::{ArchivedProduct, Product};
use crate::error::{Error, Result};

/// Puts a new product in, and its opening stock into the ledger.
pub async fn insert(client: &impl GenericClient, id: Uuid, content: &Content, stock: i32) -> Result<Product> {
    let sql = format!(
        "with p as ( \
             insert into products \
                 (id, sku, name, description, category, tags, price_cents, image_url, currency, stock) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning *), \
         opening as ( \
             insert into stock_movements (product_id, delta, reason) \
             select id, stock, 'opening' from p where stock <> 0) \
         select {COLUMNS} from p"
    );
    let Content { sku, name, description, category, tags, price_cents, image_url } = content;
    let row = client
        .fetch_one(
            &sql,
            &[&id, sku, name, description, category, tags, price_cents, image_url, &CURRENCY, &stock],
        )
        .await?;
    Ok(product(&row)?)
}

/// Replaces the content of a product where its version is an expected one, and counts the version up. The row is locked
/// until the transaction ends.
pub async fn replace(
    transaction: &Transaction<'_>,
    id: Uuid,
    content: &Content,
    expected: &Expected,
) -> Result<Product> {
    let sql = "select version from products where id = $1 and archived_at is null for no key update";
    let row = transaction.fetch_optional(sql, &[&id]).await?;
    demand(row.as_ref(), expected)?;
    let sql = format!(
        "update products p set sku = $2, name = $3, description = $4, category = $5, tags = $6, price_cents = $7, \
             image_url = $8, version = version + 1, updated_at = now() \
         where id = $1 returning {COLUMNS}"
    );
    let Content { sku, name, description, category, tags, price_cents, image_url } = content;
    let row = transaction
        .fetch_one(&sql, &[&id, sku, name, description, category, tags, price_cents, image_url])
        .await?;
    Ok(product(&row)?)
}

/// Demands that a product, archived or not, is at an expected version. The row is locked until the transaction ends.
pub async fn check(transaction: &Transaction<'_>, id: Uuid, expected: &Expected) -> Result<()> {
    let sql = "select version from products where id = $1 for no key update";
    let row = transaction.fetch_optional(sql, &[&id]).await?;
    demand(row.as_ref(), expected)
}

fn demand(row: Option<&Row>, expected: &Expected) -> Result<()> {
    let version = row.ok_or(Error::NotFound("product"))?.try_get("version")?;
    if expected.allows(version) { Ok(()) } else { Err(Error::VersionConflict { version }) }
}

/// Takes a product out of the shop; false where it was out already.
pub async fn archive(client: &impl GenericClient, id: Uuid) -> Result<bool> {
    let sql = "with changed as ( \
                   update products set archived_at = now(), updated_at = now() \
                   where id = $1 and archived_at is null returning id) \
               select exists (select from changed) as changed from products where id = $1";
    let row = client.fetch_optional(sql, &[&id]).await?;
    Ok(row.ok_or(Error::NotFound("product"))?.try_get("changed")?)
}

/// Puts an archived product back into the shop; false where it was there already.
pub async fn restore(client: &impl GenericClient, id: Uuid) -> Result<bool> {
    let sql = "with changed as ( \
                   update products set archived_at = null, updated_at = now() \
                   where id = $1 and archived_at is not null returning id) \
               select exists (select from changed) as changed from products where id = $1";
    let row = client.fetch_optional(sql, &[&id]).await?;
    Ok(row.ok_or(Error::NotFound("product"))?.try_get("changed")?)
}

/// A page of archived products, those archived last first.
pub async fn archived(
    client: &impl GenericClient,
    after: Option<TimeKey>,
    limit: i64,
) -> Result<Vec<ArchivedProduct>> {
    let sql = format!(
        "select {COLUMNS}, p.archived_at from products p \
         where p.archived_at is not null and (p.archived_at, p.id) < \
             (coalesce($1::timestamptz, 'infinity'), coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')) \
         order by p.archived_at desc, p.id desc limit $3"
    );
    let rows = client.fetch_all(&sql, &[&after.map(|key| key.at), &after.map(|key| key.id), &limit]).await?;
    let archived = rows
        .iter()
        .map(|row| Ok(ArchivedProduct { product: product(row)?, archived_at: row.try_get("archived_at")? }));
    Ok(archived.collect::<Result<_, tokio_postgres::Error>>()?)
}
