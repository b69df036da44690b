//! Checkouts that are sent again under their key.

use serde_json::json;

use super::{APPROVED, DECLINED, TIMES_OUT, cart_count, events, id};
use crate::harness::{TestApp, checkout_body};

/// Fails the second transaction of a checkout: to the shop it is as if the process had died between the two.
async fn break_settlement(app: &TestApp) {
    app.sql(
        "create function crash() returns trigger language plpgsql as $$ begin raise exception 'crash'; end $$; \
         create trigger crash before update on idempotency_keys for each row execute function crash()",
    )
    .await;
}

async fn mend_settlement(app: &TestApp) {
    app.sql("drop trigger crash on idempotency_keys").await;
}

#[tokio::test]
async fn a_repetition_gets_the_same_answer() {
    let app = TestApp::new().await.with_products(2).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    let first = client.checkout("k", APPROVED).await;
    let order = first.expect(201);
    client.put_item(app.products[1], 1).await.expect(200);
    let again = client.checkout("k", APPROVED).await;
    assert_eq!((again.status, again.header("content-type")), (201, "application/json"));
    assert_eq!(again.text, first.text);
    // Also after the order has gone on.
    client.post(&format!("/api/orders/{}/cancel", id(&order)), &json!({})).await.expect(200);
    assert_eq!(client.checkout("k", APPROVED).await.text, first.text);
    assert_eq!(cart_count(&client).await, 1);

    // A key is its user's own, and another key is another order.
    let other = app.customer().await;
    other.put_item(app.products[0], 1).await.expect(200);
    assert_ne!(id(&other.checkout("k", APPROVED).await.expect(201)), id(&order));
    assert_ne!(id(&client.checkout("l", APPROVED).await.expect(201)), id(&order));
    assert_eq!(app.number("select count(*) from orders").await, 3);
}

#[tokio::test]
async fn a_key_belongs_to_its_request() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    let first = client.checkout("k", APPROVED).await;
    client.checkout("k", DECLINED).await.refused(422, "idempotency-mismatch");
    let mut elsewhere = checkout_body(APPROVED);
    elsewhere["shipping_address"]["city"] = json!("Leeds");
    client.checkout_with("k", &elsewhere).await.refused(422, "idempotency-mismatch");
    // Spaces make no other request.
    let mut same = checkout_body("4242 4242 4242 4242");
    same["shipping_address"]["city"] = json!(" York ");
    assert_eq!(client.checkout_with("k", &same).await.text, first.text);
}

/// Whatever the card says, a crash between the two transactions leaves one order, which a repetition finishes.
#[tokio::test]
async fn a_repetition_finishes_what_a_crash_left() {
    for (card, status, outcome, stock) in [
        (APPROVED, 201, "paid", 7),
        (DECLINED, 402, "payment_failed", 10),
        (TIMES_OUT, 201, "pending_payment", 7),
    ] {
        let app = TestApp::new().await.with_products(1).await;
        let client = app.customer().await;
        client.put_item(app.products[0], 3).await.expect(200);
        break_settlement(&app).await;
        let answer = client.checkout("k", card).await;
        let problem = answer.refused(500, "internal");
        assert!(!answer.text.contains("crash") && problem["errors"].is_null(), "{}", answer.text);
        assert_eq!(app.number("select count(*) from orders where status = 'pending_payment'").await, 1);
        assert_eq!(app.stock(app.products[0]).await, 7);
        mend_settlement(&app).await;

        let answer = client.checkout("k", card).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(client.checkout("k", card).await.text, answer.text);
        let orders = client.get("/api/orders").await.expect(200);
        assert_eq!(orders["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(orders["items"][0]["status"], outcome);
        assert_eq!(app.stock(app.products[0]).await, stock);
        let events = events(&app, id(&orders["items"][0])).await;
        assert_eq!(events.len(), if card == TIMES_OUT { 1 } else { 2 }, "{events:?}");
    }
}

/// Who cancels what a crash left pending gets the stock back, and the late repetition does not pay it.
#[tokio::test]
async fn a_repetition_after_a_cancellation_changes_nothing() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 3).await.expect(200);
    break_settlement(&app).await;
    client.checkout("k", APPROVED).await.refused(500, "internal");
    mend_settlement(&app).await;
    let order = id(&client.get("/api/orders").await.expect(200)["items"][0]);
    client.post(&format!("/api/orders/{order}/cancel"), &json!({})).await.expect(200);
    assert_eq!(client.checkout("k", APPROVED).await.expect(201)["status"], "cancelled");
    assert_eq!(app.stock(app.products[0]).await, 10);
    assert_eq!(events(&app, order).await, ["order.placed", "order.cancelled"]);
}
