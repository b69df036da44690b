//! Rate limits: how many requests of each class a client, and an account, may send.
//!
//! Reads are counted in the process, for they are many and must cost nothing; the others in Redis, for all replicas.

use std::sync::Arc;

use axum::extract::{MatchedPath, OptionalFromRequestParts, Request};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use opentelemetry::KeyValue;
use opentelemetry::metrics::BoundCounter;
use platform::client::{Client, TrustedProxies};
use platform::http::{Answers, answer};
use platform::limits::{Key, Quota, Shared, Table, Told, Verdict};
use platform::redis::Redis;
use platform::shed::Lane;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::AppState;
use crate::error::Error;
use crate::sessions::Session;

/// draft-ietf-httpapi-ratelimit-headers: the quota, and what is left of it.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// What a request may cost, and so with which others it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Changes nothing.
    Read,
    /// Changes something.
    Write,
    /// Tries or sets a password: takes tens of milliseconds, and is what a guesser sends.
    Auth,
    /// What pages send by themselves.
    Report,
}

impl Class {
    /// In the order of their declaration.
    const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Auth, Self::Report];

    /// The class of a request to a route.
    pub fn of(method: &Method, route: &str) -> Self {
        match (method.as_str(), route) {
            ("GET" | "HEAD" | "OPTIONS", _) => Self::Read,
            ("POST", "/api/users" | "/api/users/login")
            | ("PATCH" | "DELETE", "/api/users/me")
            | ("PUT", "/api/users/me/password") => Self::Auth,
            ("POST", "/api/frontend-metrics" | "/api/products/{id}/views") => Self::Report,
            _ => Self::Write,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Auth => "auth",
            Self::Report => "report",
        }
    }
}

/// The lane of a request: what the caches usually answer never waits behind what the database holds up. Of the catalogue's
/// lists those are the ones without a search, filters or a cursor.
pub fn lane(request: &Request) -> Lane {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let plain = |query: &str| {
        query.split('&').all(|pair| {
            ["", "category", "sort", "limit"].contains(&pair.split('=').next().unwrap_or_default())
        })
    };
    let quick = match route {
        "/api/products" => plain(request.uri().query().unwrap_or_default()),
        "/api/products/{id}" | "/api/products/{id}/picture.svg" | "/api/categories" | "/api/openapi.json" => {
            true
        }
        _ => false,
    };
    if quick && Class::of(request.method(), route) == Class::Read { Lane::Quick } else { Lane::Slow }
}

/// The quota of each class.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Of [`Class::Read`], in each replica.
    pub read: Quota,
    /// Of [`Class::Write`].
    pub write: Quota,
    /// Of [`Class::Auth`].
    pub auth: Quota,
    /// Of [`Class::Report`].
    pub report: Quota,
}

impl Quotas {
    fn of(&self, class: Class) -> Quota {
        match class {
            Class::Read => self.read,
            Class::Write => self.write,
            Class::Auth => self.auth,
            Class::Report => self.report,
        }
    }
}

/// Counts requests. Clones share the counts.
#[derive(Clone, Debug)]
pub struct Limits(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    quotas: Quotas,
    proxies: TrustedProxies,
    reads: Table,
    writes: Arc<Shared>,
    auths: Arc<Shared>,
    reports: Arc<Shared>,
    /// By class; each allowed and limited.
    counters: [[BoundCounter<u64>; 2]; 4],
    policies: [HeaderValue; 4],
}

/// Whose requests are counted together. Redis is not told the address itself.
fn client_key(client: Client) -> Key {
    digest(b"client", &client.octets())
}

fn account_key(user_id: Uuid) -> Key {
    digest(b"account", user_id.as_bytes())
}

fn digest(kind: &[u8], who: &[u8]) -> Key {
    let hash: [u8; 32] = Sha256::new().chain_update(kind).chain_update(who).finalize().into();
    hash.first_chunk().copied().unwrap_or_default()
}

impl Limits {
    /// Limits of which nothing is used yet by this process.
    pub fn new(quotas: Quotas, proxies: TrustedProxies, redis: &Redis) -> Self {
        let counter = platform::telemetry::meter()
            .u64_counter("shop.rate_limit")
            .with_description("Requests by class, allowed or limited")
            .build();
        Self(Arc::new(Parts {
            quotas,
            proxies,
            reads: Table::default(),
            // The only ones that customers wait for again and again.
            writes: Shared::new(redis.clone(), "limit:write:", quotas.write, Told::Soon),
            auths: Shared::new(redis.clone(), "limit:auth:", quotas.auth, Told::First),
            reports: Shared::new(redis.clone(), "limit:report:", quotas.report, Told::First),
            counters: Class::ALL.map(|class| {
                ["allowed", "limited"].map(|result| {
                    counter.bind(&[KeyValue::new("class", class.name()), KeyValue::new("result", result)])
                })
            }),
            policies: Class::ALL.map(|class| policy(class, quotas.of(class))),
        }))
    }

