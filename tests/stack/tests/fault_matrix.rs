//! Every way in which a network breaks, between the backend and each of its dependencies: what is answered and how soon,
//! what is counted, and that all is well again without a restart.

use std::time::{Duration, Instant};

#[path = "support/customer.rs"]
mod customer;

use customer::{Customer, database, number, products};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use stack::{Component, Edge, Link, Stack};

/// No request may take longer: the backend's deadline, and what a busy machine adds.
const DEADLINE: Duration = Duration::from_secs(8);

/// How long the shop may need to find out that all is well again: a worker's pass may wait for ten seconds for an answer
/// that does not come.
const RECOVERY: Duration = Duration::from_secs(20);

/// A name, and how it begins.
type Fault = (&'static str, fn(&Link));

/// What is done to a connection. The slow one is slower than any other test's, and still in time.
const FAULTS: [Fault; 5] = [
    ("cut", Link::cut),
    ("stall", Link::stall),
    ("half-open", Link::half_open),
    ("reset in mid-answer", |link| link.reset_after(20)),
    ("slow", |link| link.slow(Duration::from_millis(20))),
];

/// The statuses of what customers ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answers {
    cached_read: u16,
    read: u16,
    write: u16,
    login: u16,
    recommendations: u16,
}

const ALL_IS_WELL: Answers =
    Answers { cached_read: 200, read: 200, write: 200, login: 200, recommendations: 200 };

/// The shop, a customer, and what the customer looks at.
struct Shop {
    stack: Stack,
    customer: Customer,
    database: tokio_postgres::Client,
    product: String,
}

impl Shop {
    async fn open() -> Self {
        let parts = [Component::Postgres, Component::Redis, Component::Backend, Component::MlService];
        let stack = Stack::builder().only(parts).with_links().start().await.expect("the stack starts");
        let base = stack.url(Component::Backend).expect("url");
        let customer = Customer::register(&base, "ada").await;
        let product = products(&customer, 1).await.remove(0);
        Self { database: database(&stack).await, stack, customer, product }
    }

    fn link(&self, edge: Edge) -> &Link {
        self.stack.link(edge).expect("a proxy")
    }

    /// Asks all at once, each in time.
    async fn ask(&self) -> Answers {
        let get = |path: &str| self.customer.http.get(self.customer.url(path));
        let put = self.customer.http.put(self.customer.url(&format!("/api/cart/items/{}", self.product)));
        let login = reqwest::Client::new().post(self.customer.url("/api/users/login"));
        let (cached_read, read, write, login, recommendations) = tokio::join!(
            status(get(&format!("/api/products/{}", self.product))),
            status(get("/api/orders")),
            status(put.json(&json!({ "quantity": 1 }))),
            status(login.json(&json!({ "email": "ada@example.com", "password": "correct horse" }))),
            status(get("/api/recommendations")),
        );
        Answers { cached_read, read, write, login, recommendations }
    }

