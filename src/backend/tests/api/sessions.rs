//! Sessions: when they end, and that an end holds whatever happens to Redis.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use shopmicro_backend::db;
use shopmicro_backend::db::sessions::{NewSession, Which};
use shopmicro_backend::sessions::copies::BARRED;
use shopmicro_backend::sessions::{IDLE_LIFETIME, SEEN_INTERVAL, SESSION_COOKIE, hash};
use shopmicro_backend::workers::{Pass, revocations};
use uuid::Uuid;

use crate::harness::{Answer, Client, PASSWORD, Proxy, Setup, TestApp};

const ADA: &str = "ada@example.com";

async fn me(client: &Client) -> Answer {
    client.get("/api/users/me").await
}

/// Asks with this token and no other cookie, as somebody who stole it would.
async fn me_with(client: &Client, token: &str) -> Answer {
    let request = client.request(Method::GET, "/api/users/me");
    Answer::of(request.header("cookie", format!("{SESSION_COOKIE}={token}"))).await
}

fn token(answer: &Answer) -> String {
    let cookie = answer.cookie(SESSION_COOKIE).expect("a session");
    cookie.split(['=', ';']).nth(1).expect("a value").to_owned()
}

/// Registers Ada and returns the token of her session.
async fn register(client: &Client) -> String {
    let answer =
        client.post("/api/users", &json!({ "email": ADA, "password": PASSWORD, "name": "Ada" })).await;
    answer.expect(201);
    token(&answer)
}

/// Logs Ada in and returns the token of her session.
async fn log_in(client: &Client) -> String {
    let answer = client.post("/api/users/login", &json!({ "email": ADA, "password": PASSWORD })).await;
    answer.expect(200);
    token(&answer)
}

async fn log_out(client: &Client) {
    client.post("/api/users/logout", &json!({})).await.expect(204);
}

async fn age(app: &TestApp, column: &str, age: Duration) {
    let sql = format!("update sessions set {column} = now() - make_interval(secs => $1)");
    app.execute(&sql, &[&age.as_secs_f64()]).await;
}

/// Uses the session until Redis holds a copy of it, which on a busy machine may miss its deadline at first.
async fn copied(app: &TestApp, token: &str) {
    let client = app.guest();
    let copied = async {
        while app.state.session_copies.get(&hash(token)).await.is_none() {
            me_with(&client, token).await.expect(200);
        }
    };
    tokio::time::timeout(Duration::from_secs(10), copied).await.expect("a copy");
}

/// Lets the worker try until nothing is left to be told: Redis is left alone for a moment after a failure.
async fn tell_redis(app: &TestApp) {
    let told = async {
        while app.number("select count(*) from session_revocations").await > 0 {
            revocations::pass(&app.state).await.expect("a pass");
        }
    };
    tokio::time::timeout(Duration::from_secs(10), told).await.expect("Redis is told");
}

#[tokio::test]
async fn a_login_ends_the_session_that_the_browser_came_with_and_no_other() {
    let app = TestApp::new().await;
    let (phone, laptop) = (app.guest(), app.guest());
    let first = register(&phone).await;
    let other = log_in(&laptop).await;
    me(&phone).await.expect(200);
    let second = log_in(&phone).await;
    assert_ne!(first, second);
    me_with(&app.guest(), &first).await.refused(401, "unauthenticated");
    for alive in [second, other] {
        me_with(&app.guest(), &alive).await.expect(200);
    }
    // A failed login ends nothing.
    let wrong = json!({ "email": ADA, "password": "wrong horse battery" });
    phone.post("/api/users/login", &wrong).await.refused(401, "unauthenticated");
    me(&phone).await.expect(200);
}

#[tokio::test]
async fn a_session_ends_after_two_weeks_or_three_idle_days() {
    let app = TestApp::new().await;
    for (column, over) in [("expires_at", Duration::from_secs(1)), ("last_seen_at", IDLE_LIFETIME)] {
        let client = app.customer().await;
        age(&app, column, over).await;
        me(&client).await.refused(401, "unauthenticated");
    }
    let client = app.customer().await;
    age(&app, "last_seen_at", Duration::from_hours(71)).await;
    me(&client).await.expect(200);
    let seconds =
        app.number("select max(extract(epoch from expires_at - created_at))::bigint from sessions").await;
    assert!((seconds - 14 * 24 * 3600).abs() < 10, "{seconds}");
}

