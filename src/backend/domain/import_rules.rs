//! How past orders and catalogues from other systems are cleaned: a line becomes something that the shop can keep, or
//! is refused with a reason. The naming, sorting and tagging of products that are known from order lines only is here
//! as well.

use std::fmt;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::domain::product::{MAX_STOCK, is_picture};

/// The namespace of the ids of imported customers: the `UUIDv5` of `customer:<id>` in it is the user's id, so that every
/// import of a customer meets the same user. It is the `UUIDv5` of `https://shopmicro.example/imported-customers` in the
/// URL namespace, and must never change.
pub const CUSTOMER_NAMESPACE: Uuid = Uuid::from_u128(0x6e07_4449_a897_5227_a0dc_dce1_5e68_ec9f);

/// The most units that one line sells. Real wholesale lines stay well below; beyond are slips of the keyboard, which
/// the seller cancels a minute later under another number.
pub const MAX_QUANTITY: i32 = 10_000;

/// The dearest product, in minor units: what the schema takes.
pub const MAX_PRICE_CENTS: i64 = 100_000_000;

/// Where a product has no known category.
pub const OTHER_CATEGORY: &str = "Gifts & more";

/// Order lines before this year come from clocks that were never set.
const FIRST_YEAR: i16 = 1990;

/// Why a line was refused; a line with several faults is refused for the first, in the order of these variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reject {
    /// The line has more or fewer fields than the header, or is no UTF-8.
    Row,
    /// The invoice takes an earlier one back.
    Cancellation,
    /// Postage, fees, vouchers, corrections: charged, but nothing that a shelf holds.
    NotAProduct,
    /// A return or a correction of the stock.
    Quantity,
    /// Given away, written off, or less than a cent.
    NoPrice,
    /// The description is empty or a note of the staff, such as "damaged".
    Note,
    /// A field that cannot be read; the text names it.
    Unreadable(&'static str),
    /// A field that can be read, but not be true; the text names it.
    OutOfRange(&'static str),
    /// A catalogue's SKU that an earlier row of the same file has.
    Repeated,
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row => f.write_str("unreadable row"),
            Self::Cancellation => f.write_str("cancellation"),
            Self::NotAProduct => f.write_str("not a product"),
            Self::Quantity => f.write_str("quantity not positive"),
            Self::NoPrice => f.write_str("no price"),
            Self::Note => f.write_str("description is empty or a note"),
            Self::Unreadable(field) => write!(f, "unreadable {field}"),
            Self::OutOfRange(field) => write!(f, "{field} out of range"),
            Self::Repeated => f.write_str("SKU repeated"),
        }
    }
}

/// The fields of an order line, as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct SaleFields<'a> {
    /// The moment of the sale, UTC.
    pub invoiced_at: &'a str,
    /// The order's number.
    pub invoice: &'a str,
    /// The product's number.
    pub stock_code: &'a str,
    /// What the till printed.
    pub description: &'a str,
    /// Units.
    pub quantity: &'a str,
    /// Price of a unit in pounds.
    pub unit_price: &'a str,
    /// The customer's number, or nothing.
    pub customer_id: &'a str,
}

/// A line of an order that was really delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleLine {
    /// The moment of the sale.
    pub at: Timestamp,
    /// The order's number.
    pub invoice: String,
    /// The stock code in upper case.
    pub sku: String,
    /// The description as a name.
    pub name: String,
    /// Units, from 1 to [`MAX_QUANTITY`].
    pub quantity: i32,
    /// Price of a unit in minor units.
    pub price_cents: i64,
    /// The customer's number in lower case, where known.
    pub customer: Option<String>,
}

impl SaleLine {
    /// Cleans an order line. `now` is the moment of the import: nothing was sold after it.
    pub fn clean(fields: &SaleFields<'_>, now: Timestamp) -> Result<Self, Reject> {
        let invoice = number(fields.invoice, "invoice")?;
        if invoice.starts_with(['C', 'c']) {
            return Err(Reject::Cancellation);
        }
        let sku = number(fields.stock_code, "stock_code")?.to_uppercase();
        if is_service(&sku, fields.description) {
            return Err(Reject::NotAProduct);
        }
        let quantity = integer(fields.quantity, "quantity")?;
        if quantity <= 0 {
            return Err(Reject::Quantity);
        }
        let price_cents = cents(fields.unit_price)?;
        if price_cents <= 0 {
            return Err(Reject::NoPrice);
        }
        let name = name(fields.description).ok_or(Reject::Note)?;
        let at = moment(fields.invoiced_at)?;
        let customer = customer(fields.customer_id)?;
        let quantity = i32::try_from(quantity).ok().filter(|quantity| *quantity <= MAX_QUANTITY);
        let quantity = quantity.ok_or(Reject::OutOfRange("quantity"))?;
        if price_cents > MAX_PRICE_CENTS {
            return Err(Reject::OutOfRange("unit_price"));
        }
        if name.chars().count() > 200 {
            return Err(Reject::OutOfRange("description"));
        }
        if at > now || at.to_zoned(TimeZone::UTC).year() < FIRST_YEAR {
            return Err(Reject::OutOfRange("invoiced_at"));
        }
        Ok(Self { at, invoice: invoice.to_owned(), sku, name, quantity, price_cents, customer })
    }
}

