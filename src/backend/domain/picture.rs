//! Pictures of products, drawn by the shop: a motif found by the words of the name, in colours found by its colour
//! words or else by the stock number. The same product always looks the same, and nothing is stored.

mod motifs;

use sha2::{Digest, Sha256};

use motifs::{DEFAULT, MOTIFS, Motif};

/// A picture of a product as a self-contained SVG of a few kB: no script, style or reference, so that the strictest
/// content security policy lets it be shown.
pub fn svg(sku: &str, category: &str, name: &str) -> String {
    let words = Words::of(name);
    let motif = motif(&words, category);
    let digest: [u8; 32] = Sha256::digest(sku).into();
    let colours = Colours::of(&words, &digest);
    let title = escape(name);
    let (wall, backdrop, table) = colours.ground;
    let backdrop = format!("<g fill=\"{backdrop}\">{}</g>", choose(&BACKDROPS, digest[1]));
    let table = if motif.stands {
        format!(
            "<path fill=\"{table}\" d=\"M0 300h400v100H0z\"/>\
             <ellipse cx=\"206\" cy=\"326\" rx=\"118\" ry=\"12\" fill=\"#000\" opacity=\".1\"/>"
        )
    } else {
        String::new()
    };
    let shapes = colours.paint(motif.shapes);
    let pattern = motif.panel.map_or_else(String::new, |panel| pattern(&words, digest[2], panel));
    let pattern = colours.paint(&pattern);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 400 400\" role=\"img\"><title>{title}</title>\
         <path fill=\"{wall}\" d=\"M0 0h400v400H0z\"/>{backdrop}{table}{shapes}{pattern}</svg>"
    )
}

/// The soft shape behind the product.
const BACKDROPS: [&str; 4] = [
    r#"<circle cx="200" cy="196" r="148"/>"#,
    r#"<path d="M72 400V196a128 128 0 0 1 256 0v204z"/>"#,
    r#"<path d="M60 216C40 120 112 40 204 46c96 4 160 76 142 176-16 88-64 140-150 136C116 356 72 296 60 216z"/>"#,
    r#"<path d="M0 0h266q40 108-42 176T0 268z"/><circle cx="330" cy="96" r="30"/>"#,
];

/// A name in lower case, word by word, without what follows a comma or "with": that describes the thing and does not
/// say what it is.
struct Words {
    all: Vec<String>,
    /// How many of them say what the thing is.
    head: usize,
}

impl Words {
    fn of(name: &str) -> Self {
        let mut text = format!(" {}", name.to_lowercase().replace('-', " "));
        for (phrase, word) in PHRASES {
            text = text.replace(phrase, word);
        }
        let end = [",", ":", " with ", " in ", " for "].iter().filter_map(|stop| text.find(stop)).min();
        let split = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        let head = end.map_or_else(|| split(&text).len(), |end| split(&text[..end]).len());
        Self { all: split(&text), head }
    }

    fn head(&self) -> &[String] {
        &self.all[..self.head]
    }

    fn any(&self, choices: &[&str]) -> bool {
        self.all.iter().any(|word| choices.iter().any(|choice| same(word, choice)))
    }
}

/// Phrases that are one thing, and not the thing that their last word says.
const PHRASES: [(&str, &str); 26] = [
    (" t light", " tealight"),
    ("duck egg", "duckegg"),
    ("tea light", "tealight"),
    ("candle holder", "candlestick"),
    ("dinner candle", "taper"),
    ("desk lamp", "desklamp"),
    ("reading lamp", "desklamp"),
    ("pendant light", "pendantlight"),
    ("string light", "stringlight"),
    ("fairy light", "stringlight"),
    ("hot water bottle", "cushion"),
    ("soft toy", "plush"),
    ("camping pot", "saucepan"),
    ("pen pot", "pencil"),
    ("tool kit", "tool"),
    ("garden kit", "plant"),
    ("hand fork", "trowel"),
    ("letter rack", "envelope"),
    ("bird table", "feeder"),
    ("key ring", "keyring"),
    ("wash bag", "pouch"),
    ("washbag", "pouch"),
    ("make up bag", "pouch"),
    ("weekend bag", "holdall"),
    ("duffle bag", "holdall"),
    ("holdall bag", "holdall"),
];

/// Creatures and toys are printed on things as often as they are sold themselves: a "bag owls" is a bag. These words
/// say what a thing is only where no other noun does; so does felt, of which a cushion or a doll may be made.
const SUBJECTS: [&str; 17] = [
    "babushka",
    "bear",
    "bird",
    "bunny",
    "butterfly",
    "car",
    "chick",
    "doll",
    "dolly",
    "duck",
    "felt",
    "feltcraft",
    "hen",
    "owl",
    "rabbit",
    "toy",
    "train",
];

/// Whether a word of a name is this word or its plural.
fn same(word: &str, choice: &str) -> bool {
    word == choice || word.strip_suffix('s') == Some(choice) || word.strip_suffix("es") == Some(choice)
}

