//! How fast and how frugal shop and recommender are, beside peers and beside floors, as ratios within one run: `make bench`.
//!
//! Servers take turns at the same load, so that a machine that drifts drifts for all. What counts is the time that a
//! server's own processes run for each request: driver, servers and database share the machine, and that time is the
//! server's alone.

mod driver;
mod floors;
mod page;
mod recommenders;
mod report;
mod scenarios;
mod servers;
mod shops;
mod starts;
mod stores;
mod turns;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::scenarios::Name;
use crate::turns::Plan;

/// Benchmarks of shop and recommender beside peers and beside floors.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure, print a table, and write the figures as JSON.
    Run(Run),
    /// Write the figures into docs/performance.md, and draw them.
    Page {
        /// Where the figures are.
        #[arg(long, default_value = "target/bench")]
        dir: PathBuf,
    },
    /// Answer the bytes of a file to every request: what HTTP costs at least.
    Constant {
        /// Where to listen.
        #[arg(long)]
        port: u16,
        /// The file.
        #[arg(long)]
        body: PathBuf,
    },
}

/// What to measure.
#[derive(Debug, clap::Args)]
struct Run {
    /// Only these.
    #[arg(long, value_enum, value_delimiter = ',')]
    scenarios: Vec<Name>,
    /// Products of the catalogue.
    #[arg(long, default_value_t = 100_000)]
    products: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// How often each server has its turn.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    /// Connections at once.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Without the peers.
    #[arg(long)]
    alone: bool,
    /// Without latencies at a constant rate.
    #[arg(long)]
    capacity_only: bool,
    /// The directory of the shop's programs.
    #[arg(long)]
    programs: PathBuf,
    /// Where figures, logs and the database go.
    #[arg(long, default_value = "target/bench")]
    dir: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    stack::signals::finish("bench", run(Arguments::parse().command)).await
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Run(options) => {
            let plan = Plan {
                products: options.products,
                duration: Duration::try_from_secs_f64(options.seconds)?,
                repetitions: options.repetitions,
                connections: options.connections,
                peer: !options.alone,
                latencies: !options.capacity_only,
                programs: options.programs,
                directory: options.dir,
            };
            let names = if options.scenarios.is_empty() { Name::ALL.to_vec() } else { options.scenarios };
            shops::measure(&plan, &names).await
        }
        Command::Page { dir } => page::write(&dir),
        Command::Constant { port, body } => constant(port, std::fs::read(body)?).await,
    }
}

async fn constant(port: u16, body: Vec<u8>) -> Result<()> {
    let body = bytes::Bytes::from(body);
    let answer = move || {
        let body = body.clone();
        async move { ([("content-type", "application/json")], body) }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(axum::serve(listener, axum::Router::new().fallback(answer)).await?)
}
