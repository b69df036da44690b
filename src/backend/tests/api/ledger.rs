//! The stock of products is the sum of their movements, and it is seen where it is not.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use shopmicro_backend::workers;
use shopmicro_backend::workers::ledger::Round;

use crate::harness::{Logs, Proxy, Setup, TestApp};

/// How many products differ, by a whole round.
async fn mismatches(app: &TestApp) -> i64 {
    let mut round = Round::default();
    loop {
        if let Some(mismatches) = round.part(&app.state).await.expect("compared") {
            return mismatches;
        }
    }
}

#[tokio::test]
async fn a_stock_that_is_not_the_sum_of_its_movements_is_counted() {
    let app = TestApp::new().await.with_products(3).await;
    app.sql(
        "insert into stock_movements (product_id, delta, reason) select id, stock, 'opening' from products",
    )
    .await;
    let customer = app.customer().await;
    customer.put_item(app.products[0], 2).await.expect(200);
    customer.checkout("k", "4242424242424242").await.expect(201);
    assert_eq!(mismatches(&app).await, 0, "a sale keeps both together");
    app.execute("update products set stock = stock + 1 where id = $1", &[&app.products[1]]).await;
    assert_eq!(mismatches(&app).await, 1);
    app.execute("delete from stock_movements where product_id = $1", &[&app.products[2]]).await;
    assert_eq!(mismatches(&app).await, 2);
    app.execute("update products set stock = stock - 1 where id = $1", &[&app.products[1]]).await;
    assert_eq!(mismatches(&app).await, 1);
}

/// What sells often has more movements than can be added up for many products in one statement's time.
#[tokio::test]
async fn many_movements_are_compared_in_smaller_parts() {
    let app = TestApp::new().await.with_products(30).await;
    // All of them take 5.4 s, and a statement may take four.
    app.sql(
        "insert into stock_movements (product_id, delta, reason) select id, stock, 'opening' from products; \
         alter table stock_movements rename to movements; \
         create view stock_movements as select * from movements where pg_sleep(0.18)::text is not null",
    )
    .await;
    app.execute("update products set stock = stock - 1 where id = $1", &[&app.products[29]]).await;
    assert_eq!(mismatches(&app).await, 1);
}

/// A firewall forgot the connection, or the database's machine is gone.
#[tokio::test]
async fn a_comparison_whose_answer_never_comes_is_given_up() {
    let (logs, _guard) = Logs::capture();
    let wire = Proxy::before_postgres().await;
    let app = Setup::default().postgres_through(&wire).start().await;
    // A connection for each worker, of which none is doubted yet.
    drop(join_all((0..12).map(|_| app.connection())).await);
    wire.stall();
    workers::spawn(&app.state);
    let start = Instant::now();
    let given_up = |line: &str| line.contains("\"ledger\"") && line.contains("came to no end");
    while !logs.text().lines().any(given_up) {
        assert!(start.elapsed() < Duration::from_secs(30), "{}", logs.text());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
