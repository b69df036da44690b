//! `/api/cart`.

use reqwest::Method;
use serde_json::{Value, json};
use shopmicro_backend::db;
use shopmicro_backend::db::carts::{Owner, Put};
use shopmicro_backend::domain::order::{CheckoutBody, NewOrder};
use shopmicro_backend::sessions::CART_COOKIE;
use uuid::Uuid;

use crate::harness::{Answer, Client, NewProduct, PASSWORD, TestApp, checkout_body};

/// Product ids and quantities, in the cart's order.
fn content(cart: &Value) -> Vec<(Uuid, i64)> {
    let items = cart["items"].as_array().expect("items").iter();
    let id = |item: &Value| item["product"]["id"].as_str().expect("an id").parse().expect("a UUID");
    items.map(|item| (id(item), item["quantity"].as_i64().expect("a quantity"))).collect()
}

async fn cart(client: &Client) -> Vec<(Uuid, i64)> {
    content(&client.get("/api/cart").await.expect(200))
}

#[tokio::test]
async fn a_guest_has_a_cart() {
    let app = TestApp::new().await.with_products(2).await;
    let [a, b] = [app.products[0], app.products[1]];
    let guest = app.guest();
    let empty = json!({ "items": [], "total_cents": 0, "currency": "GBP", "item_count": 0 });
    let first = guest.get("/api/cart").await;
    assert_eq!((first.expect(200), first.cookie(CART_COOKIE)), (empty.clone(), None));
    guest.put_item(a, 2).await.expect(200);
    guest.put_item(b, 1).await.expect(200);
    // In place of what there was.
    let answer = guest.put_item(a, 3).await.expect(200);
    assert_eq!(content(&answer), [(a, 3), (b, 1)]);
    assert_eq!(guest.get("/api/cart").await.expect(200), answer);
    // Product 1 costs 2.00 and product 2 costs 3.00.
    assert_eq!(answer["items"][0]["line_total_cents"], 600);
    assert_eq!((&answer["total_cents"], &answer["item_count"]), (&json!(900), &json!(4)));

    assert_eq!(content(&guest.delete(&format!("/api/cart/items/{a}")).await.expect(200)), [(b, 1)]);
    assert_eq!(content(&guest.delete(&format!("/api/cart/items/{a}")).await.expect(200)), [(b, 1)]);
    // Another guest sees nothing of it.
    assert_eq!(app.guest().get("/api/cart").await.expect(200), empty);
    assert_eq!(app.guest().delete(&format!("/api/cart/items/{a}")).await.expect(200), empty);
}

#[tokio::test]
async fn an_invented_cookie_is_an_empty_cart() {
    let app = TestApp::new().await.with_products(1).await;
    for token in ["", "x", "../../etc"] {
        let request = |method, path: &str| {
            app.guest().request(method, path).header("cookie", format!("{CART_COOKIE}={token}"))
        };
        assert!(content(&Answer::of(request(Method::GET, "/api/cart")).await.expect(200)).is_empty());
        let path = format!("/api/cart/items/{}", app.products[0]);
        assert!(content(&Answer::of(request(Method::DELETE, &path)).await.expect(200)).is_empty());
    }
}

#[tokio::test]
async fn login_and_registration_take_the_guest_cart_along() {
    let app = TestApp::new().await.with_products(3).await;
    let [a, b, c] = [app.products[0], app.products[1], app.products[2]];
    let account = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada" });

    let client = app.guest();
    client.put_item(a, 60).await.expect(200);
    client.put_item(b, 1).await.expect(200);
    let registered = client.post("/api/users", &account).await;
    registered.expect(201);
    assert!(registered.cookie(CART_COOKIE).expect("removed").contains("Max-Age=0"));
    assert_eq!(cart(&client).await, [(a, 60), (b, 1)]);

    let other = app.guest();
    other.put_item(c, 2).await.expect(200);
    other.put_item(a, 60).await.expect(200);
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    other.post("/api/users/login", &login).await.expect(200);
    // Sums, up to the bound of a cart.
    assert_eq!(cart(&other).await, [(a, 99), (b, 1), (c, 2)]);
    assert_eq!(cart(&client).await, cart(&other).await);
    assert_eq!(app.number("select count(*) from carts where user_id is null").await, 0);

    // Logged out, it is out of sight; logged in again, it is as it was and not doubled.
    client.post("/api/users/logout", &json!({})).await.expect(204);
    assert!(cart(&client).await.is_empty());
    client.post("/api/users/login", &login).await.expect(200);
    assert_eq!(cart(&client).await, [(a, 99), (b, 1), (c, 2)]);
}

