//! Clients that leave before their answer: what was begun for them is brought to its end, and told.

use std::time::Duration;

use deadpool_postgres::Object;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Logs, TestApp, checkout_body};

/// How long what follows a commit may take on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the service may need to notice that a client has left.
const NOTICED: Duration = Duration::from_millis(200);

/// Asks until the answer is as wanted.
async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let asked = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, asked).await.is_ok(), "{what}");
}

/// Sends a request, whose client closes its connection when this is the case.
async fn leave(request: reqwest::RequestBuilder, when: impl Future<Output = ()>) {
    tokio::select! {
        answer = Answer::of(request) => panic!("nothing was waited for: {}", answer.text),
        () = when => {}
    }
    tokio::time::sleep(NOTICED).await;
}

#[tokio::test]
async fn an_order_is_settled_though_its_customer_left_during_the_charge() {
    let app = TestApp::new().await.with_products(1).await;
    let path = format!("/api/products/{}", app.products[0]);
    let ada = app.customer().await;
    ada.put_item(app.products[0], 3).await.expect(200);
    app.guest().get(&path).await.expect(200);
    // The provider is slow: it waits for its own books.
    let mut books = app.connection().await;
    let slow = books.transaction().await.expect("a transaction");
    slow.batch_execute("lock table payment_provider.charges in exclusive mode").await.expect("locked");

    let checkout = ada.request(Method::POST, "/api/orders").header("idempotency-key", "k");
    let placed = until("the stock is told as soon as it is taken", async || {
        app.guest().get(&path).await.expect(200)["stock"] == 7
    });
    leave(checkout.json(&checkout_body("4242424242424242")), placed).await;
    let of = async |status: &str| {
        app.number(&format!("select count(*) from orders where status = '{status}'")).await
    };
    assert_eq!(of("pending_payment").await, 1);
    slow.commit().await.expect("committed");
    until("the order is paid without the worker", async || of("paid").await == 1).await;
}

/// Commits of what writes to this table wait, until the connection lets go of the lock.
async fn slow_commits(app: &TestApp, table: &str) -> Object {
    app.sql(&format!(
        "create function slow() returns trigger language plpgsql as $$ \
             begin perform pg_advisory_xact_lock(7); return null; end $$; \
         create constraint trigger slow after insert or update on {table} deferrable initially deferred \
             for each row execute function slow()"
    ))
    .await;
    let holder = app.connection().await;
    holder.batch_execute("select pg_advisory_lock(7)").await.expect("locked");
    holder
}

/// Leaves while the change is committed, and expects the shop to show it.
async fn is_told(
    app: &TestApp,
    table: &str,
    change: reqwest::RequestBuilder,
    mut shown: impl AsyncFnMut() -> bool,
) {
    assert!(!shown().await);
    let holder = slow_commits(app, table).await;
    let waiting = "select count(*) from pg_locks l join pg_database d on d.oid = l.database \
                   where l.locktype = 'advisory' and not l.granted and d.datname = current_database()";
    leave(change, until("the commit begins", async || app.number(waiting).await == 1)).await;
    holder.batch_execute("select pg_advisory_unlock(7)").await.expect("unlocked");
    until("the change is shown", shown).await;
}

/// The same of a field of the product.
async fn product_is_told(
    app: &TestApp,
    table: &str,
    change: reqwest::RequestBuilder,
    field: &str,
    value: Value,
) {
    let path = format!("/api/products/{}", app.products[0]);
    let shown = async || app.guest().get(&path).await.expect(200)[field] == value;
    is_told(app, table, change, shown).await;
}

#[tokio::test]
async fn an_edit_is_told_though_its_admin_left_during_the_commit() {
    let app = TestApp::new().await.with_products(1).await;
    let body = json!({
        "sku": "A", "name": "Mug", "description": "", "category": "Cups", "tags": [], "price_cents": 1234,
    });
    let path = format!("/api/products/{}", app.products[0]);
    let edit = app.admin().await.request(Method::PUT, &path).header("if-match", "*").json(&body);
    product_is_told(&app, "products", edit, "price_cents", json!(1234)).await;
}

#[tokio::test]
async fn new_stock_is_told_though_its_admin_left_during_the_commit() {
    let app = TestApp::new().await.with_products(1).await;
    let body = json!({ "delta": 5, "note": "found" });
    let path = format!("/api/products/{}/stock", app.products[0]);
    let adjust = app.admin().await.request(Method::POST, &path).json(&body);
    product_is_told(&app, "stock_movements", adjust, "stock", json!(15)).await;
}

#[tokio::test]
async fn a_cancellation_is_told_though_its_customer_left_during_the_commit() {
    let app = TestApp::new().await.with_products(1).await;
    let ada = app.customer().await;
    ada.put_item(app.products[0], 3).await.expect(200);
    let order = ada.checkout("k", "4242424242424242").await.expect(201);
    let path = format!("/api/orders/{}/cancel", order["id"].as_str().expect("an id"));
    product_is_told(&app, "stock_movements", ada.request(Method::POST, &path), "stock", json!(10)).await;
}

#[tokio::test]
async fn a_new_role_is_told_though_its_admin_left_during_the_commit() {
    let app = TestApp::new().await;
    let (root, ada) = (app.admin().await, app.customer().await);
    let path = format!("/api/users/{}", ada.user_id().await);
    let change = root.request(Method::PATCH, &path).json(&json!({ "role": "admin" }));
    let shown = async || ada.get("/api/admin/overview").await.status == 200;
    is_told(&app, "users", change, shown).await;
}

#[tokio::test]
async fn the_end_of_a_session_is_told_though_its_owner_left_during_the_commit() {
    for path in ["/api/users/logout", "/api/users/me/sessions"] {
        let app = TestApp::new().await;
        let ada = app.customer().await;
        let method = if path.ends_with("logout") { Method::POST } else { Method::DELETE };
        let shown = async || ada.get("/api/users/me").await.status == 401;
        is_told(&app, "session_revocations", ada.request(method, path), shown).await;
    }
}

/// Otherwise what is too slow to be waited for would be in no figure.
#[tokio::test]
async fn who_left_is_counted_and_logged() {
    let (logs, _guard) = Logs::capture();
    let app = TestApp::new().await.with_products(1).await;
    let mut client = app.connection().await;
    let lock = client.transaction().await.expect("a transaction");
    lock.batch_execute("lock table products in access exclusive mode").await.expect("locked");
    let path = format!("/api/products/{}/similar", app.products[0]);
    let waiting = "select count(*) from pg_locks l join pg_database d on d.oid = l.database \
                   where l.locktype = 'relation' and not l.granted and d.datname = current_database()";
    let asked = until("the request waits", async || app.number(waiting).await >= 1);
    leave(app.guest().request(Method::GET, &path), asked).await;
    let counted = |line: &str| {
        ["_count{", "GET", "/api/products/{id}/similar", "http_response_status_code=\"499\""]
            .iter()
            .all(|part| line.contains(part))
    };
    until("it is counted", async || app.guest().get("/metrics").await.text.lines().any(counted)).await;
    let logs = logs.text();
    let logged = |line: &str| {
        ["the client left before its answer", "duration_ms", "/api/products/{id}/similar", "499"]
            .iter()
            .all(|part| line.contains(part))
    };
    assert_eq!(logs.lines().filter(|line| logged(line)).count(), 1);
}