/// The fields of a catalogue's row, as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct CatalogueFields<'a> {
    /// The shop's number for the product.
    pub sku: &'a str,
    /// Name.
    pub name: &'a str,
    /// Description.
    pub description: &'a str,
    /// Category.
    pub category: &'a str,
    /// Tags, separated by `|`.
    pub tags: &'a str,
    /// Price in minor units.
    pub price_cents: &'a str,
    /// Units in stock.
    pub stock: &'a str,
    /// Address of a picture, or nothing.
    pub image_url: &'a str,
}

/// A product as a catalogue describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueLine {
    /// The shop's number for the product.
    pub sku: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Category.
    pub category: String,
    /// Tags, none twice, none with a `|`.
    pub tags: Vec<String>,
    /// Price in minor units.
    pub price_cents: i64,
    /// Units in stock.
    pub stock: i32,
    /// Address of a picture.
    pub image_url: Option<String>,
}

impl CatalogueLine {
    /// Checks a catalogue's row. It is the shop's own text: spaces at the ends aside, it stays as it is.
    pub fn clean(fields: &CatalogueFields<'_>) -> Result<Self, Reject> {
        let sku = number(fields.sku, "sku")?.to_owned();
        let line = Self {
            name: text(fields.name, "name", 1, 200)?,
            description: text(fields.description, "description", 0, 4000)?,
            category: text(fields.category, "category", 1, 60)?,
            tags: tags(fields.tags)?,
            price_cents: integer(fields.price_cents, "price_cents")?,
            stock: i32::try_from(integer(fields.stock, "stock")?).map_err(|_| Reject::OutOfRange("stock"))?,
            image_url: image_url(fields.image_url)?,
            sku,
        };
        if !(0..=MAX_PRICE_CENTS).contains(&line.price_cents) {
            return Err(Reject::OutOfRange("price_cents"));
        }
        if !(0..=MAX_STOCK).contains(&line.stock) {
            return Err(Reject::OutOfRange("stock"));
        }
        Ok(line)
    }
}

/// An invoice's or a product's number: something, printable, and no longer than a SKU may be.
fn number<'a>(raw: &'a str, field: &'static str) -> Result<&'a str, Reject> {
    let number = raw.trim();
    if number.is_empty() || number.chars().any(char::is_control) {
        return Err(Reject::Unreadable(field));
    }
    if number.chars().count() > 64 { Err(Reject::OutOfRange(field)) } else { Ok(number) }
}

fn integer(raw: &str, field: &'static str) -> Result<i64, Reject> {
    let digits = raw.trim();
    digits.parse().map_err(|_| {
        let unsigned = digits.strip_prefix('-').unwrap_or(digits);
        let is_number = !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit());
        if is_number { Reject::OutOfRange(field) } else { Reject::Unreadable(field) }
    })
}

/// Pounds as pence, half a penny rounded away from zero; by digits, since a float would round some prices the wrong way.
fn cents(raw: &str) -> Result<i64, Reject> {
    const FIELD: &str = "unit_price";
    let raw = raw.trim();
    let (negative, digits) = raw.strip_prefix('-').map_or((false, raw), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || whole.len() + fraction.len() == 0 {
        return Err(Reject::Unreadable(FIELD));
    }
    let digit = |place: usize| i64::from(fraction.as_bytes().get(place).map_or(0, |b| b - b'0'));
    let pounds: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok().filter(|pounds| *pounds <= MAX_PRICE_CENTS).ok_or(Reject::OutOfRange(FIELD))?
    };
    let cents = pounds * 100 + digit(0) * 10 + digit(1) + i64::from(digit(2) >= 5);
    Ok(if negative { -cents } else { cents })
}

/// A moment without an offset is UTC. Offsets are tried first: a civil time would drop one without a word.
fn moment(raw: &str) -> Result<Timestamp, Reject> {
    let raw = raw.trim();
    let civil = || raw.parse::<DateTime>().and_then(|civil| civil.to_zoned(TimeZone::UTC));
    raw.parse()
        .or_else(|_| civil().map(|zoned| zoned.timestamp()))
        .map_err(|_| Reject::Unreadable("invoiced_at"))
}

/// It becomes part of an e-mail address, so it has only what one may have.
fn customer(raw: &str) -> Result<Option<String>, Reject> {
    let id = raw.trim();
    if id.is_empty() {
        return Ok(None);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !id.bytes().all(plain) {
        return Err(Reject::Unreadable("customer_id"));
    }
    if id.len() > 50 {
        return Err(Reject::OutOfRange("customer_id"));
    }
    Ok(Some(id.to_ascii_lowercase()))
}

/// Line breaks and tabs are text; other control characters are not (and PostgreSQL takes no NUL).
fn text(raw: &str, field: &'static str, min: usize, max: usize) -> Result<String, Reject> {
    let text = raw.trim();
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Reject::Unreadable(field));
    }
    let length = text.chars().count();
    if (min..=max).contains(&length) { Ok(text.to_owned()) } else { Err(Reject::OutOfRange(field)) }
}

