from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial import cKDTree

from geoinfluencer.datasets import room_furniture, room_home
from geoinfluencer.datasets.room import Room
from geoinfluencer.datasets.room_generator import RoomOptions, generate_room
from geoinfluencer.datasets.room_patches import Solid, draw_points, faces_of
from geoinfluencer.datasets.room_plan import Opening, Wall, draw_plan
from geoinfluencer.datasets.room_scan import fused, fused_weight, seen_weight, thin_out
from geoinfluencer.datasets.room_scene import Scene
from geoinfluencer.datasets.room_shell import wall_sheet
from geoinfluencer.datasets.s3dis_classes import s3dis_class
from geoinfluencer.errors import InputError
from geoinfluencer.files.scene_names import S3DIS_CLASSES

SMALL = {"num_points": 40_000, "size_max": 6.0}


def rooms(count: int, **options: object) -> list[Room]:
    settings = RoomOptions(**{**SMALL, **options})
    return [generate_room(np.random.default_rng(s), settings) for s in range(count)]


def of_class(room: Room, name: str) -> list[np.ndarray]:
    """Points of each instance of a class."""
    numbers = np.flatnonzero(room.label == s3dis_class(name))
    return [room.pos[room.instance == n] for n in numbers]


def box(*bounds: float, **place: object) -> Solid:
    return Solid(0, np.array([bounds], float), np.full((1, 3), 0.5), **place)


def test_classes_stand_in_the_order_of_s3dis() -> None:
    assert " ".join(S3DIS_CLASSES) == (
        "ceiling floor wall beam column window door table chair sofa bookcase board clutter"
    )


def test_points_lie_on_the_faces_of_a_turned_box_and_cylinder_as_dense_as_asked() -> None:
    rng = np.random.default_rng(0)
    round_ = np.array([[0, 0, 0, 0.5, 2.0]])
    drum = Solid(1, np.empty((0, 6)), np.empty((0, 3)), round_, np.zeros((1, 3)), (9, 9, 1, 0), 1)
    faces = faces_of([box(0, 0, 0, 1, 2, 3, place=(5.0, 0.0, 0.0, np.pi / 6), instance=0), drum])
    points = draw_points(rng, faces, 500.0)
    area = {0: 2 * (2 + 3 + 6), 1: 2 * np.pi * 0.5 * 2 + np.pi * 0.25}
    owner = faces.instance[points.face]
    for number, expected in area.items():
        assert abs((owner == number).sum() / 500 - expected) < 0.1
    on_box = points.pos[owner == 0] - [5, 0, 0]
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    local = on_box @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    depth = np.minimum(local, [1, 2, 3] - local).min(1)
    np.testing.assert_allclose(depth, 0, atol=1e-9)
    side = points.pos[(owner == 1) & (points.normal[:, 2] == 0)]
    np.testing.assert_allclose(np.hypot(*(side[:, :2] - 9).T), 0.5, rtol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(points.normal, axis=1), 1, rtol=1e-9)


def test_a_sheet_is_one_face() -> None:
    assert faces_of([box(0, 0, 1, 2, 3, 1)]).area().sum() == pytest.approx(6)


def test_a_wall_has_holes_where_it_opens() -> None:
    wall = Wall((0.0, 0.0), 0.0, 4.0, [Opening(1, 2, 0, 2, True), Opening(2.5, 3.5, 1, 2, False)])
    faces = faces_of([wall_sheet(wall, 3.0, np.ones(3))])
    flat = np.abs(faces.normal[:, 1]) == 1
    assert faces.area()[flat].sum() == pytest.approx(4 * 3 - 2 - 1)


def test_what_stands_behind_is_not_seen() -> None:
    rng = np.random.default_rng(0)
    near = box(2, -1, 0, 2, 1, 2, instance=0)
    far = box(4, -3, 0, 4, 3, 2, instance=1)
    faces = faces_of([near, far])
    points = draw_points(rng, faces, 2000.0)
    weight = seen_weight(points.pos, points.normal, np.array([[0.0, 0.0, 1.0]]), 2000.0**-0.5)
    owner = faces.instance[points.face]
    shadow = (owner == 1) & (np.abs(points.pos[:, 1]) < 1.7)
    lit = (owner == 1) & (np.abs(points.pos[:, 1]) > 2.3)
    assert (weight[owner == 0] > 0).mean() > 0.99
    # above and below, where the near sheet does not reach, the far one is seen
    inside = shadow & (points.pos[:, 2] > 0.2) & (points.pos[:, 2] < 1.8)
    assert (weight[inside] > 0).mean() < 0.01 and (weight[lit] > 0).mean() > 0.98
    assert weight[owner == 0].mean() > 1.5 * weight[lit].mean()  # density falls with distance


