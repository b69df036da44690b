//! Which passwords are taken: long ones that are not easy to guess, of any characters.
//!
//! A list of the most common passwords would be somebody else's, and misses the next one that is made alike. So what is
//! refused is what common passwords are made of, however it is put together: words that many passwords hold (our own
//! collection, `password/words.txt`: names, love, animals, teams, games, places, curses, in several languages, with
//! digits and signs for letters), runs over the keyboard, the alphabet and the digits, years and other digits,
//! repetitions, and two such things in turns. The cheapest way to put a password together from these tells how many
//! guesses it takes; below [`FEWEST_GUESSES`] it is refused. One word and five digits, or two words and two digits, come
//! to many millions of passwords. Held against lists that others publish, of the passwords with ten characters or more it
//! refuses 78 % of those in Django 5.2's list of the 20,000 most common, and 53 % of the first 3,000 among the ten million of
//! OWASP's `SecLists`; most of the rest were made by programs, or are Russian words on a Latin keyboard.
//!
//! A password is the text as it was typed; it is not brought into one of Unicode's normal forms. Keyboards of one person
//! compose accents alike everywhere, and normalising would tie every stored hash to a version of Unicode's tables.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::domain::input::Check;

/// The most characters of a password, so that nobody has the shop hash a book.
const MAX: usize = 128;
/// The fewest characters of a new one.
const MIN: usize = 10;
/// The fewest guesses that a password must take, in tenths of a bit: a hundred million. The lock-out leaves a guesser
/// about a hundred a day, and a stolen table of hashes makes each cost 19 MiB and two passes.
const FEWEST_GUESSES: u32 = 270;
/// Parts of an address or a shop's name shorter than this may stand in any password.
const TELLING: usize = 4;

/// In tenths of a bit: one of the words, in any case.
const WORD: u32 = 100;
/// One of the words that sentences are held together by.
const SMALL_WORD: u32 = 30;
/// A run along the keyboard, the alphabet or the digits, of any length, in any direction.
const RUN: u32 = 60;
/// The same character again and again.
const SAME: u32 = 50;
/// A year of these two centuries.
const YEAR: u32 = 60;
/// Any digit.
const DIGIT: u32 = 33;
/// Any sign or space; few are common.
const SIGN: u32 = 40;
/// Any letter.
const LETTER: u32 = 50;
/// That something comes twice or more, or that two things come in turns.
const TWIST: u32 = 20;

/// Ways over keyboards, beside steps of one or two through digits and letters. Each is also gone backwards.
const WAYS: [&str; 18] = [
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1234567890-=",
    "!@#$%^&*()_+",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p",
    "zaq1xsw2cde3vfr4bgt5nhy6mju7",
    "1q2w3e4r5t6y7u8i9o0p",
    "147258369",
    "159357",
    "741852963",
    "789456123",
];

/// A word and what it costs.
type Word = (Vec<char>, u32);

/// The words by their first letters; a line of the file that begins with `=` holds the small ones.
static WORDS: LazyLock<HashMap<char, Vec<Word>>> = LazyLock::new(|| {
    let mut words: HashMap<char, Vec<Word>> = HashMap::new();
    for line in include_str!("password/words.txt").lines().filter(|line| !line.starts_with('#')) {
        let (line, cost) = line.strip_prefix('=').map_or((line, WORD), |line| (line, SMALL_WORD));
        for word in line.split_whitespace().map(|word| word.chars().collect::<Vec<char>>()) {
            words.entry(word[0]).or_default().push((word, cost));
        }
    }
    words
});

/// Checks a password that is to be compared: only its length, since those of yesterday's rules are still passwords.
pub fn check_given(check: &mut Check, field: &str, password: &str) {
    check.that(password.chars().count() <= MAX, field, format!("must have at most {MAX} characters"));
}

