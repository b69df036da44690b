//! How PostgreSQL answers what is asked of a large catalogue. What counts is how many rows a plan touches, not how long
//! it took: that a list is short must not mean that everything was read, or sorted, to find it.
//!
//! The catalogue has 200,000 products, since a million takes more than a minute to make; `PLAN_PRODUCTS=1000000` makes
//! it so, and the bounds hold as well.

use std::collections::HashSet;
use std::fmt::Write;

use deadpool_postgres::Object;
use platform::config::Env;
use serde_json::Value;
use shopmicro_backend::db::products::search::Wanted;
use shopmicro_backend::db::products::{facets, listing, suggestions, tiers};
use shopmicro_backend::db::statement::Statement;
use shopmicro_backend::domain::listing::{Cursor, Filters, Listing, Matching, Sort, SortKey};
use shopmicro_backend::domain::question::{Corrected, Question};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::harness::{Setup, TestApp};

/// Rows of a table that a list may touch. Nearly all touch a few thousand, or as few as they show; the worst is a filter
/// that lets little through at the end where the list begins, of which all matches are found and sorted.
fn list_bound(products: i32) -> f64 {
    f64::from(products) / 8.0
}
/// Rows that a search for words may touch in a catalogue of any size: the first tier, or four times the thousand that are put
/// in order, since a tier and those before it are four times as large as those before, and some more.
const SEARCH: f64 = 8_000.0;
/// Rows that facets may touch. They look for 10,000 products in the order of sales, among more others the fewer they
/// are, until it is cheaper to find all of them by an index: where the planner knows how many there are, that is at most
/// the root of 10,000 times all products. It guesses, and may be wrong by a factor of three.
fn facets_bound(products: i32) -> f64 {
    3.0 * (10_000.0 * f64::from(products)).sqrt()
}
/// Of each of the 40 categories, 10,000 entries of an index are counted.
const CATEGORIES: f64 = 400_000.0;

/// Names of two of 2,048 words, of which some are frequent and most are not; so are categories and tags.
const CATALOGUE: &str = "
    with words as (
        select array_agg(
            (array['ba','co','di','fu','ga','he','ji','ko','lu','mo','ne','pi','ro','sa','te','vu'])[1 + i % 16]
            || (array['ber','cal','den','fin','gor','hal','jan','kel','lor','min','nor','pel','ran','sol','tor','vin'])
                [1 + i / 16 % 16]
            || (array['a','e','ic','on','us','ish','et','ly'])[1 + i / 256 % 8]
        ) as words
        from generate_series(0, 2047) i
    )
    insert into products
        (id, sku, name, category, tags, price_cents, currency, stock, popularity, created_at, archived_at)
    select gen_random_uuid(), 'P-' || i,
        (array['White','Red','Blue','Large','Small','Paper','Metal','Oak'])[1 + floor(random() * random() * 8)]
            || ' ' || words[1 + floor(random() ^ 3 * 2048)] || ' ' || words[1 + floor(random() ^ 3 * 2048)],
        'Category ' || floor(random() ^ 3 * 40),
        array['tag' || floor(random() ^ 4 * 1000), case when price > 15000 then 'dear'
            else 'tag' || floor(random() ^ 4 * 1000) end],
        price, 'GBP',
        case when random() < 0.9 then floor(random() * 100) else 0 end,
        case when random() < 0.3 then random() * 100 else '-infinity' end,
        timestamptz '2026-01-01 00:00Z' + i * interval '10 s',
        case when random() < 0.02 then timestamptz '2026-06-01 00:00Z' + i * interval '1 s' end
    from words, generate_series(1, $1::int) i
    -- A price for each, whatever it is for.
    cross join lateral (select exp(random() * 6 + 4 + 0 * i)::bigint as price) priced";

/// The tables that grow.
const LARGE: [&str; 3] = ["products", "stock_movements", "search_words"];

fn products() -> i32 {
    Env::from_process().get("PLAN_PRODUCTS").map_or(200_000, |number| number.parse().expect("a number"))
}

