//! Rate limits. Quotas here give back one request a minute, so that time plays no part in the counts.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use shopmicro_backend::limits::Class;

use crate::harness::{Answer, Client, Logs, Proxy, Setup};

/// A report as a client at this address sends it through a proxy.
async fn report(client: &Client, forwarded_for: &str) -> Answer {
    let request = client.request(Method::POST, "/api/frontend-metrics").json(&json!({}));
    Answer::of(request.header("x-forwarded-for", forwarded_for)).await
}

/// A write that changes nothing.
async fn write(client: &Client) -> Answer {
    client.post("/api/users/logout", &json!({})).await
}

/// How many requests of its class a client may still send at once.
fn remaining(answer: &Answer) -> u32 {
    let state = answer.header("ratelimit");
    let (_, rest) = state.split_once("r=").expect("a state");
    rest.split(';').next().and_then(|number| number.parse().ok()).expect("a number")
}

async fn guess(client: &Client) -> Answer {
    client.post("/api/users/login", &json!({ "email": "ada@example.com", "password": "a guess" })).await
}

/// How many of these were let through; the others were refused as they should.
fn allowed(answers: &[Answer]) -> usize {
    let (allowed, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status != 429);
    for answer in refused {
        answer.refused(429, "too-many-requests");
    }
    allowed.len()
}

