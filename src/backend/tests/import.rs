//! The importer on a real PostgreSQL: every test has a database of its own.

use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use platform::config::{Env, Secret};
use shopmicro_backend::db;
use shopmicro_backend::domain::import_rules::{Reject, customer_user_id};
use shopmicro_backend::export::{What, export};
use shopmicro_backend::import::{ImportError, ImportOptions, ImportReport, ProductChanges, import};
use tempfile::TempDir;
use tokio_postgres::Client;
use url::Url;
use uuid::Uuid;

const HEADER: &str = "invoiced_at,invoice,stock_code,description,quantity,unit_price,customer_id,country";

/// A migrated database, and a directory for files.
struct Shop {
    client: Client,
    url: Secret,
    files: TempDir,
}

impl Shop {
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.files.path().join(name);
        std::fs::write(&path, bytes).expect("write a file");
        path
    }

    async fn import(&mut self, source: &Path) -> Result<ImportReport, ImportError> {
        let report = import(&mut self.client, source, &ImportOptions::default()).await?;
        let wrong = "select count(*) from products p where p.stock <> \
                     (select coalesce(sum(delta), 0) from stock_movements m where m.product_id = p.id)";
        assert_eq!(self.number(wrong).await, 0, "the ledger of stock");
        Ok(report)
    }

    async fn number(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.expect(sql).get(0)
    }

    async fn text(&self, sql: &str) -> String {
        self.client.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// All rows of all tables that an import writes, as one hash.
    async fn state(&self) -> String {
        self.text(
            "select md5(concat( \
                (select string_agg(p::text, ',' order by id) from products p), \
                (select string_agg(m::text, ',' order by id) from stock_movements m), \
                (select string_agg(u::text, ',' order by id) from users u), \
                (select string_agg(o::text, ',' order by id) from orders o), \
                (select string_agg(i::text, ',' order by order_id, product_id) from order_items i), \
                (select string_agg(a::text, ',' order by xid, id) from interactions a)))",
        )
        .await
    }
}

