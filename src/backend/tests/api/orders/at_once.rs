//! Checkouts at the same moment.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::{APPROVED, DECLINED, TIMES_OUT, cart_count, id};
use crate::harness::{Answer, NewProduct, TestApp};

#[tokio::test]
async fn concurrent_requests_with_one_key_make_one_order() {
    for (card, status) in [(APPROVED, 201), (DECLINED, 402), (TIMES_OUT, 201)] {
        let app = TestApp::new().await.with_products(1).await;
        let client = app.customer().await;
        client.put_item(app.products[0], 2).await.expect(200);
        let answers = join_all((0..8).map(|_| client.checkout("k", card))).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.text), (status, &answers[0].text));
        }
        assert_eq!(app.number("select count(*) from orders").await, 1);
        assert_eq!(app.number("select count(*) from outbox where kind = 'order.placed'").await, 1);
        let expected = if card == DECLINED { (10, json!(2)) } else { (8, json!(0)) };
        assert_eq!((app.stock(app.products[0]).await, cart_count(&client).await), expected);
    }
}

/// A double click that a client gave two keys: the second finds the cart empty.
#[tokio::test]
async fn one_cart_is_ordered_once() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 2).await.expect(200);
    let keys: Vec<String> = (0..6).map(|n| format!("k{n}")).collect();
    let answers = join_all(keys.iter().map(|key| client.checkout(key, APPROVED))).await;
    let placed = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(placed, 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "empty-cart");
    }
    assert_eq!(app.stock(app.products[0]).await, 8);
    assert_eq!(app.number("select count(*) from orders").await, 1);
    // A key that failed is free for the next try.
    let free = answers.iter().position(|answer| answer.status == 409).expect("refused");
    client.put_item(app.products[0], 1).await.expect(200);
    client.checkout(&keys[free], APPROVED).await.expect(201);
}

#[tokio::test]
async fn twenty_customers_share_the_last_five() {
    let app = TestApp::new().await;
    let last = app.add(NewProduct { stock: 5, ..Default::default() }).await;
    let mut customers = Vec::new();
    for _ in 0..20 {
        let customer = app.customer().await;
        customer.put_item(last, 1).await.expect(200);
        customers.push(customer);
    }
    let answers = join_all(customers.iter().map(|customer| customer.checkout_at_last("k", APPROVED))).await;
    let (sold, refused): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(sold.len(), 5);
    for answer in refused {
        assert_eq!(answer.refused(409, "out-of-stock")["items"][0]["available"], 0);
    }
    assert_eq!(app.stock(last).await, 0);
    assert_eq!(app.number("select sum(quantity) from order_items").await, 5);
}

/// Carts with the same products in another order: checkouts must not wait for each other in a circle.
#[tokio::test]
async fn crossing_carts_do_not_deadlock() {
    let app = TestApp::new().await.with_products(6).await;
    let mut customers = Vec::new();
    for n in 0..10 {
        let customer = app.customer().await;
        let mut products = app.products.clone();
        products.rotate_left(n % 6);
        if n % 2 == 0 {
            products.reverse();
        }
        for product in products {
            customer.put_item(product, 1).await.expect(200);
        }
        customers.push(customer);
    }
    let cards = [APPROVED, DECLINED];
    let checkouts =
        customers.iter().enumerate().map(|(n, customer)| customer.checkout_at_last("k", cards[n % 2]));
    let answers = join_all(checkouts).await;
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status, [201, 402][n % 2], "{}", answer.text);
    }
    let cancels = customers.iter().zip(&answers).step_by(2).map(async |(customer, answer)| {
        let path = format!("/api/orders/{}/cancel", id(&answer.expect(201)));
        customer.post(&path, &json!({})).await.expect(200);
    });
    join_all(cancels).await;
    for product in &app.products {
        assert_eq!(app.stock(*product).await, 10);
    }
}

/// What leaves the cart while it is being ordered is either ordered and taken from stock, or neither.
#[tokio::test]
async fn an_item_deleted_during_checkout_does_not_upset_the_stock() {
    let app = TestApp::new().await.with_products(2).await;
    let mut products = app.products.clone();
    products.sort_unstable();
    let client = app.customer().await;
    for product in &products {
        client.put_item(*product, 1).await.expect(200);
    }
    // The checkout stands between its products: it holds the first, and waits for the second.
    let mut holder = app.connection().await;
    let holder = holder.transaction().await.expect("a transaction");
    holder.execute("select 1 from products where id = $1 for update", &[&products[1]]).await.expect("locked");
    let checkout = client.checkout("k", APPROVED);
    let path = format!("/api/cart/items/{}", products[0]);
    let disturb = async {
        app.until_one_waits_for_a_lock().await;
        let deletion = client.delete(&path);
        let release = async {
            // The deletion may have to wait for the checkout, which goes on only after this.
            tokio::time::sleep(Duration::from_millis(200)).await;
            holder.commit().await.expect("released");
        };
        tokio::join!(deletion, release).0.expect(200);
    };
    let (answer, ()) = tokio::join!(checkout, disturb);
    answer.expect(201);
    for product in products {
        let sql = "select coalesce(sum(quantity), 0)::int as sold from order_items where product_id = $1";
        let sold: i32 = app.rows(sql, &[&product]).await[0].get("sold");
        assert_eq!(app.stock(product).await, 10 - sold);
    }
}
