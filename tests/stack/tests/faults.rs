//! What the shop does while a part of it is away: each test takes one away for real, and looks.

use std::time::{Duration, Instant};

#[path = "support/customer.rs"]
mod customer;

use customer::{Customer, database, number, products};
use reqwest::StatusCode;
use serde_json::{Value, json};
use stack::{Component, Edge, Link, Stack};

/// The stack without nginx, with a proxy on each connection.
async fn start() -> Stack {
    let parts = [Component::Postgres, Component::Redis, Component::Backend, Component::MlService];
    Stack::builder().only(parts).with_links().start().await.expect("the stack starts")
}

fn base(stack: &Stack) -> String {
    stack.url(Component::Backend).expect("url")
}

/// Waits until a request succeeds, for at most ten seconds.
async fn recovers(customer: &Customer, path: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while customer.get(path).await.status() != StatusCode::OK {
        assert!(Instant::now() < deadline, "{path} did not recover");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The whole way of a customer: search, cart, order, history, a second session.
async fn shop_sells(customer: &Customer, key: &str) {
    let product = &products(customer, 1).await[0];
    customer.put_in_cart(product).await;
    let answer = customer.check_out(key).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let order: Value = answer.json().await.expect("JSON");
    assert_eq!(order["status"], "paid");
    let path = format!("/api/orders/{}", order["id"].as_str().expect("id"));
    assert_eq!(customer.get_json(&path).await["total_cents"], order["total_cents"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_the_shop_still_sells() {
    let stack = start().await;
    let before = Customer::register(&base(&stack), "before").await;
    let redis = stack.link(Edge::BackendToRedis).expect("a proxy");
    for (name, break_it) in [("cut", Link::cut as fn(&Link)), ("stall", Link::stall)] {
        break_it(redis);
        // The session that began before is known, and new ones can begin.
        assert_eq!(before.get_json("/api/users/me").await["name"], "before");
        shop_sells(&before, name).await;
        let during = Customer::register(&base(&stack), &format!("during-{name}")).await;
        shop_sells(&during, name).await;
        let logout = during.http.post(during.url("/api/users/logout")).send().await.expect("an answer");
        assert_eq!(logout.status(), StatusCode::NO_CONTENT);
        assert_eq!(during.get("/api/users/me").await.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(before.get_json("/health").await["status"], "degraded");
        let metrics = before.get("/metrics").await.text().await.expect("text");
        assert!(metrics.contains("redis_client_errors_total"), "the failures are counted");
        redis.restore();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_redis_logs_nobody_out_and_nobody_in() {
    let mut stack = start().await;
    let stays = Customer::register(&base(&stack), "stays").await;
    let leaves = Customer::register(&base(&stack), "leaves").await;
    assert_eq!(leaves.get_json("/api/users/me").await["name"], "leaves");
    leaves.http.post(leaves.url("/api/users/logout")).send().await.expect("an answer");
    stack.kill(Component::Redis).expect("kill");
    stack.start(Component::Redis).await.expect("again, empty");
    assert_eq!(stays.get_json("/api/users/me").await["name"], "stays");
    assert_eq!(leaves.get("/api/users/me").await.status(), StatusCode::UNAUTHORIZED);
}

/// Redis, which could not be told of the logout, still has the session as it was when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_without_redis_holds_when_it_is_back() {
    let stack = start().await;
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let redis = stack.link(Edge::BackendToRedis).expect("a proxy");
    let database = database(&stack).await;
    for (name, break_it) in [("cut", Link::cut as fn(&Link)), ("stall", Link::stall)] {
        let body =
            json!({ "email": format!("{name}@example.com"), "password": "correct horse", "name": name });
        let users = format!("{}/api/users", base(&stack));
        let registered = http.post(&users).json(&body).send().await.expect("an answer");
        let session =
            registered.cookies().find(|cookie| cookie.name() == "shopmicro_session").expect("a session");
        let cookie = format!("shopmicro_session={}", session.value());
        let me = async || {
            let request = http.get(format!("{users}/me")).header("cookie", &cookie);
            request.send().await.expect("an answer").status()
        };
        // The second is answered from Redis.
        assert_eq!([me().await, me().await], [StatusCode::OK; 2]);
        break_it(redis);
        let logout = http.post(format!("{users}/logout")).header("cookie", &cookie).send().await;
        assert_eq!(logout.expect("an answer").status(), StatusCode::NO_CONTENT);
        assert_eq!(me().await, StatusCode::UNAUTHORIZED, "{name}");
        redis.restore();
        assert_eq!(me().await, StatusCode::UNAUTHORIZED, "{name}: at once");
        // The worker tells Redis, and copies are trusted again.
        let deadline = Instant::now() + Duration::from_secs(10);
        while number(&database, "select count(*) from session_revocations").await > 0 {
            assert!(Instant::now() < deadline, "{name}: Redis was not told");
            assert_eq!(me().await, StatusCode::UNAUTHORIZED, "{name}: meanwhile");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Customer::register(&base(&stack), &format!("after-{name}")).await.get_json("/api/users/me").await;
        assert_eq!(me().await, StatusCode::UNAUTHORIZED, "{name}: for good");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_ml_service_there_are_best_sellers() {
    let mut stack = start().await;
    let customer = Customer::register(&base(&stack), "ada").await;
    assert_eq!(customer.get_json("/api/recommendations").await["source"], "model");
    let product = products(&customer, 1).await.remove(0);
    let similar = format!("/api/products/{product}/similar");

    let fell_back = async || {
        for path in ["/api/recommendations", &similar] {
            let asked = Instant::now();
            let answer = customer.get_json(path).await;
            assert_eq!(answer["source"], "fallback", "{path}");
            assert!(!answer["items"].as_array().expect("items").is_empty(), "{path}");
            assert!(asked.elapsed() < Duration::from_secs(5), "{path} took {:?}", asked.elapsed());
        }
        let metrics = customer.get("/metrics").await.text().await.expect("text");
        assert!(metrics.contains("shop_recommendations_failures_total"), "the failures are counted");
    };
    stack.link(Edge::BackendToMlService).expect("a proxy").stall();
    fell_back().await;
    stack.link(Edge::BackendToMlService).expect("a proxy").restore();
    stack.kill(Component::MlService).expect("kill");
    fell_back().await;
    shop_sells(&customer, "k").await;

    stack.start(Component::MlService).await.expect("again");
    let deadline = Instant::now() + Duration::from_secs(10);
    while customer.get_json("/api/recommendations").await["source"] != "model" {
        assert!(Instant::now() < deadline, "the backend did not find ml-service again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_cached_reads_answer_and_the_rest_is_503_until_it_is_back() {
    let stack = start().await;
    let customer = Customer::register(&base(&stack), "ada").await;
    let product = products(&customer, 1).await.remove(0);
    let detail = format!("/api/products/{product}");
    let known = customer.get_json(&detail).await;
    let first_page = "/api/products?limit=100";
    customer.get_json(first_page).await;
    let database = stack.link(Edge::BackendToPostgres).expect("a proxy");
    for (name, break_it) in [("cut", Link::cut as fn(&Link)), ("stall", Link::stall)] {
        break_it(database);
        assert_eq!(customer.get_json(&detail).await, known, "{name}");
        let page = customer.get_json(first_page).await;
        assert!(!page["items"].as_array().expect("items").is_empty(), "{name}");

        let asked = Instant::now();
        let put = customer.http.put(customer.url(&format!("/api/cart/items/{product}")));
        let answers = [
            customer.check_out(name).await.expect("an answer"),
            put.json(&json!({ "quantity": 1 })).send().await.expect("an answer"),
            customer.get("/api/products?q=lamp&in_stock=true").await,
        ];
        assert!(asked.elapsed() < Duration::from_secs(24), "{name}: it took {:?}", asked.elapsed());
        for answer in answers {
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{name}");
            assert!(answer.headers().contains_key("retry-after"), "{name}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{name}");
        }
        // Nothing that it depends on makes the process itself unhealthy.
        assert_eq!(customer.get("/health/live").await.status(), StatusCode::OK);
        assert_eq!(customer.get("/health").await.status(), StatusCode::SERVICE_UNAVAILABLE);

        database.restore();
        recovers(&customer, "/api/products?q=lamp&in_stock=true").await;
        recovers(&customer, "/health").await;
        shop_sells(&customer, &format!("after-{name}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_postgres_is_found_again() {
    let mut stack = start().await;
    let customer = Customer::register(&base(&stack), "ada").await;
    stack.kill(Component::Postgres).expect("kill");
    assert_eq!(
        customer.get("/api/products?q=lamp&in_stock=true").await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    stack.start(Component::Postgres).await.expect("again");
    recovers(&customer, "/api/products?q=lamp&in_stock=true").await;
    shop_sells(&customer, "k").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_killed_amid_checkouts_leaves_no_order_or_exactly_one() {
    const ROUNDS: u64 = 6;
    const CUSTOMERS: usize = 8;
    let mut stack = start().await;
    let database = database(&stack).await;
    let mut customers = Vec::new();
    for n in 0..CUSTOMERS {
        customers.push(Customer::register(&base(&stack), &format!("customer-{n}")).await);
    }
    let product = products(&customers[0], 1).await.remove(0);
    database.execute("update products set stock = 100000", &[]).await.expect("plenty");
    let stock = "select sum(stock)::bigint from products";
    let ordered = "select coalesce(sum(quantity), 0)::bigint from order_items i \
                   join orders o on o.id = i.order_id where o.status in ('pending_payment', 'paid')";
    let before = number(&database, stock).await;

    let mut answered = 0;
    for round in 0..ROUNDS {
        for customer in &customers {
            customer.put_in_cart(&product).await;
        }
        let key = format!("round-{round}");
        let checkouts: Vec<_> = customers
            .iter()
            .cloned()
            .map(|customer| {
                let key = key.clone();
                tokio::spawn(async move { customer.check_out(&key).await.map(|answer| answer.status()) })
            })
            .collect();
        // At another moment of the checkout in each round.
        tokio::time::sleep(Duration::from_millis(3 + 4 * round)).await;
        stack.kill(Component::Backend).expect("kill");
        for checkout in checkouts {
            answered += usize::from(checkout.await.expect("joined").is_ok());
        }
        stack.start(Component::Backend).await.expect("again");
        for customer in &customers {
            // The client does what it should: it repeats the request. Twice, since that must not matter either.
            for _ in 0..2 {
                let answer = customer.check_out(&key).await.expect("an answer");
                assert_eq!(answer.status(), StatusCode::CREATED, "round {round}");
                assert_eq!(answer.json::<Value>().await.expect("JSON")["status"], "paid", "round {round}");
            }
        }
    }
    let orders = number(&database, "select count(*) from orders").await;
    let expected = i64::try_from(CUSTOMERS).expect("few") * i64::try_from(ROUNDS).expect("few");
    assert_eq!(orders, expected, "one order per customer and key");
    assert_eq!(
        before - number(&database, stock).await,
        number(&database, ordered).await,
        "the stock adds up"
    );
    let keys = "select count(*) from idempotency_keys where answer is not null";
    assert_eq!(number(&database, keys).await, expected);
    let total = CUSTOMERS * usize::try_from(ROUNDS).expect("few");
    assert!(answered < total, "no checkout was interrupted: the test proved nothing");
}
