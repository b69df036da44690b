"""Writes what scikit-learn answers, for the tests of the model to compare with: tfidf.json for a small corpus, and
demo.json.gz for the demo catalogue, as `shopmicro-backend export catalogue` writes it. With --retail it writes that of
the descriptions of real order lines instead, to a file that is not committed: tests/bench/check does so.

    pip install scikit-learn==1.9.1 && python make.py CATALOGUE.csv
    python make.py --retail online-retail.csv.gz retail.json.gz
"""

import csv
import gzip
import json
import sys
from pathlib import Path

import sklearn
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

SETTINGS = {"stop_words": "english", "ngram_range": (1, 2), "sublinear_tf": True}

# What differs from SETTINGS, by the names of scikit-learn.
OPTIONS = [
    {"stop_words": None},
    {"ngram_range": (1, 1)},
    {"sublinear_tf": False},
    {"lowercase": False},
    {"min_df": 2},
    {"max_df": 0.4},
    {"min_df": 2, "max_df": 0.5, "stop_words": None, "sublinear_tf": False},
]

ANALYSED = [
    "White HANGING Heart T-Light Holder",
    "A cup of tea, and another cup of tea!",
    "don't_stop snake_case 3D x9 ½ ²² café CAFÉ naïve",
    "ΟΔΟΣ ΣΟΦΟΣ İstanbul STRASSE straße",
    "नमस्ते दुनिया",
    "日本語 テスト",
    "e\u0301toile \u24b6\u24b7 tea\u00a0pot",
    "the of and to",
    "",
]

TEXTS = [
    "red velvet cushion for the sofa",
    "blue velvet cushion with buttons",
    "red ceramic teapot, red lid",
    "teapot and cup of tea, tea for two",
    "wooden garden bench",
    "the and of",
    "garden cushion red red red",
]

PRODUCTS = [
    {"name": "Red velvet cushion", "description": "A soft cushion for the sofa.", "category": "Home", "tags": ["red", "soft"]},
    {"name": "Blue velvet cushion", "description": "A firm cushion with buttons.", "category": "Home", "tags": ["blue"]},
    {"name": "Ceramic teapot", "description": "", "category": "Kitchen", "tags": ["tea", "red"]},
    {"name": "Tea towel", "description": "Dries a teapot, a cup and all the rest.", "category": "Kitchen", "tags": []},
    {"name": "Garden bench", "description": "Oak; room for two.", "category": "Garden", "tags": ["oak", "garden bench"]},
]


def fitted(vectorizer, documents):
    """What was fitted, and the cosines of all documents."""
    weights = vectorizer.fit_transform(documents)
    weights.sort_indices()
    found = {
        "vocabulary": vectorizer.get_feature_names_out().tolist(),
        "idf": vectorizer.idf_.tolist(),
        "rows": [
            [[int(column), float(value)] for column, value in zip(row.indices, row.data)] for row in weights
        ],
    }
    return found, (weights @ weights.T).toarray()


def with_similarities(vectorizer, documents):
    found, cosines = fitted(vectorizer, documents)
    return {"documents": documents, **found, "similarities": cosines.tolist()}


analyse = TfidfVectorizer(**SETTINGS).build_analyzer()


def product_terms(product):
    """The name twice; no pair reaches over the end of a field."""
    fields = [product["name"], product["name"], product["description"], product["category"], *product["tags"]]
    return [term for field in fields for term in analyse(field)]


def with_options(options):
    return {"options": options, **with_similarities(TfidfVectorizer(**{**SETTINGS, **options}), TEXTS)}


def small():
    by_product = TfidfVectorizer(analyzer=product_terms, sublinear_tf=True)
    return {
        "scikit_learn": sklearn.__version__,
        "stop_words": sorted(ENGLISH_STOP_WORDS),
        "analysed": [{"text": text, "terms": analyse(text)} for text in ANALYSED],
        "texts": with_similarities(TfidfVectorizer(**SETTINGS), TEXTS),
        "options": [with_options(options) for options in OPTIONS],
        "products": with_similarities(by_product, PRODUCTS),
    }


def catalogue(products):
    """The weights of a whole catalogue, and of each product the nearest ten, as places and cosines, with those that are
    as near as the tenth."""
    found, similar = fitted(TfidfVectorizer(analyzer=product_terms, sublinear_tf=True), products)
    nearest = []
    for place, cosines in enumerate(similar):
        others = sorted((-cosine, other) for other, cosine in enumerate(cosines.tolist()) if other != place and cosine > 0)
        nearest.append([[other, -cosine] for cosine, other in others if cosine <= others[:10][-1][0] + 1e-7])
    return {"documents": products, **found, "nearest": nearest}


def demo(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["sku"])
    return [
        {**{field: row[field] for field in ("name", "description", "category")}, "tags": [tag for tag in row["tags"].split("|") if tag]}
        for row in rows
    ]


def retail(path):
    """Everything that was ever described, whether it was goods or a note."""
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        names = sorted({row["description"] for row in csv.DictReader(file)})
    return [{"name": name, "description": "", "category": "", "tags": []} for name in names]


def write(path, found):
    text = json.dumps(found, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if sys.argv[1] == "--retail":
    write(Path(sys.argv[3]), catalogue(retail(sys.argv[2])))
else:
    here = Path(__file__).parent
    (here / "tfidf.json").write_text(json.dumps(small(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    write(here / "demo.json.gz", catalogue(demo(sys.argv[1])))
