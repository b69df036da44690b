//! The recommender of the shop: what is like a product, what fits a customer, what sells.
//!
//! It keeps no truth of its own: the model and what customers did are read from the backend, or after a restart
//! from disk and then on from there; answers are cached in memory and in Redis.

pub mod bytes;
pub mod cache;
pub mod catalogue;
pub mod config;
pub mod cpu;
pub mod error;
pub mod interactions;
pub mod metrics;
pub mod model;
pub mod routes;
pub mod snapshot;
pub mod store;
pub mod updates;

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use anyhow::Context;
use arc_swap::{ArcSwap, ArcSwapOption};
use axum::Router;
use axum::extract::State;
use platform::config::Secret;
use platform::http::{Options, Origins};
use platform::redis::Redis;
use platform::shed::one_lane;
use platform::shutdown::Lifecycle;
use platform::telemetry::Metrics;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::cache::Cache;
use crate::catalogue::Backend;
use crate::config::Config;
use crate::cpu::Pool;
use crate::error::{Error, Result};
use crate::interactions::{Interaction, Interactions, Ranking};
use crate::metrics::Instruments;
use crate::model::blend::Settings;
use crate::model::quality::{self, Quality, Sample};
use crate::model::together::Together;
use crate::snapshot::{Snapshot, Snapshots};
use crate::store::{Store, Unfinished};

/// Of how many customers it is looked at whether they bought what was recommended.
const ASSESSED: usize = 500;

/// How many computations for training may run or wait: there is one training at a time.
const TRAININGS: usize = 4;

/// What handlers and background work share. Clones share it.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
#[derive(Debug)]
pub struct Parts {
    /// The model.
    pub snapshots: Snapshots,
    /// Where questions to the model are computed.
    pub pool: Pool,
    /// Answers given before.
    pub cache: Cache,
    /// The backend.
    pub backend: Backend,
    /// What is counted.
    pub instruments: Instruments,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// Whether the service is ending.
    pub lifecycle: Lifecycle,
    internal_token: Option<Secret>,
    /// How much each sign counts in personal answers.
    pub settings: Settings,
    together: ArcSwap<Together>,
    quality: ArcSwapOption<Quality>,
    interactions: RwLock<Interactions>,
    /// Of those who change what customers did, or copy all of it, one at a time: else a writer would wait for such a reader,
    /// and every request for both.
    turn: Mutex<()>,
    store: Option<Store>,
    popularity_half_life: f64,
    /// Whether a missing token is a mistake rather than a convenience.
    production: bool,
    max_users: usize,
    max_in_flight: usize,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// A service without a model, which [`updates`] bring.
    pub fn new(config: &Config, metrics: Metrics, lifecycle: Lifecycle) -> anyhow::Result<Self> {
        let instruments = Instruments::default();
        let redis =
            Redis::new(config.redis_url.reveal(), &config.redis_prefix).context("the Redis client")?;
        let training = Pool::new("training", config.cpu_threads.div_ceil(2), TRAININGS)
            .context("threads for training")?;
        let room = config.service.max_in_flight;
        let store = config.snapshot_dir.clone().map(Store::new);
        Ok(Self(Arc::new(Parts {
            snapshots: Snapshots::new(training, store.clone(), instruments.clone()),
            store,
            pool: Pool::new("answers", config.cpu_threads, room).context("threads for answers")?,
            cache: Cache::new(redis, &config.settings, config.popularity_half_life, instruments.clone()),
            backend: Backend::new(config.backend_url.clone(), config.max_products)
                .context("the client of the backend")?,
            instruments,
            metrics,
            lifecycle,
            settings: config.settings,
            together: ArcSwap::default(),
            quality: ArcSwapOption::empty(),
            interactions: RwLock::new(Interactions::new(config.max_users, config.popularity_half_life)),
            turn: Mutex::default(),
            popularity_half_life: config.popularity_half_life,
            internal_token: config.internal_token.clone(),
            production: config.service.production,
            max_users: config.max_users,
            max_in_flight: config.service.max_in_flight,
        })))
    }

    /// Starts to follow the backend until the service stops.
    pub fn follow(&self, config: &Config) {
        let Config { catalogue_poll, interactions_poll, .. } = *config;
        // What was read from disk is there.
        let kept = self.interactions().cursor();
        self.lifecycle.keep(self, move |app| updates::follow_catalogue(app, catalogue_poll));
        self.lifecycle.keep(self, move |app| updates::follow_interactions(app, interactions_poll));
        self.lifecycle.keep(self, move |app| updates::follow_purchases(app, catalogue_poll, kept.clone()));
        self.lifecycle.keep(self, |app| {
            platform::health::watch(async move || routes::health::health(State(app.clone())).await)
        });
    }

    /// Whether this is the token of the deployment. Where none is set, everybody may what it is for, save in
    /// production, where nobody may. Hashes are compared, so that the time it takes tells nothing of the token.
    pub fn trusts(&self, token: Option<&str>) -> bool {
        match &self.internal_token {
            None => !self.production,
            Some(own) => token.is_some_and(|token| Sha256::digest(token) == Sha256::digest(own.reveal())),
        }
    }

