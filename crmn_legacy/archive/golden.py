"""Golden digests: what the bits of a run, and a row's kernels, must be on a known platform."""

import msgspec

from crmn_legacy.archive.record import read_json, write_json
from crmn_legacy.errors import UserError
from crmn_legacy.installation import GOLDEN
from crmn_legacy.options import DECLARED


class GoldenRun(msgspec.Struct, frozen=True, kw_only=True):
    """A committed digest, and the kind of run and the platform that it holds for."""

    kind: str
    platform_key: str
    bits: str


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    runs: list[GoldenRun]


def own_options(options):
    """Options that make a run one that no golden digest is of (list of str).

    ``smoke`` makes a kind of its own, and the platform key tells of others; what is left moves the bits.
    """
    return [
        name
        for name in options.changed()
        if name != "smoke" and DECLARED[name].moves_bits and not DECLARED[name].in_platform_key
    ]


def golden_bits(record):
    """The committed digest of this very run under its platform key.

    Parameters
    ----------
    record : RunRecord

    Returns
    -------
    str or None
        None if none was committed, or if the run is of a changed copy of the row's recipe and came to other bits.

    Raises
    ------
    UserError
        The file of the row's golden digests is damaged.
    """
    path = GOLDEN / f"{record.row}.json"
    if own_options(record.options) or not path.is_file():
        return None
    try:
        runs = msgspec.convert(read_json(path), _Row).runs
    except msgspec.ValidationError as error:
        raise UserError(f"got '{path}', which is altered ({error}); expected golden digests: install anew") from None
    key = (record.plan.kind, record.platform_key)
    golden = next((run.bits for run in runs if (run.kind, run.platform_key) == key), None)
    # The digest is of the row's own recipe. One of another text may be of another network, or say the same otherwise.
    changed = (record.source or {}).get("recipe_of_tree") is False
    return None if changed and golden != record.bits else golden


def golden_kernels(key):
    """The committed digests of the kernels of all rows.

    Parameters
    ----------
    key : str
        The card, the number format and the compiler, as ``kernels --json`` tells them: ``h100/float32/jaxlib0.7.1``.

    Returns
    -------
    dict of str to dict of str to str
        Row -> step -> SHA-256 of its PTX.

    Raises
    ------
    UserError
        The file is damaged.
    """
    try:
        return msgspec.convert(_kernels_of_card(key).get(key, {}), dict[str, dict[str, str]])
    except msgspec.ValidationError as error:
        raise UserError(
            f"got digests of {key} that are altered ({error}); expected golden ones: install anew"
        ) from None


def keep_golden_kernels(described):
    """Make the digests that ``kernels --json`` tells of a row golden."""
    key = described["key"]
    digests = {name: step["ptx_digest"] for name, step in described.items() if isinstance(step, dict)}
    rows = {**golden_kernels(key), described["row"]: digests}
    _kernels_path(key).parent.mkdir(exist_ok=True)
    write_json(_kernels_path(key), {**_kernels_of_card(key), key: rows})


def _kernels_of_card(key):
    path = _kernels_path(key)
    return read_json(path) if path.is_file() else {}


def _kernels_path(key):
    return GOLDEN / "kernels" / f"{key.partition('/')[0]}.json"
