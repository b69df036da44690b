//! Keyset pages: a cursor holds the sort key of the last item, so that a page costs the same however deep it is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::Error;

/// The largest page.
pub const MAX_LIMIT: u32 = 100;

/// A page's size as asked for, or the default of 20; 400 out of 1..100.
pub fn limit(asked: Option<u32>) -> Result<i64, Error> {
    limit_within(asked, 20, MAX_LIMIT)
}

/// A page's size as asked for, or the default; 400 out of 1..max.
pub fn limit_within(asked: Option<u32>, default: u32, max: u32) -> Result<i64, Error> {
    match asked.unwrap_or(default) {
        limit if (1..=max).contains(&limit) => Ok(i64::from(limit)),
        _ => Err(Error::BadRequest(format!("query parameter limit: must be from 1 to {max}"))),
    }
}

/// A text that is asked for, without surrounding space; 400 where it is empty, too long, or holds control characters.
pub fn text(parameter: &str, text: &str, max: usize) -> Result<String, Error> {
    let text = text.trim();
    if (1..=max).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    let rule = format!("must have 1 to {max} characters, none of them control characters");
    Err(Error::BadRequest(format!("query parameter {parameter}: {rule}")))
}

/// Writes a cursor: opaque to clients.
pub fn encode<K: Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// Reads a cursor; 400 where it is none of ours.
pub fn decode<K: DeserializeOwned>(cursor: &str) -> Result<K, Error> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or_else(|| Error::BadRequest("query parameter cursor: not a cursor of this list".to_owned()))
}

/// Cuts what a query for `limit + 1` rows found to a page, and makes the next cursor from its last item.
pub fn cut<T, K: Serialize>(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> (Vec<T>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(|last| encode(&key(last))) } else { None };
    (rows, next)
}

/// The cursor of a list ordered by time, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeKey {
    /// When the last item was created.
    #[serde(deserialize_with = "storable_time")]
    pub at: jiff::Timestamp,
    /// Its id, since many may share a moment.
    pub id: uuid::Uuid,
}

/// Reads a moment that PostgreSQL can compare with: jiff knows earlier ones.
pub fn storable_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<jiff::Timestamp, D::Error> {
    let at = jiff::Timestamp::deserialize(deserializer)?;
    let storable = at >= jiff::Timestamp::UNIX_EPOCH;
    storable.then_some(at).ok_or_else(|| D::Error::custom("before the first shop"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_there_is_more() {
        let (items, next) = cut(vec![1, 2, 3], 2, |n| *n);
        assert_eq!(items, [1, 2]);
        assert_eq!(decode::<i32>(&next.expect("more")).expect("ours"), 2);
        assert_eq!(cut(vec![1, 2], 2, |n| *n), (vec![1, 2], None));
    }

    #[test]
    fn foreign_cursors_and_sizes_are_refused() {
        assert!(decode::<TimeKey>("%%%").is_err());
        assert!(decode::<TimeKey>(&encode(&5)).is_err());
        assert!(limit(Some(0)).is_err() && limit(Some(101)).is_err());
        assert_eq!(limit(None).expect("default"), 20);
    }
}
