//! The shop's rules, free of HTTP and SQL.

pub mod demo;
pub mod import_rules;
pub mod input;
pub mod listing;
pub mod login;
pub mod order;
pub mod page;
pub mod password;
pub mod payment;
pub mod picture;
pub mod product;
pub mod question;
pub mod user;

/// The shop's one currency (ISO 4217): prices in carts and orders add up because there is no other.
pub const CURRENCY: &str = "GBP";
