//! The schema itself: how it comes about, what it refuses, and the statements that no request runs.

use std::time::Duration;

use shopmicro_backend::db;
use shopmicro_backend::seed::{self, Seeded};
use tokio_postgres::error::SqlState;

use crate::harness::{Database, NewProduct, TestApp};

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let database = Database::empty().await;
    assert!(db::migrate(database.url()).await.expect("migrated") >= 1);
    assert_eq!(db::migrate(database.url()).await.expect("migrated"), 0);
}

/// Replicas that start together.
#[tokio::test]
async fn two_migrations_at_once_take_turns() {
    let database = Database::empty().await;
    let (a, b) = tokio::join!(db::migrate(database.url()), db::migrate(database.url()));
    let (a, b) = (a.expect("migrated"), b.expect("migrated"));
    assert_eq!(a.min(b), 0);
    assert!(a.max(b) >= 1);
}

/// Whoever writes a table for long, such as an import.
#[tokio::test]
async fn a_migration_that_must_wait_lets_others_pass() {
    let database = Database::migrated().await;
    let pool = db::pool(database.url(), 2).expect("a pool");
    let (mut import, shop) =
        (pool.get().await.expect("a connection"), pool.get().await.expect("a connection"));
    // One of the newest tables refers to accounts: while it is made, nobody may write them.
    let undo = "drop table adjustment_keys, uncounted_sales; drop function put_into_cart; \
                create index outbox_order_idx on outbox (order_id); \
                delete from refinery_schema_history where version >= 12";
    shop.batch_execute(undo).await.expect("undone");
    let register = "insert into users (id, email, name) \
                    select id, id || '@example.com', 'Ada' from gen_random_uuid() id";
    let import = import.transaction().await.expect("a transaction");
    import.batch_execute(register).await.expect("registered");

    let others = async {
        let waits = "select from pg_locks l join pg_database d on d.oid = l.database \
                     where d.datname = current_database() and l.relation = 'users'::regclass and not l.granted";
        while shop.query(waits, &[]).await.expect("locks").is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Less long than a request may wait for a lock.
        shop.batch_execute(register).await.expect("registered beside the migration");
        import.commit().await.expect("committed");
    };
    let (migrated, ()) = tokio::join!(db::migrate(database.url()), others);
    assert_eq!(migrated.expect("migrated"), 4);
    assert_eq!(db::migrate(database.url()).await.expect("migrated"), 0);
}

/// The version before, started beside the next one or after the way back from it.
#[tokio::test]
async fn a_newer_schema_is_left_as_it_is() {
    let database = Database::empty().await;
    db::migrate(database.url()).await.expect("migrated");
    let pool = db::pool(database.url(), 1).expect("a pool");
    let client = pool.get().await.expect("a connection");
    let sql = "insert into refinery_schema_history select version + 1, 'next', applied_on, '1' \
               from refinery_schema_history order by version desc limit 1";
    client.execute(sql, &[]).await.expect("inserted");
    assert_eq!(db::migrate(database.url()).await.expect("left alone"), 0);
    // What was applied and is not known is an error all the same.
    client
        .execute("update refinery_schema_history set version = 0 where name = 'next'", &[])
        .await
        .expect("updated");
    db::migrate(database.url()).await.expect_err("a hole");
}

#[tokio::test]
async fn a_service_knows_whether_its_schema_is_there() {
    let database = Database::empty().await;
    let pool = db::pool(database.url(), 1).expect("a pool");
    let client = pool.get().await.expect("a connection");
    assert!(!db::is_migrated(&client).await.expect("known"));
    db::migrate(database.url()).await.expect("migrated");
    assert!(db::is_migrated(&client).await.expect("known"));
    // A newer schema is fine, an older one is not.
    let sql = "update refinery_schema_history set version = version + $1::int";
    client.execute(sql, &[&1000]).await.expect("changed");
    assert!(db::is_migrated(&client).await.expect("known"));
    client.execute(sql, &[&-2000]).await.expect("changed");
    assert!(!db::is_migrated(&client).await.expect("known"));
}

