//! The model that answers now: immutable, and replaced as a whole, so that training never makes a reader
//! wait.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::catalogue::{Backend, StreamError};
use crate::cpu::{Panicked, Pool};
use crate::metrics::Instruments;
use crate::model::{Catalogue, Model};

/// A model and when it was trained.
#[derive(Debug)]
pub struct Snapshot {
    /// The model.
    pub model: Model,
    /// When it was trained.
    pub trained_at: Timestamp,
}

/// A model could not be brought up to date; the one before stays.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The catalogue could not be read.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// Training panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

/// The right to train, which one task has at a time.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

/// The current snapshot and the means to replace it.
#[derive(Debug)]
pub struct Snapshots {
    current: ArcSwapOption<Snapshot>,
    turn: Arc<Mutex<()>>,
    pool: Pool,
    instruments: Instruments,
}

impl Snapshots {
    /// No model yet. The pool is for training alone: on the one that answers, a long training would come
    /// before short questions.
    #[must_use]
    pub fn new(pool: Pool, instruments: Instruments) -> Self {
        Self { current: ArcSwapOption::empty(), turn: Arc::default(), pool, instruments }
    }

    /// The model that answers now.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.current.load_full()
    }

    /// Waits for the right to train.
    pub async fn turn(&self) -> Turn {
        Turn(Arc::clone(&self.turn).lock_owned().await)
    }

    /// The right to train, unless somebody has it.
    #[must_use]
    pub fn try_turn(&self) -> Option<Turn> {
        Arc::clone(&self.turn).try_lock_owned().ok().map(Turn)
    }

    /// Reads the catalogue and, where its content is another than the current model's, trains on it.
    pub async fn refresh(&self, _turn: Turn, backend: &Backend) -> Result<(), TrainingError> {
        self.train(backend, self.current().map(|snapshot| snapshot.model.version().to_owned())).await
    }

    /// Reads the catalogue and trains on it, whether or not it changed.
    pub async fn retrain(&self, _turn: Turn, backend: &Backend) -> Result<(), TrainingError> {
        self.train(backend, None).await
    }

    async fn train(&self, backend: &Backend, known: Option<String>) -> Result<(), TrainingError> {
        let products = backend.catalogue().await?;
        let trained = self
            .pool
            .run(move || {
                let start = Instant::now();
                let catalogue = Catalogue::new(products);
                let changed = known.is_none_or(|version| version != catalogue.version());
                changed.then(|| (Model::train(&catalogue), start.elapsed()))
            })
            .await?;
        let Some((model, took)) = trained else { return Ok(()) };
        let trained_at = Timestamp::now();
        self.instruments.trained(&model, took, trained_at);
        tracing::info!(
            model_version = model.version(),
            products = model.products(),
            terms = model.terms(),
            duration_ms = took.as_secs_f64() * 1e3,
            "a model was trained"
        );
        self.put(Snapshot { model, trained_at });
        Ok(())
    }

    /// Makes a snapshot the current one.
    pub fn put(&self, snapshot: Snapshot) {
        self.current.store(Some(Arc::new(snapshot)));
    }
}
