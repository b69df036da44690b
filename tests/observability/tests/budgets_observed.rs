//! What the shop and all that watches it hold in memory while many customers buy: `config/budgets.json`.

use std::time::Duration;

use stack::load::Load;
use stack::{Component, Stack, budgets};

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "the figures are worth a look")]
async fn nobody_holds_more_than_it_may_while_customers_buy_and_are_watched() {
    let builder = Stack::builder().with_observability().with_what_is_there();
    // As many connections to the database as the table has room for: nix/modules/appliance.nix.
    let builder = builder.backend_setting("POSTGRES_POOL_SIZE", "8").scrape_interval(Duration::from_secs(5));
    let stack = builder.start().await.expect("a stack");
    let load = Load {
        url: stack.url(Component::Nginx).expect("the shop"),
        rate: 15.0,
        duration: Duration::from_secs(30),
        think: Duration::from_millis(100),
        spike: 2.0,
        patient: false,
    };
    let (report, peaks) = stack.peaks_during(stack::load::run(&load, std::future::pending())).await;
    let report = report.expect("customers");
    eprintln!("{report}\n{peaks}");
    assert!(report.of("checkout", 201) > 0, "nobody bought: {report}");
    let mut table = budgets::table("shop").expect("the table");
    table.extend(budgets::table("observability").expect("the table"));
    let over = peaks.over(&table);
    assert!(over.is_empty(), "{over:?}");
    assert!(peaks.sum() <= 2048 << 20, "{peaks}");
}
