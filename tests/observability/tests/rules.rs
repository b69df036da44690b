//! Every alert is tried over its real windows by promtool, tells what to do, and belongs to a runbook.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use observability::dashboards;
use observability::rules::{alerts, all, kebab, root};
use regex::Regex;
use serde::Deserialize;

const HEADINGS: [&str; 5] =
    ["What it means", "What customers see", "How to see it", "How to fix it", "How to provoke it"];

fn files(directory: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(directory)).expect(directory);
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == ending));
    files.sort();
    files
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Collects what is wrong, so that one run names it all.
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn promtool(arguments: [&str; 2], files: Vec<PathBuf>) {
    let output = Command::new("promtool").args(arguments).args(files).output();
    let output = output.expect("promtool, of Debian's package prometheus");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn prometheus_reads_every_rule() {
    promtool(["check", "rules"], files("config/rules", "yaml"));
}

/// Each file by itself, side by side: together they take a processor more than a minute.
#[test]
fn each_alert_keeps_its_promises_over_its_real_windows() {
    std::thread::scope(|scope| {
        for file in files("tests/observability/rules", "yaml") {
            scope.spawn(|| promtool(["test", "rules"], vec![file]));
        }
    });
}

/// A sum of rates counts requests where it is multiplied by the time from one to the next.
#[test]
fn requests_are_counted_by_how_often_their_rate_is_noted() {
    let files = all();
    let intervals: BTreeMap<&str, &str> = files
        .values()
        .flat_map(|file| &file.groups)
        .flat_map(|group| group.rules.iter().map(|rule| (rule, group.interval.as_str())))
        .filter_map(|(rule, interval)| Some((rule.record.as_deref()?, interval)))
        .collect();
    let count = Regex::new(r"sum_over_time\((\S+)\[\w+\]\) \* ([0-9]+)").expect("a pattern");
    let mut counted = Vec::new();
    for (name, rule) in alerts(&files) {
        for found in count.captures_iter(&rule.expr) {
            assert_eq!(intervals.get(&found[1]), Some(&format!("{}s", &found[2]).as_str()), "{name}");
            counted.push(name);
        }
    }
    assert_eq!(counted, ["ErrorBudgetBurnsFast", "LatencyBudgetBurnsFast"]);
}

/// As much of a file of promtool's as is looked at.
#[derive(Deserialize)]
struct Trials {
    tests: Vec<Trial>,
}

#[derive(Deserialize)]
struct Trial {
    #[serde(default)]
    alert_rule_test: Vec<Moment>,
}

#[derive(Deserialize)]
struct Moment {
    alertname: String,
    #[serde(default)]
    exp_alerts: Vec<BTreeMap<String, BTreeMap<String, String>>>,
}

#[test]
fn each_alert_is_tried_before_during_and_after_its_fault() {
    let mut tried = BTreeSet::new();
    for path in files("tests/observability/rules", "yaml") {
        let trials: Trials = serde_saphyr::from_str(&read(&path)).expect("a test of promtool's");
        for trial in trials.tests {
            let mut moments: BTreeMap<String, Vec<bool>> = BTreeMap::new();
            for moment in trial.alert_rule_test {
                moments.entry(moment.alertname).or_default().push(!moment.exp_alerts.is_empty());
            }
            tried.extend(
                moments
                    .into_iter()
                    .filter(|(_, fires)| matches!(fires[..], [false, .., true, false]))
                    .map(|(name, _)| name),
            );
        }
    }
    let names: BTreeSet<String> = alerts(&all()).map(|(name, _)| name.to_owned()).collect();
    assert_eq!(tried, names);
}

#[test]
fn each_alert_says_how_bad_it_is_and_where_to_go_on() {
    let files = all();
    let uids: BTreeSet<String> = dashboards::all().into_iter().map(|dashboard| dashboard.uid).collect();
    let mut names = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, rule) in alerts(&files) {
        let mut check = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{name}: {what}"));
            }
        };
        let label = |label: &str| rule.labels.get(label).map_or("", String::as_str);
        let annotation = |name: &str| rule.annotations.get(name).map_or("", String::as_str);
        check(names.insert(name), "there is one alert of a name");
        check(["page", "ticket"].contains(&label("severity")), "severity is page or ticket");
        check(!label("service").is_empty(), "names a service");
        check(!annotation("summary").is_empty(), "has a summary");
        check(annotation("description").contains("$value"), "describes with its value");
        check(
            annotation("dashboard").strip_prefix("/d/").is_some_and(|uid| uids.contains(uid)),
            "leads to a dashboard",
        );
        check(annotation("runbook") == format!("docs/runbooks/{}.md", kebab(name)), "leads to its runbook");
    }
    assert!((15..=30).contains(&names.len()), "{} alerts: few and good", names.len());
    none(&wrong);
}

