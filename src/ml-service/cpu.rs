//! Threads for computing, apart from those that serve sockets.

use tokio::sync::oneshot;
use tracing::Span;

/// The computation panicked; the panic itself was logged.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a computation panicked")]
pub struct Panicked;

/// A rayon pool that async code can wait for.
#[derive(Debug)]
pub struct Pool(rayon::ThreadPool);

impl Pool {
    /// A pool whose threads carry a name.
    pub fn new(name: &'static str, threads: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(move |number| format!("{name}-{number}"))
            // Without a handler a panic in a spawned task would abort the process.
            .panic_handler(|_| tracing::error!("a computation panicked"))
            .build()
            .map(Self)
    }

    /// Runs the work on the pool. It is skipped where its caller has gone before its turn came.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let (answer, wanted) = oneshot::channel();
        let span = Span::current();
        self.0.spawn(move || {
            if !answer.is_closed() {
                // The caller may go while it runs.
                let _ = answer.send(span.in_scope(work));
            }
        });
        wanted.await.map_err(|_| Panicked)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_comes_back_and_a_panic_is_an_error() {
        let pool = Pool::new("test", 1).expect("a pool");
        assert_eq!(pool.run(|| 6 * 7).await.expect("works"), 42);
        assert!(pool.run(|| assert_eq!(1, 2)).await.is_err());
        assert_eq!(pool.run(|| 1).await.expect("the pool outlives a panic"), 1);
    }

    #[tokio::test]
    async fn work_whose_caller_has_gone_is_skipped() {
        let pool = Arc::new(Pool::new("test", 1).expect("a pool"));
        let (release, held) = mpsc::channel::<()>();
        let first = {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { pool.run(move || held.recv()).await })
        };
        let ran = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ran);
        // One poll queues the work; then the caller is dropped.
        let mut abandoned = Box::pin(pool.run(move || flag.store(true, Ordering::SeqCst)));
        assert!(futures_util::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        release.send(()).expect("the first work waits");
        let _ = first.await.expect("joins");
        pool.run(|| ()).await.expect("after the queue");
        assert!(!ran.load(Ordering::SeqCst));
    }
}
