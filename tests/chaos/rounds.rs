//! Rounds of one fault each, and what must be true after it.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use observability::query::{Loki, Mimir};
use observability::traces::{Receiver, SERVER};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use stack::{Component, Link, Stack};
use tokio::sync::watch;
use uuid::Uuid;

use crate::checker;
use crate::customers::{Answer, Crowd};
use crate::events::Consumer;
use crate::faults::{Clock, Disk, Fault, Means};

/// How soon the shop is ready again after a fault has ended.
const READY: Duration = Duration::from_secs(10);
/// How soon traces, logs and metrics are there again: those who send the last two wait for up to half a minute between
/// attempts.
const WATCHED: Duration = Duration::from_mins(2);
/// How long an answer is waited for that shall leave a trace, before another one is asked for.
const TRACED: Duration = Duration::from_secs(5);
/// Those who make traces, each in a process of its own.
const SERVICES: [Component; 3] = [Component::Backend, Component::BackendReplica, Component::MlService];
/// How long events may take to be seen after that.
const DELIVERED: Duration = Duration::from_secs(20);
/// How long payments may take to be settled when nobody buys any more.
const SETTLED: Duration = Duration::from_mins(2);
/// The longest that a fault lasts, in milliseconds.
const LONGEST: u64 = 3_000;

/// Which faults, and how many.
#[derive(Clone, Debug, Args)]
pub struct Plan {
    /// How many faults.
    #[arg(long, default_value_t = 20)]
    pub rounds: usize,
    /// What chooses them: the same seed, the same faults in the same order.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many customers buy.
    #[arg(long, default_value_t = 6)]
    pub customers: usize,
    /// With Loki, Mimir and Prometheus, of which the first two break too.
    #[arg(long)]
    pub observability: bool,
}

/// A shop, who buys in it, and who looks after it.
struct Shop {
    // Before the means: the database ends before its disk goes.
    stack: Stack,
    means: Means,
    crowd: Crowd,
    consumer: Consumer,
    traces: Receiver,
    http: reqwest::Client,
    /// Events that were lost with Redis, which keeps nothing.
    lost: HashSet<i64>,
    observability: bool,
}

