//! What becomes of payments after the checkout.

use futures_util::future::join_all;
use serde_json::{Value, json};
use shopmicro_backend::db::orders::{self as orders_in_database, Placed};
use shopmicro_backend::domain::order::{CheckoutBody, NewOrder, Status};
use shopmicro_backend::domain::payment::{Card, Outcome};
use shopmicro_backend::error::Error;
use shopmicro_backend::orders::{self, By};
use shopmicro_backend::workers::{Pass, payments};
use uuid::Uuid;

use crate::harness::{Client, Proxy, Setup, TestApp, checkout_body};

const APPROVED: &str = "4242424242424242";
const TIMES_OUT: &str = "4000000000000119";
const ANSWER_LOST: &str = "4000000000000341";

/// A customer who has ordered three of the only product.
async fn ordered(app: &TestApp, card: &str) -> (Client, String) {
    let client = app.customer().await;
    client.put_item(app.products[0], 3).await.expect(200);
    let order = client.checkout("k", card).await.expect(201);
    let id = order["id"].as_str().expect("an id").to_owned();
    (client, id)
}

/// Runs the worker until nothing is due, after so many minutes have passed.
async fn work_after(app: &TestApp, minutes: i32) {
    app.execute(
        "update orders set created_at = created_at - $1 * interval '1 min', \
         payment_due_at = payment_due_at - $1 * interval '1 min'",
        &[&f64::from(minutes)],
    )
    .await;
    while payments::pass(&app.state).await.expect("a pass") == Pass::More {}
}

async fn status(client: &Client, order: &str) -> Value {
    client.get(&format!("/api/orders/{order}")).await.expect(200)["status"].clone()
}

async fn charge(app: &TestApp, order: &str) -> Option<String> {
    let id: Uuid = order.parse().expect("an id");
    let rows = app.rows("select status from payment_provider.charges where order_id = $1", &[&id]).await;
    rows.first().map(|row| row.get("status"))
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let app = TestApp::new().await.with_products(1).await;
    let (client, order) = ordered(&app, ANSWER_LOST).await;
    // Not while the request may still be on its way.
    assert_eq!(payments::pass(&app.state).await.expect("a pass"), Pass::Idle);
    assert_eq!(status(&client, &order).await, "pending_payment");
    work_after(&app, 1).await;
    assert_eq!(status(&client, &order).await, "paid");
    assert_eq!(app.stock(app.products[0]).await, 7);
    app.count_sales().await;
    assert_eq!(app.number("select count(*) from interactions where kind = 'purchase'").await, 1);
    // The answer to the key stays what it was.
    assert_eq!(client.checkout("k", ANSWER_LOST).await.expect(201)["status"], "pending_payment");
    app.expect_balance().await;
}

#[tokio::test]
async fn what_nobody_pays_is_called_off() {
    let app = TestApp::new().await.with_products(1).await;
    let (client, order) = ordered(&app, TIMES_OUT).await;
    work_after(&app, 29).await;
    assert_eq!(
        (status(&client, &order).await, app.stock(app.products[0]).await),
        (json!("pending_payment"), 7)
    );
    work_after(&app, 2).await;
    assert_eq!((status(&client, &order).await, app.stock(app.products[0]).await), (json!("cancelled"), 10));
    // Nothing can be charged for it any more.
    assert_eq!(charge(&app, &order).await.as_deref(), Some("voided"));
    assert_eq!(app.number("select count(*) from orders where payment_due_at is not null").await, 0);
    app.expect_balance().await;
}

/// Pages show what a settlement gave back, and what was taken where nobody lived to tell of it.
#[tokio::test]
async fn stock_is_shown_as_it_is_after_a_settlement() {
    let app = TestApp::new().await.with_products(1).await;
    let path = format!("/api/products/{}", app.products[0]);
    let shown = async || app.guest().get(&path).await.expect(200)["stock"].clone();
    let (_, order) = ordered(&app, TIMES_OUT).await;
    assert_eq!(shown().await, 7);
    let id: Uuid = order.parse().expect("an id");
    orders::settle(&app.state, id, Outcome::Declined, None, true).await.expect("settled");
    assert_eq!(shown().await, 10);

    let client = app.customer().await;
    client.put_item(app.products[0], 3).await.expect(200);
    let me = client.get("/api/users/me").await.expect(200)["id"].clone();
    let me: Uuid = serde_json::from_value(me).expect("an id");
    let body: CheckoutBody = serde_json::from_value(checkout_body(APPROVED)).expect("a body");
    let new = NewOrder::try_from(body).expect("an order");
    let placed = orders_in_database::place(&app.connection().await, me, "k", b"hash", &new).await;
    let Ok(Placed::New { id, .. }) = placed else { panic!("{placed:?}") };
    assert_eq!(shown().await, 10);
    orders::settle(&app.state, id, Outcome::Captured, Some("k"), false).await.expect("settled");
    assert_eq!(shown().await, 7);
}

