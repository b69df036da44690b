//! What the backend does without being asked. Each worker is a pass that any number of replicas may run at any time,
//! and a loop that runs it again and again.

pub mod backups;
pub mod housekeeping;
pub mod ledger;
pub mod outbox;
pub mod payments;
pub mod revocations;
pub mod sales;
pub mod tiers;
pub mod views;

use std::time::Duration;

use axum::extract::State;

use crate::AppState;
use crate::error::{Error, Result};
use crate::routes::operations;

/// The longest a pass may take: one that waits for an answer which never comes shall not be the worker's last.
const PASS_DEADLINE: Duration = Duration::from_secs(10);

/// Whether a pass left work behind for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Nothing is left to do now.
    Idle,
    /// There may be more to do at once.
    More,
}

/// Starts every worker; they end with the service.
pub fn spawn(state: &AppState) {
    let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
    state.lifecycle.keep(state, move |state| repeat("payments", second, state, payments::pass));
    state.lifecycle.keep(state, move |state| repeat("outbox", second / 2, state, outbox::pass));
    state.lifecycle.keep(state, move |state| repeat("revocations", second, state, revocations::pass));
    state.lifecycle.keep(state, move |state| repeat("sales", second, state, sales::pass));
    state.lifecycle.keep(state, move |state| repeat("views", second, state, views::pass));
    state.lifecycle.keep(state, move |state| repeat("backups", minute, state, backups::pass));
    state.lifecycle.keep(state, move |state| repeat("housekeeping", 10 * minute, state, housekeeping::pass));
    state.lifecycle.keep(state, move |state| repeat("tiers", 10 * minute, state, tiers::pass));
    state.lifecycle.keep(state, move |state| {
        let mut round = ledger::Round::default();
        repeat("ledger", minute, state, async move |state| round.pass(state).await)
    });
    state.lifecycle.keep(state, |state| {
        platform::health::watch(async move || operations::health(State(state.clone())).await)
    });
    state.lifecycle.keep(state, |state| state.changes.clone().listen(state.redis.clone()));
    state.pool.show();
}

/// Runs a pass for ever: at once where there is more to do, else after the pause. A pass that fails is tried again
/// after the pause; only the first failure of a row is worth a warning.
async fn repeat(
    worker: &'static str,
    pause: Duration,
    state: AppState,
    mut pass: impl AsyncFnMut(&AppState) -> Result<Pass>,
) {
    let mut failing = false;
    loop {
        let late = || Err(Error::DatabaseUnavailable("the pass came to no end in time".to_owned()));
        let done = tokio::time::timeout(PASS_DEADLINE, pass(&state)).await.unwrap_or_else(|_| late());
        match &done {
            Err(error) if !failing => tracing::warn!(worker, %error, "a worker's pass failed"),
            Ok(_) if failing => tracing::info!(worker, "the worker is at work again"),
            _ => {}
        }
        failing = done.is_err();
        if !matches!(done, Ok(Pass::More)) {
            tokio::time::sleep(pause).await;
        }
    }
}
