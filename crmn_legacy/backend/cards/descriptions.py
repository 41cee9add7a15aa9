"""Cards as their maker's data sheets, architecture white papers and the CUDA programming guide describe them."""

from dataclasses import dataclass

from crmn_legacy.errors import UserError

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True)
class Card:
    """A card, by published figures.

    Attributes
    ----------
    name : str
        As ``--card`` has it.
    title : str
        As its maker calls it.
    capability : (int, int)
        Compute capability: which instructions it has.
    cores : int
        Streaming multiprocessors.
    fpus : int
        Float32 units in each.
    clock : float
        Boost clock, GHz.
    memory, l2 : int
        Bytes.
    bandwidth : int
        Bytes a second, of its memory.
    shared, shared_by_block : int
        Bytes of shared memory of a multiprocessor, and the most that one block may have of it.
    threads : int
        Resident threads of a multiprocessor.
    rates : dict of str to float
        Floating operations a second by `--precision`, dense; a format that it lacks is left out.
    link : float
        Bytes a second, one way, to the other cards of its machine.
    """

    name: str
    title: str
    capability: tuple
    cores: int
    fpus: int
    clock: float
    memory: int
    l2: int
    bandwidth: int
    shared: int
    shared_by_block: int
    threads: int
    rates: dict
    link: float

    @property
    def architecture(self):
        """What `ptxas` calls it: ``sm_90``."""
        return f"sm_{self.capability[0]}{self.capability[1]}"

    def target_config(self):
        """XLA's description of a target (``GpuTargetConfigProto``), in the text form of protocol buffers."""
        major, minor = self.capability
        info = {
            "threads_per_block_limit": 1024,
            "threads_per_warp": 32,
            "shared_memory_per_block": 48 * _KIB,
            "shared_memory_per_core": self.shared,
            "threads_per_core_limit": self.threads,
            "core_count": self.cores,
            "fpus_per_core": self.fpus,
            # XLA's name for the largest grid.
            "block_dim_limit_x": 2**31 - 1,
            "block_dim_limit_y": 2**16 - 1,
            "block_dim_limit_z": 2**16 - 1,
            "memory_bandwidth": self.bandwidth,
            "l2_cache_size": self.l2,
            "clock_rate_ghz": self.clock,
            "device_memory_size": self.memory,
            "shared_memory_per_block_optin": self.shared_by_block,
            "registers_per_core_limit": 65536,
            "registers_per_block_limit": 65536,
        }
        lines = [f"  {name}: {value}" for name, value in info.items()]
        lines.append(f"  cuda_compute_capability {{ major: {major} minor: {minor} }}")
        return "\n".join(
            [
                "gpu_device_info {",
                *lines,
                "}",
                'platform_name: "CUDA"',
                # The cuDNN that requirements-cuda12.lock has.
                "dnn_version_info { major: 9 minor: 12 patch: 0 }",
                f'device_description_str: "{self.title}"',
                "",
            ]
        )


_HOPPER = {"capability": (9, 0), "cores": 132, "fpus": 128, "clock": 1.98, "l2": 50 * _MIB, "shared": 228 * _KIB}
_HOPPER |= {"shared_by_block": 227 * _KIB, "threads": 2048, "link": 450e9}
_HOPPER |= {"rates": {"float32": 66.9e12, "tf32": 494.7e12, "bfloat16": 989.4e12}}

CARDS = {
    card.name: card
    for card in (
        Card("h100", "NVIDIA H100 80GB HBM3", memory=80 * _GIB, bandwidth=3_350_000_000_000, **_HOPPER),
        Card("h200", "NVIDIA H200", memory=141_000_000_000, bandwidth=4_800_000_000_000, **_HOPPER),
        Card(
            "a100",
            "NVIDIA A100-SXM4-80GB",
            capability=(8, 0),
            cores=108,
            fpus=64,
            clock=1.41,
            memory=80 * _GIB,
            l2=40 * _MIB,
            bandwidth=2_039_000_000_000,
            shared=164 * _KIB,
            shared_by_block=163 * _KIB,
            threads=2048,
            rates={"float32": 19.5e12, "tf32": 156e12, "bfloat16": 312e12},
            link=300e9,
        ),
        Card(
            "rtx4090",
            "NVIDIA GeForce RTX 4090",
            capability=(8, 9),
            cores=128,
            fpus=128,
            clock=2.52,
            memory=24 * _GIB,
            l2=72 * _MIB,
            bandwidth=1_008_000_000_000,
            shared=100 * _KIB,
            shared_by_block=99 * _KIB,
            threads=1536,
            rates={"float32": 82.6e12, "tf32": 82.6e12, "bfloat16": 165.2e12},
            link=32e9,
        ),
        Card(
            "t4",
            "Tesla T4",
            capability=(7, 5),
            cores=40,
            fpus=64,
            clock=1.59,
            memory=16 * _GIB,
            l2=4 * _MIB,
            bandwidth=320_000_000_000,
            shared=64 * _KIB,
            shared_by_block=64 * _KIB,
            threads=1024,
            rates={"float32": 8.1e12},
            link=16e9,
        ),
        Card(
            "b200",
            "NVIDIA B200",
            capability=(10, 0),
            cores=148,
            fpus=128,
            clock=1.965,
            memory=180_000_000_000,
            l2=126 * _MIB,
            bandwidth=8_000_000_000_000,
            shared=228 * _KIB,
            shared_by_block=227 * _KIB,
            threads=2048,
            rates={"float32": 80e12, "tf32": 1.1e15, "bfloat16": 2.25e15},
            link=900e9,
        ),
    )
}
"""Every card by its name."""


def card(name):
    """The card of a name.

    Raises
    ------
    UserError
        None is described under it.
    """
    if name not in CARDS:
        raise UserError(f"--card got {name!a}, expected one of {', '.join(CARDS)}")
    return CARDS[name]
