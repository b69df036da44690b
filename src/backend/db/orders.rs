//! Orders, their idempotency keys, their events and the stock that they take.

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::domain::CURRENCY;
use crate::domain::order::{NewOrder, Order, OrderItem, ShippingAddress, Status};
use crate::domain::page::TimeKey;
use crate::error::{Error, Result, Shortage};

/// What is known of an idempotency key.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// SHA-256 of the request that used it first.
    pub request_hash: Vec<u8>,
    /// The order that it made.
    pub order_id: Uuid,
    /// The answer that was given, once there is one.
    pub response: Option<(u16, serde_json::Value)>,
}

/// The user's earlier use of an idempotency key.
pub async fn find_attempt(client: &impl GenericClient, user_id: Uuid, key: &str) -> Result<Option<Attempt>> {
    let sql = "select request_hash, order_id, response_status, response from idempotency_keys \
               where user_id = $1 and key = $2";
    let Some(row) = client.query_opt(&client.prepare_cached(sql).await?, &[&user_id, &key]).await? else {
        return Ok(None);
    };
    let status: Option<i16> = row.try_get("response_status")?;
    let body: Option<serde_json::Value> = row.try_get("response")?;
    Ok(Some(Attempt {
        request_hash: row.try_get("request_hash")?,
        order_id: row.try_get("order_id")?,
        response: status.and_then(|status| u16::try_from(status).ok()).zip(body),
    }))
}

/// Keeps the answer to an idempotency key; false where another request with this key was faster and its answer stands.
pub async fn keep_response(
    client: &impl GenericClient,
    user_id: Uuid,
    key: &str,
    status: u16,
    response: &serde_json::Value,
) -> Result<bool> {
    let sql = "update idempotency_keys set response_status = $3, response = $4 \
               where user_id = $1 and key = $2 and response is null";
    let status = i16::try_from(status).map_err(|error| Error::Internal(error.to_string()))?;
    let statement = client.prepare_cached(sql).await?;
    Ok(client.execute(&statement, &[&user_id, &key, &status, &response]).await? == 1)
}

/// Places an order of what is in the user's cart: guarded stock in product order, the order with its prices, the
/// event, the emptied cart. `Ok(None)` where the idempotency key was used meanwhile; the caller then rolls back.
pub async fn place(
    transaction: &Transaction<'_>,
    user_id: Uuid,
    key: &str,
    request_hash: &[u8],
    order: &NewOrder,
) -> Result<Option<Uuid>> {
    // The cart's lock makes a second checkout of the same cart wait, and then find it empty.
    let sql = "select id from carts where user_id = $1 for update";
    let cart = transaction.query_opt(&transaction.prepare_cached(sql).await?, &[&user_id]).await?;
    let cart: Option<Uuid> = cart.map(|row| row.try_get("id")).transpose()?;

    let id = Uuid::now_v7();
    let sql = "insert into orders (id, user_id, status, total_cents, currency, shipping_address, card_last4) \
               values ($1, $2, 'pending_payment', 0, $3, $4, $5)";
    transaction
        .execute(
            &transaction.prepare_cached(sql).await?,
            &[&id, &user_id, &CURRENCY, &Json(&order.shipping_address), &order.card.last4()],
        )
        .await?;
    let sql = "insert into idempotency_keys (user_id, key, request_hash, order_id) values ($1, $2, $3, $4) \
               on conflict do nothing";
    let statement = transaction.prepare_cached(sql).await?;
    if transaction.execute(&statement, &[&user_id, &key, &request_hash, &id]).await? == 0 {
        return Ok(None);
    }
    let items = take_stock(transaction, cart.ok_or(Error::EmptyCart)?).await?;
    let total: i64 = items.iter().map(|item| item.line_total_cents).sum();

    let products: Vec<Uuid> = items.iter().map(|item| item.product_id).collect();
    let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
    let prices: Vec<i64> = items.iter().map(|item| item.unit_price_cents).collect();
    let quantities: Vec<i32> = items.iter().map(|item| item.quantity).collect();
    let sql = "insert into order_items (order_id, product_id, name, unit_price_cents, quantity) \
               select $1, * from unnest($2::uuid[], $3::text[], $4::bigint[], $5::int[])";
    let statement = transaction.prepare_cached(sql).await?;
    transaction.execute(&statement, &[&id, &products, &names, &prices, &quantities]).await?;
    let statement = transaction.prepare_cached("update orders set total_cents = $2 where id = $1").await?;
    transaction.execute(&statement, &[&id, &total]).await?;
    let statement = transaction.prepare_cached("delete from cart_items where cart_id = $1").await?;
    transaction.execute(&statement, &[&cart]).await?;
    insert_event(transaction, id, "order.placed", Status::PendingPayment).await?;
    Ok(Some(id))
}

