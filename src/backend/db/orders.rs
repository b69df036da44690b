//! Orders, their idempotency keys, their payments and their events.

use std::sync::LazyLock;
use std::time::Duration;

use deadpool_postgres::{Client, GenericClient, Transaction};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::{Json, Type};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::db::statement::Statement;
use crate::domain::CURRENCY;
use crate::domain::order::{NewOrder, Order, OrderItem, ShippingAddress, Status};
use crate::domain::page::TimeKey;
use crate::domain::payment::Outcome;
use crate::error::{Error, Result, Shortage};

/// How long after checkout the worker looks at a payment that was not settled: by then the request has long ended.
const PAYMENT_DUE: Duration = Duration::from_secs(8);
/// How long a payment that the worker has looked at is left alone.
const PAYMENT_RETRY: Duration = Duration::from_secs(15);

/// What came of an attempt to place an order.
#[derive(Clone, Debug)]
pub enum Placed {
    /// The order is new.
    New {
        /// The order's id.
        id: Uuid,
        /// Its total, in minor units.
        total_cents: i64,
        /// Whose stock was taken.
        products: Vec<Uuid>,
    },
    /// The key made this order before.
    Known {
        /// The order's id.
        id: Uuid,
        /// Its total, in minor units.
        total_cents: i64,
        /// The status that was answered, once one was.
        answer: Option<Status>,
    },
}

/// Places an order of what is in the user's cart, in one round trip and one transaction: the function `place_order`
/// says how. [`Error::EmptyCart`], [`Error::OutOfStock`], [`Error::TotalChanged`] and [`Error::IdempotencyMismatch`] leave
/// everything as it was.
pub async fn place(
    client: &impl GenericClient,
    user_id: Uuid,
    key: &str,
    request_hash: &[u8],
    order: &NewOrder,
) -> Result<Placed> {
    let sql = "select result, this_order, answer, total_cents, shortages, product_ids \
               from place_order($1, $2, $3, $4, $5, $6, $7, make_interval(secs => $8), $9)";
    let row = client
        .fetch_one(
            sql,
            &[
                &user_id,
                &key,
                &request_hash,
                &Uuid::now_v7(),
                &Json(&order.shipping_address),
                &order.card.last4(),
                &CURRENCY,
                &PAYMENT_DUE.as_secs_f64(),
                &order.expected_total_cents,
            ],
        )
        .await?;
    let placed = |row: &Row| Ok::<_, Error>((row.try_get("this_order")?, row.try_get("total_cents")?));
    match row.try_get("result")? {
        "placed" => {
            let (id, total_cents) = placed(&row)?;
            Ok(Placed::New { id, total_cents, products: row.try_get("product_ids")? })
        }
        "known" => {
            let (id, total_cents) = placed(&row)?;
            let answer: Option<&str> = row.try_get("answer")?;
            Ok(Placed::Known { id, total_cents, answer: answer.map(parse_status).transpose()? })
        }
        "mismatch" => Err(Error::IdempotencyMismatch),
        "empty" => Err(Error::EmptyCart),
        "changed" => Err(Error::TotalChanged { total_cents: row.try_get("total_cents")? }),
        "short" => {
            let Json(shortages): Json<Vec<Shortage>> = row.try_get("shortages")?;
            Err(Error::OutOfStock(shortages))
        }
        other => Err(Error::Internal(format!("unknown result of place_order: {other}"))),
    }
}

/// What came of the settlement of a payment.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The order in the status that the idempotency key's requests are answered.
    pub order: Order,
    /// True where this settlement changed the order's status.
    pub changed: bool,
}

static SETTLE: LazyLock<String> = LazyLock::new(|| {
    format!("select s.answer, s.changed, {ORDER} cross join settle_payment($1, $2, $3) s where o.id = $1")
});

/// Brings an order to the status that its payment's outcome demands and, with a key, keeps the answer for repetitions;
/// one round trip, one transaction: the function `settle_payment` says how.
pub async fn settle(
    client: &impl GenericClient,
    id: Uuid,
    outcome: Outcome,
    key: Option<&str>,
) -> Result<Settled> {
    let row = client.fetch_optional(&SETTLE, &[&id, &outcome.as_str(), &key]).await?;
    let row = row.ok_or(Error::NotFound("order"))?;
    // The order's columns are those of before the settlement, and only its status is another.
    let status = parse_status(row.try_get("answer")?)?;
    Ok(Settled { order: Order { status, ..order(&row)? }, changed: row.try_get("changed")? })
}

