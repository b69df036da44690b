//! The terms of a model: words, and pairs of words that are neighbours.
//!
//! A pair is two numbers of words, so no text is kept for it. Terms are in the order of their texts by code
//! points, which is scikit-learn's order of columns: the words are sorted, each is followed by the pairs that
//! it begins, and the space of a pair sorts before every letter.

/// Texts end to end in one allocation.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    pub(crate) text: String,
    pub(crate) ends: Vec<u32>,
}

impl Strings {
    /// Appends one.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(u32::try_from(self.text.len()).expect("less than 4 GiB of text"));
    }

    /// One by its number.
    #[must_use]
    pub fn get(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.text[start..self.ends[number] as usize]
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|number| self.get(number))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + 4 * self.ends.capacity()
    }
}

impl<'a> FromIterator<&'a str> for Strings {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut strings = Self::default();
        texts.into_iter().for_each(|text| strings.push(text));
        strings
    }
}

/// What makes a term of a word alone, where a pair has the number of its second word and one.
pub(crate) const ALONE: u32 = 0;

/// The terms. A term's number is its place.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// Sorted.
    pub(crate) words: Strings,
    /// Where the terms of each word begin; one more at the end.
    pub(crate) starts: Vec<u32>,
    /// Of each term [`ALONE`], or the second word and one; sorted for each first word.
    pub(crate) seconds: Vec<u32>,
}

impl Vocabulary {
    /// How many terms there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seconds.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seconds.is_empty()
    }

    /// The text of a term.
    #[must_use]
    pub fn name(&self, term: u32) -> String {
        let word = self.starts.partition_point(|&start| start <= term) - 1;
        let first = self.words.get(word);
        match self.seconds[term as usize].checked_sub(1) {
            None => first.to_owned(),
            Some(second) => format!("{first} {}", self.words.get(second as usize)),
        }
    }

    /// The term of a word, or of a pair of words.
    #[must_use]
    pub fn term(&self, first: &str, second: Option<&str>) -> Option<u32> {
        let first = self.word(first)? as usize;
        let second = second.map_or(Some(ALONE), |second| Some(self.word(second)? + 1))?;
        let start = self.starts[first];
        let seconds = &self.seconds[start as usize..self.starts[first + 1] as usize];
        let place = seconds.binary_search(&second).ok()?;
        Some(start + u32::try_from(place).ok()?)
    }

    fn word(&self, word: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.words.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.words.get(middle) < word {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low < self.words.len() && self.words.get(low) == word).then(|| u32::try_from(low).ok())?
    }

    pub(crate) fn bytes(&self) -> usize {
        self.words.bytes() + 4 * (self.starts.capacity() + self.seconds.capacity())
    }
}