/// Lets the faults happen, until something is wrong.
#[expect(clippy::print_stdout, reason = "what happens, for the person who asked for it")]
pub async fn run(plan: &Plan) -> Result<()> {
    // PostgreSQL's user must be able to pass through it.
    let directory = tempfile::Builder::new()
        .prefix("chaos-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o711))
        .tempdir()?;
    let (over, is_over) = watch::channel(false);
    let mut shop = open(plan, directory.path(), is_over).await?;
    for (what, there) in [("a full disk", shop.means.disk.is_some()), ("clocks", shop.means.clock.is_some())]
    {
        if !there {
            println!("there are no means for {what}: root mounts disks, and libfaketime bends clocks");
        }
    }
    let customers: Vec<_> = (0..plan.customers)
        .map(|number| {
            let rng = SmallRng::seed_from_u64(plan.seed ^ ((number as u64 + 1) << 32));
            tokio::spawn(shop.crowd.clone().buy(number, rng))
        })
        .collect();
    let mut rng = SmallRng::seed_from_u64(plan.seed);
    let mut outcome = Ok(());
    for round in 1..=plan.rounds {
        let fault = Fault::any(&mut rng, &shop.means);
        let lasts = Duration::from_millis(rng.random_range(200..LONGEST));
        let start = Instant::now();
        outcome =
            shop.round(fault, lasts).await.with_context(|| format!("round {round}, {fault}, for {lasts:?}"));
        let placed = shop.placed();
        println!(
            "{round:>4} {fault}, for {lasts:.1?}: {:.1?} in all, {placed} orders so far",
            start.elapsed()
        );
        if outcome.is_err() {
            break;
        }
    }
    over.send_replace(true);
    for customer in customers {
        customer.await?;
    }
    let outcome = match outcome {
        Ok(()) => shop.settle().await.context("when nobody bought any more"),
        failed => failed,
    };
    if let Err(error) = outcome {
        bail!("{error:#}\nthe logs are in {}", shop.stack.keep_logs()?.display());
    }
    println!("{} faults, {} orders placed; what customers were told is true", plan.rounds, shop.placed());
    shop.stack.stop_all().await
}

/// Starts the shop: two replicas behind nginx, with a proxy on each connection, and a durable database.
async fn open(plan: &Plan, directory: &Path, over: watch::Receiver<bool>) -> Result<Shop> {
    let disk = Disk::mount(&directory.join("stack/postgres")).ok();
    let clock = Clock::new(directory.join("clock"))?;
    let (traces, port) = Receiver::start().await?;
    let link = Link::open(port).await?;
    let mut builder = Stack::builder()
        .directory(directory.join("stack"))
        .with_replica()
        .with_links()
        .traces(Receiver::endpoint(link.port()));
    if plan.observability {
        builder = builder.with_observability();
    }
    for (name, value) in clock.iter().flat_map(Clock::environment) {
        builder = builder.backend_setting(name, value);
    }
    let mut components = Component::SHOP.to_vec();
    components.push(Component::BackendReplica);
    if plan.observability {
        components.extend([Component::Loki, Component::Mimir]);
    }
    let stack = builder.start().await?;
    let database = stack.database().await?;
    // Some are nearly sold out, so that customers come too late.
    let stocked = "with wanted as (select id, stock, case when row_number() over (order by sku) % 10 = 0 then 40 \
                   else 1000000 end as units from products), \
                   moved as (insert into stock_movements (product_id, delta, reason) \
                   select id, units - stock, 'adjustment' from wanted where units <> stock) \
                   update products p set stock = units from wanted w where w.id = p.id";
    database.batch_execute(stocked).await?;
    let products = database.query("select id from products order by sku limit 50", &[]).await?;
    let products: Vec<Uuid> = products.iter().map(|row| row.get(0)).collect();
    ensure!(!products.is_empty(), "there is nothing to buy");
    let consumer = Consumer::default();
    tokio::spawn(consumer.clone().follow(stack.redis_url()?));
    Ok(Shop {
        crowd: Crowd::new(stack.url(Component::Nginx)?, products, over),
        consumer,
        traces,
        http: reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build()?,
        lost: HashSet::new(),
        observability: plan.observability,
        means: Means { components, disk, clock, traces: link },
        stack,
    })
}

impl Shop {
    fn placed(&self) -> usize {
        let told = self.crowd.told();
        told.attempts.iter().filter(|attempt| matches!(attempt.answer, Some(Answer::Placed { .. }))).count()
    }

    /// A fault, and what must be true after it.
    async fn round(&mut self, fault: Fault, lasts: Duration) -> Result<()> {
        fault.begin(&mut self.stack, &self.means).await.context("it does not happen")?;
        tokio::time::sleep(lasts).await;
        let ended = Instant::now();
        fault.end(&mut self.stack, &self.means).await.context("it does not end")?;
        self.ready(ended).await?;
        let crowd = self.crowd.clone();
        crowd.without_customers(self.check(fault.loses_events())).await?;
        self.traced().await?;
        if self.observability { self.watched().await } else { Ok(()) }
    }

    /// Every service is ready again by itself.
    async fn ready(&mut self, ended: Instant) -> Result<()> {
        for service in SERVICES.into_iter().chain([Component::Nginx]) {
            let path = if service == Component::Nginx { "/health" } else { "/health/ready" };
            let url = format!("{}{path}", self.stack.url(service)?);
            while !self.http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                self.stack.check(service)?;
                ensure!(ended.elapsed() < READY, "{} is not ready within {READY:?}", service.name());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// Nothing is wrong.
    async fn check(&mut self, loses_events: bool) -> Result<()> {
        let database = self.stack.database().await?;
        none_of(&checker::check(&self.crowd, &database).await?)?;
        let start = Instant::now();
        loop {
            let seen = self.consumer.seen().clone();
            let (missing, disordered) = checker::deliveries(&seen, &database).await?;
            none_of(&disordered)?;
            let missing: HashSet<i64> = missing.difference(&self.lost).copied().collect();
            if missing.is_empty() {
                return Ok(());
            }
            if loses_events {
                // What is on its way shall not count as lost.
                tokio::time::sleep(Duration::from_millis(500)).await;
                self.lost.extend(missing);
                return Ok(());
            }
            ensure!(start.elapsed() < DELIVERED, "events were published and came to nobody: {missing:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What each service is asked now leaves a trace.
    async fn traced(&self) -> Result<()> {
        let [backend, replica, ml_service] = SERVICES.map(|service| self.traces_of(service));
        tokio::try_join!(backend, replica, ml_service).map(|_| ())
    }

    /// A trace that is lost on the way is gone, so that several are tried.
    async fn traces_of(&self, service: Component) -> Result<()> {
        let url = format!("{}/health/ready", self.stack.url(service)?);
        let start = Instant::now();
        while !self.leaves_trace(&url).await {
            let name = service.name();
            ensure!(start.elapsed() < WATCHED, "within {WATCHED:?} there are no traces of {name}");
        }
        Ok(())
    }

    async fn leaves_trace(&self, url: &str) -> bool {
        let trace = Uuid::new_v4().simple().to_string();
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        // Whether it was answered is told by the trace.
        let _ = self.http.get(url).header("traceparent", parent).send().await;
        let start = Instant::now();
        while start.elapsed() < TRACED {
            if self.traces.of_trace(&trace).iter().any(|span| span.kind == SERVER) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    /// Logs and metrics of now are there.
    async fn watched(&self) -> Result<()> {
        let (loki, mimir) =
            (Loki::new(self.stack.url(Component::Loki)?), Mimir::new(self.stack.url(Component::Mimir)?));
        let since = jiff::Timestamp::now();
        let start = Instant::now();
        loop {
            let lines = loki.lines(r#"{service="shopmicro-backend"}"#).await;
            let logged = lines.is_ok_and(|lines| lines.iter().any(|line| line.at > since));
            let up = mimir.query(r#"min(timestamp(up{job=~"backend|ml-service"} == 1))"#).await;
            let since_seconds = since.as_second();
            #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
            let measured = up.is_ok_and(|up| up.first().is_some_and(|up| up.value as i64 >= since_seconds));
            if logged && measured {
                return Ok(());
            }
            ensure!(
                start.elapsed() < WATCHED,
                "within {WATCHED:?} there are logs: {logged}, and metrics: {measured}"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// In the end every payment is settled, and nothing is wrong still.
    async fn settle(&mut self) -> Result<()> {
        let database = self.stack.database().await?;
        let start = Instant::now();
        let open = "select count(*) from orders where import_ref is null and (payment = 'releasing' \
                    or payment = 'pending' and exists \
                    (select from payment_provider.charges c where c.order_id = orders.id))";
        loop {
            let left: i64 = database.query_one(open, &[]).await?.get(0);
            if left == 0 {
                return self.check(false).await;
            }
            ensure!(start.elapsed() < SETTLED, "{left} payments are not settled within {SETTLED:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn none_of(wrong: &[String]) -> Result<()> {
    ensure!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