    fn note(&self, class: Class, verdict: Verdict) {
        self.0.counters[class as usize][usize::from(!verdict.allowed)].add(1);
    }
}

/// The header that tells a class' quota.
fn policy(class: Class, quota: Quota) -> HeaderValue {
    let policy = format!("\"{}\";q={};w={}", class.name(), quota.burst(), whole_seconds(quota.window()));
    // Of a constant and two numbers.
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Lets a request go on where its client and its account have something left.
pub async fn limit(state: AppState, request: Request, inner: impl Answers) -> Response {
    let limits = &state.limits;
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let class = Class::of(request.method(), route);
    let client = limits.0.proxies.client_of(request.extensions(), request.headers());
    let (verdict, request) = match class {
        Class::Read => (limits.0.reads.take(limits.0.quotas.read, &client.octets()), request),
        Class::Report => (limits.0.reports.take(&[client_key(client)]).await, request),
        Class::Write => by_account(&state, &limits.0.writes, client, request).await,
        Class::Auth => by_account(&state, &limits.0.auths, client, request).await,
    };
    limits.note(class, verdict);
    let mut response = if verdict.allowed {
        answer(inner, request).await
    } else {
        Error::TooManyRequests { retry_after: whole_seconds(verdict.retry_after) }.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(POLICY, limits.0.policies[class as usize].clone());
    let seconds = verdict.whole_after.as_millis().div_ceil(1000);
    if let Ok(left) =
        HeaderValue::try_from(format!("\"{}\";r={};t={seconds}", class.name(), verdict.remaining))
    {
        headers.insert(STATE, left);
    }
    response
}

/// Counts for the client and, where somebody is logged in, for the account.
async fn by_account(
    state: &AppState,
    buckets: &Arc<Shared>,
    client: Client,
    request: Request,
) -> (Verdict, Request) {
    let client = client_key(client);
    // Before the session is looked for: a flood of invented sessions must not reach the database.
    if let Some(refusal) = buckets.refused(&client) {
        return (refusal, request);
    }
    let (mut parts, body) = request.into_parts();
    // Where it cannot be told now who this is, the handler will find the same, and answer.
    let session =
        <Session as OptionalFromRequestParts<AppState>>::from_request_parts(&mut parts, state).await;
    let account = session.ok().flatten().map(|session| account_key(session.user_id));
    let keys: Vec<Key> = std::iter::once(client).chain(account).collect();
    (buckets.take(&keys).await, Request::from_parts(parts, body))
}

/// Rounded up, and at least one.
fn whole_seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::routing::any;
    use tower::ServiceExt;

    #[tokio::test]
    async fn what_a_cache_answers_has_a_lane_of_its_own() {
        let tell = any(async |request: Request| format!("{:?}", lane(&request)));
        let routes = ["/api/products", "/api/products/{id}", "/api/categories", "/api/orders", "/api/cart"];
        let app = routes.into_iter().fold(Router::new(), |app, route| app.route(route, tell.clone()));
        for (method, url, lane) in [
            ("GET", "/api/products", "Quick"),
            ("GET", "/api/products?category=Lamps&sort=price&limit=5", "Quick"),
            ("GET", "/api/products?q=lamp", "Slow"),
            ("GET", "/api/products?category=Lamps&cursor=x", "Slow"),
            ("GET", "/api/products?limit&in_stock=true", "Slow"),
            ("POST", "/api/products", "Slow"),
            ("GET", "/api/products/1", "Quick"),
            ("DELETE", "/api/products/1", "Slow"),
            ("GET", "/api/categories", "Quick"),
            ("GET", "/api/orders", "Slow"),
            ("GET", "/api/cart", "Slow"),
        ] {
            let request = Request::builder().method(method).uri(url).body(Body::empty()).expect("a request");
            let answer = app.clone().oneshot(request).await.expect("an answer");
            let body = axum::body::to_bytes(answer.into_body(), 100).await.expect("a body");
            assert_eq!(body, lane, "{method} {url}");
        }
    }
}
