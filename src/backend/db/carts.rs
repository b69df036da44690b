//! Carts of users and of guests.

use std::time::Duration;

use deadpool_postgres::{GenericClient, Transaction};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::products::product;
use crate::domain::product::Product;
use crate::error::{Error, Result};
use platform::problem::FieldError;

/// The most units of one product in a cart.
pub const MAX_QUANTITY: i32 = 99;
/// The most different products in a cart.
pub const MAX_ITEMS: i64 = 50;

/// Whose cart it is.
#[derive(Clone, Debug)]
pub enum Owner {
    /// A user's.
    User(Uuid),
    /// A guest's, by the hash of the cookie's token.
    Guest(Vec<u8>),
}

/// A product in a cart, at its present price.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CartItem {
    /// The product as it is now.
    pub product: Product,
    /// Units.
    pub quantity: i32,
    /// Price times quantity, in minor units.
    pub line_total_cents: i64,
}

/// A cart.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Cart {
    /// What is in it, in the order in which it was put in.
    pub items: Vec<CartItem>,
    /// The sum, in minor units.
    pub total_cents: i64,
    /// ISO 4217.
    pub currency: &'static str,
    /// Units in all.
    pub item_count: i64,
}

impl Cart {
    /// The cart of these items.
    pub fn new(items: Vec<CartItem>) -> Self {
        Self {
            total_cents: items.iter().map(|item| item.line_total_cents).sum(),
            item_count: items.iter().map(|item| i64::from(item.quantity)).sum(),
            currency: crate::domain::CURRENCY,
            items,
        }
    }
}

/// The id of the owner's cart.
pub async fn find(client: &impl GenericClient, owner: &Owner) -> Result<Option<Uuid>> {
    let row = match owner {
        Owner::User(id) => {
            let statement = client.prepare_cached("select id from carts where user_id = $1").await?;
            client.query_opt(&statement, &[id]).await?
        }
        Owner::Guest(hash) => {
            let statement = client.prepare_cached("select id from carts where token_hash = $1").await?;
            client.query_opt(&statement, &[hash]).await?
        }
    };
    Ok(row.map(|row| row.try_get("id")).transpose()?)
}

/// The id of the owner's cart, made where there is none, and locked until the transaction ends.
pub async fn find_or_insert(transaction: &Transaction<'_>, owner: &Owner) -> Result<Uuid> {
    let (user_id, token_hash) = match owner {
        Owner::User(id) => (Some(id), None),
        Owner::Guest(hash) => (None, Some(hash)),
    };
    let conflict = if user_id.is_some() { "user_id" } else { "token_hash" };
    // The update that changes nothing but the time makes the row's lock ours and returns its id.
    let sql = format!(
        "insert into carts (id, user_id, token_hash) values ($1, $2, $3) \
         on conflict ({conflict}) do update set updated_at = now() returning id"
    );
    let statement = transaction.prepare_cached(&sql).await?;
    let row = transaction.query_one(&statement, &[&Uuid::now_v7(), &user_id, &token_hash]).await?;
    Ok(row.try_get("id")?)
}

/// What is in a cart; archived products are left out.
pub async fn items(client: &impl GenericClient, cart: Uuid) -> Result<Cart> {
    let sql = "select p.id, p.sku, p.name, p.description, p.category, p.tags, p.price_cents, p.currency, p.stock, \
               p.image_url, p.version, p.created_at, p.updated_at, i.quantity \
               from cart_items i join products p on p.id = i.product_id \
               where i.cart_id = $1 and p.archived_at is null order by i.added_at, p.id";
    let rows = client.query(&client.prepare_cached(sql).await?, &[&cart]).await?;
    let items = rows.iter().map(|row| {
        let product = product(row)?;
        let quantity: i32 = row.try_get("quantity")?;
        Ok(CartItem { line_total_cents: product.price_cents * i64::from(quantity), product, quantity })
    });
    Ok(Cart::new(items.collect::<Result<_, tokio_postgres::Error>>()?))
}

/// Puts a quantity of a product into a cart in place of what there was; 404 for a product that is not for sale.
pub async fn put_item(
    transaction: &Transaction<'_>,
    cart: Uuid,
    product_id: Uuid,
    quantity: i32,
) -> Result<()> {
    let sql = "insert into cart_items (cart_id, product_id, quantity) \
               select $1, p.id, $3 from products p where p.id = $2 and p.archived_at is null \
               on conflict (cart_id, product_id) do update set quantity = excluded.quantity";
    let statement = transaction.prepare_cached(sql).await?;
    if transaction.execute(&statement, &[&cart, &product_id, &quantity]).await? == 0 {
        return Err(Error::NotFound("product"));
    }
    let count = transaction.prepare_cached("select count(*) as n from cart_items where cart_id = $1").await?;
    let count: i64 = transaction.query_one(&count, &[&cart]).await?.try_get("n")?;
    if count > MAX_ITEMS {
        let message = format!("a cart holds at most {MAX_ITEMS} different products");
        return Err(Error::Invalid(vec![FieldError::new("product_id", message)]));
    }
    Ok(())
}

/// Takes a product out of a cart; nothing happens where it is not in it.
pub async fn delete_item(client: &impl GenericClient, cart: Uuid, product_id: Uuid) -> Result<()> {
    let sql = "delete from cart_items where cart_id = $1 and product_id = $2";
    client.execute(&client.prepare_cached(sql).await?, &[&cart, &product_id]).await?;
    Ok(())
}

/// Adds a guest's cart to a user's, up to the bounds of a cart, and removes the guest's.
pub async fn merge(transaction: &Transaction<'_>, guest: &Owner, user_id: Uuid) -> Result<()> {
    let Some(guest_cart) = find(transaction, guest).await? else { return Ok(()) };
    let cart = find_or_insert(transaction, &Owner::User(user_id)).await?;
    let sql = "with have as (select count(*) as n from cart_items where cart_id = $2), \
               moved as (select product_id, quantity, added_at from cart_items where cart_id = $1 \
                         order by added_at, product_id limit (select greatest($4 - n, 0) from have)) \
               insert into cart_items (cart_id, product_id, quantity, added_at) \
               select $2, product_id, quantity, added_at from moved \
               on conflict (cart_id, product_id) \
               do update set quantity = least(cart_items.quantity + excluded.quantity, $3)";
    let statement = transaction.prepare_cached(sql).await?;
    transaction.execute(&statement, &[&guest_cart, &cart, &MAX_QUANTITY, &MAX_ITEMS]).await?;
    let statement = transaction.prepare_cached("delete from carts where id = $1").await?;
    transaction.execute(&statement, &[&guest_cart]).await?;
    Ok(())
}

/// Removes carts of guests that were not touched for this long, a bounded number at a time; returns how many went.
pub async fn delete_old_guests(client: &impl GenericClient, age: Duration) -> Result<u64> {
    let sql = "delete from carts where id in \
               (select id from carts where token_hash is not null and updated_at < now() - make_interval(secs => $1) \
                order by updated_at limit 1000)";
    Ok(client.execute(&client.prepare_cached(sql).await?, &[&age.as_secs_f64()]).await?)
}
