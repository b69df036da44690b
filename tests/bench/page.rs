//! The pages with the figures: `docs/performance.md`, a plot beside it, and `docs/scaling.md`. Tables stand between two
//! marks.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use stack::Component;

use crate::report::{Figures, Load, mebibytes};
use crate::scenarios::Name;
use crate::starts::Starts;

const PAGE: &str = "docs/performance.md";
const SCALING: &str = "docs/scaling.md";
const PLOT: &str = "docs/performance.svg";
const BEGIN: &str = "<!-- figures: made by `make bench-page` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// How many times less of its own processes' time a request is to cost than the peer's.
const fn goal(name: Name) -> Option<f64> {
    match name {
        Name::Detail => Some(11.0),
        Name::List | Name::Session => Some(10.0),
        Name::Search | Name::SearchPopular | Name::Checkout => Some(6.0),
        Name::Cart => Some(7.0),
        Name::Mixed => Some(9.0),
        Name::RecommendationsWarm => Some(20.0),
        Name::RecommendationsComputed => Some(5.0),
        Name::Filters => None,
    }
}

/// Writes the figures of a directory into the page, and draws them.
pub(crate) fn write(directory: &Path) -> Result<()> {
    let mut all = Vec::new();
    for name in Name::ALL {
        if let Some(figures) = Figures::read(directory, name.as_str())? {
            all.push((name, figures));
        }
    }
    ensure!(!all.is_empty(), "{} has no figures: make bench", directory.display());
    replace(PAGE, &format!("{}{}{}", tables(&all), starts(directory)?, scale(directory)?))?;
    if let Some((_, mixed)) = all.iter().find(|(name, _)| *name == Name::Mixed) {
        replace(SCALING, &growth(mixed))?;
    }
    std::fs::write(PLOT, plot(&all))?;
    Ok(())
}

/// Puts a text between the marks of a page.
fn replace(path: &str, text: &str) -> Result<()> {
    let page = std::fs::read_to_string(path).with_context(|| format!("read {path}"))?;
    let (before, rest) = page.split_once(BEGIN).with_context(|| format!("{path} has no {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{path} has no {END}"))?;
    std::fs::write(path, format!("{before}{BEGIN}\n{text}\n{END}{after}"))?;
    Ok(())
}

