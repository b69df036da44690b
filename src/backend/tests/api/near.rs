//! Copies in the process: what was changed on one replica is not shown as it was on the other, nor where changes are not
//! heard.

use std::time::{Duration, Instant};

use platform::redis::watch::HEARD;
use reqwest::Method;
use serde_json::json;
use shopmicro_backend::cache::Scope;
use shopmicro_backend::sessions::SESSION_COOKIE;
use uuid::Uuid;

use crate::harness::{Answer, NewProduct, PASSWORD, Proxy, Setup, TestApp};

/// How long Redis' message of a change may take on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks until the answer is as wanted.
async fn until(mut ask: impl AsyncFnMut() -> bool) {
    let asked = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("in time");
}

/// Changes the stock behind the shop's back until an answer does not tell of it: it came from the process.
async fn answers_from_the_process(app: &TestApp, path: &str) {
    let guest = app.guest();
    until(async || {
        let before = guest.get(path).await.expect(200);
        app.execute("update products set stock = stock + 1", &[]).await;
        // Neither is the value in Redis fresh any more.
        let _ = app.forget_in_redis(&format!("product:{}:answer:fresh", app.products[0])).await;
        guest.get(path).await.expect(200) == before
    })
    .await;
}

#[tokio::test]
async fn a_change_on_one_replica_is_seen_on_the_other() {
    let app = TestApp::new().await.with_products(1).await;
    let (other, guest) = app.replica().await;
    app.listen();
    tokio::spawn(other.changes.clone().listen(other.redis.clone()));
    let path = format!("/api/products/{}", app.products[0]);
    answers_from_the_process(&app, &path).await;
    for stock in 20..30 {
        app.guest().get(&path).await.expect(200);
        guest.get(&path).await.expect(200);
        app.execute("update products set stock = $1::int", &[&stock]).await;
        other.cache.forget(&[Scope::Product(app.products[0])]).await;
        // At once where it was made, and when Redis has told of it elsewhere.
        assert_eq!(guest.get(&path).await.expect(200)["stock"], stock);
        until(async || app.guest().get(&path).await.expect(200)["stock"] == stock).await;
    }
}

/// A copy counts no longer than the value in Redis that it was made of.
#[tokio::test]
async fn a_copy_is_as_old_as_what_it_was_made_of() {
    let app = TestApp::new().await.with_products(1).await;
    let (_, guest) = app.replica().await;
    app.listen();
    let path = format!("/api/products/{}", app.products[0]);
    guest.get(&path).await.expect(200);
    let marker = app.state.redis.key(&format!("product:{}:answer:fresh", app.products[0]));
    let nearly_over =
        async |mut redis| redis::cmd("PEXPIRE").arg(marker).arg(1_000).query_async(&mut redis).await;
    let there: i64 = app.state.redis.call("pexpire", nearly_over).await.expect("Redis answers");
    assert_eq!(there, 1);
    app.guest().get(&path).await.expect(200);
    app.execute("update products set stock = stock + 1", &[]).await;
    until(async || app.guest().get(&path).await.expect(200)["stock"] == 11).await;
}

#[tokio::test]
async fn an_edit_and_a_sale_are_seen_at_once_by_who_made_them() {
    let app = TestApp::new().await.with_products(2).await;
    app.listen();
    let path = format!("/api/products/{}", app.products[0]);
    answers_from_the_process(&app, &path).await;
    app.state.cache.forget(&[Scope::Product(app.products[0])]).await;
    let ada = app.customer().await;
    let stock = |product: &serde_json::Value| product["stock"].as_i64().expect("units");
    for _ in 0..3 {
        let before = stock(&ada.get(&path).await.expect(200));
        ada.put_item(app.products[0], 1).await.expect(200);
        ada.checkout(&Uuid::new_v4().to_string(), "4242424242424242").await.expect(201);
        assert_eq!(stock(&ada.get(&path).await.expect(200)), before - 1);
    }
    let root = app.admin().await;
    for price in [1, 2, 3] {
        ada.get("/api/products").await.expect(200);
        let body = json!({
            "sku": "A", "name": "Mug", "description": "", "category": "Cups", "tags": [], "price_cents": price,
        });
        root.replace(&path, "*", &body).await.expect(200);
        assert_eq!(ada.get(&path).await.expect(200)["price_cents"], price);
        let page = ada.get("/api/products").await.expect(200);
        let shown = page["items"].as_array().expect("items").iter().find(|item| item["name"] == "Mug");
        assert_eq!(shown.expect("listed")["price_cents"], price);
    }
}

