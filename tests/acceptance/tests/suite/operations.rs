use acceptance::{answer, url};

/// Asks a service that only insiders reach; nothing where the deployment does not show it.
#[expect(clippy::print_stderr, reason = "says that and why it proved nothing")]
async fn inside(variable: &str, path: &str) -> Option<acceptance::Answer> {
    let Some(base) = url(variable) else {
        eprintln!("skipped: {variable} is not set");
        return None;
    };
    Some(answer(reqwest::Client::new().get(format!("{base}{path}"))).await)
}

#[tokio::test]
async fn each_service_tells_its_health() {
    for service in ["BACKEND_URL", "ML_SERVICE_URL"] {
        for path in ["/health", "/health/live", "/health/ready"] {
            if let Some(answer) = inside(service, path).await {
                assert_eq!(answer.expect(200)["status"], "ok", "{service} {path}");
            }
        }
    }
}

#[tokio::test]
async fn metrics_have_route_templates_and_no_ids() {
    acceptance::Visitor::customer()
        .await
        .put_in_cart(&acceptance::id(&acceptance::product(0).await), 1)
        .await
        .expect(200);
    if let Some(answer) = inside("BACKEND_URL", "/metrics").await {
        assert_eq!(answer.status.as_u16(), 200);
        assert!(answer.text.contains(r#"http_route="/api/cart/items/{product_id}""#));
        assert!(answer.text.lines().filter(|line| !line.starts_with('#')).count() < 5_000);
    }
    if let Some(answer) = inside("ML_SERVICE_URL", "/metrics").await {
        assert!(answer.text.contains("recommender_model_products"), "{answer:?}");
    }
}
