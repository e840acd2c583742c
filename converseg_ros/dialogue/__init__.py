"""From what a person says to what the network is asked."""
