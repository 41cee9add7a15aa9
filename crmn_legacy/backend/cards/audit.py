"""What is in a compiled program for a card: kernels, library calls, registers, copies, what cards tell one another."""

import hashlib
import math
import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

_ENTRY = re.compile(r"^(?:\.visible )?\.entry", re.MULTILINE)
_LAUNCH = re.compile(r"^\s*(k\w+)", re.MULTILINE)
# What holds other launches, or none.
_CONTAINERS = ("kCommandBuffer", "kSequential", "kWhile", "kConditional", "kWaitForStreams")
_TARGET = re.compile(r"^\.target (\S+)", re.MULTILINE)
_USED = re.compile(r"Compiling entry function '(\S+)'.*?(\d+) bytes spill stores.*?Used (\d+) registers", re.DOTALL)
_LIBRARY_CALL = re.compile(r'custom_call_target="([^"]+)"')
# XLA counts the parts of a long tuple in comments.
_INSTRUCTION = re.compile(r"^\s*(?:ROOT )?%?[\w.-]+ = (\(?(?:/\*index=\d+\*/|[^=])*?) (\w[\w-]*)\(", re.MULTILINE)
_ARRAY = re.compile(r"(pred|[a-z]+\d+)\[([\d,]*)\]")
_WIDTH = re.compile(r"\d+")
_METADATA = re.compile(r", metadata=\{[^}]*\}")
_REGISTER = re.compile(r"%[a-z]+\d+")

_COLLECTIVES = (
    "all-reduce",
    "all-gather",
    "reduce-scatter",
    "all-to-all",
    "collective-permute",
    "collective-broadcast",
)
# What calls back into Python, or moves data to the processor.
_HOST_CALLS = ("callback", "outfeed", "infeed", "send", "recv", "MoveToHost")


@dataclass(frozen=True)
class Kernels:
    """A program for a card.

    Attributes
    ----------
    seconds : float
        That XLA took.
    arguments, outputs, donated, temporaries : int
        Bytes on each card; what is donated is overwritten in place.
    own : int
        Kernels that XLA wrote.
    launches : int
        Kernels, library calls and copies of one step, in the order in which they are launched.
    cudnn, cublas : int
        Calls of these libraries.
    registers, spilled : int
        The most that a kernel uses; how many kernels spill some.
    transposes, copies, reversals : int
        In the optimised program, within kernels too.
    collectives : dict of str to (int, int)
        What the cards tell one another, by kind: how often, and bytes of the results.
    float64, host_calls : int
        Instructions with such numbers; calls of the host.
    ptx_bytes : int
    program_digest, ptx_digest : str
        SHA-256 of the optimised program without the names of source files, and of the kernels in NVIDIA's portable
        assembly: of their instructions, sorted, without the numbers of registers. XLA writes the sums of a kernel that
        makes several in an order that changes from process to process, so the text itself is another each time, while
        what is added to what is not.
    code_digest : str
        SHA-256 of the assembled kernels, for the same reason another each time.
    cubin : bytes
        The assembled kernels.
    """

    seconds: float
    arguments: int
    outputs: int
    donated: int
    temporaries: int
    own: int
    launches: int
    cudnn: int
    cublas: int
    registers: int
    spilled: int
    transposes: int
    copies: int
    reversals: int
    collectives: dict
    float64: int
    host_calls: int
    ptx_bytes: int
    program_digest: str
    ptx_digest: str
    code_digest: str
    cubin: bytes = field(default=b"", repr=False)

    def as_json(self):
        """What ``--json`` prints (a dict)."""
        found = {name: value for name, value in vars(self).items() if name != "cubin"}
        return found | {"collectives": {name: list(counted) for name, counted in self.collectives.items()}}


def audit(hlo, ptx, thunks, memory, seconds, ptxas):
    """Count what is in a compiled program.

    Parameters
    ----------
    hlo, thunks : str
        The optimised program, and the order of its launches, as XLA writes them.
    ptx : path
        Of its kernels.
    memory : jaxlib's CompiledMemoryStats
    seconds : float
        That XLA took.
    ptxas : path
        NVIDIA's assembler.

    Returns
    -------
    Kernels
    """
    text = Path(ptx).read_text()
    calls = Counter(_LIBRARY_CALL.findall(hlo))
    kinds = Counter(kind for _, kind in _INSTRUCTION.findall(hlo))
    code, used = _assembled(ptx, text, ptxas)
    return Kernels(
        seconds=seconds,
        arguments=memory.argument_size_in_bytes,
        outputs=memory.output_size_in_bytes,
        donated=memory.alias_size_in_bytes,
        temporaries=memory.temp_size_in_bytes,
        own=len(_ENTRY.findall(text)),
        launches=sum(kind not in _CONTAINERS for kind in _LAUNCH.findall(thunks)),
        cudnn=sum(count for name, count in calls.items() if "cudnn" in name),
        cublas=sum(count for name, count in calls.items() if "cublas" in name),
        registers=max((registers for _, registers in used), default=0),
        spilled=sum(bool(spilled) for spilled, _ in used),
        transposes=kinds["transpose"],
        copies=kinds["copy"],
        reversals=kinds["reverse"],
        collectives=collectives(hlo),
        float64=len(re.findall(r"\bf64\[", hlo)),
        host_calls=sum(count for name, count in calls.items() if any(word in name for word in _HOST_CALLS)),
        ptx_bytes=len(text.encode()),
        program_digest=_sha256(_METADATA.sub("", hlo)),
        ptx_digest=_sha256("\n".join(sorted(_REGISTER.sub("%", text).splitlines()))),
        code_digest=hashlib.sha256(code).hexdigest(),
        cubin=code,
    )


def _sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def _assembled(ptx, text, ptxas):
    """Assembled code, and of each kernel the bytes that it spills and the registers that it uses."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "kernels.cubin"
        words = [str(ptxas), "-v", f"-arch={_TARGET.search(text)[1]}", str(ptx), "-o", str(out)]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stderr
        return out.read_bytes(), [(int(spilled), int(registers)) for _, spilled, registers in _USED.findall(said)]


def collectives(hlo):
    """What a program exchanges between devices: kind -> how often, and bytes of the results (a dict).

    Parameters
    ----------
    hlo : str
        Of the optimised program. The end of an exchange that was begun before is not counted again.
    """
    found = {}
    for shape, kind in _INSTRUCTION.findall(hlo):
        name = kind.removesuffix("-start")
        if name in _COLLECTIVES:
            count, size = found.get(name, (0, 0))
            # An asynchronous one names its operands beside its results.
            share = 2 if kind.endswith("-start") and shape.startswith("((") else 1
            found[name] = count + 1, size + sum(map(_bytes, _ARRAY.findall(shape))) // share
    return found


def _bytes(array):
    kind, sizes = array
    width = int(_WIDTH.search(kind)[0]) if kind != "pred" else 8
    return width // 8 * math.prod(int(size) for size in sizes.split(",") if size)
