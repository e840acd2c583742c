"""Message conversion, synchronisation, parameters and QoS."""