def test_a_carried_camera_sees_evenly_what_is_near_and_not_overhead() -> None:
    rng = np.random.default_rng(0)
    sheets = [
        box(1, -1, 0, 1, 1, 2, instance=0),  # near
        box(-3.5, -1, 0, -3.5, 1, 2, instance=1),  # far, in reach
        box(-1, 4.5, 0, 1, 4.5, 2, instance=2),  # out of reach
        box(-1, -1, 2.6, 1, 1, 2.6, instance=3),  # overhead
    ]
    faces = faces_of(sheets)
    points = draw_points(rng, faces, 2000.0)
    weight = fused_weight(points.pos, points.normal, np.array([[0.0, 0.0, 1.4]]), 2000.0**-0.5)
    owner = faces.instance[points.face]
    below = points.pos[:, 2] < 1.5
    seen = [weight[(owner == n) & below].mean() for n in range(3)]
    assert seen[0] > 0.98 and seen[1] > 0.98 and seen[2] == 0
    assert set(np.unique(weight)) == {0.0, 1.0} and not weight[owner == 3].any()


def test_fused_surfaces_are_bent_smoothly() -> None:
    rng = np.random.default_rng(0)
    pos = np.concatenate([rng.uniform(0, 2, (20_000, 2)), np.zeros((20_000, 1))], axis=1)
    off = (fused(rng, pos, np.tile([0.0, 0.0, 1.0], (20_000, 1)), 0.01) - pos)[:, 2]
    assert 0.006 < off.std() < 0.03
    distance, near = cKDTree(pos).query(pos, k=2)
    assert np.median(distance[:, 1]) < 0.01
    assert (off - off[near[:, 1]]).std() < 0.5 * off.std()  # neighbours move together
    assert (off - rng.permutation(off)).std() > 1.2 * off.std()


def test_homes_have_beds_kitchens_and_curtains_that_stand_free() -> None:
    plan = draw_plan(np.random.default_rng(3), (6.0, 7.0), (2.5, 2.8), 0.0)
    sizes = []
    for seed in range(12):
        scene = Scene(plan, [], [])
        room_home.furnish(np.random.default_rng(seed), scene)
        assert {s.label for s in scene.solids} <= {s3dis_class("clutter")}
        assert [s.instance for s in scene.solids] == list(range(scene.count))
        for a, b in itertools.combinations(scene.taken, 2):
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        sizes += [np.ptp(s.boxes.reshape(-1, 3), axis=0) for s in scene.solids if len(s.boxes)]
    long, high = np.array([(s[:2].max(), s[2]) for s in sizes]).T
    assert ((long > 1.9) & (high < 1.3)).any() and (high > 1.35).any()


def test_shares_of_hand_held_rooms_and_homes_change_rooms_and_nothing_without() -> None:
    plain, same = rooms(1)[0], rooms(1, hand_held=0.0, homes=0.0)[0]
    np.testing.assert_array_equal(plain.pos, same.pos)
    (carried,) = rooms(1, hand_held=1.0)
    assert len(carried.pos) < len(plain.pos)
    top = np.quantile(plain.pos[:, 2], 0.999) - 0.3
    assert (carried.pos[:, 2] > top).mean() < 0.5 * (plain.pos[:, 2] > top).mean()
    with pytest.raises(InputError, match=r"hand_held must be in \[0, 1\], got 1.5"):
        RoomOptions(hand_held=1.5)


def test_thinning_keeps_about_the_count_in_proportion() -> None:
    rng = np.random.default_rng(0)
    weight = np.repeat([0.0, 1.0, 3.0, 1000.0], [1000, 4000, 4000, 10])
    kept = thin_out(rng, weight, 2000)
    counts = np.bincount(np.searchsorted([1000, 5000, 9000], kept, side="right"), minlength=4)
    assert counts[0] == 0 and counts[3] == 10
    assert abs(counts.sum() - 2000) < 150 and 2.5 < counts[2] / counts[1] < 3.5


def test_room_is_seeded_shuffled_and_well_formed() -> None:
    one, again, other = (
        generate_room(np.random.default_rng(s), RoomOptions(**SMALL)) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.pos, again.pos)
    assert other.pos.shape != one.pos.shape or not np.allclose(other.pos, one.pos)
    assert one.pos.dtype == np.float32 and one.color.dtype == np.uint8
    assert one.pos.shape == one.color.shape and len(one.instance) == len(one.pos)
    sizes = np.bincount(one.instance)
    assert len(sizes) == len(one.label) and sizes.min() >= 30
    assert abs(len(one.pos) - 40_000) < 2000
    share = (sizes / sizes.sum()) ** 2
    assert abs((one.instance[1:] == one.instance[:-1]).mean() - share.sum()) < 0.02


