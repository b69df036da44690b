//! Compares the stock of products with their ledger, the sum of their movements: they are written together, so that a
//! difference means a fault of the program, or a hand in the database.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::error::{Error, Result};
use crate::workers::Pass;

/// How many products are compared at once: a fraction of a second.
const AT_ONCE: i64 = 2_000;
/// How many times as long as a part took is the rest after it: a twentieth of a processor goes into the comparison.
const REST: u32 = 19;
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// A comparison of all products, a part at a time.
#[derive(Debug)]
pub struct Round {
    /// The last product that was compared.
    after: Uuid,
    /// How many are compared next.
    at_once: i64,
    /// How many differed so far.
    mismatches: i64,
}

impl Default for Round {
    fn default() -> Self {
        Self { after: Uuid::nil(), at_once: AT_ONCE, mismatches: 0 }
    }
}

impl Round {
    /// Compares the next part, and shows as a metric how many products differed once all were compared.
    pub async fn pass(&mut self, state: &AppState) -> Result<Pass> {
        let start = Instant::now();
        if let Some(mismatches) = self.part(state).await? {
            state.shop_metrics.mismatches(mismatches);
            return Ok(Pass::Idle);
        }
        tokio::time::sleep((start.elapsed() * REST).min(LONGEST_REST)).await;
        Ok(Pass::More)
    }

    /// Compares the next part. After the last one, of how many products the stock is not the sum of their movements; the
    /// next round begins then.
    pub async fn part(&mut self, state: &AppState) -> Result<Option<i64>> {
        let client = state.pool.get().await?;
        let part = match db::products::stock::compare(&client, self.after, self.at_once).await {
            // What sells often has many movements: fewer products are compared in time.
            Err(Error::DatabaseUnavailable(_)) if self.at_once >= 10 => {
                self.at_once /= 10;
                return Ok(None);
            }
            part => part?,
        };
        self.at_once = (self.at_once * 2).min(AT_ONCE);
        for product_id in &part.mismatches {
            tracing::error!(%product_id, "the stock is not the sum of its movements");
        }
        self.mismatches += i64::try_from(part.mismatches.len()).unwrap_or(i64::MAX);
        let Some(last) = part.last else { return Ok(Some(std::mem::take(self).mismatches)) };
        self.after = last;
        Ok(None)
    }
}
