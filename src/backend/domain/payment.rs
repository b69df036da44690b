//! The simulated payment provider: the test card decides what happens.

use platform::problem::FieldError;
use std::time::Duration;

/// How long the shop waits for the provider.
const DEADLINE: Duration = Duration::from_millis(500);

/// A card that the simulated provider knows. The number is never stored or logged; its last four digits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Card {
    /// 4242 4242 4242 4242: approved.
    Approved,
    /// 4000 0000 0000 0002: declined.
    Declined,
    /// 4000 0000 0000 0119: the provider does not answer in time.
    TimesOut,
    /// 4000 0000 0000 0341: the money is taken, but the answer is lost.
    AnswerLost,
}

/// What the shop learned from the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money is taken.
    Approved,
    /// The card was refused.
    Declined,
    /// No answer in time: it may or may not be paid.
    Unknown,
}

impl Card {
    /// Reads a card number, spaces allowed; 422 for any that is not a test card.
    pub fn parse(field: &str, number: &str) -> Result<Self, FieldError> {
        let digits: String = number.chars().filter(|c| *c != ' ').take(20).collect();
        match digits.as_str() {
            "4242424242424242" => Ok(Self::Approved),
            "4000000000000002" => Ok(Self::Declined),
            "4000000000000119" => Ok(Self::TimesOut),
            "4000000000000341" => Ok(Self::AnswerLost),
            _ => Err(FieldError::new(field, "must be one of the test cards, such as 4242424242424242")),
        }
    }

    /// The last four digits, all that is kept of the number.
    pub const fn last4(self) -> &'static str {
        match self {
            Self::Approved => "4242",
            Self::Declined => "0002",
            Self::TimesOut => "0119",
            Self::AnswerLost => "0341",
        }
    }

    /// Charges the card for an order. Charging again for the same order is safe, as with any provider that takes the
    /// order's id as its idempotency key: the outcome depends on the card alone.
    pub async fn charge(self) -> Outcome {
        let provider = async {
            match self {
                Self::Approved => Outcome::Approved,
                Self::Declined => Outcome::Declined,
                Self::TimesOut | Self::AnswerLost => std::future::pending().await,
            }
        };
        tokio::time::timeout(DEADLINE, provider).await.unwrap_or(Outcome::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_card_has_its_outcome() {
        for (number, outcome) in [
            ("4242 4242 4242 4242", Outcome::Approved),
            ("4000000000000002", Outcome::Declined),
            ("4000000000000119", Outcome::Unknown),
            ("4000000000000341", Outcome::Unknown),
        ] {
            let card = Card::parse("card_number", number).expect("a test card");
            assert_eq!(card.charge().await, outcome);
            assert!(number.ends_with(card.last4()));
        }
        assert!(Card::parse("card_number", "5555555555554444").is_err());
    }
}
