//! Carts of users and of guests.

use std::sync::LazyLock;
use std::time::Duration;

use deadpool_postgres::{GenericClient, Transaction};
use futures_util::future::join;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::db::products::{COLUMNS, product};
use crate::domain::product::Product;
use crate::error::{Error, Result};
use platform::problem::FieldError;

/// The most units of one product in a cart.
pub const MAX_QUANTITY: i32 = 99;
/// The most different products in a cart.
pub const MAX_ITEMS: i64 = 50;

/// Rows as [`content_of`] has them, and with each the result; a row without a product has that alone.
static PUT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "select {COLUMNS}, i.quantity, i.price_cents as added_price_cents, p.archived_at is not null as archived, i.result \
         from put_into_cart($1, $2, $3, $4, $5, $6) i left join products p on p.id = i.product_id \
         order by i.added_at, p.id"
    )
});
const DELETE: &str = "delete from cart_items i using carts c \
    where c.id = i.cart_id and (c.user_id = $1 or c.token_hash = $2) and i.product_id = $3";

/// Whose cart it is.
#[derive(Clone, Debug)]
pub enum Owner {
    /// A user's.
    User(Uuid),
    /// A guest's, by the hash of the cookie's token.
    Guest([u8; 32]),
}

impl Owner {
    /// The user, or else the hash.
    fn columns(&self) -> (Option<&Uuid>, Option<&[u8]>) {
        match self {
            Self::User(id) => (Some(id), None),
            Self::Guest(hash) => (None, Some(hash)),
        }
    }
}

/// A product in a cart, at its present price and with its present stock: none where it is no longer for sale.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CartItem {
    /// The product as it is now.
    pub product: Product,
    /// Units.
    pub quantity: i32,
    /// Its present price times the quantity, in minor units.
    pub line_total_cents: i64,
    /// Its price when it was put in, in minor units.
    pub added_price_cents: i64,
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

/// The statement of [`get`].
fn content_of(owner: &Owner) -> String {
    let owner = match owner {
        Owner::User(_) => "user_id",
        Owner::Guest(_) => "token_hash",
    };
    format!(
        "select {COLUMNS}, i.quantity, i.price_cents as added_price_cents, p.archived_at is not null as archived \
         from carts c join cart_items i on i.cart_id = c.id join products p on p.id = i.product_id \
         where c.{owner} = $1 order by i.added_at, p.id"
    )
}

/// What is in the owner's cart.
pub async fn get(client: &impl GenericClient, owner: &Owner) -> Result<Cart> {
    let hash: &[u8];
    let id: &(dyn ToSql + Sync) = match owner {
        Owner::User(id) => id,
        Owner::Guest(guest) => {
            hash = guest;
            &hash
        }
    };
    let rows = client.fetch_all(&content_of(owner), &[id]).await?;
    Ok(Cart::new(rows.iter().map(item).collect::<Result<_, tokio_postgres::Error>>()?))
}

fn item(row: &Row) -> Result<CartItem, tokio_postgres::Error> {
    let mut product = product(row)?;
    if row.try_get("archived")? {
        product.stock = 0;
    }
    let quantity: i32 = row.try_get("quantity")?;
    Ok(CartItem {
        line_total_cents: product.price_cents * i64::from(quantity),
        product,
        quantity,
        added_price_cents: row.try_get("added_price_cents")?,
    })
}

/// What a product is to the cart that it was put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Its first item.
    First,
    /// One of several, or another quantity of one.
    More,
}