/// Runs a test in a database that is dropped afterwards, also where the test fails.
async fn in_shop<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(Shop) -> F) {
    let url = Env::from_process().get("POSTGRES_URL").unwrap_or_else(|| {
        panic!("POSTGRES_URL must name a PostgreSQL where databases can be made; `make test` starts one")
    });
    let admin = db::connect(&Secret::new(url.as_str())).await.expect("connect to POSTGRES_URL");
    let name = format!("shopmicro_import_{}", Uuid::new_v4().simple());
    admin.batch_execute(&format!("create database {name}")).await.expect("make a database");
    let mut url = Url::parse(&url).expect("POSTGRES_URL is a URL");
    url.set_path(&name);
    let url = Secret::new(url.as_str());
    db::migrate(&url).await.expect("migrate");
    let client = db::connect(&url).await.expect("connect to the new database");
    let files = tempfile::tempdir().expect("make a directory");
    let result = tokio::spawn(test(Shop { client, url, files })).await;
    admin.batch_execute(&format!("drop database {name} with (force)")).await.expect("drop the database");
    if let Err(error) = result {
        std::panic::resume_unwind(error.into_panic());
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("compress");
    encoder.finish().expect("compress")
}

/// Order lines with two good invoices and every kind of bad row; line 1 is the header.
fn order_lines() -> String {
    [
        HEADER,
        "2011-01-01 10:00:00,1001,85123A,WHITE  HANGING HEART T-LIGHT HOLDER,6,2.55,17850,United Kingdom",
        "2011-01-01 10:00:00,1001,21730,\"GLASS STAR, FROSTED\",1,4.25,17850,United Kingdom",
        "2011-01-01 10:00:00,1001,85123a,WHITE HANGING HEART T-LIGHT HOLDER,2,3.00,17850,United Kingdom",
        "2011-03-01 09:00:00,1002,85123A,HEART HOLDER,20,2.95,,France",
        "2011-03-02 09:00:00,C1003,85123A,WHITE HANGING HEART T-LIGHT HOLDER,-1,2.95,17850,United Kingdom",
        "2011-03-02 09:00:00,1004,POST,POSTAGE,1,18.00,17850,United Kingdom",
        "2011-03-02 09:00:00,1004,21730,GLASS STAR,-5,4.25,17850,United Kingdom",
        "2011-03-02 09:00:00,1004,21730,GLASS STAR,5,0,17850,United Kingdom",
        "2011-03-02 09:00:00,1004,21730,damaged,5,1.00,17850,United Kingdom",
        "2011-03-02 09:00:00,1004,21730,GLASS STAR,five,1.00,17850,United Kingdom",
        "2011-03-02 09:00:00,1004,21730,GLASS STAR,74215,1.04,17850,United Kingdom",
        "02/03/2011 09:00,1004,21730,GLASS STAR,5,1.00,17850,United Kingdom",
        "2011-03-02 09:00:00,1004,21730,GLASS STAR,5",
    ]
    .join("\n")
}

#[tokio::test]
async fn good_lines_become_orders_and_bad_ones_are_reported() {
    in_shop(async |mut shop: Shop| {
        let source = shop.file("lines.csv", order_lines());
        let rejects = shop.files.path().join("rejects.csv");
        let options = ImportOptions { rejects: Some(rejects.clone()) };
        let report = import(&mut shop.client, &source, &options).await.expect("import");

        assert_eq!(report.rows_read(), 13);
        assert_eq!(report.products, ProductChanges { new: 2, changed: 0, unchanged: 0 });
        assert_eq!((report.customers_new, report.orders_new, report.orders_known), (1, 2, 0));
        let refused: Vec<(Reject, u64, Vec<u64>)> =
            report.refusals().iter().map(|(reason, refusal)| (*reason, refusal.count, refusal.rows.clone())).collect();
        let expected = [
            (Reject::Row, 14),
            (Reject::Cancellation, 6),
            (Reject::NotAProduct, 7),
            (Reject::Quantity, 8),
            (Reject::NoPrice, 9),
            (Reject::Note, 10),
            (Reject::Unreadable("invoiced_at"), 13),
            (Reject::Unreadable("quantity"), 11),
            (Reject::OutOfRange("quantity"), 12),
        ];
        assert_eq!(refused, expected.map(|(reason, row)| (reason, 1, vec![row])));
        assert!(report.to_string().contains("refused, cancellation: 1 (rows 6)"), "{report}");

        let mut written = csv::Reader::from_path(&rejects).expect("the rejects");
        let rows: Vec<csv::StringRecord> = written.records().collect::<Result<_, _>>().expect("valid CSV");
        assert_eq!(rows.len(), 9);
        assert_eq!(rows[0].get(0), Some("6"));
        assert_eq!(rows[0].get(1), Some("cancellation"));
        let raw = "2011-03-02 09:00:00,C1003,85123A,WHITE HANGING HEART T-LIGHT HOLDER,-1,2.95,17850,United Kingdom";
        assert_eq!(rows[0].get(2), Some(raw));

        // The most frequent name, the most recent price, what the last 30 days sold, the first sale.
        let row = shop
            .client
            .query_one(
                "select name, price_cents, currency, stock, category, tags, created_at::text as at, popularity \
                 from products where sku = '85123A'",
                &[],
            )
            .await
            .expect("the product");
        assert_eq!(row.get::<_, &str>("name"), "White hanging heart t-light holder");
        assert_eq!((row.get::<_, i64>("price_cents"), row.get::<_, &str>("currency")), (295, "GBP"));
        assert_eq!((row.get::<_, i32>("stock"), row.get::<_, &str>("category")), (20, "Lighting & candles"));
        assert_eq!(row.get::<_, Vec<String>>("tags"), ["white", "heart"]);
        let expected = shop
            .number(
                "select (abs(p.popularity_exact - popularity_sum(popularity_of(8, '2011-01-01 10:00Z'), \
                 popularity_of(20, '2011-03-01 09:00Z'))) < 1e-9)::int::bigint from products p where sku = '85123A'",
            )
            .await;
        assert_eq!(expected, 1, "popularity is {}", row.get::<_, f64>("popularity"));
        let stock = shop.number("select stock::bigint from products where sku = '21730'").await;
        assert_eq!(stock, 10, "the least that a shop keeps");

        // Two lines of one product are one item at their mean price: (6 * 255 + 2 * 300) / 8 = 266.25.
        let order = shop
            .text(
                "select concat_ws(' ', o.status, o.user_id, o.total_cents, o.created_at at time zone 'UTC', \
                 (select string_agg(concat(p.sku, ':', i.quantity, '*', i.unit_price_cents), ' ' order by p.sku) \
                  from order_items i join products p on p.id = i.product_id where i.order_id = o.id)) \
                 from orders o where import_ref = '1001'",
            )
            .await;
        let user = customer_user_id("17850");
        assert_eq!(order, format!("delivered {user} 2553 2011-01-01 10:00:00 21730:1*425 85123A:8*266"));
        assert_eq!(shop.number("select count(*) from orders where user_id is null").await, 1);
        let account = shop.text("select concat_ws(' ', email, name, password_hash) from users").await;
        assert_eq!(account, "customer-17850@import.invalid Customer 17850");
        let interactions = shop
            .number("select count(*) from interactions where kind = 'purchase' and at = '2011-01-01 10:00Z'")
            .await;
        assert_eq!((interactions, shop.number("select count(*) from interactions").await), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn a_second_import_changes_nothing() {
    in_shop(async |mut shop: Shop| {
        let source = shop.file("lines.csv.gz", gzip(&order_lines()));
        shop.import(&source).await.expect("import");
        let sell = "insert into stock_movements (product_id, delta, reason) \
                    select id, 3 - stock, 'adjustment' from products where stock <> 3; \
                    update products set stock = 3";
        shop.client.batch_execute(sell).await.expect("sell");
        let before = shop.state().await;
        let report = shop.import(&source).await.expect("import again");
        assert!(report.changed_nothing(), "{report}");
        assert!(report.to_string().contains("nothing changed"), "{report}");
        assert_eq!(report.products, ProductChanges { new: 0, changed: 0, unchanged: 2 });
        assert_eq!((report.orders_new, report.orders_known), (0, 2));
        assert_eq!(shop.state().await, before);
    })
    .await;
}

#[tokio::test]
async fn the_most_recent_file_names_and_prices_and_the_shops_own_words_stay() {
    in_shop(async |mut shop: Shop| {
        let old = shop.file("old.csv", order_lines());
        let new = shop.file(
            "new.csv",
            format!(
                "{HEADER}\n2011-05-01 10:00:00,2001,85123A,HEART HOLDER,1,9.99,17850,France\n\
                 2011-05-01 10:00:00,2001,21730,GLASS STAR,1,8.88,17850,France\n"
            ),
        );
        shop.import(&old).await.expect("import");
        let edit = "update products set description = 'Our favourite star.' where sku = '21730'";
        shop.client.execute(edit, &[]).await.expect("edit");
        let report = shop.import(&new).await.expect("import");
        assert_eq!(report.products, ProductChanges { new: 0, changed: 1, unchanged: 1 });
        let words =
            "select string_agg(concat_ws(' ', name, price_cents, stock), ', ' order by sku) from products";
        assert_eq!(shop.text(words).await, "Glass star, frosted 425 10, Heart holder 999 20");
        let before = shop.state().await;
        let report = shop.import(&old).await.expect("import the old file again");
        assert!(report.changed_nothing(), "{report}");
        assert_eq!(shop.state().await, before);
    })
    .await;
}

/// What the shop itself has sold counts once, whether an import comes before it is counted or afterwards.
#[tokio::test]
async fn sales_that_wait_to_be_counted_count_once() {
    in_shop(async |mut shop: Shop| {
        let source = shop.file("lines.csv", order_lines());
        shop.import(&source).await.expect("import");
        for number in 1..=2 {
            let sell = "with sold as (insert into orders (id, status, total_cents, currency, created_at) \
                     select gen_random_uuid(), status, 1475, 'GBP', '2011-04-01 10:00Z' \
                     from unnest(array['paid', 'pending_payment']) status returning id, status), \
                 lines as (insert into order_items (order_id, product_id, name, unit_price_cents, quantity) \
                     select s.id, p.id, p.name, p.price_cents, 5 from sold s, products p where p.sku = '85123A') \
                 insert into uncounted_sales (order_id, at) \
                 select id, '2011-04-01 10:00Z' from sold where status = 'paid'";
            shop.client.batch_execute(sell).await.expect("sold");
            let line = format!("2011-05-0{number} 10:00:00,200{number},85123A,HEART HOLDER,7,9.99,17850,France");
            let source = shop.file("more.csv", format!("{HEADER}\n{line}\n"));
            shop.import(&source).await.expect("import");
            let count = include_str!("../db/sales/count.sql");
            let counted = shop.client.query_one(count, &[&10_i64]).await.expect("counted");
            assert_eq!(counted.get::<_, i64>("sales"), 1);
        }
        // The second import has counted the first sale anew.
        let sales = "select (abs(p.popularity_exact - log(2, sum(s.units * power(2, extract(epoch from s.at - \
                     '2020-01-01Z'::timestamptz) / (30 * 86400)))::numeric)::float8) < 1e-9)::int::bigint \
                     from products p, (values (8, '2011-01-01 10:00Z'::timestamptz), (20, '2011-03-01 09:00Z'), \
                         (10, '2011-04-01 10:00Z'), (7, '2011-05-01 10:00Z'), (7, '2011-05-02 10:00Z')) s (units, at) \
                     where p.sku = '85123A' group by p.id";
        assert_eq!(shop.number(sales).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_damaged_file_leaves_nothing() {
    in_shop(async |mut shop: Shop| {
        let line = |n: u32| {
            let (product, customer) = (10_000 + n % 200, n % 50);
            format!("2011-01-01 10:00:00,{n},{product},GLASS STAR {product},1,4.25,{customer},France")
        };
        let lines: Vec<String> = std::iter::once(HEADER.to_owned()).chain((0..60_000).map(line)).collect();
        let text = lines.join("\n");
        let whole = gzip(&text);
        let before = shop.state().await;
        for length in [whole.len() / 2, whole.len() - 4, 9, 30] {
            let source = shop.file("cut.csv.gz", &whole[..length]);
            let error = shop.import(&source).await.expect_err("the file is cut");
            assert!(matches!(error, ImportError::Read { .. }), "{length}: {error}");
            assert_eq!(shop.state().await, before, "{length}");
        }
        // The connection is still good for an import.
        let source = shop.file("whole.csv.gz", &whole);
        let report = shop.import(&source).await.expect("import");
        assert_eq!((report.orders_new, report.customers_new, report.rows_refused()), (60_000, 50, 0));
    })
    .await;
}

#[tokio::test]
async fn an_open_quotation_mark_does_not_swallow_the_file() {
    in_shop(async |mut shop: Shop| {
        let line = "\n2011-01-01 10:00:00,1,10001,GLASS STAR,1,4.25,,France";
        let text = format!("{HEADER}{line}\n\"{}", line.repeat(40_000));
        let source = shop.file("quote.csv", text);
        let error = shop.import(&source).await.expect_err("a row is too long");
        assert!(matches!(error, ImportError::Read { line: 2, .. }), "{error}");
        assert_eq!(shop.number("select count(*) from products").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_catalogue_is_taken_as_it_is() {
    in_shop(async |mut shop: Shop| {
        let header = "sku,name,description,category,tags,price_cents,stock";
        let source = shop.file(
            "catalogue.csv",
            format!(
                "\u{feff}{header}\r\nMUG-1,Mug,\"For tea,\r\nor coffee \\N\",Kitchen,red|tea,499,7\r\n\
                 \r\nMUG-2,Cup,,Kitchen,,399,0\r\nMUG-1,Mug again,,Kitchen,,1,1\r\nMUG-3,,,Kitchen,,1,1\r\n"
            ),
        );
        let report = shop.import(&source).await.expect("import");
        assert_eq!(report.products, ProductChanges { new: 2, changed: 0, unchanged: 0 });
        let refused: Vec<(Reject, Vec<u64>)> =
            report.refusals().iter().map(|(reason, refusal)| (*reason, refusal.rows.clone())).collect();
        assert_eq!(refused, [(Reject::OutOfRange("name"), vec![7]), (Reject::Repeated, vec![6])]);
        let mug = "select concat_ws(';', name, description, category, tags, price_cents, currency, stock, image_url) \
                   from products where sku = 'MUG-1'";
        assert_eq!(shop.text(mug).await, "Mug;For tea,\nor coffee \\N;Kitchen;{red,tea};499;GBP;7");

        let before = shop.state().await;
        let report = shop.import(&source).await.expect("import again");
        assert!(report.changed_nothing(), "{report}");
        assert_eq!(shop.state().await, before);

        let source = shop.file(
            "catalogue.csv",
            format!("{header},image_url\nMUG-1,Mug,Better,Kitchen,red|tea,599,9,https://example.com/mug.jpg\n"),
        );
        let report = shop.import(&source).await.expect("import a change");
        assert_eq!(report.products, ProductChanges { new: 0, changed: 1, unchanged: 0 });
        assert_eq!(
            shop.text(mug).await,
            "Mug;Better;Kitchen;{red,tea};599;GBP;9;https://example.com/mug.jpg"
        );
        // An import is an edit: who edits the product meanwhile learns of it.
        assert_eq!(shop.text("select string_agg(version::text, ' ' order by sku) from products").await, "2 1");
        let source = shop.file("catalogue.csv", format!("{header}\nMUG-1,Mug,Better,Kitchen,red|tea,599,9\n"));
        let report = shop.import(&source).await.expect("import without pictures");
        assert!(report.changed_nothing(), "a file without that column keeps pictures: {report}");
    })
    .await;
}

#[tokio::test]
async fn order_lines_leave_the_words_of_a_catalogue_alone() {
    in_shop(async |mut shop: Shop| {
        let source = shop.file(
            "catalogue.csv",
            "sku,name,description,category,tags,price_cents,stock\n85123A,Heart,Our own.,Lights,,275,4\n",
        );
        shop.import(&source).await.expect("import");
        let source = shop.file("lines.csv", order_lines());
        let report = shop.import(&source).await.expect("import");
        assert_eq!(report.products, ProductChanges { new: 1, changed: 0, unchanged: 1 });
        let heart = shop
            .text("select concat_ws(' ', name, price_cents, stock) from products where sku = '85123A'")
            .await;
        assert_eq!(heart, "Heart 275 4");
    })
    .await;
}

#[tokio::test]
async fn two_imports_at_once_take_turns() {
    in_shop(async |mut shop: Shop| {
        let source = shop.file("lines.csv", order_lines());
        let mut other = db::connect(&shop.url).await.expect("connect");
        let options = ImportOptions::default();
        let (first, second) =
            tokio::join!(import(&mut shop.client, &source, &options), import(&mut other, &source, &options),);
        let (first, second) = (first.expect("import"), second.expect("import"));
        assert_eq!(first.orders_new + second.orders_new, 2);
        assert_eq!(first.orders_known + second.orders_known, 2);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_imported_is_explained() {
    in_shop(async |mut shop: Shop| {
        let source = shop.file("other.csv", "invoice,stock_code,description,quantity,price\n1,2,3,4,5\n");
        let error = shop.import(&source).await.expect_err("columns are wrong").to_string();
        assert!(error.contains("missing: invoiced_at,unit_price,customer_id,country"), "{error}");
        assert!(error.contains("unknown: price"), "{error}");
        let source = shop.file("empty.csv", "");
        let error = shop.import(&source).await.expect_err("empty").to_string();
        assert!(error.contains("empty"), "{error}");
        let error = shop.import(Path::new("/nowhere/at.csv")).await.expect_err("absent").to_string();
        assert!(error.contains("/nowhere/at.csv"), "{error}");

        let source = shop.file("lines.csv", order_lines());
        let options = ImportOptions { rejects: Some(source.clone()) };
        let error = import(&mut shop.client, &source, &options).await.expect_err("the file is the source");
        assert!(matches!(error, ImportError::RejectsIsSource), "{error}");
        assert_eq!(std::fs::read_to_string(&source).expect("still there"), order_lines());

        let nothing = shop.file("nothing.csv", format!("{HEADER}\n"));
        let report = shop.import(&nothing).await.expect("a file of no rows");
        assert!(report.changed_nothing() && report.rows_read() == 0);
    })
    .await;
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
async fn real_invoices_are_imported() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/online-retail.csv.gz");
    if !source.exists() {
        eprintln!("skipped: ../shared/data/online-retail.csv.gz is not there");
        return;
    }
    in_shop(async move |mut shop: Shop| {
        let report = shop.import(&source).await.expect("import");
        assert_eq!(report.rows_read(), 431_673);
        assert!((3_600..4_000).contains(&report.products.new), "{report}");
        assert!((3_900..4_400).contains(&report.customers_new), "{report}");
        assert!((15_000..17_000).contains(&report.orders_new), "{report}");
        assert!((9_000..16_000).contains(&report.rows_refused()), "{report}");
        let unbalanced = "select count(*) from orders o where total_cents <> \
                          (select sum(quantity * unit_price_cents) from order_items i where i.order_id = o.id)";
        assert_eq!(shop.number(unbalanced).await, 0);
        let largest = "select max(n) * 100 / sum(n)::bigint from (select count(*) as n from products group by category) c";
        assert!(shop.number(largest).await < 25, "no category holds a quarter of the shop");
        let others = "select count(*) * 100 / (select count(*) from products) from products where category = 'Gifts & more'";
        assert!(shop.number(others).await < 15, "few products have no category of their own");
        let before = shop.state().await;
        let report = shop.import(&source).await.expect("import again");
        assert!(report.changed_nothing(), "{report}");
        assert_eq!(shop.state().await, before);
    })
    .await;
}

/// The shop's own orders too, which no import brought, and their customers.
#[tokio::test]
async fn an_export_put_back_into_the_same_shop_changes_nothing() {
    in_shop(async |mut shop: Shop| {
        let source = shop.file("lines.csv", order_lines());
        shop.import(&source).await.expect("import");
        shop.client
            .batch_execute(
                "insert into users (id, email, name) values (gen_random_uuid(), 'ada@example.com', 'Ada'); \
                 with placed as (insert into orders (id, user_id, status, total_cents, currency) \
                     select gen_random_uuid(), id, 'paid', 590, 'GBP' from users where name = 'Ada' returning id) \
                 insert into order_items (order_id, product_id, name, unit_price_cents, quantity) \
                 select placed.id, p.id, p.name, p.price_cents, 2 from placed, products p where p.sku = '85123A'",
            )
            .await
            .expect("an order");
        shop.client
            .batch_execute("update products set price_cents = 2 * price_cents where sku = '85123A'")
            .await
            .expect("another price");
        let mut exported = Vec::new();
        export(&shop.client, What::Orders, &mut exported).await.expect("export");
        let before = shop.state().await;
        let source = shop.file("orders.csv", &exported);
        let report = shop.import(&source).await.expect("import");
        assert_eq!((report.orders_new, report.orders_known, report.customers_new), (0, 3, 0), "{report}");
        assert_eq!(shop.state().await, before);
        // One that only looks like it is another shop's.
        let text = String::from_utf8(exported).expect("UTF-8").replace("order-", "order-x");
        let source = shop.file("others.csv", text);
        assert_eq!(shop.import(&source).await.expect("import").orders_new, 1);
    })
    .await;
}

/// What is exported is what an import makes the same shop of.
#[tokio::test]
async fn an_export_can_be_imported() {
    let (catalogue, orders) = {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        in_shop(async move |mut shop: Shop| {
            let header = "sku,name,description,category,tags,price_cents,stock,image_url";
            let source = shop.file(
                "catalogue.csv",
                format!(
                    "{header}\nMUG-1,\"Mug, \"\"large\"\"\",\"For tea,\nor coffee\",Kitchen,red|tea,499,7,https://example.com/m.jpg\n\
                     GONE,Gone,,Kitchen,,1,1,\n"
                ),
            );
            shop.import(&source).await.expect("import");
            let source = shop.file("lines.csv", order_lines());
            shop.import(&source).await.expect("import");
            shop.client
                .batch_execute("update products set archived_at = now() where sku = 'GONE'; \
                                insert into orders (id, status, total_cents, currency) \
                                values (gen_random_uuid(), 'cancelled', 0, 'GBP')")
                .await
                .expect("archive");
            let export = async |what| {
                let mut text = Vec::new();
                export(&shop.client, what, &mut text).await.expect("export");
                String::from_utf8(text).expect("UTF-8")
            };
            let exported = (export(What::Catalogue).await, export(What::Orders).await);
            sender.send(exported).expect("somebody waits");
        })
        .await;
        receiver.await.expect("an export")
    };
    assert!(!catalogue.contains("GONE") && catalogue.lines().count() == 5, "{catalogue}");
    assert_eq!(orders.lines().count(), 4, "{orders}");
    in_shop(async move |mut shop: Shop| {
        let source = shop.file("catalogue.csv", &catalogue);
        let report = shop.import(&source).await.expect("import");
        assert_eq!((report.products.new, report.refusals().len()), (3, 0), "{report}");
        let source = shop.file("orders.csv", &orders);
        let report = shop.import(&source).await.expect("import");
        assert_eq!((report.orders_new, report.customers_new, report.refusals().len()), (2, 1, 0), "{report}");
        let mug = "select concat_ws(';', name, description, tags, price_cents, stock, image_url) \
                   from products where sku = 'MUG-1'";
        assert_eq!(
            shop.text(mug).await,
            "Mug, \"large\";For tea,\nor coffee;{red,tea};499;7;https://example.com/m.jpg"
        );
        let mut again = Vec::new();
        export(&shop.client, What::Catalogue, &mut again).await.expect("export");
        assert_eq!(String::from_utf8(again).expect("UTF-8"), catalogue);
        let mut again = Vec::new();
        export(&shop.client, What::Orders, &mut again).await.expect("export");
        // Customers have other numbers in another shop, and their countries are not imported.
        let bare = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.rsplitn(3, ',').last().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(bare(&String::from_utf8(again).expect("UTF-8")), bare(&orders));
    })
    .await;
}
