//! What the backend does without being asked. Each worker is a pass that any number of replicas may run at any time,
//! and a loop that runs it again and again.

pub mod housekeeping;
pub mod ledger;
pub mod outbox;
pub mod payments;
pub mod revocations;
pub mod tiers;
pub mod views;

use std::time::Duration;

use crate::AppState;
use crate::error::{Error, Result};

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
    let second = Duration::from_secs(1);
    state.lifecycle.spawn(repeat("payments", second, state.clone(), payments::pass));
    state.lifecycle.spawn(repeat("outbox", second / 2, state.clone(), outbox::pass));
    state.lifecycle.spawn(repeat("revocations", second, state.clone(), revocations::pass));
    state.lifecycle.spawn(repeat("views", second, state.clone(), views::pass));
    state.lifecycle.spawn(repeat("housekeeping", Duration::from_mins(10), state.clone(), housekeeping::pass));
    state.lifecycle.spawn(repeat("tiers", Duration::from_mins(10), state.clone(), tiers::pass));
    state.lifecycle.spawn(ledger::watch(state.clone()));
    let watched = state.clone();
    state.lifecycle.spawn(platform::health::watch(async move || {
        crate::routes::operations::health(axum::extract::State(watched.clone())).await
    }));
    state.lifecycle.spawn(state.changes.clone().listen(state.redis.clone()));
    state.pool.show();
}

/// Runs a pass for ever: at once where there is more to do, else after the pause. A pass that fails is tried again
/// after the pause; only the first failure of a row is worth a warning.
async fn repeat(
    worker: &'static str,
    pause: Duration,
    state: AppState,
    pass: impl AsyncFn(&AppState) -> Result<Pass>,
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
