//! Cursors of every list that the API has, as a hostile client writes them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use shopmicro_backend::routes;

use crate::harness::TestApp;

/// Every path that takes a cursor, by the OpenAPI document.
fn lists() -> Vec<String> {
    let document = serde_json::to_value(routes::openapi()).expect("a document");
    let paths = document["paths"].as_object().expect("paths");
    let takes_cursor = |item: &Value| {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        parameters.into_iter().any(|parameter| parameter["name"] == "cursor")
    };
    paths.iter().filter(|(_, item)| takes_cursor(item)).map(|(path, _)| path.clone()).collect()
}

/// Whatever a cursor says, the answer is a page or a refusal.
#[tokio::test]
async fn a_cursor_is_never_a_server_error() {
    let app = TestApp::new().await.with_products(3).await;
    let admin = app.admin().await;
    let id = "00000000-0000-0000-0000-000000000000";
    let values = [
        json!(null),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(0.5),
        json!(1e39),
        json!(""),
        json!("a\0b"),
        json!("-009999-01-02T01:59:59Z"),
        json!("1969-12-31T23:59:59Z"),
        json!("9999-12-30T22:00:00.999999999Z"),
        json!("2026-01-01T00:00:00Z"),
        json!([]),
        json!({}),
    ];
    let mut cursors = vec!["%".to_owned(), "=".to_owned(), "AAAA".to_owned(), "\u{1f3ee}".to_owned()];
    for value in &values {
        let mut shapes = vec![
            value.clone(),
            json!([value, id]),
            json!({ "at": value, "id": id }),
            json!({ "at": "2026-01-01T00:00:00Z", "id": value }),
        ];
        for (sort, key) in [
            ("newest", "at"),
            ("price", "price"),
            ("-price", "price"),
            ("name", "name"),
            ("relevance", "score"),
        ] {
            shapes.push(json!({ "sort": sort, "matching": "words", "key": { key: value }, "id": id }));
        }
        cursors.extend(shapes.iter().map(|shape| URL_SAFE_NO_PAD.encode(shape.to_string())));
    }
    let lists = lists();
    assert!(lists.len() >= 5, "{lists:?}");
    for path in lists {
        let mut pages = 0;
        let queries: &[&[(&str, &str)]] = if path == "/api/products" {
            &[&[], &[("sort", "price")], &[("sort", "-price")], &[("sort", "name")], &[("q", "product")]]
        } else {
            &[&[]]
        };
        let url = path.replace("{id}", &app.products[0].to_string());
        for query in queries {
            for cursor in &cursors {
                let mut query = query.to_vec();
                query.push(("cursor", cursor));
                let answer = admin.query(&url, &query).await;
                match answer.status {
                    200 => pages += 1,
                    _ => drop(answer.refused(400, "bad-request")),
                }
            }
        }
        assert!(pages > 0, "{path} takes none of the cursors: the right shape is not among them");
    }
}