#[tokio::test]
async fn a_guesser_of_passwords_is_told_to_wait_while_the_shop_goes_on() {
    let app = Setup::default().set("RATE_LIMIT_AUTH", "1 burst 3").start().await;
    let client = app.guest();
    for remaining in [2, 1, 0] {
        let answer = guess(&client).await;
        answer.refused(401, "unauthenticated");
        assert_eq!(answer.header("ratelimit-policy"), r#""auth";q=3;w=180"#);
        let state = format!(r#""auth";r={remaining};t={}"#, 60 * (3 - remaining));
        assert_eq!(answer.header("ratelimit"), state);
        assert_eq!(answer.header("retry-after"), "");
    }
    let refusal = guess(&client).await;
    refusal.refused(429, "too-many-requests");
    assert_eq!(refusal.header("retry-after"), "60");
    assert_eq!(refusal.header("ratelimit"), r#""auth";r=0;t=180"#);
    assert_eq!(refusal.header("cache-control"), "no-store");
    // Registration tries passwords of the same machine, so to speak: it is of the same class. Others are not.
    client.post("/api/users", &json!({})).await.refused(429, "too-many-requests");
    for path in ["/api/products", "/api/openapi.json"] {
        assert!(client.get(path).await.header("ratelimit").starts_with(r#""read";"#), "{path}");
    }
    assert!(
        client.post("/api/users/logout", &json!({})).await.header("ratelimit").starts_with(r#""write";"#)
    );
    assert!(report(&client, "").await.header("ratelimit").starts_with(r#""report";"#));
    let metrics = client.get("/metrics").await.text;
    for result in ["allowed", "limited"] {
        assert!(metrics.contains(&format!(r#"shop_rate_limit_total{{class="auth",result="{result}"}}"#)));
    }
}

#[tokio::test]
async fn what_operators_and_services_ask_is_never_limited() {
    let app = Setup::default().set("RATE_LIMIT_READ", "1 burst 2").start().await;
    let client = app.guest();
    let answers = [(); 4].map(|()| client.get("/api/products"));
    assert_eq!(allowed(&join_all(answers).await), 2);
    for path in ["/health", "/health/live", "/health/ready", "/metrics", "/internal/catalogue"] {
        for _ in 0..4 {
            let answer = client.get(path).await;
            assert_eq!((answer.status, answer.header("ratelimit")), (200, ""), "{path}");
        }
    }
}

#[tokio::test]
async fn replicas_count_together_and_parallel_requests_get_no_more() {
    let app = Setup::default().set("RATE_LIMIT_REPORT", "1 burst 20").start().await;
    let replicas = [app.guest(), app.replica().await.1];
    let requests = (0..60).map(|number| report(&replicas[number % 2], ""));
    assert_eq!(allowed(&join_all(requests).await), 20);
    for replica in &replicas {
        report(replica, "").await.refused(429, "too-many-requests");
    }
}

#[tokio::test]
async fn what_writes_one_replica_let_through_the_other_hears_in_a_moment() {
    let app = Setup::default().set("RATE_LIMIT_WRITE", "1 burst 100").start().await;
    let (one, other) = (app.guest(), app.replica().await.1);
    for written in 1..=30 {
        assert_eq!(remaining(&write(&one).await), 100 - written);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    // It hears with the answer to what it tells itself.
    let mut heard = false;
    for written in 1..=20 {
        let left = remaining(&write(&other).await);
        assert!(left == 100 - written || left == 70 - written, "{left} after {written}");
        heard |= left == 70 - written;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(heard);
}

#[tokio::test]
async fn replicas_that_have_not_heard_of_one_another_let_through_half_a_burst_each_at_most() {
    let app = Setup::default().set("RATE_LIMIT_WRITE", "1 burst 20").start().await;
    let replicas = [app.guest(), app.replica().await.1];
    let writes = join_all((0..80).map(|number| write(&replicas[number % 2]))).await;
    let allowed = allowed(&writes);
    assert!((20..=30).contains(&allowed), "{allowed}");
    for replica in &replicas {
        write(replica).await.refused(429, "too-many-requests");
    }
}

#[tokio::test]
async fn what_replicas_let_through_too_much_is_paid_back() {
    let app = Setup::default().set("RATE_LIMIT_WRITE", "1 burst 20").start().await;
    let (one, other) = (app.guest(), app.replica().await.1);
    assert_eq!(allowed(&join_all((0..30).map(|_| write(&one))).await), 20);
    // The bucket is empty, of which this one knows nothing.
    assert!(allowed(&join_all((0..5).map(|_| write(&other))).await) > 0);
    let mut heard = None;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        heard = Some(write(&other).await).filter(|answer| answer.status == 429);
        if heard.is_some() {
            break;
        }
    }
    // Of a bucket that is empty and owes nothing, one comes back within a minute.
    let after = heard.expect("it does not hear").header("retry-after").parse::<u32>().expect("seconds");
    assert!((61..=20 * 60).contains(&after), "{after}");
}

#[tokio::test]
async fn without_redis_a_limit_of_its_own_takes_its_place() {
    let limits =
        |setup: Setup| setup.set("RATE_LIMIT_REPORT", "1 burst 5").set("RATE_LIMIT_WRITE", "1 burst 9");
    let app = limits(Setup::default().without_redis()).start().await;
    let client = app.guest();
    assert_eq!(allowed(&join_all((0..20).map(|_| report(&client, ""))).await), 5);
    assert_eq!(allowed(&join_all((0..20).map(|_| write(&client))).await), 9);

    // Lost in the middle, Redis leaves what was used as it was.
    let wire = Proxy::before_redis().await;
    let app = limits(Setup::default().redis_through(&wire)).start().await;
    let client = app.guest();
    assert_eq!(allowed(&join_all((0..3).map(|_| report(&client, ""))).await), 3);
    assert_eq!(allowed(&join_all((0..3).map(|_| write(&client))).await), 3);
    wire.cut();
    assert_eq!(allowed(&join_all((0..20).map(|_| report(&client, ""))).await), 2);
    assert_eq!(allowed(&join_all((0..20).map(|_| write(&client))).await), 6);
}

#[tokio::test]
async fn a_client_gains_nothing_by_inventing_addresses() {
    let direct = Setup::default().set("TRUSTED_PROXIES", "192.0.2.1").set("RATE_LIMIT_REPORT", "1 burst 3");
    let app = direct.start().await;
    let client = app.guest();
    let addresses: Vec<String> = (0..9).map(|number| format!("203.0.113.{number}")).collect();
    assert_eq!(allowed(&join_all(addresses.iter().map(|from| report(&client, from))).await), 3);

    // Behind a proxy the true address is the last, whatever stands before it; others have limits of their own.
    let app = Setup::default().set("RATE_LIMIT_REPORT", "1 burst 3").start().await;
    let client = app.guest();
    let chains: Vec<String> = addresses.iter().map(|from| format!("{from}, 198.51.100.1")).collect();
    assert_eq!(allowed(&join_all(chains.iter().map(|from| report(&client, from))).await), 3);
    report(&client, "198.51.100.2").await.expect(202);
}

#[tokio::test]
async fn an_account_has_one_limit_wherever_it_is_used() {
    let app = Setup::default().set("RATE_LIMIT_WRITE", "1 burst 3").start().await;
    let customer = app.customer().await;
    let empty = async |from: &str| {
        let path = format!("/api/cart/items/{}", uuid::Uuid::nil());
        Answer::of(customer.request(Method::DELETE, &path).header("x-forwarded-for", from)).await
    };
    for from in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        assert_ne!(empty(from).await.status, 429);
    }
    empty("198.51.100.4").await.refused(429, "too-many-requests");
    // The refusal took nothing from that client.
    let guest = app.guest();
    let other = guest.request(Method::POST, "/api/users/logout").header("x-forwarded-for", "198.51.100.4");
    assert_eq!(Answer::of(other).await.header("ratelimit"), r#""write";r=2;t=60"#);
}

#[tokio::test]
async fn a_clients_address_is_told_to_nobody() {
    let (logs, _guard) = Logs::capture();
    let app = Setup::default().set("RATE_LIMIT_REPORT", "1 burst 1").start().await;
    let client = app.guest();
    for _ in 0..2 {
        report(&client, "203.0.113.77").await;
    }
    let metrics = client.get("/metrics").await.text;
    let pattern = app.state.redis.key("limit:*");
    let mut scan = redis::cmd("SCAN");
    scan.arg(0).arg("MATCH").arg(pattern).arg("COUNT").arg(1_000_000);
    let scan =
        app.state.redis.call("scan", async |mut c| scan.query_async::<(u64, Vec<String>)>(&mut c).await);
    let keys = scan.await.expect("Redis").1.join("\n");
    assert!(logs.text().contains("answered") && metrics.contains("shop_rate_limit_total"));
    assert!(keys.contains("limit:report:"), "{keys}");
    for form in ["203.0.113", "cb00714d", "cb:00:71:4d", "203, 0, 113"] {
        for text in [&logs.text(), &metrics, &keys] {
            assert!(!text.contains(form), "{form} in {text}");
        }
    }
}

/// Every request with a password is of the class that is limited most, and every class is documented.
#[test]
fn requests_with_passwords_are_of_the_class_auth() {
    let document = serde_json::to_value(shopmicro_backend::routes::openapi()).expect("JSON");
    let mut found = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let Ok(parsed) = method.to_uppercase().parse::<Method>() else { continue };
            assert!(operation["responses"]["429"].is_object(), "{method} {path}");
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let name = schema.as_str().and_then(|schema| schema.rsplit('/').next()).unwrap_or_default();
            let properties = document["components"]["schemas"][name]["properties"].as_object();
            let secret = properties.is_some_and(|fields| fields.keys().any(|name| name.contains("password")));
            found += usize::from(secret);
            assert_eq!(Class::of(&parsed, path) == Class::Auth, secret, "{method} {path}");
        }
    }
    assert!(found >= 2, "{found}");
}
