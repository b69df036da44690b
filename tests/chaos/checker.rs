//! Whether what customers were told is true, and the books agree with one another. It knows what customers were told and
//! what the database and the events' consumer hold, and nothing of the shop's code.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::customers::{Answer, Crowd, Told};
use crate::events::Seen;

/// How long a payment or an event may wait to be followed to its end, in seconds: the workers look again after fifteen.
const SETTLED_AFTER: f64 = 45.0;

/// Statements that find what must not be: each gives a row of text for each case. `$1` is [`SETTLED_AFTER`].
const MUST_NOT_BE: [(&str, &str); 11] = [
    (
        "stock is not the sum of its movements",
        "select p.sku || ': ' || p.stock || ', moved ' || coalesce(sum(m.delta), 0) \
         from products p left join stock_movements m on m.product_id = p.id \
         group by p.id having p.stock <> coalesce(sum(m.delta), 0)",
    ),
    (
        "movements are not those of the orders",
        "select o.id || ': ' || coalesce(sum(m.delta), 0) from orders o \
         left join stock_movements m on m.order_id = o.id where o.import_ref is null group by o.id \
         having coalesce(sum(m.delta), 0) <> case when o.status in ('cancelled', 'payment_failed') then 0 \
         else -(select sum(i.quantity) from order_items i where i.order_id = o.id) end",
    ),
    ("more was sold than there was", "select p.sku || ': ' || p.stock from products p where p.stock < 0"),
    (
        "an order's total is not the sum of its items",
        "select o.id || ': ' || o.total_cents from orders o left join order_items i on i.order_id = o.id \
         where o.import_ref is null group by o.id \
         having o.total_cents <> coalesce(sum(i.quantity * i.unit_price_cents), 0)",
    ),
    (
        "an order was not made by exactly one key",
        "select o.id || ': ' || count(k.key) from orders o left join idempotency_keys k on k.order_id = o.id \
         where o.import_ref is null group by o.id having count(k.key) <> 1",
    ),
    (
        "money was taken for no order, or not as much as it costs",
        "select c.order_id || ': ' || c.amount_cents || ', costs ' || coalesce(o.total_cents::text, 'nothing') \
         from payment_provider.charges c left join orders o on o.id = c.order_id \
         where o.id is null or c.amount_cents <> case c.status when 'voided' then 0 else o.total_cents end",
    ),
    (
        "an order is paid without money",
        "select o.id || ': ' || o.status from orders o left join payment_provider.charges c on c.order_id = o.id \
         where o.import_ref is null and o.status in ('paid', 'shipped', 'delivered') \
         and c.status is distinct from 'captured'",
    ),
    (
        "money was kept though the order came to nothing",
        "select o.id || ': ' || o.status || ', ' || o.payment from orders o \
         join payment_provider.charges c on c.order_id = o.id and c.status = 'captured' \
         where o.status in ('cancelled', 'payment_failed') and o.payment <> 'releasing'",
    ),
    (
        "a payment was not followed to its end",
        "select o.id || ': ' || o.payment || ' since ' || o.updated_at from orders o \
         where o.import_ref is null and o.payment in ('pending', 'releasing') \
         and o.updated_at < now() - make_interval(secs => $1::float8) \
         and (o.payment = 'releasing' or exists (select from payment_provider.charges c where c.order_id = o.id))",
    ),
    (
        "an order has no event of its status",
        "select o.id || ': ' || o.status from orders o where o.import_ref is null and not exists \
         (select from outbox e where e.order_id = o.id and e.kind = case o.status \
          when 'pending_payment' then 'order.placed' else 'order.' || o.status end)",
    ),
    (
        "an event was not published",
        "select e.id || ': ' || e.kind from outbox e \
         where e.published_at is null and e.created_at < now() - make_interval(secs => $1::float8)",
    ),
];

/// An order as the database has it.
struct Order {
    id: Uuid,
    status: String,
    total_cents: i64,
}

/// What is wrong, in words. Nobody may buy meanwhile.
pub async fn check(crowd: &Crowd, database: &Client) -> Result<Vec<String>> {
    let mut wrong = crowd.told().wrong.clone();
    for (what, sql) in MUST_NOT_BE {
        let rows = if sql.contains("$1") {
            database.query(sql, &[&SETTLED_AFTER]).await?
        } else {
            database.query(sql, &[]).await?
        };
        wrong.extend(rows.iter().map(|row| format!("{what}: {}", row.get::<_, String>(0))));
    }
    let orders = orders(database).await?;
    wrong.extend(promises(&crowd.told(), &orders));
    Ok(wrong)
}

/// The orders that were made with a key, by the customer's address and the key.
async fn orders(database: &Client) -> Result<HashMap<(String, String), Order>> {
    let sql = "select u.email, k.key, o.id, o.status, o.total_cents from idempotency_keys k \
               join users u on u.id = k.user_id join orders o on o.id = k.order_id and o.user_id = u.id";
    let rows = database.query(sql, &[]).await?;
    let order = |row: &tokio_postgres::Row| {
        let order =
            Order { id: row.get("id"), status: row.get("status"), total_cents: row.get("total_cents") };
        ((row.get("email"), row.get("key")), order)
    };
    Ok(rows.iter().map(order).collect())
}

/// What customers were told is true, and nothing was ordered that nobody asked for.
fn promises(told: &Told, orders: &HashMap<(String, String), Order>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut asked = HashSet::new();
    for attempt in &told.attempts {
        let key = (attempt.email.clone(), attempt.key.clone());
        let order = orders.get(&key);
        let kept = match (&attempt.answer, order) {
            (Some(Answer::Placed { order, total_cents, cancelled }), Some(kept)) => {
                let status = if *cancelled {
                    kept.status == "cancelled"
                } else {
                    ["pending_payment", "paid"].contains(&kept.status.as_str())
                };
                kept.id == *order && kept.total_cents == *total_cents && status
            }
            (Some(Answer::Declined), Some(kept)) => kept.status == "payment_failed",
            (Some(Answer::Refused), None) | (None, _) => true,
            _ => false,
        };
        if !kept {
            let found = order.map(|order| format!("{}, {}, {}", order.id, order.status, order.total_cents));
            wrong.push(format!(
                "a customer was told something else: {} {:?}, but {}",
                attempt.key,
                attempt.answer,
                found.unwrap_or_else(|| "there is no order".to_owned())
            ));
        }
        asked.insert(key);
    }
    let unasked = orders.iter().filter(|(key, _)| !asked.contains(*key));
    wrong.extend(unasked.map(|(_, order)| format!("an order that nobody asked for: {}", order.id)));
    wrong
}

/// Events that were published and not seen, and orders whose events came in another order than they happened.
pub async fn deliveries(seen: &Seen, database: &Client) -> Result<(HashSet<i64>, Vec<String>)> {
    let rows = database.query("select id, order_id from outbox where published_at is not null", &[]).await?;
    let missing = rows.iter().filter_map(|row| {
        let (id, order): (i64, Uuid) = (row.get("id"), row.get("order_id"));
        let there = seen.get(&order).is_some_and(|events| events.contains(&id));
        (!there).then_some(id)
    });
    let disordered = seen.iter().filter(|(_, events)| !events.is_sorted());
    let disordered =
        disordered.map(|(order, events)| format!("events came in another order: {order}: {events:?}"));
    Ok((missing.collect(), disordered.collect()))
}
