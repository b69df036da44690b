//! A database for each test, cloned from one that was migrated before.

use std::sync::{Arc, Weak};

use platform::config::Secret;
use shopmicro_backend::db;
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use super::variable;

/// The migrated database that the tests' own are cloned from. It lives as long as a test uses it, so that a run leaves
/// nothing behind however it ends: tests overlap, and one that finds it gone makes it again.
static TEMPLATE: Mutex<Weak<Database>> = Mutex::const_new(Weak::new());

/// A database which is dropped with this value.
pub(crate) struct Database {
    name: String,
    url: Secret,
    _template: Option<Arc<Database>>,
}

async fn administer(sql: &str) {
    let url = Secret::new(variable("POSTGRES_URL"));
    let admin = db::connect(&url).await.expect("POSTGRES_URL leads to a PostgreSQL");
    admin.batch_execute(sql).await.expect("POSTGRES_URL's role may create databases");
}

impl Database {
    async fn create(template: Option<Arc<Self>>) -> Self {
        let name = format!("shopmicro_api_{}", Uuid::new_v4().simple());
        let source = template.as_ref().map_or("template1", |template| &template.name);
        administer(&format!("create database {name} template {source}")).await;
        let mut url = Url::parse(&variable("POSTGRES_URL")).expect("POSTGRES_URL is a URL");
        url.set_path(&name);
        Self { name, url: Secret::new(url.as_str()), _template: template }
    }

    /// One without any table.
    pub(crate) async fn empty() -> Self {
        Self::create(None).await
    }

    /// One with the schema of today.
    pub(crate) async fn migrated() -> Self {
        let mut shared = TEMPLATE.lock().await;
        let template = if let Some(template) = shared.upgrade() {
            template
        } else {
            let template = Self::empty().await;
            db::migrate(&template.url).await.expect("migrate");
            let template = Arc::new(template);
            *shared = Arc::downgrade(&template);
            template
        };
        drop(shared);
        Self::create(Some(template)).await
    }

    /// Its name, which no other has.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &Secret {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("drop database if exists {} with (force)", self.name);
        // The test's own runtime may be in the middle of a panic, and cannot be waited for from here.
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(administer(&sql));
        });
        let dropped = dropped.join().is_ok();
        // A second panic would abort the process, and hide the first.
        assert!(dropped || std::thread::panicking(), "the database {} could not be dropped", self.name);
    }
}
