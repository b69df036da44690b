//! `/internal`: the streams that the recommendation service reads.

use std::time::{Duration, Instant};

use platform::config::Secret;
use serde_json::Value;
use shopmicro_backend::db;
use shopmicro_backend::db::carts::Owner;
use shopmicro_backend::db::export::Position;
use shopmicro_backend::workers::views;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::harness::{Client, Logs, NewProduct, Proxy, Setup, TestApp, read_to_end};

/// How long rows may take to appear: transactions in other databases of the same server hold the horizon back too.
const PATIENCE: Duration = Duration::from_mins(1);

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

async fn interactions(client: &Client, after: Option<&str>) -> Vec<Value> {
    let query: Vec<(&str, &str)> = after.map(|after| ("after", after)).into_iter().collect();
    let answer = client.query("/internal/interactions", &query).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-ndjson"));
    lines(&answer.text)
}

/// Follows the stream as the recommendation service does, until it has shown so many lines.
async fn follow(client: &Client, mut cursor: Option<String>, count: usize) -> Vec<Value> {
    let start = Instant::now();
    let mut seen: Vec<Value> = Vec::new();
    while seen.len() < count {
        seen.extend(interactions(client, cursor.as_deref()).await);
        cursor = seen.last().map(|line| line["cursor"].as_str().expect("a cursor").to_owned()).or(cursor);
        assert!(start.elapsed() < PATIENCE, "{} of {count} lines: {seen:?}", seen.len());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    seen
}

fn quantities(lines: &[Value]) -> Vec<i64> {
    lines.iter().map(|line| line["quantity"].as_i64().expect("a quantity")).collect()
}

/// A statement that notes an interaction of the only user with the only product.
fn note(quantity: i32) -> String {
    format!(
        "insert into interactions (user_id, product_id, kind, quantity) \
         select u.id, p.id, 'view', {quantity} from users u, products p"
    )
}

#[tokio::test]
async fn the_catalogue_streams_what_is_for_sale() {
    let app = TestApp::new().await.with_products(3).await;
    let tagged = app
        .add(NewProduct {
            name: "Mug",
            description: "A\nline",
            tags: &["tea"],
            category: "Cups",
            ..Default::default()
        })
        .await;
    app.execute("update products set archived_at = now() where id = $1", &[&app.products[0]]).await;
    let answer = app.guest().get("/internal/catalogue").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-ndjson"));
    let lines = lines(&answer.text);
    let mut expected = vec![app.products[1], app.products[2], tagged];
    expected.sort_unstable();
    let ids: Vec<Uuid> =
        lines.iter().map(|line| line["id"].as_str().expect("id").parse().expect("UUID")).collect();
    assert_eq!(ids, expected);
    let line = lines.iter().find(|line| line["name"] == "Mug").expect("streamed");
    let whole = serde_json::json!(
        { "id": tagged, "name": "Mug", "description": "A\nline", "category": "Cups", "tags": ["tea"] }
    );
    assert_eq!(*line, whole);
}

/// Larger than any buffer on the way.
#[tokio::test]
async fn a_long_stream_is_whole() {
    let app = TestApp::new().await.with_products(3000).await;
    let answer = app.guest().get("/internal/catalogue").await;
    assert_eq!(lines(&answer.text).len(), 3000);
    // The connection went back to the pool.
    for _ in 0..20 {
        assert_eq!(app.guest().get("/internal/catalogue").await.status, 200);
    }
}

/// Begins to read the catalogue.
async fn begin_to_read(app: &TestApp) -> TcpStream {
    let mut stream = app.connect().await;
    stream
        .write_all(b"GET /internal/catalogue HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")
        .await
        .expect("sent");
    stream.read_exact(&mut [0; 1000]).await.expect("a beginning");
    stream
}

#[tokio::test]
async fn who_takes_time_gets_the_whole_catalogue_or_sees_that_it_broke() {
    let (logs, _guard) = Logs::capture();
    let wire = Proxy::before_postgres().await;
    let app = Setup::default().postgres_through(&wire).start().await;
    // More than all buffers on the way hold; a thousand at a time, since a slow machine needs its time for a statement.
    for thousand in 0..8 {
        app.execute(
            "insert into products (id, sku, name, description, category, price_cents, currency, stock) \
             select gen_random_uuid(), 'SKU-' || $1::int * 1000 + i, 'Thing', repeat('x', 3900), 'Things', 1, 'GBP', 1 \
             from generate_series(1, 1000) i",
            &[&thousand],
        )
        .await;
    }
    let whole = |rest: &str| rest.ends_with("\r\n0\r\n\r\n");

    let slow = begin_to_read(&app).await;
    // Longer than a statement may take.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let rest = read_to_end(slow).await;
    assert!(whole(&rest), "{} bytes", rest.len());
    // The first is in what was read before.
    assert_eq!(rest.matches("\"Thing\"").count(), 7_999);
    assert!(!logs.text().contains("an internal stream broke"));

    let cut = begin_to_read(&app).await;
    wire.cut();
    let rest = read_to_end(cut).await;
    assert!(!whole(&rest), "{} bytes", rest.len());
    let logs = logs.text();
    let logged = |line: &str| line.contains("an internal stream broke") && line.contains("\"catalogue\"");
    assert_eq!(logs.lines().filter(|line| logged(line)).count(), 1);
}

#[tokio::test]
async fn what_customers_do_is_streamed() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    app.guest().put_item(app.products[0], 7).await.expect(200);
    client.look_at(app.products[0]).await.expect(204);
    views::pass(&app.state).await.expect("a pass");
    client.put_item(app.products[0], 2).await.expect(200);
    // Another quantity of what is in the cart is nothing new.
    client.put_item(app.products[0], 3).await.expect(200);
    client.checkout("k", "4242424242424242").await.expect(201);
    app.count_sales().await;
    let found = follow(&client, None, 3).await;
    let kinds: Vec<&str> = found.iter().map(|line| line["kind"].as_str().expect("kind")).collect();
    assert_eq!((kinds, quantities(&found)), (vec!["view", "cart", "purchase"], vec![1, 2, 3]));
    for line in &found {
        assert_eq!(line["user_id"], client.user_id().await.to_string());
        assert_eq!(line["product_id"], app.products[0].to_string());
        assert!(line["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{line}");
    }
    let last = found[2]["cursor"].as_str().expect("a cursor");
    assert!(interactions(&client, Some(last)).await.is_empty());
}

/// A transaction that began earlier and ends later: its rows come before those of the other, and are not skipped.
#[tokio::test]
async fn a_late_commit_is_not_lost() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    app.sql(&note(1)).await;
    let before = follow(&client, None, 1).await;
    let cursor = before[0]["cursor"].as_str().expect("a cursor");

    let mut slow = app.connection().await;
    let slow = slow.transaction().await.expect("a transaction");
    slow.batch_execute(&note(2)).await.expect("noted");
    app.sql(&note(3)).await;
    // The later one is committed, but a cursor beyond it would pass the earlier one by.
    assert!(interactions(&client, Some(cursor)).await.is_empty());
    slow.batch_execute(&note(4)).await.expect("noted");
    slow.commit().await.expect("committed");
    let after = follow(&client, Some(cursor.to_owned()), 3).await;
    assert_eq!(quantities(&after), [2, 4, 3]);
}

