//! The simulated payment provider, which stands for a company far away: it keeps books of its own, answers late or never
//! as the test card says, and knows an order by its id, so that asking twice does nothing twice.

use std::time::Duration;

use uuid::Uuid;

use crate::db::Pool;
use crate::db::fetch::Fetch;
use crate::domain::payment::{Card, Outcome};
use crate::error::{Error, Result};

/// How long the shop waits for the provider.
const DEADLINE: Duration = Duration::from_secs(2);
/// After how long the provider hangs up where a test card makes it fall silent.
const SILENCE: Duration = Duration::from_millis(500);

/// The provider's address, so to speak. Clones are the same provider.
#[derive(Clone, Debug)]
pub struct PaymentProvider {
    /// Its books, a schema in the shop's own database for want of another.
    books: Pool,
}

impl PaymentProvider {
    /// A provider that keeps its books here.
    pub fn new(books: Pool) -> Self {
        Self { books }
    }

    /// Charges a card for an order. No answer in time, for whatever reason, is [`Outcome::Unknown`]: the money may or
    /// may not be taken.
    pub async fn charge(&self, order_id: Uuid, amount_cents: i64, card: Card) -> Outcome {
        let answer = async {
            match card {
                Card::Approved => self.book(order_id, amount_cents, "captured").await,
                Card::Declined => self.book(order_id, amount_cents, "declined").await,
                Card::AnswerLost => {
                    self.book(order_id, amount_cents, "captured").await?;
                    fall_silent().await
                }
                Card::TimesOut => fall_silent().await,
            }
        };
        match tokio::time::timeout(DEADLINE, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the payment provider failed");
                Outcome::Unknown
            }
            Err(_) => Outcome::Unknown,
        }
    }

    /// What became of an order's charge; [`Outcome::Unknown`] where the provider never got one.
    pub async fn look_up(&self, order_id: Uuid) -> Result<Outcome> {
        let answer = async {
            let client = self.books.get().await?;
            let sql = "select status from payment_provider.charges where order_id = $1";
            let row = client.fetch_optional(sql, &[&order_id]).await?;
            row.map_or(Ok(Outcome::Unknown), |row| outcome(row.try_get("status")?))
        };
        within_deadline(answer).await
    }

    /// Gives an order's money back where it was taken, and refuses any charge for it from now on.
    pub async fn release(&self, order_id: Uuid) -> Result<()> {
        let answer = async {
            let client = self.books.get().await?;
            let sql = "insert into payment_provider.charges as c (order_id, status, amount_cents) values ($1, 'voided', 0) \
                       on conflict (order_id) do update set status = 'refunded' where c.status = 'captured'";
            client.run(sql, &[&order_id]).await?;
            Ok(())
        };
        within_deadline(answer).await
    }

    /// Notes a charge unless there is one of this order already, and returns what counts.
    async fn book(&self, order_id: Uuid, amount_cents: i64, status: &str) -> Result<Outcome> {
        let client = self.books.get().await?;
        // The update changes nothing: it returns the row that was there.
        let sql = "insert into payment_provider.charges as c (order_id, status, amount_cents) values ($1, $2, $3) \
                   on conflict (order_id) do update set status = c.status returning status";
        let row = client.fetch_one(sql, &[&order_id, &status, &amount_cents]).await?;
        outcome(row.try_get("status")?)
    }
}

async fn fall_silent() -> Result<Outcome> {
    tokio::time::sleep(SILENCE).await;
    Ok(Outcome::Unknown)
}

fn outcome(status: &str) -> Result<Outcome> {
    match status {
        "captured" => Ok(Outcome::Captured),
        "declined" | "voided" | "refunded" => Ok(Outcome::Declined),
        other => Err(Error::Internal(format!("unknown status of a charge: {other}"))),
    }
}

async fn within_deadline<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(DEADLINE, answer)
        .await
        .unwrap_or_else(|_| Err(Error::DatabaseUnavailable("the payment provider did not answer".to_owned())))
}
