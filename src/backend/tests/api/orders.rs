//! `/api/orders`: checkout and what became of it.

mod at_once;
mod repeated;

use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, NewProduct, Proxy, Setup, TestApp, checkout_body};

const APPROVED: &str = "4242424242424242";
const DECLINED: &str = "4000000000000002";
const TIMES_OUT: &str = "4000000000000119";
const ANSWER_LOST: &str = "4000000000000341";

fn id(order: &Value) -> Uuid {
    serde_json::from_value(order["id"].clone()).expect("an order with an id")
}

/// The kinds of the order's events, in their order.
async fn events(app: &TestApp, order: Uuid) -> Vec<String> {
    let rows = app.rows("select kind, payload from outbox where order_id = $1 order by id", &[&order]).await;
    let kinds = rows.iter().map(|row| {
        let payload: Value = row.get("payload");
        assert_eq!(payload["order_id"], order.to_string());
        assert!(payload["status"].is_string());
        row.get("kind")
    });
    kinds.collect()
}

async fn cart_count(client: &Client) -> Value {
    client.get("/api/cart").await.expect(200)["item_count"].clone()
}

#[tokio::test]
async fn a_checkout_orders_the_cart() {
    let app = TestApp::new().await.with_products(2).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 2).await.expect(200);
    client.put_item(app.products[1], 1).await.expect(200);
    let order = client.checkout("k", "4242 4242 4242 4242").await.expect(201);

    assert_eq!(order["status"], "paid");
    // Product 1 costs 2.00 and product 2 costs 3.00.
    assert_eq!((&order["total_cents"], &order["currency"]), (&json!(700), &json!("GBP")));
    assert_eq!(order["shipping_address"], checkout_body(APPROVED)["shipping_address"]);
    let mut items = order["items"].as_array().expect("items").clone();
    items.sort_by_key(|item| item["name"].to_string());
    let item = |n: usize, price: i64, quantity: i64| {
        json!({
            "product_id": app.products[n], "name": format!("Product {}", n + 1), "unit_price_cents": price,
            "quantity": quantity, "line_total_cents": price * quantity,
        })
    };
    assert_eq!(items, [item(0, 200, 2), item(1, 300, 1)]);

    assert_eq!(cart_count(&client).await, 0);
    assert_eq!((app.stock(app.products[0]).await, app.stock(app.products[1]).await), (8, 9));
    assert_eq!(client.get(&format!("/api/orders/{}", id(&order))).await.expect(200), order);
    assert_eq!(events(&app, id(&order)).await, ["order.placed", "order.paid"]);
    app.count_sales().await;
    let purchases = app.number("select sum(quantity) from interactions where kind = 'purchase'").await;
    assert_eq!(purchases, 3);
    // The number of the card is nowhere.
    let kept = app.number("select count(*) from orders where orders::text like '%424242%'").await;
    assert_eq!(kept, 0);
}

/// The order keeps what was bought and at which price, whatever happens to the product.
#[tokio::test]
async fn an_order_keeps_its_prices_and_names() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    let order = client.checkout("k", APPROVED).await.expect(201);
    app.sql("update products set price_cents = 1, name = 'New', archived_at = now()").await;
    assert_eq!(client.get(&format!("/api/orders/{}", id(&order))).await.expect(200), order);
    client.post(&format!("/api/orders/{}/cancel", id(&order)), &json!({})).await.expect(200);
    assert_eq!(app.stock(app.products[0]).await, 10);
}

#[tokio::test]
async fn an_order_changes_what_the_catalogue_says_at_once() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    let path = format!("/api/products/{}", app.products[0]);
    assert_eq!(client.get(&path).await.expect(200)["stock"], 10);
    client.put_item(app.products[0], 4).await.expect(200);
    let order = client.checkout("k", APPROVED).await.expect(201);
    assert_eq!(client.get(&path).await.expect(200)["stock"], 6);
    client.post(&format!("/api/orders/{}/cancel", id(&order)), &json!({})).await.expect(200);
    assert_eq!(client.get(&path).await.expect(200)["stock"], 10);
}

