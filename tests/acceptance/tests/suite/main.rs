//! What a shop promises to those who use it; the files mirror its addresses.

mod bad_input;
mod cart;
mod frontend_metrics;
mod operations;
mod orders;
mod products;
mod recommendations;
mod users;
mod web;
