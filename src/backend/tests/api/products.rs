//! `/api/products` and `/api/categories`.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{Answer, Client, NewProduct, Setup, TestApp};

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("items").iter().map(|item| item["name"].as_str().expect("name")).collect()
}

/// Every item of a list, page by page.
async fn walk(client: &Client, query: &[(&str, &str)]) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = query.to_vec();
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = client.query("/api/products", &query).await.expect(200);
        items.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return items,
        }
        assert!(items.len() < 1000, "the list does not end");
    }
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let app = TestApp::new().await;
    let lantern =
        NewProduct { name: "Lantern", category: "Lights", price_cents: 1500, stock: 0, ..Default::default() };
    app.add(lantern).await;
    app.add(NewProduct { name: "Lamp", category: "Lights", price_cents: 4000, ..Default::default() }).await;
    app.add(NewProduct { name: "Mug", category: "Kitchen", price_cents: 800, ..Default::default() }).await;
    let guest = app.guest();
    app.add(NewProduct {
        name: "Bowl",
        category: "Kitchen",
        tags: &["blue", "oak"],
        price_cents: 90_000,
        ..Default::default()
    })
    .await;
    app.add(NewProduct {
        name: "Board",
        category: "Kitchen",
        tags: &["oak"],
        price_cents: 90_000,
        ..Default::default()
    })
    .await;
    for (query, expected) in [
        (&[("sort", "name"), ("max_price_cents", "4000")][..], &["Lamp", "Lantern", "Mug"][..]),
        (&[("category", "Lights"), ("sort", "name")], &["Lamp", "Lantern"]),
        (&[("category", "Lights"), ("in_stock", "true")], &["Lamp"]),
        (&[("category", "Lights"), ("in_stock", "false"), ("sort", "price")], &["Lantern", "Lamp"]),
        (&[("min_price_cents", "800"), ("max_price_cents", "1500"), ("sort", "-price")], &["Lantern", "Mug"]),
        (&[("min_price_cents", "4001"), ("max_price_cents", "89999")], &[]),
        (&[("tag", "oak"), ("sort", "name")], &["Board", "Bowl"]),
        (&[("tag", "blue, oak")], &["Bowl"]),
        (&[("tag", "oak,blue"), ("category", "Lights")], &[]),
        (&[("tag", "Oak")], &[]),
        (&[("category", "lights")], &[]),
        (&[("q", "lamp"), ("category", "Kitchen")], &[]),
    ] {
        let page = guest.query("/api/products", query).await.expect(200);
        assert_eq!(names(&page), expected, "{query:?}");
        assert_eq!(page["next_cursor"], Value::Null);
    }
}

#[tokio::test]
async fn a_product_has_the_documented_fields() {
    let app = TestApp::new().await;
    let id = app
        .add(NewProduct {
            name: "Mug",
            description: "Holds tea.",
            tags: &["tea", "blue"],
            ..Default::default()
        })
        .await;
    let product = app.guest().get(&format!("/api/products/{id}")).await.expect(200);
    let mut fields: Vec<&str> = product.as_object().expect("an object").keys().map(String::as_str).collect();
    fields.sort_unstable();
    let documented = [
        "category",
        "created_at",
        "currency",
        "description",
        "id",
        "image_url",
        "name",
        "price_cents",
        "sku",
        "stock",
        "tags",
        "updated_at",
        "version",
    ];
    assert_eq!(fields, documented);
    assert_eq!(product["image_url"], format!("/api/products/{id}/picture.svg"));
    assert_eq!(
        (&product["currency"], &product["tags"]),
        (&"GBP".into(), &serde_json::json!(["tea", "blue"]))
    );
    let list = app.guest().get("/api/products").await.expect(200);
    assert_eq!(list["items"][0], product);
}

/// Many products share each key, so that every page ends between equal keys.
#[tokio::test]
async fn a_walk_meets_every_product_once_in_every_order() {
    let app = TestApp::new().await.with_products(60).await;
    let guest = app.guest();
    for limit in ["1", "7", "60", "100"] {
        for (sort, descending, key) in [
            ("newest", true, "created_at"),
            ("price", false, "price_cents"),
            ("-price", true, "price_cents"),
            ("name", false, "name"),
        ] {
            let found = walk(&guest, &[("sort", sort), ("limit", limit)]).await;
            let ids: HashSet<&str> = found.iter().map(|item| item["id"].as_str().expect("id")).collect();
            assert_eq!((found.len(), ids.len()), (60, 60), "{sort} by {limit}");
            let ordered = found.is_sorted_by(|a, b| {
                let (a, b) = if descending { (b, a) } else { (a, b) };
                match (a[key].as_i64(), b[key].as_i64()) {
                    (Some(a), Some(b)) => a <= b,
                    _ => a[key].as_str() <= b[key].as_str(),
                }
            });
            assert!(ordered, "{sort} by {limit}");
        }
        let found = walk(&guest, &[("q", "product"), ("limit", limit)]).await;
        let ids: HashSet<&str> = found.iter().map(|item| item["id"].as_str().expect("id")).collect();
        assert_eq!((found.len(), ids.len()), (60, 60), "relevance by {limit}");
        let found = walk(&guest, &[("q", "produkt"), ("sort", "price"), ("limit", limit)]).await;
        assert_eq!(found.len(), 60, "likeness by {limit}");
    }
}

