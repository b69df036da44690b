//! ShopMicro's backend: the API of the shop over PostgreSQL and Redis.
//!
//! A request goes `routes/x.rs` -> `db/x.rs`, with pure rules in `domain/`; see `routes.rs` for the table of contents.

pub mod admins;
pub mod cache;
pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod export;
pub mod import;
pub mod limits;
pub mod logins;
pub mod metrics;
pub mod openapi;
pub mod orders;
pub mod passwords;
pub mod payment_provider;
pub mod recommender;
pub mod routes;
pub mod seed;
pub mod sessions;
pub mod views;
pub mod workers;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;
use platform::redis::Redis;
use platform::shutdown::Lifecycle;
use platform::telemetry::Metrics;
use tokio::sync::OnceCell;

use crate::cache::Cache;
use crate::cache::near::Changes;
use crate::config::Config;
use crate::db::Pool;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::metrics::ShopMetrics;
use crate::passwords::Passwords;
use crate::payment_provider::PaymentProvider;
use crate::recommender::Recommender;
use crate::sessions::copies::Copies;
use crate::views::Views;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What handlers work with. Clones share everything, and cost a counter: each request makes some.
#[derive(Clone, Debug)]
pub struct AppState(pub Arc<Parts>);

impl std::ops::Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The parts of [`AppState`].
#[derive(Clone, Debug)]
pub struct Parts {
    /// Connections to the database.
    pub pool: Pool,
    /// Redis, as something that may be away.
    pub redis: Redis,
    /// Cached reads.
    pub cache: Cache,
    /// What is heard of changes that other replicas make.
    pub changes: Changes,
    /// Copies of sessions.
    pub session_copies: Copies,
    /// The recommendation service.
    pub recommender: Recommender,
    /// Password hashes.
    pub passwords: Passwords,
    /// The payment provider.
    pub payments: PaymentProvider,
    /// How long an order may wait for its payment.
    pub order_expiry: Duration,
    /// How many requests clients may send.
    pub limits: Limits,
    /// What the layers around the routes are told.
    pub http: platform::http::Options,
    /// What customers look at, until it is written.
    pub views: Views,
    /// The shop's own figures.
    pub shop_metrics: ShopMetrics,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// Whether the service is ending.
    pub lifecycle: Lifecycle,
    /// Set once the schema has been seen in place.
    pub migrated: Arc<OnceCell<()>>,
    /// Cookies are `Secure`.
    pub production: bool,
}

impl AppState {
    /// Everything that handlers need; nothing is connected yet.
    pub fn new(
        config: &Config,
        metrics: Metrics,
        lifecycle: Lifecycle,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let redis = Redis::new(config.redis_url.reveal(), &config.redis_prefix)?;
        let changes = Changes::default();
        let pool = db::pool(&config.postgres_url, config.postgres_pool_size)?;
        Ok(Self(Arc::new(Parts {
            payments: PaymentProvider::new(pool.clone()),
            order_expiry: config.order_expiry,
            pool,
            cache: Cache::new(redis.clone(), changes.clone()),
            http: platform::http::Options {
                origins: config.cors_origins.clone(),
                max_in_flight: config.service.max_in_flight,
                lane: limits::lane,
            },
            limits: Limits::new(config.rate_limits, config.trusted_proxies.clone(), &redis),
            session_copies: Copies::new(redis.clone(), changes.clone()),
            changes,
            redis,
            recommender: Recommender::new(config.ml_service_url.clone(), config.internal_token.clone())?,
            passwords: Passwords::new()?,
            views: Views::new(),
            shop_metrics: ShopMetrics::new(),
            metrics,
            lifecycle,
            migrated: Arc::default(),
            production: config.service.production,
        })))
    }

    /// Makes a change and tells of it, to the end and even where the client leaves meanwhile: [`Lifecycle::finish`].
    pub fn finish<T, C>(&self, change: C) -> impl Future<Output = Result<T>> + Send + use<T, C>
    where
        T: Send + 'static,
        C: Future<Output = Result<T>> + Send + 'static,
    {
        let unheard = |outcome: Result<T>| {
            if let Err(error) = outcome {
                error.note();
            }
        };
        let given_up = || Err(Error::DatabaseUnavailable("a change took too long".to_owned()));
        self.lifecycle.finish(change, unheard).map(move |outcome| outcome.unwrap_or_else(given_up))
    }
}

/// The whole HTTP service.
pub fn app(state: AppState) -> Router {
    let options = state.http.clone();
    platform::http::wrap(routes::router(state), &options)
}
