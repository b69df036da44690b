//! Bad input gets a clear, specific answer, and nothing is stored.

use acceptance::{APPROVED, PASSWORD, Visitor, address, answer, id, key, order_with, product};
use reqwest::Method;
use serde_json::{Value, json};

/// The names of the fields that a problem refuses.
fn fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().expect("errors").iter().filter_map(|error| error["field"].as_str()).collect()
}

#[tokio::test]
async fn registrations_name_the_field() {
    let visitor = Visitor::new();
    let good = json!({ "email": address(), "password": PASSWORD, "name": "Ada" });
    for (field, value) in [
        ("email", json!("not an address")),
        ("email", json!(format!("{}@example.com", "x".repeat(300)))),
        ("password", json!("short")),
        ("password", json!("x".repeat(129))),
        ("name", json!("")),
        ("name", json!("x".repeat(101))),
        ("name", json!("a\u{0}b")),
        ("name", json!(5)),
        ("role", json!("admin")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let problem = visitor.send(Method::POST, "/api/users", &body).await.expect_problem(422, "invalid");
        assert_eq!(fields(&problem), [field], "{problem}");
    }
    visitor.get("/api/users/me").await.expect_problem(401, "unauthenticated");
    let login = json!({ "email": good["email"], "password": PASSWORD });
    visitor.send(Method::POST, "/api/users/login", &login).await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn quantities_are_bounded_and_nothing_is_stored() {
    let visitor = Visitor::customer().await;
    let path = format!("/api/cart/items/{}", id(&product(0).await));
    for quantity in
        [json!(0), json!(-1), json!(100), json!(4_294_967_297_u64), json!(1.5), json!("2"), Value::Null]
    {
        let answer = visitor.send(Method::PUT, &path, &json!({ "quantity": quantity })).await;
        assert_eq!(fields(&answer.expect_problem(422, "invalid")), ["quantity"], "{quantity}");
    }
    let unknown = format!("/api/cart/items/{}", uuid::Uuid::new_v4());
    visitor.send(Method::PUT, &unknown, &json!({ "quantity": 1 })).await.expect_problem(404, "not-found");
    visitor
        .send(Method::PUT, "/api/cart/items/1", &json!({ "quantity": 1 }))
        .await
        .expect_problem(400, "bad-request");
    assert_eq!(visitor.get("/api/cart").await.expect(200)["item_count"], 0);
}

#[tokio::test]
async fn checkouts_name_the_field_and_order_nothing() {
    let customer = Visitor::customer().await;
    customer.put_in_cart(&id(&product(0).await), 1).await.expect(200);
    for (path, field, value) in [
        ("/shipping_address/city", "shipping_address.city", json!(" ")),
        ("/shipping_address/country", "shipping_address.country", json!("Britain")),
        ("/shipping_address/line1", "shipping_address.line1", json!("x".repeat(201))),
        ("/shipping_address/name", "shipping_address.name", Value::Null),
        ("/payment/card_number", "payment.card_number", json!("5555555555554444")),
    ] {
        let mut body = order_with(APPROVED);
        *body.pointer_mut(path).expect(path) = value;
        let request =
            customer.request(Method::POST, "/api/orders").header("idempotency-key", key()).json(&body);
        assert_eq!(fields(&answer(request).await.expect_problem(422, "invalid")), [field], "{body}");
    }
    assert_eq!(customer.get("/api/orders").await.expect(200)["items"], json!([]));
    assert_eq!(customer.get("/api/cart").await.expect(200)["item_count"], 1);
}

#[tokio::test]
async fn queries_name_the_parameter() {
    let customer = Visitor::customer().await;
    for (path, field) in [
        ("/api/products?limit=0", "limit"),
        ("/api/products?limit=101", "limit"),
        ("/api/products?limit=x", "limit"),
        ("/api/products?colour=red", "colour"),
        ("/api/products?sort=best", "sort"),
        ("/api/products?sort=relevance", "sort"),
        ("/api/products?min_price_cents=-1", "min_price_cents"),
        ("/api/products?min_price_cents=2&max_price_cents=1", "min_price_cents"),
        ("/api/products?cursor=nonsense", "cursor"),
        ("/api/orders?cursor=nonsense", "cursor"),
        ("/api/orders?limit=-1", "limit"),
        ("/api/recommendations?limit=51", "limit"),
        ("/api/recommendations?user=1", "user"),
    ] {
        let problem = customer.get(path).await.expect_problem(400, "bad-request");
        assert!(problem["detail"].as_str().unwrap_or_default().contains(field), "{path}: {problem}");
    }
    let long = format!("/api/products?q={}", "x".repeat(201));
    customer.get(&long).await.expect_problem(400, "bad-request");
}

#[tokio::test]
async fn bodies_must_be_json_of_a_bounded_size() {
    let visitor = Visitor::new();
    let post = |content_type: &str, body: String| {
        answer(
            visitor.request(Method::POST, "/api/users/login").header("content-type", content_type).body(body),
        )
    };
    for malformed in ["", "{", "{\"email\":", "{\"email\" 5}"] {
        post("application/json", malformed.to_owned()).await.expect_problem(400, "bad-request");
    }
    post("application/json", "[]".to_owned()).await.expect_problem(422, "invalid");
    for other in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        post(other, "{}".to_owned()).await.expect_problem(415, "unsupported-media-type");
    }
    post("application/json", "x".repeat(70_000)).await.expect_problem(413, "too-large");
    answer(visitor.request(Method::DELETE, "/api/products")).await.expect_problem(405, "method-not-allowed");
}

#[tokio::test]
async fn requests_that_another_site_sends_are_refused() {
    let customer = Visitor::customer().await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let request = customer.request(Method::POST, "/api/users/logout").header(name, value);
        answer(request).await.expect_problem(403, "forbidden");
    }
    customer.get("/api/users/me").await.expect(200);
}
