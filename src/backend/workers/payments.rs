//! Follows payments to their end: asks the provider about those whose answer was lost, voids or gives back those of
//! orders that were called off, and calls off orders that nobody pays.

use crate::AppState;
use crate::db;
use crate::db::orders::DuePayment;
use crate::domain::order::Status;
use crate::domain::payment::Outcome;
use crate::error::{Error, Result};
use crate::orders::{self, By};
use crate::workers::Pass;

/// Payments of one pass.
const BATCH: i64 = 20;

/// Looks at some of the payments that are due.
pub async fn pass(state: &AppState) -> Result<Pass> {
    let due = db::orders::claim_due_payments(&state.pool.get().await?, state.order_expiry, BATCH).await?;
    let mut failure = None;
    for payment in &due {
        // One that fails does not hold up the others.
        if let Err(error) = follow(state, *payment).await {
            failure = Some(error);
        }
    }
    match failure {
        Some(error) => Err(error),
        None if due.is_empty() => Ok(Pass::Idle),
        None => Ok(Pass::More),
    }
}

async fn follow(state: &AppState, payment: DuePayment) -> Result<()> {
    let id = payment.order_id;
    if payment.releasing {
        state.payments.release(id).await?;
        return db::orders::payment_released(&state.pool.get().await?, id).await;
    }
    match state.payments.look_up(id).await? {
        Outcome::Unknown if payment.expired => {
            match orders::change_status(state, id, Status::Cancelled, By::Clock).await {
                // It was paid or called off meanwhile.
                Err(Error::IllegalTransition { .. }) => Ok(()),
                changed => changed.map(drop),
            }
        }
        Outcome::Unknown => Ok(()),
        outcome => orders::settle(state, id, outcome, None, false).await.map(drop),
    }
}
