//! What `docs/incidents` teaches is what is seen: under each incident the alerts of its page fire, its queries answer and
//! show what the page says, and after the incident the alerts clear. The rules are those of `config/rules`, a hundred times as
//! fast.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use observability::query::{Loki, Mimir, client, get};
use observability::rules::{Speed, alerts, all, root};
use regex::Regex;
use serde_json::Value;
use stack::load::Load;
use stack::scenarios::Scenario;
use stack::{Component, Stack};
use tokio::sync::oneshot;
use tokio::time::sleep;

const SPEED: Speed = Speed {
    factor: 100,
    least_window: Duration::from_secs(5),
    step: Duration::from_secs(1),
    // Prometheus hands over what it has every five seconds.
    lag: Duration::from_secs(7),
};
/// How long an alert may take to fire or to clear. The ledger is compared once a minute, whatever the rules say.
const PATIENCE: Duration = Duration::from_mins(2);

/// An alert as a page names it: `**Name**`, or `` **Name** for `checkout` ``.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    alert: String,
    slo: Option<String>,
}

/// The page of an incident.
struct Page(String);

impl Page {
    fn of(scenario: Scenario) -> Self {
        let path = root().join(format!("docs/incidents/{scenario}.md"));
        Self(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The alerts with which the way to the cause begins: those of its first step.
    fn alerts(&self) -> BTreeSet<Named> {
        let way = self.0.split("\n1. ").nth(1).expect("a first step");
        let step = way.split("\n2. ").next().unwrap_or(way);
        let pattern = Regex::new(r"\*\*(\w+)\*\*(?: for `(\w+)`)?").expect("a pattern");
        let named = pattern.captures_iter(step).map(|found| Named {
            alert: found[1].to_owned(),
            slo: found.get(2).map(|slo| slo.as_str().to_owned()),
        });
        named.collect()
    }

    /// Its queries in this language, one a line.
    fn queries(&self, language: &str) -> Vec<String> {
        let opening = format!("```{language}\n");
        let blocks = self.0.split(&opening).skip(1).filter_map(|rest| rest.split("```").next());
        blocks.flat_map(|block| block.trim().lines()).map(|line| line.trim().to_owned()).collect()
    }
}

/// What a page says that a query shows: the sum of its series.
type Claim = (&'static str, fn(f64) -> bool);

fn claims(scenario: Scenario) -> &'static [Claim] {
    match scenario {
        Scenario::SlowDatabase => &[
            (
                r#"sum(rate(http_server_request_duration_seconds_count{job="backend", http_response_status_code=~"5.."}[10s])) or vector(0)"#,
                |rate| rate == 0.0,
            ),
            (
                r#"histogram_quantile(0.5, sum by (le) (rate(db_client_operation_duration_seconds_bucket{job="backend", db_system_name="postgresql"}[10s])))"#,
                |seconds| seconds > 0.1,
            ),
        ],
        Scenario::DatabaseDown => &[
            (r#"pg_up or up{job="postgres"}"#, |up| up == 0.0),
            (r#"sum(rate(shop_cache_requests_total{result="stale"}[10s]))"#, |rate| rate > 0.0),
        ],
        Scenario::RedisDown => &[
            (r#"sum(rate(shop_cache_requests_total{result="hit"}[10s]))"#, |rate| rate == 0.0),
            (r#"sum(rate(shop_orders_total{status="paid"}[30s]))"#, |rate| rate > 0.0),
        ],
        Scenario::RecommenderSlow => &[
            (r#"sum(rate(shop_recommendations_total{source!="fallback"}[10s])) or vector(0)"#, |rate| {
                rate == 0.0
            }),
            (
                r#"histogram_quantile(0.5, sum by (le) (rate(http_server_request_duration_seconds_bucket{job="ml-service"}[10s])))"#,
                |seconds| seconds < 0.4,
            ),
        ],
        Scenario::MemoryPressure => &[
            (r#"min(shop_dependency_up{dependency="redis"})"#, |up| (0.9..1.1).contains(&up)),
            ("max(redis_memory_used_bytes / redis_memory_max_bytes)", |ratio| ratio > 1.0),
            (r#"sum(rate(shop_orders_total{status="paid"}[30s]))"#, |rate| rate > 0.0),
        ],
        Scenario::BadDeploy => &[
            ("db_client_connection_max", |max| (0.9..1.1).contains(&max)),
            (r#"min(shop_dependency_up{dependency="postgres"})"#, |up| (0.9..1.1).contains(&up)),
            (
                r#"sum(rate(http_server_request_duration_seconds_count{job="ml-service", http_route=~"/api/.+"}[10s]))"#,
                |rate| rate == 0.0,
            ),
            (r#"min(up{job="ml-service"})"#, |up| (0.9..1.1).contains(&up)),
        ],
        Scenario::StockRace => {
            &[("max(shop_stock_mismatch_products)", |products| (0.9..1.1).contains(&products))]
        }
        Scenario::PaymentProviderDown => &[
            (r#"sum(rate(shop_payments_total{result!="unknown"}[10s])) or vector(0)"#, |rate| rate == 0.0),
            (r#"sum(rate(shop_orders_total{status="paid"}[10s]))"#, |rate| rate == 0.0),
            (r#"sum(rate(shop_orders_total{status="pending_payment"}[30s]))"#, |rate| rate > 0.0),
        ],
        Scenario::LogStoreDown => &[
            (r#"sum(rate(telemetry_dropped_total{signal="logs"}[30s])) or vector(0)"#, |rate| rate == 0.0),
            (
                r#"sum(rate(http_server_request_duration_seconds_count{job="backend", http_response_status_code=~"5.."}[10s])) or vector(0)"#,
                |rate| rate == 0.0,
            ),
        ],
    }
}

struct Watch {
    mimir: Mimir,
    loki: Loki,
    url: String,
    http: reqwest::Client,
    began: Instant,
    /// What is not as the pages say: all of it is told at once.
    wrong: Vec<String>,
}

impl Watch {
    /// The alerts that fire: by their names, and by what of the shop they are about.
    async fn firing(&self) -> BTreeSet<Named> {
        let answer = get(&self.http, format!("{}/prometheus/api/v1/alerts", self.url), &[]).await;
        let answer = answer.expect("the alerts");
        let alerts = answer["data"]["alerts"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let firing = alerts.filter(|alert| alert["state"] == "firing").flat_map(|alert| {
            let alert =
                (text(&alert["labels"]["alertname"]).unwrap_or_default(), text(&alert["labels"]["slo"]));
            [Named { alert: alert.0.clone(), slo: alert.1 }, Named { alert: alert.0, slo: None }]
        });
        firing.collect()
    }

    /// Looks again and again until it is so.
    async fn see(&mut self, what: String, mut look: impl AsyncFnMut(&Self) -> Result<String, String>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match look(self).await {
                Ok(seen) => return self.tell(&format!("{what}: {seen}")),
                Err(instead) if Instant::now() > deadline => {
                    self.tell(&format!("{what}: NOT SO: {instead}"));
                    return self.wrong.push(format!("{what}: {instead}"));
                }
                Err(_) => sleep(Duration::from_millis(500)).await,
            }
        }
    }

    async fn quiet(&mut self, scenario: Scenario, alerts: &BTreeSet<Named>) {
        self.see(format!("{scenario}: quiet"), async |watch| {
            let left: Vec<Named> = watch.firing().await.intersection(alerts).cloned().collect();
            if left.is_empty() { Ok(String::new()) } else { Err(format!("{left:?}")) }
        })
        .await;
    }

    async fn fire(&mut self, scenario: Scenario, alerts: &BTreeSet<Named>) {
        for alert in alerts {
            self.see(format!("{scenario}: {alert:?} fires"), async |watch| {
                let firing = watch.firing().await;
                if firing.contains(alert) { Ok(String::new()) } else { Err(format!("{firing:?}")) }
            })
            .await;
        }
    }

    /// Asks what the page asks, while the incident lasts.
    async fn follow(&mut self, scenario: Scenario, page: &Page, since: Timestamp) {
        for query in page.queries("promql") {
            self.see(format!("{scenario}: {query}"), async |watch| {
                let samples = watch.mimir.query(&query).await.map_err(|error| error.to_string())?;
                let numbers: Vec<f64> =
                    samples.iter().map(|sample| sample.value).filter(|value| !value.is_nan()).collect();
                if numbers.is_empty() { Err("nothing".to_owned()) } else { Ok(format!("{numbers:?}")) }
            })
            .await;
        }
        for query in page.queries("logql") {
            self.see(format!("{scenario}: {query}"), async |watch| {
                let lines = watch.loki.lines(&query).await.map_err(|error| error.to_string())?;
                let now = lines.iter().filter(|line| line.at >= since);
                // What makes Redis that has no memory different from one that is away.
                let word = if scenario == Scenario::MemoryPressure {
                    "command not allowed when used memory"
                } else {
                    ""
                };
                let said = now.filter(|line| line.text.contains(word)).count();
                if said == 0 { Err(format!("{} others", lines.len())) } else { Ok(format!("{said} lines")) }
            })
            .await;
        }
        for (query, holds) in claims(scenario) {
            self.see(format!("{scenario}: {query}"), async |watch| {
                let sum = watch.mimir.sum(query).await.map_err(|error| error.to_string())?;
                if sum.is_some_and(holds) { Ok(format!("{sum:?}")) } else { Err(format!("{sum:?}")) }
            })
            .await;
        }
    }

    #[expect(clippy::print_stderr, reason = "shown where the test fails")]
    fn tell(&self, what: &str) {
        eprintln!("{:>4} s  {what}", self.began.elapsed().as_secs());
    }
}

#[test]
fn every_page_begins_with_alerts_that_there_are() {
    let files = all();
    let known: BTreeSet<&str> = alerts(&files).map(|(name, _)| name).collect();
    for scenario in Scenario::ALL {
        let named = Page::of(scenario).alerts();
        assert!(!named.is_empty(), "{scenario}");
        for Named { alert, .. } in named {
            assert!(known.contains(alert.as_str()), "{scenario}: there is no alert {alert}");
        }
    }
}

#[test]
fn every_page_names_panels_that_there_are() {
    let pattern = Regex::new(r"\*([^*\s][^*]*)\*\s+on `/d/(\w+)`").expect("a pattern");
    for scenario in Scenario::ALL {
        let page = Page::of(scenario);
        assert!(pattern.is_match(&page.0), "{scenario} names no panel");
        for found in pattern.captures_iter(&page.0) {
            let path = root().join(format!("config/grafana/dashboards/{}.json", &found[2]));
            let dashboard =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{scenario}: {error}"));
            let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
            let mut panels = dashboard["panels"].as_array().into_iter().flatten();
            assert!(panels.any(|panel| panel["title"] == found[1]), "{scenario}: {}", &found[0]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_leads_from_the_alert_to_the_cause() {
    let rules = tempfile::tempdir().expect("a directory");
    for (name, file) in all() {
        let text = serde_json::to_string(&SPEED.of(file)).expect("JSON, which is YAML");
        std::fs::write(rules.path().join(name), text).expect("a copy");
    }
    let mut stack = Stack::builder()
        .with_observability()
        .rules(rules.path())
        .with_links()
        .start()
        .await
        .expect("the stack starts");
    let url = stack.url(Component::Mimir).expect("Mimir");
    let mut watch = Watch {
        mimir: Mimir::new(&url),
        loki: Loki::new(stack.url(Component::Loki).expect("Loki")),
        url,
        http: client(),
        began: Instant::now(),
        wrong: Vec::new(),
    };
    let load = Load {
        url: stack.url(Component::Nginx).expect("nginx"),
        rate: 5.0,
        duration: Duration::from_hours(1),
        think: Duration::from_millis(200),
        spike: 1.0,
        patient: false,
    };
    let (enough, stop) = oneshot::channel::<()>();
    let customers = tokio::spawn(async move {
        stack::load::run(&load, async {
            // Also where the sender is gone.
            let _ = stop.await;
        })
        .await
    });
    for scenario in Scenario::ALL {
        let page = Page::of(scenario);
        let alerts = page.alerts();
        watch.quiet(scenario, &alerts).await;
        let since = Timestamp::now();
        scenario.provoke(&mut stack).await.expect("it happens");
        let aged = (scenario == Scenario::MemoryPressure).then(|| tokio::spawn(age_events(&stack)));
        watch.fire(scenario, &alerts).await;
        watch.follow(scenario, &page, since).await;
        if let Some(aged) = aged {
            aged.abort();
        }
        let until_then = Timestamp::now();
        scenario.mend(&mut stack).await.expect("it ends");
        watch.quiet(scenario, &alerts).await;
        if scenario == Scenario::LogStoreDown {
            watch
                .see("lines of the time without Loki".to_owned(), async |watch| {
                    let lines = watch.loki.lines(r#"{service="shopmicro-backend"}"#).await;
                    let lines = lines.map_err(|error| error.to_string())?;
                    let late = lines.iter().filter(|line| line.at > since && line.at < until_then).count();
                    if late > 20 { Ok(late.to_string()) } else { Err(format!("{late} of {}", lines.len())) }
                })
                .await;
        }
    }
    enough.send(()).expect("customers still come");
    let report = customers.await.expect("customers").expect("a report");
    watch.tell(&report.to_string());
    assert!(report.of("checkout", 201) > 0, "{report}");
    assert!(watch.wrong.is_empty(), "{:#?}", watch.wrong);
}

/// Lets events that wait look as if they had waited for an hour, again and again: five minutes are five minutes, however
/// fast the rules are.
fn age_events(stack: &Stack) -> impl Future<Output = ()> + Send + 'static {
    let url = stack.postgres_admin_url().expect("a URL");
    async move {
        let mut config: tokio_postgres::Config = url.parse().expect("a URL");
        let (database, connection) =
            config.dbname("shopmicro").connect(tokio_postgres::NoTls).await.expect("the database");
        tokio::spawn(connection);
        loop {
            let sql = "update outbox set created_at = now() - interval '1 hour' where published_at is null";
            database.batch_execute(sql).await.expect(sql);
            sleep(Duration::from_millis(300)).await;
        }
    }
}
