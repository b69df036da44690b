//! Every way in which a request can fail, and the only table of statuses.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use platform::problem::{FieldError, Problem};
use serde::{Deserialize, Serialize};
use tokio_postgres::error::SqlState;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::order::Status;

/// A product of which there is less than was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Shortage {
    /// The product.
    pub product_id: Uuid,
    /// Its name, for a message.
    pub name: String,
    /// Units in the cart.
    pub requested: i32,
    /// Units that there are.
    pub available: i32,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: a bad cursor, say; the text is for the client.
    #[error("{0}")]
    BadRequest(String),
    /// 422: fields of the body are out of range.
    #[error("invalid input")]
    Invalid(Vec<FieldError>),
    /// 401: no valid session.
    #[error("not logged in")]
    Unauthenticated,
    /// 401: login with an unknown e-mail or a wrong password; deliberately one answer.
    #[error("wrong e-mail or password")]
    WrongCredentials,
    /// 403: a wrong password of who is logged in, in the field of this name.
    #[error("the password is wrong")]
    WrongPassword(&'static str),
    /// 409: the shop would be left without an admin.
    #[error("this is the last admin")]
    LastAdmin,
    /// 429: too many failed logins to this address in a row; takes no attempt for this long.
    #[error("too many failed attempts to log in")]
    TooManyAttempts(Duration),
    /// 403: logged in, but not allowed.
    #[error("forbidden")]
    Forbidden,
    /// 404: the text says what was not found.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// 409: another account has the e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// 409: another product, perhaps an archived one, has the SKU.
    #[error("the SKU is taken")]
    SkuTaken,
    /// 428: an edit that does not say which version it edits.
    #[error("send the product's ETag, or its version in quotes, as If-Match")]
    PreconditionRequired,
    /// 412: somebody else edited the product meanwhile.
    #[error("the product is at version {version}")]
    VersionConflict {
        /// The version that it has.
        version: i32,
    },
    /// 409: the adjustment would take more than there is, or leave more than can be counted.
    #[error("the stock is {available}")]
    StockOutOfRange {
        /// Units that there are.
        available: i32,
    },
    /// 409: an order of nothing.
    #[error("the cart is empty")]
    EmptyCart,
    /// 409: the cart costs another sum than the customer was shown; nothing was ordered.
    #[error("the total is {total_cents}")]
    TotalChanged {
        /// What it costs now, in minor units.
        total_cents: i64,
    },
    /// 409: less in stock than ordered; nothing was ordered.
    #[error("out of stock")]
    OutOfStock(Vec<Shortage>),
    /// 409: the order's state does not allow this.
    #[error("the order is {from} and cannot become {to}", from = from.as_str(), to = to.as_str())]
    IllegalTransition {
        /// Where it stands.
        from: Status,
        /// Where it was to go.
        to: Status,
    },
    /// 422: the idempotency key was used with another body.
    #[error("the idempotency key belongs to another request")]
    IdempotencyMismatch,
    /// 402: the order stands as `payment_failed`, its stock has returned.
    #[error("the payment was declined")]
    PaymentDeclined {
        /// The failed order.
        order_id: Uuid,
    },
    /// 503: the database did not answer in time.
    #[error("the database is not available: {0}")]
    DatabaseUnavailable(String),
    /// 503: the recommendation service did not answer in time.
    #[error("the recommendation service is not available")]
    RecommenderUnavailable,
    /// 429: the client or the account has used up what it may ask of this class.
    #[error("too many requests")]
    TooManyRequests {
        /// Seconds after which the next one may come.
        retry_after: u32,
    },
    /// 503: more work of one kind than the service takes on at once.
    #[error("overloaded")]
    Overloaded,
    /// 500: a defect; the text is for the log alone.
    #[error("{0}")]
    Internal(String),
}

