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
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::handler::Handler;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use pastey::paste;
use platform::problem::Problem;
use serde::Deserialize;
use tower::ServiceBuilder;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::validate_request::{ValidateRequest, ValidateRequestHeaderLayer};
use utoipa::openapi::HttpMethod;
use utoipa::{OpenApi, Path as _};
use utoipa_axum::PathItemExt as _;

use self::products::{edit, import, search, stock, views};
use crate::{AppState, limits};

/// Declares the operations of the API: [`api`] has what answers each of them, and `ApiDoc` what their annotations say. The
/// latter is far more code, which a service that only answers shall not have in its memory.
macro_rules! operations {
    ($($module:ident::$handler:ident),+ $(,)?) => { paste! {
        fn api() -> Router<AppState> {
            Router::new()$(.route(
                &$module::[<__path_ $handler>]::path(),
                answered_by(&$module::[<__path_ $handler>]::methods(), &$module::$handler),
            ))+
        }

        #[derive(OpenApi)]
        #[openapi(
            info(
                title = "ShopMicro",
                description = "The API of the shop. Errors are application/problem+json (RFC 9457); the last segment of `type` is stable. \
                    Lists are keyset pages: ask again with `next_cursor`. Sessions and guests' carts are cookies. \
                    To be read at /api/docs.",
                license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
            ),
            paths($($module::$handler),+),
            components(schemas(Problem, crate::domain::listing::Sort))
        )]
        struct ApiDoc;
    } }
}

operations![
    products::list,
    products::get,
    products::similar,
    products::picture,
    products::categories,
    search::facets,
    search::suggestions,
    edit::create,
    edit::archived,
    edit::replace,
    edit::archive,
    edit::restore,
    import::import,
    stock::ledger,
    stock::adjust,
    views::note,
    users::register,
    users::list,
    users::login,
    users::logout,
    users::get,
    users::change_role,
    users::log_out,
    me::get,
    me::change,
    me::delete,
    me::change_password,
    me::sessions,
    me::end_sessions,
    me::end_session,
    cart::get,
    cart::put_item,
    cart::delete_item,
    orders::list,
    orders::checkout,
    orders::get,
    orders::cancel,
    admin_orders::list,
    admin_orders::get,
    admin_orders::change_status,
    admin_overview::get,
    admin_model::get,
    admin_model::retrain,
    audit::list,
    recommendations::list,
    frontend_metrics::collect,
];

fn answered_by<H, T>(methods: &[HttpMethod], handler: &H) -> MethodRouter<AppState>
where
    H: Handler<T, AppState>,
    T: 'static,
{
    methods
        .iter()
        .fold(MethodRouter::new(), |router, method| router.on(method.to_method_filter(), handler.clone()))
}

/// All routes, without the layers that both services share.
pub fn router(state: AppState) -> Router {
    let trusted = state.http.origins.iter().try_fold(CsrfLayer::new(), CsrfLayer::add_trusted_origin);
    // What the configuration let through is never refused; were it, no other site would be trusted.
    let csrf = trusted.unwrap_or_else(|_| CsrfLayer::new());
    let shop = state.clone();
    let limited = move |inner| {
        let shop = shop.clone();
        platform::http::with(inner, move |request, inner| limits::limit(shop.clone(), request, inner))
    };
    api()
        .route("/api/openapi.json", get(operations::openapi))
        .route("/api/docs", get(operations::docs))
        .route("/api/docs.css", get(operations::docs_style))
        .layer(
            ServiceBuilder::new()
                // Before anything is counted: another site shall not use up what its visitor may ask.
                .layer(csrf.with_rejection_response(cross_site))
                .layer_fn(limited)
                .layer(ValidateRequestHeaderLayer::custom(WithoutQuery)),
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
    crate::openapi::complete(ApiDoc::openapi())
}

/// Refuses parameters that nothing would read: whoever sends them means something by them.
#[derive(Clone, Copy, Debug)]
struct WithoutQuery;

/// What of the document [`WithoutQuery`] looks at.
#[derive(Deserialize)]
struct Documented {
    paths: HashMap<String, HashMap<String, DocumentedOperation>>,
}

#[derive(Deserialize)]
struct DocumentedOperation {
    #[serde(default)]
    parameters: Vec<DocumentedParameter>,
}

#[derive(Deserialize)]
struct DocumentedParameter {
    r#in: String,
}

/// The operations that take no parameters in their query, by their routes: as the committed document has it, and read from
/// it once somebody sends some.
static WITHOUT_QUERY: LazyLock<HashMap<String, Vec<Method>>> = LazyLock::new(|| {
    let document: Documented =
        serde_json::from_str(operations::DOCUMENT).unwrap_or_else(|_| Documented { paths: HashMap::new() });
    let without = |operations: HashMap<String, DocumentedOperation>| {
        let takes = |operation: &DocumentedOperation| {
            operation.parameters.iter().any(|parameter| parameter.r#in == "query")
        };
        let without = operations.into_iter().filter(|(_, operation)| !takes(operation));
        without.filter_map(|(method, _)| method.to_uppercase().parse().ok()).collect()
    };
    document.paths.into_iter().map(|(route, operations)| (route, without(operations))).collect()
});

impl ValidateRequest<Body> for WithoutQuery {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request) -> Result<(), Response<Body>> {
        if request.uri().query().unwrap_or_default().is_empty() {
            return Ok(());
        }
        let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        if WITHOUT_QUERY.get(route).is_some_and(|methods| methods.contains(method)) {
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
