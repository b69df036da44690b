"""Measures others on what bench-recommender measured, and prints both side by side as Markdown.

    compare.py speed DIRECTORY SIZE...      scikit-learn and sparse_dot_topn, one thread each
    compare.py quality DIRECTORY            BM25, cosine and ALS of implicit, tuned on the purchases before the last
                                            two months of what is known
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import warnings

import numpy as np
import scipy.sparse as sparse

LIMIT = 10
# As in speed.rs.
ROUNDS = 3
DRAWS = 1000
# Of implicit, on how it is given matrices within itself.
warnings.filterwarnings("ignore", message="Method expects CSR")


def main():
    command, directory, *sizes = sys.argv[1:]
    directory = Path(directory)
    if command == "peer":
        print(json.dumps(peer(directory, sizes[0])))
    elif command == "speed":
        speed(directory, sizes)
    else:
        quality(directory)


def peer(directory, size):
    """scikit-learn's fit and sparse_dot_topn's answers, in a process of their own for the peak of memory."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sparse_dot_topn import sp_matmul_topn

    texts = (directory / f"{size}.txt").read_text().splitlines()
    ours = json.loads((directory / f"{size}.json").read_text())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fits, cpu = [], []
    for _ in range(1 if len(texts) > 500_000 else 3):
        start, start_cpu = time.perf_counter(), time.process_time()
        vectorizer = TfidfVectorizer(stop_words="english", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
        matrix = vectorizer.fit_transform(texts)
        fits.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    peak = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    transposed = matrix.T.tocsr()
    asked = ours["asked"][: max(20, 20_000_000 // len(texts))][:1000]
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = sp_matmul_topn(matrix[asked], transposed, top_n=LIMIT + 1, sort=True, n_threads=1)
        rounds.append(time.perf_counter() - start)
    query = min(rounds) / len(asked)
    # The same answers: the scores of the nearest agree, whatever the order of equal ones.
    worst = 0.0
    for row, (place, answer) in enumerate(zip(asked, ours["answers"])):
        begin, end = found.indptr[row], found.indptr[row + 1]
        scores = {int(j): float(v) for j, v in zip(found.indices[begin:end], found.data[begin:end]) if j != place}
        expected = sorted(scores.values(), reverse=True)[:LIMIT]
        given = [score for _, score in answer]
        assert len(given) == len(expected), (place, given, expected)
        worst = max([worst, *(abs(a - b) for a, b in zip(given, expected))])
    assert worst < 1e-5, worst
    return {"fit": min(fits), "fit_cpu": min(cpu), "peak": peak, "query": query, "terms": len(vectorizer.vocabulary_), "worst": worst}


def speed(directory, sizes):
    rows = []
    for size in sizes:
        ours = json.loads((directory / f"{size}.json").read_text())
        ours["service"] = json.loads((directory / f"{size}.service.json").read_text())
        found = subprocess.run([sys.executable, __file__, "peer", directory, size], check=True, stdout=subprocess.PIPE)
        rows.append((ours, json.loads(found.stdout)))
    assert all(ours["terms"] == theirs["terms"] for ours, theirs in rows), "another vocabulary"

    def table(title, columns):
        print(f"\n| {title} | " + " | ".join(f"{ours['products']:,}" for ours, _ in rows) + " |")
        print("|---" * (len(rows) + 1) + "|")
        for name, value in columns:
            print(f"| {name} | " + " | ".join(value(ours, theirs) for ours, theirs in rows) + " |")

    seconds = lambda value: f"{value:.2f} s" if value >= 1 else f"{1e3 * value:.{2 if value < 0.01 else 0}f} ms"
    table("fit", [
        ("terms", lambda o, t: f"{o['terms']:,}"),
        ("here, " + str(rows[0][0]["threads"]) + " threads", lambda o, t: seconds(o["fit"])),
        ("scikit-learn, 1 thread", lambda o, t: seconds(t["fit"])),
        ("**times faster**", lambda o, t: f"**{t['fit'] / o['fit']:.1f}**"),
        ("less time of processors", lambda o, t: f"{t['fit_cpu'] / max(o['fit_cpu'], 0.01):.1f} times"),
        ("peak of memory here", lambda o, t: f"{o['peak_bytes'] / 1e6:.0f} MB"),
        ("peak of scikit-learn", lambda o, t: f"{t['peak'] / 1e6:.0f} MB"),
        ("index, per product", lambda o, t: f"{o['index_bytes'] / o['products']:.0f} bytes"),
        ("resident for it right after a fit, per product", lambda o, t: f"{o['resident_bytes'] / o['products']:.0f} bytes"),
        ("resident for the whole model right after it, per product",
         lambda o, t: f"{o['service']['resident_bytes'] / o['products']:.0f} bytes"),
    ])
    table("exact top 10, 1 thread", [
        ("similar products: mean", lambda o, t: seconds(o["similar"]["mean"])),
        ("median, p99", lambda o, t: f"{seconds(o['similar']['median'])}, {seconds(o['similar']['p99'])}"),
        ("sparse_dot_topn: mean", lambda o, t: seconds(t["query"])),
        ("**times faster**", lambda o, t: f"**{t['query'] / o['similar']['mean']:.1f}**"),
        ("like 20 products at once: median", lambda o, t: seconds(o["personal"]["median"])),
        ("p99", lambda o, t: seconds(o["personal"]["p99"])),
    ])
    # 500 candidates by likeness and all that were bought together, blended, and 50 of them with their reasons.
    table("recommendations for a customer with 20 purchases, as the service computes them, 1 thread", [
        (name, lambda o, t, name=name: seconds(o["service"]["personal"][name])) for name in ("mean", "median", "p99")
    ])
    table("one product, visible after", [
        *((name + " in the index", lambda o, t, name=name: seconds(o[name])) for name in ("add", "update", "remove")),
        ("update by a reading of the catalogue, without the network", lambda o, t: seconds(o["service"]["poll"])),
        ("of that without JSON", lambda o, t: seconds(o["service"]["follow"])),
    ])


def quality(directory):
    data = json.loads((directory / "purchases.json").read_text())
    figures = json.loads((directory / "quality.json").read_text())
    rows = figures["rows"]
    parity(data["products"], figures["nearest"])
    products = len(data["products"])
    known = [(customer, product, np.datetime64(at)) for customer, product, at in data["known"]]
    wanted = {customer: set(found) for customer, found in data["wanted"]}
    rows += peers(known, wanted, products)
    print("\n| | hit rate@10 | recall@10 | NDCG@10 | coverage | variety |\n|---|---|---|---|---|---|")
    shown = lambda value, places: f"{value[0]:.{places}f} ({value[1]:.{places}f} to {value[2]:.{places}f})"
    for row in sorted(rows, key=lambda row: row["ndcg"][0]):
        variety = f"{row['variety']:.2f}" if "variety" in row else ""
        print(f"| {row['name']} | {shown(row['hit_rate'], 3)} | {shown(row['recall'], 3)} | {shown(row['ndcg'], 4)} | "
              f"{row['coverage']:.3f} | {variety} |")


def parity(names, nearest):
    """Ours are scikit-learn's nearest: the same scores, of the same products where scores differ. A name counts twice,
    as the service has it."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    analyse = TfidfVectorizer(stop_words="english", ngram_range=(1, 2)).build_analyzer()
    weights = TfidfVectorizer(analyzer=lambda name: 2 * analyse(name), sublinear_tf=True).fit_transform(names)
    similar = (weights @ weights.T).toarray()
    np.fill_diagonal(similar, 0)
    worst = 0.0
    for row, found in zip(similar, nearest):
        expected = np.sort(row[row > 0])[::-1][:LIMIT]
        assert len(found) == len(expected), (found, expected)
        worst = max([worst, *(abs(score - other) for (_, score), other in zip(found, expected))])
        worst = max([worst, *(abs(score - row[place]) for place, score in found)])
    assert worst < 1e-5, worst
    print(f"\nThe {LIMIT} nearest of all {len(names):,} products are scikit-learn's; scores differ by {worst:.0e} at most.")


def peers(known, wanted, products):
    """Each way of implicit with the settings that were best on an earlier time."""
    last = max(at for _, _, at in known)
    split = last - np.timedelta64(61, "D")
    before = [line for line in known if line[2] < split]
    bought = {(customer, product) for customer, product, _ in before}
    customers = {customer for customer, _, _ in before}
    earlier = {}
    for customer, product, at in known:
        if at >= split and customer in customers and (customer, product) not in bought:
            earlier.setdefault(customer, set()).add(product)
    result = []
    for name, makers in grid().items():
        tried = [(evaluate(maker, before, earlier, products)["ndcg"][0], settings, maker) for settings, maker in makers]
        _, settings, maker = max(tried, key=lambda tried: tried[0])
        result.append({"name": f"implicit, {name} ({settings})", **evaluate(maker, known, wanted, products)})
    return result


def grid():
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender

    def als(factors, regularization, alpha):
        return lambda: AlternatingLeastSquares(factors=factors, regularization=regularization, alpha=alpha,
                                               iterations=20, random_state=1, num_threads=1)

    return {
        "BM25": [(f"K {k}, K1 {k1}, B {b}", lambda k=k, k1=k1, b=b: BM25Recommender(K=k, K1=k1, B=b, num_threads=1))
                 for k in (20, 100, 400, 1600, 4000) for k1 in (0.1, 1.2, 3.0, 10.0) for b in (0.2, 0.5, 0.8)],
        "cosine": [(f"K {k}", lambda k=k: CosineRecommender(K=k, num_threads=1)) for k in (20, 100, 400, 1600, 4000)],
        "ALS": [(f"{f} factors, regularization {r}, alpha {a}", als(f, r, a))
                for f in (32, 64, 128, 256) for r in (1.0, 10.0, 30.0, 100.0) for a in (0.3, 1.0, 10.0)],
    }


def evaluate(maker, known, wanted, products):
    customers = 1 + max(customer for customer, _, _ in known)
    matrix = sparse.coo_matrix(
        (np.ones(len(known), np.float32), ([c for c, _, _ in known], [p for _, p, _ in known])),
        shape=(customers, products),
    ).tocsr()
    model = maker()
    model.fit(matrix, show_progress=False)
    asked = np.array(sorted(wanted))
    lists, _ = model.recommend(asked, matrix[asked], N=LIMIT, filter_already_liked_items=True)
    gains = 1 / np.log2(np.arange(2, LIMIT + 2))
    each = []
    for customer, found in zip(asked, lists):
        hits = np.array([int(product) in wanted[customer] for product in found], float)
        ideal = gains[: len(wanted[customer])].sum()
        each.append((float(hits.any()), hits.sum() / len(wanted[customer]), (hits * gains[: len(hits)]).sum() / ideal))
    each = np.array(each)
    random = np.random.default_rng(5)
    draws = np.array([each[random.integers(len(each), size=len(each))].mean(0) for _ in range(DRAWS)])
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    figures = {name: [each[:, i].mean(), low[i], high[i]] for i, name in enumerate(("hit_rate", "recall", "ndcg"))}
    return {**figures, "coverage": len({int(p) for found in lists for p in found if p >= 0}) / products}


main()