/// A number as people read it.
fn figure(value: f64) -> String {
    match value {
        value if value.is_nan() => "-".to_owned(),
        value if value < 10.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

/// What is measured of a server under which heading, where both servers of a scenario have a column.
type Column = (&'static str, fn(&Figures, &str) -> f64);

/// How people call a server.
fn title(server: &str) -> &str {
    match server {
        "shopmicro" => "shop",
        "express" => "Express",
        "flask" => "Flask",
        other => other,
    }
}

fn tables(all: &[(Name, Figures)]) -> String {
    let mut text = String::from("![Time for each request, beside the peers](performance.svg)\n");
    let (recommender, shop): (Vec<_>, Vec<_>) = all.iter().partition(|(name, _)| name.of_recommender());
    if !shop.is_empty() {
        let database: Column = ("PostgreSQL, us", Figures::database_cost);
        text.push_str(&compared(&shop, database));
    }
    if !recommender.is_empty() {
        // Neither asks PostgreSQL.
        let redis: Column = ("Redis, us", Figures::redis_cost);
        text.push_str(&compared(&recommender, redis));
    }
    for (name, figures) in all {
        let floors: Vec<&str> =
            figures.servers().into_iter().filter(|server| !name.servers().contains(server)).collect();
        if floors.is_empty() {
            continue;
        }
        let _ =
            writeln!(text, "\n| floor: the bytes of one {}, us | 1/s | us |\n|---|---|---|", name.as_str());
        for server in floors {
            let _ = writeln!(
                text,
                "| {server} | {} | {} |",
                figure(figures.capacity(server)),
                figure(figures.cost(server))
            );
        }
    }
    text
}

/// Scenarios of the same two servers, side by side; the last columns are what a store takes.
fn compared(all: &[&(Name, Figures)], (store, store_cost): Column) -> String {
    let servers = all.first().map_or(["", ""], |(name, _)| name.servers());
    let [ours, peer] = servers;
    let [our_title, peer_title] = servers.map(title);
    let mut text = format!(
        "\n| scenario | {our_title}, us | {peer_title}, us | ratio | goal | {our_title}, 1/s | {peer_title}, 1/s | \
         {store}: {our_title} | {peer_title} |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, figures) in all {
        let [our_cost, peer_cost] = servers.map(|server| figures.cost(server));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            name.as_str(),
            figure(our_cost),
            figure(peer_cost),
            figure(peer_cost / our_cost),
            goal(*name).map_or_else(|| "-".to_owned(), figure),
            figure(figures.capacity(ours)),
            figure(figures.capacity(peer)),
            figure(store_cost(figures, ours)),
            figure(store_cost(figures, peer)),
        );
    }
    let _ = writeln!(
        text,
        "\n| p99 at a constant rate, us | 1/s | {our_title} | {peer_title} |\n|---|---|---|---|"
    );
    for (name, figures) in all {
        for (load, share) in [(Load::Half, 0.5), (Load::Full, 1.0)] {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                name.as_str(),
                figure(figures.capacity(peer) * share),
                figure(figures.p99(ours, load)),
                figure(figures.p99(peer, load)),
            );
        }
    }
    let peak = |server: &str| {
        let peaks = all.iter().flat_map(|(_, figures)| &figures.turns).filter(|turn| turn.server == server);
        figure(peaks.map(|turn| mebibytes(turn.peak_bytes)).fold(0.0, f64::max))
    };
    let _ = writeln!(
        text,
        "\n| most memory, MiB | {our_title} | {peer_title} |\n|---|---|---|\n| in all of these | {} | {} |",
        peak(ours),
        peak(peer)
    );
    text
}

/// How the services start.
fn starts(directory: &Path) -> Result<String> {
    let mut text = String::new();
    for service in [Component::Backend, Component::MlService] {
        let Some(starts) = Starts::read(directory, service)? else { continue };
        let [ready, idle] = starts.medians().map(figure);
        let _ = writeln!(text, "| {} | {ready} | {idle} |", service.name());
    }
    if !text.is_empty() {
        let head =
            "\n| service | from its start until it is ready, ms | MiB while nobody asks |\n|---|---|---|\n";
        text.insert_str(0, head);
    }
    Ok(text)
}

/// What a request costs by the size of the catalogue, from `make bench-scale`.
fn scale(directory: &Path) -> Result<String> {
    let mut sizes = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let size = name.to_str().and_then(|name| name.strip_prefix("scale-")?.parse::<u64>().ok());
        sizes.extend(size.map(|size| (size, entry.path())));
    }
    sizes.sort_unstable();
    if sizes.is_empty() {
        return Ok(String::new());
    }
    let names = [Name::Detail, Name::List, Name::Filters, Name::Search];
    let mut text = String::from("\n| products | ");
    text.push_str(&names.map(|name| format!("{}, us: shop | PostgreSQL", name.as_str())).join(" | "));
    text.push_str(" |\n|---|---|---|---|---|---|---|---|---|\n");
    for (size, directory) in sizes {
        let _ = write!(text, "| {size} |");
        for name in names {
            let figures = Figures::read(&directory, name.as_str())?;
            let [shop, database] = figures.map_or([f64::NAN; 2], |figures| {
                [figures.cost("shopmicro"), figures.database_cost("shopmicro")]
            });
            let _ = write!(text, " {} | {} |", figure(shop), figure(database));
        }
        text.push('\n');
    }
    Ok(text)
}

/// The share of a processor's time that is used where a shop is to answer soon: what comes at once must not wait for long.
const BUSY: f64 = 0.6;

/// How many processors each part keeps busy by the rate of mixed requests.
fn growth(mixed: &Figures) -> String {
    let costs = [mixed.cost("shopmicro"), mixed.database_cost("shopmicro"), mixed.redis_cost("shopmicro")];
    let mut text = String::from(
        "| requests, 1/s | backend, processors | PostgreSQL | Redis |\n|---|---|---|---|\n\
         | one, us | ",
    );
    text.push_str(&costs.map(figure).join(" | "));
    text.push_str(" |\n");
    for rate in [1e3, 1e4, 1e6] {
        let processors = costs.map(|cost| figure(rate * cost / 1e6 / BUSY));
        let _ = writeln!(text, "| {rate} | {} |", processors.join(" | "));
    }
    text
}

