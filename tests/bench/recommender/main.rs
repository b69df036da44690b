//! Measures the recommender: `speed` how fast it is and what it takes in memory, `quality` whether it recommends
//! what customers then bought. `run` beside this file measures others on the same and compares.

mod corpus;
mod speed;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures the recommender, and writes figures as JSON for `compare.py`.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fits made-up catalogues and asks for similar products.
    Speed {
        /// Where catalogues and figures go.
        directory: PathBuf,
        /// How many products.
        #[arg(required = true)]
        sizes: Vec<usize>,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Speed { directory, sizes } => speed::run(&directory, &sizes),
    }
}
