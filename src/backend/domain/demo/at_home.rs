//! What the shop sells for the home: kitchen, lighting, textiles, candles and scents.

use super::{Category, Kind};

pub(super) const CATEGORIES: &[Category] = &[
    Category {
        name: "Kitchen",
        code: "KIT",
        occasions: &["housewarming", "wedding gift", "everyday", "sunday lunch"],
        kinds: &[
            Kind {
                tags: &["mug", "stoneware", "coffee", "tea"],
                pounds: 9..=14,
                made: &[
                    "Thrown in stoneware and fired twice, it holds 350 ml and stays warm to the last sip.",
                    "The wall is thick, the foot is unglazed and the handle has room for three fingers.",
                ],
                used: &[
                    "Safe in the dishwasher and the microwave, and made to be used every morning.",
                    "It stacks with its sisters, so that a set takes little room in the cupboard.",
                    "Good for coffee at the kitchen table and for soup at a desk.",
                ],
                items: &[
                    (
                        "Speckled Oatmeal Stoneware Mug",
                        "Iron in the clay gives this mug its warm brown freckles.",
                    ),
                    (
                        "Sea Blue Stoneware Mug",
                        "The glaze runs from pale blue at the rim to the colour of deep water.",
                    ),
                    ("Moss Green Stoneware Mug", "A soft matt green that looks as if it grew there."),
                    (
                        "Charcoal Stoneware Mug with Raw Rim",
                        "Near-black outside and bone white inside, with a bare clay rim.",
                    ),
                    ("Blush Pink Stoneware Mug", "A quiet pink, warmer than it is sweet."),
                ],
            },
            Kind {
                tags: &["mixing bowl", "baking", "earthenware"],
                pounds: 16..=28,
                made: &[
                    "Glazed earthenware, 26 cm across and heavy enough to stay put while you beat.",
                    "A generous three litres, with a ridge outside that gives wet hands a grip.",
                ],
                used: &[
                    "Mix dough in it, cover it with a cloth and let it prove in the same bowl.",
                    "Handsome enough to go from worktop to table with a salad.",
                    "Wash it by hand or in the machine; the glaze does not mind.",
                ],
                items: &[
                    (
                        "Cream Ridged Mixing Bowl",
                        "The classic of the farmhouse kitchen, in a rich cream glaze.",
                    ),
                    (
                        "Duck Egg Blue Mixing Bowl",
                        "A cool pale blue with a white inside that shows the batter well.",
                    ),
                    ("Mustard Yellow Mixing Bowl", "A cheerful yellow with a band of bare clay at the foot."),
                    (
                        "Reactive Grey Mixing Bowl",
                        "No two of these are alike: the grey glaze breaks differently in every firing.",
                    ),
                ],
            },
            Kind {
                tags: &["chopping board", "wood", "serving"],
                pounds: 19..=42,
                made: &[
                    "Cut from one piece of wood, sanded smooth and finished with food-safe oil.",
                    "Three centimetres thick, so that it lies flat and can be planed when it is old.",
                ],
                used: &[
                    "Wipe it clean, oil it now and then, and it will outlast several kitchens.",
                    "Chop on one side and serve bread and cheese on the other.",
                    "The hole in the handle lets it hang beside the stove.",
                ],
                items: &[
                    ("Olive Wood Chopping Board", "The wild grain of olive makes every board different."),
                    (
                        "Oak Bread Board with Crumb Groove",
                        "A groove runs round the edge and keeps crumbs off the table.",
                    ),
                    ("Walnut Cheese Board", "Dark walnut sets off a white cheese and a few figs."),
                    ("Beech Carving Board", "A deep well in one end catches the juices of a roast."),
                    (
                        "Acacia Paddle Board",
                        "Long and slim, with a handle that asks to be carried to the table.",
                    ),
                ],
            },
            Kind {
                tags: &["cast iron", "cookware", "hob"],
                pounds: 32..=89,
                made: &[
                    "Cast in sand and seasoned with rapeseed oil, it works on every hob, induction too.",
                    "Thick iron takes its time to heat and then holds it, for an even crust without burning.",
                ],
                used: &[
                    "Rinse it, dry it on the warm stove and rub in a drop of oil: that is all it asks.",
                    "From the hob into the oven and straight to the table on a trivet.",
                    "A weekend pan for slow stews as well as a weekday one for eggs.",
                ],
                items: &[
                    (
                        "Cast-Iron Skillet, 26 cm",
                        "The pan that does steak, pancakes and cornbread equally well.",
                    ),
                    (
                        "Cast-Iron Casserole with Red Lid",
                        "A round pot for four litres, with a lid enamelled in bright red.",
                    ),
                    ("Cast-Iron Griddle Pan", "High ridges draw proper lines on courgettes and chops."),
                    (
                        "Cast-Iron Bread Pan with Lid",
                        "A low base and a domed lid trap the steam that makes a loaf crackle.",
                    ),
                ],
            },
            Kind {
                tags: &["teapot", "tea", "breakfast"],
                pounds: 18..=36,
                made: &[
                    "It comes with a steel strainer that lifts out when the tea is strong enough.",
                    "The spout is cut sharp so that it pours a clean stream and does not drip.",
                ],
                used: &[
                    "Enough for four cups, or for one person and a long book.",
                    "Warm it first with a little hot water, as your grandmother did.",
                    "At home on a breakfast tray and on a tea table with the good plates.",
                ],
                items: &[
                    (
                        "Brown Betty Teapot",
                        "Red Staffordshire clay under a brown glaze: the shape that English tea is made in.",
                    ),
                    ("White Porcelain Teapot", "Thin, bright porcelain with a knob like an acorn."),
                    (
                        "Forest Green Enamel Teapot",
                        "Enamelled steel that is as good on a campfire as on the stove.",
                    ),
                    ("Borosilicate Glass Teapot", "Clear glass shows the leaves as they open."),
                ],
            },
        ],
    },
    Category {
        name: "Lighting",
        code: "LIG",
        occasions: &["new home", "cosy evening", "reading", "home office"],
        kinds: &[
            Kind {
                tags: &["table lamp", "lamp", "bedside"],
                pounds: 35..=79,
                made: &[
                    "The shade is linen on a steel frame, the flex is covered in cotton and two metres long.",
                    "It stands 42 cm tall and takes an E27 bulb, a warm white one for preference.",
                ],
                used: &[
                    "Set it on a bedside table or a sideboard, where its light falls low and soft.",
                    "A switch on the flex is easy to find in the dark.",
                    "One on each end of a shelf makes a room look finished.",
                ],
                items: &[
                    (
                        "Ribbed Ceramic Table Lamp, Sage Green",
                        "A round ribbed base in sage, as calm as it looks.",
                    ),
                    (
                        "Turned Ash Table Lamp",
                        "The base is turned from pale ash and left with a soap finish.",
                    ),
                    ("Terracotta Table Lamp", "Unglazed clay the colour of a warm wall in the evening."),
                    (
                        "Navy Glass Table Lamp",
                        "A drop of dark blue glass that glows where the lamp shines through it.",
                    ),
                    (
                        "Brass Column Table Lamp",
                        "A slim brass column that darkens with the years, under a pale shade.",
                    ),
                ],
            },
            Kind {
                tags: &["pendant", "ceiling light", "dining room"],
                pounds: 42..=110,
                made: &[
                    "It hangs on 150 cm of fabric cable that can be shortened, with a rose to match.",
                    "The shade is 35 cm wide, so that its light reaches the whole of a table.",
                ],
                used: &[
                    "Hang it sixty centimetres above a dining table, or three in a row over a worktop.",
                    "An electrician fits it in a quarter of an hour; screws and plugs are in the box.",
                    "It suits a hall as well as a kitchen.",
                ],
                items: &[
                    (
                        "Enamel Factory Pendant Light, Cream",
                        "The shade of an old workshop, in cream with a thin dark rim.",
                    ),
                    ("Rattan Dome Pendant Light", "Woven rattan draws a net of shadows on the ceiling."),
                    (
                        "Smoked Glass Pendant Light",
                        "A globe of smoky glass that takes the glare out of a bare bulb.",
                    ),
                    (
                        "Folded Paper Pendant Light",
                        "Forty pleats of strong paper, folded by hand, soften the light like snow.",
                    ),
                ],
            },
            Kind {
                tags: &["string lights", "fairy lights", "led"],
                pounds: 8..=19,
                made: &[
                    "Warm white LEDs on a thin copper wire, with a timer that gives six hours of light.",
                    "The wire bends where you want it and stays; three AA batteries last for weeks.",
                ],
                used: &[
                    "Wind them round a mirror, a bed head or a bowl of pine cones.",
                    "They stay cool to the touch, so that children's rooms are no worry.",
                    "Lovely at a party and just as good on a dull Tuesday in November.",
                ],
                items: &[
                    (
                        "Copper Wire Fairy Lights, 5 m",
                        "Fifty tiny points of light, no bigger than grains of rice.",
                    ),
                    (
                        "Cotton Ball String Lights",
                        "Twenty balls spun from cotton thread in cream, grey and dusty pink.",
                    ),
                    ("Paper Star String Lights", "Ten white paper stars, each the size of a palm."),
                    ("Wooden Bead Fairy Lights, 3 m", "Thirty lights between beads of pale turned wood."),
                    (
                        "Dried Orange Garland Lights",
                        "Lights between slices of real dried orange and little wooden beads.",
                    ),
                ],
            },
            Kind {
                tags: &["desk lamp", "lamp", "study"],
                pounds: 29..=68,
                made: &[
                    "A sprung joint holds the head wherever it is put.",
                    "Every joint can be tightened with a coin, and nothing about it wobbles.",
                ],
                used: &[
                    "It lights a whole desk without shining into anyone's eyes.",
                    "For homework, sewing and reading late; an LED bulb comes with it.",
                    "Put it to the left if you write with the right hand.",
                ],
                items: &[
                    ("Architect's Desk Lamp, Black", "The drawing-office classic in matt black."),
                    (
                        "Architect's Desk Lamp, Red",
                        "The same honest lamp in a red that cheers up a grey study.",
                    ),
                    (
                        "Oak and Linen Desk Lamp",
                        "An oak arm and a small linen shade for desks that are also furniture.",
                    ),
                    (
                        "Clip-On Reading Lamp, White",
                        "It grips a shelf or a headboard and bends like a swan's neck.",
                    ),
                ],
            },
            Kind {
                tags: &["lantern", "tealight", "hall"],
                pounds: 12..=34,
                made: &[
                    "It can be stood, hung or carried, and opens at the side for the candle.",
                    "A pin in the base holds a candle up to 7 cm wide; vents keep the flame steady.",
                ],
                used: &[
                    "Stand a group of them by the front door when guests come.",
                    "It goes from the hearth to the garden table and minds neither wind nor drizzle.",
                    "A scented candle in it perfumes a hall gently.",
                ],
                items: &[
                    (
                        "Black Iron Storm Lantern",
                        "A square lantern with a little chimney, powder-coated in black.",
                    ),
                    ("Moroccan Star Lantern, Brass", "Hundreds of punched holes throw stars on the wall."),
                    (
                        "White Wooden Lantern",
                        "A whitewashed frame with a rope handle, as at a house by the sea.",
                    ),
                    (
                        "Glass Lantern with Leather Strap",
                        "Four clear panes carried by a strap of tan leather.",
                    ),
                ],
            },
        ],
    },
    Category {
        name: "Textiles",
        code: "TEX",
        occasions: &["new home", "cosy evening", "guest room", "winter"],
        kinds: &[
            Kind {
                tags: &["cushion", "sofa", "living room"],
                pounds: 18..=38,
                made: &[
                    "The cover is 45 cm square, closes with a hidden zip and comes with a feather filling.",
                    "Plain linen behind, piped all round by hand and filled with feathers to the corners.",
                ],
                used: &[
                    "Put two of a kind and one stranger on a sofa, and it looks arranged.",
                    "The cover washes at 30 degrees and likes to dry on a line.",
                    "A good back for an armchair, a window seat or a bed.",
                ],
                items: &[
                    (
                        "Block-Printed Indigo Cushion",
                        "Printed by hand with carved wooden blocks and a vat of indigo.",
                    ),
                    (
                        "Mustard Velvet Cushion",
                        "Cotton velvet in a deep mustard that changes with the light.",
                    ),
                    ("Striped Linen Cushion, Blue", "Ticking stripes in faded blue on a natural ground."),
                    ("Rust Corduroy Cushion", "Broad-ribbed corduroy in the colour of autumn beech."),
                    (
                        "Embroidered Fern Cushion, Green",
                        "A frond of fern stitched in three greens on oatmeal cloth.",
                    ),
                ],
            },
            Kind {
                tags: &["blanket", "throw", "wool"],
                pounds: 45..=95,
                made: &[
                    "Woven from lambswool in a Yorkshire mill, 130 by 180 cm, with twisted fringes.",
                    "Pure new wool, brushed once for softness and washed in spring water.",
                ],
                used: &[
                    "Fold it over the end of a bed or pull it round you on the sofa.",
                    "Wool airs itself: hang it out on a dry day and it is fresh again.",
                    "Warm enough for a bench outdoors in October.",
                ],
                items: &[
                    (
                        "Herringbone Wool Blanket, Grey",
                        "A quiet herringbone in two greys that suits any chair.",
                    ),
                    ("Heather Check Wool Throw", "Purple, moss and stone, the colours of a moor in August."),
                    ("Honeycomb Wool Throw, Cream", "A raised honeycomb weave that holds the warm air."),
                    (
                        "Tartan Picnic Blanket, Red",
                        "A red tartan with a waxed cotton back that keeps the damp out.",
                    ),
                ],
            },
            Kind {
                tags: &["towel", "bathroom", "cotton"],
                pounds: 14..=32,
                made: &[
                    "Long-staple Turkish cotton, 70 by 130 cm, that drinks up water and does not shed.",
                    "Woven and hemmed in a family mill near Denizli, with a loop to hang it by.",
                ],
                used: &[
                    "It grows softer with each wash; leave the softener out.",
                    "Folded on a shelf, it gives a plain bathroom its colour.",
                    "A pair makes a present that is always used.",
                ],
                items: &[
                    ("Waffle Bath Towel, White", "A deep waffle weave, light to carry and quick to dry."),
                    (
                        "Striped Hammam Towel, Blue",
                        "Flat woven with knotted ends, half towel and half beach wrap.",
                    ),
                    ("Thick Bath Towel, Sage Green", "The plush one, in a green that rests the eye."),
                    (
                        "Ribbed Bath Towel, Oatmeal",
                        "Fine ribs of undyed cotton, crisp at first and supple in a month.",
                    ),
                ],
            },
            Kind {
                tags: &["tea towel", "kitchen linen", "linen"],
                pounds: 7..=13,
                made: &[
                    "Linen, 50 by 70 cm, hemmed with mitred corners and a loop of tape.",
                    "Half linen that dries glasses without leaving a thread behind.",
                ],
                used: &[
                    "Wash it hot as often as you like; the colours hold.",
                    "Wrap a loaf in it, line a basket with it, or frame it.",
                    "Slips into an envelope, which makes it an easy present to post.",
                ],
                items: &[
                    (
                        "Allotment Vegetables Tea Towel",
                        "Leeks, beetroot and peas in the pod, drawn with a fine pen.",
                    ),
                    ("British Garden Birds Tea Towel", "Twelve birds of the feeder, from robin to nuthatch."),
                    (
                        "Red Stripe Glass Cloth",
                        "The plain cloth of hotel pantries, with a red stripe and a woven word.",
                    ),
                    (
                        "Lemon Grove Tea Towel, Yellow",
                        "Lemons among dark leaves, so fresh that you can smell them.",
                    ),
                    (
                        "Map of Cheeses Tea Towel",
                        "Forty British cheeses, each at the place where it is made.",
                    ),
                ],
            },
            Kind {
                tags: &["rug", "floor", "hall"],
                pounds: 39..=120,
                made: &[
                    "Flat woven on a hand loom, 70 by 140 cm, with the same pattern on both sides.",
                    "A sturdy cotton warp holds it flat, and short fringes finish the ends.",
                ],
                used: &[
                    "Lay it beside a bed or along a hall; a thin underlay stops it slipping.",
                    "Shake it out, hoover it, and turn it over once a season.",
                    "It takes boots, dogs and toy trains in its stride.",
                ],
                items: &[
                    (
                        "Jute Hall Rug",
                        "Natural jute in a close plait, golden when it is new and honey later.",
                    ),
                    ("Kilim Runner, Terracotta", "Lozenges in terracotta, cream and dark blue."),
                    (
                        "Rag Rug in Many Colours",
                        "Woven from offcuts of shirt cotton, so that no two are alike.",
                    ),
                    ("Wool Stripe Rug, Charcoal", "Broad bands of charcoal and undyed wool."),
                ],
            },
        ],
    },
    Category {
        name: "Candles & Scents",
        code: "CAN",
        occasions: &["birthday", "thank you", "hostess gift", "relaxing"],
        kinds: &[
            Kind {
                tags: &["candle", "scented", "soy wax"],
                pounds: 12..=26,
                made: &[
                    "Soy and rapeseed wax poured by hand into a tumbler, with a cotton wick that burns for 40 hours.",
                    "Poured in small batches in Dorset and left to cure for a fortnight.",
                ],
                used: &[
                    "Let the first burn reach the glass, and it will burn level to the end.",
                    "When it is empty, the glass does for toothbrushes or wild flowers.",
                    "Strong enough for a living room, gentle enough for a bath.",
                ],
                items: &[
                    ("Fig Leaf Scented Candle", "Green and milky, like the shade of a fig tree at noon."),
                    ("Sea Salt & Driftwood Scented Candle", "Clean salt air with a little smoke behind it."),
                    (
                        "Lavender & Thyme Scented Candle",
                        "A hedge of lavender after rain, with kitchen herbs beside it.",
                    ),
                    (
                        "Bergamot & Black Tea Scented Candle",
                        "The steam of a cup of Earl Grey, and the lemon next to it.",
                    ),
                    ("Winter Spice Scented Candle", "Clove, orange peel and a log on the fire."),
                ],
            },
            Kind {
                tags: &["dinner candles", "candle", "table"],
                pounds: 8..=18,
                made: &[
                    "Dipped thirty times by hand, 25 cm tall and coloured right through.",
                    "They fit a standard holder, burn for eight hours and do not drip in still air.",
                ],
                used: &[
                    "Mix two colours on a long table and leave the electric light off.",
                    "Trim the wick to half a centimetre and the flame stays clear.",
                    "Keep them flat and out of the sun, and they stay straight.",
                ],
                items: &[
                    ("Beeswax Dinner Candles, Set of 6", "Pure beeswax, golden and faintly sweet of honey."),
                    (
                        "Rust and Ochre Dinner Candles, Set of 4",
                        "Two of each, the colours of a wood in late October.",
                    ),
                    (
                        "Twisted Dinner Candles, Pink, Set of 2",
                        "A spiral turned by hand while the wax is warm.",
                    ),
                    (
                        "Ivory Dinner Candles, Set of 8",
                        "The plain ones that go with everything, in a tied bundle.",
                    ),
                ],
            },
            Kind {
                tags: &["reed diffuser", "room scent", "hall"],
                pounds: 18..=34,
                made: &[
                    "A 100 ml bottle of apothecary glass with eight rattan reeds; it lasts for three months.",
                    "Plant oils in a base without alcohol, so that the scent is slow and even.",
                ],
                used: &[
                    "Turn the reeds once a week, or more often when visitors come.",
                    "No flame, no plug: right for a hall, a bathroom or an office.",
                    "Stand it where people pass, since moving air carries the scent.",
                ],
                items: &[
                    ("Cedar & Moss Reed Diffuser", "A dry wood, a damp floor: a walk under tall trees."),
                    ("White Linen Reed Diffuser", "Sheets from the line, with a trace of iris."),
                    ("Tomato Leaf Reed Diffuser", "The green, peppery smell of a greenhouse in July."),
                    ("Rose & Cardamom Reed Diffuser", "Old roses kept from sweetness by a pinch of spice."),
                ],
            },
            Kind {
                tags: &["soap", "bathroom", "plant oils"],
                pounds: 5..=9,
                made: &[
                    "Olive, coconut and shea are stirred cold and the bars rest for six weeks before they are cut.",
                    "A 120 gram bar without palm oil, wrapped in a paper band.",
                ],
                used: &[
                    "It lathers well in hard water and lasts longest on a dish that drains.",
                    "Kind to dry hands after gardening.",
                    "Put a spare one among jumpers until it is needed.",
                ],
                items: &[
                    ("Oat & Honey Soap Bar", "Ground oats scrub lightly and honey keeps the skin soft."),
                    (
                        "Rosemary & Mint Soap Bar, Green",
                        "Coloured with spinach powder and as brisk as a cold tap.",
                    ),
                    ("Charcoal & Tea Tree Soap Bar", "Black in the hand and white in the lather."),
                    ("Geranium Soap Bar, Pink", "Pink clay and geranium leaf, rosy but not sugary."),
                    (
                        "Gardener's Soap Bar with Pumice",
                        "Pumice and lemon take off soil, sap and engine oil.",
                    ),
                ],
            },
            Kind {
                tags: &["candle holder", "candlestick", "table"],
                pounds: 9..=32,
                made: &[
                    "The cup takes a standard dinner candle, and felt under the foot spares the table.",
                    "Made by a family workshop that has done little else since 1962.",
                ],
                used: &[
                    "Group three heights on a mantelpiece.",
                    "A warm rinse loosens the old wax; a soft cloth does the rest.",
                    "One on the window sill is enough to make a winter supper of toast and soup.",
                ],
                items: &[
                    (
                        "Brass Chamber Candle Holder",
                        "A saucer with a finger ring, for going up to bed in another century.",
                    ),
                    ("Blue Glass Candlestick", "Pressed glass with facets that catch the flame."),
                    ("Stoneware Candle Holder, Grey", "A squat, thumbed shape that fits the palm."),
                    ("Turned Beech Candlestick, Red", "Painted in barn red and rubbed back at the edges."),
                ],
            },
        ],
    },
];
