//! What both services share: configuration, telemetry, HTTP layers, health, Redis and shutdown.
//! A leaf: it knows nothing of the shop.

mod bounds;
pub mod client;
pub mod config;
pub mod extract;
pub mod health;
pub mod http;
pub mod json;
pub mod limits;
pub mod problem;
pub mod redis;
pub mod server;
pub mod shed;
pub mod shutdown;
pub mod spans;
pub mod telemetry;
mod trace;
pub mod zeros;

/// Instead of the C library's, which takes longer for the many small things of a request, and keeps the 19 MiB of a
/// password's hash once for each of its arenas.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