fn tags(raw: &str) -> Result<Vec<String>, Reject> {
    let mut tags: Vec<String> = Vec::new();
    for tag in raw.split(['|', ',']).filter(|tag| !tag.trim().is_empty()) {
        let tag = text(tag, "tags", 1, 60)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() <= 20 { Ok(tags) } else { Err(Reject::OutOfRange("tags")) }
}

/// The address goes into pages: it is a web address or a path of this shop, never a script.
fn image_url(raw: &str) -> Result<Option<String>, Reject> {
    let url = text(raw, "image_url", 0, 500)?;
    if url.is_empty() {
        return Ok(None);
    }
    if is_picture(&url) { Ok(Some(url)) } else { Err(Reject::Unreadable("image_url")) }
}

/// The user that stands for an imported customer.
pub fn customer_user_id(customer: &str) -> Uuid {
    Uuid::new_v5(&CUSTOMER_NAMESPACE, format!("customer:{customer}").as_bytes())
}

/// Codes under which tills book what is no product: postage, carriage, manual entries, discounts, samples, bad debts,
/// charges of banks and marketplaces, donations.
const SERVICE_CODES: [&str; 18] = [
    "ADJUST",
    "ADJUST2",
    "AMAZONFEE",
    "B",
    "C2",
    "C3",
    "CRUK",
    "D",
    "DISCOUNT",
    "DOT",
    "FEE",
    "GIFT",
    "M",
    "MANUAL",
    "POST",
    "POSTAGE",
    "S",
    "SHIPPING",
];

/// Services that some shops book under codes which look like products.
const SERVICE_NAMES: [&str; 12] = [
    "adjust bad debt",
    "carriage",
    "delivery",
    "discount",
    "dotcom postage",
    "high resolution image",
    "manual",
    "next day carriage",
    "packing charge",
    "postage",
    "samples",
    "shipping",
];

/// True for what is charged but not sold. A product's code has at least three characters and no space in it
/// ("BANK CHARGES" has).
fn is_service(code: &str, description: &str) -> bool {
    let description = description.trim().to_lowercase();
    code.chars().count() < 3
        || code.contains(char::is_whitespace)
        || code.starts_with("GIFT_")
        || SERVICE_CODES.contains(&code)
        || SERVICE_NAMES.contains(&description.as_str())
        || description.contains("gift voucher")
        || description.contains("bank charges")
}

/// Notes that staff leave where a product's name belongs.
const NOTES: [&str; 36] = [
    "adjust",
    "adjustment",
    "amazon",
    "breakages",
    "broken",
    "check",
    "counted",
    "cracked",
    "crushed",
    "dagamed",
    "damage",
    "damaged",
    "damages",
    "display",
    "dotcom",
    "ebay",
    "faulty",
    "found",
    "given away",
    "incorrect",
    "lost",
    "mailout",
    "missing",
    "mouldy",
    "n/a",
    "none",
    "null",
    "returned",
    "rusty",
    "showroom",
    "smashed",
    "test",
    "unknown",
    "unsaleable",
    "wet",
    "wrong",
];

/// What such notes have in them when they are longer, and no product's name has.
const NOTE_PHRASES: [&str; 22] = [
    "adjustment",
    "allocate stock",
    "bad debt",
    "barcode",
    "can't find",
    "damages",
    "dotcom sold",
    "incorrect",
    "mix up",
    "no stock",
    "put aside",
    "sold as",
    "sold in set",
    "stock check",
    "stock entry",
    "thrown away",
    "throw away",
    "unsaleable",
    "water damage",
    "wet damaged",
    "wrong code",
    "wrongly",
];

fn is_note(description: &str) -> bool {
    let text = description.to_lowercase();
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
    text.starts_with('?')
        || !text.contains(char::is_alphabetic)
        || NOTES.contains(&bare)
        || NOTE_PHRASES.iter().any(|phrase| text.contains(phrase))
}

/// Words that keep a capital, or all of them, in the middle of a name.
const PROPER_WORDS: [&str; 47] = [
    "Acapulco",
    "Amelie",
    "Bertie",
    "CD",
    "Charlie",
    "Charlotte",
    "Chinese",
    "Christmas",
    "DVD",
    "Danish",
    "Easter",
    "Edwardian",
    "Eiffel",
    "England",
    "English",
    "Ferrari",
    "French",
    "Georgian",
    "Halloween",
    "I",
    "Indian",
    "iPod",
    "Jack",
    "Japanese",
    "LED",
    "Lola",
    "London",
    "Louis",
    "Montana",
    "Morris",
    "Moroccan",
    "Murano",
    "Paris",
    "Parisienne",
    "Poppy's",
    "Santa",
    "Scandinavian",
    "Spaceboy",
    "TV",
    "UK",
    "USA",
    "USB",
    "Union",
    "Valentine",
    "Valentine's",
    "Victorian",
    "Xmas",
];

/// A till's description as a name: spaces collapsed, stray marks at the ends cut, in sentence case. `None` where it is
/// empty or a note of the staff.
pub fn name(description: &str) -> Option<String> {
    let mut words = String::with_capacity(description.len());
    for word in
        description.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty())
    {
        if !words.is_empty() && !word.starts_with(',') {
            words.push(' ');
        }
        words.push_str(word);
    }
    if is_note(&words) {
        return None;
    }
    let stray = |c: char| matches!(c, '*' | '.' | ',' | '-' | ';' | ':' | '"' | ' ');
    let words = words.trim_matches(stray);
    let mut name = String::with_capacity(words.len());
    let mut rest = words;
    while !rest.is_empty() {
        let in_word = |c: char| c.is_alphabetic() || c == '\'';
        let length = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        match PROPER_WORDS.iter().find(|proper| proper.eq_ignore_ascii_case(word)) {
            Some(proper) => name.push_str(proper),
            None => name.extend(word.chars().flat_map(char::to_lowercase)),
        }
        let gap = after.find(in_word).unwrap_or(after.len());
        let (between, next) = after.split_at(gap);
        name.push_str(between);
        rest = next;
    }
    let mut letters = name.chars();
    let first = letters.next()?;
    Some(first.to_uppercase().chain(letters).collect())
}

