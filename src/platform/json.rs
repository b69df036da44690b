//! JSON as answers have it.

use std::cell::Cell;

use axum::body::Bytes;
use serde::Serialize;

/// The most room that is kept for the next answer, in bytes.
const ROOM: usize = 64 * 1024;

thread_local! {
    /// Where the answer before was written, so that none grows piece by piece.
    static WRITTEN: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A value as JSON, in just as much memory as it takes.
pub fn to_bytes(value: &impl Serialize) -> serde_json::Result<Bytes> {
    let mut room = WRITTEN.take();
    room.clear();
    let bytes = serde_json::to_writer(&mut room, value).map(|()| Bytes::copy_from_slice(&room));
    if room.capacity() <= ROOM {
        WRITTEN.set(room);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_the_answer_before() {
        for value in ["long enough", "short", &"x".repeat(2 * ROOM), ""] {
            let bytes = to_bytes(&value).expect("JSON");
            assert_eq!(bytes, format!("{value:?}"));
        }
    }

    #[test]
    fn an_answer_that_cannot_be_written_leaves_nothing_either() {
        let half = ("begun", std::collections::HashMap::from([(vec![1], 2)]));
        assert!(to_bytes(&half).is_err());
        assert_eq!(to_bytes(&1).expect("JSON"), "1");
    }
}
