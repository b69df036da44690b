//! Background work: the model follows the catalogue, the memory follows what customers do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::App;
use crate::catalogue::StreamError;
use crate::snapshot::TrainingError;

/// The first pause after a failure; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// The longest pause after failures.
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// How long it takes at least until it is measured again how good the recommendations are.
const ASSESSMENTS: Duration = Duration::from_mins(10);
/// An answer with so many lines or more is part of a longer reading, which goes on at once.
const BULK: usize = 1_000;

/// Pauses between attempts, and one line in the log per outage rather than one per attempt.
struct Attempts {
    stream: &'static str,
    failures: u32,
}

impl Attempts {
    fn new(stream: &'static str) -> Self {
        Self { stream, failures: 0 }
    }

    fn succeeded(&mut self) {
        if self.failures > 0 {
            tracing::info!(stream = self.stream, failures = self.failures, "the backend's stream is back");
            self.failures = 0;
        }
    }

    async fn failed(&mut self, app: &App, error: anyhow::Error) {
        app.instruments.stream_failed(self.stream);
        if self.failures == 0 {
            let error = format!("{error:#}");
            tracing::warn!(stream = self.stream, error, "the backend's stream failed; trying again");
        }
        let pause = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST_RETRY);
        self.failures = self.failures.saturating_add(1);
        tokio::time::sleep(pause).await;
    }
}

/// Trains as soon as the backend is there, then again whenever the catalogue has changed. To notice that, the
/// whole stream is read and hashed: the backend needs no bookkeeping of changes, and ten thousand products
/// are a few megabytes on the local network.
pub async fn follow_catalogue(app: App, poll: Duration) {
    let mut attempts = Attempts::new("catalogue");
    loop {
        let turn = app.snapshots.turn().await;
        match app.snapshots.refresh(turn, &app.backend).await {
            Ok(()) => {
                attempts.succeeded();
                tokio::time::sleep(poll).await;
            }
            Err(error) => {
                let too_many = matches!(error, TrainingError::Stream(StreamError::TooManyProducts(_)));
                attempts.failed(&app, error.into()).await;
                if too_many {
                    // The next reading is as long, and ends in the same way until products have gone.
                    tokio::time::sleep(poll).await;
                }
            }
        }
    }
}

/// Reads all interactions, then new ones as they come.
pub async fn follow_interactions(app: App, poll: Duration) {
    let mut attempts = Attempts::new("interactions");
    loop {
        let cursor = app.interactions().cursor();
        match read(&app, cursor.as_deref()).await {
            Ok(lines) => {
                attempts.succeeded();
                let more = lines >= BULK || (lines > 0 && !app.interactions().complete());
                if !more {
                    // Answers shall not begin without what is known of all customers together.
                    if !app.interactions().complete()
                        && let Err(error) = app.relate().await
                    {
                        tracing::error!(%error, "what is bought together was not counted");
                    }
                    // Also where nothing came: it may have been refused the time before.
                    if !app.interactions().is_caught_up()
                        && let Err(error) = app.caught_up().await
                    {
                        tracing::error!(%error, "what sells was not ranked");
                    }
                    tokio::time::sleep(poll).await;
                }
            }
            Err(error) => {
                // The backend no longer understands its own cursor: its database is another one, and what is
                // remembered is not of it.
                if matches!(error, StreamError::Status(status) if status.as_u16() == 400) && cursor.is_some()
                {
                    app.forget_interactions().await;
                }
                attempts.failed(&app, error.into()).await;
            }
        }
    }
}

/// Reads what came after a cursor; gives back how much that was.
async fn read(app: &App, cursor: Option<&str>) -> Result<usize, StreamError> {
    let mut batches = app.backend.interactions(cursor).await?;
    let mut count = 0;
    loop {
        let batch = batches.next().await?;
        if batch.is_empty() {
            return Ok(count);
        }
        count += batch.len();
        app.learn(&batch).await;
    }
}

/// Counts anew what is bought together and measures what the recommendations are worth, when something was sold, and
/// keeps on disk what came after the cursor up to which it is there.
pub async fn follow_purchases(app: App, poll: Duration, mut kept: Option<Arc<str>>) {
    let mut counted = Arc::default();
    let mut assessed: Option<Instant> = None;
    loop {
        tokio::time::sleep(poll).await;
        let (revision, cursor, complete) = {
            let interactions = app.interactions();
            (Arc::clone(&interactions.ranking().revision), interactions.cursor(), interactions.complete())
        };
        if revision != counted {
            match app.relate().await {
                Ok(()) => counted = revision,
                Err(error) => tracing::error!(%error, "what is bought together was not counted"),
            }
            if complete && assessed.is_none_or(|last| last.elapsed() >= ASSESSMENTS) {
                match app.assess().await {
                    Ok(()) => assessed = Some(Instant::now()),
                    Err(error) => {
                        tracing::error!(%error, "how good the recommendations are was not measured");
                    }
                }
            }
        }
        if complete && cursor != kept && app.keep_interactions().await {
            kept = cursor;
        }
    }
}
