//! The client of the recommendation service: a deadline, the trace context, and nothing but an absence on failure.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use platform::config::Secret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

/// How long a page waits for recommendations before it shows best sellers instead.
const DEADLINE: Duration = Duration::from_millis(400);

/// How many questions may be asked at once: a service that stalls shall not hold more requests than these.
const MAX_QUESTIONS: usize = 16;

/// One recommended product.
#[derive(Clone, Debug, Deserialize)]
pub struct Scored {
    /// The product.
    pub product_id: Uuid,
    /// Larger is better; comparable within one answer.
    pub score: f64,
    /// Why, for a person.
    pub reason: String,
}

/// What the recommendation service answered.
#[derive(Clone, Debug, Deserialize)]
pub struct Recommendations {
    /// Best first.
    pub items: Vec<Scored>,
    /// How they were found.
    pub strategy: String,
    /// The model that found them.
    pub model_version: String,
}

/// The model behind the recommendations.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Model {
    /// Its version; null before there is a first one.
    pub model_version: Option<String>,
    /// When it was trained (RFC 3339).
    #[schema(value_type = Option<String>, format = DateTime)]
    pub trained_at: Option<Timestamp>,
    /// Products that it knows.
    pub products: u64,
    /// Words that it tells products apart by.
    pub terms: u64,
    /// What people did, as far as it knows.
    pub interactions: u64,
    /// Those who did it.
    pub users: u64,
    /// What its recommendations are worth; null until that was measured, some time after something was sold.
    pub quality: Option<Quality>,
    /// What a training is at, and how the last one ended.
    // Not told by versions before this one, beside which it runs while they are replaced.
    #[serde(default)]
    pub training: Training,
}

/// What recommendations are worth: of some customers the newest product that they bought for the first time is looked
/// for among the ten that they would have been recommended without it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Quality {
    /// The part of the customers for whom it is among them, from 0 to 1.
    pub hit_rate: f64,
    /// How many customers were asked for.
    pub customers: u64,
}

/// The training that runs, and the last one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Training {
    /// What is being done.
    pub stage: Stage,
    /// How the last one ended.
    pub last: Option<Outcome>,
    /// How long that took to compute, in milliseconds.
    pub last_milliseconds: Option<u64>,
}

/// What a training is at, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// None runs.
    #[default]
    Idle,
    /// The catalogue is being read.
    Reading,
    /// The model is being computed.
    Fitting,
    /// The model is being written to disk; it answers already.
    Writing,
}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A new model was trained.
    Trained,
    /// The model was changed by the few products that differed.
    Updated,
    /// The catalogue was the model's.
    Unchanged,
    /// It failed; the model before stays.
    Failed,
}

/// What became of the wish for a new model.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Retraining {
    /// Whether the training has begun, or was under way already.
    pub status: Progress,
    /// The model that answers for now.
    pub model_version: Option<String>,
}

/// How a training stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// It has begun.
    Started,
    /// It was under way already.
    AlreadyRunning,
}

/// The client. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Recommender {
    http: reqwest::Client,
    base: Url,
    token: Option<Secret>,
    places: Arc<Semaphore>,
    failures: Counter<u64>,
}

impl Recommender {
    /// A client of the service at this address.
    /// The token is shown where the service acts rather than answers.
    pub fn new(base: Url, token: Option<Secret>) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(DEADLINE)
            .connect_timeout(DEADLINE / 2)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let failures = platform::telemetry::meter()
            .u64_counter("shop.recommendations.failures")
            .with_description("Questions that the recommendation service did not answer in time, or that were not asked since too many were open")
            .build();
        Ok(Self { http, base, token, places: Arc::new(Semaphore::new(MAX_QUESTIONS)), failures })
    }

    /// For a user, or for everybody; what is popular is of the category where there is one.
    pub async fn for_user(
        &self,
        user: Option<Uuid>,
        category: Option<&str>,
        limit: i64,
    ) -> Option<Recommendations> {
        let whom = user.map_or_else(|| "popular".to_owned(), |id| id.to_string());
        let route =
            if user.is_some() { "/api/recommendations/{user_id}" } else { "/api/recommendations/popular" };
        self.list("recommend", route, &format!("api/recommendations/{whom}"), category, limit).await
    }

    /// Like a product.
    pub async fn similar(&self, product: Uuid, limit: i64) -> Option<Recommendations> {
        let route = "/api/products/{id}/similar";
        self.list("similar", route, &format!("api/products/{product}/similar"), None, limit).await
    }

    /// The model that answers now.
    pub async fn model(&self) -> Option<Model> {
        let url = self.base.join("api/model").ok()?;
        self.ask("model", "/api/model", self.http.get(url)).await
    }

    /// Has a new model trained.
    pub async fn retrain(&self) -> Option<Retraining> {
        let url = self.base.join("api/model/retrain").ok()?;
        let mut request = self.http.post(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.reveal());
        }
        self.ask("retrain", "/api/model/retrain", request).await
    }

    /// True where the service has a model and answers.
    pub async fn ready(&self) -> bool {
        let Ok(url) = self.base.join("health/ready") else { return false };
        self.http.get(url).send().await.is_ok_and(|response| response.status().is_success())
    }

    async fn list(
        &self,
        operation: &'static str,
        route: &str,
        path: &str,
        category: Option<&str>,
        limit: i64,
    ) -> Option<Recommendations> {
        let url = self.base.join(path).ok()?;
        let request = self.http.get(url).query(&[("limit", limit)]);
        let request =
            category.into_iter().fold(request, |request, name| request.query(&[("category", name)]));
        self.ask(operation, route, request).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        route: &str,
        request: reqwest::RequestBuilder,
    ) -> Option<T> {
        let Ok(_place) = self.places.try_acquire() else {
            self.failures.add(1, &[KeyValue::new("operation", operation)]);
            return None;
        };
        let answer = async { platform::spans::send(request, route).await?.error_for_status()?.json().await };
        match answer.await {
            Ok(answer) => Some(answer),
            Err(error) => {
                let error: reqwest::Error = error;
                tracing::warn!(operation, error = %error.without_url(), "the recommendation service failed");
                self.failures.add(1, &[KeyValue::new("operation", operation)]);
                None
            }
        }
    }
}
