//! `/api/users/me`: profile, password, sessions, and the end of an account.

mod sessions;

use reqwest::Method;
use serde_json::{Value, json};
use shopmicro_backend::domain::login::DELAYS;
use shopmicro_backend::sessions::SESSION_COOKIE;
use uuid::Uuid;

use crate::harness::{Answer, Client, PASSWORD, Proxy, Setup, TestApp};

const ADA: &str = "ada@example.com";
const WRONG: &str = "wrong horse battery";
const NEW: &str = "staple of another horse";

async fn send(client: &Client, method: Method, path: &str, body: &Value) -> Answer {
    Answer::of(client.request(method, path).json(body)).await
}

async fn change(client: &Client, body: &Value) -> Answer {
    send(client, Method::PATCH, "/api/users/me", body).await
}

async fn change_password(client: &Client, current: &str, new: &str) -> Answer {
    let body = json!({ "current_password": current, "new_password": new });
    send(client, Method::PUT, "/api/users/me/password", &body).await
}

async fn delete(client: &Client, password: &str) -> Answer {
    send(client, Method::DELETE, "/api/users/me", &json!({ "password": password })).await
}

async fn me(client: &Client) -> Answer {
    client.get("/api/users/me").await
}

async fn me_with(client: &Client, token: &str) -> Answer {
    let request = client.request(Method::GET, "/api/users/me");
    Answer::of(request.header("cookie", format!("{SESSION_COOKIE}={token}"))).await
}

fn token(answer: &Answer) -> String {
    let cookie = answer.cookie(SESSION_COOKIE).expect("a session");
    cookie.split(['=', ';']).nth(1).expect("a value").to_owned()
}

/// A browser in which Ada is newly registered, and her session's token.
async fn ada(app: &TestApp) -> (Client, String) {
    let client = app.guest();
    let body = json!({ "email": ADA, "password": PASSWORD, "name": "Ada" });
    let answer = client.post("/api/users", &body).await;
    answer.expect(201);
    (client, token(&answer))
}

async fn log_in(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/api/users/login", &json!({ "email": email, "password": password })).await
}

/// The audit log's actions, with what is beside them.
async fn audit(app: &TestApp) -> Vec<(String, Value)> {
    let rows = app.rows("select action, detail from audit_log order by id", &[]).await;
    rows.iter().map(|row| (row.get("action"), row.get("detail"))).collect()
}

