//! What is removed by itself, and what is not.

use serde_json::json;
use shopmicro_backend::workers::{Pass, housekeeping, outbox, views};

use crate::harness::TestApp;

#[tokio::test]
async fn what_has_had_its_time_is_removed() {
    let app = TestApp::new().await.with_products(2).await;
    // One of each that is old, and one that is not.
    let (old, new) = (app.customer().await, app.customer().await);
    for client in [&old, &new] {
        client.put_item(app.products[0], 1).await.expect(200);
        client.checkout("k", "4242424242424242").await.expect(201);
        client.put_item(app.products[1], 1).await.expect(200);
    }
    let (left, kept) = (app.guest(), app.guest());
    left.put_item(app.products[0], 1).await.expect(200);
    app.sql("update carts set updated_at = now() - interval '31 days'").await;
    kept.put_item(app.products[1], 1).await.expect(200);
    while outbox::pass(&app.state).await.expect("a pass") == Pass::More {}
    let unpublished = app.customer().await;
    unpublished.put_item(app.products[0], 1).await.expect(200);
    unpublished.checkout("k", "4242424242424242").await.expect(201);

    let user = old.user_id().await;
    app.execute(
        "update idempotency_keys set created_at = now() - interval '8 days' where user_id = $1",
        &[&user],
    )
    .await;
    let admin = app.admin().await;
    for key in ["old", "new"] {
        admin.adjust(app.products[0], Some(key), 1, "").await.expect(200);
    }
    app.sql("update adjustment_keys set at = now() - interval '8 days' where key = 'old'").await;
    app.sql(
        "update outbox set published_at = published_at - interval '8 days' \
         where order_id = (select order_id from outbox order by id limit 1); \
         update outbox set created_at = created_at - interval '90 days'",
    )
    .await;
    while housekeeping::pass(&app.state).await.expect("a pass") == Pass::More {}

    assert_eq!(app.number("select count(*) from idempotency_keys").await, 2);
    assert_eq!(app.number("select count(*) from adjustment_keys").await, 1);
    // Two of the newer order, and two that wait to be published, however old.
    assert_eq!(app.number("select count(*) from outbox").await, 4);
    assert_eq!(app.number("select count(*) from orders").await, 3);
    // A customer's cart is kept, and so is that of a guest who was here lately.
    assert_eq!(old.get("/api/cart").await.expect(200)["item_count"], 1);
    assert_eq!(left.get("/api/cart").await.expect(200)["items"], json!([]));
    assert_eq!(kept.get("/api/cart").await.expect(200)["item_count"], 1);
}

/// What was put into a cart stays, however old.
#[tokio::test]
async fn what_was_looked_at_is_forgotten_after_ninety_days() {
    let app = TestApp::new().await.with_products(3).await;
    let ada = app.customer().await;
    ada.put_item(app.products[0], 1).await.expect(200);
    for product in &app.products {
        ada.look_at(*product).await.expect(204);
    }
    views::pass(&app.state).await.expect("a pass");
    app.sql("update interactions set at = at - interval '89 days'").await;
    let age = "update interactions set at = at - interval '2 days' where product_id = $1";
    app.execute(age, &[&app.products[0]]).await;
    // One that somebody else holds waits for the next pass, and holds nothing up.
    app.execute(age, &[&app.products[1]]).await;
    let mut holder = app.connection().await;
    let holder = holder.transaction().await.expect("a transaction");
    let sql = "select 1 from interactions where product_id = $1 for update";
    holder.execute(sql, &[&app.products[1]]).await.expect("locked");
    while housekeeping::pass(&app.state).await.expect("a pass") == Pass::More {}
    let left = "select count(*) from interactions where kind = 'view'";
    assert_eq!(app.number(left).await, 2);
    holder.commit().await.expect("released");
    while housekeeping::pass(&app.state).await.expect("a pass") == Pass::More {}
    assert_eq!(app.number(left).await, 1);
    assert_eq!(app.number("select count(*) from interactions where kind = 'cart'").await, 1);
}
