//! Every alert fires in a real Mimir under its own fault, and clears after it. The rules are those of `config/rules`, six
//! hundred times as fast: an hour is six seconds. Afterwards every metric that rules and runbooks name is there.

mod shop;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use observability::query::{Loki, Mimir, get};
use observability::rules::{File, Speed, alerts, all, metrics, root, rules};
use serde_json::Value;
use stack::{Component, Edge, Link, Stack};
use tokio::time::sleep;

use shop::{Mood, Shop};

const SPEED: Speed = Speed {
    factor: 600,
    least_window: Duration::from_secs(5),
    step: Duration::from_secs(1),
    // Prometheus hands over what it has every five seconds.
    lag: Duration::from_secs(7),
};
/// How long an alert may take to fire or to clear. On a machine that has much else to do, the shop is slow, and its alerts
/// say so.
const PATIENCE: Duration = Duration::from_mins(5);

/// A rule that cannot be evaluated while two services have lost Redis: there is no telling which of them is meant.
const AMBIGUOUS: &str = r#"{"groups": [{"name": "ambiguous", "interval": "1s", "query_offset": "7s", "rules": [
    {"record": "ambiguous", "expr": "vector(1) * on () (shop_dependency_up{dependency=\"redis\"} == 0)"}
]}]}"#;

/// The rules as they are evaluated here. Budgets are such that the faults below use them up: a small container, a large disk,
/// since the little that a test writes is much in six hours that last 36 seconds.
fn hastened() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, file) in all() {
        let mut file = SPEED.of(file);
        for rule in file.groups.iter_mut().flat_map(|group| &mut group.rules) {
            let budget = match (rule.record.as_deref(), rule.labels.get("job").map(String::as_str)) {
                (Some("service:memory_budget:bytes"), Some("backend")) => shop::MEMORY_BUDGET,
                (Some("service:disk_budget:bytes"), _) => shop::DISK_BUDGET,
                _ => continue,
            };
            rule.expr = format!("vector({budget})");
        }
        let text = serde_json::to_string(&file).expect("JSON, which is YAML");
        std::fs::write(directory.path().join(name), text).expect("a copy");
    }
    std::fs::write(directory.path().join("ambiguous.yaml"), AMBIGUOUS).expect("a file");
    directory
}

/// Looks at Mimir's alerts, and remembers which fired under a fault of theirs.
struct Watch {
    mimir: Mimir,
    loki: Loki,
    url: String,
    http: reqwest::Client,
    seen: BTreeSet<String>,
    began: Instant,
}

impl Watch {
    /// Those that fire, with what they tell people.
    async fn firing(&self) -> BTreeMap<String, Value> {
        let answer = get(&self.http, format!("{}/prometheus/api/v1/alerts", self.url), &[]).await;
        let answer = answer.expect("the alerts");
        let alerts = answer["data"]["alerts"].as_array().expect("a list").clone();
        let firing = alerts.into_iter().filter(|alert| alert["state"] == "firing");
        firing
            .map(|alert| (alert["labels"]["alertname"].as_str().unwrap_or_default().to_owned(), alert))
            .collect()
    }

    /// Waits until none of these fires.
    async fn quiet(&self, names: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let firing = self.firing().await;
            let left: Vec<&Value> = names.iter().filter_map(|name| firing.get(*name)).collect();
            if left.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "these do not clear: {left:#?}");
            sleep(Duration::from_millis(500)).await;
        }
        self.tell("clear", names);
    }

    /// Waits until each of these has fired.
    async fn fire(&mut self, names: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        let mut waited_for: BTreeSet<&str> = names.iter().copied().collect();
        while !waited_for.is_empty() {
            for (name, alert) in self.firing().await {
                if waited_for.remove(name.as_str()) {
                    check(&alert);
                    self.tell("fires", &[&name]);
                    self.seen.insert(name);
                }
            }
            assert!(Instant::now() < deadline, "these do not fire: {waited_for:?}");
            sleep(Duration::from_millis(500)).await;
        }
    }

    #[expect(clippy::print_stderr, reason = "shown where the test fails")]
    fn tell(&self, what: &str, names: &[&str]) {
        eprintln!("{:>4} s  {what}: {}", self.began.elapsed().as_secs(), names.join(", "));
    }
}