/// A shop with a catalogue of so many products, and one connection to its database.
pub(crate) async fn large_shop(products: i32) -> TestApp {
    let app = Setup::default().set("POSTGRES_POOL_SIZE", "1").start().await;
    // The same catalogue in every run, as far as random numbers go.
    app.sql("set statement_timeout = 0; select setseed(0.42)").await;
    // Kept for the version before alone: nothing may need it.
    app.sql("drop index products_search_idx").await;
    app.execute(CATALOGUE, &[&products]).await;
    app.sql(
        "insert into stock_movements (product_id, delta, reason) \
         select id, 1, 'adjustment' from (select id from products order by id limit 5) p, generate_series(1, 4000); \
         insert into stock_movements (product_id, delta, reason) \
         select id, stock, 'opening' from products where stock > 0 limit 20000; \
         insert into search_words (word) \
         select distinct left(translate(md5(i::text), '0123456789', 'ghijklmnop'), 8) from generate_series(1, 20000) i \
         on conflict do nothing",
    )
    .await;
    app.sql("vacuum analyze products, search_words, stock_movements").await;
    app.sql("reset statement_timeout").await;
    app
}

/// Explains a statement with its parameters, by running it.
async fn explain(client: &Object, sql: &str, parameters: &[(&(dyn ToSql + Sync), Type)]) -> Value {
    let sql = format!("explain (analyze, timing off, format json) {sql}");
    let rows = client.query_typed(&sql, parameters).await.expect("explained");
    rows[0].get::<_, Value>(0)[0]["Plan"].clone()
}

/// What plans touch, and what is wrong with them.
#[derive(Default)]
struct Findings {
    faults: String,
    indexes: HashSet<String>,
}

impl Findings {
    /// Looks at a plan, and names its faults by what was asked for.
    fn look(&mut self, name: &str, plan: &Value, bound: f64) {
        let mut found = String::new();
        faults(plan, bound, &mut found, &mut self.indexes);
        // What it may touch of a catalogue of any size, it may touch in all its parts together.
        if bound == SEARCH && touched(plan) > bound {
            let _ = write!(found, "touches {} rows; ", touched(plan));
        }
        if !found.is_empty() {
            let _ = writeln!(self.faults, "{name}: {found}");
        }
    }
}

/// Rows of large tables that a plan touches in all its parts.
fn touched(plan: &Value) -> f64 {
    let number = |name: &str| plan[name].as_f64().unwrap_or_default();
    let of_table = plan["Relation Name"].as_str().is_some_and(|table| LARGE.contains(&table));
    let rows =
        number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    let own = if of_table { number("Actual Loops") * rows } else { 0.0 };
    own + plan["Plans"].as_array().into_iter().flatten().map(touched).sum::<f64>()
}

fn faults(plan: &Value, bound: f64, faults: &mut String, indexes: &mut HashSet<String>) {
    indexes.extend(plan["Index Name"].as_str().map(str::to_owned));
    let kind = plan["Node Type"].as_str().expect("a node");
    let number = |name: &str| plan[name].as_f64().unwrap_or_default();
    if number("Actual Loops") == 0.0 {
        // One of two ways, and the other was taken.
        return;
    }
    if let Some(table) = plan["Relation Name"].as_str().filter(|table| LARGE.contains(table)) {
        if kind == "Seq Scan" {
            let _ = write!(faults, "reads all of {table}; ");
        }
        let touched = number("Actual Loops")
            * (number("Actual Rows")
                + number("Rows Removed by Filter")
                + number("Rows Removed by Index Recheck"));
        if touched > bound {
            let _ = write!(faults, "{kind} touches {touched} rows of {table}; ");
        }
    }
    if kind.contains("Sort") {
        let sorted = plan["Plans"][0]["Actual Rows"].as_f64().unwrap_or_default();
        if sorted > bound {
            let _ = write!(faults, "sorts {sorted} rows; ");
        }
    }
    for part in plan["Plans"].as_array().into_iter().flatten() {
        self::faults(part, bound, faults, indexes);
    }
}

fn question(text: &str) -> Question {
    Question::parse(text).expect("valid").expect("not blank")
}

