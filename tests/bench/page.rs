//! The page with the figures: `docs/performance.md`, whose tables stand between two marks, and a plot beside it.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::report::{Figures, Load, mebibytes};
use crate::scenarios::Name;

const PAGE: &str = "docs/performance.md";
const PLOT: &str = "docs/performance.svg";
const BEGIN: &str = "<!-- figures: made by `make bench-page` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// How many times less of its own processes' time a request is to cost than the peer's.
const fn goal(name: Name) -> Option<f64> {
    match name {
        Name::Detail => Some(11.0),
        Name::List | Name::Session => Some(10.0),
        Name::Search | Name::Checkout => Some(6.0),
        Name::Cart => Some(7.0),
        Name::Mixed => Some(9.0),
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
    let page = std::fs::read_to_string(PAGE).with_context(|| format!("read {PAGE}"))?;
    let (before, rest) = page.split_once(BEGIN).with_context(|| format!("{PAGE} has no {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{PAGE} has no {END}"))?;
    let scale = scale(directory)?;
    std::fs::write(PAGE, format!("{before}{BEGIN}\n{}{scale}\n{END}{after}", tables(&all)))?;
    std::fs::write(PLOT, plot(&all))?;
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

fn tables(all: &[(Name, Figures)]) -> String {
    let mut text = String::from(
        "![Time for each request, beside Express](performance.svg)\n\n\
         | scenario | shop, us | Express, us | ratio | goal | shop, 1/s | Express, 1/s | PostgreSQL, us: shop | Express |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, figures) in all {
        let [shop, peer] = ["shopmicro", "express"].map(|server| figures.cost(server));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            name.as_str(),
            figure(shop),
            figure(peer),
            figure(peer / shop),
            goal(*name).map_or_else(|| "-".to_owned(), figure),
            figure(figures.capacity("shopmicro")),
            figure(figures.capacity("express")),
            figure(figures.database_cost("shopmicro")),
            figure(figures.database_cost("express")),
        );
    }
    text.push_str("\n| p99 at a constant rate, us | 1/s | shop | Express |\n|---|---|---|---|\n");
    for (name, figures) in all {
        for (load, share) in [(Load::Half, 0.5), (Load::Full, 1.0)] {
            let at = |server| figures.p99(server, load);
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                name.as_str(),
                figure(figures.capacity("express") * share),
                figure(at("shopmicro")),
                figure(at("express")),
            );
        }
    }
    text.push_str("\n| most memory, MiB | shop | Express |\n|---|---|---|\n");
    let peak = |server: &str| {
        let peaks = all.iter().flat_map(|(_, figures)| &figures.turns).filter(|turn| turn.server == server);
        peaks.map(|turn| mebibytes(turn.peak_bytes)).fold(0.0, f64::max)
    };
    let _ =
        writeln!(text, "| in all of these | {} | {} |", figure(peak("shopmicro")), figure(peak("express")));
    for (name, figures) in all {
        let floors: Vec<&str> = figures
            .servers()
            .into_iter()
            .filter(|server| !["shopmicro", "express"].contains(server))
            .collect();
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

/// Bars: the peer's cost is the whole width, for each scenario.
fn plot(all: &[(Name, Figures)]) -> String {
    const LEFT: f64 = 90.0;
    const WIDTH: f64 = 520.0;
    const ROW: usize = 44;
    let height = all.len() * ROW + 40;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>Microseconds of the server's time for each request, beside Express</title>\n\
         <rect width=\"720\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (row, (name, figures)) in all.iter().enumerate() {
        let [shop, peer] = ["shopmicro", "express"].map(|server| figures.cost(server));
        let y = row * ROW + 12;
        let _ = writeln!(svg, "<text x=\"8\" y=\"{}\">{}</text>", y + 20, name.as_str());
        for (line, value, colour, who) in [(0, shop, "#b7410e", "shop"), (1, peer, "#8d99a6", "Express")] {
            let width = WIDTH * value / peer.max(shop);
            let y = y + line * 16;
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"14\" fill=\"{colour}\"/>\n\
                 <text x=\"{:.1}\" y=\"{}\" font-size=\"11\">{} us {who}</text>",
                LEFT + width + 4.0,
                y + 11,
                figure(value),
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
}
