//! What the shop sells for the desk, the playroom, the shelf and the way to town.

use super::{Category, Kind};

pub(super) const CATEGORIES: &[Category] = &[
    Category {
        name: "Stationery",
        code: "STA",
        occasions: &["back to school", "thank you", "office", "letter writing"],
        kinds: &[
            Kind {
                tags: &["notebook", "paper", "writing"],
                pounds: 8..=18,
                made: &[
                    "Paper of 100 grams, thread-sewn so that it lies open by itself.",
                    "The corners are rounded and the spine is taped, so that years in a bag do not part it.",
                ],
                used: &[
                    "Ink does not show through, not even from a broad nib.",
                    "For lists, lectures and the novel that you have been meaning to start.",
                    "It fits a bag and still has room for a thought.",
                ],
                items: &[
                    (
                        "Dotted Cloth Notebook, Navy",
                        "A grid of pale dots that guides a line and then disappears.",
                    ),
                    ("Ruled Cloth Notebook, Forest Green", "Ruled at seven millimetres, with a margin."),
                    ("Plain Cloth Notebook, Terracotta", "Blank pages for those who draw as they think."),
                    ("Pocket Notebook Trio, Grey", "Three thin ones, stitched, with rounded corners."),
                    (
                        "Marbled Paper Notebook, Blue",
                        "The paper of the cover is marbled by hand, so that each is the only one.",
                    ),
                ],
            },
            Kind {
                tags: &["greeting cards", "card", "envelope"],
                pounds: 5..=12,
                made: &[
                    "Printed letterpress on thick cotton paper that you can feel with a finger.",
                    "Each card is A6, blank inside, and has an envelope of recycled kraft.",
                ],
                used: &[
                    "Keep a box in the drawer and never run out before a birthday.",
                    "The paper takes a fountain pen without feathering.",
                    "Pretty enough to be stood on a mantelpiece for a month.",
                ],
                items: &[
                    (
                        "Wild Flowers Greeting Cards, Set of 8",
                        "Poppy, cornflower, ox-eye daisy and yarrow, two of each.",
                    ),
                    (
                        "Happy Birthday Card, Yellow Balloons",
                        "Three balloons and two words, printed in warm yellow.",
                    ),
                    (
                        "Thank You Cards, Sage Green, Set of 10",
                        "A small wreath round the words, in one quiet colour.",
                    ),
                    (
                        "Woodland Animals Cards, Set of 6",
                        "A fox, a hare, a badger and their neighbours, cut in lino.",
                    ),
                ],
            },
            Kind {
                tags: &["pen", "writing", "desk"],
                pounds: 6..=38,
                made: &[
                    "Refills are the common kind that every stationer has.",
                    "It weighs 22 grams, balanced so that a long letter does not tire the hand.",
                ],
                used: &[
                    "Clip it to a notebook and it is always there.",
                    "Comes in a card tube that can be posted.",
                    "A present for a graduate, a signatory or yourself.",
                ],
                items: &[
                    ("Brass Pocket Pen", "Solid brass that darkens where you hold it."),
                    ("Beech Ballpoint Pen", "Turned from beech and oiled, with a soft click."),
                    (
                        "Fountain Pen, Racing Green",
                        "A steel nib in medium and a barrel the green of old motor cars.",
                    ),
                    ("Rollerball Pen, Navy", "A lacquered barrel in ink blue, and a point that glides."),
                ],
            },
            Kind {
                tags: &["wrapping paper", "gift wrap", "paper"],
                pounds: 3..=9,
                made: &[
                    "Three sheets of 50 by 70 cm on uncoated recycled paper.",
                    "Printed with vegetable inks, without plastic film, so that it can be recycled.",
                ],
                used: &[
                    "It folds crisply and forgives a beginner.",
                    "Lines a drawer or covers a school book just as well.",
                    "Tie it with string and a sprig of something green.",
                ],
                items: &[
                    ("Swallows Wrapping Paper, Blue", "Swallows wheel over a pale ground."),
                    ("Polka Dot Wrapping Paper, Red", "White dots on red, right for any birthday."),
                    (
                        "Botanical Leaves Wrapping Paper, Green",
                        "Pressed leaves, each with its name in small italics.",
                    ),
                    ("Night Sky Wrapping Paper, Navy", "Gold stars, and the Plough if you look for it."),
                ],
            },
            Kind {
                tags: &["calendar", "planner", "desk"],
                pounds: 9..=19,
                made: &[
                    "Undated, so that it can begin on any Monday.",
                    "Printed on stiff uncoated card that pencil and ink both like.",
                ],
                used: &[
                    "It stands on a desk or hangs from a nail in the kitchen.",
                    "There is room for each day, and a margin for what slipped.",
                    "The whole family can see at a glance who is where.",
                ],
                items: &[
                    ("Weekly Desk Planner, Oatmeal", "Fifty-two sheets to tear off, one for each week."),
                    (
                        "Perpetual Birthday Calendar",
                        "A page for each month and a line for each day, for every year to come.",
                    ),
                    ("Family Wall Planner", "Five columns, for up to five people and a dog."),
                    (
                        "Linocut Desk Calendar, Blue",
                        "Twelve prints of boats and birds, one for each month, on a folded stand.",
                    ),
                ],
            },
        ],
    },
    Category {
        name: "Toys & Games",
        code: "TOY",
        occasions: &["birthday", "christmas", "rainy day", "new baby"],
        kinds: &[
            Kind {
                tags: &["wooden toy", "toddler", "beech"],
                pounds: 12..=32,
                made: &[
                    "Made of beech with water-based paint and rounded edges, and tested for ages one and up.",
                    "Thick wood, pinned and glued, survives stone floors and younger brothers.",
                ],
                used: &[
                    "It needs no battery and makes only the noise that its owner makes.",
                    "Small hands get a good grip of it.",
                    "Good-looking enough to stay out on the nursery shelf.",
                ],
                items: &[
                    ("Wooden Pull-Along Duck, Yellow", "Its feet slap as it is pulled, and its head nods."),
                    (
                        "Wooden Train with Three Wagons, Red",
                        "A small engine and three wagons that couple by magnets.",
                    ),
                    ("Stacking Rainbow Toy", "Seven arches to stack, sort and drive cars through."),
                    ("Wooden Steam Engine, Blue", "The cab has room for a driver, a stoker and a cat."),
                    ("Shape Sorter House Toy", "Nine shapes, nine holes and a roof that lifts off."),
                ],
            },
            Kind {
                tags: &["jigsaw", "puzzle", "game"],
                pounds: 10..=24,
                made: &[
                    "Cut from thick board with a linen finish that does not glare under a lamp.",
                    "The pieces fit with a click, and none are quite alike.",
                ],
                used: &[
                    "A weekend for one person or an evening for four.",
                    "A poster of the picture is in the box.",
                    "Leave it out on a tray and everyone who passes will add a piece.",
                ],
                items: &[
                    (
                        "Harbour Jigsaw Puzzle, 1000 Pieces",
                        "Fishing boats, gulls and washing lines in a Cornish harbour.",
                    ),
                    ("Greenhouse Jigsaw Puzzle, 500 Pieces", "Ferns, cacti and a sleeping cat under glass."),
                    (
                        "Map of the Night Sky Jigsaw, 1000 Pieces",
                        "Every constellation of the northern sky, in blue and gold.",
                    ),
                    (
                        "Farmyard Floor Puzzle, 24 Pieces",
                        "Big pieces for small people, with a pig behind every gate.",
                    ),
                ],
            },
            Kind {
                tags: &["board game", "game", "family"],
                pounds: 15..=36,
                made: &[
                    "For players from eight years to eighty; a round takes half an hour.",
                    "Made of wood and card without plastic, with rules that fit on one sheet.",
                ],
                used: &[
                    "Easy to learn and hard to put away.",
                    "It packs small enough for a holiday cottage.",
                    "Grandparents win as often as grandchildren, which is the point.",
                ],
                items: &[
                    ("Lighthouse Keepers Board Game", "Bring every ship home before the fog comes down."),
                    ("Hedgerow Card Game", "Collect berries, nuts and birds, and beware of the magpie."),
                    ("Walnut Backgammon Set", "A folding walnut case with felt inside and proper dice cups."),
                    (
                        "Village Dominoes",
                        "Twenty-eight wooden tiles on which lanes, streams and hedges must meet.",
                    ),
                ],
            },
            Kind {
                tags: &["soft toy", "plush", "baby"],
                pounds: 14..=28,
                made: &[
                    "Organic cotton outside, recycled filling inside and an embroidered face with nothing to swallow.",
                    "It is 28 cm tall and just the right weight for being dragged downstairs.",
                ],
                used: &[
                    "Washes at 40 degrees, when its owner can spare it.",
                    "Safe from the first day and loved for years after.",
                    "It sits up by itself on a bed or in a car seat.",
                ],
                items: &[
                    ("Bear Soft Toy, Brown", "A bear with a knitted jumper that comes off."),
                    ("Floppy Rabbit Soft Toy, Grey", "Ears as long as its legs, and a cotton tail."),
                    ("Polar Bear Soft Toy, White", "Round ears, a blue scarf and a corduroy nose."),
                    ("Honey Bear Soft Toy, Mustard", "A golden coat, a white bib and an honest look."),
                ],
            },
            Kind {
                tags: &["craft kit", "children", "making"],
                pounds: 9..=22,
                made: &[
                    "The box holds all that is needed, apart from scissors and an hour.",
                    "Pictures show each step, so that reading is not needed.",
                ],
                used: &[
                    "For ages six and up, with a grown-up near for the fiddly part.",
                    "What comes out of it is worth keeping.",
                    "A rainy afternoon is solved.",
                ],
                items: &[
                    ("Sew Your Own Owl Kit", "Felt shapes with punched holes and a blunt needle."),
                    (
                        "Paper Planes and Target Game",
                        "Twenty printed sheets, five folds and a target for the wall.",
                    ),
                    ("Grow a Bean Garden Kit", "Three pots, three beans and a diary to measure them in."),
                    ("Kite Making Kit, Red", "Spruce spars, red cotton and thirty metres of line."),
                    ("Finger Puppet Theatre", "A card stage with curtains and five felt actors."),
                ],
            },
        ],
    },
    Category {
        name: "Bags",
        code: "BAG",
        occasions: &["commuting", "weekend", "market day", "travel"],
        kinds: &[
            Kind {
                tags: &["tote", "shopping", "canvas"],
                pounds: 9..=24,
                made: &[
                    "Heavy organic canvas with long handles, and seams that are sewn twice.",
                    "It is 38 by 42 cm with a gusset, and has a pocket for keys inside.",
                ],
                used: &[
                    "It carries a week's vegetables and folds to the size of a paperback.",
                    "Wash it cold and iron it while damp.",
                    "The handles go over a winter coat.",
                ],
                items: &[
                    (
                        "Market Day Canvas Tote Bag, Natural",
                        "Undyed canvas with the word that it was made for.",
                    ),
                    ("Striped Canvas Tote Bag, Navy", "Breton stripes, dark blue on cream."),
                    ("Beekeeper Canvas Tote Bag, Yellow", "Bees screen-printed on a field of yellow."),
                    ("Black Canvas Tote Bag with Zip", "A brass zip closes it on crowded trains."),
                    (
                        "Poppy Print Tote Bag, Red",
                        "One large poppy, printed so that it wraps round the side.",
                    ),
                ],
            },
            Kind {
                tags: &["backpack", "laptop", "commuting"],
                pounds: 49..=110,
                made: &[
                    "Waxed cotton sheds the rain, and bridle leather straps take the wear.",
                    "Holds 18 litres, with a padded sleeve for a 15-inch laptop.",
                ],
                used: &[
                    "It sits close to the back on a bicycle.",
                    "Side pockets take a bottle and an umbrella.",
                    "Re-wax it once a year and it will go grey with you.",
                ],
                items: &[
                    ("Roll-Top Backpack, Olive", "The top rolls up or down as the day's load does."),
                    ("Waxed Cotton Backpack, Navy", "Two straps and buckles hide quick magnets."),
                    ("Small Day Backpack, Mustard", "The short one, for a jumper, a book and lunch."),
                    ("Leather-Trimmed Backpack, Charcoal", "The smart one, quiet enough for a meeting."),
                ],
            },
            Kind {
                tags: &["pouch", "purse", "small things"],
                pounds: 8..=22,
                made: &[
                    "Lined with cotton twill and closed by a metal zip with a leather pull.",
                    "Sewn by a small workshop from the ends of rolls, 20 by 14 cm.",
                ],
                used: &[
                    "For pencils, plasters, chargers or whatever rattles about in your bag.",
                    "It wipes clean inside.",
                    "Pack one in another when you travel.",
                ],
                items: &[
                    ("Liberty Print Wash Bag, Pink", "Small flowers on pink, with a waterproof lining."),
                    ("Canvas Pencil Pouch, Green", "A flat one for the front of a satchel."),
                    ("Leather Zip Purse, Tan", "Vegetable-tanned leather that darkens in the pocket."),
                    ("Quilted Make-Up Bag, Blue", "Quilted in diamonds so that it stands open."),
                ],
            },
            Kind {
                tags: &["holdall", "weekend bag", "travel"],
                pounds: 65..=145,
                made: &[
                    "It stands on brass feet, 48 cm long, and its zip runs the whole length.",
                    "A shoulder strap clips on, and the handles close with a wrap of leather.",
                ],
                used: &[
                    "It fits under the seat of a train and in the locker of a plane.",
                    "Room for two nights, a pair of shoes and something to read.",
                    "Brush it, air it and stuff it with paper between journeys.",
                ],
                items: &[
                    ("Canvas Weekend Bag, Olive Green", "Army green with chestnut handles."),
                    (
                        "Striped Weekend Bag, Blue",
                        "Deckchair stripes for people who take the slow train to the sea.",
                    ),
                    ("Leather Holdall Bag, Brown", "Full-grain leather that records every journey."),
                    ("Waxed Duffle Bag, Black", "A round bag with one long zip and no fuss."),
                ],
            },
            Kind {
                tags: &["lunch bag", "insulated", "picnic"],
                pounds: 12..=26,
                made: &[
                    "Insulated with recycled foil and lined so that it wipes clean.",
                    "The seams are welded, so that spilt yoghurt stays where it is.",
                ],
                used: &[
                    "Keeps a sandwich cool until two o'clock.",
                    "Two boxes and an apple fit exactly.",
                    "For school, the office and the bench in between.",
                ],
                items: &[
                    ("Roll-Top Lunch Bag, Grey", "Plain grey felt that looks well in a meeting."),
                    (
                        "Strawberry Lunch Bag, Red",
                        "Strawberries all over, for those who look forward to lunch.",
                    ),
                    ("Dinosaur Lunch Bag, Green", "Seven dinosaurs, correctly named."),
                    ("Striped Lunch Bag, Navy", "Sailor's stripes and a rope handle."),
                ],
            },
        ],
    },
    Category {
        name: "Books",
        code: "BOO",
        occasions: &["birthday", "christmas", "holiday reading", "thank you"],
        kinds: &[
            Kind {
                tags: &["book", "cookery", "recipes"],
                pounds: 16..=30,
                made: &[
                    "A hardback of 240 pages with a photograph for every recipe.",
                    "Each recipe was cooked by people who do not cook for a living.",
                ],
                used: &[
                    "The binding lies flat beside the stove.",
                    "There is a list at the end of what can be made from what is left.",
                    "For the kitchen shelf, and for reading in bed.",
                ],
                items: &[
                    ("Slow Bread: A Baker's Year", "Fifty-two loaves that rise while you do something else."),
                    ("One Pot, Four Seasons", "Stews, soups and bakes that ask for a single pan."),
                    ("The Allotment Cookbook", "What to do with the seventh courgette of the week."),
                    ("Small Cakes for Large Families", "Traybakes, buns and biscuits by the dozen."),
                    (
                        "Preserved: Jams, Pickles and Cordials",
                        "How to put a summer in a jar, with what can go wrong.",
                    ),
                ],
            },
            Kind {
                tags: &["book", "gardening", "nature"],
                pounds: 12..=26,
                made: &[
                    "Illustrated in watercolour, with a ribbon to mark the month.",
                    "Printed on paper that does not mind a muddy thumb.",
                ],
                used: &[
                    "Written for small gardens, window boxes and impatient people.",
                    "Keep it in the shed and read it with the first coffee.",
                    "It tells you when to do nothing, which is often.",
                ],
                items: &[
                    ("The Gardener's Almanac Book", "What to sow, cut and enjoy in each week of the year."),
                    ("A Field Book of British Trees", "Sixty trees by leaf, bark and bud."),
                    (
                        "Growing in Pots: A Balcony Book",
                        "Tomatoes, beans and roses without a square foot of soil.",
                    ),
                    ("Birds of Town and Garden", "Forty birds that you can see from a kitchen window."),
                ],
            },
            Kind {
                tags: &["book", "children", "picture book"],
                pounds: 7..=14,
                made: &[
                    "Thirty-two pages in strong covers, printed in five colours.",
                    "The pictures are linocuts, full of things to find on the tenth reading.",
                ],
                used: &[
                    "It takes seven minutes to read aloud, or fifteen with questions.",
                    "For ages three to six and whoever puts them to bed.",
                    "The last page is quiet on purpose.",
                ],
                items: &[
                    (
                        "The Bear Who Borrowed the Moon",
                        "A bear borrows the moon for one night and has to give it back.",
                    ),
                    (
                        "Goodnight, Little Harbour",
                        "One by one the boats, the gulls and the lighthouse go to sleep.",
                    ),
                    ("Ten Hats for Hattie: A Counting Book", "A windy day, ten hats and a goat."),
                    (
                        "The Snail's Long Journey",
                        "From one end of the garden to the other, with friends on the way.",
                    ),
                ],
            },
            Kind {
                tags: &["book", "fiction", "paperback"],
                pounds: 8..=13,
                made: &[
                    "A paperback of some 300 pages with French flaps.",
                    "Set in a type that is easy on the eyes, on cream paper.",
                ],
                used: &[
                    "Long enough for a train to Edinburgh and back.",
                    "A reading group will argue about how it ends.",
                    "Slips into a coat pocket.",
                ],
                items: &[
                    (
                        "The Clockmaker's Apprentice: A Novel",
                        "In Greenwich in 1762, a girl repairs a watch that should not exist.",
                    ),
                    (
                        "A Murder at the Flower Show",
                        "The best dahlia in the county, and a judge who is found under it.",
                    ),
                    (
                        "Letters from the Island: A Novel",
                        "Two sisters write to each other across thirty years and one stretch of water.",
                    ),
                    (
                        "The Last Ferry: Short Stories",
                        "Eleven stories about people who nearly missed something.",
                    ),
                ],
            },
            Kind {
                tags: &["book", "craft", "making"],
                pounds: 14..=28,
                made: &[
                    "Every step is drawn, and the patterns are printed at full size.",
                    "Eighteen projects, from an hour's work to a winter's.",
                ],
                used: &[
                    "Begin at the beginning and you will have a skill by the end.",
                    "The tools that it asks for fit in a shoebox.",
                    "It is honest about what is difficult.",
                ],
                items: &[
                    ("Visible Mending: A Repair Book", "Darns and patches that are meant to be seen."),
                    ("Knitting from the First Stitch", "A scarf, a hat and, at last, a jumper that fits."),
                    ("Lino Printing at the Kitchen Table", "Cut, ink and press with a spoon."),
                    ("The Whittler's Handbook", "A spoon, a peg and a small bird, with one knife."),
                ],
            },
        ],
    },
];