#[test]
fn each_alert_has_a_runbook_and_each_runbook_an_alert() {
    let files_of_rules = all();
    let mut wrong = Vec::new();
    let mut expected = vec![root().join("docs/runbooks/README.md")];
    let index = read(root().join("docs/runbooks/README.md"));
    for (name, rule) in alerts(&files_of_rules) {
        let file = format!("{}.md", kebab(name));
        let path = root().join("docs/runbooks").join(&file);
        let row = format!("| [{name}]({file}) | {} | ", rule.labels["severity"]);
        if index.matches(&row).count() != 1 {
            wrong.push(format!("README.md has no row that begins with {row}"));
        }
        let text = if path.exists() { read(&path) } else { String::new() };
        let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        if headings != HEADINGS {
            wrong.push(format!("{file}: its headings are {headings:?}"));
        }
        if !text.starts_with(&format!("# {name}\n")) {
            wrong.push(format!("{file}: its title is the alert's name"));
        }
        if text.lines().any(|line| line.chars().count() > 160) {
            wrong.push(format!("{file}: a line is too long for a terminal"));
        }
        expected.push(path);
    }
    expected.sort();
    assert_eq!(files("docs/runbooks", "md"), expected);
    none(&wrong);
}

/// As much of the Alertmanager's file as is looked at.
#[derive(Deserialize)]
struct Alertmanager {
    inhibit_rules: Vec<Inhibition>,
}

#[derive(Deserialize)]
struct Inhibition {
    source_matchers: Vec<String>,
    target_matchers: Vec<String>,
    equal: Vec<String>,
}

#[test]
fn each_inhibition_has_a_pair_of_alerts_that_it_is_about() {
    let files_of_rules = all();
    let labels: Vec<BTreeMap<&str, &str>> = alerts(&files_of_rules)
        .map(|(name, rule)| {
            let labels = rule.labels.iter().map(|(label, value)| (label.as_str(), value.as_str()));
            labels.chain([("alertname", name)]).collect()
        })
        .collect();
    let matching = |matchers: &[String]| {
        // `label="value"`, or `label=~"one|another"`.
        let matchers: Vec<(&str, Vec<&str>)> = matchers
            .iter()
            .map(|matcher| matcher.split_once('=').unwrap_or_else(|| panic!("{matcher} compares nothing")))
            .map(|(label, values)| (label, values.trim_matches(['~', '"']).split('|').collect()))
            .collect();
        for (label, values) in &matchers {
            for value in values {
                let known = labels.iter().any(|labels| labels.get(label) == Some(value));
                assert!(known, "no alert has {label}={value}");
            }
        }
        let all = |labels: &&BTreeMap<&str, &str>| {
            let one_of = |(label, values): &(&str, Vec<&str>)| {
                labels.get(label).is_some_and(|value| values.contains(value))
            };
            matchers.iter().all(one_of)
        };
        labels.iter().filter(all).collect::<Vec<_>>()
    };
    let alertmanager: Alertmanager =
        serde_saphyr::from_str(&read(root().join("config/mimir/alertmanager.yaml"))).expect("its file");
    assert!(!alertmanager.inhibit_rules.is_empty());
    for rule in &alertmanager.inhibit_rules {
        let targets = matching(&rule.target_matchers);
        let pair = matching(&rule.source_matchers).into_iter().any(|source| {
            let same = |target: &&BTreeMap<&str, &str>| {
                rule.equal.iter().all(|label| source.get(label.as_str()) == target.get(label.as_str()))
            };
            targets.iter().any(same)
        });
        assert!(pair, "no two alerts have the same {:?}", rule.equal);
    }
}

/// Runbooks say which incident provokes their alert, and incidents which alert shows them.
#[test]
fn runbooks_and_incidents_know_each_other() {
    let files_of_rules = all();
    let names: BTreeSet<&str> = alerts(&files_of_rules).map(|(name, _)| name).collect();
    let scenario = Regex::new(r"SCENARIO=([\w-]+)").expect("a pattern");
    let alert = Regex::new(r"\*\*([A-Z]\w+)\*\*").expect("a pattern");
    let mut wrong = Vec::new();
    for path in files("docs/runbooks", "md") {
        for found in scenario.captures_iter(&read(&path)) {
            if !root().join(format!("docs/incidents/{}.md", &found[1])).exists() {
                wrong.push(format!("{}: there is no incident {}", path.display(), &found[1]));
            }
        }
    }
    for path in files("docs/incidents", "md") {
        let text = read(&path);
        let shown: Vec<_> = alert.captures_iter(&text).collect();
        for found in &shown {
            if !names.contains(&found[1]) {
                wrong.push(format!("{}: there is no alert {}", path.display(), &found[1]));
            }
        }
        if shown.is_empty() && !path.ends_with("README.md") {
            wrong.push(format!("{}: no alert shows it", path.display()));
        }
    }
    none(&wrong);
}