#[tokio::test]
async fn an_invented_session_is_none() {
    let app = TestApp::new().await;
    for token in ["", "x", &"A".repeat(43)] {
        me_with(&app.guest(), token).await.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn sessions_that_are_over_are_swept() {
    let app = TestApp::new().await;
    let (expired, idle, alive) = (app.customer().await, app.customer().await, app.customer().await);
    let [expired, idle] = [expired.user_id().await, idle.user_id().await];
    let second = "now() - interval '1 second'";
    app.execute(&format!("update sessions set expires_at = {second} where user_id = $1"), &[&expired]).await;
    let days = "now() - interval '73 hours'";
    app.execute(&format!("update sessions set last_seen_at = {days} where user_id = $1"), &[&idle]).await;
    assert_eq!(db::sessions::delete_expired(&app.connection().await).await.expect("swept"), 2);
    assert_eq!(app.number("select count(*) from sessions").await, 1);
    me(&alive).await.expect(200);
}

/// Neither while Redis answers nor while it is away does a request cost a write.
#[tokio::test]
async fn when_a_session_was_seen_is_noted_now_and_then() {
    let app = Setup::default().without_redis().start().await;
    let client = app.customer().await;
    let seen =
        async || app.number("select extract(epoch from now() - last_seen_at)::bigint from sessions").await;
    age(&app, "last_seen_at", Duration::from_mins(4)).await;
    me(&client).await.expect(200);
    assert!(seen().await >= 240);
    age(&app, "last_seen_at", SEEN_INTERVAL.saturating_mul(2)).await;
    me(&client).await.expect(200);
    assert!(seen().await < 60);
}

#[tokio::test]
async fn redis_spares_the_database() {
    let app = TestApp::new().await;
    let client = app.guest();
    let token = register(&client).await;
    copied(&app, &token).await;
    // Nothing but the copy knows of it now.
    app.sql("delete from sessions").await;
    let copy = app.state.session_copies.get(&hash(&token)).await.expect("a copy");
    assert_eq!(copy.user_id, app.rows("select id from users", &[]).await[0].get::<_, Uuid>("id"));
    assert!(app.state.session_copies.get(&hash("another")).await.is_none());
}

#[tokio::test]
async fn losing_redis_logs_nobody_out() {
    let redis = Proxy::before_redis().await;
    let app = Setup::default().redis_through(&redis).start().await;
    let client = app.customer().await;
    me(&client).await.expect(200);
    redis.cut();
    me(&client).await.expect(200);
    // And new sessions begin.
    me(&app.customer().await).await.expect(200);
    redis.mend();
    me(&client).await.expect(200);
    // Nor does a Redis that has forgotten everything.
    let keys = app.state.redis.key("session:*");
    let forget = app.state.redis.call("del", async move |mut redis| {
        let script = redis::Script::new(
            "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end",
        );
        script.arg(keys).invoke_async::<()>(&mut redis).await
    });
    let _ = forget.await;
    me(&client).await.expect(200);
}

/// The copy of the session outlives the logout in Redis, which cannot be told; nobody believes it.
#[tokio::test]
async fn a_logout_holds_across_an_outage_of_redis() {
    let redis = Proxy::before_redis().await;
    let app = Setup::default().redis_through(&redis).start().await;
    let client = app.guest();
    let token = register(&client).await;
    copied(&app, &token).await;

    redis.cut();
    log_out(&client).await;
    me_with(&client, &token).await.refused(401, "unauthenticated");
    redis.mend();
    me_with(&client, &token).await.refused(401, "unauthenticated");
    // A replica that starts now has not seen Redis fail, and does not believe it either.
    let (_, replica) = app.replica().await;
    me_with(&replica, &token).await.refused(401, "unauthenticated");
    // Nor do other sessions that are read meanwhile make Redis trusted.
    let other = app.guest();
    let other_token = log_in(&other).await;
    for browser in [&other, &replica] {
        me_with(browser, &other_token).await.expect(200);
        me_with(browser, &token).await.refused(401, "unauthenticated");
    }

    tell_redis(&app).await;
    for browser in [&client, &replica] {
        me_with(browser, &token).await.refused(401, "unauthenticated");
    }
    // Copies are used again.
    copied(&app, &other_token).await;
    assert!(app.state.session_copies.get(&hash(&token)).await.is_none());
}

#[tokio::test]
async fn a_logout_reaches_every_replica_at_once() {
    let app = TestApp::new().await;
    let client = app.guest();
    let token = register(&client).await;
    let (_, replica) = app.replica().await;
    for browser in [&client, &replica] {
        me_with(browser, &token).await.expect(200);
    }
    log_out(&client).await;
    me_with(&replica, &token).await.refused(401, "unauthenticated");
    assert_eq!(app.number("select count(*) from session_revocations").await, 0, "Redis was told");
}

/// A replica read the session before the logout and keeps it after: what a slow network can do.
#[tokio::test]
async fn a_copy_that_comes_late_is_not_used() {
    let app = TestApp::new().await;
    let client = app.guest();
    let token_hash = hash(&register(&client).await);
    let copies = &app.state.session_copies;
    let reading = copies.reading();
    let found = db::sessions::find(&app.connection().await, &token_hash).await.expect("found");
    let session = found.session.expect("a session");
    log_out(&client).await;
    copies.keep(reading, &token_hash, &session, found.pending).await;
    assert!(copies.get(&token_hash).await.is_none());
}

#[tokio::test]
async fn a_logout_that_the_database_did_not_hear_is_not_one() {
    let wire = Proxy::before_postgres().await;
    let app = Setup::default().postgres_through(&wire).start().await;
    let client = app.customer().await;
    me(&client).await.expect(200);
    wire.cut();
    client.post("/api/users/logout", &json!({})).await.refused(503, "unavailable");
    wire.mend();
    me(&client).await.expect(200);
    log_out(&client).await;
    me(&client).await.refused(401, "unauthenticated");
}

/// A login verified a password that was changed before its session began.
#[tokio::test]
async fn no_session_begins_with_a_password_of_yesterday() {
    let app = TestApp::new().await;
    let id: Uuid = app.customer().await.user_id().await;
    let connection = app.connection().await;
    let current: String = app.rows("select password_hash from users", &[]).await[0].get("password_hash");
    let begin = async |token: u8, password_hash: &str| {
        let new = NewSession {
            token_hash: &[token; 32],
            user_id: id,
            email: ADA,
            password_hash,
            expires_at: "2100-01-01T00:00:00Z".parse().expect("a time"),
            replaces: None,
        };
        db::sessions::begin(&connection, new).await.expect("asked").is_some()
    };
    assert!(!begin(1, "$argon2id$another").await);
    assert!(begin(2, &current).await);
    app.sql("delete from users").await;
    assert!(!begin(3, &current).await);
}

#[tokio::test]
async fn revocations_go_when_they_were_told_or_do_not_matter_any_more() {
    let app = TestApp::new().await;
    let id = app.customer().await.user_id().await;
    let connection = app.connection().await;
    let revoked = db::sessions::end(&connection, Which::OfUser(id)).await.expect("ended");
    assert_eq!(revoked.len(), 1);
    assert_eq!(revocations::pass(&app.state).await.expect("told"), Pass::More);
    assert_eq!(revocations::pass(&app.state).await.expect("told"), Pass::Idle);

    let insert = "insert into session_revocations (token_hash, at) \
                  values (sha256('old'), now() - make_interval(secs => $1)), (sha256('new'), now())";
    app.execute(insert, &[&(BARRED.as_secs_f64() + 1.0)]).await;
    let swept = db::sessions::delete_outdated_revocations(&connection).await;
    assert_eq!(swept.expect("swept"), 1);
    assert_eq!(
        app.number("select count(*) from session_revocations where token_hash = sha256('new')").await,
        1
    );
}
