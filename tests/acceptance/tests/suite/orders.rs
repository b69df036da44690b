use acceptance::{APPROVED, Visitor, answer, id, key, order_with, product};
use reqwest::Method;
use serde_json::json;

async fn stock(product: &str) -> i64 {
    let path = format!("/api/products/{product}");
    Visitor::new().get(&path).await.expect(200)["stock"].as_i64().expect("stock")
}

#[tokio::test]
async fn an_order_is_paid_once_however_often_it_is_sent_and_cancelled_once() {
    // Nobody else in this suite buys this one: its stock is counted.
    let product = id(&product(5).await);
    let before = stock(&product).await;
    let customer = Visitor::customer().await;
    customer.put_in_cart(&product, 2).await.expect(200);
    let key = key();
    let order = customer.check_out(&key, APPROVED).await.expect(201);
    assert_eq!(
        (order["status"].as_str(), order["items"][0]["quantity"].as_i64()),
        (Some("paid"), Some(2)),
        "{order}"
    );
    assert_eq!(customer.check_out(&key, APPROVED).await.expect(201), order);
    customer.check_out(&key, "4000000000000119").await.expect_problem(422, "idempotency-mismatch");
    assert_eq!(stock(&product).await, before - 2);
    assert_eq!(customer.get("/api/cart").await.expect(200)["item_count"], 0);

    let path = format!("/api/orders/{}", id(&order));
    assert_eq!(customer.get(&path).await.expect(200), order);
    Visitor::customer().await.get(&path).await.expect_problem(404, "not-found");

    let cancelled = customer.send(Method::POST, &format!("{path}/cancel"), &json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    customer
        .send(Method::POST, &format!("{path}/cancel"), &json!({}))
        .await
        .expect_problem(409, "illegal-transition");
    assert_eq!(stock(&product).await, before);
}

#[tokio::test]
async fn a_declined_card_leaves_stock_and_cart_as_they_were() {
    let product = id(&product(6).await);
    let before = stock(&product).await;
    let customer = Visitor::customer().await;
    customer.put_in_cart(&product, 1).await.expect(200);
    let problem =
        customer.check_out(&key(), "4000000000000002").await.expect_problem(402, "payment-declined");
    let path = format!("/api/orders/{}", problem["order_id"].as_str().expect("the order"));
    assert_eq!(customer.get(&path).await.expect(200)["status"], "payment_failed");
    assert_eq!(stock(&product).await, before);
    assert_eq!(customer.get("/api/cart").await.expect(200)["item_count"], 1);
}

#[tokio::test]
async fn a_payment_without_an_answer_is_pending() {
    let product = id(&product(7).await);
    let customer = Visitor::customer().await;
    for card in ["4000000000000119", "4000000000000341"] {
        customer.put_in_cart(&product, 1).await.expect(200);
        let order = customer.check_out(&key(), card).await.expect(201);
        assert_eq!(order["status"], "pending_payment");
        let path = format!("/api/orders/{}/cancel", id(&order));
        customer.send(Method::POST, &path, &json!({})).await.expect(200);
    }
}

#[tokio::test]
async fn more_than_there_is_cannot_be_ordered() {
    let page = Visitor::new().get("/api/products?in_stock=true&limit=100&sort=name").await.expect(200);
    let items = page["items"].as_array().expect("items");
    let scarce = items.iter().find(|product| product["stock"].as_i64() < Some(99)).expect("one below 99");
    let customer = Visitor::customer().await;
    customer.put_in_cart(&id(scarce), 99).await.expect(200);
    let problem = customer.check_out(&key(), APPROVED).await.expect_problem(409, "out-of-stock");
    assert_eq!(problem["items"][0]["product_id"], scarce["id"], "{problem}");
    assert_eq!(problem["items"][0]["requested"], 99, "{problem}");
    assert_eq!(customer.get("/api/orders").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn an_order_needs_a_customer_a_key_and_a_cart() {
    Visitor::new().check_out(&key(), APPROVED).await.expect_problem(401, "unauthenticated");
    let customer = Visitor::customer().await;
    customer.check_out(&key(), APPROVED).await.expect_problem(409, "empty-cart");
    let without = customer.request(Method::POST, "/api/orders").json(&order_with(APPROVED));
    answer(without).await.expect_problem(400, "bad-request");
}

#[tokio::test]
async fn the_history_is_paged_newest_first() {
    let product = id(&product(8).await);
    let customer = Visitor::customer().await;
    let mut placed = Vec::new();
    for _ in 0..3 {
        customer.put_in_cart(&product, 1).await.expect(200);
        let order = customer.check_out(&key(), APPROVED).await.expect(201);
        let path = format!("/api/orders/{}/cancel", id(&order));
        customer.send(Method::POST, &path, &json!({})).await.expect(200);
        placed.insert(0, id(&order));
    }
    let first = customer.get("/api/orders?limit=2").await.expect(200);
    let cursor = first["next_cursor"].as_str().expect("more");
    let second = customer.get(&format!("/api/orders?limit=2&cursor={cursor}")).await.expect(200);
    assert!(second["next_cursor"].is_null(), "{second}");
    let pages = [first, second];
    let listed: Vec<String> =
        pages.iter().flat_map(|page| page["items"].as_array().expect("items")).map(id).collect();
    assert_eq!(listed, placed);
}
