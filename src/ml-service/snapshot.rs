//! The model that answers now: immutable, and replaced as a whole, so that training never makes a reader
//! wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::catalogue::{Backend, StreamError};
use crate::cpu::{Failed, Pool};
use crate::metrics::Instruments;
use crate::model::{Catalogue, Model};
use crate::store::Store;

/// A model that differs from the catalogue in more products than this is trained anew: each product that came
/// since is looked at by every question.
const CHANGES: usize = 1_000;

/// A model and when it was trained.
#[derive(Debug)]
pub struct Snapshot {
    /// The model.
    pub model: Model,
    /// When it was trained, or last brought up to date.
    pub trained_at: Timestamp,
}

/// A model could not be brought up to date; the one before stays.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The catalogue could not be read.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// Training panicked, or its queue was full.
    #[error(transparent)]
    Computation(#[from] Failed),
}

/// What the one training that may run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// None runs.
    Idle,
    /// The catalogue is being read.
    Reading,
    /// The model is being computed.
    Fitting,
    /// The model is being written to disk; it answers already.
    Writing,
}

/// How the last training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A new model was trained.
    Trained,
    /// The model was changed by the few products that differed.
    Updated,
    /// The catalogue was the model's.
    Unchanged,
    /// It failed; the model before stays.
    Failed,
}

/// The training that runs, and the last one.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Training {
    /// What is being done.
    pub stage: Stage,
    /// Since when.
    pub since: Option<Timestamp>,
    /// How the last one ended.
    pub last: Option<Outcome>,
    /// How long that took to compute, in milliseconds.
    pub last_milliseconds: Option<u64>,
}

/// The right to train, which one task has at a time.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

