"""The pipeline from a frame and its instructions to regions: segmenter, tracker, safety gate; without ROS."""