/// Whatever the code gets wrong, these states are never stored.
#[tokio::test]
async fn the_database_refuses_what_must_not_be() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    client.checkout("k", "4242424242424242").await.expect(201);
    client.put_item(app.products[0], 1).await.expect(200);
    let connection = app.connection().await;
    for (sql, state) in [
        ("update products set stock = -1", SqlState::CHECK_VIOLATION),
        ("update products set price_cents = -1", SqlState::CHECK_VIOLATION),
        ("update products set name = ''", SqlState::CHECK_VIOLATION),
        ("update products set sku = ''", SqlState::CHECK_VIOLATION),
        ("update products set currency = 'gbp'", SqlState::CHECK_VIOLATION),
        ("update products set description = repeat('x', 4001)", SqlState::CHECK_VIOLATION),
        ("update products set tags = array_fill('x'::text, array[21])", SqlState::CHECK_VIOLATION),
        ("update users set email = 'Upper@example.com'", SqlState::CHECK_VIOLATION),
        ("update users set role = 'king'", SqlState::CHECK_VIOLATION),
        ("update sessions set token_hash = 'short'", SqlState::CHECK_VIOLATION),
        ("update carts set token_hash = sha256('x')", SqlState::CHECK_VIOLATION),
        ("update carts set user_id = null", SqlState::CHECK_VIOLATION),
        ("update cart_items set quantity = 0", SqlState::CHECK_VIOLATION),
        ("update cart_items set quantity = 100", SqlState::CHECK_VIOLATION),
        ("update orders set status = 'lost'", SqlState::CHECK_VIOLATION),
        ("update orders set total_cents = -1", SqlState::CHECK_VIOLATION),
        ("update orders set card_last4 = '4242424242424242'", SqlState::CHECK_VIOLATION),
        ("update order_items set quantity = 0", SqlState::CHECK_VIOLATION),
        ("update order_items set unit_price_cents = -1", SqlState::CHECK_VIOLATION),
        ("update idempotency_keys set key = ''", SqlState::CHECK_VIOLATION),
        ("insert into adjustment_keys select id, '', id, 1, '' from users", SqlState::CHECK_VIOLATION),
        ("update interactions set kind = 'theft'", SqlState::CHECK_VIOLATION),
        ("update interactions set quantity = 0", SqlState::CHECK_VIOLATION),
        // What was sold cannot be deleted, only archived.
        ("delete from products", SqlState::FOREIGN_KEY_VIOLATION),
        (
            "insert into products select (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid()))).id, \
             sku, name, description, category, tags, price_cents, currency, stock from products p",
            SqlState::UNIQUE_VIOLATION,
        ),
        (
            "insert into users (id, email, name) select gen_random_uuid(), email, name from users",
            SqlState::UNIQUE_VIOLATION,
        ),
        (
            "insert into carts (id, user_id) select gen_random_uuid(), user_id from carts",
            SqlState::UNIQUE_VIOLATION,
        ),
    ] {
        let error = connection.batch_execute(sql).await.expect_err(sql);
        assert_eq!(error.code(), Some(&state), "{sql}: {error:?}");
    }
}