/// The last noun of an English name says what the thing is: a "heart candle" is a candle. Where no noun is known the
/// hints decide, in the order of the motifs, then the category.
fn motif(words: &Words, category: &str) -> &'static Motif {
    let category = Words::of(category);
    let named = |word: &String| MOTIFS.iter().find(|motif| motif.nouns.iter().any(|noun| same(word, noun)));
    let subject = |word: &&String| SUBJECTS.iter().any(|subject| same(word, subject));
    let noun_of = |words: &[String]| {
        let last = words.iter().rev();
        last.clone().filter(|word| !subject(word)).find_map(named).or_else(|| last.clone().find_map(named))
    };
    let hint_of = |words: &Words| MOTIFS.iter().find(|motif| words.any(motif.hints));
    // The title of a book speaks of everything but books.
    let books = category.any(&["book"]).then(|| noun_of(category.head())).flatten();
    books
        .or_else(|| noun_of(words.head()))
        .or_else(|| noun_of(&words.all))
        .or_else(|| hint_of(words))
        .or_else(|| noun_of(&category.all))
        .or_else(|| hint_of(&category))
        .or_else(|| MOTIFS.iter().find(|motif| motif.name == DEFAULT))
        .unwrap_or(&MOTIFS[0])
}

/// A colour as main, dark and light, with the words that ask for it.
struct Family {
    words: &'static [&'static str],
    main: &'static str,
    dark: &'static str,
    light: &'static str,
}

/// The first [`LIVELY`] may also be chosen where the name asks for no colour.
const FAMILIES: [Family; 14] = [
    family(&["red", "strawberry", "cherry", "scarlet", "poppy", "crimson"], "#c9573f", "#9d3f2d", "#eaa798"),
    family(&["blue", "sea", "sky", "turquoise", "gingham"], "#5d8fb0", "#3f6b8a", "#bcd6e4"),
    family(&["green", "forest", "moss", "olive", "emerald", "apple"], "#6d9270", "#4a6d4f", "#bdd3b9"),
    family(
        &["yellow", "mustard", "gold", "brass", "lemon", "honey", "beeswax"],
        "#e0ae48",
        "#b6852b",
        "#f6dfa6",
    ),
    family(&["pink", "rose", "blush", "geranium", "coral"], "#dc909c", "#b4626f", "#f5d3d8"),
    family(&["purple", "lavender", "lilac", "heather", "amethyst", "fig"], "#8f7aab", "#695585", "#d3c6e2"),
    family(&["orange", "terracotta", "rust", "copper", "amber", "spice"], "#d27d4e", "#a65b31", "#f0c5a6"),
    family(&["navy", "indigo", "night", "midnight"], "#41587d", "#2c3d5b", "#b1bfd6"),
    family(&["teal", "mint", "duckegg", "aqua", "jade"], "#559a95", "#38736f", "#b7d9d5"),
    family(&["sage", "thyme", "eucalyptus"], "#98ae92", "#6f886b", "#d6e1d0"),
    family(&["brown", "oak", "walnut", "tan", "chocolate"], "#a67c57", "#7a5638", "#dfc4a4"),
    family(
        &["grey", "silver", "zinc", "steel", "slate", "smoked", "galvanised"],
        "#8b949b",
        "#666f76",
        "#d0d6da",
    ),
    family(&["black", "charcoal", "iron", "ebony"], "#44474d", "#2c2e33", "#9a9fa6"),
    family(&["white", "ivory", "cream", "oatmeal", "natural", "porcelain"], "#f4ecdf", "#d8cab4", "#fffaf1"),
];
const LIVELY: usize = 10;

const fn family(
    words: &'static [&'static str],
    main: &'static str,
    dark: &'static str,
    light: &'static str,
) -> Family {
    Family { words, main, dark, light }
}