#[tokio::test]
async fn a_rolled_back_transaction_holds_nothing_up() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    let mut doomed = app.connection().await;
    let doomed = doomed.transaction().await.expect("a transaction");
    doomed.batch_execute(&note(1)).await.expect("noted");
    app.sql(&note(2)).await;
    assert!(interactions(&client, None).await.is_empty());
    doomed.rollback().await.expect("rolled back");
    assert_eq!(quantities(&follow(&client, None, 1).await), [2]);
}

/// A dump brings along what its own PostgreSQL called the transactions, which may be numbers that are yet to come here.
#[tokio::test]
async fn what_a_dump_of_another_database_brought_is_streamed_once_migrated() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    app.sql(&note(1)).await;
    let before = follow(&client, None, 1).await;
    for quantity in [2, 3] {
        app.sql(&note(quantity)).await;
    }
    app.sql("update interactions set xid = '9000000000000' where quantity > 1").await;
    let cursor = before[0]["cursor"].as_str().expect("a cursor");
    assert!(interactions(&client, Some(cursor)).await.is_empty());

    let url = Secret::new(app.postgres_url());
    assert_eq!(db::migrate(&url).await.expect("migrated"), 0);
    let found = follow(&client, None, 3).await;
    assert_eq!(quantities(&found), [1, 2, 3]);
    assert_eq!(found[0]["cursor"], cursor, "what is of this database keeps its place");
    let places = "select string_agg(xid::text, ' ' order by id) from interactions";
    let placed = app.rows(places, &[]).await[0].get::<_, String>(0);
    db::migrate(&url).await.expect("migrated");
    assert_eq!(app.rows(places, &[]).await[0].get::<_, String>(0), placed, "and from then on all do");
}

#[tokio::test]
async fn a_reader_beside_many_writers_sees_each_row_once() {
    const WRITERS: i32 = 6;
    const EACH: i32 = 15;
    let app = TestApp::new().await.with_products(1).await;
    let client = app.customer().await;
    let write = async |writer: i32| {
        let connection = app.connection().await;
        for n in 0..EACH {
            let note = note(writer * EACH + n + 1);
            let sql = format!("begin; {note}; select pg_sleep(random() * 0.02); commit");
            connection.batch_execute(&sql).await.expect("noted");
        }
    };
    let count = usize::try_from(WRITERS * EACH).expect("a number");
    let (found, _) =
        tokio::join!(follow(&client, None, count), futures_util::future::join_all((0..WRITERS).map(write)));
    let mut found = quantities(&found);
    found.sort_unstable();
    assert_eq!(found, (1..=i64::from(WRITERS * EACH)).collect::<Vec<_>>());
}

#[tokio::test]
async fn cursors_of_others_are_refused() {
    let app = TestApp::new().await;
    // The last is of a transaction that has not begun.
    for after in ["x", "1", "1-", "-1", "a-b", "99999999999999999999-1", "9000000000000-1"] {
        app.guest().query("/internal/interactions", &[("after", after)]).await.refused(400, "bad-request");
    }
    app.guest().query("/internal/interactions", &[("before", "1-1")]).await.refused(400, "bad-request");
}

/// What a crash takes would come again under the numbers that the recommender has passed.
#[tokio::test]
async fn what_was_handed_out_is_on_the_disk() {
    let app = TestApp::new().await.with_products(1).await;
    let client = app.connection().await;
    for number in 0..100_u8 {
        let owner = Owner::Guest([number; 32]);
        db::carts::put_and_get(&client, &owner, app.products[0], 1).await.expect("put");
        let written: String =
            client.query_one("select pg_current_wal_insert_lsn()::text", &[]).await.expect("a place").get(0);
        db::export::horizon(&client, Position::default()).await.expect("a horizon");
        let sql = "select pg_current_wal_flush_lsn() >= $1::text::pg_lsn";
        assert!(client.query_one(sql, &[&written]).await.expect("a place").get::<_, bool>(0), "{number}");
    }
}
