//! A minute of customers, and then: every line of the log is in Loki, or counted as lost.

use std::time::Duration;

use observability::query::{Loki, until};
use stack::load::Load;
use stack::{Component, Stack};

/// The sum of a metric's samples that have this label.
fn sum(metrics: &str, name: &str, label: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(name) && line.contains(label));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_in_loki_or_counted_as_lost() {
    let mut stack = Stack::builder().with_observability().start().await.expect("a stack");
    let loki = Loki::new(stack.url(Component::Loki).expect("Loki"));
    let load = Load {
        url: stack.url(Component::Nginx).expect("nginx"),
        rate: 6.0,
        duration: Duration::from_mins(1),
        think: Duration::from_millis(100),
        spike: 3.0,
        patient: false,
    };
    let report = stack::load::run(&load, std::future::pending()).await.expect("a report");
    // A machine that is too busy sheds load, of which there are lines, too.
    assert_eq!(report.answers(|status| status == 0), 0, "{report}");
    assert!(report.of("checkout", 201) > 0, "{report}");

    // Nobody asks the backend any more.
    for component in [Component::Nginx, Component::MlService, Component::Prometheus] {
        stack.stop(component).await.expect("it ends");
    }
    let metrics = format!("{}/metrics", stack.url(Component::Backend).expect("the backend"));
    let (written, lost, found) = until("every line", async || {
        let metrics = reqwest::get(&metrics).await.map_err(|error| error.to_string())?;
        let metrics = metrics.text().await.map_err(|error| error.to_string())?;
        let counted = sum(&metrics, "log_records_total", "level=");
        let lost = sum(&metrics, "telemetry_dropped_total", "signal=\"logs\"");
        let log =
            std::fs::read_to_string(stack.log(Component::Backend)).map_err(|error| error.to_string())?;
        let written = f64::from(u32::try_from(log.lines().count()).unwrap_or(u32::MAX));
        let query = "sum(count_over_time({service=\"shopmicro-backend\"}[30m]))";
        let found = loki.sum(query).await.map_err(|error| error.to_string())?.unwrap_or(0.0);
        let all = (written - counted).abs() < 0.5 && (found + lost - written).abs() < 0.5;
        let figures = (written, lost, found);
        if all { Ok(figures) } else { Err(format!("{figures:?}, counted {counted}")) }
    })
    .await;
    assert!(written > 1_000.0, "{written} lines are no load");
    assert!(lost / written < 0.01, "{lost} of {written} lines are lost, {found} found");
}
