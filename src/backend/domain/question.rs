//! What somebody searches for: how the text is read, and how it may have been meant.

use std::collections::BTreeMap;

use strsim::osa_distance;

/// The longest text.
const MAX_CHARS: usize = 200;
/// The most words of which the spelling is looked at.
const MAX_WORDS: usize = 12;
/// The most words that one misspelt word may stand for.
const MAX_MEANINGS: usize = 8;
/// The fewest letters that tell what a misspelt word may become.
const MIN_BEGUN: usize = 4;

/// A text to search for: words, "phrases", -exclusions, `or`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    text: String,
}

/// How a question was meant, in PostgreSQL's language of `to_tsquery`. There is nothing in it but letters, digits and
/// operators of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// Every misspelt word as the words that are closest to it.
    pub close: String,
    /// Every misspelt word as all words that it could be.
    pub wide: String,
}

impl Question {
    /// The question in a text, or none where it is blank; `Err` says what is wrong with it.
    pub fn parse(text: &str) -> Result<Option<Self>, &'static str> {
        let text = text.trim();
        if text.chars().count() > MAX_CHARS || text.contains('\0') {
            return Err("must have at most 200 characters, and no NUL");
        }
        // As in the index: no file is meant by "set/6".
        let text = text.replace('/', " ");
        let blank = text.trim().is_empty();
        Ok((!blank).then_some(Self { text }))
    }

    /// The text, for `websearch_to_tsquery`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The last word, which may not be typed to its end yet; none where it is quoted or excluded.
    pub fn unfinished(&self) -> Option<&str> {
        let quoted = self.text.matches('"').count() % 2 == 1;
        let last = self.text.split_whitespace().next_back()?;
        let plain = !quoted && !last.starts_with('-') && !last.contains('"');
        (plain && last.ends_with(char::is_alphanumeric)).then_some(last)
    }

    /// True where typing errors may be assumed: not with a phrase or an exclusion, which say precisely what is wanted.
    fn is_forgiving(&self) -> bool {
        !self.text.contains('"') && !self.text.split_whitespace().any(|word| word.starts_with('-'))
    }

    /// The words, lower case; `or` stands between alternatives.
    fn words(&self) -> impl Iterator<Item = String> {
        let words = self.text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase)
    }

    /// The words of which the spelling may be looked up; none where errors are not to be assumed.
    pub fn to_look_up(&self) -> Vec<String> {
        if !self.is_forgiving() {
            return Vec::new();
        }
        let words: Vec<String> = self.words().collect();
        let fits = words.len() <= MAX_WORDS;
        if fits { words.into_iter().filter(|word| word != "or").collect() } else { Vec::new() }
    }

    /// The last word, lower case, where it may be the misspelt beginning of another.
    pub fn begun(&self) -> Option<String> {
        let word = self.unfinished()?.to_lowercase();
        let plain = word.chars().all(char::is_alphanumeric) && word.chars().count() >= MIN_BEGUN;
        (plain && !self.to_look_up().is_empty()).then_some(word)
    }

    /// How the question was meant, given the words of the catalogue (second) that are near the words of the question
    /// (first) or the same; none where they can mean nothing but what was typed.
    pub fn corrected(&self, near: &[(String, String)]) -> Option<Corrected> {
        self.corrected_while_typed(near, &[])
    }

    /// As [`Question::corrected`], while the last word is being typed: it may also be the misspelt beginning of one of
    /// these words of the catalogue.
    pub fn corrected_while_typed(&self, near: &[(String, String)], begun: &[String]) -> Option<Corrected> {
        let unfinished = self.begun();
        let mut least: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (word, meant) in near {
            least.insert((word, meant), osa_distance(word, meant));
        }
        for (word, meant) in unfinished.iter().flat_map(|word| begun.iter().map(move |meant| (word, meant))) {
            let errors = distance_to_beginning(word, meant);
            least.entry((word, meant)).and_modify(|least| *least = errors.min(*least)).or_insert(errors);
        }
        let mut meanings: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        for ((word, meant), distance) in least {
            if distance <= tolerance(word) {
                meanings.entry(word).or_default().push((distance, meant));
            }
        }
        let mut changed = false;
        for (word, meant) in &mut meanings {
            meant.sort_unstable();
            let known = meant.first().is_some_and(|(distance, _)| *distance == 0);
            if known {
                // It may be a slip for another word all the same, unless it is so short that it is near everything.
                let slips = usize::from(word.chars().count() >= 4);
                meant.retain(|(distance, _)| *distance <= slips);
            }
            changed |= !known || meant.len() > 1;
            meant.truncate(MAX_MEANINGS);
        }
        if !changed {
            return None;
        }
        let words: Vec<String> = self.words().collect();
        let unfinished = self.unfinished().is_some();
        let query = |wide: bool| {
            let term = |(n, word): (usize, &String)| {
                let mut terms = Vec::new();
                if let Some(meant) = meanings.get(word.as_str()) {
                    let closest = meant.first().map_or(0, |(distance, _)| *distance);
                    terms.extend(meant.iter().filter(|(distance, _)| wide || *distance == closest));
                }
                let mut terms: Vec<String> = terms.into_iter().map(|(_, word)| (*word).to_owned()).collect();
                if unfinished && n + 1 == words.len() {
                    terms.push(format!("{word}:*"));
                } else if terms.is_empty() {
                    // Descriptions may have it.
                    terms.push(word.clone());
                }
                format!("({})", terms.join(" | "))
            };
            let words: Vec<(usize, &String)> = words.iter().enumerate().collect();
            let alternatives = words.split(|(_, word)| *word == "or").filter(|words| !words.is_empty());
            let all =
                |words: &[(usize, &String)]| words.iter().copied().map(term).collect::<Vec<_>>().join(" & ");
            alternatives.map(all).collect::<Vec<_>>().join(" | ")
        };
        Some(Corrected { close: query(false), wide: query(true) })
    }
}

