//! Accounts.

use deadpool_postgres::{Client, GenericClient, Transaction};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::db::sessions::{self, Revocation, Which};
use crate::db::statement::Statement;
use crate::domain::page::TimeKey;
use crate::domain::user::{Role, User};
use crate::error::{Error, Result};
use crate::sessions::IDLE_LIFETIME;

/// The key of the advisory lock under which accounts become and cease to be admins.
const ADMINS_LOCK: i64 = 0x0073_686f_7061_646d;

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
    role: Role,
) -> Result<User> {
    let sql = format!(
        "insert into users (id, email, name, password_hash, role) values ($1, $2, $3, $4, $5) returning {COLUMNS}"
    );
    let id = Uuid::now_v7();
    user(&client.fetch_one(&sql, &[&id, &email, &name, &password_hash, &role.as_str()]).await?)
}

/// Makes an account an admin with this password.
pub async fn make_admin(client: &impl GenericClient, id: Uuid, password_hash: &str) -> Result<()> {
    let sql = "update users set role = 'admin', password_hash = $2, updated_at = now() where id = $1";
    client.run(sql, &[&id, &password_hash]).await?;
    Ok(())
}

/// The account of an id.
pub async fn find(client: &impl GenericClient, id: Uuid) -> Result<Option<User>> {
    let sql = format!("select {COLUMNS} from users where id = $1");
    client.fetch_optional(&sql, &[&id]).await?.as_ref().map(user).transpose()
}

/// The account of an address, with its password's hash where it has one.
pub async fn find_by_email(
    client: &impl GenericClient,
    email: &str,
) -> Result<Option<(User, Option<String>)>> {
    let sql = format!("select {COLUMNS}, password_hash from users where email = $1");
    let row = client.fetch_optional(&sql, &[&email]).await?;
    row.map(|row| Ok((user(&row)?, row.try_get("password_hash")?))).transpose()
}

/// Changes the name and the address, where they are given; none where the account is gone or its password is no longer
/// the one of this hash.
pub async fn update_profile(
    client: &impl GenericClient,
    id: Uuid,
    name: Option<&str>,
    email: Option<&str>,
    password_hash: Option<&str>,
) -> Result<Option<User>> {
    let sql = format!(
        "update users set name = coalesce($2, name), email = coalesce($3, email), updated_at = now() \
         where id = $1 and ($4::text is null or password_hash = $4) returning {COLUMNS}"
    );
    client.fetch_optional(&sql, &[&id, &name, &email, &password_hash]).await?.as_ref().map(user).transpose()
}

/// Changes the password from one hash to another; false where the first is no longer the account's. The account stays
/// locked, so that no session begins with the old password.
pub async fn update_password(transaction: &Transaction<'_>, id: Uuid, from: &str, to: &str) -> Result<bool> {
    let sql = "with account as (select id from users where id = $1 and password_hash = $2 for update) \
               update users u set password_hash = $3, updated_at = now() from account where u.id = account.id";
    Ok(transaction.run(sql, &[&id, &from, &to]).await? == 1)
}

/// Lets nobody else change who is an admin until the transaction ends, and says whether another account is one.
pub async fn other_admins(transaction: &Transaction<'_>, id: Uuid) -> Result<bool> {
    let lock = "select pg_advisory_xact_lock($1)";
    transaction.fetch_all(lock, &[&ADMINS_LOCK]).await?;
    // A statement of its own, which sees what was committed while the lock was waited for.
    let sql = "select exists (select from users where role = 'admin' and id <> $1) as others";
    Ok(transaction.fetch_one(sql, &[&id]).await?.try_get("others")?)
}

/// Erases an account with this password's hash and role: its person, sessions and cart go, its orders stay without a
/// user, and those that are over without an address. Gives what Redis is to be told after the commit; none where the
/// account has changed.
pub async fn delete(
    transaction: &Transaction<'_>,
    id: Uuid,
    password_hash: &str,
    role: Role,
) -> Result<Option<Vec<Revocation>>> {
    // Orders, then the cart, then the account: checkouts and payments lock them in this order.
    for sql in [
        "select id from orders where user_id = $1 order by id for update",
        "select id from carts where user_id = $1 for update",
    ] {
        transaction.fetch_all(sql, &[&id]).await?;
    }
    let sql = "select id from users where id = $1 and password_hash = $2 and role = $3 for update";
    if transaction.fetch_optional(sql, &[&id, &password_hash, &role.as_str()]).await?.is_none() {
        return Ok(None);
    }
    let revoked = sessions::end(transaction, Which::OfUser(id)).await?;
    let sql = "update orders set shipping_address = null \
               where user_id = $1 and status in ('delivered', 'cancelled', 'payment_failed')";
    transaction.run(sql, &[&id]).await?;
    let sql = "delete from users where id = $1";
    transaction.run(sql, &[&id]).await?;
    Ok(Some(revoked))
}

