//! Passwords by Argon2id (RFC 9106), off the async threads and few at a time: each hash takes 19 MiB and tens of
//! milliseconds, so an unbounded number would be a way to bring the shop down.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};

/// How long a request waits for its turn.
const QUEUE_DEADLINE: Duration = Duration::from_secs(3);

/// How many requests may wait for each turn that there is.
const WAITING_PER_TURN: usize = 8;

/// Hashes and verifies. Clones share the bounds.
#[derive(Clone, Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// Places for those whose turn it is and those who wait.
    places: Arc<Semaphore>,
    /// Verified for unknown accounts, so that they take as long as known ones.
    decoy: Arc<str>,
}

/// A turn at the cores, with the place that it was waited for in. Both end with the work, even where the request was given
/// up, or without any.
#[derive(Debug)]
pub struct Turn {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Turn {
    async fn work<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let work = move || {
            let _turn = self;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))
    }
}

fn hash_now(password: &str) -> Result<String> {
    // Argon2's defaults are the OWASP recommendation: 19 MiB, two passes, one lane.
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(format!("password hash: {error}")))
}

impl Passwords {
    /// With room for as many hashes at once as there are cores.
    pub fn new() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let decoy = hash_now("the password of no account")?;
        Ok(Self {
            turns: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores * (1 + WAITING_PER_TURN))),
            decoy: decoy.into(),
        })
    }

    /// Waits for a turn; [`Error::Overloaded`] where too many wait, or it does not come in time.
    pub async fn turn(&self) -> Result<Turn> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Overloaded)?;
        let turn = tokio::time::timeout(QUEUE_DEADLINE, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| Error::Overloaded)?
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Turn { _place: place, _turn: turn })
    }

    /// Hashes a password with a new salt, as a PHC string.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.turn().await?.work(move || hash_now(&password)).await?
    }

    /// True where the password is the hash's. Without a hash (no such account, or one without a password) it is false,
    /// after the same work.
    pub async fn verify(&self, turn: Turn, password: String, hash: Option<String>) -> Result<bool> {
        let decoy = Arc::clone(&self.decoy);
        turn.work(move || {
            let known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(&decoy);
            let parsed =
                PasswordHash::new(hash).map_err(|error| Error::Internal(format!("stored hash: {error}")))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known)
        })
        .await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_alone() {
        let passwords = Passwords::new().expect("ready");
        let hash = passwords.hash("correct horse".into()).await.expect("hashed");
        // At least what OWASP recommends.
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |password: &str, hash| {
            let turn = passwords.turn().await.expect("a turn");
            passwords.verify(turn, password.into(), hash).await.expect("verified")
        };
        assert!(verify("correct horse", Some(hash.clone())).await);
        assert!(!verify("battery staple", Some(hash)).await);
        assert!(!verify("the password of no account", None).await);
    }

    /// The fastest of a few, since a busy machine makes things slower and never faster: without the decoy, no account
    /// would take a thousandth of the time.
    #[tokio::test]
    async fn no_account_takes_as_long_as_one() {
        let passwords = Passwords::new().expect("ready");
        let hash = passwords.hash("correct horse".into()).await.expect("hashed");
        let fastest = async |hash: Option<String>| {
            let mut fastest = Duration::MAX;
            for _ in 0..5 {
                let turn = passwords.turn().await.expect("a turn");
                let start = std::time::Instant::now();
                let verified = passwords.verify(turn, "battery staple".into(), hash.clone()).await;
                assert!(!verified.expect("verified"));
                fastest = fastest.min(start.elapsed());
            }
            fastest
        };
        let (known, unknown) = (fastest(Some(hash)).await, fastest(None).await);
        assert!(unknown * 3 > known && known * 3 > unknown, "{known:?} {unknown:?}");
    }
}
