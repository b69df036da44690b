//! What the OpenAPI document says of every operation alike, so that no operation can forget it: what the layers around the
//! routes may answer, who may ask, and which part of the shop it belongs to.

pub mod page;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::Tag;
use utoipa::openapi::{Content, OpenApi, Ref, Response, Server};

use crate::sessions::SESSION_COOKIE;

/// What any request may be answered.
const EVERYWHERE: [(&str, &str); 5] = [
    ("400", "The request is malformed"),
    ("414", "The address is too long"),
    ("429", "Asked too often: `Retry-After` and `RateLimit` say when it may be asked again"),
    ("431", "The headers are too large"),
    (
        "503",
        "A part of the shop is not available, or there is too much to do; `Retry-After` says when to try again",
    ),
];

/// What reading a body may answer.
const WITH_BODY: [(&str, &str); 4] = [
    ("408", "The body did not arrive in time"),
    ("413", "The body is too large"),
    ("415", "The body must be JSON"),
    ("422", "Fields are not valid"),
];

/// What a request that changes something may be answered.
const WRITING: [(&str, &str); 1] = [("403", "The request comes from another site, or is not allowed")];

/// The parts of the shop, by how the paths of their operations begin.
const TAGS: [(&str, &str, &str); 8] = [
    ("/api/products", "catalogue", "Products: to be found, and to be kept by admins"),
    ("/api/categories", "catalogue", ""),
    ("/api/cart", "cart", "The cart of a customer or of a guest"),
    ("/api/orders", "orders", "Checkout, and what became of it"),
    ("/api/recommendations", "recommendations", "What a customer may like"),
    ("/api/users", "accounts", "Accounts and their sessions"),
    ("/api/frontend-metrics", "telemetry", "What browsers report"),
    ("/api/", "administration", "For admins alone"),
];

/// What is for guests as well as for customers, and differs between them.
const OPTIONAL: [&str; 3] = ["/api/cart", "/api/recommendations", "/api/users/logout"];

/// The name of the security scheme.
const SESSION: &str = "session";

/// Completes the document that the routes' own annotations make.
pub fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let methods = [
            (&mut item.get, false),
            (&mut item.put, true),
            (&mut item.post, true),
            (&mut item.delete, true),
            (&mut item.patch, true),
        ];
        for (operation, writes) in methods {
            if let Some(operation) = operation {
                answers(operation, writes);
                // The login answers 401 too, but needs no session.
                if operation.responses.responses.contains_key("401") && path != "/api/users/login" {
                    operation.security =
                        Some(vec![SecurityRequirement::new::<_, [String; 0], String>(SESSION, [])]);
                }
                if OPTIONAL.iter().any(|prefix| path.starts_with(prefix)) {
                    let nobody = SecurityRequirement::default();
                    let somebody = SecurityRequirement::new::<_, [String; 0], String>(SESSION, []);
                    operation.security = Some(vec![nobody, somebody]);
                }
                let tag = TAGS.iter().find(|(prefix, _, _)| path.starts_with(prefix));
                operation.tags = tag.map(|(_, tag, _)| vec![(*tag).to_owned()]);
            }
        }
    }
    let cookie = ApiKeyValue::with_description(SESSION_COOKIE, "Registration and login set it");
    let components = document.components.get_or_insert_default();
    for (status, description) in EVERYWHERE.iter().chain(&WITH_BODY).chain(&WRITING) {
        let answer = shared_answer(status, description).into();
        components.responses.insert(shared_name(status), answer);
    }
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let tags = TAGS.iter().filter(|(_, _, description)| !description.is_empty());
    document.tags = Some(
        tags.map(|(_, name, description)| {
            let mut tag = Tag::new(*name);
            tag.description = Some((*description).to_owned());
            tag
        })
        .collect(),
    );
    document.servers = Some(vec![Server::new("/")]);
    document
}

/// Adds what an operation does not say itself.
fn answers(operation: &mut Operation, writes: bool) {
    let with_body = if operation.request_body.is_some() { &WITH_BODY[..] } else { &[] };
    let writing = if writes { &WRITING[..] } else { &[] };
    for (status, _) in EVERYWHERE.iter().chain(with_body).chain(writing) {
        let shared = || Ref::from_response_name(shared_name(status)).into();
        operation.responses.responses.entry((*status).to_owned()).or_insert_with(shared);
    }
}

/// The name under which operations refer to an answer.
fn shared_name(status: &str) -> String {
    format!("Problem{status}")
}

/// What operations refer to.
fn shared_answer(status: &str, description: &str) -> Response {
    let content = Content::builder().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = Response::builder().description(description).content("application/problem+json", content);
    if !matches!(status, "429" | "503") {
        return response.build();
    }
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    let header = HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds")).build();
    response.header("Retry-After", header).build()
}
