//! Serving until SIGTERM or Ctrl-C, then draining: readiness falls first, requests in flight finish, then the end.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use futures_util::FutureExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::http::{REQUEST_DEADLINE, note_panic};
use crate::server::Bounds;

/// How long requests in flight may take to finish after the server stopped accepting.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(8);

/// How long background work rests after a panic.
const REST: Duration = Duration::from_secs(1);

/// Whether the service takes new work, and the signal that it shall end. Clones share both.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    started: Instant,
    draining: Arc<AtomicBool>,
    stop: CancellationToken,
    unfinished: TaskTracker,
}

impl Lifecycle {
    /// A running service.
    #[must_use]
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            draining: Arc::default(),
            stop: CancellationToken::new(),
            unfinished: TaskTracker::new(),
        }
    }

    /// For how long the service has run.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// True once shutdown has begun: readiness must answer 503.
    #[must_use]
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Runs background work until it ends or the service stops.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Keeps background work going until the service stops: what panics begins anew after a rest, since nobody would notice
    /// that it is gone.
    pub fn keep<T: Clone + Send + Sync + 'static, W: Future<Output = ()> + Send + 'static>(
        &self,
        given: &T,
        work: impl Fn(T) -> W + Send + 'static,
    ) {
        let given = given.clone();
        self.spawn(async move {
            while let Err(cause) = AssertUnwindSafe(work(given.clone())).catch_unwind().await {
                note_panic(cause.as_ref(), "background work panicked, and begins anew");
                tokio::time::sleep(REST).await;
            }
        });
    }

    /// Begins at once to work on something, to its end and in a task of its own: who waits for it may go away, as a request whose client leaves
    /// is dropped wherever it is, and what follows a commit is done all the same. The service does not end before it.
    ///
    /// A panic goes on to who waits. What takes longer than a request may is given up: nothing is returned. Where nobody
    /// waits any more, `unheard` gets the outcome.
    pub fn finish<T, W, U>(
        &self,
        work: W,
        unheard: U,
    ) -> impl Future<Output = Option<T>> + Send + use<T, W, U>
    where
        T: Send + 'static,
        W: Future<Output = T> + Send + 'static,
        U: FnOnce(T) + Send + 'static,
    {
        let (tell, told) = tokio::sync::oneshot::channel();
        // On the heap, since all that goes around it would copy it.
        let work = AssertUnwindSafe(Box::pin(work)).catch_unwind();
        let work = async move {
            let Ok(done) = tokio::time::timeout(REQUEST_DEADLINE, work).await else {
                tracing::warn!("work was given up after {REQUEST_DEADLINE:?}");
                return;
            };
            match tell.send(done) {
                Ok(()) => {}
                Err(Ok(outcome)) => unheard(outcome),
                Err(Err(cause)) => note_panic(cause.as_ref(), "a handler panicked"),
            }
        };
        self.unfinished.spawn(crate::trace::carried(work).in_current_span());
        told.map(|told| match told {
            Ok(Ok(outcome)) => Some(outcome),
            Ok(Err(cause)) => resume_unwind(cause),
            Err(_) => None,
        })
    }

    /// Ends background work, and waits for what is to be finished.
    async fn end(&self) {
        self.stop.cancel();
        self.unfinished.close();
        self.unfinished.wait().await;
    }
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::new()
    }
}

async fn signalled() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Serves until a signal comes. Readiness falls at once; the listener stays open for `delay`, the time that load
/// balancers need to notice; then requests in flight have eight seconds to finish.
pub async fn serve(listener: TcpListener, app: Router, lifecycle: Lifecycle, delay: Duration) {
    let (closing, closed) = tokio::sync::oneshot::channel();
    let drain = {
        let lifecycle = lifecycle.clone();
        async move {
            if let Err(error) = signalled().await {
                tracing::error!(%error, "signals cannot be received; stopping");
            }
            tracing::info!("shutting down");
            lifecycle.draining.store(true, Ordering::Relaxed);
            tokio::time::sleep(delay).await;
            // The receiver is gone only where the server has already ended.
            let _ = closing.send(());
        }
    };
    let drained = async {
        crate::server::run(listener, app, Bounds::default(), drain).await;
        lifecycle.end().await;
    };
    tokio::select! {
        () = drained => {}
        () = async {
            let _ = closed.await;
            tokio::time::sleep(DRAIN_TIMEOUT).await;
        } => {
            tracing::warn!("requests were still in flight after {DRAIN_TIMEOUT:?}; closing them");
        }
    }
    lifecycle.stop.cancel();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_panics_begins_anew() {
        let lifecycle = Lifecycle::new();
        let begun = Arc::new(AtomicU32::new(0));
        lifecycle.keep(&begun, |counted| {
            let times = counted.fetch_add(1, Ordering::Relaxed);
            async move { assert!(times >= 2, "on purpose") }
        });
        tokio::time::sleep(REST * 2 + REST / 2).await;
        // Twice it panicked, and then it came to its end.
        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn work_whose_waiter_is_gone_is_finished_before_the_end() {
        let lifecycle = Lifecycle::new();
        let (go, gone) = oneshot::channel::<()>();
        let done = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&done);
        let work = async move { gone.await.is_ok() };
        let waiter = lifecycle.finish(work, move |outcome| noted.store(outcome, Ordering::Relaxed));
        let given_up = tokio::time::timeout(Duration::from_millis(20), waiter).await;
        assert!(given_up.is_err());
        let end = lifecycle.end();
        let mut end = std::pin::pin!(end);
        let early = tokio::time::timeout(Duration::from_millis(20), end.as_mut()).await;
        assert!(early.is_err() && !done.load(Ordering::Relaxed));
        go.send(()).expect("waited for");
        end.await;
        assert!(done.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn who_waits_gets_the_answer_or_the_panic() {
        let lifecycle = Lifecycle::new();
        assert_eq!(lifecycle.finish(async { 7 }, |_| panic!("it was heard")).await, Some(7));
        let panicking = lifecycle.finish(async { panic!("a defect") }, |()| {});
        let panicking: Result<Option<()>, _> = AssertUnwindSafe(panicking).catch_unwind().await;
        assert_eq!(panicking.expect_err("a panic").downcast_ref(), Some(&"a defect"));
        lifecycle.end().await;
    }
}
