//! Measures the recommender: `speed` how fast it is and what it takes in memory, `quality` whether it recommends
//! what customers then bought. `run` beside this file measures others on the same and compares.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "counts are far below 2^52"
)]

mod corpus;
mod latent;
mod orders;
mod quality;
mod service;
mod speed;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
    /// Fits a catalogue and asks for similar products.
    Speed(Corpus),
    /// Asks for a customer's recommendations of such a catalogue, and changes a product.
    Service(Corpus),
}

/// What to measure on, each in a process of its own for the memory.
#[derive(Args)]
pub(crate) struct Corpus {
    /// Where catalogue and figures go.
    directory: PathBuf,
    /// How many products.
    size: usize,
    /// Orders of whose products' names the texts are; without, they are made up.
    #[arg(long)]
    orders: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Quality(arguments) => quality::run(&arguments),
        Command::Speed(corpus) => speed::run(&corpus),
        Command::Service(corpus) => service::run(&corpus),
    }
}

/// A line for who waits.
#[expect(clippy::print_stdout, reason = "this program's output")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
