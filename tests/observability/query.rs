//! Questions to Mimir and Loki.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

/// What a question came to, where not to an answer.
#[derive(Debug)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// A series at one time.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its labels, `__name__` among them where it has one.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// A line of the log.
#[derive(Clone, Debug)]
pub struct Line {
    /// The labels of its stream and, after `| json`, those made of its fields.
    pub labels: BTreeMap<String, String>,
    /// When it was written.
    pub at: Timestamp,
    /// The line itself.
    pub text: String,
}

impl Line {
    /// The fields of the line, which is one JSON object.
    pub fn fields(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

/// Asks Mimir.
#[derive(Clone, Debug)]
pub struct Mimir {
    base: String,
    http: reqwest::Client,
}

/// Asks Loki.
#[derive(Clone, Debug)]
pub struct Loki {
    base: String,
    http: reqwest::Client,
}

/// A client that does not wait for ever.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap_or_default()
}

/// Asks, and gives the answer as it is.
pub async fn get(http: &reqwest::Client, url: String, query: &[(&str, String)]) -> Result<Value, Refused> {
    let failed = |error: reqwest::Error| Refused(error.to_string());
    let answer = http.get(url).query(query).send().await.map_err(failed)?;
    let status = answer.status();
    let text = answer.text().await.map_err(failed)?;
    if !status.is_success() {
        return Err(Refused(format!("{status}: {text}")));
    }
    serde_json::from_str(&text).map_err(|error| Refused(format!("{error}: {text}")))
}

fn labels(labels: &Value) -> BTreeMap<String, String> {
    let pairs = labels.as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// As both take a time: RFC 3339.
fn before_now(duration: Duration) -> String {
    (Timestamp::now() - duration).to_string()
}

impl Mimir {
    /// At this base URL, without the `/prometheus`.
    pub fn new(base: impl Into<String>) -> Self {
        Self { base: base.into(), http: client() }
    }

    /// The value of an expression now; a scalar is one sample without labels.
    pub async fn query(&self, expression: &str) -> Result<Vec<Sample>, Refused> {
        let url = format!("{}/prometheus/api/v1/query", self.base);
        let answer = get(&self.http, url, &[("query", expression.to_owned())]).await?;
        let result = &answer["data"]["result"];
        let number = |pair: &Value| pair[1].as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
        if answer["data"]["resultType"] == "scalar" {
            return Ok(vec![Sample { labels: BTreeMap::new(), value: number(result) }]);
        }
        let series = result.as_array().into_iter().flatten();
        Ok(series
            .map(|one| Sample { labels: labels(&one["metric"]), value: number(&one["value"]) })
            .collect())
    }

    /// The sum of an expression's series now; nothing where there is none.
    pub async fn sum(&self, expression: &str) -> Result<Option<f64>, Refused> {
        let samples = self.query(expression).await?;
        Ok((!samples.is_empty()).then(|| samples.iter().map(|sample| sample.value).sum()))
    }

    /// The values of an expression over the time before now, in steps: all that are numbers.
    pub async fn range(&self, expression: &str, back: Duration, step: Duration) -> Result<Vec<f64>, Refused> {
        let url = format!("{}/prometheus/api/v1/query_range", self.base);
        let query = [
            ("query", expression.to_owned()),
            ("start", before_now(back)),
            ("end", before_now(Duration::ZERO)),
            ("step", step.as_secs_f64().to_string()),
        ];
        let answer = get(&self.http, url, &query).await?;
        let series = answer["data"]["result"].as_array().into_iter().flatten();
        let pairs = series.flat_map(|one| one["values"].as_array().into_iter().flatten());
        Ok(pairs
            .filter_map(|pair| pair[1].as_str()?.parse().ok())
            .filter(|value: &f64| value.is_finite())
            .collect())
    }

    /// The alerts that are pending or firing, by name and state.
    pub async fn alerts(&self) -> Result<Vec<(String, String)>, Refused> {
        let answer = get(&self.http, format!("{}/prometheus/api/v1/alerts", self.base), &[]).await?;
        let alerts = answer["data"]["alerts"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(alerts.map(|alert| (text(&alert["labels"]["alertname"]), text(&alert["state"]))).collect())
    }
}

impl Loki {
    /// At this base URL.
    pub fn new(base: impl Into<String>) -> Self {
        Self { base: base.into(), http: client() }
    }

    /// The lines of the last hour that a query selects, newest first, 5,000 at most.
    pub async fn lines(&self, query: &str) -> Result<Vec<Line>, Refused> {
        let answer = self.range(query).await?;
        let streams = answer["data"]["result"].as_array().into_iter().flatten();
        let lines = streams.flat_map(|stream| {
            let labels = labels(&stream["stream"]);
            stream["values"].as_array().into_iter().flatten().map(move |pair| {
                let nanoseconds = pair[0].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
                Line {
                    labels: labels.clone(),
                    at: Timestamp::from_nanosecond(nanoseconds).unwrap_or_default(),
                    text: pair[1].as_str().unwrap_or_default().to_owned(),
                }
            })
        });
        Ok(lines.collect())
    }

    /// The numbers of the last hour that a metric query comes to.
    pub async fn numbers(&self, query: &str) -> Result<Vec<f64>, Refused> {
        let answer = self.range(query).await?;
        let series = answer["data"]["result"].as_array().into_iter().flatten();
        let pairs = series.flat_map(|one| one["values"].as_array().into_iter().flatten());
        Ok(pairs.filter_map(|pair| pair[1].as_str()?.parse().ok()).collect())
    }

    /// What a metric query comes to now; nothing where no line counts.
    pub async fn sum(&self, query: &str) -> Result<Option<f64>, Refused> {
        let url = format!("{}/loki/api/v1/query", self.base);
        let answer = get(&self.http, url, &[("query", query.to_owned())]).await?;
        let series = answer["data"]["result"].as_array().into_iter().flatten();
        let values: Vec<f64> = series.filter_map(|one| one["value"][1].as_str()?.parse().ok()).collect();
        Ok((!values.is_empty()).then(|| values.iter().sum()))
    }

    async fn range(&self, query: &str) -> Result<Value, Refused> {
        let url = format!("{}/loki/api/v1/query_range", self.base);
        let query = [
            ("query", query.to_owned()),
            ("start", before_now(Duration::from_hours(1))),
            ("end", before_now(Duration::ZERO)),
            ("limit", "5000".to_owned()),
        ];
        get(&self.http, url, &query).await
    }
}

/// Asks again and again until there is an answer, and gives up after a minute with the last thing that was in the way.
///
/// # Panics
/// After a minute: it is for tests.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    loop {
        match look().await {
            Ok(found) => return found,
            Err(obstacle) => {
                assert!(tokio::time::Instant::now() < deadline, "not within a minute: {what}: {obstacle}");
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