#[tokio::test]
async fn nothing_here_is_for_guests() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let session = format!("/api/users/me/sessions/{}", Uuid::new_v4());
    let password = json!({ "current_password": PASSWORD, "new_password": NEW });
    for (method, path, body) in [
        (Method::GET, "/api/users/me", json!({})),
        (Method::PATCH, "/api/users/me", json!({ "name": "Eve" })),
        (Method::DELETE, "/api/users/me", json!({ "password": PASSWORD })),
        (Method::PUT, "/api/users/me/password", password),
        (Method::GET, "/api/users/me/sessions", json!({})),
        (Method::DELETE, "/api/users/me/sessions", json!({})),
        (Method::DELETE, session.as_str(), json!({})),
    ] {
        send(&guest, method, path, &body).await.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_name_is_changed_without_a_password() {
    let app = TestApp::new().await;
    let (client, _) = ada(&app).await;
    let before = me(&client).await.expect(200);
    let changed = change(&client, &json!({ "name": " Countess " })).await.expect(200);
    assert_eq!(changed["name"], "Countess");
    assert_eq!(me(&client).await.expect(200), changed);
    for field in ["id", "email", "role", "created_at"] {
        assert_eq!(changed[field], before[field]);
    }
    // What is so already is no change, and needs no password.
    let same = json!({ "name": "Countess", "email": "ADA@example.com" });
    assert_eq!(change(&client, &same).await.expect(200), changed);
    let acts = audit(&app).await;
    assert_eq!(acts[1..], [("account.changed".to_owned(), json!({ "fields": ["name"] }))]);
}

#[tokio::test]
async fn an_address_is_changed_with_the_password() {
    let app = TestApp::new().await;
    let (client, _) = ada(&app).await;
    let body = |password: &str| json!({ "email": " Countess@Example.com ", "current_password": password });
    let refused = change(&client, &json!({ "email": "countess@example.com" })).await;
    assert_eq!(refused.refused_fields(422, "invalid"), ["current_password"]);
    assert_eq!(
        change(&client, &body(WRONG)).await.refused_fields(403, "wrong-password"),
        ["current_password"]
    );
    assert_eq!(me(&client).await.expect(200)["email"], ADA);

    let changed = change(&client, &body(PASSWORD)).await.expect(200);
    assert_eq!(changed["email"], "countess@example.com");
    assert_eq!(me(&client).await.expect(200), changed);
    log_in(&app.guest(), ADA, PASSWORD).await.refused(401, "unauthenticated");
    log_in(&app.guest(), "countess@example.com", PASSWORD).await.expect(200);
    let acts = audit(&app).await;
    assert_eq!(acts[1..], [("account.changed".to_owned(), json!({ "fields": ["email"] }))]);
}

#[tokio::test]
async fn an_address_of_another_account_is_not_to_be_had() {
    let app = TestApp::new().await;
    let (client, _) = ada(&app).await;
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD, "name": "Bob" });
    app.guest().post("/api/users", &bob).await.expect(201);
    let body = json!({ "name": "Bob", "email": "BOB@example.com", "current_password": PASSWORD });
    assert_eq!(change(&client, &body).await.refused_fields(409, "email-taken"), ["email"]);
    // The password was right all the same.
    assert_eq!(app.number("select count(*) from login_attempts").await, 0);
    // Nor was half of it done.
    assert_eq!(me(&client).await.expect(200)["name"], "Ada");
}

#[tokio::test]
async fn bad_changes_name_their_fields() {
    let app = TestApp::new().await;
    let (client, _) = ada(&app).await;
    for (body, fields) in [
        (json!({}), &["body"][..]),
        (json!({ "current_password": PASSWORD }), &["body"]),
        (json!({ "name": "", "email": "x" }), &["name", "email"]),
        (json!({ "name": "a\u{0}b" }), &["name"]),
        (json!({ "name": "x".repeat(101) }), &["name"]),
        (json!({ "name": null }), &["name"]),
        (json!({ "email": null }), &["email"]),
        (json!({ "name": "x", "current_password": "x".repeat(129) }), &["current_password"]),
        (json!({ "role": "admin" }), &["role"]),
        (json!({ "password": NEW }), &["password"]),
    ] {
        assert_eq!(change(&client, &body).await.refused_fields(422, "invalid"), fields, "{body}");
    }
    for (current, new, fields) in [
        (PASSWORD, "short", &["new_password"][..]),
        (PASSWORD, "password123", &["new_password"]),
        ("x".repeat(129).as_str(), "x", &["current_password", "new_password"]),
        (PASSWORD, "x".repeat(129).as_str(), &["new_password"]),
    ] {
        let answer = change_password(&client, current, new).await;
        assert_eq!(answer.refused_fields(422, "invalid"), fields);
    }
    let body = json!({ "current_password": PASSWORD, "new_password": NEW, "role": "admin" });
    let answer = send(&client, Method::PUT, "/api/users/me/password", &body).await;
    assert_eq!(answer.refused_fields(422, "invalid"), ["role"]);
    let body = json!({ "password": PASSWORD, "user_id": Uuid::new_v4() });
    let answer = send(&client, Method::DELETE, "/api/users/me", &body).await;
    assert_eq!(answer.refused_fields(422, "invalid"), ["user_id"]);
    assert_eq!(delete(&client, &"x".repeat(129)).await.refused_fields(422, "invalid"), ["password"]);
    assert_eq!(app.number("select count(*) from login_attempts").await, 0, "no password was looked at");
    me(&client).await.expect(200);
}

