//! Changes of orders that requests and workers both make: the transaction, and then what the cache and the figures must
//! know of it, which they are told even where whoever made the change goes away.

use serde_json::json;
use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::domain::order::{Order, Status};
use crate::domain::payment::Outcome;
use crate::error::{Error, Result};

/// Who changes an order.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// Its customer: other people's orders are not found.
    Customer(Uuid),
    /// An admin, which the audit log remembers.
    Admin(Uuid),
    /// Nobody: time has passed. It moves only what still waits for its payment, which may come at the last moment.
    Clock,
}

/// Settles an order by its payment's outcome; returns it in the status that its idempotency key's requests are answered,
/// or without a key in its present one. In its own time: what follows its commit is done, however long placing and charging
/// took. `told` is true where the cache was told what was taken out of stock: then it hears of what comes back alone.
pub async fn settle(
    state: &AppState,
    id: Uuid,
    outcome: Outcome,
    key: Option<&str>,
    told: bool,
) -> Result<Order> {
    let (shop, key) = (state.clone(), key.map(str::to_owned));
    state
        .finish(async move {
            let settled = db::orders::settle(&shop.pool.get().await?, id, outcome, key.as_deref()).await?;
            if settled.changed {
                shop.shop_metrics.order(settled.order.status, settled.order.total_cents);
            }
            if !told || outcome == Outcome::Declined {
                forget_stock(&shop, &settled.order).await;
            }
            Ok(settled.order)
        })
        .await
}

/// Moves an order to another status; [`Error::IllegalTransition`] where that is not legal.
pub async fn change_status(state: &AppState, id: Uuid, to: Status, by: By) -> Result<Order> {
    let (owner, only_from) = match by {
        By::Customer(user_id) => (Some(user_id), None),
        By::Admin(_) => (None, None),
        By::Clock => (None, Some(Status::PendingPayment)),
    };
    let mut client = state.pool.get().await?;
    let shop = state.clone();
    state
        .finish(async move {
            let transaction = client.transaction().await?;
            let from = db::orders::change_status(&transaction, id, owner, only_from, to).await?;
            if let By::Admin(actor) = by {
                let detail = json!({ "from": from, "to": to });
                db::audit::insert(&transaction, Some(actor), "order.status_changed", id, detail).await?;
            }
            let order = db::orders::find(&transaction, id, owner).await?.ok_or(Error::NotFound("order"))?;
            db::fetch::commit(transaction).await?;
            shop.shop_metrics.order(order.status, order.total_cents);
            forget_stock(&shop, &order).await;
            Ok(order)
        })
        .await
}

async fn forget_stock(state: &AppState, order: &Order) {
    state.cache.forget_products(order.items.iter().map(|item| item.product_id)).await;
}
