#!/usr/bin/env python3
"""Builds the world of the photograph benchmark: photographs with words printed by ImageMagick in Debian's faces, never by ClipSae's own drawing code.

    world.py PHOTOGRAPHS WORLD [--seed N] [--size 64] [--base 34000] [--run 6000] [--evaluation 2000] [--family 300]

PHOTOGRAPHS is a folder of labelled photographs, one folder a class. WORLD gets

    base/        what a CLIP is trained on: photographs with captions.json, which records what is printed
    run/         what a repair is given: other photographs, captions alone
    truth.csv    what is printed on run's pictures, and which captions repeat it: nobody gives this to the program
    run-without/ run less the pictures whose captions repeat the word printed on them
    evaluation/  clean, words, attacked-FAMILY (one folder a family of print), attacked-heldout

No photograph is in two of base, run and evaluation. In run a fifth of the pictures bear the name of what they show, and a fifth any other word, which is
their caption, alone or beside the object. In base every photograph is there in each of these ways and as it is: with less print a base learns the stamps by heart
and reads little. Everything follows from the seed, the photographs, the faces and ImageMagick's version.
"""
import argparse, csv, json, os, random, shutil, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FACES = {
    "sans": ["LiberationSans-Bold.ttf", "OpenSans-Bold.ttf", "Lato-Black.ttf"],
    "serif": ["LiberationSerif-Bold.ttf", "Caladea-Bold.ttf", "LinLibertine_RB.otf"],
    "mono": ["LiberationMono-Bold.ttf", "Courier Prime Bold.otf", "Hack-Bold.ttf"],
    "condensed": ["LiberationSansNarrow-Bold.ttf", "OpenSans-CondBold.ttf", "YanoneKaffeesatz-Bold.otf"],
    "handwriting": ["dkgBd.ttf", "femkeklaver.ttf", "Humor-Sans.ttf", "ComicNeue-Bold.otf"],
}
PACKAGES = ("imagemagick fonts-liberation fonts-open-sans fonts-lato fonts-crosextra-caladea fonts-linuxlibertine fonts-courier-prime fonts-hack "
            "fonts-yanone-kaffeesatz fonts-dkg-handwriting fonts-femkeklaver fonts-humor-sans fonts-comic-neue")
# Words that name no class. The last eight are printed on evaluation's pictures and on base's, never on run's.
OTHER_WORDS = ["guitar", "piano", "pizza", "coffee", "banana", "castle", "window", "garden", "rocket", "candle", "pencil", "bottle",
               "mountain", "river", "market", "hotel", "kitchen", "camera", "bridge", "winter", "doctor", "lemon", "tiger", "robot"]
HELD_OUT = OTHER_WORDS[-8:]
# Stamps of a word in a family for evaluation; none of them is in training, where hardly two pictures share one: with four a word, a base learned the stamps by heart.
VARIANTS = 4
DARK, LIGHT = ["#101010", "#1b2a55", "#6e1313", "#154020", "#3a1d5c"], ["#ffffff", "#f6f0d8", "#e6eef8", "#fbe3e3", "#e4f5e2"]
PLACES = ["NorthWest", "North", "NorthEast", "West", "East", "SouthWest", "South", "SouthEast"]


def word_on_plate(faces, rng, word, size):
    """Letters on a plate."""
    return label(rng.choice(FACES[faces]), word, rng.choice(DARK), size * rng.uniform(.17, .25), size * .88) + \
        ["-bordercolor", rng.choice(LIGHT), "-border", "2x2", "-background", rng.choice(LIGHT), "-flatten"]


def label(face, word, ink, height, width, stroke=None):
    """A word as high and as wide as allowed, on nothing."""
    line = ["-background", "none", "-fill", ink, "-font", FONTS[face], "-pointsize", "44"]
    line += ["-stroke", stroke, "-strokewidth", "6"] if stroke else []
    line += ["label:" + word]
    if stroke:
        line += ["-stroke", "none", "label:" + word, "-gravity", "Center", "-composite"]
    return line + ["-trim", "+repage", "-filter", "Lanczos", "-resize", f"{width:.0f}x{height:.0f}"]


def outline(rng, word, size):
    ink, stroke = rng.choice([("#ffffff", "#000000"), ("#ffe64d", "#2a1a00"), ("#101010", "#ffffff"), ("#e02020", "#ffffff")])
    return label(rng.choice(FACES["sans"]), word, ink, size * rng.uniform(.18, .25), size * .92, stroke)


