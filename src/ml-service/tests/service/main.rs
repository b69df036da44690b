//! The service as its callers see it: the addresses over a model in memory, then the whole with a real Redis
//! and a backend that stands in for the real one.

mod addresses;
mod following;
mod harness;