#[tokio::test]
async fn a_guests_cookie_lasts_from_the_last_change() {
    let app = TestApp::new().await.with_products(2).await;
    let guest = app.guest();
    let cookies = [guest.put_item(app.products[0], 1).await, guest.put_item(app.products[1], 1).await]
        .map(|put| put.cookie(CART_COOKIE).expect("set").to_owned());
    assert_eq!(cookies[0], cookies[1], "the same token, given anew");
    assert_eq!(cart(&guest).await.len(), 2);
    let customer = app.customer().await;
    assert_eq!(customer.put_item(app.products[0], 1).await.cookie(CART_COOKIE), None);
}

/// Two tabs log in at the same moment.
#[tokio::test]
async fn a_guest_cart_merges_once() {
    let app = TestApp::new().await.with_products(1).await;
    let account = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada" });
    app.guest().post("/api/users", &account).await.expect(201);
    let client = app.guest();
    client.put_item(app.products[0], 3).await.expect(200);
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let logins = (0..4).map(|_| client.post("/api/users/login", &login));
    for answer in futures_util::future::join_all(logins).await {
        answer.expect(200);
    }
    assert_eq!(cart(&client).await, [(app.products[0], 3)]);
}

#[tokio::test]
async fn quantities_have_bounds() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    for quantity in [0, -1, 100, i64::from(i32::MAX) + 1, i64::MAX] {
        let answer = client.put_item(app.products[0], quantity).await;
        assert_eq!(answer.refused_fields(422, "invalid"), ["quantity"], "{quantity}");
    }
    let path = format!("/api/cart/items/{}", app.products[0]);
    for (body, field) in [
        (json!({}), "quantity"),
        (json!({ "quantity": "2" }), "quantity"),
        (json!({ "quantity": 1.5 }), "quantity"),
        (json!({ "quantity": 1, "price_cents": 1 }), "price_cents"),
    ] {
        let answer = Answer::of(client.request(Method::PUT, &path).json(&body)).await;
        assert_eq!(answer.refused_fields(422, "invalid"), [field], "{body}");
    }
    assert!(cart(&client).await.is_empty());
    for quantity in [99, 1] {
        client.put_item(app.products[0], quantity).await.expect(200);
        assert_eq!(cart(&client).await, [(app.products[0], quantity)]);
    }
}

#[tokio::test]
async fn a_cart_holds_fifty_products() {
    let app = TestApp::new().await.with_products(52).await;
    let client = app.customer().await;
    for product in &app.products[..50] {
        client.put_item(*product, 1).await.expect(200);
    }
    let refused = client.put_item(app.products[50], 1).await;
    assert_eq!(refused.refused_fields(422, "invalid"), ["product_id"]);
    client.put_item(app.products[0], 2).await.expect(200);
    assert_eq!(cart(&client).await.len(), 50);

    // Nor does a merge go beyond it.
    let me = client.get("/api/users/me").await.expect(200);
    let guest = app.guest();
    for product in &app.products[50..] {
        guest.put_item(*product, 1).await.expect(200);
    }
    guest.post("/api/users/login", &json!({ "email": me["email"], "password": PASSWORD })).await.expect(200);
    assert_eq!(cart(&guest).await.len(), 50);
}

/// What the user has already takes no new place in a merge.
#[tokio::test]
async fn a_merge_takes_what_there_is_room_for() {
    let app = TestApp::new().await.with_products(52).await;
    let client = app.customer().await;
    let me = client.get("/api/users/me").await.expect(200);
    let log_in = json!({ "email": me["email"], "password": PASSWORD });
    for product in &app.products[..49] {
        client.put_item(*product, 1).await.expect(200);
    }
    // The last place is for the first product that is new; then there is none.
    for (products, expected) in [([0, 49, 50], [2, 1, 1, 1]), ([1, 51, 2], [2, 2, 2, 1])] {
        let guest = app.guest();
        for product in products {
            guest.put_item(app.products[product], 1).await.expect(200);
        }
        guest.post("/api/users/login", &log_in).await.expect(200);
        let cart = cart(&guest).await;
        assert_eq!(cart.len(), 50);
        let quantity = |n: usize| cart.iter().find(|(id, _)| *id == app.products[n]).expect("there").1;
        assert_eq!([0, 1, 2, 49].map(quantity), expected, "{products:?}");
    }
}

