//! Which passwords are taken.

use crate::domain::input::Check;

/// The most characters of a password, so that nobody has the shop hash a book.
const MAX: usize = 128;
/// The fewest characters of a new one.
const MIN: usize = 10;

/// Checks a password that is to be compared: only its length, since those of yesterday's rules are still passwords.
pub fn check_given(check: &mut Check, field: &str, password: &str) {
    check.that(password.chars().count() <= MAX, field, format!("must have at most {MAX} characters"));
}

/// Checks a new password of the account of an address.
pub fn check_new(check: &mut Check, field: &str, password: &str, _email: &str) {
    let length = password.chars().count();
    check.that((MIN..=MAX).contains(&length), field, format!("must have {MIN} to {MAX} characters"));
}
