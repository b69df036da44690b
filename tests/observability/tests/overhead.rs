//! What telemetry costs: the time that the shop's released programs take on processors for the same requests, with logs
//! and traces sent and without. That is what bounds throughput, and unlike the clock it lets the machine do other things
//! meanwhile.

use std::cell::Cell;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use futures_util::future::join_all;
use observability::rules::root;
use serde_json::json;
use stack::{Builder, Component, Stack};
use tokio::net::TcpListener;

/// How many ask at once: a service that is idle between requests spends its time on waking up.
const CUSTOMERS: usize = 12;
/// Requests of a round to each of the two.
const ROUND: usize = 900;
const ROUNDS: usize = 15;
/// So often it measures at most: other work on the machine can spoil a measurement.
const MEASUREMENTS: usize = 3;
/// One of so many requests logs in.
const LOGINS: usize = 75;
const PASSWORD: &str = "a-long-enough-password";

/// Takes everything.
async fn receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(any(async || StatusCode::NO_CONTENT));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn email(number: usize) -> String {
    format!("customer-{number}@shopmicro.example")
}

/// Time on processors.
#[derive(Clone, Copy, Debug)]
struct Cost {
    backend: f64,
    /// The backend, PostgreSQL and Redis.
    shop: f64,
}

/// How long the threads of a process have run: the first figure of `schedstat` (proc(5)).
fn run_time_of(pid: i32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    // What ends meanwhile has no figure.
    let figures = threads.flat_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")));
    figures.filter_map(|figures| figures.split(' ').next()?.parse::<f64>().ok()).sum()
}

fn children_of(pid: i32) -> Vec<i32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("Linux");
    children.split_whitespace().map(|pid| pid.parse().expect("a number")).collect()
}

struct Shop {
    stack: Stack,
    http: reqwest::Client,
    base: String,
    products: Vec<String>,
}

impl Shop {
    async fn start(builder: Builder) -> Self {
        let parts = [Component::Postgres, Component::Redis, Component::Backend];
        let stack = builder.only(parts).start().await.expect("a stack");
        let base = stack.url(Component::Backend).expect("the backend");
        let http = reqwest::Client::builder().cookie_store(true).timeout(Duration::from_secs(20));
        let http = http.build().expect("a client");
        let page = http.get(format!("{base}/api/products?in_stock=true")).send().await.expect("an answer");
        let page: serde_json::Value = page.json().await.expect("JSON");
        let items = page["items"].as_array().expect("items");
        let products = items.iter().filter_map(|item| item["id"].as_str().map(ToOwned::to_owned)).collect();
        let shop = Self { stack, http, base, products };
        for number in 0..ROUND / LOGINS {
            let body = json!({ "name": "Customer", "email": email(number), "password": PASSWORD });
            shop.ask(shop.http.post(format!("{}/api/users", shop.base)).json(&body)).await;
        }
        shop
    }

    async fn ask(&self, request: reqwest::RequestBuilder) {
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        assert!(status.is_success(), "{status}: {}", answer.text().await.unwrap_or_default());
    }

    /// As customers ask: mostly what is cached, some searches, some writes, and as many logins as in `stack load`, whose
    /// passwords cost more than all the rest.
    async fn round(&self) {
        let ask = async |number: usize| {
            let product = &self.products[number % self.products.len()];
            let request = match number % 10 {
                _ if number.is_multiple_of(LOGINS) => {
                    // Somebody else each time: of one account, few passwords are looked at at once.
                    let body = json!({ "email": email(number / LOGINS), "password": PASSWORD });
                    self.http.post(format!("{}/api/users/login", self.base)).json(&body)
                }
                0 => self.http.get(format!("{}/api/products?q=red", self.base)),
                1 => {
                    let request = self.http.put(format!("{}/api/cart/items/{product}", self.base));
                    request.json(&json!({ "quantity": 1 }))
                }
                2 => self.http.get(format!("{}/api/cart", self.base)),
                3..6 => self.http.get(format!("{}/api/products", self.base)),
                _ => self.http.get(format!("{}/api/products/{product}", self.base)),
            };
            self.ask(request).await;
        };
        // Each takes the next that nobody has taken.
        let next = Cell::new(0);
        let customer = async || {
            while next.get() < ROUND {
                let number = next.replace(next.get() + 1);
                ask(number).await;
            }
        };
        join_all((0..CUSTOMERS).map(|_| customer())).await;
    }

    /// How long the backend has run, and how long it and those that it asks, in nanoseconds.
    fn run_time(&self) -> Cost {
        let pid = |component| self.stack.pid(component).expect("a process");
        let database = pid(Component::Postgres);
        let sessions = children_of(database).into_iter().chain([database]);
        let backend = run_time_of(pid(Component::Backend));
        Cost {
            backend,
            shop: backend + run_time_of(pid(Component::Redis)) + sessions.map(run_time_of).sum::<f64>(),
        }
    }

    /// How many log lines, or spans, their receiver has taken.
    async fn sent(&self, signal: &str) -> usize {
        let metrics = self.http.get(format!("{}/metrics", self.base)).send().await.expect("an answer");
        let metrics = metrics.text().await.expect("a text");
        let series = format!("telemetry_sent_total{{signal=\"{signal}\"}} ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&series));
        value.map_or(0, |value| value.parse().expect("a number"))
    }

    async fn cost(&self) -> Cost {
        let before = self.run_time();
        self.round().await;
        let after = self.run_time();
        Cost { backend: after.backend - before.backend, shop: after.shop - before.shop }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "the figures are worth a look")]
async fn telemetry_costs_less_than_a_tenth() {
    let url = receiver().await;
    // Of an unoptimised build it would say nothing.
    let released = || Stack::builder().programs(root().join("target/release"));
    let silent = Shop::start(released()).await;
    let watched = released().traces(format!("{url}/v1/traces")).backend_setting("LOKI_URL", &url);
    let watched = Shop::start(watched).await;
    // What is made when it is first used.
    silent.round().await;
    watched.round().await;
    let mut measured = Vec::new();
    while measured.len() < MEASUREMENTS && measured.last().is_none_or(|ratio: &Cost| ratio.shop <= 0.9) {
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let without = silent.cost().await;
            let with = watched.cost().await;
            // Throughput is the other way round.
            ratios.push(Cost { backend: without.backend / with.backend, shop: without.shop / with.shop });
        }
        let median = |of: fn(&Cost) -> f64| {
            let mut sorted: Vec<f64> = ratios.iter().map(of).collect();
            sorted.sort_by(f64::total_cmp);
            sorted[ROUNDS / 2]
        };
        let ratio = Cost { backend: median(|ratio| ratio.backend), shop: median(|ratio| ratio.shop) };
        eprintln!("throughput with telemetry, of what it is without: {ratio:.3?}");
        measured.push(ratio);
    }
    // Of each request a line and its span at least, and most have been sent by now.
    for signal in ["logs", "traces"] {
        assert!(watched.sent(signal).await > ROUNDS * ROUND, "{signal}");
        assert_eq!(silent.sent(signal).await, 0, "{signal}");
    }
    assert!(measured.iter().any(|ratio| ratio.shop > 0.9), "{measured:#?}");
}
