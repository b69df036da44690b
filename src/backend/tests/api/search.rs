//! Search: `/api/products?q=`, `/api/products/facets` and `/api/products/suggestions`.

use serde_json::{Value, json};
use shopmicro_backend::error::Error;

use crate::harness::{Client, NewProduct, TestApp};

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("items").iter().map(|item| item["name"].as_str().expect("name")).collect()
}

/// Names that a search finds, in the order of the alphabet.
async fn found(client: &Client, q: &str) -> Vec<String> {
    let page = client.query("/api/products", &[("q", q)]).await.expect(200);
    let mut found: Vec<String> = names(&page).into_iter().map(str::to_owned).collect();
    found.sort_unstable();
    found
}

async fn with_names(names: &[&str]) -> TestApp {
    let app = TestApp::new().await;
    for name in names {
        app.add(NewProduct { name, ..Default::default() }).await;
    }
    app
}

#[tokio::test]
async fn a_search_understands_words_phrases_exclusions_and_typing_errors() {
    let app = TestApp::new().await;
    for (name, description, tags) in [
        ("White metal lantern", "For the garden.", &["candle"][..]),
        ("Red lantern", "Made of metal.", &[]),
        ("Paper lanterns", "", &[]),
        ("Teapot", "With a picture of a lantern.", &[]),
        ("Candle", "", &[]),
        ("Pager", "", &[]),
    ] {
        app.add(NewProduct { name, description, tags, ..Default::default() }).await;
    }
    let guest = app.guest();
    for (q, expected) in [
        ("white lantern", &["White metal lantern"][..]),
        ("\"metal lantern\"", &["White metal lantern"]),
        ("teapots", &["Teapot"]),
        ("lantern -metal -picture", &["Paper lanterns"]),
        ("red or teapot", &["Red lantern", "Teapot"]),
        ("wite metal lanten", &["White metal lantern"]),
        ("paper laterns", &["Paper lanterns"]),
        ("tepot", &["Teapot"]),
        ("rde lantern", &["Red lantern"]),
        ("tepot or papr", &["Paper lanterns", "Teapot"]),
        ("  ", &["Candle", "Pager", "Paper lanterns", "Red lantern", "Teapot", "White metal lantern"]),
        ("bicycle", &[]),
        ("bicycle lanten", &[]),
        // A question that is precise on purpose is not answered by its opposite.
        ("candle -white -candle", &[]),
        ("\"lantern metal\"", &[]),
        ("\"tepot\"", &[]),
        ("tepot -red", &[]),
        // All of it is known, only not together.
        ("red candle", &[]),
        // A word that exists may be a slip as well, next to one that does not.
        ("pager lanten", &["Paper lanterns"]),
    ] {
        assert_eq!(found(&guest, q).await, expected, "{q}");
    }
    // The name counts more than tags, and those more than the description.
    let page = guest.query("/api/products", &[("q", "candle")]).await.expect(200);
    assert_eq!(names(&page), ["Candle", "White metal lantern"]);
    let page = guest.query("/api/products", &[("q", "lantern")]).await.expect(200);
    assert_eq!(names(&page).last(), Some(&"Teapot"));
}

#[tokio::test]
async fn a_search_follows_what_is_being_typed() {
    let app = with_names(&["White metal lantern", "Red lantern", "Latte glass", "Tea towel", "Teapot"]).await;
    let guest = app.guest();
    for (q, expected) in [
        ("la", &["Latte glass", "Red lantern", "White metal lantern"][..]),
        ("lant", &["Red lantern", "White metal lantern"]),
        ("lanterns", &["Red lantern", "White metal lantern"]),
        ("red lant", &["Red lantern"]),
        ("lant red", &[]),
        ("-white lant", &["Red lantern"]),
        ("towel or lant", &["Red lantern", "Tea towel", "White metal lantern"]),
        // The beginning that is excluded or quoted is none.
        ("lantern -whi", &["Red lantern", "White metal lantern"]),
        ("\"lant\"", &[]),
        ("\"red lant", &[]),
        // A word of no meaning says nothing of what comes after it.
        ("latte the", &["Latte glass"]),
        ("lat the", &[]),
    ] {
        assert_eq!(found(&guest, q).await, expected, "{q}");
    }
    // A whole word counts more than the beginning of another.
    let page = guest.query("/api/products", &[("q", "tea")]).await.expect(200);
    assert_eq!(names(&page), ["Tea towel", "Teapot"]);
}

