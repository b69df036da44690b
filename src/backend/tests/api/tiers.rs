//! Tiers of best sellers: which products are in which, and what a search finds by them.

use deadpool_postgres::Object;
use shopmicro_backend::db::products::facets::facets;
use shopmicro_backend::db::products::listing;
use shopmicro_backend::db::products::search::Wanted;
use shopmicro_backend::db::products::tiers;
use shopmicro_backend::domain::listing::{Filters, Listing, Sort};
use shopmicro_backend::domain::question::Question;
use tokio_postgres::NoTls;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::plans::large_shop;

/// More than two tiers have room for.
const PRODUCTS: i32 = 36_000;
const MANY: i64 = i64::MAX;

/// How many products for sale are in each tier.
async fn sizes(client: &Object) -> Vec<(i16, i64)> {
    let sql = "select tier, count(*) from products where archived_at is null group by 1 order by 1";
    let rows = client.query(sql, &[]).await.expect("counted");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Sorts products into tiers as the worker does.
async fn sort(client: &mut Object, most: i64) -> u64 {
    let transaction = client.transaction().await.expect("a transaction");
    let moved = tiers::sort(&transaction, most).await.expect("sorted");
    transaction.commit().await.expect("committed");
    moved
}

/// How often a product of an earlier tier comes after one of a later tier, from the best seller on.
async fn misplaced(client: &Object) -> i64 {
    let sql = "select count(*) from (select p.tier, lag(p.tier) over (order by p.popularity desc, p.id desc) as before \
               from products p where p.archived_at is null) p where p.tier < p.before";
    client.query_one(sql, &[]).await.expect("counted").get(0)
}

#[tokio::test]
async fn products_stand_in_tiers_by_their_sales() {
    let app = large_shop(PRODUCTS).await;
    let mut client = app.connection().await;
    let sql = "select count(*) from products where archived_at is null";
    let for_sale: i64 = client.query_one(sql, &[]).await.expect("counted").get(0);
    assert_eq!(sizes(&client).await, [(5, for_sale)], "nothing is sorted where nothing was moved");

    assert_eq!(sort(&mut client, 700).await, 700, "as many as are asked for");
    let (replica, _) = app.replica().await;
    {
        let mut other = replica.pool.get().await.expect("a connection");
        let sorting = other.transaction().await.expect("a transaction");
        assert_eq!(tiers::sort(&sorting, 10).await.expect("sorted"), 10);
        assert_eq!(sort(&mut client, 700).await, 0, "one at a time");
        // Dropped, it would be rolled back a moment later.
        sorting.rollback().await.expect("rolled back");
    }
    while sort(&mut client, 1_000).await > 0 {}
    let sorted = [(0, 8_000), (1, 24_000), (2, for_sale - 32_000)];
    assert_eq!(sizes(&client).await, sorted);
    assert_eq!(misplaced(&client).await, 0);

    // One sells so well that it takes the place of another.
    let raise = "update products set popularity = 1000 where id = (select id from products where tier = 1 limit 1) returning id";
    let risen: Uuid = client.query_one(raise, &[]).await.expect("raised").get(0);
    assert_eq!(misplaced(&client).await, 1);
    assert_eq!(sort(&mut client, MANY).await, 2);
    assert_eq!(sizes(&client).await, sorted);
    assert_eq!(sort(&mut client, MANY).await, 0);

    // One that is being sold just now waits for the next time, and nobody for it.
    let fall = "update products set popularity = '-infinity' where id = $1";
    client.execute(fall, &[&risen]).await.expect("fallen");
    let (mut seller, connection) =
        tokio_postgres::connect(app.postgres_url(), NoTls).await.expect("connected");
    tokio::spawn(connection);
    let sale = seller.transaction().await.expect("a transaction");
    sale.execute("select from products where id = $1 for update", &[&risen]).await.expect("locked");
    assert!(sort(&mut client, MANY).await > 0);
    assert!(misplaced(&client).await > 0);
    sale.rollback().await.expect("rolled back");
    assert_eq!(sort(&mut client, MANY).await, 1);
    assert_eq!(misplaced(&client).await, 0);
}

/// What the first page of a search is.
async fn page(client: &Object, question: &Question, sort: Sort) -> Vec<Uuid> {
    let filters = Filters { question: Some(question.clone()), ..Filters::default() };
    let listing = Listing { filters, sort, limit: 100, cursor: None };
    let statement = listing::statement(&listing, Some(Wanted::Words(question)));
    let rows = statement.query(client).await.expect("found");
    rows.iter().map(|row| row.get("id")).collect()
}

/// The same as its description says it: of all matches so many best sellers, and of those the first hundred.
async fn said(client: &Object, text: &str, unfinished: Option<&str>, most: i32, order: &str) -> Vec<Uuid> {
    let wide = "unfinished_tsquery($1, $2)";
    let sql = format!(
        "select id from ( \
             select p.*, ts_rank(p.search, websearch_to_tsquery('english', $1)) + ts_rank(p.search, {wide}) as score \
             from products p where p.archived_at is null and p.search @@ {wide} \
             order by p.popularity desc, p.id desc limit {most}) p \
         order by {order} limit 101"
    );
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&text, Type::TEXT), (&unfinished, Type::TEXT)];
    let rows = client.query_typed(&sql, &parameters).await.expect("found");
    rows.iter().map(|row| row.get("id")).collect()
}

async fn same(client: &Object, when: &str) {
    // One that all tiers are looked through for, some that the first is enough for, and what is between.
    for text in [
        "vuvinly",
        "white",
        "white baber",
        "red or blue",
        "b",
        "metal -oak",
        "\"red baber\"",
        "-white",
        "unheardof",
    ] {
        let question = Question::parse(text).expect("valid").expect("not blank");
        for (sort, most, order) in
            [(Sort::Relevance, 300, "score desc, id desc"), (Sort::Name, 1000, "name, id")]
        {
            let found = page(client, &question, sort).await;
            let expected = said(client, text, question.unfinished(), most, order).await;
            assert_eq!(found, expected, "{text} by {sort:?}, {when}");
        }
    }
    let question = Question::parse("oak").expect("valid");
    let found = facets(client, &Filters { question, ..Filters::default() }).await.expect("counted");
    let all = "select count(*) from products where archived_at is null and search @@ to_tsquery('english', 'oak:*')";
    let count: i64 = client.query_one(all, &[]).await.expect("counted").get(0);
    assert_eq!((found.total.value, found.total.exact), (count, true), "{when}");
}

#[tokio::test]
async fn a_search_finds_the_best_sellers_however_many_are_sorted() {
    let app = large_shop(PRODUCTS).await;
    let mut client = app.connection().await;
    same(&client, "before they are sorted").await;
    sort(&mut client, 1_000).await;
    same(&client, "when some are sorted").await;
    while sort(&mut client, 1_000).await > 0 {}
    same(&client, "when all are sorted").await;

    // One that should stand further up is missed where those before it are enough, and found where they are not.
    let best = "update products set tier = 5 where id = (select id from products where archived_at is null \
                and search @@ to_tsquery('english', 'white') order by popularity desc, id desc limit 1) returning id, name";
    let row = client.query_one(best, &[]).await.expect("moved");
    let (id, name): (Uuid, String) = (row.get("id"), row.get("name"));
    let words = |text: &str| Question::parse(text).expect("valid").expect("not blank");
    assert!(!page(&client, &words("white"), Sort::Name).await.contains(&id));
    assert!(page(&client, &words(&name), Sort::Relevance).await.contains(&id));
}
