//! The demo shop: its catalogue and, outside production, its accounts.

use deadpool_postgres::Transaction;

use crate::db;
use crate::domain::user::Role;
use crate::domain::{CURRENCY, demo};
use crate::error::Result;
use crate::passwords::Passwords;

/// The accounts of the demo shop, as address, name, password and role; their passwords are public, so they are never made
/// in production.
pub const DEMO_ACCOUNTS: [(&str, &str, &str, Role); 2] = [
    ("demo@shopmicro.example", "Demo Customer", "demo-customer-pass", Role::Customer),
    ("admin@shopmicro.example", "Demo Admin", "demo-admin-pass", Role::Admin),
];

/// What was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeded {
    /// Products of the demo shop.
    pub products: usize,
    /// Of those, how many are new.
    pub products_added: usize,
    /// Accounts that are new.
    pub accounts_added: usize,
}

/// Puts the demo shop in; what is there already stays as it is, since the demo shop may have been traded in.
pub async fn seed(transaction: &Transaction<'_>, production: bool) -> Result<Seeded> {
    let catalogue = demo::catalogue(demo::SEED);
    let mut seeded = Seeded { products: catalogue.len(), products_added: 0, accounts_added: 0 };
    for product in &catalogue {
        let added = db::products::insert_demo(transaction, product, CURRENCY).await?;
        seeded.products_added += usize::from(added);
    }
    if !production {
        let passwords = Passwords::new()?;
        for (email, name, password, role) in DEMO_ACCOUNTS {
            if db::users::find_by_email(transaction, email).await?.is_none() {
                let hash = passwords.hash(password.to_owned()).await?;
                db::users::insert(transaction, email, name, &hash, role).await?;
                seeded.accounts_added += 1;
            }
        }
    }
    Ok(seeded)
}