/// The words of a name in lower case and without the plural's s, each once, in order.
fn stems(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '-').map(|word| word.trim_matches('-'));
    words.filter(|word| !word.is_empty()).map(|word| stem(word).to_owned()).collect()
}

fn stem(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with('s')).unwrap_or(word)
}

/// The words of a keyword, as [`stems`] has them.
type Keyword = Vec<&'static str>;

fn keyword(text: &'static str) -> Keyword {
    text.split(' ').map(stem).collect()
}

/// True where the words of `keyword` stand next to each other in `stems`.
fn mentions(stems: &[String], keyword: &Keyword) -> bool {
    stems.windows(keyword.len()).any(|window| window.iter().eq(keyword))
}

/// What tells a product's category: the first row with a keyword in the name decides. Keywords match whole words, with
/// or without a plural's s. The first rows hold phrases whose single words would mislead.
const CATEGORIES: &[(&str, &str)] = &[
    (
        "Christmas",
        "christmas,xmas,santa,reindeer,advent,bauble,snowflake,snowman,stocking,yuletide,tinsel,mistletoe,nativity,\
         jingle bell,rudolph,gingerbread,holly,noel",
    ),
    ("Bags", "purse,handbag,passport cover"),
    ("Garden", "garden parasol"),
    ("Textiles", "filler pad,hot water bottle,hottie,hand warmer,tea towel,oven glove,peg bag"),
    (
        "Home decoration",
        "number tile,drawer knob,cabinet knob,door sign,metal sign,wall art,tin sign,photo frame",
    ),
    (
        "Toys & games",
        "playing card,building block,swirly marble,bag of marble,nesting box,lolly maker,party bag toy",
    ),
    (
        "Stationery & cards",
        "gift wrap,wrapping paper,paper chain,gift tag,gift bag,pencil tin,pencil case,jumbo pen,notebook",
    ),
    (
        "Kitchen",
        "paper napkin,lunch box,snack box,cake tin,cake stand,cakestand,egg cup,bread bin,cake case,food container",
    ),
    ("Health & beauty", "hair clip,hair grip,hair tie,hairband,compact mirror,lip gloss,first aid"),
    (
        "Party & seasons",
        "easter,halloween,party,balloon,bunting,birthday,confetti,invite,valentine,streamer,piñata,pinata",
    ),
    (
        "Jewellery",
        "necklace,necklac,neckl,bracelet,earring,brooch,bangle,pendant,charm,tiara,anklet,choker,keyring,ring,necklet,\
         bead,hairclip,hairslide,key fob,diamante",
    ),
    (
        "Bags",
        "bag,handbag,backpack,rucksack,purse,wallet,shopper,tote,washbag,satchel,luggage,suitcase,passport,ruck sack",
    ),
    (
        "Lighting & candles",
        "candle,t-light,tealight,t light,lantern,light,lamp,lampshade,candlestick,candleholder,candelabra,chandelier,\
         incense,votive,wick,nightlight,candlepot,sconce,lightbulb,fairy light,oil burner,hurricane,night light",
    ),
    (
        "Stationery & cards",
        "card,notebook,pencil,pen,sketchbook,journal,sticker,wrap,ribbon,tape,notelet,envelope,calendar,postcard,\
         stationery,eraser,rubber,ruler,address book,stamp,crayon,memo,notepad,sharpener,letter rack,organiser,diary,\
         scrap book,scrapbook,bookmark,album,paper,tag,book,chalk",
    ),
    (
        "Toys & games",
        "toy,doll,jigsaw,puzzle,game,skittle,teddy,domino,ludo,marble,playhouse,feltcraft,soldier,colouring,kite,yo-yo,\
         bubble,babushka,origami,craft,spinning top,whistle,piggy bank,harmonica,sombrero,puppet,skipping rope,magic,\
         bingo,knitting,dinosaur,helicopter,robot,racing car,pirate,sewing kit,paint set,soft toy,rocking horse,ball,\
         inflatable,tattoo,instrument,trumpet,kid,glider,felt farm,modelling clay,spade,\
         creepy crawlies",
    ),
    (
        "Kitchen",
        "mug,cup,bowl,plate,saucer,tea,teapot,coffee,cake,baking,kitchen,cutlery,jug,lunch,bottle,spoon,fork,knife,apron,\
         oven,pantry,jam,jar,napkin,coaster,placemat,tray,chopping,recipe,bread,cookie,cutter,pan,scale,toast,dish,\
         beaker,picnic,food,snack,doily,doilies,cosy,sugar,salt,pepper,jelly,mould,fridge,straw,measuring,teatime,\
         breakfast,dinner,diner,salad,pizza,whisk,serviette,glass tumbler,tumbler,wine glass,goblet,cruet,tablecloth,\
         corkscrew,bistro,place setting,butter,biscuit,cupcake,cheese,egg,funnel,rolling pin,colander,ladle,dairy,\
         popcorn,cocktail,ice cream,sundae,frying,toaster,cafetiere,flask,platter,chalice,fruitbowl",
    ),
    (
        "Textiles",
        "cushion,quilt,throw,blanket,curtain,towel,flannel,doormat,door mat,rug,scarf,slipper,umbrella,glove,pillow,\
         bedspread,sock,hat,poncho,shawl,sarong,fabric,tablecloth,parasol,sunhat,mat,hankie,handkerchief,wrap,apron,\
         raincoat,rain hat,oilcloth,patch,bib,patches,pouffe",
    ),
    (
        "Health & beauty",
        "soap,bath,bathroom,plaster,tissue,comb,cosmetic,toilet,sponge,washing,toothbrush,perfume,body,make up,manicure,\
         nail,massage,balm,hairbrush,eye mask,hair,compact,tooth,lipstick,bathing,potpourri,room spray,fragrance",
    ),
    (
        "Garden",
        "garden,gardener,gardening,plant,planter,watering,birdhouse,bird house,bird feeder,bird table,bird bath,gnome,\
         trellis,potting,herb,shed,seed,windmill,flowerpot,flower pot,grow,hammock,deckchair,trowel,fertiliser,\
         wheelbarrow,birdcage,bird cage,parasol,bug,bee,insect,kneeler,secateur,nesting,wellington,twine,thermometer",
    ),
    (
        "Home decoration",
        "sign,frame,clock,mirror,decoration,hanging,wall,wreath,garland,doorstop,knob,photo,picture,art,ornament,vase,\
         letter,tile,doorbell,bell,plaque,mobile,chalkboard,blackboard,screen,chair,stool,table,artificial,magnet,\
         figurine,statue,decorative,wall art,wallpaper,poster,print,canvas,candle plate,door,finial,number,feather tree,\
         flower,rose,bird,butterfly,butterflies,sculpture,block,word,dec,heart,star,angel,dove,drop,string,chime,windchime,pennant,mosaic,\
         curtain,weight,paperweight,ashtray,globe,bouquet,spray,blossom,branch,leaf,leaves,stem,tree,dangler,cornice",
    ),
    (
        "Storage",
        "storage,box,boxe,tin,basket,drawer,cabinet,chest,rack,shelf,shelve,hook,hanger,container,tidy,crate,bin,bucket,\
         trinket,case,holder,stand,pot,caddy,trunk,cupboard,peg,hatbox,canister,wardrobe,money bank,moneybox",
    ),
];