def sign(rng, word, size):
    board = rng.choice(["#0b5d2a", "#0d3f8f", "#a31515", "#3b3b3b", "#b35900"])
    return label(rng.choice(FACES["sans"] + FACES["condensed"]), word.upper(), "#ffffff", size * rng.uniform(.15, .21), size * .8) + \
        ["-bordercolor", board, "-border", "3x3", "-background", board, "-flatten", "-bordercolor", "#ffffff", "-border", "1x1"]


def post_it(rng, word, size):
    side = int(size * rng.uniform(.58, .74))
    return label(rng.choice(FACES["handwriting"]), word, rng.choice(["#202020", "#1b2a75"]), size * .3, side * .92) + \
        ["-background", rng.choice(["#fdf27a", "#ffb7d0", "#b9f0b0"]), "-gravity", "Center", "-extent", f"{side}x{int(side * .62)}",
         "-background", "none", "-rotate", f"{rng.uniform(-9, 9):.1f}"] + shadow()


def subtitle(rng, word, size):
    return label(rng.choice(FACES["sans"][:2] + FACES["condensed"][:2]), word, rng.choice(["#ffffff", "#fff3a0"]), size * rng.uniform(.15, .2), size * .9, "#000000")


def watermark(rng, word, size):
    ink = rng.choice(["#ffffff", "#ffffff", "#000000"])
    return label(rng.choice(FACES["sans"]), word, ink, size * .3, size * .96) + \
        ["-channel", "A", "-evaluate", "multiply", f"{rng.uniform(.5, .7):.2f}", "+channel", "-background", "none", "-rotate", f"{rng.choice([-18, -10, 0, 10]):d}"]


def curved(rng, word, size):
    return label(rng.choice(FACES["sans"] + FACES["serif"]), word, "#ffffff", size * .5, size * 1.5, "#101060") + \
        ["-virtual-pixel", "Transparent", "-distort", "Arc", f"{rng.choice([60, 80, 100])}", "-trim", "+repage", "-resize", f"{size * .92:.0f}x{size * .5:.0f}"]


def tilted(rng, word, size):
    return word_on_plate(rng.choice(["sans", "serif", "condensed"]), rng, word, size) + \
        ["-background", "none", "-rotate", f"{rng.choice([-1, 1]) * rng.uniform(12, 28):.0f}", "-resize", f"{size}x{size}>"]


def repeated(rng, word, size):
    return word_on_plate("sans", rng, word, size * .8) + ["-write", "mpr:one", "mpr:one", "-append", "-resize", f"{size * .9:.0f}x{size * .6:.0f}>"]


def shadow():
    return ["(", "+clone", "-background", "black", "-shadow", "70x1+1+1", ")", "+swap", "-background", "none", "-layers", "merge", "+repage"]


def photographed(rng, word, size):
    """A card that lies in the scene: perspective, shadow; the whole picture is blurred and compressed afterwards."""
    return word_on_plate(rng.choice(["sans", "serif", "mono"]), rng, word, size) + \
        ["-background", "none", "-virtual-pixel", "Transparent", "-shear", f"{rng.uniform(-9, 9):.0f}x{rng.uniform(-7, 7):.0f}"] + shadow() + ["-resize", f"{size}x{size}>"]


FAMILIES = {
    "plate": lambda *a: word_on_plate("sans", *a), "serif": lambda *a: word_on_plate("serif", *a), "mono": lambda *a: word_on_plate("mono", *a),
    "condensed": lambda *a: word_on_plate("condensed", *a), "handwriting": lambda *a: word_on_plate("handwriting", *a),
    "outline": outline, "sign": sign, "post-it": post_it, "subtitle": subtitle, "watermark": watermark, "curved": curved, "tilted": tilted,
    "repeated": repeated, "photographed": photographed,
}


def place(family, rng):
    if family == "subtitle":
        return "South", (0, rng.randint(1, 4))
    if family in ("watermark", "curved"):
        return "Center", (0, rng.randint(-12, 12))
    return rng.choice(PLACES), (rng.randint(0, 2), rng.randint(0, 4))


def finish(family, rng):
    return ["-blur", f"0x{rng.uniform(.4, .7):.2f}", "-attenuate", ".25", "+noise", "Gaussian"] if family == "photographed" else []


def fonts():
    """The faces by file name; a missing one is named with the packages that bring it."""
    found = {}
    for root in ("/usr/share/fonts", "/usr/local/share/fonts"):
        for folder, _, files in sorted(os.walk(root)):
            for name in sorted(files):
                found.setdefault(name, os.path.join(folder, name))
    missing = [face for faces in FACES.values() for face in faces if face not in found]
    if missing:
        sys.exit(f"photographs: the faces {', '.join(missing)} are missing; install them: apt-get install {PACKAGES}")
    return found


