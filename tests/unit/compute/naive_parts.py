"""Pieces of the slow twin: hashes, sums in their fixed order, sigmoid, bits, inputs."""

from typing import Any

import numpy as np

F = np.float32
ZERO = F(0)


def pcg(x):
    s = (x * 747796405 + 2891336453) & 0xFFFFFFFF
    w = (((s >> ((s >> 28) + 4)) ^ s) * 277803737) & 0xFFFFFFFF
    return (w >> 22) ^ w


def key(s, a, b):
    return pcg((b & 0xFFFFFFFF) ^ pcg((a & 0xFFFFFFFF) ^ pcg(s & 0xFFFFFFFF)))


def uniform_row(k, bound):
    return np.array([(F(pcg(k ^ j) >> 8) * F(2.0**-23) - F(1)) * F(bound) for j in range(128)], F)


def dot(x, y):
    p = (x * y).reshape(4, 32)
    lanes = ((p[0] + p[1]) + p[2]) + p[3]
    for width in (16, 8, 4):
        lanes = lanes[:width] + lanes[width : 2 * width]
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])


def list_energy(values):
    lanes = [ZERO] * 8
    for i, v in enumerate(values):
        lanes[i % 8] = lanes[i % 8] + v * v
    four = [lanes[j] + lanes[j + 4] for j in range(4)]
    return (four[0] + four[2]) + (four[1] + four[3])


def sigmoid(x):
    y = min(max(-x * F(1.44269504), F(-126)), F(126))
    n = np.floor(y)
    f = y - n
    q = F(0.00961813) + f * F(0.00133336)
    q = F(0.05550411) + f * q
    q = F(0.24022651) + f * q
    q = F(0.69314718) + f * q
    return F(1) / (F(1) + np.ldexp(F(1), int(n)) * (F(1) + f * q))


def float_bits(v):
    bits = int(np.array([v], F).view(np.uint32)[0])
    return [float((bits >> (31 - q)) & 1) for q in range(32)]


def int_bits(v):
    whole = 0 if not v >= 1 else min(int(v), 2**64 - 1)
    return [float((whole >> (63 - q)) & 1) for q in range(64)]


def targets_of(kind, values):
    """Return one target per output row, None where nothing is expected."""
    found: list[Any] = []
    for value in values:
        v = F(value)
        width = {"float": 32, "int": 64}.get(kind, 1)
        if np.isnan(v):
            found += [None] * width
        elif kind == "plain":
            found.append(min(max(v, ZERO), F(1)))
        elif kind == "bool":
            found.append(F(v >= F(0.5)))
        else:
            found += float_bits(v) if kind == "float" else int_bits(float(v))
    return found


def answers_of(kind, p):
    """Return the values that the answers of output rows mean."""
    width = {"float": 32, "int": 64}.get(kind, 1)
    bits = [x >= F(0.5) for x in p]
    words = [
        sum(int(bit) << (width - 1 - i) for i, bit in enumerate(bits[at : at + width]))
        for at in range(0, len(bits), width)
    ]
    if kind == "plain":
        return np.array(p, F)
    if kind == "float":
        return np.array(words, np.uint32).view(F)
    return np.array([F(word) for word in words], F)


class Input:
    """One input: scales, levels, what is active."""

    def __init__(self, width, levels, kind):
        self.width, self.levels, self.kind = width, levels, kind
        self.scale = [ZERO] * width
        self.seen = [0] * width
        self.borders: list[list[Any]] = [
            [] for _ in range(width)
        ]  # (border, slot), sorted unless match

    def slot_known(self, slot):
        x, q = divmod(slot, self.levels)
        return self.seen[x] > 0 if self.levels == 1 else q < len(self.borders[x])

    def code(self, raw, learn):
        """Return active (slot, response), and new (slot, origins) with origins a list of (slot, share)."""
        active: list[Any] = []
        fresh: list[Any] = []
        for x, value in enumerate(raw):
            v = F(value)
            if not v >= F(1e-30):
                continue
            v = min(v, F(1e30))
            if self.kind == "binary":
                self._binary(x, learn, active, fresh)
            elif self.kind == "match":
                self._match(x, v, learn, active, fresh)
            elif self.levels > 1:
                self._levels(x, v, learn, active, fresh)
            else:
                self._plain(x, v, learn, active, fresh)
        return active, fresh

    def _binary(self, x, learn, active, fresh):
        if self.seen[x] == 0:
            if not learn:
                return
            self.seen[x] = 1
            fresh.append((x, []))
        active.append((x, F(1)))

    def _plain(self, x, v, learn, active, fresh):
        n = self.seen[x]
        if learn:
            if n == 0:
                self.scale[x] = v
                fresh.append((x, []))
            else:
                m = self.scale[x]
                self.scale[x] = m + min(v - m, m) / F(min(n + 1, 1000))
            self.seen[x] = min(n + 1, 1000)
        if self.seen[x] > 0:
            active.append((x, min(v / self.scale[x], F(1.5))))

    def _tent(self, borders, v):
        ks = [k for k, _ in borders]
        if v <= ks[0]:
            return [(borders[0][1], v / ks[0])]
        if v >= ks[-1]:
            return [(borders[-1][1], min(v / ks[-1], F(2)))]
        p = max(q for q in range(len(ks)) if ks[q] <= v)
        f = (v - ks[p]) / (ks[p + 1] - ks[p])
        return [(borders[p][1], F(1) - f), (borders[p + 1][1], f)]

    def _wants(self, borders, v):
        ks = [k for k, _ in borders]
        tolerance = F(0.3)
        for _ in range(len(ks) - 1):
            tolerance = tolerance * F(1.1)
        if v > ks[-1]:
            return len(ks) if v > ks[-1] * F(1.6) else None
        p = next(q for q in range(len(ks)) if ks[q] >= v)
        low = ks[p - 1] if p else ZERO
        room = tolerance * (ks[p] - low)
        return p if v - low > room and ks[p] - v > room else None

    def _levels(self, x, v, learn, active, fresh):
        borders = self.borders[x]
        if learn:
            self.seen[x] = min(self.seen[x] + 1, 1000)
            where = 0 if not borders else None
            if borders and len(borders) < self.levels:
                where = self._wants(borders, v)
            if where is not None:
                origins = self._tent(borders, v) if borders else []
                slot = x * self.levels + len(borders)
                borders.insert(where, (v, slot))
                fresh.append((slot, origins))
        if borders:
            active += [(slot, part) for slot, part in self._tent(borders, v) if part > 0]

    def _match(self, x, v, learn, active, fresh):
        borders = self.borders[x]
        best = ZERO
        for k, slot in borders:
            part = F(1) - abs(v - k) / (F(0.1) * k)
            if part > 0:
                best = max(best, part)
                active.append((slot, part))
        if not learn:
            return
        self.seen[x] = min(self.seen[x] + 1, 1000)
        if best < F(0.5) and len(borders) < self.levels:
            slot = x * self.levels + len(borders)
            borders.append((v, slot))
            fresh.append((slot, []))
            active.append((slot, F(1)))


