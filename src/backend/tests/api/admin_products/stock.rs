//! `/api/products/{id}/stock`.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{body, with};
use crate::harness::{Answer, TestApp};

#[tokio::test]
async fn stock_is_adjusted_and_the_ledger_tells_how_it_came_about() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let product = admin.post("/api/products", &with(body("A"), "stock", json!(10))).await.expect(201);
    let id = product["id"].as_str().expect("an id");
    let path = format!("/api/products/{id}/stock");
    let adjust =
        async |delta: i64, note: &str| admin.post(&path, &json!({ "delta": delta, "note": note })).await;
    let adjusted = adjust(-4, "broken").await.expect(200);
    assert_eq!((&adjusted["stock"], &adjusted["movement"]["note"]), (&json!(6), &json!("broken")));
    // Seen at once, and no edit of what the editors see.
    let shown = admin.get(&format!("/api/products/{id}")).await.expect(200);
    assert_eq!((&shown["stock"], &shown["version"]), (&json!(6), &json!(1)));
    let customer = app.customer().await;
    customer.put_item(id.parse().expect("a UUID"), 2).await.expect(200);
    let order = customer.checkout("k", "4242424242424242").await.expect(201);

    assert_eq!(adjust(-5, "").await.refused(409, "stock-out-of-range")["available"], 4);
    for (delta, note, field) in [(0, "", "delta"), (1_000_001, "", "delta"), (1, &*"x".repeat(201), "note")] {
        assert_eq!(adjust(delta, note).await.refused_fields(422, "invalid"), [field]);
    }
    assert_eq!(adjust(-4, "").await.expect(200)["stock"], 0);

    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = admin.query(&path, &query).await.expect(200);
        assert_eq!((&page["stock"], &page["sum"]), (&json!(0), &json!(0)));
        seen.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    let told: Vec<(i64, &str)> = seen
        .iter()
        .map(|movement| {
            (movement["delta"].as_i64().expect("a number"), movement["reason"].as_str().expect("a reason"))
        })
        .collect();
    assert_eq!(told, [(-4, "adjustment"), (-2, "order"), (-4, "adjustment"), (10, "opening")]);
    assert_eq!(seen[1]["order_id"], order["id"]);
    let nowhere = format!("/api/products/{}/stock", Uuid::new_v4());
    admin.get(&nowhere).await.refused(404, "not-found");
    admin.post(&nowhere, &json!({ "delta": 1, "note": "" })).await.refused(404, "not-found");
}

/// The room above is for what orders give back; what they gave back may be taken.
#[tokio::test]
async fn stock_has_a_bound_that_only_what_comes_back_may_pass() {
    let app = TestApp::new().await.with_products(1).await;
    let (admin, product) = (app.admin().await, app.products[0]);
    for stock in [2_000_000_000_i64, 2_000_000_010] {
        app.execute(&format!("update products set stock = {stock}"), &[]).await;
        admin.adjust(product, None, 1, "").await.refused(409, "stock-out-of-range");
        assert_eq!(admin.adjust(product, None, -1, "").await.expect(200)["stock"], stock - 1);
    }
}

/// Each takes what the others left, however they overlap.
#[tokio::test]
async fn adjustments_at_the_same_moment_add_up() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let product = admin.post("/api/products", &with(body("A"), "stock", json!(5))).await.expect(201);
    let path = format!("/api/products/{}/stock", product["id"].as_str().expect("an id"));
    let take = json!({ "delta": -2, "note": "" });
    let answers = join_all((0..6).map(|_| admin.post(&path, &take))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 2);
    let ledger = admin.get(&path).await.expect(200);
    assert_eq!((&ledger["stock"], &ledger["sum"]), (&json!(1), &json!(1)));
}

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

    for (product, delta, note) in [(app.products[1], 5, "found"), (product, 6, "found"), (product, 5, "lost")]
    {
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