/// Wall, backdrop and table.
type Ground = (&'static str, &'static str, &'static str);

const GROUNDS: [Ground; 8] = [
    ("#f4ebdf", "#fbf6ee", "#e5d3bd"),
    ("#e7eee8", "#f4f8f4", "#cfdccf"),
    ("#e4ecf2", "#f3f7fa", "#cad8e3"),
    ("#f7e8e2", "#fdf4f0", "#eccfc3"),
    ("#eeeaf3", "#f8f6fb", "#d9d1e4"),
    ("#f6efd9", "#fdf9ec", "#e8dab0"),
    ("#e5efee", "#f3f9f8", "#c8dcda"),
    ("#efece8", "#faf8f6", "#d9d2ca"),
];

/// Deeper grounds for what is white.
const DEEP_GROUNDS: [Ground; 4] = [
    ("#b9cbd6", "#cddbe3", "#9cb3c2"),
    ("#b8c8b4", "#ccd8c8", "#9bb096"),
    ("#dfb9a5", "#ebcebf", "#cb9d85"),
    ("#c3b8cf", "#d5ccde", "#a99cba"),
];

/// The colours of one picture.
struct Colours {
    main: &'static Family,
    accent: &'static Family,
    ground: Ground,
}

impl Colours {
    fn of(words: &Words, digest: &[u8; 32]) -> Self {
        let named = |word: &String| {
            FAMILIES.iter().position(|family| family.words.iter().any(|colour| same(word, colour)))
        };
        let mut asked = words.all.iter().filter_map(named);
        let main = asked.next().unwrap_or(usize::from(digest[3]) % LIVELY);
        // An accent a few steps on is another colour even where the main one is lively itself.
        let step = 1 + usize::from(digest[4]) % (LIVELY - 1);
        let accent = asked.find(|&other| other != main).unwrap_or((main + step) % LIVELY);
        let white = main == FAMILIES.len() - 1;
        let grounds: &[Ground] = if white { &DEEP_GROUNDS } else { &GROUNDS };
        Self { main: &FAMILIES[main], accent: &FAMILIES[accent], ground: *choose(grounds, digest[0]) }
    }

    /// Puts the colours in where the shapes name them.
    fn paint(&self, shapes: &str) -> String {
        let mut painted = String::with_capacity(shapes.len() * 2);
        let mut pieces = shapes.split('@');
        painted += pieces.next().unwrap_or_default();
        for piece in pieces {
            let mut rest = piece.chars();
            painted += match rest.next() {
                Some('m') => self.main.main,
                Some('d') => self.main.dark,
                Some('l') => self.main.light,
                Some('a') => self.accent.main,
                Some('b') => self.accent.dark,
                Some('p') => "#fffaf2",
                Some('w') => "#c79f74",
                Some('x') => "#8d6746",
                Some('g') => "#7ea57a",
                Some('h') => "#567d58",
                Some('y') => "#f2c25b",
                _ => "#45413f",
            };
            painted += rest.as_str();
        }
        painted
    }
}

/// What is printed on a product: what the name says, or one of the quiet patterns by the stock number.
fn pattern(words: &Words, byte: u8, (x, y, width, height): (u16, u16, u16, u16)) -> String {
    const FLOWER: &str = r#"<circle r="9" fill="@p"/><circle r="4" fill="@y"/>"#;
    const HEART: &str = r#"<path fill="@p" d="M0 9C-14 2-11-9-5-9q4 0 5 4 1-4 5-4C11-9 14 2 0 9z"/>"#;
    const STAR: &str = r#"<path fill="@p" d="M0-10l3 7 7 1-5 5 1 7-6-4-6 4 1-7-5-5 7-1z"/>"#;
    const LEAF: &str = r#"<path fill="@l" d="M-9 7Q-9-9 9-9 9 7-9 7z"/>"#;
    const DOT: &str = r#"<circle r="6" fill="@l"/>"#;
    const SPOT: &str = r#"<circle r="9" fill="@p"/>"#;
    const DASH: &str = r#"<path fill="@l" d="M-15-3h30v6h-30z"/>"#;
    const CHECK: &str = r#"<path fill="@p" opacity=".55" d="M-15-7h30V7h-30zM-7-15H7v30H-7z"/>"#;
    const CHEVRON: &str = r#"<path fill="none" stroke="@l" stroke-width="5" d="M-15 6L0-6 15 6"/>"#;
    const NAMED: [(&[&str], &str); 7] = [
        (&["spot", "dot", "polka", "polkadot", "retrospot"], SPOT),
        (&["stripe", "striped", "ticking"], DASH),
        (&["check", "gingham", "tartan"], CHECK),
        (&["flower", "floral", "rose", "daisy", "poppy", "blossom", "liberty"], FLOWER),
        (&["heart", "love", "sweetheart"], HEART),
        (&["star", "christmas", "night", "sky"], STAR),
        (&["leaf", "leaves", "botanical", "fern"], LEAF),
    ];
    const STEP: u16 = 30;
    let named = NAMED.iter().find(|(asked, _)| words.any(asked)).map(|&(_, glyph)| glyph);
    let quiet = [None, None, Some(DOT), Some(DASH), Some(CHEVRON), Some(LEAF)];
    let Some(glyph) = named.or(*choose(&quiet, byte)) else {
        return String::new();
    };
    let (columns, rows) = (width / STEP, height / STEP);
    let left = x + (width - (columns - 1) * STEP) / 2;
    let top = y + (height - (rows - 1) * STEP) / 2;
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    let at = |(column, row)| (left + column * STEP, top + row * STEP);
    let placed = places.map(at).map(|(x, y)| format!("<g transform=\"translate({x} {y})\">{glyph}</g>"));
    placed.collect::<Vec<_>>().concat()
}

fn choose<T>(choices: &[T], byte: u8) -> &T {
    &choices[usize::from(byte) % choices.len()]
}

/// Text as XML may hold it: the five characters escaped, and those that XML 1.0 cannot have at all left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() && c != '\t' && c != '\n' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
