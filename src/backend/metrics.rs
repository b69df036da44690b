//! The shop's own figures, beside those of HTTP, cache and Redis.

use std::time::Duration;

use jiff::Timestamp;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram};

use crate::domain::listing::Matching;
use crate::domain::order::Status;
use crate::domain::payment::Outcome;

/// Instruments of the business. Clones share them.
#[derive(Clone, Debug)]
pub struct ShopMetrics {
    orders: Counter<u64>,
    revenue: Counter<u64>,
    stock_outs: Counter<u64>,
    logins: Counter<u64>,
    recommendations: Counter<u64>,
    searches: Counter<u64>,
    carts: Counter<u64>,
    payments: Counter<u64>,
    payment_duration: Histogram<f64>,
    mismatches: Gauge<i64>,
    outbox_events: Gauge<i64>,
    outbox_age: Gauge<f64>,
    backup: Gauge<i64>,
    /// Web vitals as browsers report them.
    pub web_vitals: Histogram<f64>,
    /// Spans as browsers report them.
    pub browser_spans: Histogram<f64>,
    /// Errors that pages report, by route template.
    pub page_errors: Counter<u64>,
}

impl ShopMetrics {
    /// Registers the instruments.
    pub fn new() -> Self {
        let meter = platform::telemetry::meter();
        let counter = |name, description| meter.u64_counter(name).with_description(description).build();
        let metrics = Self {
            carts: counter("shop.carts", "Carts that got their first item"),
            payments: counter(
                "shop.payments",
                "Charges by what the payment provider answered; unknown: nothing in time",
            ),
            payment_duration: meter
                .f64_histogram("shop.payment.duration")
                .with_unit("s")
                .with_description("How long the payment provider took to answer")
                .with_boundaries(vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5])
                .build(),
            mismatches: meter
                .i64_gauge("shop.stock.mismatch_products")
                .with_description("Products whose stock is not the sum of their movements")
                .build(),
            orders: counter("shop.orders", "Orders by each status that they reached"),
            revenue: counter("shop.revenue", "Money of paid orders, in minor units of the currency"),
            stock_outs: counter("shop.stock_outs", "Checkouts refused because a product was short"),
            logins: counter(
                "shop.logins",
                "Passwords that were looked at or not, by result: right, wrong, blocked",
            ),
            recommendations: counter(
                "shop.recommendations",
                "Lists of recommendations by source and strategy",
            ),
            searches: counter(
                "shop.searches",
                "Searches that asked the database, by what they found: words, corrected, nothing",
            ),
            outbox_events: meter
                .i64_gauge("shop.outbox.events")
                .with_description("Events of orders that wait to be published, counted up to 10,000")
                .build(),
            outbox_age: meter
                .f64_gauge("shop.outbox.age")
                .with_unit("s")
                .with_description("How long the oldest event of an order has waited to be published")
                .build(),
            backup: meter
                .i64_gauge("shop.backup.time")
                .with_unit("s")
                .with_description("When the newest dump of the database was begun, since 1970")
                .build(),
            web_vitals: meter
                .f64_histogram("shop.web_vitals")
                .with_description("Web vitals: milliseconds; CLS is thousandths of its score")
                .with_boundaries(vec![
                    10.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1200.0, 1800.0, 2500.0, 4000.0, 8000.0,
                ])
                .build(),
            browser_spans: meter
                .f64_histogram("shop.browser.span.duration")
                .with_unit("s")
                .with_description("Loads, navigations and API calls as browsers saw them, by page")
                .with_boundaries(vec![0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
                .build(),
            page_errors: counter("shop.page_errors", "Uncaught errors in the browser, by page"),
        };
        metrics.begin();
        metrics
    }

    /// Shows what has not happened yet, so that its first time is seen as an increase.
    fn begin(&self) {
        for status in [Status::PendingPayment, Status::Paid, Status::PaymentFailed, Status::Cancelled] {
            self.orders.add(0, &[KeyValue::new("status", status.as_str())]);
        }
        for outcome in [Outcome::Captured, Outcome::Declined, Outcome::Unknown] {
            self.payments.add(0, &[KeyValue::new("result", outcome.as_str())]);
        }
        for counter in [&self.revenue, &self.stock_outs, &self.carts] {
            counter.add(0, &[]);
        }
    }

    /// A cart got its first item.
    pub fn cart(&self) {
        self.carts.add(1, &[]);
    }

    /// The payment provider answered, or did not in time.
    pub fn payment(&self, outcome: Outcome, took: Duration) {
        self.payments.add(1, &[KeyValue::new("result", outcome.as_str())]);
        self.payment_duration.record(took.as_secs_f64(), &[]);
    }

    /// So many products' stock is not the sum of their movements.
    pub fn mismatches(&self, products: i64) {
        self.mismatches.record(products, &[]);
    }

    /// An order reached a status.
    pub fn order(&self, status: Status, total_cents: i64) {
        self.orders.add(1, &[KeyValue::new("status", status.as_str())]);
        if status == Status::Paid {
            self.revenue.add(u64::try_from(total_cents).unwrap_or(0), &[]);
        }
    }

    /// What waits to be published.
    pub fn outbox(&self, events: i64, age_seconds: f64) {
        self.outbox_events.record(events, &[]);
        self.outbox_age.record(age_seconds, &[]);
    }

    /// The newest dump of the database was begun then.
    pub fn backup(&self, at: Timestamp) {
        self.backup.record(at.as_second(), &[]);
    }

    /// A checkout was refused because something was short.
    pub fn stock_out(&self) {
        self.stock_outs.add(1, &[]);
    }

    /// A password was right or wrong, or not looked at since the address is blocked; the label is a constant of ours.
    pub fn login(&self, result: &'static str) {
        self.logins.add(1, &[KeyValue::new("result", result)]);
    }

    /// The database answered a search, by words as they were typed, by corrected ones, or with nothing.
    pub fn searched(&self, matching: Option<Matching>) {
        let result = match matching {
            Some(Matching::Words) => "words",
            Some(Matching::Likeness) => "corrected",
            None => "nothing",
        };
        self.searches.add(1, &[KeyValue::new("result", result)]);
    }

    /// A list of recommendations was shown; both labels are constants of ours.
    pub fn recommended(&self, source: &'static str, strategy: &'static str) {
        self.recommendations.add(1, &[KeyValue::new("source", source), KeyValue::new("strategy", strategy)]);
    }
}

impl Default for ShopMetrics {
    fn default() -> Self {
        Self::new()
    }
}
