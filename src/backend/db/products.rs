//! Products: reads of the catalogue.

pub mod edit;
pub mod stock;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::domain::demo::DemoProduct;
use crate::domain::product::{Category, Cursor, Listing, Matching, Product, Sort, SortKey, drawn_picture};
use crate::error::Result;

const COLUMNS: &str = "p.id, p.sku, p.name, p.description, p.category, p.tags, p.price_cents, p.currency, p.stock, p.image_url, \
     p.version, p.created_at, p.updated_at";

/// Reads the columns of [`COLUMNS`].
pub(super) fn product(row: &Row) -> Result<Product, tokio_postgres::Error> {
    let id: Uuid = row.try_get("id")?;
    let image_url: Option<String> = row.try_get("image_url")?;
    Ok(Product {
        id,
        sku: row.try_get("sku")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        category: row.try_get("category")?,
        tags: row.try_get("tags")?,
        price_cents: row.try_get("price_cents")?,
        currency: row.try_get("currency")?,
        stock: row.try_get("stock")?,
        image_url: image_url.unwrap_or_else(|| drawn_picture(id)),
        version: row.try_get("version")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

/// A product that is for sale.
pub async fn find(client: &impl GenericClient, id: Uuid) -> Result<Option<Product>> {
    let sql = format!("select {COLUMNS} from products p where p.id = $1 and p.archived_at is null");
    let row = client.query_opt(&client.prepare_cached(&sql).await?, &[&id]).await?;
    Ok(row.as_ref().map(product).transpose()?)
}

/// The products of these ids that are for sale, in no order.
pub async fn find_many(client: &impl GenericClient, ids: &[Uuid]) -> Result<Vec<Product>> {
    let sql = format!("select {COLUMNS} from products p where p.id = any($1) and p.archived_at is null");
    let rows = client.query(&client.prepare_cached(&sql).await?, &[&ids]).await?;
    Ok(rows.iter().map(product).collect::<Result<_, _>>()?)
}

/// What sells best lately, in stock.
pub async fn popular(client: &impl GenericClient, limit: i64) -> Result<Vec<Product>> {
    let sql = format!(
        "select {COLUMNS} from products p where p.archived_at is null and p.stock > 0 \
         order by p.popularity desc, p.id desc limit $1"
    );
    let rows = client.query(&client.prepare_cached(&sql).await?, &[&limit]).await?;
    Ok(rows.iter().map(product).collect::<Result<_, _>>()?)
}

/// What sells best lately in the category of a product, without the product itself.
pub async fn popular_beside(client: &impl GenericClient, id: Uuid, limit: i64) -> Result<Vec<Product>> {
    let sql = format!(
        "select {COLUMNS} from products p join products this on this.category = p.category \
         where this.id = $1 and p.id <> $1 and p.archived_at is null and p.stock > 0 \
         order by p.popularity desc, p.id desc limit $2"
    );
    let rows = client.query(&client.prepare_cached(&sql).await?, &[&id, &limit]).await?;
    Ok(rows.iter().map(product).collect::<Result<_, _>>()?)
}

/// Every category with its number of products, by name.
pub async fn categories(client: &impl GenericClient) -> Result<Vec<Category>> {
    let sql = "select category, count(*) as count from products where archived_at is null \
               group by category order by category";
    let rows = client.query(&client.prepare_cached(sql).await?, &[]).await?;
    let category = |row: &Row| Ok(Category { name: row.try_get("category")?, count: row.try_get("count")? });
    Ok(rows.iter().map(category).collect::<Result<_, tokio_postgres::Error>>()?)
}

/// A page of the catalogue: up to `limit + 1` products, each with its cursor, so that the caller sees whether there is
/// more. Where no product has the words of a first page's `q`, products with a like name are found, unless `q` is
/// precise on purpose.
pub async fn list(client: &impl GenericClient, listing: &Listing) -> Result<Vec<(Product, Cursor)>> {
    if let Some(cursor) = &listing.cursor {
        return list_matching(client, listing, cursor.matching).await;
    }
    let found = list_matching(client, listing, Matching::Words).await?;
    if found.is_empty() && listing.is_forgiving() {
        return list_matching(client, listing, Matching::Likeness).await;
    }
    Ok(found)
}

/// Joins the conditions that a listing has into one statement; there are few enough to be prepared and kept.
async fn list_matching(
    client: &impl GenericClient,
    listing: &Listing,
    matching: Matching,
) -> Result<Vec<(Product, Cursor)>> {
    let mut parameters: Vec<&(dyn ToSql + Sync)> = Vec::new();
    let mut conditions = vec!["p.archived_at is null".to_owned()];
    let mut score = "0::real".to_owned();
    if let Some(q) = &listing.q {
        parameters.push(q);
        let n = parameters.len();
        match matching {
            Matching::Words => {
                conditions.push(format!("p.search @@ websearch_to_tsquery('english', ${n})"));
                score = format!("ts_rank(p.search, websearch_to_tsquery('english', ${n}))");
            }
            Matching::Likeness => {
                conditions.push(format!("${n} <% p.name"));
                score = format!("word_similarity(${n}, p.name)");
            }
        }
    }
    if let Some(category) = &listing.category {
        parameters.push(category);
        conditions.push(format!("p.category = ${}", parameters.len()));
    }
    if let Some(price) = &listing.min_price_cents {
        parameters.push(price);
        conditions.push(format!("p.price_cents >= ${}", parameters.len()));
    }
    if let Some(price) = &listing.max_price_cents {
        parameters.push(price);
        conditions.push(format!("p.price_cents <= ${}", parameters.len()));
    }
    if listing.in_stock {
        conditions.push("p.stock > 0".to_owned());
    }
    let (key, direction, beyond) = match listing.sort {
        Sort::Relevance => (score.as_str(), "desc", "<"),
        Sort::Newest => ("p.created_at", "desc", "<"),
        Sort::PriceAscending => ("p.price_cents", "asc", ">"),
        Sort::PriceDescending => ("p.price_cents", "desc", "<"),
        Sort::Name => ("p.name", "asc", ">"),
    };
    if let Some(cursor) = &listing.cursor {
        parameters.push(match &cursor.key {
            SortKey::Score(score) => score,
            SortKey::At(at) => at,
            SortKey::Price(price) => price,
            SortKey::Name(name) => name,
        });
        parameters.push(&cursor.id);
        let n = parameters.len();
        conditions.push(format!("({key}, p.id) {beyond} (${}, ${n})", n - 1));
    }
    let limit = listing.limit + 1;
    parameters.push(&limit);
    let sql = format!(
        "select {COLUMNS}, {score} as score from products p where {} order by {key} {direction}, p.id {direction} limit ${}",
        conditions.join(" and "),
        parameters.len(),
    );
    let rows = client.query(&client.prepare_cached(&sql).await?, &parameters).await?;
    let found = rows.iter().map(|row| {
        let product = product(row)?;
        let key = match listing.sort {
            Sort::Relevance => SortKey::Score(row.try_get("score")?),
            Sort::Newest => SortKey::At(product.created_at),
            Sort::PriceAscending | Sort::PriceDescending => SortKey::Price(product.price_cents),
            Sort::Name => SortKey::Name(product.name.clone()),
        };
        let cursor = Cursor { sort: listing.sort, matching, key, id: product.id };
        Ok((product, cursor))
    });
    Ok(found.collect::<Result<_, tokio_postgres::Error>>()?)
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
        .query_one(
            &client.prepare_cached(sql).await?,
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
