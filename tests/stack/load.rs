//! Customers of a shop, as many as come: they arrive at a rate whether or not the shop keeps up (an open model), so that
//! what a slow shop does to people is seen and not hidden by customers who wait for it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use rand::RngExt;
use rand::distr::weighted::WeightedIndex;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// How many customers may be in the shop at once; those for whom there is no place are counted.
const PLACES: usize = 500;
/// How long a customer waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many products the customers know.
const CATALOGUE: usize = 100;
/// Test cards with how many of a hundred customers pay with them.
const CARDS: [(&str, u32); 4] =
    [("4242424242424242", 92), ("4000000000000002", 5), ("4000000000000119", 2), ("4000000000000341", 1)];

/// How customers come.
#[derive(Clone, Debug)]
pub struct Load {
    /// The shop's base URL.
    pub url: String,
    /// New customers a second, on average.
    pub rate: f64,
    /// For how long they come.
    pub duration: Duration,
    /// How long a customer looks at a page, on average.
    pub think: Duration,
    /// In the middle third of the time come so many times more.
    pub spike: f64,
    /// Customers ask again, once, for what they were turned away from until later (503 and Retry-After), as the pages do
    /// for them; only the second answer counts.
    pub patient: bool,
}

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

    fn note(&mut self, name: &'static str, status: u16, took: Duration) {
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

/// What customers know of the shop before they come: some products, the favourites first.
#[derive(Debug)]
struct Known {
    products: Vec<String>,
    words: Vec<String>,
    categories: Vec<String>,
    favourites: WeightedIndex<f64>,
}

impl Known {
    async fn look(url: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let get = async |path: &str| -> Result<Value> {
            let answer = http.get(format!("{url}{path}")).send().await?.error_for_status()?;
            Ok(answer.json().await?)
        };
        let page = get(&format!("/api/products?in_stock=true&limit={CATALOGUE}")).await;
        let page = page.with_context(|| format!("is there a shop at {url}?"))?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let products: Vec<String> = items.iter().map(|item| text(&item["id"])).collect();
        ensure!(!products.is_empty(), "the shop at {url} has nothing to sell");
        let names = items.iter().map(|item| text(&item["name"]));
        let words = names.flat_map(|name| name.split(' ').map(str::to_lowercase).collect::<Vec<_>>());
        let words = words.filter(|word| word.len() > 3 && word.chars().all(char::is_alphabetic)).collect();
        let categories = get("/api/categories").await?;
        let categories = categories["items"].as_array().into_iter().flatten();
        Ok(Self {
            // Zipf's law: the second is bought half as often as the first, the third a third.
            favourites: WeightedIndex::new((1_u16..).take(products.len()).map(|rank| 1.0 / f64::from(rank)))?,
            products,
            words,
            categories: categories.map(|category| text(&category["name"])).collect(),
        })
    }

    fn product(&self) -> &str {
        &self.products[rand::rng().sample(&self.favourites)]
    }

    fn any(list: &[String]) -> &str {
        if list.is_empty() { "" } else { &list[rand::rng().random_range(0..list.len())] }
    }

    /// A word of a product's name, now and then misspelt.
    fn word(&self) -> String {
        let mut letters: Vec<char> = Self::any(&self.words).chars().collect();
        if letters.len() > 4 && rand::rng().random_bool(0.15) {
            let at = rand::rng().random_range(1..letters.len() - 1);
            letters.swap(at, at + 1);
        }
        letters.into_iter().collect()
    }
}

/// A time with this mean, as between events that know nothing of each other.
fn exponential(mean: Duration) -> Duration {
    let uniform: f64 = rand::rng().random_range(f64::EPSILON..1.0);
    mean.mul_f64(-uniform.ln())
}

/// Lets customers come until the time is over or `stop` says so, waits for those who are in the shop, and reports.
pub async fn run(load: &Load, stop: impl Future<Output = ()>) -> Result<Report> {
    ensure!(load.rate > 0.0 && load.rate <= 10_000.0, "the rate is not between 0 and 10,000 a second");
    ensure!(load.spike >= 1.0, "a spike is at least as high as what is around it");
    let known = Arc::new(Known::look(&load.url).await?);
    let report = Arc::new(Mutex::new(Report::default()));
    let mut inside = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    let start = Instant::now();
    let mut due = Duration::ZERO;
    let mut number = 0;
    loop {
        let middle = due > load.duration / 3 && due < load.duration * 2 / 3;
        let rate = if middle { load.rate * load.spike } else { load.rate };
        due += exponential(Duration::from_secs_f64(1.0 / rate));
        if due >= load.duration {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep_until((start + due).into()) => {}
            () = &mut stop => break,
        }
        while inside.try_join_next().is_some() {}
        let mut figures = report.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.len() >= PLACES {
            figures.turned_away += 1;
            continue;
        }
        figures.customers += 1;
        drop(figures);
        let customer = Customer::new(load, number, &known, &report)?;
        number += 1;
        // From when the customer came, not from when there was time for it here.
        inside.spawn(customer.visit(start + due));
    }
    while inside.join_next().await.is_some() {}
    Ok(std::mem::take(&mut *report.lock().unwrap_or_else(PoisonError::into_inner)))
}

struct Customer {
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
    fn new(load: &Load, number: u32, known: &Arc<Known>, report: &Arc<Mutex<Report>>) -> Result<Self> {
        let mut http = reqwest::Client::builder().cookie_store(true).timeout(PATIENCE).no_proxy();
        if load.url.starts_with("http://127.") || load.url.starts_with("http://localhost") {
            // All of 127.0.0.0/8 is this machine: each customer has an address, and so limits, of its own.
            let [_, a, b, c] = number.to_be_bytes();
            http = http.local_address(IpAddr::V4(Ipv4Addr::new(127, 1 + a % 200, b, c.max(1))));
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
    async fn visit(mut self, came: Instant) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_between_arrivals_have_the_mean_that_was_asked_for() {
        let mean = Duration::from_millis(10);
        let total: Duration = (0..20_000).map(|_| exponential(mean)).sum();
        // Eight standard deviations.
        assert!((total.as_secs_f64() / 200.0 - 1.0).abs() < 0.06, "{total:?}");
    }

    #[test]
    fn favourites_are_bought_by_zipfs_law() {
        let known = Known {
            products: (0..10).map(|number| number.to_string()).collect(),
            words: vec!["lantern".to_owned()],
            categories: Vec::new(),
            favourites: WeightedIndex::new((1..=10).map(|rank| 1.0 / f64::from(rank))).expect("weights"),
        };
        let mut bought = [0_u32; 10];
        for _ in 0..50_000 {
            bought[known.product().parse::<usize>().expect("a number")] += 1;
        }
        let ratio = f64::from(bought[0]) / f64::from(bought[4]);
        assert!((4.3..5.8).contains(&ratio), "{bought:?}");
        let words: Vec<String> = (0..200).map(|_| known.word()).collect();
        assert!(words.iter().any(|word| word == "lantern") && words.iter().any(|word| word != "lantern"));
    }

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
