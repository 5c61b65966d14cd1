"""Solids of a room -> faces -> points on them: what the room generator draws with."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Place = tuple[float, float, float, float]  # x, y, z of a frame, metres, and its angle about z, rad

_FACES = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]])  # normal axis, then the two edges


def _no(columns: int) -> np.ndarray:
    return np.empty((0, columns))


@dataclass
class Solid:
    """Part of one object: boxes and upright cylinders in its own frame, and where that stands.

    Attributes:
        label: Class.
        boxes: (B, 6) low corner and high corner, metres; a box without thickness is one face.
        colors: (B, 3) of each box, 0 to 1.
        rounds: (C, 5) axis x and y, lower end, radius, height, metres.
        round_colors: (C, 3).
        place: x, y, z of the frame, metres, and its angle about z, rad.
        instance: Number of the object.
    """

    label: int
    boxes: np.ndarray
    colors: np.ndarray
    rounds: np.ndarray = field(default_factory=lambda: _no(5))
    round_colors: np.ndarray = field(default_factory=lambda: _no(3))
    place: Place = (0.0, 0.0, 0.0, 0.0)
    instance: int = -1


@dataclass(frozen=True)
class Faces:
    """P faces: ``origin + s u + t w`` for s, t in [0, 1], or round: ``u cos 2 pi s + v sin``.

    Attributes:
        origin, u, v, w: (P, 3); v is 0 for flat faces.
        normal: (P, 3) outward, of flat faces.
        color: (P, 3).
        instance, label: (P,).
    """

    origin: np.ndarray
    u: np.ndarray
    v: np.ndarray
    w: np.ndarray
    normal: np.ndarray
    color: np.ndarray
    instance: np.ndarray
    label: np.ndarray

    def area(self) -> np.ndarray:
        """(P,) square metres."""
        flat = np.linalg.norm(np.cross(self.u, self.w), axis=1)
        round_ = 2 * np.pi * np.linalg.norm(self.u, axis=1) * np.linalg.norm(self.w, axis=1)
        return np.where((self.v == 0).all(1), flat, round_)


@dataclass(frozen=True)
class SurfacePoints:
    """Points on faces: ``pos``, ``normal``, ``color`` (N, 3), ``face`` (N,)."""

    pos: np.ndarray
    normal: np.ndarray
    color: np.ndarray
    face: np.ndarray


def faces_of(solids: list[Solid]) -> Faces:
    """All faces of all solids, in the frame of the room."""
    boxes = np.concatenate([s.boxes for s in solids])
    rounds = np.concatenate([s.rounds for s in solids])
    flat = _box_faces(boxes)
    side = _round_faces(rounds)
    owner_box = np.repeat(np.arange(len(solids)), [len(s.boxes) for s in solids])
    owner_round = np.repeat(np.arange(len(solids)), [len(s.rounds) for s in solids])
    owner = np.concatenate([owner_box[flat[0]], owner_round[side[0]]])
    color = np.concatenate([s.colors for s in solids])[flat[0]]
    color = np.concatenate([color, np.concatenate([s.round_colors for s in solids])[side[0]]])
    parts = [np.concatenate(pair) for pair in zip(flat[1:], side[1:], strict=True)]
    place = np.array([s.place for s in solids])[owner]
    origin, u, v, w, normal = (_turn(part, place[:, 3]) for part in parts)
    return Faces(
        origin=origin + place[:, :3],
        u=u, v=v, w=w, normal=normal, color=color,
        instance=np.array([s.instance for s in solids])[owner],
        label=np.array([s.label for s in solids])[owner],
    )  # fmt: skip


def draw_points(rng: np.random.Generator, faces: Faces, density: float) -> SurfacePoints:
    """Points uniform on the faces, ``density`` per square metre."""
    count = np.floor(faces.area() * density + rng.random(len(faces.origin))).astype(np.int64)
    face = np.repeat(np.arange(len(count)), count)
    s, t = rng.random((2, len(face), 1))
    round_ = (faces.v != 0).any(1)[face, None]
    cos, sin = np.cos(2 * np.pi * s), np.sin(2 * np.pi * s)
    around = np.where(round_, cos, s) * faces.u[face] + np.where(round_, sin, 0) * faces.v[face]
    normal = faces.normal[face]
    length = np.linalg.norm(faces.u[face], axis=1, keepdims=True)
    normal = np.where(round_, around / length, normal)
    pos = faces.origin[face] + around + t * faces.w[face]
    return SurfacePoints(pos, normal, faces.color[face], face)


def _box_faces(boxes: np.ndarray) -> tuple[np.ndarray, ...]:
    """Box number, origin, u, v = 0, w and outward normal of the six faces of (B, 6) boxes."""
    low, size = boxes[:, :3], boxes[:, 3:] - boxes[:, :3]
    eye = np.eye(3)
    found = []
    for axis, a, b in _FACES:
        for high in (False, True):
            # the two faces of a sheet are the same: keep one
            rows = np.flatnonzero(size[:, axis] > 0) if high else np.arange(len(boxes))
            origin = low[rows] + (size[rows] * eye[axis] if high else 0)
            u, w = size[rows, a, None] * eye[a], size[rows, b, None] * eye[b]
            normal = np.broadcast_to(eye[axis] * (1 if high else -1), u.shape)
            found.append((rows, origin, u, np.zeros_like(u), w, normal))
    return tuple(np.concatenate(columns) for columns in zip(*found, strict=True))


def _round_faces(rounds: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same of the sides and the flat tops, drawn as squares within them, of cylinders."""
    x, y, z, r, h = rounds.T
    zero = np.zeros_like(x)
    rows = np.arange(len(rounds))
    side = (
        rows,
        np.stack([x, y, z], 1),
        np.stack([r, zero, zero], 1),
        np.stack([zero, r, zero], 1),
        np.stack([zero, zero, h], 1),
        np.zeros((len(rows), 3)),
    )
    half = r * np.sqrt(np.pi) / 2  # a square of the same area
    top = (
        rows,
        np.stack([x - half, y - half, z + h], 1),
        np.stack([2 * half, zero, zero], 1),
        np.zeros((len(rows), 3)),
        np.stack([zero, 2 * half, zero], 1),
        np.stack([zero, zero, zero + 1], 1),
    )
    return tuple(np.concatenate(columns) for columns in zip(side, top, strict=True))


def _turn(vectors: np.ndarray, angle: np.ndarray) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    x, y, z = vectors.T
    return np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=1)
