"""The page of a point cloud: what is in it, and that a browser shows it, button by button."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tracemalloc
import warnings
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoinfluencer.errors import InputError
from geoinfluencer.plots.viewer import (
    Layer,
    ceiling_cut,
    render_viewer,
    surface_look,
    write_viewer,
)
from geoinfluencer.plots.viewer_layers import (
    class_layer,
    embedding_colors,
    error_layer,
    instance_palette,
    many_colors,
)
from geoinfluencer.plots.viewer_pages import cloud_layers, consecutive_labels, write_sample_page

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="needs chromium on the PATH")
PLAIN = Layer("a", "A", np.zeros((4, 3), np.uint8))
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 4]], float)


def room(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Floor, two walls, a box and a ceiling, as the arrays of a displayed sample."""
    u, v = rng.random((2, 900))
    zero = np.zeros(900)
    parts = [
        np.stack([4 * u, 4 * v, zero], 1),
        np.stack([4 * u, zero, 3 * v], 1),
        np.stack([zero, 4 * u, 3 * v], 1),
        np.stack([2 + u, 2 + v, zero + 0.8], 1),
        np.stack([4 * u, 4 * v, zero + 3], 1),
    ]
    pos = np.concatenate(parts).astype(np.float32)
    truth = np.repeat(np.arange(5), 900)
    predicted = np.where(truth == 4, -1, truth)
    predicted = np.where((truth == 0) & (pos[:, 0] > 2), 3, predicted)
    return {
        "pos": pos, "mass": np.full(4500, 3.0, np.float32), "truth": truth,
        "predicted": predicted, "semantic": np.maximum(predicted, 0) // 2,
        "semantic_truth": truth // 2, "color": rng.integers(0, 256, (4500, 3)).astype(np.uint8),
        "follower": rng.normal(size=(4500, 4)) + truth[:, None], "superpoint": truth * 7,
        "coarse": truth // 2,
        "representative": np.array([10, 910, 1810, 2710]),
    }  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "room.html"
    write_sample_page(path, room(np.random.default_rng(0)), "a <room> & more", ["low", "high"])
    return path


