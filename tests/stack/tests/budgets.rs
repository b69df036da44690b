//! What the shop holds in memory while many customers buy is no more than `config/budgets.json` allows.

use std::time::Duration;

use stack::load::Load;
use stack::{Stack, budgets};

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "the figures are worth a look")]
async fn nobody_holds_more_than_it_may_while_customers_buy() {
    // As many connections to the database as the table has room for: nix/modules/appliance.nix.
    let stack = Stack::builder().backend_setting("POSTGRES_POOL_SIZE", "8").start().await.expect("a stack");
    let load = Load {
        url: stack.url(stack::Component::Nginx).expect("the shop"),
        // More than two processors can serve, some of whom register: passwords take the most memory.
        rate: 30.0,
        duration: Duration::from_secs(20),
        think: Duration::from_millis(100),
        spike: 2.0,
        patient: false,
    };
    let (report, peaks) = stack.peaks_during(stack::load::run(&load, std::future::pending())).await;
    let report = report.expect("customers");
    eprintln!("{report}\n{peaks}");
    assert!(report.of("checkout", 201) > 0, "nobody bought: {report}");
    let table = budgets::table("shop").expect("the table");
    let over = peaks.over(&table);
    assert!(over.is_empty(), "{over:?}");
    assert!(peaks.sum() <= 400 << 20, "{peaks}");
}
