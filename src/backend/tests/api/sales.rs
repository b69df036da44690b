//! The worker that counts what was sold.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use shopmicro_backend::db;
use shopmicro_backend::workers::sales;
use uuid::Uuid;

use crate::harness::{Answer, PASSWORD, TestApp};

const APPROVED: &str = "4242424242424242";

/// Whether the first product is as popular as what these units, sold just now, make one.
async fn as_popular_as(app: &TestApp, units: i64) -> bool {
    let sql = "select abs(popularity_exact - popularity_of($2, now())) < 0.001 and \
               popularity = popularity_step(popularity_exact) from products where id = $1";
    app.rows(sql, &[&app.products[0], &units]).await[0].get(0)
}

/// Any number of workers may be at it.
#[tokio::test]
async fn a_sale_is_counted_once() {
    let app = TestApp::new().await.with_products(2).await;
    let customers = [app.customer().await, app.customer().await];
    for client in &customers {
        for (key, quantity) in [("a", 1), ("b", 3)] {
            client.put_item(app.products[0], quantity).await.expect(200);
            client.put_item(app.products[1], 1).await.expect(200);
            client.checkout(key, APPROVED).await.expect(201);
        }
    }
    assert_eq!(app.number("select count(*) from uncounted_sales").await, 4);
    join_all((0..4).map(|_| app.count_sales())).await;
    assert!(as_popular_as(&app, 8).await);
    let bought = "select count(*) from interactions where kind = 'purchase'";
    assert_eq!(app.number(bought).await, 8);
    let sql =
        "select sum(quantity) from interactions where kind = 'purchase' and product_id = $1 group by user_id";
    let told = app.rows(sql, &[&app.products[0]]).await;
    assert_eq!(told.iter().map(|row| row.get::<_, i64>(0)).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(app.number("select count(*) from uncounted_sales").await, 0);

    app.count_sales().await;
    assert!(as_popular_as(&app, 8).await);
    assert_eq!(app.number(bought).await, 8);
}

/// What was sold was sold, but the recommender learns of nobody who is gone: neither before it is counted, nor meanwhile.
#[tokio::test]
async fn of_a_deleted_account_nothing_but_the_sale_is_counted() {
    let app = TestApp::new().await.with_products(1).await;
    let [gone, going, stays] = [app.customer().await, app.customer().await, app.customer().await];
    for client in [&gone, &going, &stays] {
        client.put_item(app.products[0], 2).await.expect(200);
        client.checkout("k", APPROVED).await.expect(201);
    }
    let request = gone.request(Method::DELETE, "/api/users/me").json(&json!({ "password": PASSWORD }));
    Answer::of(request).await.expect(204);
    let (going, stays) = (going.user_id().await, stays.user_id().await);
    let mut deletion = app.connection().await;
    let deletion = deletion.transaction().await.expect("a transaction");
    deletion.execute("delete from users where id = $1", &[&going]).await.expect("deleted");
    let commit = async {
        app.until_one_waits_for_a_lock().await;
        deletion.commit().await.expect("committed");
    };
    let count = async { while sales::pass(&app.state).await.is_err() {} };
    tokio::join!(count, commit);
    assert!(as_popular_as(&app, 6).await);
    let told = app.rows("select user_id from interactions where kind = 'purchase'", &[]).await;
    let told: Vec<Uuid> = told.iter().map(|row| row.get(0)).collect();
    assert_eq!(told, [stays]);
}

/// Orders of nobody's, each of one unit of this product, oldest first.
async fn sell(app: &TestApp, product: Uuid, many: i32) {
    app.execute(
        "with sold as (insert into orders (id, status, total_cents, currency, created_at) \
             select gen_random_uuid(), 'paid', 100, 'GBP', now() - make_interval(secs => n) \
             from generate_series($2::integer, 1, -1) n returning id, created_at), \
         lines as (insert into order_items (order_id, product_id, name, unit_price_cents, quantity) \
             select id, $1, 'Sold', 100, 1 from sold) \
         insert into uncounted_sales (order_id, at) select id, created_at from sold order by created_at",
        &[&product, &many],
    )
    .await;
}

/// Also where the planner takes the table for empty, as it may be each time that it is looked at.
#[tokio::test]
async fn so_many_are_counted_at_once_and_no_more() {
    let app = TestApp::new().await.with_products(1).await;
    sell(&app, app.products[0], 10).await;
    app.sql("delete from uncounted_sales").await;
    app.sql("analyze uncounted_sales").await;
    sell(&app, app.products[0], 200).await;
    let mut client = app.state.pool.get().await.expect("a connection");
    let transaction = client.transaction().await.expect("a transaction");
    assert_eq!(db::sales::count(&transaction, 60).await.expect("counted"), 60);
    transaction.commit().await.expect("committed");
    assert_eq!(app.number("select count(*) from uncounted_sales").await, 140);
    assert!(as_popular_as(&app, 60).await);
    app.count_sales().await;
    assert!(as_popular_as(&app, 200).await);
}

/// As an import does it: what else was sold waits, and nobody waits for it.
#[tokio::test]
async fn a_product_that_is_held_holds_up_no_other() {
    let app = TestApp::new().await.with_products(2).await;
    let [free, held] = [app.products.iter().min(), app.products.iter().max()].map(|id| *id.expect("two"));
    for product in [free, held] {
        sell(&app, product, 1).await;
    }
    let mut holder = app.connection().await;
    let holder = holder.transaction().await.expect("a transaction");
    let hold = "select from products where id = $1 for no key update";
    holder.execute(hold, &[&held]).await.expect("held");
    sales::pass(&app.state).await.expect_err("one is held");
    app.execute(&format!("{hold} nowait"), &[&free]).await;
    assert_eq!(app.number("select count(*) from uncounted_sales").await, 2);
    holder.commit().await.expect("released");
    app.count_sales().await;
    assert_eq!(app.number("select count(*) from uncounted_sales").await, 0);
}