/// An erased customer leaves the shop's books whole.
#[tokio::test]
async fn an_erased_account_takes_what_is_personal_with_it() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    client.put_item(app.products[0], 1).await.expect(200);
    client.checkout("k", "4242424242424242").await.expect(201);
    client.put_item(app.products[0], 1).await.expect(200);
    app.sql("delete from users").await;
    for table in ["sessions", "carts", "cart_items", "idempotency_keys", "interactions"] {
        assert_eq!(app.number(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    assert_eq!(app.number("select count(*) from orders where user_id is null").await, 1);
    assert_eq!(app.number("select count(*) from order_items").await, 1);
}

/// A sale of what sells often, and a cart that fills, make no new entry in an index of products or of carts.
#[tokio::test]
async fn what_sells_often_leaves_indexes_alone() {
    let app = TestApp::new().await.with_products(1).await;
    app.customer().await.put_item(app.products[0], 1).await.expect(200);
    // 500 units, and just above a step, so that one more makes none.
    app.sql(
        "update carts set updated_at = date_trunc('hour', now()); \
         update products set popularity = floor(popularity_of(500, now())), \
         popularity_exact = floor(popularity_of(500, now())) + 0.01",
    )
    .await;
    let before = app.rows("select popularity, popularity_exact from products", &[]).await;
    let mut connection = app.state.pool.get().await.expect("a connection");
    let transaction = connection.transaction().await.expect("a transaction");
    let updates = async || -> (i64, i64) {
        let sql = "select sum(n_tup_upd)::bigint, sum(n_tup_hot_upd)::bigint from pg_stat_xact_user_tables \
                   where relname in ('carts', 'products')";
        let row = transaction.query_one(sql, &[]).await.expect("counts");
        (row.get(0), row.get(1))
    };
    let counted = updates().await;
    for quantity in 2..=3 {
        let sql =
            "select put_cart_item(u.id, null, gen_random_uuid(), p.id, $1, 50) from users u, products p";
        transaction.execute(sql, &[&quantity]).await.expect("put");
    }
    let sql = "select s.changed from users u, \
               place_order(u.id, 'k', 'h', gen_random_uuid(), '{}', '4242', 'GBP', interval '1 h', null) o, \
               settle_payment(o.this_order, 'captured', 'k') s";
    let row = transaction.query_one(sql, &[]).await.expect("sold");
    assert!(row.get::<_, bool>("changed"));
    assert_eq!(db::sales::count(&transaction, 1).await.expect("counted"), 1);
    let (all, heap_only) = updates().await;
    assert_eq!((all - counted.0, heap_only - counted.1), (4, 4), "two of the cart, two of the product");
    transaction.commit().await.expect("committed");
    let after = app.rows("select popularity, popularity_exact from products", &[]).await;
    let figure = |rows: &[tokio_postgres::Row], column: &str| -> f64 { rows[0].get(column) };
    assert!(figure(&after, "popularity_exact") > figure(&before, "popularity_exact"));
    assert!((figure(&after, "popularity") - figure(&before, "popularity")).abs() < f64::EPSILON);
}

/// Popularity is log2 of decayed sales: sums commute, and a month halves.
#[tokio::test]
async fn popularity_adds_up_and_ages() {
    let app = TestApp::new().await;
    let number = async |sql: &str| -> f64 { app.rows(&format!("select {sql}"), &[]).await[0].get(0) };
    let then = "timestamptz '2026-01-01 00:00Z'";
    let later = "timestamptz '2026-02-20 12:00Z'";
    let one = number(&format!("popularity_of(1, {then})")).await;
    let two = number(&format!("popularity_sum(popularity_of(1, {then}), popularity_of(1, {then}))")).await;
    let month = number(&format!("popularity_of(1, {then} + interval '30 days')")).await;
    assert!((two - one - 1.0).abs() < 1e-9 && (month - one - 1.0).abs() < 1e-9, "{one} {two} {month}");
    let first = number(&format!("popularity_sum('-infinity', popularity_of(1, {then}))")).await;
    assert!((first - one).abs() < 1e-9);
    let a = number(&format!("popularity_sum(popularity_of(3, {then}), popularity_of(5, {later}))")).await;
    let b = number(&format!("popularity_sum(popularity_of(5, {later}), popularity_of(3, {then}))")).await;
    assert!((a - b).abs() < 1e-9);
    // What is indexed is the step below, of which a doubling is a whole number.
    let step = async |units: i32| number(&format!("popularity_step(popularity_of({units}, {then}))")).await;
    assert!((step(8).await - step(1).await - 3.0).abs() < 1e-9);
    assert!(number("popularity_step('-infinity')").await.is_infinite());
    // Far apart, nothing overflows.
    assert!(
        number("popularity_sum(popularity_of(1, '9000-01-01Z'), popularity_of(1, '0001-01-01Z'))")
            .await
            .is_finite()
    );
}

#[tokio::test]
async fn seeding_again_keeps_what_was_traded() {
    let app = TestApp::new().await;
    let seed = async |production| {
        let mut connection = app.connection().await;
        let transaction = connection.transaction().await.expect("a transaction");
        let seeded = seed::seed(&transaction, production).await.expect("put in");
        transaction.commit().await.expect("committed");
        seeded
    };
    // In production nobody gets in with a password that everybody knows.
    let first = seed(true).await;
    assert_eq!((first.products_added, first.accounts_added), (first.products, 0));
    assert_eq!(app.number("select count(*) from users").await, 0);
    let ledger = "select (select sum(stock) from products) - (select sum(delta) from stock_movements)";
    assert_eq!(app.number(ledger).await, 0);

    app.sql("update products set stock = 0").await;
    assert_eq!(seed(false).await, Seeded { products_added: 0, accounts_added: 2, ..first });
    assert_eq!(app.number("select sum(stock) from products").await, 0);
    assert_eq!(seed(false).await, Seeded { products_added: 0, accounts_added: 0, ..first });
    for (email, _, password, role) in seed::DEMO_ACCOUNTS {
        let login = serde_json::json!({ "email": email, "password": password });
        let user = app.guest().post("/api/users/login", &login).await.expect(200);
        assert_eq!(user["role"], role.as_str());
    }
}

/// The longest text that the schema takes is served whole.
#[tokio::test]
async fn the_largest_product_is_a_product() {
    let app = TestApp::new().await;
    let (name, description, category, tag) =
        ("n".repeat(200), "d ".repeat(2000), "c".repeat(60), "t".repeat(60));
    let tags = vec![tag.as_str(); 20];
    let id = app
        .add(NewProduct {
            name: &name,
            description: &description,
            category: &category,
            tags: &tags,
            price_cents: 100_000_000,
            stock: i32::MAX,
        })
        .await;
    let client = app.customer().await;
    let cart = client.put_item(id, 99).await.expect(200);
    assert_eq!(cart["total_cents"], 9_900_000_000_i64);
    let order = client.checkout("k", "4242424242424242").await.expect(201);
    assert_eq!(order["total_cents"], 9_900_000_000_i64);
    assert_eq!(
        app.guest().query("/api/products", &[("category", &category)]).await.expect(200)["items"][0]["name"],
        name
    );
}
