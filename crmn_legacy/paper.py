"""The printed Tables 1, 2 and 3 of Moniz and Pal (2017) as data, a record a row."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One printed row.

    Attributes
    ----------
    row : str
        The name of its recipe, ``table<number>_<method>``.
    table : int
        1 (faces), 2 (CIFAR-100) or 3 (CIFAR-10); 0 for a row of one's own.
    method : str
        The method as the table calls it.
    printed : dict
        Table 1: ``n``, ``fm``, ``parameters``, ``flops`` as printed, ``common`` and ``ibug`` (error, percent of the
        inter-ocular distance). Tables 2 and 3: ``accuracy`` (percent).
    source : str
        What the printed numbers stand for in the method's own publication.
    stated : str
        Learned numbers as the peer's publication or its authors state them; empty if they do not.
    """

    row: str
    table: int
    method: str
    printed: dict
    source: str = ""
    stated: str = ""


OWN = "this paper's own"
"""What a row stands for that is of no other publication."""

OWN_ROW = "a row of one's own"
"""What a row stands for that the paper does not print."""


def _faces(row, method, n, fm, parameters, flops, common, ibug, source=OWN):
    printed = {"n": n, "fm": fm, "parameters": parameters, "flops": flops, "common": common, "ibug": ibug}
    return Row(row, 1, method, printed, source)


def _classes(row, method, accuracy, source="", stated=""):
    return Row(row, int(row[len("table")]), method, {"accuracy": accuracy}, source, stated)


ROWS = {
    row.row: row
    for row in (
        _faces(
            "table1_rcn",
            "RCN",
            None,
            None,
            "24.8M",
            "327.84G",
            4.67,
            8.44,
            "RCN + denoiser, joint prediction; no network of its code has both printed counts (unresolved)",
        ),
        _faces("table1_crmn", "CRMN", 5, 4, "17.76M", "14.07G", 5.04, 8.92),
        _faces("table1_resnet_n18_fm4", "ResNet", 18, 4, "27.63M", "50.59G", 5.49, 9.51),
        _faces("table1_resnet_n9_fm8", "ResNet", 9, 8, "54.55M", "100.30G", 5.14, 8.94),
        _faces("table1_resnet_n9_fm4", "ResNet", 9, 4, "13.67M", "25.09G", 5.40, 9.45),
        _faces("table1_resnet_n5_fm4", "ResNet", 5, 4, "7.46M", "13.75G", 5.91, 10.23),
        _classes(
            "table2_highway", "Highway Network (100 layers)", 67.61, "error 32.39, mean of the runs, 19 layers", "2.3M"
        ),
        _classes("table2_stochastic_depth", "Stochastic Depth", 75.42, "error 24.58, ResNet-110", "1.7M"),
        _classes("table2_swapout", "Swapout (32 layers; 64 fm)", 77.28, "error 22.72, v2(32) W x4", "7.43M"),
        _classes("table2_preact_resnet_1001", "Pre-act. ResNet (1001 layers)", 77.29, "error 22.71", "10.2M"),
        _classes(
            "table2_wide_resnet_dropout",
            "WRResNet + dropout (28 layers; 160 fm)",
            79.96,
            "error 20.04, first version, whitened",
            "36.5M",
        ),
        _classes(
            "table2_densenet", "DenseNets (100 layers)", 80.75, "error 19.25, L = 100, k = 24, augmented", "27.2M"
        ),
        _classes("table2_crmn_32_64", "CRMN (32 layers; 64 fm)", 78.27, OWN),
        _classes("table2_crmn_28_160", "CRMN (28 layers; 160 fm), RRLR", 79.68, OWN),
        _classes("table2_crmn_32_192", "CRMN (32 layers; 192 fm), RRLR", 80.21, OWN),
        _classes("table3_maxout", "Maxout Network", 90.62, "error 9.38, augmented"),
        _classes("table3_highway", "Highway Network", 92.40, "error 7.60, best run, 19 layers", "2.3M"),
        _classes("table3_resnet_110", "ResNet (110 layers)", 93.57, "error 6.43, best of 5 runs", "1.7M"),
        _classes("table3_stochastic_depth", "Stochastic Depth", 94.77, "error 5.23, ResNet-110", "1.7M"),
        _classes("table3_swapout", "Swapout (32 layers; 64 fm)", 95.24, "error 4.76, v2(32) W x4", "7.43M"),
        _classes("table3_preact_resnet_1001", "Pre-act. ResNet (1001 layers)", 95.38, "error 4.62, batch 64", "10.2M"),
        _classes("table3_fractional_max_pooling_1_test", "Frac. Max-pool (1 test)", 95.50, "error 4.50, 1 test"),
        _classes("table3_all_convolutional", "All Conv. Net", 95.59, "error 4.41, Large All-CNN, 126 x 126"),
        _classes(
            "table3_wide_resnet",
            "WRResNet (28 layers; 160 fm)",
            95.83,
            "error 4.17, first version, no dropout, whitened",
            "36.5M",
        ),
        _classes(
            "table3_fractional_max_pooling_100_tests",
            "Frac. Max-pool (100 tests)",
            96.53,
            "error 3.47, mean of 100 tests",
        ),
        _classes("table3_densenet", "DenseNets (100 layers)", 96.26, "error 3.74, L = 100, k = 24, augmented", "27.2M"),
        _classes("table3_crmn_28_160", "CRMN (28 layers; 160 fm), RRLR", 95.60, OWN),
        _classes("table3_crmn_32_192", "CRMN (32 layers; 192 fm), RRLR", 95.84, OWN),
    )
}
"""Every printed row by the name of its recipe, in the order of the tables."""


def row_of(name):
    """The printed row of a name; for a name that is not in the tables a row of one's own, of no table (a `Row`)."""
    return ROWS.get(name) or Row(name, 0, name, {}, source=OWN_ROW)


def in_millions(parameters):
    """A parameter count as the tables print it: 17758372 -> '17.76M'."""
    return f"{parameters / 1e6:.2f}M"


def in_billions(flops):
    """An operation count as the tables print it: 14066960000 -> '14.07G'."""
    return f"{flops / 1e9:.2f}G"
