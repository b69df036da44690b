//! Every way in which a request can fail here, and the only table of what is answered then. Malformed
//! parameters are refused before a handler runs, by the extractors, in the same shape.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use platform::problem::Problem;
use uuid::Uuid;

use crate::cpu::Failed;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no model yet, or what customers did was not read to its end yet.
    #[error("the model is not ready yet")]
    NotReady,
    /// The service is shutting down.
    #[error("the service is shutting down")]
    Draining,
    /// The catalogue that the model was trained on has no such product.
    #[error("the model knows no product {0}")]
    UnknownProduct(Uuid),
    /// The token of the deployment was not shown.
    #[error("this needs the internal token")]
    Unauthorized,
    /// The computation panicked, or too many wait.
    #[error(transparent)]
    Computation(#[from] Failed),
}

/// What handlers give back.
pub type Result<T> = std::result::Result<T, Error>;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = match &self {
            Self::NotReady | Self::Draining | Self::Computation(Failed::Full) => {
                Problem::unavailable(1).detail(self.to_string())
            }
            Self::UnknownProduct(_) => Problem::not_found(self.to_string()),
            Self::Unauthorized => Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized")
                .detail(self.to_string()),
            Self::Computation(error @ Failed::Panicked) => {
                tracing::error!(%error, "a request failed");
                Problem::internal()
            }
        };
        problem.into_response()
    }
}