/// How many errors a word may have, letters that are missing, too many, other ones or swapped with their neighbour: short
/// words are near many others.
fn tolerance(word: &str) -> usize {
    match word.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    }
}

/// The errors between what was typed and the beginning of a word to which it comes closest.
fn distance_to_beginning(typed: &str, word: &str) -> usize {
    let length = typed.chars().count();
    let beginnings =
        (length.saturating_sub(1)..=length + 1).map(|length| word.chars().take(length).collect::<String>());
    beginnings.map(|beginning| osa_distance(typed, &beginning)).min().unwrap_or(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str) -> Question {
        Question::parse(text).expect("valid").expect("not blank")
    }

    fn meant(text: &str, near: &[(&str, &str)]) -> Option<(String, String)> {
        let near: Vec<(String, String)> = near.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
        question(text).corrected(&near).map(|Corrected { close, wide }| (close, wide))
    }

    #[test]
    fn texts_have_bounds() {
        assert_eq!(Question::parse(" \t"), Ok(None));
        assert!(Question::parse(&"x".repeat(201)).is_err());
        assert!(Question::parse("a\0b").is_err());
        assert_eq!(question(" mug ").text(), "mug");
    }

    #[test]
    fn the_last_word_is_unfinished_unless_it_is_quoted_or_excluded() {
        for (text, unfinished) in [
            ("lant", Some("lant")),
            ("white lant", Some("lant")),
            ("-red lant", Some("lant")),
            ("\"white metal\" lant", Some("lant")),
            ("white \"lant", None),
            ("white \"metal lant", None),
            ("\"lantern\"", None),
            ("white -lant", None),
            ("lant!", None),
        ] {
            assert_eq!(question(text).unfinished(), unfinished, "{text}");
        }
    }

    #[test]
    fn precise_questions_are_left_alone() {
        assert_eq!(question("Wite OR 'lanten'").to_look_up(), ["wite", "lanten"]);
        assert!(question("\"wite lanten\"").to_look_up().is_empty());
        assert!(question("wite -lanten").to_look_up().is_empty());
        assert!(question(&"a ".repeat(99)).to_look_up().is_empty());
    }

    #[test]
    fn errors_are_counted() {
        for (a, b, errors) in [
            ("", "", 0),
            ("", "abc", 3),
            ("lantern", "lantern", 0),
            ("lanten", "lantern", 1),
            ("lamtern", "lantern", 1),
            ("lanntern", "lantern", 1),
            ("lantren", "lantern", 1),
            ("mgu", "mug", 1),
            ("kitten", "sitting", 3),
            ("caf\u{e9}", "cafe", 1),
            ("\u{fc}\u{f6}", "\u{f6}\u{fc}", 1),
        ] {
            assert_eq!((osa_distance(a, b), osa_distance(b, a)), (errors, errors), "{a} {b}");
        }
    }

    #[test]
    fn a_word_that_is_being_typed_may_be_misspelt_already() {
        let begun: Vec<String> = ["lantern", "lancet", "lance"].map(str::to_owned).into();
        let meant = |text: &str, near: &[(String, String)]| {
            question(text).corrected_while_typed(near, &begun).map(|corrected| corrected.close)
        };
        assert_eq!(meant("lamter", &[]).as_deref(), Some("(lantern | lamter:*)"));
        let near = [("wite".to_owned(), "white".to_owned()), ("lance".to_owned(), "lance".to_owned())];
        assert_eq!(meant("wite lante", &near).as_deref(), Some("(white) & (lantern | lante:*)"));
        let whole = [("lamter".to_owned(), "lantern".to_owned()), ("lamter".to_owned(), "latte".to_owned())];
        assert_eq!(
            meant("lamter", &whole).as_deref(),
            Some("(lantern | lamter:*)"),
            "its beginning is closer"
        );
        assert_eq!(meant("wite lance", &near).as_deref(), Some("(white) & (lance | lancet | lance:*)"));
        assert_eq!(meant("lab", &[]), None, "too short to tell");
        assert_eq!(meant("lamter ", &[]).as_deref(), Some("(lantern | lamter:*)"));
        assert_eq!(meant("\"lamter", &[]), None, "quoted");
    }

    #[test]
    fn misspelt_words_become_what_they_could_mean() {
        let near = [
            ("wite", "white"),
            ("wite", "write"),
            ("wite", "lantern"),
            ("metal", "metal"),
            ("metal", "petal"),
            ("lanten", "lantern"),
            ("lanten", "lancet"),
        ];
        let (close, wide) = meant("Wite metal, LANTEN!", &near).expect("changed");
        assert_eq!(close, "(white | write) & (metal) & (lantern)");
        assert_eq!(wide, "(white | write) & (metal | petal) & (lantern | lancet)");
        let (close, _) = meant("red or or tepot or", &[("tepot", "teapot")]).expect("changed");
        assert_eq!(close, "(red) | (teapot)");
        let (close, _) = meant("tepot or papr", &[("papr", "paper")]).expect("changed");
        assert_eq!(close, "(tepot) | (paper | papr:*)");
        let (close, wide) = meant("metal", &[("metal", "metal"), ("metal", "petal")]).expect("changed");
        assert_eq!((close.as_str(), wide.as_str()), ("(metal | metal:*)", "(metal | petal | metal:*)"));
        assert_eq!(meant("metal", &[("metal", "metal")]), None, "it can mean nothing else");
        assert_eq!(meant("metal", &[]), None);
        assert_eq!(meant("mg", &[("mg", "mug")]), None, "too short to tell");
    }
}
