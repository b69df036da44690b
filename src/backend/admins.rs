//! The way in for the first admin, and back in for one who lost the password: a command for who can reach the database.

use deadpool_postgres::Client;
use serde_json::json;
use uuid::Uuid;

use crate::db;
use crate::db::sessions::Which;
use crate::domain::user::{NewUser, Role};
use crate::error::{Error, Result};
use crate::passwords::Passwords;

/// An admin who can log in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admin {
    /// The account is new.
    Created(Uuid),
    /// There was an account of this address: it has the role and the password now, its own name, and no sessions.
    Promoted(Uuid),
}

/// Makes an account of the shop's admins, or makes an account one of them.
pub async fn create(client: &mut Client, passwords: &Passwords, new: NewUser) -> Result<Admin> {
    let hash = passwords.hash(new.password).await?;
    let transaction = client.transaction().await?;
    let admin = if let Some((user, _)) = db::users::find_by_email(&transaction, &new.email).await? {
        let user = db::users::lock(&transaction, user.id)
            .await?
            .ok_or_else(|| Error::Internal("the account was deleted meanwhile".to_owned()))?;
        db::users::make_admin(&transaction, user.id, &hash).await?;
        // The worker of whichever replica is up tells Redis.
        let ended = db::sessions::end(&transaction, Which::OfUser(user.id)).await?;
        db::audit::insert(
            &transaction,
            None,
            "password.changed",
            user.id,
            json!({ "sessions": ended.len() }),
        )
        .await?;
        if user.role != Role::Admin {
            let detail = json!({ "from": user.role, "to": Role::Admin });
            db::audit::insert(&transaction, None, "role.changed", user.id, detail).await?;
        }
        Admin::Promoted(user.id)
    } else {
        let user = db::users::insert(&transaction, &new.email, &new.name, &hash, Role::Admin).await?;
        let detail = json!({ "role": Role::Admin });
        db::audit::insert(&transaction, None, "account.registered", user.id, detail).await?;
        Admin::Created(user.id)
    };
    db::logins::clear(&transaction, &new.email).await?;
    db::fetch::commit(transaction).await?;
    Ok(admin)
}
