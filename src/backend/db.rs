//! The database: the pool, migrations, and one module of free functions for each group of tables.

pub mod audit;
pub mod backups;
pub mod carts;
pub mod export;
pub mod fetch;
pub mod logins;
pub mod orders;
pub mod outbox;
pub mod overview;
pub mod products;
pub mod sales;
pub mod sessions;
pub mod statement;
pub mod users;
pub mod views;

use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::{
    Client, Hook, HookError, ManagerConfig, Metrics, PoolError, RecyclingMethod, Runtime, Status,
    TimeoutType, Timeouts,
};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Counter, Histogram};
use platform::config::Secret;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

/// How long a request waits for a connection, and a connection may take to be made.
const POOL_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection that was last taken so long ago is asked whether it still answers: its holder may have given up on it at
/// a deadline, or something between may have forgotten it meanwhile. Busy shops never ask.
const DOUBTFUL: Duration = Duration::from_secs(3);

/// How long it may take to answer that: with the above, longer than any statement that is still being worked on.
const PROOF_TIMEOUT: Duration = Duration::from_millis(1200);

/// How many requests may wait for a connection, for each that there is.
const WAITING_PER_CONNECTION: usize = 4;

/// Set on every connection. A statement ends before the request's own deadline (6 s); the similarity is that of long
/// words with two errors in them.
const SESSION_SETTINGS: &str = "-c statement_timeout=4000 -c lock_timeout=3000 \
    -c idle_in_transaction_session_timeout=10000 -c pg_trgm.similarity_threshold=0.2 -c jit=off";

/// The newest migration of this program. What reads them all compiles regular expressions, which a service has no use for.
const SCHEMA: i32 = 15;

/// The key of the advisory lock under which the schema changes: replicas that start together take turns.
const MIGRATION_LOCK: i64 = 0x0073_686f_706d_6967;

/// How long a migration waits for a lock. All that asks for the same table meanwhile waits behind it: less long than a
/// request of the shop does.
const MIGRATION_LOCK_TIMEOUT: &str = "2s";

/// The rest before it is tried again.
const MIGRATION_PAUSE: Duration = Duration::from_secs(5);

/// For how long it is tried, since whoever has the lock may be a dump or an import.
const MIGRATION_PATIENCE: Duration = Duration::from_mins(10);

mod migrations {
    refinery::embed_migrations!("db/migrations");
}

