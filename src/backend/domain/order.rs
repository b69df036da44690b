//! Orders: what is asked for, what is kept, and which changes are legal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::input::Check;
use crate::domain::payment::Card;
use crate::error::Error;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Placed; the payment's outcome is not known yet.
    PendingPayment,
    /// Paid, to be shipped.
    Paid,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Called off; its stock has returned.
    Cancelled,
    /// The card was refused; its stock has returned.
    PaymentFailed,
}

impl Status {
    /// The name in the database and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::PaymentFailed => "payment_failed",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        use Status::{Cancelled, Delivered, Paid, PaymentFailed, PendingPayment, Shipped};
        [PendingPayment, Paid, Shipped, Delivered, Cancelled, PaymentFailed]
            .into_iter()
            .find(|status| status.as_str() == name)
    }

    /// True where nothing may follow.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Cancelled | Self::PaymentFailed)
    }

    /// True where the one may follow the other.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::PendingPayment, Self::Paid | Self::PaymentFailed | Self::Cancelled)
                | (Self::Paid, Self::Shipped | Self::Cancelled)
                | (Self::Shipped, Self::Delivered)
        )
    }
}

/// Where an order goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingAddress {
    /// Who receives it.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Street and number.
    #[schema(min_length = 1, max_length = 200)]
    pub line1: String,
    /// More of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub line2: Option<String>,
    /// City.
    #[schema(min_length = 1, max_length = 100)]
    pub city: String,
    /// Postal code.
    #[schema(min_length = 1, max_length = 20)]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2, such as `GB`.
    #[schema(min_length = 2, max_length = 2, example = "GB")]
    pub country: String,
}

/// How an order is paid.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// A test card: 4242424242424242 (approved), 4000000000000002 (declined), 4000000000000119 (times out),
    /// 4000000000000341 (captured, but the answer is lost).
    #[schema(example = "4242424242424242")]
    pub card_number: String,
}

impl std::fmt::Debug for Payment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payment { .. }")
    }
}

/// The body of a checkout: it orders what is in the cart.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckoutBody {
    /// Where it goes.
    pub shipping_address: ShippingAddress,
    /// How it is paid.
    pub payment: Payment,
    /// The sum that the customer was shown, in minor units. Where the cart costs another one by now, nothing is ordered.
    #[schema(minimum = 0)]
    pub expected_total_cents: Option<i64>,
}

/// A valid checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Where it goes, trimmed.
    pub shipping_address: ShippingAddress,
    /// How it is paid.
    pub card: Card,
    /// The sum that the customer was shown, in minor units, where it is told.
    pub expected_total_cents: Option<i64>,
}

impl TryFrom<CheckoutBody> for NewOrder {
    type Error = Error;

    fn try_from(body: CheckoutBody) -> Result<Self, Error> {
        let mut check = Check::new();
        let address = body.shipping_address;
        let country = address.country.trim().to_ascii_uppercase();
        let shipping_address = ShippingAddress {
            name: check.text("shipping_address.name", &address.name, 1, 100),
            line1: check.text("shipping_address.line1", &address.line1, 1, 200),
            line2: address
                .line2
                .map(|line| check.text("shipping_address.line2", &line, 0, 200))
                .filter(|line| !line.is_empty()),
            city: check.text("shipping_address.city", &address.city, 1, 100),
            postal_code: check.text("shipping_address.postal_code", &address.postal_code, 1, 20),
            country,
        };
        check.that(
            shipping_address.country.len() == 2
                && shipping_address.country.bytes().all(|b| b.is_ascii_uppercase()),
            "shipping_address.country",
            "must be a country code of two letters, such as GB",
        );
        match Card::parse("payment.card_number", &body.payment.card_number) {
            Ok(card) => {
                check.finish(Self { shipping_address, card, expected_total_cents: body.expected_total_cents })
            }
            Err(error) => {
                check.that(false, &error.field, error.message);
                check.finish(Self { shipping_address, card: Card::Declined, expected_total_cents: None })
            }
        }
    }
}

/// One product of an order, with its price at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderItem {
    /// The product.
    pub product_id: Uuid,
    /// Its name at that moment.
    pub name: String,
    /// Its price at that moment, in minor units.
    pub unit_price_cents: i64,
    /// Units.
    pub quantity: i32,
    /// `unit_price_cents` times `quantity`.
    pub line_total_cents: i64,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// The order's id.
    pub id: Uuid,
    /// Where it stands.
    pub status: Status,
    /// What was ordered.
    pub items: Vec<OrderItem>,
    /// The sum, in minor units.
    pub total_cents: i64,
    /// ISO 4217.
    pub currency: String,
    /// Where it goes; absent for orders that were imported.
    pub shipping_address: Option<ShippingAddress>,
    /// When it was placed (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> CheckoutBody {
        serde_json::from_value(serde_json::json!({
            "shipping_address": {
                "name": " Ada ", "line1": "1 High St", "city": "York", "postal_code": "YO1", "country": "gb",
            },
            "payment": { "card_number": "4242 4242 4242 4242" },
        }))
        .expect("well-formed")
    }

    #[test]
    fn a_checkout_is_trimmed() {
        let order = NewOrder::try_from(body()).expect("valid");
        assert_eq!(order.shipping_address.name, "Ada");
        assert_eq!(order.shipping_address.country, "GB");
        assert_eq!(order.card, Card::Approved);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let mut bad = body();
        bad.shipping_address.city = "  ".into();
        bad.shipping_address.country = "Britain".into();
        bad.payment.card_number = "1".into();
        let Err(Error::Invalid(errors)) = NewOrder::try_from(bad) else { panic!("must be refused") };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["shipping_address.city", "shipping_address.country", "payment.card_number"]);
    }

    #[test]
    fn final_states_are_final() {
        use Status::{Cancelled, Delivered, Paid, PaymentFailed, PendingPayment, Shipped};
        let all = [PendingPayment, Paid, Shipped, Delivered, Cancelled, PaymentFailed];
        for status in all {
            assert_eq!(status.is_final(), all.iter().all(|next| !status.may_become(*next)));
        }
        for status in all {
            assert_eq!(Status::parse(status.as_str()), Some(status));
            assert!(!status.may_become(status));
        }
    }

    #[test]
    fn a_card_number_never_shows_in_debug_output() {
        assert!(!format!("{:?}", body()).contains("4242"));
    }
}