/// The list stays whole for a reader while others add to it.
#[tokio::test]
async fn a_walk_is_not_upset_by_new_products() {
    let app = TestApp::new().await.with_products(10).await;
    let guest = app.guest();
    let first = guest.query("/api/products", &[("limit", "4")]).await.expect(200);
    app.add(NewProduct::default()).await;
    let cursor = first["next_cursor"].as_str().expect("more");
    let rest = guest.query("/api/products", &[("cursor", cursor), ("limit", "100")]).await.expect(200);
    let ids: HashSet<&str> = [&first, &rest]
        .iter()
        .flat_map(|page| page["items"].as_array().expect("items"))
        .map(|item| item["id"].as_str().expect("id"))
        .collect();
    let known: Vec<String> = app.products.iter().map(Uuid::to_string).collect();
    assert_eq!(ids, known.iter().map(String::as_str).collect());
}

#[tokio::test]
async fn senseless_questions_are_refused() {
    let app = TestApp::new().await.with_products(3).await;
    let guest = app.guest();
    let long = "x".repeat(201);
    let newest = guest.query("/api/products", &[("limit", "1")]).await.expect(200);
    let cursor = newest["next_cursor"].as_str().expect("more");
    for query in [
        &[("colour", "red")][..],
        &[("limit", "0")],
        &[("limit", "101")],
        &[("limit", "-1")],
        &[("limit", "ten")],
        &[("sort", "sideways")],
        &[("sort", "relevance")],
        &[("in_stock", "perhaps")],
        &[("min_price_cents", "-1")],
        &[("min_price_cents", "2"), ("max_price_cents", "1")],
        &[("max_price_cents", "99999999999999999999")],
        &[("q", &long)],
        &[("q", "a\0b")],
        &[("category", "a\0b")],
        &[("tag", "")],
        &[("tag", "a,,b")],
        &[("tag", "a,b,c,d,e,f")],
        &[("tag", "a\0b")],
        &[("cursor", "nonsense")],
        &[("cursor", "e30")],
        &[("cursor", cursor), ("sort", "price")],
    ] {
        let problem = guest.query("/api/products", query).await.refused(400, "bad-request");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(query.iter().any(|(name, _)| detail.contains(name)), "{query:?}: {detail}");
    }
}

#[tokio::test]
async fn an_unchanged_product_is_not_sent_again() {
    let app = TestApp::new().await.with_products(1).await;
    let guest = app.guest();
    for path in ["", "/picture.svg"] {
        let path = format!("/api/products/{}{path}", app.products[0]);
        let first = guest.get(&path).await;
        assert_eq!(first.status, 200);
        let etag = first.header("etag");
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        for known in [etag, &format!("W/{etag}"), &format!("\"other\", {etag}"), "*"] {
            let again = Answer::of(guest.request(Method::GET, &path).header("if-none-match", known)).await;
            assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", etag), "{known}");
        }
        let other = Answer::of(guest.request(Method::GET, &path).header("if-none-match", "\"other\"")).await;
        assert_eq!((other.status, &other.text), (200, &first.text));
    }
}

#[tokio::test]
async fn a_picture_is_drawn_and_harmless() {
    let app = TestApp::new().await;
    let id = app.add(NewProduct { name: "<script>alert(1)</script> & \"mug\"", ..Default::default() }).await;
    let picture = app.guest().get(&format!("/api/products/{id}/picture.svg")).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/svg+xml"));
    assert!(picture.text.contains("<svg") && !picture.text.contains("<script"), "{}", picture.text);
    assert!(picture.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn an_archived_product_is_gone() {
    let app = TestApp::new().await.with_products(2).await;
    let id = app.products[0];
    app.execute("update products set archived_at = now() where id = $1", &[&id]).await;
    let guest = app.guest();
    for path in ["", "/similar", "/picture.svg"] {
        guest.get(&format!("/api/products/{id}{path}")).await.refused(404, "not-found");
    }
    let list = guest.get("/api/products").await.expect(200);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    let categories = guest.get("/api/categories").await.expect(200);
    assert_eq!(categories, serde_json::json!({ "items": [{ "name": "Category 2", "count": 1 }] }));
}

#[tokio::test]
async fn unknown_ids_and_addresses_are_refused() {
    let app = TestApp::new().await;
    let guest = app.guest();
    guest.get(&format!("/api/products/{}", Uuid::new_v4())).await.refused(404, "not-found");
    guest.get("/api/products/17").await.refused(400, "bad-request");
    guest.get("/api/nothing").await.refused(404, "not-found");
    guest.delete("/api/products").await.refused(405, "method-not-allowed");
}

#[tokio::test]
async fn categories_are_counted() {
    let app = TestApp::new().await.with_products(7).await;
    let categories = app.guest().get("/api/categories").await.expect(200);
    let expected = serde_json::json!({ "items": [
        { "name": "Category 0", "count": 2 }, { "name": "Category 1", "count": 3 }, { "name": "Category 2", "count": 2 },
    ] });
    assert_eq!(categories, expected);
}

#[tokio::test]
async fn the_catalogue_does_without_redis() {
    let app = Setup::default().without_redis().start().await.with_products(5).await;
    let guest = app.guest();
    for _ in 0..2 {
        assert_eq!(walk(&guest, &[("limit", "2")]).await.len(), 5);
        guest.get(&format!("/api/products/{}", app.products[0])).await.expect(200);
        guest.get("/api/categories").await.expect(200);
    }
}
