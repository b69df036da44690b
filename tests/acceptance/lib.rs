//! A client of a running shop, known by its URL alone: the same suite runs against local processes, NixOS machines and
//! a Kubernetes cluster, with any catalogue.

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// How long something may take that happens in the background.
const PATIENCE: Duration = Duration::from_secs(15);

/// The URL in a variable of the environment, without a slash at its end.
#[expect(clippy::disallowed_methods, reason = "a suite has no configuration but its URLs")]
pub fn url(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok()?;
    Some(url.trim_end_matches('/').to_owned())
}

/// The shop's URL.
///
/// # Panics
/// Where the environment does not have it.
pub fn shop() -> String {
    url("SHOP_URL").expect("SHOP_URL is not set: `make test` sets it, as does `stack exec -- COMMAND`")
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is not.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The body of an answer with this status.
    ///
    /// # Panics
    /// Where the status is another.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// Checks that the answer is a problem of this kind, and returns it.
    ///
    /// # Panics
    /// Where it is not.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, kind: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let found = problem["type"].as_str().unwrap_or_default();
        assert_eq!(found.rsplit('/').next(), Some(kind), "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        problem
    }

    /// A header's value, empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Somebody with a browser: keeps cookies.
#[derive(Clone, Debug)]
pub struct Visitor {
    http: reqwest::Client,
    base: String,
}

impl Visitor {
    /// Somebody new.
    ///
    /// # Panics
    /// Where no client can be made.
    pub fn new() -> Self {
        Self::at(shop())
    }

    /// Somebody new in the shop at this URL.
    ///
    /// # Panics
    /// Where no client can be made.
    pub fn at(base: String) -> Self {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { http, base }
    }

    /// Somebody new who has made an account.
    pub async fn customer() -> Self {
        let visitor = Self::new();
        visitor.register(&address()).await;
        visitor
    }

    /// Makes an account.
    pub async fn register(&self, email: &str) -> Value {
        let body = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
        self.send(Method::POST, "/api/users", &body).await.expect(201)
    }

    /// A request to the shop.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Asks for a page or a resource.
    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    /// Sends JSON.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        answer(self.request(method, path).json(body)).await
    }

    /// Puts a quantity of a product into the cart.
    pub async fn put_in_cart(&self, product: &str, quantity: i64) -> Answer {
        let path = format!("/api/cart/items/{product}");
        self.send(Method::PUT, &path, &json!({ "quantity": quantity })).await
    }

    /// Orders what is in the cart.
    pub async fn check_out(&self, key: &str, card: &str) -> Answer {
        answer(
            self.request(Method::POST, "/api/orders").header("idempotency-key", key).json(&order_with(card)),
        )
        .await
    }
}

impl Default for Visitor {
    fn default() -> Self {
        Self::new()
    }
}

/// Sends a request and reads the answer.
///
/// # Panics
/// Where none comes.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.expect("a body") }
}

/// The password of every account that the suite makes.
pub const PASSWORD: &str = "correct horse battery";
/// The test card that is approved.
pub const APPROVED: &str = "4242424242424242";

/// An address that nobody has.
pub fn address() -> String {
    format!("{}@acceptance.example", Uuid::new_v4().simple())
}

/// A key that nobody used.
pub fn key() -> String {
    Uuid::new_v4().to_string()
}

/// The body of a checkout.
pub fn order_with(card: &str) -> Value {
    json!({
        "shipping_address": {
            "name": "Ada", "line1": "1 High St", "city": "York", "postal_code": "YO1 7HH", "country": "GB",
        },
        "payment": { "card_number": card },
    })
}

/// A product with plenty in stock; `nth` tells one from another.
///
/// # Panics
/// Where the shop has none.
pub async fn product(nth: usize) -> Value {
    let page = Visitor::new().get("/api/products?in_stock=true&limit=100&sort=name").await.expect(200);
    let items = page["items"].as_array().expect("items");
    let mut plenty = items.iter().filter(|product| product["stock"].as_i64() > Some(10));
    plenty.nth(nth).cloned().expect("the suite needs products with more than ten in stock")
}

/// The id of a resource.
///
/// # Panics
/// Where it has none.
pub fn id(resource: &Value) -> String {
    resource["id"].as_str().expect("an id").to_owned()
}

/// Asks until the condition holds.
///
/// # Panics
/// Where it does not within fifteen seconds.
pub async fn eventually(visitor: &Visitor, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let body = visitor.get(path).await.expect(200);
        if holds(&body) {
            return body;
        }
        assert!(Instant::now() < deadline, "GET {path} still says {body}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
