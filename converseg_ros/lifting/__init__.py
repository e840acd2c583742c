"""From a mask and depth to clouds, planes, boxes and poses."""
