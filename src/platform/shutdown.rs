//! Serving until SIGTERM or Ctrl-C, then draining: readiness falls first, requests in flight finish, then the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::server::Bounds;

/// How long requests in flight may take to finish after the server stopped accepting.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(8);

/// Whether the service takes new work, and the signal that it shall end. Clones share both.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    started: Instant,
    draining: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Lifecycle {
    /// A running service.
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now(), draining: Arc::default(), stop: CancellationToken::new() }
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

    /// Ends when background work shall end.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
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
    tokio::select! {
        () = crate::server::run(listener, app, Bounds::default(), drain) => {}
        () = async {
            let _ = closed.await;
            tokio::time::sleep(DRAIN_TIMEOUT).await;
        } => {
            tracing::warn!("requests were still in flight after {DRAIN_TIMEOUT:?}; closing them");
        }
    }
    lifecycle.stop.cancel();
}