static CATEGORY_KEYWORDS: LazyLock<Vec<(&str, Vec<Keyword>)>> = LazyLock::new(|| {
    let row = |(category, keywords): &(&'static str, &'static str)| {
        (*category, keywords.split(',').map(keyword).collect())
    };
    CATEGORIES.iter().map(row).collect()
});

/// The category that a name belongs to.
pub fn category(name: &str) -> &'static str {
    let stems = stems(name);
    let row =
        CATEGORY_KEYWORDS.iter().find(|(_, keywords)| keywords.iter().any(|word| mentions(&stems, word)));
    row.map_or(OTHER_CATEGORY, |(category, _)| category)
}

/// What a tag says of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TagKind {
    Colour,
    Material,
    Motif,
}

/// Tags by kind: `word` where the name, without apostrophes, has that word; `word=tag` where it is a synonym.
const TAGS: &[(TagKind, &str)] = &[
    (
        TagKind::Colour,
        "red,pink,blue,white,green,black,ivory,cream,gold,silver,purple,yellow,orange,brown,grey,gray=grey,turquoise,\
         turq=turquoise,amber,pastel,lilac,fuschia=fuchsia,fuchsia,mint,amethyst=purple,ruby=red,emerald=green,\
         multicolour=colourful,multi colour=colourful,multicoloured=colourful,rainbow=colourful,beige,navy=blue,\
         gilt=gold",
    ),
    (
        TagKind::Material,
        "glass,metal,wooden=wood,wood,ceramic,felt,zinc,enamel,paper,cotton,wicker,porcelain,acrylic,slate,silk,lace,\
         crystal,pearl,feather,leather,knitted,crochet,plastic,stone,iron,polyester,canvas,copper,raffia,diamante,shell,\
         china,linen,bamboo,velvet,wire,tin,resin,rattan,wool,woolly=wool,woollen=wool,mosaic,embroidered=embroidery,\
         beaded=beads,bead=beads",
    ),
    (
        TagKind::Motif,
        "heart,flower,floral=flower,rose,rosebud=rose,roses=rose,butterfly,bfly=butterfly,butterflies=butterfly,bird,\
         lovebird=bird,star,owl,cat,dog,scottie dog=dog,rabbit,bunny=rabbit,bunnies=rabbit,hen,chick,chicken=hen,\
         retrospot,retro spot=retrospot,polkadot,polka dot=polkadot,spotty=polkadot,gingham,paisley,skull,union jack,\
         union flag=union jack,spaceboy,dolly girl,babushka,london,paris,parisienne=paris,vintage,retro,strawberry,apple,\
         cherry,daisy,love,fairy,angel,elephant,dinosaur,woodland,toadstool=mushroom,mushroom,stripe,striped=stripe,\
         easter,christmas,xmas=christmas,birthday,party,circus,horse,reindeer,snowflake,bee,fruit,lavender,baroque,\
         regency,victorian,edwardian,antique,french,english,scandinavian,travel,seaside,beach=seaside,woodland animal,\
         leaf,leaves=leaf,tree,crown,alphabet,letter=alphabet,space,cowboy,pirate,robot,frog,duck,lily,poppy,poppies=poppy,\
         poppys=poppy,orchid,sunflower,tulip,peacock,dove=bird,cake,cupcake=cake,tea time=tea,tea,children=children,\
         childrens=children,childs=children,kids=children,garden,kitchen",
    ),
];

/// The most tags that a name is given.
const MAX_TAGS: usize = 10;