/// The result of handlers and of what they call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(database) = error.as_db_error() else {
            // No answer from the server: the connection broke, or could not be made.
            let source = std::error::Error::source(&error);
            return if error.is_closed() || source.is_some_and(<dyn std::error::Error>::is::<std::io::Error>) {
                Self::DatabaseUnavailable(error.to_string())
            } else {
                Self::Internal(error.to_string())
            };
        };
        match (database.code(), database.constraint()) {
            (_, Some("users_email_key")) => Self::EmailTaken,
            (_, Some("products_sku_key")) => Self::SkuTaken,
            // The account was deleted while the request was under way.
            (
                _,
                Some(
                    "sessions_user_id_fkey"
                    | "carts_user_id_fkey"
                    | "orders_user_id_fkey"
                    | "interactions_user_id_fkey"
                    | "idempotency_keys_user_id_fkey"
                    | "adjustment_keys_user_id_fkey",
                ),
            ) => Self::Unauthenticated,
            (code, _)
                if *code == SqlState::QUERY_CANCELED
                    || *code == SqlState::LOCK_NOT_AVAILABLE
                    || *code == SqlState::T_R_DEADLOCK_DETECTED
                    // 08: connection, 53: resources, 57P: shutdown and crash.
                    || ["08", "53", "57P"].iter().any(|class| code.code().starts_with(class)) =>
            {
                Self::DatabaseUnavailable(database.message().to_owned())
            }
            // Not the whole of it: its detail quotes the row, with whatever is personal or secret in there.
            (code, _) => {
                Self::Internal(format!("{} {}: {}", database.severity(), code.code(), database.message()))
            }
        }
    }
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::DatabaseUnavailable(error.to_string())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::BadRequest(detail) => Self::bad_request(detail),
            Error::Invalid(errors) => Self::invalid(errors),
            Error::Unauthenticated | Error::WrongCredentials => {
                Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Log in first").detail(text)
            }
            Error::TooManyAttempts(wait) => {
                let mut problem = Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-many-attempts",
                    "Too many failed attempts to log in",
                );
                problem.retry_after = Some(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1));
                problem.detail("wait before the next one; the password was not looked at")
            }
            Error::WrongPassword(field) => {
                Self::new(StatusCode::FORBIDDEN, "wrong-password", "The password is wrong")
                    .errors(vec![FieldError::new(field, "is not your password")])
            }
            Error::LastAdmin => Self::new(StatusCode::CONFLICT, "last-admin", "The shop needs an admin")
                .detail("this account is the last one; make another account an admin first"),
            Error::Forbidden => Self::new(StatusCode::FORBIDDEN, "forbidden", "This is not allowed"),
            Error::NotFound(_) => Self::not_found(text),
            Error::EmailTaken => {
                Self::new(StatusCode::CONFLICT, "email-taken", "The e-mail address is taken")
                    .errors(vec![FieldError::new("email", "another account has this address")])
            }
            Error::SkuTaken => Self::new(StatusCode::CONFLICT, "sku-taken", "The SKU is taken").errors(vec![
                FieldError::new("sku", "another product, perhaps an archived one, has this SKU"),
            ]),
            Error::PreconditionRequired => Self::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition-required",
                "Say which version is edited",
            )
            .detail(text),
            Error::VersionConflict { version } => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "version-conflict",
                "Somebody else changed the product meanwhile",
            )
            .detail(text)
            .with("version", serde_json::json!(version)),
            Error::StockOutOfRange { available } => Self::new(
                StatusCode::CONFLICT,
                "stock-out-of-range",
                "The stock would fall below zero, or grow beyond what can be counted",
            )
            .detail(text)
            .with("available", serde_json::json!(available)),
            Error::EmptyCart => Self::new(StatusCode::CONFLICT, "empty-cart", "The cart is empty"),
            Error::TotalChanged { total_cents } => {
                Self::new(StatusCode::CONFLICT, "total-changed", "The order costs another sum by now")
                    .with("total_cents", serde_json::json!(total_cents))
            }
            Error::OutOfStock(items) => {
                Self::new(StatusCode::CONFLICT, "out-of-stock", "Some items are not in stock as ordered")
                    .with("items", serde_json::json!(items))
            }
            Error::IllegalTransition { .. } => {
                Self::new(StatusCode::CONFLICT, "illegal-transition", "The order cannot change so")
                    .detail(text)
            }
            Error::IdempotencyMismatch => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-mismatch",
                "The Idempotency-Key was used for another request",
            ),
            Error::PaymentDeclined { order_id } => {
                Self::new(StatusCode::PAYMENT_REQUIRED, "payment-declined", "The payment was declined")
                    .with("order_id", serde_json::json!(order_id))
            }
            Error::DatabaseUnavailable(_) | Error::RecommenderUnavailable => Self::unavailable(2),
            Error::TooManyRequests { retry_after } => {
                let mut problem =
                    Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "This was asked too often");
                problem.retry_after = Some(retry_after);
                problem
            }
            Error::Overloaded => Self::unavailable(1).detail("too much of this at once"),
            Error::Internal(_) => Self::internal(),
        }
    }
}

impl Error {
    /// Logs what is not the client's doing.
    pub fn note(&self) {
        match self {
            Self::DatabaseUnavailable(cause) => tracing::warn!(cause, "the database did not serve a request"),
            Self::Internal(cause) => tracing::error!(cause, "a request failed"),
            _ => {}
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.note();
        Problem::from(self).into_response()
    }
}
