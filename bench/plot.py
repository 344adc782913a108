"""Draws a results file of compare.py as an SVG: one panel a modality, one bar a contender and precision.

    python3 bench/plot.py results.json -o speed.svg [--batch 32]

Only the standard library. The picture reads on a light and on a dark page.
"""

import argparse
import json
from html import escape
from pathlib import Path

BAR_PX, GAP_PX, LABEL_PX, VALUE_PX, PANEL_PX, TITLE_PX = 18, 6, 150, 90, 300, 34
COLOURS = {"moa": "#d9480f"}
PEER_COLOUR = "#868e96"
NAMES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
ORDER = {"f32": 0, "bf16": 1, "int8": 2}


def panel(title, rows, left):
    rows = sorted(rows, key=lambda row: (ORDER.get(row["dtype"], 9), -row["per_second"]))
    longest = max(row["per_second"] for row in rows)
    parts = [f'<text x="{left}" y="20" class="title">{escape(title)}</text>']
    for index, row in enumerate(rows):
        top = TITLE_PX + index * (BAR_PX + GAP_PX)
        width = max(1, (PANEL_PX - LABEL_PX) * row["per_second"] / longest)
        name = f"{NAMES.get(row['contender'], row['contender'])} {row['dtype']}"
        parts.append(f'<text x="{left + LABEL_PX - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect x="{left + LABEL_PX}" y="{top}" width="{width:.1f}" height="{BAR_PX}" rx="2" '
                     f'fill="{COLOURS.get(row["contender"], PEER_COLOUR)}"/>')
        parts.append(f'<text x="{left + LABEL_PX + width + 6:.1f}" y="{top + 13}">{row["per_second"]:,.0f}</text>')
    return parts, TITLE_PX + len(rows) * (BAR_PX + GAP_PX)


def draw(results, batch):
    parts, height, left = [], 0, 10
    for modality, noun in (("image", "Pictures"), ("text", "Captions")):
        rows = [row for row in results["rows"] if row["modality"] == modality and row["batch"] == batch and "per_second" in row]
        if not rows:
            continue
        made, panel_height = panel(f"{noun} a second, batch {batch}", rows, left)
        parts += made
        height = max(height, panel_height)
        left += PANEL_PX + VALUE_PX
    note = f'{results["model"]}, {results["threads"]} threads, {results["machine"]}'
    parts.append(f'<text x="10" y="{height + 18}" class="note">{escape(note)}</text>')
    style = ("text{font:12px system-ui,sans-serif;fill:#343a40}.title{font-weight:600;font-size:14px}.note{fill:#868e96}"
             "@media(prefers-color-scheme:dark){text{fill:#dee2e6}}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left}" height="{height + 30}" viewBox="0 0 {left} {height + 30}" role="img">'
            f"<style>{style}</style>\n" + "\n".join(parts) + "\n</svg>\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("results", type=Path)
    arguments.add_argument("-o", "--output", type=Path, required=True)
    arguments.add_argument("--batch", type=int, default=32)
    options = arguments.parse_args()
    options.output.write_text(draw(json.loads(options.results.read_text()), options.batch), encoding="utf-8")


if __name__ == "__main__":
    main()
