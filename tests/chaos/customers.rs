//! Customers who buy whatever happens, and remember what they were told. They ask again, as pages do, until they have an
//! answer that is one: neither nothing nor "later".

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rand::RngExt;
use rand::rngs::SmallRng;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::{RwLock, watch};
use uuid::Uuid;

/// How long one question may wait for its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer may take in all, however often it was asked for.
const DEADLINE: Duration = Duration::from_mins(1);
/// How long until they ask again.
const PAUSE: Duration = Duration::from_millis(200);
const PASSWORD: &str = "correct horse";
/// Cards with how many of a hundred orders are paid by them: one that is good, one that is declined, and one whose payment
/// is made while its answer is lost.
const CARDS: [(&str, u32); 3] = [("4242424242424242", 84), ("4000000000000002", 14), ("4000000000000341", 2)];

/// What a customer was told of a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is an order.
    Placed {
        /// Its id.
        order: Uuid,
        /// What it costs, in minor units.
        total_cents: i64,
        /// It was called off, and that was confirmed.
        cancelled: bool,
    },
    /// The card was declined.
    Declined,
    /// Nothing was ordered: too little is in stock, or the cart is empty.
    Refused,
}

/// A checkout.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Whose.
    pub email: String,
    /// Its `Idempotency-Key`.
    pub key: String,
    /// None where none came in time.
    pub answer: Option<Answer>,
}

/// What all customers were told.
#[derive(Debug, Default)]
pub struct Told {
    /// Their checkouts.
    pub attempts: Vec<Attempt>,
    /// What no shop may say, in words.
    pub wrong: Vec<String>,
}

/// What customers share.
#[derive(Clone, Debug)]
pub struct Crowd {
    url: String,
    products: Arc<[Uuid]>,
    told: Arc<Mutex<Told>>,
    /// Held by each customer for a visit: who holds it alone has a shop without customers.
    doors: Arc<RwLock<()>>,
    over: watch::Receiver<bool>,
}

impl Crowd {
    /// Customers of the shop at this URL, until told that it is over.
    pub fn new(url: String, products: Vec<Uuid>, over: watch::Receiver<bool>) -> Self {
        Self { url, products: products.into(), told: Arc::default(), doors: Arc::default(), over }
    }

    /// What they were told.
    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until every visit has ended, and looks at the shop meanwhile: nobody comes until the work is done.
    pub async fn without_customers<T>(&self, work: impl Future<Output = T>) -> T {
        let _closed = self.doors.write().await;
        work.await
    }

    /// One customer, who buys until it is over.
    pub async fn buy(self, number: usize, mut rng: SmallRng) {
        let mut customer = None;
        while !*self.over.borrow() {
            let open = self.doors.read().await;
            if let Err(error) = self.visit(&mut customer, number, &mut rng).await {
                self.told().wrong.push(format!("customer {number}: {error:#}"));
            }
            drop(open);
            tokio::task::yield_now().await;
        }
    }

    async fn visit(&self, customer: &mut Option<Customer>, number: usize, rng: &mut SmallRng) -> Result<()> {
        // Now and then somebody new comes with the same device.
        if customer.is_none() || rng.random_ratio(1, 20) {
            *customer = Some(Customer::register(&self.url, number).await?);
        }
        let Some(customer) = customer else { return Ok(()) };
        let me =
            customer.insist("who am I", |customer| customer.http.get(customer.at("/api/users/me"))).await?;
        ensure!(me.status() == StatusCode::OK, "{} was logged out: {}", customer.email, me.status());
        let me: Value = me.json().await?;
        ensure!(me["email"] == *customer.email, "{} was taken for {}", customer.email, me["email"]);

        for _ in 0..rng.random_range(1..=3) {
            let product = self.products[rng.random_range(0..self.products.len())];
            let body = json!({ "quantity": rng.random_range(1..=3) });
            let path = format!("/api/cart/items/{product}");
            let put = |customer: &Customer| customer.http.put(customer.at(&path)).json(&body);
            let put = customer.insist("into the cart", put).await?;
            ensure!(put.status() == StatusCode::OK, "{path}: {}", put.status());
        }
        let (again, cancels) = (rng.random_ratio(1, 10), rng.random_ratio(1, 10));
        let key = format!("{:032x}", rng.random::<u128>());
        let card = card(rng);
        let attempt = Attempt { email: customer.email.clone(), key: key.clone(), answer: None };
        let place = {
            let mut told = self.told();
            told.attempts.push(attempt);
            told.attempts.len() - 1
        };
        let mut answer = customer.check_out(&key, card).await?;
        if again {
            let second = customer.check_out(&key, card).await?;
            // What was refused for want of stock may be there by now; what was placed or declined stays so.
            ensure!(
                second == answer || answer == Answer::Refused,
                "{key}: first {answer:?}, then {second:?}"
            );
            answer = second;
        }
        if cancels && let Answer::Placed { order, cancelled, .. } = &mut answer {
            let path = format!("/api/orders/{order}/cancel");
            let cancel = |customer: &Customer| customer.http.post(customer.at(&path));
            // 409 where the answer to the first wish was lost.
            *cancelled = matches!(
                customer.insist("cancel", cancel).await?.status(),
                StatusCode::OK | StatusCode::CONFLICT
            );
        }
        self.told().attempts[place].answer = Some(answer);
        Ok(())
    }
}

