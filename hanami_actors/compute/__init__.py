"""The growing network: numba kernels over plain arrays and a facade around them.

Nothing here knows actors, events or HTTP; arrays and plain tuples go in, arrays come out.
"""

from hanami_actors.compute.cache import is_warm
from hanami_actors.compute.image import (
    NetworkImage,
    decode_image,
    encode_image,
    read_image_header,
)
from hanami_actors.compute.network import Network
from hanami_actors.compute.single import Sparse
from hanami_actors.compute.spec import NetworkSpec
from hanami_actors.compute.state import KERNEL_VERSION
from hanami_actors.compute.warming import warm_up

__all__ = [
    "KERNEL_VERSION",
    "Network",
    "NetworkImage",
    "NetworkSpec",
    "Sparse",
    "decode_image",
    "encode_image",
    "is_warm",
    "read_image_header",
    "warm_up",
]
