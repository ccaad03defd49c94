"""A slow, obvious twin of the network: one Python loop per sentence of the specification.

It shares with the real thing only the plan of the topology and the sizes. All numbers are NumPy
float32, so every operation rounds like the compiled kernels; agreement is expected to the bit.
"""

from typing import Any

import numpy as np

from hanami_actors.compute.kernels import layout as lay
from hanami_actors.compute.plan import levels_of, make_plan, targets_per_value
from tests.unit.compute.naive_parts import (
    ZERO,
    F,
    Input,
    Memory,
    Sections,
    Shape,
    answers_of,
    dot,
    key,
    list_energy,
    sigmoid,
    targets_of,
    uniform_row,
)


class NaiveNetwork(Shape):
    """The whole network with lists and dictionaries."""

    def __init__(self, spec):
        self.plan = make_plan(spec)
        self.spec, self.topology = spec, self.plan.topology
        self.set = dict(spec.settings)
        count = len(spec.hexagons)
        self.seed = spec.seed
        self.t = 0
        self.error = F(1)
        self.mistakes = 0
        self.sections = Sections()
        self.w, self.ws = self.sections.w, self.sections.ws
        self.v, self.vs = [np.zeros(128, F)], [np.zeros(128, F)]
        self.so, self.vo = {}, {}  # (link, position, slot), (block, row)
        self.blocks = []  # (hexagon, position)
        self.b, self.bs = [], []
        self.owners = []  # (output, position)
        self.bo, self.bos = [], []
        self.active_mean = [ZERO] * count
        self.source_mean = [ZERO] * count
        self.neuron_mean = [ZERO] * count
        self.passes = 0
        limit = int(self.plan.settings_int[lay.SET_CHUNKS_MAX])
        self.memory = Memory(self.seed + 2, self.set["replay_memory"], limit, len(spec.inputs))
        cooldown = self.set["neuron_cooldown"]
        self.cooldown = F(cooldown) if cooldown < 1e6 else ZERO
        self.potentials = cooldown < 1e6 or self.set["refractory_time"] > 1
        self.inputs = [Input(0, 0, kind) for _, _, kind in spec.inputs]
        self.pot: dict[str, dict[int, Any]] = {"train": {}, "request": {}}
        self.rest: dict[str, dict[int, Any]] = {"train": {}, "request": {}}

    # --- sizes

    def size(self, inputs, outputs):
        for q, (name, _, _) in enumerate(self.spec.inputs):
            old = self.inputs[q]
            width = max(old.width, inputs.get(name, 0))
            levels = old.levels or (levels_of(self.plan, q, width) if width else 0)
            old.levels = levels
            old.scale += [ZERO] * (width - old.width)
            old.seen += [0] * (width - old.width)
            old.borders += [[] for _ in range(width - old.width)]
            old.width = width
        self.add_rows(outputs)
        if any(i.width for i in self.inputs):
            self.open_all()

    def add_rows(self, outputs):
        for q, (name, _, _) in enumerate(self.spec.outputs):
            have = sum(owner == q for owner, _ in self.owners)
            want = outputs.get(name, 0) * targets_per_value(self.plan, q)
            for position in range(have, want):
                self.owners.append((q, position))
                self.bo.append(ZERO)
                self.bos.append(ZERO)

    def open_all(self):
        for h in range(len(self.spec.hexagons)):
            need = 1 if self.topology.hidden[h] else 0
            if not self.topology.hidden[h] and any(
                link.target == h for link in self.topology.links
            ):
                need = -(-len(self.rows(h)) // 128)
            while len(self.own(h)) < need:
                self.open_block(h, first=True)
        for h in range(len(self.spec.hexagons)):
            neurons = 128 * sum(len(self.own(r)) for r in self.topology.reads[h])
            for row in self.rows(h):
                for block in self.read(h):
                    if (block, row) not in self.vo:
                        k = key(key(self.seed, 0x56000000, 0), row, block)
                        bound = F(0.3) * np.sqrt(F(3) / F(neurons))
                        self.vo[block, row] = len(self.v)
                        self.v.append(uniform_row(k, bound))
                        self.vs.append(self.v[-1].copy())

    # --- growth

    def bound(self, group, target):
        if self.is_sum(target):
            return ZERO
        if group >= len(self.inputs):
            return np.sqrt(F(6) / F(128 * len(self.own(self.topology.groups[group]))))
        return np.sqrt(F(3) / max(self.active_mean[target], F(1)))

    def new_section(self, link, group, target, position, slot, bound):
        n = self.so[link, position, slot] = self.sections.take(self.period())
        k = key(key(self.seed, group, target), slot, position)
        self.w[n] = uniform_row(k, bound)
        self.ws[n] = self.w[n].copy()
        return n

    def period(self):
        cycles = int(self.plan.settings_int[lay.SET_REDUCTION])
        return self.t // cycles if cycles else 0

    def open_block(self, h, *, first):
        position = len(self.own(h))
        self.blocks.append((h, position))
        self.b.append(np.zeros(128, F))
        self.bs.append(np.zeros(128, F))
        block = len(self.blocks) - 1
        for link, group in self.into(h):
            bound = self.bound(group, h)
            if group < len(self.inputs):
                source = self.inputs[group]
                slots = [s for s in range(source.width * source.levels) if source.slot_known(s)]
            else:
                slots = list(range(128 * len(self.own(self.topology.groups[group]))))
            for slot in slots:
                self.new_section(link, group, h, position, slot, bound)
        for link, group, target in self.out_of(h):
            bound = self.bound(group, target) if first else ZERO
            for p in range(len(self.own(target))):
                for slot in range(128 * position, 128 * position + 128):
                    self.new_section(link, group, target, p, slot, bound)
        if not first:
            self.read_block(h, block)

    def read_block(self, h, block):
        for reader in range(len(self.spec.hexagons)):
            if h in self.topology.reads[reader]:
                for row in self.rows(reader):
                    self.vo[block, row] = len(self.v)
                    self.v.append(np.zeros(128, F))
                    self.vs.append(np.zeros(128, F))

    def grow_slots(self, group, fresh):
        for link, (source, target) in enumerate(self.topology.links):
            if source != group:
                continue
            bound = self.bound(group, target)
            for slot, origins in fresh:
                for p in range(len(self.own(target))):
                    n = self.new_section(link, group, target, p, slot, bound)
                    if origins:
                        self.w[n] = np.zeros(128, F)
                        self.ws[n] = np.zeros(128, F)
                        for origin, share in origins:
                            other = self.so.get((link, p, origin), 0)
                            self.w[n] = self.w[n] + share * self.w[other]
                            self.ws[n] = self.ws[n] + share * self.ws[other]

    # --- a pass

    def code(self, values, learn):
        coded = [i.code(values.get(name, []), learn)
                 for i, (name, _, _) in zip(self.inputs, self.spec.inputs, strict=True)]  # fmt: skip
        active = [a for a, _ in coded]
        if learn:
            for h in range(len(self.spec.hexagons)):
                x = F(sum(len(active[g]) for _, g in self.into(h) if g < len(self.inputs)))
                old = self.active_mean[h]
                self.active_mean[h] = x if x > old else old + F(0.01) * (x - old)
            for group, (_, fresh) in enumerate(coded):
                if fresh:
                    self.grow_slots(group, fresh)
        return active

    def forward(self, active, side):
        """Compute z, a, gate, o from active input slots; side "train", "request" or None."""
        slow = side == "request"
        w, b, v, bo = (
            (self.ws, self.bs, self.vs, self.bos) if slow else (self.w, self.b, self.v, self.bo)
        )
        self.lists = {g: list(a) for g, a in enumerate(active)}
        self.energy = {g: list_energy([r for _, r in a]) for g, a in self.lists.items()}
        self.z, self.a, self.gate, self.o = {}, {}, {}, {}
        for h in range(len(self.spec.hexagons)):
            listed, energy = [], ZERO
            for p, block in enumerate(self.own(h)):
                z = b[block].copy()
                for link, group in self.into(h):
                    for slot, r in self.lists[group]:
                        section = self.so.get((link, p, slot), 0)
                        z = z + r * w[section]
                self.z[block] = z
                if self.is_sum(h):
                    continue
                self.a[block] = np.maximum(z, ZERO)
                self.gate[block] = np.ones(128, F)
                if self.potentials and side:
                    self.rest_and_keep(block, side)
                listed += [(128 * p + j, x) for j, x in enumerate(self.a[block]) if x > 0]
                energy = energy + dot(self.a[block], self.a[block])
            for _, group, _ in self.out_of(h):
                self.lists[group] = listed
                self.energy[group] = energy
            for i, row in enumerate(self.rows(h)):
                x = bo[row]
                for block in self.read(h):
                    x = x + dot(self.a[block], v[self.vo[block, row]])
                if self.is_sum(h) and self.into(h):
                    x = x + self.z[self.own(h)[i // 128]][i % 128]
                self.o[row] = x

    def rest_and_keep(self, block, side):
        pot = self.pot[side].setdefault(block, np.zeros(128, F))
        rest = self.rest[side].setdefault(block, np.zeros(128, int))
        z, a, gate = self.z[block], self.a[block], self.gate[block]
        for j in range(128):
            left = pot[j] / self.cooldown if self.cooldown > 0 else ZERO
            if rest[j] > 0:
                rest[j] -= 1
                pot[j] = left
                a[j] = gate[j] = ZERO
            else:
                z[j] = z[j] + left
                a[j] = pot[j] = max(z[j], ZERO)
                if a[j] > 0:
                    rest[j] = self.set["refractory_time"] - 1

    def compare(self, targets):
        self.e = dict.fromkeys(self.o, ZERO)
        for row, y in targets.items():
            self.e[row] = sigmoid(self.o[row]) - F(y)
        return max((abs(self.e[row]) for row in targets), default=F(-1))

    def mean(self, old, value):
        return old + max(F(0.001), F(1) / F(self.passes)) * (value - old)

    def backward(self, limit, *, fresh):
        d = {block: np.zeros(128, F) for block in range(len(self.blocks))}
        if fresh:
            self.passes += 1
        for h in reversed(range(len(self.spec.hexagons))):
            sources = ZERO
            for _, group in self.into(h):
                sources = sources + self.energy[group]
            if self.rows(h):
                self.learn_outputs(h, d, sources, limit, fresh)
            rate = F(1)
            if not self.is_sum(h):
                if fresh:
                    self.source_mean[h] = self.mean(self.source_mean[h], F(1) + sources)
                rate = F(2) / max(self.source_mean[h], sources / F(4), F(1))
            for p, block in enumerate(self.own(h)):
                if not self.is_sum(h):
                    d[block] = d[block] * np.where(self.z[block] > 0, F(1), F(0.02))
                    if fresh and self.potentials:
                        d[block] = d[block] * self.gate[block]
                    self.b[block] = self.b[block] - rate * d[block]
                self.learn_sections(h, p, d, d[block], rate * d[block])

    def learn_outputs(self, h, d, sources, limit, fresh):
        direct = self.is_sum(h) and bool(self.into(h))
        energy = ZERO
        for block in self.read(h):
            energy = energy + dot(self.a[block], self.a[block])
        if direct:
            energy = energy + sources
        if fresh:
            self.neuron_mean[h] = self.mean(self.neuron_mean[h], F(1) + energy)
        rate = F(2) / max(self.neuron_mean[h], energy / F(2), F(1))
        for i, row in enumerate(self.rows(h)):
            e = self.e[row]
            if abs(e) <= limit:
                continue
            for block in self.read(h):
                n = self.vo[block, row]
                d[block] = d[block] + e * self.v[n]
                self.v[n] = self.v[n] - (rate * e) * self.a[block]
            if direct:
                d[self.own(h)[i // 128]][i % 128] = rate * e
            self.bo[row] = self.bo[row] - rate * e

    def learn_sections(self, h, p, d, derivative, step):
        for link, group in self.into(h):
            if group >= len(self.inputs):
                self.hand_back(link, group, p, d, derivative)
            for slot, r in self.lists[group]:
                n = self.so.get((link, p, slot), 0)
                if n:
                    self.w[n] = self.w[n] - r * step

    def hand_back(self, link, group, p, d, derivative):
        for q, source in enumerate(self.own(self.topology.groups[group])):
            for j in range(128):
                n = self.so.get((link, p, 128 * q + j), 0)
                if n:
                    d[source][j] = d[source][j] + dot(self.w[n], derivative)

    # --- a cycle

    def rows_of(self, q):
        rows = [k for k, (owner, _) in enumerate(self.owners) if owner == q]
        return sorted(rows, key=lambda k: self.owners[k][1])

    def targets(self, outputs):
        found: dict[int, Any] = {}
        for q, (name, _, kind) in enumerate(self.spec.outputs):
            values = targets_of(kind, outputs.get(name, []))
            found |= {
                row: y for row, y in zip(self.rows_of(q), values, strict=False) if y is not None
            }
        return dict(sorted(found.items()))

    def train(self, inputs, outputs):
        active = self.code(inputs, True)
        targets = self.targets(outputs)
        self.forward(active, "train")
        if self.set["enable_reduction"]:
            self.sections.count(self.lists)
        worst = self.compare(targets)
        if worst >= 0:
            self.error = self.error + F(0.001) * (worst - self.error)
            self.mistakes += worst > F(0.5)
            threshold = min(F(0.05), F(0.5) * self.error)
            if worst >= F(0.1):
                self.memory.store(self.t, active, targets, worst)
            if worst >= threshold:
                self.backward(F(0.05) * threshold, fresh=True)
            self.replay(threshold)
            self.grow()
        self.follow()
        self.t += 1
        cycles = int(self.plan.settings_int[lay.SET_REDUCTION])
        if cycles and self.t % cycles == 0:
            self.sections.reduce(self.so, self.topology.links, self.period())

    def replay(self, threshold):
        for i in range(self.set["replays_per_cycle"]):
            if not self.memory.entries:
                return
            at = key(self.seed + 1, self.t, i) % len(self.memory.entries)
            entry = self.memory.entries[at]
            self.forward(entry[0], None)
            entry[2] = self.compare(entry[1])
            if entry[2] >= threshold:
                self.backward(F(0.05) * threshold, fresh=False)

    def grow(self):
        if self.mistakes < 50:
            return
        self.mistakes = 0
        hidden = [h for h, x in enumerate(self.topology.hidden) if x]
        open_ones = [h for h in hidden if len(self.own(h)) < self.set["hidden_blocks_max"]]
        if open_ones:
            self.open_block(min(open_ones, key=lambda h: len(self.own(h))), first=False)

    def follow(self):
        t = self.t
        every = t < 512
        alpha = F(8) / F(t + 8) if every else max(F(0.003), F(8) / F(t // 64 + 8))
        for row in range(1, len(self.w)):
            if every or row % 64 == t % 64:
                self.ws[row] = self.ws[row] + alpha * (self.w[row] - self.ws[row])
        if every or t % 64 == 0:
            for slow, fast in ((self.bs, self.b), (self.vs, self.v), (self.bos, self.bo)):
                for k in range(len(slow)):
                    slow[k] = slow[k] + alpha * (fast[k] - slow[k])

    def request(self, inputs):
        self.forward(self.code(inputs, False), "request")
        return {
            name: answers_of(kind, [sigmoid(self.o[k]) for k in self.rows_of(q)])
            for q, (name, _, kind) in enumerate(self.spec.outputs)
        }
