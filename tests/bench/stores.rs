//! The shop's PostgreSQL and Redis, which all servers of a run share, and what is in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use stack::binaries::find;
use stack::{Component, Stack};

use crate::scenarios::{CUSTOMERS, Name};
use crate::turns::Plan;
use crate::usage;

/// What the contestants ask.
#[derive(Debug)]
pub(crate) struct Stores {
    database: i32,
    redis: i32,
    redis_url: String,
}

impl Stores {
    /// Those of a stack.
    pub(crate) fn of(stack: &Stack) -> Result<Self> {
        Ok(Self {
            database: stack.pid(Component::Postgres)?,
            redis: stack.pid(Component::Redis)?,
            redis_url: stack.redis_url()?,
        })
    }

    /// Where nothing is to be answered from a cache, Redis is empty before every turn.
    pub(crate) fn prepare(&self, name: Name) -> Result<()> {
        if name != Name::RecommendationsComputed {
            return Ok(());
        }
        let (password, port) = redis_access(&self.redis_url)?;
        let mut command = Command::new("sh");
        // The shop's Redis knows no FLUSHALL.
        command.args(["-c", "\"$0\" -p \"$1\" --scan | xargs -r -n 1000 \"$0\" -p \"$1\" unlink"]);
        command.arg(find("redis-cli")?).arg(port).env("REDISCLI_AUTH", password);
        let output = command.output()?;
        ensure!(output.status.success(), "redis-cli: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Seconds that the processes of the database, and Redis, have run.
    pub(crate) fn run_times(&self) -> [f64; 2] {
        // Sessions come and go with the pools.
        let database = usage::run_time(&usage::family(self.database)) + usage::ended(self.database);
        [database, usage::run_time(&[self.redis])]
    }
}

/// These components, in a directory that stays, so that the database is durable and filled once.
pub(crate) async fn start(
    plan: &Plan,
    directory: &Path,
    parts: impl IntoIterator<Item = Component>,
) -> Result<Stack> {
    let snapshot = snapshot(plan, directory);
    std::fs::create_dir_all(&snapshot)?;
    let stack = Stack::builder()
        .only(parts)
        .directory(directory.join(format!("stack-{}", plan.products)))
        .programs(plan.programs.canonicalize().context("build the programs first: make build")?)
        .backend_setting("NODE_ENV", "production")
        .backend_setting("POSTGRES_POOL_SIZE", "16")
        .ml_service_setting("FLASK_ENV", "production")
        .ml_service_setting("SNAPSHOT_DIR", snapshot.display().to_string());
    stack.start().await
}

/// Where ml-service keeps its model.
pub(crate) fn snapshot(plan: &Plan, directory: &Path) -> PathBuf {
    directory.join(format!("snapshot-{}", plan.products))
}

/// Where a component listens.
pub(crate) fn address(stack: &Stack, component: Component) -> Result<String> {
    Ok(stack.url(component)?.trim_start_matches("http://").to_owned())
}

/// The shop's database, for one who may do everything.
pub(crate) fn shop_database(stack: &Stack) -> Result<String> {
    let admin = stack.postgres_admin_url()?;
    let (server, _) = admin.rsplit_once('/').context("a URL has a path")?;
    Ok(format!("{server}/shopmicro"))
}

/// What psql prints.
pub(crate) fn psql(stack: &Stack, arguments: &[&str]) -> Result<String> {
    let output = Command::new(find("psql")?)
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"])
        .arg(format!("--dbname={}", shop_database(stack)?))
        .args(arguments)
        .output()?;
    ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Puts the catalogue and the customers in, with what they bought.
pub(crate) fn fill(stack: &Stack, products: usize) -> Result<()> {
    let psql = |arguments: &[&str]| psql(stack, arguments);
    let count = psql(&["--command=select count(*) from products where sku like 'BENCH-%'"])?;
    let there: usize = count.parse()?;
    psql(&[
        &format!("--set=first={}", there + 1),
        &format!("--set=last={products}"),
        &format!("--set=customers={CUSTOMERS}"),
        "--file=tests/bench/data.sql",
    ])?;
    let tiers = include_str!("../../src/backend/db/products/tiers.sql");
    psql(&[
        "--command=set statement_timeout = 0",
        &format!("--command=prepare tiers (bigint, bigint) as {tiers}"),
        "--command=execute tiers (10000000, 0)",
    ])?;
    // So that none of these begins in the middle of a measurement. A table that is empty when it is vacuumed is read as a whole
    // by plans of then, however large it is when they are used: in a new shop nobody has vacuumed it.
    let filled = psql(&["--command=select string_agg(oid::regclass::text, ', ') from pg_class \
         where relkind = 'r' and pg_relation_size(oid) > 0"])?;
    psql(&[&format!("--command=vacuum (analyze) {filled}"), "--command=checkpoint"])?;
    Ok(())
}

/// Password and port of Redis: its programs take a URL, but no password without a user in it.
pub(crate) fn redis_access(url: &str) -> Result<(&str, &str)> {
    let parts = url.strip_prefix("redis://:").and_then(|rest| rest.split_once('@'));
    let (password, address) = parts.context("a URL with a password")?;
    Ok((password, address.rsplit(':').next().unwrap_or_default()))
}
