//! A service under test and the backend that it talks to.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http_body_util::BodyExt;
use platform::config::Env;
use platform::extract::Query;
use platform::shutdown::Lifecycle;
use platform::telemetry::{self, Metrics};
use serde::Deserialize;
use serde_json::{Value, json};
use shopmicro_ml_service::config::Config;
use shopmicro_ml_service::interactions::Interaction;
use shopmicro_ml_service::model::{Catalogue, Model, Product};
use shopmicro_ml_service::snapshot::Snapshot;
use shopmicro_ml_service::{App, app};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt;
use uuid::Uuid;

/// An address where nothing listens.
const NOBODY: &str = "127.0.0.1:1";
/// How long something that must happen may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The permits of an open gate: more than there are requests.
const OPEN: usize = 1_000;

/// A small id that reads well in failures.
pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A line of the catalogue.
pub(crate) fn product(number: u128, name: &str, category: &str) -> Value {
    json!({ "id": id(number), "name": name, "description": "", "category": category, "tags": [] })
}

/// Five products in three categories.
pub(crate) fn small_shop() -> Vec<Value> {
    vec![
        product(1, "Red cushion", "Home"),
        product(2, "Blue cushion", "Home"),
        product(3, "Green teapot", "Kitchen"),
        product(4, "Teapot stand", "Kitchen"),
        product(5, "Oak bench", "Garden"),
    ]
}

/// A line of the interactions. The cursor is the number.
pub(crate) fn interaction(number: u64, user: u128, product: u128, kind: &str) -> Value {
    json!({
        "cursor": number.to_string(), "user_id": id(user), "product_id": id(product),
        "kind": kind, "quantity": 1, "at": "2026-05-01T12:00:00Z",
    })
}

/// An answer taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    /// The numbers of the recommended products.
    pub(crate) fn items(&self) -> Vec<u128> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        let items = self.json()["items"].as_array().expect("items").clone();
        items
            .iter()
            .map(|item| {
                item["product_id"].as_str().expect("an id").parse::<Uuid>().expect("a UUID").as_u128()
            })
            .collect()
    }

    /// The stable key of a problem.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        problem["type"].as_str().and_then(|kind| kind.rsplit('/').next()).expect("a type").to_owned()
    }
}

/// The service.
pub(crate) struct TestApp {
    pub(crate) state: App,
}

impl TestApp {
    fn new(redis: &str, prefix: &str, backend: &str) -> (Self, Config) {
        Self::new_with(redis, prefix, backend, &[])
    }