/// What people are told is whole: templates have their values.
fn check(alert: &Value) {
    for name in ["summary", "description", "dashboard", "runbook"] {
        let text = alert["annotations"][name].as_str().unwrap_or_default();
        assert!(!text.is_empty() && !text.contains("<no value>") && !text.contains("<error"), "{alert:#?}");
    }
    let service = alert["labels"]["service"].as_str().unwrap_or_default();
    assert!(!service.is_empty() && !service.ends_with('-'), "{alert:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alert_fires_under_its_fault_and_clears_after_it() {
    let files = all();
    let names: BTreeSet<String> = alerts(&files).map(|(name, _)| name.to_owned()).collect();
    let directory = hastened();
    let collector = shop::Collector::listen().await;
    let mut stack = Stack::builder()
        .with_observability()
        .rules(directory.path())
        .with_links()
        .backend_setting("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.url.clone())
        // The allocator gives large blocks back; here it keeps them, as a leak would.
        .backend_setting("_RJEM_MALLOC_CONF", "oversize_threshold:0,dirty_decay_ms:-1")
        .start()
        .await
        .expect("the stack starts");
    let url = stack.url(Component::Mimir).expect("a URL");
    let mut watch = Watch {
        mimir: Mimir::new(&url),
        loki: Loki::new(stack.url(Component::Loki).expect("a URL")),
        url,
        http: observability::query::client(),
        seen: BTreeSet::new(),
        began: Instant::now(),
    };
    let shop = Shop::open(&stack).await;

    // Healthy traffic, and enough of it that its first slow moments are history.
    sleep(Duration::from_secs(20)).await;
    watch.quiet(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;

    // Nobody notices for a minute, while the next faults come and go.
    shop.sql("update products set stock = stock + 1 where id = (select min(id::text)::uuid from products)")
        .await;
    shop.dumped("20010101T000000Z").await;
    payments_and_neighbours(&mut watch, &mut stack, &shop).await;
    watch.fire(&["StockLedgerMismatch", "BackupOverdue"]).await;
    shop.sql("update products set stock = stock - 1 where id = (select min(id::text)::uuid from products)")
        .await;
    shop.dumped("20960101T000000Z").await;
    redis_and_telemetry(&mut watch, &mut stack, &shop, &collector).await;
    a_slow_database(&mut watch, &stack, &shop).await;
    watch.quiet(&["StockLedgerMismatch", "BackupOverdue"]).await;
    no_database(&mut watch, &stack, &shop).await;
    another_schema(&mut watch, &shop).await;
    nobody_there(&mut watch, &mut stack).await;

    assert_eq!(watch.seen, names, "each was provoked");
    every_metric_is_there(&watch, &files).await;
    for (_, query) in queries_of_runbooks("sql") {
        shop.sql(&query).await;
    }
    shop.close();
}

/// What breaks without touching the rest: money, disk, exporters, the web server, the recommender.
async fn payments_and_neighbours(watch: &mut Watch, stack: &mut Stack, shop: &Shop) {
    let names = [
        "DatabaseFillsDisk",
        "PaymentsUnknown",
        "SalesStopped",
        "TargetDown",
        "WebServerDown",
        "RecommenderModelStale",
        "RecommenderDown",
        "RecommendationsFallBack",
        "IngestionRefused",
    ];
    let link = |stack: &Stack, edge, act: fn(&Link)| act(stack.link(edge).expect("a proxy"));
    shop.mood(Mood::CardsTimeOut);
    stack.kill(Component::RedisExporter).expect("a dead exporter");
    stack.kill(Component::Nginx).expect("a dead web server");
    link(stack, Edge::MlServiceToBackend, Link::cut);
    link(stack, Edge::BackendToMlService, Link::cut);
    let url = |component| stack.url(component).expect("a URL");
    let refused = tokio::spawn(shop::send_what_is_refused(url(Component::Loki), url(Component::Mimir)));
    shop.sql(
        "create table ballast as select md5(n::text) as a, md5((n + 1)::text) as b from generate_series(1, 1500000) n",
    )
    .await;
    watch.fire(&names).await;

    refused.abort();
    shop.sql("drop table ballast").await;
    link(stack, Edge::MlServiceToBackend, Link::restore);
    link(stack, Edge::BackendToMlService, Link::restore);
    stack.start(Component::RedisExporter).await.expect("an exporter");
    stack.start(Component::Nginx).await.expect("a web server");
    shop.mood(Mood::Buying);
    watch.quiet(&names).await;
}

/// What the shop does without: Redis, whoever takes traces. And memory, of which each password that is hashed takes some.
async fn redis_and_telemetry(watch: &mut Watch, stack: &mut Stack, shop: &Shop, collector: &shop::Collector) {
    let names = ["RedisDown", "OrderEventsLag", "RuleEvaluationFails", "TelemetryLost", "MemoryNearBudget"];
    watch.quiet(&names).await;
    let edges = [Edge::BackendToRedis, Edge::MlServiceToRedis];
    for edge in edges {
        stack.link(edge).expect("a proxy").cut();
    }
    collector.refuse(true);
    let newcomers = shop.newcomers();
    let aged = tokio::spawn(shop.age_events());
    watch.fire(&names).await;

    aged.abort();
    drop(newcomers);
    collector.refuse(false);
    for edge in edges {
        stack.link(edge).expect("a proxy").restore();
    }
    // What an allocator has, it keeps: as its runbook says, the service is restarted.
    stack.stop(Component::Backend).await.expect("an end");
    stack.start(Component::Backend).await.expect("a new start");
    watch.quiet(&names).await;
}

async fn a_slow_database(watch: &mut Watch, stack: &Stack, shop: &Shop) {
    let names = ["LatencyBudgetBurnsFast", "LatencyBudgetBurnsSlowly"];
    watch.quiet(&names).await;
    let link = stack.link(Edge::BackendToPostgres).expect("a proxy");
    link.slow(Duration::from_millis(300));
    shop.mood(Mood::Browsing);
    watch.fire(&names).await;
    link.restore();
    shop.mood(Mood::Buying);
    watch.quiet(&names).await;
}

/// A database that takes connections and answers nothing.
async fn no_database(watch: &mut Watch, stack: &Stack, shop: &Shop) {
    let stalled = [
        "PostgresDown",
        "ConnectionPoolExhausted",
        "RequestsShed",
        "ErrorBudgetBurnsFast",
        "ErrorBudgetBurnsSlowly",
    ];
    watch.quiet(&stalled).await;
    let link = stack.link(Edge::BackendToPostgres).expect("a proxy");
    link.stall();
    let crowd = shop.crowd();
    watch.fire(&stalled).await;
    drop(crowd);
    link.restore();
    watch.quiet(&stalled).await;
}

/// The schema is not the one that the backend was written for: each request is a fault of ours.
async fn another_schema(watch: &mut Watch, shop: &Shop) {
    watch.quiet(&["ErrorLogsRise"]).await;
    shop.sql("alter table products rename to articles").await;
    watch.fire(&["ErrorLogsRise"]).await;
    shop.sql("alter table articles rename to products").await;
    watch.quiet(&["ErrorLogsRise"]).await;
}

async fn nobody_there(watch: &mut Watch, stack: &mut Stack) {
    for (name, component) in [("BackendDown", Component::Backend), ("MetricsMissing", Component::Prometheus)]
    {
        watch.quiet(&[name]).await;
        stack.kill(component).expect("dead");
        watch.fire(&[name]).await;
        stack.start(component).await.expect("alive");
        watch.quiet(&[name]).await;
    }
}

/// Alerts and runbooks die of metrics that were renamed; these cannot. Loki says of its queries whether it understands them.
async fn every_metric_is_there(watch: &Watch, files: &BTreeMap<String, File>) {
    let mut wrong = Vec::new();
    let mut queries: Vec<(String, String)> =
        rules(files).map(|rule| ("config/rules".to_owned(), rule.expr.clone())).collect();
    queries.extend(queries_of_runbooks("promql"));
    let mut known = BTreeMap::new();
    for (place, query) in queries {
        if let Err(error) = watch.mimir.query(&query).await {
            wrong.push(format!("{place}: {query}: {error}"));
        }
        for metric in metrics(&query) {
            if !known.contains_key(&metric) {
                let there = watch.mimir.sum(&format!("count(last_over_time({metric}[15m]))")).await;
                known.insert(metric.clone(), there.is_ok_and(|count| count.is_some()));
            }
            if !known[&metric] {
                wrong.push(format!("{place}: there is no {metric}: {query}"));
            }
        }
    }
    for (place, query) in queries_of_runbooks("logql") {
        if let Err(error) = watch.loki.numbers(&query).await {
            wrong.push(format!("{place}: {query}: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(known.len() > 30, "{known:?}");
}

/// The queries of a language in the runbooks, each with the file that it is in.
fn queries_of_runbooks(language: &str) -> Vec<(String, String)> {
    let fence = format!("```{language}\n");
    let mut queries = Vec::new();
    for entry in std::fs::read_dir(root().join("docs/runbooks")).expect("runbooks") {
        let path = entry.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("a runbook");
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let blocks = text.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
        queries.extend(blocks.map(|query| (name.to_string(), query.trim().to_owned())));
    }
    queries
}