/// Every filter by itself, where it lets much through and where little.
fn single_filters() -> Vec<(&'static str, Filters)> {
    let none = Filters::default;
    let category = |name: &str| Filters { category: Some(name.into()), ..none() };
    let tag = |name: &str| Filters { tags: vec![name.into()], ..none() };
    let price = |min, max| Filters { min_price_cents: min, max_price_cents: max, ..none() };
    let search = |text: &str| Filters { question: Some(question(text)), ..none() };
    vec![
        ("no filter", none()),
        ("a large category", category("Category 0")),
        ("a small category", category("Category 39")),
        ("no category", category("Category x")),
        ("a frequent tag", tag("tag0")),
        ("a rare tag", tag("tag999")),
        ("no tag", tag("x")),
        ("a tag of what is dear", tag("dear")),
        ("two tags", Filters { tags: vec!["tag0".into(), "tag1".into()], ..none() }),
        ("most prices", price(Some(100), Some(20_000))),
        ("high prices", price(Some(20_000), None)),
        ("hardly a price", price(Some(5000), Some(5005))),
        ("no price", price(Some(90_000_000), None)),
        ("in stock", Filters { in_stock: true, ..none() }),
        ("a frequent word", search("white")),
        ("a rare word", search("vuvinly")),
        ("two words", search("white baber")),
        ("two rare words", search("vuvinly tevinly")),
        ("no word", search("unheardof")),
        ("a letter", search("b")),
        ("a beginning", search("bab")),
        ("a phrase", search("\"red baber\"")),
        ("an exclusion", search("-white")),
    ]
}

/// The first page, and one in the middle.
fn cursors(sort: Sort) -> [Option<Cursor>; 2] {
    let key = match sort {
        Sort::Relevance => SortKey::Score(0.7),
        Sort::Newest => SortKey::At("2026-01-10T00:00:00Z".parse().expect("a time")),
        Sort::PriceAscending | Sort::PriceDescending => SortKey::Price(2000),
        Sort::Name => SortKey::Name("Paper".into()),
    };
    [None, Some(Cursor { sort, matching: Matching::Words, key, id: Uuid::nil() })]
}

const SORTS: [Sort; 5] =
    [Sort::Relevance, Sort::Newest, Sort::PriceAscending, Sort::PriceDescending, Sort::Name];

/// Every statement that is put together for a question, by what it is asked for.
fn statements() -> Vec<(String, f64, Statement)> {
    let mut statements = Vec::new();
    let (list_bound, facets_bound) = (list_bound(products()), facets_bound(products()));
    let corrected =
        Corrected { close: "(white) & (baber)".into(), wide: "(white | write) & (baber | babers)".into() };
    for (name, filters) in single_filters() {
        let words = filters.question.clone();
        let mut wanted = vec![words.as_ref().map(Wanted::Words)];
        if name == "two words" {
            wanted.push(Some(Wanted::Corrected(&corrected)));
        }
        for wanted in wanted {
            for sort in SORTS.into_iter().filter(|sort| *sort != Sort::Relevance || words.is_some()) {
                for cursor in cursors(sort) {
                    let label = format!("{name} by {sort:?}, cursor: {}", cursor.is_some());
                    let listing = Listing { filters: filters.clone(), sort, limit: 20, cursor };
                    let statement = listing::statement(&listing, wanted);
                    let bound = if statement.prepared { SEARCH } else { list_bound };
                    statements.push((label, bound, statement));
                }
            }
            statements.push((format!("facets of {name}"), facets_bound, facets::statement(&filters, wanted)));
        }
        if let Some(question) = &words {
            statements.push((
                format!("suggestions of {name}"),
                SEARCH,
                suggestions::statement(Wanted::Words(question), 8),
            ));
        }
    }
    let all = Filters {
        category: Some("Category 0".into()),
        tags: vec!["tag0".into()],
        min_price_cents: Some(100),
        in_stock: true,
        question: Some(question("white")),
        ..Filters::default()
    };
    let wanted = all.question.as_ref().map(Wanted::Words);
    statements.push(("facets of all filters".into(), facets_bound, facets::statement(&all, wanted)));
    statements
}