/// Checks a new password of the account of an address.
pub fn check_new(check: &mut Check, field: &str, password: &str, email: &str) {
    let length = password.chars().count();
    if !(MIN..=MAX).contains(&length) {
        check.that(false, field, format!("must have {MIN} to {MAX} characters"));
        return;
    }
    let lower = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    let telling = local.chars().count() >= TELLING;
    check.that(!telling || !lower.contains(local), field, "must not contain your e-mail address");
    check.that(!lower.contains("shopmicro"), field, "must not contain the shop's name");
    check.that(
        guesses(&lower) >= FEWEST_GUESSES,
        field,
        "is too easy to guess: many people have one like it",
    );
}

/// About how many guesses a password in lower case takes, in tenths of a bit.
fn guesses(password: &str) -> u32 {
    let password: Vec<char> = password.chars().collect();
    let turns = |first: usize| password.iter().copied().skip(first).step_by(2).collect::<Vec<char>>();
    let in_turns = cheapest(&turns(0)) + cheapest(&turns(1)) + TWIST;
    repeated(&password).min(in_turns)
}

/// As often as something comes in a row, it is guessed once.
fn repeated(password: &[char]) -> u32 {
    let length = password.len();
    let whole = cheapest(password);
    let part = (1..=length / 2).find(|part| (*part..length).all(|i| password[i] == password[i - part]));
    part.map_or(whole, |part| whole.min(cheapest(&password[..part]) + TWIST))
}

/// The cheapest way to put the text together from parts.
fn cheapest(text: &[char]) -> u32 {
    // What the text up to each place costs.
    let mut costs = vec![u32::MAX; text.len() + 1];
    costs[0] = 0;
    for start in 0..text.len() {
        let before = costs[start];
        let rest = &text[start..];
        let mut part = |length: usize, cost: u32| {
            let end = &mut costs[start + length];
            *end = (*end).min(before.saturating_add(cost));
        };
        part(1, single(rest[0]));
        let firsts = std::iter::once(rest[0]).chain(written_for(rest[0]).chars());
        let words = firsts.filter_map(|first| WORDS.get(&first)).flatten();
        for (word, cost) in words.filter(|(word, _)| begins_with(rest, word)) {
            part(word.len(), *cost);
        }
        let same = rest.iter().take_while(|c| **c == rest[0]).count();
        (2..=same).for_each(|length| part(length, SAME));
        (3..=longest_run(rest)).for_each(|length| part(length, RUN));
        if let [a @ ('1' | '2'), b @ ('9' | '0'), c, d, ..] = rest
            && matches!((a, b), ('1', '9') | ('2', '0'))
            && c.is_ascii_digit()
            && d.is_ascii_digit()
        {
            part(4, YEAR);
        }
    }
    costs[text.len()]
}

fn single(c: char) -> u32 {
    match c {
        c if c.is_ascii_digit() => DIGIT,
        c if c.is_alphabetic() => LETTER,
        _ => SIGN,
    }
}

/// True where the text begins with the word, half of it at most written with the usual digits and signs.
fn begins_with(text: &[char], word: &[char]) -> bool {
    let Some(text) = text.get(..word.len()) else { return false };
    let written = text.iter().zip(word).filter(|(c, letter)| c != letter);
    let mut changed = 0;
    for (c, letter) in written {
        changed += 1;
        if !written_for(*c).contains(*letter) {
            return false;
        }
    }
    changed * 2 <= word.len()
}

/// The letters that a digit or sign is written for.
fn written_for(c: char) -> &'static str {
    match c {
        '@' | '4' => "a",
        '8' => "b",
        '(' => "c",
        '3' => "e",
        '6' | '9' => "g",
        '1' | '!' | '|' => "il",
        '0' => "o",
        '5' | '$' => "s",
        '7' | '+' => "t",
        '2' => "z",
        _ => "",
    }
}

/// How many characters at the beginning go one way.
fn longest_run(text: &[char]) -> usize {
    let step = |pair: &[char]| u32::from(pair[1]).cast_signed() - u32::from(pair[0]).cast_signed();
    let steps = match text.first_chunk::<2>() {
        Some(pair) if text[0].is_alphanumeric() && matches!(step(pair), -2 | -1 | 1 | 2) => {
            1 + text.windows(2).take_while(|next| step(next) == step(pair)).count()
        }
        _ => 0,
    };
    WAYS.iter().map(|way| along(text, way)).max().unwrap_or(0).max(steps)
}

