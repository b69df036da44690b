//! The rules in `config/rules`, and the same ones with time sped up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};

/// A file of rules.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Evaluated side by side.
    pub groups: Vec<Group>,
}

/// Rules that are evaluated one after another.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How often.
    pub interval: String,
    /// How long before now: what is on its way may arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_offset: Option<String>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// A series that is made of others, or an alert.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The series' name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The alert's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// What it is made of.
    pub expr: String,
    /// For how long it must hold before the alert fires.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
    /// What is added to the labels of `expr`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What people are told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The source tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file of `config/rules`, by name.
///
/// # Panics
/// Where one cannot be read: it is for tests.
pub fn all() -> BTreeMap<String, File> {
    let directory = root().join("config/rules");
    let files = std::fs::read_dir(&directory).expect("config/rules").map(|file| {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("rules");
        let rules =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), rules)
    });
    files.collect()
}

/// Every rule that is an alert, with its name.
pub fn alerts(files: &BTreeMap<String, File>) -> impl Iterator<Item = (&str, &Rule)> {
    rules(files).filter_map(|rule| Some((rule.alert.as_deref()?, rule)))
}

/// Every rule.
pub fn rules(files: &BTreeMap<String, File>) -> impl Iterator<Item = &Rule> {
    files.values().flat_map(|file| &file.groups).flat_map(|group| &group.rules)
}

/// How time is sped up.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// How many times.
    pub factor: u32,
    /// No window is shorter: a rate needs two samples.
    pub least_window: Duration,
    /// How often rules are evaluated, and the least that an alert waits.
    pub step: Duration,
    /// How late samples may be.
    pub lag: Duration,
}

static WINDOW: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[([0-9smhdw]+)\]|\boffset ([0-9smhdw]+)").expect("a pattern"));

impl Speed {
    /// The same rules, with every duration divided.
    #[must_use]
    pub fn of(self, mut file: File) -> File {
        for group in &mut file.groups {
            group.interval = write(self.step);
            group.query_offset = Some(write(self.lag));
            for rule in &mut group.rules {
                rule.expr = self.of_expression(&rule.expr);
                if let Some(pending) = &mut rule.pending {
                    *pending = write(self.divide(pending).max(self.step));
                }
            }
        }
        file
    }

    fn of_expression(self, expression: &str) -> String {
        let shorter = |found: &Captures<'_>| match (found.get(1), found.get(2)) {
            (Some(window), _) => format!("[{}]", write(self.divide(window.as_str()).max(self.least_window))),
            (None, Some(offset)) => format!("offset {}", write(self.divide(offset.as_str()))),
            (None, None) => found[0].to_owned(),
        };
        WINDOW.replace_all(expression, shorter).into_owned()
    }

    fn divide(self, duration: &str) -> Duration {
        read(duration) / self.factor
    }
}

/// A duration as Prometheus writes it.
fn read(text: &str) -> Duration {
    let mut sum = Duration::ZERO;
    let mut number = String::new();
    for letter in text.chars() {
        let unit = match letter {
            digit if digit.is_ascii_digit() => {
                number.push(digit);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            other => panic!("{text}: {other} is no unit"),
        };
        sum += Duration::from_secs(unit * number.parse::<u64>().expect("a number before its unit"));
        number.clear();
    }
    assert!(number.is_empty(), "{text} has no unit");
    sum
}

fn write(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

static NOT_NAMES: LazyLock<Regex> = LazyLock::new(|| {
    // Selectors, durations, lists of labels, functions, numbers.
    Regex::new(r"(?x) \{[^}]*\} | \[[^\]]*\] | \b(?:\w+\s+(?:by|without)|on|ignoring|group_left|group_right)\s*\([^)]*\) | \w+\s*\( | \b[0-9][\w.]*")
        .expect("a pattern")
});
static STRING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""[^"]*""#).expect("a pattern"));
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[a-zA-Z_:][\w:]*").expect("a pattern"));

/// The metrics that an expression names.
pub fn metrics(expression: &str) -> BTreeSet<String> {
    // Inside out: a selector may hold strings with anything in them.
    let without_strings = STRING.replace_all(expression, "");
    let rest = NOT_NAMES.replace_all(&without_strings, " ");
    let names = NAME.find_iter(&rest).map(|name| name.as_str().to_owned());
    names.filter(|name| !["and", "or", "unless", "bool", "offset"].contains(&name.as_str())).collect()
}

/// An alert's name as its runbook's file has it: `PostgresDown` is `postgres-down`.
pub fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEED: Speed = Speed {
        factor: 600,
        least_window: Duration::from_secs(5),
        step: Duration::from_secs(1),
        lag: Duration::from_secs(7),
    };

    #[test]
    fn every_duration_is_divided_and_nothing_else() {
        let file: File = serde_saphyr::from_str(
            "groups: [{name: x, interval: 30s, rules: [{alert: A, for: 1h30m, expr: 'a:rate5m[1h] offset 20m + b[5m] * 3600'}]}]",
        )
        .expect("rules");
        let file = SPEED.of(file);
        let (group, rule) = (&file.groups[0], &file.groups[0].rules[0]);
        assert_eq!(rule.expr, "a:rate5m[6000ms] offset 2000ms + b[5000ms] * 3600");
        assert_eq!(rule.pending.as_deref(), Some("9000ms"));
        assert_eq!((group.interval.as_str(), group.query_offset.as_deref()), ("1000ms", Some("7000ms")));
        // Mimir reads JSON as the YAML that it is.
        let again: File =
            serde_saphyr::from_str(&serde_json::to_string(&file).expect("JSON")).expect("rules");
        assert_eq!(again.groups[0].rules[0].expr, rule.expr);
    }

    #[test]
    fn short_waits_stay_long_enough_to_be_seen() {
        let rule = "groups: [{name: x, interval: 5m, rules: [{alert: A, for: 1m, expr: up == 0}]}]";
        let file = SPEED.of(serde_saphyr::from_str(rule).expect("rules"));
        assert_eq!(file.groups[0].rules[0].pending.as_deref(), Some("1000ms"));
        assert_eq!(read("1d2h3m4s"), Duration::from_secs(86_400 + 7_200 + 180 + 4));
    }

    #[test]
    fn the_metrics_of_an_expression() {
        let expression = r#"sum by (le, slo) (rate(a_bucket{le=~"1([.]0)?|[+]Inf", route="/x/{id}"}[5m])) / on (job) group_left ()
            slo:b:rate5m > 0.9 and count(up == 0) == 2e3 or vector(1) * c offset 5m"#;
        let names: Vec<String> = metrics(expression).into_iter().collect();
        assert_eq!(names, ["a_bucket", "c", "slo:b:rate5m", "up"]);
    }

    #[test]
    fn a_runbook_is_named_after_its_alert() {
        assert_eq!(kebab("ErrorBudgetBurnsFast"), "error-budget-burns-fast");
    }
}
