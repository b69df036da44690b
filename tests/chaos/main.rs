//! Breaks a shop on purpose, or lets it run for long, and looks whether all is well: `make chaos`, `make soak`.

use std::process::ExitCode;

use anyhow::Result;
use chaos::{rounds, soak};
use clap::{Parser, Subcommand};

/// What a shop is put through.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Faults by the hundred, while customers buy.
    Faults(rounds::Plan),
    /// Customers for a long time, and whether anything grows.
    Soak(soak::Plan),
}

#[tokio::main]
async fn main() -> ExitCode {
    stack::signals::finish("chaos", run(Arguments::parse().command)).await
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Faults(plan) => rounds::run(&plan).await,
        Command::Soak(plan) => soak::run(&plan).await,
    }
}