def test_rooms_are_furnished_as_rooms_are() -> None:
    seen = rooms(12)
    counts = np.sum([np.bincount(r.label, minlength=13) for r in seen], axis=0)
    assert (counts > 0).all(), dict(zip(S3DIS_CLASSES, counts, strict=True))
    assert counts[s3dis_class("floor")] == counts[s3dis_class("ceiling")] == 12
    assert 25 < np.mean([len(r.label) for r in seen]) < 70
    for room in seen:
        (floor,), (ceiling,) = of_class(room, "floor"), of_class(room, "ceiling")
        assert abs(np.median(floor[:, 2])) < 0.01
        height = np.median(ceiling[:, 2])
        assert 2.4 < height < 3.5
        assert room.pos[:, 2].min() > -0.1 and room.pos[:, 2].max() < height + 0.1
        for table in of_class(room, "table"):
            assert 0.4 < np.quantile(table[:, 2], 0.95) < 0.85
        for chair in of_class(room, "chair"):
            assert chair[:, 2].max() < 1.2 and np.ptp(chair[:, :2], axis=0).max() < 1.1
        for wall in of_class(room, "wall"):
            thin = np.linalg.eigvalsh(np.cov(wall.T))[0]
            assert thin < 0.03**2 or np.ptp(wall[:, :2], axis=0).min() < 0.25  # with reveals


def test_bookcases_and_tables_touch_and_chairs_stand_at_tables() -> None:
    near_table, touching = [], 0
    for room in rooms(12):
        tables, chairs = of_class(room, "table"), of_class(room, "chair")
        for kind in ("table", "bookcase"):
            spans = [(p[:, :2].min(0), p[:, :2].max(0)) for p in of_class(room, kind)]
            for i, (low, high) in enumerate(spans):
                gaps = [np.maximum(low - b, a - high).max() for a, b in spans[:i]]
                touching += sum(g < 0.03 for g in gaps)
        for chair in chairs:
            middle = chair[:, :2].mean(0)
            near_table += [min((np.abs(t[:, :2] - middle).max(1).min() for t in tables), default=9)]
    assert touching > 20
    assert np.mean(np.array(near_table) < 0.6) > 0.5


def test_l_shaped_rooms_have_six_walls_and_nothing_in_the_notch() -> None:
    for seed in range(5):
        # the plan comes first, from the same generator
        plan = draw_plan(np.random.default_rng(seed), (4.0, 6.0), (2.5, 3.4), 1.0)
        assert len(plan.walls) == 6 and plan.notch is not None
        assert plan.holds(0, 0, 0.5, 0.5)
        assert not plan.holds(plan.width - 0.5, plan.depth - 0.5, plan.width, plan.depth)
        assert not plan.holds(-0.1, 0, 1, 1)
        options = RoomOptions(**SMALL, l_shape=1.0)
        room = generate_room(np.random.default_rng(seed), options)
        corner = np.subtract((plan.width, plan.depth), plan.notch)
        # openings and their frames lie in the walls
        assert not (room.pos[:, :2] > corner + 0.2).all(1).any()


def test_walls_of_small_rooms_are_at_least_a_metre_long() -> None:
    for seed in range(40):
        plan = draw_plan(np.random.default_rng(seed), (2.5, 2.6), (2.5, 3.4), 1.0)
        assert min(wall.length for wall in plan.walls) > 1 - 1e-9
        assert plan.holds(0, 0, 0.5, 0.5)


def test_hanging_bookcases_and_boards_hang() -> None:
    rng = np.random.default_rng(0)
    shelf = room_furniture.bookcase(rng, np.ones(3), 1.0, 0.3, 1.2, 1.9)
    assert shelf.boxes[:, 2].min() > 1.1 and shelf.boxes[:, 5].max() < 2.0
    assert room_furniture.board(rng, 1.5, 0.9, 2.0).boxes[:, 2].min() > 0.8


def test_noise_moves_points_across_their_surface() -> None:
    for noise in (0.0, 0.01):
        room = rooms(1, noise=noise)[0]
        (floor,) = of_class(room, "floor")
        assert floor[:, 2].std() == pytest.approx(noise * 1.12, rel=0.2, abs=1e-6)


@pytest.mark.parametrize(
    "bad",
    [
        {"size_min": 1.0},
        {"size_max": 2.0},
        {"height_min": 2.0},
        {"fill": 1.5},
        {"num_points": 0},
        {"noise": -0.1},
        {"stations": 0},
    ],
)
def test_bad_options(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(bad))):
        RoomOptions(**bad)
