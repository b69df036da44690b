//! Customers for a long time, and whether memory, files or connections grow meanwhile.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use stack::budgets::Usage;
use stack::load::{Load, Report};
use stack::{Component, Stack};

/// How often is looked: so often that the median leaves out what is held for a moment, as for a password.
const PAUSE: Duration = Duration::from_millis(500);
/// What a part may use more in the last third of the time than in the middle one, besides a tenth: caches fill, and pools
/// open connections as they need them.
const BYTES: u64 = 4 << 20;
/// The same of open files and connections.
const DESCRIPTORS: u64 = 10;

/// How long, and how many customers.
#[derive(Clone, Debug, Args)]
pub struct Plan {
    /// For how many minutes.
    #[arg(long, default_value_t = 30.0)]
    pub minutes: f64,
    /// New customers a second; half of as many as the shop can serve, which is found first, where it is not said.
    #[arg(long)]
    pub rate: Option<f64>,
}

/// How many customers a second come first when it is looked how many the shop can serve.
const FEW: f64 = 8.0;
/// How many times as many come next.
const MORE: f64 = 1.25;
/// For how long they come.
const TRIAL: Duration = Duration::from_secs(15);
/// How soon 95 of a hundred of each kind of request are answered by a shop that keeps up.
const SOON: Duration = Duration::from_millis(800);

fn customers(url: String, rate: f64, duration: Duration) -> Load {
    Load { url, rate, duration, think: Duration::from_millis(500), spike: 1.0, patient: false }
}

fn failures(report: &Report) -> u64 {
    report.answers(|status| status == 0 || status >= 500)
}

/// The most customers a second that the shop keeps up with, to a quarter.
async fn capacity(url: &str) -> Result<f64> {
    let keeps_up = async |rate| -> Result<bool> {
        let load = customers(url.to_owned(), rate, TRIAL);
        let report = stack::load::run(&load, std::future::pending()).await?;
        Ok(failures(&report) == 0 && report.turned_away == 0 && report.slowest(0.95) <= SOON)
    };
    let mut rate = FEW;
    // What failed once may have been the machine.
    while keeps_up(rate).await? || keeps_up(rate).await? {
        rate *= MORE;
    }
    ensure!(
        rate > FEW,
        "it does not keep up with {FEW} customers a second: say how many shall come by --rate"
    );
    Ok(rate / MORE)
}

/// What every part used, at one moment after another.
type Samples = Vec<BTreeMap<&'static str, Usage>>;

/// Lets customers come, and reports.
#[expect(clippy::print_stdout, reason = "figures for the person who asked for them")]
pub async fn run(plan: &Plan) -> Result<()> {
    let stack = Stack::builder().start().await?;
    let url = stack.url(Component::Nginx)?;
    let rate = if let Some(rate) = plan.rate {
        rate
    } else {
        let capacity = capacity(&url).await?;
        println!("the shop keeps up with {capacity:.1} customers a second, and half of them come");
        capacity / 2.0
    };
    let load = customers(url, rate, Duration::try_from_secs_f64(plan.minutes * 60.0)?);
    let mut samples: Samples = Vec::new();
    let watch = async {
        let mut due = Instant::now();
        loop {
            due += PAUSE;
            tokio::time::sleep_until(due.into()).await;
            samples.push(stack.usage());
        }
    };
    let report = tokio::select! {
        report = stack::load::run(&load, std::future::pending()) => report?,
        () = watch => unreachable!("it goes on"),
    };
    println!("{report}\n\n{}", table(&samples));
    let failures = failures(&report);
    let grown = grown(&samples);
    ensure!(grown.is_empty(), "it grows: {}", grown.join("; "));
    ensure!(failures == 0, "{failures} requests failed");
    Ok(())
}

/// The median of what a part used in one third of the time: 0, 1 or 2.
fn median(samples: &Samples, part: &str, third: usize, figure: fn(&Usage) -> u64) -> u64 {
    let length = samples.len() / 3;
    let of = samples.iter().skip(third * length).take(length);
    let mut figures: Vec<u64> = of.filter_map(|sample| sample.get(part)).map(figure).collect();
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied().unwrap_or(0)
}

fn bytes(usage: &Usage) -> u64 {
    usage.bytes
}

fn descriptors(usage: &Usage) -> u64 {
    usage.descriptors
}

/// The parts that used more in the last third than in the middle one.
fn grown(samples: &Samples) -> Vec<String> {
    let parts = samples.last().into_iter().flat_map(BTreeMap::keys);
    parts
        .flat_map(|part| {
            [("bytes", bytes as fn(&Usage) -> u64, BYTES), ("descriptors", descriptors, DESCRIPTORS)].map(
                |(what, figure, slack)| {
                    let [middle, last] = [1, 2].map(|third| median(samples, part, third, figure));
                    (last > middle + middle / 10 + slack)
                        .then(|| format!("{part}: {middle}, then {last} {what}"))
                },
            )
        })
        .flatten()
        .collect()
}

/// What each part used in each third.
fn table(samples: &Samples) -> String {
    let parts = samples.last().into_iter().flat_map(BTreeMap::keys);
    let rows = parts.map(|part| {
        let kibibytes = [0, 1, 2].map(|third| (median(samples, part, third, bytes) >> 10).to_string());
        let open = [0, 1, 2].map(|third| median(samples, part, third, descriptors).to_string());
        format!("{part:<12} {:>24} {:>16}", kibibytes.join(" "), open.join(" "))
    });
    let head = format!("{:<12} {:>24} {:>16}", "by thirds", "KiB", "descriptors");
    std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(of: impl Fn(u64) -> Usage) -> Samples {
        (0..30).map(|at| BTreeMap::from([("backend", of(at))])).collect()
    }

    #[test]
    fn what_fills_up_first_and_then_stays_is_not_growth() {
        let flat = samples(|at| Usage { bytes: 50 << 20, descriptors: 20 + at.min(10) + at % 3 });
        assert_eq!(grown(&flat), [""; 0]);
    }

    #[test]
    fn what_goes_on_growing_is_found() {
        let leak = samples(|at| Usage { bytes: (50 + at * 2) << 20, descriptors: 20 + 3 * at });
        let grown = grown(&leak);
        assert_eq!(grown.len(), 2, "{grown:?}");
        assert!(grown[0].ends_with("bytes") && grown[1].ends_with("descriptors"), "{grown:?}");
    }
}
