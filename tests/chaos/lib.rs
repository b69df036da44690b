//! Breaks a shop again and again while customers buy, and looks after each time whether what they were told is true:
//! `make chaos ROUNDS=500 SEED=1`.

pub mod checker;
pub mod customers;
pub mod events;
pub mod faults;