/// Moves an order to a status where that is legal, whoever's it is or only the user's, and out of any status or only out
/// of one; returns the one it was in. What is called off gives its stock back, and its payment is left to the worker, to
/// be voided or given back.
pub async fn change_status(
    transaction: &Transaction<'_>,
    id: Uuid,
    user_id: Option<Uuid>,
    only_from: Option<Status>,
    to: Status,
) -> Result<Status> {
    let sql =
        "select status from orders where id = $1 and ($2::uuid is null or user_id = $2) for no key update";
    let row = transaction.fetch_optional(sql, &[&id, &user_id]).await?;
    let from = status(&row.ok_or(Error::NotFound("order"))?)?;
    // Whether an order is paid, only the payment tells.
    let told_by_payment = matches!(to, Status::Paid | Status::PaymentFailed);
    if !from.may_become(to) || told_by_payment || only_from.is_some_and(|only| only != from) {
        return Err(Error::IllegalTransition { from, to });
    }
    // An order of an erased account needs its address only until it is over.
    let sql = "update orders set status = $2, updated_at = now(), \
               payment = case when $3 and payment in ('pending', 'captured') then 'releasing' else payment end, \
               payment_due_at = case when $3 and payment in ('pending', 'captured') then now() else payment_due_at end, \
               shipping_address = case when user_id is null and $4 then null else shipping_address end \
               where id = $1";
    let cancelled = to == Status::Cancelled;
    transaction.run(sql, &[&id, &to.as_str(), &cancelled, &to.is_final()]).await?;
    if cancelled {
        transaction.fetch_all("select return_stock($1)", &[&id]).await?;
    }
    let payload = serde_json::json!({ "order_id": id, "status": to });
    let sql = "insert into outbox (order_id, kind, payload) values ($1, 'order.' || $2, $3)";
    transaction.run(sql, &[&id, &to.as_str(), &payload]).await?;
    Ok(from)
}

/// A payment that the worker is to look at.
#[derive(Clone, Copy, Debug)]
pub struct DuePayment {
    /// The order.
    pub order_id: Uuid,
    /// True where the order was called off: the payment is to be voided or given back.
    pub releasing: bool,
    /// True where the order has waited for its payment for longer than an order may.
    pub expired: bool,
}

/// Claims payments that are due, for a while: another worker leaves them alone meanwhile, and takes them up after that
/// where this one dies.
pub async fn claim_due_payments(
    client: &impl GenericClient,
    expiry: Duration,
    limit: i64,
) -> Result<Vec<DuePayment>> {
    let sql = "update orders set payment_due_at = now() + make_interval(secs => $1) \
               where id in (select id from orders where payment_due_at <= now() \
                            order by payment_due_at limit $2 for no key update skip locked) \
               returning id, payment = 'releasing' as releasing, created_at < now() - make_interval(secs => $3) as expired";
    let rows = client.fetch_all(sql, &[&PAYMENT_RETRY.as_secs_f64(), &limit, &expiry.as_secs_f64()]).await?;
    let due = rows.iter().map(|row| {
        Ok(DuePayment {
            order_id: row.try_get("id")?,
            releasing: row.try_get("releasing")?,
            expired: row.try_get("expired")?,
        })
    });
    due.collect()
}

/// The payment of an order that was called off is voided or given back.
pub async fn payment_released(client: &impl GenericClient, id: Uuid) -> Result<()> {
    let sql = "update orders set payment = 'released', payment_due_at = null where id = $1 and payment = 'releasing'";
    client.run(sql, &[&id]).await?;
    Ok(())
}

/// Forgets idempotency keys older than this, a bounded number at a time; returns how many went.
pub async fn delete_old_keys(client: &impl GenericClient, age: Duration) -> Result<u64> {
    let sql = "delete from idempotency_keys where (user_id, key) in \
               (select user_id, key from idempotency_keys where created_at < now() - make_interval(secs => $1) \
                order by created_at limit 1000)";
    Ok(client.run(sql, &[&age.as_secs_f64()]).await?)
}

fn parse_status(status: &str) -> Result<Status> {
    Status::parse(status).ok_or_else(|| Error::Internal(format!("unknown status {status}")))
}

