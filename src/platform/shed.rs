//! Load shedding: so many requests are worked on at once, a few wait for a moment, and the rest are turned away at once,
//! before anything was done for them. What is accepted stays as fast as ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, UpDownCounter};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::problem::Problem;

/// How long a request waits for its turn.
const QUEUE_DEADLINE: Duration = Duration::from_millis(100);

/// Marks the answer to a request that was turned away: a line in the log for each would be load of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnedAway;

/// Lets a bounded number of requests in. Clones share the bound.
#[derive(Clone, Debug)]
pub(crate) struct Shed(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    turns: Semaphore,
    /// The most requests that wait.
    queue: usize,
    waiting: AtomicUsize,
    admitted: UpDownCounter<i64>,
    waited: Histogram<f64>,
    shed: Counter<u64>,
}

/// Counts back when it is dropped, even where the client went away in the middle.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Admitted<'a>(&'a UpDownCounter<i64>);

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.0.add(-1, &[]);
    }
}

impl Shed {
    /// Works on so many requests at once; a quarter as many wait.
    pub(crate) fn new(at_once: usize) -> Self {
        let meter = crate::telemetry::meter();
        Self(Arc::new(Parts {
            turns: Semaphore::new(at_once),
            queue: at_once.div_ceil(4),
            waiting: AtomicUsize::new(0),
            admitted: meter
                .i64_up_down_counter("http.server.admitted_requests")
                .with_description(
                    "Requests that are worked on now, without those that wait and those of operators",
                )
                .build(),
            waited: meter
                .f64_histogram("http.server.queue.duration")
                .with_unit("s")
                .with_description("How long requests that had to wait for their turn waited")
                .with_boundaries(vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1])
                .build(),
            shed: meter
                .u64_counter("http.server.shed_requests")
                .with_description("Requests that were turned away because there was too much to do")
                .build(),
        }))
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, &'static str> {
        let parts = &self.0;
        if let Ok(turn) = parts.turns.try_acquire() {
            return Ok(turn);
        }
        let before = parts.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&parts.waiting);
        if before >= parts.queue {
            return Err("queue full");
        }
        let start = Instant::now();
        let turn = tokio::time::timeout(QUEUE_DEADLINE, parts.turns.acquire()).await;
        parts.waited.record(start.elapsed().as_secs_f64(), &[]);
        // The semaphore is never closed.
        turn.ok().and_then(Result::ok).ok_or("waited too long")
    }
}

/// Lets a request in, or turns it away. What operators ask is always let in: it is what they look at when all else is
/// slow.
pub(crate) async fn admit(State(shed): State<Shed>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if route.starts_with("/health") || route == "/metrics" {
        return next.run(request).await;
    }
    match shed.turn().await {
        Ok(_turn) => {
            shed.0.admitted.add(1, &[]);
            let _admitted = Admitted(&shed.0.admitted);
            next.run(request).await
        }
        Err(reason) => {
            shed.0.shed.add(1, &[KeyValue::new("reason", reason)]);
            let problem = Problem::unavailable(1).detail("there is too much to do just now");
            let mut response = problem.into_response();
            response.extensions_mut().insert(TurnedAway);
            response
        }
    }
}
