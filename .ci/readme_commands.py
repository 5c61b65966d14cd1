"""Runs the fenced blocks of a Markdown file that are marked as runnable.

A block runs when the line before its fence is ``<!-- run -->``; with ``<!-- run: trackml -->`` only
where the real TrackML events are ($GEOINFLUENCER_TEST_DATA or ../shared/data), with $TRACKML naming
their folder. ``minutes=M`` in the mark runs the block with ``--max-minutes M``. Shell blocks run in
bash with the environment's programs first on PATH, Python blocks in the environment's Python; all
of them in the repository, in the order of the file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"^<!-- run(?::(?P<needs> \w+)?(?: minutes=(?P<minutes>[\d.]+))?)? -->\n"
    r"```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.M | re.S,
)


def trackml_folder() -> Path | None:
    named = os.environ.get("GEOINFLUENCER_TEST_DATA")
    folder = (Path(named) if named else ROOT.parent / "shared" / "data") / "trackml"
    return folder if folder.is_dir() else None


def main(path: str) -> int:
    text = (ROOT / path).read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    if not blocks or len(blocks) != text.count("<!-- run"):
        print(f"{path}: {text.count('<!-- run')} marks, {len(blocks)} well-formed blocks")
        return 1
    environment = dict(os.environ)
    programs = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([programs, environment.get("PATH", "")])
    if (trackml := trackml_folder()) is not None:
        environment["TRACKML"] = str(trackml)
    for block in blocks:
        line = text.count("\n", 0, block.start("code")) + 1
        place = f"{path}:{line}"
        code = block["code"]
        if block["minutes"]:
            code = re.sub(r"--max-minutes \S+", f"--max-minutes {block['minutes']}", code)
        if (block["needs"] or "").strip() == "trackml" and trackml is None:
            print(f"--- {place}: skipped, the real TrackML events are not here")
            continue
        interpreter = {
            "bash": ["bash", "-euo", "pipefail", "-c", code],
            "python": [sys.executable, "-c", code],
        }[block["language"]]
        print(f"--- {place}\n{code}", end="", flush=True)
        start = time.monotonic()
        status = subprocess.run(interpreter, cwd=ROOT, env=environment, check=False).returncode
        print(f"--- {place}: exit {status} in {time.monotonic() - start:.1f} s", flush=True)
        if status:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