/// Whatever is typed is a question, never an error.
#[tokio::test]
async fn odd_syntax_is_a_question_as_well() {
    let app = with_names(&["White metal lantern", "O'Brien's t-light holder"]).await;
    let guest = app.guest();
    for q in [
        "'); drop table products; --",
        "!!! & | ( <->",
        "-\"white metal\" the",
        "-white the",
        "-\"white metal",
        "\"",
        "\"\"",
        "-",
        "--",
        "or",
        "or or",
        "lantern or",
        "or -lantern",
        "lant:*",
        "lant*",
        "a:b c:d",
        "'",
        "''",
        "\\",
        "\\'",
        "o'br",
        "the",
        "the of",
        "%",
        "_",
        "t-ligh",
        "http://example.com/a?b=c",
        "a@example.com",
        "1e400",
        "\u{202e}retnal",
        "\u{1f3ee}",
        "\u{fb01}lter",
        "\u{ff4c}\u{ff41}\u{ff4e}\u{ff54}",
        "caf\u{e9} \u{dc}ber",
        "\u{4e2d}\u{6587}",
        "x\ty\nz",
        &"w ".repeat(100),
        &"w".repeat(200),
        &"(".repeat(200),
        &"-\"".repeat(100),
    ] {
        for path in ["/api/products", "/api/products/facets", "/api/products/suggestions"] {
            guest.query(path, &[("q", q)]).await.expect(200);
        }
    }
    assert_eq!(found(&guest, "o'br").await, ["O'Brien's t-light holder"]);
    app.add(NewProduct { name: "SET/6 BOXES", ..Default::default() }).await;
    for q in ["box set", "set/6", "boxes/set", "/"] {
        assert!(found(&guest, q).await.contains(&"SET/6 BOXES".to_owned()), "{q}");
    }
    assert_eq!(app.number("select count(*) from products").await, 3);
}

/// What customers do not find is what a shop wants to know.
#[tokio::test]
async fn searches_are_counted_by_what_they_found() {
    let app = with_names(&["Teapot"]).await;
    let guest = app.guest();
    let counted = async || {
        let metrics = guest.get("/metrics").await.text;
        ["words", "corrected", "nothing"].map(|result| {
            let line = metrics.lines().find(|line| {
                line.starts_with("shop_searches_total{") && line.contains(&format!("result=\"{result}\""))
            });
            let number = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
            number.unwrap_or(0)
        })
    };
    let before: [u64; 3] = counted().await;
    for q in ["teapot", "tepot", "bicycle"] {
        guest.query("/api/products", &[("q", q)]).await.expect(200);
    }
    // Other tests of this process count as well.
    let after = counted().await;
    assert!(before.iter().zip(after).all(|(before, after)| after > *before), "{before:?} {after:?}");
}

/// Two writers who bring the same new words in opposite orders: the one that has to give way may try again.
#[tokio::test]
async fn a_deadlock_is_no_defect() {
    let app = TestApp::new().await;
    let (mut a, mut b) = (app.connection().await, app.connection().await);
    let (a, b) = (a.transaction().await.expect("begun"), b.transaction().await.expect("begun"));
    let insert = |name: &str| {
        format!(
            "insert into products (id, sku, name, category, price_cents, currency, stock) \
             values (gen_random_uuid(), gen_random_uuid()::text, '{name}', 'Things', 1, 'GBP', 0)"
        )
    };
    app.add(NewProduct::default()).await;
    a.batch_execute(&insert("Samovar")).await.expect("put in");
    b.batch_execute(&insert("Teapot")).await.expect("put in");
    let (teapot, samovar) = (insert("Teapot"), insert("Samovar"));
    let (a, b) = tokio::join!(a.batch_execute(&teapot), b.batch_execute(&samovar));
    let given_way: Vec<Error> = [a, b].into_iter().filter_map(Result::err).map(Error::from).collect();
    assert!(matches!(given_way[..], [Error::DatabaseUnavailable(_)]), "{given_way:?}");
}

