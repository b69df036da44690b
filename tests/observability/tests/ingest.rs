//! What is measured and logged arrives where it is looked for.

use observability::query::{Loki, Mimir, until};
use stack::{Component, Stack};

#[tokio::test(flavor = "multi_thread")]
async fn every_target_is_scraped_and_every_line_arrives() {
    let stack = Stack::builder().with_observability().start().await.expect("a stack");
    let mimir = Mimir::new(stack.url(Component::Mimir).expect("Mimir"));
    let loki = Loki::new(stack.url(Component::Loki).expect("Loki"));

    for job in ["backend", "ml-service", "nginx", "postgres", "redis", "loki", "mimir", "prometheus"] {
        until(job, async || {
            let up = mimir.sum(&format!("up{{job=\"{job}\"}}")).await.map_err(|error| error.to_string())?;
            if up == Some(1.0) { Ok(()) } else { Err(format!("up is {up:?}")) }
        })
        .await;
    }

    // The id of a request leads from its answer to its line.
    let http = reqwest::Client::new();
    let url = format!("{}/api/products", stack.url(Component::Nginx).expect("nginx"));
    let id = "a-request-of-this-test";
    http.get(&url).header("x-request-id", id).send().await.expect("an answer");
    let query = format!(
        "{{service=\"shopmicro-backend\", env=\"development\", level=\"info\"}} | json | request_id=`{id}`"
    );
    let line = until("its line", async || {
        let lines = loki.lines(&query).await.map_err(|error| error.to_string())?;
        lines.into_iter().next().ok_or_else(|| "no line yet".to_owned())
    })
    .await;
    let fields = line.fields();
    assert_eq!((&fields["message"], &fields["http.route"]), (&"answered".into(), &"/api/products".into()));
    for (field, length) in [("trace_id", 32), ("span_id", 16)] {
        assert_eq!(fields[field].as_str().map(str::len), Some(length), "{field}: {}", line.text);
    }
}
