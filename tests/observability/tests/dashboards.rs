//! Every dashboard keeps the same standard, so that whoever knows one knows them all. Whether their queries answer is in
//! `panels.rs`.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use observability::dashboards::{Dashboard, Panel, all};
use regex::Regex;

const SOURCES: [(&str, &str); 3] = [("prometheus", "mimir"), ("loki", "loki"), ("tempo", "tempo")];
/// Grafana's own variables that dashboards use.
const BUILT_IN: [&str; 8] =
    ["__rate_interval", "__range", "__interval", "__auto", "__from", "__to", "__url_time_range", "__field"];

static VARIABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\$(?:\{(\w+)[^}]*\}|(\w+))").expect("a pattern"));

/// Collects what is wrong with all dashboards, so that one run names it all.
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn panels(dashboards: &[Dashboard]) -> impl Iterator<Item = (&Dashboard, &Panel)> {
    dashboards.iter().flat_map(|dashboard| {
        dashboard.panels.iter().filter(|panel| panel.kind != "row").map(move |panel| (dashboard, panel))
    })
}

/// The names of the variables in a text: `$name`, `${name}`, `${name:format}`, `${name.field}`.
fn variables(text: &str) -> BTreeSet<String> {
    VARIABLE
        .captures_iter(text)
        .filter_map(|found| found.get(1).or_else(|| found.get(2)))
        .map(|name| name.as_str().to_owned())
        .collect()
}

#[test]
fn each_is_found_by_its_uid_and_leads_to_the_others() {
    let dashboards = all();
    let mut wrong = Vec::new();
    for dashboard in &dashboards {
        let mut check = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{}: {what}", dashboard.file));
            }
        };
        check(dashboard.uid == dashboard.file, "the uid is the file's name");
        check(!dashboard.title.is_empty(), "has a title");
        check(dashboard.description.ends_with(['.', '?']), "has a description");
        check(dashboard.tags.contains(&"shopmicro".to_owned()), "has the tag that links look for");
        check(dashboard.refresh == "30s", "refreshes every 30 s");
        check(dashboard.schema_version == 42, "has the schema of Grafana 12.2 and later");
        check(
            dashboard.links.iter().any(|link| link["type"] == "dashboards" && link["tags"][0] == "shopmicro"),
            "leads to the others",
        );
        check(
            dashboard
                .annotations
                .list
                .iter()
                .any(|mark| mark.name == "Starts" && mark.datasource.uid == "mimir"),
            "marks starts of services, and so deploys",
        );
    }
    none(&wrong);
    let uids: Vec<&str> = dashboards.iter().map(|dashboard| dashboard.uid.as_str()).collect();
    assert_eq!(uids, ["backend", "postgresql", "recommender", "redis", "shop", "telemetry", "web"]);
}

#[test]
fn each_panel_says_what_it_shows_and_what_is_bad() {
    let dashboards = all();
    let mut wrong = Vec::new();
    for (dashboard, panel) in panels(&dashboards) {
        let mut check = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{}: {}: {what}", dashboard.uid, panel.title));
            }
        };
        let look = &panel.field_config.defaults;
        let source = panel.datasource.as_ref().map_or(("", ""), |source| (&source.kind, &source.uid));
        check(!panel.title.is_empty(), "has a title");
        check(
            panel.description.contains(" Bad: ") && panel.description.ends_with('.'),
            "its description says what is bad",
        );
        check(SOURCES.contains(&source), "asks a data source that is there");
        check(!panel.targets.is_empty(), "asks something");
        check(panel.targets.iter().all(|target| !target.text().is_empty()), "no query is empty");
        // A window of its own is too short for one scrape interval and too long for another.
        let fixed = |text: &str| text.split('[').skip(1).any(|window| !window.starts_with('$'));
        check(!panel.targets.iter().any(|target| fixed(target.text())), "windows are Grafana's");
        let whole = |text: &str| text.contains("$__range]");
        check(
            panel.targets.iter().all(|target| target.instant || !whole(target.text())),
            "what sums up the time shown is asked once",
        );
        let letters: BTreeSet<&str> = panel.targets.iter().map(|target| target.ref_id.as_str()).collect();
        check(letters.len() == panel.targets.len(), "each query has a letter of its own");
        let values = panel.kind != "logs" && source.1 != "tempo";
        check(!values || look.unit.is_some(), "values have a unit");
        let judged = ["stat", "bargauge", "state-timeline"].contains(&panel.kind.as_str());
        check(!judged || look.thresholds.is_some(), "has thresholds");
    }
    none(&wrong);
}

