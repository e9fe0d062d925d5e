"""User-supplied facts about raw scans that the files themselves do not state."""

from dataclasses import dataclass

ALL_CLUSTERS, LARGEST_CLUSTER = "all", "largest"

ClusterRule = str | float
"""Which DBSCAN clusters are kept: "all" keeps every point, "largest" one cluster (the published rule), and a fraction
keeps every cluster with more than this share of the object's points."""

OWN_DATA_CLUSTERS: ClusterRule = 0.01
"""The rule for objects outside the published data sets: a sensor often captures an object in several pieces."""


@dataclass(frozen=True)
class ReadingOptions:
    """How raw samples are read; the defaults read the published data sets as published."""

    metres_per_unit: float | None = None  # 0.001 for millimetres; None: the data set's own unit
    keep_clusters: ClusterRule | None = None  # None: the published rule for published classes, else OWN_DATA_CLUSTERS
    good_folder: str | None = None  # a folder of good samples beside those of usual names
    allow_empty_masks: bool = False  # whether an anomalous sample may have no marked point

    def unit_scale(self, own_unit: float) -> float:
        """The factor that converts coordinates to the data set's own unit of `own_unit` metres."""
        return 1.0 if self.metres_per_unit is None else self.metres_per_unit / own_unit


AS_PUBLISHED = ReadingOptions()
"""How published data sets are read, as published."""
