//! Accounts.

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::domain::user::{Role, User};
use crate::error::{Error, Result};

const COLUMNS: &str = "id, email, name, role, created_at";

/// An account from a row that has its columns.
pub(super) fn user(row: &Row) -> Result<User> {
    let role: &str = row.try_get("role")?;
    Ok(User {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        role: Role::parse(role).ok_or_else(|| Error::Internal(format!("unknown role {role}")))?,
        created_at: row.try_get("created_at")?,
    })
}

/// Makes an account; [`Error::EmailTaken`] where another has the address.
pub async fn insert(
    client: &impl GenericClient,
    email: &str,
    name: &str,
    password_hash: &str,
) -> Result<User> {
    let sql = format!(
        "insert into users (id, email, name, password_hash) values ($1, $2, $3, $4) returning {COLUMNS}"
    );
    let statement = client.prepare_cached(&sql).await?;
    user(&client.query_one(&statement, &[&Uuid::now_v7(), &email, &name, &password_hash]).await?)
}

/// Makes an account, or gives an existing one this password and role.
pub async fn upsert(
    client: &impl GenericClient,
    email: &str,
    name: &str,
    password_hash: &str,
    role: Role,
) -> Result<User> {
    let sql = format!(
        "insert into users (id, email, name, password_hash, role) values ($1, $2, $3, $4, $5) \
         on conflict (email) do update \
         set password_hash = excluded.password_hash, role = excluded.role, updated_at = now() returning {COLUMNS}"
    );
    let statement = client.prepare_cached(&sql).await?;
    let id = Uuid::now_v7();
    user(&client.query_one(&statement, &[&id, &email, &name, &password_hash, &role.as_str()]).await?)
}

/// The account of an id.
pub async fn find(client: &impl GenericClient, id: Uuid) -> Result<Option<User>> {
    let sql = format!("select {COLUMNS} from users where id = $1");
    client.query_opt(&client.prepare_cached(&sql).await?, &[&id]).await?.as_ref().map(user).transpose()
}

/// The account of an address, with its password's hash where it has one.
pub async fn find_by_email(
    client: &impl GenericClient,
    email: &str,
) -> Result<Option<(User, Option<String>)>> {
    let sql = format!("select {COLUMNS}, password_hash from users where email = $1");
    let row = client.query_opt(&client.prepare_cached(&sql).await?, &[&email]).await?;
    row.map(|row| Ok((user(&row)?, row.try_get("password_hash")?))).transpose()
}