fn status(row: &Row) -> Result<Status> {
    parse_status(row.try_get("status")?)
}

/// The select list of an order with its items as one JSON array, so that a page costs one round trip.
const ORDER: &str = "o.id, o.status, o.total_cents, o.currency, o.shipping_address, o.created_at, \
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

/// The order of an id, whoever's it is or only the user's.
pub async fn find(client: &impl GenericClient, id: Uuid, user_id: Option<Uuid>) -> Result<Option<Order>> {
    let sql = format!("select {ORDER} where o.id = $1 and ($2::uuid is null or o.user_id = $2)");
    let row = client.fetch_optional(&sql, &[&id, &user_id]).await?;
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
            let sql =
                format!("select {ORDER} where o.user_id = $1 order by o.created_at desc, o.id desc limit $2");
            client.fetch_all(&sql, &[&user_id, &limit]).await?
        }
        Some(TimeKey { at, id }) => {
            let sql = format!(
                "select {ORDER} where o.user_id = $1 and (o.created_at, o.id) < ($3, $4) \
                 order by o.created_at desc, o.id desc limit $2"
            );
            client.fetch_all(&sql, &[&user_id, &limit, &at, &id]).await?
        }
    };
    rows.iter().map(order).collect()
}

/// Who ordered, as an admin sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Customer {
    /// The account.
    pub id: Uuid,
    /// Its address.
    pub email: String,
    /// What its owner is called.
    pub name: String,
}

/// An order as an admin sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdminOrder {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// Whose it is; null where that is not known, or the account was deleted.
    pub customer: Option<Customer>,
    /// Where its payment stands: none, pending, captured, declined, releasing or released.
    #[schema(example = "captured")]
    pub payment: String,
    /// When it last changed (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

fn admin_order(row: &Row) -> Result<AdminOrder> {
    let id: Option<Uuid> = row.try_get("user_id")?;
    let customer = id.map(|id| {
        Ok::<_, Error>(Customer { id, email: row.try_get("email")?, name: row.try_get("customer_name")? })
    });
    Ok(AdminOrder {
        order: order(row)?,
        customer: customer.transpose()?,
        payment: row.try_get("payment")?,
        updated_at: row.try_get("updated_at")?,
    })
}

const ADMIN_COLUMNS: &str = "o.user_id, o.payment, o.updated_at, u.email, u.name as customer_name";

/// The order of an id, with what only admins see.
pub async fn find_for_admin(client: &impl GenericClient, id: Uuid) -> Result<Option<AdminOrder>> {
    let sql =
        format!("select {ADMIN_COLUMNS}, {ORDER} left join users u on u.id = o.user_id where o.id = $1");
    let row = client.fetch_optional(&sql, &[&id]).await?;
    row.as_ref().map(admin_order).transpose()
}

/// Which orders an admin asks for.
#[derive(Clone, Copy, Debug)]
pub struct AdminFilter {
    /// Only in this status.
    pub status: Option<Status>,
    /// Only this account's.
    pub customer: Option<Uuid>,
    /// Where the page begins.
    pub after: Option<TimeKey>,
}

/// Everybody's orders, newest first.
pub async fn list_for_admin(client: &Client, filter: AdminFilter, limit: i64) -> Result<Vec<AdminOrder>> {
    // Joined from what is asked for, so that each question is answered from its index.
    let mut statement = Statement { prepared: true, ..Statement::default() };
    let mut conditions = Vec::new();
    if let Some(status) = filter.status {
        conditions.push(format!("o.status = {}", statement.bind(status.as_str(), Type::TEXT)));
    }
    if let Some(customer) = filter.customer {
        conditions.push(format!("o.user_id = {}", statement.bind(customer, Type::UUID)));
    }
    if let Some(TimeKey { at, id }) = filter.after {
        let (at, id) = (statement.bind(at, Type::TIMESTAMPTZ), statement.bind(id, Type::UUID));
        conditions.push(format!("(o.created_at, o.id) < ({at}, {id})"));
    }
    let select = format!("select {ADMIN_COLUMNS}, {ORDER} left join users u on u.id = o.user_id");
    statement.page(&select, &conditions, "o.created_at desc, o.id desc", limit);
    let rows = statement.query(client).await?;
    rows.iter().map(admin_order).collect()
}
