//! Mimir and Loki, asked as Grafana asks them.

use jiff::Timestamp;
use observability::query::get;
use serde_json::Value;

/// A query and to whom it goes.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) source: String,
    pub(crate) text: String,
    /// For this moment alone; else for all the time since the start.
    pub(crate) instant: bool,
}

/// Mimir and Loki, and since when they have been told of the shop.
#[derive(Clone, Debug)]
pub(crate) struct Telemetry {
    pub(crate) http: reqwest::Client,
    pub(crate) mimir: String,
    pub(crate) loki: String,
    pub(crate) since: Timestamp,
}

impl Telemetry {
    /// The labels of every series or stream that has something to show; an error where none has.
    pub(crate) async fn ask(&self, question: &Question) -> Result<Vec<Value>, String> {
        let query = ("query", question.text.clone());
        let now = Timestamp::now();
        let data = match (question.source.as_str(), question.instant) {
            ("mimir", true) => {
                let parameters = [query, ("time", now.to_string())];
                self.get(format!("{}/prometheus/api/v1/query", self.mimir), &parameters).await?
            }
            ("mimir", false) => {
                let (start, end) = (self.since.to_string(), now.to_string());
                let parameters = [query, ("start", start), ("end", end), ("step", "5".to_owned())];
                self.get(format!("{}/prometheus/api/v1/query_range", self.mimir), &parameters).await?
            }
            ("loki", _) => {
                let (start, end) = (self.since.to_string(), now.to_string());
                let parameters = [query, ("start", start), ("end", end), ("step", "5".to_owned())];
                self.get(format!("{}/loki/api/v1/query_range", self.loki), &parameters).await?
            }
            (other, _) => return Err(format!("nobody is called {other} here")),
        };
        let results = data["result"].as_array().ok_or("no result")?;
        let lines = data["resultType"] == "streams";
        let shown: Vec<Value> = if lines {
            results.iter().map(|stream| stream["stream"].clone()).collect()
        } else {
            results.iter().filter(|series| is_finite(series)).map(|series| series["metric"].clone()).collect()
        };
        if shown.is_empty() {
            Err(format!("{} series, none with a number", results.len()))
        } else {
            Ok(shown)
        }
    }

    /// The values of a variable: Grafana's `label_values(SELECTOR, LABEL)` or `label_values(LABEL)`.
    pub(crate) async fn values(&self, source: &str, query: &str) -> Result<Vec<String>, String> {
        let arguments = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let arguments = arguments.ok_or("only label_values is known here")?;
        let (selector, label) = match arguments.rsplit_once(", ") {
            Some((selector, label)) => (Some(selector.to_owned()), label),
            None => (None, arguments),
        };
        let base = match source {
            "loki" => format!("{}/loki", self.loki),
            _ => format!("{}/prometheus", self.mimir),
        };
        let mut parameters = vec![("start", self.since.to_string()), ("end", Timestamp::now().to_string())];
        parameters.extend(selector.map(|selector| ("match[]", selector)));
        let data = self.get(format!("{base}/api/v1/label/{label}/values"), &parameters).await?;
        let values: Vec<String> = serde_json::from_value(data).map_err(|error| error.to_string())?;
        if values.is_empty() { Err("no values".to_owned()) } else { Ok(values) }
    }

    async fn get(&self, url: String, parameters: &[(&str, String)]) -> Result<Value, String> {
        let answer = get(&self.http, url, parameters).await;
        answer.map(|mut body| body["data"].take()).map_err(|refused| refused.to_string())
    }
}

/// True where a series has a number that can be drawn.
fn is_finite(series: &Value) -> bool {
    let finite = |pair: &Value| {
        let number = pair[1].as_str().and_then(|text| text.parse::<f64>().ok());
        number.is_some_and(f64::is_finite)
    };
    finite(&series["value"]) || series["values"].as_array().is_some_and(|pairs| pairs.iter().any(finite))
}