/// A keyword, the tag that it stands for, and what that says.
static TAG_KEYWORDS: LazyLock<Vec<(Keyword, &str, TagKind)>> = LazyLock::new(|| {
    let entries = TAGS.iter().flat_map(|(kind, entries)| entries.split(',').map(|entry| (*kind, entry)));
    let split = |(kind, entry): (TagKind, &'static str)| {
        let (word, tag) = entry.split_once('=').unwrap_or((entry, entry));
        (keyword(word), tag, kind)
    };
    entries.map(split).collect()
});

/// Colours, materials and motifs that a name mentions, in this order.
pub fn name_tags(name: &str) -> Vec<String> {
    let stems = stems(&name.replace('\'', ""));
    let mut tags: Vec<String> = Vec::new();
    for (word, tag, _) in TAG_KEYWORDS.iter() {
        if !tags.iter().any(|known| known == tag) && mentions(&stems, word) {
            tags.push((*tag).to_owned());
        }
    }
    tags.truncate(MAX_TAGS);
    tags
}

/// A description that says no more than is known. It is a function of what is kept, so that an importer can tell a
/// product whose words it wrote from one whose words the shop wrote.
pub fn describe(name: &str, category: &str, tags: &[String]) -> String {
    let mut text = format!("{name}, from our {category} range.");
    for (kind, label) in
        [(TagKind::Colour, "Colours"), (TagKind::Material, "Materials"), (TagKind::Motif, "Themes")]
    {
        let of_kind: Vec<&str> =
            tags.iter().map(String::as_str).filter(|tag| kind_of(tag) == Some(kind)).collect();
        if !of_kind.is_empty() {
            text.extend([" ", label, ": ", &of_kind.join(", "), "."]);
        }
    }
    text
}

