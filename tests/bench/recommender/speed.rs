//! How fast the index is, and what it takes in memory.

use std::fs;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;
use shopmicro_ml_service::model::index::Index;
use shopmicro_ml_service::model::tfidf::Options;
use uuid::Uuid;

use crate::Corpus;
use crate::corpus::{Random, texts};

/// How many questions are asked.
const QUESTIONS: usize = 1_000;
/// How many products a customer has bought.
const BOUGHT: u64 = 20;
/// How many products a list has.
const LIMIT: usize = 10;
/// How many times a fit is measured, of which the fastest counts.
const FITS: usize = 3;
/// How often the same questions are asked, of the peer too.
const ROUNDS: usize = 3;
/// How many answers are compared with the peer's.
const COMPARED: usize = 50;

/// What one size gave; times in seconds.
#[derive(Debug, Serialize)]
struct Figures {
    products: usize,
    terms: usize,
    threads: usize,
    fit: f64,
    /// Of all threads together: what others do on the machine hardly changes it.
    fit_cpu: f64,
    peak_bytes: usize,
    resident_bytes: usize,
    index_bytes: usize,
    similar: Times,
    personal: Times,
    add: f64,
    update: f64,
    remove: f64,
    /// Rows that were asked for, by their places among the texts, for others to ask the same.
    asked: Vec<usize>,
    /// What was answered to the first of them, as places and scores.
    answers: Vec<Vec<(usize, f32)>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Times {
    mean: f64,
    median: f64,
    p99: f64,
}

/// Measures one size. Another needs another process: in this one the peak of memory stays what it was, and what was
/// freed is used again.
pub(crate) fn run(Corpus { directory, size, orders }: &Corpus) -> anyhow::Result<()> {
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let texts = texts(*size, orders.as_deref())?;
    let mut file = BufWriter::new(fs::File::create(directory.join(format!("{size}.txt")))?);
    for text in &texts {
        writeln!(file, "{text}")?;
    }
    file.flush()?;
    drop(file);
    let figures = measure(&texts);
    fs::write(directory.join(format!("{size}.json")), serde_json::to_vec(&figures)?)?;
    Ok(())
}

fn measure(texts: &[String]) -> Figures {
    let ids: Vec<Uuid> = (0..texts.len() as u128).map(Uuid::from_u128).collect();
    let before = memory("VmRSS:");
    let (mut fit, mut fit_cpu) = (f64::INFINITY, f64::INFINITY);
    let mut fitted = None;
    for _ in 0..FITS {
        drop(fitted.take());
        let (start, start_cpu) = (Instant::now(), cpu_seconds());
        fitted = Some(Index::fit(&ids, texts, Options::default()));
        fit = fit.min(start.elapsed().as_secs_f64());
        fit_cpu = fit_cpu.min(cpu_seconds() - start_cpu);
    }
    let index = fitted.expect("fitted");
    let resident_bytes = memory("VmRSS:").saturating_sub(before);
    let peak_bytes = memory("VmHWM:").saturating_sub(before);

    let mut random = Random(7);
    let row = |place: usize| index.row_of(Uuid::from_u128(place as u128)).expect("known");
    let asked: Vec<usize> = (0..QUESTIONS).map(|_| random.below(texts.len() as u64) as usize).collect();
    let nearest = |row: u32| index.search(&index.query_of(row), LIMIT, |other| other != row);
    let answers = asked.iter().take(COMPARED).map(|&place| {
        let found = nearest(row(place));
        found.iter().map(|found| (index.id_of(found.row).as_u128() as usize, found.score)).collect()
    });
    let answers = answers.collect();
    let similar = times(&asked, |&place| {
        let start = Instant::now();
        black_box(nearest(row(place)));
        start.elapsed().as_secs_f64()
    });
    let baskets: Vec<Vec<u32>> = (0..QUESTIONS / 2)
        .map(|_| (0..BOUGHT).map(|_| row(random.below(texts.len() as u64) as usize)).collect())
        .collect();
    let personal = times(&baskets, |bought| {
        let start = Instant::now();
        let query = index.query_of_sum(bought.iter().map(|&row| (row, 1.0))).expect("has terms");
        let found = index.search(&query, LIMIT, |row| !bought.contains(&row));
        assert_eq!(found.len(), LIMIT.min(texts.len().saturating_sub(bought.len())));
        start.elapsed().as_secs_f64()
    });

    let (new, old) = (Uuid::from_u128(u128::MAX), ids[texts.len() / 2]);
    let change = |index: &Index, id: Uuid, text: Option<&String>, visible: &dyn Fn(&Index) -> bool| {
        let start = Instant::now();
        let changed = index.changed(&[(id, text)]);
        assert!(visible(&changed));
        (start.elapsed().as_secs_f64(), changed)
    };
    let similar_to_itself = |index: &Index, id: Uuid| {
        let found = index.row_of(id).map(|row| index.search(&index.query_of(row), LIMIT, |_| true));
        found.is_some_and(|found| found.iter().any(|found| index.id_of(found.row) == id))
    };
    let text = texts[texts.len() / 3].clone();
    let (add, index_with) = change(&index, new, Some(&text), &|index| similar_to_itself(index, new));
    let (update, _) = change(&index, old, Some(&text), &|index| similar_to_itself(index, old));
    let (remove, _) = change(&index_with, new, None, &|index| !similar_to_itself(index, new));
    Figures {
        products: texts.len(),
        terms: index.terms(),
        threads: rayon::current_num_threads(),
        fit,
        fit_cpu,
        peak_bytes,
        resident_bytes,
        index_bytes: index.bytes(),
        similar,
        personal,
        add,
        update,
        remove,
        answers,
        asked,
    }
}

/// Asks in rounds. What else the machine does can only make an answer slower: the mean is that of the quickest round, as
/// it is of the peer, which answers all at once; median and 99th percentile are over each question's quickest answer.
pub(crate) fn times<Q>(questions: &[Q], ask: impl Fn(&Q) -> f64) -> Times {
    let rounds: Vec<Vec<f64>> = (0..ROUNDS).map(|_| questions.iter().map(&ask).collect()).collect();
    let mean = |round: &Vec<f64>| round.iter().sum::<f64>() / round.len() as f64;
    let quickest = |place: usize| rounds.iter().map(|round| round[place]).fold(f64::INFINITY, f64::min);
    let mut each: Vec<f64> = (0..questions.len()).map(quickest).collect();
    each.sort_unstable_by(f64::total_cmp);
    Times {
        mean: rounds.iter().map(mean).fold(f64::INFINITY, f64::min),
        median: each[each.len() / 2],
        p99: each[each.len() * 99 / 100],
    }
}

/// A line of Linux' account of this process, in bytes; zero elsewhere.
pub(crate) fn memory(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    1024 * line.split_whitespace().next().and_then(|number| number.parse::<usize>().ok()).unwrap_or(0)
}

/// What this process has used of all cores, as Linux counts it, in hundredths of a second; zero elsewhere.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, which may hold anything, ends with the last parenthesis; utime and stime are the 12th and 13th behind.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}
