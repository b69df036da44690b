use std::collections::BTreeSet;

use super::*;
use crate::domain::demo;

fn motif_of(name: &str) -> &'static str {
    motif(&Words::of(name), "Gifts").name
}

/// Just enough of XML to see that tags are closed in order and that values are quoted.
fn assert_well_formed(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "stray > before {}", &rest[start..]);
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphabetic()), "{name}");
        let mut seen = BTreeSet::new();
        while !attributes.is_empty() {
            let (attribute, after) = attributes.split_once("=\"").expect("an attribute has a quoted value");
            assert!(seen.insert(attribute), "{attribute} twice in {tag}");
            let (value, after) = after.split_once('"').expect("a value ends");
            assert!(!value.contains('<') && !value.contains('@'), "{value}");
            attributes = after.strip_prefix(' ').unwrap_or(after);
        }
        if !closed {
            open.push(name);
        }
    }
    assert_eq!((open.len(), rest), (0, ""));
}

#[test]
fn every_motif_is_well_formed_and_small() {
    let mut drawn = BTreeSet::new();
    for motif in MOTIFS {
        let word = motif.nouns.iter().chain(motif.hints).next().expect("a motif has a word");
        for sku in ["85123A", "22423", "47566", "20725", "84879", "POST"] {
            let name = format!("{word} with polka dots");
            let svg = svg(sku, "Gifts", &name);
            assert_well_formed(&svg);
            assert!(svg.len() < 6 * 1024, "{}: {} bytes", motif.name, svg.len());
        }
        drawn.insert(motif_of(word));
    }
    assert_eq!(drawn.len(), MOTIFS.len(), "each motif is reached by its own first word");
}

#[test]
fn nothing_runs_or_is_loaded() {
    for motif in MOTIFS {
        for forbidden in ["script", "style", "href", "url(", "on", "foreignObject", "image"] {
            let attribute = format!(" {forbidden}=");
            let tag = format!("<{forbidden}");
            assert!(!motif.shapes.contains(&attribute) && !motif.shapes.contains(&tag), "{}", motif.name);
        }
    }
    assert_eq!(svg("1", "Gifts", "Mug").matches("http").count(), 1, "the namespace alone");
}

#[test]
fn what_comes_from_outside_is_escaped() {
    let name = "</title><script>alert('1')</script> & \"Mug\"\u{0}\u{1b}\u{ffff}";
    let svg = svg("\"><script>", "<b>&", name);
    assert_well_formed(&svg);
    assert!(!svg.contains("<script"));
    assert!(svg.contains(
        "<title>&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;Mug&quot;</title>"
    ));
}

#[test]
fn any_text_can_be_drawn() {
    let long = "Ünïcödé 漢字 ".repeat(20);
    for name in ["", " ", ",", "İ, ẞ with ﬁ", "with in for", "@m @@", long.as_str()] {
        assert_well_formed(&svg(name, name, name));
    }
}

#[test]
fn a_product_always_looks_the_same_and_others_differ() {
    let mug = svg("A-1", "Kitchen", "Stoneware Mug");
    assert_eq!(mug, svg("A-1", "Kitchen", "Stoneware Mug"));
    assert_ne!(mug, svg("A-2", "Kitchen", "Stoneware Mug"));
}

#[test]
fn the_last_noun_says_what_it_is() {
    for (name, expected) in [
        ("WHITE HANGING HEART T-LIGHT HOLDER", "candle"),
        ("JUMBO BAG RED RETROSPOT", "tote"),
        ("REGENCY CAKESTAND 3 TIER", "cake"),
        ("SET OF 3 CAKE TINS PANTRY DESIGN", "tin"),
        ("ALARM CLOCK BAKELIKE GREEN", "clock"),
        ("HAND WARMER UNION JACK", "cushion"),
        ("RED HANGING HEART", "heart"),
        ("PAPER CHAIN KIT 50'S CHRISTMAS", "craft kit"),
        ("Cast-Iron Casserole with Red Lid", "casserole"),
        ("Cake Tin with Red Spots", "tin"),
        ("Willow Picnic Hamper for Four", "basket"),
        ("Glass Lantern with Leather Strap", "lantern"),
        ("WRAP ENGLISH ROSE", "wrapping paper"),
        ("JUMBO BAG OWLS", "tote"),
        ("LUNCH BAG CARS BLUE", "tote"),
        ("PINK BUTTERFLY WASHBAG", "purse"),
        ("FELTCRAFT CUSHION OWL", "cushion"),
        ("FELTCRAFT DOLL ROSIE", "doll"),
        ("WOODEN PULL-ALONG DUCK", "bird"),
        ("SEED FEEDER FOR GARDEN BIRDS", "bird"),
    ] {
        assert_eq!(motif_of(name), expected, "{name}");
    }
}

#[test]
fn a_name_without_a_known_noun_falls_back_to_the_category() {
    assert_eq!(motif(&Words::of("Brass Thing"), "Lighting").name, "lamp");
    assert_eq!(motif(&Words::of("Birds of Town and Garden"), "Books").name, "book");
    assert_eq!(motif(&Words::of("Brass Thing"), "Sundries").name, DEFAULT);
}

#[test]
fn colour_words_are_honoured() {
    assert!(svg("1", "Kitchen", "Red Mug").contains("#c9573f"));
    assert!(svg("1", "Kitchen", "Mug, Navy").contains("#41587d"));
    assert!(svg("1", "Kitchen", "Cast-Iron Pan with Yellow Lid").contains("#44474d"));
}

#[test]
fn the_demo_catalogue_is_drawn_by_many_motifs() {
    let products = demo::catalogue(demo::SEED);
    let mut used = BTreeSet::new();
    for product in &products {
        let name = motif(&Words::of(&product.name), &product.category).name;
        assert_ne!(name, DEFAULT, "{product:?}");
        used.insert(name);
    }
    assert!(used.len() >= 50, "{used:?}");
}