/// Puts a quantity of a product into the owner's cart in place of what there was, notes it for the recommender where the
/// owner is a user, and gives what is in the cart then; one round trip, one transaction, which does not wait for the disk: the
/// function `put_into_cart` says how. 404 for a product that is not for sale.
pub async fn put_and_get(
    client: &impl GenericClient,
    owner: &Owner,
    product_id: Uuid,
    quantity: i32,
) -> Result<(Put, Cart)> {
    let (user_id, token_hash) = owner.columns();
    let rows = client
        .fetch_all(&PUT, &[&user_id, &token_hash, &Uuid::now_v7(), &product_id, &quantity, &MAX_ITEMS])
        .await?;
    let put = match rows.first().map(|row| row.try_get("result")).transpose()? {
        Some("first") => Put::First,
        Some("put") => Put::More,
        Some("unknown") => return Err(Error::NotFound("product")),
        Some("full") => {
            let message = format!("a cart holds at most {MAX_ITEMS} different products");
            return Err(Error::Invalid(vec![FieldError::new("product_id", message)]));
        }
        other => return Err(Error::Internal(format!("unknown result of put_into_cart: {other:?}"))),
    };
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        // What came up while this waited for the cart is not seen yet.
        if row.try_get::<_, Option<Uuid>>("id")?.is_some() {
            items.push(item(row)?);
        }
    }
    Ok((put, Cart::new(items)))
}

/// Takes a product out of the owner's cart; nothing happens where it is not in it.
pub async fn delete_item(client: &impl GenericClient, owner: &Owner, product_id: Uuid) -> Result<()> {
    let (user_id, token_hash) = owner.columns();
    client.run(DELETE, &[&user_id, &token_hash, &product_id]).await?;
    Ok(())
}

/// [`delete_item`] and then [`get`], both on their way at once: the connection answers them one after the other.
pub async fn delete_and_get(client: &impl GenericClient, owner: &Owner, product_id: Uuid) -> Result<Cart> {
    prepare(client, [DELETE, &content_of(owner)]).await?;
    let (deleted, cart) = join(delete_item(client, owner, product_id), get(client, owner)).await;
    deleted?;
    cart
}

/// Makes statements known to the connection, where they are not: one that is not could be overtaken by the next.
async fn prepare(client: &impl GenericClient, statements: [&str; 2]) -> Result<()> {
    for sql in statements {
        client.prepare_cached(sql).await?;
    }
    Ok(())
}

/// Adds a guest's cart to a user's, up to the bounds of a cart, and removes the guest's.
pub async fn merge(transaction: &Transaction<'_>, guest: &Owner, user_id: Uuid) -> Result<()> {
    // The guest's cart is locked first: nothing is put into it any more, and no second login moves it as well.
    let sql = "select id from carts where token_hash = $1 for update";
    let (_, token_hash) = guest.columns();
    let row = transaction.fetch_optional(sql, &[&token_hash]).await?;
    let Some(row) = row else { return Ok(()) };
    let guest_cart: Uuid = row.try_get("id")?;
    let sql = "insert into carts (id, user_id) values ($1, $2) \
               on conflict (user_id) do update set updated_at = now() returning id";
    let cart: Uuid = transaction.fetch_one(sql, &[&Uuid::now_v7(), &user_id]).await?.try_get("id")?;
    // What the user has already takes no new place.
    let sql = "with have as (select product_id from cart_items where cart_id = $2), \
               new as (select product_id from cart_items \
                       where cart_id = $1 and product_id not in (select product_id from have) \
                       order by added_at, product_id limit (select greatest($4 - count(*), 0) from have)) \
               insert into cart_items (cart_id, product_id, quantity, price_cents, added_at) \
               select $2, product_id, quantity, price_cents, added_at from cart_items \
               where cart_id = $1 \
               and (product_id in (select product_id from have) or product_id in (select product_id from new)) \
               on conflict (cart_id, product_id) \
               do update set quantity = least(cart_items.quantity + excluded.quantity, $3)";
    transaction.run(sql, &[&guest_cart, &cart, &MAX_QUANTITY, &MAX_ITEMS]).await?;
    let sql = "delete from carts where id = $1";
    transaction.run(sql, &[&guest_cart]).await?;
    Ok(())
}

/// Removes carts of guests that were not touched for this long, a bounded number at a time; returns how many went.
pub async fn delete_old_guests(client: &impl GenericClient, age: Duration) -> Result<u64> {
    let sql = "delete from carts where id in \
               (select id from carts where token_hash is not null and updated_at < now() - make_interval(secs => $1) \
                order by updated_at limit 1000)";
    Ok(client.run(sql, &[&age.as_secs_f64()]).await?)
}
