//! `/api/products/{id}/stock`.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Answer, TestApp};

#[tokio::test]
async fn an_adjustment_that_is_sent_again_counts_once() {
    let app = TestApp::new().await.with_products(2).await;
    let (admin, product) = (app.admin().await, app.products[0]);
    let first = admin.adjust(product, Some("k"), 5, "found").await.expect(200);
    assert_eq!(first["stock"], 15);
    // The stock is that of now.
    let customer = app.customer().await;
    customer.put_item(product, 2).await.expect(200);
    customer.checkout("k", "4242424242424242").await.expect(201);
    let again = admin.adjust(product, Some("k"), 5, " found ").await.expect(200);
    assert_eq!((&again["stock"], &again["movement"]), (&json!(13), &first["movement"]));

    for (product, delta, note) in [(app.products[1], 5, "found"), (product, 6, "found"), (product, 5, "lost")] {
        admin.adjust(product, Some("k"), delta, note).await.refused(422, "idempotency-mismatch");
    }
    let made = "select count(*) from stock_movements where reason = 'adjustment'";
    let audited = "select count(*) from audit_log where action = 'product.stock_adjusted'";
    assert_eq!((app.number(made).await, app.number(audited).await), (1, 1));

    // Another admin's key is another, and without one each counts.
    assert_eq!(app.admin().await.adjust(product, Some("k"), 5, "found").await.expect(200)["stock"], 18);
    for stock in [23, 28] {
        assert_eq!(admin.adjust(product, None, 5, "found").await.expect(200)["stock"], stock);
    }
}

#[tokio::test]
async fn a_refused_adjustment_leaves_its_key_free() {
    let app = TestApp::new().await.with_products(1).await;
    let (admin, product) = (app.admin().await, app.products[0]);
    admin.adjust(product, Some("k"), -11, "").await.refused(409, "stock-out-of-range");
    admin.adjust(Uuid::new_v4(), Some("k"), 1, "").await.refused(404, "not-found");
    assert_eq!(admin.adjust(product, Some("k"), -10, "").await.expect(200)["stock"], 0);
}

/// A button that was pressed many times.
#[tokio::test]
async fn adjustments_under_one_key_at_the_same_moment_count_once() {
    let app = TestApp::new().await.with_products(1).await;
    let (admin, product) = (app.admin().await, app.products[0]);
    let answers = join_all((0..6).map(|_| admin.adjust(product, Some("k"), -2, ""))).await;
    let first = answers[0].expect(200);
    assert_eq!(first["stock"], 8);
    assert!(answers.iter().all(|answer| answer.expect(200) == first));
}

#[tokio::test]
async fn a_key_of_an_adjustment_is_one_of_1_to_255_characters() {
    let app = TestApp::new().await.with_products(1).await;
    let (admin, product) = (app.admin().await, app.products[0]);
    admin.adjust(product, Some(&"k".repeat(255)), 1, "").await.expect(200);
    for key in ["", &*"k".repeat(256)] {
        admin.adjust(product, Some(key), 1, "").await.refused(400, "bad-request");
    }
    let twice = admin.request(Method::POST, &format!("/api/products/{product}/stock"));
    let twice = twice.header("idempotency-key", "a").header("idempotency-key", "b");
    Answer::of(twice.json(&json!({ "delta": 1, "note": "" }))).await.refused(400, "bad-request");
}

/// Their session is still known, and they are not.
#[tokio::test]
async fn an_admin_who_is_gone_adjusts_nothing() {
    let app = TestApp::new().await.with_products(1).await;
    let admin = app.admin().await;
    admin.get("/api/admin/overview").await.expect(200);
    app.execute("delete from users where id = $1", &[&admin.user_id().await]).await;
    admin.adjust(app.products[0], Some("k"), 1, "").await.refused(401, "unauthenticated");
}
