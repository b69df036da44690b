//! Bounds on a request's head, checked before anything is done for it.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};

use crate::problem::Problem;

/// The longest path and query string, in bytes.
const MAX_URL: usize = 4096;
/// The most header lines, and the most bytes in all of them; hyper's own bounds are about twice as large.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Why a head that is too large or misspelt is refused.
pub(crate) fn refusal(request: &Request) -> Option<Problem> {
    let url = request.uri().path_and_query().map_or("", |url| url.as_str());
    if url.len() > MAX_URL {
        let problem = Problem::new(StatusCode::URI_TOO_LONG, "uri-too-long", "The address is too long");
        return Some(problem.detail(format!("path and query string may have {MAX_URL} bytes")));
    }
    if too_large(request.headers()) {
        let problem = Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers-too-large",
            "The headers are too large",
        );
        let bounds = format!("there may be {MAX_HEADERS} lines of {MAX_HEADER_BYTES} bytes in all");
        return Some(problem.detail(bounds));
    }
    (!is_well_formed(url)).then(|| Problem::bad_request("the address is not percent-encoded UTF-8"))
}

fn too_large(headers: &HeaderMap) -> bool {
    // The colon, the space and the end of the line.
    let line = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        name.as_str().len() + value.len() + 4
    };
    headers.len() > MAX_HEADERS || headers.iter().map(line).sum::<usize>() > MAX_HEADER_BYTES
}

/// Every percent sign stands before two hexadecimal digits, and what they spell is UTF-8. Decoders are lenient here, and
/// each in its own way.
fn is_well_formed(url: &str) -> bool {
    if !url.contains('%') {
        return true;
    }
    let mut decoded = Vec::with_capacity(url.len());
    let mut bytes = url.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => decoded.push(u8::try_from(high * 16 + low).unwrap_or_default()),
            _ => return false,
        }
    }
    std::str::from_utf8(&decoded).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_percent_encoded_utf8() {
        for good in ["/", "/a?b=c", "/%41%2f?q=%C3%A9", "/?q=100%25"] {
            assert!(is_well_formed(good), "{good}");
        }
        for bad in ["/%", "/%4", "/%zz", "/?q=%+1", "/?q=%ff", "/?q=%c3", "/?q=%c3%28", "/?q=%ed%a0%80"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
