"""Names of the cells of every table: the layout the kernels and the facade share.

All are plain integers, constants for the compiler. Tables are int64 unless said otherwise.
Adding a cell at the end of a group changes no result; renumbering does (a digest covers them).
"""

BLOCK = 128
"""Neurons of a block, and weights of a section."""

LANES = 32
"""Partial sums of every dot product."""

CHUNK = 32
"""(index, value) pairs of one chunk of the replay memory."""

# --- settings: int64[32]
SET_SEED = 0  # the 32-bit fold of the 63-bit seed
SET_BLOCKS_MAX = 1
SET_REPLAYS = 2
SET_ENTRIES_MAX = 3
SET_CHUNKS_MAX = 4
SET_POTENTIALS = 5  # 1: cooldown or refractory time have an effect
SET_REFRACTORY = 6
SET_REDUCTION = 7  # cycles from one removal of sections to the next, 0: never
SET_INPUTS = 8
SET_OUTPUTS = 9
SETTINGS_INT = 32

# --- settings: float32[16]
SET_COOLDOWN = 0  # 0: nothing of the potential is left
SETTINGS_FLOAT = 16

# --- counters: int64[32]
N_CYCLE = 0
N_SECTIONS = 1  # rows of W in use, row 0 included
N_FREE = 2  # rows of W on the free list
N_BLOCKS = 3
N_VROWS = 4  # rows of V in use, row 0 included
N_ROWS = 5  # output rows
N_ENTRIES = 6  # replay memory
N_CHUNKS = 7  # chunks ever used
N_CHUNKS_FREE = 8
N_MISTAKES = 9  # since the last growth
N_STORED = 10  # samples ever stored in the replay memory
N_MISTAKES_ALL = 11
N_BACKWARD = 12  # samples that were not skipped
N_REMOVED = 13  # sections removed by reduction
COUNTERS = 32

# --- running means: float32[16]
F_ERROR = 0
MEANS = 16

# --- hexagons: int64[hexagons, 16], one row each
HX_PASSES = 0  # state: backward passes so far
HX_BLOCKS = 1  # derived from here on
HX_BLOCKS_MAX = 2  # 0: no blocks that grow
HX_OUT_BLOCKS = 3  # 1: its blocks are sums of direct sections into its outputs
HX_LINK_FIRST = 4
HX_LINKS = 5
HX_GROUP = 6  # the group its neurons form as sources, -1: nobody reads them through sections
HX_ROW_FIRST = 7
HX_ROWS = 8
HX_READ_FIRST = 9
HX_READS = 10
HEXAGON_CELLS = 16

# --- hexagons: float32[hexagons, 4], state
HF_ACTIVE = 0  # running number of active sources
HF_SOURCES = 1  # mean of 1 + sum of squared sources
HF_NEURONS = 2  # mean of 1 + sum of squared values that the outputs read
HEXAGON_MEANS = 4

# --- groups of sources: int64[groups, 16]; the inputs first, then hexagons with successors
GR_KIND = 0
GR_HEXAGON = 1
GR_WIDTH = 2  # values (inputs) or neurons (hexagons)
GR_LEVELS = 3
GR_SLOTS = 4  # WIDTH * LEVELS
GR_VALUE_AT = 5  # first cell in m, n, kc
GR_LEVEL_AT = 6  # first cell in kn, ks
GR_ACTIVE_AT = 7  # first cell in the lists of active slots
GR_KNOWN = 8  # slots that were ever active
GROUP_CELLS = 16

KIND_PLAIN = 0
KIND_BINARY = 1
KIND_MATCH = 2
KIND_NEURONS = 3

# --- links: int64[links, 8], sorted by target; all sections from one group into one hexagon
LK_GROUP = 0
LK_TARGET = 1
LK_AT = 2  # first cell in so
LK_STRIDE = 3  # cells per block of the target
LINK_CELLS = 8

# --- outputs: kinds of values
OUT_PLAIN = 0
OUT_BOOL = 1
OUT_INT = 2
OUT_FLOAT = 3
BITS_INT = 64
BITS_FLOAT = 32

# --- columns of a call: int64[inputs + outputs, 8]; inputs first
IO_ADDRESS = 0  # first byte of the column; of the results in a request
IO_KIND = 1  # COLUMN_...
IO_STRIDE = 2  # values per row of the column
IO_WIDTH = 3  # values used from one row on (several rows with a time length); 0: not given
IO_FIRST = 4  # outputs: first cell in oc
IO_CONVERT = 5  # outputs: OUT_...
IO_INDICES = 6  # inputs, COLUMN_PAIRS: first byte of the indices
IO_CELLS = 8

COLUMN_BYTES = 1  # uint8; the number is also the bytes of a value
COLUMN_FLOATS = 4  # float32
COLUMN_PAIRS = 5  # float32 values with int32 indices; only row 0

# --- flags; an attribute of a module is no literal, so a kernel is compiled once for both
NO = 0
YES = 1

# --- why a pass runs
PASS_REPLAY = 0  # fast weights; potentials neither count nor change
PASS_TRAIN = 1  # fast weights, potentials of training
PASS_REQUEST = 2  # slow weights, potentials of requests

# --- table of addresses: TABLE_HEAD cells, then TABLE_CELLS per array of `arrays.Arrays`
TABLE_START = 0
TABLE_STOP = 1
TABLE_HEAD = 4
TABLE_CELLS = 4  # address, then up to three dimensions