/// Pages of a corrected search go on as they began, in every order.
#[tokio::test]
async fn a_corrected_search_has_pages() {
    let app = TestApp::new().await.with_products(12).await;
    let guest = app.guest();
    for sort in ["relevance", "newest", "price", "-price", "name"] {
        let mut seen = std::collections::HashSet::new();
        let mut cursor = String::new();
        loop {
            let mut query = vec![("q", "prodcut"), ("sort", sort), ("limit", "5")];
            if !cursor.is_empty() {
                query.push(("cursor", &cursor));
            }
            let page = guest.query("/api/products", &query).await.expect(200);
            for item in page["items"].as_array().expect("items") {
                assert!(seen.insert(item["id"].to_string()), "{sort}: twice");
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen.len(), 12, "{sort}");
    }
}

#[tokio::test]
async fn new_words_are_known_at_once_and_old_ones_lead_nowhere() {
    let app = with_names(&["Teapot"]).await;
    let guest = app.guest();
    assert!(found(&guest, "samovr").await.is_empty());
    app.sql("update products set name = 'Samovar'").await;
    assert_eq!(found(&guest, "samovr").await, ["Samovar"]);
    assert!(found(&guest, "tepot").await.is_empty());
    app.add(NewProduct { tags: &["Brasswork"], ..Default::default() }).await;
    assert_eq!(found(&guest, "braswork").await, ["Thing"]);
}

async fn shop() -> TestApp {
    let app = TestApp::new().await;
    for (name, category, tags, price_cents, stock) in [
        ("Red mug", "Kitchen", &["red", "tea"][..], 499, 5),
        ("Blue mug", "Kitchen", &["blue", "tea"], 500, 0),
        ("Bowl", "Kitchen", &["blue"], 2500, 1),
        ("Red lamp", "Lights", &["red"], 30_000, 5),
        ("Lantern", "Lights", &[], 1500, 0),
    ] {
        app.add(NewProduct { name, category, tags, price_cents, stock, ..Default::default() }).await;
    }
    app
}

fn counts(facet: &Value) -> Vec<(&str, i64)> {
    assert_eq!(facet["exact"], true);
    let items = facet["items"].as_array().expect("items").iter();
    items
        .map(|item| (item["value"].as_str().expect("a value"), item["count"].as_i64().expect("a count")))
        .collect()
}

fn bands(facets: &Value) -> Vec<i64> {
    let items = facets["prices"]["items"].as_array().expect("items").iter();
    items.map(|item| item["count"].as_i64().expect("a count")).collect()
}

fn exactly(value: i64) -> Value {
    json!({ "value": value, "exact": true })
}

#[tokio::test]
async fn facets_count_what_each_choice_would_show() {
    let app = shop().await;
    let guest = app.guest();
    let all = guest.get("/api/products/facets").await.expect(200);
    assert_eq!((&all["total"], &all["in_stock"]), (&exactly(5), &exactly(3)));
    assert_eq!(counts(&all["categories"]), [("Kitchen", 3), ("Lights", 2)]);
    assert_eq!(counts(&all["tags"]), [("blue", 2), ("red", 2), ("tea", 2)]);
    assert_eq!(bands(&all), [1, 1, 1, 1, 0, 0, 1]);

    // Each facet without its own filter, and with all others.
    let query = [("category", "Kitchen"), ("in_stock", "true"), ("max_price_cents", "999")];
    let facets = guest.query("/api/products/facets", &query).await.expect(200);
    assert_eq!((&facets["total"], &facets["in_stock"]), (&exactly(1), &exactly(1)));
    assert_eq!(counts(&facets["categories"]), [("Kitchen", 1)]);
    assert_eq!(bands(&facets), [1, 0, 0, 1, 0, 0, 0]);
    assert_eq!(counts(&facets["tags"]), [("red", 1), ("tea", 1)]);
    let facets = guest.query("/api/products/facets", &[("category", "Kitchen")]).await.expect(200);
    assert_eq!((&facets["total"], &facets["in_stock"]), (&exactly(3), &exactly(2)));
    assert_eq!(counts(&facets["categories"]), [("Kitchen", 3), ("Lights", 2)]);
    // Of tags all must match: the count is that of one more.
    let facets = guest.query("/api/products/facets", &[("tag", "tea")]).await.expect(200);
    assert_eq!((&facets["total"], counts(&facets["tags"])), (&exactly(2), vec![("blue", 1), ("red", 1)]));

    // The bands are filters of the list, and their counts its lengths.
    for band in all["prices"]["items"].as_array().expect("items") {
        let min = band["min_price_cents"].to_string();
        let max = band["max_price_cents"].to_string();
        let mut query = vec![("min_price_cents", min.as_str())];
        query.extend((max != "null").then_some(("max_price_cents", max.as_str())));
        let page = guest.query("/api/products", &query).await.expect(200);
        assert_eq!(names(&page).len().to_string(), band["count"].to_string(), "{band}");
    }
}

#[tokio::test]
async fn facets_search_as_the_list_does() {
    let app = shop().await;
    let guest = app.guest();
    for (q, total) in [("mug", 2), ("mu", 2), ("\"red mug\"", 1), ("lantren", 1), ("bicycle", 0), (" ", 5)] {
        let page = guest.query("/api/products", &[("q", q)]).await.expect(200);
        let facets = guest.query("/api/products/facets", &[("q", q)]).await.expect(200);
        assert_eq!(
            (names(&page).len(), &facets["total"]),
            (usize::try_from(total).expect("few"), &exactly(total)),
            "{q}"
        );
    }
    for query in [
        [("sort", "name")],
        [("limit", "5")],
        [("min_price_cents", "-1")],
        [("tag", "")],
        [("colour", "red")],
    ] {
        guest.query("/api/products/facets", &query).await.refused(400, "bad-request");
    }
}

/// A count says where it ended.
#[tokio::test]
async fn facets_are_bounded() {
    let app = TestApp::new().await.with_products(10_050).await;
    let guest = app.guest();
    let facets = guest.get("/api/products/facets").await.expect(200);
    let ended = json!({ "value": 10_000, "exact": false });
    assert_eq!((&facets["total"], &facets["in_stock"]), (&ended, &ended));
    assert_eq!((&facets["categories"]["exact"], &facets["tags"]["exact"]), (&json!(false), &json!(false)));
    let facets = guest.query("/api/products/facets", &[("category", "Category 1")]).await.expect(200);
    assert_eq!((&facets["total"], &facets["categories"]["exact"]), (&exactly(3350), &json!(false)));
    assert_eq!(facets["prices"]["exact"], true);
}

#[tokio::test]
async fn suggestions_are_categories_and_names() {
    let app = TestApp::new().await;
    for (name, category, popularity) in [
        ("White lantern", "Lamps and lanterns", 1.0),
        ("Red lantern", "Lamps and lanterns", 3.0),
        ("Red lantern", "Garden", 2.0),
        ("Latte glass", "Kitchen", 5.0),
    ] {
        let id = app.add(NewProduct { name, category, ..Default::default() }).await;
        app.execute("update products set popularity = $2 where id = $1", &[&id, &popularity]).await;
    }
    // Found by its description, but that is not what its name begins with.
    app.add(NewProduct { name: "Teapot", description: "Under a lantern.", ..Default::default() }).await;
    let guest = app.guest();
    let suggest = async |q: &str, limit: &str| {
        let list = guest.query("/api/products/suggestions", &[("q", q), ("limit", limit)]).await.expect(200);
        let items = list["items"].as_array().expect("items").clone();
        items
            .iter()
            .map(|item| format!("{}: {}", item["kind"], item["text"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    let lanterns = ["category: Lamps and lanterns", "product: Red lantern", "product: White lantern"];
    assert_eq!(suggest("LANT", "8").await, lanterns);
    assert_eq!(suggest("lant", "2").await, lanterns[..2]);
    assert_eq!(suggest("lat", "8").await, ["product: Latte glass"]);
    assert_eq!(suggest("red la", "8").await, ["product: Red lantern"]);
    // Misspelt, to the end or not yet.
    assert_eq!(suggest("lanten", "8").await, lanterns);
    assert_eq!(suggest("lanter", "8").await, lanterns);
    assert_eq!(suggest("lamter", "8").await, lanterns);
    assert_eq!(suggest("wite lanetr", "8").await, ["product: White lantern"]);
    assert!(suggest("\"lanten\"", "8").await.is_empty());
    assert!(suggest(" ", "8").await.is_empty());
    let list = guest.query("/api/products/suggestions", &[("q", "white")]).await.expect(200);
    let id = list["items"][0]["product_id"].as_str().expect("an id");
    assert_eq!(guest.get(&format!("/api/products/{id}")).await.expect(200)["name"], "White lantern");
    for query in [&[][..], &[("q", "a\0b")], &[("q", "a"), ("limit", "21")], &[("q", "a"), ("sort", "name")]]
    {
        guest.query("/api/products/suggestions", query).await.refused(400, "bad-request");
    }
}

/// An admin's change is in search, facets and suggestions before their time is over.
#[tokio::test]
async fn what_is_new_is_found_at_once_although_answers_are_kept() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let (_, other) = app.replica().await;
    let suggested = async || {
        let list = other.query("/api/products/suggestions", &[("q", "lant")]).await.expect(200);
        list["items"].as_array().expect("items").len()
    };
    let total = async || other.get("/api/products/facets").await.expect(200)["total"]["value"].clone();
    assert_eq!((suggested().await, total().await), (0, json!(0)));
    let body = json!({
        "sku": "A", "name": "Lantern", "description": "", "category": "Garden", "tags": [], "price_cents": 1,
    });
    let product = admin.post("/api/products", &body).await.expect(201);
    assert_eq!((suggested().await, total().await), (1, json!(1)));
    app.sql("update products set name = 'Teapot'").await;
    assert_eq!(suggested().await, 1, "kept, since nobody told of it");
    admin.delete(&format!("/api/products/{}", product["id"].as_str().expect("an id"))).await.expect(204);
    assert_eq!((suggested().await, total().await), (0, json!(0)));
}
