//! Incidents to learn from: each is a real fault of a running stack, and each has a page in `docs/incidents`.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{Component, Edge, Stack};

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Scenario {
    /// Every answer of the database comes late.
    SlowDatabase,
    /// The database is gone, as after a crash.
    DatabaseDown,
    /// Redis is gone, as after a crash.
    RedisDown,
    /// Every answer of the recommender comes after the backend has given up.
    RecommenderSlow,
    /// Redis has next to no memory left for what it keeps.
    MemoryPressure,
    /// A release of the backend with one connection to the database, and no way to the recommender.
    BadDeploy,
    /// Of what sells best one piece is left, and somebody wrote that into the database by hand.
    StockRace,
    /// The payment provider refuses to speak to the shop.
    PaymentProviderDown,
    /// Loki is gone.
    LogStoreDown,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SlowDatabase,
        Self::DatabaseDown,
        Self::RedisDown,
        Self::RecommenderSlow,
        Self::MemoryPressure,
        Self::BadDeploy,
        Self::StockRace,
        Self::PaymentProviderDown,
        Self::LogStoreDown,
    ];

    /// Its name on the command line, and that of its page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowDatabase => "slow-database",
            Self::DatabaseDown => "database-down",
            Self::RedisDown => "redis-down",
            Self::RecommenderSlow => "recommender-slow",
            Self::MemoryPressure => "memory-pressure",
            Self::BadDeploy => "bad-deploy",
            Self::StockRace => "stock-race",
            Self::PaymentProviderDown => "payment-provider-down",
            Self::LogStoreDown => "log-store-down",
        }
    }

    /// Makes it happen.
    pub async fn provoke(self, stack: &mut Stack) -> Result<()> {
        match self {
            Self::SlowDatabase => stack.link(Edge::BackendToPostgres)?.slow(Duration::from_millis(150)),
            Self::DatabaseDown => stack.kill(Component::Postgres)?,
            Self::RedisDown => stack.kill(Component::Redis)?,
            Self::RecommenderSlow => stack.link(Edge::BackendToMlService)?.slow(Duration::from_secs(2)),
            // An empty one uses some 900 kB. With a little more it would evict and go on.
            Self::MemoryPressure => redis(stack, &["CONFIG", "SET", "maxmemory", "100kb"]).await?,
            Self::BadDeploy => {
                let settings = [("POSTGRES_POOL_SIZE", "1"), ("ML_SERVICE_URL", "http://127.0.0.1:1")];
                let settings = settings.map(|(name, value)| (name, value.to_owned()));
                deploy(stack, settings.to_vec()).await?;
            }
            Self::StockRace => sql(stack, LAST_PIECE).await?,
            Self::PaymentProviderDown => {
                sql(stack, "revoke usage on schema payment_provider from shopmicro").await?;
            }
            Self::LogStoreDown => stack.stop(Component::Loki).await?,
        }
        Ok(())
    }

    /// Undoes it. Does nothing where it has not happened.
    pub async fn mend(self, stack: &mut Stack) -> Result<()> {
        match self {
            Self::SlowDatabase => stack.link(Edge::BackendToPostgres)?.restore(),
            Self::RecommenderSlow => stack.link(Edge::BackendToMlService)?.restore(),
            Self::DatabaseDown => back(stack, Component::Postgres).await?,
            Self::RedisDown => back(stack, Component::Redis).await?,
            Self::LogStoreDown => back(stack, Component::Loki).await?,
            Self::MemoryPressure => redis(stack, &["CONFIG", "SET", "maxmemory", "0"]).await?,
            Self::BadDeploy => {
                if !stack.deployed.is_empty() {
                    deploy(stack, Vec::new()).await?;
                }
            }
            Self::StockRace => sql(stack, CORRECTED).await?,
            Self::PaymentProviderDown => {
                sql(stack, "grant usage on schema payment_provider to shopmicro").await?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Past the ledger, which is what the alert sees.
const LAST_PIECE: &str = "update products set stock = 1 where id = \
    (select id from products where archived_at is null and stock > 1 order by popularity desc, id limit 1)";

/// What an operator does who has counted the shelf: the ledger gets the difference.
const CORRECTED: &str = "insert into stock_movements (product_id, delta, reason, note) \
    select p.id, p.stock - coalesce(sum(m.delta), 0), 'adjustment', 'counted after a change by hand' \
    from products p left join stock_movements m on m.product_id = p.id \
    group by p.id having p.stock <> coalesce(sum(m.delta), 0)";

async fn back(stack: &mut Stack, component: Component) -> Result<()> {
    if stack.runs(component) { Ok(()) } else { stack.start(component).await }
}

/// Replaces the running release of the backend by one with these settings.
async fn deploy(stack: &mut Stack, settings: Vec<(&'static str, String)>) -> Result<()> {
    stack.deployed = settings;
    if stack.runs(Component::Backend) {
        stack.stop(Component::Backend).await?;
    }
    stack.start(Component::Backend).await
}

async fn sql(stack: &Stack, statement: &str) -> Result<()> {
    Ok(stack.database().await?.batch_execute(statement).await?)
}

async fn redis(stack: &Stack, words: &[&str]) -> Result<()> {
    let client = redis::Client::open(stack.redis_url()?)?;
    let mut connection = client.get_multiplexed_async_connection().await.context("Redis")?;
    let (name, arguments) = words.split_first().context("a command")?;
    redis::cmd(name).arg(arguments).query_async::<()>(&mut connection).await?;
    Ok(())
}