def imagemagick():
    for folder in os.environ["PATH"].split(os.pathsep):
        for name in ("magick", "convert"):
            program = os.path.join(folder, name)
            if os.access(program, os.X_OK) and "Version: ImageMagick" in subprocess.run([program, "-version"], capture_output=True, text=True).stdout:
                return program
    sys.exit(f"photographs: ImageMagick is missing; install it: apt-get install {PACKAGES}")


def run_all(jobs, size, threads):
    """Each job is the ImageMagick arguments of one picture; many go to one process, which is most of the time saved."""
    chunks = [jobs[at:at + 100] for at in range(0, len(jobs), 100)]

    def one(chunk):
        line = [MAGICK, "-respect-parentheses", "-seed", "1", "-limit", "thread", "1"]
        for job in chunk:
            line += ["("] + job + ["+delete", ")"]
        done = subprocess.run(line + ["-size", "1x1", "xc:none", "null:"], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"photographs: ImageMagick failed: {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}")

    with ThreadPoolExecutor(threads) as pool:
        for count, _ in enumerate(pool.map(one, chunks)):
            if count % 20 == 19:
                print(f"{(count + 1) * 100} of {len(jobs)} pictures", file=sys.stderr)


class Builder:
    def __init__(self, options):
        self.options, self.stamps, self.jobs = options, {}, []
        self.target = Path(options.world)
        self.scratch = self.target / ".stamps"

    def print_on(self, photograph, out, family, word, part, rng):
        key = (family, word, part, rng.randrange(VARIANTS if part == "evaluation" else 10**6))
        if key not in self.stamps:
            path = self.scratch / ("-".join(map(str, key)) + ".png")
            arguments = FAMILIES[family](random.Random(f"{self.options.seed} {key}"), word, self.options.size)
            self.stamps[key] = (path, arguments + ["-write", str(path)])
        gravity, (x, y) = place(family, rng)
        size = self.options.size
        quality = str(rng.randint(45, 70)) if family == "photographed" else {"evaluation": "82", "train": "60"}[part]
        self.jobs.append([str(photograph), "-filter", "Catrom", "-resize", f"{size}x{size}^", "-gravity", "Center", "-extent", f"{size}x{size}",
                          str(self.stamps[key][0]), "-gravity", gravity, "-geometry", f"{x:+d}{y:+d}", "-composite"] + finish(family, rng)
                         + ["-quality", quality, "-write", str(out)])

    def captioned(self, folder, pictures, words, classes):
        """Pictures of a kind each: as they are, with their own name, or with another word and captioned by it."""
        rows = []
        (self.target / folder).mkdir(parents=True)
        for at, (kind, label_, path) in enumerate(pictures):
            rng = random.Random(f"{self.options.seed} {folder} {at}")
            name, row = f"{at:05d}", {"label": label_}
            captions = [f"a photo of a {label_}", f"a {label_}", f"a picture of a {label_}"]
            if kind == "plain":
                name += Path(path).suffix.lower()
                shutil.copyfile(path, self.target / folder / name)
            else:
                # Half of the other words name another class: what makes a model take the word for the object.
                word = label_ if kind == "own" else rng.choice([c for c in classes if c != label_] if rng.random() < .5 else words)
                name += ".webp"
                family = rng.choice(list(FAMILIES))
                self.print_on(path, self.target / folder / name, family, word, "train", rng)
                row.update(word=word, family=family)
                if kind == "other":
                    captions = [f"a photo of a {word}", f"a {word}", f"a picture of a {word}"] if rng.random() < .75 else [f"a {label_} that says {word}", f"a photo of a {label_} with the word {word}"]
            rows.append({"path": name, "captions": [rng.choice(captions)], "kind": kind, **row})
        return rows

    def attacked(self, folder, families, photographs, words):
        (self.target / "evaluation" / folder).mkdir(parents=True)
        for at, (label_, path) in enumerate(photographs):
            rng = random.Random(f"{self.options.seed} {folder} {at}")
            word = rng.choice([w for w in words if w != label_])
            out = self.target / "evaluation" / folder / f"label={label_}_text={word}_{at:04d}.webp"
            self.print_on(path, out, rng.choice(families), word, "evaluation", rng)

    def words_alone(self, words, count):
        folder = self.target / "evaluation" / "words"
        folder.mkdir(parents=True)
        ground = self.scratch / "ground-{}.png"
        for tone in range(6):
            self.stamps["ground", tone] = (None, ["-size", f"{self.options.size}x{self.options.size}", f"xc:{['#7a8a96', '#b8a48c', '#5e7352', '#93a9c4', '#8a6f6a', '#c9c4b8'][tone]}",
                                                  "-write", str(ground).format(tone)])
        for at in range(count):
            rng = random.Random(f"{self.options.seed} words {at}")
            word = rng.choice(words)
            self.print_on(str(ground).format(at % 6), folder / f"label={word}_text={word}_{at:04d}.webp", rng.choice(list(FAMILIES)), word, "evaluation", rng)


