use std::collections::HashSet;

use acceptance::{Visitor, answer, id, product};
use reqwest::Method;

async fn walk(query: &str) -> Vec<serde_json::Value> {
    let visitor = Visitor::new();
    let mut products = Vec::new();
    let mut cursor = String::new();
    // A bound, so that a cursor that goes nowhere ends the test.
    for _ in 0..500 {
        let page = visitor.get(&format!("/api/products?limit=100{query}{cursor}")).await.expect(200);
        products.extend(page["items"].as_array().expect("items").clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return products,
        }
    }
    panic!("the list does not end");
}

#[tokio::test]
async fn every_order_of_the_catalogue_shows_each_product_once() {
    let newest: HashSet<String> = walk("&sort=newest").await.iter().map(id).collect();
    assert!(!newest.is_empty());
    for sort in ["price", "-price", "name"] {
        let products = walk(&format!("&sort={sort}")).await;
        let ids: HashSet<String> = products.iter().map(id).collect();
        assert_eq!((products.len(), &ids), (newest.len(), &newest), "{sort}");
        let prices: Vec<i64> = products.iter().filter_map(|p| p["price_cents"].as_i64()).collect();
        match sort {
            "price" => assert!(prices.is_sorted()),
            "-price" => assert!(prices.iter().rev().is_sorted()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn filters_keep_what_they_promise_and_counts_add_up() {
    let categories = Visitor::new().get("/api/categories").await.expect(200);
    let mut total = 0;
    for category in categories["items"].as_array().expect("items") {
        total += category["count"].as_u64().expect("count");
    }
    assert_eq!(usize::try_from(total).expect("few"), walk("").await.len());

    let example = product(0).await;
    let (category, price) =
        (example["category"].as_str().expect("category"), example["price_cents"].to_string());
    let category = category.replace('&', "%26").replace(' ', "+");
    let found =
        walk(&format!("&in_stock=true&category={category}&min_price_cents={price}&max_price_cents={price}"))
            .await;
    assert!(found.iter().any(|p| p["id"] == example["id"]));
    for product in found {
        assert_eq!(product["category"], example["category"]);
        assert_eq!(product["price_cents"], example["price_cents"]);
        assert!(product["stock"].as_i64() > Some(0));
    }
}

#[tokio::test]
async fn search_finds_by_words_and_forgives_a_typing_error() {
    let example = product(3).await;
    let name = example["name"].as_str().expect("name");
    let visitor = Visitor::new();
    let search = async |q: String| {
        let q = q.replace('&', "%26").replace(' ', "+");
        visitor.get(&format!("/api/products?limit=100&q={q}")).await.expect(200)["items"].clone()
    };
    let contains = |items: &serde_json::Value| {
        items.as_array().expect("items").iter().any(|product| product["name"] == example["name"])
    };
    assert!(contains(&search(name.to_owned()).await), "{name}");
    // The longest word loses a letter of its middle.
    let word = name.split(' ').max_by_key(|word| word.len()).expect("a word");
    let middle = word.char_indices().nth(word.chars().count() / 2).expect("a letter");
    let mut wrong = word.to_owned();
    wrong.remove(middle.0);
    let wrong = name.replace(word, &wrong);
    assert!(contains(&search(wrong.clone()).await), "{wrong}");
}

#[tokio::test]
async fn facets_count_what_the_list_has() {
    let visitor = Visitor::new();
    let everything = walk("").await;
    let facets = visitor.get("/api/products/facets").await.expect(200);
    assert_eq!(facets["total"]["value"].as_u64(), u64::try_from(everything.len()).ok());
    let sum = |facet: &str| -> u64 {
        let items = facets[facet]["items"].as_array().expect("items").iter();
        items.map(|item| item["count"].as_u64().expect("a count")).sum()
    };
    assert_eq!((sum("categories"), sum("prices")), (everything.len() as u64, everything.len() as u64));
    let tag = facets["tags"]["items"][0].clone();
    let name = tag["value"].as_str().expect("a tag").replace('&', "%26").replace(' ', "+");
    assert_eq!(walk(&format!("&tag={name}")).await.len() as u64, tag["count"].as_u64().expect("a count"));
}

#[tokio::test]
async fn what_is_being_typed_is_suggested() {
    let visitor = Visitor::new();
    let example = product(2).await;
    let name = example["name"].as_str().expect("a name");
    // All but the last letter.
    let typed: String = name.chars().take(name.chars().count() - 1).collect();
    let typed = typed.replace('&', "%26").replace(' ', "+");
    let suggestions = visitor.get(&format!("/api/products/suggestions?q={typed}")).await.expect(200);
    let items = suggestions["items"].as_array().expect("items");
    assert!(items.iter().any(|item| item["text"] == example["name"]), "{name}: {suggestions}");
}

#[tokio::test]
async fn a_product_has_a_page_a_picture_and_others_like_it() {
    let visitor = Visitor::new();
    let example = product(1).await;
    let path = format!("/api/products/{}", id(&example));
    let answer_of = visitor.get(&path).await;
    assert_eq!(answer_of.expect(200)["sku"], example["sku"]);
    let tag = answer_of.header("etag").to_owned();
    let again = answer(visitor.request(Method::GET, &path).header("if-none-match", &tag)).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));

    let picture = visitor.get(example["image_url"].as_str().expect("a picture")).await;
    assert_eq!(picture.status.as_u16(), 200);
    assert!(picture.header("content-type").starts_with("image/"), "{picture:?}");

    let similar = visitor.get(&format!("{path}/similar?limit=5")).await.expect(200);
    let items = similar["items"].as_array().expect("items");
    assert!(!items.is_empty() && items.len() <= 5, "{similar}");
    assert!(items.iter().all(|item| item["product"]["id"] != example["id"]), "{similar}");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let visitor = Visitor::new();
    let unknown = format!("/api/products/{}", uuid::Uuid::new_v4());
    for path in [
        unknown.clone(),
        format!("{unknown}/similar"),
        format!("{unknown}/picture.svg"),
        "/api/nothing".into(),
    ] {
        visitor.get(&path).await.expect_problem(404, "not-found");
    }
}