    /// What customers did. A panic while it was written would leave one line half counted, which harms less
    /// than refusing every answer.
    pub fn interactions(&self) -> RwLockReadGuard<'_, Interactions> {
        self.interactions.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What customers did, to add to it.
    pub fn interactions_mut(&self) -> RwLockWriteGuard<'_, Interactions> {
        self.interactions.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the model and what customers did from disk, as far as they are there: the service is then ready before the
    /// backend is.
    pub async fn restore(&self) {
        self.snapshots.restore().await;
        let Some(store) = self.store.clone() else { return };
        let (max_users, half_life) = (self.max_users, self.popularity_half_life);
        match self.snapshots.compute(move || store.read_interactions(max_users, half_life)).await {
            Ok(Ok(Some(interactions))) => {
                tracing::info!(interactions = interactions.count(), "what customers did was read from disk");
                *self.interactions_mut() = interactions;
                if let Err(error) = self.relate().await {
                    self.snapshots.store_failed(error);
                }
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => self.snapshots.store_failed(error),
            Err(error) => self.snapshots.store_failed(error),
        }
    }

    /// Takes in what customers did of late.
    pub async fn learn(&self, lines: &[Interaction]) {
        let _turn = self.turn.lock().await;
        let mut interactions = self.interactions_mut();
        for line in lines {
            interactions.apply(line);
        }
        self.instruments.interactions_read(lines.len(), interactions.users());
    }

    /// Ranks what sells, now that nothing more has happened.
    pub async fn caught_up(&self) -> Result<()> {
        let app = self.clone();
        // Waited for here: who has it may be writing to disk, for which no thread that answers shall wait.
        let _turn = self.turn.lock().await;
        let rank = move || {
            let ranking = app.interactions().ranked();
            app.interactions_mut().caught_up_with(ranking);
        };
        Ok(self.pool.run(rank).await?)
    }

    /// Computes with what is taken of what customers did, on the threads for training.
    async fn compute_with<C: Send + 'static, T: Send + 'static>(
        &self,
        copy: impl FnOnce(&Interactions) -> C + Send + 'static,
        work: impl FnOnce(C) -> T + Send + 'static,
    ) -> Result<T> {
        let app = self.clone();
        let copied = move || {
            let _turn = app.turn.blocking_lock();
            copy(&app.interactions())
        };
        Ok(self.snapshots.compute(move || work(copied())).await?)
    }

    /// Writes what customers did to disk, where there is a place for it; false where that failed.
    pub async fn keep_interactions(&self) -> bool {
        let Some(store) = self.store.clone() else { return true };
        let write = move |interactions: &Interactions| store.write_interactions(interactions);
        match self.compute_with(write, |written| written.and_then(Unfinished::finish)).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => self.snapshots.store_failed(error),
            Err(error) => self.snapshots.store_failed(error),
        }
        false
    }

    /// Begins the reading of interactions anew.
    pub async fn forget_interactions(&self) {
        let _turn = self.turn.lock().await;
        *self.interactions_mut() = Interactions::new(self.max_users, self.popularity_half_life);
    }

    /// What is bought together, as it was counted last.
    pub fn together(&self) -> Arc<Together> {
        self.together.load_full()
    }

    /// Counts anew what is bought together. Those who ask meanwhile are answered by the count before.
    pub async fn relate(&self) -> Result<()> {
        let together = self.compute_with(Interactions::purchases, Together::new).await?;
        self.together.store(Arc::new(together));
        Ok(())
    }

    /// How good the recommendations were, when that was measured last.
    pub fn quality(&self) -> Option<Quality> {
        self.quality.load().as_deref().copied()
    }

    /// Measures how good the recommendations are.
    pub async fn assess(&self) -> Result<()> {
        let Some(snapshot) = self.snapshots.current() else { return Ok(()) };
        let (settings, half_life) = (self.settings, self.popularity_half_life);
        let copy = |interactions: &Interactions| (interactions.sample(ASSESSED), interactions.ranking());
        let measure = move |(sample, ranking): (Sample, Arc<Ranking>)| {
            quality::measure(&snapshot.model, sample, &ranking.sales, half_life, &settings)
        };
        self.quality.store(self.compute_with(copy, measure).await?.map(Arc::new));
        Ok(())
    }

    /// The current model, once it and what customers did are there. Before the latter, everybody would look
    /// like a new customer of a shop without sales; the backend's own fallback is better than that.
    pub fn ready(&self) -> Result<Arc<Snapshot>> {
        let snapshot = self.snapshots.current().ok_or(Error::NotReady)?;
        if self.interactions().complete() { Ok(snapshot) } else { Err(Error::NotReady) }
    }
}

/// The service's routes with everything around them.
pub fn app(state: App) -> Router {
    let options = Options { origins: Origins::default(), max_in_flight: state.max_in_flight, lane: one_lane };
    platform::http::wrap(routes::routes().with_state(state), &options)
}