    /// The sum of a metric's series that have this in their labels.
    async fn metric(&self, name: &str, label: &str) -> f64 {
        let text = self.customer.get("/metrics").await.text().await.expect("text");
        let series = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    async fn source(&self) -> Value {
        self.customer.get_json("/api/recommendations").await["source"].clone()
    }

    /// The last status of an order. Where the provider's answer alone was lost, the key's answer is that the order waits, and
    /// a worker follows the payment.
    async fn outcome(&self, order: &Value) -> Value {
        let path = format!("/api/orders/{}", order["id"].as_str().expect("an id"));
        let (start, mut order) = (Instant::now(), order.clone());
        while order["status"] == "pending_payment" {
            assert!(start.elapsed() < RECOVERY, "nobody follows the payment of {order}");
            tokio::time::sleep(Duration::from_millis(50)).await;
            order = self.customer.get_json(&path).await;
        }
        order["status"].clone()
    }

    /// All is as before: every answer, and every connection to the database back in its place.
    async fn recovers(&self, fault: &str) {
        let start = Instant::now();
        let wait = async |state: String| {
            assert!(start.elapsed() < RECOVERY, "{fault}: no recovery: {state}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        loop {
            let answers = self.ask().await;
            if answers == ALL_IS_WELL && self.source().await == "model" {
                break;
            }
            wait(format!("{answers:?}")).await;
        }
        let busy = "select count(*) from pg_stat_activity \
                    where application_name = 'shopmicro-backend' and state is distinct from 'idle'";
        loop {
            let health = self.customer.get_json("/health").await;
            let pool = &health["dependencies"]["postgres"]["pool"];
            if health["status"] == "ok"
                && pool["open"] == pool["idle"]
                && pool["waiting"] == 0
                && number(&self.database, busy).await == 0
            {
                break;
            }
            wait(health.to_string()).await;
        }
        // And it stays so: no connection of the bad times is left in the pool.
        for _ in 0..8 {
            assert_eq!(self.ask().await, ALL_IS_WELL, "{fault}: after the recovery");
        }
    }

    /// Breaks a connection in every way.
    async fn suffer(&self, edge: Edge, metric: (&str, &str), expected: Answers, source: Option<&str>) {
        assert_eq!(self.ask().await, ALL_IS_WELL);
        for (fault, begin) in FAULTS {
            let (expected, source) = match fault {
                "slow" => (ALL_IS_WELL, Some("model")),
                _ => (expected, source),
            };
            begin(self.link(edge));
            let start = Instant::now();
            loop {
                let before = self.metric(metric.0, metric.1).await;
                // On the connections that there are, and on new ones.
                for round in ["at once", "later"] {
                    assert_eq!(self.ask().await, expected, "{fault}, {round}");
                }
                if let Some(source) = source {
                    assert_eq!(self.source().await, source, "{fault}");
                }
                // Not at once: a call of the fault before may fail this late, and Redis is left alone for a while then.
                let moved = self.metric(metric.0, metric.1).await > before;
                if moved == (fault != "slow") {
                    break;
                }
                assert!(start.elapsed() < RECOVERY, "{fault}: what fails is counted, and nothing else");
            }
            assert_eq!(self.customer.get("/health/live").await.status(), 200, "{fault}");
            self.link(edge).restore();
            self.recovers(fault).await;
        }
    }
}

async fn status(request: RequestBuilder) -> u16 {
    let asked = Instant::now();
    let answer = request.send().await.expect("an answer");
    assert!(asked.elapsed() < DEADLINE, "{} took {:?}", answer.url(), asked.elapsed());
    answer.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_what_is_cached_answers_and_the_rest_says_when_to_come_back() {
    let shop = Shop::open().await;
    let expected = Answers { cached_read: 200, read: 503, write: 503, login: 503, recommendations: 503 };
    let refusals = ("http_server_request_duration_seconds_count", "http_response_status_code=\"503\"");
    shop.suffer(Edge::BackendToPostgres, refusals, expected, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_nobody_notices() {
    let shop = Shop::open().await;
    let failures = ("redis_client_errors_total", "");
    shop.suffer(Edge::BackendToRedis, failures, ALL_IS_WELL, Some("model")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_ml_service_best_sellers_are_recommended() {
    let shop = Shop::open().await;
    let failures = ("shop_recommendations_failures_total", "");
    shop.suffer(Edge::BackendToMlService, failures, ALL_IS_WELL, Some("fallback")).await;
}

/// The connection breaks at one byte of the database's answers after another: before the order, in it, after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_whose_answer_is_lost_at_any_byte_is_one_order() {
    let shop = Shop::open().await;
    shop.database.execute("update products set stock = 100000", &[]).await.expect("plenty");
    let link = shop.link(Edge::BackendToPostgres);
    let (mut lost, mut placed_and_lost) = (0, 0);
    let orders = async || number(&shop.database, "select count(*) from orders").await;
    for (round, bytes) in (0..2000).step_by(80).enumerate() {
        let round = i64::try_from(round).expect("few");
        shop.customer.put_in_cart(&shop.product).await;
        let key = format!("after-{bytes}");
        link.reset_after(bytes);
        let answer = shop.customer.check_out(&key).await.expect("an answer");
        link.restore();
        if answer.status() != 201 {
            assert_eq!(answer.status(), 503, "after {bytes} bytes");
            lost += 1;
            placed_and_lost += orders().await - round;
        }
        for _ in 0..2 {
            let again = shop.customer.check_out(&key).await.expect("an answer");
            assert_eq!(again.status(), 201, "after {bytes} bytes");
            let order = again.json::<Value>().await.expect("JSON");
            assert_eq!(shop.outcome(&order).await, "paid", "after {bytes} bytes");
        }
        assert_eq!(orders().await, round + 1, "after {bytes} bytes: one order for one key");
    }
    assert!(
        lost > 0 && placed_and_lost > 0,
        "{lost} answers were lost, {placed_and_lost} of orders: it proved little"
    );
    let paid = "select count(*) from payment_provider.charges where status = 'captured'";
    assert_eq!(number(&shop.database, paid).await, orders().await, "and each was paid once");
}
