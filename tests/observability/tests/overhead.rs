//! What telemetry costs: the processor time of the backend for the same requests, with logs and traces sent and without.
//! Time on the processor and not on the clock, so that the machine may do other things meanwhile.

use std::cell::Cell;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use futures_util::future::join_all;
use serde_json::json;
use stack::{Builder, Component, Stack};
use tokio::net::TcpListener;

/// How many ask at once: a service that is idle between requests spends its time on waking up.
const CUSTOMERS: usize = 12;
/// Requests of a round to each of the two.
const ROUND: usize = 900;
const ROUNDS: usize = 9;
/// The demo's.
const CUSTOMER: &str = "demo@shopmicro.example";
const PASSWORD: &str = "demo-customer-pass";

/// Takes everything.
async fn receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(any(async || StatusCode::NO_CONTENT));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
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
        Self { stack, http, base, products }
    }

    /// As customers ask: mostly what is cached, some searches, some writes, and as many logins as in `stack load`, whose
    /// passwords cost more than all the rest.
    async fn round(&self) {
        let ask = async |number: usize| {
            let product = &self.products[number % self.products.len()];
            let request = match number % 10 {
                _ if number.is_multiple_of(75) => {
                    let request = self.http.post(format!("{}/api/users/login", self.base));
                    request.json(&json!({ "email": CUSTOMER, "password": PASSWORD }))
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
            let answer = request.send().await.expect("an answer");
            assert!(answer.status().is_success(), "{}", answer.status());
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

    /// How long the backend's threads have run, in nanoseconds: the first figure of `schedstat` (proc(5)).
    fn run_time(&self) -> f64 {
        let pid = self.stack.pid(Component::Backend).expect("a process");
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("Linux");
        // One that ends meanwhile has no figure.
        let figures =
            threads.flatten().flat_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")));
        figures.filter_map(|figures| figures.split(' ').next()?.parse::<f64>().ok()).sum()
    }

    async fn cost(&self) -> f64 {
        let before = self.run_time();
        self.round().await;
        self.run_time() - before
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "the figure is what it is run for")]
#[ignore = "of an unoptimised build it says nothing: make overhead"]
async fn telemetry_costs_less_than_a_tenth() {
    let url = receiver().await;
    let silent = Shop::start(Stack::builder()).await;
    let watched = Stack::builder().traces(format!("{url}/v1/traces")).backend_setting("LOKI_URL", &url);
    let watched = Shop::start(watched).await;
    // What is made when it is first used.
    silent.round().await;
    watched.round().await;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let without = silent.cost().await;
        ratios.push(watched.cost().await / without);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    // Throughput is the other way round.
    eprintln!("with telemetry, throughput is {:.3} of what it is without", 1.0 / median);
    assert!(1.0 / median > 0.9, "{ratios:?}");
}
