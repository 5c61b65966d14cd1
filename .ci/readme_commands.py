"""Runs the fenced blocks of a Markdown file that are marked as runnable.

A block runs when the line before its fence is ``<!-- run -->``; with ``<!-- run: trackml -->``, or
another folder of the real inputs ($GEOINFLUENCER_TEST_DATA or ../shared/data), only where that is,
with $TRACKML naming it. ``minutes=M`` in the mark runs the block with ``--max-minutes M``. Shell
blocks run in bash with the environment's programs first on PATH, Python blocks in its Python; all
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


def real_folder(name: str) -> Path | None:
    named = os.environ.get("GEOINFLUENCER_TEST_DATA")
    folder = (Path(named) if named else ROOT.parent / "shared" / "data") / name
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
    for block in blocks:
        line = text.count("\n", 0, block.start("code")) + 1
        place = f"{path}:{line}"
        code = block["code"]
        if block["minutes"]:
            code = re.sub(r"--max-minutes \S+", f"--max-minutes {block['minutes']}", code)
        if needs := (block["needs"] or "").strip():
            if (folder := real_folder(needs)) is None:
                print(f"--- {place}: skipped, the real inputs of {needs} are not here")
                continue
            environment[needs.upper()] = str(folder)
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
