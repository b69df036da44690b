//! Breaks a shop on purpose, or lets it run for long, and looks whether all is well: `make chaos`, `make soak`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use chaos::{rounds, soak};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

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
#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
async fn main() -> ExitCode {
    let outcome = tokio::select! {
        outcome = run(Arguments::parse().command) => outcome,
        // What runs is dropped, and so ends with this.
        told = told_to_end() => told.and_then(|()| bail!("told to end")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Faults(plan) => rounds::run(&plan).await,
        Command::Soak(plan) => soak::run(&plan).await,
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn told_to_end() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}
