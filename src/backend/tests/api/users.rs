//! `/api/users`: accounts, and the sessions that come with them.

use reqwest::Method;
use serde_json::{Value, json};
use shopmicro_backend::sessions::{CART_COOKIE, HOST_PREFIX, SESSION_COOKIE};

use crate::harness::{Answer, Client, PASSWORD, Setup, TestApp};

fn registration(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "name": "Ada" })
}

fn login(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

/// What a cookie holds.
fn value(set_cookie: &str) -> &str {
    set_cookie.split(['=', ';']).nth(1).expect("a value")
}

async fn me(client: &Client) -> Answer {
    client.get("/api/users/me").await
}

#[tokio::test]
async fn registering_logs_in() {
    let app = TestApp::new().await;
    let client = app.guest();
    let body = json!({ "email": " Ada@Example.COM ", "password": PASSWORD, "name": " Ada " });
    let user = client.post("/api/users", &body).await.expect(201);
    let mut fields: Vec<&str> = user.as_object().expect("an object").keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["created_at", "email", "id", "name", "role"]);
    assert_eq!(
        (&user["email"], &user["name"], &user["role"]),
        (&json!("ada@example.com"), &json!("Ada"), &json!("customer"))
    );
    assert_eq!(me(&client).await.expect(200), user);
}

#[tokio::test]
async fn login_takes_the_address_in_any_case() {
    let app = TestApp::new().await;
    let user = app.guest().post("/api/users", &registration("ada@example.com")).await.expect(201);
    let client = app.guest();
    let answer = client.post("/api/users/login", &login("ADA@example.com ", PASSWORD)).await;
    assert_eq!(answer.expect(200), user);
    assert_eq!(me(&client).await.expect(200), user);
}

/// Nobody learns from a failed login whether the address has an account.
#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_get_one_answer() {
    let app = TestApp::new().await;
    app.guest().post("/api/users", &registration("ada@example.com")).await.expect(201);
    // An account of the import: it has no password, so nobody can log in to it.
    app.sql("insert into users (id, email, name) values (gen_random_uuid(), 'old@example.com', 'Old')").await;
    let client = app.guest();
    let mut answers = Vec::new();
    for (email, password) in [
        ("ada@example.com", "wrong horse battery"),
        ("eve@example.com", PASSWORD),
        ("old@example.com", PASSWORD),
        ("old@example.com", ""),
    ] {
        let answer = client.post("/api/users/login", &login(email, password)).await;
        assert_eq!(answer.cookie(SESSION_COOKIE), None);
        let mut problem = answer.refused(401, "unauthenticated");
        problem.as_object_mut().expect("an object").remove("trace_id");
        answers.push(problem);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    me(&client).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn an_address_belongs_to_one_account() {
    let app = TestApp::new().await;
    app.guest().post("/api/users", &registration("ada@example.com")).await.expect(201);
    let second = app.guest().post("/api/users", &registration("Ada@example.com")).await;
    assert_eq!(second.refused_fields(409, "email-taken"), ["email"]);
    assert_eq!(second.cookie(SESSION_COOKIE), None);

    let (a, b) = (app.guest(), app.guest());
    let body = registration("bob@example.com");
    let (a, b) = tokio::join!(a.post("/api/users", &body), b.post("/api/users", &body));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(app.number("select count(*) from users").await, 2);
}

#[tokio::test]
async fn a_bad_registration_names_its_fields_and_stores_nothing() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let good = registration("ada@example.com");
    for (change, fields) in [
        (json!({ "email": "ada", "password": "short", "name": "" }), &["email", "password", "name"][..]),
        (json!({ "email": format!("{}@example.com", "a".repeat(250)) }), &["email"]),
        (json!({ "email": "a\u{0}b@example.com" }), &["email"]),
        (json!({ "password": "x".repeat(129) }), &["password"]),
        (json!({ "password": "P@ssw0rd123!" }), &["password"]),
        (json!({ "password": "the ShopMicro of xkqz" }), &["password"]),
        (json!({ "email": "lovelace@example.com", "password": "xkqz Lovelace wrt" }), &["password"]),
        (json!({ "name": "x".repeat(101) }), &["name"]),
        (json!({ "name": "a\u{0}b" }), &["name"]),
        (json!({ "name": null }), &["name"]),
        (json!({ "role": "admin" }), &["role"]),
    ] {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        let answer = guest.post("/api/users", &body).await;
        assert_eq!(answer.refused_fields(422, "invalid"), fields, "{change}");
        assert!(!answer.text.contains(PASSWORD));
    }
    let send = |content_type: &'static str, body: String| {
        let request = guest.request(Method::POST, "/api/users").header("content-type", content_type);
        Answer::of(request.body(body))
    };
    send("application/json", "{".to_owned()).await.refused(400, "bad-request");
    send("text/plain", good.to_string()).await.refused(415, "unsupported-media-type");
    let large = registration(&"x".repeat(70_000)).to_string();
    send("application/json", large).await.refused(413, "too-large");
    assert_eq!(app.number("select count(*) from users").await, 0);
}