/// Locks the products of a cart in the order of their ids, so that two checkouts never wait for each other in a
/// circle, and takes the units; [`Error::OutOfStock`] with all that is short. The lock leaves keys alone, so that rows
/// which refer to a product, such as those of other carts, need not wait for it. The cart's rows are locked too: one
/// that was deleted meanwhile would be ordered, but not taken.
async fn take_stock(transaction: &Transaction<'_>, cart: Uuid) -> Result<Vec<OrderItem>> {
    let sql = "select p.id, p.name, p.price_cents, i.quantity, \
               case when p.archived_at is null then p.stock else 0 end as available \
               from products p join cart_items i on i.product_id = p.id \
               where i.cart_id = $1 order by p.id for no key update of p, i";
    let rows = transaction.query(&transaction.prepare_cached(sql).await?, &[&cart]).await?;
    if rows.is_empty() {
        return Err(Error::EmptyCart);
    }
    let mut items = Vec::with_capacity(rows.len());
    let mut short = Vec::new();
    for row in rows {
        let unit_price_cents: i64 = row.try_get("price_cents")?;
        let quantity: i32 = row.try_get("quantity")?;
        let available: i32 = row.try_get("available")?;
        let item = OrderItem {
            product_id: row.try_get("id")?,
            name: row.try_get("name")?,
            unit_price_cents,
            quantity,
            line_total_cents: unit_price_cents * i64::from(quantity),
        };
        if available < quantity {
            short.push(Shortage {
                product_id: item.product_id,
                name: item.name.clone(),
                requested: quantity,
                available,
            });
        }
        items.push(item);
    }
    if !short.is_empty() {
        return Err(Error::OutOfStock(short));
    }
    let sql = "update products p set stock = p.stock - i.quantity, updated_at = now() \
               from cart_items i where i.cart_id = $1 and i.product_id = p.id";
    transaction.execute(&transaction.prepare_cached(sql).await?, &[&cart]).await?;
    Ok(items)
}

/// Writes an order's event in the order's own transaction.
async fn insert_event(
    transaction: &Transaction<'_>,
    order_id: Uuid,
    kind: &str,
    status: Status,
) -> Result<()> {
    let payload = serde_json::json!({ "order_id": order_id, "status": status });
    let sql = "insert into outbox (order_id, kind, payload) values ($1, $2, $3)";
    transaction.execute(&transaction.prepare_cached(sql).await?, &[&order_id, &kind, &payload]).await?;
    Ok(())
}

/// Moves an order from one status to another; false where it is no longer in the first.
async fn transition(transaction: &Transaction<'_>, id: Uuid, from: Status, to: Status) -> Result<bool> {
    debug_assert!(from.may_become(to), "{from:?} -> {to:?}");
    let sql = "update orders set status = $3, updated_at = now() where id = $1 and status = $2";
    let statement = transaction.prepare_cached(sql).await?;
    Ok(transaction.execute(&statement, &[&id, &from.as_str(), &to.as_str()]).await? == 1)
}

/// The payment arrived: the order is paid, what was sold is more popular, and the recommender learns of the purchase.
pub async fn settle_paid(transaction: &Transaction<'_>, id: Uuid) -> Result<()> {
    if transition(transaction, id, Status::PendingPayment, Status::Paid).await? {
        insert_event(transaction, id, "order.paid", Status::Paid).await?;
        let sql = "with locked as ( \
                       select p.id, i.quantity from products p join order_items i on i.product_id = p.id \
                       where i.order_id = $1 order by p.id for no key update of p) \
                   update products p \
                   set popularity = popularity_sum(p.popularity, popularity_of(locked.quantity, now())) \
                   from locked where locked.id = p.id";
        transaction.execute(&transaction.prepare_cached(sql).await?, &[&id]).await?;
        let sql = "insert into interactions (user_id, product_id, kind, quantity) \
                   select o.user_id, i.product_id, 'purchase', i.quantity \
                   from orders o join order_items i on i.order_id = o.id where o.id = $1 and o.user_id is not null";
        transaction.execute(&transaction.prepare_cached(sql).await?, &[&id]).await?;
    }
    Ok(())
}