#[tokio::test]
async fn a_declined_card_leaves_stock_and_cart_as_they_were() {
    let app = TestApp::new().await.with_products(2).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 3).await.expect(200);
    client.put_item(app.products[1], 1).await.expect(200);
    let before = client.get("/api/cart").await.expect(200);
    let answer = client.checkout("k", DECLINED).await;
    let problem = answer.refused(402, "payment-declined");
    let order_id: Uuid = serde_json::from_value(problem["order_id"].clone()).expect("the order's id");
    let order = client.get(&format!("/api/orders/{order_id}")).await.expect(200);
    assert_eq!((&order["status"], &order["total_cents"]), (&json!("payment_failed"), &json!(900)));
    assert_eq!((app.stock(app.products[0]).await, app.stock(app.products[1]).await), (10, 10));
    let quantities = |cart: &Value| {
        let items = cart["items"].as_array().expect("items").iter();
        items
            .map(|item| (item["product"]["id"].to_string(), item["quantity"].clone()))
            .collect::<HashSet<_>>()
    };
    assert_eq!(quantities(&client.get("/api/cart").await.expect(200)), quantities(&before));
    assert_eq!(events(&app, order_id).await, ["order.placed", "order.payment_failed"]);
    app.count_sales().await;
    assert_eq!(app.number("select count(*) from interactions where kind = 'purchase'").await, 0);

    // The same try gets the same refusal; a new one with a good card succeeds.
    let again = client.checkout("k", DECLINED).await;
    again.refused(402, "payment-declined");
    assert_eq!(again.text, answer.text);
    assert_eq!(app.stock(app.products[0]).await, 10);
    assert_eq!(client.checkout("l", APPROVED).await.expect(201)["status"], "paid");
}

/// Only what is paid makes a product popular.
#[tokio::test]
async fn declined_orders_do_not_make_popular() {
    let app = TestApp::new().await.with_products(2).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 9).await.expect(200);
    client.checkout("k", DECLINED).await.refused(402, "payment-declined");
    client.delete(&format!("/api/cart/items/{}", app.products[0])).await.expect(200);
    client.put_item(app.products[1], 1).await.expect(200);
    client.checkout("l", APPROVED).await.expect(201);
    app.count_sales().await;
    let popular = client.get("/api/recommendations").await.expect(200);
    assert_eq!(popular["items"][0]["product"]["id"], app.products[1].to_string());
}

#[tokio::test]
async fn a_silent_provider_leaves_the_order_pending() {
    let app = TestApp::new().await.with_products(1).await;
    for (key, card) in [("a", TIMES_OUT), ("b", ANSWER_LOST)] {
        let client = app.customer().await;
        client.put_item(app.products[0], 1).await.expect(200);
        let before = app.stock(app.products[0]).await;
        let answer = client.checkout(key, card).await;
        let order = answer.expect(201);
        assert_eq!(order["status"], "pending_payment");
        assert_eq!(app.stock(app.products[0]).await, before - 1);
        assert_eq!(events(&app, id(&order)).await, ["order.placed"]);
        assert_eq!(client.checkout(key, card).await.text, answer.text);
        let cancelled =
            client.post(&format!("/api/orders/{}/cancel", id(&order)), &json!({})).await.expect(200);
        assert_eq!(cancelled["status"], "cancelled");
        assert_eq!(app.stock(app.products[0]).await, before);
    }
}

