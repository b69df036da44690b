//! Accounts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::input::{Check, present};
use crate::domain::password;
use crate::error::Error;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys.
    Customer,
    /// Runs the shop.
    Admin,
}

impl Role {
    /// The name in the database and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Customer, Self::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

/// An account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The account's id.
    pub id: Uuid,
    /// The address it logs in with, in lower case.
    pub email: String,
    /// What to call its owner.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The body of a registration.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterBody {
    /// The address to log in with.
    #[schema(max_length = 254, example = "ada@example.com")]
    pub email: String,
    /// 10 to 128 characters, none that many people have; length is what makes it strong.
    #[schema(min_length = 10, max_length = 128)]
    pub password: String,
    /// What to call you.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// A valid registration.
#[derive(Clone)]
pub struct NewUser {
    /// In lower case.
    pub email: String,
    /// As it was typed.
    pub password: String,
    /// Trimmed.
    pub name: String,
}

/// The body of a change of the profile: what is left out stays as it is.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileBody {
    /// What to call you.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// The address to log in with from now on.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, max_length = 254, example = "ada@example.com")]
    pub email: Option<String>,
    /// The password of now; needed for another address.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, max_length = 128)]
    pub current_password: Option<String>,
}

/// A valid change of the profile.
#[derive(Clone)]
pub struct ProfileChange {
    /// Trimmed.
    pub name: Option<String>,
    /// In lower case.
    pub email: Option<String>,
    /// As it was typed.
    pub current_password: Option<String>,
}

/// The body of a change of password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    /// The password of now.
    #[schema(max_length = 128)]
    pub current_password: String,
    /// The password from now on: 10 to 128 characters, none that many people have.
    #[schema(min_length = 10, max_length = 128)]
    pub new_password: String,
}

/// A body that proves who is there.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmBody {
    /// The account's password.
    #[schema(max_length = 128)]
    pub password: String,
}

/// Passwords and addresses are for no log.
macro_rules! opaque {
    ($($name:ident),+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), " { .. }"))
            }
        })+
    };
}

opaque!(RegisterBody, NewUser, ProfileBody, ProfileChange, PasswordBody, ConfirmBody);

/// An e-mail address in the one form in which it is stored and compared.
pub fn normalise_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Only what every address has: whether it exists, only a letter to it can tell.
fn is_email(email: &str) -> bool {
    let Some((local, host)) = email.rsplit_once('@') else { return false };
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    email.len() <= 254
        && (1..=64).contains(&local.len())
        && local.chars().all(plain)
        && host.contains('.')
        && !host.starts_with('.')
        && !host.ends_with('.')
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.'))
}

impl TryFrom<RegisterBody> for NewUser {
    type Error = Error;

    fn try_from(body: RegisterBody) -> Result<Self, Error> {
        let mut check = Check::new();
        let email = normalise_email(&body.email);
        check.that(is_email(&email), "email", "must be an e-mail address");
        password::check_new(&mut check, "password", &body.password, &email);
        let name = check.text("name", &body.name, 1, 100);
        check.finish(Self { email, password: body.password, name })
    }
}

impl TryFrom<ProfileBody> for ProfileChange {
    type Error = Error;

    fn try_from(body: ProfileBody) -> Result<Self, Error> {
        let mut check = Check::new();
        check.that(body.name.is_some() || body.email.is_some(), "body", "must have a name or an email");
        let name = body.name.map(|name| check.text("name", &name, 1, 100));
        let email = body.email.map(|email| normalise_email(&email));
        check.that(email.as_deref().is_none_or(is_email), "email", "must be an e-mail address");
        if let Some(given) = &body.current_password {
            password::check_given(&mut check, "current_password", given);
        }
        check.finish(Self { name, email, current_password: body.current_password })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["ada@example.com", "a.b+c@x-y.co.uk", "ü@bücher.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "@b.c", "a@b", "a b@c.d", "a@.b", "a@b.", "a@b,c.d"] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn a_registration_names_every_mistake() {
        let body = RegisterBody { email: "x".into(), password: "short".into(), name: " ".into() };
        let Err(Error::Invalid(errors)) = NewUser::try_from(body) else { panic!("must be refused") };
        assert_eq!(errors.len(), 3);
    }
}
