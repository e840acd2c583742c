"""Message conversion, synchronisation, parameters and QoS; with nodes/ the only importer of rclpy."""
