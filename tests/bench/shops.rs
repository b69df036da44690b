//! The shop and its peer over one PostgreSQL and one Redis, in turns; and the turns themselves, which the recommenders take
//! in the same way.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stack::binaries::find;
use stack::{Component, Stack};

use crate::driver::{self, Ask, Outcome, Pace, Scenario};
use crate::recommenders;
use crate::report::{Figures, Load, Turn};
use crate::scenarios::{CUSTOMERS, Name, Shopping, product};
use crate::servers::{self, Server};
use crate::starts;
use crate::usage;

/// What to measure, and how.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Products of the catalogue.
    pub(crate) products: usize,
    /// Of each measurement.
    pub(crate) duration: Duration,
    /// Turns of each server.
    pub(crate) repetitions: usize,
    /// Connections at once.
    pub(crate) connections: usize,
    /// With the peer.
    pub(crate) peer: bool,
    /// With latencies at a constant rate.
    pub(crate) latencies: bool,
    /// The directory of the shop's programs.
    pub(crate) programs: PathBuf,
    /// Where figures, logs and the database go.
    pub(crate) directory: PathBuf,
}

/// A server that has its turns.
#[derive(Debug)]
pub(crate) struct Contestant {
    /// Its name in results.
    pub(crate) name: &'static str,
    /// Where it listens.
    pub(crate) address: String,
    /// Its processes.
    pub(crate) pids: Vec<i32>,
    /// The cookie that its sessions are in.
    pub(crate) cookie: &'static str,
}

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
    fn prepare(&self, name: Name) -> Result<()> {
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

    fn run_times(&self) -> [f64; 2] {
        // Sessions come and go with the pools.
        let database = usage::run_time(&usage::family(self.database)) + usage::ended(self.database);
        [database, usage::run_time(&[self.redis])]
    }
}

/// Measures these scenarios, prints a table of each and writes its figures.
pub(crate) async fn measure(plan: &Plan, names: &[Name]) -> Result<()> {
    std::fs::create_dir_all(&plan.directory)?;
    let directory = plan.directory.canonicalize()?;
    let (recommenders, shops): (Vec<Name>, Vec<Name>) = names.iter().partition(|name| name.of_recommender());
    if !shops.is_empty() {
        measure_shops(plan, &directory, &shops).await?;
    }
    if !recommenders.is_empty() {
        recommenders::measure(plan, &directory, &recommenders).await?;
    }
    Ok(())
}

async fn measure_shops(plan: &Plan, directory: &Path, names: &[Name]) -> Result<()> {
    let root = std::env::current_dir()?;
    let mut stack =
        start(plan, directory, [Component::Postgres, Component::Redis, Component::Backend]).await?;
    fill(&stack, plan.products)?;
    starts::measure(&mut stack, Component::Backend, plan.repetitions, directory).await?;
    let stores = Stores::of(&stack)?;
    let mut contestants = vec![Contestant {
        name: "shopmicro",
        address: address(&stack, Component::Backend)?,
        pids: vec![stack.pid(Component::Backend)?],
        cookie: "__Host-shopmicro_session",
    }];
    let database = shop_database(&stack)?;
    let express = if plan.peer {
        let log = directory.join("express.log");
        Some(servers::express(&root, &database, &stack.redis_url()?, &log).await?)
    } else {
        None
    };
    contestants.extend(express.iter().map(|server| Contestant {
        name: "express",
        address: server.address.clone(),
        pids: server.pids(),
        cookie: "shopmicro_session",
    }));
    agree(&contestants, plan.products).await?;
    let floors = floors(directory, &contestants[0].address).await?;
    for name in names {
        let mut all: Vec<&Contestant> = contestants.iter().collect();
        if *name == Name::Detail {
            all.extend(floors.iter().map(|(_, floor)| floor));
        }
        let mut figures = scenario(plan, *name, &all, &stores).await?;
        for _ in 0..plan.repetitions {
            match name {
                Name::Checkout => figures.turns.push(pgbench(plan, &database)?),
                Name::Session => figures.turns.push(redis_benchmark(plan, &stack.redis_url()?)?),
                _ => {}
            }
        }
        tell(&figures, directory)?;
    }
    drop(express);
    stack.stop_all().await
}