#[tokio::test]
async fn what_is_not_for_sale_does_not_get_in() {
    let app = TestApp::new().await.with_products(1).await;
    app.sql("update products set archived_at = now()").await;
    let guest = app.guest();
    let refused = guest.put_item(app.products[0], 1).await;
    refused.refused(404, "not-found");
    assert_eq!(refused.cookie(CART_COOKIE), None);
    guest.put_item(Uuid::new_v4(), 1).await.refused(404, "not-found");
    assert_eq!(app.number("select count(*) from carts").await, 0);
}

#[tokio::test]
async fn a_cart_shows_what_has_changed() {
    let app = TestApp::new().await.with_products(1).await;
    let gone = app.add(NewProduct::default()).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 2).await.expect(200);
    client.put_item(gone, 1).await.expect(200);
    app.execute("update products set archived_at = now() where id = $1", &[&gone]).await;
    app.execute("update products set price_cents = 777, stock = 1 where id = $1", &[&app.products[0]]).await;
    let cart = client.get("/api/cart").await.expect(200);
    assert_eq!(content(&cart), [(app.products[0], 2), (gone, 1)]);
    let item = &cart["items"][0];
    assert_eq!((&item["added_price_cents"], &item["product"]["price_cents"]), (&json!(200), &json!(777)));
    assert_eq!((&item["line_total_cents"], &item["product"]["stock"]), (&json!(1554), &json!(1)));
    // What is no longer for sale stays to be seen, and cannot be had.
    assert_eq!(cart["items"][1]["product"]["stock"], 0);
    let put = client.put_item(app.products[0], 2).await.expect(200);
    assert_eq!(put["items"][1], cart["items"][1]);
    client.checkout("k", "4242424242424242").await.refused(409, "out-of-stock");
    client.delete(&format!("/api/cart/items/{gone}")).await.expect(200);
    // Whoever puts it in again has seen the new price.
    let cart = client.put_item(app.products[0], 1).await.expect(200);
    assert_eq!((&cart["items"][0]["added_price_cents"], &cart["total_cents"]), (&json!(777), &json!(777)));
    client.checkout("k", "4242424242424242").await.expect(201);
}

#[tokio::test]
async fn concurrent_changes_leave_one_cart() {
    let app = TestApp::new().await.with_products(8).await;
    let client = app.customer().await;
    let changes = app.products.iter().map(|product| client.put_item(*product, 1));
    for answer in futures_util::future::join_all(changes).await {
        answer.expect(200);
    }
    assert_eq!(cart(&client).await.len(), 8);
    assert_eq!(app.number("select count(*) from carts").await, 1);
}

/// What conversion is measured by.
#[tokio::test]
async fn a_carts_first_item_is_told_from_others() {
    let app = TestApp::new().await.with_products(2).await;
    let client = app.state.pool.get().await.expect("a connection");
    let owner = Owner::Guest([7; 32]);
    let put = async |product, quantity| {
        db::carts::put_and_get(&client, &owner, product, quantity).await.expect("put").0
    };
    assert_eq!(put(app.products[0], 1).await, Put::First);
    assert_eq!(put(app.products[0], 2).await, Put::More);
    assert_eq!(put(app.products[1], 1).await, Put::More);
    for product in &app.products {
        db::carts::delete_item(&client, &owner, *product).await.expect("deleted");
    }
    assert_eq!(put(app.products[1], 1).await, Put::First, "an emptied cart begins anew");
}

/// A cart is no promise; an order is.
#[tokio::test]
async fn a_cart_does_not_wait_for_the_disk_and_an_order_does() {
    let app = TestApp::new().await.with_products(1).await;
    let ada = app.customer().await;
    let me = ada.get("/api/users/me").await.expect(200)["id"].clone();
    let me: Uuid = serde_json::from_value(me).expect("an id");
    let body: CheckoutBody = serde_json::from_value(checkout_body("4242424242424242")).expect("a body");
    let order = NewOrder::try_from(body).expect("an order");
    let mut connection = app.connection().await;
    for (waits, of) in [("off", "a put"), ("on", "an order")] {
        let transaction = connection.transaction().await.expect("a transaction");
        if waits == "off" {
            let owner = Owner::User(me);
            db::carts::put_and_get(&transaction, &owner, app.products[0], 1).await.expect("put");
        } else {
            db::orders::place(&transaction, me, "k", b"hash", &order).await.expect("placed");
        }
        let setting = transaction.query_one("show synchronous_commit", &[]).await.expect("a setting");
        assert_eq!(setting.get::<_, &str>(0), waits, "{of}");
        transaction.commit().await.expect("committed");
    }
}