/// Which accounts an admin asks for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those whose address or name begins so, in any case.
    pub prefix: Option<String>,
    /// Only those with this role.
    pub role: Option<Role>,
    /// Only those after this one.
    pub after: Option<TimeKey>,
}

/// The statement for accounts, newest first. Not prepared, since the plan must be made for these values: one for whatever
/// may be asked reads the index of the newest from end to end for a rare prefix, 700 ms in place of 0.1 ms at a million
/// rows.
pub fn listing(filter: &Filter, limit: i64) -> Statement {
    let mut statement = Statement::default();
    let mut conditions = Vec::new();
    if let Some(prefix) = &filter.prefix {
        let prefix = statement.bind(prefix.clone(), Type::TEXT);
        // Not `like`, to which `%` and `_` mean something. Nothing sorts after U+10FFFF.
        let range = format!("between lower({prefix}) and lower({prefix}) || chr(1114111)");
        conditions.push(format!("(email collate \"C\" {range} or lower(name) collate \"C\" {range})"));
    }
    if let Some(role) = filter.role {
        conditions.push(format!("role = {}", statement.bind(role.as_str(), Type::TEXT)));
    }
    if let Some(TimeKey { at, id }) = filter.after {
        let (at, id) = (statement.bind(at, Type::TIMESTAMPTZ), statement.bind(id, Type::UUID));
        conditions.push(format!("(created_at, id) < ({at}, {id})"));
    }
    let select = format!("select {COLUMNS} from users");
    statement.page(&select, &conditions, "created_at desc, id desc", limit);
    statement
}

/// Accounts, newest first.
pub async fn list(client: &Client, filter: &Filter, limit: i64) -> Result<Vec<User>> {
    listing(filter, limit).query(client).await?.iter().map(user).collect()
}

/// An account as an admin sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Account {
    /// What its owner sees of it.
    #[serde(flatten)]
    pub user: User,
    /// False for a customer of imported orders, who cannot log in.
    pub has_password: bool,
    /// How many sessions are open.
    pub sessions: i64,
    /// How many orders it has.
    pub orders: i64,
    /// Until when logins are refused, after failed ones (RFC 3339).
    #[schema(value_type = Option<String>, format = DateTime)]
    pub blocked_until: Option<Timestamp>,
}

/// The account of an id, as an admin sees it.
pub async fn find_account(client: &impl GenericClient, id: Uuid) -> Result<Option<Account>> {
    let sql = format!(
        "select {COLUMNS}, password_hash is not null as has_password, \
         (select count(*) from sessions s where s.user_id = u.id and s.expires_at > now() \
             and s.last_seen_at > now() - make_interval(secs => $2)) as sessions, \
         (select count(*) from orders o where o.user_id = u.id) as orders, \
         (select blocked_until from login_attempts where email_hash = sha256(convert_to(u.email, 'UTF8')) \
             and blocked_until > now()) as blocked_until \
         from users u where id = $1"
    );
    let Some(row) = client.fetch_optional(&sql, &[&id, &IDLE_LIFETIME.as_secs_f64()]).await? else {
        return Ok(None);
    };
    Ok(Some(Account {
        user: user(&row)?,
        has_password: row.try_get("has_password")?,
        sessions: row.try_get("sessions")?,
        orders: row.try_get("orders")?,
        blocked_until: row.try_get("blocked_until")?,
    }))
}

/// Locks an account until the transaction ends: no session of it begins meanwhile.
pub async fn lock(transaction: &Transaction<'_>, id: Uuid) -> Result<Option<User>> {
    let sql = format!("select {COLUMNS} from users where id = $1 for update");
    transaction.fetch_optional(&sql, &[&id]).await?.as_ref().map(user).transpose()
}

/// Gives an account a role.
pub async fn update_role(transaction: &Transaction<'_>, id: Uuid, role: Role) -> Result<User> {
    let sql = format!("update users set role = $2, updated_at = now() where id = $1 returning {COLUMNS}");
    user(&transaction.fetch_one(&sql, &[&id, &role.as_str()]).await?)
}
