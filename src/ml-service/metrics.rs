//! The recommender's own instruments; those of HTTP and Redis come with the platform.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram};

use crate::model::{Model, Strategy};

/// What is counted.
#[derive(Clone, Debug)]
pub struct Instruments {
    answers: Counter<u64>,
    cache: Counter<u64>,
    training: Histogram<f64>,
    failures: Counter<u64>,
    store_failures: Counter<u64>,
    products: Gauge<u64>,
    terms: Gauge<u64>,
    trained_at: Gauge<i64>,
    interactions: Counter<u64>,
    users: Gauge<u64>,
}

impl Default for Instruments {
    fn default() -> Self {
        let meter = platform::telemetry::meter();
        Self {
            answers: meter
                .u64_counter("recommender.answers")
                .with_description("Answers by how they were found")
                .build(),
            cache: meter
                .u64_counter("recommender.cache.requests")
                .with_description("Look-ups of answers in the cache; one that failed is a miss")
                .build(),
            training: meter
                .f64_histogram("recommender.training.duration")
                .with_unit("s")
                .with_description("Time to train a model, without reading the catalogue")
                .with_boundaries(vec![0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
                .build(),
            failures: meter
                .u64_counter("recommender.stream.failures")
                .with_description("Reads of the backend's streams that failed")
                .build(),
            store_failures: meter
                .u64_counter("recommender.snapshot.failures")
                .with_description(
                    "Models on disk that could not be read, were refused or could not be written",
                )
                .build(),
            products: meter
                .u64_gauge("recommender.model.products")
                .with_description("Products that the model knows")
                .build(),
            terms: meter
                .u64_gauge("recommender.model.terms")
                .with_description("Terms that the model knows")
                .build(),
            trained_at: meter
                .i64_gauge("recommender.model.trained_at")
                .with_unit("s")
                .with_description("When the model was trained, in seconds since 1970")
                .build(),
            interactions: meter
                .u64_counter("recommender.interactions")
                .with_description("Interactions read from the backend")
                .build(),
            users: meter
                .u64_gauge("recommender.users")
                .with_description("Users of whom interactions are remembered")
                .build(),
        }
    }
}

impl Instruments {
    /// An answer was given.
    pub fn answered(&self, strategy: Strategy) {
        self.answers.add(1, &[KeyValue::new("strategy", strategy.name())]);
    }

    /// An answer was looked for in the cache.
    pub fn cached(&self, hit: bool) {
        self.cache.add(1, &[KeyValue::new("result", if hit { "hit" } else { "miss" })]);
    }

    /// A model was trained.
    pub fn trained(&self, model: &Model, took: Duration, at: jiff::Timestamp) {
        self.training.record(took.as_secs_f64(), &[]);
        self.model(model, at);
    }

    /// A model answers from now on.
    pub fn model(&self, model: &Model, at: jiff::Timestamp) {
        self.products.record(model.products() as u64, &[]);
        self.terms.record(model.terms() as u64, &[]);
        self.trained_at.record(at.as_second(), &[]);
    }

    /// A stream could not be read.
    pub fn stream_failed(&self, stream: &'static str) {
        self.failures.add(1, &[KeyValue::new("stream", stream)]);
    }

    /// The model could not be read from disk or written there.
    pub fn store_failed(&self) {
        self.store_failures.add(1, &[]);
    }

    /// Interactions were read, after which so many users are remembered.
    pub fn interactions_read(&self, lines: usize, users: usize) {
        self.interactions.add(lines as u64, &[]);
        self.users.record(users as u64, &[]);
    }
}