def stored(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', html, re.S)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_the_page_holds_everything(page: Path) -> None:
    html = page.read_text()
    assert not re.search(r"https?://|\bsrc=|@import|<link|fetch\(|XMLHttp", html)
    assert "<title>a &lt;room&gt; &amp; more</title>" in html
    assert "4,500 nodes of the graph; they stand for 13,500 points" in html
    data = stored(html)
    assert [layer["key"] for layer in data["layers"]] == [
        "color", "truth", "prediction", "semantic", "semantic-truth", "error", "embedding",
        "superpoints", "coarse", "influencers",
    ]  # fmt: skip
    assert "5 superpoints; colours" in html and "3 coarse superpoints; colours" in html
    assert data["count"] == 4500 and len(data["marks"]) == 4
    assert 0.8 < data["cut"] < 1  # below the ceiling


def test_only_layers_with_data() -> None:
    pos = room(np.random.default_rng(0))["pos"]
    assert [layer.key for layer in cloud_layers(pos)] == ["height"]
    grey = np.full((len(pos), 3), 128, np.uint8)
    layers = cloud_layers(pos, color=grey, predicted=np.zeros(len(pos), int))
    assert [layer.key for layer in layers] == ["height", "prediction"]


def test_places_and_colours_survive() -> None:
    rng = np.random.default_rng(1)
    points, tint = rng.normal(size=(300, 3)) * [1, 10, 0.1], rng.integers(0, 256, (300, 3))
    data = stored(render_viewer(points, [Layer("a", "A", tint.astype(np.uint8))], title="t"))
    grid = np.frombuffer(base64.b64decode(data["position"]), "<u2").reshape(-1, 3)
    again = grid / 65535 * np.array(data["size"]) + points.min(0)
    np.testing.assert_allclose(again, points, atol=float(np.ptp(points)) / 65535)
    wide = np.frombuffer(base64.b64decode(data["layers"][0]["data"]), "<u2").astype(int)
    rgb = np.stack([(wide >> 11) / 31, (wide >> 5 & 63) / 63, (wide & 31) / 31], 1) * 255
    assert np.abs(rgb - tint).max() <= 4.2  # half a step of 5 bits


def test_large_clouds_are_thinned_and_say_so() -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(size=(5000, 3))
    layer = Layer("a", "A", (np.arange(5000) % 7).astype(np.uint8), many_colors(7))
    html = render_viewer(points, [layer], title="t", max_points=400)
    assert "400 of 5,000 points shown, drawn at random" in html
    assert len(base64.b64decode(stored(html)["layers"][0]["data"])) == 400
    assert html == render_viewer(points, [layer], title="t", max_points=400)


def test_a_page_of_200_000_points_is_small() -> None:
    rng = np.random.default_rng(3)
    count = 200_000
    points, labels = rng.random((count, 3)), rng.integers(-1, 40, count)
    layers = cloud_layers(
        points, color=rng.integers(0, 256, (count, 3)), truth=labels, predicted=labels,
        semantic=labels, follower=rng.normal(size=(count, 8)), superpoint=labels,
        representative=np.arange(40),
    )  # fmt: skip
    html = render_viewer(points, layers, title="t", marks=points[:40])
    assert len(layers) == 8 and len(html) < 5e6


def test_ceilings() -> None:
    arrays = room(np.random.default_rng(4))
    assert 0.8 < ceiling_cut(arrays["pos"]) < 0.97
    assert ceiling_cut(arrays["pos"][:3600]) == 1.0
    assert ceiling_cut(np.zeros((5, 3))) == 1.0


def test_colours_of_layers() -> None:
    assert len(np.unique(instance_palette(), axis=0)) == 256
    layer = class_layer(np.array([0, 2, -1, 2]), ["low", "high"])
    assert [words for _, words in layer.legend] == ["low 25.0%", "class 2 50.0%", "none 25.0%"]
    assert "class 254 50.0%" in [
        words for _, words in class_layer(np.array([254, 900]), ["low"]).legend
    ]
    truth, predicted = np.array([0, 0, 0, -1, -1]), np.array([0, 0, -1, 0, -1])
    layer = error_layer(truth, predicted, np.array([False, False, False, False, True]))
    assert layer.note == "50.0% right of 4 that count"
    embedding = np.random.default_rng(0).normal(size=(500, 2)) * [5, 1]
    tint = embedding_colors(embedding)
    assert abs(np.corrcoef(tint[:, 0], embedding[:, 0])[0, 1]) > 0.95
    assert len(np.unique(tint[:, 2])) == 1  # two dimensions have no third component
    assert consecutive_labels(np.array([900, -100, 3, 900])).tolist() == [1, -1, 0, 1]


def test_a_large_label_costs_nothing() -> None:
    semantic = np.array([0, 1_000_000])
    tracemalloc.start()
    layer = class_layer(semantic, ["low"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20 and layer.palette is not None and len(layer.palette) == 256


def test_points_in_one_place_have_a_size() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        size, shade, step = surface_look(np.ones((20, 3)))
    assert size > 0 and np.isfinite(shade).all() and step.tolist() == [0] * 20


@pytest.mark.parametrize(
    ("points", "layers", "marks", "message"),
    [
        (np.zeros((0, 3)), [PLAIN], None, "at least one point"),
        (CORNERS, [], None, "`layers` are empty"),
        (CORNERS[:3], [PLAIN], None, r"layer 'a': `color` is uint8 \(4, 3\).*expected"),
        (CORNERS, [Layer("b", "B", np.full(4, 9, np.uint8), many_colors(3))], None, "has 3 rows"),
        (CORNERS, [Layer("c", "C", PLAIN.color, marks=many_colors(2))], CORNERS[:1], "do not fit"),
    ],
)
def test_bad_input(
    points: np.ndarray, layers: list[Layer], marks: np.ndarray | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        write_viewer(tmp_path / "a.html", points, layers, title="t", marks=marks)
    assert not list(tmp_path.iterdir())


def browse(page: Path, *options: str, anchor: str = "") -> str:
    """What chromium says to a page, drawing in software."""
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--enable-unsafe-swiftshader",
        "--use-angle=swiftshader", "--hide-scrollbars", "--window-size=900,600",
        f"--user-data-dir={page.parent / 'profile'}", "--virtual-time-budget=5000", *options,
        f"file://{page}#{anchor}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    return done.stdout


_CLICKS = """<pre id="result"></pre><script>
window.errors = []; window.onerror = (message) => { window.errors.push(message); };
const out = { renderer: viewer.renderer, layers: {}, errors: window.errors };
const stats = () => {
  const p = viewer.pixels(); let drawn = 0, sum = 0;
  for (let i = 0; i < p.length; i += 4) {
    if (p[i] === 0x14 && p[i + 1] === 0x17 && p[i + 2] === 0x1a) continue;
    drawn++; sum = (sum * 31 + p[i] * 65536 + p[i + 1] * 256 + p[i + 2]) % 2147483647;
  }
  return [drawn / (p.length / 4), sum];
};
for (const button of document.querySelectorAll("#layers button")) {
  button.click();
  const pressed = [...document.querySelectorAll("#layers [aria-pressed=true]")];
  out.layers[viewer.current()] = [...stats(), pressed.map((b) => b.textContent).join(),
    document.getElementById("legend").textContent];
}
const view = document.getElementById("view");
const before = stats();
const send = (type, x, y, more) => view.dispatchEvent(
  new PointerEvent(type, { pointerId: 1, clientX: x, clientY: y, bubbles: true, ...more }));
view.setPointerCapture = () => {};
send("pointerdown", 100, 100); send("pointermove", 260, 130); send("pointerup", 260, 130);
out.turned = stats()[1] !== before[1];
view.dispatchEvent(new WheelEvent("wheel", { deltaY: 500, cancelable: true }));
for (let i = 0; i < 8; i++) view.dispatchEvent(new WheelEvent("wheel", { deltaY: 1 }));
out.smaller = stats()[0] < before[0];
const cut = document.getElementById("cut");
cut.value = "0"; cut.dispatchEvent(new Event("input"));
out.cut = stats()[0] < before[0] / 4;
document.getElementById("reset").click();
out.back = stats()[1] === before[1];
document.dispatchEvent(new KeyboardEvent("keydown", { key: "2" }));
out.key = viewer.current();
document.getElementById("result").textContent = JSON.stringify(out);
</script></body>"""


@needs_chromium
@pytest.mark.parametrize("renderer", ["webgl", "canvas"])
def test_every_button_in_a_browser(page: Path, tmp_path: Path, renderer: str) -> None:
    clicked = tmp_path / "clicked.html"
    clicked.write_text(page.read_text().replace("</body>", _CLICKS))
    dom = browse(clicked, "--dump-dom", anchor=f"renderer={renderer}")
    found = re.search(r'<pre id="result">(.*?)</pre>', dom, re.S)
    assert found is not None and found[1], "the page's script failed"
    result = json.loads(unescape(found[1]))
    if renderer == "webgl" and result["renderer"] != "webgl":
        pytest.skip("this chromium has no WebGL, not even in software")
    assert result["renderer"] == renderer and result["errors"] == []
    assert [shown[2] for shown in result["layers"].values()] == [
        "Colour", "Ground truth", "Prediction", "Semantic class", "True semantic class", "Error",
        "Embedding", "Superpoints", "Coarse superpoints", "Influencers",
    ]  # fmt: skip
    assert all(drawn > 0.05 for drawn, *_ in result["layers"].values())
    sums = [shown[1] for shown in result["layers"].values()]
    assert len(set(sums)) == len(sums)  # no two layers look alike
    assert "5 instances" in result["layers"]["truth"][3]
    assert "in another's instance" in result["layers"]["error"][3]
    assert result["turned"] and result["smaller"] and result["cut"] and result["back"]
    assert result["key"] == "truth"


@needs_chromium
def test_shaders_that_do_not_link(page: Path, tmp_path: Path) -> None:
    broken = """<script>const linked = WebGLRenderingContext.prototype.getProgramParameter;
WebGLRenderingContext.prototype.getProgramParameter = function (program, what) {
  return what === this.LINK_STATUS ? false : linked.call(this, program, what);
};</script></head>"""
    clicked = tmp_path / "clicked.html"
    html = page.read_text().replace("</head>", broken, 1).replace("</body>", _CLICKS)
    clicked.write_text(html)
    found = re.search(r'<pre id="result">(.*?)</pre>', browse(clicked, "--dump-dom"), re.S)
    assert found is not None and found[1], "the page's script failed"
    result = json.loads(unescape(found[1]))
    assert result["renderer"] == "canvas" and result["errors"] == []
    assert all(drawn > 0.05 for drawn, *_ in result["layers"].values())
    assert result["turned"] and result["smaller"]


_PIXELS = """<pre id="result"></pre><script>
const raw = viewer.pixels(), { width, height } = document.getElementById("view");
let text = "";
for (let i = 0; i < raw.length; i += 4) text += String.fromCharCode(raw[i], raw[i + 1], raw[i + 2]);
document.getElementById("result").textContent = JSON.stringify(
  { renderer: viewer.renderer, width, height, pixels: btoa(text) });
</script></body>"""


@needs_chromium
def test_both_renderers_show_the_same(page: Path, tmp_path: Path) -> None:
    # What the canvas holds, not a screenshot, which a busy machine may take too early.
    reading = tmp_path / "reading.html"
    reading.write_text(page.read_text().replace("</body>", _PIXELS))
    stage = []
    for renderer in ("webgl", "canvas"):
        dom = browse(reading, "--dump-dom", anchor=f"layer=prediction&renderer={renderer}")
        found = re.search(r'<pre id="result">(.*?)</pre>', dom, re.S)
        assert found is not None and found[1], "the page's script failed"
        result = json.loads(unescape(found[1]))
        if result["renderer"] != renderer:
            pytest.skip("this chromium has no WebGL, not even in software")
        pixels = np.frombuffer(base64.b64decode(result["pixels"]), np.uint8).astype(int)
        pixels = pixels.reshape(result["height"], result["width"], 3)
        stage.append(pixels[::-1] if renderer == "webgl" else pixels)  # WebGL's rows begin below
    colored = np.ptp(stage[0], axis=2) > 60
    assert colored.mean() > 0.05 and len(np.unique(stage[0][colored] // 16, axis=0)) > 8
    assert (np.abs(stage[0] - stage[1]).max(2) > 40).mean() < 0.03  # edges of points alone
