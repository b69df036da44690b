//! Breaks a shop again and again while customers buy, and looks after each time whether what they were told is true; or lets
//! it run for long, and looks whether anything grows.

pub mod checker;
pub mod customers;
pub mod events;
pub mod faults;
pub mod rounds;
pub mod soak;