#[test]
fn panels_fill_the_grid_and_lie_side_by_side() {
    let mut wrong = Vec::new();
    for dashboard in all() {
        for (nth, panel) in dashboard.panels.iter().enumerate() {
            let place = panel.grid_pos;
            if place.w == 0 || place.h == 0 || place.x + place.w > 24 {
                wrong.push(format!("{}: {} is not in the grid: {place:?}", dashboard.uid, panel.title));
            }
            for other in &dashboard.panels[..nth] {
                if place.overlaps(&other.grid_pos) {
                    wrong.push(format!("{}: {} lies on {}", dashboard.uid, panel.title, other.title));
                }
                if panel.id == other.id {
                    wrong.push(format!(
                        "{}: {} and {} have the same id",
                        dashboard.uid, panel.title, other.title
                    ));
                }
            }
        }
        let bottom = dashboard.panels.iter().map(|panel| panel.grid_pos.y + panel.grid_pos.h).max();
        for line in 0..bottom.unwrap_or_default() {
            let here = dashboard.panels.iter().map(|panel| panel.grid_pos);
            let here = here.filter(|place| (place.y..place.y + place.h).contains(&line));
            if here.map(|place| place.w).sum::<u32>() != 24 {
                wrong.push(format!("{}: line {line} of the grid has a hole", dashboard.uid));
            }
        }
    }
    none(&wrong);
}

#[test]
fn links_lead_somewhere() {
    let dashboards = all();
    let uids: BTreeSet<&str> = dashboards.iter().map(|dashboard| dashboard.uid.as_str()).collect();
    let mut wrong = Vec::new();
    for (dashboard, panel) in panels(&dashboards) {
        for link in &panel.field_config.defaults.links {
            let leads = match link.url.strip_prefix("/d/") {
                Some(rest) => uids.contains(rest.split(['?', '/']).next().unwrap_or_default()),
                None => match link.question() {
                    Some(question) => SOURCES.iter().any(|(_, uid)| *uid == question.source),
                    None => link.url == "/alerting/list",
                },
            };
            if !leads || link.title.is_empty() {
                wrong.push(format!("{}: {}: {} leads nowhere", dashboard.uid, panel.title, link.url));
            }
        }
    }
    none(&wrong);
}

#[test]
fn variables_are_defined_and_used() {
    let dashboards = all();
    let mut wrong = Vec::new();
    for dashboard in &dashboards {
        let defined: BTreeSet<&str> =
            dashboard.templating.list.iter().map(|variable| variable.name.as_str()).collect();
        let mut used = BTreeSet::new();
        for panel in &dashboard.panels {
            used.extend(panel.targets.iter().flat_map(|target| variables(target.text())));
            let links = &panel.field_config.defaults.links;
            used.extend(links.iter().flat_map(|link| variables(&link.url)));
        }
        used.retain(|name| !BUILT_IN.contains(&name.as_str()));
        for name in &used {
            if !defined.contains(name.as_str()) {
                wrong.push(format!("{}: ${name} is not defined", dashboard.uid));
            }
        }
        for name in defined {
            if !used.contains(name) {
                wrong.push(format!("{}: ${name} is not used", dashboard.uid));
            }
        }
        for variable in &dashboard.templating.list {
            if !SOURCES.iter().any(|(_, uid)| *uid == variable.datasource.uid) {
                wrong.push(format!("{}: ${} asks {}", dashboard.uid, variable.name, variable.datasource.uid));
            }
        }
    }
    none(&wrong);
}

/// A file of Grafana's configuration.
fn configuration(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/grafana").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const DATA_SOURCES: &str = "provisioning/datasources/datasources.yaml";

#[test]
fn grafana_is_given_the_data_sources_that_dashboards_name() {
    let text = configuration(DATA_SOURCES);
    let given: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("    uid: ")).collect();
    for (_, uid) in SOURCES {
        assert!(given.contains(&uid), "{uid} is not in {given:?}");
    }
}

#[test]
fn the_variables_of_grafana_are_listed_where_one_looks_for_them() {
    let ini = configuration("grafana.ini");
    let (comments, settings): (Vec<&str>, Vec<&str>) = ini.lines().partition(|line| line.starts_with('#'));
    let listed = Regex::new(r"\b(?:GRAFANA_[A-Z_]+|[A-Z]+_URL)\b").expect("a pattern");
    let listed: BTreeSet<String> = comments
        .iter()
        .flat_map(|line| listed.find_iter(line))
        .map(|name| name.as_str().to_owned())
        .collect();

    let mut text = settings.join("\n");
    for file in [DATA_SOURCES, "provisioning/dashboards/dashboards.yaml"] {
        text.push_str(&configuration(file));
    }
    // `$$` is a dollar that stays.
    let variable = Regex::new(r"\$(?:__env)?\{([A-Z_]+)\}").expect("a pattern");
    let used: BTreeSet<String> =
        variable.captures_iter(&text.replace("$$", "")).map(|found| found[1].to_owned()).collect();
    assert_eq!(used, listed);
}
