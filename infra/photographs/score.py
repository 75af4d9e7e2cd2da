#!/usr/bin/env python3
"""Precision and recall of curation's caption hygiene against the benchmark's truth.

    score.py WORLD/truth.csv SALIENT.json        SALIENT.json is the output `salient` of the run's attack-curation
"""
import csv, json, sys

if len(sys.argv) != 3:
    sys.exit(__doc__)
with open(sys.argv[1], newline="") as file:
    rows = {row["filepath"]: row for row in csv.DictReader(file)}
with open(sys.argv[2]) as file:
    findings = json.load(file)["captionHygiene"]["found"]
found = {finding["id"] for finding in findings}
true = {path for path, row in rows.items() if row["caption_repeats_print"] == "1"}
own = {path for path, row in rows.items() if row["word"] and path not in true}
hit = len(found & true)
print(f"{len(found)} found, {len(true)} true: precision {hit / max(1, len(found)):.3f}, recall {hit / max(1, len(true)):.3f}")
print(f"own names thrown away: {len(found & own)} of {len(own)}; pictures without print: {len(found - true - own)} of {len(rows) - len(true) - len(own)}")
for family in sorted({rows[path]["family"] for path in true}):
    of_family = [path for path in true if rows[path]["family"] == family]
    print(f"  {family:13} recall {sum(path in found for path in of_family) / len(of_family):.3f} of {len(of_family)}")
