"""Evaluation on rosbags: the frames of a bag, the pipeline of the node over them, and the report."""
