//! How orders are paid: by test cards of a simulated provider.

use platform::problem::FieldError;

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
    Captured,
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
}

impl Outcome {
    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_test_cards_are_cards() {
        for number in ["4242 4242 4242 4242", "4000000000000002", "4000000000000119", "4000000000000341"] {
            let card = Card::parse("card_number", number).expect("a test card");
            assert!(number.ends_with(card.last4()));
        }
        for number in ["", "4242", "5555555555554444", "42424242424242424"] {
            assert!(Card::parse("card_number", number).is_err(), "{number}");
        }
    }
}
