//! Other sites whose pages may ask.

use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may keep the answer to a preflight.
const PREFLIGHT_AGE: Duration = Duration::from_mins(10);

/// Other sites that are trusted, as browsers write them in `Origin`.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<HeaderValue>);

impl FromStr for Origins {
    type Err = String;

    /// Origins between commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let origin = |text: &str| {
            let text = text.trim();
            // Any other spelling would never match, and there are no wildcards.
            url::Url::parse(text)
                .ok()
                .filter(|url| ["http", "https"].contains(&url.scheme()))
                .filter(|url| url.origin().ascii_serialization() == text && !text.contains('*'))
                .and_then(|_| HeaderValue::try_from(text).ok())
                .ok_or_else(|| {
                    format!("{text:?} is no origin such as https://shop.example or http://localhost:5173")
                })
        };
        text.split(',').map(origin).collect::<Result<_, _>>().map(Self)
    }
}

impl Origins {
    /// Each as text.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|origin| origin.to_str().ok())
    }
}

/// Other sites whose pages may ask the API, and with what; none where no origin is given.
pub(super) fn cors(origins: &Origins) -> Option<CorsLayer> {
    let names =
        |names: &[&'static str]| names.iter().copied().map(HeaderName::from_static).collect::<Vec<_>>();
    (!origins.0.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins.0.iter().cloned()))
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(names(&[
                "content-type",
                "idempotency-key",
                "if-match",
                "if-none-match",
                "traceparent",
                "x-request-id",
            ]))
            .expose_headers(names(&["etag", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"]))
            .max_age(PREFLIGHT_AGE)
            .vary([header::ORIGIN])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_spelt_as_browsers_spell_it() {
        let origins: Origins = "https://shop.example, http://localhost:5173".parse().expect("origins");
        assert_eq!(origins.iter().collect::<Vec<_>>(), ["https://shop.example", "http://localhost:5173"]);
        for wrong in [
            "*",
            "null",
            "shop.example",
            "https://shop.example/",
            "https://shop.example/a",
            "https://shop.example:443",
            "https://Shop.example",
            "https://*.example",
            "ftp://shop.example",
            "https://a@shop.example",
            "https://shop.example,",
        ] {
            assert!(wrong.parse::<Origins>().is_err(), "{wrong}");
        }
    }
}
