//! One customer: who comes, looks around, and may buy.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::RngExt;
use rand::distr::weighted::WeightedIndex;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::{Known, Load, PATIENCE, Report, exponential};

/// Test cards with how many of a hundred customers pay with them.
const CARDS: [(&str, u32); 4] =
    [("4242424242424242", 92), ("4000000000000002", 5), ("4000000000000119", 2), ("4000000000000341", 1)];

/// Somebody in the shop.
pub(super) struct Customer {
    http: reqwest::Client,
    url: String,
    number: u32,
    think: Duration,
    patient: bool,
    /// Of the page that is looked at.
    trace_id: u128,
    known: Arc<Known>,
    report: Arc<Mutex<Report>>,
}

impl Customer {
    pub(super) fn new(
        load: &Load,
        number: u32,
        known: &Arc<Known>,
        report: &Arc<Mutex<Report>>,
    ) -> Result<Self> {
        let mut http = reqwest::Client::builder().cookie_store(true).timeout(PATIENCE).no_proxy();
        if load.url.starts_with("http://127.") || load.url.starts_with("http://localhost") {
            // All of 127.0.0.0/8 is this machine: each customer has an address, and so limits, of its own.
            let [_, a, b, c] = number.to_be_bytes();
            http = http.local_address(IpAddr::V4(Ipv4Addr::new(127, 1 + a % 200, b, c)));
        }
        Ok(Self {
            http: http.build()?,
            url: load.url.clone(),
            number,
            think: load.think,
            patient: load.patient,
            trace_id: rand::random(),
            known: Arc::clone(known),
            report: Arc::clone(report),
        })
    }

    /// What one customer does in the shop. Who gets no answer leaves.
    pub(super) async fn visit(mut self, came: Instant) {
        let kind: u32 = rand::rng().random_range(0..100);
        let visited = async {
            self.home(came).await?;
            match kind {
                0..55 => self.browse().await,
                55..75 => self.search().await,
                75..88 => self.put_in_cart().await.map(|_| ()),
                _ => self.buy().await,
            }
        };
        let _ = visited.await;
        self.tell_vitals().await;
    }

    /// Looks at the page for a while, and goes on to another.
    async fn next_page(&mut self) {
        tokio::time::sleep(exponential(self.think)).await;
        self.trace_id = rand::random();
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let context = format!("00-{:032x}-{:016x}-01", self.trace_id, rand::random::<u64>());
        self.http.request(method, format!("{}{path}", self.url)).header("traceparent", context)
    }

    /// Asks, notes what came, and gives the body of an answer that is none of trouble.
    async fn ask(&self, step: &'static str, request: RequestBuilder, start: Instant) -> Option<Value> {
        let answer = async {
            let (http, request) = request.build_split();
            let request = request?;
            // What changes something is not repeated by itself.
            let reads = request.method() == Method::GET;
            let second = if self.patient && reads { request.try_clone() } else { None };
            let mut answer = http.execute(request).await?;
            if let (Some(second), Some(wait)) = (second, turned_away(&answer)) {
                tokio::time::sleep(wait).await;
                answer = http.execute(second).await?;
            }
            let status = answer.status().as_u16();
            reqwest::Result::Ok((status, answer.bytes().await?))
        };
        let (status, body) = answer.await.map_or((0, None), |(status, body)| (status, Some(body)));
        self.report.lock().unwrap_or_else(PoisonError::into_inner).note(step, status, start.elapsed());
        let body = body.filter(|_| (200..400).contains(&status))?;
        Some(serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn get(&self, step: &'static str, path: &str) -> Option<Value> {
        self.ask(step, self.request(Method::GET, path), Instant::now()).await
    }

    async fn home(&self, came: Instant) -> Option<()> {
        self.ask("home", self.request(Method::GET, "/"), came).await?;
        self.get("products", "/api/products?limit=20").await?;
        self.get("recommendations", "/api/recommendations?limit=8").await?;
        Some(())
    }

    async fn product(&mut self) -> Option<String> {
        self.next_page().await;
        let id = self.known.product().to_owned();
        self.get("product", &format!("/api/products/{id}")).await?;
        self.get("similar", &format!("/api/products/{id}/similar")).await?;
        Some(id)
    }

    async fn browse(&mut self) -> Option<()> {
        self.get("categories", "/api/categories").await?;
        self.next_page().await;
        let category = Known::any(&self.known.categories).to_owned();
        let request = self.request(Method::GET, "/api/products").query(&[("category", category.as_str())]);
        self.ask("category", request, Instant::now()).await?;
        let products = rand::rng().random_range(1..4);
        for _ in 0..products {
            self.product().await?;
        }
        Some(())
    }

    async fn search(&mut self) -> Option<()> {
        self.next_page().await;
        let word = self.known.word();
        let request = self.request(Method::GET, "/api/products").query(&[("q", word.as_str())]);
        self.ask("search", request, Instant::now()).await?;
        self.product().await.map(|_| ())
    }

    async fn put_in_cart(&mut self) -> Option<String> {
        let id = self.product().await?;
        let request = self.request(Method::PUT, &format!("/api/cart/items/{id}"));
        self.ask("cart", request.json(&json!({ "quantity": 1 })), Instant::now()).await?;
        Some(id)
    }

    async fn buy(&mut self) -> Option<()> {
        self.put_in_cart().await?;
        self.next_page().await;
        let name = format!("load-{:x}-{}", rand::random::<u64>(), self.number);
        let password = format!("{:032x}", rand::random::<u128>());
        let person = json!({ "email": format!("{name}@example.com"), "password": password, "name": "Load" });
        self.ask("register", self.request(Method::POST, "/api/users").json(&person), Instant::now()).await?;
        self.next_page().await;
        let cards = WeightedIndex::new(CARDS.map(|(_, share)| share)).ok()?;
        let card = CARDS[rand::rng().sample(cards)].0;
        let order = json!({
            "shipping_address": {
                "name": "Load", "line1": "1 High Street", "city": "York", "postal_code": "YO1 7HH", "country": "GB",
            },
            "payment": { "card_number": card },
        });
        let request = self.request(Method::POST, "/api/orders").header("idempotency-key", name);
        let order = self.ask("checkout", request.json(&order), Instant::now()).await?;
        let id = order["id"].as_str()?.to_owned();
        self.next_page().await;
        self.get("order", &format!("/api/orders/{id}")).await?;
        if rand::rng().random_bool(0.1) {
            let request = self.request(Method::POST, &format!("/api/orders/{id}/cancel"));
            self.ask("cancel", request, Instant::now()).await?;
        }
        Some(())
    }

    /// What the page reports of itself in the end.
    async fn tell_vitals(&self) {
        let paint = rand::rng().random_range(200.0..1_500.0);
        let report = json!({
            "metrics": [
                { "name": "FCP", "value": paint, "page": "/" },
                { "name": "LCP", "value": paint * 1.5, "page": "/products/{id}" },
                { "name": "CLS", "value": 0.01, "page": "/products/{id}" },
                { "name": "INP", "value": paint / 8.0, "page": "/" },
                { "name": "TTFB", "value": paint / 5.0, "page": "/" },
            ],
            "traces": [{ "name": "page_load", "duration_ms": paint * 2.0, "page": "/" }],
        });
        let request = self.request(Method::POST, "/api/frontend-metrics").json(&report);
        self.ask("vitals", request, Instant::now()).await;
    }
}

/// For how long an answer turns its customer away.
fn turned_away(answer: &Response) -> Option<Duration> {
    if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
        return None;
    }
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(PATIENCE))
}
