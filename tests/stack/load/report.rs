//! What came of the requests of all customers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::PLACES;

/// What a kind of request came to.
#[derive(Debug)]
struct Step {
    /// Microseconds until the answer was there.
    took: Histogram<u64>,
    /// Answers by status, 0 for none.
    statuses: BTreeMap<u16, u64>,
}

/// What happened.
#[derive(Debug, Default)]
pub struct Report {
    steps: BTreeMap<&'static str, Step>,
    /// Customers who came.
    pub customers: u64,
    /// Customers for whom there was no place.
    pub turned_away: u64,
}

impl Report {
    /// How many requests were answered with such a status; 0 is no answer.
    pub fn answers(&self, of: impl Fn(u16) -> bool) -> u64 {
        let statuses = self.steps.values().flat_map(|step| &step.statuses);
        statuses.filter(|(status, _)| of(**status)).map(|(_, count)| count).sum()
    }

    /// How many requests of a step were answered with this status.
    pub fn of(&self, step: &str, status: u16) -> u64 {
        self.steps.get(step).and_then(|step| step.statuses.get(&status)).copied().unwrap_or(0)
    }

    /// How soon this part of a step's requests was answered, of the step where it took longest.
    pub fn slowest(&self, part: f64) -> Duration {
        let micros = self.steps.values().map(|step| step.took.value_at_quantile(part)).max();
        Duration::from_micros(micros.unwrap_or_default())
    }

    pub(super) fn note(&mut self, name: &'static str, status: u16, took: Duration) {
        let step = self.steps.entry(name).or_insert_with(|| Step {
            // Up to a minute, to three digits: 100 kB at most.
            took: Histogram::new_with_max(60_000_000, 3).unwrap_or_else(|_| unreachable!("valid bounds")),
            statuses: BTreeMap::new(),
        });
        step.took.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        *step.statuses.entry(status).or_default() += 1;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<16} {:>8} {:>9} {:>9} {:>9} {:>9}  statuses",
            "step", "requests", "p50 ms", "p95 ms", "p99 ms", "max ms"
        )?;
        for (name, Step { took, statuses }) in &self.steps {
            write!(f, "{name:<16} {:>8}", took.len())?;
            for micros in [0.5, 0.95, 0.99, 1.0].map(|quantile| took.value_at_quantile(quantile)) {
                write!(f, " {:>9.1}", Duration::from_micros(micros).as_secs_f64() * 1e3)?;
            }
            for (status, count) in statuses {
                match status {
                    0 => write!(f, "  no answer: {count}")?,
                    status => write!(f, "  {status}: {count}")?,
                }
            }
            writeln!(f)?;
        }
        write!(f, "{} customers", self.customers)?;
        if self.turned_away > 0 {
            write!(f, "; {} more found no place among {PLACES}", self.turned_away)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_answers_and_shows_quantiles() {
        let mut report = Report::default();
        for millis in 1..=100 {
            report.note("home", if millis == 100 { 0 } else { 200 }, Duration::from_millis(millis));
        }
        assert_eq!((report.of("home", 200), report.answers(|status| status == 0)), (99, 1));
        let shown = report.to_string();
        assert!(shown.contains("home") && shown.contains("no answer: 1"), "{shown}");
        assert!(shown.contains(" 50.0 ") && shown.contains(" 95.0 "), "{shown}");
    }
}