/// A training that somebody asked for, from the wish to its end: one at a time.
#[derive(Debug)]
pub struct Wish(#[expect(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

/// The current snapshot and the means to replace it.
#[derive(Debug)]
pub struct Snapshots {
    current: ArcSwapOption<Snapshot>,
    training: ArcSwap<Training>,
    turn: Arc<Mutex<()>>,
    wish: Arc<Mutex<()>>,
    pool: Pool,
    store: Option<Store>,
    instruments: Instruments,
}

impl Snapshots {
    /// No model yet. The pool is for training alone: on the one that answers, a long training would come
    /// before short questions.
    #[must_use]
    pub fn new(pool: Pool, store: Option<Store>, instruments: Instruments) -> Self {
        let training = Training { stage: Stage::Idle, since: None, last: None, last_milliseconds: None };
        Self {
            current: ArcSwapOption::empty(),
            training: ArcSwap::from_pointee(training),
            turn: Arc::default(),
            wish: Arc::default(),
            pool,
            store,
            instruments,
        }
    }

    /// The model that answers now.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.current.load_full()
    }

    /// The training that runs, and the last one.
    #[must_use]
    pub fn training(&self) -> Training {
        **self.training.load()
    }

    /// Waits for the right to train.
    pub async fn turn(&self) -> Turn {
        Turn(Arc::clone(&self.turn).lock_owned().await)
    }

    /// The wish for a training, unless one that was wished for waits or runs. The reading of the catalogue that is done
    /// every so often does not count: it may end without a training.
    #[must_use]
    pub fn wish(&self) -> Option<Wish> {
        Arc::clone(&self.wish).try_lock_owned().ok().map(Wish)
    }

    /// Takes the model from disk, where there is one. What is refused there is said, and replaced by the next
    /// training.
    pub async fn restore(&self) {
        let Some(store) = self.store.clone() else { return };
        let start = Instant::now();
        let read = move || store.read().map(|model| model.map(|model| (model, store.written())));
        match self.pool.run(read).await {
            Ok(Ok(Some((model, written)))) => {
                let took = start.elapsed();
                tracing::info!(
                    model_version = model.version(),
                    products = model.products(),
                    duration_ms = took.as_secs_f64() * 1e3,
                    "the model was read from disk"
                );
                let trained_at = written.unwrap_or_else(Timestamp::now);
                self.instruments.model(&model, trained_at);
                self.put(Snapshot { model, trained_at });
            }
            Ok(Ok(None)) => tracing::info!("there is no model on disk yet"),
            Ok(Err(error)) => self.store_failed(error),
            Err(error) => self.store_failed(error),
        }
    }

    /// Reads the catalogue and, where its content is another than the current model's, follows it: by the
    /// products that differ where they are few, else by a training.
    pub async fn refresh(&self, turn: Turn, backend: &Backend) -> Result<(), TrainingError> {
        self.train(turn, backend, self.current()).await
    }

    /// Waits for the right to train, reads the catalogue and trains on it, whether or not it changed.
    pub async fn retrain(&self, _wish: Wish, backend: &Backend) -> Result<(), TrainingError> {
        let turn = self.turn().await;
        self.train(turn, backend, None).await
    }

    async fn train(
        &self,
        _turn: Turn,
        backend: &Backend,
        known: Option<Arc<Snapshot>>,
    ) -> Result<(), TrainingError> {
        let trained = self.new_model(backend, known).await;
        let end = |last, took: Option<Duration>| Training {
            stage: Stage::Idle,
            since: None,
            last: Some(last),
            last_milliseconds: took.and_then(|took| u64::try_from(took.as_millis()).ok()),
        };
        let ended = match trained {
            Err(error) => {
                self.training.store(Arc::new(end(Outcome::Failed, None)));
                return Err(error);
            }
            Ok((Outcome::Unchanged | Outcome::Failed, took, _)) => end(Outcome::Unchanged, Some(took)),
            Ok((outcome, took, None)) => end(outcome, Some(took)),
            Ok((outcome, took, Some(model))) => {
                let trained_at = Timestamp::now();
                self.instruments.trained(&model, took, trained_at);
                tracing::info!(
                    model_version = model.version(),
                    products = model.products(),
                    terms = model.terms(),
                    duration_ms = took.as_secs_f64() * 1e3,
                    updated = outcome == Outcome::Updated,
                    "a model was trained"
                );
                self.put(Snapshot { model, trained_at });
                if outcome == Outcome::Trained {
                    self.write().await;
                }
                end(outcome, Some(took))
            }
        };
        self.training.store(Arc::new(ended));
        Ok(())
    }

    async fn new_model(
        &self,
        backend: &Backend,
        known: Option<Arc<Snapshot>>,
    ) -> Result<(Outcome, Duration, Option<Model>), TrainingError> {
        self.at(Stage::Reading);
        let products = backend.catalogue().await?;
        self.at(Stage::Fitting);
        let compute = move || {
            let start = Instant::now();
            let catalogue = Catalogue::new(products);
            let known = known.as_deref().map(|snapshot| &snapshot.model);
            let (outcome, model) = match known {
                Some(model) if model.version() == catalogue.version() => (Outcome::Unchanged, None),
                Some(model) => match model.followed(&catalogue, CHANGES) {
                    Some(followed) => (Outcome::Updated, Some(followed)),
                    None => (Outcome::Trained, Some(Model::train(&catalogue))),
                },
                None => (Outcome::Trained, Some(Model::train(&catalogue))),
            };
            (outcome, start.elapsed(), model)
        };
        Ok(self.pool.run(compute).await?)
    }

    async fn write(&self) {
        let (Some(store), Some(snapshot)) = (self.store.clone(), self.current()) else { return };
        self.at(Stage::Writing);
        match self.pool.run(move || store.write(&snapshot.model)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.store_failed(error),
            Err(error) => self.store_failed(error),
        }
    }

    /// The disk is a convenience: without it the service works, and a restart takes longer.
    pub fn store_failed(&self, error: impl Into<anyhow::Error>) {
        self.instruments.store_failed();
        let error = format!("{:#}", error.into());
        tracing::error!(error, "what is on disk cannot be used");
    }

    fn at(&self, stage: Stage) {
        let Training { last, last_milliseconds, .. } = self.training();
        let since = Some(Timestamp::now());
        self.training.store(Arc::new(Training { stage, since, last, last_milliseconds }));
    }

    /// Runs something else on the threads for training.
    pub async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failed> {
        self.pool.run(work).await
    }

    /// Makes a snapshot the current one.
    pub fn put(&self, snapshot: Snapshot) {
        self.current.store(Some(Arc::new(snapshot)));
    }
}
