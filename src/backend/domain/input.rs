//! Checks of input that collect every mistake before they refuse.

use platform::problem::FieldError;
use serde::{Deserialize, Deserializer};

use crate::error::Error;

/// A field that may be left out, but is not null where it is there.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

/// Collects what is wrong with an input.
#[derive(Debug, Default)]
pub struct Check(Vec<FieldError>);

impl Check {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a mistake unless the condition holds.
    pub fn that(&mut self, holds: bool, field: &str, message: impl Into<String>) {
        if !holds {
            self.0.push(FieldError::new(field, message));
        }
    }

    /// Text without surrounding space, of `min` to `max` characters, without control characters.
    pub fn text(&mut self, field: &str, value: &str, min: usize, max: usize) -> String {
        let value = value.trim();
        let length = value.chars().count();
        self.that((min..=max).contains(&length), field, format!("must have {min} to {max} characters"));
        self.that(!value.chars().any(char::is_control), field, "must not contain control characters");
        value.to_owned()
    }

    /// The value where nothing was wrong, else every mistake.
    pub fn finish<T>(self, value: T) -> Result<T, Error> {
        if self.0.is_empty() { Ok(value) } else { Err(Error::Invalid(self.0)) }
    }
}
