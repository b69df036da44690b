//! STUB until the generator is here.
/// Seed.
pub const SEED: u64 = 1;
/// Product.
#[derive(Clone, Debug)]
pub struct DemoProduct {
    /// a
    pub sku: String,
    /// a
    pub name: String,
    /// a
    pub description: String,
    /// a
    pub category: String,
    /// a
    pub tags: Vec<String>,
    /// a
    pub price_cents: i64,
    /// a
    pub stock: i32,
}
/// Stub.
pub fn catalogue(_: u64) -> Vec<DemoProduct> {
    Vec::new()
}