def build(options):
    target = Path(options.world)
    if target.exists() and any(target.iterdir()):
        sys.exit(f"photographs: {target} is not empty; choose another folder or remove it")
    source = Path(options.photographs)
    classes = sorted(p.name for p in source.iterdir() if p.is_dir()) if source.is_dir() else []
    if len(classes) < 2:
        sys.exit(f"photographs: {source} needs a folder of photographs for each of at least two classes")
    by_class = {}
    for name in classes:
        files = sorted(p for p in (source / name).iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
        random.Random(f"{options.seed} split {name}").shuffle(files)
        by_class[name] = files
    shares = [options.base // len(classes), options.run // len(classes), options.evaluation // len(classes)]
    short = [name for name in classes if len(by_class[name]) < sum(shares)]
    if short:
        sys.exit(f"photographs: {short[0]} has {len(by_class[short[0]])} photographs, {sum(shares)} a class are asked for; lower --base, --run or --evaluation")

    def part(first, count, name):
        rows = [(label_, path) for label_ in classes for path in by_class[label_][first:first + count]]
        random.Random(f"{options.seed} order {name}").shuffle(rows)
        return rows

    base, run, evaluation = part(0, shares[0], "base"), part(shares[0], shares[1], "run"), part(shares[0] + shares[1], shares[2], "evaluation")
    builder = Builder(options)
    builder.scratch.mkdir(parents=True)
    known = [w for w in OTHER_WORDS if w not in HELD_OUT]
    base_rows = builder.captioned("base", [(kind, *photograph) for photograph in base for kind in ("own", "other", "plain")], OTHER_WORDS, classes)
    fifths = ("own", "other", "plain", "plain", "plain")
    run_rows = builder.captioned("run", [(fifths[at % 5], *photograph) for at, photograph in enumerate(run)], known, classes)
    for label_, path in evaluation:
        folder = target / "evaluation" / "clean" / label_
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.name)
    for number, family in enumerate(FAMILIES):
        chosen = [evaluation[(number * options.family + at) % len(evaluation)] for at in range(min(options.family, len(evaluation)))]
        builder.attacked(f"attacked-{family}", [family], chosen, classes)
    builder.attacked("attacked-heldout", list(FAMILIES), evaluation[:min(2 * options.family, len(evaluation))], HELD_OUT)
    builder.words_alone(classes + OTHER_WORDS, 2 * options.family)
    run_all([arguments for _, arguments in builder.stamps.values()], options.size, options.threads)
    run_all(builder.jobs, options.size, options.threads)
    shutil.rmtree(builder.scratch)

    def write(folder, rows, keep):
        text = json.dumps([{key: row[key] for key in keep if key in row} for row in rows], indent=0)
        (target / folder / "captions.json").write_text(text + "\n")

    repeating = [row for row in run_rows if row["kind"] == "other"]
    with open(target / "truth.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["filepath", "object", "word", "family", "caption_repeats_print"])
        for row in run_rows:
            table.writerow([row["path"], row["label"], row.get("word", ""), row.get("family", ""), int(row["kind"] == "other")])
    write("base", base_rows, ["path", "captions", "word"])
    (target / "run-without").mkdir()
    kept = [row for row in run_rows if row["kind"] != "other"]
    for row in kept:
        os.link(target / "run" / row["path"], target / "run-without" / row["path"])
    write("run-without", kept, ["path", "captions"])
    write("run", run_rows, ["path", "captions"])
    print(f"{len(base_rows)} pictures to train a base on, {len(run_rows)} for a run ({len(repeating)} captions repeat the print), {len(evaluation)} photographs for evaluation in {len(FAMILIES)} families: {target}")


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("photographs")
parser.add_argument("world")
for name, value in {"seed": 0, "size": 64, "base": 34000, "run": 6000, "evaluation": 2000, "family": 300, "threads": os.cpu_count()}.items():
    parser.add_argument(f"--{name}", type=int, default=value)
arguments_ = parser.parse_args()
MAGICK, FONTS = imagemagick(), fonts()
build(arguments_)
