//! What the tests of dashboards, rules and telemetry share.

pub mod dashboards;
pub mod query;
pub mod rules;
pub mod traces;
