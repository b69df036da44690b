//! How slow guessing is.

use std::time::Duration;

/// How long an address takes no further attempt after that many failures in a row; the last one from then on. Three
/// mistakes cost nothing; a day of guessing one account's password comes to fewer than a hundred and ten attempts.
pub const DELAYS: [Duration; 10] = [
    Duration::ZERO,
    Duration::ZERO,
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(32),
    LOCK_OUT,
];

/// How long a lock-out lasts.
pub const LOCK_OUT: Duration = Duration::from_mins(15);

/// How long failures count without another attempt. Longer than the lock-out, after which one more failure locks again.
pub const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

/// Whether this failure, counted from one, locks the address out.
pub fn locks_out(failures: i32) -> bool {
    usize::try_from(failures).is_ok_and(|failures| failures >= DELAYS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_end_in_a_lock_out() {
        assert_eq!(DELAYS.map(|delay| delay.as_secs()), [0, 0, 0, 1, 2, 4, 8, 16, 32, 900]);
        assert!(!locks_out(9) && locks_out(10) && locks_out(11));
        assert!(FORGOTTEN_AFTER > LOCK_OUT);
    }
}