/// How many characters at the beginning lie on a way, in either direction.
fn along(text: &[char], way: &str) -> usize {
    let way: Vec<char> = way.chars().collect();
    let Some(start) = way.iter().position(|c| *c == text[0]) else { return 0 };
    let common =
        |ahead: &mut dyn Iterator<Item = &char>| text.iter().zip(ahead).take_while(|(a, b)| a == b).count();
    common(&mut way[start..].iter()).max(common(&mut way[..=start].iter().rev()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn refusal(password: &str) -> Option<String> {
        let mut check = Check::new();
        check_new(&mut check, "password", password, "ada.lovelace@example.com");
        match check.finish(()) {
            Err(Error::Invalid(errors)) => Some(errors[0].message.clone()),
            _ => None,
        }
    }

    #[test]
    fn what_many_people_have_is_refused() {
        for password in [
            "password123",
            "Password1!",
            "P@ssw0rd2024",
            "1234567890",
            "0987654321",
            "1111111111",
            "qwertyuiop",
            "1q2w3e4r5t",
            "1qaz2wsx3edc",
            "asdfghjkl;",
            "zxcvbnm123",
            "iloveyou12",
            "iloveyou!!",
            "letmein2023",
            "welcome123",
            "football10",
            "liverpool1",
            "princess01",
            "michael1985",
            "abc123abc123",
            "abcabcabcabc",
            "a1b2c3d4e5",
            "1029384756",
            "1122334455",
            "147258369147",
            "passwordpassword",
            "qwerty123456",
            "monkeydragon",
            "sunshine2019",
            "admin123456",
            "changeme123",
            "trustno1trustno1",
            "baseball99",
            "aaaaaaaaaaaa",
            "qazwsxedcrfv",
            "123qweasdzxc",
            "dragon!dragon!",
            "jesuschrist1",
            "m1ch43l2000",
        ] {
            assert!(refusal(password).is_some_and(|why| why.contains("easy to guess")), "{password}");
        }
    }

    #[test]
    fn what_takes_long_to_guess_is_taken_whatever_it_is_made_of() {
        for password in [
            "correct horse battery",
            "xkqzvbwmpt",
            "8305947268",
            "Tr0ub4dor&3xyz",
            "kde9-vmw2-qlt7",
            "pferde mögen äpfel",
            "пароль из книги",
            "一二三四五六七八九十天地",
            "\u{1f40e}\u{1f50b}\u{1f4ce}\u{2705}\u{1f319}\u{1f355}\u{1f680}\u{1f3b8}\u{1f9ca}\u{1f335}",
            "sunshine over my garden fence",
            "          leading spaces",
        ] {
            assert_eq!(refusal(password), None, "{password}");
        }
    }

    #[test]
    fn length_address_and_shop_are_looked_at() {
        for (password, why) in [
            ("xkqzvbwmp", "10 to 128"),
            (&"xkqzvbwmp ".repeat(13), "10 to 128"),
            ("xkq Ada.Lovelace zvb", "your e-mail address"),
            ("xkqzv ShopMicro bwmp", "the shop's name"),
        ] {
            assert!(refusal(password).is_some_and(|told| told.contains(why)), "{password}");
        }
        assert_eq!(refusal(&"xkqzvbwmp wruty k".repeat(7)), None, "119 characters");
        // A short local part is in many words.
        let mut check = Check::new();
        check_new(&mut check, "password", "xkqadazvbwmp", "ada@example.com");
        assert!(check.finish(()).is_ok());
    }

    #[test]
    fn the_words_are_words_and_none_is_there_twice() {
        let mut words: Vec<String> =
            WORDS.values().flatten().map(|(word, _)| word.iter().collect()).collect();
        assert!(words.iter().all(|word| *word == word.to_lowercase()));
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