/// The worker asked the provider in vain, and then the money came.
#[tokio::test]
async fn what_is_paid_at_the_last_moment_is_not_called_off() {
    let app = TestApp::new().await.with_products(1).await;
    let (client, order) = ordered(&app, TIMES_OUT).await;
    let id: Uuid = order.parse().expect("an id");
    assert_eq!(app.state.payments.look_up(id).await.expect("an answer"), Outcome::Unknown);
    let outcome = app.state.payments.charge(id, 600, Card::Approved).await;
    orders::settle(&app.state, id, outcome, None, false).await.expect("settled");
    let late = orders::change_status(&app.state, id, Status::Cancelled, By::Clock).await;
    assert!(matches!(late, Err(Error::IllegalTransition { .. })), "{late:?}");
    assert_eq!(status(&client, &order).await, "paid");
    app.expect_balance().await;
}

#[tokio::test]
async fn what_is_called_off_is_paid_back() {
    for (card, books) in [(APPROVED, "refunded"), (ANSWER_LOST, "refunded"), (TIMES_OUT, "voided")] {
        let app = TestApp::new().await.with_products(1).await;
        let (client, order) = ordered(&app, card).await;
        client.post(&format!("/api/orders/{order}/cancel"), &json!({})).await.expect(200);
        work_after(&app, 0).await;
        assert_eq!(charge(&app, &order).await.as_deref(), Some(books));
        assert_eq!(status(&client, &order).await, "cancelled");
        app.expect_balance().await;
    }
}

/// A checkout that is repeated after its order was called off does not take the money again.
#[tokio::test]
async fn a_late_charge_for_a_cancelled_order_is_refused() {
    let app = TestApp::new().await.with_products(1).await;
    let (client, order) = ordered(&app, TIMES_OUT).await;
    client.post(&format!("/api/orders/{order}/cancel"), &json!({})).await.expect(200);
    work_after(&app, 0).await;
    app.sql("update idempotency_keys set answer = null").await;
    assert_eq!(client.checkout("k", TIMES_OUT).await.expect(201)["status"], "cancelled");
    let id = order.parse().expect("an id");
    let outcome = app.state.payments.charge(id, 600, Card::Approved).await;
    assert_eq!(outcome, Outcome::Declined);
    app.expect_balance().await;
}

/// Two replicas' workers and the customers' own requests meet on the same orders.
#[tokio::test]
async fn workers_and_customers_do_not_settle_twice() {
    let app = TestApp::new().await.with_products(1).await;
    let mut customers = Vec::new();
    for n in 0..6 {
        let client = app.customer().await;
        client.put_item(app.products[0], 1).await.expect(200);
        let card = [ANSWER_LOST, TIMES_OUT, APPROVED][n % 3];
        let order = client.checkout("k", card).await.expect(201);
        customers.push((client, order["id"].as_str().expect("an id").to_owned(), card));
    }
    app.sql("update orders set payment_due_at = now() where payment_due_at is not null").await;
    let workers = join_all((0..4).map(|_| payments::pass(&app.state)));
    let cancels = join_all(customers.iter().map(async |(client, order, card)| {
        let (path, nothing) = (format!("/api/orders/{order}/cancel"), json!({}));
        tokio::join!(client.post(&path, &nothing), client.checkout("k", card));
    }));
    let (passes, _) = tokio::join!(workers, cancels);
    for pass in passes {
        pass.expect("a pass");
    }
    work_after(&app, 31).await;
    for kind in ["order.placed", "order.paid", "order.cancelled"] {
        let sql = format!(
            "select count(*) from (select order_id from outbox where kind = '{kind}' group by 1 having count(*) > 1) x"
        );
        assert_eq!(app.number(&sql).await, 0, "{kind}");
    }
    assert_eq!(app.number("select count(*) from orders where payment_due_at is not null").await, 0);
    app.expect_balance().await;
}

/// The worker does its work when the database is back, without a restart.
#[tokio::test]
async fn a_lost_database_delays_the_worker() {
    let postgres = Proxy::before_postgres().await;
    let app = Setup::default().postgres_through(&postgres).start().await.with_products(1).await;
    let (client, order) = ordered(&app, ANSWER_LOST).await;
    app.sql("update orders set payment_due_at = now()").await;
    postgres.cut();
    payments::pass(&app.state).await.expect_err("no database");
    postgres.mend();
    work_after(&app, 1).await;
    assert_eq!(status(&client, &order).await, "paid");
}