#[tokio::test]
async fn a_new_password_ends_every_session_but_this_browsers() {
    let app = TestApp::new().await;
    let (client, old) = ada(&app).await;
    let laptop = app.guest();
    log_in(&laptop, ADA, PASSWORD).await.expect(200);
    for browser in [&client, &laptop] {
        me(browser).await.expect(200);
    }
    assert_eq!(
        change_password(&client, WRONG, NEW).await.refused_fields(403, "wrong-password"),
        ["current_password"]
    );
    me(&laptop).await.expect(200);

    let changed = change_password(&client, PASSWORD, NEW).await;
    changed.expect(204);
    me(&client).await.expect(200);
    me(&laptop).await.refused(401, "unauthenticated");
    // Nor is who stole this browser's cookie still in.
    me_with(&app.guest(), &old).await.refused(401, "unauthenticated");
    log_in(&app.guest(), ADA, PASSWORD).await.refused(401, "unauthenticated");
    log_in(&app.guest(), ADA, NEW).await.expect(200);
    let acts = audit(&app).await;
    assert_eq!(acts[1..], [("password.changed".to_owned(), json!({}))]);
}

/// Otherwise who finds an open browser could try passwords as fast as it answers.
#[tokio::test]
async fn the_password_cannot_be_guessed_from_within() {
    let app = TestApp::new().await;
    let (client, _) = ada(&app).await;
    for (failures, delay) in DELAYS.into_iter().enumerate() {
        let body = json!({ "email": "eve@example.com", "current_password": WRONG });
        let refused = match failures % 3 {
            0 => change_password(&client, WRONG, NEW).await,
            1 => delete(&client, WRONG).await,
            _ => change(&client, &body).await,
        };
        refused.refused(403, "wrong-password");
        if !delay.is_zero() {
            app.sql("update login_attempts set blocked_until = blocked_until + interval '1 min'").await;
            for refused in [
                change_password(&client, PASSWORD, NEW).await,
                delete(&client, PASSWORD).await,
                change(&client, &json!({ "email": "eve@example.com", "current_password": PASSWORD })).await,
                log_in(&app.guest(), ADA, PASSWORD).await,
            ] {
                refused.refused(429, "too-many-attempts");
                assert!(!refused.header("retry-after").is_empty());
            }
        }
        app.sql("update login_attempts set blocked_until = now()").await;
    }
    assert_eq!(audit(&app).await.last().map(|(action, _)| action.as_str()), Some("login.locked"));
    // The right one clears the slate.
    change_password(&client, PASSWORD, NEW).await.expect(204);
    assert_eq!(app.number("select count(*) from login_attempts").await, 0);
}

#[tokio::test]
async fn a_new_password_holds_across_an_outage_of_redis() {
    let redis = Proxy::before_redis().await;
    let app = Setup::default().redis_through(&redis).start().await;
    let (client, old) = ada(&app).await;
    me(&client).await.expect(200);
    redis.cut();
    change_password(&client, PASSWORD, NEW).await.expect(204);
    me_with(&app.guest(), &old).await.refused(401, "unauthenticated");
    redis.mend();
    me_with(&app.guest(), &old).await.refused(401, "unauthenticated");
    me(&client).await.expect(200);
}

