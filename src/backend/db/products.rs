//! Products: reads of the catalogue.

pub mod edit;
pub mod facets;
pub mod import;
pub mod listing;
pub mod search;
pub mod stock;
pub mod suggestions;
pub mod tiers;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::domain::demo::DemoProduct;
use crate::domain::product::{Category, Product, drawn_picture};
use crate::error::Result;

pub(super) const COLUMNS: &str = "p.id, p.sku, p.name, p.description, p.category, p.tags, p.price_cents, p.currency, p.stock, p.image_url, \
     p.version, p.created_at, p.updated_at";

/// Reads the columns of [`COLUMNS`], with which a row begins: by their places, since lists read hundreds of them.
pub(super) fn product(row: &Row) -> Result<Product, tokio_postgres::Error> {
    let id: Uuid = row.try_get(0)?;
    let image_url: Option<String> = row.try_get(9)?;
    Ok(Product {
        id,
        sku: row.try_get(1)?,
        name: row.try_get(2)?,
        description: row.try_get(3)?,
        category: row.try_get(4)?,
        tags: row.try_get(5)?,
        price_cents: row.try_get(6)?,
        currency: row.try_get(7)?,
        stock: row.try_get(8)?,
        image_url: image_url.unwrap_or_else(|| drawn_picture(id)),
        version: row.try_get(10)?,
        created_at: row.try_get(11)?,
        updated_at: row.try_get(12)?,
    })
}

/// A product that is for sale.
pub async fn find(client: &impl GenericClient, id: Uuid) -> Result<Option<Product>> {
    let sql = format!("select {COLUMNS} from products p where p.id = $1 and p.archived_at is null");
    let row = client.fetch_optional(&sql, &[&id]).await?;
    Ok(row.as_ref().map(product).transpose()?)
}

/// The products of these ids that are for sale, in no order.
pub async fn find_many(client: &impl GenericClient, ids: &[Uuid]) -> Result<Vec<Product>> {
    let sql = format!("select {COLUMNS} from products p where p.id = any($1) and p.archived_at is null");
    let rows = client.fetch_all(&sql, &[&ids]).await?;
    Ok(rows.iter().map(product).collect::<Result<_, _>>()?)
}

/// What sells best lately, in stock.
pub async fn popular(
    client: &impl GenericClient,
    category: Option<&str>,
    limit: i64,
) -> Result<Vec<Product>> {
    let within = if category.is_some() { "p.category = $2" } else { "$2::text is null" };
    let sql = format!(
        "select {COLUMNS} from products p where p.archived_at is null and p.stock > 0 and {within} \
         order by p.popularity desc, p.id desc limit $1"
    );
    let rows = client.fetch_all(&sql, &[&limit, &category]).await?;
    Ok(rows.iter().map(product).collect::<Result<_, _>>()?)
}

/// Of which there are so few units or less, fewest first; looked for among the 10,000 that sell best, since every sale
/// would write an index of stock.
pub async fn low_in_stock(client: &impl GenericClient, units: i32, limit: i64) -> Result<Vec<Product>> {
    let sql = format!(
        "select {COLUMNS} from ( \
             select * from products where archived_at is null order by popularity desc, id desc limit 10000) p \
         where p.stock <= $1 order by p.stock, p.popularity desc, p.id desc limit $2"
    );
    let rows = client.fetch_all(&sql, &[&units, &limit]).await?;
    Ok(rows.iter().map(product).collect::<Result<_, _>>()?)
}

/// What sells best lately in the category of a product, without the product itself.
pub async fn popular_beside(client: &impl GenericClient, id: Uuid, limit: i64) -> Result<Vec<Product>> {
    let sql = format!(
        "select {COLUMNS} from products p where p.category = (select category from products where id = $1) \
         and p.id <> $1 and p.archived_at is null and p.stock > 0 \
         order by p.popularity desc, p.id desc limit $2"
    );
    let rows = client.fetch_all(&sql, &[&id, &limit]).await?;
    Ok(rows.iter().map(product).collect::<Result<_, _>>()?)
}

/// Every category with its number of products, counted up to 10,000, by name.
pub async fn categories(client: &impl GenericClient) -> Result<Vec<Category>> {
    let sql = include_str!("products/categories.sql");
    let rows = client.fetch_all(sql, &[]).await?;
    let category = |row: &Row| Ok(Category { name: row.try_get("category")?, count: row.try_get("count")? });
    Ok(rows.iter().map(category).collect::<Result<_, tokio_postgres::Error>>()?)
}

/// Puts a product of the demo catalogue in. One that is there already keeps its price and stock: the demo shop may
/// have been traded in.
pub async fn insert_demo(client: &impl GenericClient, product: &DemoProduct, currency: &str) -> Result<bool> {
    let sql = "with added as ( \
                   insert into products (id, sku, name, description, category, tags, price_cents, currency, stock) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (sku) do nothing returning id, stock), \
               opening as ( \
                   insert into stock_movements (product_id, delta, reason) \
                   select id, stock, 'opening' from added where stock <> 0) \
               select count(*) as added from added";
    let row = client
        .fetch_one(
            sql,
            &[
                &Uuid::now_v7(),
                &product.sku,
                &product.name,
                &product.description,
                &product.category,
                &product.tags,
                &product.price_cents,
                &currency,
                &product.stock,
            ],
        )
        .await?;
    Ok(row.try_get::<_, i64>("added")? == 1)
}
