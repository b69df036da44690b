//! Servers take turns at the same load; what a turn took is counted while it lasts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::driver::{self, Ask, Outcome, Pace, Scenario};
use crate::report::{Figures, Load, Turn};
use crate::scenarios::{Name, Shopping, product};
use crate::stores::Stores;
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

/// The one product that floors have.
struct OneProduct;

impl Scenario for OneProduct {
    fn next(&self, _: usize, _: &mut rand::rngs::SmallRng) -> Vec<Ask> {
        vec![Ask::get(format!("/api/products/{}", product(1)))]
    }
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

/// Prints a table of the figures, and writes them.
#[expect(clippy::print_stdout, reason = "figures for the person who asked for them")]
pub(crate) fn tell(figures: &Figures, directory: &Path) -> Result<()> {
    println!("{}", figures.table());
    figures.write(directory)
}
