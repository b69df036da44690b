//! `/api/admin/orders`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp};

async fn ordered(app: &TestApp, client: &Client, key: &str) -> String {
    client.put_item(app.products[0], 1).await.expect(200);
    let order = client.checkout(key, "4242424242424242").await.expect(201);
    order["id"].as_str().expect("an id").to_owned()
}

async fn change(client: &Client, order: &str, status: &str) -> Answer {
    let request = client.request(Method::PATCH, &format!("/api/admin/orders/{order}"));
    Answer::of(request.json(&json!({ "status": status }))).await
}

#[tokio::test]
async fn an_order_goes_its_way() {
    let app = TestApp::new().await.with_products(1).await;
    let (admin, ada) = (app.admin().await, app.customer().await);
    let order = ordered(&app, &ada, "k").await;
    let shipped = change(&admin, &order, "shipped").await.expect(200);
    assert_eq!((&shipped["status"], &shipped["payment"]), (&json!("shipped"), &json!("captured")));
    assert_eq!(shipped["customer"]["id"], ada.user_id().await.to_string());
    assert_eq!(admin.get(&format!("/api/admin/orders/{order}")).await.expect(200), shipped);
    assert_eq!(change(&admin, &order, "delivered").await.expect(200)["status"], "delivered");
    assert_eq!(ada.get(&format!("/api/orders/{order}")).await.expect(200)["status"], "delivered");
    let log = app.rows(
        "select actor_id, detail from audit_log where action = 'order.status_changed' order by id",
        &[],
    );
    let log: Vec<Value> = log.await.iter().map(|row| row.get("detail")).collect();
    assert_eq!(
        log,
        [json!({ "from": "paid", "to": "shipped" }), json!({ "from": "shipped", "to": "delivered" })]
    );
    app.expect_balance().await;
}

/// Every change that is not legal, and what only a payment may do.
#[tokio::test]
async fn an_order_goes_no_other_way() {
    let app = TestApp::new().await.with_products(1).await;
    let (admin, ada) = (app.admin().await, app.customer().await);
    let order = ordered(&app, &ada, "k").await;
    let all = ["pending_payment", "paid", "shipped", "delivered", "cancelled", "payment_failed"];
    for (from, legal) in [
        ("pending_payment", &["cancelled"][..]),
        ("paid", &["shipped", "cancelled"]),
        ("shipped", &["delivered"]),
        ("delivered", &[]),
        ("cancelled", &[]),
        ("payment_failed", &[]),
    ] {
        for to in all.into_iter().filter(|to| !legal.contains(to)) {
            app.execute("update orders set status = $1", &[&from]).await;
            change(&admin, &order, to).await.refused(409, "illegal-transition");
        }
    }
    assert_eq!(app.stock(app.products[0]).await, 9);
    assert_eq!(app.number("select count(*) from audit_log where action = 'order.status_changed'").await, 0);
    change(&admin, &order, "lost").await.refused(422, "invalid");
    change(&admin, &uuid::Uuid::new_v4().to_string(), "shipped").await.refused(404, "not-found");
    change(&admin, "x", "shipped").await.refused(400, "bad-request");
}

#[tokio::test]
async fn the_list_is_filtered_and_whole() {
    let app = TestApp::new().await.with_products(1).await;
    let (admin, ada, eve) = (app.admin().await, app.customer().await, app.customer().await);
    for key in ["a", "b", "c"] {
        ordered(&app, &ada, key).await;
    }
    let shipped = ordered(&app, &eve, "d").await;
    change(&admin, &shipped, "shipped").await.expect(200);
    let ids = async |query: &[(&str, &str)]| {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            query.push(("limit", "2"));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = admin.query("/api/admin/orders", &query).await.expect(200);
            found.extend(page["items"].as_array().expect("items").iter().map(|order| order["id"].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return found,
            }
        }
    };
    let (ada_id, eve_id) = (ada.user_id().await.to_string(), eve.user_id().await.to_string());
    assert_eq!(ids(&[]).await.len(), 4);
    assert_eq!(ids(&[("status", "shipped")]).await, [json!(shipped)]);
    assert_eq!(ids(&[("status", "paid")]).await.len(), 3);
    assert_eq!(ids(&[("customer", &ada_id)]).await.len(), 3);
    assert_eq!(ids(&[("customer", &eve_id), ("status", "paid")]).await, Vec::<Value>::new());
    // An order outlives its customer's account, without what was personal.
    app.sql("delete from users where role = 'customer'").await;
    let page = admin.get("/api/admin/orders").await.expect(200);
    assert_eq!(page["items"][0]["customer"], Value::Null);
    for query in [("limit", "0"), ("status", "lost"), ("customer", "x"), ("cursor", "x"), ("all", "true")] {
        admin.query("/api/admin/orders", &[query]).await.refused(400, "bad-request");
    }
}

#[tokio::test]
async fn admins_alone_may_look_and_change() {
    let app = TestApp::new().await.with_products(1).await;
    let ada = app.customer().await;
    let order = ordered(&app, &ada, "k").await;
    for (client, status, slug) in [(&ada, 403, "forbidden"), (&app.guest(), 401, "unauthenticated")] {
        client.get("/api/admin/orders").await.refused(status, slug);
        client.get(&format!("/api/admin/orders/{order}")).await.refused(status, slug);
        change(client, &order, "shipped").await.refused(status, slug);
    }
    assert_eq!(ada.get(&format!("/api/orders/{order}")).await.expect(200)["status"], "paid");
}
