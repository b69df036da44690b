//! The figures of a scenario, as they are kept.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::driver::Outcome;

/// Which load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Load {
    /// As fast as answers come.
    Closed,
    /// At half of the peer's maximum rate.
    Half,
    /// At the peer's maximum rate.
    Full,
}

/// One turn of one server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// Whose.
    pub(crate) server: String,
    /// Under which load.
    pub(crate) load: Load,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// Seconds that the server's processes ran.
    pub(crate) server_seconds: f64,
    /// Seconds that PostgreSQL's ran.
    pub(crate) database_seconds: f64,
    /// Seconds that Redis ran.
    pub(crate) redis_seconds: f64,
    /// The most memory that the server held, in bytes.
    pub(crate) peak_bytes: u64,
}

/// All turns of a scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Its name.
    pub(crate) scenario: String,
    /// Products of the catalogue.
    pub(crate) products: usize,
    /// Connections at once.
    pub(crate) connections: usize,
    /// Each turn, in order.
    pub(crate) turns: Vec<Turn>,
}

/// Writes figures as JSON.
pub(crate) fn write(directory: &Path, name: &str, figures: &impl Serialize) -> Result<()> {
    let path = directory.join(format!("{name}.json"));
    fs::write(&path, serde_json::to_vec_pretty(figures)?).with_context(|| format!("write {}", path.display()))
}

/// Reads figures, where they are.
pub(crate) fn read<T: DeserializeOwned>(directory: &Path, name: &str) -> Result<Option<T>> {
    let path = directory.join(format!("{name}.json"));
    match fs::read(&path) {
        Ok(text) => {
            Ok(Some(serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The middle one, or the mean of the middle two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count.is_multiple_of(2) => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

impl Figures {
    /// The servers, in the order of their first turns.
    pub(crate) fn servers(&self) -> Vec<&str> {
        let mut servers: Vec<&str> = Vec::new();
        for turn in &self.turns {
            if !servers.contains(&turn.server.as_str()) {
                servers.push(&turn.server);
            }
        }
        servers
    }

    /// The median of a figure over a server's turns under a load; NaN where there are none.
    pub(crate) fn median(&self, server: &str, load: Load, of: impl Fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().filter(|turn| turn.server == server && turn.load == load).map(of).collect())
    }

    /// Microseconds of its own processes' time that a server takes for a request.
    pub(crate) fn cost(&self, server: &str) -> f64 {
        self.median(server, Load::Closed, |turn| per_request(turn, turn.server_seconds))
    }

    /// Microseconds of PostgreSQL's time for a request.
    pub(crate) fn database_cost(&self, server: &str) -> f64 {
        self.median(server, Load::Closed, |turn| per_request(turn, turn.database_seconds))
    }

    /// Microseconds of Redis' time for a request.
    pub(crate) fn redis_cost(&self, server: &str) -> f64 {
        self.median(server, Load::Closed, |turn| per_request(turn, turn.redis_seconds))
    }

    /// Requests a second in the closed loop.
    pub(crate) fn capacity(&self, server: &str) -> f64 {
        self.median(server, Load::Closed, |turn| turn.outcome.rate())
    }

    /// The slowest of a hundred, in microseconds.
    pub(crate) fn p99(&self, server: &str, load: Load) -> f64 {
        self.median(server, load, |turn| micros(turn.outcome.p99))
    }

    /// Writes them as JSON.
    pub(crate) fn write(&self, directory: &Path) -> Result<()> {
        write(directory, &self.scenario, self)
    }

    /// Reads those of a scenario, where they are.
    pub(crate) fn read(directory: &Path, scenario: &str) -> Result<Option<Self>> {
        read(directory, scenario)
    }

    /// As a table for a terminal.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{}, {} products, {} connections\n{:<12}{:>9}{:>9}{:>9}{:>9}{:>8}{:>8}{:>8}{:>8}{:>9}{:>9}\n",
            self.scenario,
            self.products,
            self.connections,
            "",
            "1/s",
            "us CPU",
            "us PG",
            "us Redis",
            "p50",
            "p99",
            "p99.9",
            "MiB",
            "p99 half",
            "p99 full"
        );
        for server in self.servers() {
            let closed = |of: fn(&Turn) -> f64| self.median(server, Load::Closed, of);
            let at = |load| self.p99(server, load);
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{server:<12}{:>9.0}{:>9.1}{:>9.1}{:>9.1}{:>8.0}{:>8.0}{:>8.0}{:>8.1}{:>9.0}{:>9.0}",
                self.capacity(server),
                self.cost(server),
                self.database_cost(server),
                self.redis_cost(server),
                closed(|turn| micros(turn.outcome.p50)),
                closed(|turn| micros(turn.outcome.p99)),
                closed(|turn| micros(turn.outcome.p999)),
                closed(|turn| mebibytes(turn.peak_bytes)),
                at(Load::Half),
                at(Load::Full),
            );
        }
        text
    }
}

/// NaN where the time is not known.
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 of them")]
fn per_request(turn: &Turn, seconds: f64) -> f64 {
    if seconds > 0.0 { seconds * 1e6 / turn.outcome.requests as f64 } else { f64::NAN }
}

#[expect(clippy::cast_precision_loss, reason = "below 2^52")]
fn micros(micros: u64) -> f64 {
    micros as f64
}

/// Bytes in MiB.
#[expect(clippy::cast_precision_loss, reason = "below 2^52")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
