//! Threads for computing, apart from those that serve sockets.

use std::sync::Arc;

use tokio::sync::{Semaphore, oneshot};
use tracing::Span;

/// Why a computation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It panicked; the panic itself was logged.
    #[error("a computation panicked")]
    Panicked,
    /// Too many wait already.
    #[error("too many computations wait already")]
    Full,
}

/// A rayon pool that async code can wait for, with a bounded queue.
#[derive(Debug)]
pub struct Pool {
    threads: rayon::ThreadPool,
    /// One place for each computation that runs or waits.
    places: Arc<Semaphore>,
}

/// Whether somebody still waits for a result.
#[derive(Debug)]
pub struct Caller<'a, T>(&'a oneshot::Sender<T>);

impl<T> Caller<'_, T> {
    /// Between the steps of a computation: when true, the rest is for nobody.
    #[must_use]
    pub fn gone(&self) -> bool {
        self.0.is_closed()
    }
}

impl Pool {
    /// A pool whose threads carry a name, with room for so many computations that run or wait.
    pub fn new(name: &'static str, threads: usize, room: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(move |number| format!("{name}-{number}"))
            // Without a handler a panic in a spawned task would abort the process.
            .panic_handler(|_| tracing::error!("a computation panicked"))
            .build()?;
        Ok(Self { threads, places: Arc::new(Semaphore::new(room)) })
    }

    /// Runs the work on the pool. It is skipped where its caller has gone before its turn came.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failed> {
        self.run_for(move |_| Some(work())).await
    }

    /// Runs work in steps, between which it may ask whether its caller still waits, and stop where not.
    pub async fn run_for<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Caller<'_, T>) -> Option<T> + Send + 'static,
    ) -> Result<T, Failed> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Failed::Full)?;
        let (answer, wanted) = oneshot::channel();
        let span = Span::current();
        self.threads.spawn(move || {
            let _place = place;
            let caller = Caller(&answer);
            if !caller.gone()
                && let Some(result) = span.in_scope(|| work(&caller))
            {
                // The caller may have gone at last.
                let _ = answer.send(result);
            }
        });
        wanted.await.map_err(|_| Failed::Panicked)
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
        let pool = Pool::new("test", 1, 10).expect("a pool");
        assert_eq!(pool.run(|| 6 * 7).await.expect("works"), 42);
        assert!(pool.run(|| assert_eq!(1, 2)).await.is_err());
        assert_eq!(pool.run(|| 1).await.expect("the pool outlives a panic"), 1);
    }

    #[tokio::test]
    async fn work_whose_caller_has_gone_is_skipped() {
        let pool = Arc::new(Pool::new("test", 1, 10).expect("a pool"));
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

    #[tokio::test]
    async fn work_in_steps_stops_when_its_caller_goes() {
        let pool = Pool::new("test", 1, 10).expect("a pool");
        let (started, begins) = oneshot::channel::<()>();
        let (stopped, stops) = oneshot::channel::<()>();
        let mut work = Box::pin(pool.run_for(move |caller: &Caller<'_, ()>| {
            let _ = started.send(());
            while !caller.gone() {
                std::thread::yield_now();
            }
            let _ = stopped.send(());
            None
        }));
        assert!(futures_util::poll!(&mut work).is_pending());
        begins.await.expect("it runs");
        drop(work);
        stops.await.expect("it stopped");
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_takes_again_when_there_is_room() {
        let pool = Pool::new("test", 1, 2).expect("a pool");
        let (release, held) = mpsc::channel::<()>();
        let mut running = Box::pin(pool.run(move || held.recv()));
        assert!(futures_util::poll!(&mut running).is_pending());
        let mut waiting = Box::pin(pool.run(|| 7));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert_eq!(pool.run(|| 8).await, Err(Failed::Full));
        release.send(()).expect("the first work waits");
        running.await.expect("runs").expect("released");
        assert_eq!(waiting.await, Ok(7));
        assert_eq!(pool.run(|| 8).await, Ok(8));
    }
}
