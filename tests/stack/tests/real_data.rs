//! Nearly a year of a real shop's invoices: imported, browsed, searched, recommended from.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use stack::{Component, Stack};
use tokio_postgres::NoTls;
use uuid::Uuid;

/// Online Retail (D. Chen, UCI Machine Learning Repository, 2015, CC BY 4.0), beside the source tree where it is present.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/online-retail.csv.gz");

async fn get(base: &str, path: &str) -> Value {
    let answer = reqwest::get(format!("{base}{path}")).await.expect("an answer");
    assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
    answer.json().await.expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "says that and why it proved nothing")]
async fn real_customers_are_recommended_what_their_real_purchases_suggest() {
    if !Path::new(DATA).exists() {
        eprintln!("skipped: {DATA} is not there");
        return;
    }
    let parts = [Component::Postgres, Component::Redis, Component::Backend, Component::MlService];
    let stack = Stack::builder().only(parts).start().await.expect("the stack starts");
    let backend = stack.url(Component::Backend).expect("url");
    let ml_service = stack.url(Component::MlService).expect("url");
    let server = stack.postgres_admin_url().expect("url");
    let database = format!("{}/shopmicro", server.strip_suffix("/postgres").expect("its database"));
    // As an operator does it: beside the running shop.
    let program = Path::new(env!("CARGO_BIN_EXE_stack")).with_file_name("shopmicro-backend");
    let import = Command::new(program)
        .args(["import", DATA])
        .env("POSTGRES_URL", &database)
        .output()
        .expect("run the import");
    let report = String::from_utf8_lossy(&import.stdout);
    assert!(import.status.success(), "{report}{}", String::from_utf8_lossy(&import.stderr));
    assert!(report.contains("431673 rows read"), "{report}");

    let categories = get(&backend, "/api/categories").await;
    let counts = categories["items"].as_array().expect("items").iter().filter_map(|c| c["count"].as_i64());
    assert!(counts.sum::<i64>() > 3_500, "{categories}");
    let found = get(&backend, "/api/products?q=wite+metal+lanten&limit=5").await;
    let name = found["items"][0]["name"].as_str().unwrap_or_default().to_lowercase();
    assert!(name.contains("metal lantern"), "{found}");

    let (client, connection) = tokio_postgres::connect(&database, NoTls).await.expect("connect");
    tokio::spawn(connection);
    let interactions: i64 =
        client.query_one("select count(*) from interactions", &[]).await.expect("count").get(0);
    assert!(interactions > 250_000, "{report}");

    let retrain = reqwest::Client::new().post(format!("{ml_service}/api/model/retrain")).send().await;
    assert!(retrain.expect("an answer").status().is_success());
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let model = get(&ml_service, "/api/model").await;
        if model["products"].as_i64() > Some(3_500) && model["interactions"].as_i64() >= Some(interactions) {
            break;
        }
        assert!(Instant::now() < deadline, "the recommender did not take it in: {model}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    let customers = "select user_id from orders where import_ref is not null and user_id is not null \
                     group by user_id order by count(*) desc, user_id limit 5";
    for row in client.query(customers, &[]).await.expect("customers") {
        let customer: Uuid = row.get(0);
        let answer = get(&ml_service, &format!("/api/recommendations/{customer}?limit=20")).await;
        assert_eq!(answer["strategy"], "personal", "{answer}");
        let items = answer["items"].as_array().expect("items");
        assert_eq!(items.len(), 20, "{answer}");
        for item in items {
            let product = Uuid::parse_str(item["product_id"].as_str().expect("id")).expect("a UUID");
            let bought = "select exists (select from orders o join order_items i on i.order_id = o.id \
                          where o.user_id = $1 and i.product_id = $2)";
            let bought: bool = client.query_one(bought, &[&customer, &product]).await.expect("query").get(0);
            assert!(!bought, "{customer} has {product} already");
            let reason = item["reason"].as_str().unwrap_or_default();
            assert!(reason.starts_with("Because you bought"), "{item}");
        }
    }
}