/// Bars: the peer's cost is the whole width, for each scenario.
fn plot(all: &[(Name, Figures)]) -> String {
    const LEFT: f64 = 205.0;
    const WIDTH: f64 = 405.0;
    const ROW: usize = 44;
    let height = all.len() * ROW + 40;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>Microseconds of the server's time for each request, beside the peers</title>\n\
         <rect width=\"720\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (row, (name, figures)) in all.iter().enumerate() {
        let [ours, peer] = name.servers();
        let [our_cost, peer_cost] = [ours, peer].map(|server| figures.cost(server));
        let y = row * ROW + 12;
        let _ = writeln!(svg, "<text x=\"8\" y=\"{}\">{}</text>", y + 20, name.as_str());
        for (line, value, colour, who) in [(0, our_cost, "#b7410e", ours), (1, peer_cost, "#8d99a6", peer)] {
            let width = WIDTH * value / peer_cost.max(our_cost);
            let y = y + line * 16;
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"14\" fill=\"{colour}\"/>\n\
                 <text x=\"{:.1}\" y=\"{}\" font-size=\"11\">{} us {}</text>",
                LEFT + width + 4.0,
                y + 11,
                figure(value),
                title(who),
            );
        }
    }
    let _ = writeln!(
        svg,
        "<text x=\"8\" y=\"{}\" font-size=\"11\" fill=\"#555555\">Time of the server's own processes for each request; \
         each pair to its own scale</text>\n</svg>",
        height - 10
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Outcome;
    use crate::report::Turn;

    fn turn(server: &str, seconds: f64) -> Turn {
        let outcome =
            Outcome { requests: 1000, seconds: 2.0, failures: 0, body_bytes: 0, p50: 1, p99: 2, p999: 3 };
        Turn {
            server: server.to_owned(),
            load: Load::Closed,
            outcome,
            server_seconds: seconds,
            database_seconds: 0.0,
            redis_seconds: 0.0,
            peak_bytes: 1 << 20,
        }
    }

    #[test]
    fn a_row_has_medians_and_their_ratio() {
        let turns = [
            ("shopmicro", 0.02),
            ("express", 0.3),
            ("shopmicro", 0.01),
            ("express", 0.2),
            ("shopmicro", 0.5),
        ];
        let turns = turns.into_iter().map(|(server, seconds)| turn(server, seconds)).collect();
        let figures = Figures { scenario: "detail".to_owned(), products: 1, connections: 1, turns };
        let all = [(Name::Detail, figures)];
        let text = tables(&all);
        assert!(text.contains("| detail | 20 | 250 | 12 | 11 | 500 | 500 |"), "{text}");
        assert!(text.contains("| detail | 250 | - | - |"), "{text}");
        assert!(plot(&all).contains("20 us shop"));
    }

    #[test]
    fn processors_follow_from_costs() {
        let mut of_one = turn("shopmicro", 0.06);
        of_one.database_seconds = 0.12;
        let turns = vec![of_one];
        let figures = Figures { scenario: "mixed".to_owned(), products: 1, connections: 1, turns };
        let text = growth(&figures);
        assert!(text.contains("| one, us | 60 | 120 | - |"), "{text}");
        assert!(text.contains("| 1000 | 0.1 | 0.2 | - |"), "{text}");
        assert!(text.contains("| 1000000 | 100 | 200 | - |"), "{text}");
    }

    #[test]
    fn recommenders_have_tables_of_their_own() {
        let turns = vec![turn("ml-service", 0.01), turn("flask", 0.5)];
        let figures = |scenario: &str, turns| Figures {
            scenario: scenario.to_owned(),
            products: 1,
            connections: 1,
            turns,
        };
        let all = [
            (Name::Detail, figures("detail", vec![turn("shopmicro", 0.01), turn("express", 0.1)])),
            (Name::RecommendationsWarm, figures("recommendations-warm", turns)),
        ];
        let text = tables(&all);
        assert!(text.contains("| scenario | ml-service, us | Flask, us |"), "{text}");
        assert!(text.contains("| recommendations-warm | 10 | 500 | 50 | 20 |"), "{text}");
        assert!(!text.contains("floor"), "{text}");
        assert!(plot(&all).contains("500 us Flask"));
    }
}