/// The card was refused: the stock returns, and so do the items to the user's cart.
pub async fn settle_declined(transaction: &Transaction<'_>, id: Uuid) -> Result<()> {
    if transition(transaction, id, Status::PendingPayment, Status::PaymentFailed).await? {
        // The cart before the products, as in a checkout, which would else empty it of what returns here.
        let sql =
            "select c.id from carts c join orders o on o.user_id = c.user_id where o.id = $1 for update of c";
        transaction.query(&transaction.prepare_cached(sql).await?, &[&id]).await?;
        return_stock(transaction, id).await?;
        let sql = "insert into cart_items (cart_id, product_id, quantity) \
                   select c.id, i.product_id, least(i.quantity, 99) \
                   from orders o join carts c on c.user_id = o.user_id join order_items i on i.order_id = o.id \
                   where o.id = $1 on conflict (cart_id, product_id) do nothing";
        transaction.execute(&transaction.prepare_cached(sql).await?, &[&id]).await?;
        insert_event(transaction, id, "order.payment_failed", Status::PaymentFailed).await?;
    }
    Ok(())
}

/// Cancels the user's order and returns its stock.
pub async fn cancel(transaction: &Transaction<'_>, user_id: Uuid, id: Uuid) -> Result<()> {
    let sql = "select status from orders where id = $1 and user_id = $2 for update";
    let row = transaction.query_opt(&transaction.prepare_cached(sql).await?, &[&id, &user_id]).await?;
    let status = status(&row.ok_or(Error::NotFound("order"))?)?;
    if !status.may_become(Status::Cancelled) {
        return Err(Error::IllegalTransition(status.as_str()));
    }
    transition(transaction, id, status, Status::Cancelled).await?;
    return_stock(transaction, id).await?;
    insert_event(transaction, id, "order.cancelled", Status::Cancelled).await
}

/// Gives an order's units back, in product order as [`take_stock`] locks them.
async fn return_stock(transaction: &Transaction<'_>, id: Uuid) -> Result<()> {
    let sql = "with locked as ( \
                   select p.id, i.quantity from products p join order_items i on i.product_id = p.id \
                   where i.order_id = $1 order by p.id for no key update of p) \
               update products p set stock = p.stock + locked.quantity, updated_at = now() \
               from locked where locked.id = p.id";
    transaction.execute(&transaction.prepare_cached(sql).await?, &[&id]).await?;
    Ok(())
}

fn status(row: &Row) -> Result<Status> {
    let status: &str = row.try_get("status")?;
    Status::parse(status).ok_or_else(|| Error::Internal(format!("unknown status {status}")))
}

/// The select list of an order with its items as one JSON array, so that a page costs one round trip.
const ORDER: &str = "select o.id, o.status, o.total_cents, o.currency, o.shipping_address, o.created_at, \
    (select coalesce(jsonb_agg(jsonb_build_object( \
        'product_id', i.product_id, 'name', i.name, 'unit_price_cents', i.unit_price_cents, \
        'quantity', i.quantity, 'line_total_cents', i.unit_price_cents * i.quantity) order by i.product_id), '[]') \
     from order_items i where i.order_id = o.id) as items from orders o";

fn order(row: &Row) -> Result<Order> {
    let Json(items): Json<Vec<OrderItem>> = row.try_get("items")?;
    let address: Option<Json<ShippingAddress>> = row.try_get("shipping_address")?;
    Ok(Order {
        id: row.try_get("id")?,
        status: status(row)?,
        items,
        total_cents: row.try_get("total_cents")?,
        currency: row.try_get("currency")?,
        shipping_address: address.map(|json| json.0),
        created_at: row.try_get("created_at")?,
    })
}

/// The user's order of an id.
pub async fn find(client: &impl GenericClient, user_id: Uuid, id: Uuid) -> Result<Option<Order>> {
    let sql = format!("{ORDER} where o.id = $1 and o.user_id = $2");
    let row = client.query_opt(&client.prepare_cached(&sql).await?, &[&id, &user_id]).await?;
    row.as_ref().map(order).transpose()
}

/// The user's orders after a cursor, newest first.
pub async fn list(
    client: &impl GenericClient,
    user_id: Uuid,
    after: Option<TimeKey>,
    limit: i64,
) -> Result<Vec<Order>> {
    let rows = match after {
        None => {
            let sql = format!("{ORDER} where o.user_id = $1 order by o.created_at desc, o.id desc limit $2");
            client.query(&client.prepare_cached(&sql).await?, &[&user_id, &limit]).await?
        }
        Some(TimeKey { at, id }) => {
            let sql = format!(
                "{ORDER} where o.user_id = $1 and (o.created_at, o.id) < ($3, $4) \
                 order by o.created_at desc, o.id desc limit $2"
            );
            client.query(&client.prepare_cached(&sql).await?, &[&user_id, &limit, &at, &id]).await?
        }
    };
    rows.iter().map(order).collect()
}