class Memory:
    """Stored samples: [active per input, targets, error]."""

    def __init__(self, seed, entries_max, chunks_max, inputs):
        self.seed, self.entries_max, self.chunks_max = seed, entries_max, chunks_max
        self.inputs = inputs
        self.entries: list[Any] = []

    def chunks(self, entry):
        pairs = self.inputs + sum(len(a) for a in entry[0]) + len(entry[1])
        return -(-pairs // 32)

    def fits(self, entry):
        return sum(self.chunks(e) for e in [*self.entries, entry]) <= self.chunks_max

    def store(self, t, active, targets, error):
        entry = [[list(a) for a in active], dict(targets), error]
        if not self.entries_max or self.chunks(entry) > self.chunks_max:
            return
        for _ in range(8):
            if self.fits(entry) and len(self.entries) < self.entries_max:
                break
            candidates = [key(self.seed, t, q) % len(self.entries) for q in range(4)]
            victim = min(candidates, key=lambda x: self.entries[x][2])
            self.entries[victim] = self.entries[-1]
            self.entries.pop()
        if self.fits(entry):
            self.entries.append(entry)


class Shape:
    """Who leads to whom, by searching every list."""

    spec: Any
    topology: Any
    blocks: list[Any]
    owners: list[Any]
    inputs: list[Any]

    def own(self, h):
        return [n for n, (hexagon, _) in enumerate(self.blocks) if hexagon == h]

    def rows(self, h):
        return [k for k, (q, _) in enumerate(self.owners) if self.spec.outputs[q][1] == h]

    def read(self, h):
        return [block for r in self.topology.reads[h] for block in self.own(r)]

    def is_sum(self, h):
        return not self.topology.hidden[h]

    def into(self, h):
        return [(n, link.group) for n, link in enumerate(self.topology.links) if link.target == h]

    def out_of(self, h):
        first = len(self.inputs)
        return [
            (n, link.group, link.target)
            for n, link in enumerate(self.topology.links)
            if link.group >= first and self.topology.groups[link.group] == h
        ]


class Sections:
    """Rows of weights: fast, slow, when they were made, which are free; and what is weak."""

    def __init__(self):
        self.w, self.ws = [np.zeros(128, F)], [np.zeros(128, F)]
        self.births = [0]
        self.free: list[int] = []
        self.removed = 0
        self.usage: dict[tuple[int, int], Any] = {}

    def take(self, period):
        if self.free:
            n = self.free.pop()
        else:
            n = len(self.w)
            self.w.append(np.zeros(128, F))
            self.ws.append(np.zeros(128, F))
            self.births.append(0)
        self.births[n] = period
        return n

    def count(self, lists):
        for group, active in lists.items():
            for slot, r in active:
                self.usage[group, slot] = self.usage.get((group, slot), ZERO) + r * r

    def score(self, links, cell, n):
        link, _, slot = cell
        usage = self.usage.get((links[link].group, slot), ZERO)
        return usage * dot(self.w[n], self.w[n])

    def reduce(self, so, links, period):
        old = [cell for cell, n in sorted(so.items()) if self.births[n] <= period - 2]
        made = len(self.w) - 1 - len(self.free) + self.removed
        count = max(0, min(len(old) // 10, made * 2 // 5 - self.removed))
        weakest = sorted(old, key=lambda cell: self.score(links, cell, so[cell]))[:count]
        for cell in sorted(weakest):
            n = so.pop(cell)
            self.w[n], self.ws[n] = np.zeros(128, F), np.zeros(128, F)
            self.births[n] = 0
            self.free.append(n)
            self.removed += 1
        self.usage = {cell: F(0.5) * x for cell, x in self.usage.items()}