#[tokio::test]
async fn no_list_reads_or_sorts_a_large_catalogue() {
    let app = large_shop(products()).await;
    let mut findings = Findings::default();
    {
        let mut client = app.connection().await;
        let mut moved = 1;
        while moved > 0 {
            let transaction = client.transaction().await.expect("a transaction");
            moved = tiers::sort(&transaction, 5_000).await.expect("sorted");
            transaction.commit().await.expect("committed");
        }
        client.batch_execute("set statement_timeout = 0").await.expect("set");
        client.batch_execute("vacuum analyze products").await.expect("vacuumed");
        client.batch_execute("reset statement_timeout").await.expect("reset");
        for (name, bound, statement) in statements() {
            let plan = explain(&client, &statement.sql, &statement.parameters()).await;
            findings.look(&name, &plan, bound);
        }
    }
    look_at_prepared_statements(&app, &mut findings).await;
    assert!(findings.faults.is_empty(), "{}", findings.faults);

    // An index that answers nothing only makes writing slow. The unique ones are there to refuse.
    let sql = "select indexrelid::regclass::text as name from pg_index \
               where indrelid in ('products'::regclass, 'stock_movements'::regclass, 'search_words'::regclass) \
               and not indisunique";
    let idle = app.rows(sql, &[]).await.into_iter().map(|row| row.get::<_, String>("name"));
    let idle: Vec<String> = idle.filter(|name| !findings.indexes.contains(name)).collect();
    assert!(idle.is_empty(), "no statement uses {idle:?}");
}

/// Looks at the statements that are prepared once. PostgreSQL settles on a plan for any parameters after some uses, so
/// each is used more often than that before it is looked at.
async fn look_at_prepared_statements(app: &TestApp, findings: &mut Findings) {
    let admin = app.admin().await;
    let sql = "select m.product_id from stock_movements m join products p on p.id = m.product_id \
               where p.archived_at is null group by 1 order by count(*) desc limit 1";
    let rows = app.rows(sql, &[]).await;
    let product: Uuid = rows[0].get("product_id");
    for n in 0..12 {
        for path in [
            "/api/recommendations".to_owned(),
            "/api/admin/overview".to_owned(),
            format!("/api/products/{product}/similar"),
            "/api/products/archived".to_owned(),
            format!("/api/products/{product}/stock"),
            format!("/api/products?q=bbaer{n}"),
            "/api/products?q=white&sort=name".to_owned(),
            "/api/products?q=white&category=Category%200".to_owned(),
            format!("/api/products/suggestions?q=bbaer{n}"),
        ] {
            admin.get(&path).await.expect(200);
        }
        admin.get("/api/categories").await.expect(200);
        app.state.cache.forget(&[shopmicro_backend::cache::Scope::Catalogue]).await;
        app.state.cache.forget_products([product]).await;
    }
    let client = app.connection().await;
    let sql = "select name, statement, parameter_types::text[] as types, generic_plans from pg_prepared_statements \
               where statement ~ 'products|stock_movements|search_words' and statement !~* '^\\s*explain'";
    let statements = client.query(sql, &[]).await.expect("listed");
    let (mut seen, mut searches) = (0, 0);
    for row in &statements {
        let (name, sql, types): (String, String, Vec<String>) =
            (row.get("name"), row.get("statement"), row.get("types"));
        if sql.contains("pg_prepared_statements") || sql.contains("group by 1 order by count") {
            continue;
        }
        seen += 1;
        // What asks for words alone is prepared in order to be planned once.
        if sql.contains(" from asked a)") {
            searches += 1;
            if row.get::<_, i64>("generic_plans") == 0 {
                let _ = writeln!(findings.faults, "planned each time: {sql}");
            }
        }
        // A category comes before the words.
        let within = types.iter().filter(|kind| *kind == "text").count() == 3;
        let texts: &[&str] = if within { &["'Category 0'", "'white'", "null"] } else { &["'white'", "null"] };
        let mut texts = texts.iter().copied();
        let values = types.iter().map(|kind| match kind.as_str() {
            "text" => texts.next().unwrap_or("null").to_owned(),
            "uuid" => format!("'{product}'"),
            "uuid[]" => format!("array['{product}'::uuid]"),
            "bigint" => "21".to_owned(),
            // Units in stock.
            "integer" => "5".to_owned(),
            "text[]" => "array['white', 'bbaer', 'vuvinlyy']".to_owned(),
            _ => "null".to_owned(),
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let values = if values.is_empty() { values } else { format!("({values})") };
        let plan = explain(&client, &format!("execute {name}{values}"), &[]).await;
        let bound = if sql.contains("recursive names") {
            CATEGORIES
        } else if sql.contains("width_bucket(r.rank") {
            // It goes through the order of sales, in the index alone and now and then.
            f64::from(products())
        } else {
            list_bound(products())
        };
        findings.look(&sql, &plan, bound);
    }
    assert!(seen >= 12, "the statements that this looks at are not there: {seen}");
    // By relevance, by name, within a category, and suggestions.
    assert_eq!(searches, 4, "searches are not prepared");
}
