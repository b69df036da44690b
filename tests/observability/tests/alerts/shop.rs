//! A shop with customers, and what is done to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use acceptance::{APPROVED, PASSWORD, Visitor, address, id, key, order_with};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use stack::{Component, Stack};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// More than the backend needs for customers, less than it needs for many new passwords besides.
pub(crate) const MEMORY_BUDGET: &str = "96 * 2 ^ 20";
/// So large that only a bulk of data fills it in time.
pub(crate) const DISK_BUDGET: &str = "400 * 2 ^ 30";
/// The test card of which the provider does not answer in time.
const TIMES_OUT: &str = "4000000000000119";

/// What customers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// They look around, and buy.
    Buying,
    /// They look around, and their payments get no answer.
    CardsTimeOut,
    /// They only look around.
    Browsing,
}

/// A task that ends when this is dropped.
pub(crate) struct Running(Vec<JoinHandle<()>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// A shop with customers, who ask the backend itself: nginx may be away.
pub(crate) struct Shop {
    backend: String,
    database: Arc<tokio_postgres::Client>,
    mood: watch::Sender<Mood>,
    customers: Running,
}

impl Shop {
    pub(crate) async fn open(stack: &Stack) -> Self {
        let database = stack.database().await.expect("the database");
        let backend = stack.url(Component::Backend).expect("a URL");
        let (mood, moods) = watch::channel(Mood::Buying);
        let visitor = Visitor::at(backend.clone());
        visitor.register(&address()).await;
        let report = json!({ "errors": [{ "message": "x is not a function", "page": "/cart" }] });
        visitor.send(Method::POST, "/api/frontend-metrics", &report).await.expect(202);
        let page = visitor.get("/api/products?in_stock=true&limit=100").await.expect(200);
        let products: Vec<String> = page["items"].as_array().expect("items").iter().map(id).collect();
        let bestseller = products[0].clone();
        // Of this one there shall always be some.
        let sql = format!(
            "with more as (update products set stock = stock + 100000 where id = '{bestseller}' returning id) \
             insert into stock_movements (product_id, delta, reason) select id, 100000, 'adjustment' from more"
        );
        database.batch_execute(&sql).await.expect("a delivery");
        let customers = Running(vec![
            tokio::spawn(browse(visitor.clone(), products)),
            tokio::spawn(buy(visitor, bestseller, moods)),
        ]);
        Self { backend, database: Arc::new(database), mood, customers }
    }

    pub(crate) fn close(self) {
        drop(self.customers);
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.database.batch_execute(sql).await.expect(sql);
    }

    /// Notes a dump as `config/backup/backup` does.
    pub(crate) async fn dumped(&self, at: &str) {
        self.sql(&format!("comment on database shopmicro is 'newest dump: shopmicro-{at}.dump'")).await;
    }

    /// Lets events that wait look as if they had waited for an hour, again and again.
    pub(crate) fn age_events(&self) -> impl Future<Output = ()> + Send + 'static {
        let database = Arc::clone(&self.database);
        async move {
            loop {
                let sql =
                    "update outbox set created_at = now() - interval '1 hour' where published_at is null";
                database.batch_execute(sql).await.expect(sql);
                sleep(Duration::from_millis(300)).await;
            }
        }
    }

    /// People who make accounts, as many at once as there are passwords hashed, and some who wait.
    pub(crate) fn newcomers(&self) -> Running {
        self.many(8, |visitor| {
            let body = json!({ "email": address(), "password": PASSWORD, "name": "Ada" });
            visitor.request(Method::POST, "/api/users").json(&body)
        })
    }

    /// More people than the backend has room for, each with a search that no cache answers.
    pub(crate) fn crowd(&self) -> Running {
        self.many(150, |visitor| visitor.request(Method::GET, "/api/products?q=lamp"))
    }

    /// So many who ask again and again, whatever comes of it.
    fn many(&self, count: usize, request: fn(&Visitor) -> RequestBuilder) -> Running {
        let visitor = Visitor::at(self.backend.clone());
        let ask = move |visitor: Visitor| async move {
            loop {
                let _ = request(&visitor).send().await;
                sleep(Duration::from_millis(50)).await;
            }
        };
        Running((0..count).map(|_| tokio::spawn(ask(visitor.clone()))).collect())
    }
}

/// Goes through the pages; some of it happens while something is away.
async fn browse(visitor: Visitor, products: Vec<String>) {
    for product in products.iter().cycle() {
        let similar = format!("/api/products/{product}");
        for path in ["/api/products", "/api/products?q=lamp", similar.as_str(), "/api/recommendations"] {
            let _ = visitor.request(Method::GET, path).send().await;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Puts a product into a cart and, in the mood for it, checks out.
async fn buy(visitor: Visitor, product: String, mood: watch::Receiver<Mood>) {
    loop {
        sleep(Duration::from_millis(300)).await;
        let card = match *mood.borrow() {
            Mood::Buying => APPROVED,
            Mood::CardsTimeOut => TIMES_OUT,
            Mood::Browsing => continue,
        };
        let path = format!("/api/cart/items/{product}");
        let _ = visitor.request(Method::PUT, &path).json(&json!({ "quantity": 1 })).send().await;
        let order = visitor.request(Method::POST, "/api/orders").header("idempotency-key", key());
        let _ = order.json(&order_with(card)).send().await;
    }
}

/// A line of the year 2001 and a sample of the year 2096, again and again.
pub(crate) async fn send_what_is_refused(loki: String, mimir: String) {
    let http = observability::query::client();
    let values = json!([["1000000000000000000", "{}"]]);
    let line = json!({ "streams": [{ "stream": { "service": "old" }, "values": values }] });
    let point = json!({ "asDouble": 1, "timeUnixNano": "4000000000000000000" });
    let metrics = json!([{ "name": "from_the_future", "gauge": { "dataPoints": [point] } }]);
    let sample = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": metrics }] }] });
    loop {
        for (url, body) in
            [(format!("{loki}/loki/api/v1/push"), &line), (format!("{mimir}/otlp/v1/metrics"), &sample)]
        {
            let answer = http.post(url).json(body).send().await;
            assert_eq!(answer.expect("an answer").status(), StatusCode::BAD_REQUEST);
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// Whoever takes traces.
pub(crate) struct Collector {
    pub(crate) url: String,
    refuses: Arc<AtomicBool>,
}

impl Collector {
    pub(crate) async fn listen() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1/traces", listener.local_addr().expect("an address"));
        let refuses = Arc::new(AtomicBool::new(false));
        let refusing = Arc::clone(&refuses);
        let answer = async move || {
            if refusing.load(Ordering::Relaxed) { StatusCode::FORBIDDEN } else { StatusCode::OK }
        };
        let router = Router::new().fallback(any(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, refuses }
    }

    /// From now on it refuses them, or takes them again.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }
}