#[tokio::test]
async fn an_overlong_login_is_refused() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for (email, password, field) in [
        ("x".repeat(255), "x".to_owned(), "email"),
        ("x".to_owned(), "x".repeat(129), "password"),
        ("a\0b".to_owned(), "x".to_owned(), "email"),
    ] {
        let answer = guest.post("/api/users/login", &login(&email, &password)).await;
        assert_eq!(answer.refused_fields(422, "invalid"), [field]);
    }
}

/// Two weeks, a cart's 30 days, for this host alone, out of reach of scripts, of other sites and, in production, of neighbours.
#[tokio::test]
async fn cookies_are_guarded() {
    for (setup, secure) in [(Setup::default(), false), (Setup::default().production(), true)] {
        let app = setup.start().await.with_products(1).await;
        let guest = app.guest();
        let cart = guest.put_item(app.products[0], 1).await;
        let session = guest.post("/api/users", &registration("ada@example.com")).await;
        for (answer, name, age) in
            [(cart, CART_COOKIE, "Max-Age=2592000"), (session, SESSION_COOKIE, "Max-Age=1209600")]
        {
            let name = if secure { format!("{HOST_PREFIX}{name}") } else { name.to_owned() };
            let cookie = answer.cookie(&name).expect("set");
            let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
            for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", age] {
                assert!(attributes.contains(&attribute), "{cookie}");
            }
            assert_eq!(attributes.contains(&"Secure"), secure, "{cookie}");
            assert!(!attributes.iter().any(|attribute| attribute.starts_with("Domain")), "{cookie}");
            assert_eq!(value(cookie).len(), 43, "256 bits in base64");
        }
    }
}

#[tokio::test]
async fn no_answer_shows_a_token_or_a_hash() {
    let app = TestApp::new().await;
    let client = app.guest();
    let registered = client.post("/api/users", &registration("ada@example.com")).await;
    let logged_in = client.post("/api/users/login", &login("ada@example.com", PASSWORD)).await;
    let shown = [&registered.text, &logged_in.text, &me(&client).await.text].map(String::clone).concat();
    for answer in [&registered, &logged_in] {
        assert!(!shown.contains(value(answer.cookie(SESSION_COOKIE).expect("set"))));
    }
    assert!(!shown.contains("argon2") && !shown.contains(PASSWORD) && !shown.contains("hash"));

    // Nor do the stores: they know hashes alone.
    let token = value(logged_in.cookie(SESSION_COOKIE).expect("set"));
    let sql = "select count(*) from sessions where encode(token_hash, 'escape') like '%' || $1 || '%' \
               or encode(token_hash, 'base64') like '%' || $1 || '%'";
    assert_eq!(app.rows(sql, &[&token]).await[0].get::<_, i64>(0), 0);
    assert_eq!(app.number("select count(*) from users where password_hash like '$argon2id$%'").await, 1);
}

#[tokio::test]
async fn logout_ends_this_session_alone() {
    let app = TestApp::new().await;
    let (phone, laptop) = (app.guest(), app.guest());
    let registered = phone.post("/api/users", &registration("ada@example.com")).await;
    let token = value(registered.cookie(SESSION_COOKIE).expect("set"));
    laptop.post("/api/users/login", &login("ada@example.com", PASSWORD)).await.expect(200);
    let answer = phone.post("/api/users/logout", &json!({})).await;
    answer.expect(204);
    assert!(answer.cookie(SESSION_COOKIE).expect("removed").contains("Max-Age=0"));
    me(&phone).await.refused(401, "unauthenticated");
    // Who kept the cookie has nothing.
    let stolen = app.guest().request(Method::GET, "/api/users/me");
    let stolen = stolen.header("cookie", format!("{SESSION_COOKIE}={token}"));
    Answer::of(stolen).await.refused(401, "unauthenticated");
    me(&laptop).await.expect(200);
    phone.post("/api/users/logout", &json!({})).await.expect(204);
}