/// What prevents the schema from being brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database does not answer, or refuses.
    #[error("the database does not answer, or refuses")]
    Connect(#[from] tokio_postgres::Error),
    /// A migration failed, or one that was applied has changed since.
    #[error("a migration failed")]
    Migrate(#[from] refinery::Error),
}

impl MigrateError {
    /// True where a lock could not be had in time.
    fn is_of_a_lock(&self) -> bool {
        let cause = match self {
            Self::Connect(error) => Some(error),
            Self::Migrate(error) => error.source().and_then(|cause| cause.downcast_ref()),
        };
        cause.and_then(tokio_postgres::Error::code) == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }
}

/// Connections to the database. Clones share them.
#[derive(Clone, Debug)]
pub struct Pool {
    connections: deadpool_postgres::Pool,
    wait_time: Histogram<f64>,
    timeouts: Counter<u64>,
}

impl Pool {
    /// A connection, perhaps after a wait. Where many wait already, none: a database that stalls shall not take every
    /// place in the service, for cached reads do without it.
    pub async fn get(&self) -> Result<Client, PoolError> {
        let start = Instant::now();
        let status = self.connections.status();
        let taken = if status.waiting >= WAITING_PER_CONNECTION * status.max_size {
            Err(PoolError::Timeout(TimeoutType::Wait))
        } else {
            self.get_patiently().await
        };
        self.wait_time.record(start.elapsed().as_secs_f64(), &[]);
        if matches!(taken, Err(PoolError::Timeout(_))) {
            self.timeouts.add(1, &[]);
        }
        taken
    }

    /// A connection, however many wait: for probes, which ask whether the database answers and not how busy it is, and for
    /// what has begun already.
    pub async fn get_patiently(&self) -> Result<Client, PoolError> {
        // On the heap: what waits for it is some two kilobytes, and has no use for them later.
        Box::pin(self.connections.get()).await
    }

    /// How many connections there are, and how many requests wait for one.
    pub fn status(&self) -> Status {
        self.connections.status()
    }

    /// Shows the pool as metrics, after OpenTelemetry's
    /// [conventions](https://opentelemetry.io/docs/specs/semconv/database/database-metrics/). Once a process: it is
    /// looked at as long as that lives.
    pub fn show(&self) {
        let meter = platform::telemetry::meter();
        let gauge = |name, description, of: fn(&Status) -> i64| {
            let pool = self.connections.clone();
            let show = meter.i64_observable_gauge(name).with_description(description);
            show.with_callback(move |gauge| gauge.observe(of(&pool.status()), &[])).build();
        };
        gauge("db.client.connection.max", "The most connections that there may be", |pool| {
            count(pool.max_size)
        });
        gauge("db.client.connection.pending_requests", "Requests that wait for a connection", |pool| {
            count(pool.waiting)
        });
        let pool = self.connections.clone();
        let connections = meter.i64_observable_gauge("db.client.connection.count");
        let states = move |gauge: &dyn AsyncInstrument<i64>| {
            let status = pool.status();
            let used = status.size.saturating_sub(status.available);
            for (state, units) in [("idle", status.available), ("used", used)] {
                gauge.observe(count(units), &[KeyValue::new("db.client.connection.state", state)]);
            }
        };
        connections.with_description("Connections that there are, by state").with_callback(states).build();
    }
}

fn count(units: usize) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

/// A pool that connects when first asked, so that the service starts without the database.
pub fn pool(url: &Secret, size: usize) -> Result<Pool, Box<dyn std::error::Error + Send + Sync>> {
    let mut config: tokio_postgres::Config = url.reveal().parse()?;
    config
        .application_name("shopmicro-backend")
        .connect_timeout(POOL_TIMEOUT)
        .tcp_user_timeout(Duration::from_secs(6))
        .keepalives_idle(Duration::from_secs(30))
        .options(SESSION_SETTINGS);
    let manager = deadpool_postgres::Manager::from_config(
        config,
        NoTls,
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    let timeouts =
        Timeouts { wait: Some(POOL_TIMEOUT), create: Some(POOL_TIMEOUT), recycle: Some(POOL_TIMEOUT) };
    let pool = deadpool_postgres::Pool::builder(manager)
        .max_size(size)
        .timeouts(timeouts)
        .pre_recycle(lasting_connections());
    let meter = platform::telemetry::meter();
    let timeouts = meter
        .u64_counter("db.client.connection.timeouts")
        .with_description("Requests that got no connection: in time, or since too many waited")
        .build();
    timeouts.add(0, &[]);
    let wait_time = meter
        .f64_histogram("db.client.connection.wait_time")
        .with_unit("s")
        .with_description("How long requests waited for a connection")
        .with_boundaries(vec![0.000_1, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0])
        .build();
    Ok(Pool { connections: pool.runtime(Runtime::Tokio1).build()?, wait_time, timeouts })
}

/// Keeps connections out of use that do not answer any more though nobody has closed them, as when a firewall forgets
/// them. Where one does not answer, those that were last taken before that are closed with it, unasked: what forgot one
/// has most likely forgotten all.
fn lasting_connections() -> Hook {
    let forgotten = Arc::new(Mutex::new(None));
    Hook::async_fn(move |client, metrics: &Metrics| {
        let forgotten = Arc::clone(&forgotten);
        Box::pin(async move {
            let taken = metrics.recycled.unwrap_or(metrics.created);
            let lost: Option<Instant> = *forgotten.lock().unwrap_or_else(PoisonError::into_inner);
            if lost.is_some_and(|lost| taken <= lost) {
                return Err(HookError::message("it was there when another was forgotten"));
            }
            if taken.elapsed() < DOUBTFUL {
                return Ok(());
            }
            match tokio::time::timeout(PROOF_TIMEOUT, client.simple_query("")).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(HookError::Backend(error)),
                Err(_) => {
                    tracing::warn!("a connection to the database does not answer: all of its age are closed");
                    *forgotten.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    Err(HookError::message("it does not answer"))
                }
            }
        })
    })
}

/// A single connection, for commands that run once.
pub async fn connect(url: &Secret) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url.reveal(), NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::error!(%error, "the connection to the database broke");
        }
    });
    Ok(client)
}