fn card(rng: &mut SmallRng) -> &'static str {
    let mut at = rng.random_range(0..100);
    for (card, share) in CARDS {
        if at < share {
            return card;
        }
        at -= share;
    }
    CARDS[0].0
}

#[derive(Debug)]
struct Customer {
    http: reqwest::Client,
    url: String,
    email: String,
}

impl Customer {
    /// Somebody new. Where the answer to a registration was lost, they log in.
    async fn register(url: &str, number: usize) -> Result<Self> {
        let http = reqwest::Client::builder().cookie_store(true).timeout(PATIENCE).no_proxy().build()?;
        let email = format!("{number}-{}@example.com", Uuid::new_v4().simple());
        let customer = Self { http, url: url.to_owned(), email };
        let body = json!({ "email": customer.email, "password": PASSWORD, "name": "Ada" });
        let ask = |path: &'static str, body: Value| {
            move |customer: &Self| customer.http.post(customer.at(path)).json(&body)
        };
        let registered = customer.insist("register", ask("/api/users", body)).await?;
        match registered.status() {
            StatusCode::CREATED => {}
            StatusCode::CONFLICT => {
                let body = json!({ "email": customer.email, "password": PASSWORD });
                let login = customer.insist("log in", ask("/api/users/login", body)).await?;
                ensure!(login.status() == StatusCode::OK, "log in: {}", login.status());
            }
            status => bail!("register: {status}"),
        }
        Ok(customer)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn check_out(&self, key: &str, card: &str) -> Result<Answer> {
        let body = json!({
            "shipping_address": {
                "name": "Ada", "line1": "1 High St", "city": "York", "postal_code": "YO1 7HH", "country": "GB",
            },
            "payment": { "card_number": card },
        });
        let order = |customer: &Self| {
            customer.http.post(customer.at("/api/orders")).header("idempotency-key", key).json(&body)
        };
        let answer = self.insist("check out", order).await?;
        Ok(match answer.status() {
            StatusCode::CREATED => {
                let order: Value = answer.json().await.context("an order")?;
                Answer::Placed {
                    order: order["id"].as_str().and_then(|id| id.parse().ok()).context("an id")?,
                    total_cents: order["total_cents"].as_i64().context("a total")?,
                    cancelled: false,
                }
            }
            StatusCode::PAYMENT_REQUIRED => Answer::Declined,
            StatusCode::CONFLICT => Answer::Refused,
            status => bail!("check out: {status}: {}", answer.text().await?),
        })
    }

    /// Asks until there is an answer.
    async fn insist(&self, what: &str, ask: impl Fn(&Self) -> RequestBuilder) -> Result<Response> {
        let start = Instant::now();
        loop {
            let last = match ask(self).send().await {
                Ok(answer)
                    if !answer.status().is_server_error()
                        && answer.status() != StatusCode::TOO_MANY_REQUESTS =>
                {
                    return Ok(answer);
                }
                Ok(answer) => {
                    // Failures are told from mistakes: those would stay.
                    let status = answer.status();
                    ensure!(
                        status != StatusCode::INTERNAL_SERVER_ERROR,
                        "{what}: {status}: {}",
                        answer.text().await.unwrap_or_default()
                    );
                    status.to_string()
                }
                Err(error) => error.without_url().to_string(),
            };
            ensure!(start.elapsed() < DEADLINE, "{what}: no answer within {DEADLINE:?}: {last}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}