#[tokio::test]
async fn a_deleted_account_leaves_its_orders_and_nothing_personal() {
    let app = TestApp::new().await.with_products(1).await;
    let (client, token) = ada(&app).await;
    let laptop = app.guest();
    log_in(&laptop, ADA, PASSWORD).await.expect(200);
    let mut orders = Vec::new();
    for status in ["paid", "shipped", "delivered", "cancelled", "payment_failed"] {
        client.put_item(app.products[0], 1).await.expect(200);
        let order = client.checkout(status, "4242424242424242").await.expect(201);
        let id: Uuid = serde_json::from_value(order["id"].clone()).expect("an id");
        app.execute("update orders set status = $2 where id = $1", &[&id, &status]).await;
        orders.push(id);
    }
    client.put_item(app.products[0], 1).await.expect(200);
    let stranger = app.customer().await;
    stranger.put_item(app.products[0], 1).await.expect(200);
    let kept = stranger.checkout("k", "4242424242424242").await.expect(201);

    assert_eq!(delete(&client, WRONG).await.refused_fields(403, "wrong-password"), ["password"]);
    me(&client).await.expect(200);
    let deleted = delete(&client, PASSWORD).await;
    deleted.expect(204);
    assert!(deleted.cookie(SESSION_COOKIE).expect("removed").contains("Max-Age=0"));
    for answer in [me(&client).await, me(&laptop).await, me_with(&app.guest(), &token).await] {
        answer.refused(401, "unauthenticated");
    }
    log_in(&app.guest(), ADA, PASSWORD).await.refused(401, "unauthenticated");

    let rows = app
        .rows("select id, status, shipping_address is null as erased from orders where user_id is null order by id", &[])
        .await;
    let left: Vec<(Uuid, &str, bool)> =
        rows.iter().map(|row| (row.get("id"), row.get("status"), row.get("erased"))).collect();
    let statuses = [
        ("paid", false),
        ("shipped", false),
        ("delivered", true),
        ("cancelled", true),
        ("payment_failed", true),
    ];
    let expected: Vec<(Uuid, &str, bool)> =
        orders.iter().zip(statuses).map(|(id, (status, erased))| (*id, status, erased)).collect();
    assert_eq!(left, expected);
    assert_eq!(app.number("select count(*) from order_items").await, 6);
    for table in ["users", "sessions", "idempotency_keys"] {
        assert_eq!(app.number(&format!("select count(*) from {table}")).await, 1, "{table}: the stranger's");
    }
    assert_eq!(app.number("select count(*) from carts c join users u on u.id = c.user_id").await, 1);
    assert_eq!(
        app.number("select count(*) from audit_log a where a::text like '%example%' or a::text like '%Ada%'")
            .await,
        0
    );
    let path = format!("/api/orders/{}", kept["id"].as_str().expect("an id"));
    assert_eq!(stranger.get(&path).await.expect(200)["shipping_address"], kept["shipping_address"]);
    // The address is free again.
    ada(&app).await;
}

#[tokio::test]
async fn a_deletion_holds_across_an_outage_of_redis() {
    let redis = Proxy::before_redis().await;
    let app = Setup::default().redis_through(&redis).start().await;
    let (client, token) = ada(&app).await;
    me(&client).await.expect(200);
    redis.cut();
    delete(&client, PASSWORD).await.expect(204);
    redis.mend();
    me_with(&app.guest(), &token).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn the_last_admin_stays() {
    let app = TestApp::new().await;
    let (first, second) = (app.admin().await, app.admin().await);
    app.customer().await;
    // Both at once: one of them must stay.
    let (a, b) = tokio::join!(delete(&first, PASSWORD), delete(&second, PASSWORD));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409], "{} {}", a.text, b.text);
    let refused = if a.status == 409 { a } else { b };
    refused.refused(409, "last-admin");
    assert_eq!(app.number("select count(*) from login_attempts").await, 0, "their passwords were right");
    assert_eq!(app.number("select count(*) from users where role = 'admin'").await, 1);
}

/// A checkout and the account's end at once: neither hangs nor fails for a reason of its own making.
#[tokio::test]
async fn an_order_placed_while_the_account_goes_is_whole_or_not_there() {
    let app = TestApp::new().await.with_products(1).await;
    for round in 0..5 {
        let client = app.customer().await;
        client.put_item(app.products[0], 1).await.expect(200);
        let (order, deleted) =
            tokio::join!(client.checkout("k", "4242424242424242"), delete(&client, PASSWORD));
        deleted.expect(204);
        assert!([201, 401, 404, 409].contains(&order.status), "{round}: {}", order.text);
        assert_eq!(app.number("select count(*) from users").await, 0);
        assert_eq!(app.number("select count(*) from orders where user_id is not null").await, 0);
    }
}