fn kind_of(tag: &str) -> Option<TagKind> {
    TAG_KEYWORDS.iter().find(|(_, known, _)| *known == tag).map(|(_, _, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: SaleFields<'_> = SaleFields {
        invoiced_at: "2010-12-01 08:26:00",
        invoice: "536365",
        stock_code: "85123a",
        description: "WHITE HANGING  HEART T-LIGHT HOLDER ",
        quantity: "6",
        unit_price: "2.55",
        customer_id: "17850",
    };

    fn clean(fields: &SaleFields<'_>) -> Result<SaleLine, Reject> {
        SaleLine::clean(fields, "2026-01-01T00:00:00Z".parse().expect("a moment"))
    }

    #[test]
    fn a_good_line_is_kept() {
        let expected = SaleLine {
            at: "2010-12-01T08:26:00Z".parse().expect("a moment"),
            invoice: "536365".into(),
            sku: "85123A".into(),
            name: "White hanging heart t-light holder".into(),
            quantity: 6,
            price_cents: 255,
            customer: Some("17850".into()),
        };
        assert_eq!(clean(&GOOD), Ok(expected));
        let nobody = clean(&SaleFields { customer_id: " ", ..GOOD }).expect("kept");
        assert_eq!(nobody.customer, None);
    }

    #[test]
    fn every_fault_has_its_reason() {
        let long = "9".repeat(65);
        let wordy = "word ".repeat(50);
        let cases = [
            (SaleFields { invoice: "C536379", ..GOOD }, Reject::Cancellation),
            (SaleFields { invoice: "c1", quantity: "x", ..GOOD }, Reject::Cancellation),
            (SaleFields { invoice: "", ..GOOD }, Reject::Unreadable("invoice")),
            (SaleFields { invoice: &long, ..GOOD }, Reject::OutOfRange("invoice")),
            (SaleFields { stock_code: " ", ..GOOD }, Reject::Unreadable("stock_code")),
            (SaleFields { stock_code: "85\u{0}123", ..GOOD }, Reject::Unreadable("stock_code")),
            (SaleFields { quantity: "0", ..GOOD }, Reject::Quantity),
            (SaleFields { quantity: "-6", ..GOOD }, Reject::Quantity),
            (SaleFields { quantity: "six", ..GOOD }, Reject::Unreadable("quantity")),
            (SaleFields { quantity: "1.5", ..GOOD }, Reject::Unreadable("quantity")),
            (SaleFields { quantity: "74215", ..GOOD }, Reject::OutOfRange("quantity")),
            (SaleFields { quantity: "99999999999999999999", ..GOOD }, Reject::OutOfRange("quantity")),
            (SaleFields { unit_price: "0", ..GOOD }, Reject::NoPrice),
            (SaleFields { unit_price: "0.001", ..GOOD }, Reject::NoPrice),
            (SaleFields { unit_price: "-11062.06", ..GOOD }, Reject::NoPrice),
            (SaleFields { unit_price: "2,55", ..GOOD }, Reject::Unreadable("unit_price")),
            (SaleFields { unit_price: "", ..GOOD }, Reject::Unreadable("unit_price")),
            (SaleFields { unit_price: "1000000.01", ..GOOD }, Reject::OutOfRange("unit_price")),
            (SaleFields { unit_price: "99999999999999999999", ..GOOD }, Reject::OutOfRange("unit_price")),
            (SaleFields { description: "damaged", ..GOOD }, Reject::Note),
            (SaleFields { description: " ", ..GOOD }, Reject::Note),
            (SaleFields { description: &wordy, ..GOOD }, Reject::OutOfRange("description")),
            (SaleFields { invoiced_at: "yesterday", ..GOOD }, Reject::Unreadable("invoiced_at")),
            (SaleFields { invoiced_at: "2010-13-01 08:26:00", ..GOOD }, Reject::Unreadable("invoiced_at")),
            (SaleFields { invoiced_at: "2026-01-01 00:00:01", ..GOOD }, Reject::OutOfRange("invoiced_at")),
            (SaleFields { invoiced_at: "1970-01-01 00:00:00", ..GOOD }, Reject::OutOfRange("invoiced_at")),
            (SaleFields { customer_id: "17 850", ..GOOD }, Reject::Unreadable("customer_id")),
            (SaleFields { customer_id: &long, ..GOOD }, Reject::OutOfRange("customer_id")),
        ];
        for (fields, reason) in cases {
            assert_eq!(clean(&fields), Err(reason), "{fields:?}");
        }
    }

    #[test]
    fn services_are_no_products() {
        let codes = [
            "POST",
            "D",
            "M",
            "m",
            "DOT",
            "C2",
            "S",
            "B",
            "CRUK",
            "AMAZONFEE",
            "BANK CHARGES",
            "gift_0001_40",
        ];
        for code in codes {
            let line = SaleFields { stock_code: code, ..GOOD };
            assert_eq!(clean(&line), Err(Reject::NotAProduct), "{code}");
        }
        for description in ["Next Day Carriage", "Dotcomgiftshop Gift Voucher £100.00", "PACKING CHARGE"] {
            let line = SaleFields { stock_code: "23444", description, ..GOOD };
            assert_eq!(clean(&line), Err(Reject::NotAProduct), "{description}");
        }
        for (stock_code, description) in
            [("DCGSSBOY", "BOYS PARTY BAG"), ("23099", "FRENCH CARRIAGE LANTERN")]
        {
            assert!(clean(&SaleFields { stock_code, description, ..GOOD }).is_ok(), "{stock_code}");
        }
    }

    #[test]
    fn prices_are_read_by_digits() {
        let cases = [
            ("2.55", 255),
            ("2.5", 250),
            ("7", 700),
            (".99", 99),
            ("1.005", 101),
            ("0.004", 0),
            ("4.1499999", 415),
        ];
        for (raw, expected) in cases {
            assert_eq!(cents(raw), Ok(expected), "{raw}");
        }
        for raw in [".", "-", "1e3", "1.2.3", "£2", "+1", "1 000", "NaN"] {
            assert_eq!(cents(raw), Err(Reject::Unreadable("unit_price")), "{raw}");
        }
    }

    #[test]
    fn moments_are_utc_unless_they_say_otherwise() {
        let utc: Timestamp = "2010-12-01T08:26:00Z".parse().expect("a moment");
        for raw in
            ["2010-12-01 08:26:00", "2010-12-01T08:26:00Z", "2010-12-01T09:26:00+01:00", "2010-12-01 08:26"]
        {
            assert_eq!(moment(raw), Ok(utc), "{raw}");
        }
    }

    #[test]
    fn notes_are_told_from_names() {
        let notes = [
            "",
            "  ",
            "?",
            "??",
            "?missing",
            "damages?",
            "Damaged",
            "wet/rusty damages",
            "Thrown away-rusty",
            "check",
            "CHECK",
            "found",
            "sold as set on dotcom",
            "wrongly marked 23343",
            "barcode problem",
            "taig adjustment",
            "amazon",
            "test",
            "20713",
            "---",
            "incorrect stock entry.",
            "mouldy",
        ];
        for note in notes {
            assert_eq!(name(note), None, "{note:?}");
        }
        let names = [
            "BROWN CHECK CAT DOORSTOP",
            "BAKING MOULD CHOCOLATE CUPCAKES",
            "ROBOT MUG IN DISPLAY BOX",
            "MUG , DOTCOMGIFTSHOP.COM",
            "LOST AND FOUND BOX",
            "CRACKED GLAZE NECKLACE",
            "WHAT'S FOR DINNER?",
        ];
        for good in names {
            assert!(name(good).is_some(), "{good:?}");
        }
    }

    #[test]
    fn names_are_in_sentence_case() {
        let cases = [
            ("WHITE HANGING HEART T-LIGHT HOLDER", "White hanging heart t-light holder"),
            ("  RED   WOOLLY HOTTIE WHITE HEART. ", "Red woolly hottie white heart"),
            ("KNITTED UNION FLAG HOT WATER BOTTLE", "Knitted Union flag hot water bottle"),
            ("3 TRADITIONAl BISCUIT CUTTERS  SET", "3 traditional biscuit cutters set"),
            ("*Boombox Ipod Classic", "Boombox iPod classic"),
            ("SET OF 3 CHRISTMAS I LOVE LONDON", "Set of 3 Christmas I love London"),
            ("MUG , DOTCOMGIFTSHOP.COM", "Mug, dotcomgiftshop.com"),
            ("POPPY'S PLAYHOUSE KITCHEN", "Poppy's playhouse kitchen"),
            ("ÉCLAIR À LA CARTE", "Éclair à la carte"),
        ];
        for (raw, expected) in cases {
            assert_eq!(name(raw).as_deref(), Some(expected));
        }
        for (_, cleaned) in cases {
            assert_eq!(name(cleaned).as_deref(), Some(cleaned), "a name stays as it is");
        }
    }

    #[test]
    fn categories() {
        let cases = [
            ("White hanging heart t-light holder", "Lighting & candles"),
            ("Jumbo bag red retrospot", "Bags"),
            ("Regency cakestand 3 tier", "Kitchen"),
            ("Red woolly hottie white heart", "Textiles"),
            ("Set of 6 soldier skittles", "Toys & games"),
            ("Christmas craft little friends", "Christmas"),
            ("Party bunting", "Party & seasons"),
            ("Pack of 12 gift tags", "Stationery & cards"),
            ("Zinc watering can", "Garden"),
            ("Wooden picture frame white finish", "Home decoration"),
            ("Small cream drawer cabinet", "Storage"),
            ("Crystal stud earrings", "Jewellery"),
            ("Vintage hair clips", "Health & beauty"),
            ("Something else", OTHER_CATEGORY),
        ];
        for (name, expected) in cases {
            assert_eq!(category(name), expected, "{name}");
        }
        assert!(CATEGORIES.iter().all(|(category, _)| category.len() <= 60));
        assert!(CATEGORIES.iter().all(|(_, keywords)| keywords.split(',').all(|word| word == word.trim())));
    }

    #[test]
    fn keywords_are_whole_words() {
        assert_ne!(category("Ringing earthenware"), "Jewellery");
        assert_eq!(category("Penguin"), OTHER_CATEGORY);
    }

    #[test]
    fn tags_and_descriptions_come_from_the_name() {
        let name = "Set of 3 red glass butterflies with hearts";
        let tags = name_tags(name);
        assert_eq!(tags, ["red", "glass", "heart", "butterfly"]);
        assert_eq!(
            describe(name, "Home decoration", &tags),
            "Set of 3 red glass butterflies with hearts, from our Home decoration range. Colours: red. \
             Materials: glass. Themes: heart, butterfly."
        );
        assert_eq!(describe("Thing", OTHER_CATEGORY, &[]), "Thing, from our Gifts & more range.");
        assert!(name_tags("Plain thing").is_empty());
        assert_eq!(name_tags("Poppy's playhouse"), ["poppy"]);
        let all: Vec<&str> = TAGS.iter().flat_map(|(_, entries)| entries.split(',')).collect();
        let crowded = name_tags(&all.join(" "));
        assert_eq!(crowded.len(), MAX_TAGS);
    }

    #[test]
    fn customers_always_meet_the_same_user() {
        assert_eq!(customer_user_id("17850").to_string(), "384ba3de-e8cd-5f39-ab4f-0c58ebf41ec0");
        assert_eq!(customer("  Ab-1 "), Ok(Some("ab-1".into())));
    }

    const PRODUCT: CatalogueFields<'_> = CatalogueFields {
        sku: "MUG-1",
        name: " Mug ",
        description: "For tea,\nor coffee.",
        category: "Kitchen",
        tags: "red| tea ||red",
        price_cents: "499",
        stock: "7",
        image_url: "",
    };

    #[test]
    fn a_catalogue_is_taken_as_it_is() {
        let expected = CatalogueLine {
            sku: "MUG-1".into(),
            name: "Mug".into(),
            description: "For tea,\nor coffee.".into(),
            category: "Kitchen".into(),
            tags: vec!["red".into(), "tea".into()],
            price_cents: 499,
            stock: 7,
            image_url: None,
        };
        assert_eq!(CatalogueLine::clean(&PRODUCT), Ok(expected));
        for url in ["https://example.com/a.jpg", "/pictures/a.jpg"] {
            let line = CatalogueLine::clean(&CatalogueFields { image_url: url, ..PRODUCT }).expect("kept");
            assert_eq!(line.image_url.as_deref(), Some(url));
        }
    }

    #[test]
    fn every_fault_of_a_catalogue_has_its_reason() {
        let long = "x".repeat(5000);
        let many: Vec<String> = (0..21).map(|tag| tag.to_string()).collect();
        let many = many.join("|");
        let cases = [
            (CatalogueFields { sku: "", ..PRODUCT }, Reject::Unreadable("sku")),
            (CatalogueFields { sku: &long, ..PRODUCT }, Reject::OutOfRange("sku")),
            (CatalogueFields { name: " ", ..PRODUCT }, Reject::OutOfRange("name")),
            (CatalogueFields { name: "a\u{0}b", ..PRODUCT }, Reject::Unreadable("name")),
            (CatalogueFields { description: &long, ..PRODUCT }, Reject::OutOfRange("description")),
            (CatalogueFields { category: "", ..PRODUCT }, Reject::OutOfRange("category")),
            (CatalogueFields { tags: &many, ..PRODUCT }, Reject::OutOfRange("tags")),
            (CatalogueFields { price_cents: "4.99", ..PRODUCT }, Reject::Unreadable("price_cents")),
            (CatalogueFields { price_cents: "-1", ..PRODUCT }, Reject::OutOfRange("price_cents")),
            (CatalogueFields { price_cents: "100000001", ..PRODUCT }, Reject::OutOfRange("price_cents")),
            (CatalogueFields { stock: "", ..PRODUCT }, Reject::Unreadable("stock")),
            (CatalogueFields { stock: "-1", ..PRODUCT }, Reject::OutOfRange("stock")),
            (CatalogueFields { stock: "2000000001", ..PRODUCT }, Reject::OutOfRange("stock")),
            (CatalogueFields { stock: "3000000000", ..PRODUCT }, Reject::OutOfRange("stock")),
            (
                CatalogueFields { image_url: "javascript:alert(1)", ..PRODUCT },
                Reject::Unreadable("image_url"),
            ),
            (
                CatalogueFields { image_url: "http://example.com/a", ..PRODUCT },
                Reject::Unreadable("image_url"),
            ),
            (CatalogueFields { image_url: "//example.com/a", ..PRODUCT }, Reject::Unreadable("image_url")),
        ];
        for (fields, reason) in cases {
            assert_eq!(CatalogueLine::clean(&fields), Err(reason), "{reason}");
        }
    }
}
