//! How often a request goes to the database and to Redis. The table in `docs/architecture.md` says the same; a request that
//! needs more than it says fails here.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Client, PASSWORD, Proxy, Setup, TestApp, checkout_body};

struct Wires {
    app: TestApp,
    postgres: Proxy,
    redis: Proxy,
}

impl Wires {
    async fn new() -> Self {
        let (postgres, redis) = (Proxy::before_postgres().await, Proxy::before_redis().await);
        let setup = Setup::default().postgres_through(&postgres).redis_through(&redis);
        // So little that Redis is asked before each write, which is counted then, and not told of it at some moment later.
        let setup = setup.set("RATE_LIMIT_WRITE", "1000000 burst 1");
        Self { app: setup.start().await.with_products(30).await, postgres, redis }
    }

    /// Round trips to PostgreSQL and to Redis that a request takes when its like was answered before, so that connections
    /// and prepared statements are there.
    async fn count(&self, request: impl AsyncFn() -> Answer) -> (usize, usize) {
        for _ in 0..4 {
            assert!(request().await.status < 400);
        }
        let before = (self.postgres.round_trips(), self.redis.round_trips());
        let answer = request().await;
        assert!(answer.status < 400, "{}", answer.text);
        (self.postgres.round_trips() - before.0, self.redis.round_trips() - before.1)
    }
}

async fn checkout(wires: &Wires, client: &Client) -> Answer {
    let request = client.request(Method::POST, "/api/orders");
    let key = uuid::Uuid::new_v4().to_string();
    let put = client.put_item(wires.app.products[1], 1).await;
    assert_eq!(put.status, 200);
    Answer::of(request.header("idempotency-key", key).json(&checkout_body("4242424242424242"))).await
}

#[tokio::test]
async fn requests_take_as_many_round_trips_as_documented() {
    let wires = Wires::new().await;
    let (guest, ada) = (wires.app.guest(), wires.app.customer().await);
    let product = format!("/api/products/{}", wires.app.products[0]);
    let order = checkout(&wires, &ada).await.expect(201);
    let order = format!("/api/orders/{}", order["id"].as_str().expect("an id"));

    let fresh = AtomicUsize::new(10);
    let mut found = Vec::new();
    let mut note = |what: &str, (postgres, redis): (usize, usize)| {
        found.push(format!("| {what} | {postgres} | {redis} |"));
    };
    note("`GET /api/products/{id}`, cached", wires.count(async || guest.get(&product).await).await);
    note(
        "`GET /api/products/{id}`, not cached",
        wires
            .count(async || {
                let another = fresh.fetch_add(1, Ordering::Relaxed);
                guest.get(&format!("/api/products/{}", wires.app.products[another])).await
            })
            .await,
    );
    note("`GET /api/products`, cached", wires.count(async || guest.get("/api/products").await).await);
    note(
        "`GET /api/products?q=`",
        wires.count(async || guest.query("/api/products", &[("q", "product")]).await).await,
    );
    let misspelt = async || guest.query("/api/products", &[("q", "prodcut")]).await;
    note("`GET /api/products?q=`, misspelt", wires.count(misspelt).await);
    for (what, path) in [
        ("`GET /api/products/facets`, not cached", "/api/products/facets"),
        ("`GET /api/products/suggestions`, not cached", "/api/products/suggestions"),
    ] {
        let number = AtomicUsize::new(0);
        let another = async || {
            let q = format!("product {}", number.fetch_add(1, Ordering::Relaxed) % 6);
            guest.query(path, &[("q", &q)]).await
        };
        note(what, wires.count(another).await);
    }
    note("`GET /api/categories`, cached", wires.count(async || guest.get("/api/categories").await).await);
    note("`GET /api/users/me`", wires.count(async || ada.get("/api/users/me").await).await);
    note("`GET /api/cart`", wires.count(async || ada.get("/api/cart").await).await);
    note(
        "`PUT /api/cart/items/{id}`",
        wires.count(async || ada.put_item(wires.app.products[0], 1).await).await,
    );
    let path = format!("/api/cart/items/{}", wires.app.products[2]);
    note("`DELETE /api/cart/items/{id}`", wires.count(async || ada.delete(&path).await).await);
    let look = async || ada.look_at(wires.app.products[0]).await;
    note("`POST /api/products/{id}/views`", wires.count(look).await);
    note("`GET /api/orders`", wires.count(async || ada.get("/api/orders").await).await);
    note("`GET /api/orders/{id}`", wires.count(async || ada.get(&order).await).await);
    let both = wires.count(async || checkout(&wires, &ada).await).await;
    let put = wires.count(async || ada.put_item(wires.app.products[1], 1).await).await;
    note("`POST /api/orders`", (both.0 - put.0, both.1 - put.1));
    // A browser without a cart or a session, and the logout of a session that was used.
    let email = ada.get("/api/users/me").await.expect(200)["email"].clone();
    let login = json!({ "email": email, "password": PASSWORD });
    let log_in = async || wires.app.guest().post("/api/users/login", &login).await;
    note("`POST /api/users/login`", wires.count(log_in).await);
    let used = async || {
        let browser = wires.app.guest();
        browser.post("/api/users/login", &login).await.expect(200);
        browser.get("/api/users/me").await.expect(200);
        browser
    };
    let alone = wires.count(async || used().await.get("/api/openapi.json").await).await;
    let both = wires.count(async || used().await.post("/api/users/logout", &json!({})).await).await;
    note("`POST /api/users/logout`", (both.0 - alone.0, both.1 - alone.1));
    let root = wires.app.admin().await;
    let body = json!({
        "sku": "A", "name": "Mug", "description": "", "category": "Cups", "tags": [], "price_cents": 1,
    });
    note("`PUT /api/products/{id}`", wires.count(async || root.replace(&product, "*", &body).await).await);
    let vitals = json!({ "metrics": [{ "name": "LCP", "value": 900, "page": "/" }] });
    note(
        "`POST /api/frontend-metrics`",
        wires.count(async || guest.post("/api/frontend-metrics", &vitals).await).await,
    );

    let documented = include_str!("../../../../docs/architecture.md");
    let missing: Vec<&String> = found.iter().filter(|line| !documented.contains(line.as_str())).collect();
    assert!(
        missing.is_empty(),
        "docs/architecture.md says otherwise; what was seen is\n{}",
        found.join("\n")
    );
}
