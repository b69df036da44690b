//! A customer of a stack, and a look behind it.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use stack::Stack;

/// A customer with a session of its own.
#[derive(Clone)]
pub(crate) struct Customer {
    pub(crate) http: reqwest::Client,
    base: String,
}

impl Customer {
    /// Registers at the service of this base URL.
    pub(crate) async fn register(base: &str, name: &str) -> Self {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .timeout(Duration::from_secs(15))
            .build()
            .expect("client");
        let customer = Self { http, base: base.to_owned() };
        let body =
            json!({ "email": format!("{name}@example.com"), "password": "correct horse", "name": name });
        let answer =
            customer.http.post(customer.url("/api/users")).json(&body).send().await.expect("register");
        assert_eq!(answer.status(), StatusCode::CREATED);
        customer
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http.get(self.url(path)).send().await.expect("an answer")
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "GET {path}");
        answer.json().await.expect("JSON")
    }

    pub(crate) async fn put_in_cart(&self, product: &str) {
        let request = self.http.put(self.url(&format!("/api/cart/items/{product}")));
        let answer = request.json(&json!({ "quantity": 1 })).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
    }

    pub(crate) async fn check_out(&self, key: &str) -> reqwest::Result<Response> {
        let body = json!({
            "shipping_address": {
                "name": "Ada", "line1": "1 High St", "city": "York", "postal_code": "YO1 7HH", "country": "GB",
            },
            "payment": { "card_number": "4242424242424242" },
        });
        self.http.post(self.url("/api/orders")).header("idempotency-key", key).json(&body).send().await
    }
}

/// Ids of products with plenty in stock.
pub(crate) async fn products(customer: &Customer, count: usize) -> Vec<String> {
    let page = customer.get_json("/api/products?in_stock=true&limit=100").await;
    let items = page["items"].as_array().expect("items");
    let plenty = items.iter().filter(|product| product["stock"].as_i64() > Some(10));
    let ids: Vec<String> =
        plenty.take(count).filter_map(|p| p["id"].as_str().map(ToOwned::to_owned)).collect();
    assert_eq!(ids.len(), count, "the demo catalogue has products in stock");
    ids
}

/// A connection to the shop's database, past any proxy.
pub(crate) async fn database(stack: &Stack) -> tokio_postgres::Client {
    stack.database().await.expect("connect")
}

/// The one number that a query asks for.
pub(crate) async fn number(client: &tokio_postgres::Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect(sql).get(0)
}
