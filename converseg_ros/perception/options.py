"""Options of the tracker."""

from dataclasses import dataclass

from converseg_ros.core.options import check_options, option
from converseg_ros.perception.motion import MIN_FLOW_SIDE


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """Options of the tracker; times in seconds of the image stamps."""

    width: int = option(128, MIN_FLOW_SIDE, 2048)
    """Number of columns of the small image for motion estimation."""
    max_carry: float = option(2.0, 0.0, 60.0)
    """Maximum age of an answer for propagation."""
    half_life: float = option(1.0, 0.01, 3600.0)
    """Half-life of the score of a propagated region; it decreases faster where the images disagree."""
    keep_status: float = option(0.5, 0.0, 1.0)
    """Share of its first score below which a propagated region is LOW_CONFIDENCE."""
    max_gap: float = option(1.0, 0.01, 60.0)
    """A longer gap between images, or a negative one, is a clock jump, which clears the tracker."""
    cut: float = option(0.4, 0.0, 1.0)
    """Correlation of the new and the predicted image below which there is a scene cut."""
    match_overlap: float = option(0.2, 0.0, 1.0)
    """Overlap (IoU) of a propagated and a new mask above which they are the same object."""
    match_distance: float = option(0.15, 0.0, 10.0)
    """Distance in metres between two centroids in the world frame below which they are the same object."""
    max_tracks: int = option(64, 1, 10_000)
    """Maximum number of tracks; the one that was not seen for the longest time is dropped first."""
    history: int = option(32, 1, 1000)
    """Number of small images that are stored for answers that arrive late."""

    def __post_init__(self) -> None:
        """Validate the options."""
        check_options(self, 'tracker options')
