//! Who may do what, for every operation of the OpenAPI document: one that is new is for admins alone until it is named
//! here.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, Logs, TestApp};

/// For everybody.
const OPEN: [&str; 15] = [
    "GET /api/products",
    "GET /api/products/facets",
    "GET /api/products/suggestions",
    "GET /api/products/{id}",
    "GET /api/products/{id}/picture.svg",
    "GET /api/products/{id}/similar",
    "GET /api/categories",
    "GET /api/recommendations",
    "GET /api/cart",
    "PUT /api/cart/items/{product_id}",
    "DELETE /api/cart/items/{product_id}",
    "POST /api/frontend-metrics",
    "POST /api/users",
    "POST /api/users/login",
    "POST /api/users/logout",
];

/// For who is logged in.
const OWN: [&str; 12] = [
    "POST /api/products/{id}/views",
    "GET /api/orders",
    "POST /api/orders",
    "GET /api/orders/{id}",
    "POST /api/orders/{id}/cancel",
    "GET /api/users/me",
    "PATCH /api/users/me",
    "DELETE /api/users/me",
    "PUT /api/users/me/password",
    "GET /api/users/me/sessions",
    "DELETE /api/users/me/sessions",
    "DELETE /api/users/me/sessions/{id}",
];

/// Every operation of the document, as `METHOD /path`.
async fn operations(app: &TestApp) -> Vec<String> {
    let document = app.guest().get("/api/openapi.json").await.expect(200);
    let paths = document["paths"].as_object().expect("paths");
    let of = |(path, item): (&String, &Value)| {
        let methods = item.as_object().expect("a path").keys().filter(|key| *key != "parameters");
        methods.map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

/// Asks for an operation, with ids that are none and an empty body.
async fn ask(client: &Client, operation: &str) -> Answer {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let method: Method = method.parse().expect("a method");
    let id = Uuid::new_v4().to_string();
    let path = path.replace("{id}", &id).replace("{product_id}", &id);
    assert!(!path.contains('{'), "{path}");
    let request = client.request(method.clone(), &path);
    Answer::of(if method == Method::GET { request } else { request.json(&json!({})) }).await
}

#[tokio::test]
async fn every_operation_is_for_those_who_may() {
    let app = TestApp::new().await;
    let operations = operations(&app).await;
    for known in OPEN.iter().chain(&OWN) {
        assert!(operations.iter().any(|operation| operation == known), "there is no {known}");
    }
    for operation in operations.iter().map(String::as_str) {
        let guest = ask(&app.guest(), operation).await;
        if OPEN.contains(&operation) {
            assert!(![401, 403].contains(&guest.status), "{operation}: {}", guest.text);
            continue;
        }
        assert_eq!(guest.status, 401, "{operation} by a guest: {}", guest.text);
        if !OWN.contains(&operation) {
            let customer = ask(&app.customer().await, operation).await;
            assert_eq!(customer.status, 403, "{operation} by a customer: {}", customer.text);
        }
    }
}

#[tokio::test]
async fn who_is_refused_is_logged_and_not_by_name() {
    let (logs, _guard) = Logs::capture();
    let app = TestApp::new().await;
    let customer = app.customer().await;
    let id = customer.user_id().await.to_string();
    customer.get("/api/audit-log").await.refused(403, "forbidden");
    let elsewhere =
        customer.request(Method::POST, "/api/users/logout").header("sec-fetch-site", "cross-site");
    Answer::of(elsewhere).await.refused(403, "forbidden");
    let logs = logs.text();
    for (message, who) in [("this is for admins", id.as_str()), ("comes from another site", "")] {
        let line = logs.lines().find(|line| line.contains(message)).expect(message);
        assert!(line.contains(who) && line.contains("request_id"), "{line}");
    }
    assert!(!logs.contains("@example.com"), "{logs}");
}

/// A link, a picture or a prefetch on another site is a GET, and no guard stands before it.
#[tokio::test]
async fn what_is_read_changes_nothing() {
    let app = TestApp::new().await.with_products(3).await;
    let admin = app.admin().await;
    admin.put_item(app.products[0], 1).await.expect(200);
    let order = admin.checkout("k", "4242424242424242").await.expect(201)["id"].clone();
    let order = order.as_str().expect("an id");
    let user = admin.user_id().await.to_string();
    // That a session was seen is noted; all else is in stone.
    app.sql(
        "create function refuse() returns trigger language plpgsql as $$ begin raise 'a read that writes'; end $$; \
         do $$ declare t text; begin \
             for t in select tablename from pg_tables where schemaname = 'public' and tablename <> 'sessions' loop \
                 execute format('create trigger unchanged before insert or update or delete on %I \
                     for each statement execute function refuse()', t); \
             end loop; end $$",
    )
    .await;
    for operation in operations(&app).await {
        let Some(path) = operation.strip_prefix("GET ") else { continue };
        let id = match path {
            path if path.contains("/orders/") => order.to_owned(),
            path if path.contains("/users/") => user.clone(),
            _ => app.products[1].to_string(),
        };
        let path = path.replace("{id}", &id);
        let query: &[(&str, &str)] = if path.ends_with("/suggestions") { &[("q", "pro")] } else { &[] };
        let answer = admin.query(&path, query).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    admin.put_item(app.products[0], 1).await.refused(500, "internal");
}
