"""Which of how many processes this is, and how all stop after one update; runs of several are in tests/training."""

import numpy as np
import pytest

from crmn_legacy.backend.processes import Group, Place, place_of, require_shares
from crmn_legacy.errors import UserError

CLUSTERS = ("SLURM_", "OMPI_", "KUBERNETES_", "TPU_", "JOB_COMPLETION")


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    import os

    for name in [name for name in os.environ if name.startswith(CLUSTERS)]:
        monkeypatch.delenv(name)


def test_a_single_process_is_the_first():
    place = place_of(None, None, None)
    assert place == Place() and place.is_first and place.part(64) == slice(0, 64)
    batch = {"images": np.zeros(3)}
    assert place.own(batch) is batch


def test_each_process_has_its_part_of_a_batch():
    places = [place_of("there:7000", 4, process) for process in range(4)]
    assert [place.is_first for place in places] == [True, False, False, False]
    batch = {"images": np.arange(12), "labels": np.arange(12) * 2}
    parts = [place.own(batch) for place in places]
    for name, whole in batch.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), whole)
    assert {len(part["images"]) for part in parts} == {3}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ((None, 2, 0), "got no --coordinator, expected HOST:PORT"),
        ((None, None, 0), "got no --coordinator"),
        (("there", 2, 0), "--coordinator got 'there', expected HOST:PORT"),
        (("there:port", 2, 0), "expected HOST:PORT"),
        (("a b:1", 2, 0), "expected HOST:PORT"),
        (("there:1", 2, 2), "--process got 2 of --processes 2, expected a number from 0 to one less"),
        (("there:1", 2, -1), "--process got -1"),
        (("there:1", 0, 0), "--process got 0 of --processes 0"),
        (("there:1", 2, None), "outside SLURM and Open MPI; expected all three"),
        (("auto", None, None), "outside SLURM and Open MPI"),
    ],
)
def test_what_does_not_go_together_is_refused(told, said):
    with pytest.raises(UserError, match=said):
        place_of(*told)


def test_slurm_tells_what_was_not_given(monkeypatch):
    for name, value in {
        "SLURM_JOB_ID": "4242",
        "SLURM_STEP_NODELIST": "node[07-08]",
        "SLURM_NTASKS": "4",
        "SLURM_PROCID": "3",
        "SLURM_LOCALID": "1",
    }.items():
        monkeypatch.setenv(name, value)
    assert place_of("auto", None, None) == Place(4, 3, "node07:61586")
    assert place_of("there:7000", None, None) == Place(4, 3, "there:7000")
    monkeypatch.delenv("SLURM_NTASKS")
    with pytest.raises(UserError, match="under SlurmCluster, which does not tell all"):
        place_of("auto", None, None)


def test_open_mpi_tells_what_was_not_given(monkeypatch):
    for name, value in {
        "OMPI_MCA_orte_hnp_uri": "1531576320.0;tcp://10.96.0.1,10.148.0.1:34911",
        "OMPI_COMM_WORLD_SIZE": "2",
        "OMPI_COMM_WORLD_RANK": "1",
    }.items():
        monkeypatch.setenv(name, value)
    place = place_of("auto", None, None)
    assert (place.processes, place.process) == (2, 1) and place.coordinator.startswith("10.96.0.1:")


@pytest.mark.parametrize(
    ("devices", "batch_size", "said"),
    [
        (4, 6, "--processes got 4, expected a divisor of the batch size 6"),
        (6, 8, "--devices got 6 for 4 processes, expected a multiple"),
    ],
)
def test_shares_that_are_not_even_are_refused(devices, batch_size, said):
    with pytest.raises(UserError, match=said):
        require_shares(Place(4, 0, "there:1"), devices, batch_size)
    require_shares(Place(), devices, batch_size)


def test_an_address_of_ipv6_passes():
    assert place_of("[::1]:7000", 2, 1).coordinator == "[::1]:7000"


# --- all stop after one update


class Store:
    """Stands for JAX's store of keys: who sets first is heard."""

    def __init__(self):
        self.values = {}

    def key_value_set(self, key, value):
        if key in self.values:
            raise RuntimeError("ALREADY_EXISTS: ...")
        self.values[key] = value

    def key_value_try_get(self, key):
        try:
            return self.values[key]
        except KeyError:
            raise RuntimeError(f"NOT_FOUND: {key}") from None


def group(store):
    found = Group(Place(), dict)
    found._client = store
    return found


def test_a_single_process_stops_at_once():
    alone = Group(Place(), dict)
    assert alone.agreed_stop(None, 3) is None
    assert alone.agreed_stop(15, 3) == 15


@pytest.mark.parametrize("ahead", [0, 1, 2])
def test_all_stop_after_the_same_update_wherever_they_were(ahead):
    """A process may have begun two updates more than the one that caught a signal, before that could tell it."""
    store = Store()
    one, other = group(store), group(store)
    for updates in range(1, 5 + ahead):
        assert other.agreed_stop(None, updates) is None
    stops = {}
    for updates in range(5, 9):
        if one.agreed_stop(15 if updates == 5 else None, updates) and "one" not in stops:
            stops["one"] = updates
    for updates in range(5 + ahead, 9):
        if other.agreed_stop(None, updates) and "other" not in stops:
            stops["other"] = updates
    assert stops == {"one": 7, "other": 7}


def test_the_first_signal_of_all_is_heard():
    store = Store()
    one, other = group(store), group(store)
    assert one.agreed_stop(15, 5) is None
    assert other.agreed_stop(2, 6) is None
    assert one.agreed_stop(None, 7) == other.agreed_stop(2, 7) == 15


def test_a_store_that_is_gone_is_an_error():
    class Gone(Store):
        def key_value_try_get(self, key):
            raise RuntimeError("UNAVAILABLE: ...")

    with pytest.raises(RuntimeError, match="UNAVAILABLE"):
        group(Gone()).agreed_stop(None, 1)