#[tokio::test]
async fn what_is_short_is_named_and_nothing_is_ordered() {
    let app = TestApp::new().await;
    let plenty = app.add(NewProduct { name: "Plenty", ..Default::default() }).await;
    let few = app.add(NewProduct { name: "Few", stock: 2, ..Default::default() }).await;
    let gone = app.add(NewProduct { name: "Gone", ..Default::default() }).await;
    let client = app.customer().await;
    for (product, quantity) in [(plenty, 1), (few, 3), (gone, 1)] {
        client.put_item(product, quantity).await.expect(200);
    }
    app.execute("update products set archived_at = now() where id = $1", &[&gone]).await;
    let problem = client.checkout("k", APPROVED).await.refused(409, "out-of-stock");
    let mut items = problem["items"].as_array().expect("items").clone();
    items.sort_by_key(|item| item["name"].to_string());
    let expected = [
        json!({ "product_id": few, "name": "Few", "requested": 3, "available": 2 }),
        json!({ "product_id": gone, "name": "Gone", "requested": 1, "available": 0 }),
    ];
    assert_eq!(items, expected);
    assert_eq!((app.stock(plenty).await, app.stock(few).await), (10, 2));
    assert_eq!(app.number("select count(*) from orders").await, 0);
    assert_eq!(app.number("select count(*) from outbox").await, 0);

    // The key was not used up: with the cart put right it goes through.
    client.put_item(few, 2).await.expect(200);
    client.delete(&format!("/api/cart/items/{gone}")).await.expect(200);
    client.checkout("k", APPROVED).await.expect(201);
}

/// A customer pays what the customer was shown: prices change, and carts in other tabs.
#[tokio::test]
async fn another_total_than_was_shown_orders_nothing() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 2).await.expect(200);
    let shown = |total: i64| {
        let mut body = checkout_body(APPROVED);
        body["expected_total_cents"] = total.into();
        body
    };
    app.sql("update products set price_cents = 2000").await;
    let problem = client.checkout_with("k", &shown(400)).await.refused(409, "total-changed");
    assert_eq!(problem["total_cents"], 4000);
    assert_eq!((app.stock(app.products[0]).await, cart_count(&client).await), (10, json!(2)));
    for nothing in ["orders", "outbox", "idempotency_keys", "payment_provider.charges"] {
        assert_eq!(app.number(&format!("select count(*) from {nothing}")).await, 0, "{nothing}");
    }

    // The key was not used up, and what was answered once does not depend on what the products cost later.
    let first = client.checkout_with("k", &shown(4000)).await;
    assert_eq!(first.expect(201)["total_cents"], 4000);
    app.sql("update products set price_cents = 1").await;
    assert_eq!(client.checkout_with("k", &shown(4000)).await.text, first.text);
    client.checkout_with("k", &shown(4001)).await.refused(422, "idempotency-mismatch");
}

/// Replicas of the version before call the function with one parameter less.
#[tokio::test]
async fn the_version_before_can_place_orders() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    let sql = "select o.result, o.total_cents from users u, \
               place_order(u.id, 'k', 'h', gen_random_uuid(), '{}', '4242', 'GBP', interval '1 h') o";
    let rows = app.rows(sql, &[]).await;
    assert_eq!((rows[0].get("result"), rows[0].get("total_cents")), ("placed", 200_i64));
    assert_eq!(app.stock(app.products[0]).await, 9);
}

#[tokio::test]
async fn a_cancelled_order_returns_its_stock_once() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 4).await.expect(200);
    let order = client.checkout("k", APPROVED).await.expect(201);
    let path = format!("/api/orders/{}/cancel", id(&order));
    let nothing = json!({});
    let answers = join_all((0..8).map(|_| client.post(&path, &nothing))).await;
    let (done, refused): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].expect(200)["status"], "cancelled");
    for answer in refused {
        answer.refused(409, "illegal-transition");
    }
    assert_eq!(app.stock(app.products[0]).await, 10);
    assert_eq!(events(&app, id(&order)).await, ["order.placed", "order.paid", "order.cancelled"]);
}

#[tokio::test]
async fn what_is_on_its_way_or_over_cannot_be_cancelled() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    let order = id(&client.checkout("k", APPROVED).await.expect(201));
    for status in ["shipped", "delivered", "cancelled", "payment_failed"] {
        app.execute("update orders set status = $1", &[&status]).await;
        let answer = client.post(&format!("/api/orders/{order}/cancel"), &json!({})).await;
        let problem = answer.refused(409, "illegal-transition");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(status)));
        assert_eq!(client.get(&format!("/api/orders/{order}")).await.expect(200)["status"], status);
    }
    assert_eq!(app.stock(app.products[0]).await, 9);
    assert_eq!(events(&app, order).await, ["order.placed", "order.paid"]);
}