#[tokio::test]
async fn a_search_is_kept_until_something_is_edited() {
    let app = TestApp::new().await.with_products(1).await;
    app.listen();
    let guest = app.guest();
    let found = async |path| guest.get(path).await.expect(200)["items"].as_array().expect("items").len();
    // That there is nothing is not kept, whoever brought it meanwhile.
    assert_eq!(found("/api/products?q=kettle").await, 0);
    let kettle = NewProduct { name: "Kettle", category: "Category 1", ..Default::default() };
    app.add(kettle).await;
    assert_eq!(found("/api/products?q=kettle").await, 1);
    for path in ["/api/products?q=product", "/api/products?q=product&category=Category+1"] {
        answers_from_the_process(&app, path).await;
    }
    let body = json!({
        "sku": "A", "name": "Product", "description": "", "category": "Category 1", "tags": [], "price_cents": 1,
    });
    app.admin().await.post("/api/products", &body).await.expect(201);
    for path in ["/api/products?q=product", "/api/products?q=product&category=Category+1"] {
        assert_eq!(found(path).await, 2, "{path}");
    }
}

#[tokio::test]
async fn a_name_and_the_end_of_a_session_are_seen_on_the_other_replica() {
    let app = TestApp::new().await;
    let (other, guest) = app.replica().await;
    app.listen();
    tokio::spawn(other.changes.clone().listen(other.redis.clone()));
    let ada = app.guest();
    let person = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada" });
    let registered = ada.post("/api/users", &person).await;
    let cookie =
        registered.cookie(SESSION_COOKIE).and_then(|cookie| cookie.split(';').next()).expect("a session");
    // The same browser, whose next request goes to the other replica.
    let there = async || {
        let request = guest.request(Method::GET, "/api/users/me");
        Answer::of(request.header("cookie", cookie)).await
    };
    for name in ["Countess", "Lovelace", "Ada"] {
        ada.get("/api/users/me").await.expect(200);
        there().await.expect(200);
        let change = ada.request(Method::PATCH, "/api/users/me").json(&json!({ "name": name }));
        Answer::of(change).await.expect(200);
        assert_eq!(ada.get("/api/users/me").await.expect(200)["name"], name);
        until(async || there().await.expect(200)["name"] == name).await;
    }
    ada.post("/api/users/logout", &json!({})).await.expect(204);
    until(async || there().await.status == 401).await;
}

/// A network that forgets connections tells nobody.
#[tokio::test]
async fn without_news_no_copy_is_used() {
    let wire = Proxy::before_redis().await;
    let app = Setup::default().redis_through(&wire).start().await.with_products(1).await;
    app.listen();
    let path = format!("/api/products/{}", app.products[0]);
    answers_from_the_process(&app, &path).await;
    wire.stall();
    tokio::time::sleep(HEARD).await;
    app.execute("update products set stock = 5", &[]).await;
    assert_eq!(app.guest().get(&path).await.expect(200)["stock"], 5);
    // Nor is what was kept before used again.
    wire.mend();
    answers_from_the_process(&app, &path).await;
}

/// `docs/architecture.md` says how many calls: none. Redis is asked now and then whether it still speaks.
#[tokio::test]
async fn what_the_process_has_costs_no_call() {
    let (postgres, redis) = (Proxy::before_postgres().await, Proxy::before_redis().await);
    let setup = Setup::default().postgres_through(&postgres).redis_through(&redis);
    let app = setup.start().await.with_products(1).await;
    app.listen();
    let path = format!("/api/products/{}", app.products[0]);
    answers_from_the_process(&app, &path).await;
    let ada = app.customer().await;
    let paths = [path.as_str(), "/api/products", "/api/categories", "/api/users/me"];
    for path in paths.into_iter().cycle().take(12) {
        ada.get(path).await.expect(200);
    }
    let (start, before) = (Instant::now(), (postgres.round_trips(), redis.round_trips()));
    let mut asked = 0;
    // Less than the shortest time that any of them is kept.
    while start.elapsed() < Duration::from_millis(500) && asked < 200 {
        ada.get(paths[asked % paths.len()]).await.expect(200);
        asked += 1;
    }
    let beats = start.elapsed().as_millis() / 250 + 2;
    let (postgres, redis) = (postgres.round_trips() - before.0, redis.round_trips() - before.1);
    // Where a page's two seconds ended just then, it was loaded again.
    assert!(postgres <= 1 && redis as u128 <= beats + 3 && asked > 20, "{postgres}, {redis} of {asked}");
}
