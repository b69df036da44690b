//! Load shedding: so many requests are worked on at once, a few wait for a moment, and the rest are turned away before
//! anything was done for them. What is accepted stays nearly as fast as ever.
//!
//! There are two lanes, so that what a slow dependency holds up never stands before what needs none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundUpDownCounter, Counter, Histogram, UpDownCounter};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::problem::Problem;

/// How long a request waits for its turn.
const QUEUE_DEADLINE: Duration = Duration::from_millis(100);

/// Which requests a request waits behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Those that a cache usually answers.
    Quick,
    /// Those that wait for a database, another service or the CPU.
    Slow,
    /// None: what operators ask is what they look at when all else is slow.
    Free,
}

/// Lets a bounded number of requests of each lane in.
#[derive(Debug)]
pub(crate) struct Shed {
    quick: Gate,
    slow: Gate,
    /// The answer's body, the same for all: that is the point.
    body: Bytes,
    waited: Histogram<f64>,
    refused: Counter<u64>,
}

#[derive(Debug)]
struct Gate {
    label: KeyValue,
    turns: Semaphore,
    /// The most requests that wait.
    queue: usize,
    waiting: AtomicUsize,
    admitted: BoundUpDownCounter<i64>,
}

/// Counts back when it is dropped, even where the client went away in the middle.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request's turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    _permit: SemaphorePermit<'a>,
    admitted: &'a BoundUpDownCounter<i64>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.admitted.add(-1);
    }
}

impl Gate {
    fn new(lane: &'static str, at_once: usize, admitted: &UpDownCounter<i64>) -> Self {
        let label = KeyValue::new("lane", lane);
        Self {
            admitted: admitted.bind(std::slice::from_ref(&label)),
            label,
            turns: Semaphore::new(at_once),
            queue: at_once.div_ceil(4),
            waiting: AtomicUsize::new(0),
        }
    }
}

impl Shed {
    /// Works on so many requests of each lane at once; a quarter as many wait.
    pub(crate) fn new(at_once: usize) -> Self {
        let meter = crate::telemetry::meter();
        let problem = Problem::unavailable(1).detail("there is too much to do just now");
        let admitted = meter
            .i64_up_down_counter("http.server.admitted_requests")
            .with_description(
                "Requests that are worked on now, by lane; without those that wait for their turn",
            )
            .build();
        Self {
            quick: Gate::new("quick", at_once, &admitted),
            slow: Gate::new("slow", at_once, &admitted),
            body: serde_json::to_vec(&problem).unwrap_or_default().into(),
            waited: meter
                .f64_histogram("http.server.queue.duration")
                .with_unit("s")
                .with_description("How long requests waited for their turn, of those that had to")
                .with_boundaries(vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1])
                .build(),
            refused: meter
                .u64_counter("http.server.shed_requests")
                .with_description("Requests that were turned away because there was too much to do")
                .build(),
        }
    }

    /// Waits for a request's turn, for a moment. `None` where it needs none.
    pub(crate) async fn admit(&self, lane: Lane) -> Result<Option<Turn<'_>>, Response> {
        let gate = match lane {
            Lane::Quick => &self.quick,
            Lane::Slow => &self.slow,
            Lane::Free => return Ok(None),
        };
        match self.permit(gate).await {
            Ok(permit) => {
                gate.admitted.add(1);
                Ok(Some(Turn { _permit: permit, admitted: &gate.admitted }))
            }
            Err(reason) => {
                self.refused.add(1, &[gate.label.clone(), KeyValue::new("reason", reason)]);
                Err(self.refusal())
            }
        }
    }

    async fn permit<'a>(&self, gate: &'a Gate) -> Result<SemaphorePermit<'a>, &'static str> {
        if let Ok(permit) = gate.turns.try_acquire() {
            return Ok(permit);
        }
        let before = gate.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&gate.waiting);
        if before >= gate.queue {
            return Err("queue full");
        }
        let start = Instant::now();
        let permit = tokio::time::timeout(QUEUE_DEADLINE, gate.turns.acquire()).await;
        self.waited.record(start.elapsed().as_secs_f64(), std::slice::from_ref(&gate.label));
        // The semaphore is never closed.
        permit.ok().and_then(Result::ok).ok_or("waited too long")
    }

    fn refusal(&self) -> Response {
        let mut response = (StatusCode::SERVICE_UNAVAILABLE, self.body.clone()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    }
}

/// A service all of whose requests are alike.
pub fn one_lane(_: &Request) -> Lane {
    Lane::Slow
}