    fn new_with(redis: &str, prefix: &str, backend: &str, more: &[(&'static str, &str)]) -> (Self, Config) {
        let usual = [
            ("FLASK_ENV", "test"),
            ("REDIS_URL", redis),
            ("REDIS_PREFIX", prefix),
            ("BACKEND_URL", backend),
            ("CPU_THREADS", "1"),
            ("INTERACTIONS_POLL_MILLISECONDS", "20"),
        ];
        let pairs: Vec<(&str, &str)> = usual.iter().chain(more).copied().collect();
        let config = Config::read(&mut Env::from_pairs(pairs)).expect("a valid configuration");
        let state = App::new(&config, metrics(), Lifecycle::new()).expect("a service");
        (Self { state }, config)
    }

    /// Without a model, Redis or backend.
    pub(crate) fn bare() -> Self {
        Self::new(&format!("redis://{NOBODY}"), "", &format!("http://{NOBODY}")).0
    }

    /// With a model of these products in memory, after these interactions, without Redis or backend.
    pub(crate) fn of(products: &[Value], interactions: &[Value]) -> Self {
        Self::bare().with(products, interactions)
    }

    /// The same with a Redis.
    pub(crate) fn of_with_redis(
        products: &[Value],
        interactions: &[Value],
        redis: &str,
        prefix: &str,
    ) -> Self {
        Self::new(redis, prefix, &format!("http://{NOBODY}")).0.with(products, interactions)
    }

    /// Following a backend, with further variables.
    pub(crate) async fn following_with(backend: &StandIn, more: &[(&'static str, &str)]) -> Self {
        Self::following_with_every(backend, more, Duration::from_hours(1)).await
    }

    /// The same, looking at the catalogue and writing what customers did so often.
    pub(crate) async fn following_with_every(
        backend: &StandIn,
        more: &[(&'static str, &str)],
        catalogue_poll: Duration,
    ) -> Self {
        let prefix = format!("test:{}:", Uuid::new_v4().simple());
        let (app, config) = Self::new_with(&redis_url(), &prefix, &backend.url, more);
        app.state.restore().await;
        app.state.follow(&Config { catalogue_poll, ..config });
        app
    }

    fn with(self, products: &[Value], interactions: &[Value]) -> Self {
        let products: Vec<Product> =
            products.iter().map(|p| serde_json::from_value(p.clone()).expect("a product")).collect();
        let model = Model::train(&Catalogue::new(products));
        self.state.snapshots.put(Snapshot { model, trained_at: jiff::Timestamp::now() });
        {
            let mut remembered = self.state.interactions_mut();
            for line in interactions {
                let line: Interaction = serde_json::from_value(line.clone()).expect("an interaction");
                remembered.apply(&line);
            }
            remembered.caught_up();
        }
        self
    }

    /// Following a backend, with a real Redis under a prefix of its own.
    pub(crate) fn following(backend: &StandIn) -> Self {
        Self::following_every(backend, Duration::from_millis(50))
    }

    /// The same, looking at the catalogue so often.
    pub(crate) fn following_every(backend: &StandIn, catalogue_poll: Duration) -> Self {
        let prefix = format!("test:{}:", Uuid::new_v4().simple());
        let (app, config) = Self::new(&redis_url(), &prefix, &backend.url);
        app.state.follow(&Config { catalogue_poll, ..config });
        app
    }

    /// The same, asking for interactions as often as it does where nobody says otherwise.
    pub(crate) fn following_at_its_own_pace(backend: &StandIn) -> Self {
        let prefix = format!("test:{}:", Uuid::new_v4().simple());
        let (app, config) = Self::new(&redis_url(), &prefix, &backend.url);
        let default = Config::read(&mut Env::from_pairs::<&str, &str>([])).expect("defaults are valid");
        app.state.follow(&Config { interactions_poll: default.interactions_poll, ..config });
        app
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.send(Method::POST, path).await
    }

    pub(crate) async fn post_with_token(&self, path: &str, token: &str) -> Answer {
        let request = Request::post(path).header("authorization", format!("Bearer {token}"));
        self.answer(request.body(Body::empty()).expect("a request")).await
    }

    async fn send(&self, method: Method, path: &str) -> Answer {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        self.answer(request).await
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let response = app(self.state.clone()).oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// Waits until the backend failed to give its catalogue twice: by the second time the first is dealt
    /// with.
    pub(crate) async fn outlives_failures(&self, backend: &StandIn) {
        let before = backend.shop().failures;
        self.eventually("/metrics", |_| backend.shop().failures >= before + 2).await;
    }

    /// Waits until an address answers as wanted.
    pub(crate) async fn eventually(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < end, "{path} still answers {}: {}", answer.status, answer.text);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the service is ready.
    pub(crate) async fn ready(&self) {
        self.eventually("/health/ready", |answer| answer.status == StatusCode::OK).await;
    }
}

/// The one meter of the process.
fn metrics() -> Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| telemetry::metrics_only().expect("metrics")).clone()
}

/// The Redis that tests may use.
pub(crate) fn redis_url() -> String {
    Env::from_process().get("REDIS_URL").unwrap_or_else(|| {
        panic!(
            "REDIS_URL is not set: these tests need a real Redis; run them by `make test`, which starts one"
        )
    })
}

/// What the backend answers; tests change it while it runs.
#[derive(Debug, Default)]
pub(crate) struct Shop {
    pub(crate) products: Vec<Value>,
    pub(crate) interactions: Vec<Value>,
    /// Answers 503 to everything.
    pub(crate) down: bool,
    /// Breaks the catalogue's stream after its first line.
    pub(crate) cut: bool,
    /// Refuses every cursor, as a backend does whose database was replaced.
    pub(crate) forgetful: bool,
    /// How many lines one answer holds.
    pub(crate) page: usize,
    /// How many catalogues were asked for.
    pub(crate) catalogues: usize,
    /// How many catalogues were refused or broken.
    pub(crate) failures: usize,
    /// The cursors that were asked for.
    pub(crate) cursors: Vec<Option<String>>,
}

/// A server with the backend's two streams.
#[derive(Clone)]
pub(crate) struct StandIn {
    pub(crate) url: String,
    shop: Arc<Mutex<Shop>>,
    /// A catalogue needs a permit to pass.
    gate: Arc<Semaphore>,
}

impl StandIn {
    pub(crate) async fn start(products: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let shop = Shop { products, page: 50_000, ..Shop::default() };
        let gate = Arc::new(Semaphore::new(OPEN));
        let stand_in = Self { url, shop: Arc::new(Mutex::new(shop)), gate };
        let routes = Router::new()
            .route("/internal/catalogue", get(catalogue))
            .route("/internal/interactions", get(interactions))
            .route("/health/live", get(async || "{}"))
            .with_state(stand_in.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        stand_in
    }

    pub(crate) fn shop(&self) -> MutexGuard<'_, Shop> {
        self.shop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds every answer with the catalogue back.
    pub(crate) fn close_gate(&self) {
        self.gate.forget_permits(OPEN);
    }

    /// Lets them through again.
    pub(crate) fn open_gate(&self) {
        self.gate.add_permits(OPEN);
    }
}

fn lines(values: &[Value]) -> Vec<u8> {
    values.iter().flat_map(|value| format!("{value}\n").into_bytes()).collect()
}

async fn catalogue(State(stand_in): State<StandIn>) -> Response {
    let permit = stand_in.gate.acquire().await.expect("never closed");
    drop(permit);
    let mut shop = stand_in.shop();
    shop.catalogues += 1;
    shop.failures += usize::from(shop.down || shop.cut);
    if shop.down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if shop.cut {
        let first = Ok(lines(&shop.products[..1]));
        return Body::from_stream(futures_util::stream::iter([first, Err(std::io::Error::other("cut"))]))
            .into_response();
    }
    lines(&shop.products).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    after: Option<String>,
}

async fn interactions(State(stand_in): State<StandIn>, Query(After { after }): Query<After>) -> Response {
    let mut shop = stand_in.shop();
    shop.cursors.push(after.clone());
    if shop.down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if shop.forgetful && after.is_some() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let seen = after.map_or(0, |cursor| {
        let place = shop.interactions.iter().position(|line| line["cursor"] == cursor);
        place.expect("a cursor of ours") + 1
    });
    let end = shop.interactions.len().min(seen + shop.page);
    lines(&shop.interactions[seen..end]).into_response()
}