/// Brings the schema up to date under a lock and returns the number of migrations that were applied. A newer schema is left
/// as it is: this is the version before, which starts anew beside the next one, or after the way back from it.
///
/// Where a table is in use for long, the shop goes on: the migration lets go, and is tried again.
pub async fn migrate(url: &Secret) -> Result<usize, MigrateError> {
    let mut client = connect(url).await?;
    // Whatever the server allows a request of the shop: those of other replicas are waited for, and may take long.
    client.batch_execute("set statement_timeout = 0; set lock_timeout = 0").await?;
    // Held by the session: it is released even where this process dies.
    client.execute("select pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await?;
    client.batch_execute(&format!("set lock_timeout = '{MIGRATION_LOCK_TIMEOUT}'")).await?;
    let mut applied = 0;
    let start = Instant::now();
    loop {
        match apply(&mut client, &mut applied).await {
            Err(error) if start.elapsed() < MIGRATION_PATIENCE && error.is_of_a_lock() => {
                let error = anyhow::Error::new(error);
                tracing::warn!(
                    error = format!("{error:#}"),
                    "what a migration needs is in use, and it is tried again"
                );
                tokio::time::sleep(MIGRATION_PAUSE).await;
            }
            done => break done?,
        }
    }
    client.execute("select pg_advisory_unlock($1)", &[&MIGRATION_LOCK]).await?;
    Ok(applied)
}

/// Applies what is missing, each migration in a transaction of its own, and adds how many that were.
async fn apply(client: &mut tokio_postgres::Client, applied: &mut usize) -> Result<(), MigrateError> {
    match schema_of(client).await? {
        Some(version) if version > SCHEMA => tracing::info!(version, "the schema is of a newer version"),
        _ => {
            let run = migrations::migrations::runner().run_async(client).await;
            let report = run.as_ref().map_or_else(refinery::Error::report, Some);
            *applied += report.map_or(0, |report| report.applied_migrations().len());
            run?;
        }
    }
    let rows = export::take_in(client).await?;
    if rows > 0 {
        tracing::info!(rows, "interactions of a dump have become ones of this database");
    }
    Ok(())
}

/// True when every migration of this program has been applied; a newer schema is fine (expand, then contract).
pub async fn is_migrated(client: &tokio_postgres::Client) -> Result<bool, tokio_postgres::Error> {
    Ok(schema_of(client).await? >= Some(SCHEMA))
}

/// The newest migration that was applied, if any was.
async fn schema_of(client: &tokio_postgres::Client) -> Result<Option<i32>, tokio_postgres::Error> {
    let exists: bool = client
        .query_one("select to_regclass('refinery_schema_history') is not null as there", &[])
        .await?
        .try_get("there")?;
    if !exists {
        return Ok(None);
    }
    client
        .query_one("select max(version) as version from refinery_schema_history", &[])
        .await?
        .try_get("version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_migration_is_known() {
        let runner = migrations::migrations::runner();
        assert_eq!(runner.get_migrations().iter().map(refinery::Migration::version).max(), Some(SCHEMA));
    }

    #[test]
    fn behind_a_pooler_the_role_has_the_same_settings() {
        let documented = include_str!("../../docs/scaling.md");
        for setting in SESSION_SETTINGS.split("-c ").filter(|setting| !setting.is_empty()) {
            let setting = setting.trim().replace('=', " = ");
            assert!(documented.contains(&format!("alter role shopmicro set {setting};")), "{setting}");
        }
    }
}
