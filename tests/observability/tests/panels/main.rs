//! Every panel has something to show: a shop with real Loki, Mimir and Prometheus goes through good and bad moments, and
//! then every query of every dashboard is asked, with those of its variables and of the links behind its values.
//! Dashboards die of metrics that were renamed; these cannot.

mod drive;
mod telemetry;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use observability::dashboards::{Dashboard, Link, Panel, all};
use observability::query::client;
use regex::{Captures, Regex};
use serde_json::Value;
use stack::{Component, Stack};

use telemetry::{Question, Telemetry};

/// How long telemetry may take to arrive, after all has been done that it tells of.
const PATIENCE: Duration = Duration::from_mins(2);

/// Panels that cannot answer here, and why.
const ELSEWHERE: [(&str, &str, &str); 3] = [
    ("backend", "Failed and slow requests", "asks Tempo, which the VM test has"),
    ("telemetry", "Spans received", "metrics of Alloy and Tempo, which the VM test has"),
    ("telemetry", "Spans lost", "metrics of Alloy and Tempo, which the VM test has"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_every_dashboard_answers() {
    let dashboards = all();
    for (uid, title, _) in ELSEWHERE {
        let named = |dashboard: &Dashboard| dashboard.panels.iter().any(|panel| panel.title == title);
        assert!(dashboards.iter().any(|d| d.uid == uid && named(d)), "{uid} has no panel {title}");
    }

    let rules = tempfile::tempdir().expect("a directory");
    hasten_rules(rules.path());
    let since = Timestamp::now();
    let stack = Stack::builder()
        .with_observability()
        .rules(rules.path())
        .with_links()
        .backend_setting("RATE_LIMIT_REPORT", "120 burst 5")
        .start()
        .await
        .expect("the stack starts");
    let url = |component| stack.url(component).expect("a URL");
    let (mimir, loki) = (url(Component::Mimir), url(Component::Loki));
    let telemetry = Telemetry { http: client(), mimir, loki, since };
    drive::good_moments(&stack).await;
    drive::bad_moments(&stack).await;
    drive::ship_log_of_nginx(&stack, &telemetry).await;
    drive::telemetry(&telemetry).await;
    let customers = tokio::spawn(drive::customers(url(Component::Nginx)));

    let deadline = Instant::now() + PATIENCE;
    let wrong = loop {
        let mut wrong = Vec::new();
        for dashboard in &dashboards {
            wrong.extend(silent(&telemetry, dashboard).await);
        }
        if wrong.is_empty() || Instant::now() > deadline {
            break wrong;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    };
    customers.abort();
    assert!(wrong.is_empty(), "{} queries have no answer:\n{}", wrong.len(), wrong.join("\n"));
}

/// The project's rules, each evaluated every second: those of days would else be heard of after minutes.
fn hasten_rules(directory: &Path) {
    let interval = Regex::new(r"(?m)^( +interval:) .*$").expect("a pattern");
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/rules");
    for file in std::fs::read_dir(rules).expect("the rules") {
        let file = file.expect("a file");
        let text = std::fs::read_to_string(file.path()).expect("rules");
        let hastened = interval.replace_all(&text, "$1 1s").into_owned();
        std::fs::write(directory.join(file.file_name()), hastened).expect("a copy");
    }
}

/// The queries of a dashboard that have no answer.
async fn silent(telemetry: &Telemetry, dashboard: &Dashboard) -> Vec<String> {
    let mut wrong = Vec::new();
    let range = Timestamp::now().duration_since(telemetry.since).as_secs();
    let mut variables: BTreeMap<String, String> =
        [("__rate_interval", "10s"), ("__auto", "10s")].map(|(n, v)| (n.to_owned(), v.to_owned())).into();
    variables.insert("__range".to_owned(), format!("{range}s"));
    for variable in &dashboard.templating.list {
        match telemetry.values(&variable.datasource.uid, &variable.query).await {
            // All of them one by one, as Grafana spells a choice of several: harder to meet than what stands for all.
            Ok(values) => {
                let choice: Vec<String> =
                    values.iter().map(|value| regex::escape(value).replace('\\', "\\\\")).collect();
                variables.insert(variable.name.clone(), format!("({})", choice.join("|")));
            }
            Err(error) => wrong.push(format!("{}: ${}: {error}", dashboard.uid, variable.name)),
        }
    }
    for mark in &dashboard.annotations.list {
        let text = mark.target.text().to_owned();
        let question = Question { source: mark.datasource.uid.clone(), text, instant: false };
        if let Err(error) = telemetry.ask(&question).await {
            wrong.push(format!("{}: marks of {}: {error}", dashboard.uid, mark.name));
        }
    }
    for panel in &dashboard.panels {
        let here = !ELSEWHERE.iter().any(|(uid, title, _)| (*uid, *title) == (&dashboard.uid, &panel.title));
        if panel.kind != "row" && here {
            let name = format!("{}: {} (panel {})", dashboard.uid, panel.title, panel.id);
            let silent = silent_in(telemetry, panel, &variables).await;
            wrong.extend(silent.into_iter().map(|what| format!("{name}: {what}")));
        }
    }
    wrong
}

/// The queries of a panel that have no answer, and those of the links behind its values.
async fn silent_in(
    telemetry: &Telemetry,
    panel: &Panel,
    variables: &BTreeMap<String, String>,
) -> Vec<String> {
    let source = panel.datasource.as_ref().map_or("", |source| &source.uid);
    let mut wrong = Vec::new();
    let mut series = Vec::new();
    for target in &panel.targets {
        let text = fill(target.text(), variables, &Value::Null);
        let question = Question { source: source.to_owned(), text, instant: target.instant };
        match telemetry.ask(&question).await {
            Ok(shown) => series.extend(shown),
            Err(error) => wrong.push(format!("{}: {}: {error}", target.ref_id, question.text)),
        }
    }
    if wrong.is_empty() {
        for link in &panel.field_config.defaults.links {
            wrong.extend(unanswered(telemetry, link, &series, variables).await);
        }
    }
    wrong
}

/// What is wrong with a link to logs: a click on at least one of the values must show some. Those to traces are asked
/// where Tempo is.
async fn unanswered(
    telemetry: &Telemetry,
    link: &Link,
    series: &[Value],
    variables: &BTreeMap<String, String>,
) -> Option<String> {
    let asked = link.question().filter(|question| question.source != "tempo")?;
    let mut last = "there is no value to click on".to_owned();
    for labels in series {
        let text = fill(&asked.text, variables, labels);
        let question = Question { source: asked.source.clone(), text, instant: false };
        match telemetry.ask(&question).await {
            Ok(_) => return None,
            Err(error) => last = format!("{}: {error}", question.text),
        }
    }
    Some(format!("link {}: {last}", link.title))
}

/// A query with its variables filled in; one that is not known stays, and no server will take it. The zero that a panel
/// shows in place of nothing is left out: it would answer for a metric that is gone.
fn fill(text: &str, variables: &BTreeMap<String, String>, labels: &Value) -> String {
    let variable = Regex::new(r"\$(?:\{__field\.labels\.(\w+)\}|(\w+))").expect("a pattern");
    let filled = variable.replace_all(text, |found: &Captures<'_>| {
        let label = found.get(1).and_then(|label| labels[label.as_str()].as_str());
        let value = found.get(2).and_then(|name| variables.get(name.as_str()));
        label.or(value.map(String::as_str)).unwrap_or(&found[0]).to_owned()
    });
    filled.replace(" or vector(0)", "")
}