/// Prints a table of the figures, and writes them.
#[expect(clippy::print_stdout, reason = "figures for the person who asked for them")]
pub(crate) fn tell(figures: &Figures, directory: &Path) -> Result<()> {
    println!("{}", figures.table());
    figures.write(directory)
}

/// Where a component listens.
pub(crate) fn address(stack: &Stack, component: Component) -> Result<String> {
    Ok(stack.url(component)?.trim_start_matches("http://").to_owned())
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
    // So that none of these begins in the middle of a measurement.
    psql(&["--command=vacuum (analyze)", "--command=checkpoint"])?;
    Ok(())
}

/// Looks that all answer the same, apart from what each forms in its own way.
async fn agree(contestants: &[Contestant], products: usize) -> Result<()> {
    let mut answers: Vec<Vec<Value>> = Vec::new();
    for contestant in contestants {
        let shopping = Shopping::new(Name::Mixed, products, contestant.cookie)?;
        let mut seen = Vec::new();
        for ask in shopping.samples() {
            let path = ask.path.clone();
            let (status, body) = driver::once(&contestant.address, ask).await?;
            ensure!(
                status == 200,
                "{}: {status} for {path}: {}",
                contestant.name,
                String::from_utf8_lossy(&body)
            );
            let mut answer: Value = serde_json::from_slice(&body)?;
            forget_forms(&mut answer);
            seen.push(answer);
        }
        answers.push(seen);
    }
    let (first, others) = answers.split_first().context("nobody to ask")?;
    for other in others {
        for (ours, theirs) in first.iter().zip(other) {
            ensure!(ours == theirs, "the servers do not agree:\n{ours:#}\n{theirs:#}");
        }
    }
    Ok(())
}

/// Removes what is right in several forms: times with more or fewer digits, cursors, and what only one of them tells.
fn forget_forms(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for field in ["created_at", "updated_at", "next_cursor"] {
                fields.remove(field);
            }
            fields.values_mut().for_each(forget_forms);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_forms),
        _ => {}
    }
}

/// Servers that answer a product's bytes without a thought.
async fn floors(directory: &Path, shop: &str) -> Result<Vec<(Server, Contestant)>> {
    let path = format!("/api/products/{}", product(1));
    let (_, body) = driver::once(shop, Ask::get(&*path)).await?;
    let nginx = directory.join("nginx");
    let products = nginx.join("files/api/products");
    std::fs::create_dir_all(&products)?;
    let file = products.join(product(1));
    std::fs::write(&file, body)?;
    let floor = |name, server: Server| {
        let contestant =
            Contestant { name, address: server.address.clone(), pids: server.pids(), cookie: "none" };
        (server, contestant)
    };
    Ok(vec![
        floor("constant", servers::constant(&file, &directory.join("constant.log")).await?),
        floor("nginx", servers::nginx(&nginx, &directory.join("nginx.log")).await?),
    ])
}

/// The one product that floors have.
struct OneProduct;

impl Scenario for OneProduct {
    fn next(&self, _: usize, _: &mut rand::rngs::SmallRng) -> Vec<Ask> {
        vec![Ask::get(format!("/api/products/{}", product(1)))]
    }
}

/// A turn of a program that has no server in between and no figures but its rate.
fn rate_alone(server: &str, plan: &Plan, rate: f64) -> Turn {
    let seconds = plan.duration.as_secs_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests")]
    let requests = (rate * seconds) as u64;
    Turn {
        server: server.to_owned(),
        load: Load::Closed,
        outcome: Outcome { requests, seconds, failures: 0, body_bytes: 0, p50: 0, p99: 0, p999: 0 },
        server_seconds: 0.0,
        database_seconds: 0.0,
        redis_seconds: 0.0,
        peak_bytes: 0,
    }
}

/// The same SQL as a checkout's, from as many clients. Each transaction is two requests of a shop.
fn pgbench(plan: &Plan, database: &str) -> Result<Turn> {
    let output = Command::new(find("pgbench")?)
        .args(["--no-vacuum", "--protocol=prepared", "--file=tests/bench/checkout.pgbench"])
        .arg(format!("--define=products={}", plan.products))
        .arg(format!("--client={}", plan.connections))
        .arg(format!("--time={}", plan.duration.as_secs().max(1)))
        .arg(database)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench: {text}{}", String::from_utf8_lossy(&output.stderr));
    let rate =
        text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
    Ok(rate_alone("pgbench", plan, 2.0 * rate.context("pgbench tells no rate")?))
}

