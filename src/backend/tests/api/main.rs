//! The API over HTTP, on a real PostgreSQL and a real Redis. The files mirror the URLs.

mod admin_orders;
mod admin_products;
mod cache;
mod cart;
mod cors;
mod csrf;
mod frontend_metrics;
mod harness;
mod internal;
mod limits;
mod logins;
mod me;
mod openapi;
mod operations;
mod orders;
mod outbox;
mod payments;
mod products;
mod recommendations;
mod round_trips;
mod schema;
mod search;
mod sessions;
mod shedding;
mod users;
