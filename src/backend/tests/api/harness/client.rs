//! A browser: it keeps cookies, and what it gets can be looked at from every side.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

/// A browser with cookies of its own. Clones share them.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    pub(super) fn new(base: Url) -> Self {
        let http = reqwest::Client::builder().cookie_store(true).no_proxy().build().expect("a client");
        Self { http, base }
    }

    /// A request that the test completes itself.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.base.join(path).expect("a path"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// GET with a query string.
    pub(crate) async fn query(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        Answer::of(self.request(Method::GET, path).query(query)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    /// Replaces what `If-Match` names.
    pub(crate) async fn replace(&self, path: &str, if_match: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PUT, path).header("if-match", if_match).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Puts a quantity of a product into the cart.
    pub(crate) async fn put_item(&self, product: Uuid, quantity: i64) -> Answer {
        let path = format!("/api/cart/items/{product}");
        Answer::of(self.request(Method::PUT, &path).json(&json!({ "quantity": quantity }))).await
    }

    /// Looks at a product, as its page says it.
    pub(crate) async fn look_at(&self, product: Uuid) -> Answer {
        Answer::of(self.request(Method::POST, &format!("/api/products/{product}/views"))).await
    }

    /// Orders what is in the cart.
    pub(crate) async fn checkout(&self, key: &str, card: &str) -> Answer {
        self.checkout_with(key, &checkout_body(card)).await
    }

    /// The same, as often as the shop says that it is too busy: on a slow machine one of many may wait too long.
    pub(crate) async fn checkout_at_last(&self, key: &str, card: &str) -> Answer {
        loop {
            let answer = self.checkout(key, card).await;
            if answer.status != 503 {
                return answer;
            }
        }
    }

    /// Orders what is in the cart, with a body of the test's own.
    pub(crate) async fn checkout_with(&self, key: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, "/api/orders").header("idempotency-key", key).json(body)).await
    }

    /// Adjusts the stock of a product, under a key or without.
    pub(crate) async fn adjust(&self, product: Uuid, key: Option<&str>, delta: i32, note: &str) -> Answer {
        let request = self.request(Method::POST, &format!("/api/products/{product}/stock"));
        let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
        Answer::of(request.json(&json!({ "delta": delta, "note": note }))).await
    }

    /// The account that is logged in.
    pub(crate) async fn user_id(&self) -> Uuid {
        let me = self.get("/api/users/me").await.expect(200);
        serde_json::from_value(me["id"].clone()).expect("an id")
    }
}

/// A valid checkout.
pub(crate) fn checkout_body(card: &str) -> Value {
    json!({
        "shipping_address":
            { "name": "Ada", "line1": "1 High St", "city": "York", "postal_code": "YO1 7HH", "country": "GB" },
        "payment": { "card_number": card },
    })
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.expect("a whole body") }
    }

    /// A header's value, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The `Set-Cookie` header of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        cookies.into_iter().find(|cookie| cookie.starts_with(&format!("{name}=")))
    }

    /// The body, where the status is this one.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { serde_json::from_str(&self.text).expect("JSON") }
    }

    /// The problem, where the request was refused so.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, slug: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["type"], format!("https://shopmicro.example/problems/{slug}"), "{problem}");
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string());
        problem
    }

    /// The names of the fields that a refusal complains of.
    #[track_caller]
    pub(crate) fn refused_fields(&self, status: u16, slug: &str) -> Vec<String> {
        let problem = self.refused(status, slug);
        let errors = problem["errors"].as_array().expect("fields are named");
        errors.iter().map(|error| error["field"].as_str().expect("a name").to_owned()).collect()
    }
}
