//! Every URL of the backend, one line each.

pub mod admin_model;
pub mod admin_orders;
pub mod admin_overview;
pub mod audit;
pub mod cart;
pub mod frontend_metrics;
pub mod internal;
pub mod me;
pub mod operations;
pub mod orders;
pub mod products;
pub mod recommendations;
pub mod users;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use platform::problem::Problem;
use tower::ServiceBuilder;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::validate_request::{ValidateRequest, ValidateRequestHeaderLayer};
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{AppState, limits};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ShopMicro",
        description = "The API of the shop. Errors are application/problem+json (RFC 9457); the last segment of `type` is stable. \
            Lists are keyset pages: ask again with `next_cursor`. Sessions and guests' carts are cookies. \
            To be read at /api/docs.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem, crate::domain::listing::Sort))
)]
struct ApiDoc;

fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(products::list, products::edit::create))
        .routes(routes!(products::search::facets))
        .routes(routes!(products::search::suggestions))
        .routes(routes!(products::edit::archived))
        .routes(routes!(products::import::import))
        .routes(routes!(products::get, products::edit::replace, products::edit::archive))
        .routes(routes!(products::edit::restore))
        .routes(routes!(products::stock::ledger, products::stock::adjust))
        .routes(routes!(products::similar))
        .routes(routes!(products::views::note))
        .routes(routes!(products::picture))
        .routes(routes!(products::categories))
        .routes(routes!(users::register, users::list))
        .routes(routes!(users::login))
        .routes(routes!(users::logout))
        .routes(routes!(users::get, users::change_role))
        .routes(routes!(users::log_out))
        .routes(routes!(me::get, me::change, me::delete))
        .routes(routes!(me::change_password))
        .routes(routes!(me::sessions, me::end_sessions))
        .routes(routes!(me::end_session))
        .routes(routes!(cart::get))
        .routes(routes!(cart::put_item, cart::delete_item))
        .routes(routes!(orders::list, orders::checkout))
        .routes(routes!(orders::get))
        .routes(routes!(orders::cancel))
        .routes(routes!(admin_orders::list))
        .routes(routes!(admin_orders::get, admin_orders::change_status))
        .routes(routes!(admin_overview::get))
        .routes(routes!(admin_model::get))
        .routes(routes!(admin_model::retrain))
        .routes(routes!(audit::list))
        .routes(routes!(recommendations::list))
        .routes(routes!(frontend_metrics::collect))
}

/// All routes, without the layers that both services share.
pub fn router(state: AppState) -> Router {
    let (api, document) = api().split_for_parts();
    let trusted = state.http.origins.iter().try_fold(CsrfLayer::new(), CsrfLayer::add_trusted_origin);
    // What the configuration let through is never refused; were it, no other site would be trusted.
    let csrf = trusted.unwrap_or_else(|_| CsrfLayer::new());
    let shop = state.clone();
    let limited = move |inner| {
        let shop = shop.clone();
        platform::http::with(inner, move |request, inner| limits::limit(shop.clone(), request, inner))
    };
    api.route("/api/openapi.json", get(operations::openapi))
        .route("/api/docs", get(operations::docs))
        .route("/api/docs.css", get(operations::docs_style))
        .layer(
            ServiceBuilder::new()
                // Before anything is counted: another site shall not use up what its visitor may ask.
                .layer(csrf.with_rejection_response(cross_site))
                .layer_fn(limited)
                .layer(ValidateRequestHeaderLayer::custom(WithoutQuery::of(&document))),
        )
        .route("/internal/catalogue", get(internal::catalogue))
        .route("/internal/interactions", get(internal::interactions))
        .route("/health", get(operations::health))
        .route("/health/live", get(platform::health::live))
        .route("/health/ready", get(operations::ready))
        .route("/metrics", get(operations::metrics))
        .with_state(state)
}

/// The OpenAPI document of the routes under `/api`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    crate::openapi::complete(api().into_openapi())
}

/// Refuses parameters that nothing would read: whoever sends them means something by them.
#[derive(Clone, Debug)]
struct WithoutQuery(Arc<HashMap<String, Vec<Method>>>);

impl WithoutQuery {
    /// The operations of the document that take no parameters in their query, by their routes.
    fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let takes = |operation: &Operation| {
            let mut parameters = operation.parameters.iter().flatten();
            parameters.any(|parameter| {
                matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query)
            })
        };
        let of = document.paths.paths.iter().map(|(route, item)| {
            let operations = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            let without = operations
                .into_iter()
                .filter(|(_, operation)| operation.as_ref().is_some_and(|operation| !takes(operation)));
            (route.clone(), without.map(|(method, _)| method).collect())
        });
        Self(Arc::new(of.collect()))
    }
}

impl ValidateRequest<Body> for WithoutQuery {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request) -> Result<(), Response<Body>> {
        if request.uri().query().unwrap_or_default().is_empty() {
            return Ok(());
        }
        let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        if self.0.get(route).is_some_and(|methods| methods.contains(method)) {
            return Err(Problem::bad_request("query: this takes no parameters").into_response());
        }
        Ok(())
    }
}

/// Refuses an unsafe request that another site made a browser send (`Sec-Fetch-Site`, or `Origin` beside `Host`).
fn cross_site(_: ProtectionError) -> Response<Body> {
    tracing::info!("refused: the request comes from another site");
    Problem::new(StatusCode::FORBIDDEN, "forbidden", "This is not allowed")
        .detail("the request comes from another site")
        .into_response()
}