#[tokio::test]
async fn a_bad_checkout_names_its_fields_and_orders_nothing() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    for (pointer, value, field) in [
        ("/shipping_address/name", json!(""), "shipping_address.name"),
        ("/shipping_address/line1", json!("x".repeat(201)), "shipping_address.line1"),
        ("/shipping_address/city", json!("a\u{0}b"), "shipping_address.city"),
        ("/shipping_address/city", json!(null), "shipping_address.city"),
        ("/shipping_address/postal_code", json!("x".repeat(21)), "shipping_address.postal_code"),
        ("/shipping_address/country", json!("Britain"), "shipping_address.country"),
        ("/payment/card_number", json!("5555555555554444"), "payment.card_number"),
        ("/payment/card_number", json!(4_242_424_242_424_242_i64), "payment.card_number"),
        ("/payment", json!({ "card_number": APPROVED, "cvc": "123" }), "payment.cvc"),
        ("/shipping_address", json!({}), "shipping_address.name"),
    ] {
        let mut body = checkout_body(APPROVED);
        *body.pointer_mut(pointer).expect("a field") = value;
        let answer = client.checkout_with("k", &body).await;
        assert_eq!(answer.refused_fields(422, "invalid"), [field]);
    }
    let long = "k".repeat(256);
    for key in ["", &long] {
        client.checkout(key, APPROVED).await.refused(400, "bad-request");
    }
    let without_key = client.request(Method::POST, "/api/orders").json(&checkout_body(APPROVED));
    Answer::of(without_key).await.refused(400, "bad-request");
    assert_eq!(app.number("select count(*) from orders").await, 0);
    client.checkout(&"k".repeat(255), APPROVED).await.expect(201);
}

#[tokio::test]
async fn orders_are_their_customers_own() {
    let app = TestApp::new().await.with_products(1).await;
    let (ada, eve) = (app.customer().await, app.customer().await);
    ada.put_item(app.products[0], 1).await.expect(200);
    let order = id(&ada.checkout("k", APPROVED).await.expect(201));
    let (order, cancel) = (format!("/api/orders/{order}"), format!("/api/orders/{order}/cancel"));
    eve.get(&order).await.refused(404, "not-found");
    eve.post(&cancel, &json!({})).await.refused(404, "not-found");
    assert_eq!(eve.get("/api/orders").await.expect(200), json!({ "items": [], "next_cursor": null }));
    let guest = app.guest();
    guest.get(&order).await.refused(401, "unauthenticated");
    guest.post(&cancel, &json!({})).await.refused(401, "unauthenticated");
    guest.get("/api/orders").await.refused(401, "unauthenticated");
    guest.checkout("k", APPROVED).await.refused(401, "unauthenticated");
    assert_eq!(ada.get(&order).await.expect(200)["status"], "paid");
}

#[tokio::test]
async fn the_list_is_newest_first_and_whole() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    let user = client.user_id().await;
    // Equal moments: the id decides.
    app.execute(
        "insert into orders (id, user_id, status, total_cents, currency, created_at) \
         select gen_random_uuid(), $1, 'delivered', i, 'GBP', timestamptz '2026-01-01 00:00Z' + i / 4 * interval '1 h' \
         from generate_series(1, 23) i",
        &[&user],
    )
    .await;
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "3")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = client.query("/api/orders", &query).await.expect(200);
        found.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    let ids: HashSet<Uuid> = found.iter().map(id).collect();
    assert_eq!((found.len(), ids.len()), (23, 23));
    assert!(found.is_sorted_by(|a, b| a["created_at"].as_str() >= b["created_at"].as_str()));
    assert_eq!(found[0]["shipping_address"], Value::Null);
    for query in [("limit", "0"), ("limit", "101"), ("cursor", "x"), ("status", "paid")] {
        client.query("/api/orders", &[query]).await.refused(400, "bad-request");
    }
}

#[tokio::test]
async fn the_shop_sells_without_redis() {
    let redis = Proxy::before_redis().await;
    let app = Setup::default().redis_through(&redis).start().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    redis.cut();
    assert_eq!(client.checkout("k", APPROVED).await.expect(201)["status"], "paid");
}
