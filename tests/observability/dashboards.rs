//! The dashboards in `config/grafana/dashboards`, as far as tests look at them.

use std::path::Path;

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

/// A dashboard. What a file must have has no default here.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// The file's name, without its ending.
    #[serde(skip)]
    pub file: String,
    /// Its name in addresses.
    pub uid: String,
    /// Its name for people.
    pub title: String,
    /// What question it answers.
    pub description: String,
    /// Dashboards find one another by a tag.
    pub tags: Vec<String>,
    /// The form of the file.
    pub schema_version: u32,
    /// How often Grafana asks again.
    pub refresh: String,
    /// To other dashboards.
    pub links: Vec<Value>,
    /// Marks on every graph.
    pub annotations: List<Annotation>,
    /// What the reader may choose.
    #[serde(default)]
    pub templating: List<Variable>,
    /// Rows and panels.
    pub panels: Vec<Panel>,
}

/// Grafana wraps some lists.
#[derive(Clone, Debug, Deserialize)]
pub struct List<T> {
    /// The list.
    pub list: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { list: Vec::new() }
    }
}

/// Marks of events.
#[derive(Clone, Debug, Deserialize)]
pub struct Annotation {
    /// Its name.
    pub name: String,
    /// Who is asked.
    pub datasource: Source,
    /// The query.
    pub target: Target,
}

/// Something to choose.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// Its name in queries.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// Who is asked for its values.
    pub datasource: Source,
    /// The query for its values.
    pub query: String,
    /// What stands for all of them.
    pub all_value: String,
}

/// A row's title, or a panel.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Panel {
    /// Its number in the dashboard.
    pub id: u32,
    /// `row`, `stat`, `timeseries`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub title: String,
    /// What it shows, and what is bad. Rows have none.
    #[serde(default)]
    pub description: String,
    /// Where it is.
    pub grid_pos: Place,
    /// Who is asked.
    pub datasource: Option<Source>,
    /// The queries.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// How values look.
    #[serde(default)]
    pub field_config: FieldConfig,
}

/// Columns and rows of the grid.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Place {
    /// The first column.
    pub x: u32,
    /// The first row.
    pub y: u32,
    /// Columns.
    pub w: u32,
    /// Rows.
    pub h: u32,
}

impl Place {
    /// True where the two have a cell in common.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.w
            && other.x < self.x + self.w
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }
}

/// A data source.
#[derive(Clone, Debug, Deserialize)]
pub struct Source {
    /// `prometheus`, `loki` or `tempo`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its fixed name.
    pub uid: String,
}

/// A query.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Its letter.
    pub ref_id: String,
    /// In Mimir's or Loki's language.
    expr: Option<String>,
    /// In Tempo's language.
    query: Option<String>,
    /// Asked once, for the end of the time shown.
    #[serde(default)]
    pub instant: bool,
}

impl Target {
    /// The query itself, empty where there is none.
    pub fn text(&self) -> &str {
        self.expr.as_deref().or(self.query.as_deref()).unwrap_or_default()
    }
}

/// How values look.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FieldConfig {
    /// For all of them.
    #[serde(default)]
    pub defaults: Defaults,
}

/// How values look, and where a click on one leads.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Defaults {
    /// The unit.
    pub unit: Option<String>,
    /// What is good and bad.
    pub thresholds: Option<Value>,
    /// Where a click leads.
    #[serde(default)]
    pub links: Vec<Link>,
}

/// Where a click leads.
#[derive(Clone, Debug, Deserialize)]
pub struct Link {
    /// Its text.
    pub title: String,
    /// The address inside Grafana.
    pub url: String,
}

/// What a link that leads to Explore asks there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The data source's uid.
    pub source: String,
    /// The query.
    pub text: String,
}

impl Link {
    /// The query of a link to Explore, as a browser takes it out of the address.
    ///
    /// # Panics
    /// Where the link leads to Explore, but not in the form that Grafana reads.
    pub fn question(&self) -> Option<Question> {
        let url = Url::parse("http://grafana").and_then(|base| base.join(&self.url)).ok()?;
        if url.path() != "/explore" {
            return None;
        }
        let panes = url.query_pairs().find(|(name, _)| name == "panes").expect("panes").1;
        let panes: Value = serde_json::from_str(&panes).unwrap_or_else(|error| panic!("{panes}: {error}"));
        let pane = panes.as_object().and_then(|panes| panes.values().next()).expect("a pane");
        let query = &pane["queries"][0];
        let text = query["expr"].as_str().or(query["query"].as_str()).expect("a query");
        let source = pane["datasource"].as_str().expect("a data source");
        Some(Question { source: source.to_owned(), text: text.to_owned() })
    }
}

/// Every dashboard, in the order of their names.
///
/// # Panics
/// Where one cannot be read or lacks what every dashboard has.
pub fn all() -> Vec<Dashboard> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/grafana/dashboards");
    let entries = std::fs::read_dir(&directory).expect("the directory of dashboards");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a dashboard");
            let mut dashboard: Dashboard =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            dashboard.file = path.file_stem().expect("a name").to_string_lossy().into_owned();
            dashboard
        })
        .collect()
}
