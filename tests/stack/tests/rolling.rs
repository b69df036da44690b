//! Two replicas of the backend behind nginx are replaced one after the other while customers shop: nobody notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[path = "support/customer.rs"]
mod customer;

use customer::{Customer, database, number, products};
use stack::{Component, Stack};

/// What a customer saw.
#[derive(Default)]
struct Seen {
    requests: usize,
    orders: i64,
    failures: Vec<String>,
}

/// Browses and buys until told to stop.
async fn shop(customer: Customer, products: Vec<String>, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        let product = &products[seen.requests % products.len()];
        let put = customer.http.put(customer.url(&format!("/api/cart/items/{product}")));
        let key = uuid::Uuid::new_v4().to_string();
        let answers = [
            ("list", customer.http.get(customer.url("/api/products")).send().await),
            ("detail", customer.http.get(customer.url(&format!("/api/products/{product}"))).send().await),
            ("put", put.json(&serde_json::json!({ "quantity": 1 })).send().await),
            ("checkout", customer.check_out(&key).await),
            ("orders", customer.http.get(customer.url("/api/orders?limit=1")).send().await),
        ];
        for (what, answer) in answers {
            seen.requests += 1;
            match answer {
                Ok(answer) if answer.status().is_success() => seen.orders += i64::from(what == "checkout"),
                Ok(answer) => seen.failures.push(format!("{what}: {}", answer.status())),
                Err(error) => seen.failures.push(format!("{what}: {error}")),
            }
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_replaced_without_a_failed_request() {
    const CUSTOMERS: usize = 6;
    let mut stack = Stack::builder().with_replica().start().await.expect("the stack starts");
    let database = database(&stack).await;
    let base = stack.url(Component::Nginx).expect("url");
    let mut customers = Vec::new();
    for n in 0..CUSTOMERS {
        customers.push(Customer::register(&base, &format!("customer-{n}")).await);
    }
    let products = products(&customers[0], 20).await;
    customers[0].put_in_cart(&products[0]).await;
    database.execute("update products set stock = 100000", &[]).await.expect("plenty");

    let stop = Arc::new(AtomicBool::new(false));
    let shopping: Vec<_> = customers
        .into_iter()
        .map(|customer| tokio::spawn(shop(customer, products.clone(), Arc::clone(&stop))))
        .collect();
    for _ in 0..2 {
        for replica in [Component::Backend, Component::BackendReplica] {
            tokio::time::sleep(Duration::from_millis(500)).await;
            stack.stop(replica).await.expect("it ends by itself");
            tokio::time::sleep(Duration::from_millis(200)).await;
            stack.start(replica).await.expect("it starts again");
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);

    let (mut requests, mut orders) = (0, 0);
    for customer in shopping {
        let seen = customer.await.expect("joined");
        assert!(
            seen.failures.is_empty(),
            "{} of {}: {:?}",
            seen.failures.len(),
            seen.requests,
            seen.failures
        );
        (requests, orders) = (requests + seen.requests, orders + seen.orders);
    }
    assert!(requests > 200, "only {requests} requests: the test proved nothing");
    assert_eq!(number(&database, "select count(*) from orders").await, orders, "one order for each checkout");
    let unpaid = "select count(*) from orders where status <> 'paid'";
    assert_eq!(number(&database, unpaid).await, 0);
}
