//! What the shop sells for the garden, the workshop, the cupboard and days out of doors.

use super::{Category, Kind};

pub(super) const CATEGORIES: &[Category] = &[
    Category {
        name: "Garden",
        code: "GAR",
        occasions: &["spring", "allotment", "balcony", "gardener's gift"],
        kinds: &[
            Kind {
                tags: &["plant pot", "planter", "terrace"],
                pounds: 7..=34,
                made: &[
                    "Fired at a high heat to stand the frost, with a hole for drainage and a saucer.",
                    "It is 22 cm across at the rim, the right size for a herb or a geranium.",
                ],
                used: &[
                    "Line up three on a step or a window sill.",
                    "Raise it on feet in winter so that the water can run off.",
                    "It ages well: moss and lime only make it better.",
                ],
                items: &[
                    ("Terracotta Plant Pot, Hand-Thrown", "You can see the potter's fingers in the clay."),
                    ("Glazed Plant Pot, Sea Blue", "A blue glaze that pools darker in the grooves."),
                    (
                        "Plant Pot with Saucer, Grey",
                        "A plain grey cylinder for plants that like to be looked at.",
                    ),
                    ("Ribbed Plant Pot, White", "Fine ribs that throw a shadow in the afternoon."),
                    (
                        "Glazed Plant Pot, Moss Green",
                        "A green so soft that the plant seems to begin at the pot.",
                    ),
                ],
            },
            Kind {
                tags: &["seeds", "sowing", "flowers"],
                pounds: 2..=6,
                made: &[
                    "Open-pollinated seed, tested this year, in a paper packet with full instructions.",
                    "Grown without chemicals on a small farm in Suffolk.",
                ],
                used: &[
                    "Sow under glass in March or outdoors from the middle of May.",
                    "Save some seed in autumn and you need not buy it again.",
                    "A packet fits in a birthday card.",
                ],
                items: &[
                    (
                        "Cottage Garden Flower Seeds",
                        "Cosmos, nigella, cornflower and poppy, mixed for a long season.",
                    ),
                    (
                        "Sweet Pea Seeds, Old Scented Mix",
                        "The small, strongly scented kinds that florists gave up.",
                    ),
                    (
                        "Heritage Tomato Plant Seeds",
                        "Red, yellow and striped, none of which you will find in a supermarket.",
                    ),
                    ("Kitchen Herb Garden Seeds", "Basil, parsley, chives, dill and coriander."),
                    (
                        "Bee Meadow Flower Seeds",
                        "Twenty native flowers that feed bees from April to October.",
                    ),
                ],
            },
            Kind {
                tags: &["watering can", "watering", "greenhouse"],
                pounds: 16..=42,
                made: &[
                    "Rolled and soldered by hand, with a brass rose that unscrews for cleaning.",
                    "A long spout reaches to the back, and the handle balances when it is full.",
                ],
                used: &[
                    "The fine rose waters seedlings without knocking them flat.",
                    "Well made enough to be left on show.",
                    "Fill it from the butt, since plants like rain better than tap water.",
                ],
                items: &[
                    ("Galvanised Watering Can, 9 Litres", "The big one, for allotments and strong arms."),
                    (
                        "Indoor Watering Can, Copper",
                        "A slender litre for houseplants, too pretty to put away.",
                    ),
                    (
                        "Watering Can, Sage Green, 5 Litres",
                        "The size for a terrace, in a green that hides among leaves.",
                    ),
                    ("Child's Watering Can, Yellow", "One litre, rolled edges and a great deal of help."),
                ],
            },
            Kind {
                tags: &["bird feeder", "wildlife", "birds"],
                pounds: 9..=36,
                made: &[
                    "Larch and steel, in parts that come apart for washing.",
                    "Hung by a chain, it keeps squirrels guessing.",
                ],
                used: &[
                    "Hang it two metres up, with a bush near by to hide in.",
                    "Clean it every fortnight and move it now and then.",
                    "The first blue tit finds it within a week.",
                ],
                items: &[
                    ("Seed Feeder for Garden Birds", "Four perches and a roof that keeps the seed dry."),
                    (
                        "Hanging Bird Table in Larch",
                        "A small roofed table for birds that like to stand at breakfast.",
                    ),
                    (
                        "Peanut Feeder for Garden Birds",
                        "A fine steel mesh from which a woodpecker can take one nut at a time.",
                    ),
                    (
                        "Fat Ball Bird Feeder, Green",
                        "Room for four fat balls, in a green that disappears among leaves.",
                    ),
                ],
            },
            Kind {
                tags: &["garden hand tool", "digging", "planting"],
                pounds: 11..=29,
                made: &[
                    "The head is forged from one piece of carbon steel, and the handle is ash.",
                    "A leather loop hangs it up, and the rivets can be replaced.",
                ],
                used: &[
                    "Wipe it, oil it and hang it up, and it will be inherited.",
                    "Made for real soil with stones in it.",
                    "It fits the hand so well that you will look for weeds.",
                ],
                items: &[
                    ("Garden Trowel with Ash Handle", "A pointed blade with depths marked for bulbs."),
                    (
                        "Garden Hand Fork with Ash Handle",
                        "Three flat tines that lift roots without cutting them.",
                    ),
                    ("Garden Dibber with Steel Tip", "A turned handle that makes the right hole for a leek."),
                    (
                        "Garden Hand Hoe with Ash Handle",
                        "A bent blade that takes weeds off at the neck, standing up or kneeling.",
                    ),
                ],
            },
        ],
    },
    Category {
        name: "Tools",
        code: "TOO",
        occasions: &["new home", "father's day", "workshop", "repairs"],
        kinds: &[
            Kind {
                tags: &["hammer", "hand tool", "workshop"],
                pounds: 14..=36,
                made: &[
                    "A drop-forged head on a handle of American hickory, wedged twice.",
                    "The face is polished and the balance is such that the tool does the work.",
                ],
                used: &[
                    "For sheds, shelves and everything between.",
                    "A new handle can be fitted when, in twenty years, you need one.",
                    "It hangs from two nails over the bench.",
                ],
                items: &[
                    ("Claw Hammer, 16 oz", "The one hammer that every house should have."),
                    ("Cross-Pein Pin Hammer", "A light head for panel pins and picture frames."),
                    (
                        "Ball-Pein Hammer, 12 oz",
                        "The engineer's hammer, round at one end for rivets and bent brackets.",
                    ),
                    ("Club Hammer, 2 lb", "Short and heavy, for fence posts, bolsters and stubborn paving."),
                ],
            },
            Kind {
                tags: &["screwdriver", "hand tool", "repairs"],
                pounds: 9..=34,
                made: &[
                    "Chrome-vanadium steel, hardened at the tip and satin along the blade.",
                    "The tips are ground to fit the screw, which is why they do not slip.",
                ],
                used: &[
                    "For plugs, hinges, spectacles and flat-packed wardrobes.",
                    "It lives in a kitchen drawer and is used more than anything in there.",
                    "Lend it with care: it is the kind that does not come back.",
                ],
                items: &[
                    ("Screwdriver Set, Six Pieces", "Three flat and three cross-head, in a canvas roll."),
                    ("Precision Screwdriver Set", "Eight small ones for spectacles, watches and toys."),
                    ("Ratchet Screwdriver, Red", "Twelve bits hide in the handle."),
                    (
                        "Oval Beech Screwdriver",
                        "The cabinetmaker's pattern, with a handle that does not roll away.",
                    ),
                ],
            },
            Kind {
                tags: &["saw", "plane", "woodwork"],
                pounds: 19..=68,
                made: &[
                    "Sheffield steel, sharpened by a person who looks along the edge.",
                    "It comes sharp, oiled and wrapped in waxed paper.",
                ],
                used: &[
                    "Cuts clean in oak as well as pine.",
                    "A drop of camellia oil keeps rust away in a damp shed.",
                    "Take short strokes to begin with, and let it work.",
                ],
                items: &[
                    ("Tenon Saw, 10 Inch", "A brass back keeps the blade straight in fine joints."),
                    ("Folding Pruning Saw", "Cuts on the pull and folds into a beech handle."),
                    ("Block Plane", "A small iron plane for edges, doors that stick and end grain."),
                    ("Bevel-Edge Chisel Set", "Four chisels, 6 to 25 mm, in a leather roll."),
                    (
                        "Panel Saw for General Woodwork",
                        "Twenty-two inches with a handle shaped like a handshake.",
                    ),
                ],
            },
            Kind {
                tags: &["measuring", "hand tool", "layout"],
                pounds: 6..=26,
                made: &[
                    "The marks are etched and filled, so that they do not wear off.",
                    "Checked against a standard before it leaves the works.",
                ],
                used: &[
                    "Measure twice, and then once more.",
                    "Hang it where you can reach it from the bench.",
                    "For shelves that must be level and curtains that must be long enough.",
                ],
                items: &[
                    ("Tape Measure, 5 m, Yellow", "A wide blade that stands out two metres before it bends."),
                    ("Folding Beech Rule", "Ten brass-hinged links, two metres in all."),
                    ("Spirit Level, 60 cm", "Three vials in a milled aluminium body."),
                    ("Combination Square", "Square, mitre, depth and level in one."),
                ],
            },
            Kind {
                tags: &["toolkit", "sewing", "mending"],
                pounds: 12..=58,
                made: &[
                    "Everything has its own loop or slot, so that you see what is not back.",
                    "Steel where it matters and waxed canvas round it.",
                ],
                used: &[
                    "A first kit for somebody who is moving out.",
                    "Small enough for the glove box or the hall drawer.",
                    "It mends what can be mended on the kitchen table.",
                ],
                items: &[
                    ("First Home Tool Kit", "Hammer, pliers, tape, three screwdrivers and a box of fixings."),
                    (
                        "Bicycle Repair Tool Kit",
                        "Levers, patches, hex keys and a chain tool in a saddle roll.",
                    ),
                    ("Sewing and Mending Kit", "Needles, snips, darning mushroom and twelve threads."),
                    (
                        "Picture Hanging Tool Kit",
                        "Hooks, wire, a little hammer and a level as long as a finger.",
                    ),
                ],
            },
        ],
    },
    Category {
        name: "Storage",
        code: "STO",
        occasions: &["new home", "spring clean", "student room", "everyday"],
        kinds: &[
            Kind {
                tags: &["basket", "laundry", "woven"],
                pounds: 16..=58,
                made: &[
                    "Made by hand, with two handles that take the whole weight.",
                    "Flexible enough to give and strong enough to be stood on by a cat.",
                ],
                used: &[
                    "For logs, toys, laundry or the blankets of the whole sofa.",
                    "It tucks under a bench in the hall and swallows shoes.",
                    "Brush the dust off and wipe it with a damp cloth.",
                ],
                items: &[
                    ("Seagrass Storage Basket, Natural", "Smells faintly of hay and holds its round shape."),
                    ("Willow Log Basket", "Brown willow from Somerset on a strong round base."),
                    (
                        "Cotton Rope Storage Basket, Grey",
                        "Soft rope, sewn round and round, kind to floors and toes.",
                    ),
                    (
                        "Jute Laundry Basket, Black Band",
                        "Tall, with a lid and a cotton bag inside that lifts out.",
                    ),
                    ("Bamboo Storage Basket, White", "Split bamboo, whitewashed so that the grain shows."),
                ],
            },
            Kind {
                tags: &["storage box", "box", "shelf"],
                pounds: 10..=32,
                made: &[
                    "Stiff board covered in linen paper, with a metal label holder.",
                    "It arrives flat, folds up in a minute and holds ten kilos.",
                ],
                used: &[
                    "A row of them turns a shelf of papers into a library.",
                    "For photographs, cables and letters that you cannot throw away.",
                    "They stack, and still open when they are three high.",
                ],
                items: &[
                    ("Linen Storage Box, Navy", "Deep blue with a cream inside."),
                    ("Linen Storage Box, Blush Pink", "The small size, for a dressing table or a drawer."),
                    (
                        "Linen Storage Box, Sage Green",
                        "The tall size, which takes hanging files as well as hats.",
                    ),
                    (
                        "Keepsake Box, Charcoal",
                        "A ribbon to pull, a brass corner and room for one life's letters.",
                    ),
                ],
            },
            Kind {
                tags: &["jar", "pantry", "kitchen storage"],
                pounds: 6..=22,
                made: &[
                    "The lid fits close, to keep the air out and the crunch in.",
                    "Wide enough for a scoop and low enough for a shelf.",
                ],
                used: &[
                    "For flour, coffee, pasta or the biscuits that nobody is to find.",
                    "It comes with a paper label and a length of string.",
                    "Five of them make a pantry out of a cupboard.",
                ],
                items: &[
                    ("Glass Storage Jar with Cork Lid", "Clear glass and a fat cork from Portugal."),
                    (
                        "Stoneware Salt Jar, Cream",
                        "A wide mouth under a beech lid, so that a cook finds the salt without looking.",
                    ),
                    ("Enamel Storage Tin, Green", "Enamelled in green and lettered in white."),
                    (
                        "Swing-Top Preserving Jar, 1 Litre",
                        "An orange rubber ring and a wire that clicks shut.",
                    ),
                    ("Cake Tin with Red Spots", "Deep enough for a Victoria sponge with its cream."),
                ],
            },
            Kind {
                tags: &["hooks", "hall", "wall"],
                pounds: 8..=46,
                made: &[
                    "Screws and plugs for a brick wall are in the bag.",
                    "Finished by hand and packed without plastic.",
                ],
                used: &[
                    "For winter coats, dog leads and the umbrella that somebody left.",
                    "Hang it low for children and high for hats.",
                    "Good in a hall, behind a door or above a bath.",
                ],
                items: &[
                    ("Shaker Peg Rail in Oak", "Six turned pegs on a plain rail."),
                    ("Cast-Iron Coat Hooks, Black, Set of 3", "A double hook of the old school cloakroom."),
                    ("Brass Wall Hook", "A single solid hook that grows brighter where it is used."),
                    ("Key Rack with Small Shelf", "Four hooks below, and room for the post above."),
                ],
            },
            Kind {
                tags: &["desk organiser", "desk", "tidy"],
                pounds: 12..=38,
                made: &[
                    "Put together without a screw in a small workshop in Leeds.",
                    "Felt underneath keeps it from wandering.",
                ],
                used: &[
                    "The desk is clear by the time the kettle boils.",
                    "For pencils, post, cables and the cup that you forgot.",
                    "Two stand side by side as if they were one.",
                ],
                items: &[
                    (
                        "Birch Desk Tidy Box",
                        "Five compartments in pale plywood, one of them exactly as wide as a phone.",
                    ),
                    ("Letter Rack in Birch", "Three slots: today, this week and later."),
                    ("Pen Pot in Cork", "Dark cork that a dropped pencil does not chip."),
                    ("Magazine File Box, Mustard", "Mustard board with a thumb hole and a white label."),
                ],
            },
        ],
    },
    Category {
        name: "Outdoor",
        code: "OUT",
        occasions: &["camping", "beach", "walking", "festival"],
        kinds: &[
            Kind {
                tags: &["flask", "bottle", "insulated"],
                pounds: 14..=34,
                made: &[
                    "Two walls of stainless steel with a vacuum between keep drinks hot for twelve hours.",
                    "Powder-coated for grip, with a lid that does not leak in a bag.",
                ],
                used: &[
                    "Tea on a summit, soup on a touchline, iced water on a beach.",
                    "The mouth is wide enough for ice cubes and a bottle brush.",
                    "It fits the holder of a bicycle and of a car.",
                ],
                items: &[
                    ("Insulated Bottle, Forest Green, 500 ml", "Matt green, with a loop to carry it by."),
                    (
                        "Insulated Bottle, Coral Red, 500 ml",
                        "Bright enough to be found at the bottom of a rucksack.",
                    ),
                    ("Walker's Vacuum Flask, 1 Litre", "The cup on top is large enough to be a proper cup."),
                    ("Food Flask with Folding Spoon, Grey", "Stew at noon, as hot as it left the pan."),
                ],
            },
            Kind {
                tags: &["umbrella", "rain", "windproof"],
                pounds: 18..=48,
                made: &[
                    "Fibreglass ribs bend with a gust and come back.",
                    "Opened five thousand times in the test room, and once in front of a leaf blower.",
                ],
                used: &[
                    "Keep it by the door and forget the forecast.",
                    "A metre across when open: room for two who like each other.",
                    "Leave it open to dry and the ribs never rust.",
                ],
                items: &[
                    ("Pocket Umbrella, Navy", "Opens and closes with one thumb."),
                    (
                        "Walking Umbrella, Bottle Green",
                        "A full-length umbrella with a crook of chestnut wood.",
                    ),
                    ("Polka Dot Umbrella, Red", "White dots on red, to be seen on grey streets."),
                    ("Clear Dome Umbrella", "See-through and deep, with a white trim."),
                ],
            },
            Kind {
                tags: &["camping", "cooking", "campfire"],
                pounds: 9..=46,
                made: &[
                    "Steel with two coats of enamel, which chips with dignity.",
                    "Light enough to carry and tough enough to be dropped.",
                ],
                used: &[
                    "Straight on the embers or on a gas ring.",
                    "It has a second life as kitchenware between holidays.",
                    "Rinse it in a stream or put it in the machine at home.",
                ],
                items: &[
                    ("Enamel Camping Mug, White", "White with a blue rim, as all camping mugs should be."),
                    ("Enamel Camping Plate, Blue, Set of 4", "Deep plates with a rim, for stew on knees."),
                    ("Campfire Kettle", "Holds 1.5 litres, with a folding handle and a whistle."),
                    ("Nesting Camping Pots, Set of 3", "Three pots, two lids and one gripper in a bag."),
                    (
                        "Enamel Camping Bowl, Green",
                        "Deep enough for porridge, in the green of an old caravan.",
                    ),
                ],
            },
            Kind {
                tags: &["picnic", "summer", "hamper"],
                pounds: 22..=85,
                made: &[
                    "Peeled willow with leather hinges, woven by one person from start to finish.",
                    "The lining comes out to be washed.",
                ],
                used: &[
                    "Concerts in the park, cricket and the far end of the beach.",
                    "It closes flat enough to sit on, though you did not hear it from us.",
                    "Between picnics it keeps jumpers from moths.",
                ],
                items: &[
                    (
                        "Willow Picnic Hamper for Four",
                        "China plates, steel cutlery and real glasses, each in its strap.",
                    ),
                    (
                        "Willow Picnic Basket, Blue Gingham",
                        "A basket for two under a blue gingham cloth that ties down.",
                    ),
                    ("Insulated Picnic Basket, Grey", "A quiet grey lining keeps butter firm until tea."),
                    (
                        "Willow Picnic Case, Red Gingham",
                        "The small one with a red lining, for two people and a pie.",
                    ),
                ],
            },
            Kind {
                tags: &["seating", "beach", "garden party"],
                pounds: 29..=95,
                made: &[
                    "A frame of oiled acacia folds flat, and the canvas slides off to be washed.",
                    "Carries up to 110 kilos and weighs under four.",
                ],
                used: &[
                    "Put it where the sun is last in the evening.",
                    "It hangs on a hook in the shed all winter.",
                    "Children fight for it, and so will you.",
                ],
                items: &[
                    (
                        "Striped Deckchair, Green",
                        "Broad green and white stripes, three positions and a view.",
                    ),
                    ("Folding Camping Stool, Olive", "Crossed legs, a strip of olive canvas and no wobble."),
                    ("Beach Chair, Yellow Canvas", "Low in the sand, with a pocket behind for a book."),
                    (
                        "Director's Garden Chair, Cream",
                        "Arms to lean on and a back that says whose chair it is, if you paint it.",
                    ),
                ],
            },
        ],
    },
];
