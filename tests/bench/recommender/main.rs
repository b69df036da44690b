//! Measures the recommender: `speed` how fast it is and what it takes in memory, `quality` whether it recommends
//! what customers then bought. `run` beside this file measures others on the same and compares.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "counts are far below 2^52"
)]

mod corpus;
mod latent;
mod quality;
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
    /// Recommends to the customers of real orders, and looks at what they then bought.
    Quality(quality::Arguments),
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
        Command::Quality(arguments) => quality::run(&arguments),
        Command::Speed { directory, sizes } => speed::run(&directory, &sizes),
    }
}

/// A line for who waits.
#[expect(clippy::print_stdout, reason = "this program's output")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