/// Password and port of Redis: its programs take a URL, but no password without a user in it.
fn redis_access(url: &str) -> Result<(&str, &str)> {
    let parts = url.strip_prefix("redis://:").and_then(|rest| rest.split_once('@'));
    let (password, address) = parts.context("a URL with a password")?;
    Ok((password, address.rsplit(':').next().unwrap_or_default()))
}

/// Reads of Redis, from as many clients.
fn redis_benchmark(plan: &Plan, url: &str) -> Result<Turn> {
    let (password, port) = redis_access(url)?;
    let output = Command::new(find("redis-benchmark")?)
        .args(["-t", "get", "-d", "700", "--csv", "-a", password, "-p", port, "-n", "50000", "-c"])
        .arg(plan.connections.to_string())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "redis-benchmark: {text}{}", String::from_utf8_lossy(&output.stderr));
    let row = text.lines().find_map(|line| line.strip_prefix("\"GET\",\""));
    let rate = row.and_then(|row| row.split('"').next()?.parse::<f64>().ok());
    Ok(rate_alone("redis", plan, rate.with_context(|| format!("redis-benchmark tells no rate: {text}"))?))
}

/// Gives each its turns.
pub(crate) async fn scenario(
    plan: &Plan,
    name: Name,
    all: &[&Contestant],
    stores: &Stores,
) -> Result<Figures> {
    let mut figures = Figures {
        scenario: name.as_str().to_owned(),
        products: plan.products,
        connections: plan.connections,
        turns: Vec::new(),
    };
    let load = |contestant: &Contestant| -> Result<Arc<dyn Scenario>> {
        Ok(match contestant.cookie {
            "none" => Arc::new(OneProduct),
            cookie => Arc::new(Shopping::new(name, plan.products, cookie)?),
        })
    };
    // What is made when it is first used, and what a busy shop has in its caches.
    for contestant in all {
        stores.prepare(name)?;
        let warm = plan.duration.max(Duration::from_millis(500));
        driver::run(&contestant.address, load(contestant)?, plan.connections, warm, Pace::Closed).await?;
    }
    for _ in 0..plan.repetitions {
        for contestant in all {
            stores.prepare(name)?;
            figures
                .turns
                .push(turn(plan, contestant, load(contestant)?, stores, Load::Closed, Pace::Closed).await?);
        }
    }
    let [_, peer] = name.servers();
    if plan.latencies && all.iter().any(|contestant| contestant.name == peer) {
        let maximum = figures.capacity(peer);
        for _ in 0..plan.repetitions {
            for (at, rate) in [(Load::Half, maximum / 2.0), (Load::Full, maximum)] {
                for contestant in all.iter().filter(|contestant| contestant.cookie != "none") {
                    stores.prepare(name)?;
                    let pace = Pace::Rate(rate);
                    figures.turns.push(turn(plan, contestant, load(contestant)?, stores, at, pace).await?);
                }
            }
        }
    }
    Ok(figures)
}

async fn turn(
    plan: &Plan,
    contestant: &Contestant,
    load: Arc<dyn Scenario>,
    stores: &Stores,
    at: Load,
    pace: Pace,
) -> Result<Turn> {
    usage::forget_peak(&contestant.pids);
    let before = (usage::run_time(&contestant.pids), stores.run_times());
    let outcome: Outcome = driver::run(&contestant.address, load, plan.connections, plan.duration, pace)
        .await
        .with_context(|| format!("ask {}", contestant.name))?;
    let after = (usage::run_time(&contestant.pids), stores.run_times());
    Ok(Turn {
        server: contestant.name.to_owned(),
        load: at,
        outcome,
        server_seconds: after.0 - before.0,
        database_seconds: after.1[0] - before.1[0],
        redis_seconds: after.1[1] - before.1[1],
        peak_bytes: usage::peak(&contestant.pids),
    })
}
